package prebind

import tools.jackson.databind.JsonNode
import tools.jackson.databind.json.JsonMapper
import java.nio.file.Files
import java.nio.file.Path
import java.util.concurrent.TimeUnit
import kotlin.io.path.readText

// What the tests share: servers, real ones and ones that misbehave. They look for the commands `faults` and
// `servers` in the PATH, and for what `servers all -- mvn test` puts into the environment.

internal val ROOT: Path = Path.of("../../..").toRealPath()

internal const val ALICE = "alice@localhost"
internal const val PASSWORD = "wonder-1"

internal val JSON: JsonMapper = JsonMapper.shared()

/** As it is after it was written and read. */
internal fun json(value: Any): JsonNode = JSON.readTree(JSON.writeValueAsString(value))

/** What a command prints. */
internal fun said(vararg command: String): String {
    val process =
        ProcessBuilder(
            *command,
        ).directory(ROOT.toFile()).redirectError(ProcessBuilder.Redirect.INHERIT)
    return process.start().inputReader().readText()
}

/** A server of `faults`, until it is closed. */
internal class Faulty(
    vararg arguments: String,
) : AutoCloseable {
    private val errors = Files.createTempFile("faults", null)
    private val process =
        ProcessBuilder("faults", *arguments).directory(ROOT.toFile()).redirectError(errors.toFile()).start()
    private val started = process.inputReader().readLine()?.let(JSON::readTree) ?: error(errors.readText())

    val url: String = started["url"].asString()
    val ca: String? = started["ca"]?.asString()

    fun client(configure: Options.() -> Unit = {}) =
        Client(url) {
            this@Faulty.ca?.let { ca = it }
            configure()
        }

    /** Ends the server; the last line it prints. */
    fun ended(): JsonNode {
        process.outputStream.close()
        val line = process.inputReader().readLine()
        check(process.waitFor(30, TimeUnit.SECONDS))
        check(process.exitValue() == 0) { errors.readText() }
        return JSON.readTree(line)
    }

    override fun close() {
        process.outputStream.close()
        process.waitFor()
        Files.delete(errors)
    }
}

/** A real server, as `servers` describes it. */
internal class Real(
    val kind: String,
    described: JsonNode,
) {
    val url: String = described["http_url"].asString()
    val securely: String = described["https_url"].asString()
    val authority: String = Path.of(described["ca_pem"].asString()).readText()
    val certificate =
        ClientCertificate(
            Path.of(described["client_cert"].asString()).readText(),
            Path.of(described["client_key"].asString()).readText(),
        )
    val tokens: Map<String, String> =
        described["tokens"].properties().associate {
            it.key to
                it.value.asString()
        }

    fun client(configure: Options.() -> Unit = {}) =
        Client(securely) {
            ca = authority
            configure()
        }

    /** The full JIDs that are bound now. */
    fun bound() = JSON.readTree(said("servers", "sessions"))[kind]["jids"].values().map { it.asString() }

    override fun toString() = kind
}

private val real by lazy { JSON.readTree(System.getenv("PREBIND_SERVERS")) }

internal val prosody by lazy { Real("prosody", real["prosody"]) }
internal val ejabberd by lazy { Real("ejabberd", real["ejabberd"]) }
internal val prosody13 by lazy { Real("prosody13", real["prosody13"]) }

/** For `@EnabledIf`. */
internal fun hasProsody13() = real.has("prosody13")

/** For `@MethodSource`. */
internal fun servers() = listOf(prosody, ejabberd)
