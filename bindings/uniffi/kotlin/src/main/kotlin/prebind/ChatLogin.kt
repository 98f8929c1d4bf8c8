package prebind

import prebind.uniffi.Asked
import prebind.uniffi.AskedNext
import prebind.uniffi.Inquiry
import prebind.uniffi.askedHeaders
import prebind.uniffi.askedSize
import java.time.Duration
import java.time.Instant
import java.util.concurrent.ConcurrentHashMap

/**
 * The address where your site answers its chat server: who may log in with a token of the site's, and who exists.
 *
 * The chat server asks in the form of `prebind extauth` and Prosody's `mod_auth_prebind`, or in that of MongooseIM and
 * ejabberd-contrib. The library decides which question gets which answer. Threads may share it.
 *
 * @param secrets the text that the chat server shows: 16 or more visible ASCII characters; several while it changes
 * @param jwt the [Jwt] that issues the tokens, with `once`
 * @param addresses the IP addresses and networks from which the chat server asks; this machine by default
 * @param uses the memory of used tokens; the default is for a site of one process
 * @throws ConfigException if a secret, a key or an address cannot be used
 */
public class ChatLogin
    @JvmOverloads
    constructor(
        secrets: List<String>,
        jwt: Jwt,
        addresses: List<String>? = null,
        private val uses: TokenUses = MemoryUses(),
    ) {
        private val settings = mapOf("secret" to secrets, "jwt" to jwt.given, "addresses" to addresses)

        init {
            // What cannot work is refused when the site starts.
            asked(Question("", "", null, "", ByteArray(0)) { null }, Instant.EPOCH)
        }

        /**
         * The answer to a question. If one of the site's own functions throws, the chat server gets no answer, and the log
         * is told where.
         *
         * @param exists whether there is a user of this name and bare JID; the name is as [jidFromUser] took it, in lower
         *   case
         * @param log is told what was refused and why, and whether somebody has to mend something
         */
        @Throws(InterruptedException::class)
        public fun answer(
            question: Question,
            exists: (user: String, jid: String) -> Boolean,
            log: (line: String, isWarning: Boolean) -> Unit,
        ): WebAnswer {
            val asked = asked(question, Instant.now())
            return try {
                decided(asked, exists, log)
            } catch (failed: InterruptedException) {
                throw failed
            } catch (failed: Throwable) {
                log("the chat server gets no answer: ${placeOf(failed)}", true)
                WebAnswer(asked.broken())
            }
        }

        private fun decided(
            asked: Asked,
            exists: (user: String, jid: String) -> Boolean,
            log: (line: String, isWarning: Boolean) -> Unit,
        ): WebAnswer {
            val isYes =
                when (val next = asked.next()) {
                    AskedNext.Refuse -> {
                        false
                    }

                    AskedNext.Accept -> {
                        true
                    }

                    is AskedNext.Once -> {
                        cached("whether a token was used before", log) {
                            uses.add(next.entry.key, seconds(next.entry.seconds))
                        } != false
                    }

                    is AskedNext.Exists -> {
                        exists(next.user, next.jid)
                    }
                }
            val count =
                asked.counter(isYes)?.let {
                    cached("how many questions were refused", log) { uses.count(it.key, seconds(it.seconds)) }
                }
            asked.complaint(isYes, count?.toULong())?.let { log(it.text, it.level == "warning") }
            return WebAnswer(asked.answer(isYes, count?.toULong()))
        }

        /** What the cache answers. If it is away it keeps nobody out: a token is good until it expires then. */
        private fun <T> cached(
            question: String,
            log: (line: String, isWarning: Boolean) -> Unit,
            ask: () -> T,
        ): T? =
            try {
                ask()
            } catch (failed: InterruptedException) {
                throw failed
            } catch (failed: Throwable) {
                log("the cache failed ($question): ${placeOf(failed)}", true)
                null
            }

        internal fun asked(
            question: Question,
            now: Instant,
        ) = translating { Asked(values(settings), question.native, now.epochSecond.toULong()) }

        /** Without what it holds. */
        override fun toString(): String = "ChatLogin(***)"

        /**
         * What a chat server sent, as the web framework knows it.
         *
         * @param address the IP address of the machine that asks, as the framework believes it with whatever proxy it
         *   trusts
         * @param query the address after its `?`, as it came
         * @param body need not have more than [MAX_BODY] bytes
         * @param header the value of a header, or null if it is not there
         */
        public class Question(
            method: String,
            path: String,
            query: String?,
            address: String,
            body: ByteArray,
            header: (String) -> String?,
        ) {
            internal val native =
                Inquiry(method, path, query.orEmpty(), address, known(header), body)

            /** Without what it holds. */
            override fun toString(): String = "Question(***)"

            /** What questions have in common. */
            public companion object {
                /** How many bytes of a body to read: one more than a question may have. */
                @JvmField
                public val MAX_BODY: Int = askedSize().toInt() + 1

                private val HEADERS = askedHeaders()

                private fun known(header: (String) -> String?) =
                    HEADERS.mapNotNull { name -> header(name)?.let { name to it } }.toMap()
            }
        }

        private companion object {
            fun seconds(count: ULong) = Duration.ofSeconds(count.toLong())

            /** Only where: what the site's own code says might repeat a secret. */
            fun placeOf(failed: Throwable) = "${failed.javaClass.name} at ${failed.stackTrace.firstOrNull()}"
        }
    }

/** The memory of used tokens and of refused questions: a cache that the site's processes share. */
public interface TokenUses {
    /** Adds a key for so long, in one step; whether it was new. */
    public fun add(
        key: String,
        lifetime: Duration,
    ): Boolean

    /** Counts one more under a key that is kept for so long; the count, or null if nothing counts. */
    public fun count(
        key: String,
        lifetime: Duration,
    ): Long?
}

/** The memory of this process: a site of several ones needs a cache that they share, or a token is good once in each. */
public class MemoryUses : TokenUses {
    private class Kept(
        val until: Long,
        val count: Long,
    )

    private val kept = ConcurrentHashMap<String, Kept>()

    override fun add(
        key: String,
        lifetime: Duration,
    ): Boolean = count(key, lifetime) == 1L

    override fun count(
        key: String,
        lifetime: Duration,
    ): Long {
        val now = System.nanoTime()
        kept.values.removeIf { it.until - now <= 0 }
        val counted =
            kept.merge(key, Kept(now + lifetime.toNanos(), 1)) { old, new ->
                Kept(
                    old.until,
                    old.count + new.count,
                )
            }
        return counted!!.count
    }
}
