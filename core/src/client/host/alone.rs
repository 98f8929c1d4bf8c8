//! The variant for systems other than Unix: processes share nothing, and each counts only its own calls.

use std::convert::Infallible;

use crate::config::Config;

#[derive(Debug)]
pub(super) struct Host(Infallible);

#[derive(Debug)]
pub(super) struct Full {
    pub(super) most: u32,
}

#[derive(Debug)]
pub(super) struct Place;

#[derive(Debug)]
pub(super) struct Notes {
    pub(super) text: String,
}

#[derive(Debug)]
pub(super) struct Lock;

impl Host {
    pub(super) fn new(config: &Config) -> Option<Self> {
        if config.workers > 0 || config.max_host_calls > 0 {
            tracing::warn!(
                "each process counts only its own calls, because this operating system is not Unix"
            );
        }
        None
    }

    pub(super) fn place(&self) -> Result<Place, Full> {
        match self.0 {}
    }

    pub(super) fn notes(&self) -> Option<Notes> {
        match self.0 {}
    }

    pub(super) fn probe(&self) -> Option<Lock> {
        match self.0 {}
    }
}

impl Notes {
    pub(super) fn write(self, _text: &str) {}
}
