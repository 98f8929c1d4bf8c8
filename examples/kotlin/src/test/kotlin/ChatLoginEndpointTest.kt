package site

import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.assertThrows
import org.junit.jupiter.api.extension.ExtendWith
import org.junit.jupiter.params.ParameterizedTest
import org.junit.jupiter.params.provider.CsvSource
import org.junit.jupiter.params.provider.ValueSource
import org.springframework.boot.test.context.SpringBootTest
import org.springframework.boot.test.context.SpringBootTest.WebEnvironment
import org.springframework.boot.test.system.CapturedOutput
import org.springframework.boot.test.system.OutputCaptureExtension
import org.springframework.boot.test.web.server.LocalServerPort
import prebind.AuthException
import prebind.Client
import prebind.Credentials
import prebind.Jwt
import prebind.Session
import tools.jackson.databind.json.JsonMapper
import java.net.URI
import java.net.http.HttpClient
import java.net.http.HttpRequest
import java.net.http.HttpRequest.BodyPublishers
import java.net.http.HttpResponse.BodyHandlers
import java.nio.file.Path
import java.time.Duration
import kotlin.io.path.readText

private const val SECRET = "from-the-chat-server-to-the-site"
private const val ALICE = "alice@extauth.local"
private const val BOB = "bob@extauth.local"
private const val KEY = """{"kty":"oct","k":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"}"""

/** Real chat servers that ask the site whether a token is good. */
@SpringBootTest(
    webEnvironment = WebEnvironment.RANDOM_PORT,
    properties = [
        "SITE_KEY=$KEY",
        "SITE_SECRET=$SECRET",
        "SITE_BOSH_URL=http://127.0.0.1:9/",
        """SITE_USERS={"alice": {"password": "site-of-alice"}, "bob": {"password": "site-of-bob"}}""",
    ],
)
@ExtendWith(OutputCaptureExtension::class)
class ChatLoginEndpointTest {
    @LocalServerPort
    private var port = 0

    private val servers = mutableListOf<Process>()

    @AfterEach
    fun end() =
        servers.forEach {
            it.outputStream.close()
            it.waitFor()
        }

    @ParameterizedTest
    @ValueSource(strings = ["prosody", "ejabberd"])
    fun `a token is good once`(
        kind: String,
        output: CapturedOutput,
    ) {
        val client = server(kind, SECRET)
        val jwt = Jwt(listOf(KEY), once = true)
        val token = jwt.issue(ALICE)
        val session = client.prebind(ALICE, Credentials.token(token))
        assertEquals(ALICE, session.jid.substringBefore('/'))
        client.terminate(session)
        assertRefused(client, token, "not-authorized")
        assertTrue("$ALICE is refused: the token was used before" in output.out)

        // A fresh one for each call.
        repeat(2) { client.terminate(client.prebind(ALICE, Credentials.jwt(jwt))) }
        assertRefused(client, jwt.issue("bob@extauth.local"), "not-authorized")
        assertFalse(token in output.all)
    }

    @ParameterizedTest
    @ValueSource(strings = ["prosody", "ejabberd"])
    fun `a message to a user who is offline arrives`(kind: String) {
        val client = server(kind, SECRET)
        val tokens = Credentials.jwt(Jwt(listOf(KEY), once = true))
        // Prosody makes an account at the first login.
        client.terminate(client.prebind(BOB, tokens))

        val alice = Attached(client, client.prebind(ALICE, tokens))
        alice.send("<presence/>")
        for (jid in listOf(BOB, "nobody@extauth.local")) {
            alice.send("<message to='$jid' type='chat'><body>until later</body></message>")
        }
        // The server has looked at both by then.
        alice.hear(Regex("<message[^>]* from=.nobody@extauth\\.local."))
        alice.leave()
        assertFalse("bob@" in alice.heard)

        val bob = Attached(client, client.prebind(BOB, tokens))
        bob.send("<presence/>")
        bob.hear(Regex("until later"))
        bob.leave()
    }

    @ParameterizedTest
    @CsvSource("prosody, temporary-auth-failure", "ejabberd, not-authorized")
    fun `a server with another secret gets no answer`(
        kind: String,
        condition: String,
        output: CapturedOutput,
    ) {
        val client = server(kind, "another-secret-of-another-server")
        assertRefused(client, Jwt(listOf(KEY), once = true).issue(ALICE), condition)
        assertTrue("its secret is missing or wrong" in output.out)
    }

    private fun assertRefused(
        client: Client,
        token: String,
        condition: String,
    ) {
        val error =
            assertThrows<AuthException> { client.terminate(client.prebind(ALICE, Credentials.token(token))) }
        assertEquals(condition, error.condition)
    }

    /** A client of a server that asks the site with this secret, and ends with the test. */
    private fun server(
        kind: String,
        secret: String,
    ): Client {
        val command = ProcessBuilder("servers", kind, "--json", "--site", "http://127.0.0.1:$port/chat-login")
        command.environment()["PREBIND_SITE_SECRET"] = secret
        val process = command.redirectError(ProcessBuilder.Redirect.INHERIT).start()
        servers += process
        val described = JsonMapper().readTree(process.inputReader().readLine())[kind]
        bosh = URI(described["http_url"].asString())
        return Client(described["https_url"].asString()) {
            ca = Path.of(described["ca_pem"].asString()).readText()
            deadline = Duration.ofMinutes(1)
            // The server holds no request for long.
            wait = 1
        }
    }

    private lateinit var bosh: URI

    /** As much of a chat client as it takes to use a session. */
    private inner class Attached(
        private val client: Client,
        private val session: Session,
    ) {
        private var rid = session.rid
        var heard = ""
            private set

        fun send(stanzas: String) {
            val names = "sid='${session.sid}' rid='${rid++}'"
            val body = "<body xmlns='http://jabber.org/protocol/httpbind' $names>$stanzas</body>"
            val request = HttpRequest.newBuilder(bosh).header("Content-Type", "text/xml; charset=utf-8")
            heard +=
                HTTP.send(request.POST(BodyPublishers.ofString(body)).build(), BodyHandlers.ofString()).body()
        }

        /** Listens until the server has said something that matches. */
        fun hear(pattern: Regex) {
            repeat(60) { if (pattern !in heard) send("") }
            assertTrue(pattern in heard, "$pattern is not in $heard")
        }

        fun leave() = client.terminate(session.sid, rid)
    }

    private companion object {
        val HTTP: HttpClient = HttpClient.newHttpClient()
    }
}
