//! Writing a log: batches into the segment, the segment into tiles.
//!
//! Invariant: a batch is acknowledged once its record is synced in `pending`; `checkpoint` covers only what is
//! synced in tiles; `pending` starts over only once `checkpoint` is durable. All of it under the lock on `lock`.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::checkpoint::Checkpoint;
use crate::disk::Disk;
use crate::edge::Edge;
use crate::error::{Error, RESTORE};
use crate::keys::Signer;
use crate::merkle::{self, Hash};
use crate::segment::{self, Record, Tail};
use crate::tile::{ENTRY_BYTES, TileNodes, missing};

pub(crate) const CHECKPOINT: &str = "checkpoint";
pub(crate) const PENDING: &str = "pending";
pub(crate) const LOCK: &str = "lock";

/// Bytes in the segment from which it is published by itself; as much is held in memory until then.
const SEGMENT_BYTES: u64 = 4 << 20;

/// A log open for appending. Several, in one process or many, may be open on one directory.
///
/// Leaves are durable when [`append_batch`](Self::append_batch) returns; readers see them once they are published:
/// by [`publish`](Self::publish), by the next [`open`](Self::open), or when the segment has grown to 4 MiB.
#[derive(Debug)]
pub struct Log {
    dir: PathBuf,
    origin: String,
    signer: Signer,
    disk: Disk,
    lock: Arc<File>,
    edge: Edge,
    segment: Segment,
    /// The latest acknowledged checkpoint.
    latest: Checkpoint,
    segment_bytes: u64,
}

/// The segment as this log last saw it.
#[derive(Debug)]
struct Segment {
    file: File,
    header: Vec<u8>,
    /// Where the next record goes.
    end: u64,
    /// Length at which to publish.
    publish_at: u64,
}

/// Holds the lock until dropped.
struct Guard(Arc<File>);

impl Drop for Guard {
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}

impl Log {
    /// Opens the log in `dir`, or starts one there, and recovers and publishes what a crash left pending.
    ///
    /// # Errors
    /// [`Error::Damaged`] if acknowledged leaves cannot be recovered: nothing is changed then. [`Error::Foreign`]
    /// if the checkpoint has another origin or is not signed by `signer`. [`Error::DiskFull`],
    /// [`Error::NotWritable`], [`Error::Io`] if the disk does not play along.
    pub fn open(dir: impl AsRef<Path>, origin: &str, signer: Signer) -> Result<Self, Error> {
        Self::open_on(dir.as_ref(), origin, signer, Disk::default())
    }

    pub(crate) fn open_on(dir: &Path, origin: &str, signer: Signer, disk: Disk) -> Result<Self, Error> {
        if !dir.is_dir() {
            disk.create_dirs(dir)?;
        }
        let lock = Arc::new(disk.open(&dir.join(LOCK))?);
        let _guard = locked(&lock, dir)?;
        let (edge, segment, latest) = recover(dir, origin, &signer, &disk)?;
        let mut log = Self {
            dir: dir.to_owned(),
            origin: origin.to_owned(),
            signer,
            disk,
            lock,
            edge,
            segment,
            latest,
            segment_bytes: SEGMENT_BYTES,
        };
        log.segment.publish_at = log.segment_bytes;
        log.publish_locked()?;
        Ok(log)
    }

    /// Publishes when the segment has grown to so many bytes, instead of 4 MiB. Recovery reads as much at most,
    /// and one batch more.
    #[must_use]
    pub fn segment_bytes(mut self, bytes: u64) -> Self {
        self.segment_bytes = bytes;
        self.segment.publish_at = bytes;
        self
    }

