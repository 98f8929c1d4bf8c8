//! The CA certificates of the operating system. All clients of a process share them, because reading them
//! takes 3 ms and each copy takes 100 KiB.

use std::sync::{Arc, RwLock};
use std::time::{Duration, Instant};

use rustls::Error;
use rustls::crypto::{CryptoProvider, ring};
use rustls_platform_verifier::Verifier;

use crate::client::patience;

/// How long new clients use the certificates that were read. After this they are read again.
const FRESH: Duration = Duration::from_secs(600);

static SHARED: RwLock<Option<Shared>> = RwLock::new(None);

#[derive(Clone)]
struct Shared {
    provider: Arc<CryptoProvider>,
    verifier: Option<(Instant, Arc<Verifier>)>,
}

/// The cryptography of all clients.
pub(super) fn provider() -> Arc<CryptoProvider> {
    let known = patience::read(&SHARED, |shared| shared.as_ref().map(|shared| Arc::clone(&shared.provider)));
    known.flatten().unwrap_or_else(|| {
        let provider = Arc::new(ring::default_provider());
        let shared = Shared { provider: Arc::clone(&provider), verifier: None };
        patience::write(&SHARED, |known| known.get_or_insert(shared).provider.clone()).unwrap_or(provider)
    })
}

/// Trusts what the operating system trusts.
///
/// # Errors
/// If the system has no certificate that can be read.
pub(super) fn system() -> Result<Arc<Verifier>, Error> {
    let provider = provider();
    let is_fresh = |(read_at, _): &(Instant, _)| read_at.elapsed() < FRESH;
    let known =
        patience::read(&SHARED, |shared| shared.as_ref()?.verifier.clone().filter(is_fresh)).flatten();
    if let Some((_, verifier)) = known {
        return Ok(verifier);
    }
    let verifier = Arc::new(Verifier::new(Arc::clone(&provider))?);
    let shared = Shared { provider, verifier: Some((Instant::now(), Arc::clone(&verifier))) };
    patience::write(&SHARED, |known| *known = Some(shared));
    Ok(verifier)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_certificates_of_the_system_are_read_once_for_a_while() {
        let first = system().unwrap();
        assert!(Arc::ptr_eq(&system().unwrap(), &first));
        patience::write(&SHARED, |shared| {
            let (read_at, _) = shared.as_mut().unwrap().verifier.as_mut().unwrap();
            *read_at = read_at.checked_sub(FRESH).unwrap();
        });
        assert!(!Arc::ptr_eq(&system().unwrap(), &first));
        assert!(Arc::ptr_eq(&provider(), &provider()));
    }
}
