//! Files of an export, and their text in pieces of bounded size.
//!
//! Invariant: no file is held in memory as a whole.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use encoding_rs::{CoderResult, Decoder, Encoding};
use sha2::{Digest, Sha256};

use super::columns::Table;
use super::encodings::{Lines, Reading, Tally, byte_order};
use super::find::{Found, find, fixed};
use super::{CrmError, FileSet};

/// How much is read at once.
const PIECE: usize = 64 * 1024;
/// Of a longer line the parts are looked at one by one.
const MAX_LINE: usize = 1 << 20;

/// The files of a set that are read, in the order of reading; relative paths start at `base`.
pub(super) fn of_set(table: Table, set: &FileSet, base: &Path) -> Result<Vec<PathBuf>, CrmError> {
    let found = all(set, base)?;
    if let Some((path, what)) = found.strange {
        return Err(CrmError::NotAFile { path, what });
    }
    let mut files = found.files;
    if files.is_empty() {
        return Err(CrmError::NoFile { table: table.name(), path: base.join(&set.path) });
    }
    files.retain(|file| !set.passed.contains(file));
    Ok(files)
}

/// What in the place of files is passed over, by its name.
pub(super) fn passed_by_name(set: &FileSet, base: &Path) -> Result<Vec<PathBuf>, CrmError> {
    Ok(all(set, base)?.passed)
}

fn all(set: &FileSet, base: &Path) -> Result<Found, CrmError> {
    find(base, &set.path).map_err(|source| CrmError::Read { path: base.join(&set.path), source })
}

/// What dead letters call the files of a set: without the folders that lead out of the base folder, and each otherwise.
pub(super) fn names(set: &FileSet, base: &Path, files: &[PathBuf]) -> Vec<String> {
    let pattern = base.join(&set.path);
    let folder = if pattern.is_dir() { &pattern } else { fixed(pattern.parent().unwrap_or(&pattern)) };
    files.iter().map(|path| name(base, folder, path)).collect()
}

fn name(base: &Path, folder: &Path, path: &Path) -> String {
    let name = path.strip_prefix(base).unwrap_or(path).to_string_lossy().replace('\\', "/");
    match name.rsplit_once("../") {
        Some((_, below)) => below.to_owned(),
        // What lies below the folder of the set may be called alike in each of its folders.
        None if name.starts_with('/') => path.strip_prefix(folder).unwrap_or(path).to_string_lossy().replace('\\', "/"),
        None => name,
    }
}

/// What the first pass over a file tells.
#[derive(Debug, Clone)]
pub(super) struct Survey {
    /// Lower-case hex over the raw bytes.
    pub(super) sha256: String,
    /// How its bytes become text.
    pub(super) reading: Reading,
    /// Lines that are read in another encoding and look like UTF-8; of one of which some lines are UTF-8, those.
    pub(super) utf8_lines: u64,
    /// Whether there is nothing but a byte order mark and blank lines.
    pub(super) empty: bool,
    /// Whether it begins as Parquet does.
    pub(super) parquet: bool,
}

/// Looks at the beginning of a file only: it is neither hashed nor known to be valid to its end.
pub(super) fn glance(path: &Path, stated: Option<&'static Encoding>) -> Result<Survey, CrmError> {
    look(path, stated, Some(PIECE)).map(|survey| Survey { sha256: String::new(), ..survey })
}

/// Finds out the encoding of a file that is read to its end, which its beginning may not tell; it is not hashed.
pub(super) fn reading(path: &Path, stated: Option<&'static Encoding>) -> Result<Survey, CrmError> {
    look(path, stated, Some(usize::MAX)).map(|survey| Survey { sha256: String::new(), ..survey })
}

/// Hashes a file and finds out its encoding.
pub(super) fn survey(path: &Path, stated: Option<&'static Encoding>) -> Result<Survey, CrmError> {
    look(path, stated, None)
}

