package site

import jakarta.servlet.http.HttpServletRequest
import org.springframework.stereotype.Component
import java.net.URI
import java.time.Instant

/** What a page may call itself: nothing that means anything in a JID, in XML or in a log. */
val PAGE = Regex("[A-Za-z0-9-]{0,64}")

/**
 * Whether a page of this site asks.
 *
 * Browsers say so in `Sec-Fetch-Site`; over plain http, and older ones, in `Origin` or `Referer`.
 * Whoever says nothing is refused, for a foreign page can choose to.
 */
fun HttpServletRequest.isFromThisSite(): Boolean {
    getHeader("Sec-Fetch-Site")?.let { return it == "same-origin" }
    val page = getHeader("Origin") ?: getHeader("Referer") ?: return false
    return originOf(page) == originOf(requestURL.toString())
}

private fun originOf(address: String): Triple<String, String, Int>? =
    runCatching { URI(address).toURL() }.getOrNull()?.let {
        Triple(it.protocol, it.host.lowercase(), if (it.port < 0) it.defaultPort else it.port)
    }

/**
 * Counts the sessions of each user, 30 in a minute.
 *
 * A user opens one with each tab, and one every few seconds while the chat server restarts.
 */
@Component
class RateLimit {
    private val opened = HashMap<String, Int>()
    private var minute = 0L

    /** Counts one more; how many seconds the user has to wait for it, or null. */
    @Synchronized
    fun secondsToWait(
        name: String,
        now: Instant = Instant.now(),
    ): Long? {
        val (nowMinute, second) = now.epochSecond.let { it / 60 to it % 60 }
        if (nowMinute != minute) {
            minute = nowMinute
            opened.clear()
        }
        val count = opened.merge(name, 1, Int::plus)!!
        return if (count > 30) 60 - second else null
    }
}
