package prebind

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNotEquals
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows
import tools.jackson.databind.JsonNode
import java.util.Base64
import kotlin.io.path.readText

/** What [ScramKeys.derive] makes, as tests/vectors/scram-derived.json has it. */
class ScramKeysTest {
    private val file: JsonNode = JSON.readTree(ROOT.resolve("tests/vectors/scram-derived.json").readText())

    @Test
    fun `keys are those of the vectors`() {
        for (row in file["derived"].values()) {
            val salt = Base64.getDecoder().decode(row["salt"].asString())
            val keys = derive(row, salt)
            val got = listOf(salt, keys.clientKey, keys.serverKey, keys.storedKey)
            val names = listOf("salt", "client_key", "server_key", "stored_key")
            val encoded = got.map { Base64.getEncoder().encodeToString(it) }
            assertEquals(names.map { row[it].asString() }, encoded, row["name"].asString())
            assertEquals(row["hash"].asString(), keys.hash)
            assertEquals(row["iterations"].asInt(), keys.iterations)
            assertEquals("ScramKeys(${keys.hash}, ***)", keys.toString())
            Credentials.scramKeys(keys)
        }
    }

    @Test
    fun `a salt is drawn anew`() {
        val salts = List(2) { ScramKeys.derive("x", "SHA-256", 4096).salt.decodeToString() }
        assertNotEquals(salts[0], salts[1])
    }

    @Test
    fun `what makes no keys is refused`() {
        for (row in file["refused"].values()) {
            val error = assertThrows<ConfigException> { derive(row, null) }
            assertEquals(row["field"].asString(), error.field)
        }
    }

    private fun derive(
        row: JsonNode,
        salt: ByteArray?,
    ) = ScramKeys.derive(row["password"].asString(), row["hash"].asString(), row["iterations"].asInt(), salt)
}
