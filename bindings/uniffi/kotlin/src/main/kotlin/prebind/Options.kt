package prebind

import java.time.Duration
import kotlin.properties.ReadWriteProperty
import kotlin.reflect.KProperty

/**
 * The options of a [Client]. Those that are not set have the library's defaults, and are null here.
 * Certificates and keys are PEM itself, not the path of a file. The JVM's system properties set no proxy.
 */
public class Options {
    internal val given = mutableMapOf<String, Any?>()

    // Generated from the core's options by `PREBIND_UPDATE_DOCS=1 cargo test -p prebind --lib`.

    /** The language of the server's messages (`xml:lang` of the session). Default `en`, null for none. */
    public var lang: String? by Option()

    /**
     * How many seconds the server may hold a request; this also applies to the browser, and many proxies cut
     * requests held longer than 60 s. Default 55.
     */
    public var wait: Int? by Option()

    /** How many requests the server may hold; browser clients expect 1. Default 1. */
    public var hold: Int? by Option()

    /** Where a separate connection manager finds the XMPP server, for example `xmpp:example.org:9999`. */
    public var route: String? by Option()

    /**
     * The resource to ask for if the JID has none; without it the server makes a new one each time, so that
     * tabs do not throw each other out.
     */
    public var resource: String? by Option()

    /** The weakest mechanism a password may be used with. Default [PasswordMechanism.PLAIN]. */
    public var weakestMechanism: PasswordMechanism? by Option()

    /** Whether to use the obsolete DIGEST-MD5 with a server that has no SCRAM. Default no. */
    public var digestMd5: Boolean? by Option()

    /** Whether to send a password or token over plain http to another machine. Default no. */
    public var allowCleartext: Boolean? by Option()

    /**
     * Whether to log in by SASL2, where the server offers it, and to ask for a token that replaces the
     * password in later calls, [Session.fastToken] (FAST, XEP-0484; Prosody has it from version 13 on).
     * Default no.
     */
    public var fastTokens: Boolean? by Option()

    /** The fewest and the most SCRAM iterations a server may ask for. Default 4,096 to 600,000. */
    public var iterations: IntRange? by Option()

    /**
     * How many users' SCRAM keys, but not passwords, to cache from a login that succeeds until one with them
     * fails, so that they need not be derived at each login; 0 caches none. Default 1,000.
     */
    public var scramCache: Int? by Option()

    /**
     * Who makes an account on the chat server for each user who logs in with a token and has none: the JID
     * and password of an administrator, and for ejabberd the `url` of its HTTP API; with a `group`, each user
     * joins that shared roster group.
     */
    public var accounts: Accounts? by Option()

    /** HTTP headers to add to every request. */
    public var headers: Map<String, String>? by Option()

    /** CA certificates to trust instead of the operating system's. */
    public var ca: String? by Option()

    /**
     * The client certificate to present to the server, with those that lead to its authority, and its private
     * key.
     */
    public var clientCertificate: ClientCertificate? by Option()

    /** The `http://`, `https://` or `socks5://` address of a proxy; environment variables are ignored. */
    public var proxy: String? by Option()

    /** Which addresses of the host to use. Default [IpFamily.ANY]. */
    public var ipFamily: IpFamily? by Option()

    /** How long a call may take in all, including ending the session after a failure. Default 5 s. */
    public var deadline: Duration? by Option()

    /** How long a name lookup may take. Default 2 s. */
    public var resolveTimeout: Duration? by Option()

    /** How long TCP and TLS may take to connect. Default 2 s. */
    public var connectTimeout: Duration? by Option()

    /** How long one request may take. Default 5 s. */
    public var requestTimeout: Duration? by Option()

    /**
     * How many calls may open a session at once in each process; a call beyond that waits for up to half of
     * its [deadline], then fails. Default 32.
     */
    public var maxCalls: Int? by Option()

    /**
     * How many requests this process of a web site serves at once, 1 for a sync worker of gunicorn or 5 for a
     * process of Puma with five threads; the processes with the same parent then open sessions with no more
     * than half of their workers, beyond which a call fails at once, and share what they know of a server
     * that is away; 0 if this is no web site. Default 0.
     */
    public var workers: Int? by Option()

