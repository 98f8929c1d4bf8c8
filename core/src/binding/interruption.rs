//! Giving up a call from outside.

use super::observe::unobserved;
use crate::client;

/// Runs `call`. While a [`Client`](crate::Client) waits in it, on this thread, it asks `keep_going`
/// about twenty times a second. After the first no it ends what it has begun on the server, which
/// takes some 250 ms at most, and fails with `Connect`; further calls in `call` fail at once.
///
/// For languages whose interpreter has to see to its signals.
pub fn interruptible<T>(keep_going: impl Fn() -> bool + 'static, call: impl FnOnce() -> T) -> T {
    client::interruptible(move || unobserved(&keep_going), call)
}
