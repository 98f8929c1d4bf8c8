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
    private val common = fields("error").filterValues { kinds(it).isEmpty() } - "kind"

    @Test
    fun `a session has the fields of the library`() {
        // What is under it also has the session itself, and what follows from the RID.
        assertEquals(session.keys, held(NativeSession::class.java) - setOf("opened", "last_rid"))
        assertEquals(session.keys, held(Session::class.java) - "native")
        assertTypes(session, Session::class.java)
        assertDocumented(session.keys, "Session.kt", "class Session .*?^}")
        assertInReadme(session.keys - setOf("jid", "sid", "rid"))
    }

    @Test
    fun `every exception has the fields of all`() {
        assertEquals(common.keys, held(NativeDetails::class.java))
        val own = common - "message"
        assertEquals(own.keys + "kind", held(PrebindException::class.java))
        assertTypes(own - "retry", PrebindException::class.java)
        assertEquals(json(Retry.entries.map { "$it" }), own.getValue("retry")["values"])
        assertDocumented(own.keys + "kind", "Exceptions.kt", "class PrebindException.*?class Details")
        assertInReadme(own.keys + "kind")
    }

    @Test
    fun `an exception has the fields of its kind`() {
        for (kind in SCHEMA["errors"].values().map { it.asString() }) {
            val own = fields("error").filterValues { kind in kinds(it) }
            val native = NativeException::class.java.classes.single { it.simpleName == kind }
            assertEquals(own.keys, held(native) - "details", kind)
            val ours = Class.forName("prebind.${kind}Exception")
            assertEquals(own.keys, held(ours), kind)
            assertTypes(own, ours)
            assertDocumented(own.keys, "Exceptions.kt", "class ${kind}Exception.*?PrebindException")
            assertInReadme(own.keys)
        }
    }

    private fun fields(list: String) = SCHEMA[list].values().associateBy { it["name"].asString() }

    /** The kinds of error that have a field; none if all have it. */
    private fun kinds(field: JsonNode) = field["kinds"]?.values().orEmpty().map { it.asString() }

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
        val types = TYPES.getValue(field["type"].asString())
        assertTrue(getter.returnType in types, "$name: ${getter.returnType}")
    }

    /** Each property has a comment of its own. */
    private fun assertDocumented(
        names: Set<String>,
        file: String,
        part: String,
    ) {
        val options = setOf(RegexOption.DOT_MATCHES_ALL, RegexOption.MULTILINE)
        val source = Regex(part, options).find(Path("src/main/kotlin/prebind/$file").readText())!!.value
        val documented = COMMENTED.findAll(source).map { snakeCase(it.groupValues[1]) }.toSet()
        assertEquals(emptySet<String>(), names - documented)
    }

    private fun assertInReadme(names: Set<String>) =
        names.forEach { name -> assertTrue("`${camelCase(name)}`" in README, name) }
}

private val COMMENTED = Regex("""\*/\s+public val (\w+)""")

private val README by lazy { Path("../README.md").readText() }

private val NUMBERS =
    setOf(Int::class.javaPrimitiveType, Int::class.javaObjectType, Long::class.javaPrimitiveType)

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
