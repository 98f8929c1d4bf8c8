package site

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.springframework.beans.factory.annotation.Autowired
import org.springframework.boot.test.context.SpringBootTest
import org.springframework.boot.webmvc.test.autoconfigure.AutoConfigureMockMvc
import org.springframework.test.web.servlet.MockMvc

/** Where the chat server has been away for some calls. */
@SpringBootTest(
    properties = [
        "SITE_BOSH_URL=http://127.0.0.1:2/http-bind",
        """SITE_USERS={"alice": {"password": "for the site", "xmpp_password": "for the chat"}}""",
    ],
)
@AutoConfigureMockMvc
class AwayTest
    @Autowired
    constructor(
        private val mvc: MockMvc,
    ) {
        @Test
        fun `the browser is told when to ask again`() {
            repeat(3) { assertNull(mvc.prebind().getHeader("Retry-After")) }
            val answer = mvc.prebind()
            assertEquals(503, answer.status)
            assertEquals("Timeout", answer.json["kind"])
            assertTrue(answer.getHeader("Retry-After")!!.toInt() in 1..8)
        }
    }
