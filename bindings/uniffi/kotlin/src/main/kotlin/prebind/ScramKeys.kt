package prebind

import prebind.uniffi.scramKeys as nativeScramKeys

/** The SCRAM keys of a password (RFC 5802 §3), to keep in its place. It shows none of them. */
public class ScramKeys private constructor(
    /** `SHA-1`, `SHA-256` or `SHA-512`. */
    public val hash: String,
    /** The salt; text if it was drawn. */
    public val salt: ByteArray,
    /** The iteration count. */
    public val iterations: Int,
    /** What logs in: keep it like a password. */
    public val clientKey: ByteArray,
    /** What the server proves itself by. */
    public val serverKey: ByteArray,
    /** What the server keeps instead of the client key. */
    public val storedKey: ByteArray,
) {
    /** Without the keys. */
    override fun toString(): String = "ScramKeys($hash, ***)"

    /** What makes them. */
    public companion object {
        /**
         * The keys of a password.
         *
         * @param hash `SHA-1`, `SHA-256` or `SHA-512`
         * @param iterations the count that the server has for the account
         * @param salt the server's salt; without one a new salt is drawn, for an account whose keys you write into the
         *   server's store
         * @throws ConfigException if a value cannot be used
         */
        @JvmStatic
        @JvmOverloads
        public fun derive(
            password: String,
            hash: String,
            iterations: Int,
            salt: ByteArray? = null,
        ): ScramKeys {
            val keys = translating { nativeScramKeys(password, hash, iterations, salt) }
            return ScramKeys(
                keys.hash,
                keys.salt,
                keys.iterations,
                keys.clientKey,
                keys.serverKey,
                keys.storedKey,
            )
        }
    }
}
