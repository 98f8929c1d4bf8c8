package site

import com.fasterxml.jackson.annotation.JsonProperty
import org.springframework.core.env.Environment
import org.springframework.core.env.get
import org.springframework.stereotype.Component
import prebind.Jwt
import tools.jackson.core.JacksonException
import tools.jackson.databind.JsonNode
import tools.jackson.databind.json.JsonMapper
import tools.jackson.module.kotlin.readValue

/** Somebody who may sign in. The password for the site is another than the one for the chat. */
class Person(
    val password: String,
    @param:JsonProperty("xmpp_password") val xmppPassword: String?,
)

/** What is wrong with what the site was told, in words that hold no secret. */
class SettingsException(
    message: String,
) : RuntimeException(message)

/**
 * Where the chat server is, and who is who: what a site of your own has in its settings and its
 * database, and this one in the environment.
 *
 * It reads what `servers prosody -- COMMAND` sets. `SITE_BOSH_URL` and `SITE_USERS` come first.
 */
@Component
class People(
    private val environment: Environment,
    private val json: JsonMapper,
) {
    val boshUrl: String = environment["SITE_BOSH_URL"] ?: server()["http_url"].asString()

    private val everybody: Map<String, Person> = environment["SITE_USERS"]?.let(::given) ?: accounts()

    /** What signs tokens, if the chat server takes them: then nobody has a chat password. */
    val jwt: Jwt? = environment["SITE_KEY"]?.let { Jwt(listOf(it), once = true) }

    val names: Set<String> get() = everybody.keys

    operator fun get(name: String): Person =
        everybody[name] ?: throw SettingsException("nobody is called $name")

    private fun given(users: String): Map<String, Person> =
        try {
            json.readValue(users)
        } catch (_: JacksonException) {
            // Without its words, which may be those of a password.
            throw SettingsException("SITE_USERS is not what README.md says")
        }

    /** The first of the servers, which are described in JSON. */
    private fun server(): JsonNode {
        val servers =
            environment["PREBIND_SERVERS"]
                ?: throw SettingsException("neither PREBIND_SERVERS is set, nor SITE_BOSH_URL and SITE_USERS")
        return json.readTree(servers).first()
    }

    private fun accounts(): Map<String, Person> =
        server()["accounts"].properties().associate { (name, password) ->
            name to Person("site-of-$name", password.asString())
        }
}
