package site

import org.springframework.context.annotation.Bean
import org.springframework.context.annotation.Configuration
import org.springframework.stereotype.Component
import prebind.Client
import prebind.Credentials
import prebind.jidFromUser

/** Who the site's users are in the chat. */
@Component
class Accounts(
    private val people: People,
) {
    /** The user's JID: in the case that servers use, and with what no JID may have escaped. */
    fun jid(name: String): String = jidFromUser(name, "localhost")

    /** What proves to the chat server who the user is; the browser never sees it. */
    fun credentials(name: String): Credentials = Credentials.password(people[name].xmppPassword)
}

/** What logs everybody in. There is one, since it remembers the chat server. */
@Configuration(proxyBeanMethods = false)
class Chat {
    @Bean
    fun client(people: People) = Client(people.boshUrl)
}
