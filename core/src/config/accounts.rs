//! Who may make accounts on the chat server, and issue tokens for them.

use super::field::Field;
use super::url::BoshUrl;
use crate::error::{Error, Result};
use crate::jid::Jid;
use crate::named::{NamedValue, Value, ValueType};
use crate::secret::Secret;

/// The longest name of a group.
const MAX_GROUP: usize = 1023;

/// Where and how the client makes an account for each user who has none.
///
/// A user whom tokens log in has no account by themselves. Without one, ejabberd bounces messages while the user is
/// offline. The client makes the account before the login, once for each user and process, with a random password that
/// nobody keeps. It takes no more than a quarter of the [deadline](crate::Config::with_deadline) for it, and the login
/// goes on whatever comes of it: the log says what failed. Users who log in with a password of their own, or with SCRAM
/// keys, are left alone.
///
/// ```
/// use prebind::{Accounts, Config};
///
/// let api = "https://chat.example.org:5443/api";
/// let accounts = Accounts::by_ejabberd(api, "svc@example.org", "secret")?.with_group("staff")?;
/// let config = Config::new("https://chat.example.org/http-bind")?.with_accounts(Some(accounts));
/// # Ok::<(), prebind::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accounts {
    pub(crate) way: Way,
    /// The shared roster group that each user joins.
    pub(crate) group: Option<String>,
}

/// How accounts are made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Way {
    /// By ejabberd's HTTP API.
    Api(Api),
    /// By a command to the server (XEP-0133), over a session of the administrator.
    Command(Administrator),
}

/// An account that has a password, and may do more than others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Administrator {
    pub(crate) jid: Jid,
    pub(crate) password: Secret,
}

/// ejabberd's HTTP API (`mod_http_api`), and who may use it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Api {
    pub(crate) url: BoshUrl,
    pub(crate) administrator: Administrator,
}

impl Accounts {
    /// The option.
    pub(crate) const OPTION: &str = "accounts";

    pub(super) const TAKES: ValueType =
        ValueType::Record { fields: &["jid", "password"], optional_fields: &["url", "group"] };

    /// By ejabberd's API (`mod_http_api`) at `url`, such as `https://chat.example.org:5443/api`, as the account `jid`
    /// with this password. ejabberd's `api_permissions` have to allow it `register`, and where they are used
    /// `set_nickname` and `srg_user_add`.
    ///
    /// # Errors
    /// `Config` if the URL or the JID cannot be one.
    pub fn by_ejabberd(url: &str, jid: &str, password: impl Into<Secret>) -> Result<Self> {
        let api = Api::new(Self::OPTION, url, jid, password.into())?;
        Ok(Self { way: Way::Api(api), group: None })
    }

    /// By the command `add-user` (XEP-0133), as this administrator of the server, over a BOSH session at the
    /// client's own URL: Prosody with `mod_admin_adhoc`, and the JID in `admins`.
    ///
    /// # Errors
    /// `Config` if the JID cannot be one.
    pub fn by_command(jid: &str, password: impl Into<Secret>) -> Result<Self> {
        let administrator = Administrator::new(Self::OPTION, jid, password.into())?;
        Ok(Self { way: Way::Command(administrator), group: None })
    }

    /// Each user also joins this shared roster group, whose members are in each other's contact list (ejabberd's
    /// `mod_shared_roster`).
    ///
    /// # Errors
    /// `Config` if the name cannot be one, or accounts are not made by ejabberd's API.
    pub fn with_group(mut self, group: impl Into<String>) -> Result<Self> {
        let group = group.into();
        if !(1..=MAX_GROUP).contains(&group.len()) || group.contains(char::is_control) {
            let problem = format!("`group` has 1 to {MAX_GROUP} bytes and no control characters");
            return Err(Error::config(Self::OPTION, problem));
        }
        if matches!(self.way, Way::Command(_)) {
            return Err(Error::config(
                Self::OPTION,
                "`group` is for ejabberd: give the `url` of its API, too",
            ));
        }
        self.group = Some(group);
        Ok(self)
    }
}

impl Administrator {
    fn new(option: &'static str, jid: &str, password: Secret) -> Result<Self> {
        let is_account = |jid: &Jid| jid.local().is_some() && jid.resource().is_none();
        let Some(jid) = Jid::new(jid).ok().filter(is_account) else {
            let problem = "`jid` is not that of an account: give the administrator's, like admin@example.org";
            return Err(Error::config(option, problem));
        };
        if password.expose().is_empty() || password.expose().contains(char::is_control) {
            let problem = "`password` is empty or has a control character: give that of the administrator";
            return Err(Error::config(option, problem));
        }
        Ok(Self { jid, password })
    }
}

