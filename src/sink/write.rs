//! One table of a snapshot, streamed to one Parquet file.
//!
//! Invariant: equal rows give equal bytes, whatever the chunks they came in: rows are regrouped into
//! batches of one size before they are encoded, and nothing in the file depends on clock or host.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use arrow_select::coalesce::BatchCoalescer;
use parquet::arrow::{ARROW_SCHEMA_META_KEY, ArrowWriter};
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::{KeyValue, PageIndexPolicy, ParquetMetaData, SortingColumn};
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder, WriterVersion};
use parquet::schema::types::ColumnPath;

use super::encrypt::is_encrypted;
use super::schema::file_metadata;
use super::{FileFacts, SinkError, Table, TableKeys, columns, home, open_parquet};

/// Rows that are encoded at a time.
const BATCH_ROWS: usize = 4096;
/// Most rows of a row group.
const GROUP_ROWS: usize = 128 * 1024;
/// Most bytes of a row group, encoded; bounds the memory of a writer.
const GROUP_BYTES: usize = 16 * 1024 * 1024;
/// Most rows of a page. A writer holds a page of every column as it came, eight bytes a value, until it is full, and what
/// compresses a page grows with it; the personas of a page of 20,000 rows take 50 MiB.
const PAGE_ROWS: usize = 4096;
/// Columns in which no value comes twice: a dictionary of them would only take memory and time, and be given up in the
/// end.
const UNIQUE: [(Table, &[&str]); 5] = [
    (Table::Personas, &["subject_id", "crm_record", "permit_id"]),
    (Table::Evidence, &["signal_id"]),
    (Table::Accounts, &["account_id", "crm_record"]),
    (Table::Decisions, &["decision_id", "permit_id"]),
    (Table::Documents, &["document_id", "permit_id"]),
];
/// Bytes of a value in statistics: enough for ids, not for sentences.
const STATISTICS_BYTES: usize = 64;

/// A table that is being written.
#[derive(Debug)]
pub(super) struct TableWriter {
    path: PathBuf,
    schema: SchemaRef,
    table: Table,
    pending: BatchCoalescer,
    parquet: ArrowWriter<File>,
    rows: u64,
    last_key: Option<(Option<String>, Option<String>)>,
}

impl TableWriter {
    /// Creates `folder/part-0.parquet`.
    pub(super) fn create(
        folder: &Path,
        table: Table,
        facts: &FileFacts,
        keys: Option<&Arc<TableKeys>>,
    ) -> Result<Self, SinkError> {
        home::create_dir(folder)?;
        let path = folder.join("part-0.parquet");
        let schema = table.schema(facts);
        let properties = properties(table, facts, keys).map_err(SinkError::parquet("write", &path))?;
        let file = home::create_file(&path)?;
        let parquet =
            ArrowWriter::try_new(file, schema.clone(), Some(properties)).map_err(SinkError::parquet("write", &path))?;
        let pending = BatchCoalescer::new(schema.clone(), BATCH_ROWS);
        Ok(Self { path, schema, table, pending, parquet, rows: 0, last_key: None })
    }

    /// Creates `folder/part-0.parquet` for rows of a file that was written before: same schema, metadata and
    /// compression, whatever today's are; encrypted if that one is.
    pub(super) fn like(
        folder: &Path,
        table: Table,
        written: &Path,
        keys: Option<&Arc<TableKeys>>,
    ) -> Result<Self, SinkError> {
        home::create_dir(folder)?;
        let path = folder.join("part-0.parquet");
        let reader = open_parquet(written, keys, PageIndexPolicy::Skip)?;
        let schema = reader.schema().clone();
        let keys = if is_encrypted(written)? { keys } else { None };
        let properties = properties_of(table, reader.metadata(), keys).map_err(SinkError::parquet("write", &path))?;
        let file = home::create_file(&path)?;
        let parquet =
            ArrowWriter::try_new(file, schema.clone(), Some(properties)).map_err(SinkError::parquet("write", &path))?;
        let pending = BatchCoalescer::new(schema.clone(), BATCH_ROWS);
        Ok(Self { path, schema, table, pending, parquet, rows: 0, last_key: None })
    }

    /// The schema that batches must have.
    pub(super) const fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Rows so far.
    pub(super) const fn rows(&self) -> u64 {
        self.rows
    }

