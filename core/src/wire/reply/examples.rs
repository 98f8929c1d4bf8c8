//! Examples of every message about a response that is no BOSH answer.

use super::*;
use crate::config::Config;
use crate::error::{BoshCondition, Condition, Error, Stage};
use crate::wire::body::Received;

pub(crate) fn examples() -> Vec<Error> {
    let mut errors = Vec::new();
    let mut read = |reply: Reply, url: &str, stage| {
        let config = Config { max_reply: 1000, ..Config::new(url).unwrap() };
        match reply.read(stage, stage != Stage::Create, &config) {
            Ok(Received::Terminated(error)) | Err(error) => errors.push(error),
            Ok(_) => {}
        }
    };
    let page = |status, page: &str| Reply {
        content_type: Some("text/html".to_owned()),
        ..Reply::new(1, status, page)
    };
    let (https, http) = ("https://chat.example.org/http-bind", "http://127.0.0.1:5280/http-bind");
    for status in [
        200, 204, 301, 400, 401, 403, 404, 405, 407, 408, 413, 418, 421, 426, 429, 431, 496, 500, 501, 502,
        503, 504, 505, 511, 520, 526,
    ] {
        read(page(status, "<html></html>"), https, Stage::Create);
    }
    for (stage, status) in [(Stage::Bind, 404), (Stage::Bind, 200)] {
        read(page(status, "<html></html>"), https, stage);
    }
    read(page(404, "<html>Unknown host: 127.0.0.1</html>"), http, Stage::Create);
    read(page(400, "<html>The plain HTTP request was sent to HTTPS port</html>"), http, Stage::Create);
    read(page(404, ""), "https://chat.example.org/ws", Stage::Create);
    read(page(200, "<html><input type='password'></html>"), https, Stage::Create);
    for location in ["/bosh/", "/login/", "", "wss://chat.example.org/ws"] {
        read(Reply { location: Some(location.to_owned()), ..Reply::new(1, 301, "") }, https, Stage::Create);
    }
    read(Reply { location: Some("/bosh/".to_owned()), ..Reply::new(1, 301, "") }, https, Stage::Bind);
    read(Reply::new(1, 304, ""), https, Stage::Create);
    let retry_after = Some(Duration::from_secs(120));
    read(Reply { retry_after, ..page(503, "") }, https, Stage::Create);
    read(
        Reply { content_type: Some("application/json".to_owned()), ..page(200, "{}") },
        https,
        Stage::Create,
    );
    read(
        Reply { content_encoding: Some("gzip".to_owned()), ..Reply::new(1, 200, "x") },
        https,
        Stage::Create,
    );
    read(Reply::new(1, 200, vec![b' '; 1001]), https, Stage::Create);
    for status in [400, 403, 404] {
        read(Reply::new(1, status, ""), https, Stage::Create);
        read(Reply::new(1, status, ""), https, Stage::Bind);
    }
    let condition = Some(Condition::Bosh(BoshCondition::HostGone));
    errors.push(Error::terminated(Stage::Create, condition, None));
    errors
}
