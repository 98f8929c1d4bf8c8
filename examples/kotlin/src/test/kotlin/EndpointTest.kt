package site

import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNotEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.extension.ExtendWith
import org.springframework.beans.factory.annotation.Autowired
import org.springframework.boot.test.context.SpringBootTest
import org.springframework.boot.test.system.CapturedOutput
import org.springframework.boot.test.system.OutputCaptureExtension
import org.springframework.boot.webmvc.test.autoconfigure.AutoConfigureMockMvc
import org.springframework.mock.web.MockHttpServletResponse
import org.springframework.security.authentication.UsernamePasswordAuthenticationToken
import org.springframework.security.test.web.servlet.request.SecurityMockMvcRequestPostProcessors.user
import org.springframework.security.web.authentication.switchuser.SwitchUserGrantedAuthority
import org.springframework.test.web.servlet.MockMvc
import org.springframework.test.web.servlet.get
import org.springframework.test.web.servlet.post
import org.springframework.test.web.servlet.put
import prebind.Client

/** With the chat server that `servers prosody -- COMMAND` starts. */
@SpringBootTest(properties = ["logging.level.web=trace", "logging.level.security=trace"])
@AutoConfigureMockMvc
@ExtendWith(OutputCaptureExtension::class)
class EndpointTest
    @Autowired
    constructor(
        private val mvc: MockMvc,
        private val people: People,
        private val client: Client,
    ) {
        private val opened = mutableListOf<Map<String, Any>>()

        @AfterEach
        fun end() = opened.forEach { client.terminate(it["sid"] as String, (it["rid"] as Number).toLong()) }

        private fun open(path: String = "/prebind"): Map<String, Any> {
            val answer = mvc.prebind(path)
            assertAnswer(200, answer)
            return answer.json.also(opened::add)
        }

        @Test
        fun `a session of their own for each request`() {
            val (one, other) = listOf(open(), open())
            assertEquals(setOf("jid", "sid", "rid"), one.keys)
            assertTrue((one["jid"] as String).startsWith("alice@localhost/"))
            assertNotEquals(one["sid"], other["sid"])
        }

        @Test
        fun `a page keeps its name`() {
            assertEquals("alice@localhost/my-page", open("/prebind?page=my-page")["jid"])
        }

        @Test
        fun `strangers are refused without being sent anywhere`() {
            val answer = mvc.prebind(name = null)
            assertRefused(401, "NotLoggedIn", answer)
            assertNull(answer.redirectedUrl)
        }

        @Test
        fun `what is no page of the site is refused`() {
            assertRefused(403, "CrossOrigin", mvc.prebind { header("Sec-Fetch-Site", "cross-site") })
            assertRefused(403, "CrossOrigin", mvc.prebind {})
            assertRefused(400, "Page", mvc.prebind("/prebind?page=a/b"))
            assertRefused(400, "Page", mvc.prebind("/prebind?page=" + "a".repeat(65)))
            val posted = mvc.post("/prebind") { with(user("alice")) }.andReturn().response
            assertRefused(403, "CrossOrigin", posted)
            val put = mvc.put("/prebind") { with(user("alice")) }.andReturn().response
            assertRefused(405, "Method", put)
            assertEquals("GET, POST", put.getHeader("Allow"))
        }

        @Test
        fun `a page of another user is refused`() {
            for (jid in listOf("bob@localhost", "Alice@localhost", "")) {
                assertRefused(403, "OtherUser", mvc.prebind("/prebind?jid=$jid"))
            }
            assertRefused(401, "NotLoggedIn", mvc.prebind("/prebind?jid=", name = null))
            open("/prebind?jid=alice@localhost")
        }

        @Test
        fun `staff who act as a user have no chat`() {
            val boss = UsernamePasswordAuthenticationToken.authenticated("boss", null, listOf())
            val staff =
                user(
                    "alice",
                ).authorities(SwitchUserGrantedAuthority("ROLE_PREVIOUS_ADMINISTRATOR", boss))
            val answer =
                mvc.prebind(name = null, more = {
                    with(staff)
                    header("Sec-Fetch-Site", "same-origin")
                })
            assertRefused(403, "NoChat", answer)
            val page =
                mvc
                    .get("/") { with(staff) }
                    .andReturn()
                    .response.contentAsString
            assertTrue(page.contains(">null</script>"))
        }

        @Test
        fun `what is no script is refused`() {
            val others = mapOf("Dest" to "image", "Mode" to "navigate")
            for ((name, value) in others.mapKeys { "Sec-Fetch-${it.key}" } + ("Sec-Purpose" to "prefetch")) {
                val answer =
                    mvc.prebind {
                        header("Sec-Fetch-Site", "same-origin")
                        header(name, value)
                    }
                assertRefused(403, "Destination", answer)
            }
        }

        @Test
        fun `the log says that browsers do not reach the chat server`(log: CapturedOutput) {
            open("/prebind?unreached=404")
            assertTrue(log.out.contains("(HTTP status 404)"))
        }

        @Test
        fun `too many sessions are refused for a while`() {
            // Nobody is signed in, so no session is opened. Twice the limit, in case a new minute begins.
            val answers = List(61) { mvc.prebind(name = "nobody") }
            val refused = answers.first { it.status == 429 }
            assertRefused(429, "RateLimit", refused)
            assertTrue(refused.getHeader("Retry-After")!!.toInt() in 1..60)
            assertTrue(answers.indexOf(refused) >= 30)
        }

        @Test
        fun `no secret is in the log, however much is logged`(log: CapturedOutput) {
            val session = open()
            assertTrue(log.out.contains("/prebind"), "that anything is logged at all")
            for (secret in listOf(session["sid"], session["rid"], people["alice"].xmppPassword)) {
                assertFalse(log.all.contains(secret.toString()))
            }
        }

        private fun assertRefused(
            status: Int,
            kind: String,
            answer: MockHttpServletResponse,
        ) {
            assertAnswer(status, answer)
            assertEquals(kind, answer.json["kind"])
        }
    }

/** The status, and what every answer has. */
fun assertAnswer(
    status: Int,
    answer: MockHttpServletResponse,
) {
    assertEquals(status, answer.status)
    assertEquals("application/json", answer.contentType)
    assertEquals("no-store, private", answer.getHeader("Cache-Control"))
    assertEquals("nosniff", answer.getHeader("X-Content-Type-Options"))
    assertTrue(answer.getHeaders("Vary").contains("Cookie"))
}
