//! The files of C2SP tlog-tiles: paths, widths, and finding one to read.
//!
//! Invariant: a tile's path says its level, index and width; only full tiles (256 wide) have no `.p/W`.

use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::merkle::{Hash, Nodes};

/// Hashes in a full tile and entries in a full bundle.
pub(crate) const WIDTH: u64 = 256;
/// Tree levels that a tile spans.
pub(crate) const HEIGHT: u8 = 8;
/// Longest entry, in bytes.
pub(crate) const ENTRY_BYTES: usize = u16::MAX as usize;

/// What a tile holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Column {
    /// Hashes of complete subtrees of 256^level leaves.
    Hashes(u8),
    /// The leaves themselves.
    Entries,
}

/// The path of a tile relative to the log's directory. `width` is 1 to 256.
pub(crate) fn path(column: Column, index: u64, width: u64) -> PathBuf {
    let mut path = full_path(column, index);
    if width < WIDTH {
        path.as_mut_os_string().push(".p");
        path.push(width.to_string());
    }
    path
}

fn full_path(column: Column, index: u64) -> PathBuf {
    let mut path = match column {
        Column::Hashes(level) => PathBuf::from(format!("tile/{level}")),
        Column::Entries => PathBuf::from("tile/entries"),
    };
    let digits = index.to_string();
    let digits = format!("{digits:0>width$}", width = digits.len().next_multiple_of(3));
    for at in (0..digits.len() - 3).step_by(3) {
        path.push(format!("x{}", &digits[at..at + 3]));
    }
    path.push(&digits[digits.len() - 3..]);
    path
}

/// The folder of a tile's partial files, relative to the log's directory.
pub(crate) fn partials(column: Column, index: u64) -> PathBuf {
    let mut path = full_path(column, index);
    path.as_mut_os_string().push(".p");
    path
}

/// Width of the tile `index` in a tree of `size` leaves: 0 if it does not exist yet.
pub(crate) fn width(column: Column, index: u64, size: u64) -> u64 {
    let level = match column {
        Column::Hashes(level) => level,
        Column::Entries => 0,
    };
    nodes_at(level, size).saturating_sub(index * WIDTH).min(WIDTH)
}

/// Hashes in the tiles of a level, in a tree of `size` leaves.
pub(crate) fn nodes_at(level: u8, size: u64) -> u64 {
    size.checked_shr(u32::from(level) * u32::from(HEIGHT)).unwrap_or(0)
}

/// A tile that was found, perhaps wider than was asked for.
pub(crate) struct Found {
    /// Relative to the log's directory.
    pub path: PathBuf,
    pub bytes: Vec<u8>,
}

/// Reads a tile of at least this width: the exact file, else the full one, else a wider partial one.
///
/// # Errors
/// `NotFound` if there is none of them.
pub(crate) fn read(dir: &Path, column: Column, index: u64, width: u64) -> io::Result<Found> {
    let exact = path(column, index, width);
    match fs::read(dir.join(&exact)) {
        Ok(bytes) => return Ok(Found { path: exact, bytes }),
        Err(error) if !missing(&error) => return Err(error),
        Err(error) if width == WIDTH => return Err(error),
        Err(_) => {}
    }
    let full = full_path(column, index);
    match fs::read(dir.join(&full)) {
        Ok(bytes) => return Ok(Found { path: full, bytes }),
        Err(error) if !missing(&error) => return Err(error),
        Err(_) => {}
    }
    let folder = partials(column, index);
    let wider = fs::read_dir(dir.join(&folder))?
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u64>().ok())
        .filter(|found| (width..WIDTH).contains(found))
        .min()
        .ok_or(io::ErrorKind::NotFound)?;
    let path = folder.join(wider.to_string());
    let bytes = fs::read(dir.join(&path))?;
    Ok(Found { path, bytes })
}

/// Whether the file is not there, as opposed to unreadable.
pub(crate) fn missing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// The first `width` hashes of a tile; `None` if it is too short or not made of whole hashes.
pub(crate) fn hashes(bytes: &[u8], width: u64) -> Option<Vec<Hash>> {
    let (chunks, rest) = bytes.as_chunks::<32>();
    let chunks = chunks.get(..width as usize).filter(|_| rest.is_empty())?;
    Some(chunks.iter().map(|chunk| Hash(*chunk)).collect())
}

/// Appends an entry to a bundle.
pub(crate) fn push_entry(bundle: &mut Vec<u8>, entry: &[u8]) {
    let len = u16::try_from(entry.len()).expect("the length was checked when the batch came in");
    bundle.extend(len.to_be_bytes());
    bundle.extend(entry);
}

/// The entries of a bundle in order; ends early, with bytes left over, where it is malformed.
#[derive(Clone)]
pub(crate) struct Entries<'a>(pub &'a [u8]);

impl<'a> Iterator for Entries<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let (len, rest) = self.0.split_first_chunk()?;
        let (entry, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*len)))?;
        self.0 = rest;
        Some(entry)
    }
}

/// Nodes of a tree of `size` leaves, from its tiles on disk. Keeps the last tile of each level.
pub(crate) struct TileNodes<'a> {
    dir: &'a Path,
    size: u64,
    kept: Vec<Option<(u64, Vec<Hash>)>>,
}

impl<'a> TileNodes<'a> {
    pub fn new(dir: &'a Path, size: u64) -> Self {
        Self { dir, size, kept: vec![None; 8] }
    }

    fn tile(&mut self, level: u8, index: u64) -> Result<&[Hash], (PathBuf, io::Error)> {
        let slot = &mut self.kept[usize::from(level)];
        if slot.as_ref().is_none_or(|(kept, _)| *kept != index) {
            let column = Column::Hashes(level);
            let width = width(column, index, self.size);
            let named = |error| (path(column, index, width), error);
            let found = read(self.dir, column, index, width).map_err(named)?;
            let hashes = hashes(&found.bytes, width)
                .ok_or_else(|| (found.path, io::Error::new(io::ErrorKind::InvalidData, "the tile is too short")))?;
            *slot = Some((index, hashes));
        }
        Ok(&slot.as_ref().expect("filled above").1)
    }
}

impl Nodes for TileNodes<'_> {
    type Error = (PathBuf, io::Error);

    fn node(&mut self, level: u8, index: u64) -> Result<Hash, Self::Error> {
        let (row, above) = (level / HEIGHT, level % HEIGHT);
        let first = index << above;
        let at = (first % WIDTH) as usize;
        let mut hashes = self.tile(row, first / WIDTH)?[at..at + (1 << above)].to_vec();
        while hashes.len() > 1 {
            hashes = hashes.as_chunks::<2>().0.iter().map(|[left, right]| Hash::of_node(left, right)).collect();
        }
        Ok(hashes[0])
    }
}
