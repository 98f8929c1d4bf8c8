//! The rules of a site's own endpoint, the same in every language: which requests may open a session, what
//! each outcome is answered with, and what a page tells Converse.js. `bindings/web/README.md` is the contract.
//!
//! There is no I/O in here. A binding gives what its web framework knows of a request as plain text:
//!
//! ```
//! use prebind::web::{Answer, Request};
//!
//! let headers = [("Sec-Fetch-Site", "same-origin")];
//! let query = "jid=alice%40example.org&page=1";
//! let request = Request::new("GET", "https", "shop.example", None, headers, query);
//!
//! let answer = match request.refusal(true).or_else(|| request.refusal_of(Some("alice@example.org"))) {
//!     Some(refusal) => Answer::refused(refusal),
//!     // Here the site calls `Client::prebind` with `request.full_jid("alice@example.org")`.
//!     None => Answer::granted(r#"{"jid":"alice@example.org/1","sid":"s1","rid":1}"#),
//! };
//! assert_eq!(answer.status(), 200);
//! ```

// May import from `client` and the layers above, in the order of `core/tests/layers`.

use std::time::Duration;

mod accounts;
mod answer;
mod cache;
mod cookies;
mod page;
mod request;

pub use accounts::sharing;
pub use answer::{Answer, Refusal};
pub use cache::Cache;
pub use page::Page;
pub use request::Request;

/// How long a login of a web site may take, where the site does not set
/// [`Config::deadline`](crate::Config::with_deadline): for so long a page waits for its chat.
pub const DEADLINE: Duration = Duration::from_secs(3);
