//! A home opened to serve rights: finds people, records legal events, takes people out of snapshots.
//!
//! Invariant: whatever is done for or to a person is in the audit log before it is done; the ledger can be written
//! while a run goes on, tables cannot.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;

use crate::audit::{self, AuditError, AuditLog, Entry, Kind, Leaf, LogReader, Stage};
use crate::consent::event::LegalEvent;
use crate::consent::gate::Clock;
use crate::consent::ledger::{Import, Ledger, LedgerError};
use crate::consent::policy::PROFILING;
use crate::consent::suppression::Identifiers;
use crate::keys::{SubjectKey, Vault, VaultError};
use crate::model::SubjectId;
use crate::rights::restrict::RestrictError;
use crate::rights::store::{Store, StoreError};
use crate::run::home::{Home, HomeError, note_parts};
use crate::run::kept;
use crate::sink::{self, Change, HomeLock, LockError, Note, Rewritten, SinkError, Snapshot};

/// Why a right could not be served.
#[derive(Debug, thiserror::Error)]
pub enum OfficeError {
    /// Nobody by that name, address or id.
    #[error("{0}")]
    Unknown(String),
    /// The home.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// The tables.
    #[error(transparent)]
    Sink(#[from] SinkError),
    /// Another process holds the home.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The sealed store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The run journal.
    #[error(transparent)]
    Journal(#[from] crate::run::journal::JournalError),
    /// What is kept of pages.
    #[error(transparent)]
    Kept(#[from] crate::run::kept::KeptError),
}

impl From<RestrictError> for OfficeError {
    fn from(error: RestrictError) -> Self {
        match error {
            RestrictError::Sink(error) => error.into(),
            RestrictError::Store(error) => error.into(),
        }
    }
}

impl From<AuditError> for OfficeError {
    fn from(error: AuditError) -> Self {
        Self::Home(error.into())
    }
}

impl From<LedgerError> for OfficeError {
    fn from(error: LedgerError) -> Self {
        Self::Home(error.into())
    }
}

impl From<VaultError> for OfficeError {
    fn from(error: VaultError) -> Self {
        Self::Home(error.into())
    }
}

/// An open home.
#[derive(Debug)]
pub struct Office {
    /// The home.
    pub home: Home,
    /// Its keys.
    pub vault: Vault,
    /// Its legal events.
    pub ledger: Ledger,
    /// Its log, for writing.
    pub log: AuditLog,
    /// Hashes identifiers.
    pub identifiers: Identifiers,
    /// Rectifications and restricted copies.
    pub store: Store,
    now: Timestamp,
}

/// What became of a request to take somebody out of the tables.
#[derive(Debug)]
pub enum TakenOut {
    /// Snapshots that were rewritten.
    Rewritten(Vec<(Snapshot, Rewritten)>),
    /// A run holds the home: it leaves the person out when it publishes, and cleans the older snapshots then.
    RunGoesOn,
}

impl Office {
    /// Opens a home.
    ///
    /// # Errors
    /// See [`HomeError`].
    pub fn open(path: &Path, wall: &Clock) -> Result<Self, OfficeError> {
        let home = Home::open(path)?;
        let (vault, ledger) = home.legal()?;
        let log = home.audit(&vault, wall)?;
        let identifiers = Identifiers::new(&vault, home.ids())?;
        let store = Store::open(home.path(), &vault)?;
        let now = now(&home, wall());
        let mut office = Self { home, vault, ledger, log, identifiers, store, now };
        office.bind_kept_out()?;
        // One was cut off behind its key.
        if office.vault.told_erased()? < office.vault.erased()?.0 {
            office.tell_erased()?;
        }
        Ok(office)
    }

    /// Binds a list of those who are kept out that an older version wrote: from now on the log tells its digest.
    fn bind_kept_out(&mut self) -> Result<(), OfficeError> {
        if self.vault.kept_out().is_some() || self.vault.suppressed().is_empty() {
            return Ok(());
        }
        let log = &self.log;
        self.vault.together(|vault| {
            vault.bind_kept_out()?;
            let leaf = Leaf { stage: Some(Stage::Rights), ..Leaf::new(Kind::Outcome) };
            let leaf = leaf.fact("kept_out", vault.kept_out().unwrap_or_default());
            log.append_now(vec![leaf.into()])?;
            Ok::<(), OfficeError>(())
        })?;
        Ok(note_parts(self.home.path(), &self.vault, &self.ledger)?)
    }

    /// The time for legal events: the wall's, or, in a demo home, that of its newest snapshot's gate.
    #[must_use]
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    /// Purposes that a policy of this home has registered; a misspelt one must not pass for a right that was served.
    ///
    /// # Errors
    /// One is not registered, or the policies cannot be read.
    pub fn check_purposes(&self, purposes: &[String]) -> Result<(), OfficeError> {
        let folder = self.home.path().join("policy");
        let files = std::fs::read_dir(&folder).map_err(|source| HomeError::Io { path: folder, source })?;
        let mut known = BTreeSet::from(["marketing".to_owned(), PROFILING.to_owned()]);
        for file in files.flatten() {
            let name = file.file_name().to_string_lossy().into_owned();
            if let Some(hash) = name.strip_suffix(".json") {
                known.extend(self.home.policy(hash)?.file().purposes.keys().cloned());
            }
        }
        match purposes.iter().find(|p| !known.contains(*p)) {
            None => Ok(()),
            Some(unknown) => {
                let known: Vec<String> = known.into_iter().collect();
                let text =
                    format!("no policy of this home knows the purpose {unknown:?}; there are {}", known.join(", "));
                Err(OfficeError::Unknown(text))
            }
        }
    }

    /// Finds a person by subject id, CRM record id, or an e-mail address by which they were ever read.
    ///
    /// # Errors
    /// Nobody, or several.
    pub fn find(&self, text: &str) -> Result<SubjectId, OfficeError> {
        let text = text.trim();
        let known = |id: &SubjectId| self.vault.key(id).is_some();
        let found: Vec<SubjectId> = if let Some(body) = text.strip_prefix(SubjectId::PREFIX) {
            Some(SubjectId::from_body(body)).into_iter().filter(known).collect()
        } else if text.contains('@') {
            self.vault.find(&self.identifiers.email(text))
        } else {
            self.of_record(text).into_iter().filter(known).collect()
        };
        match found.as_slice() {
            [one] => Ok(one.clone()),
            [] => Err(OfficeError::Unknown(format!(
                "{}: nobody here has this id, CRM record or address; they were never read, or were erased. Give a \
                 subject id (sub_...), the CRM's record id, or an e-mail address",
                self.home.path().display()
            ))),
            several => {
                let ids: Vec<&str> = several.iter().map(SubjectId::as_str).collect();
                Err(OfficeError::Unknown(format!(
                    "several people were read by this, or records that were merged: give one of {}; where they are one \
                     person, repeat the command for each",
                    ids.join(", ")
                )))
            }
        }
    }

    /// The people of a record: also whom it lives on in, where the CRM merged it into another one.
    fn of_record(&self, record: &str) -> BTreeSet<SubjectId> {
        let of_crm = |crm: &String| {
            let living = self.vault.find(&self.identifiers.record(crm, record));
            living.into_iter().chain([self.home.ids().subject(crm, record)])
        };
        self.home.crms().iter().flat_map(of_crm).collect()
    }

    /// The key of somebody who was found.
    ///
    /// # Panics
    /// Never for a subject that [`Self::find`] gave.
    #[must_use]
    pub fn key(&self, subject: &SubjectId) -> &SubjectKey {
        self.vault.key(subject).expect("who was found has a key")
    }

    /// Writes an entry about a person, before anything else is done.
    ///
    /// # Errors
    /// See [`AuditError`].
    pub fn log_right(&self, subject: &SubjectId, right: &str) -> Result<u64, OfficeError> {
        let leaf = Leaf { stage: Some(Stage::Rights), ..Leaf::new(Kind::Right) };
        let leaf = leaf.fact("right", right);
        let entry = Entry::of(leaf, self.key(subject).clone(), None);
        Ok(self.log.append_now(vec![entry])?.start)
    }

    /// Writes an entry about each of several people, before anything else is done.
    ///
    /// # Errors
    /// See [`AuditError`].
    pub fn log_rights(&self, subjects: &[SubjectId], right: &str) -> Result<(), OfficeError> {
        let leaf = || Leaf { stage: Some(Stage::Rights), ..Leaf::new(Kind::Right) }.fact("right", right);
        let entry = |subject: &SubjectId| Entry::of(leaf(), self.key(subject).clone(), None);
        self.log.append_now(subjects.iter().map(entry).collect())?;
        Ok(())
    }

    /// Records that data of people is read, before it is shown.
    ///
    /// # Errors
    /// See [`AuditError`].
    pub fn log_read(&self, command: &str, subjects: &[SubjectId]) -> Result<(), OfficeError> {
        let leaf = || Leaf { stage: Some(Stage::Read), ..Leaf::new(Kind::Read) }.fact("command", command);
        let about = |subject: &SubjectId| Entry::of(leaf(), self.key(subject).clone(), None);
        let mut entries: Vec<Entry> = vec![leaf().fact("asked", subjects.len()).into()];
        entries.extend(subjects.iter().map(about));
        self.log.append_now(entries)?;
        self.log.publish()?;
        Ok(())
    }

    /// Writes the ledger's head and chain to the log, and beside it: a ledger that is rolled back is behind both then.
    ///
    /// # Errors
    /// See [`AuditError`].
    pub fn log_ledger(&self) -> Result<(), OfficeError> {
        note_parts(self.home.path(), &self.vault, &self.ledger)?;
        let leaf = Leaf::new(Kind::Legal).fact("ledger", self.ledger.note()).fact("rights", self.kept()?);
        self.log.append_now(vec![leaf.into()])?;
        Ok(())
    }

    /// How often rectifications and sealed copies were changed.
    fn kept(&self) -> Result<u64, OfficeError> {
        Ok(self.vault.rights_note()?.map_or(0, |note| note.changes))
    }

    /// Tells log and anchors that rectifications or sealed copies were changed: a store, or a vault, that is put back is
    /// behind both then.
    ///
    /// # Errors
    /// See [`AuditError`].
    pub fn log_store(&self) -> Result<(), OfficeError> {
        note_parts(self.home.path(), &self.vault, &self.ledger)?;
        self.log.append_now(vec![Leaf::new(Kind::Legal).fact("rights", self.kept()?).into()])?;
        Ok(())
    }

    /// Tells anchors, kept pages and log what is true once a key was destroyed: a vault that holds less is an older one.
    /// It tells of all erasures, and of no single one: whoever was erased in two goes must not tie their entries together.
    ///
    /// # Errors
    /// One of them cannot be written: the next that opens the home tells them.
    pub fn tell_erased(&self) -> Result<(), OfficeError> {
        let (forgotten, kept_out) = self.vault.erased()?;
        note_parts(self.home.path(), &self.vault, &self.ledger)?;
        kept::note_erased(self.home.path(), forgotten)?;
        let done = Leaf { stage: Some(Stage::Rights), ..Leaf::new(Kind::Outcome) };
        let done = done.fact("forgotten_in_all", forgotten).fact("suppressed_in_all", kept_out);
        let done = done.fact("rights", self.kept()?);
        self.log.append_now(vec![done.into()])?;
        Ok(self.vault.note_told_erased(forgotten)?)
    }

    /// Imports legal events that somebody else wrote down. Safe while a run goes on.
    ///
    /// # Errors
    /// Log or ledger cannot be written.
    pub fn import(&mut self, events: &[LegalEvent], source: &str) -> Result<u64, OfficeError> {
        let leaf = Leaf::new(Kind::Legal).fact("events", events.len()).fact("source", source);
        self.log.append_now(vec![leaf.into()])?;
        let now = self.now;
        let new = self.ledger.import(&mut self.vault, Import { events, ..Import::default() }, now)?;
        self.log_ledger()?;
        self.log.publish()?;
        Ok(new)
    }

    /// Takes people out of every snapshot; decisions stay as proof, but for the erased.
    ///
    /// # Errors
    /// Tables or log cannot be written.
    pub fn take_out(&self, change: &Change, reason: &'static str) -> Result<TakenOut, OfficeError> {
        let _lock = match HomeLock::acquire(self.home.path()) {
            Ok(lock) => lock,
            Err(LockError::Held { .. }) => return Ok(TakenOut::RunGoesOn),
            Err(error) => return Err(error.into()),
        };
        let tell = |snapshot: &Snapshot, done: &Rewritten| self.log_rewritten(snapshot, done, reason);
        Ok(TakenOut::Rewritten(sink::rewrite_all(self.home.path(), change, Note { at: self.now, reason }, tell)?))
    }

    /// Records the new keyed hashes of the tables of a snapshot, if it was rewritten.
    ///
    /// # Errors
    /// The log cannot be written, or the manifest cannot be read.
    pub fn log_rewritten(&self, snapshot: &Snapshot, done: &Rewritten, reason: &str) -> Result<(), OfficeError> {
        if !done.is_empty() {
            self.log.append_now(vec![rewrite_leaf(&self.home, snapshot, reason)?.into()])?;
        }
        Ok(())
    }

    /// Signs a checkpoint over everything, and opens the log for reading.
    ///
    /// # Errors
    /// See [`AuditError`].
    pub fn reader(&self) -> Result<LogReader, OfficeError> {
        self.log.publish()?;
        Ok(LogReader::open(&self.home.audit_place())?)
    }
}

/// The entry for a rewritten snapshot: keyed hashes of its tables.
///
/// # Errors
/// The manifest cannot be read.
pub fn rewrite_leaf(home: &Home, snapshot: &Snapshot, reason: &str) -> Result<Leaf, SinkError> {
    let manifest = snapshot.manifest()?;
    let tables = manifest["snapshot"]["tables"].as_object().cloned().unwrap_or_default();
    let keyed = tables.iter().map(|(table, facts)| {
        let hash = facts["sha256"].as_str().unwrap_or_default();
        (table.clone(), serde_json::Value::from(home.ids().commitment("table", hash.as_bytes())))
    });
    let pipeline = manifest["pipeline"].as_str().unwrap_or_default();
    Ok(Leaf::new(Kind::Rewrite)
        .fact("pipeline", pipeline)
        .fact("snapshot", snapshot.run_id())
        .fact("reason", reason)
        .fact("tables", serde_json::Value::Object(keyed.collect()))
        .fact(audit::manifest::FACT, audit::manifest::commitment(home.ids(), &manifest)))
}

/// The time of a home: the wall's. In a demo home time stands still, at the gate's time of the newest snapshot.
#[must_use]
pub fn now(home: &Home, wall: Timestamp) -> Timestamp {
    if !home.is_demo() {
        return wall;
    }
    let pinned = sink::pipelines(home.path()).into_iter().filter_map(|pipeline| {
        let snapshot = sink::current(home.path(), &pipeline).ok()??;
        snapshot.manifest().ok()?["gate_time"].as_str()?.parse().ok()
    });
    pinned.max().unwrap_or(wall)
}

/// A clock that stands at an instant.
#[must_use]
pub fn stopped(at: Timestamp) -> Clock {
    Arc::new(move || at)
}
