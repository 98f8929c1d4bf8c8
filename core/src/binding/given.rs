//! What the site's own functions and settings give. Most languages find out only here whether it is of the right
//! type, and the log has to say what is wrong with it: by classes and names, since the values may be secrets.

use super::language::Language;
use super::nearest::nearest;
use crate::error::{address, parsed, shortened};
use crate::named::{Parameter, ValueType};
use crate::sasl::Credentials;
use crate::secret::Secret;
use crate::session::Extra;
use crate::text::named;

named! {
    /// Something that the site's own code gives. More may be added.
    #[non_exhaustive]
    Given {
        /// A user's bare JID, or nothing for a user without chat: what a function returns.
        Jid = "jid",
        /// The arguments of [`Credentials::from_named`]: what a function returns.
        Credentials = "credentials",
        /// The client that logs everybody in: what a function returns that gave another thing.
        Client = "client",
        /// The settings that are others for a request: what a function returns. [`misnamed`] looks at their names, which
        /// are the site's.
        Tenant = "tenant",
        /// The names of [`Extra`]s: a setting.
        Extras = "extras",
        /// How many sessions a user may open in how many seconds, or nothing: a setting.
        RateLimit = "rate_limit",
    }
}

/// A value of the site's, without what must not be in a log. Exhaustive on purpose: a binding has to say all of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    /// What the site's language calls the class of the value; the value itself if it is none, nil or null.
    pub class: String,
    /// What the value consists of.
    pub content: Content,
}

/// What a value consists of, as far as [`Given`] asks. Exhaustive on purpose: a binding has to tell each sort.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// None, nil, null.
    Nothing,
    /// True or false.
    Flag,
    /// A whole number.
    Count(i64),
    /// Text. Only [`Given::Extras`] looks at it.
    Text(Secret),
    /// Several values.
    List(Vec<Shape>),
    /// Values that have names.
    Map(Vec<(String, Shape)>),
    /// Anything else.
    Other,
}

parsed!(Given, "given");

impl Given {
    /// What to log if the site's function or setting, which the site calls `called`, gave an unusable value.
    #[must_use]
    pub fn complaint(self, called: &str, shape: &Shape) -> Option<String> {
        self.complaint_in(Language::spoken(), called, shape)
    }

    /// The same, in the notation of this language.
    #[must_use]
    pub fn complaint_in(self, language: Language, called: &str, shape: &Shape) -> Option<String> {
        let problem = match (self, &shape.content) {
            (Self::Jid | Self::RateLimit, Content::Nothing)
            | (Self::Jid, Content::Text(_))
            | (Self::Tenant, Content::Map(_)) => None,
            (Self::RateLimit, Content::List(pair)) if is_limit(pair) => None,
            (Self::Credentials, Content::Map(fields)) => {
                fields.iter().find_map(|(name, value)| self.problem_of_field(language, name, value))
            }
            (Self::Extras, Content::List(names)) if names.iter().all(Shape::is_text) => {
                names.iter().find_map(|name| match &name.content {
                    Content::Text(name) => unknown("value", name.expose(), Extra::NAMES),
                    _ => None,
                })
            }
            _ => {
                let verb = if matches!(self, Self::Extras | Self::RateLimit) { "is" } else { "returned" };
                Some(format!("{verb} {}; it has to be {}", shape.told(), self.form(language)))
            }
        };
        Some(told(called, &problem?))
    }

    fn problem_of_field(self, language: Language, name: &str, value: &Shape) -> Option<String> {
        let arguments: Vec<Parameter> = Credentials::arguments().collect();
        let Some(argument) = arguments.iter().find(|argument| argument.name == name) else {
            let known: Vec<&str> = arguments.iter().map(|argument| argument.name).collect();
            let remedy = nearest(name, &known).map_or_else(
                || format!("it has to be {}", self.form(language)),
                |near| format!("did you mean {near}?"),
            );
            return Some(format!("no argument '{}'; {remedy}", presentable(name)));
        };
        let fits = match (argument.takes, &value.content) {
            (_, Content::Nothing) => true,
            (ValueType::Text, content) => matches!(content, Content::Text(_)),
            (ValueType::Flag, content) => matches!(content, Content::Flag),
            // `Credentials::from_named` looks into the rest.
            (_, content) => !matches!(content, Content::Text(_) | Content::Flag | Content::Count(_)),
        };
        (!fits).then(|| format!("{name} is {}; it has to be {}", value.told(), argument.takes))
    }

