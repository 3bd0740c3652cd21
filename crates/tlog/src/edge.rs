//! The right edge of a log in memory: what the next tiles will be written from.
//!
//! Invariant: holds every hash and entry from the start of the last published tile of each level on.

use std::path::{Path, PathBuf};

use crate::disk::Disk;
use crate::error::{Error, RESTORE};
use crate::merkle::{Frontier, Hash};
use crate::tile::{self, Column, Entries, HEIGHT, WIDTH, push_entry};

/// Hashes of one tile level, from the start of the tile `first_tile` on.
#[derive(Debug, Default)]
struct Row {
    first_tile: u64,
    hashes: Vec<Hash>,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Edge {
    frontier: Frontier,
    rows: Vec<Row>,
    /// Entry bundles from `first_bundle` on; the last may be partial.
    bundles: Vec<Vec<u8>>,
    first_bundle: u64,
    /// Size that is in tiles on disk.
    published: u64,
    /// Size and root after each batch since.
    marks: Vec<(u64, Hash)>,
}

/// A batch that is hashed and not yet part of the edge.
pub(crate) struct Staged {
    frontier: Frontier,
    /// Hashes of the tile levels that the batch completes, with the level.
    completed: Vec<(usize, Hash)>,
}

impl Staged {
    pub fn root(&self) -> Hash {
        self.frontier.root()
    }
}

impl Edge {
    /// Reads the edge of the first `size` leaves from tiles, and checks it against their root.
    pub fn load(dir: &Path, size: u64, root: &Hash) -> Result<Self, Error> {
        let mut rows = Vec::new();
        for level in (0..8).take_while(|level| tile::nodes_at(*level, size) > 0) {
            let nodes = tile::nodes_at(level, size);
            let first_tile = nodes / WIDTH;
            let hashes = match nodes % WIDTH {
                0 => Vec::new(),
                width => {
                    let (path, bytes) = read(dir, Column::Hashes(level), first_tile, width)?;
                    let hashes = tile::hashes(&bytes, width);
                    hashes.ok_or_else(|| Error::damaged(&path, "it is too short", RESTORE))?
                }
            };
            rows.push(Row { first_tile, hashes });
        }
        let mut frontier = Frontier::default();
        for (level, row) in rows.iter().enumerate().rev() {
            row.hashes.iter().for_each(|hash| frontier.push_subtree(level as u8 * HEIGHT, *hash));
        }
        if frontier.root() != *root {
            let what = format!("the last tiles do not lead to the root of the checkpoint over {size} leaves");
            return Err(Error::damaged(&dir.join("tile"), what, RESTORE));
        }
        let first_bundle = size / WIDTH;
        let mut bundles = Vec::new();
        if let width @ 1.. = size % WIDTH {
            let (path, mut bytes) = read(dir, Column::Entries, first_bundle, width)?;
            let mut entries = Entries(&bytes);
            let hashes: Vec<_> = entries.by_ref().take(width as usize).map(Hash::of_leaf).collect();
            if hashes != rows[0].hashes {
                return Err(Error::damaged(&path, "its entries do not have the hashes of their tile", RESTORE));
            }
            bytes.truncate(bytes.len() - entries.0.len());
            bundles.push(bytes);
        }
        Ok(Self { frontier, rows, bundles, first_bundle, published: size, marks: vec![(size, *root)] })
    }

    /// Number of leaves.
    pub fn size(&self) -> u64 {
        self.frontier.size()
    }

    /// Number of leaves that are in tiles on disk.
    pub fn published(&self) -> u64 {
        self.published
    }

    /// The root over all leaves.
    pub fn root(&self) -> Hash {
        self.frontier.root()
    }

    /// The root over the first `size` leaves, if a batch that is not published ends there.
    pub fn root_at(&self, size: u64) -> Option<Hash> {
        self.marks.iter().find(|(mark, _)| *mark == size).map(|(_, root)| *root)
    }

