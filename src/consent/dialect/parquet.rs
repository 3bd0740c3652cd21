//! Parquet files as records: text, lists of texts, booleans, numbers, dates.
//!
//! Invariant: a column of another type is an error, never a column less.

use std::sync::Arc;

use ::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use ::parquet::errors::ParquetError;
use bytes::Bytes;
use serde_json::{Map, Value};

use super::input::{Export, InputError};
use super::record::{Place, Record, Unit};
use crate::structured::{unread_codec, values};

pub(super) fn parse(name: &str, bytes: &[u8]) -> Result<Export, InputError> {
    let fail = |source| InputError::Parquet { file: name.to_owned(), source };
    let builder = ParquetRecordBatchReaderBuilder::try_new(Bytes::copy_from_slice(bytes)).map_err(fail)?;
    if let Some(codec) = unread_codec(builder.metadata()) {
        return Err(InputError::Codec { file: name.to_owned(), codec });
    }
    let reader = builder.build().map_err(fail)?;
    let file: Arc<str> = Arc::from(name);
    let mut export = Export::default();
    for batch in reader {
        let batch = batch.map_err(|e| fail(ParquetError::from(e)))?;
        let mut columns = Vec::new();
        for (field, array) in batch.schema().fields().iter().zip(batch.columns()) {
            let kind = field.data_type().to_string();
            let column = field.name().clone();
            let values =
                values(array).ok_or(InputError::Column { file: name.to_owned(), column: column.clone(), kind })?;
            columns.push((column, values));
        }
        for row in 0..batch.num_rows() {
            let fields: Map<String, Value> = columns.iter().map(|(n, v)| (n.clone(), v[row].clone())).collect();
            let number = export.records.len() as u64 + 1;
            let at = Place { file: Arc::clone(&file), unit: Unit::Record, number };
            export.records.push(Record { at, hint: None, fields });
        }
    }
    Ok(export)
}
