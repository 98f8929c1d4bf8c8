package site

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.extension.ExtendWith
import org.springframework.beans.factory.BeanFactory
import org.springframework.beans.factory.annotation.Autowired
import org.springframework.boot.test.context.SpringBootTest
import org.springframework.boot.test.system.CapturedOutput
import org.springframework.boot.test.system.OutputCaptureExtension
import org.springframework.boot.webmvc.test.autoconfigure.AutoConfigureMockMvc
import org.springframework.security.test.web.servlet.request.SecurityMockMvcRequestPostProcessors.user
import org.springframework.test.web.servlet.MockMvc
import org.springframework.test.web.servlet.get

/** Where there is no chat server. */
@SpringBootTest(
    properties = [
        "SITE_BOSH_URL=http://127.0.0.1:1/http-bind",
        """SITE_USERS={"alice": {"password": "for the site", "xmpp_password": "for the chat"}}""",
    ],
)
@AutoConfigureMockMvc
@ExtendWith(OutputCaptureExtension::class)
class OutageTest
    @Autowired
    constructor(
        private val mvc: MockMvc,
        private val beans: BeanFactory,
    ) {
        @Test
        fun `a failure is the chat's alone, and logged`(log: CapturedOutput) {
            val answer = mvc.prebind()
            assertAnswer(503, answer)
            assertEquals(mapOf("kind" to "Connect", "retry" to "later"), answer.json)
            assertTrue(log.out.contains("no chat for alice: Connect: "))
            mvc.get("/") { with(user("alice")) }.andExpect { status { isOk() } }
        }

        @Test
        fun `what the site's own code throws is logged without its words`(log: CapturedOutput) {
            val answer = mvc.prebind(name = "mallory")
            assertAnswer(503, answer)
            assertEquals("Internal", answer.json["kind"])
            val place = "site.SettingsException at site.People.get(People.kt:"
            assertTrue(log.out.contains("no chat for mallory: $place"))
            assertFalse(log.out.contains("nobody is called mallory"))
        }

        @Test
        fun `the doctor says what is wrong`(output: CapturedOutput) {
            assertEquals(1, Doctor(beans).examine("alice"))
            assertTrue(output.out.contains("10 login        error: "))
            assertTrue(output.out.contains("kind=Connect stage=create condition=none retry=later"))
        }
    }
