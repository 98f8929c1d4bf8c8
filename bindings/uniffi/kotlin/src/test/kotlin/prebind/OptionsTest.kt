package prebind

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.DynamicTest.dynamicTest
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.TestFactory
import org.junit.jupiter.api.assertThrows
import java.time.Duration
import kotlin.io.path.readText

private const val URL = "https://chat.example.org/http-bind"

/** Options: names, forms, and what is wrong with them. */
class OptionsTest {
    @TestFactory
    fun good(): List<DynamicTest> = GOOD.map { (name, set) -> dynamicTest(name) { Client(URL, set).close() } }

    @TestFactory
    fun bad(): List<DynamicTest> =
        BAD.map { (name, set) ->
            dynamicTest(name) {
                val error = assertThrows<ConfigException> { Client(URL, set) }
                assertEquals(name, error.field, error.message)
            }
        }

    @Test
    fun `they are those of the library`() {
        val source =
            ROOT
                .resolve(
                    "core/src/config.rs",
                ).readText()
                .substringAfter("pub struct Config {")
                .substringBefore("\n}")
        val fields = Regex("(?m)^    pub (\\w+): ").findAll(source).map { it.groupValues[1] }.toList()
        val setters =
            Options::class.java.methods
                .map { it.name }
                .filter { it.startsWith("set") }
        val ours =
            setters.map {
                it.removePrefix("set").replace(Regex("[A-Z]")) { "_" + it.value.lowercase() }.drop(1)
            }
        assertEquals("url", fields.first())
        assertEquals(fields.drop(1).sorted(), ours.sorted())
        assertEquals(ours.sorted(), GOOD.map { it.first }.distinct().sorted())
    }

    private companion object {
        fun option(
            name: String,
            set: Options.() -> Unit,
        ) = name to set

        val GOOD =
            listOf(
                option("lang") { lang = "de" },
                option("lang") { lang = null },
                option("wait") { wait = 30 },
                option("hold") { hold = 2 },
                option("route") { route = "xmpp:example.org:9999" },
                option("resource") { resource = "web" },
                *Floor.entries.map { option("floor") { floor = it } }.toTypedArray(),
                option("digest_md5") { digestMd5 = true },
                option("allow_cleartext") { allowCleartext = true },
                option("fast") { fast = true },
                option("iterations") { iterations = 4096..10_000 },
                option("scram_cache") { scramCache = 0 },
                option("headers") { headers = mapOf("Authorization" to "Basic eDp5") },
                option("ca") { ca = prosody.authority },
                option("client_certificate") { clientCertificate = prosody.certificate },
                option("proxy") { proxy = "socks5://127.0.0.1:1080" },
                *IpFamily.entries.map { option("ip_family") { ipFamily = it } }.toTypedArray(),
                option("deadline") { deadline = Duration.ofMillis(500) },
                option("resolve_timeout") { resolveTimeout = Duration.ofSeconds(1) },
                option("connect_timeout") { connectTimeout = Duration.ofSeconds(1) },
                option("request_timeout") { requestTimeout = Duration.ofMinutes(1) },
                option("fail_fast_after") { failFastAfter = 0 },
                option("fail_fast_for") { failFastFor = Duration.ZERO },
                option("max_reply") { maxReply = 4096 },
                option("learn") { learn = false },
                option("relearn_after") { relearnAfter = Duration.ofMinutes(5) },
                option("profile") { profile = "garbage" },
            )

        val BAD =
            listOf(
                option("lang") { lang = "" },
                option("wait") { wait = -1 },
                option("wait") { wait = 70_000 },
                option("hold") { hold = 0 },
                option("route") { route = "\u0000" },
                option("resource") { resource = "" },
                option("floor") { floor = null },
                option("iterations") { iterations = 2..1 },
                option("scram_cache") { scramCache = -1 },
                option("headers") { headers = mapOf("a b" to "c") },
                option("headers") { headers = mapOf("a" to "\n") },
                option("ca") { ca = "no PEM" },
                option("client_certificate") { clientCertificate = ClientCertificate("a", "b") },
                option("proxy") { proxy = "not a proxy" },
                option("deadline") { deadline = Duration.ofSeconds(-1) },
                option("deadline") { deadline = Duration.ZERO },
                option("deadline") { deadline = Duration.ofSeconds(Long.MAX_VALUE) },
                option("deadline") { deadline = null },
                option("max_reply") { maxReply = 0 },
                option("fail_fast_after") { failFastAfter = -1 },
                option("relearn_after") { relearnAfter = Duration.ofHours(2) },
            )
    }
}
