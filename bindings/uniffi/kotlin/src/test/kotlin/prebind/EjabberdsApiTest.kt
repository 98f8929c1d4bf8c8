package prebind

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows
import java.net.URI
import java.net.http.HttpClient
import java.net.http.HttpRequest
import java.net.http.HttpResponse

/** Accounts and tokens that ejabberd's HTTP API makes, see core/docs/accounts.md. */
class EjabberdsApiTest {
    @Test
    fun `the first login makes the account with its name`() {
        val api = ejabberd.api
        val client = ejabberd.client { accounts = Accounts(ALICE, PASSWORD, api) }
        val jwt = Credentials.jwt(Jwt(listOf("a key for tests, and only for tests"), "HS256"))
        client.terminate(client.prebind("kai@accounts.local", jwt.nickname("Kai from Kotlin")))
        // A command that ejabberd runs for its own machine.
        val asked = """{"user":"kai","host":"accounts.local","name":"NICKNAME"}"""
        val request =
            HttpRequest
                .newBuilder(URI("$api/get_vcard"))
                .POST(HttpRequest.BodyPublishers.ofString(asked))
                .build()
        val answer = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString()).body()
        assertTrue(answer.contains("Kai from Kotlin"), answer)
    }

    @Test
    fun `ejabberd issues the token`() {
        val client = ejabberd.client()
        repeat(2) {
            val issuer = Credentials.xOauth2Issuer(ejabberd.api, ALICE, PASSWORD)
            val session = client.prebind("bob@oauth.local", issuer)
            assertEquals("X-OAUTH2", session.mechanism)
            client.terminate(session)
        }
        val wrong = Credentials.xOauth2Issuer(ejabberd.api, ALICE, "wrong")
        val error = assertThrows<ConfigException> { client.prebind("carol@oauth.local", wrong) }
        assertEquals("x_oauth2_issuer", error.field)
    }
}
