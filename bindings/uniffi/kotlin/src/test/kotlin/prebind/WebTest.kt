package prebind

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.DynamicTest.dynamicTest
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.TestFactory
import prebind.uniffi.webChecks
import prebind.uniffi.webDoctor
import prebind.uniffi.webFailed
import prebind.uniffi.webGranted
import prebind.uniffi.webUnmet
import tools.jackson.databind.JsonNode
import tools.jackson.databind.node.ObjectNode
import java.time.Duration
import kotlin.io.path.readText
import prebind.uniffi.Cookie as NativeCookie

/** The rules of a site's endpoint, as tests/vectors/web-*.json have them. */
class WebTest {
    @TestFactory
    fun requests() = tests(REQUESTS["requests"], ::checkRequest)

    @TestFactory
    fun answers() = tests(ANSWERS["answers"], ::checkAnswer)

    @TestFactory
    fun cookies() = tests(COOKIES["rows"], ::checkCookies)

    @TestFactory
    fun pages() = tests(PAGES["pages"], ::checkPage)

    @TestFactory
    fun doctor() = tests(DOCTOR["findings"], ::checkFinding)

    @Test
    fun `what the doctor looks at`() {
        assertEquals(DOCTOR["checks"], json(webChecks()))
        for (row in DOCTOR["unmet"]) {
            val wrong = row["wrong"].values().map { it.asString() }
            assertEquals(text(row["line"]), webUnmet(row["check"].asString(), wrong), row.toString())
        }
        assertNull(webDoctor("end", "made", emptyMap(), null))
    }

    @Test
    fun `the names that a site must not set`() {
        for (row in PAGES["reserved"]) {
            val settings = row["settings"].toString()
            val page = WebPage("", "", "", "", row["assets"].asString(), settings = settings)
            assertEquals(row["names"], json(page.reserved()))
        }
    }

    /** Of what a site gives, Kotlin's types let only a wrong name happen. */
    @Test
    fun `what an answer may have besides`() {
        val session = Session("alice@localhost/x", "the-sid", 1)
        val rows = GIVEN["values"].values().filter { it["given"].asString() == "extras" }
        val lists = rows.filter { it["value"].isArray }
        val named = lists.filter { row -> row["value"].values().all { it.isString } }
        assertEquals(3, named.size)
        for (row in named) {
            val names = row["value"].values().map { it.asString() }.toTypedArray()
            val complaint = row["complaint"].takeIf { it.isString }?.let { "extras: ${it.asString()}" }
            val said = runCatching { session.toJson(*names) }.exceptionOrNull()?.message
            assertEquals(complaint, said)
        }
    }

    /** Names that fold to others. */
    @Test
    fun `a name that looks like another`() {
        val folded = setOf("capital", "full-width", "decomposed", "composed")
        val file = JSON.readTree(ROOT.resolve("tests/vectors/jids.json").readText())
        val rows = file["escape"].values().filter { it["name"].asString() in folded }
        assertEquals(folded.size, rows.size)
        for (row in rows) {
            val jid = { jidFromUser(row["unescaped"].asString(), "localhost") }
            if (row["escaped"].isString) {
                assertEquals("${row["escaped"].asString().lowercase()}@localhost", jid())
            } else {
                assertEquals("jid", assertThrows(ConfigException::class.java) { jid() }.field)
            }
        }
    }

    @Test
    fun `a page that cannot work`() {
        for (row in PAGES["refused"]) {
            val error = assertThrows(ConfigException::class.java) { page(row).html() }
            assertEquals(row["field"].asString(), error.field)
        }
    }

    @Test
    fun `the script is kept under its own version only`() {
        for (row in ANSWERS["scripts"]) {
            assertEquals(row["headers"], json(WebAnswer.scriptHeaders(row["is_own_version"].asBoolean())))
        }
    }

    @Test
    fun `an answer shows no session`() {
        val answer = WebAnswer.granted(Session("alice@localhost/x", "secret-sid", 1))
        assertTrue(answer.body.contains("secret-sid"))
        assertEquals("WebAnswer(200)", answer.toString())
        assertFalse(webGranted(answer.body).toString().contains("secret-sid"))
    }