    /// Appends leaves of up to 65,535 bytes, all or none; returns their numbers. Durable and signed on return, for
    /// one sync of one file.
    ///
    /// # Errors
    /// Nothing was acknowledged, and the log can be appended to again. If even taking back the write failed, the
    /// whole batch may still turn up later. [`Error::Damaged`] if acknowledged leaves are gone from the disk.
    pub fn append_batch(&mut self, leaves: &[impl AsRef<[u8]>]) -> Result<Range<u64>, Error> {
        if let Some((index, leaf)) = leaves.iter().enumerate().find(|(_, leaf)| leaf.as_ref().len() > ENTRY_BYTES) {
            return Err(Error::LeafTooLong { index, len: leaf.as_ref().len() });
        }
        let _guard = locked(&self.lock, &self.dir)?;
        self.refresh()?;
        let first = self.edge.size();
        if leaves.is_empty() {
            return Ok(first..first);
        }
        let hashes: Vec<_> = leaves.iter().map(|leaf| Hash::of_leaf(leaf.as_ref())).collect();
        let staged = self.edge.stage(&hashes);
        let size = first + leaves.len() as u64;
        let after = Checkpoint::sign(&self.origin, size, &staged.root(), &self.signer)?;
        let record = segment::record(leaves, &hashes, &after);
        let segment = &mut self.segment;
        self.disk.append(&mut segment.file, &self.dir.join(PENDING), segment.end, &record)?;
        segment.end += record.len() as u64;
        self.edge.commit(staged, leaves.iter().map(AsRef::as_ref));
        self.latest = after;
        if self.segment.end >= self.segment.publish_at && self.publish_locked().is_err() {
            // The leaves are safe in the segment, so the append has succeeded; try again later.
            self.segment.publish_at = self.segment.end + self.segment_bytes;
        }
        Ok(first..size)
    }

    /// Moves all acknowledged leaves, also those of other processes, into tiles that readers see, and returns the
    /// checkpoint that covers them.
    ///
    /// # Errors
    /// The leaves stay safe in the segment.
    pub fn publish(&mut self) -> Result<&Checkpoint, Error> {
        let _guard = locked(&self.lock, &self.dir)?;
        self.refresh()?;
        self.publish_locked()?;
        Ok(&self.latest)
    }

    /// The checkpoint after the latest batch that this log appended or saw, published or not.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.latest
    }

    /// Number of leaves under [`checkpoint`](Self::checkpoint).
    pub fn size(&self) -> u64 {
        self.edge.size()
    }

    fn publish_locked(&mut self) -> Result<(), Error> {
        let durable = read_checkpoint(&self.dir)?.map_or(0, |checkpoint| checkpoint.size());
        if durable > self.edge.published() {
            // Somebody published and could not start a new segment. Published tiles must not be written again.
            self.reload()?;
        }
        if self.edge.published() < self.edge.size() {
            let files = self.edge.write_tiles(&self.disk, &self.dir)?;
            self.disk.sync_all(&self.dir, &files)?;
            self.disk.replace(&self.dir.join(CHECKPOINT), self.latest.to_string().as_bytes())?;
            self.edge.published_all(&self.disk, &self.dir);
        }
        if self.segment.end > self.segment.header.len() as u64 {
            self.segment = start_segment(&self.dir, &self.disk, &self.latest)?;
            self.segment.publish_at = self.segment_bytes;
        }
        Ok(())
    }

    /// Takes in what others have appended since. Costs two small reads if nobody has.
    fn refresh(&mut self) -> Result<(), Error> {
        let path = self.dir.join(PENDING);
        let mut file = self.disk.open_existing(&path)?;
        let mut header = vec![0; self.segment.header.len()];
        let same = file.read_exact(&mut header).is_ok() && header == self.segment.header;
        if !same {
            return self.reload();
        }
        let len = file.metadata().map_err(|error| Error::io("read", &path, error))?.len();
        self.segment.file = file;
        if len < self.segment.end {
            let what = format!("it has {len} bytes, and {} were acknowledged", self.segment.end);
            return Err(Error::damaged(&path, what, RESTORE));
        }
        if len > self.segment.end {
            let bytes =
                read_from(&mut self.segment.file, self.segment.end).map_err(|error| Error::io("read", &path, error))?;
            let found = segment::parse_records(&bytes, self.segment.end, self.edge.size());
            check_tail(&path, &found.tail)?;
            for record in found.records {
                let (after, len) = (record.after.clone(), record.len as u64);
                ingest(&mut self.edge, record, &path, &self.origin, &self.signer)?;
                self.latest = after;
                self.segment.end += len;
            }
            if found.tail == Tail::Torn {
                self.disk.truncate(&self.segment.file, &path, found.end)?;
            }
        }
        Ok(())
    }

    /// Somebody else has published: starts over from the disk, which must extend what this log has seen.
    fn reload(&mut self) -> Result<(), Error> {
        let (edge, segment, latest) = recover(&self.dir, &self.origin, &self.signer, &self.disk)?;
        let seen = self.edge.size();
        let path = self.dir.join(CHECKPOINT);
        if edge.size() < seen {
            let what = format!("the log has gone back from {seen} leaves to {}", edge.size());
            return Err(Error::damaged(&path, what, RESTORE));
        }
        let root = match edge.root_at(seen) {
            Some(root) => root,
            None => merkle::root(&mut TileNodes::new(&self.dir, edge.published()), seen.min(edge.published()))
                .map_err(|(path, error)| Error::io("read", &self.dir.join(path), error))?,
        };
        if root != self.edge.root() {
            let what = format!("the first {seen} leaves are not those that were acknowledged");
            return Err(Error::damaged(&path, what, RESTORE));
        }
        (self.edge, self.segment, self.latest) = (edge, segment, latest);
        self.segment.publish_at = self.segment_bytes;
        Ok(())
    }
}

