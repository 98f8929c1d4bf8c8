package site

import org.junit.jupiter.api.AfterAll
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.springframework.beans.factory.annotation.Autowired
import org.springframework.boot.test.context.SpringBootTest
import org.springframework.boot.webmvc.test.autoconfigure.AutoConfigureMockMvc
import org.springframework.test.context.DynamicPropertyRegistry
import org.springframework.test.context.DynamicPropertySource
import org.springframework.test.web.servlet.MockMvc
import tools.jackson.databind.JsonNode
import tools.jackson.databind.json.JsonMapper
import java.net.URI
import java.net.http.HttpClient
import java.net.http.HttpRequest
import java.net.http.HttpRequest.BodyPublishers
import java.net.http.HttpResponse.BodyHandlers

/** Two Prosody, which share no sessions, behind a balancer that goes by a cookie. */
@SpringBootTest
@AutoConfigureMockMvc
class BalancerTest
    @Autowired
    constructor(
        private val mvc: MockMvc,
    ) {
        @Test
        fun `the cookie of a balancer leads the browser to the node of its session`() {
            val nodes =
                List(4) {
                    val answer =
                        mvc.prebind {
                            header("Sec-Fetch-Site", "same-origin")
                            with { it.apply { serverName = "127.0.0.1" } }
                        }
                    val (cookie) = answer.getHeaders("Set-Cookie").filter { it.startsWith("SRV=") }
                    assertTrue(cookie.endsWith("; Path=/; HttpOnly; SameSite=Strict"), cookie)
                    val node = cookie.substringBefore(';')
                    assertFalse("condition" in left(answer.json, node))
                    node
                }
            assertEquals(setOf("SRV=s0", "SRV=s1"), nodes.toSet())
        }

        @Test
        fun `a site at another host cannot set it`() {
            assertTrue(mvc.prebind().getHeaders("Set-Cookie").none { it.startsWith("SRV=") })
        }

        /** What the chat server answers a browser that ends its session. */
        private fun left(
            session: Map<String, Any>,
            cookie: String,
        ): String {
            val names = "sid='${session["sid"]}' rid='${session["rid"]}' type='terminate'"
            val body = "<body xmlns='http://jabber.org/protocol/httpbind' $names/>"
            val request =
                HttpRequest
                    .newBuilder(
                        URI(described["http_url"].asString()),
                    ).header("Cookie", cookie)
            return HttpClient
                .newHttpClient()
                .send(request.POST(BodyPublishers.ofString(body)).build(), BodyHandlers.ofString())
                .body()
        }

        companion object {
            private val servers: Process =
                ProcessBuilder(
                    "servers",
                    "sticky",
                    "--no-limits",
                    "--json",
                ).start()
            private val described: JsonNode =
                JsonMapper().readTree(
                    servers.inputReader().readLine(),
                )["prosody"]

            @JvmStatic
            @DynamicPropertySource
            fun settings(registry: DynamicPropertyRegistry) {
                registry.add("SITE_BOSH_URL") { described["http_url"].asString() }
                registry.add("SITE_USERS") {
                    """{"alice": {"password": "", "xmpp_password": ${described["accounts"]["alice"]}}}"""
                }
            }

            @JvmStatic
            @AfterAll
            fun end() {
                servers.outputStream.close()
                servers.waitFor()
            }
        }
    }
