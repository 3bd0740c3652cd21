//! Words for what a schema wants and what a document has.
//!
//! Invariant: a found value is cut short and never repeated where it may be a secret.

use serde_json::Value as Json;

use super::secret;
use super::tree::{Node, Value};

/// How much of a value is repeated in a message, in code points.
const SHOWN: usize = 40;

/// What a value is, in words.
pub fn found(node: &Node) -> String {
    match &node.value {
        Value::Null | Value::Told => "nothing".to_owned(),
        Value::Bool(b) => b.to_string(),
        Value::Int(i) => format!("the number {i}"),
        Value::Float(f) => format!("the number {f}"),
        Value::Text(text) => shown(text),
        Value::List(_) => "a list".to_owned(),
        Value::Map(_) => "a mapping".to_owned(),
    }
}

/// A text in quotes, cut short; hidden where it may be a secret.
pub fn shown(text: &str) -> String {
    if secret::is_secret_value(text) {
        return "a text".to_owned();
    }
    if text.chars().count() > SHOWN {
        return format!("the text {:?}", text.chars().take(SHOWN).chain("...".chars()).collect::<String>());
    }
    format!("{text:?}")
}

/// What a schema wants, in words, with an example where there is one.
pub fn expected(types: &[&str], example: Option<&str>) -> String {
    let words: Vec<&str> = types.iter().filter(|t| **t != "null").map(|t| word(t)).collect();
    let words = words.join(" or ");
    example.map_or_else(|| words.clone(), |example| format!("{words} such as {example}"))
}

fn word(type_name: &str) -> &str {
    match type_name {
        "boolean" => "true or false",
        "integer" => "a whole number",
        "number" => "a number",
        "string" => "a text",
        "array" => "a list",
        "object" => "a mapping",
        other => other,
    }
}

/// The types that a schema admits, or none if it does not say.
pub fn type_names(schema: &Json) -> Vec<&str> {
    match schema.get("type") {
        Some(Json::String(name)) => vec![name],
        Some(Json::Array(names)) => names.iter().filter_map(Json::as_str).collect(),
        _ => Vec::new(),
    }
}

/// The keys that a schema knows, in its order.
pub fn keys_of(schema: &Json) -> Vec<&str> {
    schema.get("properties").and_then(Json::as_object).into_iter().flatten().map(|(key, _)| key.as_str()).collect()
}

/// The example or default that stands in a schema itself, as it would be written in YAML.
pub fn own_example(schema: &Json) -> Option<String> {
    let example = schema.get("examples").and_then(|e| e.get(0)).or_else(|| schema.get("default"))?;
    match example {
        Json::String(text) => Some(yaml_text(text)),
        Json::Array(items) if items.is_empty() => None,
        Json::Array(items) => {
            let items: Vec<String> =
                items.iter().map(|i| i.as_str().map_or_else(|| i.to_string(), yaml_text)).collect();
            Some(format!("[{}]", items.join(", ")))
        }
        Json::Null | Json::Object(_) => None,
        other => Some(other.to_string()),
    }
}

/// A text as it is written in YAML: plain where that is safe, else in quotes.
pub fn yaml_text(text: &str) -> String {
    let plain = text.starts_with(|c: char| c.is_alphanumeric() || "./".contains(c))
        && text.chars().all(|c| c.is_alphanumeric() || " _-./:+".contains(c))
        && !text.contains(": ")
        && !text.ends_with([':', ' '])
        && text.parse::<f64>().is_err()
        && !["true", "false", "null"].contains(&text);
    if plain { text.to_owned() } else { format!("{text:?}") }
}
