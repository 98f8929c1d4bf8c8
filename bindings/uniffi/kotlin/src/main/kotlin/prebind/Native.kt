package prebind

import prebind.uniffi.Value
import prebind.uniffi.Watch
import prebind.uniffi.speakCamelCase
import java.nio.charset.CharacterCodingException
import java.time.Duration
import java.util.concurrent.atomic.AtomicBoolean
import prebind.uniffi.InternalException as Panic
import prebind.uniffi.PrebindException as NativeException

/** Tells a call that waits whether its thread has been interrupted: it is asked on that thread. */
internal object Interruption : Watch {
    override fun goesOn() = !Thread.currentThread().isInterrupted
}

/** Makes a call that may wait. */
internal fun <T> interruptible(call: () -> T): T {
    if (Thread.interrupted()) throw InterruptedException()
    try {
        return translating(call)
    } catch (failed: ConnectException) {
        // What a call that is given up fails with.
        if (Thread.interrupted()) throw InterruptedException()
        throw failed
    }
}

private val isSpoken = AtomicBoolean()

/** From now on messages name options as [Options] does. */
private fun speak() {
    if (!isSpoken.getAndSet(true)) speakCamelCase()
}

/** Makes a call, and throws what is ours. */
internal fun <T> translating(call: () -> T): T =
    try {
        speak()
        call()
    } catch (failed: NativeException) {
        throw ours(failed)
    } catch (_: CharacterCodingException) {
        // What UniFFI throws undeclared. It says nothing of which text.
        throw ConfigException(
            PrebindException.Details(
                "a text is not Unicode: it has half of a surrogate pair",
                retry = Retry.AFTER_CONFIG_CHANGE,
            ),
            "text",
        )
    } catch (_: Panic) {
        // Neither with its words nor as the cause: they may be about a secret.
        throw InternalException(
            PrebindException.Details(
                "a defect in prebind itself: report it with what standard error says",
            ),
        )
    }

private fun ours(it: NativeException): PrebindException =
    when (it) {
        is NativeException.Config -> ConfigException(details(it.details), it.field)
        is NativeException.Connect -> ConnectException(details(it.details), it.phase)
        is NativeException.Timeout -> TimeoutException(details(it.details), it.phase)
        is NativeException.Http -> HttpException(details(it.details), it.status.toInt(), it.location)
        is NativeException.Protocol -> ProtocolException(details(it.details), it.expected)
        is NativeException.Terminated -> TerminatedException(details(it.details))
        is NativeException.Mechanism -> MechanismException(details(it.details), it.offered, it.allowed)
        is NativeException.Auth -> AuthException(details(it.details))
        is NativeException.ServerUnverified -> ServerUnverifiedException(details(it.details), it.check)
        is NativeException.Bind -> BindException(details(it.details))
        is NativeException.Internal -> InternalException(details(it.details))
    }

private fun details(it: prebind.uniffi.Details) =
    PrebindException.Details(it.message, it.stage, it.condition, it.text, retry(it.retry), it.retryAfter)

/** What is given by name, as the native part takes it. */
internal fun values(given: Map<*, *>): Map<String, Value> =
    given.entries.associate { (name, value) -> name.toString() to converted(value) }

/** What is of no other sort is text, as enums are in other languages. */
private fun converted(given: Any?): Value =
    when (given) {
        null -> Value.Nothing
        is Boolean -> Value.Flag(given)
        is Int -> Value.Whole(given.toLong())
        is Long -> Value.Whole(given)
        is Double -> Value.Decimal(given)
        is Duration -> Value.Decimal(given.seconds + given.nano / 1e9)
        is ByteArray -> Value.Bytes(given)
        is IntRange -> Value.Several(listOf(converted(given.first), converted(given.last)))
        is Accounts -> converted(given.fields)
        is ClientCertificate -> Value.Several(listOf(converted(given.chain), converted(given.key)))
        is List<*> -> Value.Several(given.map(::converted))
        is Map<*, *> -> Value.Fields(values(given))
        else -> Value.Text(given.toString())
    }

private fun retry(name: String) = Retry.entries.first { it.toString() == name }
