//! The cassettes of a home: which there are, how long they are kept, and how they go.
//!
//! Invariant: a cassette goes with its time, with the number that is kept, or with any erasure, whichever comes first.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::tape::TapeHead;

/// The folder of a home.
pub(super) const FOLDER: &str = "cassettes";
/// No head is longer.
const MAX_HEAD: u64 = 65_536;

/// A recording that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shelved {
    /// What it is of.
    pub head: TapeHead,
    /// Its size in bytes.
    pub bytes: u64,
    path: PathBuf,
}

/// All files of cassettes in a folder.
pub(super) fn tapes(folder: &Path) -> io::Result<Vec<PathBuf>> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let entries = std::fs::read_dir(folder)?.map(|entry| entry.map(|e| e.path())).collect::<io::Result<Vec<_>>>()?;
    Ok(entries.into_iter().filter(|path| path.extension().is_some_and(|e| e == "tape")).collect())
}

/// The head of a cassette; `None` = it is none.
pub(super) fn head_at(path: &Path) -> io::Result<Option<TapeHead>> {
    let mut line = Vec::new();
    BufReader::new(File::open(path)?).take(MAX_HEAD).read_until(b'\n', &mut line)?;
    Ok(serde_json::from_slice(&line).ok())
}

/// Every cassette of a home, oldest run first. One without a readable head can be neither replayed nor dated, and is
/// left to [`destroy_cassettes`].
///
/// # Errors
/// A file cannot be read.
pub fn cassettes(home: &Path) -> io::Result<Vec<Shelved>> {
    let mut found = Vec::new();
    for path in tapes(&home.join(FOLDER))? {
        if let Some(head) = head_at(&path)? {
            found.push(Shelved { head, bytes: path.metadata()?.len(), path });
        }
    }
    found.sort_by(|a, b| a.head.run.cmp(&b.head.run));
    Ok(found)
}

/// Destroys the cassettes whose time is over; tells how many.
///
/// # Errors
/// One cannot be read or removed.
pub fn expire_cassettes(home: &Path, now: Timestamp) -> io::Result<usize> {
    let over: Vec<Shelved> = cassettes(home)?.into_iter().filter(|tape| tape.is_over(now)).collect();
    over.iter().try_for_each(|tape| std::fs::remove_file(&tape.path))?;
    Ok(over.len())
}

/// Destroys all cassettes of a home: whom their pages name, nobody can tell.
///
/// # Errors
/// One cannot be removed.
pub fn destroy_cassettes(home: &Path) -> io::Result<usize> {
    let tapes = tapes(&home.join(FOLDER))?;
    tapes.iter().try_for_each(std::fs::remove_file)?;
    Ok(tapes.len())
}

impl Shelved {
    /// Whether it must not be kept any longer.
    #[must_use]
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.head.until.is_some_and(|until| until <= now)
    }
}
