//! The field table of `docs/access-bundle.md`, made from the JSON Schema.
//!
//! Invariant: a field that is not described cannot be documented, and so cannot be added unseen.

use std::fmt::Write;

use serde_json::Value;

use super::Bundle;
use crate::rights::portability::Portable;

const PREFACE: &str = include_str!("docs_preface.md");

/// `docs/access-bundle.md`.
#[must_use]
pub fn documentation() -> String {
    let mut page = PREFACE.to_owned();
    let _ = write!(page, "\n# The access bundle (Art. 15)\n");
    of_schema(&mut page, "Bundle", &Bundle::schema());
    let _ = write!(page, "\n# The portable export (Art. 20)\n");
    of_schema(&mut page, "Portable", &Portable::schema());
    page
}

fn of_schema(page: &mut String, name: &str, schema: &Value) {
    of_type(page, name, schema);
    let definitions = schema["$defs"].as_object();
    for (name, definition) in definitions.into_iter().flatten().filter(|(_, d)| d["properties"].is_object()) {
        of_type(page, name, definition);
    }
}

fn of_type(page: &mut String, name: &str, schema: &Value) {
    let _ = write!(page, "\n## {name}\n\n{}\n\n", text(schema));
    page.push_str("| field | type | meaning |\n| --- | --- | --- |\n");
    for (field, of) in schema["properties"].as_object().into_iter().flatten() {
        let _ = writeln!(page, "| `{field}` | {} | {} |", kind(of), text(of));
    }
}

fn text(schema: &Value) -> String {
    schema["description"].as_str().unwrap_or("").replace('\n', " ")
}

fn kind(of: &Value) -> String {
    let reference = |v: &Value| v["$ref"].as_str().and_then(|r| r.rsplit('/').next()).map(str::to_owned);
    if let Some(name) = reference(of) {
        return name;
    }
    if let Some(any) = of["anyOf"].as_array().or(of["allOf"].as_array()) {
        let all: Vec<String> = any.iter().map(kind).collect();
        return all.join(" or ");
    }
    match &of["type"] {
        Value::String(t) if t == "array" => match &of["items"] {
            Value::Null => "list".to_owned(),
            items => format!("list of {}", kind(items)),
        },
        Value::String(t) if t == "object" && of["additionalProperties"].is_object() => {
            format!("object of {}", kind(&of["additionalProperties"]))
        }
        Value::String(t) => t.clone(),
        Value::Array(all) => {
            let plain: Vec<String> = all
                .iter()
                .filter_map(Value::as_str)
                .map(|t| if t == "array" { kind_of_items(of) } else { t.to_owned() })
                .collect();
            plain.join(" or ")
        }
        _ => "any".to_owned(),
    }
}

fn kind_of_items(of: &Value) -> String {
    format!("list of {}", kind(&of["items"]))
}
