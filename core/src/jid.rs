//! XMPP addresses (RFC 7622). They are prepared once, when they are parsed.

use std::borrow::Cow;
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use idna::AsciiDenyList;
use idna::uts46::{DnsLength, Hyphens, Uts46};
use precis_profiles::precis_core::profile::PrecisFastInvocation;
use precis_profiles::{OpaqueString, UsernameCaseMapped, UsernameCasePreserved};

use crate::error::{Error, Result, address, shortened};

/// The most bytes a localpart, a domainpart or a resourcepart may have (RFC 7622 §3.2 to §3.4).
const MAX_PART: usize = 1023;

/// A prepared XMPP address: `domain` or `local@domain`, each with or without `/resource`.
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
        if let Some(error) = user_with_at(bare) {
            return Err(error);
        }
        let (local, domain) = match bare.split_once('@') {
            Some((local, domain)) => (Some(prepare_local(local)?), domain),
            None => (None, bare),
        };
        Ok(Self { local, domain: prepare_domain(domain)?, resource })
    }

    /// Makes the address of a web site's user. Characters of the name that a localpart must not have are
    /// escaped (XEP-0106).
    ///
    /// JIDs ignore case: `Alice` and `alice` share one account. If your user names are case-sensitive, pass
    /// an immutable ID instead of the name.
    ///
    /// # Errors
    /// `Config` if the name or the domain is not allowed even then, or if the name has full-width or
    /// decomposed characters: such a name looks like another user's name, and would get that user's account.
    pub fn from_user(name: &str, domain: &str) -> Result<Self> {
        let escaped = escape_local(name)?;
        let local = prepare_local(&escaped)?;
        if is_look_alike(&escaped) {
            return Err(Error::config(
                "jid",
                "the user name has full-width or decomposed characters, so it may share the JID of another user: \
                 normalize names (NFKC) when users register, or make JIDs of an immutable id",
            ));
        }
        Ok(Self { local: Some(local), domain: prepare_domain(domain)?, resource: None })
    }

    /// The account in the form by which servers distinguish accounts, including servers that prepare names by
    /// the older RFC 6122.
    pub(crate) fn account(&self) -> String {
        let local = self.local.as_deref().unwrap_or_default();
        let local = stringprep::nodeprep(local).unwrap_or(Cow::Borrowed(local));
        format!("{local}@{}", folded_domain(&self.domain))
    }

    /// The name of the user that [`from_user`](Self::from_user) made this address of, in lower case: the part before
    /// the `@` without escapes (XEP-0106).
    #[must_use]
    pub fn to_user(&self) -> Option<String> {
        self.local.as_deref().map(unescape_local)
    }

    /// The part before the `@`.
    #[must_use]
    pub fn local(&self) -> Option<&str> {
        self.local.as_deref()
    }

    /// The domain, as it was written, in lower case.
    #[must_use]
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// The part after the first `/`.
    #[must_use]
    pub fn resource(&self) -> Option<&str> {
        self.resource.as_deref()
    }

    /// This address without its resource.
    #[must_use]
    pub fn bare(&self) -> Self {
        Self { resource: None, ..self.clone() }
    }

    /// Whether this is the same domain, in whatever form it is written.
    pub(crate) fn is_at(&self, domain: &str) -> bool {
        let domain = domain.strip_suffix('.').unwrap_or(domain);
        domain.eq_ignore_ascii_case(&self.domain)
            || Self::new(domain)
                .is_ok_and(|other| folded_domain(&self.domain) == folded_domain(&other.domain))
    }

    /// Compares this requested address with the bound one: whether they belong to the same account.
    pub(crate) fn compare(&self, bound: &Self) -> Likeness {
        if !self.is_at(&bound.domain) {
            return Likeness::Other;
        }
        let (Some(asked), bound) = (&self.local, bound.local.as_deref().unwrap_or_default()) else {
            return Likeness::Same;
        };
        let folded = |local| stringprep::nodeprep(local).ok();
        match (folded(asked), folded(bound)) {
            _ if asked == bound => Likeness::Same,
            (Some(asked), Some(bound)) if asked == bound => Likeness::Folded,
            _ => Likeness::Other,
        }
    }

    /// Parses an address that a server bound. Its resource is taken unchanged, because other clients will see
    /// it like this, and because the server may use newer Unicode tables than prebind.
    pub(crate) fn bound(jid: &str) -> Result<Self> {
        let (bare, resource) = jid
            .split_once('/')
            .filter(|(_, resource)| fits(resource))
            .ok_or_else(|| Error::config("jid", "a bound address has a resource"))?;
        Ok(Self { resource: Some(resource.to_owned()), ..Self::new(bare)? })
    }
}

/// The error for a user name that is an e-mail address, which has to be escaped in a JID.
fn user_with_at(bare: &str) -> Option<Error> {
    let (user, domain) = bare.rsplit_once('@').filter(|(user, _)| user.contains('@'))?;
    let escaped =
        Jid::from_user(user, domain).ok().map(|jid| format!(", here {}", shortened(&jid.to_string(), 120)));
    let problem = format!(
        "has more than one @: a user name that is an e-mail address has to be escaped, as `jid_from_user` does{}",
        escaped.unwrap_or_default()
    );
    Some(Error::config("jid", problem))
}

