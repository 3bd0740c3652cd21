//! Checks a tree against a JSON Schema and tells every mistake: an interpreter of the subset that schemars makes from
//! our types (`$ref`, `type`, `properties`, `required`, `additionalProperties`, `items`, `enum`, `const`, `oneOf` for
//! closed lists and single-key variants, `anyOf` with null, bounds, lengths, `pattern`, `format`).
//!
//! Invariant: one mistake gives one diagnostic; what hangs on a mistake is not judged.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::describe::{expected, found, keys_of, own_example, shown, type_names};
use super::diagnostic::{Diagnostic, Position, did_you_mean, nearest};
use super::tree::{Entry, Node, Tree, Value};
use super::{format, secret};

/// More mistakes than anybody reads; a file with more is no file of ours.
pub const MOST: usize = 1000;

/// Every mistake of a tree against its schema, in the order of the tree, at most [`MOST`].
pub fn check(tree: &Tree, file: &str, schema: &Json) -> Vec<Diagnostic> {
    let mut checker = Checker { file, schema, diagnostics: Vec::new() };
    checker.value(&tree.root, tree.root.at, schema);
    checker.diagnostics
}

/// The choices of a `oneOf` or `enum`: names, and variants with a value.
struct Choices<'s> {
    names: Vec<&'s str>,
    variants: Vec<(&'s str, &'s Json)>,
}

struct Checker<'s> {
    file: &'s str,
    schema: &'s Json,
    diagnostics: Vec<Diagnostic>,
}

impl<'s> Checker<'s> {
    fn is_full(&self) -> bool {
        self.diagnostics.len() >= MOST
    }

    fn tell(&mut self, at: Position, message: impl Into<String>, help: Option<String>) {
        self.diagnostics.push(Diagnostic::error(self.file, at, message).with_help(help));
    }

    /// Follows `$ref` and an `anyOf` that only adds null; true if null is fine.
    fn resolve(&self, mut schema: &'s Json) -> (&'s Json, bool) {
        let mut nullable = false;
        // A bound, because a schema may refer to itself.
        for _ in 0..32 {
            let is_null = |branch: &Json| branch.get("type").and_then(Json::as_str) == Some("null");
            if let Some(target) = schema.get("$ref").and_then(Json::as_str) {
                schema = self.schema.pointer(target.trim_start_matches('#')).unwrap_or(&Json::Null);
            } else if let Some(branches) = schema.get("anyOf").and_then(Json::as_array) {
                nullable |= branches.iter().any(is_null);
                schema = branches.iter().find(|b| !is_null(b)).unwrap_or(&Json::Null);
            } else {
                break;
            }
        }
        (schema, nullable)
    }

    /// Judges one value; `key_at` is where the key that holds it stands.
    fn value(&mut self, node: &Node, key_at: Position, schema: &'s Json) {
        let outer = schema;
        let (schema, nullable) = self.resolve(schema);
        if self.is_full() || node.value == Value::Told || (nullable && node.value == Value::Null) {
            return;
        }
        if let Value::Text(text) = &node.value
            && secret::is_secret_value(text)
        {
            self.tell(node.at, format!("this looks like a secret, {}", secret::INSTEAD), None);
            return;
        }
        if let Some(choices) = choices(schema) {
            self.choice(node, key_at, &choices);
            return;
        }
        let types = type_names(schema);
        if !types.is_empty() && !types.iter().any(|name| is_a(&node.value, name)) {
            let example = own_example(outer).or_else(|| own_example(schema));
            self.wrong_type(node, &types, example.as_deref());
            return;
        }
        match &node.value {
            Value::Map(entries) => self.mapping(entries, key_at, schema),
            Value::List(items) => self.list(node, items, schema),
            Value::Text(text) => self.text(node.at, text, schema),
            Value::Int(i) => self.number(node.at, *i as f64, schema),
            Value::Float(f) => self.number(node.at, *f, schema),
            Value::Null | Value::Bool(_) | Value::Told => {}
        }
    }

    fn wrong_type(&mut self, node: &Node, types: &[&str], example: Option<&str>) {
        let scalar = matches!(node.value, Value::Int(_) | Value::Float(_) | Value::Bool(_));
        let help = match &node.value {
            Value::Text(text) if types.contains(&"boolean") => match text.to_lowercase().as_str() {
                "yes" | "on" | "y" => Some("did you mean true?".to_owned()),
                "no" | "off" | "n" => Some("did you mean false?".to_owned()),
                _ => None,
            },
            _ if scalar && types.contains(&"string") => Some("put it in quotes".to_owned()),
            _ => None,
        };
        let message = format!("expected {}, found {}", expected(types, example), found(node));
        self.tell(node.at, message, help);
    }

