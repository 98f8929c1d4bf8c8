package prebind

/** A chat server's side of a key. Its text does not show the key. */
public class ServerSide internal constructor(
    values: Map<String, String>,
) {
    /** Where to put the file, so that only the server may read it. */
    public val path: String by values

    /** What the file holds: the secret of an HMAC key, or a public key. */
    public val file: String by values

    /** The lines of configuration, with comments. */
    public val configuration: String by values

    /** The command that has the server read both, where it is running. */
    public val reload: String by values

    /** All of it, as an operator is told. */
    public val instructions: String by values

    /** Without the key. */
    override fun toString(): String = "ServerSide($path, ***)"
}
