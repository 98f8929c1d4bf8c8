//! Connects through a proxy: by CONNECT (RFC 9110 §9.3.6), SOCKS4, `SOCKS4a` or SOCKS5 (RFC 1928, RFC 1929).

use std::io::{self, Read, Write};
use std::net::SocketAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ureq::{Proxy, ProxyProtocol};
use zeroize::Zeroizing;

use crate::client::net::obstacle::Cause;

pub(in crate::client::net) const USER_AGENT: &str = concat!("prebind/", env!("CARGO_PKG_VERSION"));

/// The target that the proxy connects to.
#[derive(Clone, Copy)]
pub(super) enum Target<'a> {
    Name(&'a str, u16),
    Address(SocketAddr),
}

/// Makes the proxy connect to the target. From then on the stream leads to the target.
pub(super) fn pass(stream: &mut (impl Read + Write), proxy: &Proxy, target: Target<'_>) -> Result<(), Cause> {
    let login = proxy.username().map(|name| (name, proxy.password().unwrap_or_default()));
    match proxy.protocol() {
        ProxyProtocol::Socks4 | ProxyProtocol::Socks4A => socks4(stream, target),
        ProxyProtocol::Socks5 | ProxyProtocol::Socks5h => socks5(stream, target, login),
        _ => connect(stream, target, login),
    }
}

/// Name and password.
type Login<'a> = Option<(&'a str, &'a str)>;

fn connect(stream: &mut (impl Read + Write), target: Target<'_>, login: Login<'_>) -> Result<(), Cause> {
    const MAX_HEAD: usize = 16 * 1024;
    let target = match target {
        Target::Name(host, port) => format!("{host}:{port}"),
        Target::Address(address) => address.to_string(),
    };
    let login = login.map(|(name, password)| {
        let login = Zeroizing::new(format!("{name}:{password}"));
        Zeroizing::new(format!("Proxy-Authorization: Basic {}\r\n", STANDARD.encode(login.as_bytes())))
    });
    let login = login.as_ref().map_or("", |header| header.as_str());
    let head = Zeroizing::new(format!(
        "CONNECT {target} HTTP/1.1\r\nHost: {target}\r\nUser-Agent: {USER_AGENT}\r\nProxy-Connection: Keep-Alive\r\n{login}\r\n"
    ));
    send(stream, head.as_bytes())?;
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") && answer.len() < MAX_HEAD {
        // Read byte by byte, because what follows the head comes from the server and must stay unread.
        answer.push(read::<1>(stream)?[0]);
    }
    match answer.split(|byte| *byte == b' ').nth(1) {
        Some([b'2', ..]) => Ok(()),
        Some(b"407") => Err(Cause::ProxyLogin),
        _ => Err(Cause::ProxyRefused),
    }
}

fn socks4(stream: &mut (impl Read + Write), target: Target<'_>) -> Result<(), Cause> {
    let (port, address, name) = match target {
        Target::Address(SocketAddr::V4(address)) => (address.port(), address.ip().octets(), None),
        Target::Address(SocketAddr::V6(_)) => return Err(Cause::NoUsableAddress),
        // SOCKS4a sends an invalid address, and the name after it.
        Target::Name(host, port) => (port, [0, 0, 0, 1], Some(host)),
    };
    let mut request = [&[4, 1][..], &port.to_be_bytes(), &address, &[0]].concat();
    request.extend(name.into_iter().flat_map(|name| [name.as_bytes(), &[0]].concat()));
    send(stream, &request)?;
    let [_, status, ..] = read::<8>(stream)?;
    if status == 90 { Ok(()) } else { Err(Cause::ProxyRefused) }
}

fn socks5(stream: &mut (impl Read + Write), target: Target<'_>, login: Login<'_>) -> Result<(), Cause> {
    const NO_LOGIN: u8 = 0;
    const PASSWORD: u8 = 2;
    let length = |text: &str| u8::try_from(text.len()).map_err(|_| Cause::ProxyRefused);
    send(stream, if login.is_some() { &[5, 2, PASSWORD, NO_LOGIN] } else { &[5, 1, NO_LOGIN] })?;
    match (read::<2>(stream)?, login) {
        ([5, NO_LOGIN], _) => {}
        ([5, PASSWORD], Some((name, password))) => {
            let lengths = [length(name)?, length(password)?];
            let request = [&[1, lengths[0]], name.as_bytes(), &lengths[1..], password.as_bytes()].concat();
            let request = Zeroizing::new(request);
            send(stream, &request)?;
            if read::<2>(stream)?[1] != 0 {
                return Err(Cause::ProxyLogin);
            }
        }
        ([5, _], _) => return Err(Cause::ProxyLogin),
        _ => return Err(Cause::ProxyRefused),
    }
    let (kind, host, port) = match target {
        Target::Address(SocketAddr::V4(address)) => (1, address.ip().octets().to_vec(), address.port()),
        Target::Address(SocketAddr::V6(address)) => (4, address.ip().octets().to_vec(), address.port()),
        Target::Name(host, port) => (3, [&[length(host)?], host.as_bytes()].concat(), port),
    };
    send(stream, &[&[5, 1, 0, kind], host.as_slice(), &port.to_be_bytes()].concat())?;
    let [_, status, _, kind] = read::<4>(stream)?;
    if status != 0 {
        return Err(Cause::ProxyRefused);
    }
    // Skip the address and port that the proxy connects from.
    let length = match kind {
        1 => 4,
        4 => 16,
        _ => read::<1>(stream)?[0].into(),
    };
    io::copy(&mut stream.take(length + 2), &mut io::sink())?;
    Ok(())
}

fn send(stream: &mut impl Write, bytes: &[u8]) -> io::Result<()> {
    stream.write_all(bytes)?;
    stream.flush()
}

