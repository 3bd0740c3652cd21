//! The data dictionary: every column of every table, made from the column lists.
//!
//! Invariant: `docs/tables.md` is [`dictionary_markdown`], byte for byte (a test compares them).

use std::fmt::Write;

use serde_json::{Value, json};

use super::columns::{Category, Column, Kind, columns, sort_key};
use super::schema::data_type;
use super::{ADVISORY, SCHEMA_VERSION, Table};
use crate::taxonomy::{self, BuyingRole, Channel, FacetStatus, JobFunction, Motive, Operation, Point, PurchasePhase};
use crate::taxonomy::{Seniority, SigningPower, SourceClass, Tier, Trait};

/// The text before the tables.
const PREFACE: &str = include_str!("dictionary_preface.md");

/// What a row of a table is.
const fn row(table: Table) -> &'static str {
    match table {
        Table::Personas => "A row is a contact for whom the gate gave an Emit permit.",
        Table::Evidence => "A row is a signal: one claim about a contact or a company, with the words it rests on.",
        Table::Accounts => "A row is a company.",
        Table::BuyingCenters => "A row is a company and a buying role.",
        Table::Decisions => "A row is a decision of the gate, permit or refusal.",
        Table::Documents => "A row is a used fetch permit; each has exactly one.",
        Table::DeadLetters => "A row is an input that could not be processed, without its content.",
        Table::Runs => "A row is a run.",
    }
}

/// The terms of a vocabulary that a column names; empty where the description lists them.
pub(super) fn terms(vocabulary: &str) -> Vec<&'static str> {
    fn all<T: Copy>(terms: &[T], text: fn(T) -> &'static str) -> Vec<&'static str> {
        terms.iter().map(|t| text(*t)).collect()
    }
    match vocabulary {
        "job_function" => all(JobFunction::ALL, JobFunction::as_str),
        "seniority" => all(Seniority::ALL, Seniority::as_str),
        "signing_power" => all(SigningPower::ALL, SigningPower::as_str),
        "buying_role" => all(BuyingRole::ALL, BuyingRole::as_str),
        "trait" => all(Trait::ALL, Trait::as_str),
        "motive" => all(Motive::ALL, Motive::as_str),
        "channel" => all(Channel::ALL, Channel::as_str),
        "purchase_phase" => all(PurchasePhase::ALL, PurchasePhase::as_str),
        "facet_status" => all(FacetStatus::ALL, FacetStatus::as_str),
        "tier" => all(Tier::ALL, Tier::as_str),
        "source_class" => all(SourceClass::ALL, SourceClass::as_str),
        "operation" => all(Operation::ALL, Operation::as_str),
        kind => kind.parse().map_or_else(|_| Vec::new(), |k| Point::all(k).into_iter().map(Point::term).collect()),
    }
}

/// The vocabularies in the order of the documentation.
const VOCABULARIES: [&str; 18] = [
    "job_function",
    "seniority",
    "signing_power",
    "buying_role",
    "trait",
    "motive",
    "channel",
    "purchase_phase",
    "goal",
    "requirement",
    "pain",
    "gain",
    "buying_behaviour",
    "information_behaviour",
    "facet_status",
    "tier",
    "source_class",
    "operation",
];

/// The type in the words of the readers.
fn type_name(kind: &Kind) -> String {
    match kind {
        Kind::Code | Kind::Prose => "string".into(),
        Kind::Term(_) => "string (term)".into(),
        Kind::Int => "int64".into(),
        Kind::Float(range) => format!("float64 in {}", range.as_str()),
        Kind::Time => "timestamp[us, UTC]".into(),
        Kind::Codes => "list of string".into(),
        Kind::Structs(_) => "list of struct".into(),
    }
}