    fn mapping(&mut self, entries: &[Entry], key_at: Position, schema: &'s Json) {
        let known = keys_of(schema);
        let property = |key: &str| schema.get("properties").and_then(|p| p.get(key));
        let present: BTreeSet<&str> = entries.iter().map(|e| e.key.as_str()).collect();
        let absent: Vec<&str> = known.iter().copied().filter(|key| !present.contains(key)).collect();
        let mut meant = BTreeSet::new();
        // A section is empty because its keys slipped out of it: the keys are told, not the section.
        let strays = entries.iter().filter(|e| property(&e.key).is_none()).take(MOST);
        let emptied: BTreeSet<_> = strays.filter_map(|e| self.home_of(&e.key, schema)).collect();
        for entry in entries {
            if self.is_full() {
                return;
            }
            if entry.node.value == Value::Null && emptied.contains(entry.key.as_str()) {
                continue;
            }
            match (property(&entry.key), schema.get("additionalProperties")) {
                (Some(property), _) => self.value(&entry.node, entry.at, property),
                (None, Some(Json::Bool(false))) => {
                    meant.extend(nearest(&entry.key, absent.iter().copied()));
                    self.unknown_key(entry, &known, schema);
                }
                (None, Some(other)) if other.is_object() => self.value(&entry.node, entry.at, other),
                (None, _) => {}
            }
        }
        let required = schema.get("required").and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str);
        for key in required {
            // A misspelt key is one mistake, not an unknown one and a missing one.
            if !meant.contains(key) && !present.contains(key) {
                let example = property(key).and_then(|p| own_example(p).or_else(|| own_example(self.resolve(p).0)));
                let help = example.map(|e| format!("for instance {key}: {e}"));
                self.tell(key_at, format!("missing key {key:?}"), help);
            }
        }
    }

    fn unknown_key(&mut self, entry: &Entry, known: &[&str], within: &'s Json) {
        if secret::is_secret_key(&entry.key) {
            let message = format!("unknown key {:?} looks like a secret", entry.key);
            self.tell(entry.at, message, Some(secret::INSTEAD.to_owned()));
            return;
        }
        let help = did_you_mean(&entry.key, known.iter().copied())
            .or_else(|| self.home_of(&entry.key, within).map(|home| format!("it belongs in {home:?}")))
            .or_else(|| (known.len() <= 24).then(|| format!("known are {}", known.join(", "))));
        self.tell(entry.at, format!("unknown key {:?}", entry.key), help);
    }

    /// The one section of the document that has this key, for a key that slipped out of its place.
    fn home_of(&self, key: &str, within: &Json) -> Option<&'s str> {
        let sections = self.schema.get("properties")?.as_object()?;
        let mut homes = sections.iter().filter(|(_, section)| {
            let section = self.resolve(section).0;
            let variants = section.get("oneOf").and_then(Json::as_array).into_iter().flatten();
            !std::ptr::eq(section, within) && variants.chain([section]).any(|s| keys_of(s).contains(&key))
        });
        let home = homes.next()?;
        homes.next().is_none().then_some(home.0.as_str())
    }

    fn list(&mut self, node: &Node, items: &[Node], schema: &'s Json) {
        let bound = |name: &str| schema.get(name).and_then(Json::as_u64).and_then(|n| usize::try_from(n).ok());
        if let Some(least) = bound("minItems").filter(|least| items.len() < *least) {
            self.tell(node.at, format!("the list has {} items, at least {least} needed", items.len()), None);
        }
        if let Some(most) = bound("maxItems").filter(|most| items.len() > *most) {
            self.tell(node.at, format!("the list has {} items, at most {most}", items.len()), None);
        }
        let unique = schema.get("uniqueItems") == Some(&Json::Bool(true));
        let mut seen = BTreeSet::new();
        for item in items {
            if self.is_full() {
                return;
            }
            if unique && item.text().is_some_and(|text| !seen.insert(text)) {
                self.tell(item.at, format!("{} stands in this list twice", found(item)), None);
            } else if let Some(schema) = schema.get("items") {
                self.value(item, item.at, schema);
            }
        }
    }

    fn text(&mut self, at: Position, text: &str, schema: &Json) {
        let length = |name: &str| schema.get(name).and_then(Json::as_u64);
        let chars = text.chars().count() as u64;
        let mistake = if length("minLength").is_some_and(|least| chars < least) {
            Some(if chars == 0 {
                "expected a text, found an empty one".to_owned()
            } else {
                "the text is too short".to_owned()
            })
        } else if let Some(most) = length("maxLength").filter(|most| chars > *most) {
            Some(format!("the text has {chars} characters, at most {most}"))
        } else {
            let format = schema.get("format").and_then(Json::as_str);
            let mistake = format.and_then(|f| format::mistake(f, text)).or_else(|| pattern_mistake(text, schema));
            // Only what a message does not quote itself; an address may hold a password.
            mistake.map(|m| if m.starts_with("expected ") { format!("{m}, found {}", shown(text)) } else { m })
        };
        if let Some(message) = mistake {
            self.tell(at, message, None);
        }
    }

    fn number(&mut self, at: Position, number: f64, schema: &Json) {
        let bound = |name: &str| schema.get(name).and_then(Json::as_f64);
        let width = match schema.get("format").and_then(Json::as_str) {
            Some("uint8") => Some(f64::from(u8::MAX)),
            Some("uint16") => Some(f64::from(u16::MAX)),
            Some("uint32") => Some(f64::from(u32::MAX)),
            _ => None,
        };
        let most = bound("maximum").or(width);
        let least = bound("minimum");
        let low = least.is_some_and(|l| number < l) || bound("exclusiveMinimum").is_some_and(|l| number <= l);
        let high = most.is_some_and(|m| number > m);
        if !low && !high {
            return;
        }
        let range = match (bound("exclusiveMinimum").map(|l| format!("more than {l}")), least, most) {
            (Some(above), _, Some(most)) => format!("{above}, at most {most}"),
            (Some(above), _, None) => above,
            (None, Some(least), Some(most)) if least >= most => format!("such as {least}"),
            (None, Some(least), Some(most)) => format!("from {least} to {most}"),
            (None, Some(least), None) => format!("at least {least}"),
            (None, None, most) => format!("at most {}", most.unwrap_or(f64::MAX)),
        };
        self.tell(at, format!("{number} is out of range, expected a number {range}"), None);
    }

    /// Judges a value of a closed list or a variant with one key.
    fn choice(&mut self, node: &Node, key_at: Position, choices: &Choices<'s>) {
        let Choices { names, variants } = choices;
        let all = || names.iter().copied().chain(variants.iter().map(|(name, _)| *name));
        match &node.value {
            Value::Text(text) if names.contains(&text.as_str()) => {}
            Value::Text(text) if variants.iter().any(|(name, _)| name == text) => {
                self.tell(
                    node.at,
                    format!("{text:?} needs settings of its own"),
                    Some(format!("write {text}: {{...}}")),
                );
            }
            Value::Text(_) if variants.is_empty() => {
                let help = did_you_mean(node.text().unwrap_or_default(), names.iter().copied());
                // A long list would hide the name that is meant.
                let list =
                    if help.is_some() && names.len() > 8 { String::new() } else { format!(": {}", names.join(", ")) };
                self.tell(node.at, format!("{} is not in the list{list}", found(node)), help);
            }
            Value::Map(entries) if !variants.is_empty() => match entries.as_slice() {
                [entry] => {
                    if let Some((_, schema)) = variants.iter().find(|(name, _)| *name == entry.key) {
                        self.value(&entry.node, entry.at, schema);
                    } else {
                        self.unknown_key(entry, &all().collect::<Vec<_>>(), &Json::Null);
                    }
                }
                [] => self.tell(key_at, format!("expected one of: {}", all().collect::<Vec<_>>().join(", ")), None),
                [_, second, ..] => {
                    let list = all().collect::<Vec<_>>().join(", ");
                    self.tell(second.at, format!("only one key may stand here, one of: {list}"), None);
                }
            },
            _ => {
                let list = all().collect::<Vec<_>>().join(", ");
                self.tell(node.at, format!("expected one of: {list}; found {}", found(node)), None);
            }
        }
    }
}

