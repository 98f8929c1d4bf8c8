//! The command `prebind` as a shell runs it, against real servers.

mod credentials;
mod exit_codes;
mod key;
mod login;
mod modules;
mod options;
mod scram_keys;
mod support;
mod terminal;
mod terminate;
mod trace;
mod usage;
