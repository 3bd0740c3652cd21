//! Items on their way from files to the work on them, sorted into parts on disk between the two.
//!
//! Invariant: memory is bounded by the blocks that are being filled, whatever the number of items. Blocks are sealed under a
//! key that only this process has: what a killed run leaves in `.work` nobody can read, and the next writer clears it.

use std::fs::{self, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::keys;
use crate::run::files::private_dir;

/// How much of a part is gathered before it is sealed and written.
const BLOCK: usize = 32 * 1024;
/// Of many parts, each gathers less: as much is gathered in all.
const GATHERED: usize = 8 * 1024 * 1024;

/// What could not be done with which file.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {}", path.display())]
pub struct BlockError {
    /// `write`, `read`, ...
    pub action: &'static str,
    /// The file.
    pub path: PathBuf,
    /// Why.
    #[source]
    pub source: io::Error,
}

/// Items by part, in the order in which they were put by.
pub(crate) struct Blocks {
    folder: PathBuf,
    key: Zeroizing<[u8; 32]>,
    open: Vec<Zeroizing<Vec<u8>>>,
    written: Vec<u64>,
    block: usize,
}

impl std::fmt::Debug for Blocks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Blocks").field("parts", &self.open.len()).finish_non_exhaustive()
    }
}

impl Blocks {
    /// No items in so many parts, in a folder that nobody else uses. The caller holds the home's lock.
    pub(crate) fn create(folder: PathBuf, parts: usize) -> Result<Self, BlockError> {
        private_dir(&folder).map_err(failed("create folder", &folder))?;
        let key = Zeroizing::new(keys::random().map_err(failed("make a key for", &folder))?);
        let open = (0..parts).map(|_| Zeroizing::new(Vec::new())).collect();
        let block = (GATHERED / parts.max(1)).clamp(1024, BLOCK);
        Ok(Self { folder, key, open, written: vec![0; parts], block })
    }

    /// How many parts there are.
    pub(crate) const fn parts(&self) -> usize {
        self.open.len()
    }

    /// Puts an item by.
    pub(crate) fn put(&mut self, part: usize, item: &impl Serialize) -> Result<(), BlockError> {
        let open = &mut self.open[part];
        postcard::to_io(item, &mut **open).expect("plain data goes into memory");
        if open.len() >= self.block { self.write(part) } else { Ok(()) }
    }

    /// All items are there: what is still in memory is written.
    pub(crate) fn finish(&mut self) -> Result<(), BlockError> {
        for part in 0..self.open.len() {
            if !self.open[part].is_empty() {
                self.write(part)?;
            }
            self.open[part] = Zeroizing::default();
        }
        Ok(())
    }

    fn write(&mut self, part: usize) -> Result<(), BlockError> {
        let path = self.path(part);
        let label = label(part, self.written[part]);
        let write = |block: &[u8]| {
            let sealed = keys::seal(&self.key, label.as_bytes(), block)?.0;
            let mut file = OpenOptions::new().append(true).create(true).mode(0o600).open(&path)?;
            file.write_all(&(sealed.len() as u64).to_le_bytes()).and_then(|()| file.write_all(&sealed))
        };
        write(&self.open[part]).map_err(failed("write", &path))?;
        self.open[part].clear();
        self.written[part] += 1;
        Ok(())
    }

    /// Hands on every item of a part, in the order in which they were put by. `take` answers `None` to what cannot be.
    pub(crate) fn read<T: for<'de> Item<'de>>(
        &self,
        part: usize,
        mut take: impl FnMut(<T as Item<'_>>::Stored) -> Option<()>,
    ) -> Result<(), BlockError> {
        if self.written[part] == 0 {
            return Ok(());
        }
        let path = self.path(part);
        let damaged = || failed("read", &path)(io::Error::other("what was put there is not there any more"));
        let mut file = io::BufReader::new(fs::File::open(&path).map_err(failed("read", &path))?);
        for block in 0..self.written[part] {
            let mut length = [0; 8];
            file.read_exact(&mut length).map_err(failed("read", &path))?;
            let mut sealed = Vec::new();
            (&mut file).take(u64::from_le_bytes(length)).read_to_end(&mut sealed).map_err(failed("read", &path))?;
            let open = keys::open(&self.key, label(part, block).as_bytes(), &sealed).ok_or_else(damaged)?;
            let mut rest = open.as_slice();
            while !rest.is_empty() {
                let (item, behind) = postcard::take_from_bytes(rest).map_err(|_| damaged())?;
                take(item).ok_or_else(damaged)?;
                rest = behind;
            }
        }
        Ok(())
    }

    /// Removes a part that nobody needs any more.
    pub(crate) fn remove(&mut self, part: usize) -> Result<(), BlockError> {
        if std::mem::take(&mut self.written[part]) == 0 {
            return Ok(());
        }
        let path = self.path(part);
        fs::remove_file(&path).map_err(failed("remove", &path))
    }

    pub(crate) fn path(&self, part: usize) -> PathBuf {
        self.folder.join(format!("{part:04}"))
    }

    #[cfg(test)]
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Drop for Blocks {
    fn drop(&mut self) {
        // Best effort: the next writer clears what cannot be removed now.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// What is stored, where it borrows from the block.
pub(crate) trait Item<'de> {
    /// As it stands in a block.
    type Stored: Deserialize<'de>;
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> BlockError {
    let path = path.to_owned();
    move |source| BlockError { action, path, source }
}

fn label(part: usize, block: u64) -> String {
    format!("{part} {block}")
}

/// The part of an opaque id among so many (a power of two, at most 1,024): ids in their order come part by part.
pub(crate) fn part_of(id: &str, parts: usize) -> usize {
    let body = id.split_once('_').map_or(id, |(_, body)| body).as_bytes();
    let rank = |at: usize| match body.get(at) {
        Some(digit @ b'2'..=b'7') => usize::from(digit - b'2'),
        Some(letter @ b'a'..=b'z') => usize::from(letter - b'a') + 6,
        _ => 0,
    };
    (rank(0) * 32 + rank(1)) * parts / 1024
}
