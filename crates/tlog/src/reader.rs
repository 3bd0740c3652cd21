//! Reading a log: leaves, proofs, and what is acknowledged beyond the checkpoint.
//!
//! Invariant: writes nothing, locks nothing, needs no key; and so believes what it reads. To check, see
//! [`verify`](crate::verify()).

use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::checkpoint::Checkpoint;
use crate::error::{Error, RESTORE};
use crate::log::{CHECKPOINT, PENDING, read_checkpoint, read_if_there};
use crate::merkle::{self, Hash};
use crate::segment::{self, Tail};
use crate::tile::{self, Column, Entries, TileNodes, WIDTH, push_entry};

/// A log as its checkpoint on disk stated it when this was opened.
#[derive(Clone, Debug)]
pub struct Reader {
    dir: PathBuf,
    checkpoint: Checkpoint,
}

impl Reader {
    /// Opens the log, or a copy of one, in `dir`.
    ///
    /// # Errors
    /// [`Error::Damaged`] if there is no checkpoint or it is malformed, [`Error::Io`] if it cannot be read.
    pub fn open(dir: impl AsRef<Path>) -> Result<Self, Error> {
        let dir = dir.as_ref().to_owned();
        match read_checkpoint(&dir)? {
            Some(checkpoint) => Ok(Self { dir, checkpoint }),
            None => Err(Error::damaged(&dir.join(CHECKPOINT), "it is missing", RESTORE)),
        }
    }

    /// The checkpoint; its signatures are not checked.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The leaves with these numbers, in order. Memory: one bundle of 256.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] if the range goes beyond the checkpoint. The iterator gives [`Error::Damaged`] or
    /// [`Error::Io`] where a bundle is, and ends.
    pub fn leaves(&self, range: Range<u64>) -> Result<Leaves, Error> {
        self.covers(range.end)?;
        let size = self.checkpoint.size();
        Ok(Leaves { dir: self.dir.clone(), size, next: range.start, end: range.end, bundle: Vec::new(), at: 0 })
    }

    /// The proof that leaf `index` is under the checkpoint; for [`verify_inclusion`](crate::verify_inclusion).
    ///
    /// # Errors
    /// [`Error::OutOfRange`], or as [`leaves`](Self::leaves).
    pub fn prove_inclusion(&self, index: u64) -> Result<Vec<Hash>, Error> {
        self.covers(index.saturating_add(1))?;
        let size = self.checkpoint.size();
        merkle::prove_inclusion(&mut TileNodes::new(&self.dir, size), index, size).map_err(|error| self.tile(error))
    }

    /// The proof that the checkpoint extends the tree of `old` leaves; for
    /// [`verify_consistency`](crate::verify_consistency).
    ///
    /// # Errors
    /// [`Error::OutOfRange`], or as [`leaves`](Self::leaves).
    pub fn prove_consistency(&self, old: u64) -> Result<Vec<Hash>, Error> {
        self.covers(old)?;
        let size = self.checkpoint.size();
        merkle::prove_consistency(&mut TileNodes::new(&self.dir, size), old, size).map_err(|error| self.tile(error))
    }

    /// The root over the first `size` leaves, from the tiles.
    ///
    /// # Errors
    /// [`Error::OutOfRange`], or as [`leaves`](Self::leaves).
    pub fn root_at(&self, size: u64) -> Result<Hash, Error> {
        self.covers(size)?;
        let nodes = &mut TileNodes::new(&self.dir, self.checkpoint.size());
        merkle::root(nodes, size).map_err(|error| self.tile(error))
    }