    /// What it has to be, in the notation of the language.
    fn form(self, language: Language) -> &'static str {
        use Language::{Kotlin, Php, Python, Ruby};
        match (self, language) {
            (Self::Jid, Ruby) => "like \"alice@example.org\", or nil",
            (Self::Jid, Php) => "like 'alice@example.org', or null",
            (Self::Jid, Kotlin) => "like \"alice@example.org\", or null",
            (Self::Jid, _) => "like \"alice@example.org\", or None",
            (Self::Credentials, Python) => "like {\"password\": …}",
            (Self::Credentials, Ruby) => "like {password: …}",
            (Self::Credentials, Php) => "like ['password' => …]",
            (Self::Credentials, Kotlin) => "like Credentials.password(…)",
            (Self::Credentials, _) => "like Credentials::password(…)",
            (Self::Client, Python) => "a prebind.Client",
            (Self::Client, Ruby) => "a Prebind::Client",
            (Self::Client, Php) => "a Prebind\\Client",
            (Self::Client, _) => "a Client",
            (Self::Tenant, Ruby) => "like {url: …}",
            (Self::Tenant, Php) => "like ['url' => …]",
            (Self::Tenant, _) => "like {\"URL\": …}",
            (Self::Extras, Php) => "like ['last_rid']",
            (Self::Extras, Kotlin) => "like \"last_rid\"",
            (Self::Extras, _) => "like [\"last_rid\"]",
            (Self::RateLimit, Ruby) => "two numbers of 1 or more, like [30, 60], or nil",
            (Self::RateLimit, Php) => "two numbers of 1 or more, like [30, 60], or null",
            (Self::RateLimit, Kotlin) => "two numbers of 1 or more, like 30 to 60, or null",
            (Self::RateLimit, _) => "two numbers of 1 or more, like (30, 60), or None",
        }
    }
}

impl Shape {
    fn is_text(&self) -> bool {
        matches!(self.content, Content::Text(_))
    }

    /// The class, with its article.
    fn told(&self) -> String {
        let class = presentable(&self.class);
        match self.content {
            Content::Nothing => class,
            _ if class.starts_with(['a', 'e', 'i', 'o', 'u', 'A', 'E', 'I', 'O', 'U']) => {
                format!("an {class}")
            }
            _ => format!("a {class}"),
        }
    }
}

fn is_limit(pair: &[Shape]) -> bool {
    pair.len() == 2 && pair.iter().all(|each| matches!(each.content, Content::Count(1..)))
}

/// What to say of a name that is none of those there are: of which `sort`, and which one may be meant. `called` is
/// what the site calls the place of the names.
#[must_use]
pub fn misnamed(called: &str, sort: &str, name: &str, known: &[&str]) -> Option<String> {
    unknown(sort, name, known).map(|problem| told(called, &problem))
}

fn unknown(sort: &str, name: &str, known: &[&str]) -> Option<String> {
    if known.contains(&name) {
        return None;
    }
    let remedy = nearest(name, known).map_or_else(
        || format!("there are only {}", known.join(", ")),
        |near| format!("did you mean {near}?"),
    );
    Some(format!("no {sort} '{}'; {remedy}", presentable(name)))
}

fn told(called: &str, problem: &str) -> String {
    format!("{called}: {problem}")
}

/// A name that the site's code made up, as a line can have it.
fn presentable(name: &str) -> String {
    shortened(&address(name), 60)
}
