//! Recomputing a tree from its entries, and telling which files disagree with the signed root.
//!
//! Two trees are compared: the one of the entries and the one that the tiles store. If the entries lead to the signed
//! root, tiles that differ are damaged. Otherwise the stored tree is trusted from the root downwards, as far as it
//! leads there, and tells which entries were changed. Invariant: each finding names the narrowest file and leaves
//! that this shows; what cannot be told apart is reported on both sides.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::merkle::{self, Frontier, Hash, top};
use crate::report::{Finding, FindingKind};
use crate::tile::{self, Column, Entries, HEIGHT, TileNodes, WIDTH};

/// The outcome of a scan.
pub(crate) struct Scan<'a> {
    dir: &'a Path,
    size: u64,
    /// The tree as recomputed; `None` once a part of it cannot be had from entries nor tiles.
    pub frontier: Option<Frontier>,
    /// Size at which the root is wanted, and the root.
    pub at: (u64, Option<Hash>),
    pub findings: Vec<Finding>,
    /// Whether the recomputed tree leads to the signed root, and whether the stored one does, as far as it was looked
    /// at.
    sound: bool,
    edge: bool,
    /// Recomputed hashes of the levels from 1 up; `None` where they are not known.
    own: Vec<Vec<Option<Hash>>>,
    /// Stored tiles of the levels from 1 up.
    stored: Vec<Vec<Option<Vec<Hash>>>>,
    /// Tiles of level 0 that differ from their entries.
    suspects: BTreeMap<u64, Suspect>,
    /// Bundles that are not there.
    absent: BTreeSet<u64>,
}

/// A tile of level 0 and its bundle disagree.
struct Suspect {
    /// Leaves that differ.
    ranges: Vec<Range<u64>>,
    /// Hashes over the whole tile: as recomputed, if all its entries are there, and as stored.
    own: Option<Hash>,
    stored: Hash,
    tile: PathBuf,
    bundle: PathBuf,
    detail: &'static str,
}

/// Recomputes the first `size` leaves' tree, and its root at size `at`. Judge it with [`Scan::judge`].
pub(crate) fn scan(dir: &Path, size: u64, at: u64) -> Scan<'_> {
    let mut scan = Scan {
        dir,
        size,
        frontier: Some(Frontier::default()),
        at: (at, (at == 0).then(Hash::empty_tree)),
        findings: Vec::new(),
        sound: false,
        edge: false,
        own: Vec::new(),
        stored: Vec::new(),
        suspects: BTreeMap::new(),
        absent: BTreeSet::new(),
    };
    let there = tile::last(dir, Column::Entries).max(tile::last(dir, Column::Hashes(0)));
    let tiles = size.div_ceil(WIDTH);
    // A checkpoint may state any size: what lies beyond the last file is one finding, not a file each.
    let present = there.map_or(0, |last| last.saturating_add(1)).min(tiles);
    if present < tiles {
        let first = tile::path(Column::Entries, present, tile::width(Column::Entries, present, size));
        scan.find(FindingKind::Truncated, first, present * WIDTH..size, "nothing is there from here on");
        scan.frontier = None;
    } else {
        scan.load_upper_tiles();
    }
    (0..present).for_each(|index| scan.bundle(index));
    scan.join_absent(tiles);
    scan
}

