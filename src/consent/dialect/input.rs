//! From bytes to records: JSON as the APIs return it, JSON Lines, CSV, Parquet; told apart by content.
//!
//! Invariant: a record that cannot be read is a problem, a file that cannot be read is an error, and neither repeats
//! content. A key or a header that stands twice is refused: one of the two might say no.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::csv::Csv;
use super::record::{Place, Problem, Record, Unit};
use super::whose;
use crate::structured::strict;

/// No export of consents is larger.
const MAX_BYTES: usize = 1 << 30;

/// Why a file cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// More than 1 GiB.
    #[error("{file} is larger than 1 GiB: export it in parts")]
    TooLarge {
        /// The file.
        file: String,
    },
    /// Nothing in it.
    #[error("{file} is empty")]
    Empty {
        /// The file.
        file: String,
    },
    /// Neither text nor Parquet.
    #[error("{file} is neither text nor Parquet: name the export itself")]
    Binary {
        /// The file.
        file: String,
    },
    /// Broken JSON, or a key twice in one object.
    #[error("{file}:{line}:{column}: not valid JSON, or one key twice in an object: export it again")]
    Json {
        /// The file.
        file: String,
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
    },
    /// The header of a CSV file.
    #[error("{file}: {problem}")]
    Header {
        /// The file.
        file: String,
        /// What is wrong and what to do.
        problem: String,
    },
    /// Broken Parquet.
    #[error("{file} is no readable Parquet file: write it again")]
    Parquet {
        /// The file.
        file: String,
        /// What the reader said; about the file's structure only.
        #[source]
        source: ::parquet::errors::ParquetError,
    },
    /// Parquet that is compressed by what is not read.
    #[error(
        "{file} is Parquet compressed by {codec}, which is not read: write it anew with snappy, zstd, gzip, lz4 or brotli, or without compression"
    )]
    Codec {
        /// The file.
        file: String,
        /// As Parquet calls it.
        codec: &'static str,
    },
    /// A type that holds no text, number, date or list of texts.
    #[error("{file}: column {column:?} has the type {kind}: write text, a date or a list of texts")]
    Column {
        /// The file.
        file: String,
        /// The column.
        column: String,
        /// Its type.
        kind: String,
    },
}

/// What a file holds.
#[derive(Debug, Default)]
pub struct Export {
    /// Its records.
    pub records: Vec<Record>,
    /// Records that could not be read.
    pub problems: Vec<Problem>,
    /// The file is a page, and says that there is another one.
    pub has_more: bool,
}

/// Reads a file. `name` stands in problems: give it without folders.
///
/// # Errors
/// Nothing of the file can be used.
pub fn parse(name: &str, bytes: &[u8]) -> Result<Export, InputError> {
    match open(name, bytes)? {
        Opened::Whole(export) => Ok(export),
        Opened::Csv(text) => csv(name, text),
    }
}

/// A file, as far as it must be read to be held.
pub(super) enum Opened {
    Whole(Export),
    /// The text of a CSV file.
    Csv(String),
}

/// The same, but for the rows of a CSV file.
pub(super) fn open(name: &str, bytes: &[u8]) -> Result<Opened, InputError> {
    let file = || name.to_owned();
    if bytes.len() > MAX_BYTES {
        return Err(InputError::TooLarge { file: file() });
    }
    if bytes.starts_with(b"PAR1") {
        return super::parquet::parse(name, bytes).map(Opened::Whole);
    }
    let text = decode(bytes);
    // UTF-16 has a mark, and is decoded by now.
    if text.contains('\0') {
        return Err(InputError::Binary { file: file() });
    }
    match text.trim_start().chars().next() {
        None => Err(InputError::Empty { file: file() }),
        Some('{' | '[') => json(name, &text).map(Opened::Whole),
        Some(_) => Ok(Opened::Csv(text)),
    }
}

/// By byte order mark, else UTF-8 in each line where it is valid, else Windows-1252.
fn decode(bytes: &[u8]) -> String {
    if let Some((encoding, _)) = encoding_rs::Encoding::for_bom(bytes) {
        return encoding.decode(bytes).0.into_owned();
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.split_inclusive(|byte| *byte == b'\n').map(line).collect(),
    }
}

fn line(bytes: &[u8]) -> Cow<'_, str> {
    let other = |_| encoding_rs::WINDOWS_1252.decode_without_bom_handling(bytes).0;
    std::str::from_utf8(bytes).map_or_else(other, Cow::Borrowed)
}

