//! The writer of the audit log: one thread that makes batches durable and then tells those who wait.
//!
//! Invariant: whoever got `Ok` has their entries on the disk, payloads first; who got an error has done nothing yet and
//! must not. Entries of many tasks share one sync.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use data_encoding::HEXLOWER;
use jiff::{SignedDuration, Timestamp};
use prosopon_tlog::{Log, Signer};
use tokio::sync::oneshot;

use crate::audit::anchor::{check_anchor, newest};
use crate::audit::error::AuditError;
use crate::audit::leaf::Leaf;
use crate::audit::payloads::{Payloads, SealedPayload};
use crate::audit::render;
use crate::consent::gate::Clock;
use crate::cpu::thread_micros;
use crate::keys::SubjectKey;

/// A clock may be set back so far without anybody being told; more is an error.
const TOLERANCE: SignedDuration = SignedDuration::from_secs(60);
/// As many leaves share one sync at most.
const BATCH: usize = 16_384;
/// As many calls may wait at most.
const QUEUE: usize = 256;
/// Where calls come faster than they are written, as long is waited for more that share the sync.
const LINGER: Duration = Duration::from_millis(10);
/// From so many entries on, nobody is waited for, and payloads are stored by a thread of their own while the leaves are
/// made.
const MANY: usize = 512;

/// An entry to be written.
#[derive(Debug)]
pub struct Entry {
    /// The leaf; time and tag are set by the writer.
    pub leaf: Leaf,
    /// The decisions of the leaf as bytes, where they are not in it.
    decisions: Option<Vec<u8>>,
    /// Whom it is about, with what lies off the log, if anything does.
    subject: Option<(SubjectKey, Option<SealedPayload>)>,
}

impl Entry {
    /// An entry about a person, with what lies off the log, if anything does.
    #[must_use]
    pub const fn of(leaf: Leaf, key: SubjectKey, payload: Option<SealedPayload>) -> Self {
        Self { leaf, decisions: None, subject: Some((key, payload)) }
    }

    /// The same with decisions in place of those of the leaf, as [`render::decisions`] makes them.
    pub(super) fn with(self, decisions: Vec<u8>) -> Self {
        Self { decisions: Some(decisions), ..self }
    }

    fn bytes(&self) -> Vec<u8> {
        self.decisions.as_ref().map_or_else(|| self.leaf.bytes(), |decisions| render::leaf(&self.leaf, decisions))
    }
}

impl From<Leaf> for Entry {
    fn from(leaf: Leaf) -> Self {
        Self { leaf, decisions: None, subject: None }
    }
}

struct Job {
    entries: Vec<Entry>,
    publish: bool,
    reply: Reply,
}

/// Numbers of the entries, or why none was written.
type Written = Result<Range<u64>, AuditError>;

/// Who waits: a task, or a thread.
enum Reply {
    Task(oneshot::Sender<Written>),
    Thread(Sender<Written>),
}

impl Reply {
    /// Who does not wait any more does not hear it.
    fn send(self, result: Written) {
        match self {
            Self::Task(to) => drop(to.send(result)),
            Self::Thread(to) => drop(to.send(result)),
        }
    }
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

    /// The store of sealed payloads.
    #[must_use]
    pub fn payloads(&self) -> PathBuf {
        self.folder.join("payloads.sqlite")
    }
}

/// The open log of a home. Others may write to it at the same time.
#[derive(Debug)]
pub struct AuditLog {
    sender: Option<SyncSender<Job>>,
    thread: Option<JoinHandle<()>>,
    /// Microseconds.
    busy: Arc<AtomicU64>,
}

impl AuditLog {
    /// Creates the log of a new home, with its first entry.
    ///
    /// # Errors
    /// Not writable.
    pub fn create(place: &Place, signer: Signer, wall: &Clock, genesis: Leaf) -> Result<(), AuditError> {
        let io = |source| AuditError::Io { path: place.folder.clone(), source: Arc::new(source) };
        crate::run::files::private_dir(&place.folder).map_err(io)?;
        let vkey = format!("{}\n", signer.vkey());
        let log = Self::start(place, signer, wall, false)?;
        log.append_now(vec![genesis.into()])?;
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
        let fail = |source| AuditError::of_log(place.folder.clone(), source);
        let log = Log::open(&place.folder, &place.origin, signer).map_err(fail)?;
        let payloads = Payloads::open(&place.payloads())?;
        let newest = newest(place, log.size())?;
        let busy = Arc::new(AtomicU64::new(0));
        let worker =
            Worker { log, payloads, place: place.clone(), wall: Arc::clone(wall), newest, busy: Arc::clone(&busy) };
        if check {
            worker.time()?;
        }
        let (sender, receiver) = sync_channel(QUEUE);
        let thread = std::thread::Builder::new()
            .name("audit log".to_owned())
            .spawn(move || worker.run(&receiver))
            .map_err(|source| AuditError::Io { path: place.folder.clone(), source: Arc::new(source) })?;
        Ok(Self { sender: Some(sender), thread: Some(thread), busy })
    }