    /**
     * How many calls may open a session at once on this machine, in all processes of this user that set this
     * or [workers] for this URL, instead of half of the workers; 0 for half of the workers. Default 0.
     */
    public var maxHostCalls: Int? by Option()

    /**
     * How many calls, and at least half of the latest, must time out or fail to connect before calls fail at
     * once for [failFastFor]; 0 turns this off. Default 3.
     */
    public var failFastAfter: Int? by Option()

    /**
     * How long calls fail at once before one of them tries the server again; the pause doubles, up to a
     * minute, while it is not reached. Default 5 s.
     */
    public var failFastFor: Duration? by Option()

    /** The most bytes of one reply. Default 262,144. */
    public var maxReply: Int? by Option()

    /**
     * Whether to use the shorter exchange, one to four round trips instead of four or five, once this server
     * has proved to support it. Default yes.
     */
    public var learn: Boolean? by Option()

    /**
     * How long, at most, to stay with the full exchange after a shorter one failed again and again. Default
     * 600 s.
     */
    public var relearnAfter: Duration? by Option()

    /**
     * What an earlier client of this URL learned, as [Client.profile] gave it; an unusable profile is
     * ignored.
     */
    public var profile: String? by Option()

    // End of the generated options.

    /** The names of those that are set. */
    override fun toString(): String = "Options${given.keys}"

    private class Option<T> : ReadWriteProperty<Options, T?> {
        private var value: T? = null

        override fun getValue(
            thisRef: Options,
            property: KProperty<*>,
        ) = value

        override fun setValue(
            thisRef: Options,
            property: KProperty<*>,
            value: T?,
        ) {
            this.value = value
            thisRef.given[property.name.replace(CAPITAL) { "_" + it.value.lowercase() }] = value
        }
    }

    private companion object {
        val CAPITAL = Regex("[A-Z]")
    }
}

/** A mechanism that logs in with a password; each is stronger than the one before. */
public enum class PasswordMechanism {
    /** PLAIN (RFC 4616): the server learns the password. */
    PLAIN,

    /** DIGEST-MD5 (RFC 2831), where [Options.digestMd5] allows it. */
    DIGEST_MD5,

    /** SCRAM-SHA-1 (RFC 5802): the server learns nothing and proves itself. */
    SCRAM_SHA_1,

    /** SCRAM-SHA-256 (RFC 7677). */
    SCRAM_SHA_256,

    /** SCRAM-SHA-512. */
    SCRAM_SHA_512,
    ;

    /** The mechanism's name. */
    override fun toString(): String = name.replace('_', '-')
}

/** Which addresses of a host to use. */
public enum class IpFamily {
    /** Both. */
    ANY,

    /** IPv4 only. */
    IPV4,

    /** IPv6 only. */
    IPV6,
    ;

    /** Its name in other languages. */
    override fun toString(): String = name.lowercase()
}

/**
 * Who makes an account for each user who logs in with a token and has none.
 *
 * @param jid an administrator of the chat server, such as `svc@example.org`
 * @param url ejabberd's HTTP API, such as `https://chat.example.org:5443/api`; null for a server with XEP-0133, such as
 *   Prosody with `admin_adhoc`
 * @param group the shared roster group that each user joins (ejabberd)
 */
public class Accounts
    @JvmOverloads
    constructor(
        private val jid: String,
        password: String,
        url: String? = null,
        group: String? = null,
    ) {
        internal val fields = mapOf("jid" to jid, "password" to password, "url" to url, "group" to group)

        /** Without the password. */
        override fun toString(): String = "Accounts($jid, ***)"
    }

/**
 * A certificate for the client and its private key, both PEM itself, not the path of a file.
 *
 * @param chain the certificate, followed by those that lead to its authority
 */
public class ClientCertificate(
    internal val chain: String,
    internal val key: String,
) {
    /** Without what it holds. */
    override fun toString(): String = "ClientCertificate(***)"
}