/// Whether two addresses belong to the same account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Likeness {
    Same,
    /// They are the same only for a server that prepares names by the older RFC 6122, whose nodeprep treats ß
    /// as ss and ς as σ.
    Folded,
    Other,
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

/// Prepares a resource to request (RFC 7622 §3.4). A leading space is refused although `OpaqueString` allows
/// it, because table 2 of §3.5 calls such an address illegal.
pub(crate) fn prepare_resource(resource: &str) -> Result<String> {
    let refused = || {
        Error::config("resource", "has 1 to 1023 bytes and does not begin with a space (RFC 7622 §3.4, §3.5)")
    };
    within_reach(resource, refused)?;
    let prepared = OpaqueString::enforce(resource).map_err(|_| {
        Error::config("resource", "is empty or has a character that is not allowed (RFC 7622 §3.4)")
    })?;
    if !prepared.starts_with(' ') && fits(&prepared) { Ok(prepared.into_owned()) } else { Err(refused()) }
}

/// Characters that a localpart must not have, besides those that PRECIS forbids (RFC 7622 §3.3.1).
const EXCLUDED: [char; 9] = ['"', '&', '\'', '/', ':', '<', '>', '@', ' '];

fn prepare_local(local: &str) -> Result<String> {
    let too_long = || Error::config("jid", "the part before the @ has 1 to 1023 bytes (RFC 7622 §3.3)");
    within_reach(local, too_long)?;
    let prepared = UsernameCaseMapped::enforce(local).map_err(|_| {
        Error::config(
            "jid",
            "the part before the @ is empty or has a character that is not allowed (RFC 7622 §3.3); make the JID of \
             a user name by `jid_from_user`",
        )
    })?;
    if prepared.contains(EXCLUDED) {
        return Err(Error::config(
            "jid",
            "the part before the @ has one of \" & ' / : < > @ or a space; make the JID of a user name by \
             `jid_from_user`, which escapes them",
        ));
    }
    if fits(&prepared) { Ok(prepared.into_owned()) } else { Err(too_long()) }
}

/// Whether preparation changes more than the case of a localpart.
fn is_look_alike(local: &str) -> bool {
    UsernameCasePreserved::enforce(local).is_ok_and(|prepared| prepared != local)
}

fn prepare_domain(domain: &str) -> Result<String> {
    let not_allowed = || Error::config("jid", no_domain(domain));
    within_reach(domain, not_allowed)?;
    if let Some(literal) = domain.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        let address: Ipv6Addr = literal.parse().map_err(|_| not_allowed())?;
        return Ok(format!("[{address}]"));
    }
    if let Ok(address) = domain.parse::<Ipv4Addr>() {
        return Ok(address.to_string());
    }
    let domain = domain.strip_suffix('.').unwrap_or(domain);
    // The ASCII form is only needed for this check.
    let ascii = Uts46::new()
        .to_ascii(domain.as_bytes(), AsciiDenyList::EMPTY, Hyphens::Allow, DnsLength::Verify)
        .map_err(|_| not_allowed())?;
    // Names of containers may have an underscore, and servers host such domains.
    let is_host_character = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if !ascii.bytes().all(is_host_character) {
        return Err(not_allowed());
    }
    if domain.is_ascii() {
        // The name is kept as it is written, because a server that is configured in Punycode may know no
        // other form.
        return Ok(domain.to_ascii_lowercase());
    }
    Ok(unicode_domain(domain).into_owned())
}

/// Says why this is no domain.
fn no_domain(domain: &str) -> String {
    if domain.is_empty() {
        return "has no domain; it reads like alice@example.org".to_owned();
    }
    let shown = shortened(&address(domain), 60);
    let is_port = |port: &str| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    match domain.split_once(':') {
        Some((host, port)) if is_port(port) => {
            let host = shortened(&address(host), 60);
            format!(
                "the domain must not have a port, here {port}: use {host} alone, and put the port into `url`"
            )
        }
        _ => format!("the domain {shown} is neither a host name nor an IP address (RFC 7622 §3.2)"),
    }
}

/// The domain with all its labels in Unicode.
fn unicode_domain(domain: &str) -> Cow<'_, str> {
    match Uts46::new().to_unicode(domain.as_bytes(), AsciiDenyList::EMPTY, Hyphens::Allow) {
        (unicode, Ok(())) => unicode,
        (_, Err(_)) => Cow::Borrowed(domain),
    }
}

/// The domain in the form in which every server compares it.
fn folded_domain(domain: &str) -> String {
    let unicode = unicode_domain(domain);
    stringprep::nameprep(&unicode).map_or_else(|_| unicode.to_string(), Cow::into_owned)
}