fn look(path: &Path, stated: Option<&'static Encoding>, most: Option<usize>) -> Result<Survey, CrmError> {
    let fail = |source| CrmError::Read { path: path.to_owned(), source };
    let mut file = File::open(path).map_err(fail)?.take(most.map_or(u64::MAX, |most| most as u64));
    let (mut hash, mut piece) = (Sha256::new(), vec![0; PIECE]);
    let (mut utf8, mut lines) = (Tally::new(), Lines::default());
    let mut stated = stated;
    let (mut bytes, mut mark, mut parquet, mut blank) = (0, None, false, true);
    loop {
        let n = file.read(&mut piece).map_err(fail)?;
        if bytes == 0 {
            mark = Encoding::for_bom(&piece[..n]);
            parquet = piece[..n].starts_with(b"PAR1");
            stated = stated.map(|stated| byte_order(stated, &piece[..n]));
            if let Some(what) = other_kind(&piece[..n]) {
                return Err(CrmError::NoTable { path: path.to_owned(), what });
            }
        }
        let text = if bytes == 0 { mark.map_or(0, |(_, length)| length) } else { 0 };
        blank &= piece[text..n].iter().all(u8::is_ascii_whitespace);
        bytes += n;
        if most.is_none() {
            hash.update(&piece[..n]);
        }
        if !parquet {
            // At the end of a beginning the last character may be cut off.
            utf8.add(&piece[..n], n == 0 && most.is_none_or(|most| bytes < most));
            lines.add(&piece[..n]);
        }
        if n == 0 || parquet && most.is_some() {
            break;
        }
    }
    let encoding = mark.map(|(encoding, _)| encoding).or(stated);
    let reading = encoding.map_or_else(|| utf8.reading(), Reading::all);
    let utf8_lines = if reading.may_hold_utf8() { lines.utf8() } else { 0 };
    // Behind blank lines there may be more than was looked at.
    let empty = blank && most.is_none_or(|most| bytes < most);
    Ok(Survey { sha256: data_encoding::HEXLOWER.encode(&hash.finalize()), reading, utf8_lines, empty, parquet })
}

/// What a file is that is no table of text and no Parquet, by how it begins, and what to do.
fn other_kind(beginning: &[u8]) -> Option<&'static str> {
    const KINDS: [(&[u8], &str); 9] = [
        (b"\x1f\x8b", "is compressed by gzip: unpack it"),
        (b"PK\x03\x04", "is an Excel workbook, or another ZIP archive: save it as CSV, or unpack it"),
        (b"\x28\xb5\x2f\xfd", "is compressed by zstd: unpack it"),
        (b"BZh", "is compressed by bzip2: unpack it"),
        (b"\xfd7zXZ", "is compressed by xz: unpack it"),
        (b"7z\xbc\xaf\x27\x1c", "is a 7-Zip archive: unpack it"),
        (b"\xd0\xcf\x11\xe0", "is a workbook of an old Excel: save it as CSV"),
        (b"%PDF", "is a PDF: export it as CSV"),
        (b"SQLite format 3", "is a SQLite database: export its tables as CSV"),
    ];
    let found = KINDS.iter().find(|(magic, _)| beginning.starts_with(magic)).map(|(_, what)| *what);
    let text = beginning.trim_ascii_start();
    let begins = |with: &[u8]| text.get(..with.len()).is_some_and(|text| text.eq_ignore_ascii_case(with));
    let page = [&b"<!doctype html"[..], b"<html"].into_iter().any(begins);
    let page = page.then_some("is a page of HTML, of a login or an error for instance: export it again");
    let xml = begins(b"<?xml").then_some("is XML: export it as CSV or JSON");
    found.or(page).or(xml)
}

