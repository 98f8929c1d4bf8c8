package prebind

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import tools.jackson.databind.JsonNode
import java.lang.reflect.Modifier
import java.time.Duration
import kotlin.io.path.Path
import kotlin.io.path.readText
import prebind.uniffi.Details as NativeDetails
import prebind.uniffi.PrebindException as NativeException
import prebind.uniffi.Session as NativeSession

/** What sessions and exceptions hold is what the library says, and all of it is documented. */
class ResultsTest {
    private val session = fields("session")
    private val common = fields("error").filterValues { it["kinds"] == null } - "kind"

    @Test
    fun `a session has the fields of the library`() {
        // What is under it also has the session itself, and what follows from the RID.
        assertEquals(session.keys, held(NativeSession::class.java) - setOf("opened", "last_rid"))
        assertEquals(session.keys, held(Session::class.java) - "native")
        assertTypes(session, Session::class.java)
        assertDocumented(session.keys, "Session.kt", Regex("class Session .*?^}", REGEX_OPTIONS))
        assertInReadme(session.keys - setOf("jid", "sid", "rid"))
    }

    @Test
    fun `every exception has the fields of all`() {
        assertEquals(common.keys, held(NativeDetails::class.java))
        val own = common - "message"
        assertEquals(own.keys + "kind", held(PrebindException::class.java))
        assertTypes(own - "retry", PrebindException::class.java)
        assertEquals(json(Retry.entries.map { "$it" }), own.getValue("retry")["values"])
        assertDocumented(own.keys + "kind", "Exceptions.kt", Regex("class PrebindException.*?class Details", REGEX_OPTIONS))
        assertInReadme(own.keys + "kind")
    }

    @Test
    fun `an exception has the fields of its kind`() {
        for (kind in SCHEMA["errors"].values().map { it.asString() }) {
            val own = fields("error").filterValues { field -> field["kinds"]?.values().orEmpty().any { it.asString() == kind } }
            val native = NativeException::class.java.classes.single { it.simpleName == kind }
            assertEquals(own.keys, held(native) - "details", kind)
            val ours = PrebindException::class.java.permittedSubclasses.single { it.simpleName == "${kind}Exception" }
            assertEquals(own.keys, held(ours), kind)
            assertTypes(own, ours)
            assertDocumented(own.keys, "Exceptions.kt", Regex("class ${kind}Exception.*?PrebindException", REGEX_OPTIONS))
            assertInReadme(own.keys)
        }
    }

    private fun fields(list: String) = SCHEMA[list].values().associateBy { it["name"].asString() }

    /** What a class itself keeps, in the library's words. */
    private fun held(type: Class<*>) =
        type.declaredFields
            .filter { !Modifier.isStatic(it.modifiers) }
            .map { snakeCase(it.name) }
            .toSet()

    private fun assertTypes(
        fields: Map<String, JsonNode>,
        type: Class<*>,
    ) = fields.forEach { (name, field) ->
        val getter = type.getMethod("get" + camelCase(name).replaceFirstChar(Char::uppercase))
        assertTrue(getter.returnType in TYPES.getValue(field["type"].asString()), "$name: ${getter.returnType}")
    }

    /** Each property has a comment of its own. */
    private fun assertDocumented(
        names: Set<String>,
        file: String,
        part: Regex,
    ) {
        val source = Path("src/main/kotlin/prebind/$file").readText()
        val documented = COMMENTED.findAll(part.find(source)!!.value).map { snakeCase(it.groupValues[1]) }.toSet()
        assertEquals(emptySet<String>(), names - documented)
    }

    private fun assertInReadme(names: Set<String>) =
        names.forEach { name -> assertTrue("`${camelCase(name)}`" in README, name) }
}

private val REGEX_OPTIONS = setOf(RegexOption.DOT_MATCHES_ALL, RegexOption.MULTILINE)

private val COMMENTED = Regex("""\*/\s+public val (\w+)""")

private val README by lazy { Path("../README.md").readText() }

private val NUMBERS = setOf(Int::class.javaPrimitiveType, Int::class.javaObjectType, Long::class.javaPrimitiveType)

/** The types of a property, by its field's type. */
private val TYPES =
    mapOf(
        "text" to setOf(String::class.java),
        "choice" to setOf(String::class.java),
        "count" to NUMBERS,
        "seconds" to setOf(Duration::class.java),
        "texts" to setOf(List::class.java),
        "records" to setOf(List::class.java),
    )
