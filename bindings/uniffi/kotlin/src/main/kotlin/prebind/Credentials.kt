package prebind

import java.time.Duration

/** What proves the right to use an account: one proof, and how it is used. It shows nothing of it. */
public class Credentials private constructor(
    private val given: Map<String, Any>,
) {
    /**
     * With a token to try before the proof, which is only used if the server refuses the token.
     *
     * @param token what [Session.fastToken] of an earlier session of the account was
     */
    public fun fastToken(token: String): Credentials = Credentials(given + ("fast_token" to token))

    /** With another user name to log in under than the JID's. */
    public fun authcid(authcid: String): Credentials = Credentials(given + ("authcid" to authcid))

    /** With the identity to act as; some servers trust it more than they should. */
    public fun authzid(authzid: String): Credentials = Credentials(given + ("authzid" to authzid))

    /** With the name that other people see, for an account that [Options.accounts] makes by ejabberd's API. */
    public fun nickname(nickname: String): Credentials = Credentials(given + ("nickname" to nickname))

    /** Without what it holds. */
    override fun toString(): String = "Credentials(***)"

    internal fun native() = values(given)

    /** The names of what it holds. */
    internal val names get() = given.keys.joinToString()

    /** The proofs. */
    public companion object {
        /** A password: by the strongest of SCRAM-SHA-512, -256, -1 and PLAIN that both sides know. */
        @JvmStatic
        public fun password(password: String): Credentials = of("password" to password)

        /**
         * What the server takes as a password: a JWT, or a one-time token that the site verifies when the
         * server asks. Always by PLAIN.
         */
        @JvmStatic
        public fun token(token: String): Credentials = of("token" to token)

        /** What signs a JSON Web Token for each call, sent by PLAIN. No user needs a chat password. */
        @JvmStatic
        public fun jwt(jwt: Jwt): Credentials = of("jwt" to jwt.given)

        /** An OAuth 2.0 bearer token by OAUTHBEARER (RFC 7628). */
        @JvmStatic
        public fun oauthbearer(token: String): Credentials = of("oauthbearer" to token)

        /** An OAuth 2.0 token by X-OAUTH2 (ejabberd). */
        @JvmStatic
        public fun xOauth2(token: String): Credentials = of("x_oauth2" to token)

        /**
         * ejabberd's HTTP API, which issues a token for each user. The library keeps it and asks for another one
         * before it expires.
         *
         * @param url for example `https://chat.example.org:5443/api`
         * @param jid the account that may ask for tokens, and with that an administrator
         * @param lifetime how long a token is valid, at least a second; an hour by default
         */
        @JvmStatic
        @JvmOverloads
        public fun xOauth2Issuer(
            url: String,
            jid: String,
            password: String,
            lifetime: Duration? = null,
        ): Credentials {
            val api = mapOf("url" to url, "jid" to jid, "password" to password)
            return of("x_oauth2_issuer" to api + ("lifetime" to lifetime))
        }

        /** No account; the JID is only a domain. */
        @JvmStatic
        public fun anonymous(): Credentials = of("anonymous" to true)

        /** A client certificate, or a header or cookie that the server looks at. */
        @JvmStatic
        public fun external(): Credentials = of("external" to true)

        /** Any mechanism that ends after one message, by that message. */
        @JvmStatic
        public fun raw(
            mechanism: String,
            initialResponse: String,
        ): Credentials = of("mechanism" to mechanism, "initial_response" to initialResponse)

        /**
         * What a SCRAM store keeps (RFC 5802 §3), instead of the password.
         *
         * @param hash `SHA-1`, `SHA-256` or `SHA-512`
         */
        @JvmStatic
        public fun scramKeys(
            hash: String,
            salt: ByteArray,
            iterations: Int,
            clientKey: ByteArray,
            serverKey: ByteArray,
        ): Credentials {
            val keys = mapOf("client_key" to clientKey, "server_key" to serverKey)
            return of(
                "scram_keys" to mapOf("hash" to hash, "salt" to salt, "iterations" to iterations) + keys,
            )
        }

        /** The same, as [ScramKeys.derive] gives them. */
        @JvmStatic
        public fun scramKeys(keys: ScramKeys): Credentials =
            scramKeys(keys.hash, keys.salt, keys.iterations, keys.clientKey, keys.serverKey)

        /**
         * The salted password of a SCRAM store (RFC 5802 §3), instead of the password.
         *
         * @param hash `SHA-1`, `SHA-256` or `SHA-512`
         */
        @JvmStatic
        public fun scramSaltedPassword(
            hash: String,
            salt: ByteArray,
            iterations: Int,
            saltedPassword: ByteArray,
        ): Credentials {
            val kept = mapOf("hash" to hash, "salt" to salt, "iterations" to iterations)
            return of("scram_salted_password" to kept + ("salted_password" to saltedPassword))
        }

        /**
         * A token and nothing else: once the server refuses it, the login fails.
         *
         * @param token what [Session.fastToken] of an earlier session of the account was
         */
        @JvmStatic
        public fun fast(token: String): Credentials = of("fast_token" to token)

        private fun of(vararg given: Pair<String, Any>) = Credentials(mapOf(*given))
    }
}