    /// CPU time that the log has used since this was asked last: microseconds.
    #[must_use]
    pub fn take_busy(&self) -> u64 {
        self.busy.swap(0, Ordering::Relaxed)
    }

    fn send(&self, entries: Vec<Entry>, publish: bool, reply: Reply) {
        if let Some(sender) = &self.sender {
            // A writer that has ended drops the reply, which the caller sees as `Closed`.
            let _ = sender.send(Job { entries, publish, reply });
        }
    }

    fn send_and_wait(&self, entries: Vec<Entry>, publish: bool) -> Written {
        let (reply, answer) = channel();
        self.send(entries, publish, Reply::Thread(reply));
        answer.recv().unwrap_or(Err(AuditError::Closed))
    }

    /// Makes entries durable, all or none; tells their numbers.
    ///
    /// # Errors
    /// See [`AuditError`]; what the entries announce must then not be done.
    pub async fn append(&self, entries: Vec<Entry>) -> Result<Range<u64>, AuditError> {
        if entries.is_empty() {
            return Ok(0..0);
        }
        let (reply, answer) = oneshot::channel();
        self.send(entries, false, Reply::Task(reply));
        answer.await.unwrap_or(Err(AuditError::Closed))
    }

    /// Makes entries durable, outside of tasks; tells their numbers.
    ///
    /// # Errors
    /// See [`Self::append`].
    pub fn append_now(&self, entries: Vec<Entry>) -> Result<Range<u64>, AuditError> {
        self.send_and_wait(entries, false)
    }

