//! DIGEST-MD5 (RFC 2831), for servers that are too old for SCRAM. RFC 6331 made it historic, so it is used
//! only if the configuration asks for it.

use std::fmt::Write as _;

use md5::{Digest, Md5};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::mechanism::{
    Authenticated, Identity, Input, Mechanism, Message, Output, early_success, unexpected_challenge,
};
use super::prepare;
use crate::error::{Check, Error, Result, Stage};
use crate::secret::Secret;

pub(super) struct DigestMd5<'a> {
    username: String,
    authzid: &'a str,
    domain: &'a str,
    password: &'a Secret,
    cnonce: Secret,
    state: State,
}

enum State {
    /// Waits for the server's challenge.
    First,
    /// Waits for the server's proof, which must have this value.
    Proving(Zeroizing<String>),
    Proven,
}

impl<'a> DigestMd5<'a> {
    pub(super) const NAME: &'static str = "DIGEST-MD5";

    pub(super) fn new(identity: Identity<'a>, password: &'a Secret, cnonce: &Secret) -> Self {
        Self {
            username: prepare::username(identity.authcid).into_owned(),
            authzid: identity.authzid,
            domain: identity.jid.domain(),
            password,
            cnonce: cnonce.clone(),
            state: State::First,
        }
    }

    /// The answer to the challenge, and the proof that the server has to send (RFC 2831 §2.1.2).
    fn answer(&self, challenge: &[u8]) -> Result<(Message, Zeroizing<String>)> {
        let directives = directives(challenge)?;
        let nonce = one(&directives, "nonce")?.ok_or_else(|| unexpected("no nonce"))?;
        let qop = one(&directives, "qop")?.unwrap_or("auth");
        if !qop.split(',').any(|qop| qop.trim() == "auth") {
            return Err(unexpected("no qop that leaves messages as they are"));
        }
        let is_md5_sess = one(&directives, "algorithm")? == Some("md5-sess");
        if !is_md5_sess {
            return Err(unexpected("an algorithm other than md5-sess"));
        }
        // The server may offer several realms. The realm with the name of the domain is the account's.
        let realms: Vec<&str> =
            directives.iter().filter(|(name, _)| name == "realm").map(|(_, realm)| realm.as_str()).collect();
        let realm = realms.iter().find(|realm| **realm == self.domain).or_else(|| realms.first()).copied();

        let uri = format!("xmpp/{}", self.domain);
        let a1 = self.a1(realm.unwrap_or_default(), nonce)?;
        let response = self.keyed_digest(&a1, nonce, &format!("AUTHENTICATE:{uri}"));
        let expected = self.keyed_digest(&a1, nonce, &format!(":{uri}"));

        let mut message = Zeroizing::new(format!("username={}", quoted(&self.username)));
        if let Some(realm) = realm {
            let _ = write!(message, ",realm={}", quoted(realm));
        }
        let _ = write!(
            message,
            ",nonce={},cnonce={},nc=00000001,qop=auth,digest-uri={},response={},charset=utf-8",
            quoted(nonce),
            quoted(self.cnonce.expose()),
            quoted(&uri),
            response.as_str(),
        );
        if !self.authzid.is_empty() {
            let _ = write!(message, ",authzid={}", quoted(self.authzid));
        }
        Ok((Zeroizing::new(message.as_bytes().to_vec()), expected))
    }

    /// The hash of `A1` in hexadecimal digits (RFC 2831 §2.1.2.1).
    fn a1(&self, realm: &str, nonce: &str) -> Result<Zeroizing<String>> {
        let password = prepare::password(self.password.expose())?;
        let user = [latin1(&self.username), latin1(realm), latin1(password.expose())].join(&b':');
        let mut a1 = Md5::new();
        a1.update(Md5::digest(Zeroizing::new(user).as_slice()));
        a1.update(format!(":{nonce}:{}", self.cnonce.expose()));
        if !self.authzid.is_empty() {
            a1.update(format!(":{}", self.authzid));
        }
        Ok(Zeroizing::new(hex::encode(a1.finalize())))
    }

    fn keyed_digest(&self, a1: &str, nonce: &str, a2: &str) -> Zeroizing<String> {
        let a2 = hex::encode(Md5::digest(a2));
        Zeroizing::new(hex::encode(Md5::digest(format!(
            "{a1}:{nonce}:00000001:{}:auth:{a2}",
            self.cnonce.expose()
        ))))
    }
}

