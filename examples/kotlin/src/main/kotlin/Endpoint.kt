package site

import jakarta.servlet.http.HttpServletRequest
import jakarta.servlet.http.HttpServletResponse
import org.slf4j.LoggerFactory
import org.springframework.web.bind.annotation.RequestMapping
import org.springframework.web.bind.annotation.RestController
import prebind.Client
import prebind.PrebindException
import prebind.WebAnswer
import prebind.WebRequest
import java.security.Principal

/**
 * What the browser asks for a session. Which request gets one, and what each outcome is answered with, the library
 * decides: bindings/web/README.md has the table.
 */
@RestController
class Endpoint(
    private val client: Client,
    private val accounts: Accounts,
    private val people: People,
    private val limit: RateLimit,
) {
    private val log = LoggerFactory.getLogger(javaClass)

    @RequestMapping("/prebind")
    fun answer(
        request: HttpServletRequest,
        response: HttpServletResponse,
        user: Principal?,
    ) {
        // Added, as the site has cookies of its own.
        val answer = answer(request.asked(), user) { response.addHeader("Set-Cookie", it) }
        response.status = answer.status
        answer.headers.forEach(response::setHeader)
        // Not by Spring, which would log the session.
        response.outputStream.write(answer.body.toByteArray())
    }

    /** A failure is the chat's alone: it is logged, and the site goes on. */
    private fun answer(
        asked: WebRequest,
        user: Principal?,
        setCookie: (String) -> Unit,
    ): WebAnswer =
        try {
            asked.refusal(user != null) ?: session(asked, user!!, setCookie)
        } catch (error: PrebindException) {
            log.warn("no chat for {}: {}: {}", user?.name, error.kind, error.message)
            WebAnswer.failed(error)
        } catch (error: Throwable) {
            // Only where: what the site's own code says might repeat a secret.
            log.error("no chat for {}: {}", user?.name, placeOf(error))
            WebAnswer.broken()
        }

    private fun session(
        asked: WebRequest,
        user: Principal,
        setCookie: (String) -> Unit,
    ): WebAnswer {
        val name = user.name
        val jid = accounts.jid(user)
        asked.refusalOf(jid)?.let { return it }
        limit.timeToWait(name)?.let { return WebAnswer.rateLimited(it) }
        asked.complaint(people.boshUrl, "SITE_BOSH_URL")?.let { log.warn("{}: {}", name, it) }
        val credentials = accounts.credentials(user) ?: return WebAnswer.signInAgain()
        val session = client.prebind(asked.fullJid(jid), credentials)
        // Those that lead the browser to the server behind a load balancer that has the session.
        asked.cookies(session, people.boshUrl).forEach(setCookie)
        return WebAnswer.granted(session)
    }
}

/** What an error of the site's own was, for a log. */
fun placeOf(error: Throwable): String = "${error.javaClass.name} at ${error.stackTrace.firstOrNull()}"