fn json(name: &str, text: &str) -> Result<Export, InputError> {
    let mut export = Export::default();
    let file: Arc<str> = Arc::from(name);
    let lines: Vec<(u64, &str)> = (1..).zip(text.lines()).filter(|(_, l)| !l.trim().is_empty()).collect();
    // Each line a value of its own: JSON Lines. A pretty-printed document never begins with one.
    if lines.len() > 1 && strict(lines[0].1.as_bytes()).is_ok() {
        for (number, line) in lines {
            let at = Place { file: Arc::clone(&file), unit: Unit::Line, number };
            if let Ok(value) = strict(line.as_bytes()) {
                unwrap(value, None, &mut export, &mut |_| at.clone());
            } else {
                let parts = line.split(|c: char| c.is_whitespace() || "\"{}[]:,\\".contains(c));
                let may_be = whose::keys_of(parts.chain(line.split('"')));
                let problem = unread(at, "unreadable_line", "is no JSON object; export it again");
                export.problems.push(Problem { may_be, ..problem });
            }
        }
        return Ok(export);
    }
    let value = strict(text.as_bytes()).map_err(|e| InputError::Json {
        file: name.to_owned(),
        line: e.line(),
        column: e.column(),
    })?;
    unwrap(value, None, &mut export, &mut |n| Place { file: Arc::clone(&file), unit: Unit::Record, number: n });
    Ok(export)
}

pub(super) fn unread(at: Place, reason: &'static str, advice: impl Into<Cow<'static, str>>) -> Problem {
    Problem { at, field: None, reason, advice: advice.into(), subject: None, may_be: Vec::new(), digest: [0; 32] }
}

/// Lists in which APIs wrap records: HubSpot, Dataverse, Salesforce, Pipedrive, `EspoCRM`, JSON-RPC.
const ENVELOPES: &[&str] = &["results", "value", "records", "data", "list", "result"];

/// The same of newsletter tools and consent management, where nothing beside the list is about a person.
const LISTS: &[&str] =
    &["members", "contacts", "content", "items", "subscribers", "recipients", "receivers", "profiles", "consents"];

/// Whether an object tells of somebody by itself.
fn is_somebody(map: &Map<String, Value>) -> bool {
    map.iter().any(|(name, value)| match value {
        Value::Bool(_) => !matches!(name.as_str(), "success" | "has_more" | "hasMore" | "done"),
        Value::String(text) => text.contains('@') || name.to_lowercase().ends_with("id"),
        Value::Number(_) => name.to_lowercase().ends_with("id"),
        _ => false,
    })
}

fn unwrap(value: Value, hint: Option<&str>, export: &mut Export, at: &mut dyn FnMut(u64) -> Place) {
    match value {
        Value::Array(values) => {
            for value in values {
                unwrap(value, hint, export, at);
            }
        }
        Value::Object(mut map) => {
            export.has_more |= says_more(&map);
            let is_list = |name: &&&str| matches!(map.get(**name), Some(Value::Array(_)));
            let envelope =
                ENVELOPES.iter().find(is_list).or_else(|| LISTS.iter().find(|n| is_list(n) && !is_somebody(&map)));
            if let Some(name) = envelope {
                let inner = map.shift_remove(*name).unwrap_or_default();
                let named = map.get("model").and_then(Value::as_str).map(str::to_owned);
                unwrap(inner, named.as_deref().or(hint), export, at);
                return;
            }
            // Pipedrive and JSON-RPC wrap a single record too.
            let single = ["data", "result", "d"]
                .iter()
                .find(|n| map.len() <= 4 && matches!(map.get(**n), Some(Value::Object(_))));
            if let Some(name) = single {
                let inner = map.shift_remove(*name).unwrap_or_default();
                unwrap(inner, hint, export, at);
                return;
            }
            let number = export.records.len() as u64 + 1;
            export.records.push(Record { at: at(number), hint: hint.map(str::to_owned), fields: map });
        }
        _ => {
            let number = export.records.len() as u64 + 1;
            let place = at(number);
            export.problems.push(unread(place, "unreadable_record", "is no JSON object; export it again"));
        }
    }
}

