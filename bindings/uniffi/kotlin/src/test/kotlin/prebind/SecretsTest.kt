package prebind

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows
import prebind.uniffi.Client as NativeClient
import prebind.uniffi.Cookie as NativeCookie

private const val SECRET = "hidden-7"

/** What is printed shows no secret. */
class SecretsTest {
    @Test
    fun `a session hides SID and RID`() {
        val session = prosody.client().prebind(ALICE, PASSWORD)
        val shown = "$session"
        assertFalse(session.sid in shown || "${session.rid}" in shown || "${session.lastRid}" in shown, shown)
        prosody.client().terminate(session)
        val cookie = NativeCookie("a", SECRET, "/")
        assertEquals("Cookie(a)", Cookie(cookie).toString())
        assertEquals("a", cookie.toString())
    }

    @Test
    fun `what is under a session and credentials hides the same`() {
        val client = NativeClient(prosody.url, emptyMap())
        val session = client.prebind(ALICE, Credentials.password(PASSWORD).native())
        client.terminate(session)
        val shown = "$session ${session.opened} ${Credentials.password(SECRET).native()}"
        assertTrue(session.mechanism in shown, shown)
        assertFalse(session.sid in shown || "${session.rid}" in shown || "${session.lastRid}" in shown, shown)
        assertFalse(SECRET in shown, shown)
        assertEquals(session.toJson(), Session(session).toJson())
        val extras = SCHEMA["extras"].values().map { it.asString() }.toTypedArray()
        val map = Session(session).toMap(*extras)
        val times = listOf(session.wait, session.inactivity).map { it?.toSeconds() }
        assertEquals(listOf(session.lastRid.toLong()) + times, extras.map(map::get))
        assertEquals(json(map), JSON.readTree(Session(session).toJson(*extras)))
    }

    @Test
    fun `an answer has nothing else`() {
        val session = Session("alice@localhost/x", SECRET, 7)
        assertEquals(null, session.toMap("wait")["wait"])
        assertThrows<IllegalArgumentException> { session.toMap("cookies") }
    }

    @Test
    fun `a session is JSON by three fields`() {
        val session = Session("é\"\\\n@localhost/x", SECRET, 9_007_199_254_740_991)
        val expected = mapOf("jid" to session.jid, "sid" to session.sid, "rid" to session.rid)
        assertEquals(json(expected), JSON.readTree(session.toJson()))
        assertEquals(json(expected), json(session))
        assertEquals(expected, session.toMap())
        assertEquals(Session(session.jid, session.sid, session.rid), session)
    }

    @Test
    fun `credentials hide everything`() {
        val bytes = SECRET.toByteArray()
        val all =
            listOf(
                Credentials.password(SECRET),
                Credentials.token(SECRET).authcid(SECRET).authzid(SECRET),
                Credentials.oauthbearer(SECRET),
                Credentials.xOauth2(SECRET),
                Credentials.raw("PLAIN", SECRET),
                Credentials.scramKeys("SHA-1", bytes, 4096, bytes, bytes),
                Credentials.scramSaltedPassword("SHA-1", bytes, 4096, bytes),
                Credentials.password(SECRET).fastToken(SECRET),
            )
        for (credentials in all) {
            assertEquals("Credentials(***)", "$credentials")
        }
    }

    @Test
    fun `options hide their values`() {
        val options = Options().apply { headers = mapOf("a" to SECRET) }
        options.proxy = "http://user:$SECRET@localhost:1"
        options.clientCertificate = ClientCertificate(SECRET, SECRET)
        assertEquals("Options[headers, proxy, client_certificate]", "$options")
        assertEquals("ClientCertificate(***)", "${options.clientCertificate}")
    }

    @Test
    fun `errors hide what they are about`() {
        val errors =
            listOf(
                assertThrows<ConfigException> { Client("http://user:$SECRET@localhost/") },
                assertThrows<ConfigException> { prosody.client().prebind(ALICE, Credentials.fast(SECRET)) },
                assertThrows<ConfigException> {
                    prosody.client().prebind(
                        ALICE,
                        Credentials.oauthbearer("$SECRET\n"),
                    )
                },
                assertThrows<AuthException> { prosody.client().prebind(ALICE, SECRET) },
            )
        for (error in errors) {
            assertFalse(SECRET in error.stackTraceToString(), "$error")
        }
    }
}
