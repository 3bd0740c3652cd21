//! The reference of the pipeline file in Markdown, made from its JSON Schema.
//!
//! Invariant: pure; the same types give the same text, which is committed as `docs/pipeline.md`.

use std::fmt::Write as _;

use serde_json::Value as Json;

use super::describe::{expected, keys_of, own_example, type_names};

const HEAD: &str = "\
# The pipeline file

<!-- Made from the types in `src/config/raw/`. Do not edit: `UPDATE=1 cargo test --lib config::` writes it anew. -->

A pipeline is one YAML file: which CRM rows, for which offering, under which policy, from which sources, into which
home. Paths are relative to its folder. `prosopon validate` tells every mistake with its line and column; it reads no
network. `prosopon schema` prints the JSON Schema for editors. `pipelines/nightly.yaml` is a commented template.

Not read, so that a file means what it shows: anchors, aliases, tags, duplicate keys, several documents in one file,
more than 1 MiB, more than 64 levels. Secrets never stand in a pipeline file.
";

/// The text of `docs/pipeline.md`.
pub fn markdown() -> String {
    let schema = super::json_schema();
    let mut text = HEAD.to_owned();
    table(&mut text, &schema, &schema, "");
    for key in keys_of(&schema) {
        section(&mut text, &schema, &schema["properties"][key], key);
    }
    text
}

/// A heading with a table for each mapping, depth first.
fn section(text: &mut String, root: &Json, schema: &Json, path: &str) {
    let outer = words(schema);
    let schema = entry(root, follow(root, schema));
    let variants = schema.get("oneOf").and_then(Json::as_array).into_iter().flatten();
    let variants: Vec<&Json> = variants.filter(|v| v.get("properties").is_some()).collect();
    if keys_of(schema).is_empty() && variants.is_empty() {
        return;
    }
    let level = "#".repeat(path.matches('.').count() + 2);
    let _ = writeln!(text, "\n{level} `{path}`\n\n{}", outer.unwrap_or_else(|| words(schema).unwrap_or_default()));
    if !variants.is_empty() {
        let names: Vec<String> = variants.iter().flat_map(|v| keys_of(v)).map(|key| format!("`{key}`")).collect();
        let _ = writeln!(text, "\nExactly one of: {}.", names.join(", "));
    }
    for inner in variants.into_iter().chain((!keys_of(schema).is_empty()).then_some(schema)) {
        if inner.get("oneOf").is_none() && std::ptr::eq(inner, schema) {
            table(text, root, inner, path);
        }
        for key in keys_of(inner) {
            section(text, root, &inner["properties"][key], &format!("{path}.{key}"));
        }
    }
}

/// One row a key.
fn table(text: &mut String, root: &Json, schema: &Json, path: &str) {
    text.push_str("\n| key | value | default | meaning |\n| --- | --- | --- | --- |\n");
    let required: Vec<&str> =
        schema.get("required").and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str).collect();
    for key in keys_of(schema) {
        let property = &schema["properties"][key];
        let target = entry(root, follow(root, property));
        let default = property.get("default").filter(|d| !d.is_null() && !d.is_object()).and_then(|_| {
            let default = serde_json::json!({ "default": property["default"] });
            own_example(&default).map(|d| format!("`{d}`"))
        });
        let default = match default {
            Some(default) => default,
            None if required.contains(&key) => "needed".to_owned(),
            None => "-".to_owned(),
        };
        let meaning = words(property).or_else(|| words(target)).unwrap_or_default();
        let link = if has_section(target) {
            let name = if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
            format!("[`{key}`](#{})", name.replace('.', ""))
        } else {
            format!("`{key}`")
        };
        let _ = writeln!(text, "| {link} | {} | {default} | {meaning} |", value(root, property));
    }
}

fn has_section(schema: &Json) -> bool {
    let branches = schema.get("oneOf").and_then(Json::as_array).into_iter().flatten();
    !keys_of(schema).is_empty() || branches.into_iter().any(|b| b.get("properties").is_some())
}

/// What may stand there, in a few words.
fn value(root: &Json, property: &Json) -> String {
    let schema = follow(root, property);
    let names = closed_list(schema);
    if !names.is_empty() {
        return names.join(", ");
    }
    if has_section(schema) {
        return "mapping".to_owned();
    }
    if has_section(entry(root, schema)) {
        return "list of mappings".to_owned();
    }
    let example = own_example(property).or_else(|| own_example(schema)).map(|e| format!("`{e}`"));
    let types = type_names(schema);
    if let Some(items) = schema.get("items") {
        let names = closed_list(follow(root, items));
        return if names.is_empty() {
            expected(&types, example.as_deref())
        } else {
            format!("list of {}", names.join(", "))
        };
    }
    let bounds = match (schema.get("minimum"), schema.get("maximum"), schema.get("exclusiveMinimum")) {
        (Some(least), Some(most), _) if least == most => String::new(),
        (Some(least), Some(most), _) => format!(", from {least} to {most}"),
        (Some(least), None, _) => format!(", at least {least}"),
        (None, Some(most), Some(above)) => format!(", above {above}, at most {most}"),
        _ => String::new(),
    };
    format!("{}{bounds}", expected(&types, example.as_deref()))
}

/// The names of a closed list, as code.
fn closed_list(schema: &Json) -> Vec<String> {
    let branches = match schema.get("oneOf").and_then(Json::as_array) {
        Some(branches) => branches.iter().collect(),
        None => vec![schema],
    };
    let names = branches.into_iter().flat_map(|branch| {
        let list = branch.get("enum").and_then(Json::as_array).into_iter().flatten();
        branch.get("const").into_iter().chain(list).filter_map(Json::as_str)
    });
    names.map(|name| format!("`{name}`")).collect()
}

/// What an entry of a list is, where it is a mapping; else the schema itself.
fn entry<'s>(root: &'s Json, schema: &'s Json) -> &'s Json {
    let items = schema.get("items").map(|items| follow(root, items));
    items.filter(|items| has_section(items)).unwrap_or(schema)
}

/// Follows `$ref` and an `anyOf` with null.
fn follow<'s>(root: &'s Json, mut schema: &'s Json) -> &'s Json {
    loop {
        let branch = schema.get("anyOf").and_then(|branches| branches.get(0));
        let target = schema.get("$ref").and_then(Json::as_str).and_then(|r| root.pointer(r.trim_start_matches('#')));
        match branch.or(target) {
            Some(next) => schema = next,
            None => return schema,
        }
    }
}

/// A description in one line.
fn words(schema: &Json) -> Option<String> {
    let description = schema.get("description")?.as_str()?;
    Some(description.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|"))
}
