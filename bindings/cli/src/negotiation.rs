//! The options that say what session to ask for and how far to trust the server.

use std::time::Duration;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use prebind::{Config, PasswordMechanism};

use crate::connection::seconds;
use crate::help::{DEFAULTS, with_default};

#[derive(Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag by itself")]
pub(crate) struct NegotiationOptions {
    #[arg(long, value_name = "TAG", help_heading = SESSION,
          help = with_default("The language of the server's messages; '' for none", default_lang()))]
    lang: Option<String>,
    #[arg(long, value_name = "SECONDS", help_heading = SESSION,
          help = with_default("How long the server may hold a request", DEFAULTS.wait))]
    wait: Option<u16>,
    #[arg(long, value_name = "COUNT", help_heading = SESSION,
          help = with_default("How many requests the server may hold", DEFAULTS.hold))]
    hold: Option<u8>,
    /// Where the connection manager finds the XMPP server, for example xmpp:example.org:9999
    #[arg(long, value_name = "URI", help_heading = SESSION)]
    route: Option<String>,
    /// The resource to ask for if the JID has none; else the server makes one
    #[arg(long, value_name = "NAME", help_heading = SESSION)]
    resource: Option<String>,

    #[arg(long, value_name = "MECHANISM", help_heading = TRUST, ignore_case = true, value_parser = weakest_mechanism(),
          help = with_default("The weakest mechanism a password may be used with", DEFAULTS.weakest_mechanism))]
    weakest_mechanism: Option<PasswordMechanism>,
    /// Let the obsolete DIGEST-MD5 be used where there is no SCRAM
    #[arg(long, help_heading = TRUST)]
    digest_md5: bool,
    /// Let a password or token be sent over plain http to another machine
    #[arg(long, help_heading = TRUST)]
    allow_cleartext: bool,
    /// Log in by SASL2, and ask for a token (FAST) where the server has any
    #[arg(long, help_heading = TRUST)]
    fast_tokens: bool,
    #[arg(long, value_name = "COUNT", help_heading = TRUST,
          help = with_default("The fewest SCRAM iterations to accept", DEFAULTS.iterations.start()))]
    min_iterations: Option<u32>,
    #[arg(long, value_name = "COUNT", help_heading = TRUST,
          help = with_default("The most SCRAM iterations to accept", DEFAULTS.iterations.end()))]
    max_iterations: Option<u32>,

    /// Take no short cuts, even with a server that is known for them
    #[arg(long, help_heading = ROUND_TRIPS)]
    no_learn: bool,
    #[arg(long, value_name = "SECONDS", value_parser = seconds, help_heading = ROUND_TRIPS,
          help = with_default("How long none is taken after one that failed", DEFAULTS.relearn_after.as_secs_f64()))]
    relearn_after: Option<Duration>,
}

impl NegotiationOptions {
    /// Puts what was asked for in place of the library's defaults.
    pub(crate) fn apply(&self, config: &mut Config) {
        if let Some(lang) = &self.lang {
            config.lang = Some(lang.clone()).filter(|lang| !lang.is_empty());
        }
        config.wait = self.wait.unwrap_or(config.wait);
        config.hold = self.hold.unwrap_or(config.hold);
        config.route.clone_from(&self.route);
        config.resource.clone_from(&self.resource);
        config.weakest_mechanism = self.weakest_mechanism.unwrap_or(config.weakest_mechanism);
        config.digest_md5 |= self.digest_md5;
        config.allow_cleartext |= self.allow_cleartext;
        config.fast_tokens |= self.fast_tokens;
        let (least, most) = config.iterations.clone().into_inner();
        config.iterations = self.min_iterations.unwrap_or(least)..=self.max_iterations.unwrap_or(most);
        config.learn &= !self.no_learn;
        config.relearn_after = self.relearn_after.unwrap_or(config.relearn_after);
    }
}

const SESSION: &str = "Session";
const TRUST: &str = "Trust";
pub(crate) const ROUND_TRIPS: &str = "Round trips";

fn default_lang() -> &'static str {
    DEFAULTS.lang.as_deref().unwrap_or("none")
}

fn weakest_mechanism() -> impl clap::builder::TypedValueParser<Value = PasswordMechanism> {
    PossibleValuesParser::new(PasswordMechanism::ALL.map(PasswordMechanism::as_str))
        .try_map(|name| name.to_ascii_uppercase().parse::<PasswordMechanism>())
}
