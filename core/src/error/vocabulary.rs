//! Names that specifications define, and that therefore hold no secret.

use super::condition::{BoshCondition, SaslCondition, ScramCondition, StanzaCondition, StreamCondition};

/// Whether this is the name of an error condition.
pub(crate) fn is_condition(name: &str) -> bool {
    [
        BoshCondition::NAMES,
        StreamCondition::NAMES,
        SaslCondition::NAMES,
        ScramCondition::NAMES,
        StanzaCondition::NAMES,
    ]
    .iter()
    .any(|names| names.contains(&name))
}

/// The mechanisms that servers offer, or the beginnings of their names.
const MECHANISMS: [&str; 11] = [
    "ANONYMOUS",
    "CRAM-MD5",
    "DIGEST-MD5",
    "EXTERNAL",
    "GSSAPI",
    "HT-SHA-256-",
    "OAUTHBEARER",
    "PLAIN",
    "SCRAM-SHA-",
    "SCRAM-SHA3-",
    "X-OAUTH2",
];

/// Whether this is the name of a known mechanism.
pub(crate) fn is_mechanism(name: &str) -> bool {
    let begins_with = |known: &str| match name.strip_prefix(known) {
        Some("") => true,
        Some(
            "1" | "256" | "512" | "1-PLUS" | "256-PLUS" | "512-PLUS" | "NONE" | "EXPR" | "ENDP" | "UNIQ",
        ) => known.ends_with('-'),
        _ => false,
    };
    MECHANISMS.iter().any(|known| begins_with(known))
}