impl Mechanism for DigestMd5<'_> {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn resume(&mut self, input: Input<'_>) -> Result<Output> {
        match (&self.state, input) {
            (State::First, Input::Nothing) => Ok(Output::Nothing),
            (State::First, Input::Challenge { data, .. }) => {
                let (message, expected) = self.answer(data)?;
                self.state = State::Proving(expected);
                Ok(Output::Message(message))
            }
            (State::Proving(expected), Input::Challenge { data, .. }) => {
                verify(data, expected)?;
                self.state = State::Proven;
                Ok(Output::LastMessage(Message::default()))
            }
            (State::Proving(expected), Input::Success(Some(data))) => {
                verify(data, expected)?;
                Ok(Output::Proof(Authenticated::by(self)))
            }
            (State::Proven, Input::Success(None | Some([]))) => Ok(Output::Proof(Authenticated::by(self))),
            (_, Input::Success(_)) => Err(early_success()),
            (_, Input::Nothing | Input::Challenge { .. }) => Err(unexpected_challenge()),
        }
    }
}

fn verify(message: &[u8], expected: &str) -> Result<()> {
    let directives = directives(message)?;
    let response_auth = one(&directives, "rspauth")?.unwrap_or_default();
    if bool::from(response_auth.as_bytes().ct_eq(expected.as_bytes())) {
        return Ok(());
    }
    Err(Error::unverified(
        Check::Signature,
        "its answer (rspauth) is wrong: it does not know the password of this account; check that `url` leads to your \
         server, as someone may be intercepting the connection",
    ))
}

/// Reads directives, `name=value` or `name="value"`, separated by commas (RFC 2831 §7.1).
fn directives(message: &[u8]) -> Result<Vec<(String, String)>> {
    let text = std::str::from_utf8(message).map_err(|_| unexpected("text that is not UTF-8"))?;
    let mut directives = Vec::new();
    let mut characters = text.chars().peekable();
    while characters.peek().is_some() {
        let name: String = std::iter::from_fn(|| characters.next_if(|c| !matches!(c, '=' | ','))).collect();
        let name = name.trim().to_ascii_lowercase();
        match characters.next() {
            Some('=') if !name.is_empty() => {}
            Some(',') | None if name.is_empty() => continue,
            _ => return Err(unexpected("a directive without a value")),
        }
        let value = if characters.next_if_eq(&'"').is_some() {
            let mut value = String::new();
            loop {
                match characters.next() {
                    Some('"') => break value,
                    Some('\\') => value.extend(characters.next()),
                    Some(character) => value.push(character),
                    None => return Err(unexpected("a quote that is not closed")),
                }
            }
        } else {
            std::iter::from_fn(|| characters.next_if(|c| *c != ',')).collect::<String>().trim().to_owned()
        };
        directives.push((name, value));
    }
    Ok(directives)
}

fn one<'a>(directives: &'a [(String, String)], name: &str) -> Result<Option<&'a str>> {
    let mut values = directives.iter().filter(|(found, _)| found == name).map(|(_, value)| value.as_str());
    match (values.next(), values.next()) {
        (value, None) => Ok(value),
        _ => Err(unexpected("the same directive twice")),
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// The bytes to hash: text that fits ISO 8859-1 is hashed in that encoding even if it is sent as UTF-8 (RFC
/// 2831 §2.1.2.1).
fn latin1(text: &str) -> Vec<u8> {
    let bytes: Option<Vec<u8>> = text.chars().map(|c| u8::try_from(c).ok()).collect();
    bytes.unwrap_or_else(|| text.as_bytes().to_vec())
}

fn unexpected(found: &str) -> Error {
    Error::protocol(Stage::Authenticate, "a DIGEST-MD5 challenge", found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directives_are_read_by_the_grammar() {
        let read = |text: &str| directives(text.as_bytes()).unwrap();
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let read_back = read("realm=\"a\\\"b,c\" ,, Nonce=x=y ,qop=,");
        assert_eq!(read_back, [pair("realm", "a\"b,c"), pair("nonce", "x=y"), pair("qop", "")]);
        assert_eq!(read(""), []);
        assert_eq!(one(&read_back, "nonce").unwrap(), Some("x=y"));
        assert_eq!(one(&read_back, "charset").unwrap(), None);
    }

    #[test]
    fn a_message_against_the_grammar_is_refused() {
        for text in ["=x", "realm", "realm,nonce=x", "realm=\"a", "realm=\"a\\"] {
            assert!(directives(text.as_bytes()).is_err(), "{text}");
        }
        assert!(directives(b"realm=\xff").is_err());
        assert!(one(&directives(b"nonce=a,nonce=b").unwrap(), "nonce").is_err());
    }
}
