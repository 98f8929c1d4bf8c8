//! The ways to log in that the page describes.

use prebind::{Credentials, Jid, XOAuth2Issuer};
use servers::{Kind, Server};

use crate::Surroundings;

/// What the tokens of the provider say.
pub(crate) const AUDIENCE: &str = "chat";
pub(crate) const ISSUER: &str = "https://id.example.org";

/// The password of an account that a chat app uses.
pub(crate) const PASSWORD: &str = "wonder-1";

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Product {
    Prosody,
    Ejabberd,
}

/// What a site proves with who its user is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Proof {
    /// The user's password at the chat server.
    Password,
    /// A token that the site signs, by PLAIN.
    SiteToken,
    /// An access token of an identity provider, by PLAIN.
    ProviderToken,
    /// An access token of an identity provider, by OAUTHBEARER.
    ProviderBearer,
    /// A token that ejabberd has issued.
    XOauth2,
    /// No user: a visitor.
    Visitor,
}

/// Who has an account on the server before anybody has logged in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Accounts {
    /// Everybody exists for the server without an account, or nobody does.
    Elsewhere,
    /// Everybody, with a password.
    Everybody,
    /// Alice, who also uses a chat app, and has a password for it.
    Alice,
    /// Alice as well; the client makes the accounts of the others.
    ByTheClient,
}

pub(crate) struct Way {
    pub(crate) product: Product,
    /// The heading of its section, which has the server's configuration.
    pub(crate) section: &'static str,
    /// The argument of a login, as the languages name it.
    pub(crate) credentials: &'static str,
    pub(crate) proof: Proof,
    pub(crate) accounts: Accounts,
    /// The first version of the server that has it.
    only_newer: bool,
}

const fn way(
    product: Product,
    section: &'static str,
    credentials: &'static str,
    proof: Proof,
    accounts: Accounts,
) -> Way {
    Way { product, section, credentials, proof, accounts, only_newer: false }
}

/// In the order of the page.
pub(crate) const WAYS: [Way; 13] = [
    way(Product::Prosody, "Prosody: tokens of your site", "jwt", Proof::SiteToken, Accounts::Alice),
    way(Product::Prosody, "Prosody: LDAP", "jwt", Proof::SiteToken, Accounts::Elsewhere),
    Way {
        only_newer: true,
        ..way(
            Product::Prosody,
            "Prosody: tokens of an identity provider",
            "oauthbearer",
            Proof::ProviderBearer,
            Accounts::Alice,
        )
    },
    way(Product::Prosody, "Prosody: passwords", "password", Proof::Password, Accounts::Everybody),
    way(Product::Prosody, "Prosody: visitors", "anonymous", Proof::Visitor, Accounts::Elsewhere),
    way(Product::Ejabberd, "ejabberd: tokens of your site", "jwt", Proof::SiteToken, Accounts::ByTheClient),
    way(
        Product::Ejabberd,
        "ejabberd: tokens, without accounts",
        "jwt",
        Proof::SiteToken,
        Accounts::Elsewhere,
    ),
    way(
        Product::Ejabberd,
        "ejabberd: tokens, with `prebind extauth`",
        "jwt",
        Proof::SiteToken,
        Accounts::Elsewhere,
    ),
    way(Product::Ejabberd, "ejabberd: LDAP", "jwt", Proof::SiteToken, Accounts::Elsewhere),
    way(
        Product::Ejabberd,
        "ejabberd: tokens of an identity provider",
        "token",
        Proof::ProviderToken,
        Accounts::Elsewhere,
    ),
    way(
        Product::Ejabberd,
        "ejabberd: tokens that ejabberd issues",
        "x_oauth2_issuer",
        Proof::XOauth2,
        Accounts::Everybody,
    ),
    way(Product::Ejabberd, "ejabberd: passwords", "password", Proof::Password, Accounts::Everybody),
    way(Product::Ejabberd, "ejabberd: visitors", "anonymous", Proof::Visitor, Accounts::Elsewhere),
];

