//! Laying what was written tonight over the last snapshot: rows of whoever was not worked on are carried over.
//!
//! Invariant: of whoever was worked on nothing is carried over, of all others everything is; tables keep their order. A batch
//! of each is in memory at most, and tonight's dead letters.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, BooleanArray, RecordBatch};
use arrow_schema::SchemaRef;
use parquet::file::metadata::PageIndexPolicy;

use super::copy::{Coming, Keys, copy, values};
use super::counts::Rewritten;
use crate::ids::commitment_bytes;
use crate::sink::read::Batches;
use crate::sink::{FileFacts, Select, SinkError, Snapshot, SnapshotWriter, Table, decode, encode, home, open_parquet};

/// Reasons of letters about people and companies whom nobody knows: they are told each night, as long as it is so.
const UNKNOWN: [&str; 2] = ["unknown_contact", "unknown_account"];

/// Whom a run worked on.
#[derive(Debug, Default)]
pub struct Worked {
    /// Ids of companies, with all their contacts.
    pub accounts: HashSet<String>,
    /// Ids of contacts, wherever they work.
    pub subjects: HashSet<String>,
    /// Names of files, those of the last night and of tonight: what letters that are about nobody say of rows in them is told
    /// each night.
    pub files: HashSet<String>,
    /// But for these, by their commitment: they are about companies that were not worked on.
    pub letters_kept: HashSet<[u8; 16]>,
    /// And these are not true any more, or told anew.
    pub letters_gone: HashSet<[u8; 16]>,
}

impl Worked {
    /// Rows of a batch that are about them.
    fn rows(&self, batch: &RecordBatch) -> BooleanArray {
        let keys = Keys::of(batch);
        // Rows of one company, and of one contact, stand together.
        let mut last = (None, false);
        let mut is_theirs = |row| {
            let key = keys.at(row);
            if last.0 != Some(key) {
                let has = |id: Option<&str>, ids: &HashSet<String>| id.is_some_and(|id| ids.contains(id));
                last = (Some(key), has(key.0, &self.accounts) || has(key.1, &self.subjects));
            }
            last.1
        };
        (0..batch.num_rows()).map(|row| Some(is_theirs(row))).collect()
    }

    /// Whether a letter that is about nobody would have been told tonight, if it were still true.
    fn tells(&self, batch: &RecordBatch, row: usize) -> bool {
        let text = |name: &str| {
            let column = batch.column_by_name(name)?.as_string_opt::<i32>()?;
            column.is_valid(row).then(|| column.value(row))
        };
        if text("subject_id").is_some() {
            return false;
        }
        let tag = text("row_commitment").and_then(commitment_bytes);
        let is_in = |letters: &HashSet<[u8; 16]>| tag.is_some_and(|tag| letters.contains(&tag));
        let is_told = || {
            text("reason").is_some_and(|reason| UNKNOWN.contains(&reason))
                || text("detail").is_some_and(|detail| names_file(detail, &self.files))
        };
        is_in(&self.letters_gone) || (!is_in(&self.letters_kept) && is_told())
    }
}

/// Whether a dead letter is about a row of one of these files: it begins with the name.
pub(crate) fn names_file(detail: &str, files: &HashSet<String>) -> bool {
    let ends = [" line ", " row "].into_iter().flat_map(|unit| detail.match_indices(unit));
    ends.into_iter().any(|(end, _)| files.contains(&detail[..end]))
}

/// Tables whose rows are carried over. Documents are not: of whoever is carried over nothing is fetched.
const CARRIED: [Table; 6] =
    [Table::Personas, Table::Evidence, Table::Accounts, Table::BuyingCenters, Table::Decisions, Table::DeadLetters];

