//! The proof of erasure: every file under a home is searched for what should be gone, in every shape it may have.
//!
//! Invariant: a file that could not be read whole is told; silence means that everything was looked at.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;

use super::scan_about::{About, SUBJECT_ID};
use super::scan_escape::unescaped;
use super::scan_needle::{Matcher, Needle, NeedleError};
use super::scan_read::{Limit, Limited, looks_binary, read_up_to};
use super::{scan_parquet, scan_sqlite};
use crate::sink::TableKeys;

/// Bytes that are read at a time.
const CHUNK: usize = 1024 * 1024;
/// Most bytes that one compressed frame is unpacked to; a larger one is told as unreadable.
const MOST_UNPACKED: u64 = 4 * 1024 * 1024 * 1024;
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

/// Formats that hide text and cannot be unpacked here.
const SEALED: [(&[u8], &str); 9] = [
    (&[0x1f, 0x8b], "gzip"),
    (b"PK\x03\x04", "zip"),
    (b"BZh", "bzip2"),
    (&[0xfd, b'7', b'z', b'X', b'Z', 0], "xz"),
    (&[b'7', b'z', 0xbc, 0xaf, 0x27, 0x1c], "7z"),
    (&[0x04, 0x22, 0x4d, 0x18], "lz4"),
    (&[0xff, 0x06, 0x00, 0x00, b's', b'N', b'a', b'P'], "snappy"),
    (b"%PDF-", "pdf"),
    (b"age-encryption.org", "age"),
];

/// A place where something was found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Hit {
    /// The file, under the home.
    pub file: PathBuf,
    /// How it stands there, for instance `raw`, `raw, utf-16`, `sqlite runs.summary`, `parquet quote`, `wal`.
    pub how: String,
    /// The label of what was found.
    pub label: String,
    /// How often; where texts overlap or are escaped, about how often.
    pub count: u64,
}

/// A file that could not be looked at whole.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Unreadable {
    /// The file, under the home.
    pub file: PathBuf,
    /// Why.
    pub why: String,
}

/// What a scan comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Everything was looked at and nothing found.
    Clean,
    /// Something was found.
    Found,
    /// Nothing was found, but not everything could be looked at.
    CouldNotCheck,
}

/// The result of a scan; no text that was searched for is in it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// What was found, by file.
    pub hits: Vec<Hit>,
    /// What could not be looked at.
    pub unreadable: Vec<Unreadable>,
    /// Files that were looked at.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl Report {
    /// The result in a word.
    #[must_use]
    pub const fn verdict(&self) -> Verdict {
        if !self.hits.is_empty() {
            Verdict::Found
        } else if self.unreadable.is_empty() {
            Verdict::Clean
        } else {
            Verdict::CouldNotCheck
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for hit in &self.hits {
            writeln!(f, "found {} in {} ({}), {} times", hit.label, hit.file.display(), hit.how, hit.count)?;
        }
        for file in &self.unreadable {
            writeln!(f, "could not check {}: {}", file.file.display(), file.why)?;
        }
        writeln!(f, "{} files, {} bytes", self.files, self.bytes)
    }
}

/// Searches every file under a home.
///
/// # Errors
/// See [`NeedleError`]; files that cannot be read are in the report.
pub fn scan(home: &Path, needles: &[Needle]) -> Result<Report, NeedleError> {
    Ok(Scan::new(needles)?.run(home))
}

/// A scan that is prepared: needles as an automaton.
pub struct Scan {
    pub(super) matcher: Matcher,
    pub(super) keys: Vec<Arc<TableKeys>>,
    pub(super) about: Option<Box<About>>,
}

impl Scan {
    /// Prepares a search.
    ///
    /// # Errors
    /// Too many or too long needles.
    pub fn new(needles: &[Needle]) -> Result<Self, NeedleError> {
        Ok(Self { matcher: Matcher::new(needles)?, keys: Vec::new(), about: None })
    }

    /// Gives the keys of encrypted tables; a file for which none fits is told as unreadable.
    #[must_use]
    pub fn keys(mut self, keys: impl IntoIterator<Item = Arc<TableKeys>>) -> Self {
        self.keys.extend(keys);
        self
    }

    /// Searches every file under a folder: hidden, nested and unknown ones too. Links are not followed.
    #[must_use]
    pub fn run(&self, home: &Path) -> Report {
        let mut walk = Walk { scan: self, home, report: Report::default() };
        walk.folder(home);
        walk.report.hits.sort();
        walk.report.unreadable.sort();
        walk.report
    }
}

