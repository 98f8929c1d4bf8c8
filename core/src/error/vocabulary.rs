//! Names that specifications give, so that nothing secret is in them.

use super::condition::{BoshCondition, SaslCondition, ScramCondition, StanzaCondition, StreamCondition};

/// Whether it is the name of an error condition.
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

/// Mechanisms that servers offer, or how their names begin.
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

/// Whether it is the name of a mechanism.
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