/// Whether its rows lie in files as today's are: with the same columns, described in the same words. A file that rows are carried
/// into is written as theirs was, so that what came since would never come.
///
/// # Errors
/// The snapshot is damaged.
pub(crate) fn is_written_as_today(before: &Snapshot, facts: &FileFacts) -> Result<bool, SinkError> {
    for table in CARRIED {
        let today = table.schema(facts);
        for file in before.files(table)? {
            if open_parquet(&file, before.keys(), PageIndexPolicy::Skip)?.schema() != &today {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

impl SnapshotWriter {
    /// Adds all rows of a snapshot that are about nobody who was worked on; tells what was left out. Closes every table but
    /// `runs`; call it after the last row of the others.
    ///
    /// # Errors
    /// The snapshot is damaged, or the disk says no; the writer is then of no use any more.
    pub(crate) fn carry_over(&mut self, before: &Snapshot, worked: Worked) -> Result<Rewritten, SinkError> {
        let staged = self.close_all()?;
        let beside = staged.folder().join(".carry");
        home::remove_dir(&beside)?;
        home::create_dir(&beside)?;
        let to = Snapshot::at(beside.clone(), staged.run_id()).with_keys(staged.keys().cloned());
        let told = letters(&staged)?;
        let mut worked = worked;
        for batch in Batches::open(&staged, Table::Accounts, &Select::All, None)? {
            worked.accounts.extend(values(&batch?, "account_id"));
        }
        let worked = &worked;
        let (mut gone, mut people) = (Rewritten::default(), HashSet::new());
        for table in CARRIED {
            let drop = |batch: &RecordBatch| match table {
                Table::DeadLetters => {
                    let theirs = worked.rows(batch);
                    let goes = |row| theirs.value(row) || worked.tells(batch, row) || told.contains(&texts(batch, row));
                    (0..batch.num_rows()).map(|row| Some(goes(row))).collect()
                }
                _ => worked.rows(batch),
            };
            let is_sorted = !matches!(table, Table::Decisions | Table::DeadLetters);
            let dropped = |batch: &RecordBatch| {
                match table {
                    Table::Personas => decode::personas(batch)?.iter().for_each(|row| gone.persona(row, -1)),
                    Table::Decisions => {
                        decode::decisions(batch)?.iter().for_each(|row| gone.decision(row));
                        people.extend(values(batch, "subject_id"));
                    }
                    _ => {}
                }
                Ok(())
            };
            let done = copy(before, &to, table, drop, dropped, |schema| coming(&staged, (table, schema), is_sorted))?;
            let file = |folder: &Path| folder.join(table.as_str()).join("part-0.parquet");
            home::rename(&file(&beside), &file(staged.folder()))?;
            self.replaced(table, done.rows);
            gone.dropped(table, done.dropped);
        }
        home::remove_dir(&beside)?;
        gone.subjects = people.len() as u64;
        Ok(gone)
    }
}

/// Letters of tonight: what is told of the whole exports is told again each night.
fn letters(staged: &Snapshot) -> Result<HashSet<Vec<Option<String>>>, SinkError> {
    let mut all = HashSet::new();
    for batch in Batches::open(staged, Table::DeadLetters, &Select::All, None)? {
        let batch = batch?;
        all.extend((0..batch.num_rows()).map(|row| texts(&batch, row)));
    }
    Ok(all)
}

fn texts(batch: &RecordBatch, row: usize) -> Vec<Option<String>> {
    let texts = batch.columns().iter().filter_map(|column| column.as_string_opt::<i32>());
    texts.map(|texts| texts.is_valid(row).then(|| texts.value(row).to_owned())).collect()
}

/// Rows that were written tonight: cut where others may come between them, or, in a table without order, behind all others.
fn coming(
    staged: &Snapshot,
    (table, schema): (Table, &SchemaRef),
    is_sorted: bool,
) -> Result<impl Iterator<Item = Coming> + use<>, SinkError> {
    let batches = Batches::open(staged, table, &Select::All, None)?;
    let schema = Arc::clone(schema);
    let cut = move |batch: Result<RecordBatch, SinkError>| -> Vec<Coming> {
        // The file that they go into is written as that of the last snapshot was.
        match batch.and_then(|batch| encode::to_written(table, &schema, batch)) {
            Err(error) => vec![Err(error)],
            Ok(batch) if is_sorted => by_company(&batch),
            Ok(batch) => vec![Ok(((Some("\u{10ffff}".to_owned()), None), batch))],
        }
    };
    Ok(batches.flat_map(cut))
}

/// A batch cut by company; contacts without one are each on their own.
fn by_company(batch: &RecordBatch) -> Vec<Coming> {
    let keys = Keys::of(batch);
    let mut cuts: Vec<Coming> = Vec::new();
    let mut start = 0;
    while start < batch.num_rows() {
        let (account, subject) = keys.at(start);
        let mut end = start + 1;
        while end < batch.num_rows() && {
            let next = keys.at(end);
            next.0 == account && (account.is_some() || next.1 == subject)
        } {
            end += 1;
        }
        let owned = |id: Option<&str>| id.map(str::to_owned);
        cuts.push(Ok(((owned(account), owned(subject)), batch.slice(start, end - start))));
        start = end;
    }
    cuts
}