fn locked(lock: &Arc<File>, dir: &Path) -> Result<Guard, Error> {
    lock.lock().map_err(|error| Error::io("lock", &dir.join(LOCK), error))?;
    Ok(Guard(Arc::clone(lock)))
}

/// Reads the log's state from disk, with the lock held: the published edge, and the segment's batches on top.
fn recover(dir: &Path, origin: &str, signer: &Signer, disk: &Disk) -> Result<(Edge, Segment, Checkpoint), Error> {
    let path = dir.join(PENDING);
    let published = read_checkpoint(dir)?;
    if let Some(published) = &published {
        check_ours(published, &dir.join(CHECKPOINT), origin, signer)?;
    }
    let Some(bytes) = read_if_there(&path)? else {
        return match published {
            Some(_) => Err(Error::damaged(
                &path,
                "it is missing",
                "restore it; or, if this is a restored copy that shall go on from its checkpoint, put an empty file there",
            )),
            None => start(dir, origin, signer, disk),
        };
    };
    if let (true, Some(published)) = (bytes.is_empty(), &published) {
        let edge = Edge::load(dir, published.size(), published.root())?;
        return Ok((edge, start_segment(dir, disk, published)?, published.clone()));
    }
    let Some((base, header)) = segment::parse_header(&bytes) else {
        return Err(Error::damaged(&path, "its header is not readable", RESTORE));
    };
    check_ours(&base, &path, origin, signer)?;
    let published = match published {
        Some(published) if published.size() >= base.size() => published,
        // The segment's base was a checkpoint whose tiles were durable.
        _ => {
            disk.replace(&dir.join(CHECKPOINT), base.to_string().as_bytes())?;
            base.clone()
        }
    };
    if published.size() == base.size() && published.root() != base.root() {
        return Err(Error::damaged(&path, "it starts from another root than the checkpoint's", RESTORE));
    }
    let edge = Edge::load(dir, published.size(), published.root())?;
    replay(dir, edge, (&bytes, header), (&base, published), (origin, signer, disk))
}

/// Takes the batches beyond the published checkpoint into the edge, and cuts off a torn one.
fn replay(
    dir: &Path,
    mut edge: Edge,
    (bytes, header): (&[u8], usize),
    (base, published): (&Checkpoint, Checkpoint),
    (origin, signer, disk): (&str, &Signer, &Disk),
) -> Result<(Edge, Segment, Checkpoint), Error> {
    let path = dir.join(PENDING);
    let found = segment::parse_records(&bytes[header..], header as u64, base.size());
    check_tail(&path, &found.tail)?;
    let size = published.size();
    let boundary = |record: &Record<'_>| record.after.size() == size && record.after.root() == published.root();
    if size != base.size() && !found.records.iter().any(boundary) {
        return Err(Error::damaged(&path, format!("it does not lead to the checkpoint over {size} leaves"), RESTORE));
    }
    let mut latest = published;
    for record in found.records.into_iter().filter(|record| record.first() >= size) {
        let after = record.after.clone();
        ingest(&mut edge, record, &path, origin, signer)?;
        latest = after;
    }
    let file = disk.open_existing(&path)?;
    if found.tail == Tail::Torn {
        disk.truncate(&file, &path, found.end)?;
    }
    let segment = Segment { file, header: bytes[..header].to_vec(), end: found.end, publish_at: u64::MAX };
    Ok((edge, segment, latest))
}

