//! The options that say which session to request and how far to trust the server.

use std::time::Duration;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use prebind::{Config, Error, PasswordMechanism};

use crate::connection::seconds;
use crate::help::{default, part_of_default};

#[derive(Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag by itself")]
pub(crate) struct NegotiationOptions {
    #[arg(long, value_name = "TAG", help_heading = SESSION,
          default_value = default("lang"), help = "The language of the server's messages; '' for none")]
    lang: String,
    #[arg(long, value_name = "SECONDS", help_heading = SESSION,
          default_value = default("wait"), help = "How long the server may hold a request")]
    wait: u16,
    #[arg(long, value_name = "COUNT", help_heading = SESSION,
          default_value = default("hold"), help = "How many requests the server may hold")]
    hold: u8,
    /// Where the connection manager finds the XMPP server, for example xmpp:example.org:9999
    #[arg(long, value_name = "URI", help_heading = SESSION)]
    route: Option<String>,
    /// The resource to request if the JID has none; without it the server makes one
    #[arg(long, value_name = "NAME", help_heading = SESSION)]
    resource: Option<String>,

    #[arg(long, value_name = "MECHANISM", help_heading = TRUST, ignore_case = true, value_parser = weakest_mechanism(),
          default_value = default("weakest_mechanism"), help = "The weakest mechanism a password may be used with")]
    weakest_mechanism: PasswordMechanism,
    /// Allow the obsolete DIGEST-MD5 if the server has no SCRAM
    #[arg(long, help_heading = TRUST)]
    digest_md5: bool,
    /// Allow sending a password or token over plain http to another machine
    #[arg(long, help_heading = TRUST)]
    allow_cleartext: bool,
    /// Log in by SASL2, and request a token (FAST), if the server offers them
    #[arg(long, help_heading = TRUST)]
    fast_tokens: bool,
    #[arg(long, value_name = "COUNT", help_heading = TRUST,
          default_value = part_of_default("iterations", 0), help = "The fewest SCRAM iterations to accept")]
    min_iterations: u32,
    #[arg(long, value_name = "COUNT", help_heading = TRUST,
          default_value = part_of_default("iterations", 1), help = "The most SCRAM iterations to accept")]
    max_iterations: u32,

    /// Always use the full exchange, even if the server is known to support a shorter one
    #[arg(long, help_heading = ROUND_TRIPS)]
    no_learn: bool,
    #[arg(long, value_name = "SECONDS", value_parser = seconds, help_heading = ROUND_TRIPS,
          default_value = default("relearn_after"), help = "How long to use the full exchange after a shorter one failed")]
    relearn_after: Duration,
}

impl NegotiationOptions {
    /// Replaces the library's defaults by the options.
    ///
    /// # Errors
    /// `Config` if an option has a value that cannot be used.
    pub(crate) fn applied(&self, config: Config) -> Result<Config, Error> {
        config
            .with_lang(Some(self.lang.clone()).filter(|lang| !lang.is_empty()))?
            .with_wait(self.wait)?
            .with_hold(self.hold)?
            .with_route(self.route.clone())?
            .with_resource(self.resource.clone())?
            .with_weakest_mechanism(self.weakest_mechanism)
            .with_digest_md5(self.digest_md5)
            .with_allow_cleartext(self.allow_cleartext)
            .with_fast_tokens(self.fast_tokens)
            .with_iterations(self.min_iterations..=self.max_iterations)?
            .with_learn(!self.no_learn)
            .with_relearn_after(self.relearn_after)
    }
}

const SESSION: &str = "Session";
const TRUST: &str = "Trust";
pub(crate) const ROUND_TRIPS: &str = "Round trips";

fn weakest_mechanism() -> impl clap::builder::TypedValueParser<Value = PasswordMechanism> {
    PossibleValuesParser::new(PasswordMechanism::ALL.map(PasswordMechanism::as_str))
        .try_map(|name| name.to_ascii_uppercase().parse::<PasswordMechanism>())
}