/// The choices of a closed list or of single-key variants; `None` for any other schema.
fn choices(schema: &Json) -> Option<Choices<'_>> {
    let mut found = Choices { names: Vec::new(), variants: Vec::new() };
    let branches = match schema.get("oneOf").and_then(Json::as_array) {
        Some(branches) => branches.iter().collect::<Vec<_>>(),
        None if schema.get("enum").is_some() || schema.get("const").is_some() => vec![schema],
        None => return None,
    };
    for branch in branches {
        found.names.extend(branch.get("const").and_then(Json::as_str));
        found.names.extend(branch.get("enum").and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str));
        let properties = branch.get("properties").and_then(Json::as_object).into_iter().flatten();
        found.variants.extend(properties.map(|(name, schema)| (name.as_str(), schema)));
    }
    Some(found)
}

fn is_a(value: &Value, name: &str) -> bool {
    match name {
        "null" => *value == Value::Null,
        "boolean" => matches!(value, Value::Bool(_)),
        "integer" => matches!(value, Value::Int(_)),
        "number" => matches!(value, Value::Int(_) | Value::Float(_)),
        "string" => matches!(value, Value::Text(_)),
        "array" => matches!(value, Value::List(_)),
        "object" => matches!(value, Value::Map(_)),
        _ => false,
    }
}

fn pattern_mistake(text: &str, schema: &Json) -> Option<String> {
    let pattern = schema.get("pattern")?.as_str()?;
    let fits = regex::Regex::new(pattern).expect("a pattern of our own types compiles").is_match(text);
    (!fits).then(|| format!("the text does not match {pattern}"))
}
