//! The error conditions that a server can name, each with what a caller may do and the remedy.
//!
//! A condition that prebind does not know is kept as `Other`.

use std::convert::Infallible;
use std::str::FromStr;

use super::names::{Retry, Stage};
use crate::text;

/// An error condition as the server named it. Conditions of more specifications may be added.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Condition {
    /// The connection manager ended the session (XEP-0124 §17).
    Bosh(BoshCondition),
    /// The XMPP server ended the stream (RFC 6120 §4.9.3).
    Stream(StreamCondition),
    /// The login was refused (RFC 6120 §6.5).
    Sasl(SaslCondition),
    /// The login was refused inside a SCRAM message (RFC 5802 §7, attribute `e`).
    Scram(ScramCondition),
    /// The request to bind a resource, or to open a session, was refused (RFC 6120 §8.3.3).
    Stanza(StanzaCondition),
}

impl Condition {
    /// The condition's name in its specification, for example `not-authorized`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Bosh(condition) => condition.as_str(),
            Self::Stream(condition) => condition.as_str(),
            Self::Sasl(condition) => condition.as_str(),
            Self::Scram(condition) => condition.as_str(),
            Self::Stanza(condition) => condition.as_str(),
        }
    }

    /// The condition with this name in the same specification.
    pub(crate) fn named(&self, name: &str) -> Self {
        match self {
            Self::Bosh(_) => Self::Bosh(name.into()),
            Self::Stream(_) => Self::Stream(name.into()),
            Self::Sasl(_) => Self::Sasl(name.into()),
            Self::Scram(_) => Self::Scram(name.into()),
            Self::Stanza(_) => Self::Stanza(name.into()),
        }
    }

    pub(crate) fn retry(&self, stage: Stage) -> Retry {
        match self {
            // ejabberd answers with this condition for a domain that it does not host.
            Self::Bosh(BoshCondition::InternalServerError) if stage == Stage::Create => {
                Retry::AfterConfigChange
            }
            Self::Bosh(condition) => condition.retry(),
            Self::Stream(condition) => condition.retry(),
            Self::Sasl(condition) => condition.retry(),
            Self::Scram(condition) => condition.retry(),
            Self::Stanza(condition) => condition.retry(),
        }
    }

    /// The remedy, with `{domain}` as the placeholder for the domain of the JID.
    pub(crate) fn remedy(&self, stage: Stage) -> &'static str {
        match (self, stage) {
            (Self::Bosh(BoshCondition::InternalServerError), Stage::Create) => {
                "check that the server hosts the domain {domain}; if it does, see the server's log"
            }
            (Self::Bosh(BoshCondition::ItemNotFound), Stage::Terminate) => {
                "the session has ended already, or this is not the RID to send next"
            }
            (Self::Bosh(condition), _) => condition.remedy(),
            (Self::Stream(condition), _) => condition.remedy(),
            (Self::Sasl(condition), _) => condition.remedy(),
            (Self::Scram(condition), _) => condition.remedy(),
            (Self::Stanza(condition), _) => condition.remedy(),
        }
    }
}

text::shown!(Condition);

const AGAIN: &str = "try again with a fresh session";
const OUR_FAULT: &str = "a defect of prebind or of the server; report it with a trace of the exchange";
const DOMAIN: &str = "the server does not host {domain}; correct the domain of the JID, or add it to the server as a virtual host";
const PASSWORD: &str = "check the user name and the password or token";
const ENOUGH: &str = "the server limits requests or sessions; wait, then try again";
const STOPPING: &str = "the server is stopping or restarting; try again later";
const NOT_LET: &str = "the server does not let this account bind; check its access rules";
const NO_BIND: &str = "ask for another `resource`, or for none so that the server makes one";
const LOG: &str = "see the server's log";

/// Declares one enum of conditions: variant, name on the wire, retry, remedy.
macro_rules! conditions {
    ($(#[$doc:meta])* $enum:ident { $($variant:ident = $name:literal => $retry:ident, $remedy:expr;)+ }) => {
        $(#[$doc])*
        ///
        /// Conditions may be added: a condition that is [`Other`](Self::Other) today may get its own variant
        /// in a later release.
        #[derive(Debug, Clone, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum $enum {
            $(#[doc = concat!("`", $name, "`")] $variant,)+
            /// A condition that prebind does not know, by its name.
            Other(String),
        }

        impl $enum {
            /// Every known condition.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            pub(crate) const NAMES: &'static [&'static str] = &[$($name),+];

            /// The name on the wire.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $name,)+
                    Self::Other(name) => name,
                }
            }

            fn retry(&self) -> Retry {
                match self {
                    $(Self::$variant => Retry::$retry,)+
                    Self::Other(_) => Retry::No,
                }
            }

            fn remedy(&self) -> &'static str {
                match self {
                    $(Self::$variant => $remedy,)+
                    Self::Other(_) => "look the condition up in the server's documentation and log",
                }
            }
        }

        text::shown!($enum);

        impl FromStr for $enum {
            type Err = Infallible;

            fn from_str(name: &str) -> Result<Self, Infallible> {
                Ok(name.into())
            }
        }

        impl From<&str> for $enum {
            fn from(name: &str) -> Self {
                match name {
                    $($name => Self::$variant,)+
                    other => Self::Other(other.to_owned()),
                }
            }
        }
    };
}

