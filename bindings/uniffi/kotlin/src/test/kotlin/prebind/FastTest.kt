package prebind

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.condition.EnabledIf

/** Tokens in place of the password: `servers prosody13 -- mvn surefire:test -Dtest=FastTest`. */
@EnabledIf("prebind.SharedKt#hasProsody13")
class FastTest {
    @Test
    fun `the password is needed once`() {
        val client = prosody13.client { fastTokens = true }
        val first = client.prebind(ALICE, PASSWORD)
        client.terminate(first)
        val token = first.fastToken!!
        assertFalse(token in "$first")

        val next = prosody13.client { fastTokens = true }
        val second = next.prebind(ALICE, Credentials.fast(token))
        next.terminate(second)
        assertEquals("HT-SHA-256-NONE", second.mechanism)
        assertEquals(token, second.fastToken, "it is good for the next time, too")

        val third = next.prebind(ALICE, Credentials.password("not-used").fastToken(token))
        next.terminate(third)
        assertEquals(second.mechanism to 1, third.mechanism to third.roundTrips)
    }

    @Test
    fun `without the option there is no token`() {
        val client = prosody13.client()
        val session = client.prebind(ALICE, PASSWORD)
        client.terminate(session)
        assertEquals(null, session.fastToken)
    }
}