/// Starts a log in a directory that has none.
fn start(dir: &Path, origin: &str, signer: &Signer, disk: &Disk) -> Result<(Edge, Segment, Checkpoint), Error> {
    let path = dir.join("tile");
    if path.exists() {
        return Err(Error::damaged(&path, "tiles are here, but neither checkpoint nor pending", RESTORE));
    }
    let root = Hash::empty_tree();
    let empty = Checkpoint::sign(origin, 0, &root, signer)?;
    let segment = start_segment(dir, disk, &empty)?;
    disk.replace(&dir.join(CHECKPOINT), empty.to_string().as_bytes())?;
    Ok((Edge::load(dir, 0, &root)?, segment, empty))
}

/// Replaces the segment by an empty one that starts from this checkpoint, whose tiles are durable.
fn start_segment(dir: &Path, disk: &Disk, base: &Checkpoint) -> Result<Segment, Error> {
    let path = dir.join(PENDING);
    let header = segment::header(base);
    disk.replace(&path, &header)?;
    let file = disk.open_existing(&path)?;
    let end = header.len() as u64;
    Ok(Segment { file, header, end, publish_at: u64::MAX })
}

/// Takes a batch that was read back into the edge, if it leads to the signed root.
fn ingest(edge: &mut Edge, record: Record<'_>, path: &Path, origin: &str, signer: &Signer) -> Result<(), Error> {
    check_ours(&record.after, path, origin, signer)?;
    let staged = edge.stage(&record.hashes);
    if staged.root() != *record.after.root() {
        let what = format!("the batch from leaf {} does not lead to its signed root", record.first());
        return Err(Error::damaged(path, what, RESTORE));
    }
    edge.commit(staged, record.entries);
    Ok(())
}

fn check_tail(path: &Path, tail: &Tail) -> Result<(), Error> {
    match tail {
        Tail::Clean | Tail::Torn => Ok(()),
        Tail::Damaged(at) => {
            Err(Error::damaged(path, format!("the batch at byte {at} was changed, not torn by a crash"), RESTORE))
        }
    }
}

fn check_ours(checkpoint: &Checkpoint, path: &Path, origin: &str, signer: &Signer) -> Result<(), Error> {
    let foreign = |what| Err(Error::Foreign { path: path.to_owned(), what });
    if checkpoint.origin() != origin {
        return foreign("the origin differs");
    }
    match checkpoint.signed_by(signer.vkey()) {
        Ok(()) => Ok(()),
        Err(crate::SignatureError::UnknownKey) => foreign("it is signed with another key"),
        Err(crate::SignatureError::Invalid) => foreign("its signature is invalid"),
    }
}

/// The checkpoint file, if there is one.
pub(crate) fn read_checkpoint(dir: &Path) -> Result<Option<Checkpoint>, Error> {
    let path = dir.join(CHECKPOINT);
    let Some(bytes) = read_if_there(&path)? else { return Ok(None) };
    match String::from_utf8(bytes)
        .map_err(|_| "it is not UTF-8".to_owned())
        .and_then(|text| text.parse::<Checkpoint>().map_err(|error| error.to_string()))
    {
        Ok(checkpoint) => Ok(Some(checkpoint)),
        Err(what) => {
            let remedy = "restore it, or remove it and open the log: it is rebuilt from the signed copy in `pending`";
            Err(Error::damaged(&path, what, remedy))
        }
    }
}

pub(crate) fn read_if_there(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if missing(&error) => Ok(None),
        Err(error) => Err(Error::io("read", path, error)),
    }
}

fn read_from(file: &mut File, at: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(at))?;
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}
