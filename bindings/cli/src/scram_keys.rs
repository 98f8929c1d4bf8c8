//! `prebind scram-keys`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use prebind::ScramHash;
use serde_json::json;

use crate::failure::Failure;
use crate::help::examples;
use crate::output;
use crate::secret::SecretSource;

/// Derive the SCRAM keys of a password, to keep in its place
///
/// Prints JSON, with bytes in base64: `scram_keys` is what the site keeps and logs in with, as carefully as a password;
/// `server` is what the chat server keeps for the same account.
#[derive(Args)]
#[command(after_help = examples(EXAMPLES))]
pub(crate) struct ScramKeys {
    #[arg(long, default_value = "SHA-1", help = "SHA-1, SHA-256 or SHA-512")]
    hash: ScramHash,
    /// How often the password is hashed: the server's count for the account
    #[arg(long, default_value = "10000", value_name = "COUNT")]
    iterations: u32,
    /// The server's salt for the account, in base64; a new one by default
    #[arg(long, value_name = "BASE64", value_parser = base64)]
    salt: Option<Salt>,
    #[command(flatten)]
    secret: SecretSource,
}

const EXAMPLES: &[&str] = &[
    "prebind scram-keys --password-stdin < password",
    "prebind scram-keys --hash SHA-256 --iterations 4096 --salt QSXCR+Q6sek8bf92",
];

/// Bytes.
#[derive(Clone)]
struct Salt(Vec<u8>);

fn base64(text: &str) -> Result<Salt, &'static str> {
    STANDARD.decode(text).map(Salt).map_err(|_| "is not base64")
}

impl ScramKeys {
    /// # Errors
    /// `Input` if there is no password, `Config` if a value cannot be used.
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let password = self.secret.read("Password: ")?;
        let salt = self.salt.as_ref().map(|salt| salt.0.as_slice());
        let keys = prebind::ScramKeys::derive(self.hash, &password, salt, self.iterations)?;
        let encoded = |bytes| STANDARD.encode(bytes);
        let (salt, server_key) = (encoded(keys.salt()), encoded(keys.server_key()));
        let (hash, iterations) = (self.hash.hash_name(), self.iterations);
        let derived = json!({
            "scram_keys": {
                "hash": hash,
                "salt": salt,
                "iterations": iterations,
                "client_key": encoded(keys.client_key()),
                "server_key": server_key,
            },
            "server": {
                "hash": hash,
                "salt": salt,
                "iterations": iterations,
                "stored_key": encoded(keys.stored_key()),
                "server_key": server_key,
            },
        });
        output::print_line(&format!("{derived:#}"))
    }
}
