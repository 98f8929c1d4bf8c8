package prebind

import prebind.uniffi.issueToken
import prebind.uniffi.refusalOfToken
import prebind.uniffi.serverSide
import java.time.Duration
import java.time.Instant
import prebind.uniffi.newKey as nativeNewKey

/**
 * What signs a JSON Web Token for each call, so that the site knows no chat passwords. It shows nothing of its keys.
 *
 * @param keys each a JWK, PEM, or with [algorithm] the secret itself; several while they rotate, the newest first
 * @param algorithm `HS256`, `HS384` or `HS512`, if a key is the secret itself
 * @param lifetime how long a token is valid, at least a second; a minute by default
 * @param audience whom the tokens are for (`aud`)
 * @param claims further claims; `jid`, `sub`, `iat`, `nbf` and `exp` are there already
 * @param once whether each token has an ID (`jti`), by which [ChatLogin] knows that it was used; no by default
 */
public class Jwt
    @JvmOverloads
    constructor(
        keys: List<String>,
        algorithm: String? = null,
        lifetime: Duration? = null,
        audience: String? = null,
        claims: Map<String, Any?>? = null,
        once: Boolean? = null,
    ) {
        internal val given =
            mapOf(
                "keys" to keys,
                "algorithm" to algorithm,
                "lifetime" to lifetime,
                "audience" to audience,
                "claims" to claims,
                "once" to once,
            )

        /**
         * With keys that say themselves what they are for.
         *
         * @param keys each a JWK or PEM; several while they rotate, the newest first
         */
        public constructor(vararg keys: String) : this(keys.asList())

        /**
         * A token for an account, for a client that logs in by itself, such as a page that opens a WebSocket. Anyone
         * holding it can log in as that user until it expires.
         *
         * @throws ConfigException if a key or another value cannot be used
         */
        public fun issue(jid: String): String = translating { issueToken(jid, values(given)) }

        /**
         * What ejabberd needs to verify the tokens of the newest key.
         *
         * @param domain that of the chat accounts
         * @throws ConfigException if the key or the domain cannot be used
         */
        public fun forEjabberd(domain: String): ServerSide = sideOf("ejabberd", domain)

        /**
         * What Prosody with the module `mod_auth_prebind` needs to verify the tokens of the newest key.
         *
         * @param domain that of the chat accounts
         * @throws ConfigException if the key or the domain cannot be used
         */
        public fun forProsody(domain: String): ServerSide = sideOf("prosody", domain)

        private fun sideOf(
            server: String,
            domain: String,
        ) = ServerSide(translating { serverSide(server, domain, values(given)) })

        /**
         * Why this token of the account is refused, for example `Expired`; null if it is valid.
         *
         * Answer with it what the chat server asks, where it has your site verify tokens. The keys may be public ones
         * here; the lifetime, `once` and the claims are ignored.
         *
         * @throws ConfigException if a key cannot be used
         */
        public fun refusal(
            jid: String,
            token: String,
        ): String? = refusal(jid, token, Instant.now())

        internal fun refusal(
            jid: String,
            token: String,
            now: Instant,
        ): String? = translating { refusalOfToken(token, jid, values(given), now.epochSecond.toULong()) }

        /** Without what it holds. */
        override fun toString(): String = "Jwt(***)"

        /** What makes keys. */
        public companion object {
            /**
             * A new key as a private JWK. Anyone who has it can log in as anybody, so keep it like the site's own secret.
             *
             * @param algorithm `HS256`, `HS384`, `HS512`, `ES256` or `EdDSA`; `HS256` by default
             * @param id its name in tokens (`kid`); random by default
             * @throws ConfigException if a value cannot be used
             */
            @JvmStatic
            @JvmOverloads
            public fun newKey(
                algorithm: String? = null,
                id: String? = null,
            ): String = translating { nativeNewKey(algorithm, id) }
        }
    }
