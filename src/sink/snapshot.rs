//! Building a snapshot out of sight and publishing it at once.
//!
//! Invariant: `HOME/<pipeline>/current` names a whole snapshot or does not exist. It changes last, by one
//! rename; a process that dies earlier leaves it as it was, and the next writer clears what it left.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use data_encoding::HEXLOWER;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::published::{CURRENT, MANIFEST, Snapshot, current, point_latest, snapshots};
use super::runs::RunRow;
use super::write::TableWriter;
use super::{FileFacts, SinkError, Table, TableKeys, encode, home, rewrite};
use crate::model::{AccountId, DeadLetter, DecisionRow, DocumentRow, RunId, Signal, SubjectId};
use crate::persona::rows::{AccountRow, BuyingCenterRow, Persona};
use crate::taxonomy::BuyingRole;

/// What folders of unpublished snapshots start with; nothing else in `.work` is touched.
const WORK_PREFIX: &str = "snapshot=";
/// What folders of notes start with that a run has put by.
pub(crate) const WORK_NOTES: &str = "notes=";
/// What folders of rows start with that a run has sorted into parts.
pub(crate) const WORK_CRM: &str = "crm=";

/// The next snapshot of a pipeline, until it is committed. Dropped, it leaves nothing.
///
/// The caller holds the [`super::HomeLock`].
#[derive(Debug)]
pub struct SnapshotWriter {
    home: PathBuf,
    pipeline: String,
    pub(super) run: RunId,
    work: PathBuf,
    tables: Vec<Slot>,
    keys: Option<Arc<TableKeys>>,
    keep: usize,
    /// What is kept of the rows that it was made of.
    pub(super) rows_file: Option<PathBuf>,
    #[cfg(test)]
    fail_after: Option<Step>,
}

/// A table of a snapshot that is being written.
#[derive(Debug)]
enum Slot {
    /// Takes rows.
    Open(Box<TableWriter>),
    /// Is on disk.
    Closed { path: PathBuf, rows: u64 },
}

/// Moments of a commit at which a process may die.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Files,
    Manifest,
    Folder,
    Current,
}

impl SnapshotWriter {
    /// Starts a snapshot in `HOME/.work`, with a file for every table; clears what a dead writer left.
    pub fn create(home: &Path, pipeline: &str, run: &RunId, facts: &FileFacts) -> Result<Self, SinkError> {
        Self::create_with(home, pipeline, run, facts, None)
    }

    /// The same, with tables encrypted by keys.
    pub fn create_with(
        home: &Path,
        pipeline: &str,
        run: &RunId,
        facts: &FileFacts,
        keys: Option<Arc<TableKeys>>,
    ) -> Result<Self, SinkError> {
        home::check_name("pipeline name", pipeline)?;
        home::check_name("run id", run.as_str())?;
        // A damaged `current` must not keep the next run from putting it right.
        let before = current(home, pipeline).ok().flatten();
        if let Some(before) = before.as_ref().filter(|before| before.run_id() == run.as_str()) {
            return Err(SinkError::Published { path: before.folder().to_owned() });
        }
        home::create_dir(&home.join(pipeline))?;
        let all_work = home.join(".work");
        home::create_dir(&all_work)?;
        clear_work(home)?;
        rewrite::recover(home)?;
        if let Some(before) = before {
            // A run that died between the two left the link behind.
            point_latest(home, &home.join(pipeline), &format!("snapshot={}", before.run_id()))?;
        }
        let work = all_work.join(format!("{WORK_PREFIX}{run}"));
        let create = |t: Table| TableWriter::create(&work.join(t.as_str()), t, facts, keys.as_ref());
        let open = |t| Ok(Slot::Open(Box::new(create(t)?)));
        let tables = Table::ALL.into_iter().map(open);
        Ok(Self {
            home: home.to_owned(),
            pipeline: pipeline.to_owned(),
            run: run.clone(),
            tables: tables.collect::<Result<_, _>>()?,
            work,
            keys,
            keep: 7,
            rows_file: None,
            #[cfg(test)]
            fail_after: None,
        })
    }

