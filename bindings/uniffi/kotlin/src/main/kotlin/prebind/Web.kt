package prebind

import prebind.uniffi.webBroken
import prebind.uniffi.webDeadline
import prebind.uniffi.webFailed
import prebind.uniffi.webGranted
import prebind.uniffi.webHeaders
import prebind.uniffi.webRateLimited
import prebind.uniffi.webScriptHeaders
import prebind.uniffi.webSignInAgain
import java.time.Duration
import prebind.uniffi.WebAnswer as NativeAnswer
import prebind.uniffi.WebPage as NativePage
import prebind.uniffi.WebRequest as NativeRequest

// The rules of a site's endpoint, which are the same in every language: bindings/web/README.md has the table.

/** How long a login of a web site may take, unless the site has a reason for another [Options.deadline]. */
public val WEB_DEADLINE: Duration = webDeadline()

/**
 * What the browser asked a site's endpoint for sessions.
 *
 * @param scheme the one that the web framework believes, with whatever proxy it trusts
 * @param host likewise; with the port if the framework was told one
 * @param port where the web server accepted the connection
 * @param query the address after its `?`, as it came
 * @param header the value of a header, or null if it is not there
 */
public class WebRequest(
    method: String,
    scheme: String,
    host: String,
    port: Int?,
    query: String?,
    header: (String) -> String?,
) {
    private val native =
        translating {
            NativeRequest(method, scheme, host, port?.toUShort(), known(header), query.orEmpty())
        }

    /** The answer to a request that gets no session for any user; null if it may have one. */
    public fun refusal(isSignedIn: Boolean): WebAnswer? = native.refusal(isSignedIn)?.let(::WebAnswer)

    /**
     * The answer if the user with this bare JID gets no session; null if they may have one. No JID, or an empty
     * one, is a user without chat.
     */
    public fun refusalOf(jid: String?): WebAnswer? = translating { native.refusalOf(jid) }?.let(::WebAnswer)

    /** The JID to log in with: the page's name is the resource, if it has one. */
    public fun fullJid(jid: String): String = translating { native.fullJid(jid) }

    /**
     * What to log if the browser did not reach the chat server in the page's last session: at which address, and
     * what the site calls the setting that has it.
     */
    public fun complaint(
        boshUrl: String,
        setting: String,
    ): String? = native.complaint(boshUrl, setting)

    /**
     * The `Set-Cookie` headers that go with a session, one for each of its cookies: they lead the browser to the
     * server that has it. There are none if the browser reaches the BOSH endpoint, [boshUrl], at another host than
     * the site's.
     */
    public fun cookies(
        session: Session,
        boshUrl: String,
    ): List<String> = cookies(session.cookies, boshUrl)

    internal fun cookies(
        cookies: List<Cookie>,
        boshUrl: String,
    ): List<String> = native.cookies(boshUrl, cookies.map { it.native })

    private companion object {
        val HEADERS = webHeaders()

        fun known(header: (String) -> String?) =
            HEADERS.mapNotNull { name -> header(name)?.let { name to it } }.toMap()
    }
}

/** What the browser, or a chat server, is answered. */
public class WebAnswer internal constructor(
    answer: NativeAnswer,
) {
    /** The HTTP status. */
    public val status: Int = answer.status.toInt()

    /** All headers. They replace what the framework has set by itself. */
    public val headers: Map<String, String> = answer.headers

    /** JSON; for some chat servers plain text. */
    public val body: String = answer.body

    /** Without the body, which may be a session. */
    override fun toString(): String = "WebAnswer($status)"

    /** An answer for each outcome. */
    public companion object {
        /** The session, with what [Session.toMap] takes besides. */
        @JvmStatic
        public fun granted(
            session: Session,
            vararg extras: String,
        ): WebAnswer = WebAnswer(webGranted(session.toJson(*extras)))

        /** The user has opened too many sessions, and has to wait so long. */
        @JvmStatic
        public fun rateLimited(wait: Duration): WebAnswer = WebAnswer(webRateLimited(wait))

        /** The user's sign-in at an identity provider has expired, and the site cannot renew it. */
        @JvmStatic
        public fun signInAgain(): WebAnswer = WebAnswer(webSignInAgain())

        /** The chat server, or the way to it, has failed. */
        @JvmStatic
        public fun failed(error: PrebindException): WebAnswer =
            WebAnswer(webFailed(error.kind, error.retry.toString(), error.retryAfter))

        /** The site's own code has failed. */
        @JvmStatic
        public fun broken(): WebAnswer = WebAnswer(webBroken())

        /** The headers of the page's script, under the address of its own version or under another. */
        @JvmStatic
        public fun scriptHeaders(isOwnVersion: Boolean): Map<String, String> = webScriptHeaders(isOwnVersion)
    }
}

/**
 * The end of a page: the chat of the user who is signed in. For everyone else, what clears away the chat of the
 * user before.
 *
 * @param jid the user's bare JID; null or empty for nobody, and for a user without chat
 * @param endpoint where the site answers requests for a session
 * @param boshUrl the BOSH endpoint as the browser reaches it
 * @param script the address of the page's script
 * @param assets the address of Converse.js's `dist`, ending in `/`; empty if the pages load Converse.js, or another
 *   client, themselves
 * @param nonce the nonce of the page's Content-Security-Policy; empty if it has none
 * @param settings further settings of Converse.js: a JSON object, or nothing
 */
public class WebPage
    @JvmOverloads
    constructor(
        jid: String?,
        endpoint: String,
        boshUrl: String,
        script: String,
        assets: String,
        nonce: String = "",
        settings: String = "",
    ) {
        private val native =
            NativePage(jid.orEmpty(), endpoint, boshUrl, script, assets, nonce, settings)

        /**
         * The elements, as HTML.
         *
         * @throws ConfigException if the page could not work
         */
        public fun html(): String = translating { native.html() }

        /**
         * The names among the settings that a site must not set. The page goes without them.
         *
         * @throws ConfigException if the settings are no JSON object
         */
        public fun reserved(): List<String> = translating { native.reserved() }
    }
