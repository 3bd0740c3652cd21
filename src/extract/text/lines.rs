//! JSON Lines in, JSON Lines out, for `prosopon extract text`.
//!
//! Invariant: one line out for every line in, in order; a bad line says where and what kind of
//! mistake, never what stood there. Of a bad line only its `id` and the names of our own fields come back.

use std::io::{self, BufRead, Write};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{TextContact, TextKind, TextRecord, read_text};

/// The byte order mark that some programs put before UTF-8.
const BOM: &[u8] = b"\xef\xbb\xbf";

/// How many lines were read well and how many were not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LinesReport {
    /// Lines answered with a reading.
    pub read: u64,
    /// Lines answered with an error.
    pub failed: u64,
}

#[derive(Serialize)]
struct BadLine<'a> {
    id: Option<&'a str>,
    error: LineError,
}

#[derive(Serialize)]
struct LineError {
    line: u64,
    message: String,
}

/// Reads records from `input` and writes one reading a line to `output`.
///
/// # Errors
/// Only when `input` cannot be read or `output` cannot be written.
pub fn text_lines(mut input: impl BufRead, mut output: impl Write) -> io::Result<LinesReport> {
    let mut report = LinesReport::default();
    let mut bytes = Vec::new();
    loop {
        bytes.clear();
        if input.read_until(b'\n', &mut bytes)? == 0 {
            break;
        }
        let line = report.read + report.failed + 1;
        let json = bytes.strip_prefix(BOM).filter(|_| line == 1).unwrap_or(&bytes);
        match serde_json::from_slice::<TextRecord>(json) {
            Ok(record) => {
                report.read += 1;
                serde_json::to_writer(&mut output, &read_text(&record))?;
            }
            Err(error) => {
                report.failed += 1;
                let (id, message) = describe(json, &error);
                let bad = BadLine { id: id.as_deref(), error: LineError { line, message } };
                serde_json::to_writer(&mut output, &bad)?;
            }
        }
        output.write_all(b"\n")?;
    }
    output.flush()?;
    Ok(report)
}

/// The id of a bad line, where it can be read, and what is wrong with the line.
///
/// serde's own message may quote the offending value, which may be personal: say only the kind, the place and
/// which of our fields it is.
fn describe(json: &[u8], error: &serde_json::Error) -> (Option<String>, String) {
    use serde_json::error::Category;
    if json.trim_ascii().is_empty() {
        return (None, "empty line".to_owned());
    }
    let what = match serde_json::from_slice::<Value>(json) {
        Ok(Value::Object(fields)) => {
            let id = fields.get("id").and_then(Value::as_str).map(str::to_owned);
            let fault = fault(&fields).unwrap_or_else(|| "a field stands there twice".to_owned());
            return (id, format!("not a text record: {fault}"));
        }
        Ok(_) => "not a text record: not a json object",
        Err(error) if error.classify() == Category::Eof => "json ends too early",
        Err(_) => "not valid json",
    };
    (None, format!("{what} (column {})", error.column()))
}

type Fields = serde_json::Map<String, Value>;

/// What is wrong with the first bad field of a record. Names of unknown fields are not ours and stay out.
fn fault(fields: &Fields) -> Option<String> {
    const KNOWN: &[&str] = &["id", "kind", "lang", "text", "contacts", "about", "company"];
    for name in ["id", "kind", "text"] {
        match fields.get(name) {
            None => return Some(format!("field `{name}` is missing")),
            Some(Value::String(_)) => {}
            Some(_) => return Some(format!("field `{name}` is not a string")),
        }
    }
    if fields.get("kind").is_some_and(|kind| TextKind::deserialize(kind).is_err()) {
        return Some("field `kind` is not one of bio, post, note, company".to_owned());
    }
    for name in ["lang", "about", "company"] {
        if fields.get(name).is_some_and(|v| !v.is_null() && !v.is_string()) {
            return Some(format!("field `{name}` is not a string"));
        }
    }
    if let Some(contacts) = fields.get("contacts") {
        let Some(contacts) = contacts.as_array() else { return Some("field `contacts` is not a list".to_owned()) };
        if let Some(bad) = contacts.iter().position(|c| TextContact::deserialize(c).is_err()) {
            return Some(format!("field `contacts[{bad}]` {}", contact_fault(&contacts[bad])));
        }
    }
    fields.keys().any(|k| !KNOWN.contains(&k.as_str())).then(|| format!("an unknown field beside {}", KNOWN.join(", ")))
}

fn contact_fault(contact: &Value) -> String {
    let Some(fields) = contact.as_object() else { return "is not an object".to_owned() };
    for name in ["id", "name"] {
        match fields.get(name) {
            None => return format!("lacks `{name}`"),
            Some(Value::String(_)) => {}
            Some(_) => return format!("has a `{name}` that is not a string"),
        }
    }
    if fields.get("title").is_some_and(|v| !v.is_null() && !v.is_string()) {
        return "has a `title` that is not a string".to_owned();
    }
    "has an unknown field beside id, name, title".to_owned()
}
