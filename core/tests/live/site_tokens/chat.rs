//! A Prosody with `mod_auth_prebind`, and the keys that it verifies tokens with.

use std::{
    fs,
    path::PathBuf,
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use prebind::{Account, Client, Config, Credentials, Error, Session};
use serde_json::{Value, json};
use servers::{Kind, Options, Server, SigningKey};

use super::site::{LIMIT, SECRET, Site};

/// Verifies tokens by all keys, makes accounts, and has passwords beside them.
pub(crate) const TOKENS: &str = "tokens.local";
/// Wants an audience and an issuer.
pub(crate) const PARTIES: &str = "parties.local";
/// Offers SCRAM as well.
pub(crate) const SCRAM: &str = "scram.local";
/// Asks the site, for as long as that takes.
pub(crate) const ASKS: &str = "asks.local";
/// Asks the site, for a short time.
pub(crate) const ASKS_BRIEFLY: &str = "asks-briefly.local";
/// Has keys of its own, which a test changes.
pub(crate) const ROTATES: &str = "rotates.local";

/// Has accounts by an administrator's command only.
pub(crate) const COMMANDS: &str = "commands.local";

/// Is configured as the guide says.
pub(crate) const GUIDE: &str = "guide.local";

/// How many hosts those are.
const HOSTS: usize = 8;

const GUIDE_TEXT: &str = include_str!("../../../../bindings/prosody/README.md");

pub(crate) struct Chat {
    pub(crate) server: Server,
    pub(crate) site: Site,
    pub(crate) keys: Keys,
}

pub(crate) struct Keys {
    pub(crate) hs256: SigningKey,
    pub(crate) rs256: SigningKey,
    pub(crate) es256: SigningKey,
    pub(crate) hs384: SigningKey,
    pub(crate) hs512: SigningKey,
}

impl Chat {
    pub(crate) fn start(kind: Kind) -> Self {
        let site = Site::start();
        let options = Options { limits: false, debug_log: true, ..Options::default() };
        let server = Server::start_with_hosts(kind, options, &hosts(site.port));
        let server = server.unwrap_or_else(|error| panic!("{error}"));
        let keys = Keys::new();
        let chat = Self { server, site, keys };
        fs::create_dir(chat.path("keys")).unwrap();
        fs::create_dir(chat.path("rotating")).unwrap();
        fs::create_dir(chat.path("guide")).unwrap();
        for (name, text) in [
            ("a-broken.jwk", r#"{"kty":"oct","k":"short"}"#),
            ("b-broken.pem", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"),
            ("es256.pem", &chat.keys.es256.file),
            ("hs.json", &format!(r#"{{"keys":[{},{}]}}"#, chat.keys.hs512.file, chat.keys.hs384.file)),
            ("hs256.jwk", &chat.keys.hs256.file),
            ("notes.txt", "no key"),
            ("rs256.pem", &chat.keys.rs256.file),
        ] {
            chat.write(&format!("keys/{name}"), text);
        }
        chat.reload();
        chat
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.server.ca_pem.with_file_name(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    /// Has the server read its keys, and waits until it has.
    pub(crate) fn reload(&self) {
        // Each host says one or the other.
        let says = ["Tokens are verified with", "Nobody can log in with a token"];
        let said = || says.map(|text| self.server.log().matches(text).count()).iter().sum::<usize>();
        let before = said();
        self.server.reload().unwrap();
        let until = Instant::now() + LIMIT;
        while said() < before + HOSTS {
            assert!(Instant::now() < until, "the keys are not read again");
            thread::sleep(Duration::from_millis(5));
        }
    }

    pub(crate) fn client(&self) -> Client {
        Client::new(self.config(&self.server.http_url)).unwrap()
    }

    /// With time enough for any machine: no test here is about the client's deadlines.
    pub(crate) fn config(&self, url: &str) -> Config {
        let minute = Duration::from_secs(60);
        Config::new(url)
            .unwrap()
            .with_ca(Some(fs::read(&self.server.ca_pem).unwrap()))
            .with_deadline(minute)
            .unwrap()
            .with_request_timeout(minute)
            .unwrap()
    }

    /// A login by a client that knows nothing of the server.
    pub(crate) fn login(&self, jid: &str, credentials: Credentials) -> Result<Session, Error> {
        self.client().prebind(&Account::new(jid, credentials).unwrap())
    }

    /// A good token for this user.
    pub(crate) fn token(&self, jid: &str) -> String {
        self.keys.hs256.token(&claims(jid))
    }
}

impl Keys {
    fn new() -> Self {
        let hmac = |algorithm, byte| SigningKey::hmac(algorithm, &[byte; 64]);
        Self {
            hs256: hmac("HS256", 1),
            rs256: SigningKey::rs256().unwrap(),
            es256: SigningKey::es256().unwrap(),
            hs384: hmac("HS384", 2),
            hs512: hmac("HS512", 3),
        }
    }
}

/// Those of a token that has just been minted.
pub(crate) fn claims(jid: &str) -> Value {
    let now = now();
    json!({ "jid": jid, "iat": now, "nbf": now, "exp": now + 60 })
}

/// The same with some of them changed or added.
pub(crate) fn claims_but(jid: &str, changes: &Value) -> Value {
    let mut claims = claims(jid);
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims
}

pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// The guide's first block in this language.
pub(crate) fn block_of_guide(language: &str) -> &'static str {
    let (_, block) = GUIDE_TEXT.split_once(&format!("```{language}\n")).unwrap();
    block.split_once("```").unwrap().0
}

fn hosts(site_port: u16) -> String {
    let guide =
        block_of_guide("lua").replace("example.org", GUIDE).replace("/etc/prosody/site-keys", "guide");
    format!(
        r#"
{guide}
VirtualHost "{TOKENS}"
	authentication = "prebind"
	prebind_keys = "keys"
	prebind_create_accounts = true
	servers_accounts = accounts

VirtualHost "{PARTIES}"
	authentication = "prebind"
	prebind_keys = {{ "keys/hs256.jwk"; "keys/missing.jwk" }}
	prebind_audience = {{ "chat"; "chat-too" }}
	prebind_issuer = "https://www.example.org"

VirtualHost "{SCRAM}"
	authentication = "prebind"
	prebind_keys = "keys/hs256.jwk"
	prebind_scram = true
	servers_accounts = accounts

VirtualHost "{ASKS}"
	authentication = "prebind"
	prebind_site_url = "http://127.0.0.1:{site_port}/chat-login"
	prebind_site_secret = "{SECRET}"
	prebind_site_timeout = 600
	servers_accounts = accounts

VirtualHost "{ASKS_BRIEFLY}"
	authentication = "prebind"
	prebind_site_url = "http://127.0.0.1:{site_port}/chat-login"
	prebind_site_secret = "{SECRET}"
	prebind_site_timeout = 1

VirtualHost "{COMMANDS}"
	authentication = "prebind"
	prebind_keys = "keys"
	modules_enabled = {{ "admin_adhoc" }}
	admins = {{ "alice@localhost" }}

VirtualHost "{ROTATES}"
	authentication = "prebind"
	prebind_keys = "rotating"
"#
    )
}
