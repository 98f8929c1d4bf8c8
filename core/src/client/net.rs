//! The HTTP driver: one POST and its answer, over connections that are kept. It knows nothing of BOSH.
//!
//! Read it in this order: [`http`] sends a request and reads the answer, on a lane of the [`pool`] or on a connection
//! that [`connect`] opens (name, race of addresses, proxy, [`tls`]) and that is a [`stream`] from then on. [`obstacle`]
//! is what comes back where there is no answer: what the request was doing, and what stood in its way.
//!
//! `ureq` writes the requests and reads the answers, but neither opens connections nor keeps them: it opens one only
//! for a request, and it decides alone which one carries which request. A login needs both otherwise. The connection
//! for what follows a creation is opened while the server thinks, which saves a round trip or two (ejabberd: the third).
//! The rest of an exchange stays on the connection of its creation, except with Prosody, which does not read from that
//! one for as long as the bytes of the last request take at 10 kB/s: a fixed rest is too short for long headers and too
//! long for many logins. A creation goes only over a connection that the server is known to leave open for so long,
//! because a password that is lost on the way must not be sent again. So each lane has an agent of its own, to which it
//! lends its connection: one connector, one transport, and a resolver without work. A name is looked up when a
//! connection is opened; the last answer serves in an outage. No result travels on the thread: only who is asked
//! whether to go on does ([`give_up`](super::give_up)).

mod connect;
mod http;
mod obstacle;
mod pool;
mod stream;
mod tls;

pub(super) use http::Http;
pub(super) use obstacle::{Cause, Obstacle, Spoken};
pub(super) use pool::Lane;
