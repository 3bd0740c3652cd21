//! From the column list of a table to its Arrow schema.
//!
//! Invariant: readers of every kind understand the types: plain Utf8 (dictionary-encoded only inside
//! Parquet), `timestamp[us, UTC]`, signed 64-bit integers, 64-bit floats, lists whose element is `element`.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_schema::{DataType, Field, Fields, Schema, SchemaRef, TimeUnit};

use super::columns::{Column, Kind, columns};
use super::{ADVISORY, FileFacts, SCHEMA_VERSION, Table};
use crate::taxonomy;

/// The name of a list's element, as the Parquet format asks for it.
pub(super) const ELEMENT: &str = "element";

/// What a file states about itself, sorted by key.
pub(super) fn file_metadata(table: Table, facts: &FileFacts) -> Vec<(&'static str, String)> {
    vec![
        ("advisory", ADVISORY.to_owned()),
        ("policy_hash", facts.policy_hash.clone()),
        ("schema_version", SCHEMA_VERSION.to_string()),
        ("table", table.to_string()),
        ("taxonomy_version", taxonomy::VERSION.to_owned()),
    ]
}

/// The schema of a table with all its metadata.
pub(super) fn schema(table: Table, facts: &FileFacts) -> SchemaRef {
    let metadata = file_metadata(table, facts).into_iter().map(|(k, v)| (k.to_owned(), v));
    Arc::new(Schema::new(fields(columns(table))).with_metadata(metadata.collect::<BTreeMap<_, _>>()))
}

/// The fields of a list of columns.
pub(super) fn fields(columns: &[Column]) -> Fields {
    columns.iter().map(field).collect()
}

fn field(column: &Column) -> Field {
    let metadata = [
        ("data_category", column.category.as_str()),
        ("description", &column.description),
        ("taxonomy_version", taxonomy::VERSION),
        ("unit", column.unit),
    ];
    Field::new(&column.name, data_type(&column.kind), column.nullable)
        .with_metadata(metadata.into_iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect::<BTreeMap<_, _>>())
}

/// The Arrow type of a kind of column.
pub(super) fn data_type(kind: &Kind) -> DataType {
    match kind {
        Kind::Code | Kind::Prose | Kind::Term(_) => DataType::Utf8,
        Kind::Int => DataType::Int64,
        Kind::Float(_) => DataType::Float64,
        Kind::Time => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        Kind::Codes => DataType::List(Arc::new(Field::new(ELEMENT, DataType::Utf8, false))),
        Kind::Structs(inner) => DataType::List(Arc::new(Field::new(ELEMENT, DataType::Struct(fields(inner)), false))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_explains_itself_and_every_file_says_what_it_is_for() {
        for table in Table::ALL {
            let schema = table.schema(&FileFacts { policy_hash: "sha256:ab".into() });
            assert_eq!(schema.metadata().get("advisory").map(String::as_str), Some(ADVISORY));
            assert_eq!(schema.metadata().get("policy_hash").map(String::as_str), Some("sha256:ab"));
            for field in schema.fields() {
                for key in ["data_category", "description", "taxonomy_version"] {
                    assert!(field.metadata().get(key).is_some_and(|v| !v.is_empty()), "{table}.{} {key}", field.name());
                }
            }
        }
    }
}