    /// Writes tiles, signs a checkpoint over all entries, and keeps a copy of it outside the log.
    ///
    /// # Errors
    /// See [`AuditError`].
    pub fn publish(&self) -> Result<(), AuditError> {
        self.send_and_wait(Vec::new(), true).map(drop)
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
    busy: Arc<AtomicU64>,
}

impl Worker {
    fn run(mut self, receiver: &Receiver<Job>) {
        let mut early: Option<Job> = None;
        loop {
            let is_crowded = early.is_some();
            let Some(first) = early.or_else(|| receiver.recv().ok()) else { break };
            let begin = thread_micros();
            let jobs = gather(first, receiver, is_crowded);
            let (entries, waiting): (Vec<Vec<Entry>>, Vec<_>) =
                jobs.into_iter().map(|j| (j.entries, (j.reply, j.publish))).unzip();
            let sizes: Vec<u64> = entries.iter().map(|e| e.len() as u64).collect();
            let mut result = self.write(entries.into_iter().flatten().collect());
            if waiting.iter().any(|(_, publish)| *publish) {
                result = result.and_then(|first| self.publish().map(|()| first));
            }
            self.busy.fetch_add(thread_micros().saturating_sub(begin), Ordering::Relaxed);
            let mut next = result.as_ref().copied().unwrap_or_default();
            for ((reply, _), size) in waiting.into_iter().zip(sizes) {
                reply.send(result.clone().map(|_| next..next + size));
                next += size;
            }
            early = receiver.try_recv().ok();
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

    /// Writes entries; the number of the first.
    fn write(&mut self, mut entries: Vec<Entry>) -> Result<u64, AuditError> {
        if entries.is_empty() {
            return Ok(self.log.size());
        }
        let at = self.time()?;
        for entry in &mut entries {
            entry.leaf.at = at;
            if let Some((key, payload)) = &entry.subject {
                entry.leaf.subject = Some(key.tag(at));
                entry.leaf.payload = payload.as_ref().map(|p| HEXLOWER.encode(p.commitment()));
            }
        }
        let leaves = self.store(&entries)?;
        let fail = |source| AuditError::of_log(self.place.folder.clone(), source);
        let numbers = self.log.append_batch(&leaves).map_err(fail)?;
        self.newest = at;
        Ok(numbers.start)
    }

    /// Stores what lies off the log, durably, and makes the leaves meanwhile.
    fn store(&mut self, entries: &[Entry]) -> Result<Vec<Vec<u8>>, AuditError> {
        let payloads = entries.iter().filter_map(|e| e.subject.as_ref()?.1.as_ref());
        let leaves = || entries.iter().map(Entry::bytes).collect();
        if entries.len() < MANY {
            self.payloads.store(payloads)?;
            return Ok(leaves());
        }
        let (store, busy) = (&mut self.payloads, &self.busy);
        std::thread::scope(|scope| {
            let stored = scope.spawn(move || {
                let stored = store.store(payloads);
                busy.fetch_add(thread_micros(), Ordering::Relaxed);
                stored
            });
            let leaves = leaves();
            stored.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
            Ok(leaves)
        })
    }

    fn publish(&mut self) -> Result<(), AuditError> {
        let fail = |source| AuditError::of_log(self.place.folder.clone(), source);
        let note = self.log.publish().map_err(fail)?.to_string();
        let path = &self.place.anchor;
        crate::run::files::write_atomically(path, note.as_bytes())
            .map_err(|source| AuditError::Io { path: path.clone(), source: Arc::new(source) })
    }
}

/// Takes what waits already, so that it shares a sync. Where calls come faster than they are written, a moment is given
/// to those that are about to come: syncs cost more than all else.
fn gather(first: Job, receiver: &Receiver<Job>, is_crowded: bool) -> Vec<Job> {
    let until = is_crowded.then(|| Instant::now() + LINGER);
    let (mut leaves, mut jobs) = (first.entries.len(), vec![first]);
    while leaves < BATCH && !jobs.last().is_some_and(|j| j.publish) {
        let next = match until.filter(|_| leaves < MANY) {
            Some(until) => receiver.recv_timeout(until.saturating_duration_since(Instant::now())).ok(),
            None => receiver.try_recv().ok(),
        };
        let Some(job) = next else { break };
        leaves += job.entries.len();
        jobs.push(job);
    }
    jobs
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::audit::leaf::Kind;
    use crate::keys::SubjectKey;

    #[test]
    fn a_clock_that_goes_back_stops_the_log_until_it_is_right_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let place = Place::of(folder.path(), "prosopon/test".to_owned());
        let signer = || Signer::from_seed("prosopon/test", &[7; 32]).expect("a key");
        let start: Timestamp = "2026-03-02T03:00:00Z".parse().expect("a time");
        let now = Arc::new(Mutex::new(start));
        let wall: Clock = {
            let now = Arc::clone(&now);
            Arc::new(move || *now.lock().expect("no panic"))
        };
        let set = |seconds| *now.lock().expect("no panic") = start + SignedDuration::from_secs(seconds);
        let key = SubjectKey::new([1; 32]);
        let entry = || {
            let payload = SealedPayload::new(&key, b"text").expect("randomness");
            vec![Entry::of(Leaf::new(Kind::Decide), key.clone(), Some(payload))]
        };
        let kept = || Payloads::open_to_read(&place.payloads()).and_then(|p| p.count()).expect("readable");
        AuditLog::create(&place, signer(), &wall, Leaf::new(Kind::Genesis)).expect("a new log");
        let log = AuditLog::open(&place, signer(), &wall).expect("opens");
        assert_eq!(log.append_now(entry()).expect("written"), 1..2);
        // A little is a correction of the clock: times stay in order.
        set(-30);
        log.append_now(entry()).expect("written");
        set(-90);
        let failed = log.append_now(entry()).expect_err("a minute and a half");
        assert!(matches!(failed, AuditError::ClockBack { newest, .. } if newest == start), "{failed}");
        assert_eq!(kept(), 2, "nothing of a refused entry is kept");
        log.publish().expect("what was written");
        drop(log);
        assert!(matches!(AuditLog::open(&place, signer(), &wall), Err(AuditError::ClockBack { .. })));
        set(1);
        let log = AuditLog::open(&place, signer(), &wall).expect("the clock is right again");
        assert_eq!(log.append_now(entry()).expect("written"), 3..4);
    }
}
