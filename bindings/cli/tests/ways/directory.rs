//! A directory of users: `OpenLDAP`, on a port of its own.

use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;
use std::{fs, iter};

use tempfile::TempDir;

/// A running directory, which is gone when this is dropped.
pub(crate) struct Directory {
    pub(crate) port: u16,
    process: Child,
    _folder: TempDir,
}

impl Directory {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().expect("there is room");
        let path = |name: &str| folder.path().join(name);
        fs::create_dir(path("data")).expect("there is room");
        let settings =
            include_str!("slapd.conf").replace("@DIRECTORY@", folder.path().to_str().expect("it is text"));
        fs::write(path("slapd.conf"), settings).expect("there is room");
        let mut adding = Command::new("/usr/sbin/slapadd")
            .arg("-f")
            .arg(path("slapd.conf"))
            .stdin(Stdio::piped())
            .spawn()
            .expect("slapd is installed");
        adding.stdin.take().expect("it is piped").write_all(users().as_bytes()).expect("it reads");
        assert!(adding.wait().expect("it ends").success(), "the users are added");

        let port = TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .expect("a port is free")
            .port();
        let mut process = Command::new("setpriv");
        process
            .args([
                "--pdeathsig",
                "TERM",
                "/usr/sbin/slapd",
                "-d",
                "0",
                "-h",
                &format!("ldap://127.0.0.1:{port}"),
            ])
            .arg("-f")
            .arg(path("slapd.conf"));
        let mut process = process.spawn().expect("slapd is installed");
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(process.try_wait().expect("it can be asked").is_none(), "slapd has ended");
            thread::sleep(Duration::from_millis(10));
        }
        Self { port, process, _folder: folder }
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// In LDIF (RFC 2849).
fn users() -> String {
    let root = "dn: dc=example,dc=org\nobjectClass: dcObject\nobjectClass: organization\no: Example\ndc: example\n\n\
                dn: ou=people,dc=example,dc=org\nobjectClass: organizationalUnit\nou: people\n\n";
    let user = |(name, password): &(&str, &str)| {
        format!(
            "dn: uid={name},ou=people,dc=example,dc=org\nobjectClass: inetOrgPerson\nuid: {name}\ncn: {name}\nsn: {name}\nuserPassword: {password}\n\n"
        )
    };
    iter::once(root.to_owned()).chain(servers::hosts::ACCOUNTS.iter().map(user)).collect()
}
