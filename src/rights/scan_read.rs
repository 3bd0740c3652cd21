//! Reading for the scan: whole buffers, and streams that end at a limit.
//!
//! Invariant: a damaged stream gives what came before the damage.

use std::io::{self, Read};

/// How much may still come, and what went wrong.
pub(super) struct Limit {
    pub(super) left: u64,
    pub(super) trouble: Option<String>,
}

/// Ends a stream at a limit, and notes it.
pub(super) struct Limited<'a, R> {
    pub(super) from: R,
    pub(super) limit: &'a mut Limit,
}

impl<R: Read> Read for Limited<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.from.read(buffer) {
            Ok(n) if n as u64 > self.limit.left => {
                self.limit.trouble = Some("unpacks to too much".into());
                Ok(0)
            }
            Ok(n) => {
                self.limit.left -= n as u64;
                Ok(n)
            }
            // What came before the damage is searched all the same.
            Err(e) => {
                self.limit.trouble = Some(e.to_string());
                Ok(0)
            }
        }
    }
}

/// Fills the buffer as far as the source goes.
pub(super) fn read_up_to(from: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut n = 0;
    while n < buffer.len() {
        match from.read(&mut buffer[n..]) {
            Ok(0) => break,
            Ok(more) => n += more,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(n)
}

/// Whether words have no ends here: in binary data two letters stand anywhere.
pub(super) fn looks_binary(bytes: &[u8]) -> bool {
    memchr::memchr(0, bytes).is_some()
}
