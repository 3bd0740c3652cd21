//! JSON values and Parquet columns as the readers of exports take them: of consents and of CRM tables.
//!
//! Invariant: an object has no key twice, for one of the two might say no; a column of a type that is not read is
//! `None`, never a column less.

use std::fmt;

use ::parquet::basic::Compression;
use ::parquet::file::metadata::{ParquetMetaData, RowGroupMetaData};
use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Date64Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type,
    UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef};
use arrow_schema::{DataType, TimeUnit};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Deserializer;
use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// What stands where a date is that no calendar has; it is told as an unreadable date, where it stands.
const OUT_OF_RANGE: &str = "out of range";

/// What a Parquet file is compressed by that is not read, as Parquet calls it.
pub(crate) fn unread_codec(file: &ParquetMetaData) -> Option<&'static str> {
    let mut columns = file.row_groups().iter().flat_map(RowGroupMetaData::columns);
    columns.any(|column| column.compression() == Compression::LZO).then_some("LZO")
}

/// JSON in which no object has a key twice.
pub(crate) fn strict(text: &[u8]) -> Result<Value, serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let value = Strict.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(value)
}

#[derive(Clone, Copy)]
struct Strict;

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }
    fn visit_bool<E>(self, v: bool) -> Result<Value, E> {
        Ok(Value::Bool(v))
    }
    fn visit_i64<E>(self, v: i64) -> Result<Value, E> {
        Ok(v.into())
    }
    fn visit_u64<E>(self, v: u64) -> Result<Value, E> {
        Ok(v.into())
    }
    fn visit_f64<E>(self, v: f64) -> Result<Value, E> {
        Ok(v.into())
    }
    fn visit_str<E>(self, v: &str) -> Result<Value, E> {
        Ok(v.into())
    }
    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = seq.next_element_seed(self)? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = access.next_key::<String>()? {
            let value = access.next_value_seed(self)?;
            if map.insert(key, value).is_some() {
                return Err(A::Error::custom("a key twice"));
            }
        }
        Ok(Value::Object(map))
    }
}

/// The values of a column: text, lists of texts, booleans, numbers, dates; `None` = another type.
pub(crate) fn values(array: &ArrayRef) -> Option<Vec<Value>> {
    let each = |value: &dyn Fn(usize) -> Value| -> Vec<Value> {
        (0..array.len()).map(|i| if array.is_null(i) { Value::Null } else { value(i) }).collect()
    };
    Some(match array.data_type() {
        DataType::Null => vec![Value::Null; array.len()],
        DataType::Utf8 => each(&|i| array.as_string::<i32>().value(i).into()),
        DataType::LargeUtf8 => each(&|i| array.as_string::<i64>().value(i).into()),
        DataType::Utf8View => each(&|i| array.as_string_view().value(i).into()),
        DataType::Boolean => each(&|i| array.as_boolean().value(i).into()),
        DataType::Date32 => each(&|i| day(i64::from(array.as_primitive::<Date32Type>().value(i)))),
        DataType::Date64 => each(&|i| day(array.as_primitive::<Date64Type>().value(i).div_euclid(86_400_000))),
        DataType::Timestamp(unit, _) => each(&|i| time(array, *unit, i)),
        DataType::List(item) if is_text(item.data_type()) => list(array, |i| array.as_list::<i32>().value(i))?,
        DataType::LargeList(item) if is_text(item.data_type()) => list(array, |i| array.as_list::<i64>().value(i))?,
        DataType::Dictionary(..) => {
            let dictionary = array.as_any_dictionary();
            let words = values(dictionary.values())?;
            // Without a word every row is empty, and there are no keys to look at.
            let keys = if words.is_empty() { Vec::new() } else { dictionary.normalized_keys() };
            each(&|i| keys.get(i).map_or(Value::Null, |key| words[*key].clone()))
        }
        _ => numbers(array)?,
    })
}

fn numbers(array: &ArrayRef) -> Option<Vec<Value>> {
    let each = |value: &dyn Fn(usize) -> Value| -> Vec<Value> {
        (0..array.len()).map(|i| if array.is_null(i) { Value::Null } else { value(i) }).collect()
    };
    Some(match array.data_type() {
        DataType::Int8 => each(&|i| array.as_primitive::<Int8Type>().value(i).into()),
        DataType::Int16 => each(&|i| array.as_primitive::<Int16Type>().value(i).into()),
        DataType::Int32 => each(&|i| array.as_primitive::<Int32Type>().value(i).into()),
        DataType::Int64 => each(&|i| array.as_primitive::<Int64Type>().value(i).into()),
        DataType::UInt8 => each(&|i| array.as_primitive::<UInt8Type>().value(i).into()),
        DataType::UInt16 => each(&|i| array.as_primitive::<UInt16Type>().value(i).into()),
        DataType::UInt32 => each(&|i| array.as_primitive::<UInt32Type>().value(i).into()),
        DataType::UInt64 => each(&|i| array.as_primitive::<UInt64Type>().value(i).into()),
        DataType::Float32 => each(&|i| f64::from(array.as_primitive::<Float32Type>().value(i)).into()),
        DataType::Float64 => each(&|i| array.as_primitive::<Float64Type>().value(i).into()),
        DataType::Decimal128(..) => {
            let decimals = array.as_primitive::<Decimal128Type>();
            each(&|i| number(&decimals.value_as_string(i)))
        }
        _ => return None,
    })
}

/// A decimal: whole where it is whole, so that ids stay ids.
fn number(text: &str) -> Value {
    let whole =
        text.split_once('.').map_or(text, |(whole, rest)| if rest.bytes().all(|b| b == b'0') { whole } else { text });
    whole.parse::<i64>().map(Value::from).or_else(|_| text.parse::<f64>().map(Value::from)).unwrap_or(Value::Null)
}

fn day(since_epoch: i64) -> Value {
    let span = jiff::Span::new().try_days(since_epoch);
    let date = span.and_then(|days| Date::constant(1970, 1, 1).checked_add(days));
    date.map_or(Value::from(OUT_OF_RANGE), |d| Value::from(d.to_string()))
}

fn time(array: &ArrayRef, unit: TimeUnit, i: usize) -> Value {
    let at = match unit {
        TimeUnit::Second => Timestamp::from_second(array.as_primitive::<TimestampSecondType>().value(i)),
        TimeUnit::Millisecond => Timestamp::from_millisecond(array.as_primitive::<TimestampMillisecondType>().value(i)),
        TimeUnit::Microsecond => Timestamp::from_microsecond(array.as_primitive::<TimestampMicrosecondType>().value(i)),
        TimeUnit::Nanosecond => {
            Timestamp::from_nanosecond(i128::from(array.as_primitive::<TimestampNanosecondType>().value(i)))
        }
    };
    at.map_or(Value::from(OUT_OF_RANGE), |at| Value::from(at.to_string()))
}

/// Only texts can be joined so that they come apart again.
const fn is_text(kind: &DataType) -> bool {
    matches!(kind, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
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
