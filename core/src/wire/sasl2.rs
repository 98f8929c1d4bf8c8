//! SASL2 (XEP-0388) with Bind 2 (XEP-0386) and FAST (XEP-0484) inside: the server's offer, and the elements.
//! Login and bind are one step with it, and the stream is not restarted.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::bind;
use super::ns::{BIND2, FAST, SASL2};
use super::sasl::{decode, encode, mechanism_names};
use super::xml::Element;
use crate::error::{Error, Result, Stage};
use crate::jid::Jid;
use crate::secret::Secret;

/// The mechanism of the tokens that prebind asks for. Mechanisms with channel binding cannot work here,
/// because BOSH hides the XMPP server's TLS from its clients.
pub(crate) const TOKEN_MECHANISM: &str = "HT-SHA-256-NONE";

/// What a server offers by SASL2.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Offer {
    pub(crate) mechanisms: Vec<String>,
    /// Whether a resource can be bound with the login.
    pub(crate) bind: bool,
    /// The mechanisms for tokens.
    pub(crate) fast: Vec<String>,
}

impl Offer {
    pub(crate) fn read(features: &Element) -> Option<Self> {
        let authentication = features.child(SASL2, "authentication")?;
        let inline = authentication.child(SASL2, "inline");
        let fast = inline.and_then(|inline| inline.child(FAST, "fast"));
        Some(Self {
            mechanisms: mechanism_names(authentication, SASL2),
            bind: inline.is_some_and(|inline| inline.child(BIND2, "bind").is_some()),
            fast: fast.map_or_else(Vec::new, |fast| mechanism_names(fast, FAST)),
        })
    }

    /// Whether the offer has something that the SASL of RFC 6120 has not: a bind or tokens. Openfire offers
    /// SASL2 with neither, and never answers it over BOSH.
    pub(crate) fn has_more(&self) -> bool {
        self.bind || self.has_tokens()
    }

    pub(crate) fn has_tokens(&self) -> bool {
        self.fast.iter().any(|name| name == TOKEN_MECHANISM)
    }
}

/// What is requested together with the login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Inline {
    /// Whether to bind a resource that the server chooses. Bind 2 cannot ask for a particular one.
    pub(crate) bind: bool,
    pub(crate) token: TokenUse,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenUse {
    None,
    /// The server is asked to issue a token.
    Requested,
    /// The login is made with a token.
    Presented,
}

/// The element that begins the login.
///
/// The bind has no tag. With a tag, Prosody derives the resource from the user agent's ID, and then each of a
/// user's pages would throw out the page before. Without a tag, each session gets a new resource.
pub(crate) fn authenticate(
    mechanism: &str,
    initial_response: Option<&[u8]>,
    inline: Inline,
    user_agent: &str,
) -> Secret {
    let (before, response, after) = match initial_response {
        None => ("", Zeroizing::default(), ""),
        Some(response) => ("<initial-response>", encode(response), "</initial-response>"),
    };
    let start = format!("<authenticate xmlns=\"{SASL2}\" mechanism=\"{mechanism}\">{before}");
    let user_agent = format!("<user-agent id=\"{user_agent}\"/>");
    let bind = if inline.bind { format!("<bind xmlns=\"{BIND2}\"/>") } else { String::new() };
    let (user_agent, token) = match inline.token {
        TokenUse::None => ("", String::new()),
        TokenUse::Requested => (
            user_agent.as_str(),
            format!("<request-token xmlns=\"{FAST}\" mechanism=\"{TOKEN_MECHANISM}\"/>"),
        ),
        TokenUse::Presented => (user_agent.as_str(), format!("<fast xmlns=\"{FAST}\"/>")),
    };
    [&start, response.as_str(), after, user_agent, &bind, &token, "</authenticate>"].concat().into()
}

/// A success, and the results of what was requested with the login.
#[derive(Debug)]
pub(crate) struct Success {
    pub(crate) additional_data: Option<Zeroizing<Vec<u8>>>,
    /// The JID that was bound, or why the bind failed. `None` if no bind was requested.
    pub(crate) bound: Option<Result<Jid>>,
    /// A new token and its expiry.
    pub(crate) token: Option<(Secret, Option<String>)>,
}

impl Success {
    pub(crate) fn read(success: &Element) -> Result<Self> {
        let additional_data = success.child(SASL2, "additional-data").map(|data| decode(&data.text));
        let token = success.child(FAST, "token").and_then(|token| {
            let expiry = token.attribute("expiry").map(str::to_owned);
            Some((Secret::from(token.attribute("token")?), expiry))
        });
        Ok(Self { additional_data: additional_data.transpose()?.flatten(), bound: bound(success), token })
    }
}

fn bound(success: &Element) -> Option<Result<Jid>> {
    if let Some(failed) = success.child(BIND2, "failed") {
        return Some(Err(bind::refused(
            Stage::Bind,
            failed.children.iter().find(|child| child.name == "error"),
        )));
    }
    success.child(BIND2, "bound")?;
    let jid =
        success.child(SASL2, "authorization-identifier").and_then(|jid| Jid::bound(jid.text.trim()).ok());
    Some(jid.ok_or_else(|| Error::protocol(Stage::Bind, "a full JID in the SASL success", "none")))
}

/// The error if the server wants more than the mechanism's proof, such as a second factor.
pub(crate) fn further_task() -> Error {
    let message = "the server wants a further task of the user, such as a second factor, which a site cannot do for the user: \
                   exempt the account from it";
    Error::unreadable(Stage::Authenticate, "SASL success or failure", message)
}
