package prebind

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.DynamicTest.dynamicTest
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.TestFactory
import org.junit.jupiter.api.assertThrows
import tools.jackson.databind.JsonNode
import java.time.Duration
import java.time.Instant
import java.util.Base64
import kotlin.io.path.readText

/** What [Jwt] issues and refuses, as tests/vectors/tokens.json has it. */
class TokensTest {
    @TestFactory
    fun `tokens are accepted or refused`(): List<DynamicTest> {
        // The JVM has no rule for who the user is, and no issuer.
        val rows = FILE["tokens"].values().filterNot { it.has("user") || it.has("issuer") }
        assertTrue(rows.size > 80)
        return rows.map { row ->
            dynamicTest(row["name"].asString()) {
                val now = Instant.ofEpochSecond((row["now"] ?: FILE["now"]).asLong())
                val account = row["account"]?.asString() ?: "alice@example.org"
                val refusal = jwt(row).refusal(account, row["token"].asString(), now)
                assertEquals(row["expect"]["refusal"]?.asString(), refusal)
            }
        }
    }

    @TestFactory
    fun `tokens that are issued`(): List<DynamicTest> =
        FILE["issued"].values().map { row ->
            dynamicTest(row["name"].asString()) {
                val (jid, jwt) = row["jid"].asString() to jwt(row)
                val token = jwt.issue(jid)
                val (header, claims) =
                    token.split(".").take(2).map { JSON.readTree(Base64.getUrlDecoder().decode(it)) }
                assertEquals(row["header"], header)
                val later = claims["iat"].asLong() - FILE["now"].asLong()
                val expected =
                    row["payload"].properties().associate { (name, value) ->
                        name to if (name in TIMES) value.asLong() + later else value
                    }
                assertEquals(json(expected), claims)
                assertNull(jwt.refusal(jid, token))
                assertEquals("OtherUser", jwt.refusal("bob@example.org", token))
            }
        }

    @TestFactory
    fun `what is no key`(): List<DynamicTest> =
        FILE["keys_refused"].values().map { row ->
            dynamicTest(row["name"].asString()) {
                val jwt = Jwt(row["key"].asString())
                assertThrows<ConfigException> { jwt.issue("alice@example.org") }
                assertThrows<ConfigException> { jwt.refusal("alice@example.org", "") }
            }
        }

    @TestFactory
    fun `a chat server's side of a key`(): List<DynamicTest> =
        FILE["server_sides"].values().map { row ->
            dynamicTest(row["name"].asString()) {
                val (jwt, domain, expect) = Triple(jwt(row), row["domain"].asString(), row["expect"])
                val isEjabberd = row["server"].asString() == "ejabberd"
                val side = { if (isEjabberd) jwt.forEjabberd(domain) else jwt.forProsody(domain) }
                if (expect.has("field")) {
                    assertEquals(expect["field"].asString(), assertThrows<ConfigException> { side() }.field)
                } else {
                    val found = side()
                    val (path, file, configuration) = Triple(found.path, found.file, found.configuration)
                    val all = listOf(path, file, configuration, found.reload, found.instructions)
                    val names = listOf("path", "file", "configuration", "reload", "instructions")
                    assertEquals(names.map { expect[it].asString() }, all)
                    assertFalse(file in "$found")
                }
            }
        }

    @Test
    fun `a new key`() {
        val key = JSON.readTree(Jwt.newKey())
        assertEquals("HS256" to 16, key["alg"].asString() to key["kid"].asString().length)
        val made = Jwt.newKey("ES256", "2026-11")
        assertEquals("2026-11", JSON.readTree(made)["kid"].asString())
        val jwt = Jwt(made)
        assertNull(jwt.refusal("alice@example.org", jwt.issue("alice@example.org")))
        assertThrows<ConfigException> { Jwt.newKey("RS256") }
    }

    @Test
    fun `keys are shown nowhere`() {
        val key = "hidden-7 hidden-7 hidden-7 hidden-7"
        assertEquals("Jwt(***)", "${Jwt(listOf(key), "HS256")}")
        val error = assertThrows<ConfigException> { Jwt(key).issue("alice@example.org") }
        assertFalse("hidden-7" in error.stackTraceToString(), "$error")
    }

    private companion object {
        val FILE: JsonNode = JSON.readTree(ROOT.resolve("tests/vectors/tokens.json").readText())
        val TIMES = setOf("iat", "nbf", "exp")

        @Suppress("UNCHECKED_CAST")
        fun jwt(row: JsonNode) =
            Jwt(
                row["keys"].values().map { FILE["keys"][it.asString()].asString() },
                lifetime = row["lifetime"]?.let { Duration.ofSeconds(it.asLong()) },
                audience = row["audience"]?.asString(),
                claims = row["claims"]?.let { JSON.convertValue(it, Map::class.java) } as Map<String, Any?>?,
            )
    }
}
