package prebind

import prebind.uniffi.schemaJson
import tools.jackson.databind.JsonNode
import tools.jackson.databind.json.JsonMapper
import java.math.BigDecimal
import java.nio.file.Files
import java.nio.file.Path
import java.util.concurrent.CountDownLatch
import java.util.concurrent.TimeUnit
import kotlin.concurrent.thread
import kotlin.io.path.readText
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeSource
import kotlin.time.measureTime

// What the tests share: servers, real ones and ones that misbehave. They look for the commands `faults` and
// `servers` in the PATH, and for what `servers all -- mvn test` puts into the environment.

internal val ROOT: Path = Path.of("../../..").toRealPath()

internal const val ALICE = "alice@localhost"
internal const val PASSWORD = "wonder-1"

internal val JSON: JsonMapper = JsonMapper.shared()

/** As it is after it was written and read. */
internal fun json(value: Any): JsonNode = JSON.readTree(JSON.writeValueAsString(value))

/** What there is, as the library says it. */
internal val SCHEMA: JsonNode = JSON.readTree(schemaJson())

internal val OPTIONS: Map<String, JsonNode> = SCHEMA["options"].values().associateBy { it["name"].asString() }

/** What sets an option to a value in JSON; null if Kotlin has no such value of the option's type. */
internal fun setting(
    name: String,
    value: JsonNode,
): ((Options) -> Unit)? {
    val setter = setter(name)
    if (value.isNull) return { setter.invoke(it, null) }
    val given = expressed(OPTIONS.getValue(name)["type"].asString(), setter.parameterTypes.single(), value)
    return given?.let { { options -> setter.invoke(options, it) } }
}

internal fun setter(option: String) =
    Options::class.java.methods.single {
        it.name == "set" + camelCase(option).replaceFirstChar(Char::uppercase)
    }

private fun expressed(
    option: String,
    type: Class<*>,
    value: JsonNode,
): Any? =
    when (option) {
        "flag" -> value.takeIf { it.isBoolean }?.asBoolean()
        "count" -> int(value)
        "range" -> pair(value, ::int)?.let { (least, most) -> least..most }
        "seconds" -> duration(value)
        "choice" -> type.enumConstants.find { it.toString() == text(value) }
        "text", "pem" -> text(value)
        "certificate" -> pair(value, ::text)?.let { (chain, key) -> ClientCertificate(chain, key) }
        "headers" -> headers(value)
        "record" -> accounts(value)
        else -> error("$option is new")
    }

/** Null for what the class has no property for. */
private fun accounts(value: JsonNode): Accounts? {
    val fields = value.properties().associate { (name, field) -> name to text(field) }
    if (!setOf("jid", "password", "url", "group").containsAll(fields.keys)) return null
    val jid = fields["jid"] ?: return null
    val password = fields["password"] ?: return null
    return Accounts(jid, password, fields["url"], fields["group"])
}

private fun int(value: JsonNode) = value.takeIf { it.isIntegralNumber && it.canConvertToInt() }?.asInt()

private fun text(value: JsonNode) = value.takeIf { it.isString }?.asString()

private fun duration(value: JsonNode): java.time.Duration? {
    if (!value.isNumber) return null
    val (seconds, rest) = value.decimalValue().divideAndRemainder(BigDecimal.ONE)
    if (seconds.toBigInteger().bitLength() > 62) return null
    return java.time.Duration.ofSeconds(seconds.toLong(), rest.movePointRight(9).toLong())
}

private fun headers(value: JsonNode): Map<String, String>? {
    if (!value.isObject) return null
    val texts = value.properties().mapNotNull { (name, content) -> text(content)?.let { name to it } }
    return texts.toMap().takeIf { it.size == value.size() }
}

private fun <T : Any> pair(
    value: JsonNode,
    each: (JsonNode) -> T?,
): List<T>? {
    if (!value.isArray || value.size() != 2) return null
    return value.values().mapNotNull(each).takeIf { it.size == 2 }
}

internal fun camelCase(name: String) = name.replace(Regex("_([a-z0-9])")) { it.groupValues[1].uppercase() }

internal fun snakeCase(name: String) = name.replace(Regex("(?<=.)[A-Z]")) { "_" + it.value }.lowercase()

/** What every error has, in the words of the vectors. */
internal fun details(it: PrebindException) =
    mapOf(
        "kind" to it.kind,
        "stage" to it.stage,
        "condition" to it.condition,
        "text" to it.text,
        "retry" to it.retry.toString(),
        "retry_after" to it.retryAfter?.toSeconds(),
    )

/** What a command prints. */
internal fun said(vararg command: String): String {
    val process =
        ProcessBuilder(
            *command,
        ).directory(ROOT.toFile()).redirectError(ProcessBuilder.Redirect.INHERIT)
    return process.start().inputReader().readText()
}

/**
 * How long the block takes. The time does not count by which the machine held this process up: a thread
 * sleeps in short steps beside the block, and what it oversleeps is taken off.
 */
internal inline fun took(block: () -> Unit): Duration {
    val watcher = Watcher()
    val elapsed =
        try {
            measureTime(block)
        } finally {
            watcher.end()
        }
    return elapsed - watcher.late
}

internal class Watcher {
    private val isOver = CountDownLatch(1)
    var late = Duration.ZERO
        private set
    private val thread =
        thread {
            val tick = 5L
            do {
                val start = TimeSource.Monotonic.markNow()
                val isEnd = isOver.await(tick, TimeUnit.MILLISECONDS)
                late += (start.elapsedNow() - tick.milliseconds).coerceAtLeast(Duration.ZERO)
            } while (!isEnd)
        }

    fun end() {
        isOver.countDown()
        thread.join()
    }
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

    /** Until the fault strikes once more; the server was started with `--tell`. */
    fun awaitStrike() {
        val line = process.inputReader().readLine()
        check(line != null && "struck" in line) { "it does not strike" }
    }

    /** Ends the server; the last line it prints. */
    fun ended(): JsonNode {
        process.outputStream.close()
        val line = process.inputReader().readLines().last()
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
    val api: String by lazy { described["api_url"].asString() }
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

    /** Who is left, for as long as the server may take to close what it was asked to. */
    fun left(): List<String> {
        val until = TimeSource.Monotonic.markNow() + 30.seconds
        while (true) {
            val jids = bound()
            if (jids.isEmpty() || until.hasPassedNow()) return jids
            Thread.sleep(50)
        }
    }

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
