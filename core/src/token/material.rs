//! The secret or the key pair itself, and what is computed with it.

use hmac::{Hmac, KeyInit, Mac};
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair, Ed25519KeyPair, KeyPair,
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair, UnparsedPublicKey, VerificationAlgorithm,
};
use sha2::{Sha256, Sha384, Sha512};
use zeroize::Zeroizing;

use super::algorithm::Algorithm;
use crate::error::{Error, Result};
use crate::random::no_random_numbers;

/// The public exponents and moduli that are taken, in bits (RFC 7518 §3.3; `ring` takes no longer ones).
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// What a key consists of. A public key has no pair.
pub(super) enum Material {
    Secret(Zeroizing<Vec<u8>>),
    Rsa {
        pair: Option<RsaKeyPair>,
        /// `RSAPublicKey` (RFC 8017 §A.1.1).
        public: Vec<u8>,
    },
    Ec {
        pair: Option<EcdsaKeyPair>,
        /// The uncompressed point (SEC 1 §2.3.3).
        public: Vec<u8>,
    },
    Ed {
        pair: Option<Ed25519KeyPair>,
        /// As in RFC 8032 §5.1.5.
        public: Vec<u8>,
    },
}

impl Material {
    pub(super) fn rsa(pair: RsaKeyPair) -> Result<Self> {
        let public = pair.public().as_ref().to_vec();
        check_rsa(8 * pair.public().modulus_len())?;
        Ok(Self::Rsa { pair: Some(pair), public })
    }

    /// From `RSAPublicKey`.
    pub(super) fn rsa_public(public: &[u8]) -> Result<Self> {
        use pkcs1::der::Decode;
        let key = pkcs1::RsaPublicKeyRef::from_der(public).map_err(|_| broken("RSA"))?;
        check_rsa(8 * key.modulus.as_bytes().len())?;
        Ok(Self::Rsa { pair: None, public: public.to_vec() })
    }

    /// From the private number and the point that goes with it.
    pub(super) fn ec(private: &[u8], public: &[u8]) -> Result<Self> {
        let (algorithm, random) = (&ECDSA_P256_SHA256_FIXED_SIGNING, SystemRandom::new());
        let pair = EcdsaKeyPair::from_private_key_and_public_key(algorithm, private, public, &random);
        Ok(Self::Ec { pair: Some(pair.map_err(|_| broken("EC"))?), public: public.to_vec() })
    }

    /// From the uncompressed point.
    pub(super) fn ec_public(public: &[u8]) -> Result<Self> {
        if public.len() != 65 || public.first() != Some(&4) {
            return Err(broken("EC"));
        }
        Ok(Self::Ec { pair: None, public: public.to_vec() })
    }

    pub(super) fn ed(pair: Ed25519KeyPair) -> Self {
        let public = pair.public_key().as_ref().to_vec();
        Self::Ed { pair: Some(pair), public }
    }

    pub(super) fn ed_public(public: &[u8]) -> Result<Self> {
        if public.len() != 32 {
            return Err(broken("Ed25519"));
        }
        Ok(Self::Ed { pair: None, public: public.to_vec() })
    }

    /// The algorithm of a key that does not name one.
    pub(super) fn usual_algorithm(&self) -> Algorithm {
        match self {
            Self::Secret(_) => Algorithm::Hs256,
            Self::Rsa { .. } => Algorithm::Rs256,
            Self::Ec { .. } => Algorithm::Es256,
            Self::Ed { .. } => Algorithm::EdDsa,
        }
    }

    pub(super) fn can_sign(&self) -> bool {
        match self {
            Self::Secret(_) => true,
            Self::Rsa { pair, .. } => pair.is_some(),
            Self::Ec { pair, .. } => pair.is_some(),
            Self::Ed { pair, .. } => pair.is_some(),
        }
    }

