package site

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.extension.ExtendWith
import org.mockito.Mockito.any
import org.mockito.Mockito.doAnswer
import org.springframework.beans.factory.annotation.Autowired
import org.springframework.boot.test.context.SpringBootTest
import org.springframework.boot.test.system.CapturedOutput
import org.springframework.boot.test.system.OutputCaptureExtension
import org.springframework.boot.webmvc.test.autoconfigure.AutoConfigureMockMvc
import org.springframework.security.test.web.servlet.request.SecurityMockMvcRequestPostProcessors.user
import org.springframework.test.context.bean.override.mockito.MockitoBean
import org.springframework.test.web.servlet.MockMvc
import org.springframework.test.web.servlet.get
import java.nio.charset.MalformedInputException
import java.security.Principal

/** Where the site's own code throws what it does not declare. */
@SpringBootTest(
    properties = [
        "SITE_BOSH_URL=http://127.0.0.1:1/http-bind",
        """SITE_USERS={"alice": {"password": "for the site", "xmpp_password": "for the chat"}}""",
    ],
)
@AutoConfigureMockMvc
@ExtendWith(OutputCaptureExtension::class)
class FailuresTest
    @Autowired
    constructor(
        private val mvc: MockMvc,
    ) {
        @MockitoBean
        private lateinit var accounts: Accounts

        @Test
        fun `the endpoint and the page go on`(log: CapturedOutput) {
            val undeclared = MalformedInputException(1)
            for (error in listOf(undeclared, NotImplementedError("hunter2"), StackOverflowError())) {
                val name = error.javaClass.name
                // The matcher itself is null.
                doAnswer { throw error }.`when`(accounts).jid(any(Principal::class.java) ?: Principal { "" })
                val answer = mvc.prebind()
                assertAnswer(503, answer)
                assertEquals(mapOf("kind" to "Internal", "retry" to "no"), answer.json, name)
                assertTrue(log.out.contains("no chat for alice: $name at "), name)

                val page = mvc.get("/") { with(user("alice")) }.andReturn().response
                assertEquals(200, page.status)
                assertTrue(page.contentAsString.contains(">null</script>"), name)
                assertTrue(log.out.contains("the page has no chat: $name at "), name)
            }
            assertFalse(log.all.contains("hunter2"))
        }
    }
