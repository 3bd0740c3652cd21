//! Rewriting snapshots: taking people out (erasure, objection) and putting corrected personas in (rectification).
//!
//! Invariant: what is left equals what would have been written without the people who were taken out, and what hangs
//! on them (buying centers, companies, counts) is made anew. A published snapshot is exchanged whole: a reader, or a
//! kill, finds the old one or the new one. The caller holds the [`super::HomeLock`].

mod anew;
mod carry;
mod companies;
mod copy;
mod counts;
mod pass;
mod swap;

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::published::{MANIFEST, Snapshot, snapshots};
use super::snapshot::{SnapshotWriter, clear_work, manifest_text, table_facts};
use super::{SinkError, Table, TableKeys, home};
use crate::model::{AccountId, Signal, SignalId, SubjectId};
use crate::persona::input::Offering;
use crate::persona::rows::{AccountRow, Persona};
pub(crate) use carry::{Worked, is_written_as_today, names_file};
pub use counts::Rewritten;
use pass::Rewriter;
pub(super) use swap::recover;
use swap::{Place, swap};

/// What is to be changed in a snapshot.
#[derive(Debug, Clone, Default)]
pub struct Change {
    /// Who is taken out.
    pub remove: HashSet<SubjectId>,
    /// Row commitments of dead letters that are about them without naming them.
    pub commitments: HashSet<String>,
    /// Whether their decisions, and the documents that came of them, stay as proof of what the gate decided.
    pub keep_decisions: bool,
    /// Corrected personas; only those that the snapshot has are replaced. A changed company moves the row.
    pub personas: HashMap<SubjectId, Persona>,
    /// Keys of encrypted tables, where the snapshot has none of its own.
    pub keys: Option<Arc<TableKeys>>,
    /// All evidence on a contact, in place of what there is; only for contacts who have a persona. Sorted by id.
    pub evidence: HashMap<SubjectId, Vec<Signal>>,
    /// Evidence that goes, whomever it is about.
    pub signals: HashSet<SignalId>,
    /// Rows of companies that are replaced; what of them hangs on contacts is made anew.
    pub accounts: HashMap<AccountId, AccountRow>,
}

impl Change {
    /// Takes people out, with their decisions.
    #[must_use]
    pub fn remove(subjects: impl IntoIterator<Item = SubjectId>) -> Self {
        Self { remove: subjects.into_iter().collect(), ..Self::default() }
    }

    /// Takes people out of a run that has decided about them; the decisions stay.
    #[must_use]
    pub fn leave_out(subjects: impl IntoIterator<Item = SubjectId>) -> Self {
        Self { keep_decisions: true, ..Self::remove(subjects) }
    }
}

/// What a rewritten manifest says about the rewriting; nothing about whom it was for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Note {
    /// When.
    pub at: Timestamp,
    /// Why, for instance `erasure`, `objection`, `rectification`.
    pub reason: &'static str,
}

/// Changes a published snapshot; one that the change does not concern stays untouched.
///
/// # Errors
/// The snapshot is damaged, or the disk says no; it is then as it was.
pub fn rewrite_snapshot(home: &Path, snapshot: &Snapshot, change: &Change, note: Note) -> Result<Rewritten, SinkError> {
    recover(home)?;
    let keys = snapshot.keys().or(change.keys.as_ref()).cloned();
    let snapshot = &snapshot.clone().with_keys(keys);
    let place = Place::of(home, snapshot);
    // A damaged manifest must not keep anybody's data alive; it is written anew.
    let manifest = snapshot.manifest().unwrap_or(Value::Null);
    let offering = offering(&manifest);
    let result = build(&place, snapshot, change, note, manifest, offering.as_ref());
    match result {
        Ok(done) if !done.is_empty() => swap(&place).map(|()| done),
        other => {
            home::remove_dir(&place.new)?;
            other
        }
    }
}

/// Changes every snapshot of every pipeline of a home, and clears what dead runs left in `.work`.
///
/// `tell` hears of each snapshot as soon as it is rewritten. One damaged snapshot does not keep the others from being
/// changed; the first error is told at the end.
///
/// # Errors
/// See [`rewrite_snapshot`]; a later call changes what is left. What `tell` returns.
pub fn rewrite_all<E: From<SinkError>>(
    home: &Path,
    change: &Change,
    note: Note,
    tell: impl FnMut(&Snapshot, &Rewritten) -> Result<(), E>,
) -> Result<Vec<(Snapshot, Rewritten)>, E> {
    rewrite_each(home, note, |_| Ok(change.clone()), tell)
}

/// The same, where the change depends on the snapshot: a corrected persona rests on the evidence of its run.
///
/// # Errors
/// See [`rewrite_all`].
pub fn rewrite_each<E: From<SinkError>>(
    home: &Path,
    note: Note,
    change: impl FnMut(&Snapshot) -> Result<Change, SinkError>,
    tell: impl FnMut(&Snapshot, &Rewritten) -> Result<(), E>,
) -> Result<Vec<(Snapshot, Rewritten)>, E> {
    clear_work(home)?;
    rewrite_older(home, note, change, tell)
}