/// Whether a page says that there is another one.
fn says_more(map: &Map<String, Value>) -> bool {
    let at = |path: &[&str]| path.iter().try_fold(map, |m, key| m.get(*key)?.as_object());
    let there = |m: &Map<String, Value>, key: &str| m.get(key).is_some_and(|v| !v.is_null());
    at(&["paging"]).is_some_and(|m| there(m, "next"))
        || there(map, "nextRecordsUrl")
        || there(map, "@odata.nextLink")
        || at(&["additional_data", "pagination"])
            .is_some_and(|m| m.get("more_items_in_collection") == Some(&Value::Bool(true)))
        || at(&["additional_data"]).is_some_and(|m| there(m, "next_cursor"))
}

fn csv(name: &str, text: String) -> Result<Export, InputError> {
    let mut export = Export::default();
    let (records, problems) = (&mut export.records, &mut export.problems);
    Csv::open(name, text)?.each(&mut |record| records.push(record), &mut |problem| problems.push(problem));
    Ok(export)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Export {
        parse("f", bytes).expect("readable")
    }

    #[test]
    fn formats_are_told_apart_by_content() {
        for text in [
            "{\"results\":[{\"id\":\"1\"},{\"id\":\"2\"}]}",
            "[{\"id\":\"1\"},{\"id\":\"2\"}]",
            "{\"id\":\"1\"}\n\n{\"id\":\"2\"}\n",
            "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":[{\"id\":\"1\"},{\"id\":\"2\"}]}",
            "id,x\n1,\n2,\n",
            "\u{feff}id;x\n1;a\n2;b\n",
        ] {
            let ids: Vec<Value> = read(text.as_bytes()).records.iter().map(|r| r.fields["id"].clone()).collect();
            assert_eq!(ids, [Value::from("1"), Value::from("2")], "{text}");
        }
        let latin = b"id;Empf\xe4nger\n1;x\n";
        assert!(read(latin).records[0].fields.contains_key("Empfänger"));
    }

    #[test]
    fn nothing_that_might_say_no_is_lost_silently() {
        let twice = parse("f.json", b"[{\"id\":1,\n\"a\":true,\"a\":false}]").expect_err("a key twice");
        assert_eq!(twice.to_string(), "f.json:2:19: not valid JSON, or one key twice in an object: export it again");
        let columns = parse("f.csv", b"id,a,a\n1,2,3\n").expect_err("a column twice");
        assert_eq!(columns.to_string(), "f.csv: column 3 has the name of an earlier one; remove one of the two");
        let ragged = read(b"id,a\n1\n2,x\n3,y,z\n");
        let told: Vec<String> = ragged.problems.iter().map(Problem::detail).collect();
        assert_eq!(ragged.records.len(), 1);
        assert_eq!(told[0], "f line 2: has 1 cells where the header has 2; quote the cell that holds a delimiter");
        let lines = read(b"{\"id\":1}\n{\"id\":\n{\"id\":3}\n");
        assert_eq!((lines.records.len(), lines.problems[0].at.to_string()), (2, "f line 2".to_owned()));
        assert!(parse("f", b"  ").is_err());
        assert!(parse("f", b"PAR1x").is_err());
    }

    #[test]
    fn a_page_that_is_not_the_last_says_so() {
        for text in [
            "{\"results\":[],\"paging\":{\"next\":{\"after\":\"1\"}}}",
            "{\"records\":[],\"nextRecordsUrl\":\"/x\"}",
            "{\"value\":[],\"@odata.nextLink\":\"x\"}",
            "{\"data\":[],\"additional_data\":{\"pagination\":{\"more_items_in_collection\":true}}}",
        ] {
            assert!(read(text.as_bytes()).has_more, "{text}");
        }
        assert!(
            !read(b"{\"data\":[],\"additional_data\":{\"pagination\":{\"more_items_in_collection\":false}}}").has_more
        );
    }

    #[test]
    fn what_is_no_text_is_told() {
        for bytes in [b"\x00\xff\xfe".as_slice(), b"subject;kind\n\x00"] {
            assert!(matches!(parse("x.csv", bytes), Err(InputError::Binary { file }) if file == "x.csv"));
        }
        let wide: Vec<u8> = [0xfeff, u16::from(b'['), u16::from(b']')].iter().flat_map(|c| c.to_le_bytes()).collect();
        assert!(parse("x.json", &wide).is_ok(), "UTF-16 with its mark");
        assert!(matches!(parse("x.csv", b" \n"), Err(InputError::Empty { .. })));
    }
}
