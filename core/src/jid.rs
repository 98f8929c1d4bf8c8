//! XMPP addresses (RFC 7622), prepared once when they enter the library.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use precis_profiles::precis_core::profile::PrecisFastInvocation;
use precis_profiles::{OpaqueString, UsernameCaseMapped};

use crate::error::{Error, Result};

/// The most bytes a localpart, a domainpart or a resourcepart may have (RFC 7622 §3.2 to §3.4).
const MAX_PART: usize = 1023;

/// A prepared XMPP address: `domain`, `local@domain`, either with `/resource`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Jid {
    local: Option<String>,
    domain: String,
    resource: Option<String>,
}

impl Jid {
    /// Parses and prepares an address (RFC 7622 §3).
    ///
    /// # Errors
    /// `Config`, naming the part that is not allowed.
    pub fn new(jid: &str) -> Result<Self> {
        let (bare, resource) = match jid.split_once('/') {
            Some((bare, resource)) => (bare, Some(prepare_resource(resource)?)),
            None => (jid, None),
        };
        let (local, domain) = match bare.split_once('@') {
            Some((local, domain)) => (Some(prepare_local(local)?), domain),
            None => (None, bare),
        };
        Ok(Self { local, domain: prepare_domain(domain)?, resource })
    }

    /// The address of a web site's user, whose name may hold characters a localpart must not:
    /// they are escaped (XEP-0106).
    ///
    /// # Errors
    /// `Config` if the name or the domain is not allowed even so.
    pub fn from_user(name: &str, domain: &str) -> Result<Self> {
        Ok(Self {
            local: Some(prepare_local(&escape_local(name)?)?),
            domain: prepare_domain(domain)?,
            resource: None,
        })
    }

    /// The part before the `@`.
    #[must_use]
    pub fn local(&self) -> Option<&str> {
        self.local.as_deref()
    }

    /// The domain, as Unicode.
    #[must_use]
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// The part after the first `/`.
    #[must_use]
    pub fn resource(&self) -> Option<&str> {
        self.resource.as_deref()
    }

    /// The same address without a resource.
    #[must_use]
    pub fn bare(&self) -> Self {
        Self { resource: None, ..self.clone() }
    }

    /// The address a server bound. Its resource is taken as it is, since other clients will see it
    /// so; the server may follow newer tables of Unicode than this library.
    pub(crate) fn bound(jid: &str) -> Result<Self> {
        let (bare, resource) = jid
            .split_once('/')
            .filter(|(_, resource)| fits(resource))
            .ok_or_else(|| Error::config("jid", "a bound address has a resource"))?;
        Ok(Self { resource: Some(resource.to_owned()), ..Self::new(bare)? })
    }
}

impl FromStr for Jid {
    type Err = Error;

    fn from_str(jid: &str) -> Result<Self> {
        Self::new(jid)
    }
}

impl fmt::Display for Jid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(local) = &self.local {
            write!(f, "{local}@")?;
        }
        f.write_str(&self.domain)?;
        if let Some(resource) = &self.resource {
            write!(f, "/{resource}")?;
        }
        Ok(())
    }
}

/// Prepares a resource to ask for (RFC 7622 §3.4). A space in front is refused although
/// `OpaqueString` would let it pass: table 2 of §3.5 calls such an address illegal.
pub(crate) fn prepare_resource(resource: &str) -> Result<String> {
    let prepared = OpaqueString::enforce(resource).map_err(|_| {
        Error::config("resource", "is empty or has a character that is not allowed (RFC 7622 §3.4)")
    })?;
    if !prepared.starts_with(' ') && fits(&prepared) {
        Ok(prepared.into_owned())
    } else {
        Err(Error::config(
            "resource",
            "has 1 to 1023 bytes and does not begin with a space (RFC 7622 §3.4, §3.5)",
        ))
    }
}

/// Characters that a localpart must not have besides those PRECIS forbids (RFC 7622 §3.3.1).
const EXCLUDED: [char; 9] = ['"', '&', '\'', '/', ':', '<', '>', '@', ' '];

fn prepare_local(local: &str) -> Result<String> {
    let prepared = UsernameCaseMapped::enforce(local).map_err(|_| {
        Error::config(
            "jid",
            "the part before the @ is empty or has a character that is not allowed (RFC 7622 §3.3); \
             escape a user name with XEP-0106",
        )
    })?;
    if prepared.contains(EXCLUDED) {
        return Err(Error::config(
            "jid",
            "the part before the @ has one of \" & ' / : < > @ or a space; \
             escape a user name with XEP-0106",
        ));
    }
    if fits(&prepared) {
        Ok(prepared.into_owned())
    } else {
        Err(Error::config("jid", "the part before the @ has 1 to 1023 bytes (RFC 7622 §3.3)"))
    }
}

fn prepare_domain(domain: &str) -> Result<String> {
    let not_allowed =
        || Error::config("jid", "the domain is neither a host name nor an IP address (RFC 7622 §3.2)");
    if let Some(literal) = domain.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        let address: Ipv6Addr = literal.parse().map_err(|_| not_allowed())?;
        return Ok(format!("[{address}]"));
    }
    if let Ok(address) = domain.parse::<Ipv4Addr>() {
        return Ok(address.to_string());
    }
    let domain = domain.strip_suffix('.').unwrap_or(domain);
    // The ASCII form is made only to be checked: STD 3 characters and DNS lengths.
    idna::domain_to_ascii_strict(domain).map_err(|_| not_allowed())?;
    match idna::domain_to_unicode(domain) {
        (unicode, Ok(())) if fits(&unicode) => Ok(unicode),
        _ => Err(not_allowed()),
    }
}

fn fits(part: &str) -> bool {
    (1..=MAX_PART).contains(&part.len())
}

/// The escape sequences of XEP-0106 §4.2 table 2, without their backslash.
const ESCAPES: [(char, &str); 10] = [
    (' ', "20"),
    ('"', "22"),
    ('&', "26"),
    ('\'', "27"),
    ('/', "2f"),
    (':', "3a"),
    ('<', "3c"),
    ('>', "3e"),
    ('@', "40"),
    ('\\', "5c"),
];

fn escape_local(name: &str) -> Result<String> {
    if name.starts_with(' ') || name.ends_with(' ') {
        return Err(Error::config("jid", "a user name must not begin or end with a space (XEP-0106 §4.1)"));
    }
    let mut escaped = String::with_capacity(name.len());
    for (at, character) in name.char_indices() {
        let rest = &name[at + character.len_utf8()..];
        match ESCAPES.iter().find(|(from, _)| *from == character) {
            Some(('\\', _)) if !ESCAPES.iter().any(|(_, hex)| starts_with_hex(rest, hex)) => {
                escaped.push('\\');
            }
            Some((_, hex)) => {
                escaped.push('\\');
                escaped.push_str(hex);
            }
            None => escaped.push(character),
        }
    }
    Ok(escaped)
}

fn starts_with_hex(text: &str, hex: &str) -> bool {
    text.get(..hex.len()).is_some_and(|start| start.eq_ignore_ascii_case(hex))
}