fn read<const N: usize>(stream: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    /// A proxy whose answers are written beforehand.
    struct Script {
        answers: Cursor<Vec<u8>>,
        asked: Vec<u8>,
    }

    impl Read for Script {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.answers.read(buffer)
        }
    }

    impl Write for Script {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.asked.write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    const NAME: Target<'_> = Target::Name("chat.example.org", 443);

    fn v4() -> Target<'static> {
        Target::Address("192.0.2.7:443".parse().unwrap())
    }

    /// Returns the result, what was sent to the proxy, and which of its answers were not read.
    fn passed(proxy: &str, target: Target<'_>, answers: &[u8]) -> (Result<(), Cause>, Vec<u8>, Vec<u8>) {
        let mut script = Script { answers: Cursor::new(answers.to_vec()), asked: Vec::new() };
        let result = pass(&mut script, &Proxy::new(proxy).unwrap(), target);
        let mut left = Vec::new();
        script.answers.read_to_end(&mut left).unwrap();
        (result, script.asked, left)
    }

    #[test]
    fn an_http_proxy_gets_the_target_and_the_login() {
        let ok = b"HTTP/1.1 200 Connection established\r\nVia: 1.1 x\r\n\r\nHTTP/1.1";
        let (result, asked, left) = passed("http://user:p%40ss@proxy:3128", NAME, ok);
        result.unwrap();
        assert_eq!(left, b"HTTP/1.1", "what follows is the server's");
        let asked = String::from_utf8(asked).unwrap();
        assert!(asked.starts_with("CONNECT chat.example.org:443 HTTP/1.1\r\nHost: chat.example.org:443\r\n"));
        assert!(asked.ends_with("\r\nProxy-Authorization: Basic dXNlcjpwQHNz\r\n\r\n"), "{asked}");
        assert!(!String::from_utf8(passed("http://proxy", NAME, ok).1).unwrap().contains("Authorization"));
    }

    #[test]
    fn an_http_proxy_may_refuse() {
        type Is = fn(&Cause) -> bool;
        let cases: [(&[u8], Is); 5] = [
            (b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", |cause| {
                matches!(cause, Cause::ProxyLogin)
            }),
            (b"HTTP/1.0 403 Forbidden\r\n\r\n", |cause| matches!(cause, Cause::ProxyRefused)),
            (&[b'x'; 16 * 1024], |cause| matches!(cause, Cause::ProxyRefused)),
            (b"HTTP/1.1 200 OK\r\n", |cause| matches!(cause, Cause::Broken(_))),
            (b"", |cause| matches!(cause, Cause::Broken(_))),
        ];
        for (answer, is_expected) in cases {
            let cause = passed("http://proxy", NAME, answer).0.unwrap_err();
            assert!(is_expected(&cause), "{cause:?}");
        }
    }

    #[test]
    fn socks5_takes_names_and_addresses() {
        for (target, sent, bound) in [
            (NAME, &b"\x05\x01\0\x03\x10chat.example.org\x01\xbb"[..], &b"\x01abcdpp"[..]),
            (v4(), b"\x05\x01\0\x01\xc0\0\x02\x07\x01\xbb", b"\x04abcdefghijklmnoppp"),
            (
                Target::Address("[::1]:5280".parse().unwrap()),
                b"\x05\x01\0\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x14\xa0",
                b"\x03\x02abpp",
            ),
        ] {
            let answers = [b"\x05\0\x05\0\0", bound, b"rest"].concat();
            let (result, asked, left) = passed("socks5h://proxy", target, &answers);
            result.unwrap();
            assert_eq!((asked, left), ([b"\x05\x01\0", sent].concat(), b"rest".to_vec()));
        }
    }

    #[test]
    fn socks5_takes_a_login() {
        let login = |answers: &[u8]| passed("socks5://user:secret@proxy", v4(), answers);
        let (result, asked, _) = login(b"\x05\x02\x01\0\x05\0\0\x01abcdpp");
        result.unwrap();
        assert!(asked.starts_with(b"\x05\x02\x02\0\x01\x04user\x06secret\x05\x01\0\x01"), "{asked:?}");
        for answers in [&b"\x05\x02\x01\x01"[..], b"\x05\xff"] {
            assert!(matches!(login(answers).0, Err(Cause::ProxyLogin)));
        }
        let (result, asked, _) = passed("socks5://proxy", v4(), b"\x05\x02");
        assert!(matches!(result, Err(Cause::ProxyLogin)) && asked == b"\x05\x01\0");
        assert!(matches!(login(b"\x05\0\x05\x05\0\x01").0, Err(Cause::ProxyRefused)));
        assert!(matches!(login(b"HT").0, Err(Cause::ProxyRefused)));
    }

    #[test]
    fn socks4_takes_names_and_addresses_of_ipv4() {
        let granted = b"\0\x5aabcdef";
        let (result, asked, left) = passed("socks4://proxy", v4(), granted);
        result.unwrap();
        assert_eq!((asked, left.len()), (b"\x04\x01\x01\xbb\xc0\0\x02\x07\0".to_vec(), 0));
        let (result, asked, _) = passed("socks4a://proxy", NAME, granted);
        result.unwrap();
        assert_eq!(asked, b"\x04\x01\x01\xbb\0\0\0\x01\0chat.example.org\0");
        assert!(matches!(passed("socks4://proxy", v4(), b"\0\x5babcdef").0, Err(Cause::ProxyRefused)));
        let v6 = Target::Address("[::1]:443".parse().unwrap());
        assert!(matches!(passed("socks4://proxy", v6, granted).0, Err(Cause::NoUsableAddress)));
    }
}
