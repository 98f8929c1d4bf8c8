//! New keys, and what a chat server has to be given of a key.

use pkcs8::der::Decode;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair};
use zeroize::Zeroizing;

use super::algorithm::Algorithm;
use super::key::Key;
use super::public::{members, oct};
use crate::error::{Error, Result};
use crate::jid::Jid;
use crate::random;
use crate::secret::Secret;

/// What [`ServerSide::instructions`] says.
const INSTRUCTIONS: &str = include_str!("instructions.txt");

/// A chat server's side of a key: a file, and lines of configuration that name it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerSide {
    /// Where to put the file, so that only the server may read it.
    pub path: String,
    /// What the file holds: the secret of an HMAC key, or a public key.
    pub file: Secret,
    /// The lines of configuration, with comments.
    pub configuration: String,
    /// The command that has the server read both, where it is running.
    pub reload: &'static str,
}

impl ServerSide {
    /// What an operator is told: which file goes where, with what it holds, and what to do then.
    #[must_use]
    pub fn instructions(&self) -> Secret {
        let told = INSTRUCTIONS.trim_end().replace("@PATH@", &self.path).replace("@RELOAD@", self.reload);
        let told = told.replace("@CONFIGURATION@", &self.configuration);
        // The last, since it is not to stay in a text that is not wiped.
        told.replace("@FILE@", self.file.expose().trim_end()).into()
    }
}

impl Key {
    /// A new key from the operating system's random numbers, as a private JWK. Its `kid` is `id`, else random. Keep
    /// it where only the site may read it: anyone who has it can log in as anybody.
    ///
    /// # Errors
    /// `Config` for RS256, whose keys other programs make, and for an unusable ID; `Internal` if there are no random
    /// numbers.
    pub fn generate(algorithm: Algorithm, id: Option<&str>) -> Result<Secret> {
        let numbers = match algorithm {
            Algorithm::Hs256 | Algorithm::Hs384 | Algorithm::Hs512 => {
                let mut secret = Zeroizing::new(vec![0; algorithm.least_secret().unwrap_or_default()]);
                random::fill(&mut secret)?;
                oct(&secret)
            }
            Algorithm::Es256 => new_ec()?,
            Algorithm::EdDsa => new_ed()?,
            Algorithm::Rs256 => {
                return Err(Error::config(
                    "algorithm",
                    "RSA keys are not made here: take ES256, or make one by another program (openssl genrsa 2048)",
                ));
            }
        };
        let id = id.map_or_else(random_id, |id| Ok(id.to_owned()))?;
        let jwk = Secret::from(jwk(algorithm, Some(&id), &numbers));
        Self::from_jwk(jwk.expose()).map(|_| jwk)
    }

    /// What verifies this key's tokens, as a JWK: the public key, or the secret of an HMAC key.
    #[must_use]
    pub fn verifying_jwk(&self) -> Secret {
        jwk(self.algorithm(), self.id(), &self.material().verifying_members()).into()
    }

    /// The public key as PEM (`SubjectPublicKeyInfo`, RFC 5280 §4.1.2.7); `None` for an HMAC key, which has none.
    #[must_use]
    pub fn public_pem(&self) -> Option<String> {
        self.material().public_pem()
    }

    /// What ejabberd needs to verify this key's tokens for a domain.
    ///
    /// # Errors
    /// `Config` if the domain cannot be one.
    pub fn for_ejabberd(&self, domain: &str) -> Result<ServerSide> {
        let domain = host(domain)?;
        let path = "/etc/ejabberd/jwt.jwk".to_owned();
        let configuration = format!(
            "host_config:\n  \"{domain}\":\n    \
             # internal keeps accounts: without one, messages to a user who is offline are lost.\n    \
             auth_method: [jwt, internal]\n    \
             # Two registrations of one user at once would leave a wrong entry in this cache.\n    \
             auth_use_cache: false\n    \
             # ejabberd knows one key. While keys rotate, give the site both, the new one first.\n    \
             jwt_key: \"{path}\"\n"
        );
        Ok(ServerSide {
            path,
            file: self.verifying_jwk(),
            configuration,
            reload: "ejabberdctl reload_config",
        })
    }

