//! The small enums that an error consists of. Each value has a name for logs and other languages.

use crate::text::named;

named! {
    /// The stage of the exchange in which an error happened. Stages may be added.
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
        /// Looking up the host name.
        Dns = "dns",
        /// Opening the TCP connection, through a proxy if one is configured.
        Tcp = "tcp",
        /// The TLS handshake.
        Tls = "tls",
        /// Sending the request and waiting for the response's status and headers.
        Headers = "headers",
        /// Reading the response's body.
        Body = "body",
        /// Waiting for a slot: [`max_calls`](crate::Config::with_max_calls) calls are under way.
        Queue = "queue",
        /// Deriving the keys of a password (RFC 5802 §3), or waiting for a processor to do it.
        Derive = "derive",
        /// Nothing was tried, because the client fails fast for a while.
        FailFast = "fail-fast",
    }
}

named! {
    /// The check that the server failed. Checks may be added.
    #[non_exhaustive]
    Check {
        /// The server's nonce does not extend ours (RFC 5802 §5.1).
        Nonce = "nonce",
        /// The salt is missing, empty or too long, or differs from the salt of the stored keys.
        Salt = "salt",
        /// The iteration count is outside the configured limits, or differs from that of the stored keys.
        Iterations = "iterations",
        /// The server's signature is missing or wrong.
        Signature = "signature",
        /// The server signed other mechanisms than those that arrived (XEP-0474).
        Downgrade = "downgrade",
        /// The message is malformed or demands an extension (RFC 5802 §5.1, `m=`).
        Message = "message",
    }
}

named! {
    /// What a caller may do next. The enum is exhaustive on purpose, like [`ErrorKind`](super::ErrorKind): a
    /// `match` without a wildcard no longer compiles when a value is added.
    Retry {
        /// Do not retry: the same call will fail again.
        No = "no",
        /// Retry only after the operator has changed something.
        AfterConfigChange = "after-config-change",
        /// Retry at once, with a fresh session.
        FreshSession = "fresh-session",
        /// Retry after a while.
        Later = "later",
    }
}
