package prebind

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.DynamicTest.dynamicTest
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.TestFactory
import org.junit.jupiter.api.assertThrows
import prebind.uniffi.AskedNext
import tools.jackson.databind.JsonNode
import java.time.Duration
import java.time.Instant
import kotlin.io.path.readText
import prebind.uniffi.WebAnswer as NativeAnswer

/** What a chat server asks, and what it is answered: tests/vectors/web-asked.json, and by what the site has. */
class ChatLoginTest {
    @TestFactory
    fun questions(): List<DynamicTest> =
        FILE["questions"].values().map { row ->
            dynamicTest(row["name"].asString()) {
                val asked = asked(row)
                val next =
                    when (val next = asked.next()) {
                        AskedNext.Refuse -> {
                            "refuse"
                        }

                        AskedNext.Accept -> {
                            "accept"
                        }

                        is AskedNext.Once -> {
                            mapOf("once" to fields(next.entry))
                        }

                        is AskedNext.Exists -> {
                            mapOf(
                                "exists" to mapOf("jid" to next.jid, "user" to next.user),
                            )
                        }
                    }
                assertEquals(row["next"], json(next))
                val name = row["answer"].asString()
                assertEquals(FILE["answers"][name], fields(asked.answer(false, null)))
                val form = name.substringBefore('-')
                val yes = if (next == "refuse") name else "$form-yes"
                assertEquals(FILE["answers"][yes], fields(asked.answer(true, null)))
                assertEquals(FILE["answers"]["$form-broken"], fields(asked.broken()))
                assertEquals(!row["refusal"].isNull, asked.counter(false) != null)
                row["complaint"]?.let { assertEquals(it, complaint(asked.complaint(false, null))) }
            }
        }

    @TestFactory
    fun floods(): List<DynamicTest> =
        FILE["floods"].values().map { row ->
            dynamicTest(row["name"].asString()) {
                val (asked, count) = asked(row) to row["count"].takeUnless { it.isNull }?.asLong()?.toULong()
                assertEquals(FILE["answers"][row["answer"].asString()], fields(asked.answer(false, count)))
                assertEquals(row["complaint"], complaint(asked.complaint(false, count)))
                assertEquals(row["counter"], json(fields(asked.counter(false)!!)))
            }
        }

    @TestFactory
    fun `settings that cannot work`(): List<DynamicTest> =
        FILE["settings_refused"].values().map { row ->
            dynamicTest(row["name"].asString()) {
                val error = assertThrows<ConfigException> { asked(row) }
                assertEquals(row["field"].asString(), error.field)
            }
        }

    @Test
    fun `a token is good once`() {
        val login = ChatLogin(listOf(SECRET), JWT)
        val question = login(JWT.issue(ALICE))
        val bodies = List(2) { answered(login, question).body }
        assertEquals(listOf("""{"ok":true}""", """{"ok":false}"""), bodies)
        assertTrue("the token was used before" in lines.single(), "$lines")
        assertEquals("ChatLogin(***) Question(***)", "$login $question")
    }

    @Test
    fun `the site says who exists`() {
        val asked = question(mapOf("command" to "isuser", "user" to "alice\\20smith", "host" to "localhost"))
        val login = ChatLogin(listOf(SECRET), JWT)
        val seen = mutableListOf<String>()
        val answer =
            login.answer(
                asked,
                { user, jid -> seen.addAll(listOf(user, jid)) },
            ) { _, _ -> error("not refused") }
        assertEquals("""{"ok":true}""", answer.body)
        assertEquals(listOf("alice smith", "alice\\20smith@localhost"), seen)
        assertEquals("""{"ok":false}""", answered(login, asked).body)
        val broken = login.answer(asked, { _, _ -> error("hidden-7") }) { line, _ -> lines += line }
        assertEquals(500, broken.status)
        assertTrue(
            "java.lang.IllegalStateException at " in lines.single() && "hidden-7" !in lines.single(),
            "$lines",
        )
    }

    @Test
    fun `wrong secrets and foreign addresses are refused`() {
        val login = ChatLogin(listOf(SECRET), JWT)
        val token = JWT.issue(ALICE)
        assertEquals(403, answered(login, login(token, secret = "chat-server-to-sit3")).status)
        assertEquals(403, answered(login, login(token, address = "192.0.2.1")).status)
        val elsewhere = ChatLogin(listOf(SECRET), JWT, listOf("192.0.2.0/24"))
        assertEquals("""{"ok":true}""", answered(elsewhere, login(token, address = "192.0.2.1")).body)
    }

