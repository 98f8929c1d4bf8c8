package site

import org.springframework.context.annotation.Profile
import org.springframework.core.env.Environment
import org.springframework.core.env.get
import org.springframework.security.oauth2.client.ClientAuthorizationException
import org.springframework.security.oauth2.client.OAuth2AuthorizeRequest
import org.springframework.security.oauth2.client.OAuth2AuthorizedClientManager
import org.springframework.security.oauth2.client.authentication.OAuth2AuthenticationToken
import org.springframework.stereotype.Component
import prebind.Credentials
import java.time.Instant

/** Users who sign in by an identity provider. */
@Component
@Profile("provider")
class Provider(
    private val clients: OAuth2AuthorizedClientManager,
    private val people: People,
    environment: Environment,
) {
    private val isPassword = environment["SITE_PROVIDER_TOKEN"] == "token"

    /**
     * What proves to the chat server who the user is; null if the user has to sign in again.
     *
     * Best is a token that the site signs: it is good for the chat alone, and for a minute. The provider's own may be
     * passed on where the chat server checks its audience.
     */
    fun credentials(user: OAuth2AuthenticationToken): Credentials? {
        people.jwt?.let { return Credentials.jwt(it) }
        val token = accessToken(user) ?: return null
        return if (isPassword) Credentials.token(token) else Credentials.oauthbearer(token)
    }

    /** The access token, which Spring refreshes if it has expired and the provider gave a refresh token. */
    private fun accessToken(user: OAuth2AuthenticationToken): String? {
        val request =
            OAuth2AuthorizeRequest
                .withClientRegistrationId(user.authorizedClientRegistrationId)
                .principal(user)
                .build()
        val token =
            try {
                clients.authorize(request)?.accessToken
            } catch (error: ClientAuthorizationException) {
                // A provider that is away is another matter.
                if (error.error.errorCode !in NEEDS_SIGN_IN) throw error
                null
            }
        return token?.takeIf { it.expiresAt?.isAfter(Instant.now()) == true }?.tokenValue
    }

    private companion object {
        /** Spring has no token, or the provider refuses to refresh it. */
        val NEEDS_SIGN_IN = setOf("client_authorization_required", "invalid_grant")
    }
}
