package prebind

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNotEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows
import org.junit.jupiter.params.ParameterizedTest
import org.junit.jupiter.params.provider.MethodSource
import java.time.Duration
import java.util.concurrent.Callable
import java.util.concurrent.Executors

/** Logins on real servers. */
class ServersTest {
    @ParameterizedTest
    @MethodSource("prebind.SharedKt#servers")
    internal fun `a session`(server: Real) {
        val client = server.client()
        val session = client.prebind(ALICE, PASSWORD)
        assertTrue(session.jid.startsWith("$ALICE/"), session.jid)
        assertTrue(session.jid in server.bound())
        assertEquals(session.rid - 1, session.lastRid)
        assertEquals(Duration.ofSeconds(if (server.kind == "prosody") 60 else 30), session.inactivity)
        assertEquals("55 1", "${session.wait?.seconds} ${session.hold}")
        assertTrue(session.mechanism.orEmpty().startsWith("SCRAM-"), session.mechanism)
        assertTrue(
            session.requests in 2..4 && session.roundTrips in 4..5,
            "${session.requests} ${session.roundTrips}",
        )
        assertNull(session.fastToken)
        client.terminate(session)
        assertTrue(session.jid !in server.bound())
        assertEquals(
            "item-not-found",
            assertThrows<TerminatedException> { client.terminate(session) }.condition,
        )
    }

    @ParameterizedTest
    @MethodSource("prebind.SharedKt#servers")
    internal fun `one call`(server: Real) {
        val session = prebind(server.url, ALICE, PASSWORD)
        assertNotEquals(
            session.sid,
            prebind(server.url, ALICE, PASSWORD).also(server.client()::terminate).sid,
        )
        server.client().terminate(Session(session.jid, session.sid, session.rid))
        assertEquals(emptyList<String>(), server.bound())
    }

    @ParameterizedTest
    @MethodSource("prebind.SharedKt#servers")
    internal fun `what was learned goes on in another client`(server: Real) {
        val teacher = server.client()
        teacher.terminate(teacher.prebind(ALICE, PASSWORD))
        assertTrue(teacher.profile().isNotEmpty() && PASSWORD !in teacher.profile())
        val pupil = server.client { profile = teacher.profile() }
        // Two requests that are under way together may arrive in the other order, which costs one more.
        val roundTrips =
            List(5) {
                pupil.prebind(ALICE, Credentials.token(PASSWORD)).also(pupil::terminate).roundTrips!!
            }
        assertEquals(if (server.kind == "prosody") 1 else 2, roundTrips.min())
    }

    @Test
    fun `every sort of credentials`() {
        val secure = prosody.client { clientCertificate = prosody.certificate }
        // ejabberd knows the second one; see tests/servers/src/tokens.rs.
        val keys = listOf("x".repeat(32), "a key for tests, and only for tests")
        val logins =
            listOf(
                Triple(secure, "anon.local", Credentials.anonymous()),
                Triple(secure, "alice@cert.local", Credentials.external()),
                Triple(
                    secure,
                    "bob@bearer.local",
                    Credentials.oauthbearer(prosody.tokens.getValue("bob@bearer.local")),
                ),
                Triple(secure, ALICE, Credentials.raw("PLAIN", "\u0000alice\u0000$PASSWORD")),
                Triple(
                    ejabberd.client(),
                    "bob@oauth.local",
                    Credentials.xOauth2(ejabberd.tokens.getValue("bob@oauth.local")),
                ),
                Triple(
                    ejabberd.client(),
                    "bob@jwt.local",
                    Credentials.token(ejabberd.tokens.getValue("bob@jwt.local")),
                ),
                Triple(ejabberd.client(), "bob@jwt.local", Credentials.jwt(Jwt(keys, "HS256"))),
                Triple(secure, "alice.smith@localhost", Credentials.password(PASSWORD).authcid("alice")),
            )
        for ((client, jid, credentials) in logins.dropLast(1)) {
            val session = client.prebind(jid, credentials)
            assertTrue(session.jid.substringBefore('/').endsWith(jid), session.jid)
            client.terminate(session)
        }
        // The name is another's, and so is the JID that is bound.
        assertThrows<BindException> {
            logins.last().let { (client, jid, credentials) ->
                client.prebind(jid, credentials)
            }
        }
    }

    @Test
    fun `sixteen threads with fifty calls each`() {
        val client = prosody.client { deadline = Duration.ofSeconds(60) }
        val pool = Executors.newFixedThreadPool(16)
        val calls =
            List(16 * 50) {
                Callable {
                    client
                        .prebind(
                            "alice@localhost",
                            Credentials.token(PASSWORD),
                        ).also(client::terminate)
                        .sid
                }
            }
        val sids = pool.invokeAll(calls).map { it.get() }
        pool.shutdown()
        assertEquals(800, sids.toSet().size)
        assertEquals(emptyList<String>(), prosody.left())
    }

    @Test
    fun `the JID of a user`() {
        assertEquals("d\\27artagnan@example.org", jidFromUser("d'artagnan", "example.org"))
        assertThrows<ConfigException> { jidFromUser("", "example.org") }
    }

    @Test
    fun `a client that is closed is of no more use`() {
        val client = prosody.client()
        client.close()
        assertThrows<IllegalStateException> { client.prebind(ALICE, PASSWORD) }
    }
}
