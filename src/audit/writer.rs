//! The writer of the audit log: one thread that makes batches durable and then tells those who wait.
//!
//! Invariant: whoever got `Ok` has their entries on the disk, payloads first; who got an error has done nothing yet and
//! must not. Entries of many tasks share one sync.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use data_encoding::HEXLOWER;
use jiff::{SignedDuration, Timestamp};
use prosopon_tlog::{Checkpoint, Log, Reader, Signer};
use tokio::sync::oneshot;

use crate::audit::error::AuditError;
use crate::audit::leaf::{Kind, Leaf};
use crate::audit::payloads::{Payloads, SealedPayload};
use crate::consent::gate::Clock;
use crate::keys::SubjectKey;

/// A clock may be set back so far without anybody being told; more is an error.
const TOLERANCE: SignedDuration = SignedDuration::from_secs(60);
/// As many leaves share one sync at most.
const BATCH: usize = 4096;
/// As many calls may wait at most.
const QUEUE: usize = 256;

/// An entry to be written.
#[derive(Debug)]
pub struct Entry {
    /// The leaf; time and tag are set by the writer.
    pub leaf: Leaf,
    /// Whom it is about, with what lies off the log.
    pub subject: Option<(SubjectKey, SealedPayload)>,
}

impl From<Leaf> for Entry {
    fn from(leaf: Leaf) -> Self {
        Self { leaf, subject: None }
    }
}

struct Job {
    entries: Vec<Entry>,
    publish: bool,
    reply: oneshot::Sender<Result<(), AuditError>>,
}

/// Where the parts of a log are.
#[derive(Debug, Clone)]
pub struct Place {
    /// The folder with `checkpoint` and `tile`.
    pub folder: PathBuf,
    /// The last known checkpoint, beside the ledger's.
    pub anchor: PathBuf,
    /// Name of the log, the first line of its checkpoints.
    pub origin: String,
}

impl Place {
    /// The place in a home.
    #[must_use]
    pub fn of(home: &Path, origin: String) -> Self {
        Self { folder: home.join("audit"), anchor: home.join("audit-checkpoint"), origin }
    }

    fn payloads(&self) -> PathBuf {
        self.folder.join("payloads.sqlite")
    }
}

