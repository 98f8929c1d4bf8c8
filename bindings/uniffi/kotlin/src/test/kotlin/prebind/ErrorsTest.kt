package prebind

import com.sun.net.httpserver.HttpServer
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.DynamicTest.dynamicTest
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.TestFactory
import org.junit.jupiter.api.assertThrows
import java.net.InetSocketAddress
import java.time.Duration
import java.util.Base64
import java.util.concurrent.Callable
import java.util.concurrent.Executors
import prebind.uniffi.Client as NativeClient
import prebind.uniffi.InternalException as Panic
import prebind.uniffi.Watch as NativeWatch

/** What goes wrong is thrown as its class, with what that class carries. */
class ErrorsTest {
    /** Every fault, at the creation and in the session. */
    @TestFactory
    fun faults(): List<DynamicTest> {
        val pool = Executors.newFixedThreadPool(8)
        val struck =
            said("faults", "list").lines().filter { it.isNotEmpty() }.flatMap { line ->
                val (name, kind) = line.split(Regex(" +"))
                listOf(1, 3).map { at ->
                    Triple("$name at $at", kind, pool.submit(Callable { strike(name, at, kind) }))
                }
            }
        pool.shutdown()
        return struck.map { (name, kind, thrown) ->
            dynamicTest(name) {
                val error = thrown.get()
                // Interim responses without end may fill a buffer before the time is over.
                val kinds = if (name.startsWith("endless-interim")) setOf(kind, "Protocol") else setOf(kind)
                assertTrue(error.kind in kinds, "$error")
                assertEquals("prebind.${error.kind}Exception", error.javaClass.name)
                assertFalse(Regex("wonder-1|faults-sid") in error.stackTraceToString() + error.text)
            }
        }
    }

    private fun strike(
        name: String,
        at: Int,
        kind: String,
    ): PrebindException =
        Faulty("serve", name, "--at", "$at").use { server ->
            val client =
                server.client {
                    // What ends by itself may take its time on a busy machine.
                    deadline = Duration.ofMillis(if (kind == "Timeout") 600 else 12_000)
                    failFastAfter = 0
                }
            assertThrows<PrebindException> { client.prebind(ALICE, PASSWORD) }
        }

    @Test
    fun `there is a class for each kind`() {
        val kinds = SCHEMA["errors"].values().map { it.asString() + "Exception" }.toSet()
        assertEquals(
            kinds,
            PrebindException::class.java.permittedSubclasses
                .map { it.simpleName }
                .toSet(),
        )
    }

    @Test
    fun `a text that is not Unicode is an error of ours`() {
        val half = "x\uD800"
        val client = Client("http://127.0.0.1:9/")
        val request = WebRequest("GET", "https", "shop.example", null, null) { null }
        listOf<() -> Any?>(
            { jidFromUser(half, "localhost") },
            { Client(half) },
            { client.prebind(half, PASSWORD) },
            { client.prebind(ALICE, half) },
            { request.refusalOf(half) },
            { request.fullJid(half) },
            { WebRequest("GET", "https", "shop.example", null, half) { null } },
            { WebPage(half, "/prebind", "/http-bind", "/chat.js", "/converse/").html() },
        ).forEachIndexed { index, call ->
            val error = assertThrows<ConfigException>("call $index") { call() }
            assertEquals("a text is not Unicode: it has half of a surrogate pair", error.message)
        }
    }

    @Test
    fun `Config names the option`() {
        val error = assertThrows<ConfigException> { Client("ftp://localhost/") }
        assertEquals(
            listOf("url", "configure", Retry.AFTER_CONFIG_CHANGE),
            listOf(error.field, error.stage, error.retry),
        )
    }

    @Test
    fun `Connect and Timeout name the phase`() {
        Faulty("serve", "refused").use { server ->
            val client =
                server.client {
                    failFastAfter = 1
                    failFastFor = Duration.ofMinutes(1)
                }
            assertEquals("tcp", assertThrows<ConnectException> { client.prebind(ALICE, PASSWORD) }.phase)
            val error = assertThrows<TimeoutException> { client.prebind(ALICE, PASSWORD) }
            assertEquals(listOf("fail-fast", Retry.LATER), listOf(error.phase, error.retry))
        }
    }

