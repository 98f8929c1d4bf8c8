//! A minimal BOSH client, written by hand, to check that a server behaves as expected.
#![allow(dead_code, reason = "no test file uses all of it")]

use std::{fs, path::Path, sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rustls::crypto::ring;
use servers::{Info, Kind, Server};
use ureq::{
    Agent,
    tls::{Certificate, ClientCert, PrivateKey, RootCerts, TlsConfig, TlsConfigBuilder},
};

/// A BOSH session, in the state that the test has brought it to.
pub(crate) struct Bosh<'a> {
    agent: &'a Agent,
    url: &'a str,
    host: &'a str,
    sid: String,
    rid: u64,
}

pub(crate) fn start(kind: Kind) -> Server {
    Server::start(kind).unwrap_or_else(|error| panic!("{error}"))
}

/// A client that trusts the server's authority and presents the client certificate.
pub(crate) fn agent(server: &Info) -> Agent {
    let own = certificate(&server.client_cert);
    let key = PrivateKey::from_pem(&read(&server.client_key)).expect("it is a key");
    agent_with(tls(&server.ca_pem).client_cert(Some(ClientCert::new_with_certs(&[own], key))).build())
}

/// A client that trusts this authority.
pub(crate) fn trusting(ca_pem: &Path) -> Agent {
    agent_with(tls(ca_pem).build())
}

fn tls(ca_pem: &Path) -> TlsConfigBuilder {
    TlsConfig::builder()
        .root_certs(RootCerts::new_with_certs(&[certificate(ca_pem)]))
        .unversioned_rustls_crypto_provider(Arc::new(ring::default_provider()))
}

fn agent_with(tls: TlsConfig) -> Agent {
    Agent::config_builder()
        .tls_config(tls)
        .proxy(None)
        .timeout_global(Some(Duration::from_secs(10)))
        .build()
        .into()
}

fn certificate(path: &Path) -> Certificate<'static> {
    Certificate::from_pem(&read(path)).expect("it is a certificate")
}

fn read(path: &Path) -> Vec<u8> {
    fs::read(path).expect("the server's directory has it")
}

impl<'a> Bosh<'a> {
    /// Opens a session with a host. Returns the answer as well.
    pub(crate) fn create(agent: &'a Agent, url: &'a str, host: &'a str) -> (Self, String) {
        let mut session = Self { agent, url, host, sid: String::new(), rid: 1000 };
        let attributes = format!(
            "to='{host}' wait='5' hold='1' ver='1.6' content='text/xml' xml:lang='en' \
             xmpp:version='1.0' xmlns:xmpp='urn:xmpp:xbosh'"
        );
        let answer = session.send(&attributes, "");
        session.sid = match between(&answer, " sid='", "'").or_else(|| between(&answer, " sid=\"", "\"")) {
            Some(sid) => sid.into(),
            None => panic!("no session: {answer}"),
        };
        (session, answer)
    }

    pub(crate) fn authenticate(&mut self, mechanism: &str, response: &str) -> String {
        let response = STANDARD.encode(response);
        self.request(&format!(
            "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='{mechanism}'>\
             {response}</auth>"
        ))
    }

    pub(crate) fn request(&mut self, payload: &str) -> String {
        let sid = format!("sid='{}'", self.sid);
        self.send(&sid, payload)
    }

    /// After a login, restarts the stream and binds the resource.
    pub(crate) fn bind(&mut self, resource: &str) -> String {
        let restart =
            format!("sid='{}' to='{}' xmpp:restart='true' xmlns:xmpp='urn:xmpp:xbosh'", self.sid, self.host);
        self.send(&restart, "");
        self.request(&format!(
            "<iq xmlns='jabber:client' type='set' id='b'>\
             <bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>\
             <resource>{resource}</resource></bind></iq>"
        ))
    }

    pub(crate) fn terminate(mut self) {
        let end = format!("sid='{}' type='terminate'", self.sid);
        self.send(&end, "");
    }

    fn send(&mut self, attributes: &str, payload: &str) -> String {
        self.rid += 1;
        let rid = self.rid;
        let body = format!(
            "<body xmlns='http://jabber.org/protocol/httpbind' rid='{rid}' {attributes}>\
             {payload}</body>"
        );
        let request = self.agent.post(self.url).content_type("text/xml");
        let mut response = request.send(body).expect("the server answers");
        response.body_mut().read_to_string().expect("the answer is text")
    }
}

pub(crate) fn plain(user: &str, password: &str) -> String {
    format!("\0{user}\0{password}")
}

/// The mechanisms in an answer, sorted.
pub(crate) fn mechanisms(answer: &str) -> Vec<&str> {
    let mut names: Vec<&str> = answer
        .split("<mechanism>")
        .skip(1)
        .filter_map(|rest| rest.split_once('<').map(|(name, _)| name))
        .collect();
    names.sort_unstable();
    names
}

fn between<'t>(text: &'t str, start: &str, end: &str) -> Option<&'t str> {
    text.split_once(start)?.1.split_once(end).map(|(inside, _)| inside)
}
