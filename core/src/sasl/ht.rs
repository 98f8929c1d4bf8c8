//! HT-SHA-256-NONE (draft-schmaus-kitten-sasl-ht), the mechanism of FAST tokens (XEP-0484): each
//! side proves that it knows the token, and never sends it.

use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::{Message, ScramHash, early_success};
use crate::error::{Check, Error, Result};
use crate::fast::{self, FastToken};
use crate::secret::Secret;

/// One exchange, of one message each.
pub(crate) struct HashedToken {
    user: String,
    token: Secret,
}

impl HashedToken {
    pub(crate) fn new(user: &str, token: &FastToken) -> Self {
        Self { user: user.to_owned(), token: token.secret().into() }
    }

    #[allow(clippy::unused_self, reason = "as every mechanism")]
    pub(crate) fn name(&self) -> &'static str {
        fast::MECHANISM
    }

    /// `authcid NUL initiator-hashed-token` (§3.1).
    pub(crate) fn message(&self) -> Message {
        let hashed = self.hashed(b"Initiator");
        Zeroizing::new([self.user.as_bytes(), b"\0", &hashed].concat())
    }

    /// The server's success, with its `responder-msg` (§3.2).
    pub(crate) fn finish(&self, additional_data: Option<&[u8]>) -> Result<()> {
        let proof = additional_data.ok_or_else(early_success)?;
        if bool::from(proof.ct_eq(&self.hashed(b"Responder"))) {
            Ok(())
        } else {
            Err(Error::unverified(
                Check::Signature,
                "its proof is wrong: it does not know the token that it issued; check that `url` leads to your server, as \
                 someone may be intercepting the connection",
            ))
        }
    }

    fn hashed(&self, label: &[u8]) -> Zeroizing<Vec<u8>> {
        ScramHash::Sha256.hmac(self.token.expose().as_bytes(), label)
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    /// Recorded with Prosody 13.0.1.
    #[test]
    fn as_a_server_has_it() {
        let token = FastToken::issued(
            "secret-token:fast-xkFvDmO0jBMSGm0gW934Fiwo6-VCUZCQLFhJ",
            None,
            "d4565fa7-4d72-4749-b3d3-740edbf87770",
        )
        .unwrap();
        let mechanism = HashedToken::new("alice", &token);
        let message = "YWxpY2UAVkLcwAijTPPi1yfFVAqhrY9jc3vw4o+ytbBtIzAeDn4=";
        assert_eq!(STANDARD.encode(mechanism.message()), message);
        let proof = STANDARD.decode("OmODnnWJ2OcIx5/64MJV1Am85ZOx7jf4of5T3vIC+t0=").unwrap();
        mechanism.finish(Some(&proof)).unwrap();
        for wrong in [None, Some(&b""[..]), Some(&proof[..31]), Some(&[0; 32])] {
            let error = mechanism.finish(wrong).unwrap_err();
            assert_eq!(error.kind().as_str(), "ServerUnverified");
        }
    }
}
