package site

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.springframework.mock.web.MockHttpServletRequest
import java.time.Duration
import java.time.Instant

class GuardTest {
    @Test
    fun `a page of this site is told from others by what browsers say`() {
        assertTrue(asks("Sec-Fetch-Site" to "same-origin"))
        assertTrue(asks("Origin" to "https://shop.example.org"))
        assertTrue(asks("Referer" to "https://SHOP.example.org:443/cart?x=1"))
        for (foreign in listOf("cross-site", "same-site", "none", "")) {
            assertFalse(asks("Sec-Fetch-Site" to foreign, "Referer" to "https://shop.example.org/"))
        }
        for (foreign in listOf(
            "http://shop.example.org",
            "https://shop.example.org:444",
            "https://shop.example.org.evil.example",
            "https://shop.example.org@evil.example",
            "null",
            "",
        )) {
            assertFalse(asks("Origin" to foreign), foreign)
            assertFalse(asks("Referer" to foreign), foreign)
        }
        assertFalse(asks())
    }

    private fun asks(vararg headers: Pair<String, String>) =
        MockHttpServletRequest("GET", "/prebind")
            .apply {
                scheme = "https"
                serverName = "shop.example.org"
                serverPort = 443
                for ((name, value) in headers) addHeader(name, value)
            }.asked()
            .refusal(true) == null

    @Test
    fun `thirty sessions a minute, for each user`() {
        val limit = RateLimit()
        val start = Instant.EPOCH
        repeat(30) { assertNull(limit.timeToWait("alice", start)) }
        assertEquals(Duration.ofSeconds(40), limit.timeToWait("alice", start.plusSeconds(20)))
        assertNull(limit.timeToWait("bob", start.plusSeconds(20)))
        assertNull(limit.timeToWait("alice", start.plusSeconds(60)))
    }
}