struct Walk<'a> {
    scan: &'a Scan,
    home: &'a Path,
    report: Report,
}

impl Walk<'_> {
    fn folder(&mut self, folder: &Path) {
        let entries = fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>);
        let entries = match entries {
            Ok(entries) => entries,
            Err(e) => return self.unreadable(folder, e.to_string()),
        };
        let mut paths: Vec<PathBuf> = entries.iter().map(fs::DirEntry::path).collect();
        paths.sort();
        for path in paths {
            self.entry(&path);
        }
    }

    fn entry(&mut self, path: &Path) {
        let kind = match fs::symlink_metadata(path) {
            Ok(metadata) => metadata.file_type(),
            // Gone since the folder was listed: a name that a program has just deleted.
            Err(e) if e.kind() == io::ErrorKind::NotFound => return,
            Err(e) => return self.unreadable(path, e.to_string()),
        };
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        self.text(path, name.as_bytes(), "file name");
        if kind.is_dir() {
            self.folder(path);
        } else if kind.is_file() {
            self.file(path);
        } else if kind.is_symlink() {
            let target = fs::read_link(path).unwrap_or_default();
            self.text(path, target.to_string_lossy().as_bytes(), "link");
            // One to a folder beside it, as `latest` is, leads to what is searched anyway.
            let is_name = matches!(target.components().collect::<Vec<_>>()[..], [Component::Normal(_)]);
            let beside = path.with_file_name(&target);
            if !is_name || !fs::symlink_metadata(&beside).is_ok_and(|m| m.is_dir()) {
                self.unreadable(path, "a link; what it points to is not searched".into());
            }
        } else {
            self.unreadable(path, "no regular file".into());
        }
    }

    /// Searches one text, for instance a file's name.
    fn text(&mut self, path: &Path, text: &[u8], how: &str) {
        let mut found = Found::new(self.scan);
        found.text(text, how);
        self.take(path, found);
    }

    fn file(&mut self, path: &Path) {
        let mut found = Found::new(self.scan);
        match found.file(path) {
            Ok(bytes) => {
                self.report.files += 1;
                self.report.bytes += bytes;
            }
            Err(e) => found.trouble.push(e.to_string()),
        }
        self.take(path, found);
    }

    fn take(&mut self, path: &Path, found: Found<'_>) {
        let shown = self.shown(path);
        for why in found.trouble {
            self.report.unreadable.push(Unreadable { file: shown.clone(), why });
        }
        for ((how, needle), count) in found.hits {
            let label = self.scan.matcher.labels.get(needle).map_or(SUBJECT_ID, |label| label).to_owned();
            self.report.hits.push(Hit { file: shown.clone(), how, label, count });
        }
    }

    fn unreadable(&mut self, path: &Path, why: String) {
        let file = self.shown(path);
        self.report.unreadable.push(Unreadable { file, why });
    }

    /// The path under the home; a name that holds a needle is told by its inode.
    fn shown(&self, path: &Path) -> PathBuf {
        let mut whole = self.home.to_owned();
        let mut shown = PathBuf::new();
        for part in path.strip_prefix(self.home).unwrap_or(path).components() {
            whole.push(part);
            let mut found = Found::new(self.scan);
            found.text(part.as_os_str().to_string_lossy().as_bytes(), "");
            if found.hits.is_empty() {
                shown.push(part);
            } else {
                let inode = fs::symlink_metadata(&whole).map_or(0, |m| m.ino());
                shown.push(format!("[inode {inode}]"));
            }
        }
        shown
    }
}

/// What was found in one file.
pub(super) struct Found<'a> {
    pub(super) scan: &'a Scan,
    pub(super) hits: BTreeMap<(String, usize), u64>,
    pub(super) trouble: Vec<String>,
}

impl<'a> Found<'a> {
    fn new(scan: &'a Scan) -> Self {
        Self { scan, hits: BTreeMap::new(), trouble: Vec::new() }
    }

