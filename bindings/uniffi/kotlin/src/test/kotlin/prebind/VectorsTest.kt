package prebind

import org.junit.jupiter.api.AfterAll
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.DynamicTest.dynamicTest
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.TestFactory
import tools.jackson.databind.JsonNode
import java.util.Base64
import java.util.concurrent.Callable
import java.util.concurrent.Executors

/** Every exchange of tests/vectors that can be replayed, byte for byte. */
class VectorsTest {
    @TestFactory
    fun vectors(): List<DynamicTest> {
        val played = CASES.map { POOL.submit(Callable { play(it) }) }
        return CASES.zip(played).map { (case, outcome) ->
            dynamicTest(case["name"].asString()) { outcome.get().check() }
        }
    }

    @Test
    fun `all kinds a vector can have are there`() {
        val kinds = CASES.mapNotNull { it["expect"]["error"]?.get("kind")?.asString() }.toSet()
        val wanted = setOf("Auth", "Bind", "Config", "Http", "Mechanism", "Protocol", "Terminated")
        assertTrue(kinds.containsAll(wanted), "$kinds")
        assertTrue(CASES.size > 400)
    }

    private companion object {
        val CASES =
            said("faults", "replay", "--list", "tests/vectors")
                .lines()
                .filter {
                    it.isNotEmpty()
                }.map(JSON::readTree)
        val POOL = Executors.newFixedThreadPool(4)

        @AfterAll
        @JvmStatic
        fun end() = POOL.shutdown()
    }
}

private class Outcome(
    val expected: JsonNode,
    val result: Any,
) {
    fun check() {
        val error = expected["error"]
        when (val result = result) {
            is PrebindException -> {
                assertEquals("prebind.${error["kind"].asString()}Exception", result.javaClass.name)
                assertEquals(error, json(details(result).filterKeys(error::has)))
            }

            is Session -> {
                val session = expected["session"]
                assertEquals(session, json(fields(result).filterKeys(session::has)))
                assertEquals(json(result.toMap()), JSON.readTree(result.toJson()))
            }
        }
    }
}

private fun fields(it: Session) =
    mapOf(
        "jid" to it.jid,
        "sid" to it.sid,
        "rid" to it.rid,
        "inactivity" to it.inactivity?.seconds,
        "wait" to it.wait?.seconds,
        "hold" to it.hold,
        "requests" to it.requests,
        "mechanism" to it.mechanism,
        "round_trips" to it.roundTrips,
        "cookies" to
            it.cookies.map { cookie ->
                mapOf(
                    "name" to cookie.name,
                    "value" to cookie.value,
                    "path" to cookie.path,
                )
            },
        "fast_token" to it.fastToken,
    )

/** What came of the call, and what should have. */
private fun play(case: JsonNode): Outcome =
    Faulty("replay", case["case"].asString()).use { server ->
        val result =
            try {
                val client = server.client { configure(this, case["config"]) }
                client.prebind(case["account"]["jid"].asString(), credentials(case["account"]["credentials"]))
            } catch (failed: PrebindException) {
                failed
            }
        Outcome(server.ended()["expect"], result)
    }

private fun configure(
    options: Options,
    config: JsonNode,
) = config.properties().filter { it.key != "url" }.forEach { (name, value) ->
    checkNotNull(setting(name, value)) { "$name has no $value here" }(options)
}

private fun credentials(given: JsonNode): Credentials {
    fun text(name: String) = given[name]?.asString()
    val proof =
        text("password")?.let(Credentials::password)
            ?: text("token")?.let(Credentials::token)
            ?: text("oauthbearer")?.let(Credentials::oauthbearer)
            ?: text("x_oauth2")?.let(Credentials::xOauth2)
            ?: text("mechanism")?.let { Credentials.raw(it, given["initial_response"].asString()) }
            ?: given["scram_keys"]?.let {
                Credentials.scramKeys(
                    hash(it),
                    bytes(it, "salt"),
                    count(it),
                    bytes(it, "client_key"),
                    bytes(it, "server_key"),
                )
            }
            ?: given["scram_salted_password"]?.let {
                Credentials.scramSaltedPassword(
                    hash(it),
                    bytes(it, "salt"),
                    count(it),
                    bytes(it, "salted_password"),
                )
            }
            ?: given["anonymous"]?.let { Credentials.anonymous() }
            ?: given["external"]?.let { Credentials.external() }
            ?: return Credentials.fast(given["fast_token"].asString())
    val withToken = text("fast_token")?.let(proof::fastToken) ?: proof
    val withName = text("authcid")?.let(withToken::authcid) ?: withToken
    return text("authzid")?.let(withName::authzid) ?: withName
}

private fun hash(given: JsonNode) = given["hash"].asString()

private fun count(given: JsonNode) = given["iterations"].asInt()

private fun bytes(
    given: JsonNode,
    name: String,
) = Base64.getDecoder().decode(given[name].asString())
