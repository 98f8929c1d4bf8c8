//! What a page tells its script and Converse.js.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};
use url::form_urlencoded;

use crate::error::{Error, Result};

/// The settings of Converse.js that are not the site's to set: what a prebound session depends on, and secrets,
/// which no page may hold. Converse.js would prefer `websocket_url`, where there is no session to attach to.
const RESERVED: [&str; 12] = [
    "assets_path",
    "authentication",
    "auto_login",
    "bosh_service_url",
    "credentials_url",
    "jid",
    "keepalive",
    "password",
    "prebind_url",
    "rid",
    "sid",
    "websocket_url",
];

/// The elements at the end of a page: the chat of the user who is signed in. For everyone else they clear away
/// the chat of the user before. Exhaustive on purpose: a binding has to give each setting.
#[derive(Debug, Clone, Copy, Default)]
pub struct Page<'a> {
    /// The user's bare JID; empty for nobody, and for a user without chat.
    pub jid: &'a str,
    /// Where the site answers requests for a session.
    pub endpoint: &'a str,
    /// The BOSH endpoint as the browser reaches it.
    pub bosh_url: &'a str,
    /// The address of the page's script.
    pub script: &'a str,
    /// The address of Converse.js's `dist`, ending in `/`; empty if the pages load Converse.js, or another
    /// client, themselves.
    pub assets: &'a str,
    /// The nonce of the page's Content-Security-Policy; empty if it has none.
    pub nonce: &'a str,
    /// Further settings of Converse.js: a JSON object, or nothing.
    pub settings: &'a str,
}

impl Page<'_> {
    /// The names among the site's settings that it must not set. The page goes without them.
    ///
    /// # Errors
    /// `Config` if the settings are no JSON object.
    pub fn reserved(&self) -> Result<Vec<String>> {
        let given = self.given()?;
        let mut names: Vec<_> =
            given.keys().filter(|name| self.is_reserved(name)).map(ToOwned::to_owned).collect();
        if given.get("connection_options").is_some_and(|options| options.get("worker").is_some()) {
            names.push("connection_options.worker".to_owned());
        }
        names.sort_unstable();
        Ok(names)
    }

    /// What `converse.initialize` is called with, as JSON; `null` for nobody, and for a user without chat.
    ///
    /// # Errors
    /// `Config` if there is no `bosh_url` or the settings are no JSON object.
    pub fn converse(&self) -> Result<String> {
        Ok(data(self.told()?))
    }

    /// The elements, as HTML. No line of script is in them, but data and what is loaded by its address.
    ///
    /// # Errors
    /// As [`converse`](Self::converse).
    pub fn html(&self) -> Result<String> {
        let told = self.told()?;
        let nonce =
            if self.nonce.is_empty() { String::new() } else { format!(" nonce=\"{}\"", escaped(self.nonce)) };
        let has_converse = told.is_some() && !self.assets.is_empty();
        let served = escaped(&self.served_with(told.as_ref()));
        let mut html = format!(
            "<script id=\"prebind-converse\" type=\"application/json\">{}</script>\n\
             <script defer src=\"{}\"{nonce} data-prebind=\"{served}\"></script>",
            data(told),
            escaped(self.script)
        );
        if has_converse {
            let assets = escaped(self.assets);
            // Converse.js looks for its own element to find its files.
            let _ = write!(
                html,
                "\n<link rel=\"stylesheet\" href=\"{assets}converse.min.css\"{nonce}>\n\
                 <script type=\"module\" src=\"{assets}converse.min.js\"{nonce}></script>"
            );
        }
        Ok(html)
    }

    fn given(&self) -> Result<Map<String, Value>> {
        if self.settings.is_empty() {
            return Ok(Map::new());
        }
        serde_json::from_str(self.settings)
            .map_err(|_| Error::config("settings", "must be a JSON object with settings of Converse.js"))
    }

    fn is_reserved(&self, name: &str) -> bool {
        // A site that loads Converse.js itself knows where the files are.
        RESERVED.contains(&name) && (name != "assets_path" || !self.assets.is_empty())
    }

    fn told(&self) -> Result<Option<Map<String, Value>>> {
        if self.jid.is_empty() {
            return Ok(None);
        }
        if self.bosh_url.is_empty() {
            return Err(Error::config(
                "bosh_url",
                "give the address of the BOSH endpoint as browsers reach it",
            ));
        }
        let mut told = self.given()?;
        told.retain(|name, _| !self.is_reserved(name));
        // A worker of Converse.js has no BOSH: the page would have no chat.
        if let Some(options) = told.get_mut("connection_options").and_then(Value::as_object_mut) {
            options.remove("worker");
        }
        told.entry("view_mode").or_insert_with(|| json!("overlayed"));
        for (name, value) in [
            ("authentication", json!("prebind")),
            ("auto_login", json!(true)),
            ("bosh_service_url", json!(self.bosh_url)),
            // The user's own: otherwise Converse.js takes up the session of the user before.
            ("jid", json!(self.jid)),
            ("keepalive", json!(true)),
            ("prebind_url", json!(self.endpoint)),
        ] {
            told.insert(name.to_owned(), value);
        }
        if !self.assets.is_empty() {
            told.insert("assets_path".to_owned(), json!(self.assets));
        }
        Ok(Some(told))
    }

    /// What the page's script goes by: whose page it is, and which addresses to use. It stands in the script's
    /// own element, since any other element may be a user's text.
    fn served_with(&self, told: Option<&Map<String, Value>>) -> String {
        let mut served = form_urlencoded::Serializer::new(String::new());
        served.append_pair("prebind_url", self.endpoint);
        if let Some(told) = told {
            for name in ["jid", "bosh_service_url", "assets_path"] {
                if let Some(value) = told.get(name).and_then(Value::as_str) {
                    served.append_pair(name, value);
                }
            }
            if !self.assets.is_empty() {
                served.append_pair("converse", &format!("{}converse.min.js", self.assets));
            }
        }
        served.finish()
    }
}

/// The content of a data block.
fn data(told: Option<Map<String, Value>>) -> String {
    ascii(&told.map_or(Value::Null, Value::Object).to_string())
}

/// The same JSON without what could end the element it stands in, and without what depends on the page's
/// encoding.
fn ascii(json: &str) -> String {
    let mut ascii = String::with_capacity(json.len());
    for character in json.chars() {
        if character.is_ascii() && !matches!(character, '<' | '>' | '&') {
            ascii.push(character);
            continue;
        }
        for unit in character.encode_utf16(&mut [0; 2]) {
            let _ = write!(ascii, "\\u{unit:04x}");
        }
    }
    ascii
}

/// The text of an attribute's value.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(character),
        }
    }
    escaped
}