    /// What was acknowledged beyond the checkpoint and waits in the write-ahead segment.
    ///
    /// # Errors
    /// [`Error::Stale`] if the log has published since, [`Error::Damaged`] if the segment was tampered with.
    pub fn pending(&self) -> Result<Pending, Error> {
        let size = self.checkpoint.size();
        let mut pending = Pending { leaves: size..size, checkpoint: None, torn: false, entries: Vec::new() };
        let path = self.dir.join(PENDING);
        let Some(bytes) = read_if_there(&path)?.filter(|bytes| !bytes.is_empty()) else { return Ok(pending) };
        let Some((base, header)) = segment::parse_header(&bytes) else {
            return Err(Error::damaged(&path, "its header is not readable", RESTORE));
        };
        let found = segment::parse_records(&bytes[header..], header as u64, base.size());
        if let Tail::Damaged(at) = found.tail {
            return Err(Error::damaged(&path, format!("the batch at byte {at} was changed"), RESTORE));
        }
        let end = found.records.last().map_or(base.size(), |record| record.after.size());
        if base.size() > size || end < size {
            return Err(Error::Stale);
        }
        pending.torn = found.tail == Tail::Torn;
        for record in found.records.into_iter().filter(|record| record.first() >= size) {
            record.entries.for_each(|entry| push_entry(&mut pending.entries, entry));
            pending.leaves.end = record.after.size();
            pending.checkpoint = Some(record.after);
        }
        Ok(pending)
    }

    fn covers(&self, asked: u64) -> Result<(), Error> {
        let size = self.checkpoint.size();
        if asked <= size { Ok(()) } else { Err(Error::OutOfRange { size, asked }) }
    }

    fn tile(&self, (path, error): (PathBuf, io::Error)) -> Error {
        unreadable(&self.dir.join(path), error)
    }
}

fn unreadable(path: &Path, error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::InvalidData => Error::damaged(path, error.to_string(), RESTORE),
        _ if tile::missing(&error) => Error::damaged(path, "it is missing", RESTORE),
        _ => Error::io("read", path, error),
    }
}

/// Acknowledged leaves that no tile holds yet. A [`Log::open`](crate::Log::open) publishes them.
#[derive(Clone, Debug)]
pub struct Pending {
    /// Their numbers; empty if there are none.
    pub leaves: Range<u64>,
    /// The signed checkpoint that covers them; its signature is not checked.
    pub checkpoint: Option<Checkpoint>,
    /// Whether the rest of an append follows that was not acknowledged, under way or cut off by a crash.
    pub torn: bool,
    entries: Vec<u8>,
}

impl Pending {
    /// The leaves in order.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        Entries(&self.entries)
    }
}

/// Streams leaves; see [`Reader::leaves`].
#[derive(Debug)]
pub struct Leaves {
    dir: PathBuf,
    size: u64,
    next: u64,
    end: u64,
    bundle: Vec<u8>,
    /// Where in the bundle the next leaf is.
    at: usize,
}

impl Leaves {
    fn load(&mut self) -> Result<(), Error> {
        let index = self.next / WIDTH;
        let width = tile::width(Column::Entries, index, self.size);
        let found = tile::read(&self.dir, Column::Entries, index, width)
            .map_err(|error| unreadable(&self.dir.join(tile::path(Column::Entries, index, width)), error))?;
        self.bundle = found.bytes;
        let skip = (self.next % WIDTH) as usize;
        let mut entries = Entries(&self.bundle);
        let skipped = entries.by_ref().take(skip).count();
        self.at = self.bundle.len() - entries.0.len();
        if skipped == skip { Ok(()) } else { Err(self.short()) }
    }

    fn short(&self) -> Error {
        let index = self.next / WIDTH;
        let path = tile::path(Column::Entries, index, tile::width(Column::Entries, index, self.size));
        Error::damaged(&self.dir.join(path), "it has too few entries", RESTORE)
    }
}

impl Iterator for Leaves {
    type Item = Result<Vec<u8>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.next >= self.end {
            return None;
        }
        if (self.bundle.is_empty() || self.next.is_multiple_of(WIDTH))
            && let Err(error) = self.load()
        {
            self.end = self.next;
            return Some(Err(error));
        }
        let mut entries = Entries(&self.bundle[self.at..]);
        let Some(entry) = entries.next() else {
            self.end = self.next;
            return Some(Err(self.short()));
        };
        self.at = self.bundle.len() - entries.0.len();
        self.next += 1;
        Some(Ok(entry.to_vec()))
    }
}