conditions! {
    /// Terminal binding conditions (XEP-0124 §17.2). If `remote-stream-error` carries a stream error, that
    /// error is reported instead.
    BoshCondition {
        BadRequest = "bad-request" => No, OUR_FAULT;
        HostGone = "host-gone" => AfterConfigChange, DOMAIN;
        HostUnknown = "host-unknown" => AfterConfigChange, DOMAIN;
        ImproperAddressing = "improper-addressing" => AfterConfigChange, DOMAIN;
        InternalServerError = "internal-server-error" => FreshSession,
            "see the server's log, and try again with a fresh session";
        ItemNotFound = "item-not-found" => FreshSession,
            "the server does not know the session that it has just created, so a balancer sends requests to \
             different servers; make it sticky, or let `url` name one server";
        OtherRequest = "other-request" => FreshSession, AGAIN;
        PolicyViolation = "policy-violation" => Later, ENOUGH;
        RemoteConnectionFailed = "remote-connection-failed" => Later,
            "the connection manager does not reach the XMPP server for {domain}; check that it runs, and `route`";
        RemoteStreamError = "remote-stream-error" => FreshSession, AGAIN;
        SeeOtherUri = "see-other-uri" => AfterConfigChange,
            "the server sends its clients elsewhere, without saying where to; see its documentation";
        SystemShutdown = "system-shutdown" => Later, STOPPING;
        UndefinedCondition = "undefined-condition" => FreshSession, AGAIN;
    }
}

impl BoshCondition {
    /// The condition that an old connection manager expresses by this HTTP status (XEP-0124 §17.1).
    pub(crate) fn from_http_status(status: u16) -> Option<Self> {
        match status {
            400 => Some(Self::BadRequest),
            403 => Some(Self::PolicyViolation),
            404 => Some(Self::ItemNotFound),
            _ => None,
        }
    }
}

conditions! {
    /// Stream error conditions (RFC 6120 §4.9.3).
    StreamCondition {
        BadFormat = "bad-format" => No, OUR_FAULT;
        BadNamespacePrefix = "bad-namespace-prefix" => No, OUR_FAULT;
        Conflict = "conflict" => FreshSession,
            "the same `resource` was bound elsewhere; ask for none so that the server makes one";
        ConnectionTimeout = "connection-timeout" => FreshSession, AGAIN;
        HostGone = "host-gone" => AfterConfigChange, DOMAIN;
        HostUnknown = "host-unknown" => AfterConfigChange, DOMAIN;
        ImproperAddressing = "improper-addressing" => AfterConfigChange, DOMAIN;
        InternalServerError = "internal-server-error" => FreshSession, LOG;
        InvalidFrom = "invalid-from" => No, OUR_FAULT;
        InvalidNamespace = "invalid-namespace" => No, OUR_FAULT;
        InvalidXml = "invalid-xml" => No, OUR_FAULT;
        NotAuthorized = "not-authorized" => No, OUR_FAULT;
        NotWellFormed = "not-well-formed" => No, OUR_FAULT;
        PolicyViolation = "policy-violation" => Later, ENOUGH;
        RemoteConnectionFailed = "remote-connection-failed" => Later,
            "the server does not reach a service that it needs, such as its user database; see its log";
        Reset = "reset" => FreshSession, AGAIN;
        ResourceConstraint = "resource-constraint" => Later, ENOUGH;
        RestrictedXml = "restricted-xml" => No, OUR_FAULT;
        SeeOtherHost = "see-other-host" => AfterConfigChange,
            "the server sends its clients elsewhere, without saying where to; see its documentation";
        SystemShutdown = "system-shutdown" => Later, STOPPING;
        UndefinedCondition = "undefined-condition" => No, LOG;
        UnsupportedEncoding = "unsupported-encoding" => No, OUR_FAULT;
        UnsupportedFeature = "unsupported-feature" => No, OUR_FAULT;
        UnsupportedStanzaType = "unsupported-stanza-type" => No, OUR_FAULT;
        UnsupportedVersion = "unsupported-version" => No, OUR_FAULT;
    }
}