    /// How many snapshots of the pipeline stay, the new one included (default 7, at least 1).
    #[must_use]
    pub fn keep_snapshots(mut self, keep: usize) -> Self {
        self.keep = keep.max(1);
        self
    }

    fn table(&mut self, table: Table) -> Result<&mut TableWriter, SinkError> {
        match self.tables.get_mut(table.place()) {
            Some(Slot::Open(writer)) => Ok(writer),
            _ => Err(SinkError::Closed { table }),
        }
    }

    /// Rows that a table has so far.
    #[must_use]
    pub fn rows(&self, table: Table) -> u64 {
        match self.tables.get(table.place()) {
            Some(Slot::Open(writer)) => writer.rows(),
            Some(Slot::Closed { rows, .. }) => *rows,
            None => 0,
        }
    }

    /// Adds rows, sorted by (`account_id`, `subject_id`), contacts without a company first.
    pub fn personas(&mut self, rows: &[Persona]) -> Result<(), SinkError> {
        let writer = self.table(Table::Personas)?;
        writer.check_order(
            rows.iter().map(|r| (r.account_id.as_ref().map(AccountId::as_str), Some(r.subject_id.as_str()))),
        )?;
        let batch = encode::personas(writer.schema(), rows)?;
        writer.write(batch)
    }

    /// Adds rows, sorted by (`account_id`, `subject_id`), a company's own signals before its contacts'.
    pub fn evidence(&mut self, rows: &[Signal]) -> Result<(), SinkError> {
        let writer = self.table(Table::Evidence)?;
        writer.check_order(rows.iter().map(|r| {
            let (account, subject) = encode::signal_key(&r.about);
            (account.map(AccountId::as_str), subject.map(SubjectId::as_str))
        }))?;
        let batch = encode::evidence(writer.schema(), rows)?;
        writer.write(batch)
    }

    /// Adds rows, sorted by `account_id`.
    pub fn accounts(&mut self, rows: &[AccountRow]) -> Result<(), SinkError> {
        let writer = self.table(Table::Accounts)?;
        writer.check_order(rows.iter().map(|r| (Some(r.account_id.as_str()), None)))?;
        let batch = encode::accounts(writer.schema(), rows)?;
        writer.write(batch)
    }

    /// Adds rows, sorted by `account_id` and, in the order of the vocabulary, `role`.
    pub fn buying_centers(&mut self, rows: &[BuyingCenterRow]) -> Result<(), SinkError> {
        let place = |role: BuyingRole| BuyingRole::ALL.iter().position(|r| *r == role).unwrap_or_default().to_string();
        let roles: Vec<String> = rows.iter().map(|r| place(r.role)).collect();
        let writer = self.table(Table::BuyingCenters)?;
        writer
            .check_order(rows.iter().zip(&roles).map(|(r, role)| (Some(r.account_id.as_str()), Some(role.as_str()))))?;
        let batch = encode::buying_centers(writer.schema(), rows)?;
        writer.write(batch)
    }

    /// Adds rows, in any order.
    pub fn decisions(&mut self, rows: &[DecisionRow]) -> Result<(), SinkError> {
        let writer = self.table(Table::Decisions)?;
        let batch = encode::decisions(writer.schema(), rows)?;
        writer.write(batch)
    }

    /// Adds rows, in any order.
    pub fn documents(&mut self, rows: &[DocumentRow]) -> Result<(), SinkError> {
        let writer = self.table(Table::Documents)?;
        let batch = encode::documents(writer.schema(), rows)?;
        writer.write(batch)
    }

    /// Adds rows, in any order.
    pub fn dead_letters(&mut self, rows: &[DeadLetter]) -> Result<(), SinkError> {
        let writer = self.table(Table::DeadLetters)?;
        let batch = encode::dead_letters(writer.schema(), rows)?;
        writer.write(batch)
    }

