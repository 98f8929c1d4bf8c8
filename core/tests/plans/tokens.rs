//! Accounts with a token and accounts without one, on one client.

use faults::Reply;
use prebind::{Account, Credentials, FastToken};

use super::{ALL_AT_ONCE, BOUND, PROSODY, SUCCESS, account, body, classic, client, good};

/// Of Prosody 13.
const OFFER: &str = "<stream:features><authentication xmlns='urn:xmpp:sasl:2'><mechanism>PLAIN</mechanism>\
    <inline><bind xmlns='urn:xmpp:bind:0'/><fast xmlns='urn:xmpp:fast:0'><mechanism>HT-SHA-256-NONE</mechanism>\
    </fast></inline></authentication><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>\
    <mechanism>PLAIN</mechanism></mechanisms></stream:features>";

/// A token and the server's proof that it knows it, recorded.
pub(crate) const TOKEN: &str = "{\"mechanism\":\"HT-SHA-256-NONE\",\
    \"token\":\"secret-token:fast-8OIBAoiPmtVQ0_1kjxk6u6Zv77me7ITnkaC1\",\
    \"expiry\":\"2026-12-13T23:32:55.475062Z\",\"user_agent\":\"00000000-0000-4000-8000-000000000000\"}";
pub(crate) const ACCEPTED: &str = "<success xmlns='urn:xmpp:sasl:2'>\
    <additional-data>dYHwlulWQx4iIrLKVLaglZfk+joqm4P/Pz2SkMO9z2A=</additional-data>\
    <bound xmlns='urn:xmpp:bind:0'/><authorization-identifier>alice@localhost/x</authorization-identifier>\
    </success><stream:features/>";

#[test]
fn an_account_without_a_token_costs_no_other_its_own() {
    let token = FastToken::from_text(TOKEN).unwrap();
    let credentials = Credentials::plain("wonder-1").fast_token(token.clone());
    let with_token = Account::new("alice@localhost", credentials).unwrap();
    let creation = || body(PROSODY, OFFER).when("xmpp:version=\"1.0\"/>");
    let replies: [Vec<Reply>; 5] = [
        [vec![creation()], classic(PROSODY).split_off(1)].concat(),
        vec![creation(), body("", ACCEPTED).when("<authenticate")],
        vec![body(PROSODY, &format!("{OFFER}{SUCCESS}{BOUND}")).when(ALL_AT_ONCE)],
        vec![body(PROSODY, &format!("{OFFER}{ACCEPTED}")).when("\"1.0\"><authenticate")],
        vec![good()],
    ];
    let server = faults::script(replies.concat());
    let client = client(&server, |config| config);
    let login = |account: &Account| {
        let session = client.prebind(account).unwrap();
        (session.round_trips(), session.fast_token().cloned())
    };
    assert_eq!(login(&account()), (4, None), "SASL2 is not looked at");
    assert_eq!(login(&with_token), (2, Some(token.clone())), "so it is looked at first");
    assert_eq!(login(&account()), (1, None));
    let profile = client.profile();
    assert_eq!(login(&with_token), (1, Some(token)), "what is known of it is kept");
    assert_eq!(client.profile(), profile);
    assert_eq!(login(&account()), (1, None));
}
