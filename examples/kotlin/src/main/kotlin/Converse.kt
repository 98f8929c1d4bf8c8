package site

import org.slf4j.LoggerFactory
import org.springframework.stereotype.Component
import prebind.PrebindException
import prebind.WebPage
import java.security.Principal

/** The chat at the end of a page: data, and what is loaded by its address, without a line of script. */
@Component
class Converse(
    private val people: People,
    private val accounts: Accounts,
) {
    private val log = LoggerFactory.getLogger(javaClass)

    /** For a user who is not signed in, the elements clear away the chat of the user before. */
    fun html(
        user: Principal?,
        nonce: String,
    ): String =
        WebPage(
            user?.let(::jidOf),
            "/prebind",
            people.boshUrl,
            "/prebind/chat.js",
            "/converse/",
            nonce,
        ).html()

    /** The site goes on without chat for a user who cannot have a JID, whatever is thrown. */
    private fun jidOf(user: Principal): String? =
        try {
            accounts.jid(user)
        } catch (error: PrebindException) {
            log.warn("the page has no chat: {}", error.message)
            null
        } catch (error: Throwable) {
            log.error("the page has no chat: {}", placeOf(error))
            null
        }
}
