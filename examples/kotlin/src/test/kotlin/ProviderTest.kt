package site

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNotEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.springframework.beans.factory.annotation.Autowired
import org.springframework.boot.test.context.SpringBootTest
import org.springframework.boot.test.context.SpringBootTest.WebEnvironment.RANDOM_PORT
import org.springframework.boot.test.web.server.LocalServerPort
import org.springframework.security.authentication.TestingAuthenticationToken
import org.springframework.security.oauth2.client.OAuth2AuthorizedClient
import org.springframework.security.oauth2.client.OAuth2AuthorizedClientService
import org.springframework.security.oauth2.core.OAuth2AccessToken
import org.springframework.security.oauth2.core.OAuth2RefreshToken
import org.springframework.test.context.ActiveProfiles
import org.springframework.test.context.DynamicPropertyRegistry
import org.springframework.test.context.DynamicPropertySource
import prebind.Client
import tools.jackson.databind.JsonNode
import tools.jackson.databind.json.JsonMapper
import java.time.Instant
import java.util.Base64

private val REFUSED = Answer(503, mapOf("kind" to "Auth", "retry" to "no"))
private val SIGN_IN_AGAIN = Answer(401, mapOf("kind" to "SignInAgain", "retry" to "no"))

/** What the test servers' ejabberd verifies the tokens of jwt.local with. */
private const val KEY = "a key for tests, and only for tests"

/** With the identity provider and the chat servers that `servers provider -- COMMAND` starts. */
@ActiveProfiles("provider")
abstract class ByProvider {
    @LocalServerPort
    private var port = 0

    @Autowired
    private lateinit var client: Client

    fun visitor() = ProviderVisitor("http://127.0.0.1:$port")

    fun assertInTheChat(
        jid: String,
        visitor: ProviderVisitor,
    ) {
        val (status, session) = visitor.ask()
        assertEquals(200, status, session.toString())
        assertTrue((session["jid"] as String).startsWith("$jid/"))
        client.terminate(session["sid"] as String, (session["rid"] as Number).toLong())
    }

    companion object {
        private const val CLIENTS = "spring.security.oauth2.client.registration"

        @JvmStatic
        @DynamicPropertySource
        fun describe(properties: DynamicPropertyRegistry) {
            val provider = described("PREBIND_PROVIDER")
            val secrets =
                provider["clients"].properties().associate { (name, secret) ->
                    name to
                        secret.asString()
                }
            properties.add("SITE_ISSUER") { provider["issuer"].asString() }
            properties.add("SITE_CLIENT_ID") { "chat" }
            properties.add("SITE_CLIENT_SECRET") { secrets.getValue("chat") }
            for (name in listOf("shop", "site")) {
                properties.add("$CLIENTS.$name.client-id") { name }
                properties.add("$CLIENTS.$name.client-secret") { secrets.getValue(name) }
                properties.add("$CLIENTS.$name.scope") { "openid,profile" }
                properties.add("$CLIENTS.$name.provider") { "example" }
            }
            for ((name, server) in described("PREBIND_SERVERS").properties()) {
                properties.add("TEST_$name") { server["http_url"].asString() }
            }
            val key = Base64.getUrlEncoder().withoutPadding().encodeToString(KEY.toByteArray())
            properties.add("TEST_KEY") { """{"kty": "oct", "k": "$key"}""" }
        }

        private fun described(variable: String): JsonNode = JsonMapper().readTree(System.getenv(variable))
    }
}

@SpringBootTest(
    webEnvironment = RANDOM_PORT,
    properties = ["SITE_BOSH_URL=\${TEST_prosody13}", "SITE_USERS={}", "SITE_DOMAIN=provider.local"],
)
class ProviderTest
    @Autowired
    constructor(
        private val kept: OAuth2AuthorizedClientService,
    ) : ByProvider() {
        private val visitor by lazy(::visitor)

        @Test
        fun `the provider's token is passed on`() {
            val page = visitor.signIn("alice")
            assertTrue(page.contains("\"jid\":\"alice@provider.local\""), page)
            assertInTheChat("alice@provider.local", visitor)
        }

        @Test
        fun `a token for another audience is refused`() {
            for (registration in listOf("shop", "site")) {
                val visitor = visitor()
                visitor.signIn("alice", registration)
                assertEquals(REFUSED, visitor.ask(), registration)
            }
        }

        @Test
        fun `a token that has expired is refreshed`() {
            visitor.signIn("alice")
            val expired = expire { it }
            assertInTheChat("alice@provider.local", visitor)
            assertNotEquals(expired, tokens().accessToken.tokenValue)
        }

        @Test
        fun `a token that cannot be refreshed leads to another sign-in`() {
            visitor.signIn("alice")
            expire { null }
            assertEquals(SIGN_IN_AGAIN, visitor.ask())
            expire { OAuth2RefreshToken("revoked", null) }
            assertEquals(SIGN_IN_AGAIN, visitor.ask())
            // Spring has thrown the tokens away.
            assertEquals(SIGN_IN_AGAIN, visitor.ask())
            visitor.signIn("alice")
            assertInTheChat("alice@provider.local", visitor)
        }

        private fun tokens(): OAuth2AuthorizedClient =
            kept.loadAuthorizedClient<OAuth2AuthorizedClient>("example", "alice")!!

        /** Makes alice's access token one that has expired, with another refresh token. Returns the access token. */
        private fun expire(refresh: (OAuth2RefreshToken?) -> OAuth2RefreshToken?): String {
            val now = tokens()
            val token = now.accessToken.tokenValue
            val past = Instant.now().minusSeconds(100)
            val expired = OAuth2AccessToken(now.accessToken.tokenType, token, past, past.plusSeconds(10))
            val changed =
                OAuth2AuthorizedClient(
                    now.clientRegistration,
                    now.principalName,
                    expired,
                    refresh(now.refreshToken),
                )
            kept.saveAuthorizedClient(changed, TestingAuthenticationToken("alice", null))
            return token
        }
    }

@SpringBootTest(
    webEnvironment = RANDOM_PORT,
    properties = [
        "SITE_BOSH_URL=\${TEST_ejabberd}",
        "SITE_USERS={}",
        "SITE_DOMAIN=extauth.local",
        "SITE_PROVIDER_TOKEN=token",
    ],
)
class ProviderWithEjabberdTest : ByProvider() {
    @Test
    fun `the provider's token is passed on, unless it is for another audience`() {
        for ((registration, isRefused) in listOf("example" to false, "shop" to true)) {
            val visitor = visitor()
            visitor.signIn("bob", registration)
            if (isRefused) {
                assertEquals(
                    REFUSED,
                    visitor.ask(),
                )
            } else {
                assertInTheChat("bob@extauth.local", visitor)
            }
        }
    }
}

@SpringBootTest(
    webEnvironment = RANDOM_PORT,
    properties = [
        "SITE_BOSH_URL=\${TEST_ejabberd}",
        "SITE_USERS={}",
        "SITE_DOMAIN=jwt.local",
        "SITE_KEY=\${TEST_KEY}",
    ],
)
class ProviderWithOwnTokensTest : ByProvider() {
    @Test
    fun `the site signs a token, whatever the provider's is good for`() {
        val visitor = visitor()
        visitor.signIn("carol", "site")
        assertInTheChat("carol@jwt.local", visitor)
    }
}
