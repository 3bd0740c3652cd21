//! Files of an export: patterns, encodings, and text in pieces of bounded size.
//!
//! Invariant: no file is held in memory as a whole.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use encoding_rs::{CoderResult, Decoder, DecoderResult, Encoding, UTF_8, WINDOWS_1252};
use sha2::{Digest, Sha256};

use super::columns::Table;
use super::{CrmError, FileSet};

/// How much is read at once.
const PIECE: usize = 64 * 1024;

/// The files that a pattern means, sorted by path; a folder means all files in it but hidden ones.
pub(super) fn expand(table: &'static str, base: &Path, pattern: &str) -> Result<Vec<PathBuf>, CrmError> {
    // Only the pattern may hold wildcards: a `*` in the name of the base folder is just a character.
    let mut found = vec![base.to_owned()];
    let last = Path::new(pattern).file_name().unwrap_or_default().to_string_lossy().into_owned();
    for part in Path::new(pattern).components() {
        let part = part.as_os_str();
        let name = part.to_string_lossy();
        if !name.contains(['*', '?']) {
            for path in &mut found {
                path.push(part);
            }
            continue;
        }
        let mut next = Vec::new();
        for folder in &found {
            // A pattern alone is one of the folder that the program runs in.
            let here = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
            let Ok(entries) = std::fs::read_dir(here) else { continue };
            for entry in entries {
                let entry = entry.map_err(|source| CrmError::Read { path: folder.clone(), source })?;
                let path = folder.join(entry.file_name());
                if !matches(&name, &entry.file_name().to_string_lossy()) {
                    continue;
                }
                // Folders, of earlier exports for instance, are passed over.
                if let Some(what) = no_file(&path).filter(|what| name == last && *what != FOLDER) {
                    return Err(CrmError::NotAFile { path, what });
                }
                next.push(path);
            }
        }
        found = next;
    }
    if let [folder] = &found[..]
        && folder.is_dir()
    {
        found = inside(folder)?;
    }
    found.retain(|p| p.is_file());
    found.sort();
    if found.is_empty() { Err(CrmError::NoFile { table, path: base.join(pattern) }) } else { Ok(found) }
}

/// The files of a set that are read.
pub(super) fn of_set(table: Table, set: &FileSet, base: &Path) -> Result<Vec<PathBuf>, CrmError> {
    let mut files = expand(table.name(), base, &set.path)?;
    files.retain(|file| !set.passed.contains(file));
    Ok(files)
}

fn inside(folder: &Path) -> Result<Vec<PathBuf>, CrmError> {
    let fail = |source| CrmError::Read { path: folder.to_owned(), source };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(fail)? {
        let entry = entry.map_err(fail)?;
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        match no_file(&entry.path()) {
            Some(FOLDER) => {}
            Some(what) => return Err(CrmError::NotAFile { path: entry.path(), what }),
            None => files.push(entry.path()),
        }
    }
    Ok(files)
}

const FOLDER: &str = "is a folder";

/// What stands there in the place of a file.
pub(crate) fn no_file(path: &Path) -> Option<&'static str> {
    match path.metadata() {
        Ok(there) if there.is_file() => None,
        Ok(there) if there.is_dir() => Some(FOLDER),
        Ok(_) => Some("is no regular file"),
        Err(_) if path.is_symlink() => Some("is a link to what is not there"),
        Err(_) => Some("is not there"),
    }
}

/// Whether a name fits a pattern of `*` (any characters) and `?` (one); hidden files need a leading dot.
fn matches(pattern: &str, name: &str) -> bool {
    fn fits(p: &[char], n: &[char]) -> bool {
        // The last `*` and where it began: on a mismatch it swallows one more, so the cost stays quadratic.
        let (mut i, mut j, mut star) = (0, 0, None);
        while j < n.len() {
            if i < p.len() && p[i] == '*' {
                star = Some((i, j));
                i += 1;
            } else if i < p.len() && (p[i] == '?' || p[i] == n[j]) {
                i += 1;
                j += 1;
            } else if let Some((si, sj)) = star {
                star = Some((si, sj + 1));
                i = si + 1;
                j = sj + 1;
            } else {
                return false;
            }
        }
        p[i..].iter().all(|c| *c == '*')
    }
    let (p, n): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    (n.first() != Some(&'.') || p.first() == Some(&'.')) && fits(&p, &n)
}

