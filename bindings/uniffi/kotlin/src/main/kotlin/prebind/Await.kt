package prebind

import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.runInterruptible
import kotlinx.coroutines.withContext

/** [Client.prebind] with a password, on [Dispatchers.IO]. See the other. */
public suspend fun Client.awaitPrebind(
    jid: String,
    password: String,
): Session = awaitPrebind(jid, Credentials.password(password))

/**
 * [Client.prebind] on [Dispatchers.IO]. If the coroutine is cancelled, the call ends within a fraction of a
 * second, and no session is left behind on the server.
 */
public suspend fun Client.awaitPrebind(
    jid: String,
    credentials: Credentials,
): Session {
    var opened: Session? = null
    try {
        return runInterruptible(Dispatchers.IO) { prebind(jid, credentials).also { opened = it } }
    } catch (cancelled: CancellationException) {
        // It may have been cancelled after the call and before anybody had the session.
        withContext(NonCancellable + Dispatchers.IO) {
            try {
                opened?.let(::terminate)
            } catch (failed: PrebindException) {
                cancelled.addSuppressed(failed)
            }
        }
        throw cancelled
    }
}

/** [Client.terminate] on [Dispatchers.IO]. */
public suspend fun Client.awaitTerminate(session: Session): Unit =
    runInterruptible(Dispatchers.IO) { terminate(session) }