    @Test
    fun `a flood of wrong tokens is told so`() {
        val login = ChatLogin(listOf(SECRET), JWT)
        // In two windows of time at most.
        val statuses = List(202) { answered(login, login("wrong")).status }
        assertEquals(setOf(200, 429), statuses.toSet())
        assertEquals("""{"ok":true}""", answered(login, login(JWT.issue(ALICE))).body)
    }

    @Test
    fun `a cache that is away keeps nobody out`() {
        val away =
            object : TokenUses {
                override fun add(
                    key: String,
                    lifetime: Duration,
                ): Boolean = error("hidden-7")

                override fun count(
                    key: String,
                    lifetime: Duration,
                ): Long? = error("hidden-7")
            }
        val login = ChatLogin(listOf(SECRET), JWT, uses = away)
        assertEquals("""{"ok":true}""", answered(login, login(JWT.issue(ALICE))).body)
        assertEquals("""{"ok":false}""", answered(login, login("wrong")).body)
        val failed = lines.filter { it.startsWith("the cache failed (") }
        assertEquals(2, failed.size)
        assertFalse("hidden-7" in "$lines")
    }

    @Test
    fun `what is kept is forgotten`() {
        val uses = MemoryUses()
        assertTrue(uses.add("a", Duration.ofMinutes(1)))
        assertFalse(uses.add("a", Duration.ofMinutes(1)))
        assertTrue(uses.add("b", Duration.ZERO))
        assertTrue(uses.add("b", Duration.ZERO))
        assertEquals(listOf(1L, 2L), List(2) { uses.count("c", Duration.ofMinutes(1)) })
    }

    private val lines = mutableListOf<String>()

    private fun answered(
        login: ChatLogin,
        question: ChatLogin.Question,
    ) = login.answer(question, { _, _ -> false }) { line, _ -> lines += line }

    private companion object {
        const val SECRET = "chat-server-to-site"
        val JWT = Jwt(listOf("a secret that has 32 bytes, or more"), "HS256", once = true)
        val FILE: JsonNode = JSON.readTree(ROOT.resolve("tests/vectors/web-asked.json").readText())

        fun login(
            token: String,
            secret: String = SECRET,
            address: String = "127.0.0.1",
        ) = question(
            mapOf("command" to "auth", "user" to "alice", "host" to "localhost", "password" to token),
            secret,
            address,
        )

        fun question(
            body: Map<String, String>,
            secret: String = SECRET,
            address: String = "127.0.0.1",
        ) = ChatLogin.Question("POST", "/chat-login", null, address, JSON.writeValueAsBytes(body)) {
            "Bearer $secret".takeIf { _ -> it == "Authorization" }
        }

        fun asked(row: JsonNode) = settings(row).asked(inquiry(row), now(row))

        fun now(row: JsonNode): Instant = Instant.ofEpochSecond((row["now"] ?: FILE["now"]).asLong())

        /** The row's, or else the file's. */
        fun with(
            row: JsonNode,
            name: String,
        ): Map<String, JsonNode> =
            (FILE[name].properties() + row[name]?.properties().orEmpty()).associate {
                it.key to
                    it.value
            }

        fun settings(row: JsonNode): ChatLogin {
            val given = with(row, "settings")
            val jwt = given.getValue("jwt")
            return ChatLogin(
                texts(given.getValue("secret")),
                Jwt(texts(jwt["keys"]), jwt["algorithm"]?.asString(), audience = jwt["audience"]?.asString()),
                (row["addresses"] ?: given["addresses"])?.let(::texts),
            )
        }

        fun texts(given: JsonNode) =
            if (given.isArray) {
                given.values().map {
                    it.asString()
                }
            } else {
                listOf(given.asString())
            }

        fun inquiry(row: JsonNode): ChatLogin.Question {
            val given = with(row, "inquiry")
            val text = { name: String -> given.getValue(name).asString() }
            val headers =
                given.getValue("headers").properties().associate {
                    it.key.lowercase() to
                        it.value.asString()
                }
            return ChatLogin.Question(
                text("method"),
                text("path"),
                text("query"),
                text("address"),
                text("body").toByteArray(),
            ) { headers[it.lowercase()] }
        }

        fun fields(it: prebind.uniffi.AskedEntry) = mapOf("key" to it.key, "seconds" to it.seconds.toLong())

        fun fields(it: NativeAnswer) =
            json(mapOf("status" to it.status.toInt(), "headers" to it.headers, "body" to it.body))

        fun complaint(it: prebind.uniffi.AskedComplaint?) =
            JSON.valueToTree<JsonNode>(
                it?.let {
                    listOf(it.level, it.text)
                },
            )
    }
}
