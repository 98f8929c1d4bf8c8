package prebind

import java.time.Duration
import kotlin.properties.ReadWriteProperty
import kotlin.reflect.KProperty

/**
 * The options of a [Client]. Those that are not set have the library's defaults, and are null here.
 */
public class Options {
    internal val given = mutableMapOf<String, Any?>()

    /** `xml:lang` of the session: the language of the server's messages. Default `en`; set to null, none. */
    public var lang: String? by Option()

    /** Seconds the server may hold a request; the browser lives with it. Default 55. */
    public var wait: Int? by Option()

    /** Requests the server may hold. Default 1, which browser clients expect. */
    public var hold: Int? by Option()

    /** `route` of the session request, for a connection manager apart from the XMPP server. */
    public var route: String? by Option()

    /**
     * The resource to ask for if the JID has none. Default none: the server makes one, different each time,
     * so that several tabs do not throw each other out.
     */
    public var resource: String? by Option()

    /** The weakest mechanism a password may be used with. Default [PasswordMechanism.PLAIN]. */
    public var weakestMechanism: PasswordMechanism? by Option()

    /** Whether the obsolete DIGEST-MD5 may be used where there is no SCRAM. Default no. */
    public var digestMd5: Boolean? by Option()

    /** Whether a password or token may be sent over http to another machine. Default no. */
    public var allowCleartext: Boolean? by Option()

    /**
     * Whether to ask the server for a token that replaces the password in later calls (FAST, XEP-0484), and
     * to log in by SASL2, which that takes: see [Session.fastToken]. Where the server offers none of it,
     * nothing changes. Prosody has it from 13 on. Default no.
     */
    public var fastTokens: Boolean? by Option()

    /** The SCRAM iterations a server may ask for. Default 4,096 to 600,000. */
    public var iterations: IntRange? by Option()

    /**
     * Of how many users the client keeps the SCRAM keys, so that their passwords need not be derived at each
     * login. Passwords are not kept. Default 1,000; 0 keeps none.
     */
    public var scramCache: Int? by Option()

    /** Further HTTP headers for every request. */
    public var headers: Map<String, String>? by Option()

    /** Certificates to trust instead of the operating system's: PEM itself, not the path of a file. */
    public var ca: String? by Option()

    /** The certificate to present to the server. Default none. */
    public var clientCertificate: ClientCertificate? by Option()

    /**
     * `http://`, `https://` or `socks5://` address of a proxy. Default none; neither the environment nor the
     * system properties are asked.
     */
    public var proxy: String? by Option()

    /** Which addresses of the host to use. Default [IpFamily.ANY]. */
    public var ipFamily: IpFamily? by Option()

    /** How long a call may take in all, ending the session after a failure included. Default 5 s. */
    public var deadline: Duration? by Option()

    /** How long a name lookup may take. Default 2 s. */
    public var resolveTimeout: Duration? by Option()

    /** How long TCP and TLS may take to connect. Default 2 s. */
    public var connectTimeout: Duration? by Option()

    /** How long one request may take. Default 5 s. */
    public var requestTimeout: Duration? by Option()

    /**
     * How many calls may open a session at once in each process. A call beyond that waits for up to half of its
     * [deadline], then fails. Default 32.
     */
    public var maxCalls: Int? by Option()

    /**
     * How many requests this process of a web site serves at once. The processes with the same parent then open
     * sessions with no more than half of their workers, and share what they know of a server that is away; a call
     * beyond that fails at once. Default 0: this is no web site.
     */
    public var workers: Int? by Option()

    /**
     * How many calls may open a session at once on this machine, in all processes of this user that set this or
     * [workers] for this URL, instead of half of the workers. Default 0.
     */
    public var maxHostCalls: Int? by Option()

    /**
     * Calls fail at once for [failFastFor] after this many could not connect or timed out, if these are at least
     * half of the latest calls; 0 turns this off. Default 3.
     */
    public var failFastAfter: Int? by Option()

    /**
     * How long calls fail at once before one of them tries the server again. The pause doubles, up to a minute,
     * while it is not reached. Default 5 s.
     */
    public var failFastFor: Duration? by Option()

    /** The most bytes of one reply. Default 262,144. */
    public var maxReply: Int? by Option()

    /**
     * Whether calls take the short cuts that the server is known for, one to four round trips instead of four
     * or five. Default yes.
     */
    public var learn: Boolean? by Option()

    /** How long, at most, to stay with the full exchange after a shorter one failed again and again. Default 600 s. */
    public var relearnAfter: Duration? by Option()

    /** What an earlier client of this URL learned, as [Client.profile] gave it. One of no use is left out. */
    public var profile: String? by Option()

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