/// What the first pass over a file tells.
#[derive(Debug, Clone)]
pub(super) struct Survey {
    /// Lower-case hex over the raw bytes.
    pub(super) sha256: String,
    /// The encoding to read it in.
    pub(super) encoding: &'static Encoding,
    /// Whether there is nothing but a byte order mark and blank lines.
    pub(super) empty: bool,
    /// Whether it begins as Parquet does.
    pub(super) parquet: bool,
}

/// Looks at the beginning of a file only: it is neither hashed nor known to be valid to its end.
pub(super) fn glance(path: &Path, stated: Option<&'static Encoding>) -> Result<Survey, CrmError> {
    look(path, stated, Some(PIECE)).map(|survey| Survey { sha256: String::new(), ..survey })
}

/// Hashes a file and finds out its encoding.
pub(super) fn survey(path: &Path, stated: Option<&'static Encoding>) -> Result<Survey, CrmError> {
    look(path, stated, None)
}

fn look(path: &Path, stated: Option<&'static Encoding>, most: Option<usize>) -> Result<Survey, CrmError> {
    let fail = |source| CrmError::Read { path: path.to_owned(), source };
    let mut file = File::open(path).map_err(fail)?.take(most.map_or(u64::MAX, |most| most as u64));
    let (mut hash, mut piece) = (Sha256::new(), vec![0; PIECE]);
    let mut utf8 = Tally::new();
    let (mut bytes, mut mark, mut parquet, mut blank) = (0, None, false, true);
    loop {
        let n = file.read(&mut piece).map_err(fail)?;
        if bytes == 0 {
            mark = Encoding::for_bom(&piece[..n]);
            parquet = piece[..n].starts_with(b"PAR1");
            if let Some(what) = other_kind(&piece[..n]) {
                return Err(CrmError::NoTable { path: path.to_owned(), what });
            }
        }
        let text = if bytes == 0 { mark.map_or(0, |(_, length)| length) } else { 0 };
        blank &= piece[text..n].iter().all(u8::is_ascii_whitespace);
        bytes += n;
        hash.update(&piece[..n]);
        if !parquet {
            // At the end of a beginning the last character may be cut off.
            utf8.add(&piece[..n], n == 0 && most.is_none());
        }
        if n == 0 {
            break;
        }
    }
    let encoding = mark.map(|(e, _)| e).or(stated).unwrap_or(utf8.encoding());
    // Behind blank lines there may be more than was looked at.
    let empty = blank && most.is_none_or(|most| bytes < most);
    Ok(Survey { sha256: data_encoding::HEXLOWER.encode(&hash.finalize()), encoding, empty, parquet })
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

/// How many characters of UTF-8 a text has, and how much that is none.
struct Tally {
    utf8: Decoder,
    text: Vec<u8>,
    /// Characters of several bytes.
    valid: usize,
    /// Sequences that are none.
    malformed: usize,
}

impl Tally {
    fn new() -> Self {
        Self { utf8: UTF_8.new_decoder_without_bom_handling(), text: vec![0; PIECE], valid: 0, malformed: 0 }
    }

    fn add(&mut self, mut input: &[u8], last: bool) {
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

    /// In other encodings hardly two letters in a row look like one of UTF-8: where most are, the others are damaged.
    fn encoding(&self) -> &'static Encoding {
        if self.malformed == 0 || self.valid > self.malformed { UTF_8 } else { WINDOWS_1252 }
    }
}

/// A file as UTF-8, piece by piece, without byte order mark.
pub(super) struct Text {
    file: File,
    path: PathBuf,
    decoder: Decoder,
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
    pub(super) fn open(path: &Path, encoding: &'static Encoding) -> Result<Self, CrmError> {
        let file = File::open(path).map_err(|source| CrmError::Read { path: path.to_owned(), source })?;
        Ok(Self {
            file,
            path: path.to_owned(),
            decoder: encoding.new_decoder_with_bom_removal(),
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
        if self.raw_at == self.raw.len() {
            self.raw.resize(PIECE, 0);
            let read = self.file.read(&mut self.raw);
            let n = read.map_err(|source| CrmError::Read { path: self.path.clone(), source })?;
            self.raw.truncate(n);
            self.raw_at = 0;
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
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns() {
        for (pattern, name, fits) in [
            ("contacts*.csv", "contacts_de.csv", true),
            ("contacts*.csv", "contacts.csv", true),
            ("contacts*.csv", "accounts.csv", false),
            ("c?.csv", "c1.csv", true),
            ("c?.csv", "c.csv", false),
            ("*", ".hidden", false),
            ("*a*b*c", "xxaxxbxxbxc", true),
        ] {
            assert_eq!(matches(pattern, name), fits, "{pattern} {name}");
        }
    }
}
