//! What a binding to another language needs: options and credentials by name, messages in the language's own
//! words, the log of a call, and how a call ends early.
//!
//! A binding converts each argument to a [`Value`]; what may be given, and how, is decided here. What there is to
//! give is data ([`Parameter`]), so that a binding can check itself against it. Options and credentials by name
//! are [`Config::from_named`](crate::Config::from_named) and
//! [`Credentials::from_named`](crate::Credentials::from_named).
//!
//! Sessions and errors leave in the same way, by [`Session::to_named`](crate::Session::to_named) and
//! [`Error::to_named`](crate::Error::to_named): a binding makes an object of names and [`Value`]s. What there is to get is
//! data ([`Field`]).

// May import from `extauth` and the layers above, in the order of `core/tests/layers`.

mod credentials;
pub mod doctor;
mod endpoint;
mod given;
#[cfg(feature = "client")]
mod interruption;
mod language;
mod nearest;
#[cfg(feature = "client")]
mod observe;
mod options;
mod results;
mod schema;
mod scram_keys;
mod tokens;

#[cfg(feature = "client")]
pub use crate::client::contained;
pub use crate::named::{Parameter, Value, ValueType};
pub use endpoint::asked;
pub use given::{Content, Given, Shape, misnamed};
#[cfg(feature = "client")]
pub use interruption::interruptible;
pub use language::Language;
#[cfg(feature = "client")]
pub use observe::{LogEvent, with_log};
pub use results::{Field, FieldType};
pub use schema::schema_json;
pub use scram_keys::scram_keys;
pub use tokens::{ChatServer, issue_token, new_key, refusal_of_token, server_side};