fn fits(part: &str) -> bool {
    (1..=MAX_PART).contains(&part.len())
}

/// Refuses a part that is too long to be prepared. Preparation takes time, and it shortens a part at most to
/// a quarter.
fn within_reach(part: &str, refused: impl FnOnce() -> Error) -> Result<()> {
    if part.len() <= 4 * MAX_PART { Ok(()) } else { Err(refused()) }
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
    within_reach(name, || Error::config("jid", "a user name has 1 to 1023 bytes (RFC 7622 §3.3)"))?;
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

fn unescape_local(local: &str) -> String {
    let mut name = String::with_capacity(local.len());
    let mut rest = local;
    while let Some((before, after)) = rest.split_once('\\') {
        name.push_str(before);
        let escape = ESCAPES.iter().find(|(_, hex)| starts_with_hex(after, hex));
        let (character, hex) = escape.copied().unwrap_or(('\\', ""));
        name.push(character);
        rest = &after[hex.len()..];
    }
    name + rest
}

fn starts_with_hex(text: &str, hex: &str) -> bool {
    text.get(..hex.len()).is_some_and(|start| start.eq_ignore_ascii_case(hex))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compared(asked: &str, bound: &str) -> Likeness {
        Jid::new(asked).unwrap().compare(&Jid::new(bound).unwrap())
    }

    #[test]
    fn a_bound_address_may_differ_as_servers_fold_names() {
        for (asked, bound, likeness) in [
            ("alice@example.org", "alice@example.org", Likeness::Same),
            ("alice@example.org", "bob@example.org", Likeness::Other),
            ("alice@example.org", "example.org", Likeness::Other),
            ("example.org", "guest@example.org", Likeness::Same),
            ("alice@example.org", "alice@example.com", Likeness::Other),
            ("strauß@localhost", "strauss@localhost", Likeness::Folded),
            ("γιώργος@localhost", "γιώργοσ@localhost", Likeness::Folded),
            ("strauß@localhost", "straus@localhost", Likeness::Other),
            ("alice@xn--bcher-kva.example", "alice@bücher.example", Likeness::Same),
            ("alice@bücher.example", "alice@xn--bcher-kva.example", Likeness::Same),
            ("alice@straße.example", "alice@strasse.example", Likeness::Same),
            ("alice@chat_server", "alice@chat-server", Likeness::Other),
        ] {
            assert_eq!(compared(asked, bound), likeness, "{asked} and {bound}");
        }
    }

    #[test]
    fn a_domain_is_what_servers_host() {
        for (domain, sent) in [
            ("chat_server", "chat_server"),
            ("_.Example.ORG.", "_.example.org"),
            ("größe_1.example", "größe_1.example"),
            ("xn--bcher-kva.example", "xn--bcher-kva.example"),
            ("XN--BCHER-KVA.example", "xn--bcher-kva.example"),
            ("Bücher.example", "bücher.example"),
            ("-a-.b--c", "-a-.b--c"),
            ("127.0.0.1", "127.0.0.1"),
        ] {
            assert_eq!(Jid::new(domain).unwrap().domain(), sent);
        }
        for bad in ["a b", "a..b", "", ".", "a!b", "a%b", "bü:cher", "a\u{0}"] {
            assert!(Jid::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_number_after_a_domain_is_called_a_port() {
        for (domain, told) in [
            ("chat.example.org:5222", "must not have a port, here 5222: use chat.example.org alone"),
            ("chat.example.org:", "is neither a host name nor an IP address"),
            ("chat.example.org:xmpp", "is neither a host name nor an IP address"),
        ] {
            let error = Jid::new(domain).unwrap_err().to_string();
            assert!(error.contains(told), "{error}");
        }
    }

    #[test]
    fn an_e_mail_address_as_user_name_is_no_part_of_an_address() {
        let error = Jid::new("alice@mail.example@chat.example.org").unwrap_err().to_string();
        assert!(
            error.ends_with("as `Jid::from_user` does, here alice\\40mail.example@chat.example.org"),
            "{error}"
        );
    }

    #[test]
    fn names_are_not_prepared_if_they_are_too_long_for_it() {
        let long = "e\u{301}".repeat(1_000_000);
        for jid in [format!("{long}@localhost"), format!("alice@{long}"), format!("alice@localhost/{long}")] {
            assert!(Jid::new(&jid).is_err());
        }
        assert!(Jid::from_user(&long, "localhost").is_err());
        // These are full-width characters: three bytes each, and one byte once prepared.
        assert_eq!(
            Jid::new(&format!("{}@localhost", "\u{ff41}".repeat(1023))).unwrap().local().unwrap().len(),
            1023
        );
    }

    #[test]
    fn a_bare_address_has_no_resource() {
        for jid in ["alice@localhost/web", "alice@localhost"] {
            assert_eq!(Jid::new(jid).unwrap().bare(), Jid::new("alice@localhost").unwrap());
        }
        assert_eq!(Jid::new("localhost/web").unwrap().bare().to_string(), "localhost");
    }
}