    /// Adds rows, one per run.
    pub fn runs(&mut self, rows: &[RunRow]) -> Result<(), SinkError> {
        let writer = self.table(Table::Runs)?;
        let batch = encode::runs(writer.schema(), rows)?;
        writer.write(batch)
    }

    /// Publishes: files, manifest, folder, then `current`; afterwards old snapshots go.
    ///
    /// `manifest` is the caller's JSON object; `snapshot` with the tables' row counts and hashes is added.
    pub fn commit(self, manifest: &Value) -> Result<Snapshot, SinkError> {
        self.commit_with(manifest, |_| Ok(()))
    }

    /// As [`Self::commit`], but `announce` is told the tables' row counts and hashes before anything becomes visible;
    /// its error stops the commit.
    pub fn commit_with<E: From<SinkError>>(
        mut self,
        manifest: &Value,
        announce: impl FnOnce(&Map<String, Value>) -> Result<(), E>,
    ) -> Result<Snapshot, E> {
        let facts = self.finish_tables()?;
        announce(&facts)?;
        Ok(self.make_visible(manifest, &facts)?)
    }

    fn make_visible(self, manifest: &Value, facts: &Map<String, Value>) -> Result<Snapshot, SinkError> {
        let folder = self.home.join(&self.pipeline);
        let target = folder.join(format!("snapshot={}", self.run));
        self.step(Step::Files)?;
        let sequence = 1 + snapshots(&self.home, &self.pipeline)?.iter().map(Snapshot::sequence).max().unwrap_or(0);
        let text = manifest_text(manifest, self.run.as_str(), sequence, facts);
        home::write_file(&self.work.join(MANIFEST), text.as_bytes())?;
        home::sync_dir(&self.work)?;
        self.step(Step::Manifest)?;
        // A folder of this run that `current` does not name was left by a commit that died here.
        home::remove_dir(&target)?;
        home::rename(&self.work, &target)?;
        home::sync_dir(&folder)?;
        self.step(Step::Folder)?;
        self.put_rows(&folder)?;
        self.point_current(&folder)?;
        self.step(Step::Current)?;
        self.drop_rows(&folder)?;
        let snapshot = Snapshot::at(target, self.run.as_str()).with_keys(self.keys.clone());
        prune(&self.home, &self.pipeline, self.keep, &snapshot)?;
        Ok(snapshot)
    }

    /// Closes every file; tells rows and hash of each.
    fn finish_tables(&mut self) -> Result<Map<String, Value>, SinkError> {
        let mut facts = Map::new();
        for table in Table::ALL {
            let (path, rows) = self.close(table)?;
            home::sync_dir(&self.work.join(table.as_str()))?;
            facts.insert(table.to_string(), table_facts(&path, rows)?);
        }
        Ok(facts)
    }

    /// Closes a table's file; tells it and its rows.
    pub(super) fn close(&mut self, table: Table) -> Result<(PathBuf, u64), SinkError> {
        let slot = &mut self.tables[table.place()];
        let (path, rows) = match slot {
            Slot::Open(writer) => (writer.path().to_owned(), writer.rows()),
            Slot::Closed { path, rows } => (path.clone(), *rows),
        };
        match std::mem::replace(slot, Slot::Closed { path: path.clone(), rows }) {
            Slot::Open(writer) => writer.finish()?,
            Slot::Closed { .. } => {}
        }
        Ok((path, rows))
    }

    /// The staged files as a snapshot that nobody else sees.
    pub(super) fn staged(&self) -> Snapshot {
        Snapshot::at(self.work.clone(), self.run.as_str()).with_keys(self.keys.clone())
    }

    /// Takes note of how many rows a closed table has after its file was replaced.
    pub(super) fn replaced(&mut self, table: Table, now: u64) {
        if let Some(Slot::Closed { rows, .. }) = self.tables.get_mut(table.place()) {
            *rows = now;
        }
    }

