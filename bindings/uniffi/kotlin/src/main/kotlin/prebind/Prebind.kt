@file:JvmName("Prebind")

package prebind

import prebind.uniffi.jidFromUser as nativeJidFromUser
import prebind.uniffi.prebind as nativePrebind

/**
 * Opens a session with a password, on a client with the default options that the process keeps for the URL.
 *
 * @see Client.prebind
 */
@Throws(InterruptedException::class)
public fun prebind(
    url: String,
    jid: String,
    password: String,
): Session = Session(interruptible { nativePrebind(url, jid, password, Interruption) })

/**
 * The JID of a web site's user, whose name may hold characters that a JID must not have: they are escaped
 * (XEP-0106). JIDs ignore case: `Alice` and `alice` share one account. If your user names do not, give an immutable
 * id in place of the name.
 *
 * @throws ConfigException if the escaped name or the domain is not allowed, or if the name has full-width or
 *   decomposed characters, because it looks like another one
 */
public fun jidFromUser(
    name: String,
    domain: String,
): String = translating { nativeJidFromUser(name, domain) }
