//! `prebind extauth` as ejabberd runs it: over pipes, with real files and a site.

mod files;
mod frames;
mod live;
mod options;
mod site;
mod support;
mod users;
