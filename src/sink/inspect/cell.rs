//! One value of a table as text for people, or as JSON.
//!
//! Invariant: no control character leaves this module, whatever the file holds.

use std::fmt::Write;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef};
use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::safe_text::{is_formula, is_unprintable};
use crate::sink::columns::{Column, Kind, Range};

/// The value as JSON: instants as RFC 3339 text, lists as arrays, structs as objects.
pub(crate) fn json(array: &ArrayRef, row: usize) -> Value {
    if array.is_null(row) {
        return Value::Null;
    }
    if let Some(texts) = array.as_string_opt::<i32>() {
        texts.value(row).into()
    } else if let Some(floats) = array.as_primitive_opt::<Float64Type>() {
        floats.value(row).into()
    } else if let Some(ints) = array.as_primitive_opt::<Int64Type>() {
        ints.value(row).into()
    } else if let Some(times) = array.as_primitive_opt::<TimestampMicrosecondType>() {
        instant(times.value(row)).into()
    } else if let Some(list) = array.as_list_opt::<i32>() {
        let values = list.value(row);
        (0..values.len()).map(|i| json(&values, i)).collect()
    } else if let Some(rows) = array.as_struct_opt() {
        let members = rows.column_names().into_iter().zip(rows.columns());
        Value::Object(members.map(|(name, column)| (name.to_owned(), json(column, row))).collect::<Map<_, _>>())
    } else {
        Value::Null
    }
}

fn instant(microseconds: i64) -> String {
    Timestamp::from_microsecond(microseconds).map_or_else(|_| microseconds.to_string(), |t| t.to_string())
}

/// JSON text in which control and direction characters are escaped.
pub(super) fn json_text(value: &Value) -> String {
    let text = value.to_string();
    if !text.chars().any(is_unprintable) {
        return text;
    }
    let mut safe = String::new();
    for c in text.chars() {
        if is_unprintable(c) {
            // They stand inside strings only, where JSON knows the escape.
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(safe, "\\u{unit:04x}");
            }
        } else {
            safe.push(c);
        }
    }
    safe
}

/// The text without what steers a terminal.
pub(super) fn printable(text: &str) -> String {
    let space = |c: char| if matches!(c, '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}') { ' ' } else { c };
    text.chars().map(space).filter(|c| !is_unprintable(*c)).collect()
}

/// The value as a CSV cell: full precision, nested values as JSON, no formula.
pub(super) fn csv(array: &ArrayRef, row: usize) -> String {
    if array.is_null(row) {
        return String::new();
    }
    match array.as_string_opt::<i32>() {
        Some(texts) => {
            let text = printable(texts.value(row));
            if is_formula(&text) { format!("'{text}") } else { text }
        }
        None => match json(array, row) {
            Value::String(text) => text,
            other => json_text(&other),
        },
    }
}

/// The value for a terminal: short numbers, nested values in a line, null as nothing.
pub(super) fn short(array: &ArrayRef, kind: &Kind, row: usize) -> String {
    if array.is_null(row) {
        return String::new();
    }
    match kind {
        Kind::Float(range) => number(array.as_primitive::<Float64Type>().value(row), *range),
        Kind::Structs(fields) => list_of_structs(&array.as_list::<i32>().value(row), fields),
        Kind::Codes => {
            let values = array.as_list::<i32>().value(row);
            let all: Vec<String> = (0..values.len()).map(|i| short(&values, &Kind::Code, i)).collect();
            all.join("; ")
        }
        Kind::Code | Kind::Prose | Kind::Term(_) => printable(array.as_string::<i32>().value(row)),
        Kind::Int => array.as_primitive::<Int64Type>().value(row).to_string(),
        Kind::Time => instant(array.as_primitive::<TimestampMicrosecondType>().value(row)),
    }
}

fn number(value: f64, range: Range) -> String {
    if matches!(range, Range::NotNegative | Range::Finite) && value.fract() == 0.0 {
        format!("{value:.0}")
    } else {
        format!("{value:.2}")
    }
}

/// `label value` of every struct that has a value, the most probable first; where none has, the reasons.
fn list_of_structs(values: &ArrayRef, fields: &[Column]) -> String {
    let rows = values.as_struct();
    let status = fields.iter().position(|f| f.name == "status");
    let probability = rows.column(1).as_primitive_opt::<Float64Type>();
    let probability = probability.filter(|_| fields[1].kind == Kind::Float(Range::Unit));
    let gap = if fields[1].kind == Kind::Prose { ": " } else { " " };
    let mut known = Vec::new();
    let mut reasons: Vec<String> = Vec::new();
    for i in 0..values.len() {
        let part = |k: usize| short(rows.column(k), &fields[k].kind, i);
        let value = part(1);
        if !value.is_empty() {
            known.push((probability.map_or(0.0, |p| p.value(i)), format!("{}{gap}{value}", part(0))));
        } else if let Some(reason) = status.map(part)
            && !reasons.contains(&reason)
        {
            reasons.push(reason);
        }
    }
    if known.is_empty() && !reasons.is_empty() {
        return abstained(&reasons.join(", "));
    }
    known.sort_by(|a, b| b.0.total_cmp(&a.0));
    known.into_iter().map(|(_, text)| text).collect::<Vec<_>>().join("; ")
}

/// How an abstention is shown.
pub(super) fn abstained(reason: &str) -> String {
    format!("({reason})")
}
