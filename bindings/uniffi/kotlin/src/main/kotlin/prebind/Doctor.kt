@file:JvmName("Doctor")

package prebind

import prebind.uniffi.WebOutcome
import prebind.uniffi.webChecks
import prebind.uniffi.webDoctor
import prebind.uniffi.webSharing
import prebind.uniffi.webUnmet
import java.nio.file.Files
import java.nio.file.Path
import java.time.Duration
import kotlin.time.TimeSource
import kotlin.time.toJavaDuration

/**
 * Says what is wrong with the chat of a user: logs in as the site would, looks at all that it takes, and ends the
 * session. It prints a line for each check, without a secret. bindings/web/README.md lists the checks.
 *
 * The functions are called one after the other, so that the check which fails can say so.
 *
 * @param client what logs everybody in
 * @param jid the user's bare JID; null if there is no such user, empty for a user without chat
 * @param credentials what proves it to the chat server
 * @param url the BOSH endpoint as the client reaches it
 * @param browserUrl the BOSH endpoint as the browser reaches it: an address, or a path of the site
 * @param users the JIDs of users by their names, to see whether two share one
 * @param dist the folder that has Converse.js's `dist`, to see whether it does; null if it is not on this machine
 * @param output where the lines go
 * @return 0 if nothing is wrong, else 1: the exit code of a command. Warnings do not count.
 */
@JvmOverloads
@Throws(InterruptedException::class)
public fun doctor(
    client: () -> Client,
    jid: () -> String?,
    credentials: () -> Credentials,
    url: String,
    browserUrl: String = url,
    users: Map<String, String?>? = null,
    dist: Path? = null,
    output: Appendable = System.out,
): Int = Examination(client, jid, credentials, url, browserUrl, users, dist, output).run()

/** How a check went, and the words of its text. */
private class Seen(
    val name: String,
    vararg words: Pair<String, Any?>,
) {
    val words = words.associate { (name, word) -> name to word.toString() }
}

private class Examination(
    private val makeClient: () -> Client,
    private val findJid: () -> String?,
    private val findCredentials: () -> Credentials,
    private val url: String,
    private val browserUrl: String,
    private val users: Map<String, String?>?,
    private val dist: Path?,
    private val output: Appendable,
) {
    /** The checks that went wrong, and those that need them. */
    private val wrong = mutableListOf<String>()

    private lateinit var client: Client
    private lateinit var jid: String
    private lateinit var credentials: Credentials
    private lateinit var session: Session

    fun run(): Int {
        for (check in translating { webChecks() }) {
            val line =
                webUnmet(check, wrong)?.also { wrong += check } ?: tried(check)
            output.append(line).append('\n')
        }
        return if (wrong.isEmpty()) 0 else 1
    }

    private fun tried(check: String): String {
        val start = TimeSource.Monotonic.markNow()
        val outcome = outcome(check)
        val took: Duration = start.elapsedNow().toJavaDuration()
        val found = webDoctor(check, outcome.name, outcome.words, took)!!
        if (found.grade == "error") wrong += check
        return found.line
    }

    private fun outcome(check: String): Seen =
        try {
            when (check) {
                "site" -> site()
                "user" -> Seen("given")
                "account" -> account()
                "users" -> users()
                "page" -> page()
                "browser_url" -> Seen("given", "url" to browserUrl)
                "reached" -> reached()
                "rate_limit" -> Seen("own")
                "client" -> client()
                "login" -> login()
                "end" -> end()
                "cache" -> Seen("own")
                "next_login" -> seen(client.nextLogin(jid, credentials, findCredentials()))
                "body_limit" -> seen(client.bodyLimit(credentials, browserUrl))
                else -> error("there is no check $check")
            }
        } catch (failed: InterruptedException) {
            throw failed
        } catch (failed: Throwable) {
            // A framework that makes the client wraps what it throws.
            val causes = generateSequence(failed) { it.cause }
            val ours = causes.filterIsInstance<PrebindException>().firstOrNull()
            ours?.let(::failed) ?: Seen("broken", "place" to placeOf(failed))
        }

    private fun seen(it: WebOutcome) = Seen(it.name, *it.words.toList().toTypedArray())

    private fun failed(it: PrebindException) =
        Seen(
            "failed",
            "message" to it.message,
            "kind" to it.kind,
            "stage" to it.stage,
            "condition" to (it.condition ?: "none"),
            "retry" to it.retry,
        )

    /** Only where: what the site's own code says might repeat a secret. */
    private fun placeOf(failed: Throwable) =
        (listOf(failed.javaClass.name) + failed.stackTrace.take(5)).joinToString("\n  from ")

    private fun site() = Seen("bare", "platform" to "Java ${Runtime.version()}")

    private fun account(): Seen {
        jid = findJid() ?: return Seen("nobody")
        if (jid.isEmpty()) return Seen("no_chat")
        credentials = findCredentials()
        return Seen("found", "jid" to jid, "credentials" to credentials.names)
    }

    /** Whether two users are one in the chat. */
    private fun users(): Seen {
        val known = users?.entries?.toList() ?: return Seen("unlisted")
        val (one, other) =
            webSharing(known.map { it.value.orEmpty() })?.map { known[it.toInt()] }
                ?: return Seen("apart", "count" to known.size)
        return Seen("shared", "one" to one.key, "other" to other.key, "jid" to one.value)
    }

    /** Whether there is what pages load. */
    private fun page(): Seen {
        val folder = dist ?: return Seen("not_named")
        val files = listOf("converse.min.css", "converse.min.js").map(folder::resolve)
        val missing = files.find { !Files.isReadable(it) } ?: return Seen("script", "script" to files.last())
        return Seen("no_script", "script" to missing)
    }

    /** Whether a chat server is where the browser looks for it. */
    private fun reached(): Seen {
        if (browserUrl.startsWith("/")) return Seen("passed_on", "url" to browserUrl)
        try {
            // There is no such session, and only a chat server says so.
            Client(browserUrl) { deadline = WEB_DEADLINE }.use { it.terminate("prebind-doctor", 1) }
        } catch (_: TerminatedException) {
        } catch (failed: PrebindException) {
            return Seen("unanswered", "message" to failed.message)
        }
        return Seen("answered")
    }

    private fun client(): Seen {
        client = makeClient()
        return Seen("made", "url" to url)
    }

    private fun login(): Seen {
        session = client.prebind(jid, credentials)
        return Seen(
            if (session.inactivity == null) "in_untimed" else "in",
            "jid" to session.jid,
            "mechanism" to session.mechanism,
            "round_trips" to session.roundTrips,
            "inactivity" to session.inactivity?.seconds,
        )
    }

    private fun end(): Seen {
        client.terminate(session)
        return Seen("ended")
    }
}
