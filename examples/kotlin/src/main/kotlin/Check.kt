package site

import org.springframework.beans.factory.BeanFactory
import org.springframework.beans.factory.getBean
import org.springframework.boot.ApplicationArguments
import org.springframework.boot.ApplicationRunner
import org.springframework.context.annotation.Profile
import org.springframework.core.NestedExceptionUtils.getMostSpecificCause
import org.springframework.stereotype.Component
import prebind.Client
import prebind.PrebindException
import kotlin.system.exitProcess
import kotlin.time.measureTimedValue

/** A real login, as the site would do it, which says what is wrong: `./serve check USER`. */
@Component
@Profile("check")
class Check(
    // The rest is made step by step, so that the step which fails can say so.
    private val beans: BeanFactory,
) : ApplicationRunner {
    private var step = ""

    override fun run(arguments: ApplicationArguments) {
        exitProcess(if (check(arguments.nonOptionArgs.single())) 0 else 1)
    }

    /** Whether the user is let in. */
    fun check(name: String): Boolean =
        try {
            logIn(name)
            true
        } catch (error: Exception) {
            println("$step: ${reasonOf(getMostSpecificCause(error))}")
            false
        }

    private fun logIn(name: String) {
        val people = step("settings", { beans.getBean<People>() }) { it.boshUrl }
        step("user", { people.get(name) }) { "$name may sign in" }
        val accounts = beans.getBean<Accounts>()
        val jid = step("account", { accounts.jid(name) }) { it }
        val client = step("client", { beans.getBean<Client>() }) { "the settings are good" }
        val session = step("login", { client.prebind(jid, accounts.credentials(name)) }) { it.jid }
        say("mechanism", session.mechanism)
        say("round trips", session.roundTrips)
        say("attach within", "${session.inactivity?.seconds} s")
        step("end", { client.terminate(session) }) { "the session is gone" }
    }

    /** Does it, and prints what came of it and how long it took. */
    private fun <T> step(
        name: String,
        action: () -> T,
        text: (T) -> String,
    ): T {
        step = name
        val (result, time) = measureTimedValue(action)
        say(name, "${text(result)} (${time.inWholeMilliseconds} ms)")
        return result
    }

    private fun say(
        name: String,
        value: Any?,
    ) = println("%-14s %s".format(name, value))

    private fun reasonOf(error: Throwable): String =
        when (error) {
            is PrebindException -> error.run { "$message\n  kind=$kind stage=$stage retry=$retry" }
            is SettingsException -> error.message!!
            else -> placeOf(error)
        }
}
