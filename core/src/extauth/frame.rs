//! Frames: two bytes of length, big-endian, and so many bytes. ejabberd calls it `{packet, 2}`.

use std::io::{self, ErrorKind, Read};

use zeroize::Zeroizing;

/// Reads the next frame, which may hold a password; `None` at the end of the input.
///
/// # Errors
/// `UnexpectedEof` if the input ends within a frame, and any other error of the input.
pub fn read_frame(input: &mut impl Read) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    let mut length = [0; 2];
    if !read_first(input, &mut length[..1])? {
        return Ok(None);
    }
    input.read_exact(&mut length[1..])?;
    let mut frame = Zeroizing::new(vec![0; u16::from_be_bytes(length).into()]);
    input.read_exact(&mut frame)?;
    Ok(Some(frame))
}

/// Whether there was another byte.
fn read_first(input: &mut impl Read, byte: &mut [u8]) -> io::Result<bool> {
    loop {
        match input.read(byte) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            read => return read.map(|amount| amount > 0),
        }
    }
}

/// The frame that says yes or no.
#[must_use]
pub const fn answer(is_yes: bool) -> [u8; 4] {
    [0, 2, 0, is_yes as u8]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives one byte at a time, and is interrupted before each.
    struct Drip<'a>(&'a [u8], bool);

    impl Read for Drip<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.1 = !self.1;
            if self.1 {
                return Err(ErrorKind::Interrupted.into());
            }
            let amount = self.0.len().min(buffer.len()).min(1);
            buffer[..amount].copy_from_slice(&self.0[..amount]);
            self.0 = &self.0[amount..];
            Ok(amount)
        }
    }

    fn frame(content: &[u8]) -> Vec<u8> {
        let length = u16::try_from(content.len()).unwrap().to_be_bytes();
        [&length, content].concat()
    }

    #[test]
    fn frames_are_read_however_they_arrive() {
        let contents = [&b"isuser:alice:localhost"[..], b"", &[b'x'; 300], &vec![0; 0xffff]];
        let bytes: Vec<u8> = contents.iter().flat_map(|content| frame(content)).collect();
        let mut input = Drip(&bytes, false);
        for content in contents {
            assert_eq!(*read_frame(&mut input).unwrap().unwrap(), content);
        }
        assert!(read_frame(&mut input).unwrap().is_none());
    }

    #[test]
    fn a_frame_that_is_cut_is_no_frame() {
        let whole = frame(b"auth:alice:localhost:wonder-1");
        for cut in 1..whole.len() {
            let error = read_frame(&mut &whole[..cut]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::UnexpectedEof, "{cut}");
        }
    }

    #[test]
    fn other_errors_are_passed_on() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(ErrorKind::ConnectionReset.into())
            }
        }
        assert_eq!(read_frame(&mut Broken).unwrap_err().kind(), ErrorKind::ConnectionReset);
    }
}
