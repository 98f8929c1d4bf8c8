//! `prebind extauth` as ejabberd runs it: over pipes, with real files and a site.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod doctor;
mod files;
mod frames;
mod live;
mod options;
mod provider;
mod site;
mod support;
mod users;
