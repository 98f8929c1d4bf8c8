package prebind

import com.fasterxml.jackson.annotation.JsonIncludeProperties
import prebind.uniffi.webExtras
import java.time.Duration
import prebind.uniffi.Cookie as NativeCookie
import prebind.uniffi.Session as NativeSession

/**
 * An authenticated session, ready for a browser to attach to.
 *
 * Anyone with SID and RID has the session: [toString] hides them. As JSON, by [toJson] or by Jackson, it is
 * exactly what browser clients ask for: `{"jid", "sid", "rid"}`.
 *
 * Only [Client] has more to give than these three; a session that was stored is made of them.
 */
@JsonIncludeProperties("jid", "sid", "rid")
public class Session private constructor(
    /** The full JID the server bound. */
    public val jid: String,
    /** The session ID. */
    public val sid: String,
    /** The request ID to send next: what Strophe's and Converse's `attach` take. */
    public val rid: Long,
    internal val native: NativeSession?,
) {
    /** A session that was stored. */
    public constructor(jid: String, sid: String, rid: Long) : this(jid, sid, rid, null)

    internal constructor(it: NativeSession) : this(it.jid, it.sid, it.rid.toLong(), it)

    /** The request ID that was sent last, for clients that add one themselves. */
    public val lastRid: Long get() = rid - 1

    /** Within which the browser must attach. Null if the server did not say. */
    public val inactivity: Duration? = native?.inactivity

    /** How long the server may hold a request. */
    public val wait: Duration? = native?.wait

    /** How many requests the server may hold. */
    public val hold: Int? = native?.hold?.toInt()

    /** How many requests may be open at once. Null if the server did not say. */
    public val requests: Int? = native?.requests?.toInt()

    /** The SASL mechanism that was used. */
    public val mechanism: String? = native?.mechanism

    /** How many times a request was sent and its answer waited for. */
    public val roundTrips: Int? = native?.roundTrips?.toInt()

    /**
     * The cookies that a load balancer in front of the server set. Where the browser reaches the server
     * through it, it must present them too.
     */
    public val cookies: List<Cookie> = native?.cookies.orEmpty().map(::Cookie)

    /**
     * The token to log in with next time, to be kept for this account as carefully as a password: a new one,
     * or that of this login if the server did not replace it. Null if there is none, or no longer; forget
     * the kept one then.
     */
    public val fastToken: String? = native?.fastToken

    /**
     * Exactly `jid`, `sid` and `rid`: what browser clients ask for.
     *
     * [extras] are further values for clients that want them: `last_rid`, `wait`, `inactivity`, in seconds.
     *
     * @throws IllegalArgumentException for any other name
     */
    public fun toMap(vararg extras: String): Map<String, Any?> {
        webExtras("extras", extras.toList())?.let { throw IllegalArgumentException(it) }
        val all =
            mapOf("last_rid" to lastRid, "wait" to wait?.toSeconds(), "inactivity" to inactivity?.toSeconds())
        return mapOf("jid" to jid, "sid" to sid, "rid" to rid) + extras.associateWith(all::getValue)
    }

    /** [toMap] as JSON. */
    public fun toJson(vararg extras: String): String =
        toMap(*extras).entries.joinToString(",", "{", "}") { (name, value) ->
            "${quoted(name)}:${if (value is String) quoted(value) else value}"
        }

    /** Whether it is the same session, with the same RID. */
    override fun equals(other: Any?): Boolean = other is Session && toMap() == other.toMap()

    override fun hashCode(): Int = toMap().hashCode()

    /** Without SID, RID, cookies and token. */
    override fun toString(): String = "Session(jid=$jid, mechanism=$mechanism, inactivity=$inactivity)"
}

/** A cookie that a load balancer in front of the server set. */
public class Cookie internal constructor(
    internal val native: NativeCookie,
) {
    /** Its name. */
    public val name: String = native.name

    /** Its value. */
    public val value: String = native.value

    /** The path for which it was set; empty if the balancer gave none. */
    public val path: String = native.path

    /** Without its value. */
    override fun toString(): String = "Cookie($name)"
}

private fun quoted(text: String) =
    text.asIterable().joinToString("", "\"", "\"") {
        if (it < ' ' || it in "\"\\") "\\u%04x".format(it.code) else it.toString()
    }
