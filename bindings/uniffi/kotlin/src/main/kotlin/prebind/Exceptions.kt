package prebind

import java.time.Duration

/**
 * Why there is no session: one class for each kind of error.
 *
 * The message names the cause and the remedy in one sentence. Neither it nor any property holds a password, a
 * token, a SID or a RID.
 */
public sealed class PrebindException(
    details: Details,
) : RuntimeException(details.message) {
    /** The name of the kind, the same in every language: the class's without `Exception`. */
    public val kind: String = javaClass.simpleName.removeSuffix("Exception")

    /**
     * Where in the exchange: `configure` (nothing was sent), `create`, `features`, `authenticate`, `restart`,
     * `bind`, `session` or `terminate`.
     */
    public val stage: String = details.stage

    /** The condition that the server named, for example `not-authorized`. */
    public val condition: String? = details.condition

    /** The server's own words, at most 200 characters, without control characters. */
    public val text: String? = details.text

    /** What may be done next. */
    public val retry: Retry = details.retry

    /** How long to wait before the next call: as the server asks (`Retry-After`), or until other calls have ended. */
    public val retryAfter: Duration? = details.retryAfter

    /** What every kind has, for tests that make errors of their own. */
    public class Details
        @JvmOverloads
        constructor(
            internal val message: String,
            internal val stage: String = "configure",
            internal val condition: String? = null,
            internal val text: String? = null,
            internal val retry: Retry = Retry.NO,
            internal val retryAfter: Duration? = null,
        )
}

/** What may be done after an error. */
public enum class Retry(
    private val text: String,
) {
    /** The same call will fail again. */
    NO("no"),

    /** Only after the operator changed something. */
    AFTER_CONFIG_CHANGE("after-config-change"),

    /** At once, with a fresh session. */
    FRESH_SESSION("fresh-session"),

    /** After a while. */
    LATER("later"),
    ;

    /** Its name in logs and in other languages. */
    override fun toString(): String = text
}

/** A bad URL, JID, credential or option; nothing was sent. */
public class ConfigException(
    details: Details,
    /** The option or argument that is wrong, by its name in the library. */
    public val field: String,
) : PrebindException(details)

/** No connection: name lookup, TCP, TLS, proxy; or it broke. */
public class ConnectException(
    details: Details,
    /** What the connection was doing: `dns`, `tcp`, `tls`, `headers` or `body`. */
    public val phase: String,
) : PrebindException(details)

/** The time was over, or calls fail at once after repeated failures to connect. */
public class TimeoutException(
    details: Details,
    /** What was being waited for: `dns`, `tcp`, `tls`, `headers`, `body`, `derive`; or `queue`, `fail-fast`. */
    public val phase: String,
) : PrebindException(details)

/** The answer is not BOSH: another status, a web page, a redirect. */
public class HttpException(
    details: Details,
    /** The HTTP status. */
    public val status: Int,
    /** Where a redirect leads: scheme, host and path. Redirects are never followed. */
    public val location: String?,
) : PrebindException(details)

/** The answer is not XML, or not what XEP-0124 and XEP-0206 say. */
public class ProtocolException(
    details: Details,
    /** What should have come. */
    public val expected: String,
) : PrebindException(details)

/** The server ended the session; see [condition]. */
public class TerminatedException(
    details: Details,
) : PrebindException(details)

/** No SASL mechanism that both sides accept. */
public class MechanismException(
    details: Details,
    /** What the server offers. */
    public val offered: List<String>,
    /** What credentials and options allow. */
    public val allowed: List<String>,
) : PrebindException(details)

/** The server refused the login; see [condition]. */
public class AuthException(
    details: Details,
) : PrebindException(details)

/** The server did not prove that it knows the account's secret, or was tampered with. */
public class ServerUnverifiedException(
    details: Details,
    /** Which check failed: `nonce`, `salt`, `iterations`, `signature`, `downgrade`, `message`. */
    public val check: String,
) : PrebindException(details)

/** The server refused to bind a resource, or bound a JID of somebody else. */
public class BindException(
    details: Details,
) : PrebindException(details)

/** A defect of this library. */
public class InternalException(
    details: Details,
) : PrebindException(details)
