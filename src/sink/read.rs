//! Reading tables back: as record batches, or as the rows they were written from.
//!
//! Invariant: a selection by contact or company is applied while reading, on the key columns first, so that
//! a card over a large table does not decode the table.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::vec;

use arrow_array::cast::AsArray;
use arrow_array::{BooleanArray, RecordBatch};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowPredicateFn, ParquetRecordBatchReader, RowFilter};
use parquet::file::metadata::PageIndexPolicy;

use super::encrypt::is_encrypted;
use super::runs::RunRow;
use super::{SinkError, Snapshot, Table, TableKeys, columns, decode, open_parquet};
use crate::model::{AccountId, DecisionRow, DocumentRow, Signal, SubjectId};
use crate::persona::rows::{AccountRow, BuyingCenterRow, Persona};

#[cfg(test)]
thread_local! {
    /// How many times this thread has opened a table.
    pub(crate) static OPENED: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// Which rows of a table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Select {
    /// Every row.
    #[default]
    All,
    /// The rows of a contact; none in tables without `subject_id`.
    Subject(SubjectId),
    /// The rows of some contacts.
    Subjects(HashSet<SubjectId>),
    /// The rows of a company, its contacts included; none in tables without `account_id`.
    Account(AccountId),
    /// The rows of some companies, their contacts included.
    Accounts(HashSet<AccountId>),
    /// The rows of some hosts; none in tables without `host`.
    Hosts(HashSet<String>),
}

impl Select {
    /// Column and value; `None` for every row.
    fn key(&self) -> Option<(&'static str, HashSet<String>)> {
        match self {
            Self::All => None,
            Self::Subject(id) => Some(("subject_id", HashSet::from([id.as_str().to_owned()]))),
            Self::Subjects(ids) => Some(("subject_id", ids.iter().map(|id| id.as_str().to_owned()).collect())),
            Self::Account(id) => Some(("account_id", HashSet::from([id.as_str().to_owned()]))),
            Self::Accounts(ids) => Some(("account_id", ids.iter().map(|id| id.as_str().to_owned()).collect())),
            Self::Hosts(hosts) => Some(("host", hosts.clone())),
        }
    }
}

/// Record batches of a table, file by file.
pub struct Batches {
    files: vec::IntoIter<PathBuf>,
    open: Option<(PathBuf, ParquetRecordBatchReader)>,
    key: Option<(&'static str, Arc<HashSet<String>>)>,
    columns: Option<Vec<String>>,
    table: Table,
    keys: Option<Arc<TableKeys>>,
}

impl Batches {
    /// Opens a table; `columns` = top-level columns to read, `None` = all.
    pub(crate) fn open(
        snapshot: &Snapshot,
        table: Table,
        select: &Select,
        columns: Option<Vec<String>>,
    ) -> Result<Self, SinkError> {
        Self::open_keyed(snapshot, table, select.key(), columns)
    }

    /// Opens a table for the rows whose key column has one of the values; none in tables without the column.
    pub(super) fn open_keyed(
        snapshot: &Snapshot,
        table: Table,
        key: Option<(&'static str, HashSet<String>)>,
        columns: Option<Vec<String>>,
    ) -> Result<Self, SinkError> {
        #[cfg(test)]
        OPENED.set(OPENED.get() + 1);
        let has = |name: &str| columns::columns(table).iter().any(|c| c.name == name);
        let files = if key.as_ref().is_none_or(|(name, _)| has(name)) { snapshot.files(table)? } else { Vec::new() };
        let key = key.map(|(name, values)| (name, Arc::new(values)));
        Ok(Self { files: files.into_iter(), open: None, key, columns, table, keys: snapshot.keys().cloned() })
    }

    fn open_file(&self, path: &Path) -> Result<ParquetRecordBatchReader, SinkError> {
        let mut builder = open_parquet(path, self.keys.as_ref(), PageIndexPolicy::Skip)?;
        if let Some(keys) = &self.keys
            && let Some(column) = keys.lacks(self.table, self.columns.as_deref())
            && is_encrypted(path)?
        {
            return Err(SinkError::ColumnKeyMissing { path: path.to_owned(), column });
        }
        let schema = builder.parquet_schema();
        let columns = self.columns.as_ref();
        let mask = columns.map(|names| ProjectionMask::columns(schema, names.iter().map(String::as_str)));
        let filter = self.key.clone().map(|(name, values)| {
            let mask = ProjectionMask::columns(schema, [name]);
            let keep = move |batch: RecordBatch| {
                let ids = batch.column(0).as_string::<i32>();
                Ok(ids.iter().map(|id| Some(id.is_some_and(|id| values.contains(id)))).collect::<BooleanArray>())
            };
            RowFilter::new(vec![Box::new(ArrowPredicateFn::new(mask, keep))])
        });
        if let Some(mask) = mask {
            builder = builder.with_projection(mask);
        }
        if let Some(filter) = filter {
            builder = builder.with_row_filter(filter);
        }
        builder.build().map_err(SinkError::parquet("read", path))
    }
}

impl Iterator for Batches {
    type Item = Result<RecordBatch, SinkError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some((path, reader)) = &mut self.open
                && let Some(batch) = reader.next()
            {
                return Some(batch.map_err(|e| SinkError::parquet("read", path)(e.into())));
            }
            let path = self.files.next()?;
            match self.open_file(&path) {
                Ok(reader) => self.open = Some((path, reader)),
                Err(e) => return Some(Err(e)),
            }
        }
    }
}

