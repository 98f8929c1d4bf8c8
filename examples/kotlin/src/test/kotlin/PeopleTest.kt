package site

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Test
import org.springframework.mock.env.MockEnvironment
import tools.jackson.module.kotlin.jacksonMapperBuilder

class PeopleTest {
    private val settings = MockEnvironment().withProperty("SITE_BOSH_URL", "http://127.0.0.1/http-bind")

    @Test
    fun `who is who is given`() {
        settings.setProperty(
            "SITE_USERS",
            """{"alice": {"password": "site", "xmpp_password": "chat", "jid": ""}}""",
        )
        val alice = people()["alice"]
        assertEquals(listOf("site", "chat"), listOf(alice.password, alice.xmppPassword))
    }

    @Test
    fun `what is no JSON is told without a word of it`() {
        settings.setProperty("SITE_USERS", """{"alice": secret}""")
        val error = assertThrows(SettingsException::class.java, ::people)
        assertEquals("SITE_USERS is not what README.md says", error.message)
        assertNull(error.cause)
    }

    @Test
    fun `nothing given is told`() {
        val error = assertThrows(SettingsException::class.java, ::people)
        assertEquals("neither PREBIND_SERVERS is set, nor SITE_BOSH_URL and SITE_USERS", error.message)
    }

    private fun people() = People(settings, jacksonMapperBuilder().build())
}