conditions! {
    /// SASL failure conditions (RFC 6120 §6.5).
    SaslCondition {
        Aborted = "aborted" => No, OUR_FAULT;
        AccountDisabled = "account-disabled" => No, "enable the account on the XMPP server";
        CredentialsExpired = "credentials-expired" => No, "set a new password or mint a new token";
        EncryptionRequired = "encryption-required" => AfterConfigChange,
            "use an https `url`, or tell the server that this http is secure (Prosody: consider_bosh_secure = true)";
        IncorrectEncoding = "incorrect-encoding" => No, OUR_FAULT;
        InvalidAuthzid = "invalid-authzid" => AfterConfigChange,
            "check `authzid`, and that the user who logs in may act for it; leave it out to log in as that user";
        InvalidMechanism = "invalid-mechanism" => AfterConfigChange,
            "enable the mechanism for {domain} on the server, or use other credentials";
        MalformedRequest = "malformed-request" => No, OUR_FAULT;
        MechanismTooWeak = "mechanism-too-weak" => AfterConfigChange,
            "enable a stronger mechanism on the server";
        NotAuthorized = "not-authorized" => No, PASSWORD;
        TemporaryAuthFailure = "temporary-auth-failure" => Later,
            "the server could not ask its user database; see its log, and try again later";
    }
}

conditions! {
    /// Server errors inside a SCRAM exchange (RFC 5802 §7).
    ScramCondition {
        InvalidEncoding = "invalid-encoding" => No, OUR_FAULT;
        ExtensionsNotSupported = "extensions-not-supported" => No, OUR_FAULT;
        InvalidProof = "invalid-proof" => No, PASSWORD;
        ChannelBindingsDontMatch = "channel-bindings-dont-match" => No, OUR_FAULT;
        ServerDoesSupportChannelBinding = "server-does-support-channel-binding" => No, OUR_FAULT;
        ChannelBindingNotSupported = "channel-binding-not-supported" => No, OUR_FAULT;
        UnsupportedChannelBindingType = "unsupported-channel-binding-type" => No, OUR_FAULT;
        UnknownUser = "unknown-user" => No, PASSWORD;
        InvalidUsernameEncoding = "invalid-username-encoding" => No, PASSWORD;
        NoResources = "no-resources" => Later, "the server is short of resources; try again later";
        OtherError = "other-error" => No, LOG;
    }
}

conditions! {
    /// Stanza error conditions (RFC 6120 §8.3.3). Those defined for resource binding (§7.6.2, §7.7.2) have a
    /// remedy of their own. The others should not occur there.
    StanzaCondition {
        BadRequest = "bad-request" => AfterConfigChange, NO_BIND;
        Conflict = "conflict" => FreshSession,
            "the `resource` is taken; ask for none so that the server makes one";
        FeatureNotImplemented = "feature-not-implemented" => No, OUR_FAULT;
        Forbidden = "forbidden" => No, NOT_LET;
        Gone = "gone" => No, OUR_FAULT;
        InternalServerError = "internal-server-error" => FreshSession, LOG;
        ItemNotFound = "item-not-found" => No, OUR_FAULT;
        JidMalformed = "jid-malformed" => AfterConfigChange, NO_BIND;
        NotAcceptable = "not-acceptable" => AfterConfigChange, NO_BIND;
        NotAllowed = "not-allowed" => No, NOT_LET;
        NotAuthorized = "not-authorized" => No, OUR_FAULT;
        PolicyViolation = "policy-violation" => Later, ENOUGH;
        RecipientUnavailable = "recipient-unavailable" => No, OUR_FAULT;
        Redirect = "redirect" => No, OUR_FAULT;
        RegistrationRequired = "registration-required" => No, "register the account on the server first";
        RemoteServerNotFound = "remote-server-not-found" => No, OUR_FAULT;
        RemoteServerTimeout = "remote-server-timeout" => FreshSession, AGAIN;
        ResourceConstraint = "resource-constraint" => Later,
            "the account has too many sessions; end some, then try again";
        ServiceUnavailable = "service-unavailable" => Later,
            "the server cannot bind a resource now; see its log, and try again later";
        SubscriptionRequired = "subscription-required" => No, OUR_FAULT;
        UndefinedCondition = "undefined-condition" => No, LOG;
        UnexpectedRequest = "unexpected-request" => No, OUR_FAULT;
    }
}