    /// The file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Checks that keys never go down, within a chunk and from one chunk to the next.
    pub(super) fn check_order<'a>(
        &mut self,
        keys: impl Iterator<Item = (Option<&'a str>, Option<&'a str>)>,
    ) -> Result<(), SinkError> {
        let before = self.last_key.take();
        let mut last = before.as_ref().map(|(a, b)| (a.as_deref(), b.as_deref()));
        for (row, next) in keys.enumerate() {
            if last.is_some_and(|last| last > next) {
                let key = columns::sort_key(self.table).expect("only sorted tables are checked");
                return Err(SinkError::Unsorted { table: self.table, key, row });
            }
            last = Some(next);
        }
        self.last_key = last.map(|(first, second)| (first.map(str::to_owned), second.map(str::to_owned)));
        Ok(())
    }

    /// Takes rows; writes them when a batch is full.
    pub(super) fn write(&mut self, batch: RecordBatch) -> Result<(), SinkError> {
        self.rows += batch.num_rows() as u64;
        let encode = |source| SinkError::Encode { table: self.table, source };
        self.pending.push_batch(batch).map_err(encode)?;
        self.drain()
    }

    fn drain(&mut self) -> Result<(), SinkError> {
        while let Some(batch) = self.pending.next_completed_batch() {
            self.parquet.write(&batch).map_err(SinkError::parquet("write", &self.path))?;
        }
        Ok(())
    }

    /// Writes what is left and the footer, and waits until the disk has it.
    pub(super) fn finish(mut self) -> Result<(), SinkError> {
        let table = self.table;
        self.pending.finish_buffered_batch().map_err(|source| SinkError::Encode { table, source })?;
        self.drain()?;
        let file = self.parquet.into_inner().map_err(SinkError::parquet("write", &self.path))?;
        file.sync_all().map_err(SinkError::io("sync", &self.path))
    }
}

/// How every file is written; `docs/tables.md` states it for readers.
fn properties(
    table: Table,
    facts: &FileFacts,
    keys: Option<&Arc<TableKeys>>,
) -> Result<WriterProperties, ParquetError> {
    let metadata = file_metadata(table, facts);
    let builder = base_properties(table)
        .set_created_by(format!("prosopon version {} (build release)", env!("CARGO_PKG_VERSION")))
        .set_sorting_columns(sorting(table))
        .set_key_value_metadata(Some(metadata.into_iter().map(|(k, v)| KeyValue::new(k.to_owned(), v)).collect()));
    Ok(encrypted(builder, table, keys)?.build())
}

fn encrypted(
    builder: WriterPropertiesBuilder,
    table: Table,
    keys: Option<&Arc<TableKeys>>,
) -> Result<WriterPropertiesBuilder, ParquetError> {
    match keys {
        Some(keys) => Ok(builder.with_file_encryption_properties(keys.encryption(table)?)),
        None => Ok(builder),
    }
}

/// How a file was written, as its footer says; the level of compression is not in it.
fn properties_of(
    table: Table,
    written: &ParquetMetaData,
    keys: Option<&Arc<TableKeys>>,
) -> Result<WriterProperties, ParquetError> {
    let file = written.file_metadata();
    let metadata = file.key_value_metadata().map(|all| all.iter().filter(|e| e.key != ARROW_SCHEMA_META_KEY));
    let sorted = written.row_groups().first().map_or_else(|| sorting(table), |g| g.sorting_columns().cloned());
    let mut builder = base_properties(table)
        .set_sorting_columns(sorted)
        .set_key_value_metadata(metadata.map(|all| all.cloned().collect()));
    if let Some(by) = file.created_by() {
        builder = builder.set_created_by(by.to_owned());
    }
    Ok(encrypted(builder, table, keys)?.build())
}

fn base_properties(table: Table) -> WriterPropertiesBuilder {
    let unique = UNIQUE.iter().filter(|(of, _)| *of == table).flat_map(|(_, columns)| *columns);
    let builder = unique.fold(WriterProperties::builder(), |builder, column| {
        builder.set_column_dictionary_enabled(ColumnPath::from(*column), false)
    });
    builder
        .set_writer_version(WriterVersion::PARQUET_1_0)
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(3).expect("3 is a level of zstd")))
        .set_dictionary_enabled(true)
        .set_statistics_enabled(EnabledStatistics::Page)
        .set_statistics_truncate_length(Some(STATISTICS_BYTES))
        .set_column_index_truncate_length(Some(STATISTICS_BYTES))
        .set_max_row_group_row_count(Some(GROUP_ROWS))
        .set_data_page_row_count_limit(PAGE_ROWS)
        .set_max_row_group_bytes(Some(GROUP_BYTES))
}

/// Sort columns as the file states them. Only ids: roles are sorted as the vocabulary is, not as text.
fn sorting(table: Table) -> Option<Vec<SortingColumn>> {
    let ids = columns::sort_key(table)?.split(", ").filter(|k| k.ends_with("_id"));
    let index = |key| columns::columns(table).iter().position(|c| c.name == key).expect("a sort key is a column");
    // The ids come first in every table, before any nested column, so places of fields are places of leaves.
    Some(
        ids.map(|key| SortingColumn {
            column_idx: i32::try_from(index(key)).expect("few columns"),
            descending: false,
            nulls_first: true,
        })
        .collect(),
    )
}