    @Test
    fun `Http tells where a redirect leads`() {
        Faulty("serve", "redirect-302").use { server ->
            val error = assertThrows<HttpException> { server.client().prebind(ALICE, PASSWORD) }
            assertEquals(302, error.status)
            val target = error.location.orEmpty()
            assertTrue(Regex("http://localhost:\\d+/elsewhere").matches(target), target)
        }
    }

    @Test
    fun `Protocol tells what should have come`() {
        Faulty("serve", "endless-headers").use { server ->
            val error = assertThrows<ProtocolException> { server.client().prebind(ALICE, PASSWORD) }
            assertTrue(error.expected.isNotEmpty())
        }
    }

    @Test
    fun `Mechanism tells what is offered and allowed`() {
        val client = prosody.client { weakestMechanism = PasswordMechanism.SCRAM_SHA_512 }
        val error = assertThrows<MechanismException> { client.prebind(ALICE, PASSWORD) }
        assertTrue("PLAIN" in error.offered, "${error.offered}")
        assertEquals(listOf("SCRAM-SHA-512"), error.allowed)
    }

    @Test
    fun `Auth has the server's condition`() {
        val error = assertThrows<AuthException> { prosody.client().prebind(ALICE, "wrong") }
        assertEquals(
            listOf("authenticate", "not-authorized", Retry.NO),
            listOf(error.stage, error.condition, error.retry),
        )
    }

    @Test
    fun `Bind has the server's condition`() {
        val client = prosody.client()
        val first = client.prebind("alice@refuse.local/web", PASSWORD)
        val error = assertThrows<BindException> { client.prebind("alice@refuse.local/web", PASSWORD) }
        assertEquals("conflict", error.condition)
        client.terminate(first)
    }

    @Test
    fun `Terminated has the server's condition`() {
        val error = assertThrows<TerminatedException> { prosody.client().terminate("unknown", 7) }
        assertEquals(listOf("terminate", "item-not-found"), listOf(error.stage, error.condition))
    }

    @Test
    fun `ServerUnverified tells which check failed`() {
        lying("r=not-ours,s=QSXCR+Q6sek8bf92,i=4096") { url ->
            val error = assertThrows<ServerUnverifiedException> { Client(url).prebind(ALICE, PASSWORD) }
            assertEquals(listOf("nonce", "authenticate"), listOf(error.check, error.stage))
        }
    }

    @Test
    fun `a panic is Internal`() {
        val panicking =
            object : NativeWatch {
                override fun goesOn() = throw IllegalStateException("on purpose")
            }
        Faulty("serve", "no-headers").use { server ->
            val client = NativeClient(server.url, emptyMap(), panicking)
            val credentials = values(mapOf("password" to PASSWORD))
            val error = assertThrows<InternalException> { translating { client.prebind(ALICE, credentials) } }
            assertTrue("defect" in error.message.orEmpty(), error.message)
        }
    }

    @Test
    fun `Internal does not repeat the words of a panic`() {
        val error = assertThrows<InternalException> { translating { throw Panic(PASSWORD) } }
        assertTrue("defect" in error.message.orEmpty(), error.message)
        assertFalse(PASSWORD in error.stackTraceToString())
    }
}

private const val OFFER =
    "<features xmlns='http://etherx.jabber.org/streams'>" +
        "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>" +
        "<mechanism>SCRAM-SHA-1</mechanism></mechanisms></features>"

/** Runs [test] beside a BOSH server that offers SCRAM, and answers its first message with [first]. */
private fun lying(
    first: String,
    test: (String) -> Unit,
) {
    val server = HttpServer.create(InetSocketAddress("127.0.0.1", 0), 0)
    val encoded = Base64.getEncoder().encodeToString(first.toByteArray())
    val challenge = "<challenge xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>$encoded</challenge>"
    server.createContext("/") { exchange ->
        val payload = if ("<auth" in exchange.requestBody.reader().readText()) challenge else OFFER
        val body =
            "<body xmlns='http://jabber.org/protocol/httpbind' sid='s' wait='55'>$payload</body>"
                .toByteArray()
        exchange.responseHeaders["Content-Type"] = "text/xml; charset=utf-8"
        exchange.sendResponseHeaders(200, body.size.toLong())
        exchange.responseBody.use { it.write(body) }
    }
    server.start()
    try {
        test("http://127.0.0.1:${server.address.port}/")
    } finally {
        server.stop(0)
    }
}
