package prebind

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertLinesMatch
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir
import java.nio.file.Path
import kotlin.io.path.createFile

/** What the operator is told. */
class DoctorTest {
    @Test
    fun `all is well`(
        @TempDir dist: Path,
    ) {
        for (file in listOf("converse.min.css", "converse.min.js")) dist.resolve(file).createFile()
        val users = mapOf("alice" to ALICE, "bob" to "bob@localhost", "nobody" to null)
        val (status, said) = examined(users = users, dist = dist)
        assertLinesMatch(
            """
             1 site         prebind \S+, Java \S+ \(\d+ ms\)
             2 user         not tried: the JID is given
             3 account      alice@localhost, with password \(\d+ ms\)
             4 users        no two of 3 users share a chat account \(\d+ ms\)
             5 page         Converse\.js is .*/converse\.min\.js \(\d+ ms\)
             6 browser_url  /http-bind \(\d+ ms\)
             7 reached      not tried: the site's web server passes /http-bind on to the chat server
             8 rate_limit   not tried: the site counts sessions itself
             9 client       https://\S+, and the settings are good \(\d+ ms\)
            10 login        alice@localhost/\S+, by SCRAM-\S+, in \d round trips; a browser has \d+ s to attach .*
            11 end          the session is gone \(\d+ ms\)
            12 cache        not tried: the site keeps the client's profile itself
            13 next_login   not tried: the credentials are no tokens of the site's
            14 body_limit   not tried: the credentials are no tokens of the site's
            """.trimEnd().lines().drop(1).map {
                it.drop(12)
            },
            said.lines().dropLast(1),
        )
        assertEquals(0, status)
        assertFalse(said.contains(PASSWORD))
        assertTrue(prosody.left().isEmpty())
    }

    @Test
    fun `what is wrong`() {
        val secret = "a-wrong-secret"
        val wrong = { Credentials.password(secret) }
        val broken = { throw IllegalStateException(secret) }
        val wrapped = { throw IllegalStateException(secret, refusal()) }
        val all =
            mapOf(
                "10 login        error: the server refused the login .*" to examined(credentials = wrong),
                "   kind=Auth stage=authenticate condition=not-authorized retry=no" to
                    examined(credentials = wrong),
                "11 end          not tried: see 10 login" to examined(credentials = wrong),
                " 3 account      error: nobody is signed in: .*" to examined(jid = { null }),
                " 3 account      error: this user has no chat, since jid gives no JID .*" to
                    examined(jid = { "" }),
                " 3 account      error: java\\.lang\\.IllegalStateException .*" to examined(jid = broken),
                " 9 client       error: java\\.lang\\.IllegalStateException .*" to examined(client = broken),
                " 9 client       error: url: .*" to examined(client = wrapped),
                " 5 page         error: there is no /nowhere/converse\\.min\\.css: .*" to
                    examined(dist = Path.of("/nowhere")),
                " 6 browser_url  error: it is missing: set browserUrl .*" to examined(browserUrl = ""),
                " 7 reached      not tried: see 6 browser_url" to examined(browserUrl = ""),
            )
        for ((line, found) in all) {
            val (status, said) = found
            assertEquals(1, status)
            assertTrue(said.lines().any(Regex(line)::matches), said)
            assertFalse(said.contains(secret))
        }
    }

    @Test
    fun `what may be intentional`() {
        val answered = examined(browserUrl = prosody.url)
        val elsewhere = examined(browserUrl = "${prosody.url}elsewhere")
        val shared = examined(users = mapOf("Alice" to "Alice@localhost", "alice" to ALICE))
        val all =
            mapOf(
                " 6 browser_url  warning: http://\\S+ is on this machine: set browserUrl to .*" to answered,
                " 7 reached      a chat server answers this machine .*" to answered,
                " 7 reached      warning: from this machine: .*404.*" to elsewhere,
                " 4 users        warning: Alice and alice share Alice@localhost: make .*" to shared,
            )
        for ((line, found) in all) {
            val (status, said) = found
            assertEquals(0, status)
            assertTrue(said.lines().any(Regex(line)::matches), said)
        }
    }

    @Test
    fun `another token`() {
        val jwt = Jwt(listOf("a key for tests, and only for tests"), "HS256")
        val (status, said) =
            examined(
                client = { ejabberd.client() },
                jid = { "alice@jwt.local" },
                credentials = { Credentials.jwt(jwt) },
                browserUrl = ejabberd.url,
            )
        assertEquals(0, status, said)
        assertTrue("13 next_login   another token logs in as well (" in said, said)
        assertTrue("14 body_limit   a request of 70,000 bytes gets through, as it may" in said, said)
    }

    private fun refusal() = runCatching { Client("nowhere") }.exceptionOrNull()

    /** The exit code and what is printed. */
    private fun examined(
        client: () -> Client = { prosody.client() },
        jid: () -> String? = { ALICE },
        credentials: () -> Credentials = { Credentials.password(PASSWORD) },
        browserUrl: String = "/http-bind",
        users: Map<String, String?>? = null,
        dist: Path? = null,
    ): Pair<Int, String> {
        val output = StringBuilder()
        val status = doctor(client, jid, credentials, prosody.securely, browserUrl, users, dist, output)
        return status to output.toString()
    }
}
