//! Gives arbitrary bytes to what answers ejabberd: frames, requests, a site's reply, a list of users. Nothing may
//! panic, and no password may be shown.

#![no_main]

use libfuzzer_sys::fuzz_target;
use prebind::Jid;
use prebind::extauth::{Question, Request, UserList, read_frame};

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
    }
});

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