/// Reads the selected rows of a table with the decoder of its row type.
fn rows<T>(
    snapshot: &Snapshot,
    table: Table,
    select: &Select,
    decode: impl Fn(&RecordBatch) -> Result<Vec<T>, decode::Misfit>,
) -> Result<Vec<T>, SinkError> {
    let mut all = Vec::new();
    for batch in Batches::open(snapshot, table, select, None)? {
        let corrupt = |e: decode::Misfit| SinkError::Corrupt { path: snapshot.path(table), column: e.0 };
        all.extend(decode(&batch?).map_err(corrupt)?);
    }
    Ok(all)
}

/// Shows the selected rows of a table one by one; never more than a batch is in memory.
fn each<T>(
    snapshot: &Snapshot,
    table: Table,
    select: &Select,
    decode: impl Fn(&RecordBatch) -> Result<Vec<T>, decode::Misfit>,
    visit: impl FnMut(T),
) -> Result<(), SinkError> {
    let mut visit = visit;
    for batch in Batches::open(snapshot, table, select, None)? {
        let corrupt = |e: decode::Misfit| SinkError::Corrupt { path: snapshot.path(table), column: e.0 };
        decode(&batch?).map_err(corrupt)?.into_iter().for_each(&mut visit);
    }
    Ok(())
}

/// Shows all rows of `documents`, in their order.
pub fn each_document(snapshot: &Snapshot, visit: impl FnMut(DocumentRow)) -> Result<(), SinkError> {
    each(snapshot, Table::Documents, &Select::All, decode::documents, visit)
}

/// Shows all rows of `accounts`, in their order.
pub fn each_account(snapshot: &Snapshot, visit: impl FnMut(AccountRow)) -> Result<(), SinkError> {
    each(snapshot, Table::Accounts, &Select::All, decode::accounts, visit)
}

/// Shows rows of `evidence`, in their order. A company's selection holds its contacts' signals too.
pub fn each_signal(snapshot: &Snapshot, select: &Select, visit: impl FnMut(Signal)) -> Result<(), SinkError> {
    each(snapshot, Table::Evidence, select, decode::evidence, visit)
}

/// Shows rows of `decisions`, in their order.
pub fn each_decision(snapshot: &Snapshot, select: &Select, visit: impl FnMut(DecisionRow)) -> Result<(), SinkError> {
    each(snapshot, Table::Decisions, select, decode::decisions, visit)
}

/// Some columns of a table.
pub fn read_columns(snapshot: &Snapshot, table: Table, columns: &[&str]) -> Result<Batches, SinkError> {
    Batches::open(snapshot, table, &Select::All, Some(columns.iter().map(|c| (*c).to_owned()).collect()))
}

/// Rows of `personas`, in their order.
pub fn read_personas(snapshot: &Snapshot, select: &Select) -> Result<Vec<Persona>, SinkError> {
    rows(snapshot, Table::Personas, select, decode::personas)
}

/// Rows of `evidence`, in their order. A company's selection holds its contacts' signals too.
pub fn read_evidence(snapshot: &Snapshot, select: &Select) -> Result<Vec<Signal>, SinkError> {
    rows(snapshot, Table::Evidence, select, decode::evidence)
}

/// Rows of `accounts`, in their order.
pub fn read_accounts(snapshot: &Snapshot, select: &Select) -> Result<Vec<AccountRow>, SinkError> {
    rows(snapshot, Table::Accounts, select, decode::accounts)
}

/// Rows of `buying_centers`, in their order.
pub fn read_buying_centers(snapshot: &Snapshot, select: &Select) -> Result<Vec<BuyingCenterRow>, SinkError> {
    rows(snapshot, Table::BuyingCenters, select, decode::buying_centers)
}

/// Rows of `decisions`, in their order.
pub fn read_decisions(snapshot: &Snapshot, select: &Select) -> Result<Vec<DecisionRow>, SinkError> {
    rows(snapshot, Table::Decisions, select, decode::decisions)
}

/// Rows of `documents`, in their order.
pub fn read_documents(snapshot: &Snapshot) -> Result<Vec<DocumentRow>, SinkError> {
    rows(snapshot, Table::Documents, &Select::All, decode::documents)
}

/// Rows of `runs`, in their order.
pub fn read_runs(snapshot: &Snapshot) -> Result<Vec<RunRow>, SinkError> {
    rows(snapshot, Table::Runs, &Select::All, decode::runs)
}
