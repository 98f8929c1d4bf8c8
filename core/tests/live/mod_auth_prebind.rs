//! `mod_auth_prebind` on Prosody 0.12.

use std::sync::LazyLock;

use servers::Kind;

use crate::site_tokens::{self, Chat};

static CHAT: LazyLock<Chat> = LazyLock::new(|| Chat::start(Kind::Prosody));

macro_rules! tests {
    ($($name:ident)*) => { $(
        #[test]
        fn $name() {
            site_tokens::$name(&CHAT);
        }
    )* };
}

tests! {
    a_fresh_token_logs_in_within_one_round_trip
    two_tokens_of_one_user_are_good_after_each_other
    every_bad_token_is_refused
    no_damaged_token_is_accepted_or_stops_the_server
    audience_and_issuer_are_checked_where_they_are_configured
    what_the_guide_says_is_enough
    passwords_go_on_beside_tokens
    a_token_by_scram_is_told_apart
    nobody_acts_for_another_user
    messages_and_requests_reach_a_user_with_an_account
    an_administrators_command_makes_accounts
    a_key_that_cannot_be_used_is_named_and_the_others_stay
    no_login_is_refused_while_keys_rotate
    the_site_is_asked
    a_site_without_a_usable_answer_is_a_failure_that_passes
    a_slow_site_holds_up_nobody_else
    the_log_holds_no_secret
}
