//! What is told of servers, proxies and names that are not as they should be: the whole message of each
//! situation, as an operator reads it.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread;

use faults::{Reply, Server};
use prebind::binding::Language;
use prebind::{Account, Client, Config, Credentials, Error, Retry};

const BODY: &str =
    "<body xmlns='http://jabber.org/protocol/httpbind' xmlns:stream='http://etherx.jabber.org/streams'";

fn login_to(config: Config, jid: &str, credentials: Credentials) -> Error {
    Client::new(config).unwrap().prebind(&Account::new(jid, credentials).unwrap()).unwrap_err()
}

fn login(server: &Server) -> Error {
    let config = Config::new(&server.url).unwrap();
    login_to(config, "alice@localhost", Credentials::password("wonder-1"))
}

/// The answers of a plain login, of which that one is another.
fn with(at: usize, reply: Reply) -> Vec<Reply> {
    let mut replies = faults::classic();
    replies[at] = reply;
    replies
}

fn created(attributes: &str, mechanisms: &[&str]) -> Reply {
    let mechanisms = format!("<mechanism>{}</mechanism>", mechanisms.join("</mechanism><mechanism>"));
    let features = format!(
        "<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>{mechanisms}</mechanisms></stream:features>"
    );
    Reply::xml(format!("{BODY} sid='s1' wait='55' hold='1' ver='1.6' {attributes}>{features}</body>"))
}

fn ended(attributes: &str, inside: &str) -> Reply {
    Reply::xml(format!("{BODY} type='terminate' {attributes}>{inside}</body>"))
}

#[test]
fn a_server_with_another_domain_is_named_before_it_gets_a_secret() {
    for (jid, credentials, told) in [
        (
            "alice@192.0.2.10",
            Credentials::password("wonder-1"),
            "this server is win-chat01 and does not host 192.0.2.10: use alice@win-chat01 as `jid`, or the `url` of the \
             server that hosts 192.0.2.10",
        ),
        (
            "chat.example.org",
            Credentials::anonymous(),
            "this server is win-chat01 and does not host chat.example.org: use win-chat01 as `jid`, or the `url` of the \
             server that hosts chat.example.org",
        ),
    ] {
        let offer = ["PLAIN", "ANONYMOUS"];
        let server = faults::script(vec![created("from='win-chat01' secure='true' ack='1'", &offer)]);
        let error = login_to(Config::new(&server.url).unwrap(), jid, credentials);
        assert_eq!(error.to_string(), told);
        let requests = server.requests();
        assert!(requests.len() == 2 && requests[1].body.contains("terminate"), "{requests:?}");
    }
}

#[test]
fn a_server_that_sends_elsewhere_is_quoted() {
    let host = "<stream:error><see-other-host xmlns='urn:ietf:params:xml:ns:xmpp-streams'>node-2.example.org\
                </see-other-host></stream:error>";
    for (reply, told) in [
        (
            ended("condition='remote-stream-error'", host),
            "the server refused to create a session (see-other-host): the server sends its clients to \
             node-2.example.org: use that host's BOSH endpoint as `url`",
        ),
        (
            ended("condition='see-other-uri'", "<uri>https://node-2.example.org/bosh?key=hidden</uri>"),
            "the server refused to create a session (see-other-uri): the server sends its clients to \
             https://node-2.example.org/bosh: use that as `url`",
        ),
    ] {
        let error = login(&faults::script(vec![reply]));
        assert_eq!((error.to_string().as_str(), error.retry()), (told, Retry::AfterConfigChange));
    }
}

#[test]
fn only_digest_md5_names_the_option_that_allows_it() {
    let server = faults::script(vec![created("", &["DIGEST-MD5"])]);
    let error = login(&server);
    assert_eq!(
        error.told_in(Language::CommandLine),
        "no login mechanism in common (offered: DIGEST-MD5; allowed: SCRAM-SHA-512, SCRAM-SHA-256, SCRAM-SHA-1, PLAIN): \
         DIGEST-MD5 is obsolete and off by default: enable SCRAM or PLAIN on the server, or set `--digest-md5`"
    );
}

#[test]
fn a_stream_error_without_its_prefix_keeps_its_condition() {
    let reply = Reply::xml(
        "<body xmlns='http://jabber.org/protocol/httpbind' type='terminate' condition='remote-stream-error'>\
         <stream:error><policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></body>",
    );
    let error = login(&faults::script(with(1, reply)));
    assert_eq!(error.condition().unwrap().as_str(), "policy-violation");
    assert_eq!(
        error.to_string(),
        "the server ended the session (policy-violation): the server limits requests or sessions; wait, then try again"
    );
}

#[test]
fn a_reply_that_something_compressed_is_said_to_be_compressed() {
    let gzip = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0];
    let reply = Reply::xml(gzip).header("Content-Encoding", "gzip");
    for reply in [reply, Reply::xml(gzip)] {
        for at in [0, 1] {
            assert_eq!(
                login(&faults::script(with(at, reply.clone()))).to_string(),
                "the reply is compressed (gzip) although prebind did not ask for that: switch compression off for the \
                 BOSH path, in the proxy or server in front"
            );
        }
    }
}

