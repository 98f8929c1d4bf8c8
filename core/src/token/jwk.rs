//! Keys as JSON Web Keys (RFC 7517, RFC 7518 §6, RFC 8037 §2).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rsa::{KeyPairComponents, PublicKeyComponents};
use ring::signature::{Ed25519KeyPair, RsaKeyPair};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::algorithm::Algorithm;
use super::material::{Material, broken};
use super::pem::other_sort;
use crate::error::{Error, Result};

/// The members that matter here.
#[derive(Deserialize)]
pub(super) struct Jwk {
    kty: String,
    #[serde(rename = "use")]
    purpose: Option<String>,
    alg: Option<String>,
    pub(super) kid: Option<String>,
    crv: Option<String>,
    k: Option<Number>,
    n: Option<Number>,
    e: Option<Number>,
    d: Option<Number>,
    p: Option<Number>,
    q: Option<Number>,
    dp: Option<Number>,
    dq: Option<Number>,
    qi: Option<Number>,
    x: Option<Number>,
    y: Option<Number>,
}

/// A set of keys (RFC 7517 §5). Members of it may be of sorts that are yet to come.
#[derive(Deserialize)]
pub(super) struct JwkSet {
    pub(super) keys: Vec<serde_json::Value>,
}

/// Bytes in base64url (RFC 7515 §2).
struct Number(Zeroizing<Vec<u8>>);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Zeroizing::new(String::deserialize(deserializer)?);
        let bytes = URL_SAFE_NO_PAD.decode(text.trim_end_matches('='));
        bytes.map(|bytes| Self(Zeroizing::new(bytes))).map_err(|_| serde::de::Error::custom("no base64url"))
    }
}

impl Jwk {
    /// The algorithm and the key.
    pub(super) fn read(&self) -> Result<(Algorithm, Material)> {
        if self.purpose.as_deref().is_some_and(|purpose| purpose != "sig") {
            return Err(Error::config("key", "is for encryption (use): take one for signatures"));
        }
        let material = match (self.kty.as_str(), self.crv.as_deref()) {
            ("oct", _) => Material::Secret(member(self.k.as_ref())?.to_vec().into()),
            ("RSA", _) => self.rsa()?,
            ("EC", Some("P-256")) => self.ec()?,
            ("OKP", Some("Ed25519")) => self.ed()?,
            _ => return Err(other_sort()),
        };
        let usual = material.usual_algorithm();
        let algorithm = match &self.alg {
            None => usual,
            Some(name) => name.parse().map_err(|_| other_algorithm())?,
        };
        let is_fitting = algorithm == usual || (self.kty == "oct" && algorithm.least_secret().is_some());
        if is_fitting { Ok((algorithm, material)) } else { Err(other_algorithm()) }
    }

    fn rsa(&self) -> Result<Material> {
        let (n, e) = (member(self.n.as_ref())?, member(self.e.as_ref())?);
        let Some(d) = &self.d else {
            use pkcs1::der::{Encode, asn1::UintRef};
            let number = |bytes| UintRef::new(bytes).map_err(|_| broken("RSA"));
            let public = pkcs1::RsaPublicKey { modulus: number(n)?, public_exponent: number(e)? };
            return Material::rsa_public(&public.to_der().map_err(|_| broken("RSA"))?);
        };
        let components = KeyPairComponents {
            public_key: PublicKeyComponents { n, e },
            d: d.0.as_slice(),
            p: member(self.p.as_ref())?,
            q: member(self.q.as_ref())?,
            dP: member(self.dp.as_ref())?,
            dQ: member(self.dq.as_ref())?,
            qInv: member(self.qi.as_ref())?,
        };
        Material::rsa(RsaKeyPair::from_components(&components).map_err(|_| broken("RSA"))?)
    }

    fn ec(&self) -> Result<Material> {
        let public = [&[4], member(self.x.as_ref())?, member(self.y.as_ref())?].concat();
        self.d.as_ref().map_or_else(|| Material::ec_public(&public), |d| Material::ec(&d.0, &public))
    }

    fn ed(&self) -> Result<Material> {
        let public = member(self.x.as_ref())?;
        let Some(d) = &self.d else { return Material::ed_public(public) };
        let pair = Ed25519KeyPair::from_seed_and_public_key(&d.0, public);
        pair.map(Material::ed).map_err(|_| broken("Ed25519"))
    }
}

fn member(number: Option<&Number>) -> Result<&[u8]> {
    let number = number.map(|number| number.0.as_slice());
    number.filter(|bytes| !bytes.is_empty()).ok_or_else(|| {
        Error::config("key", "the JWK lacks a member that its sort of key has: export it again")
    })
}

fn other_algorithm() -> Error {
    let names: Vec<_> = Algorithm::ALL.iter().map(|algorithm| algorithm.as_str()).collect();
    Error::config(
        "key",
        format!(
            "the JWK's alg does not fit it or is not supported: leave it out, or take one of {}",
            names.join(", ")
        ),
    )
}

/// For JSON that is no JWK.
pub(super) fn not_jwk() -> Error {
    Error::config("key", "is no JWK: it is a JSON object with kty, or with keys for a set of them")
}
