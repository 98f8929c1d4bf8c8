package site

import org.springframework.beans.factory.ObjectProvider
import org.springframework.beans.factory.annotation.Value
import org.springframework.context.annotation.Bean
import org.springframework.context.annotation.Configuration
import org.springframework.security.core.Authentication
import org.springframework.security.oauth2.client.authentication.OAuth2AuthenticationToken
import org.springframework.security.web.authentication.switchuser.SwitchUserGrantedAuthority
import org.springframework.stereotype.Component
import prebind.Client
import prebind.Credentials
import prebind.WEB_DEADLINE
import prebind.jidFromUser
import java.security.Principal

/** Who the site's users are in the chat. */
@Component
class Accounts(
    private val people: People,
    private val provider: ObjectProvider<Provider>,
    @Value("\${SITE_DOMAIN:localhost}") private val domain: String,
) {
    /**
     * The user's JID: in the case that servers use, and with what no JID may have escaped. A site where Alice and alice
     * are two users gives the primary key in place of the name.
     */
    fun jid(name: String): String = jidFromUser(name, domain)

    /** The same; empty while a member of staff acts as the user, so nobody reads the user's messages by accident. */
    fun jid(user: Principal): String = if (user.isImpersonated) "" else jid(user.name)

    /** By Spring's `SwitchUserFilter`. */
    private val Principal.isImpersonated: Boolean
        get() = this is Authentication && authorities.any { it is SwitchUserGrantedAuthority }

    /** What proves to the chat server who the user is; the browser never sees it. */
    fun credentials(name: String): Credentials =
        people.jwt?.let(Credentials::jwt)
            ?: people[name].xmppPassword?.let(Credentials::password)
            ?: throw SettingsException("SITE_USERS has no chat password of $name, and there is no SITE_KEY")

    /** The same; null if the user has to sign in at the identity provider again. */
    fun credentials(user: Principal): Credentials? =
        if (user is OAuth2AuthenticationToken) {
            provider.getObject().credentials(user)
        } else {
            credentials(user.name)
        }
}

/** What logs everybody in. There is one, since it remembers the chat server. */
@Configuration(proxyBeanMethods = false)
class Chat {
    @Bean
    fun client(people: People) =
        Client(people.boshUrl) {
            // No page waits longer for its chat.
            deadline = WEB_DEADLINE
        }
}
