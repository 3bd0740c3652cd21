//! In which encoding a file is written, as its bytes tell.
//!
//! Invariant: text that can be read in one way alone is read so; where that is in doubt, it is counted.

use encoding_rs::{Decoder, DecoderResult, Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// How bytes become text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reading {
    /// The encoding.
    pub(super) encoding: &'static Encoding,
    /// Lines that are valid UTF-8 are UTF-8: a file that several programs have written.
    pub(super) by_line: bool,
}

/// What a file is called of which each line is read as what it is.
pub(super) const BOTH: &str = "UTF-8 and windows-1252";

impl Reading {
    /// All of it in one encoding.
    pub(super) const fn all(encoding: &'static Encoding) -> Self {
        Self { encoding, by_line: false }
    }

    /// What people call it.
    pub(super) fn name(self) -> &'static str {
        if self.by_line { BOTH } else { self.encoding.name() }
    }

    /// Whether lines of UTF-8 in it are worth a word.
    pub(super) fn may_hold_utf8(self) -> bool {
        self.by_line || self.encoding.is_single_byte()
    }
}

/// How many characters of UTF-8 a text has, and how much that is none.
pub(super) struct Tally {
    utf8: Decoder,
    text: Vec<u8>,
    /// Characters of several bytes.
    valid: usize,
    /// Sequences that are none.
    malformed: usize,
}

impl Tally {
    pub(super) fn new() -> Self {
        Self { utf8: UTF_8.new_decoder_without_bom_handling(), text: vec![0; 64 * 1024], valid: 0, malformed: 0 }
    }

    pub(super) fn add(&mut self, mut input: &[u8], last: bool) {
        loop {
            let (result, read, written) = self.utf8.decode_to_utf8_without_replacement(input, &mut self.text, last);
            self.valid += self.text[..written].iter().filter(|byte| **byte >= 0xC0).count();
            input = &input[read..];
            match result {
                DecoderResult::InputEmpty => return,
                DecoderResult::OutputFull => {}
                DecoderResult::Malformed(..) => self.malformed += 1,
            }
        }
    }

    /// In other encodings hardly two letters in a row look like one of UTF-8: where most are, the others are damaged; where
    /// some are, the lines that are UTF-8 from end to end were written so.
    pub(super) fn reading(&self) -> Reading {
        if self.malformed == 0 || self.valid > self.malformed {
            return Reading::all(UTF_8);
        }
        Reading { encoding: WINDOWS_1252, by_line: self.valid > 0 }
    }
}

/// Counts lines of UTF-8 with letters beyond ASCII.
#[derive(Default)]
pub(super) struct Lines {
    /// What of the last line was read; empty where it is too long to be looked at.
    begun: Vec<u8>,
    is_too_long: bool,
    utf8: u64,
}

impl Lines {
    /// No cell of a line that is read is longer.
    const MOST: usize = 1 << 20;

    pub(super) fn add(&mut self, piece: &[u8]) {
        for line in piece.split_inclusive(|byte| *byte == b'\n') {
            if self.begun.len() + line.len() > Self::MOST {
                self.is_too_long = true;
                self.begun.clear();
            }
            let is_whole = line.ends_with(b"\n");
            if is_whole && self.begun.is_empty() {
                self.utf8 += u64::from(!self.is_too_long && is_utf8(line));
            } else if !self.is_too_long {
                self.begun.extend_from_slice(line);
            }
            if is_whole {
                self.utf8 += u64::from(is_utf8(&self.begun));
                self.begun.clear();
                self.is_too_long = false;
            }
        }
    }

    /// How many there are.
    pub(super) fn utf8(&self) -> u64 {
        self.utf8 + u64::from(is_utf8(&self.begun))
    }
}

fn is_utf8(line: &[u8]) -> bool {
    !line.is_ascii() && std::str::from_utf8(line).is_ok()
}

/// Of UTF-16 without a mark, the order of its bytes: of the two of most characters, one is zero.
pub(super) fn byte_order(stated: &'static Encoding, beginning: &[u8]) -> &'static Encoding {
    if stated != UTF_16LE {
        return stated;
    }
    let zeros = |from: usize| beginning.iter().skip(from).step_by(2).filter(|byte| **byte == 0).count();
    if zeros(0) > zeros(1) { UTF_16BE } else { UTF_16LE }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_utf8_are_counted_wherever_pieces_end() {
        let text = "id;name\n1;Grünthaler\n2;Meier\n3;M\u{fc}ller\n".as_bytes().to_vec();
        let text = [text, b"4;M\xfcller\n5;\xc3\xa9".to_vec()].concat();
        for length in 1..text.len() {
            let mut lines = Lines::default();
            text.chunks(length).for_each(|piece| lines.add(piece));
            assert_eq!(lines.utf8(), 3, "{length}");
        }
    }
}
