//! As much of HTTP/1.1 as is needed to look at messages, and no more.

use std::io::Read;

use crate::Result;

/// The most bytes of a message that is believed.
const MAX_MESSAGE: usize = 1 << 20;

/// A request or a reply.
pub(crate) struct Message {
    /// Its first line and headers, with the empty line after them.
    pub(crate) head: String,
    pub(crate) body: String,
}

/// Reads one message of a known length from a connection that carries nothing else yet; `None` at
/// its end.
pub(crate) fn read(from: &mut impl Read) -> Result<Option<Message>> {
    let mut bytes = Vec::with_capacity(2048);
    let mut length = None;
    loop {
        if length.is_none() {
            length = message_length(&bytes)?;
        }
        if let Some((head, all)) = length
            && bytes.len() >= all
        {
            let body = String::from_utf8(bytes.split_off(head))?;
            return Ok(Some(Message { head: String::from_utf8(bytes)?, body }));
        }
        let mut buffer = [0; 4096];
        let amount = from.read(&mut buffer)?;
        match (amount, bytes.is_empty()) {
            (0, true) => return Ok(None),
            (0, false) => return Err("a connection ended in the middle of a message".into()),
            _ => bytes.extend_from_slice(&buffer[..amount]),
        }
        if bytes.len() > MAX_MESSAGE {
            return Err("a message that does not end".into());
        }
    }
}

/// The lengths of the head and of all, once the head is there.
fn message_length(bytes: &[u8]) -> Result<Option<(usize, usize)>> {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let head = if bytes.starts_with(b"HTTP/") {
        let mut reply = httparse::Response::new(&mut headers);
        reply.parse(bytes)?
    } else {
        let mut request = httparse::Request::new(&mut headers);
        request.parse(bytes)?
    };
    let httparse::Status::Complete(head) = head else { return Ok(None) };
    let length = headers.iter().find(|header| header.name.eq_ignore_ascii_case("content-length"));
    let length: usize =
        length.map_or(Ok(0), |header| std::str::from_utf8(header.value).unwrap_or_default().parse())?;
    Ok(Some((head, head + length)))
}

/// The head with another length in it.
pub(crate) fn with_length(head: &str, length: usize) -> String {
    let lines = head.split_inclusive("\r\n").map(|line| match line.split_once(':') {
        Some((name, _)) if name.eq_ignore_ascii_case("content-length") => format!("{name}: {length}\r\n"),
        _ => line.to_owned(),
    });
    lines.collect()
}
