package site

import org.springframework.beans.BeansException
import org.springframework.beans.factory.BeanFactory
import org.springframework.beans.factory.getBean
import org.springframework.boot.ApplicationArguments
import org.springframework.boot.ApplicationRunner
import org.springframework.context.annotation.Profile
import org.springframework.core.NestedExceptionUtils.getMostSpecificCause
import org.springframework.stereotype.Component
import prebind.Client
import prebind.doctor
import java.nio.file.Path
import kotlin.system.exitProcess

/** What is wrong with the chat of a user: `./serve doctor USER`. */
@Component
@Profile("doctor")
class Doctor(
    // The rest is made check by check, so that the check which fails can say so.
    private val beans: BeanFactory,
) : ApplicationRunner {
    override fun run(arguments: ApplicationArguments) {
        exitProcess(examine(arguments.nonOptionArgs.single()))
    }

    /** The exit code: 0 if nothing is wrong, else 1. */
    fun examine(name: String): Int {
        val people =
            try {
                beans.getBean<People>()
            } catch (error: BeansException) {
                val cause = getMostSpecificCause(error) as? SettingsException ?: throw error
                println("error: ${cause.message}")
                return 1
            }
        val accounts = beans.getBean<Accounts>()
        return doctor(
            client = { beans.getBean<Client>() },
            jid = { if (name in people.names) accounts.jid(name) else null },
            credentials = { accounts.credentials(name) },
            url = people.boshUrl,
            users = people.names.associateWith { runCatching { accounts.jid(it) }.getOrNull() },
            dist = Path.of("public/converse"),
        )
    }
}
