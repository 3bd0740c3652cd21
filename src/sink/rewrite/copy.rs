//! Copying a table without some rows and with others.
//!
//! Invariant: one batch is held at a time, and the order of the table is kept.

use std::collections::HashSet;
use std::iter::Peekable;
use std::ops::Range;

use arrow_array::cast::AsArray;
use arrow_array::{Array, BooleanArray, RecordBatch, StringArray};
use arrow_schema::SchemaRef;
use arrow_select::filter::filter_record_batch;

use crate::sink::read::Batches;
use crate::sink::write::TableWriter;
use crate::sink::{Select, SinkError, Snapshot, Table, decode};

/// Sort key of a row: company and contact.
pub(super) type Key = (Option<String>, Option<String>);
/// Rows that come, with the key of the first.
pub(super) type Coming = Result<(Key, RecordBatch), SinkError>;

/// Opens the new file of a table, written as the old one was.
pub(super) fn writer(from: &Snapshot, to: &Snapshot, table: Table) -> Result<TableWriter, SinkError> {
    TableWriter::like(&to.path(table), table, &from.files(table)?[0], from.keys())
}

/// Streams a table into the new folder.
pub(super) fn copy<I: IntoIterator<Item = Coming>>(
    from: &Snapshot,
    to: &Snapshot,
    table: Table,
    drop: impl Fn(&RecordBatch) -> BooleanArray,
    mut dropped: impl FnMut(&RecordBatch) -> Result<(), decode::Misfit>,
    come: impl FnOnce(&SchemaRef) -> Result<I, SinkError>,
) -> Result<Copied, SinkError> {
    let mut writer = writer(from, to, table)?;
    let corrupt = |e: decode::Misfit| SinkError::Corrupt { path: from.path(table), column: e.0 };
    let fit = |source| SinkError::Encode { table, source };
    let mut coming = come(&writer.schema().clone())?.into_iter().peekable();
    let mut copied = Copied::default();
    for batch in Batches::open(from, table, &Select::All, None)? {
        let batch = batch?;
        let go = drop(&batch);
        if go.true_count() == 0 {
            copied.merge(&mut writer, &batch, &mut coming)?;
            continue;
        }
        let gone = filter_record_batch(&batch, &go).map_err(fit)?;
        copied.dropped += gone.num_rows() as u64;
        dropped(&gone).map_err(corrupt)?;
        let stay = go.iter().map(|g| Some(g != Some(true))).collect();
        let rest = filter_record_batch(&batch, &stay).map_err(fit)?;
        copied.merge(&mut writer, &rest, &mut coming)?;
    }
    for come in coming {
        copied.take(&mut writer, come?.1)?;
    }
    copied.rows = writer.rows();
    writer.finish()?;
    Ok(copied)
}

/// What a copy came to.
#[derive(Debug, Default)]
pub(super) struct Copied {
    /// Rows of the new file.
    pub(super) rows: u64,
    /// Rows that went.
    pub(super) dropped: u64,
    /// Rows that came.
    pub(super) came: u64,
}

impl Copied {
    fn take(&mut self, writer: &mut TableWriter, batch: RecordBatch) -> Result<(), SinkError> {
        self.came += batch.num_rows() as u64;
        writer.write(batch)
    }

    /// Writes a batch, with what comes at its place in the order.
    fn merge(
        &mut self,
        writer: &mut TableWriter,
        batch: &RecordBatch,
        coming: &mut Peekable<impl Iterator<Item = Coming>>,
    ) -> Result<(), SinkError> {
        let (keys, rows) = (Keys::of(batch), batch.num_rows());
        let mut start = 0;
        while let Some(come) = coming.next_if(|come| {
            // What is behind all rows of this batch may be before those of the next.
            come.as_ref().map_or(true, |(key, _)| rows > 0 && keys.at(rows - 1) > borrowed(key))
        }) {
            let (key, come) = come?;
            let behind = start + keys.behind(start..rows, borrowed(&key));
            if behind > start {
                writer.write(batch.slice(start, behind - start))?;
                start = behind;
            }
            self.take(writer, come)?;
        }
        writer.write(batch.slice(start, rows - start))
    }
}

/// Sort keys of the rows of a batch; a column that the table lacks counts as null.
pub(super) struct Keys<'b> {
    accounts: Option<&'b StringArray>,
    subjects: Option<&'b StringArray>,
}

impl<'b> Keys<'b> {
    pub(super) fn of(batch: &'b RecordBatch) -> Self {
        let column = |name: &str| batch.column_by_name(name).and_then(|column| column.as_string_opt());
        Self { accounts: column("account_id"), subjects: column("subject_id") }
    }

    /// Company and contact of a row.
    pub(super) fn at(&self, row: usize) -> (Option<&'b str>, Option<&'b str>) {
        let text = |column: Option<&'b StringArray>| column.filter(|c| c.is_valid(row)).map(|c| c.value(row));
        (text(self.accounts), text(self.subjects))
    }

    /// How many of these sorted rows do not come after a key.
    fn behind(&self, rows: Range<usize>, key: (Option<&str>, Option<&str>)) -> usize {
        let (mut low, mut high) = (rows.start, rows.end);
        while low < high {
            let middle = low.midpoint(high);
            if self.at(middle) <= key {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low - rows.start
    }
}

fn borrowed(key: &Key) -> (Option<&str>, Option<&str>) {
    (key.0.as_deref(), key.1.as_deref())
}

/// The key of a row, owned.
pub(super) fn key_of(batch: &RecordBatch, row: usize) -> Key {
    let (account, subject) = Keys::of(batch).at(row);
    (account.map(str::to_owned), subject.map(str::to_owned))
}

/// Which rows have one of the values.
pub(super) fn hit(batch: &RecordBatch, column: &str, values: &HashSet<String>) -> BooleanArray {
    let texts = batch.column_by_name(column).and_then(|c| c.as_string_opt::<i32>());
    texts.map_or_else(
        || BooleanArray::from(vec![false; batch.num_rows()]),
        |texts| texts.iter().map(|t| Some(t.is_some_and(|t| values.contains(t)))).collect(),
    )
}

/// The values of a text column, without nulls.
pub(super) fn values(batch: &RecordBatch, column: &str) -> Vec<String> {
    let texts = batch.column_by_name(column).and_then(|c| c.as_string_opt::<i32>());
    texts.map(|t| t.iter().flatten().map(str::to_owned).collect()).unwrap_or_default()
}