/// As [`rewrite_each`], for a run whose own snapshot is being built in `.work`: that one stays.
///
/// # Errors
/// See [`rewrite_all`].
pub fn rewrite_older<E: From<SinkError>>(
    home: &Path,
    note: Note,
    mut change: impl FnMut(&Snapshot) -> Result<Change, SinkError>,
    mut tell: impl FnMut(&Snapshot, &Rewritten) -> Result<(), E>,
) -> Result<Vec<(Snapshot, Rewritten)>, E> {
    recover(home)?;
    let (mut done, mut first_error) = (Vec::new(), None);
    for snapshot in all_snapshots(home)? {
        let rewritten = change(&snapshot).and_then(|change| rewrite_snapshot(home, &snapshot, &change, note));
        match rewritten.map_err(E::from).and_then(|rewritten| tell(&snapshot, &rewritten).map(|()| rewritten)) {
            Ok(rewritten) => done.push((snapshot, rewritten)),
            Err(error) => first_error = first_error.or(Some(error)),
        }
    }
    first_error.map_or(Ok(done), Err)
}

/// Every snapshot under a home, also of pipelines without a `current` one.
///
/// # Errors
/// The folders cannot be read.
pub fn all_snapshots(home: &Path) -> Result<Vec<Snapshot>, SinkError> {
    let mut all = Vec::new();
    for name in home::sub_dirs(home)? {
        if home::check_name("pipeline name", &name).is_ok() {
            all.extend(snapshots(home, &name)?);
        }
    }
    Ok(all)
}

/// What was to be sold, for the questions of the buying centers.
fn offering(manifest: &Value) -> Option<Offering> {
    serde_json::from_value(manifest.pointer("/fusion/offering")?.clone()).ok()
}

/// Builds the changed snapshot out of sight.
fn build(
    place: &Place,
    snapshot: &Snapshot,
    change: &Change,
    note: Note,
    mut manifest: Value,
    offering: Option<&Offering>,
) -> Result<Rewritten, SinkError> {
    let mut rewriter = Rewriter::new(snapshot, &place.new, change, offering)?;
    rewriter.tables()?;
    if rewriter.done.is_empty() {
        return Ok(rewriter.done);
    }
    rewriter.runs()?;
    let mut tables = Map::new();
    for table in Table::ALL {
        home::sync_dir(&place.new.join(table.as_str()))?;
        let before = manifest.pointer(&format!("/snapshot/tables/{table}")).cloned();
        let facts = match (rewriter.written(table), before) {
            (None, Some(before)) => before,
            (rows, _) => table_facts(&place.new.join(table.as_str()).join("part-0.parquet"), rows.unwrap_or(0))?,
        };
        tables.insert(table.to_string(), facts);
    }
    let done = rewriter.done;
    note_in(&mut manifest, &done, note);
    let text = manifest_text(&manifest, snapshot.run_id(), snapshot.sequence(), &tables);
    home::write_file(&place.new.join(MANIFEST), text.as_bytes())?;
    home::sync_dir(&place.new)?;
    Ok(done)
}

fn note_in(manifest: &mut Value, done: &Rewritten, note: Note) {
    if !manifest.is_object() {
        *manifest = json!({});
    }
    if let Some(counts) = manifest.pointer_mut("/summary/counts") {
        done.adjust_counts(counts);
    }
    let entry = json!({ "at": note.at.to_string(), "reason": note.reason, "rows": done.rows_json() });
    match manifest.get_mut("rewritten").and_then(Value::as_array_mut) {
        Some(notes) => notes.push(entry),
        None => manifest["rewritten"] = json!([entry]),
    }
}

impl SnapshotWriter {
    /// Changes what was written so far, just before publishing: people said no while the run was under way. Closes
    /// every table but `runs`; call it after the last row of the others. `change` is asked what to change in these
    /// tables.
    ///
    /// # Errors
    /// As [`rewrite_snapshot`]; the writer is then of no use any more.
    pub fn amend(
        &mut self,
        offering: &Offering,
        change: impl FnOnce(&Snapshot) -> Result<Change, SinkError>,
    ) -> Result<Rewritten, SinkError> {
        let staged = self.close_all()?;
        let change = &change(&staged)?;
        let beside = staged.folder().join(".rewrite");
        let mut rewriter = Rewriter::new(&staged, &beside, change, Some(offering))?;
        rewriter.tables()?;
        for table in Table::ALL {
            if let Some(rows) = rewriter.written(table) {
                let file = |folder: &Path| folder.join(table.as_str()).join("part-0.parquet");
                home::rename(&file(&beside), &file(staged.folder()))?;
                self.replaced(table, rows);
            }
        }
        let done = rewriter.done;
        home::remove_dir(&beside)?;
        Ok(done)
    }
}

#[cfg(test)]
mod tests;
