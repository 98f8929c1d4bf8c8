//! `prebind` for Ruby: converts arguments and results, lets other threads run meanwhile, heeds what
//! is raised in this one, and raises what `Prebind` defines. Nothing is decided here.

#![expect(clippy::needless_pass_by_value, reason = "what Ruby hands over is converted, not borrowed")]
#![expect(missing_docs, reason = "`init` is for Ruby to call, and its macro passes no description on")]

mod arguments;
mod call;
mod client;
mod gvl;

use magnus::{Error, Ruby, function, method, prelude::*};

use client::Client;

#[magnus::init(name = "native")]
fn init(ruby: &Ruby) -> Result<(), Error> {
    gvl::declare_ractor_safe();
    let native = ruby.define_module("Prebind")?.define_module("Native")?;
    // Frozen, so that every Ractor may see them.
    let options = ruby.ary_from_iter(prebind::Config::options().map(|name| ruby.to_symbol(name)));
    options.freeze();
    native.const_set("OPTIONS", options)?;
    let version = ruby.str_new(env!("CARGO_PKG_VERSION"));
    version.freeze();
    native.const_set("VERSION", version)?;
    native.define_singleton_method("jid_from_user", function!(jid_from_user, 2))?;
    native.define_class("Handle", ruby.class_object())?;
    let client = native.define_class("Client", ruby.class_object())?;
    client.define_singleton_method("new", function!(Client::new, 2))?;
    client.define_method("prebind", method!(Client::prebind, 2))?;
    client.define_method("profile", method!(Client::profile, 0))?;
    client.define_method("terminate", method!(Client::terminate, 1))?;
    client.define_method("terminate_by", method!(Client::terminate_by, 2))
}

/// The JID of a web site's user, whose name may hold characters that a JID must not have.
fn jid_from_user(ruby: &Ruby, name: String, domain: String) -> Result<String, Error> {
    let jid = prebind::Jid::from_user(&name, &domain).map_err(|error| call::raise(ruby, &error))?;
    Ok(jid.to_string())
}