impl Api {
    /// For this option, which errors name.
    pub(crate) fn new(option: &'static str, url: &str, jid: &str, password: Secret) -> Result<Self> {
        let administrator = Administrator::new(option, jid, password)?;
        let url = BoshUrl::of_api(url).ok_or_else(|| {
            let problem = "`url` is not that of ejabberd's API: it reads like https://chat.example.org:5443/api, and \
                           holds no user name, password, ? or #";
            Error::config(option, problem)
        })?;
        Ok(Self { url, administrator })
    }
}

impl Field for Accounts {
    const IS_SECRET: bool = true;

    fn from_given(given: &NamedValue) -> Result<Self> {
        let ([jid, password], [url, group]) = given.record_with()?;
        let (jid, password) = (jid.text()?, password.secret()?);
        let accounts = match url {
            Some(url) => Self::by_ejabberd(&url.text()?, &jid, password)?,
            None => Self::by_command(&jid, password)?,
        };
        match group {
            Some(group) => accounts.with_group(group.text()?),
            None => Ok(accounts),
        }
    }

    fn to_value(&self) -> Value {
        let (administrator, url) = match &self.way {
            Way::Api(api) => (&api.administrator, Some(api.url.as_str().to_owned())),
            Way::Command(administrator) => (administrator, None),
        };
        let text = |text: Option<String>| text.map_or(Value::Nothing, Value::from);
        let fields = [
            ("jid", administrator.jid.to_string().into()),
            ("password", administrator.password.to_value()),
            ("url", text(url)),
            ("group", text(self.group.clone())),
        ];
        Value::Map(fields.map(|(name, value)| (name.to_owned(), value)).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    const URL: &str = "https://chat.example.org:5443/api";

    fn given(fields: &[(&str, &str)]) -> Result<Config> {
        let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned().into()));
        let accounts = ("accounts".to_owned(), Value::Map(fields.collect()));
        Config::from_named("https://chat.example.org/http-bind", [accounts])
    }

    #[test]
    fn with_a_url_accounts_are_made_by_the_api_and_else_by_a_command() {
        let jid = ("jid", "svc@example.org");
        let password = ("password", "Xyzzy");
        let api = given(&[jid, password, ("url", URL), ("group", "staff")]).unwrap().accounts.unwrap();
        let made = Accounts::by_ejabberd(URL, jid.1, password.1).unwrap().with_group("staff").unwrap();
        assert_eq!(api, made);
        let command = given(&[jid, password]).unwrap().accounts.unwrap();
        assert_eq!(command, Accounts::by_command(jid.1, password.1).unwrap());
        for accounts in [api, command] {
            let named = Config::from_named(URL, [("accounts".to_owned(), accounts.to_value())]).unwrap();
            assert_eq!(named.accounts, Some(accounts.clone()));
            assert!(!format!("{accounts:?}").contains("Xyzzy"));
        }
    }

    #[test]
    fn what_makes_no_accounts_is_refused() {
        for (changed, value, start) in [
            ("url", "chat.example.org", "`url` is not"),
            ("url", "https://chat.example.org/api?a=b", "`url` is not"),
            ("url", "https://a:Xyzzy@chat.example.org/api", "`url` is not"),
            ("jid", "example.org", "`jid` is not"),
            ("jid", "svc@example.org/web", "`jid` is not"),
            ("jid", "", "`jid` is not"),
            ("password", "", "`password` is empty"),
            ("password", "a\nXyzzy", "`password` is empty"),
            ("group", "", "`group` has 1"),
            ("group", "a\u{7}", "`group` has 1"),
            ("nick", "a", "must be named values: jid, password, and if wanted url, group"),
        ] {
            let mut fields = vec![("jid", "svc@example.org"), ("password", "secret"), ("url", URL)];
            fields.retain(|(name, _)| *name != changed);
            fields.push((changed, value));
            let told = given(&fields).unwrap_err().to_string();
            assert!(told.starts_with(&format!("accounts: {start}")), "{told}");
            assert!(!told.contains("Xyzzy"), "{told}");
        }
        let told = given(&[("jid", "svc@example.org"), ("password", "x"), ("group", "a")]).unwrap_err();
        assert!(told.to_string().starts_with("accounts: `group` is for ejabberd"), "{told}");
        let longest = "x".repeat(MAX_GROUP);
        let accounts = || Accounts::by_ejabberd(URL, "svc@example.org", "secret").unwrap();
        assert!(accounts().with_group(longest.clone()).is_ok());
        assert!(accounts().with_group(longest + "x").is_err());
    }
}