/// The open log of a home. Others may write to it at the same time.
#[derive(Debug)]
pub struct AuditLog {
    sender: Option<SyncSender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl AuditLog {
    /// Creates the log of a new home, with its first entry.
    ///
    /// # Errors
    /// Not writable.
    pub fn create(place: &Place, signer: Signer, wall: &Clock) -> Result<(), AuditError> {
        let io = |source| AuditError::Io { path: place.folder.clone(), source: Arc::new(source) };
        crate::run::files::private_dir(&place.folder).map_err(io)?;
        let vkey = format!("{}\n", signer.vkey());
        let log = Self::start(place, signer, wall, false)?;
        log.append_now(vec![Leaf::new(Kind::Genesis).fact("code", env!("CARGO_PKG_VERSION")).into()])?;
        log.publish()?;
        let path = place.folder.join("vkey");
        crate::run::files::write_atomically(&path, vkey.as_bytes())
            .map_err(|source| AuditError::Io { path, source: Arc::new(source) })
    }

    /// Opens the log and holds it against its last known checkpoint.
    ///
    /// # Errors
    /// Missing, behind, exchanged, not writable, or the clock stands before its newest entry.
    pub fn open(place: &Place, signer: Signer, wall: &Clock) -> Result<Self, AuditError> {
        check_anchor(place)?;
        Self::start(place, signer, wall, true)
    }

    fn start(place: &Place, signer: Signer, wall: &Clock, check: bool) -> Result<Self, AuditError> {
        let fail = |source| AuditError::Log { path: place.folder.clone(), source: Arc::new(source) };
        let log = Log::open(&place.folder, &place.origin, signer).map_err(fail)?;
        let payloads = Payloads::open(&place.payloads())?;
        let newest = newest(place, log.size())?;
        let worker = Worker { log, payloads, place: place.clone(), wall: Arc::clone(wall), newest };
        if check {
            worker.time()?;
        }
        let (sender, receiver) = sync_channel(QUEUE);
        let thread = std::thread::Builder::new()
            .name("audit log".to_owned())
            .spawn(move || worker.run(&receiver))
            .map_err(|source| AuditError::Io { path: place.folder.clone(), source: Arc::new(source) })?;
        Ok(Self { sender: Some(sender), thread: Some(thread) })
    }

    fn send(&self, entries: Vec<Entry>, publish: bool) -> oneshot::Receiver<Result<(), AuditError>> {
        let (reply, answer) = oneshot::channel();
        if let Some(sender) = &self.sender {
            // A writer that has ended drops the reply, which the caller sees as `Closed`.
            let _ = sender.send(Job { entries, publish, reply });
        }
        answer
    }

    /// Makes entries durable, all or none.
    ///
    /// # Errors
    /// See [`AuditError`]; what the entries announce must then not be done.
    pub async fn append(&self, entries: Vec<Entry>) -> Result<(), AuditError> {
        if entries.is_empty() {
            return Ok(());
        }
        self.send(entries, false).await.unwrap_or(Err(AuditError::Closed))
    }

    /// Makes entries durable, outside of tasks.
    ///
    /// # Errors
    /// See [`Self::append`].
    pub fn append_now(&self, entries: Vec<Entry>) -> Result<(), AuditError> {
        self.send(entries, false).blocking_recv().unwrap_or(Err(AuditError::Closed))
    }

    /// Writes tiles, signs a checkpoint over all entries, and keeps a copy of it outside the log.
    ///
    /// # Errors
    /// See [`AuditError`].
    pub fn publish(&self) -> Result<(), AuditError> {
        self.send(Vec::new(), true).blocking_recv().unwrap_or(Err(AuditError::Closed))
    }

    /// As [`Self::publish`], within a task.
    ///
    /// # Errors
    /// See [`AuditError`].
    pub async fn publish_soon(&self) -> Result<(), AuditError> {
        self.send(Vec::new(), true).await.unwrap_or(Err(AuditError::Closed))
    }
}

impl Drop for AuditLog {
    fn drop(&mut self) {
        self.sender.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// What the thread works with.
struct Worker {
    log: Log,
    payloads: Payloads,
    place: Place,
    wall: Clock,
    newest: Timestamp,
}

impl Worker {
    fn run(mut self, receiver: &Receiver<Job>) {
        while let Ok(first) = receiver.recv() {
            let mut jobs = vec![first];
            let mut leaves = jobs[0].entries.len();
            while leaves < BATCH && !jobs.last().is_some_and(|j| j.publish) {
                let Ok(job) = receiver.try_recv() else { break };
                leaves += job.entries.len();
                jobs.push(job);
            }
            let (entries, waiting): (Vec<Vec<Entry>>, Vec<_>) =
                jobs.into_iter().map(|j| (j.entries, (j.reply, j.publish))).unzip();
            let mut result = self.write(entries.into_iter().flatten().collect());
            if result.is_ok() && waiting.iter().any(|(_, publish)| *publish) {
                result = self.publish();
            }
            for (reply, _) in waiting {
                let _ = reply.send(result.clone());
            }
        }
    }

    /// The time of the next entry: never before the one before it.
    fn time(&self) -> Result<Timestamp, AuditError> {
        let now = (self.wall)();
        if now.checked_add(TOLERANCE).is_ok_and(|limit| limit < self.newest) {
            return Err(AuditError::ClockBack { now, newest: self.newest });
        }
        Ok(now.max(self.newest))
    }

    fn write(&mut self, mut entries: Vec<Entry>) -> Result<(), AuditError> {
        if entries.is_empty() {
            return Ok(());
        }
        let at = self.time()?;
        for entry in &mut entries {
            entry.leaf.at = at;
            if let Some((key, payload)) = &entry.subject {
                entry.leaf.subject = Some(key.tag(at));
                entry.leaf.payload = Some(HEXLOWER.encode(payload.commitment()));
            }
        }
        let payloads = entries.iter().filter_map(|e| e.subject.as_ref().map(|(_, payload)| payload));
        self.payloads.store(payloads)?;
        let leaves: Vec<Vec<u8>> = entries.iter().map(|e| e.leaf.bytes()).collect();
        let fail = |source| AuditError::Log { path: self.place.folder.clone(), source: Arc::new(source) };
        self.log.append_batch(&leaves).map_err(fail)?;
        self.newest = at;
        Ok(())
    }

    fn publish(&mut self) -> Result<(), AuditError> {
        let fail = |source| AuditError::Log { path: self.place.folder.clone(), source: Arc::new(source) };
        let note = self.log.publish().map_err(fail)?.to_string();
        let path = &self.place.anchor;
        crate::run::files::write_atomically(path, note.as_bytes())
            .map_err(|source| AuditError::Io { path: path.clone(), source: Arc::new(source) })
    }
}

/// The last checkpoint that was kept outside the log.
///
/// # Errors
/// Missing or damaged.
pub fn anchor(place: &Place) -> Result<Checkpoint, AuditError> {
    let damaged = || AuditError::Anchor { path: place.anchor.clone() };
    let text = std::fs::read_to_string(&place.anchor).map_err(|_| damaged())?;
    text.parse().map_err(|_| damaged())
}

/// A log that holds less than it once did, or something else, is no log to go on with.
fn check_anchor(place: &Place) -> Result<(), AuditError> {
    let anchor = anchor(place)?;
    let behind = |found| AuditError::Behind {
        path: place.folder.clone(),
        found,
        expected: anchor.size(),
        anchor: place.anchor.clone(),
    };
    if !place.folder.join("checkpoint").exists() {
        return Err(behind(0));
    }
    let fail = |source| AuditError::Log { path: place.folder.clone(), source: Arc::new(source) };
    let reader = Reader::open(&place.folder).map_err(fail)?;
    let found = reader.checkpoint().size();
    if found < anchor.size() {
        return Err(behind(found));
    }
    if reader.root_at(anchor.size()).map_err(fail)? != *anchor.root() {
        return Err(AuditError::Forked { path: place.folder.clone(), entries: anchor.size() });
    }
    Ok(())
}

/// The time of the newest entry, also of those that are not in tiles yet.
fn newest(place: &Place, size: u64) -> Result<Timestamp, AuditError> {
    let fail = |source| AuditError::Log { path: place.folder.clone(), source: Arc::new(source) };
    if size == 0 {
        return Ok(Timestamp::MIN);
    }
    let reader = Reader::open(&place.folder).map_err(fail)?;
    let pending = reader.pending().map_err(fail)?;
    let last = match pending.iter().last() {
        Some(bytes) => Some(bytes.to_vec()),
        None => {
            let size = reader.checkpoint().size();
            let mut leaves = reader.leaves(size.saturating_sub(1)..size).map_err(fail)?;
            leaves.next().transpose().map_err(fail)?
        }
    };
    let read = last.and_then(|bytes| Leaf::read(&bytes).ok());
    read.map(|leaf| leaf.at).ok_or(AuditError::Entry { path: place.folder.clone(), seq: size - 1 })
}