impl Scan<'_> {
    fn find(&mut self, kind: FindingKind, file: PathBuf, leaves: Range<u64>, detail: impl Into<String>) {
        self.findings.push(Finding { kind, file, leaves, detail: detail.into() });
    }

    /// Reads a tile of hashes; what is wrong becomes a finding.
    fn tile(&mut self, level: u8, index: u64) -> Option<(PathBuf, Vec<Hash>)> {
        let column = Column::Hashes(level);
        let width = tile::width(column, index, self.size);
        let leaves = self.span(level, index);
        match tile::read(self.dir, column, index, width) {
            Ok(found) => match tile::hashes(&found.bytes, width) {
                // A wider tile has its first hashes in common; a tile of the right name has the right length.
                Some(hashes)
                    if found.path != tile::path(column, index, width) || hashes.len() * 32 == found.bytes.len() =>
                {
                    return Some((found.path, hashes));
                }
                _ => self.find(FindingKind::TileDamaged, found.path, leaves, "it has a wrong length"),
            },
            Err(error) => self.lost(FindingKind::TileMissing, tile::path(column, index, width), leaves, &error),
        }
        None
    }

    fn lost(&mut self, kind: FindingKind, file: PathBuf, leaves: Range<u64>, error: &io::Error) {
        let kind = if tile::missing(error) { kind } else { FindingKind::Unreadable };
        self.find(kind, file, leaves, error.to_string());
    }

    /// The leaves under a tile.
    fn span(&self, level: u8, index: u64) -> Range<u64> {
        let shift = u32::from(level + 1) * u32::from(HEIGHT);
        let start = index.checked_shl(shift).unwrap_or(0);
        start..(index + 1).checked_shl(shift).filter(|end| *end > start).unwrap_or(u64::MAX).min(self.size)
    }

    fn load_upper_tiles(&mut self) {
        let size = self.size;
        for level in (1..8).take_while(|level| tile::nodes_at(*level, size) > 0) {
            let tiles = tile::nodes_at(level, self.size).div_ceil(WIDTH);
            let row = (0..tiles).map(|index| self.tile(level, index).map(|(_, hashes)| hashes)).collect();
            self.stored.push(row);
            self.own.push(Vec::new());
        }
    }

    /// Reads a bundle and its tile, compares them, and grows the recomputed tree.
    fn bundle(&mut self, index: u64) {
        let width = tile::width(Column::Entries, index, self.size);
        let leaves = self.span(0, index);
        let stored = self.tile(0, index);
        let mut own = Vec::with_capacity(width as usize);
        let path = tile::path(Column::Entries, index, width);
        match tile::read(self.dir, Column::Entries, index, width) {
            Ok(found) => {
                let mut entries = Entries(&found.bytes);
                own.extend(entries.by_ref().take(width as usize).map(Hash::of_leaf));
                let surplus = !entries.0.is_empty() && found.path == path;
                self.compare(index, &own, stored.as_ref(), (found.path, surplus));
            }
            Err(error) if tile::missing(&error) => {
                self.absent.insert(index);
            }
            Err(error) => self.find(FindingKind::Unreadable, path, leaves, error.to_string()),
        }
        let complete = own.len() as u64 == width;
        let hashes = if complete { Some(own) } else { stored.map(|(_, hashes)| hashes) };
        self.grow(index, width, hashes.as_deref());
    }

    /// Notes how entries and tile differ.
    fn compare(&mut self, index: u64, own: &[Hash], stored: Option<&(PathBuf, Vec<Hash>)>, bundle: (PathBuf, bool)) {
        let leaves = self.span(0, index);
        let first = leaves.start;
        let width = (leaves.end - first) as usize;
        let (path, surplus) = bundle;
        let complete = own.len() == width;
        let Some((tile, stored)) = stored else {
            if !complete || surplus {
                let from = first + own.len() as u64;
                self.find(
                    FindingKind::EntryChanged,
                    path,
                    from.min(leaves.end)..leaves.end,
                    "entries were dropped or added",
                );
            }
            return;
        };
        let differs = |at: usize| own.get(at) != Some(&stored[at]);
        let mut ranges: Vec<Range<u64>> = Vec::new();
        for at in (0..width).filter(|at| differs(*at)) {
            let number = first + at as u64;
            match ranges.last_mut() {
                Some(last) if last.end == number => last.end += 1,
                _ => ranges.push(number..number + 1),
            }
        }
        let cut_off = !complete && ranges.len() == 1 && ranges[0] == (first + own.len() as u64..leaves.end);
        if cut_off && !surplus && leaves.end == self.size {
            let range = ranges.remove(0);
            return self.find(
                FindingKind::Truncated,
                path,
                range,
                "the last bundle has fewer entries than the checkpoint states",
            );
        }
        if surplus && ranges.is_empty() {
            return self.find(
                FindingKind::EntryChanged,
                path,
                leaves.end - 1..leaves.end,
                "more follows the last entry",
            );
        }
        if !ranges.is_empty() {
            let detail =
                if complete { "the leaf hash differs from the tile's" } else { "entries were dropped or resized" };
            let own = complete.then(|| top(own));
            let suspect = Suspect { ranges, own, stored: top(stored), tile: tile.clone(), bundle: path, detail };
            self.suspects.insert(index, suspect);
        }
    }

    /// Adds a tile's leaf hashes to the recomputed tree, or what the tile above says if there are none.
    fn grow(&mut self, index: u64, width: u64, hashes: Option<&[Hash]>) {
        let above = || {
            let tile = self.stored.first()?.get((index / WIDTH) as usize)?.as_ref()?;
            tile.get((index % WIDTH) as usize).copied()
        };
        let above = if hashes.is_none() && width == WIDTH { above() } else { None };
        let Some(frontier) = &mut self.frontier else {
            if let (Some(hashes), Some(row), WIDTH) = (hashes, self.own.first_mut(), width) {
                row.resize(index as usize, None);
                row.push(Some(top(hashes)));
            }
            return;
        };
        let rows = &mut self.own;
        let mut completed = |level: u8, hash: &Hash| {
            if level > 0
                && level.is_multiple_of(HEIGHT)
                && let Some(row) = rows.get_mut(usize::from(level / HEIGHT) - 1)
            {
                row.push(Some(*hash));
            }
        };
        match (hashes, above) {
            (Some(hashes), _) => {
                for hash in hashes {
                    frontier.push_with(0, *hash, &mut completed);
                    if frontier.size() == self.at.0 {
                        self.at.1 = Some(frontier.root());
                    }
                }
            }
            (None, Some(hash)) => {
                frontier.push_with(HEIGHT, hash, &mut completed);
                if frontier.size() == self.at.0 {
                    self.at.1 = Some(frontier.root());
                }
            }
            (None, None) => self.frontier = None,
        }
    }

    /// Absent bundles: those at the end were cut off, others are missing.
    fn join_absent(&mut self, tiles: u64) {
        let absent = std::mem::take(&mut self.absent);
        let cut = (0..tiles).rev().take_while(|index| absent.contains(index)).last();
        for index in absent.iter().copied().filter(|index| cut.is_none_or(|cut| *index <= cut)) {
            let path = tile::path(Column::Entries, index, tile::width(Column::Entries, index, self.size));
            let leaves = self.span(0, index);
            if cut == Some(index) {
                self.find(FindingKind::Truncated, path, leaves.start..self.size, "the last bundles are missing");
            } else {
                self.find(FindingKind::EntryMissing, path, leaves, "the bundle is missing");
            }
        }
        self.absent = absent;
    }

    /// Compares with the signed root and turns every disagreement into findings. `file` holds the root.
    pub fn judge(&mut self, root: &Hash, file: &Path) {
        let own = self.frontier.as_ref().map(Frontier::root);
        let sound = own == Some(*root);
        let stored = self.stored_root();
        let edge = stored == Some(*root);
        (self.sound, self.edge) = (sound, edge);
        let mut blamed = BTreeSet::new();
        for (index, suspect) in std::mem::take(&mut self.suspects) {
            blamed.insert((0, index));
            let entries_true = suspect.own.is_some() && (sound || edge && self.vouched(index) == suspect.own);
            // Where entries are missing, the recomputed tree was made of the tile.
            let tile_true =
                if sound { suspect.own.is_none() } else { edge && self.authentic(0, index, suspect.stored) };
            let whole = suspect.ranges[0].start..suspect.ranges[suspect.ranges.len() - 1].end;
            if !entries_true {
                for range in suspect.ranges {
                    self.find(FindingKind::EntryChanged, suspect.bundle.clone(), range, suspect.detail);
                }
            }
            if !tile_true {
                self.find(FindingKind::TileDamaged, suspect.tile, whole, "its hashes differ from the entries'");
            }
        }
        for level in 1..=self.stored.len() as u8 {
            for index in 0..self.stored[usize::from(level) - 1].len() as u64 {
                self.judge_upper(level, index, edge && !sound, &mut blamed);
            }
        }
        if !sound && !edge && (own.is_some() || stored.is_some()) {
            let detail = "neither the entries nor the tiles lead to the signed root";
            self.find(FindingKind::RootMismatch, file.to_owned(), 0..self.size, detail);
        }
    }

    /// A stored tile above level 0 against the recomputed one. `edge`: the entries are not true, the right edge is.
    fn judge_upper(&mut self, level: u8, index: u64, edge: bool, blamed: &mut BTreeSet<(u8, u64)>) {
        let row = usize::from(level) - 1;
        let Some(stored) = self.stored[row][index as usize].clone() else { return };
        let own = |at: usize| self.own[row].get(index as usize * WIDTH as usize + at).copied().flatten();
        let differing: Vec<_> = (0..stored.len())
            .filter(|at| own(*at).is_some_and(|own| own != stored[*at]))
            .map(|at| index * WIDTH + at as u64)
            .collect();
        if differing.is_empty() {
            return;
        }
        blamed.insert((level, index));
        if !(edge && self.authentic(level, index, top(&stored))) {
            let path = tile::path(Column::Hashes(level), index, stored.len() as u64);
            let leaves =
                self.span(level - 1, differing[0]).start..self.span(level - 1, differing[differing.len() - 1]).end;
            self.find(FindingKind::TileDamaged, path, leaves, "its hashes differ from those of the tiles below");
            return;
        }
        // The tile is true, so what lies under it was changed; unless that is known from further down, say so.
        for child in differing.into_iter().filter(|child| !blamed.contains(&(level - 1, *child))) {
            let leaves = self.span(level - 1, child);
            let tile = tile::path(Column::Hashes(level - 1), child, WIDTH);
            self.find(FindingKind::TileDamaged, tile, leaves.clone(), "it does not lead to the tile above");
            let bundle = tile::path(Column::Entries, leaves.start / WIDTH, WIDTH);
            self.find(FindingKind::EntryChanged, bundle, leaves, "entries and their tile were changed together");
        }
    }

    /// The hash that the tile above states for a whole tile of level 0, if it leads to the signed root.
    fn vouched(&self, index: u64) -> Option<Hash> {
        let tile = self.stored.first()?.get((index / WIDTH) as usize)?.as_ref()?;
        let hash = tile.get((index % WIDTH) as usize)?;
        self.authentic(1, index / WIDTH, top(tile)).then_some(*hash)
    }

    /// Whether a stored tile leads to the signed root, given that the right edge does. `hash` is over the tile.
    fn authentic(&self, level: u8, index: u64, hash: Hash) -> bool {
        if tile::width(Column::Hashes(level), index, self.size) < WIDTH {
            return true;
        }
        let above = self.stored.get(usize::from(level)).and_then(|row| row.get((index / WIDTH) as usize)?.as_ref());
        let Some(above) = above else { return false };
        above.get((index % WIDTH) as usize) == Some(&hash) && self.authentic(level + 1, index / WIDTH, top(above))
    }

    /// The root that the partial tiles on the right edge lead to.
    fn stored_root(&self) -> Option<Hash> {
        let mut frontier = Frontier::default();
        for level in (0..=self.stored.len() as u8).rev() {
            let nodes = tile::nodes_at(level, self.size);
            let width = nodes % WIDTH;
            if width == 0 {
                continue;
            }
            let hashes = match level {
                0 => {
                    let found = tile::read(self.dir, Column::Hashes(0), nodes / WIDTH, width).ok()?;
                    tile::hashes(&found.bytes, width)?
                }
                _ => self.stored[usize::from(level) - 1].last()?.clone()?,
            };
            for hash in hashes {
                frontier.push_subtree(level * HEIGHT, hash);
            }
        }
        (frontier.size() == self.size).then(|| frontier.root())
    }

    /// Whether the signed tree had this root at the size asked for, after [`Scan::judge`]; `None` if too much of it
    /// is damaged to tell.
    pub fn had_root(&self, root: &Hash) -> Option<bool> {
        let (size, own) = self.at;
        let tiles = || merkle::root(&mut TileNodes::new(self.dir, self.size), size).ok();
        let stored = if size <= self.size { tiles() } else { None };
        if own == Some(*root) || stored == Some(*root) {
            return Some(true);
        }
        let tiles_true = self.edge
            && !self.findings.iter().any(|finding| {
                matches!(finding.kind, FindingKind::TileDamaged | FindingKind::TileMissing | FindingKind::Unreadable)
            });
        (self.sound && own.is_some() || tiles_true && stored.is_some()).then_some(false)
    }

    /// Adds a leaf beyond the checkpoint.
    pub fn push(&mut self, hash: Hash) {
        if let Some(frontier) = &mut self.frontier {
            frontier.push(hash);
            if frontier.size() == self.at.0 {
                self.at.1 = Some(frontier.root());
            }
        }
    }
}
