//! Tests Prosody 13: its mechanisms, and a login by SASL2.
//!
//! The first time, its packages are fetched. Not every machine can do that, so run this with `cargo test -p
//! servers --test prosody13 -- --ignored`

mod common;

use std::sync::LazyLock;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use common::{Bosh, agent, mechanisms, plain, start};
use servers::{Kind, Server, hosts};

static PROSODY: LazyLock<Server> = LazyLock::new(|| start(Kind::Prosody13));

#[test]
#[ignore = "fetches Prosody 13"]
fn offers_the_mechanisms_of_the_table_twice() {
    let agent = agent(&PROSODY);
    for (host, expected) in &PROSODY.hosts {
        for url in [&PROSODY.https_url, &PROSODY.http_url] {
            // EXTERNAL needs TLS.
            if host == hosts::CERTIFICATE && *url == PROSODY.http_url {
                continue;
            }
            let (session, answer) = Bosh::create(&agent, url, host);
            let (sasl2, sasl) = answer.split_once("</authentication>").expect("SASL2 is offered");
            assert_eq!(mechanisms(sasl), *expected, "{host} {url}");
            assert_eq!(mechanisms(sasl2), *expected, "{host} {url}");
            assert!(sasl2.contains("<bind xmlns='urn:xmpp:bind:0'>"), "{sasl2}");
            session.terminate();
        }
    }
}

#[test]
#[ignore = "fetches Prosody 13"]
fn knows_every_account() {
    let agent = agent(&PROSODY);
    for (user, password) in &PROSODY.accounts {
        let (mut session, _) = Bosh::create(&agent, &PROSODY.https_url, hosts::LOCALHOST);
        let answer = session.request(&authenticate(user, password));
        assert!(answer.contains("<success xmlns='urn:xmpp:sasl:2'>"), "{answer}");
        assert!(answer.contains("<bound ") && answer.contains("'secret-token:fast-"), "{answer}");
        assert!(PROSODY.sessions().unwrap().jids.iter().any(|jid| jid.starts_with(user)));
        session.terminate();

        let (mut session, _) = Bosh::create(&agent, &PROSODY.https_url, hosts::LOCALHOST);
        let answer = session.request(&authenticate(user, "wrong"));
        assert!(answer.contains("<failure xmlns='urn:xmpp:sasl:2'"), "{answer}");
        assert!(answer.contains("<not-authorized "), "{answer}");
        session.terminate();
    }
}

fn authenticate(user: &str, password: &str) -> String {
    let response = STANDARD.encode(plain(user, password));
    format!(
        "<authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'>\
         <initial-response>{response}</initial-response>\
         <user-agent id='d4565fa7-4d72-4749-b3d3-740edbf87770'/>\
         <bind xmlns='urn:xmpp:bind:0'/>\
         <request-token xmlns='urn:xmpp:fast:0' mechanism='HT-SHA-256-NONE'/></authenticate>"
    )
}
