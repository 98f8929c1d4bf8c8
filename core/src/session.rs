//! The session that is handed to the browser.

use std::fmt;
use std::time::Duration;

use serde::Serialize;
use serde::ser::SerializeStruct;

use crate::error::parsed;
use crate::jid::Jid;
use crate::sasl::{Authenticated, FastToken};
use crate::secret::Secret;
use crate::text::named;
use crate::wire::body::Created;
use crate::wire::cookies::Cookie;

/// An authenticated session, ready for a browser to attach to.
///
/// Serialized, it is exactly `{"jid", "sid", "rid"}`, the three values that browser clients need. `Debug`
/// hides SID and RID, because anyone who knows them can take over the session.
#[derive(Clone)]
pub struct Session {
    jid: Jid,
    sid: Secret,
    rid: u64,
    created: Created,
    mechanism: String,
    round_trips: u32,
    cookies: Vec<Cookie>,
    fast_token: Option<FastToken>,
}

named! {
    /// Additional values in the answer to the browser, for clients that need more than `jid`, `sid` and
    /// `rid`. Extras may be added.
    #[non_exhaustive]
    Extra {
        /// [`Session::last_rid`].
        LastRid = "last_rid",
        /// [`Session::wait`], in seconds.
        Wait = "wait",
        /// [`Session::inactivity`], in seconds; `null` if the server did not say.
        Inactivity = "inactivity",
    }
}

parsed!(Extra, "extras");

impl Session {
    pub(crate) fn new(
        authenticated: Authenticated,
        jid: Jid,
        sid: Secret,
        rid: u64,
        created: Created,
        round_trips: u32,
        cookies: Vec<Cookie>,
    ) -> Self {
        let mechanism = authenticated.into_mechanism();
        Self { jid, sid, rid, created, mechanism, round_trips, cookies, fast_token: None }
    }

    pub(crate) fn with_fast_token(mut self, token: Option<FastToken>) -> Self {
        self.fast_token = token;
        self
    }

    /// The full JID that the server bound.
    #[must_use]
    pub fn jid(&self) -> &Jid {
        &self.jid
    }

    /// The session ID (XEP-0124 §7.2).
    #[must_use]
    pub fn sid(&self) -> &str {
        self.sid.expose()
    }

    /// The request ID to send next. `attach` of Strophe and Converse expects this one.
    #[must_use]
    pub fn rid(&self) -> u64 {
        self.rid
    }

    /// The last request ID that was sent, for clients that add 1 themselves (lib-jitsi-meet, `JSJaC`).
    #[must_use]
    pub fn last_rid(&self) -> u64 {
        self.rid - 1
    }

    /// How long the server keeps the session while no request is open. The browser must attach within this
    /// time. `None` if the server did not say.
    #[must_use]
    pub fn inactivity(&self) -> Option<Duration> {
        self.created.inactivity.map(|seconds| Duration::from_secs(seconds.into()))
    }

    /// How long the server may hold a request.
    #[must_use]
    pub fn wait(&self) -> Duration {
        Duration::from_secs(self.created.wait.into())
    }

    /// How many requests the server may hold.
    #[must_use]
    pub fn hold(&self) -> u32 {
        self.created.hold
    }

    /// How many requests may be open at once. `None` if the server did not say.
    #[must_use]
    pub fn requests(&self) -> Option<u32> {
        self.created.requests
    }

    /// The SASL mechanism that was used.
    #[must_use]
    pub fn mechanism(&self) -> &str {
        &self.mechanism
    }

    /// How many round trips the login took. Requests that were under way together count once.
    #[must_use]
    pub fn round_trips(&self) -> u32 {
        self.round_trips
    }

    /// The cookies set during the exchange.
    #[must_use]
    pub fn cookies(&self) -> &[Cookie] {
        &self.cookies
    }

    /// The token for the next login, to pass to [`Credentials::fast_token`](crate::Credentials::fast_token).
    /// It is a new token, or the token of this login if the server did not replace it. `None` means that the
    /// server issued none or withdrew it: delete the token that you stored.
    /// [`Config::fast_tokens`](crate::Config::with_fast_tokens) requests tokens.
    #[must_use]
    pub fn fast_token(&self) -> Option<&FastToken> {
        self.fast_token.as_ref()
    }

    /// `{"jid":…,"sid":…,"rid":…}`
    ///
    /// # Panics
    /// Never, because two strings and a number can always be written as JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        self.to_json_with(&[])
    }

    /// The session as JSON with additional values, for example `{"jid":…,"sid":…,"rid":…,"last_rid":…}`.
    ///
    /// # Panics
    /// Never, because strings and numbers can always be written as JSON.
    #[must_use]
    pub fn to_json_with(&self, extras: &[Extra]) -> String {
        serde_json::to_string(&Answer { session: self, extras }).expect("strings and numbers are JSON")
    }
}

impl Serialize for Session {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Answer { session: self, extras: &[] }.serialize(serializer)
    }
}

/// The answer to the browser.
struct Answer<'a> {
    session: &'a Session,
    extras: &'a [Extra],
}

impl Serialize for Answer<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { session, extras } = self;
        let mut fields = serializer.serialize_struct("Session", 3 + extras.len())?;
        fields.serialize_field("jid", &session.jid.to_string())?;
        fields.serialize_field("sid", session.sid())?;
        fields.serialize_field("rid", &session.rid)?;
        for extra in *extras {
            let name = extra.as_str();
            match extra {
                Extra::LastRid => fields.serialize_field(name, &session.last_rid())?,
                Extra::Wait => fields.serialize_field(name, &session.wait().as_secs())?,
                Extra::Inactivity => fields.serialize_field(name, &session.created.inactivity)?,
            }
        }
        fields.end()
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("jid", &self.jid)
            .field("sid", &self.sid)
            .field("rid", &"***")
            .field("mechanism", &self.mechanism)
            .field("round_trips", &self.round_trips)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_given_by_name() {
        macro_rules! fields {
            ($($own:ident)+; $($granted:ident)+) => {{
                // This does not compile while a field is missing here.
                let _: fn(Session) = |Session { created: Created { $($granted: _,)+ is_secure: _ }, $($own: _),+ }| ();
                [$(stringify!($own),)+ $(stringify!($granted)),+]
            }};
        }
        let mut fields = fields! {
            jid sid rid mechanism round_trips cookies fast_token;
            inactivity wait hold requests
        };
        fields.sort_unstable();
        let mut named: Vec<_> = Session::fields().map(|field| field.name).collect();
        named.sort_unstable();
        assert_eq!(named, fields);
    }
}
