package site

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertLinesMatch
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.extension.ExtendWith
import org.springframework.beans.factory.BeanFactory
import org.springframework.beans.factory.annotation.Autowired
import org.springframework.boot.test.context.SpringBootTest
import org.springframework.boot.test.system.CapturedOutput
import org.springframework.boot.test.system.OutputCaptureExtension

/** What `serve check` says. */
@SpringBootTest
@ExtendWith(OutputCaptureExtension::class)
class CheckTest(
    @param:Autowired private val beans: BeanFactory,
) {
    @Test
    fun `each step of a login is told`(output: CapturedOutput) {
        assertTrue(Check(beans).check("alice"))
        assertLinesMatch(
            """
            settings       http://127\.0\.0\.1:\d+/http-bind \(\d+ ms\)
            user           alice may sign in \(\d+ ms\)
            account        alice@localhost \(\d+ ms\)
            client         the settings are good \(\d+ ms\)
            login          alice@localhost/\S+ \(\d+ ms\)
            mechanism      SCRAM-SHA-1
            round trips    \d
            attach within  \d+ s
            end            the session is gone \(\d+ ms\)
            """.trimIndent().lines(),
            output.out
                .trim()
                .lines()
                .dropWhile { !it.startsWith("settings") },
        )
    }

    @Test
    fun `who is nobody is told`(output: CapturedOutput) {
        assertFalse(Check(beans).check("nobody"))
        assertEquals(
            "user: nobody is called nobody",
            output.out
                .trim()
                .lines()
                .last(),
        )
    }
}