/// The data dictionary as a Markdown page.
#[must_use]
pub fn dictionary_markdown() -> String {
    let mut page = PREFACE.to_owned();
    for table in Table::ALL {
        let sorted = sort_key(table).map_or_else(|| "Rows are a set.".into(), |k| format!("Sorted by {k}."));
        let _ = write!(page, "\n## {table}\n\n{} {sorted}\n\n", row(table));
        page.push_str("| column | type | null | unit | data category | meaning |\n");
        page.push_str("| --- | --- | --- | --- | --- | --- |\n");
        markdown_rows(&mut page, "", columns(table));
    }
    page.push_str("\n## Vocabularies\n\n| vocabulary | terms |\n| --- | --- |\n");
    for name in VOCABULARIES {
        let _ = writeln!(page, "| {name} | {} |", terms(name).join(", "));
    }
    page
}

fn markdown_rows(page: &mut String, prefix: &str, columns: &[Column]) {
    for c in columns {
        let null = if c.nullable { "yes" } else { "" };
        let name = format!("{prefix}{}", c.name);
        let (kind, unit, category) = (type_name(&c.kind), c.unit, c.category.as_str());
        let _ = writeln!(page, "| `{name}` | {kind} | {null} | {unit} | {category} | {} |", c.description);
        if let Kind::Structs(inner) = &c.kind {
            markdown_rows(page, &format!("{name}."), inner);
        }
    }
}

/// The data dictionary as JSON: `{"schema_version", "taxonomy_version", "advisory", "data_categories",
/// "tables": [{"table", "row", "sorted_by", "columns": [{"name", "type", "arrow_type", "nullable", "unit",
/// "data_category", "description", "terms"?, "fields"?}]}]}`.
#[must_use]
pub fn dictionary_json() -> Value {
    json!({
        "schema_version": SCHEMA_VERSION,
        "taxonomy_version": taxonomy::VERSION,
        "advisory": ADVISORY,
        "data_categories": Category::ALL.map(Category::as_str),
        "tables": Table::ALL.map(|table| json!({
            "table": table.as_str(),
            "row": row(table),
            "sorted_by": sort_key(table),
            "columns": columns(table).iter().map(column_json).collect::<Vec<_>>(),
        })),
    })
}

fn column_json(c: &Column) -> Value {
    let mut object = json!({
        "name": c.name,
        "type": type_name(&c.kind),
        "arrow_type": data_type(&c.kind).to_string(),
        "nullable": c.nullable,
        "unit": c.unit,
        "data_category": c.category.as_str(),
        "description": c.description,
    });
    match &c.kind {
        Kind::Term(vocabulary) if !terms(vocabulary).is_empty() => object["terms"] = json!(terms(vocabulary)),
        Kind::Structs(inner) => object["fields"] = inner.iter().map(column_json).collect(),
        _ => {}
    }
    object
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `UPDATE_DOCS=1 cargo test --lib sink::dictionary` writes the file anew.
    #[test]
    fn the_committed_dictionary_is_up_to_date() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/tables.md");
        let made = dictionary_markdown();
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(path, &made).expect("docs/tables.md can be written");
        }
        let committed = std::fs::read_to_string(path).unwrap_or_default();
        assert!(committed == made, "docs/tables.md is stale: UPDATE_DOCS=1 cargo test --lib sink::dictionary");
    }

    #[test]
    fn every_vocabulary_that_a_column_names_is_listed_or_described() {
        fn check(columns: &[Column]) {
            for c in columns {
                match &c.kind {
                    Kind::Term(v) if !VOCABULARIES.contains(v) => {
                        assert!(
                            c.description.contains(',') || c.description.contains(" or "),
                            "{} lists its terms",
                            c.name
                        );
                    }
                    Kind::Term(v) => assert!(!terms(v).is_empty(), "{v} has terms"),
                    Kind::Structs(inner) => check(inner),
                    _ => {}
                }
            }
        }
        for table in Table::ALL {
            check(columns(table));
        }
        assert_eq!(dictionary_json()["tables"].as_array().map(Vec::len), Some(8));
    }
}
