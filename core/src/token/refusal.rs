//! Why a token is refused.

use crate::text::shown;

/// Why a token is refused. It never holds a part of the token. More may be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Refusal {
    /// The token has more bytes than [`Verifier::LONGEST`](super::Verifier::LONGEST).
    TooLong,
    /// The token is no JWT in compact form, or has a claim of the wrong type.
    Malformed,
    /// The token's header names an algorithm that is not its key's, such as `none`.
    Algorithm,
    /// The token names a key that is not among the verifier's.
    UnknownKey,
    /// The signature is not that of a key: the token was changed, or signed by another key.
    Signature,
    /// The claim `exp` is missing or not a number: the token would never expire.
    NoExpiry,
    /// The time in `exp` has come.
    Expired,
    /// The time in `nbf` or `iat` has not come.
    NotYetValid,
    /// The token is for another audience (`aud`).
    Audience,
    /// The token is from another issuer (`iss`).
    Issuer,
    /// The claim that names the user is missing or makes no JID.
    NoUser,
    /// The token is another user's.
    OtherUser,
}

impl Refusal {
    /// Every reason.
    pub const ALL: [Self; 12] = [
        Self::TooLong,
        Self::Malformed,
        Self::Algorithm,
        Self::UnknownKey,
        Self::Signature,
        Self::NoExpiry,
        Self::Expired,
        Self::NotYetValid,
        Self::Audience,
        Self::Issuer,
        Self::NoUser,
        Self::OtherUser,
    ];

    /// Its name, which is the same in every language.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TooLong => "TooLong",
            Self::Malformed => "Malformed",
            Self::Algorithm => "Algorithm",
            Self::UnknownKey => "UnknownKey",
            Self::Signature => "Signature",
            Self::NoExpiry => "NoExpiry",
            Self::Expired => "Expired",
            Self::NotYetValid => "NotYetValid",
            Self::Audience => "Audience",
            Self::Issuer => "Issuer",
            Self::NoUser => "NoUser",
            Self::OtherUser => "OtherUser",
        }
    }

    /// What is wrong and how to mend it, for a log.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::TooLong => "the token is longer than 8,192 bytes: put fewer claims into it",
            Self::Malformed => {
                "this is no JWT, or a claim has the wrong type: check that the client sends a token"
            }
            Self::Algorithm => {
                "the token is not signed by its key's algorithm: sign it by the alg of the key"
            }
            Self::UnknownKey => "the token names a key (kid) that is not here: add the issuer's new key",
            Self::Signature => {
                "the token was changed, or signed by another key: give issuer and verifier one key"
            }
            Self::NoExpiry => "the token has no exp that is a number: let the issuer set one",
            Self::Expired => {
                "the token has expired: issue one for each login, and compare the machines' clocks"
            }
            Self::NotYetValid => "the token is not valid yet (nbf, iat): compare the machines' clocks",
            Self::Audience => {
                "the token is for another audience (aud): configure the same at issuer and verifier"
            }
            Self::Issuer => {
                "the token is from another issuer (iss): configure the same at issuer and verifier"
            }
            Self::NoUser => {
                "the token does not name a user by a JID: check the claim that is to name the user"
            }
            Self::OtherUser => "the token is another user's: issue it for the JID that logs in",
        }
    }
}

shown!(Refusal);

impl std::error::Error for Refusal {}
