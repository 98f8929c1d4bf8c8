//! The client of one chat service, and its sessions.

use std::collections::HashMap;

use magnus::{Error, RHash, Ruby};
use prebind::binding::{contained, doctor};
use prebind::{Account, Config, Credentials};

use crate::arguments::named;
use crate::call::{interruptible, raise};
use crate::results::fields;

/// The native half of `Prebind::Client`.
#[magnus::wrap(class = "Prebind::Native::Client", free_immediately, frozen_shareable)]
pub(crate) struct Client(prebind::Client);

/// A session, kept so that it can be ended with its cookies.
#[magnus::wrap(class = "Prebind::Native::Handle", free_immediately, frozen_shareable)]
pub(crate) struct Handle(prebind::Session);

impl Client {
    pub(crate) fn new(ruby: &Ruby, url: String, options: RHash) -> Result<Self, Error> {
        let options = named(options)?;
        contained(|| Config::from_named(&url, options).and_then(prebind::Client::new))
            .map(Self)
            .map_err(|error| raise(ruby, &error))
    }

    /// Opens a session, and returns the fields of a `Prebind::Session`.
    pub(crate) fn prebind(ruby: &Ruby, this: &Self, jid: String, given: RHash) -> Result<RHash, Error> {
        let given = named(given)?;
        let account = contained(|| Account::new(&jid, Credentials::from_named(given)?))
            .map_err(|error| raise(ruby, &error))?;
        let client = &this.0;
        let undo = |session| drop(client.terminate(&session));
        let session = interruptible(ruby, || client.prebind(&account), undo)?;
        let fields = fields(ruby, session.to_named())?;
        fields.aset(ruby.to_symbol("handle"), Handle(session))?;
        Ok(fields)
    }

    /// What the doctor finds by another login: the name of an outcome, and the words of its text.
    pub(crate) fn next_login(
        ruby: &Ruby,
        this: &Self,
        jid: String,
        first: RHash,
        next: RHash,
    ) -> Result<(&'static str, HashMap<String, String>), Error> {
        let (first, next) = (named(first)?, named(next)?);
        outcome(interruptible(ruby, || doctor::next_login(&this.0, &jid, first, next), drop))
    }

    /// What the doctor finds by a request that is too long.
    pub(crate) fn body_limit(
        ruby: &Ruby,
        this: &Self,
        given: RHash,
        url: String,
    ) -> Result<(&'static str, HashMap<String, String>), Error> {
        let given = named(given)?;
        outcome(interruptible(ruby, || doctor::body_limit(&this.0, given, &url), drop))
    }

    /// What the client has learned of the server.
    pub(crate) fn profile(&self) -> String {
        self.0.profile()
    }

    /// Ends a session.
    pub(crate) fn terminate(ruby: &Ruby, this: &Self, session: &Handle) -> Result<(), Error> {
        interruptible(ruby, || this.0.terminate(&session.0), drop)
    }

    /// Ends a session by its SID and the RID to send next.
    pub(crate) fn terminate_by(ruby: &Ruby, this: &Self, sid: String, rid: u64) -> Result<(), Error> {
        interruptible(ruby, || this.0.terminate_by(&sid, rid), drop)
    }
}

fn outcome(found: Result<doctor::Outcome, Error>) -> Result<(&'static str, HashMap<String, String>), Error> {
    found.map(|(outcome, words)| (outcome, words.into_iter().collect()))
}
