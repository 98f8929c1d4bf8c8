//! What a chat server asks about users, and how it is answered. Nothing here does I/O or looks at a clock.
//!
//! [`Endpoint`] has the rules of the address where a site answers. The rest is external authentication as ejabberd
//! speaks it (`auth_method: external`): the pure parts of `prebind extauth`.
//!
//! ejabberd starts a program, writes each request to its standard input and reads the answer from its standard output.
//! A request does not have a number, so answers come in the order of the requests. ejabberd itself sends a process its
//! next request only after the answer to the one before.
//!
//! ```
//! use prebind::extauth::{Request, answer, read_frame};
//!
//! let mut input = &b"\x00\x18isuser:alice:example.org"[..];
//! let frame = read_frame(&mut input)?.expect("there is one");
//! let Request::IsUser(user) = Request::parse(&frame) else { panic!("it asks whether alice exists") };
//! assert!(user.is(&"Alice@example.org".parse()?));
//! assert_eq!(answer(true), [0, 2, 0, 1]);
//! assert!(read_frame(&mut input)?.is_none());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

// May import from `web` and the layers above, in the order of `core/tests/layers`.

mod endpoint;
#[cfg(test)]
mod examples;
mod frame;
mod question;
mod request;
mod setup;
mod users;

pub use endpoint::{Asked, Endpoint, Entry, Inquiry, Level, Next, Refusal, is_site_secret};
#[cfg(test)]
pub(crate) use examples::examples;
pub use frame::{answer, read_frame};
pub use question::{MAX_QUESTION, MAX_REPLY, NoAnswer, Question};
pub use request::{Request, User};
pub use setup::setup;
pub use users::UserList;
