package prebind

import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows
import org.junit.jupiter.params.ParameterizedTest
import org.junit.jupiter.params.provider.ValueSource
import java.time.Duration
import java.util.concurrent.CompletableFuture
import kotlin.concurrent.thread
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/** Threads that are interrupted and coroutines that are cancelled while a call waits. */
class InterruptionTest {
    @ParameterizedTest
    @ValueSource(strings = ["no-headers", "headers-drip", "body-drips", "tls-silent"])
    fun `an interrupted thread returns`(fault: String) {
        Faulty("serve", "--tell", fault).use { server ->
            val thrown = CompletableFuture<Throwable>()
            val client = server.client(::patient)
            val caller =
                thread { thrown.complete(runCatching { client.prebind(ALICE, PASSWORD) }.exceptionOrNull()) }
            server.awaitStrike()
            val took =
                took {
                    caller.interrupt()
                    assertTrue(thrown.get() is InterruptedException, "${thrown.get()}")
                }
            assertTrue(took < SOON, "$took")
        }
    }

    @Test
    fun `the session is ended`() {
        Faulty("serve", "--tell", "no-headers", "--at", "3", "--once").use { server ->
            val client = server.client(::patient)
            val caller = thread { assertThrows<InterruptedException> { client.prebind(ALICE, PASSWORD) } }
            server.awaitStrike()
            caller.interrupt()
            caller.join()
            assertTrue("type=\"terminate\"" in server.ended()["requests"].last()["body"].asString())
        }
    }

    @Test
    fun `a thread that was interrupted before does not call`() {
        Faulty("serve", "no-headers").use { server ->
            val client = server.client()
            Thread.currentThread().interrupt()
            assertThrows<InterruptedException> { client.prebind(ALICE, PASSWORD) }
            assertFalse(Thread.interrupted())
            assertEquals(0, server.ended()["requests"].size())
        }
    }

    @Test
    fun `without an interruption the deadline ends the call`() {
        Faulty("serve", "no-headers").use { server ->
            val client = server.client { deadline = Duration.ofMillis(300) }
            val took = took { assertThrows<TimeoutException> { client.prebind(ALICE, PASSWORD) } }
            assertTrue(took < SOON, "$took")
        }
    }

    @Test
    fun `coroutines wait without a thread of their own`() =
        runBlocking {
            val client = prosody.client()
            val sessions = List(8) { async { client.awaitPrebind(ALICE, PASSWORD) } }.map { it.await() }
            assertEquals(8, sessions.map { it.sid }.toSet().size)
            sessions.forEach { client.awaitTerminate(it) }
            assertEquals(emptyList<String>(), prosody.left())
        }

    @Test
    fun `a coroutine that is cancelled returns`() =
        runBlocking {
            Faulty("serve", "--tell", "no-headers", "--at", "3", "--once").use { server ->
                val client = server.client(::patient)
                val call = async(Dispatchers.IO) { client.awaitPrebind(ALICE, PASSWORD) }
                server.awaitStrike()
                val took = took { call.cancelAndJoin() }
                assertTrue(took < SOON, "$took")
                assertTrue("type=\"terminate\"" in server.ended()["requests"].last()["body"].asString())
            }
        }

    @ParameterizedTest
    @ValueSource(longs = [0, 10, 50, 100, 150])
    fun `a coroutine that is cancelled leaves no session`(after: Long) =
        runBlocking {
            val client = prosody.client()
            var opened: Session? = null
            val job = launch { opened = client.awaitPrebind(ALICE, PASSWORD) }
            delay(after.milliseconds)
            job.cancelAndJoin()
            opened?.let { client.awaitTerminate(it) }
            assertEquals(emptyList<String>(), prosody.left())
        }

    @Test
    fun `a coroutine gets the errors of the call`() =
        runBlocking {
            val failed = runCatching { prosody.client().awaitPrebind(ALICE, "wrong") }.exceptionOrNull()
            assertTrue(failed is AuthException, "$failed")
        }

    private companion object {
        /** A slice, the end of the session, and the machine's share. */
        val SOON = 1.seconds

        fun patient(options: Options) {
            options.deadline = Duration.ofSeconds(30)
            options.requestTimeout = Duration.ofSeconds(30)
        }
    }
}
