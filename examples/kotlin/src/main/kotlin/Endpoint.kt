package site

import jakarta.servlet.http.HttpServletRequest
import org.slf4j.LoggerFactory
import org.springframework.http.CacheControl
import org.springframework.http.MediaType.APPLICATION_JSON
import org.springframework.http.ResponseEntity
import org.springframework.web.bind.annotation.RequestMapping
import org.springframework.web.bind.annotation.RequestParam
import org.springframework.web.bind.annotation.RestController
import prebind.Client
import prebind.PrebindException
import java.security.Principal

/**
 * What the browser asks for a session.
 *
 * | status | kind | |
 * |---|---|---|
 * | 200 | | a fresh session, each time: `{"jid", "sid", "rid"}` |
 * | 400 | `Page` | `?page=` is not up to 64 letters, digits and hyphens |
 * | 401 | `NotLoggedIn` | never a redirect to a login page |
 * | 403 | `CrossOrigin` | no page of this site asks |
 * | 405 | `Method` | |
 * | 429 | `RateLimit` | with `Retry-After`, in seconds |
 * | 503 | an error's kind | no chat at the moment; the reason is logged |
 */
@RestController
class Endpoint(
    private val client: Client,
    private val accounts: Accounts,
    private val limit: RateLimit,
) {
    private val log = LoggerFactory.getLogger(javaClass)

    /**
     * [page] is what the page calls itself. It becomes the resource of its sessions: a page whose
     * session was lost gets its JID again, and throws out what the server may still have of the
     * lost one.
     */
    @RequestMapping("/prebind")
    fun answer(
        request: HttpServletRequest,
        user: Principal?,
        @RequestParam(defaultValue = "") page: String,
    ): ResponseEntity<Any> =
        when {
            request.method != "GET" -> refused(405, "Method", "no", "Allow" to "GET")
            user == null -> refused(401, "NotLoggedIn")
            !request.isFromThisSite() -> refused(403, "CrossOrigin")
            !PAGE.matches(page) -> refused(400, "Page")
            else -> limited(user.name) ?: opened(user.name, page)
        }

    private fun limited(name: String): ResponseEntity<Any>? =
        limit.secondsToWait(name)?.let { refused(429, "RateLimit", "later", "Retry-After" to "$it") }

    private fun opened(
        name: String,
        page: String,
    ): ResponseEntity<Any> =
        try {
            val jid = accounts.jid(name) + if (page.isEmpty()) "" else "/$page"
            // As JSON it has exactly the three values, and as text, in Spring's log, no secret.
            answered(200, client.prebind(jid, accounts.credentials(name)))
        } catch (error: PrebindException) {
            // A failure is the chat's alone: it is logged, and the site goes on.
            log.warn("no chat for {}: {}: {}", name, error.kind, error.message)
            refused(503, error.kind, error.retry.toString())
        } catch (error: Exception) {
            // Only where: what the site's own code says might repeat a secret.
            log.error("no chat for {}: {}", name, placeOf(error))
            refused(503, "Internal")
        }

    private fun refused(
        status: Int,
        kind: String,
        retry: String = "no",
        vararg headers: Pair<String, String>,
    ): ResponseEntity<Any> = answered(status, mapOf("kind" to kind, "retry" to retry), *headers)

    private fun answered(
        status: Int,
        content: Any,
        vararg headers: Pair<String, String>,
    ): ResponseEntity<Any> =
        ResponseEntity
            .status(status)
            .cacheControl(CacheControl.noStore())
            .varyBy("Cookie")
            .header("X-Content-Type-Options", "nosniff")
            .headers { all -> headers.forEach { (name, value) -> all.set(name, value) } }
            .contentType(APPLICATION_JSON)
            .body(content)
}

/** What an error of the site's own was, for a log. */
fun placeOf(error: Throwable): String = "${error.javaClass.name} at ${error.stackTrace.firstOrNull()}"
