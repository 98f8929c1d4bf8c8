package site

import jakarta.servlet.http.HttpServletRequest
import org.springframework.stereotype.Component
import prebind.WebRequest
import java.time.Duration
import java.time.Instant

/** The request as the library takes it, with the scheme and the host that Spring believes. */
fun HttpServletRequest.asked(): WebRequest {
    val isDefault = serverPort == if (isSecure) 443 else 80
    val host = if (isDefault) serverName else "$serverName:$serverPort"
    return WebRequest(method, scheme, host, localPort, queryString, ::getHeader)
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

    /** Counts one more; how long the user has to wait for it, or null. */
    @Synchronized
    fun timeToWait(
        name: String,
        now: Instant = Instant.now(),
    ): Duration? {
        val (nowMinute, second) = now.epochSecond.let { it / 60 to it % 60 }
        if (nowMinute != minute) {
            minute = nowMinute
            opened.clear()
        }
        val count = opened.merge(name, 1, Int::plus)!!
        return if (count > 30) Duration.ofSeconds(60 - second) else null
    }
}
