package site

import org.springframework.mock.web.MockHttpServletResponse
import org.springframework.security.test.web.servlet.request.SecurityMockMvcRequestPostProcessors.user
import org.springframework.test.web.servlet.MockHttpServletRequestDsl
import org.springframework.test.web.servlet.MockMvc
import org.springframework.test.web.servlet.get
import tools.jackson.databind.json.JsonMapper
import tools.jackson.module.kotlin.readValue

/** Asks for a session as a page of the site does, for alice unless nobody is signed in. */
fun MockMvc.prebind(
    path: String = "/prebind",
    name: String? = "alice",
    more: MockHttpServletRequestDsl.() -> Unit = { header("Sec-Fetch-Site", "same-origin") },
): MockHttpServletResponse =
    get(path) {
        name?.let { with(user(it)) }
        more()
    }.andReturn().response

/** What was answered, which is JSON whatever it is. */
val MockHttpServletResponse.json: Map<String, Any>
    get() = JsonMapper().readValue(contentAsString)
