//! Tokens that the site signs, while its keys rotate: the server knows one key only.

use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use faults::{Reply, Server};
use prebind::token::{Algorithm, Issuer, Key, Refusal, Verifier};
use prebind::{Account, Client, Condition, Credentials, ErrorKind, SaslCondition};

use super::{PROSODY, body, classic, client};

fn key(id: &str) -> Key {
    Key::from_secret(Algorithm::Hs256, id.repeat(32)).unwrap().with_id(id).unwrap()
}

fn account(keys: &[&str]) -> Account {
    let issuer = Issuer::new(keys.iter().map(|id| key(id))).unwrap();
    Account::new("alice@localhost", Credentials::jwt(issuer)).unwrap()
}

/// A classic exchange that ends with this failure.
fn failed(condition: &str) -> Vec<Reply> {
    let failure = format!("<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><{condition}/></failure>");
    vec![classic(PROSODY).remove(0), body(PROSODY, &failure).when("<auth"), body("", "").when("terminate")]
}

/// The keys that signed the tokens which the server was sent, in their order.
fn signed_by(server: &Server) -> String {
    let requests = server.requests();
    let tokens = requests.iter().filter_map(|request| {
        let (_, rest) = request.body.split_once("mechanism=\"PLAIN\">")?;
        let message = STANDARD.decode(rest.split_once('<')?.0).unwrap();
        String::from_utf8(message).unwrap().rsplit('\0').next().map(str::to_owned)
    });
    let by = |token: &str, id: &str| {
        Verifier::new([key(id)]).unwrap().verify(token, SystemTime::now()).map(|verified| {
            assert_eq!(verified.jid.to_string(), "alice@localhost");
        })
    };
    let mut keys = String::new();
    for token in tokens {
        let signer = ["n", "o", "p"].into_iter().find(|id| by(&token, id) != Err(Refusal::UnknownKey));
        keys.push_str(signer.unwrap_or("?"));
    }
    keys
}

/// What becomes of each call with these keys, and which keys signed for it.
fn calls(script: &[Vec<Reply>], keys: &[&[&str]]) -> (Vec<bool>, String) {
    let server = faults::script(script.concat());
    let client: Client = client(&server, |config| config.with_learn(false));
    let results = keys.iter().map(|keys| client.prebind(&account(keys)).is_ok()).collect();
    (results, signed_by(&server))
}

#[test]
fn the_token_of_the_other_key_follows_one_that_was_refused() {
    let refused = || failed("not-authorized");
    let good = || classic(PROSODY);
    let both: &[&str] = &["n", "o"];
    let newest_first = calls(&[good(), good()], &[both, both]);
    assert_eq!(newest_first, (vec![true, true], "nn".to_owned()));
    // The server is given the new key between the second call and the third.
    let remembered = calls(&[refused(), good(), good(), refused(), good(), good()], &[both; 4]);
    assert_eq!(remembered, (vec![true; 4], "nooonn".to_owned()));
}

#[test]
fn no_more_than_two_tokens_are_sent_in_a_call() {
    let refused = || failed("not-authorized");
    let three: &[&str] = &["n", "o", "p"];
    assert_eq!(calls(&[refused(), refused()], &[three]), (vec![false], "no".to_owned()));
    assert_eq!(calls(&[refused()], &[&["n"]]), (vec![false], "n".to_owned()));
}

#[test]
fn only_a_token_that_was_looked_at_and_refused_is_replaced() {
    for condition in ["temporary-auth-failure", "account-disabled", "malformed-request", "not-a-condition"] {
        let (results, keys) = calls(&[failed(condition), classic(PROSODY)], &[&["n", "o"]]);
        assert_eq!((results, keys.as_str()), (vec![false], "n"), "{condition}");
    }
}

#[test]
fn a_refusal_of_both_says_what_to_check() {
    let server = faults::script([failed("not-authorized"), failed("not-authorized")].concat());
    let error = client(&server, |config| config).prebind(&account(&["n", "o"])).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Auth);
    assert_eq!(error.condition(), Some(&Condition::Sasl(SaslCondition::NotAuthorized)));
    assert!(error.to_string().contains("the server knows the key that signs"), "{error}");
}