    /// The signature; `None` if this is a public key.
    ///
    /// # Errors
    /// `Internal` if the operating system has no random numbers.
    pub(super) fn sign(&self, algorithm: Algorithm, message: &[u8]) -> Result<Option<Vec<u8>>> {
        let random = SystemRandom::new();
        Ok(match self {
            Self::Secret(secret) => Some(match algorithm {
                Algorithm::Hs384 => hmac::<Hmac<Sha384>>(secret, message).finalize().into_bytes().to_vec(),
                Algorithm::Hs512 => hmac::<Hmac<Sha512>>(secret, message).finalize().into_bytes().to_vec(),
                _ => hmac::<Hmac<Sha256>>(secret, message).finalize().into_bytes().to_vec(),
            }),
            Self::Rsa { pair: Some(pair), .. } => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)
                    .map_err(|_| no_random_numbers())?;
                Some(signature)
            }
            Self::Ec { pair: Some(pair), .. } => {
                Some(pair.sign(&random, message).map_err(|_| no_random_numbers())?.as_ref().to_vec())
            }
            Self::Ed { pair: Some(pair), .. } => Some(pair.sign(message).as_ref().to_vec()),
            Self::Rsa { pair: None, .. } | Self::Ec { pair: None, .. } | Self::Ed { pair: None, .. } => None,
        })
    }

    pub(super) fn signature_length(&self, algorithm: Algorithm) -> usize {
        match self {
            // As long as the hash.
            Self::Secret(_) => algorithm.least_secret().unwrap_or_default(),
            Self::Rsa { pair, .. } => pair.as_ref().map_or(0, |pair| pair.public().modulus_len()),
            Self::Ec { .. } | Self::Ed { .. } => 64,
        }
    }

    /// Whether the signature is this key's, found out in constant time where the key is secret.
    pub(super) fn verifies(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        let of_pair = |algorithm: &'static dyn VerificationAlgorithm, public: &Vec<u8>| {
            UnparsedPublicKey::new(algorithm, public).verify(message, signature).is_ok()
        };
        match self {
            Self::Secret(secret) => match algorithm {
                Algorithm::Hs384 => hmac::<Hmac<Sha384>>(secret, message).verify_slice(signature).is_ok(),
                Algorithm::Hs512 => hmac::<Hmac<Sha512>>(secret, message).verify_slice(signature).is_ok(),
                _ => hmac::<Hmac<Sha256>>(secret, message).verify_slice(signature).is_ok(),
            },
            Self::Rsa { public, .. } => of_pair(&RSA_PKCS1_2048_8192_SHA256, public),
            Self::Ec { public, .. } => of_pair(&ECDSA_P256_SHA256_FIXED, public),
            Self::Ed { public, .. } => of_pair(&ED25519, public),
        }
    }
}

fn hmac<M: Mac + KeyInit>(secret: &[u8], message: &[u8]) -> M {
    let keyed = <M as KeyInit>::new_from_slice(secret).expect("HMAC takes a key of any length");
    keyed.chain_update(message)
}

fn check_rsa(bits: usize) -> Result<()> {
    if RSA_BITS.contains(&bits) {
        return Ok(());
    }
    let (least, most) = (RSA_BITS.start(), RSA_BITS.end());
    Err(Error::config("key", format!("an RSA key has {least} to {most} bits, not {bits}: make a new one")))
}

/// For a key whose numbers make none.
pub(super) fn broken(sort: &str) -> Error {
    Error::config("key", format!("the {sort} key is broken: export it again from where it was made"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 5480 §2.2 has other forms of a point, which no server here takes.
    #[test]
    fn a_point_of_a_curve_is_uncompressed_and_whole() {
        let point = |first: u8, length: usize| [vec![first], vec![1; length - 1]].concat();
        assert!(Material::ec_public(&point(4, 65)).is_ok());
        for bad in [point(4, 64), point(4, 66), point(6, 65), point(2, 33)] {
            assert!(Material::ec_public(&bad).is_err(), "{bad:?}");
        }
    }
}
