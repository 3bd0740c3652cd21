//! What the headers of a consent table stand for, and what stands in a field.
//!
//! Invariant: a header that is not known is no harmless one, and of a list or an object all is looked at.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::{Arc, LazyLock};

use serde::Deserialize;
use serde_json::Value;

use crate::consent::dialect::Outcome;
use crate::consent::dialect::record::{Item, Problem, Record};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[expect(dead_code, reason = "a format version, read so that an unknown key is refused")]
    version: u32,
    columns: BTreeMap<String, Vec<String>>,
    harmless: Vec<String>,
}

static FILE: LazyLock<File> = LazyLock::new(|| {
    serde_saphyr::from_str(include_str!("../../../../config/consent/table.yaml"))
        .expect("the embedded table is checked by a test")
});

/// Column by normalised header.
static COLUMNS: LazyLock<HashMap<String, String>> = LazyLock::new(|| {
    let spellings = FILE.columns.iter().flat_map(|(column, others)| {
        std::iter::once(column).chain(others).map(move |header| (normal(header), column.clone()))
    });
    spellings.collect()
});

/// Headers that say nothing about a consent.
static HARMLESS: LazyLock<HashSet<String>> = LazyLock::new(|| FILE.harmless.iter().map(|h| normal(h)).collect());

/// What a header stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::consent::dialect) enum Column {
    /// A column of a legal event, by its name.
    Known(&'static str),
    /// Nothing about the consent.
    Harmless,
    /// Nobody knows.
    Unknown,
}

/// What a header stands for.
pub(in crate::consent::dialect) fn column_of(header: &str) -> Column {
    let header = normal(header);
    match COLUMNS.get(&header) {
        Some(column) => Column::Known(column),
        None if HARMLESS.contains(&header) => Column::Harmless,
        None => Column::Unknown,
    }
}

/// Whether a column of a consent table plainly says nothing that a reader of consents needs: who somebody is, or who wrote it down.
pub(crate) fn is_harmless(header: &str) -> bool {
    matches!(column_of(header), Column::Harmless | Column::Known("actor" | "email"))
}

fn normal(header: &str) -> String {
    header.chars().filter(|c| !" -_./".contains(*c)).flat_map(char::to_lowercase).collect()
}

/// Tells columns that are none of a consent table; the files that have some.
pub(super) fn unknown(records: &[Record], outcome: &mut Outcome) -> BTreeSet<Arc<str>> {
    let mut refused: BTreeMap<Arc<str>, (Problem, BTreeSet<usize>)> = BTreeMap::new();
    for record in records {
        // By number: where a table has no header, its first row would be told.
        let is_unknown = |(_, (header, value)): &(usize, (&String, &Value))| has_unknown(header, value);
        for (i, _) in record.fields.iter().enumerate().filter(is_unknown) {
            let entry = refused
                .entry(Arc::clone(&record.at.file))
                .or_insert_with(|| (Item::of(record).problem(None, "unknown_column", ""), BTreeSet::new()));
            entry.1.insert(i + 1);
        }
    }
    for (mut problem, columns) in refused.values().cloned() {
        let columns = columns.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        problem.advice = format!(
            "column {columns} is none of a consent table and might say no, so nothing of the file grants anything; \
             rename or remove it"
        )
        .into();
        problem.digest = [0; 32];
        outcome.problems.push(problem);
    }
    refused.into_keys().collect()
}

/// Whether a field, or one of an object in it, is none of a consent table.
fn has_unknown(header: &str, value: &Value) -> bool {
    match value {
        Value::Object(map) => map.iter().any(|(key, value)| has_unknown(&format!("{header}.{key}"), value)),
        Value::Array(values) if values.iter().any(|value| value.is_object() || value.is_array()) => {
            values.iter().any(|value| has_unknown(header, value))
        }
        _ => column_of(header) == Column::Unknown,
    }
}

/// All that stands in a field, within its lists and objects, too, with a `|` between.
pub(crate) fn texts(value: &Value) -> Cow<'_, str> {
    match value {
        Value::String(text) => Cow::Borrowed(text),
        Value::Object(map) => join(&mut map.values()),
        Value::Array(values) => join(&mut values.iter()),
        Value::Null | Value::Bool(_) | Value::Number(_) => Cow::Borrowed(""),
    }
}

fn join<'v>(values: &mut dyn Iterator<Item = &'v Value>) -> Cow<'v, str> {
    Cow::Owned(values.map(texts).filter(|text| !text.is_empty()).collect::<Vec<_>>().join("|"))
}

/// A row by the names of its columns.
pub(super) fn renamed(item: &Item) -> Item {
    let rename = |name: &String| COLUMNS.get(&normal(name)).cloned().unwrap_or_else(|| name.clone());
    Item {
        names: item.names.iter().map(rename).collect(),
        cells: item.cells.iter().map(|(name, cell)| (rename(name), cell.clone())).collect(),
        ..item.clone()
    }
}
