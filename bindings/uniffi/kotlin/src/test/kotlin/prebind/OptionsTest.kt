package prebind

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.DynamicTest.dynamicTest
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.TestFactory
import org.junit.jupiter.api.assertThrows
import prebind.uniffi.Value
import tools.jackson.databind.JsonNode
import java.time.Duration
import kotlin.io.path.Path
import kotlin.io.path.readText

/** Options and credentials: names, types, defaults, and what is wrong with them. */
class OptionsTest {
    @TestFactory
    fun good(): List<DynamicTest> =
        shared("good").map { (name, value, set) ->
            dynamicTest("$name = $value") { Client(URL, set).close() }
        }

    @TestFactory
    fun bad(): List<DynamicTest> =
        (shared("bad") + NATIVE_BAD).map { (name, value, set) ->
            dynamicTest("$name = $value") {
                val error = assertThrows<ConfigException> { Client(URL, set) }
                assertEquals(name, error.field, error.message)
                assertEquals(VALUES["refused"], json(details(error) - setOf("text", "retry_after")))
            }
        }

    @Test
    fun `each option is tried`() {
        assertEquals(OPTIONS.keys.toList(), shared("good").map { it.first }.distinct())
        assertTrue(shared("bad").map { it.first }.distinct().size > OPTIONS.size - 3)
    }

    @Test
    fun `there is a property for each option`() {
        val properties =
            Options::class.java.methods
                .filter { it.name.startsWith("set") }
                .associate { snakeCase(it.name.removePrefix("set")) to it.parameterTypes.single() }
        assertEquals(OPTIONS.keys, properties.keys)
        for ((name, option) in OPTIONS) {
            val type = properties.getValue(name)
            val wanted = TYPES[option["type"].asString()]
            assertEquals(wanted ?: option["values"], if (wanted == null) json(names(type)) else type, name)
        }
    }

    @Test
    fun `the default of each option is documented`() {
        val source = Path("src/main/kotlin/prebind/Options.kt").readText()
        val comments =
            COMMENT.findAll(source).associate {
                val (comment, name) = it.destructured
                name to comment.replace(LINE_BREAK, " ")
            }
        for ((name, option) in OPTIONS) {
            val comment = comments.getValue(camelCase(name))
            val said = DEFAULT.findAll(comment).map { it.groupValues[1] }.toList()
            val default = inWords(option, option["default"])
            val isUnsaid = default == "none" && said.isEmpty()
            assertEquals(if (isUnsaid) emptyList() else listOf(default), said, "$name: $comment")
        }
    }

    @Test
    fun `there are credentials for each argument`() {
        val bytes = ByteArray(1)
        val given =
            listOf(
                Credentials.password("x"),
                Credentials.token("x"),
                Credentials.jwt(Jwt("x")),
                Credentials.oauthbearer("x"),
                Credentials.xOauth2("x"),
                Credentials.xOauth2Issuer("https://a/api", "a@b", "x"),
                Credentials.anonymous(),
                Credentials.external(),
                Credentials.raw("X", "x"),
                Credentials.scramKeys("SHA-1", bytes, 1, bytes, bytes),
                Credentials.scramSaltedPassword("SHA-1", bytes, 1, bytes),
                Credentials
                    .fast("x")
                    .authcid("x")
                    .authzid("x")
                    .nickname("x"),
            ).map { it.native() }.reduce { all, more -> all + more }
        val arguments = SCHEMA["credentials"].values().associateBy { it["name"].asString() }
        assertEquals(arguments.keys, given.keys)
        for ((name, argument) in arguments.filterValues { it.has("fields") }) {
            val fields = (given.getValue(name) as Value.Fields).v1.keys
            val names = listOfNotNull(argument["fields"], argument["optional_fields"]).flatMap { it.values() }
            assertEquals(names.map { it.asString() }.toSet(), fields)
        }
    }

    private companion object {
        val VALUES: JsonNode = JSON.readTree(ROOT.resolve("tests/vectors/options.json").readText())
        val URL: String = VALUES["url"].asString()

        /** What has no value in JSON. */
        val NATIVE_BAD =
            listOf(Duration.ofSeconds(-1), Duration.ofSeconds(Long.MAX_VALUE), Duration.ofHours(2)).map {
                Triple("deadline", it.toString(), { options: Options -> options.deadline = it })
            }

        /** The type of a property, by its option's type; that of a choice is an enum. */
        val TYPES =
            mapOf(
                "flag" to Boolean::class.javaObjectType,
                "count" to Int::class.javaObjectType,
                "range" to IntRange::class.java,
                "seconds" to Duration::class.java,
                "text" to String::class.java,
                "pem" to String::class.java,
                "certificate" to ClientCertificate::class.java,
                "headers" to Map::class.java,
                "record" to Accounts::class.java,
            )

        val COMMENT = Regex("""/\*\*((?:(?!\*/)[\s\S])*)\*/\s*public var (\w+):""")
        val LINE_BREAK = Regex("""\s*\n\s*(\* )?""")
        val DEFAULT = Regex("""\bDefault (.+?)(?:[.,;:]\s|\.?\s*$)""")

        /** The name and the value of each row that Kotlin can express, and what sets it. */
        fun shared(kind: String): List<Triple<String, String, (Options) -> Unit>> =
            VALUES["options"].properties().flatMap { (name, values) ->
                values[kind].values().mapNotNull { value ->
                    setting(name, value)?.let { Triple(name, value.toString().take(60), it) }
                }
            }

        fun names(type: Class<*>) = type.enumConstants.map { it.toString() }

        fun inWords(
            option: JsonNode,
            default: JsonNode,
        ): String =
            when {
                default.isNull || default.isObject -> "none"
                default.isBoolean -> if (default.asBoolean()) "yes" else "no"
                default.isArray -> default.values().joinToString(" to ") { inWords(option, it) }
                option["type"].asString() == "seconds" -> "${default.asInt()} s"
                default.isNumber -> "%,d".format(default.asInt())
                option["type"].asString() == "choice" -> link(option["name"].asString(), default.asString())
                else -> "`${default.asString()}`"
            }

        /** The constant of that name, as KDoc refers to it. */
        fun link(
            name: String,
            constant: String,
        ): String {
            val type = setter(name).parameterTypes.single()
            val found = type.enumConstants.single { it.toString() == constant } as Enum<*>
            return "[${type.simpleName}.${found.name}]"
        }
    }
}
