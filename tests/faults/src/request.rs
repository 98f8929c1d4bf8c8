//! Reads HTTP/1.1 requests from a connection and records them for the test.

use std::io;
use std::time::Duration;

use crate::peek;

/// A request that a server received.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recorded {
    /// The method, `POST` for all of BOSH.
    pub method: String,
    /// The request target as it was sent, with its query.
    pub path: String,
    /// The header fields, in the order and with the names in which they were sent.
    pub headers: Vec<(String, String)>,
    /// The body without any transfer coding. Invalid UTF-8 is replaced.
    pub body: String,
    /// The number of its connection. 0 is the first that was accepted.
    pub connection: usize,
    /// Whether the TLS of its connection resumed an earlier session, without a full handshake.
    pub is_resumed: bool,
    /// When the request was complete, counted from the start of the server.
    pub at: Duration,
}

impl Recorded {
    /// The value of the first header field of this name, in any case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let same = |field: &&(String, String)| field.0.eq_ignore_ascii_case(name);
        self.headers.iter().find(same).map(|(_, value)| &**value)
    }

    /// The `rid` of the `<body/>`.
    #[must_use]
    pub fn rid(&self) -> Option<u64> {
        peek::rid(&self.body)?.1
    }
}

/// Reads a request at the start of `buffer`, and returns it with its length in bytes. Returns `None` while it
/// is incomplete.
pub(crate) fn parse(buffer: &[u8]) -> io::Result<Option<(Recorded, usize)>> {
    let mut fields = [httparse::EMPTY_HEADER; 100];
    let mut head = httparse::Request::new(&mut fields);
    let httparse::Status::Complete(start) = head.parse(buffer).map_err(invalid)? else {
        return Ok(None);
    };
    let mut recorded = Recorded {
        method: head.method.unwrap_or_default().to_owned(),
        path: head.path.unwrap_or_default().to_owned(),
        ..Recorded::default()
    };
    for field in head.headers.iter() {
        let value = String::from_utf8_lossy(field.value).into_owned();
        recorded.headers.push((field.name.to_owned(), value));
    }
    let rest = &buffer[start..];
    let chunked = |coding: &str| coding.to_ascii_lowercase().ends_with("chunked");
    let body = if recorded.header("transfer-encoding").is_some_and(chunked) {
        dechunk(rest)?
    } else {
        let length = recorded.header("content-length").unwrap_or("0");
        let length: usize = length.parse().map_err(invalid)?;
        rest.get(..length).map(|body| (body.to_vec(), length))
    };
    Ok(body.map(|(body, length)| {
        recorded.body = String::from_utf8_lossy(&body).into_owned();
        (recorded, start + length)
    }))
}

fn dechunk(mut rest: &[u8]) -> io::Result<Option<(Vec<u8>, usize)>> {
    let whole = rest.len();
    let mut body = Vec::new();
    loop {
        let Ok(size) = httparse::parse_chunk_size(rest) else {
            return Err(invalid("invalid chunk size"));
        };
        let httparse::Status::Complete((start, length)) = size else {
            return Ok(None);
        };
        let length = usize::try_from(length).map_err(invalid)?;
        if length == 0 {
            let Some(trailers) = end_of_trailers(&rest[start..]) else {
                return Ok(None);
            };
            return Ok(Some((body, whole - rest.len() + start + trailers)));
        }
        let Some(end) = start.checked_add(length) else {
            return Err(invalid("chunk too large"));
        };
        let Some(after) = rest.get(end + 2..) else {
            return Ok(None);
        };
        if &rest[end..end + 2] != b"\r\n" {
            return Err(invalid("chunk longer than declared"));
        }
        body.extend_from_slice(&rest[start..end]);
        rest = after;
    }
}

fn end_of_trailers(rest: &[u8]) -> Option<usize> {
    if rest.starts_with(b"\r\n") {
        return Some(2);
    }
    let end = rest.windows(4).position(|four| four == b"\r\n\r\n")?;
    Some(end + 4)
}

fn invalid(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn content_length_is_waited_for_and_the_rest_left() {
        let bytes = b"POST /http-bind?x HTTP/1.1\r\nHost: h\r\nContent-LENGTH: 4\r\n\r\nabcdPOST";
        assert_eq!(parse(&bytes[..bytes.len() - 5]).unwrap(), None);
        let (request, used) = parse(bytes).unwrap().unwrap();
        assert_eq!(used, bytes.len() - 4);
        assert_eq!(request.path, "/http-bind?x");
        assert_eq!(request.body, "abcd");
        assert_eq!(request.header("host"), Some("h"));
    }

    #[test]
    fn every_prefix_of_a_chunked_request_is_incomplete() {
        for end in ["0\r\n\r\n", "0\r\nA: b\r\n\r\n"] {
            let head = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
            let bytes = format!("{head}3\r\n<bo\r\nA;x=y\r\ndy rid='7'\r\n{end}");
            for cut in 0..bytes.len() {
                assert_eq!(parse(&bytes.as_bytes()[..cut]).unwrap(), None, "{cut}");
            }
            let (request, used) = parse(bytes.as_bytes()).unwrap().unwrap();
            assert_eq!((&*request.body, used), ("<body rid='7'", bytes.len()));
        }
    }

    #[test]
    fn nonsense_is_an_error() {
        for bytes in [
            "\u{1}\u{2}\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc0\r\n",
        ] {
            assert!(parse(bytes.as_bytes()).is_err(), "{bytes}");
        }
    }
}
