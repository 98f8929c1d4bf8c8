package prebind

import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeoutOrNull
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows
import org.junit.jupiter.params.ParameterizedTest
import org.junit.jupiter.params.provider.ValueSource
import java.time.Duration
import java.util.concurrent.CompletableFuture
import java.util.concurrent.TimeUnit
import kotlin.concurrent.thread
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlin.time.measureTime

/** Threads that are interrupted and coroutines that are cancelled while a call waits. */
class InterruptionTest {
    @ParameterizedTest
    @ValueSource(strings = ["no-headers", "headers-drip", "body-drips", "tls-silent"])
    fun `an interrupted thread returns`(fault: String) {
        Faulty("serve", fault).use { server ->
            val thrown = CompletableFuture<Throwable>()
            val client = server.client(::patient)
            val caller =
                thread { thrown.complete(runCatching { client.prebind(ALICE, PASSWORD) }.exceptionOrNull()) }
            Thread.sleep(200)
            val took =
                measureTime {
                    caller.interrupt()
                    assertTrue(thrown.get(20, TimeUnit.SECONDS) is InterruptedException, "${thrown.get()}")
                }
            assertTrue(took < SOON, "$took")
        }
    }

    @Test
    fun `the session is ended`() {
        Faulty("serve", "no-headers", "--at", "3", "--once").use { server ->
            val client = server.client(::patient)
            val caller = thread { assertThrows<InterruptedException> { client.prebind(ALICE, PASSWORD) } }
            Thread.sleep(500)
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
            val took = measureTime { assertThrows<TimeoutException> { client.prebind(ALICE, PASSWORD) } }
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
            assertEquals(emptyList<String>(), prosody.bound())
        }

    @Test
    fun `a coroutine that is cancelled returns`() =
        runBlocking {
            Faulty("serve", "no-headers", "--at", "3", "--once").use { server ->
                val client = server.client(::patient)
                val took =
                    measureTime {
                        assertNull(
                            withTimeoutOrNull(500.milliseconds) { client.awaitPrebind(ALICE, PASSWORD) },
                        )
                    }
                assertTrue(took < 500.milliseconds + SOON, "$took")
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
            assertEquals(emptyList<String>(), prosody.bound())
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