#[test]
fn an_email_address_as_user_name_is_told_how_to_be_escaped() {
    let error = Account::new("alice@mail.example@chat.example.org", Credentials::password("x")).unwrap_err();
    for (language, function) in [
        (Language::Rust, "`Jid::from_user`"),
        (Language::CommandLine, "`prebind jid`"),
        (Language::Python, "`prebind.jid_from_user`"),
        (Language::Ruby, "`Prebind.jid_from_user`"),
        (Language::Php, "`Prebind\\jid_from_user`"),
        (Language::Kotlin, "`jidFromUser`"),
    ] {
        let told = error.told_in(language);
        assert!(told.contains(function), "{told}");
        assert!(told.ends_with(", here alice\\40mail.example@chat.example.org"), "{told}");
    }
}

#[test]
fn a_redirect_tells_where_it_leads() {
    let redirect = Reply::new(301, "<html>301</html>")
        .header("Content-Type", "text/html")
        .header("Location", "http://127.0.0.1:8080/http-bind/?a=hidden");
    assert_eq!(
        login(&faults::script(vec![redirect])).to_string(),
        "the server redirects (HTTP 301) to http://127.0.0.1:8080/http-bind/: use that as `url` if it is the BOSH \
         endpoint; prebind follows no redirects"
    );
}

#[test]
fn a_session_that_is_lost_at_once_is_a_balancers_work() {
    let forgotten = ended("condition='item-not-found'", "");
    // It is asked again for a while, as nodes of a cluster learn of a new session late.
    let creation = faults::classic().remove(0);
    let replies = [vec![creation; 9], vec![forgotten.when("<auth"); 1000]].concat();
    let error = login(&faults::script(replies));
    assert_eq!(
        error.to_string(),
        "the server ended the session (item-not-found): the server does not know the session that it has just created, \
         so a balancer sends requests to different servers; make it sticky, or let `url` name one server"
    );
}

#[test]
fn a_certificate_without_its_intermediate_one_is_said_to_be_that() {
    let server = faults::serve(faults::Fault::TlsUnknownCa.at(1));
    let config =
        Config::new(&server.url).unwrap().with_ca(server.ca_pem().map(|pem| pem.as_bytes().to_vec()));
    let error = login_to(config, "alice@localhost", Credentials::password("wonder-1"));
    assert_eq!(
        error.to_string(),
        "127.0.0.1 sends its certificate without the intermediate one, or its authority \"nobody knows\" is not known \
         here: install the whole chain on the server (fullchain.pem), or, if the authority is your own, add it to `ca`"
    );
    for (fault, told) in [
        (faults::Fault::TlsWrongName, "the certificate is for elsewhere.invalid and not for 127.0.0.1: "),
        (faults::Fault::TlsExpired, "the certificate of 127.0.0.1 has expired: "),
        (faults::Fault::TlsNotTls, "the port does not speak TLS: begin `url` with http://"),
    ] {
        let server = faults::serve(fault.at(1));
        let config =
            Config::new(&server.url).unwrap().with_ca(server.ca_pem().map(|pem| pem.as_bytes().to_vec()));
        let error = login_to(config, "alice@localhost", Credentials::password("wonder-1"));
        assert!(error.to_string().starts_with(told), "{error}");
        assert_eq!(error.retry(), Retry::AfterConfigChange);
    }
}

#[test]
fn base64_that_is_wrapped_is_said_to_be_wrapped() {
    let challenge = "<challenge xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>cj0x\nLHM9MQ==</challenge>";
    let replies = vec![created("", &["SCRAM-SHA-1"]), Reply::xml(format!("{BODY}>{challenge}</body>"))];
    assert_eq!(
        login(&faults::script(replies)).to_string(),
        "the server's SASL message is not base64 (RFC 6120 §6.4): it holds line breaks or spaces; update the server, or \
         report it to its authors"
    );
}

#[test]
fn a_port_of_another_protocol_is_named() {
    let tls = faults::script_tls(faults::classic());
    let url = tls.url.replace("https:", "http:");
    let error = login_to(Config::new(&url).unwrap(), "alice@localhost", Credentials::password("wonder-1"));
    assert_eq!(error.to_string(), "the port expects TLS: begin `url` with https://");

    let plain = faults::script(faults::classic());
    let url = plain.url.replace("http:", "https:");
    let config = Config::new(&url).unwrap().with_ca(tls.ca_pem().map(|pem| pem.as_bytes().to_vec()));
    let error = login_to(config, "alice@localhost", Credentials::password("wonder-1"));
    assert!(error.to_string().contains("begin `url` with http://"), "{error}");

    for (greeting, told) in [
        (&b"<?xml version='1.0'?><stream:stream>"[..], "the port speaks XMPP and not HTTP: "),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "the answer is not HTTP/1.1: check host and port in `url`"),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/http-bind", listener.local_addr().unwrap());
        let server = thread::spawn(move || {
            let (mut client, _) = listener.accept().unwrap();
            let _ = client.read(&mut [0; 4096]);
            client.write_all(greeting).unwrap();
        });
        let error =
            login_to(Config::new(&url).unwrap(), "alice@localhost", Credentials::password("wonder-1"));
        assert!(error.to_string().starts_with(told), "{error}");
        server.join().unwrap();
    }
}

#[test]
fn a_server_that_is_down_is_worth_a_retry_later() {
    let unavailable = Reply::new(503, "<html></html>").header("Retry-After", "30");
    let error = login(&faults::script(vec![unavailable]));
    assert_eq!((error.retry(), error.retry_after().unwrap().as_secs()), (Retry::Later, 30));
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let config = Config::new(&format!("http://{closed}/http-bind")).unwrap();
    let error = login_to(config, "alice@localhost", Credentials::password("wonder-1"));
    assert_eq!(error.retry(), Retry::Later);
    assert!(error.to_string().starts_with(&format!("{closed} refuses the connection: ")), "{error}");
}
