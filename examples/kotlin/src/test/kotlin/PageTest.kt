package site

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.springframework.beans.factory.annotation.Autowired
import org.springframework.boot.test.context.SpringBootTest
import org.springframework.boot.webmvc.test.autoconfigure.AutoConfigureMockMvc
import org.springframework.mock.web.MockHttpServletResponse
import org.springframework.security.test.web.servlet.request.SecurityMockMvcRequestPostProcessors.csrf
import org.springframework.security.test.web.servlet.request.SecurityMockMvcRequestPostProcessors.user
import org.springframework.test.web.servlet.MockMvc
import org.springframework.test.web.servlet.get
import org.springframework.test.web.servlet.post
import tools.jackson.databind.json.JsonMapper
import tools.jackson.module.kotlin.readValue
import java.nio.file.Path
import kotlin.io.path.readText

@SpringBootTest
@AutoConfigureMockMvc
class PageTest
    @Autowired
    constructor(
        private val mvc: MockMvc,
        private val accounts: Accounts,
        private val people: People,
    ) {
        private fun page(
            path: String,
            name: String? = null,
        ): MockHttpServletResponse = mvc.get(path) { name?.let { with(user(it)) } }.andReturn().response

        /** What is in the element `#prebind-converse`. */
        private fun MockHttpServletResponse.settings(): String =
            Regex("""<script id="prebind-converse" type="application/json">(.*)</script>""")
                .find(contentAsString)!!
                .groupValues[1]

        @Test
        fun `who is signed in has a chat`() {
            val expected =
                mapOf(
                    "view_mode" to "overlayed",
                    "authentication" to "prebind",
                    "prebind_url" to "/prebind",
                    "bosh_service_url" to people.boshUrl,
                    "jid" to "alice@localhost",
                    "auto_login" to true,
                    "keepalive" to true,
                    "assets_path" to "/converse/",
                )
            assertEquals(expected, JsonMapper().readValue<Map<String, Any>>(page("/", "alice").settings()))
        }

        @Test
        fun `who is not has none, and the script that clears away the one before`() {
            val login = page("/login")
            assertEquals("null", login.settings())
            assertFalse(login.contentAsString.contains("converse.min.js"))
            assertTrue(login.contentAsString.contains("""src="/prebind/chat.js""""))
        }

        @Test
        fun `the script knows whose page it is and which addresses are right`() {
            val attribute = Regex("""data-prebind="([^"]*)"""")
            val served = attribute.find(page("/", "alice").contentAsString)!!.groupValues[1]
            val names = served.split("&amp;").map { it.substringBefore("=") }.toSet()
            assertEquals(setOf("jid", "prebind_url", "bosh_service_url", "assets_path", "converse"), names)
            assertTrue(served.contains("jid=alice%40localhost"))
            assertTrue(page("/login").contentAsString.contains("""data-prebind="prebind_url=%2Fprebind""""))
        }

        @Test
        fun `each script has the nonce of this page`() {
            val home = page("/", "alice")
            val policy = home.getHeader("Content-Security-Policy")!!
            val nonce = Regex("script-src 'nonce-([^']{22,})'").find(policy)!!.groupValues[1]
            val scripts = Regex("<script[^>]* src=[^>]*>").findAll(home.contentAsString).toList()
            assertEquals(2, scripts.size)
            for (script in scripts) assertTrue(script.value.contains(""" nonce="$nonce""""))
            assertFalse(page("/", "alice").contentAsString.contains(nonce))
        }

        @Test
        fun `the script is that of every language`() {
            val script = Path.of("../../bindings/web/chat.js")
            assertEquals(script.readText(), page("/prebind/chat.js").contentAsString)
        }

        @Test
        fun `a name ends no element`() {
            val home = page("/", "</script><b>")
            assertTrue(home.contentAsString.contains("Hello, &lt;/script&gt;&lt;b&gt;"))
            val settings = JsonMapper().readValue<Map<String, Any>>(home.settings())
            assertEquals("\\3c\\2fscript\\3e\\3cb\\3e@localhost", settings["jid"])
        }

        @Test
        fun `who can have no JID has a page without chat`() {
            for (name in listOf("x".repeat(2000), "half of a pair: \uD800")) {
                val home = page("/", name)
                assertEquals(200, home.status)
                assertEquals("null", home.settings())
                assertTrue(home.contentAsString.contains("""src="/prebind/chat.js""""))
                assertFalse(home.contentAsString.contains("converse.min.js"))
            }
        }

        @Test
        fun `a name of the site becomes a JID`() {
            assertEquals("alice@localhost", accounts.jid("Alice"))
            assertEquals("jo\\40example.org@localhost", accounts.jid("Jo@example.org"))
        }

        @Test
        fun `signing in takes the right password, and out what the chat has left`() {
            val right = people["alice"].password
            assertEquals("/", signIn("alice", right))
            for (wrong in listOf("", people["alice"].xmppPassword!!)) {
                assertEquals("/login?error", signIn("alice", wrong))
            }
            assertEquals("/login?error", signIn("nobody", right))

            val out =
                mvc
                    .post("/logout") {
                        with(csrf())
                        with(user("alice"))
                        secure = true
                    }.andReturn()
                    .response
            assertEquals("/login", out.redirectedUrl)
            assertEquals("\"storage\"", out.getHeader("Clear-Site-Data"))
        }

        @Test
        fun `nobody is signed out by another site`() {
            val answer = mvc.post("/logout") { with(user("alice")) }.andReturn().response
            assertEquals(403, answer.status)
            assertNull(answer.redirectedUrl)
        }

        private fun signIn(
            name: String,
            password: String,
        ): String? =
            mvc
                .post("/login") {
                    with(csrf())
                    param("username", name)
                    param("password", password)
                }.andReturn()
                .response.redirectedUrl
    }
