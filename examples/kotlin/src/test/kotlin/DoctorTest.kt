package site

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertLinesMatch
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.extension.ExtendWith
import org.springframework.beans.factory.BeanFactory
import org.springframework.beans.factory.annotation.Autowired
import org.springframework.boot.test.context.SpringBootTest
import org.springframework.boot.test.system.CapturedOutput
import org.springframework.boot.test.system.OutputCaptureExtension

/** What `serve doctor` says. */
@SpringBootTest
@ExtendWith(OutputCaptureExtension::class)
class DoctorTest(
    @param:Autowired private val beans: BeanFactory,
) {
    @Test
    fun `each check of a user is told`(output: CapturedOutput) {
        assertEquals(0, Doctor(beans).examine("alice"))
        val lines =
            output.out
                .trimEnd()
                .lines()
                .dropWhile { !it.startsWith(" 1 site") }
        assertEquals(14, lines.size)
        assertLinesMatch(
            listOf(
                " 3 account      alice@localhost, with password \\(\\d+ ms\\)",
                " 4 users        no two of \\d+ users share a chat account \\(\\d+ ms\\)",
                " 5 page         Converse\\.js is public/converse/converse\\.min\\.js \\(\\d+ ms\\)",
                " 6 browser_url  warning: http://127\\.0\\.0\\.1:\\d+/http-bind is on this machine: .*",
                " 7 reached      a chat server answers this machine \\(\\d+ ms\\)",
                " 8 rate_limit   not tried: the site counts sessions itself",
                " 9 client       http://127\\.0\\.0\\.1:\\d+/http-bind, and the settings are good \\(\\d+ ms\\)",
                "10 login        alice@localhost/\\S+, by SCRAM-SHA-1, in \\d round trips; .* \\(\\d+ ms\\)",
                "11 end          the session is gone \\(\\d+ ms\\)",
            ),
            lines.subList(2, 11),
        )
    }

    @Test
    fun `a user whom nobody knows is told`(output: CapturedOutput) {
        assertEquals(1, Doctor(beans).examine("nobody"))
        assertTrue(output.out.contains(" 3 account      error: nobody is signed in: give the JID of a user"))
    }
}
