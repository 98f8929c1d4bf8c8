//! The small enums an error is made of, each value with a name for logs and other languages.

use crate::text::named;

named! {
    /// Where in the exchange an error happened. Stages may be added.
    #[non_exhaustive]
    Stage {
        /// Before anything was sent.
        Configure = "configure",
        /// Session creation (XEP-0124 §7).
        Create = "create",
        /// Waiting for the stream features (XEP-0206 §3).
        Features = "features",
        /// SASL (RFC 6120 §6).
        Authenticate = "authenticate",
        /// The stream restart (XEP-0206 §5).
        Restart = "restart",
        /// Resource binding (RFC 6120 §7).
        Bind = "bind",
        /// The legacy session request (RFC 3921 §3).
        Session = "session",
        /// Ending a session (XEP-0124 §13).
        Terminate = "terminate",
    }
}

named! {
    /// What a connection was doing. Phases may be added.
    #[non_exhaustive]
    Phase {
        /// Looking the host name up.
        Dns = "dns",
        /// Opening the TCP connection, through a proxy if one is configured.
        Tcp = "tcp",
        /// The TLS handshake.
        Tls = "tls",
        /// Sending the request and waiting for the response's status and headers.
        Headers = "headers",
        /// Reading the response's body.
        Body = "body",
        /// Waiting for its turn: [`max_calls`](crate::Config::with_max_calls) calls are under way.
        Queue = "queue",
        /// Deriving the keys of a password (RFC 5802 §3), or waiting for a processor to do it.
        Derive = "derive",
        /// Nothing was tried: the client fails fast for a while.
        FailFast = "fail-fast",
    }
}

named! {
    /// Which proof of the server's failed. Checks may be added.
    #[non_exhaustive]
    Check {
        /// The server's nonce does not extend ours (RFC 5802 §5.1).
        Nonce = "nonce",
        /// The salt is missing, empty, too long or not the one the stored keys were made with.
        Salt = "salt",
        /// The iteration count is outside the configured bounds, or not that of the stored keys.
        Iterations = "iterations",
        /// The server's signature is missing or wrong.
        Signature = "signature",
        /// The mechanisms the server says it offered are not those that arrived (XEP-0474).
        Downgrade = "downgrade",
        /// The message is malformed or demands an extension (RFC 5802 §5.1, `m=`).
        Message = "message",
    }
}

named! {
    /// What a caller may do next. Exhaustive on purpose, like [`ErrorKind`](super::ErrorKind): a `match` without a
    /// wildcard no longer compiles when there is something else to do.
    Retry {
        /// The same call will fail again.
        No = "no",
        /// Only after the operator changed something.
        AfterConfigChange = "after-config-change",
        /// At once, with a fresh session.
        FreshSession = "fresh-session",
        /// After a while.
        Later = "later",
    }
}