    fn file(&mut self, path: &Path) -> io::Result<u64> {
        let mut file = File::open(path)?;
        let mut head = [0; 512];
        let n = read_up_to(&mut file, &mut head)?;
        let head = &head[..n];
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let how = ["-wal", "-shm", "-journal"].into_iter().find(|s| name.ends_with(s)).map_or("raw", |s| &s[1..]);
        file.seek(SeekFrom::Start(0))?;
        let (bytes, frames) = self.stream(&mut file, how)?;
        let parquet = head.starts_with(b"PAR1") || head.starts_with(b"PARE");
        let whole = if head.starts_with(b"SQLite format 3\0") {
            scan_sqlite::search(path, self);
            false
        } else {
            parquet && scan_parquet::search(path, self)
        };
        if let Some((_, what)) = SEALED.iter().find(|(magic, _)| head.starts_with(magic)) {
            self.trouble.push(format!("{what}: cannot be unpacked here"));
        }
        // The pages of a whole Parquet file are such frames; they have been read.
        if !whole {
            for at in frames {
                file.seek(SeekFrom::Start(at))?;
                self.frame(&file, how, at == 0);
            }
        }
        Ok(bytes)
    }

    /// Searches bytes as they come; tells how many, and where a frame of zstd may begin.
    fn stream(&mut self, from: &mut impl Read, how: &str) -> io::Result<(u64, Vec<u64>)> {
        let overlap = (self.scan.matcher.longest * 16).max(4096);
        let mut buffer = vec![0; CHUNK + overlap];
        let (mut held, mut total, mut frames) = (0, 0_u64, Vec::new());
        loop {
            let n = read_up_to(from, &mut buffer[held..])?;
            let start = total - held as u64;
            let bytes = &buffer[..held + n];
            self.search(bytes, held, how, !looks_binary(bytes));
            let magic = memchr::memmem::find_iter(bytes, ZSTD).map(|at| start + at as u64);
            frames.extend(magic.filter(|at| at + ZSTD.len() as u64 > total));
            total += n as u64;
            if n == 0 {
                return Ok((total, frames));
            }
            let keep = overlap.min(held + n);
            buffer.copy_within(held + n - keep..held + n, 0);
            held = keep;
        }
    }

    /// Unpacks a frame of zstd and searches it; one that only looked like a frame does no harm.
    fn frame(&mut self, packed: impl Read, how: &str, must: bool) {
        let mut limit = Limit { left: MOST_UNPACKED, trouble: None };
        let decoder = zstd::Decoder::new(packed).map(|d| Limited { from: d.single_frame(), limit: &mut limit });
        match decoder.and_then(|mut d| self.stream(&mut d, &format!("{how}, zstd"))) {
            Ok((_, inner)) if inner.first() == Some(&0) => self.trouble.push("zstd: packed within packed".into()),
            Ok(_) => {}
            Err(e) => limit.trouble = Some(e.to_string()),
        }
        self.trouble.extend(limit.trouble.filter(|_| must).map(|e| format!("zstd: {e}")));
    }

    /// Searches one text whole.
    pub(super) fn text(&mut self, text: &[u8], how: &str) {
        self.search(text, 0, how, true);
        if text.starts_with(ZSTD) {
            self.frame(text, how, false);
        }
    }

    /// Searches bytes of which the first `seen` have been searched before.
    fn search(&mut self, bytes: &[u8], seen: usize, how: &str, text: bool) {
        self.ids(bytes, seen, how);
        let matcher = &self.scan.matcher;
        let mut plain = BTreeMap::new();
        matcher.find(bytes, seen, text, |needle, form| {
            *plain.entry((form, needle)).or_insert(0_u64) += 1;
        });
        for ((form, needle), n) in plain {
            *self.hits.entry((format!("{how}{}", form.suffix()), needle)).or_default() += n;
        }
        // What shows only when escapes are undone; an escape in the part seen before was told then.
        let mut escaped = BTreeMap::new();
        let reach = matcher.longest;
        let mut whole = |decoded: &[u8], sign: i64| {
            matcher.find(decoded, 0, text, |needle, _| *escaped.entry(needle).or_insert(0_i64) += sign);
        };
        let mut any = false;
        unescaped(bytes, reach, |raw, decoded| {
            any = true;
            whole(decoded, 1);
            whole(raw, -1);
        });
        if any && seen > 0 {
            unescaped(&bytes[..seen], reach, |raw, decoded| {
                whole(decoded, -1);
                whole(raw, 1);
            });
        }
        for (needle, n) in escaped.into_iter().filter(|(_, n)| *n > 0) {
            *self.hits.entry((format!("{how}, escaped"), needle)).or_default() += n.unsigned_abs();
        }
    }
}

#[cfg(test)]
#[path = "scan_tests.rs"]
mod tests;
