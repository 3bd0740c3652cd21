//! Parquet files as records: text, lists of texts, booleans, numbers, dates.
//!
//! Invariant: a column of another type is an error, never a column less.

use std::sync::Arc;

use ::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use ::parquet::errors::ParquetError;
use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType,
};
use arrow_array::{Array, ArrayRef};
use arrow_schema::{DataType, TimeUnit};
use bytes::Bytes;
use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::{Map, Value};

use super::input::{Export, InputError};
use super::record::{Place, Record, Unit};

pub(super) fn parse(name: &str, bytes: &[u8]) -> Result<Export, InputError> {
    let fail = |source| InputError::Parquet { file: name.to_owned(), source };
    let builder = ParquetRecordBatchReaderBuilder::try_new(Bytes::copy_from_slice(bytes)).map_err(fail)?;
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

fn values(array: &ArrayRef) -> Option<Vec<Value>> {
    let each = |value: &dyn Fn(usize) -> Value| -> Vec<Value> {
        (0..array.len()).map(|i| if array.is_null(i) { Value::Null } else { value(i) }).collect()
    };
    let time = |unit: TimeUnit, i: usize| -> Value {
        let at = match unit {
            TimeUnit::Second => Timestamp::from_second(array.as_primitive::<TimestampSecondType>().value(i)),
            TimeUnit::Millisecond => {
                Timestamp::from_millisecond(array.as_primitive::<TimestampMillisecondType>().value(i))
            }
            TimeUnit::Microsecond => {
                Timestamp::from_microsecond(array.as_primitive::<TimestampMicrosecondType>().value(i))
            }
            TimeUnit::Nanosecond => {
                Timestamp::from_nanosecond(i128::from(array.as_primitive::<TimestampNanosecondType>().value(i)))
            }
        };
        // Out of range is told as an unreadable date, where it stands.
        at.map_or(Value::from("out of range"), |at| Value::from(at.to_string()))
    };
    Some(match array.data_type() {
        DataType::Null => vec![Value::Null; array.len()],
        DataType::Utf8 => each(&|i| array.as_string::<i32>().value(i).into()),
        DataType::LargeUtf8 => each(&|i| array.as_string::<i64>().value(i).into()),
        DataType::Utf8View => each(&|i| array.as_string_view().value(i).into()),
        DataType::Boolean => each(&|i| array.as_boolean().value(i).into()),
        DataType::Int32 => each(&|i| array.as_primitive::<Int32Type>().value(i).into()),
        DataType::Int64 => each(&|i| array.as_primitive::<Int64Type>().value(i).into()),
        DataType::Float64 => each(&|i| array.as_primitive::<Float64Type>().value(i).into()),
        DataType::Date32 => each(&|i| {
            let day = i64::from(array.as_primitive::<Date32Type>().value(i));
            let date = Date::constant(1970, 1, 1).checked_add(jiff::Span::new().days(day));
            date.map_or(Value::from("out of range"), |d| Value::from(d.to_string()))
        }),
        DataType::Timestamp(unit, _) => {
            let unit = *unit;
            each(&|i| time(unit, i))
        }
        DataType::List(_) => list(array, |i| array.as_list::<i32>().value(i))?,
        DataType::LargeList(_) => list(array, |i| array.as_list::<i64>().value(i))?,
        _ => return None,
    })
}

/// Lists of texts, joined as a table joins them.
fn list(array: &ArrayRef, value: impl Fn(usize) -> ArrayRef) -> Option<Vec<Value>> {
    let mut rows = Vec::with_capacity(array.len());
    for i in 0..array.len() {
        let row = if array.is_null(i) { Vec::new() } else { values(&value(i))? };
        let texts: Option<Vec<&str>> = row.iter().map(Value::as_str).collect();
        rows.push(texts?.join("|").into());
    }
    Some(rows)
}