    private companion object {
        fun vectors(name: String): JsonNode =
            JSON.readTree(ROOT.resolve("tests/vectors/web-$name.json").readText())

        val REQUESTS = vectors("requests")
        val ANSWERS = vectors("answers")
        val COOKIES = vectors("cookies")
        val PAGES = vectors("pages")
        val GIVEN = vectors("given")
        val DOCTOR = vectors("doctor")

        /** What each refusal is answered with. */
        val REFUSALS =
            ANSWERS["answers"]
                .values()
                .filter {
                    it["outcome"].has(
                        "refused",
                    )
                }.associateBy { it["outcome"]["refused"] }

        fun tests(
            rows: JsonNode,
            check: (JsonNode) -> Unit,
        ): List<DynamicTest> = rows.values().map { row -> dynamicTest(row["name"].asString()) { check(row) } }

        fun merged(
            file: JsonNode,
            row: JsonNode?,
        ) = (file.deepCopy() as ObjectNode).apply { row?.let { setAll(it as ObjectNode) } }

        fun text(node: JsonNode?): String? = node?.takeUnless { it.isNull }?.asString()

        fun request(
            file: JsonNode,
            row: JsonNode,
        ): WebRequest {
            val asked = merged(file["request"], row["request"])
            val headers =
                asked["headers"].properties().associate { (name, value) ->
                    name.lowercase() to
                        value.asString()
                }
            val texts = listOf("method", "scheme", "host", "query").map { asked[it].asString() }
            val port = asked["port"].takeUnless { it.isNull }?.asInt()
            return WebRequest(
                texts[0],
                texts[1],
                texts[2],
                port,
                texts[3],
            ) { name -> headers[name.lowercase()] }
        }

        fun checkCookies(row: JsonNode) {
            val given = merged(COOKIES, row as ObjectNode)
            val cookies =
                given["cookies"].values().map {
                    Cookie(NativeCookie(text(it["name"])!!, text(it["value"])!!, text(it["path"])!!))
                }
            val set = request(COOKIES, row).cookies(cookies, text(given["bosh_url"])!!)
            assertEquals(row["set"], json(set))
        }

        fun checkRequest(row: JsonNode) {
            val request = request(REQUESTS, row)
            val known = merged(REQUESTS, row as ObjectNode)
            val jid = text(known["jid"])
            val answer = request.refusal(known["signed_in"].asBoolean()) ?: request.refusalOf(jid)
            if (row["refusal"].isNull) assertNull(answer) else check(REFUSALS[row["refusal"]]!!, answer!!)
            row["full_jid"]?.let { assertEquals(it.asString(), request.fullJid(jid!!)) }
            if (row.has("complaint")) {
                val complaint = request.complaint(text(REQUESTS["bosh_url"])!!, text(REQUESTS["setting"])!!)
                assertEquals(text(row["complaint"]), complaint)
            }
        }

        fun checkAnswer(row: JsonNode) {
            val outcome = row["outcome"]
            val failed = outcome["failed"]
            val answer =
                when {
                    outcome.has("granted") -> {
                        WebAnswer(webGranted(outcome["granted"].toString()))
                    }

                    failed != null -> {
                        WebAnswer(
                            webFailed(
                                text(failed["kind"])!!,
                                text(failed["retry"])!!,
                                seconds(failed["retry_after"]),
                            ),
                        )
                    }

                    outcome.has("broken") -> {
                        WebAnswer.broken()
                    }

                    outcome.has("wait") -> {
                        WebAnswer.rateLimited(seconds(outcome["wait"])!!)
                    }

                    text(outcome["refused"]) == "SignInAgain" -> {
                        WebAnswer.signInAgain()
                    }

                    else -> {
                        return assertTrue(
                            REQUESTS["requests"].values().any {
                                it["refusal"] ==
                                    outcome["refused"]
                            },
                        )
                    }
                }
            check(row, answer)
        }

        fun seconds(node: JsonNode): Duration? =
            node
                .takeUnless {
                    it.isNull
                }?.let { Duration.ofSeconds(it.asLong()) }

        fun checkFinding(row: JsonNode) {
            // As a call of ours does first.
            translating {}
            val words = row["words"].properties().associate { (name, word) -> name to word.asString() }
            val took = row["milliseconds"].takeUnless { it.isNull }?.let { Duration.ofMillis(it.asLong()) }
            val found = webDoctor(row["check"].asString(), row["outcome"].asString(), words, took)!!
            val line =
                Regex("[{](\\w+)}").replace(row["line"].asString()) {
                    DOCTOR["words"]["kotlin"][it.groupValues[1]].asString()
                }
            assertEquals(row["grade"].asString() to line, found.grade to found.line)
        }

        fun checkPage(row: JsonNode) {
            val html = page(row).html()
            assertEquals(row["rest"].asString(), html.substringAfter("</script>\n"))
            assertEquals(
                row["settings"],
                JSON.readTree(html.substringAfter('>').substringBefore("</script>")),
            )
        }

        fun page(row: JsonNode): WebPage {
            val page = merged(PAGES["page"], row["page"])
            val texts =
                listOf(
                    "jid",
                    "endpoint",
                    "bosh_url",
                    "script",
                    "assets",
                    "nonce",
                ).map { page[it].asString() }
            return WebPage(
                texts[0],
                texts[1],
                texts[2],
                texts[3],
                texts[4],
                texts[5],
                page["settings"].toString(),
            )
        }

        fun check(
            expected: JsonNode,
            answer: WebAnswer,
        ) {
            assertEquals(expected["status"].asInt(), answer.status)
            assertEquals(expected["headers"], json(answer.headers))
            assertEquals(expected["body"], JSON.readTree(answer.body))
        }
    }
}
