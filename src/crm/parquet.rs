//! Rows of Parquet exports, by their typed columns.
//!
//! Invariant: only columns that stand for a field are read, a batch at a time; one of a type that is not read is an
//! error before any row.

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use ::parquet::arrow::ProjectionMask;
use ::parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use ::parquet::errors::ParquetError;
use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, new_empty_array};
use arrow_schema::{DataType, Field};
use serde_json::Value;

use super::columns::Layout;
use super::headers::is_flag;
use super::objections::Searched;
use super::rows::{Export, Read, Row, cell, check};
use super::{CrmError, FileFacts, Unit};
use crate::structured::{unread_codec, values};

/// Rows that are decoded at once: texts may be long.
const BATCH: usize = 256;

/// Reads the rows of one file.
pub(super) struct ParquetRows {
    reader: ParquetRecordBatchReader,
    path: PathBuf,
    file: Arc<str>,
    /// The columns of the header that are read, in the order of the batches.
    read: Vec<usize>,
    /// Their cells in this batch.
    cells: Vec<Vec<Value>>,
    at: usize,
    pub(super) layout: Layout,
    pub(super) facts: FileFacts,
}

impl ParquetRows {
    pub(super) fn open(export: &Export<'_>) -> Result<Self, CrmError> {
        let Export { table, set, path, .. } = *export;
        let fail = |source| CrmError::BadParquet { path: path.to_owned(), source };
        let file = File::open(path).map_err(|source| CrmError::Read { path: path.to_owned(), source })?;
        let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(fail)?;
        if let Some(codec) = unread_codec(builder.metadata()) {
            return Err(CrmError::Codec { path: path.to_owned(), codec });
        }
        let mut leaves: Vec<(usize, String, DataType)> = Vec::new();
        for (root, field) in builder.schema().fields().iter().enumerate() {
            spread_field("", field, &mut |name, kind| leaves.push((root, name, kind.clone())));
        }
        // A flag with fields of its own must not be passed over.
        let strange = |field: &&Arc<Field>| field.data_type().is_nested() && is_flag(table, set, field.name());
        if let Some(field) = builder.schema().fields().iter().find(strange) {
            let (column, kind) = (field.name().clone(), field.data_type().to_string());
            return Err(CrmError::BadColumn { path: path.to_owned(), column, kind });
        }
        let header: Vec<String> = leaves.iter().map(|(_, name, _)| name.clone()).collect();
        let layout = Layout::resolve(table, set, &header, path)?;
        let used = layout.used();
        if let Some((_, column, kind)) =
            used.iter().map(|at| &leaves[*at]).find(|(.., kind)| values(&new_empty_array(kind)).is_none())
        {
            let (path, column, kind) = (path.to_owned(), column.clone(), kind.to_string());
            return Err(CrmError::BadColumn { path, column, kind });
        }
        // Of those that stand for no field, texts alone may say no.
        let may_say = |(at, _): &&Searched| values(&new_empty_array(&leaves[*at].2)).is_some();
        let searched = layout.searched.iter().filter(may_say).map(|(at, _)| *at);
        // A struct is read whole for one of its fields.
        let roots: Vec<usize> = used.iter().copied().chain(searched).map(|at| leaves[at].0).collect();
        let read = (0..leaves.len()).filter(|at| roots.contains(&leaves[*at].0)).collect();
        let mask = ProjectionMask::roots(builder.parquet_schema(), roots);
        let reader = builder.with_projection(mask).with_batch_size(BATCH).build().map_err(fail)?;
        // Its texts are UTF-8, whatever the bytes of the file look like.
        let facts = FileFacts { encoding: "UTF-8", utf8_lines: 0, ..export.facts("Parquet", &layout, &header) };
        let cells = Vec::new();
        Ok(Self { reader, path: path.to_owned(), file: export.name.into(), read, cells, at: 0, layout, facts })
    }

    /// The next item: a row, a dead letter, or the end.
    pub(super) fn next_row(&mut self) -> Result<Option<Read>, CrmError> {
        while self.cells.first().is_none_or(|column| self.at == column.len()) {
            if !self.next_batch()? {
                return Ok(None);
            }
        }
        let mut cells = vec![String::new(); self.layout.width];
        for (column, values) in self.read.iter().zip(&self.cells) {
            if let Some(place) = cells.get_mut(*column) {
                *place = cell(&values[self.at]);
            }
        }
        self.at += 1;
        self.facts.rows += 1;
        let row = Row::of_cells(&cells, &self.file, self.facts.rows, Unit::Row);
        Ok(Some(check(row, &self.layout, false)))
    }

    fn next_batch(&mut self) -> Result<bool, CrmError> {
        let Some(batch) = self.reader.next() else { return Ok(false) };
        let fail = |source| CrmError::BadParquet { path: self.path.clone(), source };
        let batch = batch.map_err(|e| fail(ParquetError::from(e)))?;
        self.cells.clear();
        self.at = 0;
        for (field, array) in batch.schema().fields().iter().zip(batch.columns()) {
            spread_array(field, array, None, &mut self.cells);
        }
        Ok(true)
    }
}

/// Tells every field that is no struct, by its names joined by dots.
fn spread_field(prefix: &str, field: &Field, tell: &mut dyn FnMut(String, &DataType)) {
    let name = if prefix.is_empty() { field.name().clone() } else { format!("{prefix}.{}", field.name()) };
    match field.data_type() {
        DataType::Struct(fields) => fields.iter().for_each(|inner| spread_field(&name, inner, tell)),
        kind => tell(name, kind),
    }
}

/// The values of every field that is no struct, in the same order; those of a type that is not read are nothing.
fn spread_array(field: &Field, array: &ArrayRef, parent: Option<&ArrayRef>, out: &mut Vec<Vec<Value>>) {
    if let DataType::Struct(fields) = field.data_type() {
        let columns = array.as_struct().columns();
        fields.iter().zip(columns).for_each(|(inner, column)| spread_array(inner, column, Some(array), out));
        return;
    }
    let mut column = values(array).unwrap_or_else(|| vec![Value::Null; array.len()]);
    if let Some(parent) = parent {
        column.iter_mut().enumerate().filter(|(i, _)| parent.is_null(*i)).for_each(|(_, value)| *value = Value::Null);
    }
    out.push(column);
}

#[cfg(test)]
#[path = "parquet_tests.rs"]
mod tests;