    /// Replaces `current` by one rename.
    fn point_current(&self, folder: &Path) -> Result<(), SinkError> {
        let staged = self.home.join(".work").join(format!("{CURRENT}-{}", self.run));
        fs::remove_file(&staged)
            .or_else(|e| if e.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(e) })
            .map_err(SinkError::io("remove", &staged))?;
        home::write_file(&staged, format!("snapshot={}\n", self.run).as_bytes())?;
        home::rename(&staged, &folder.join(CURRENT))?;
        point_latest(&self.home, folder, &format!("snapshot={}", self.run))?;
        home::sync_dir(folder)
    }

    /// Gives up: nothing of the snapshot stays.
    pub fn abort(self) {
        drop(self);
    }

    #[cfg(not(test))]
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "the shape of its counterpart in tests")]
    const fn step(&self, _: Step) -> Result<(), SinkError> {
        Ok(())
    }

    /// In tests, the process can die here.
    #[cfg(test)]
    fn step(&self, step: Step) -> Result<(), SinkError> {
        if self.fail_after == Some(step) {
            return Err(SinkError::Io {
                action: "go on in",
                path: self.work.clone(),
                source: io::Error::other("killed"),
            });
        }
        Ok(())
    }
}

impl Drop for SnapshotWriter {
    fn drop(&mut self) {
        self.tables.clear();
        // Best effort: the next writer clears what cannot be removed now.
        let _ = fs::remove_dir_all(&self.work);
    }
}

/// Removes what writers that died left in `.work`.
pub(super) fn clear_work(home: &Path) -> Result<(), SinkError> {
    [WORK_PREFIX, WORK_NOTES].into_iter().try_for_each(|prefix| clear_work_of(home, prefix))
}

/// Removes the folders below `.work` whose names start so.
pub(crate) fn clear_work_of(home: &Path, prefix: &str) -> Result<(), SinkError> {
    let all_work = home.join(".work");
    for left in home::sub_dirs(&all_work)?.iter().filter(|name| name.starts_with(prefix)) {
        home::remove_dir(&all_work.join(left))?;
    }
    Ok(())
}

/// What the manifest says of a table.
pub(super) fn table_facts(file: &Path, rows: u64) -> Result<Value, SinkError> {
    Ok(json!({ "rows": rows, "sha256": HEXLOWER.encode(&hash_file(file)?) }))
}

pub(super) fn manifest_text(manifest: &Value, run: &str, sequence: u64, tables: &Map<String, Value>) -> String {
    let mut object = match manifest {
        Value::Object(object) => object.clone(),
        Value::Null => Map::new(),
        other => Map::from_iter([("run".to_owned(), other.clone())]),
    };
    object.insert(
        "snapshot".into(),
        json!({ "run_id": run, "sequence": sequence, "schema_version": super::SCHEMA_VERSION, "tables": tables }),
    );
    format!("{:#}\n", Value::Object(object))
}

/// SHA-256 of a table's file, hex, as `manifest.json` has it.
///
/// # Errors
/// The file cannot be read.
pub fn table_hash(snapshot: &Snapshot, table: Table) -> Result<String, SinkError> {
    let files = snapshot.files(table)?;
    Ok(HEXLOWER.encode(&hash_file(&files[0])?))
}

pub(super) fn hash_file(path: &Path) -> Result<Vec<u8>, SinkError> {
    let mut file = fs::File::open(path).map_err(SinkError::io("read", path))?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let n = io::Read::read(&mut file, &mut buffer).map_err(SinkError::io("read", path))?;
        if n == 0 {
            return Ok(hasher.finalize().to_vec());
        }
        hasher.update(&buffer[..n]);
    }
}

/// Removes the oldest snapshots beyond `keep`, never the one just published.
fn prune(home: &Path, pipeline: &str, keep: usize, published: &Snapshot) -> Result<(), SinkError> {
    let mut all = snapshots(home, pipeline)?;
    all.retain(|s| s.folder() != published.folder());
    let surplus = all.len().saturating_sub(keep - 1);
    for old in &all[..surplus] {
        home::remove_dir(old.folder())?;
    }
    Ok(())
}

#[cfg(test)]
#[path = "snapshot_tests.rs"]
mod tests;
