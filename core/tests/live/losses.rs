//! Every request of every exchange, lost in every way, with real servers behind the path.

use prebind::{Account, Credentials};
use servers::Kind;

use crate::lossy::{Knowledge, Path, in_cleartext};
use crate::{EJABBERD, PROSODY};

fn anonymous() -> Account {
    Account::new("anon.local", Credentials::anonymous()).unwrap()
}

fn plain() -> Account {
    Account::new("bob@localhost", Credentials::plain("builder-1")).unwrap()
}

fn password() -> Account {
    Account::new("bob@localhost", Credentials::password("builder-1")).unwrap()
}

#[test]
fn the_loss_of_any_request_is_mended_at_once() {
    for server in [&*PROSODY, &*EJABBERD] {
        for knowledge in [Knowledge::Nothing, Knowledge::Server, Knowledge::Domain] {
            for (account, is_secret, is_challenged) in
                [(anonymous(), false, false), (plain(), true, false), (password(), false, true)]
            {
                let round_trips = match (server.kind, knowledge) {
                    (_, Knowledge::Nothing) => 4 + u32::from(is_challenged),
                    (Kind::Prosody, Knowledge::Server) => 3,
                    (Kind::Prosody, Knowledge::Domain) => 1 + u32::from(is_challenged),
                    (_, Knowledge::Domain) if !is_challenged => 2,
                    (_, Knowledge::Server | Knowledge::Domain) => 3 + u32::from(is_challenged),
                };
                let path = Path::to(server, knowledge, |config| config);
                path.assert_mended(&account, round_trips, |at| is_secret && at == 0);
            }
        }
    }
}

/// Two challenges, and an answer to each.
#[test]
fn the_loss_of_any_request_of_digest_md5_is_mended_at_once() {
    let path = Path::to(&EJABBERD, Knowledge::Domain, |config| config.with_digest_md5(true));
    let account = Account::new("bob@md5.local", Credentials::password("builder-1")).unwrap();
    path.assert_mended(&account, 6, |_| false);
}

/// Where only the offer may be answered with a password, it is sent together with the bind.
#[test]
fn the_loss_of_a_request_with_both_the_login_and_the_bind_is_mended_at_once() {
    let path = Path::to(&PROSODY, Knowledge::Domain, in_cleartext);
    path.assert_mended(&plain(), 2, |_| false);
}