    /// What Prosody with the module `mod_auth_prebind` needs to verify this key's tokens for a domain.
    ///
    /// # Errors
    /// `Config` if the domain cannot be one, or for `EdDSA`, which Prosody does not know.
    pub fn for_prosody(&self, domain: &str) -> Result<ServerSide> {
        /// Every key in this folder is known at the same time.
        const FOLDER: &str = "/etc/prosody/site-keys";
        if self.algorithm() == Algorithm::EdDsa {
            return Err(Error::config("key", "Prosody does not know EdDSA: make a key for HS256 or ES256"));
        }
        let domain = host(domain)?;
        let (file, kind) = match self.public_pem() {
            Some(pem) => (pem.into(), "pem"),
            None => (self.verifying_jwk(), "jwk"),
        };
        let name = self.id().filter(|id| id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'));
        let path = format!("{FOLDER}/{}.{kind}", name.unwrap_or("site"));
        let configuration = format!(
            "VirtualHost \"{domain}\"\n    authentication = \"prebind\"\n    \
             -- Every key in this folder is known, so keys may overlap while they rotate.\n    \
             prebind_keys = \"{FOLDER}\"\n"
        );
        Ok(ServerSide { path, file, configuration, reload: "prosodyctl reload" })
    }
}

fn jwk(algorithm: Algorithm, id: Option<&str>, members: &str) -> String {
    let id = id.map_or_else(String::new, |id| format!(",\"kid\":{}", serde_json::Value::from(id)));
    format!("{{\"alg\":\"{algorithm}\"{id},{members}}}")
}

fn new_ec() -> Result<Zeroizing<String>> {
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())
        .map_err(|_| random::no_random_numbers())?;
    let parts = pkcs8::PrivateKeyInfoRef::from_der(pkcs8.as_ref()).ok();
    let key = parts.and_then(|info| sec1::EcPrivateKey::from_der(info.private_key.as_bytes()).ok());
    let parts = key.and_then(|key| Some((key.private_key, key.public_key?.get(1..)?)));
    let (private, (x, y)) = parts
        .and_then(|(private, point)| Some((private, point.split_at_checked(32)?)))
        .ok_or_else(random::no_random_numbers)?;
    Ok(members("EC", Some("P-256"), &[("x", x), ("y", y), ("d", private)]))
}

fn new_ed() -> Result<Zeroizing<String>> {
    let mut seed = Zeroizing::new([0; 32]);
    random::fill(&mut *seed)?;
    let pair = Ed25519KeyPair::from_seed_unchecked(&*seed).map_err(|_| random::no_random_numbers())?;
    Ok(members("OKP", Some("Ed25519"), &[("x", pair.public_key().as_ref()), ("d", &*seed)]))
}

fn random_id() -> Result<String> {
    let mut id = [0; 8];
    random::fill(&mut id)?;
    Ok(hex::encode(id))
}

/// A domain as a server's configuration has it.
fn host(domain: &str) -> Result<String> {
    let jid = Jid::new(domain)?;
    if jid.local().is_some() || jid.resource().is_some() {
        return Err(Error::config("jid", "give the domain of the chat accounts alone, like example.org"));
    }
    Ok(jid.domain().to_owned())
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;
    use crate::token::{Issuer, Verifier};

    const MADE: [Algorithm; 5] =
        [Algorithm::Hs256, Algorithm::Hs384, Algorithm::Hs512, Algorithm::Es256, Algorithm::EdDsa];

    #[test]
    fn a_new_key_signs_and_its_other_side_verifies() {
        let (alice, now) =
            (Jid::new("alice@example.org").unwrap(), SystemTime::UNIX_EPOCH + Duration::from_secs(1));
        for algorithm in MADE {
            let new = || Key::generate(algorithm, None).unwrap();
            let key = Key::from_jwk(new().expose()).unwrap();
            assert_eq!((key.algorithm(), key.id().unwrap().len(), key.can_sign()), (algorithm, 16, true));
            let token = Issuer::new([key.clone()]).unwrap().issue(&alice, now).unwrap();
            let other_side = Key::from_jwk(key.verifying_jwk().expose()).unwrap();
            assert_eq!(other_side.can_sign(), algorithm.least_secret().is_some());
            assert_eq!(other_side.id(), key.id());
            let pem = key.public_pem().map(|pem| Key::from_pem(&pem).unwrap());
            assert_eq!(pem.is_some(), algorithm.least_secret().is_none());
            for verifying in pem.into_iter().chain([other_side]) {
                let verified = Verifier::new([verifying]).unwrap().verify(token.expose(), now).unwrap();
                assert_eq!(verified.jid, alice, "{algorithm}");
            }
            assert_ne!(new(), new());
        }
        let named = Key::from_jwk(Key::generate(Algorithm::Hs256, Some("\"x\\")).unwrap().expose()).unwrap();
        assert_eq!(named.id(), Some("\"x\\"));
        assert!(Key::generate(Algorithm::Hs256, Some("")).is_err());
    }

    #[test]
    fn a_server_is_given_no_private_key() {
        for algorithm in MADE {
            let private = Key::generate(algorithm, Some("2026-11")).unwrap();
            let key = Key::from_jwk(private.expose()).unwrap();
            let sides = [key.for_ejabberd("Example.org").ok(), key.for_prosody("Example.org").ok()];
            assert_eq!(sides[1].is_none(), algorithm == Algorithm::EdDsa);
            for side in sides.into_iter().flatten() {
                let read = Key::read(side.file.expose()).unwrap().remove(0);
                assert_eq!(read.can_sign(), algorithm.least_secret().is_some(), "{algorithm}");
                assert!(side.configuration.contains("\"example.org\""), "{side:?}");
                let folder = side.path.rsplit_once('/').unwrap().0;
                assert!(side.configuration.contains(folder), "{side:?}");
                assert!(!format!("{side:?}").contains(side.file.expose()), "{algorithm}");
            }
        }
        for (id, file) in [("../x", "site.jwk"), ("2026-11", "2026-11.jwk")] {
            let key = Key::from_jwk(Key::generate(Algorithm::Hs256, Some(id)).unwrap().expose()).unwrap();
            let path = key.for_prosody("example.org").unwrap().path;
            assert_eq!(path, format!("/etc/prosody/site-keys/{file}"));
        }
    }
}