impl Product {
    pub(crate) fn of(kind: Kind) -> Self {
        match kind {
            Kind::Prosody | Kind::Prosody13 => Self::Prosody,
            _ => Self::Ejabberd,
        }
    }
}

impl Way {
    pub(crate) fn is_on(&self, kind: Kind) -> bool {
        !self.only_newer || matches!(kind, Kind::Prosody13 | Kind::Ejabberd24)
    }

    /// The virtual host that has it.
    pub(crate) fn host(&self) -> String {
        let name: String =
            self.section.chars().filter(char::is_ascii_alphabetic).map(|c| c.to_ascii_lowercase()).collect();
        format!("{name}.local")
    }

    /// Its lines for the server's configuration: those of the page, with the names and places of this machine.
    pub(crate) fn host_lines(&self, block: &str, surroundings: &Surroundings) -> String {
        let folder = surroundings.folder.path().display().to_string();
        let ldap = surroundings.directory.port.to_string();
        let text = block
            .replace("https://id.example.org/jwks", &surroundings.jwks.url)
            .replace("/usr/local/bin/prebind", env!("CARGO_BIN_EXE_prebind"))
            .replace("/etc/prosody/", &format!("{folder}/"))
            .replace("/etc/ejabberd/site.jwk", &format!("{folder}/site-keys/site.jwk"))
            .replace("/etc/ejabberd/", &format!("{folder}/"));
        let text = match self.product {
            Product::Prosody => text.replace("ldap.example.org", &format!("127.0.0.1:{ldap}")),
            Product::Ejabberd => {
                let lines = text.lines().filter_map(|line| line.strip_prefix("  "));
                let text: String = lines.flat_map(|line| [line, "\n"]).collect();
                text.replace(
                    "ldap_servers: [ldap.example.org]",
                    &format!("ldap_servers: [127.0.0.1]\n  ldap_port: {ldap}"),
                )
            }
        };
        // The names of the page, but not the provider's.
        let (mine, kept) = (self.host(), "https://id.example.org");
        let text = text.replace(kept, "@ISSUER@");
        let text =
            text.replace("guests.example.org", &mine).replace("example.org", &mine).replace("@ISSUER@", kept);
        let accounts = match (self.product, self.accounts) {
            (Product::Prosody, Accounts::Everybody) => "\tservers_accounts = accounts\n".to_owned(),
            (Product::Prosody, Accounts::Alice) => {
                format!("\tservers_accounts = {{ alice = \"{PASSWORD}\" }}\n")
            }
            _ => String::new(),
        };
        format!("{text}{accounts}\n")
    }

    /// What proves to the server who the user is; fresh for each login.
    pub(crate) fn credentials(
        &self,
        user: &str,
        server: &Server,
        surroundings: &Surroundings,
    ) -> Credentials {
        let jid = Jid::new(&format!("{user}@{}", self.host())).expect("it is one");
        let of_provider = || {
            let token = surroundings.provider.issue(&jid, std::time::SystemTime::now());
            token.expect("it is short").expose().to_owned()
        };
        match self.proof {
            Proof::Password => Credentials::password(password_of(user)),
            Proof::SiteToken => Credentials::jwt(surroundings.site.clone()),
            Proof::ProviderToken => Credentials::plain(of_provider()),
            Proof::ProviderBearer => Credentials::oauthbearer(of_provider()),
            Proof::XOauth2 => {
                let issuer = XOAuth2Issuer::new(api_of(server), ADMINISTRATOR, PASSWORD);
                Credentials::x_oauth2_issuer(issuer.expect("it is good"))
            }
            Proof::Visitor => Credentials::anonymous(),
        }
    }
}

/// Who may use the API of ejabberd in the tests, with the password of Alice.
pub(crate) const ADMINISTRATOR: &str = "alice@localhost";

pub(crate) fn api_of(server: &Server) -> &str {
    server.api_url.as_deref().expect("it is ejabberd")
}

/// Of everybody's account, where the server has accounts.
pub(crate) fn password_of(user: &str) -> &'static str {
    let (_, password) =
        servers::hosts::ACCOUNTS.iter().find(|(name, _)| *name == user).expect("there is an account");
    password
}