/// A file as UTF-8, piece by piece, without byte order mark.
pub(super) struct Text {
    file: File,
    path: PathBuf,
    decoder: Decoder,
    /// Lines that are UTF-8 are read as such, whatever the decoder is for.
    by_line: bool,
    raw: Vec<u8>,
    raw_at: usize,
    decoded: Vec<u8>,
    /// The unread part of `decoded`.
    at: usize,
    end: usize,
    done: bool,
    /// A sequence was not valid in the encoding and stands as U+FFFD.
    pub(super) malformed: bool,
}

impl Text {
    pub(super) fn open(path: &Path, reading: Reading) -> Result<Self, CrmError> {
        let file = File::open(path).map_err(|source| CrmError::Read { path: path.to_owned(), source })?;
        Ok(Self {
            file,
            path: path.to_owned(),
            decoder: reading.encoding.new_decoder_with_bom_removal(),
            by_line: reading.by_line,
            raw: Vec::new(),
            raw_at: 0,
            decoded: vec![0; PIECE],
            at: 0,
            end: 0,
            done: false,
            malformed: false,
        })
    }

    /// The next bytes of text; empty at the end.
    pub(super) fn peek(&mut self) -> Result<&[u8], CrmError> {
        while self.at == self.end && !self.done {
            self.fill()?;
        }
        Ok(&self.decoded[self.at..self.end])
    }

    /// Marks `n` of the peeked bytes as read.
    pub(super) fn consume(&mut self, n: usize) {
        self.at += n;
    }

    fn fill(&mut self) -> Result<(), CrmError> {
        if self.by_line {
            return self.fill_lines();
        }
        if self.raw_at == self.raw.len() {
            self.raw.clear();
            self.raw_at = 0;
            self.read()?;
        }
        let last = self.raw.is_empty();
        let (result, read, written, malformed) =
            self.decoder.decode_to_utf8(&self.raw[self.raw_at..], &mut self.decoded, last);
        self.raw_at += read;
        self.at = 0;
        self.end = written;
        self.malformed |= malformed;
        self.done = last && result == CoderResult::InputEmpty;
        Ok(())
    }

    /// Adds the next piece to what is not decoded yet; whether there is one.
    fn read(&mut self) -> Result<bool, CrmError> {
        let had = self.raw.len();
        self.raw.resize(had + PIECE, 0);
        let read = self.file.read(&mut self.raw[had..]);
        let n = read.map_err(|source| CrmError::Read { path: self.path.clone(), source })?;
        self.raw.truncate(had + n);
        Ok(n > 0)
    }

    /// Decodes lines, each as what it is.
    fn fill_lines(&mut self) -> Result<(), CrmError> {
        self.decoded.clear();
        while self.decoded.len() < PIECE && !self.done {
            let end = self.line_end()?;
            let line = &self.raw[self.raw_at..end];
            if let Ok(text) = std::str::from_utf8(line) {
                self.decoded.extend_from_slice(text.as_bytes());
            } else {
                let (text, _) = self.decoder.encoding().decode_without_bom_handling(line);
                self.decoded.extend_from_slice(text.as_bytes());
            }
            self.done = line.is_empty();
            self.raw_at = end;
        }
        (self.at, self.end) = (0, self.decoded.len());
        Ok(())
    }

    /// Where the next line ends, or of one that is too long a part of it; where it begins, at the end of the file.
    fn line_end(&mut self) -> Result<usize, CrmError> {
        let mut looked = self.raw_at;
        loop {
            if let Some(end) = memchr::memchr(b'\n', &self.raw[looked..]) {
                return Ok(looked + end + 1);
            }
            if self.raw.len() - self.raw_at >= MAX_LINE {
                // Within no letter.
                let last = self.raw[self.raw_at..].iter().rposition(u8::is_ascii);
                return Ok(last.map_or(self.raw.len(), |last| self.raw_at + last + 1));
            }
            self.raw.drain(..self.raw_at);
            self.raw_at = 0;
            looked = self.raw.len();
            if !self.read()? {
                return Ok(looked);
            }
        }
    }
}

#[cfg(test)]
#[path = "files_tests.rs"]
mod tests;
