//! Drives a whole exchange with arbitrary replies: nothing may panic, loop or open a session
//! without a proof.
//!
//! The input is a list of replies separated by a line `---`; the first character of the input
//! chooses the credentials, a first line that is a number the HTTP status.

#![no_main]

use libfuzzer_sys::fuzz_target;
use prebind::protocol::{Negotiation, Plan, Random, Reply, Step};
use prebind::{Account, Config, Credentials, FastToken, ScramHash};

/// What no error may repeat, and no message of the library's contains.
const SECRET: &str = "Xyzzy-1964";

/// Far more than any exchange needs; the machine gives up much earlier.
const MAX_REQUESTS: usize = 100;

fuzz_target!(|input: &[u8]| {
    let Some((choice, replies)) = input.split_first() else { return };
    let mut config = Config::new("http://127.0.0.1:5280/http-bind").expect("a URL");
    // Deriving keys as often as a server may ask for would leave no time for anything else.
    config = config.with_iterations(1..=4).unwrap().with_digest_md5(true).with_fast_tokens(true);
    let account = Account::new("alice@localhost", credentials(*choice)).expect("an account");
    exchange(&config, &account, replies);
});

fn credentials(choice: u8) -> Credentials {
    match choice % 10 {
        0 => Credentials::plain(SECRET),
        1 => Credentials::anonymous(),
        2 => Credentials::external(),
        3 => Credentials::oauthbearer(SECRET),
        4 => Credentials::x_oauth2(SECRET),
        5 => Credentials::scram_keys(ScramHash::Sha1, [1; 4], 4, [2; 20], [3; 20]),
        6 => Credentials::raw("X-TOKEN", SECRET),
        8 => Credentials::fast(token()),
        9 => Credentials::plain(SECRET).fast_token(token()),
        _ => Credentials::password(SECRET),
    }
}

fn token() -> FastToken {
    let user_agent = "00000000-0000-4000-8000-000000000000";
    let text = format!(r#"{{"mechanism":"HT-SHA-256-NONE","token":"{SECRET}","user_agent":"{user_agent}"}}"#);
    FastToken::from_text(&text).expect("a token")
}

fn exchange(config: &Config, account: &Account, input: &[u8]) {
    let random = Random::fixed(1000, "fyko+d2lbbFgONRv9qkxdawL");
    let (mut negotiation, mut requests) =
        Negotiation::start(config, account, Plan::classic(), random, None).expect("a start");
    let mut replies = split(input);
    for _ in 0..MAX_REQUESTS {
        let Some(request) = requests.pop() else { return };
        assert!(!request.body().is_empty());
        let (status, body) =
            replies.next().unwrap_or((200, b"<body xmlns='http://jabber.org/protocol/httpbind'/>"));
        match negotiation.receive(&Reply::new(request.rid(), status, body)) {
            Ok(Step::Send(next, more)) => (negotiation, requests) = (next, more),
            Ok(Step::Wait(_)) => panic!("waits although nothing is open"),
            Ok(Step::Done(session, _)) => {
                let mechanism = session.mechanism();
                let is_proven = !["SCRAM", "DIGEST", "HT"].iter().any(|mutual| mechanism.starts_with(mutual));
                assert!(is_proven, "a server that knows no password was believed");
                return;
            }
            Err(failure) => {
                assert!(!format!("{:?}", failure.error).contains(SECRET));
                return;
            }
        }
    }
    panic!("the exchange does not end");
}

fn split(mut input: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        if input.is_empty() {
            return None;
        }
        let end = input.windows(5).position(|window| window == b"\n---\n");
        let (reply, rest) = end.map_or((input, &input[input.len()..]), |at| (&input[..at], &input[at + 5..]));
        input = rest;
        let line_end = reply.iter().position(|byte| *byte == b'\n').unwrap_or(0);
        let status = std::str::from_utf8(&reply[..line_end]).ok().and_then(|line| line.parse().ok());
        Some(status.map_or((200, reply), |status| (status, &reply[line_end + 1..])))
    })
}
