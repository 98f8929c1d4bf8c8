package prebind

import prebind.uniffi.WebOutcome
import prebind.uniffi.Client as NativeClient

/**
 * One chat service: its address, its trust, its deadlines and the connections to it.
 *
 * Make one for the life of the process, and share it between threads. Nothing is sent until it is used.
 * A thread that is interrupted while it waits in a call, or was before, gets an [InterruptedException] within
 * a fraction of a second; no session is left behind on the server then.
 *
 * @param url the BOSH endpoint
 * @param options how to talk to it; what is changed in them later changes nothing here
 * @throws ConfigException if the URL or an option has a value that cannot work
 */
public class Client
    @JvmOverloads
    constructor(
        url: String,
        options: Options = Options(),
    ) : AutoCloseable {
        private val native = translating { NativeClient(url, values(options.given), Interruption) }

        /**
         * Opens an authenticated session with a password: by the strongest of SCRAM-SHA-512, -256, -1 and
         * PLAIN that both sides know.
         *
         * @param jid the account; a resource in it is asked for, without one the server makes one
         * @throws PrebindException no session is left behind on the server then
         */
        @Throws(InterruptedException::class)
        public fun prebind(
            jid: String,
            password: String,
        ): Session = prebind(jid, Credentials.password(password))

        /**
         * Opens an authenticated session.
         *
         * @param jid the account; a resource in it is asked for, without one the server makes one
         * @throws PrebindException no session is left behind on the server then
         */
        @Throws(InterruptedException::class)
        public fun prebind(
            jid: String,
            credentials: Credentials,
        ): Session = Session(interruptible { native.prebind(jid, credentials.native()) })

        /**
         * Ends a session that no browser has attached to yet.
         *
         * @throws TerminatedException with the condition `item-not-found` if the server does not know it, or
         *   not with this RID
         * @throws PrebindException the others are those of a failed connection
         */
        @Throws(InterruptedException::class)
        public fun terminate(session: Session) {
            val known = session.native ?: return terminate(session.sid, session.rid)
            interruptible { native.terminate(known) }
        }

        /** Ends a session by its SID and the RID to send next. */
        @Throws(InterruptedException::class)
        public fun terminate(
            sid: String,
            rid: Long,
        ): Unit = interruptible { native.terminateBy(sid, rid.toULong()) }

        /**
         * What was learned of the server, for [Options.profile] of another client: a short text without
         * anything secret, which stays the same while nothing new is learned.
         */
        public fun profile(): String = native.profile()

        /** What the doctor finds by another login. */
        internal fun nextLogin(
            jid: String,
            first: Credentials,
            next: Credentials,
        ): WebOutcome = interruptible { native.webNextLogin(jid, first.native(), next.native()) }

        /** What the doctor finds by a request that is too long. */
        internal fun bodyLimit(
            credentials: Credentials,
            url: String,
        ): WebOutcome = interruptible { native.webBodyLimit(credentials.native(), url) }

        /** Closes the connections. Only for a client that does not live as long as the process. */
        override fun close(): Unit = native.close()

        /** Without address and options. */
        override fun toString(): String = "Client"
    }

/** A client with the options that [configure] sets. */
@JvmSynthetic
public inline fun Client(
    url: String,
    configure: Options.() -> Unit,
): Client = Client(url, Options().apply(configure))
