package prebind

import com.sun.jna.Platform
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNotNull
import org.junit.jupiter.api.Test
import kotlin.io.path.Path
import kotlin.io.path.listDirectoryEntries
import kotlin.io.path.readLines

/** What is in the jar. */
class PackageTest {
    @Test
    fun `the library is where JNA looks for it`() {
        val library = "/${Platform.RESOURCE_PREFIX}/${System.mapLibraryName("prebind_uniffi")}"
        assertNotNull(Client::class.java.getResource(library), library)
    }

    @Test
    fun `everything public is described`() {
        val undescribed =
            Path("src/main/kotlin/prebind").listDirectoryEntries("*.kt").flatMap { file ->
                val lines = file.readLines().map { it.trim() }.filterNot { it.startsWith("@") }
                lines.zipWithNext().filter { (above, line) -> isDeclared(line) && !above.endsWith("*/") }
            }
        assertEquals(emptyList<Any>(), undescribed)
    }

    private fun isDeclared(line: String) =
        Regex("public .*(class|fun|val|var|object|constructor)\\b.*").matches(line)
}
