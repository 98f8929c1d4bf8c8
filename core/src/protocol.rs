//! The protocol as a state machine, for use with another HTTP library.
//!
//! - [`Negotiation`] takes replies and returns requests. It uses no socket, no clock and no random numbers:
//!   you pass it a [`Random`], and a [`ScramCache`] if you like.
//! - [`Plan`] describes an exchange as data: which steps share a body, and what must have been answered
//!   before. Begin with the classic plan. It returns what it has [`Learned`] of the server, and from that you
//!   get the [shortest](Plan::shortest) plan for the next login.
//!
//! ```
//! use prebind::protocol::{Negotiation, Plan, Random, Reply, Step};
//! use prebind::{Account, Config, Credentials, Session};
//!
//! fn prebind(
//!     config: &Config,
//!     account: &Account,
//!     mut post: impl FnMut(&str) -> (u16, String),
//! ) -> Result<Session, prebind::Error> {
//!     let (mut negotiation, mut requests) =
//!         Negotiation::start(config, account, Plan::classic(), Random::from_os()?, None)?;
//!     loop {
//!         // The classic plan never has more than one request open.
//!         let request = requests.remove(0);
//!         let (status, body) = post(request.body());
//!         match negotiation.receive(&Reply::new(request.rid(), status, body)) {
//!             Ok(Step::Send(next, more)) => (negotiation, requests) = (next, more),
//!             Ok(Step::Wait(next)) => negotiation = next,
//!             Ok(Step::Done(session, _)) => return Ok(session),
//!             Err(failure) => {
//!                 if let Some(terminate) = failure.terminate {
//!                     post(terminate.body());
//!                 }
//!                 return Err(failure.error);
//!             }
//!         }
//!     }
//! }
//! # let config = Config::new("http://localhost:5280/http-bind")?;
//! # let account = Account::new("alice@localhost", Credentials::password("secret"))?;
//! # assert!(prebind(&config, &account, |_| (404, String::new())).is_err());
//! # Ok::<(), prebind::Error>(())
//! ```

pub use crate::negotiation::{Failure, Learned, Negotiation, Plan, Step};
pub use crate::random::Random;
pub use crate::sasl::ScramCache;
pub use crate::wire::body::CONTENT_TYPE;
pub use crate::wire::reply::Reply;
pub use crate::wire::request::Request;