    /// Hashes a batch without taking it in.
    pub fn stage(&self, hashes: &[Hash]) -> Staged {
        let mut staged = Staged { frontier: self.frontier.clone(), completed: Vec::with_capacity(hashes.len()) };
        for hash in hashes {
            staged.frontier.push_with(0, *hash, |level, node| {
                if level % HEIGHT == 0 {
                    staged.completed.push((usize::from(level / HEIGHT), *node));
                }
            });
        }
        staged
    }

    /// Takes in a staged batch; `entries` are its leaves.
    pub fn commit<'a>(&mut self, staged: Staged, entries: impl Iterator<Item = &'a [u8]>) {
        for (at, entry) in (self.size()..).zip(entries) {
            if at.is_multiple_of(WIDTH) {
                // One more bundle like the last will do.
                self.bundles.push(Vec::with_capacity(self.bundles.last().map_or(0, Vec::len)));
            }
            push_entry(self.bundles.last_mut().expect("a bundle starts at each multiple of its width"), entry);
        }
        for (level, hash) in staged.completed {
            if self.rows.len() <= level {
                self.rows.resize_with(level + 1, Row::default);
            }
            self.rows[level].hashes.push(hash);
        }
        self.frontier = staged.frontier;
        self.marks.push((self.size(), self.root()));
    }

    /// Writes what is not in tiles yet; gives the files written, not durable so far, in full paths.
    pub fn write_tiles(&self, disk: &Disk, dir: &Path) -> Result<Vec<PathBuf>, Error> {
        let mut files = Vec::new();
        let mut folder = PathBuf::new();
        let mut write = |column, index, bytes: &[u8]| -> Result<(), Error> {
            let width = tile::width(column, index, self.size());
            if width == tile::width(column, index, self.published) {
                return Ok(());
            }
            let path = dir.join(tile::path(column, index, width));
            let parent = path.parent().expect("a file in the log's directory");
            if folder != parent {
                parent.clone_into(&mut folder);
                disk.create_dirs(&folder)?;
            }
            disk.write(&path, bytes)?;
            files.push(path);
            Ok(())
        };
        for (index, bundle) in (self.first_bundle..).zip(&self.bundles) {
            write(Column::Entries, index, bundle)?;
        }
        for (level, row) in rows(&self.rows) {
            for (index, hashes) in (row.first_tile..).zip(row.hashes.chunks(WIDTH as usize)) {
                let bytes: Vec<u8> = hashes.iter().flat_map(|hash| hash.0).collect();
                write(Column::Hashes(level), index, &bytes)?;
            }
        }
        Ok(files)
    }

    /// Forgets what is published now that tiles and checkpoint are durable, and removes partial tiles that full
    /// ones replace.
    pub fn published_all(&mut self, disk: &Disk, dir: &Path) {
        let (before, size) = (self.published, self.size());
        let outgrown = |column, index| {
            if (1..WIDTH).contains(&tile::width(column, index, before)) && tile::width(column, index, size) == WIDTH {
                disk.discard_dir(&dir.join(tile::partials(column, index)));
            }
        };
        outgrown(Column::Entries, self.first_bundle);
        for (level, row) in rows(&self.rows) {
            outgrown(Column::Hashes(level), row.first_tile);
        }
        for row in &mut self.rows {
            let full = row.hashes.len() / WIDTH as usize;
            row.hashes.drain(..full * WIDTH as usize);
            row.first_tile += full as u64;
        }
        let full = (size / WIDTH - self.first_bundle) as usize;
        self.bundles.drain(..full);
        self.first_bundle += full as u64;
        self.published = size;
        self.marks.drain(..self.marks.len() - 1);
    }
}

fn rows(rows: &[Row]) -> impl Iterator<Item = (u8, &Row)> {
    (0..).zip(rows)
}

fn read(dir: &Path, column: Column, index: u64, width: u64) -> Result<(PathBuf, Vec<u8>), Error> {
    match tile::read(dir, column, index, width) {
        Ok(found) => Ok((dir.join(found.path), found.bytes)),
        Err(error) => {
            let path = dir.join(tile::path(column, index, width));
            Err(if tile::missing(&error) {
                Error::damaged(&path, "it is missing", RESTORE)
            } else {
                Error::io("read", &path, error)
            })
        }
    }
}
