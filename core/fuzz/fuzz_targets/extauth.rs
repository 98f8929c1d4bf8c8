//! Gives arbitrary bytes to what answers ejabberd: frames, requests, a site's reply, a list of users; and to what answers
//! for a site. Nothing may panic, and no password may be shown.

#![no_main]

use std::sync::LazyLock;
use std::time::SystemTime;

use libfuzzer_sys::fuzz_target;
use prebind::Jid;
use prebind::extauth::{Asked, Endpoint, Inquiry, Next, Question, Request, UserList, read_frame};
use prebind::token::{Algorithm, Key, Verifier};

const SECRET: &str = "chat-server-to-site";

static ENDPOINT: LazyLock<Endpoint> = LazyLock::new(|| {
    let key = Key::from_secret(Algorithm::Hs256, [7; 32]).expect("it is long enough");
    let verifier = Verifier::new([key]).expect("one key will do");
    Endpoint::new([SECRET.into()], verifier).expect("it is a secret")
});

fuzz_target!(|input: &[u8]| {
    let mut rest = input;
    while let Ok(Some(frame)) = read_frame(&mut rest) {
        request(&frame);
    }
    request(input);
    for status in [200, 302, 401, 500] {
        let answer = Question::answer(status, Some("application/json"), input);
        assert!(answer.is_err() || status == 200);
    }
    if let Ok(text) = std::str::from_utf8(input) {
        let list = UserList::read(text);
        assert!(list.len() <= text.lines().count());
        assert!(list.unusable().is_none_or(|line| (1..=text.lines().count()).contains(&line)));
        let inquiry = Inquiry { method: "GET", path: text, query: text, ..Inquiry::default() };
        for command in ["check_password", "user_exists"] {
            ask(&Inquiry { path: command, ..inquiry.clone() });
        }
        let stranger = Inquiry { address: "127.0.0.1", authorization: Some(text), ..inquiry };
        let answer = ENDPOINT.ask(&stranger, SystemTime::UNIX_EPOCH).answer(true, None);
        assert!(answer.status() == 403 || text.contains(SECRET) || text.to_lowercase().contains("basic"));
    }
});

/// What somebody asks who knows the secret.
fn ask(inquiry: &Inquiry<'_>) -> Asked {
    let known = Inquiry { address: "127.0.0.1", ..inquiry.clone() };
    let authorization = format!("Bearer {SECRET}");
    let asked = ENDPOINT.ask(&known.with_header("Authorization", &authorization), SystemTime::UNIX_EPOCH);
    let complaint = asked.complaint(false, None);
    assert!(complaint.is_none_or(|(_, text)| !text.contains(char::is_control)));
    asked
}

fn request(frame: &[u8]) {
    let request = Request::parse(frame);
    let (user, json) = match &request {
        Request::Auth(user, password) => (user, Question::login(user, password).to_json()),
        Request::IsUser(user) => (user, Question::existence(user).to_json()),
        Request::Change(_) | Request::Unknown => return,
    };
    assert!(!user.to_string().contains(char::is_control));
    let question: serde_json::Value = serde_json::from_slice(&json).expect("a question is JSON");
    assert!(question["user"] == user.name() && question["host"] == user.host());
    let asked = ask(&Inquiry { method: "POST", body: &json, ..Inquiry::default() });
    match (&request, asked.next()) {
        (Request::IsUser(_), Next::Exists(jid)) => assert!(user.is(jid)),
        (Request::IsUser(_), next) => assert_eq!(next, Next::Refuse),
        // No arbitrary text is signed.
        (_, next) => assert_eq!((next, asked.answer(true, None).status()), (Next::Refuse, 200)),
    }
    // Only the user whose name has both parts.
    if let Ok(jid) = format!("{}@{}", user.name(), user.host()).parse::<Jid>() {
        let is_whole = !user.name().contains(['@', '/']) && !user.host().contains(['@', '/']);
        assert_eq!(user.is(&jid), is_whole);
    }
    if let Request::Auth(_, password) = &request {
        assert_eq!(question["password"].as_str(), Some(password.expose()));
        let shown = format!("{request:?}");
        assert!(
            shown.contains("***") && (password.expose().len() < 20 || !shown.contains(password.expose()))
        );
    }
}
