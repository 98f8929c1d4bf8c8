package site

import org.slf4j.LoggerFactory
import org.springframework.stereotype.Component
import prebind.PrebindException
import tools.jackson.databind.json.JsonMapper

/** What a page tells Converse.js: data, without a line of script in it. */
@Component
class Converse(
    private val people: People,
    private val accounts: Accounts,
    private val json: JsonMapper,
) {
    private val log = LoggerFactory.getLogger(javaClass)

    /**
     * What is to be in the element `#prebind-converse`: `null` for who is not signed in, and so that
     * the page clears away the chat of the one before.
     */
    fun settings(name: String?): String =
        json
            .writeValueAsString(name?.let(::jidOf)?.let(::settingsOf))
            // What would end the element.
            .replace("<", "\\u003c")
            .replace(">", "\\u003e")
            .replace("&", "\\u0026")

    /** The site goes on without chat for a user who cannot have a JID. */
    private fun jidOf(name: String): String? =
        try {
            accounts.jid(name)
        } catch (error: PrebindException) {
            log.warn("the page has no chat: {}", error.message)
            null
        }

    private fun settingsOf(jid: String) =
        mapOf(
            "view_mode" to "overlayed",
            // No `websocket_url`: Converse would prefer it, and there is nothing to attach to there.
            "authentication" to "prebind",
            "prebind_url" to "/prebind",
            "bosh_service_url" to people.boshUrl,
            // The user's own: otherwise Converse takes up the session of whoever was here before.
            "jid" to jid,
            "auto_login" to true,
            "keepalive" to true,
            "assets_path" to "/converse/",
        )
}
