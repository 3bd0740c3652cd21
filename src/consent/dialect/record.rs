//! Records of an export, where they stand, and what was wrong with them.
//!
//! Invariant: a problem names file, record, field and what to do, and never the content.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::ids::Ids;
use crate::model::{DeadLetter, Personal, SubjectId};

/// How the lines of a file are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unit {
    /// CSV and JSON Lines.
    Line,
    /// JSON and Parquet, from 1.
    Record,
}

/// Where a record stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The name of the file, without its folder.
    pub file: Arc<str>,
    /// What `number` counts.
    pub unit: Unit,
    /// From 1.
    pub number: u64,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let unit = match self.unit {
            Unit::Line => "line",
            Unit::Record => "record",
        };
        write!(f, "{} {unit} {}", self.file, self.number)
    }
}

/// A record as it was exported.
#[derive(Clone)]
pub struct Record {
    /// Where it stands.
    pub at: Place,
    /// What the file says about its kind (`mail.blacklist`), where it does.
    pub hint: Option<String>,
    /// Its fields.
    pub fields: Map<String, Value>,
}

impl std::fmt::Debug for Record {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Record({}, {} fields)", self.at, self.fields.len())
    }
}

/// By what a record refers to a person.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// The CRM's own id of the contact.
    Record(Personal<String>),
    /// An e-mail address, lower case.
    Email(Personal<String>),
}

impl Key {
    /// A record id.
    #[must_use]
    pub fn record(id: &str) -> Self {
        Self::Record(Personal::new(id.to_owned()))
    }

    /// What stands in the place of a record id.
    pub(super) fn id(&self) -> Option<&str> {
        if let Self::Record(id) = self { Some(id.reveal()) } else { None }
    }

    /// An address.
    #[must_use]
    pub fn email(address: &str) -> Self {
        Self::Email(Personal::new(address.trim().to_lowercase()))
    }
}

/// Something that could not be used, or was read as strictly as it could be meant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// Where.
    pub at: Place,
    /// The field, where it is about one.
    pub field: Option<String>,
    /// A stable word such as `unknown_legal_basis`.
    pub reason: &'static str,
    /// What to do.
    pub advice: Cow<'static, str>,
    /// The subject, where the record could be tied to one.
    pub subject: Option<SubjectId>,
    /// Whom the record may be about, where that is not clear yet.
    pub(super) may_be: Vec<Key>,
    /// SHA-256 over the record; keyed before it is stored.
    pub(super) digest: [u8; 32],
}

impl Problem {
    /// Place, field and advice in one line.
    #[must_use]
    pub fn detail(&self) -> String {
        let field = self.field.as_ref().map_or(String::new(), |f| format!(", field {f}"));
        format!("{}{field}: {}", self.at, self.advice)
    }

    /// The problem as a row of `dead_letters`.
    #[must_use]
    pub fn dead_letter(&self, ids: &Ids) -> DeadLetter {
        DeadLetter {
            stage: "consent".to_owned(),
            reason: self.reason.to_owned(),
            detail: self.detail(),
            row_commitment: ids.commitment("row", &self.digest),
            subject_id: self.subject.clone(),
        }
    }
}

/// A record with its nested fields spread out (`DataUsePurpose.Name`) and its values as text.
#[derive(Clone)]
pub(super) struct Item {
    pub at: Place,
    pub hint: Option<String>,
    /// Every field, also those without a value.
    pub names: BTreeSet<String>,
    /// Fields with a value.
    pub cells: BTreeMap<String, String>,
    /// The column that problems name, where the fields are not those of the file.
    pub column: Option<String>,
}

impl Item {
    pub fn of(record: &Record) -> Self {
        let mut item = Self { hint: record.hint.clone(), ..Self::bare(&record.at) };
        for (name, value) in &record.fields {
            item.spread(name, value);
        }
        item
    }

    /// An item without fields.
    pub fn bare(at: &Place) -> Self {
        Self { at: at.clone(), hint: None, names: BTreeSet::new(), cells: BTreeMap::new(), column: None }
    }

    /// A further item of the same record.
    pub fn part(&self, fields: &Map<String, Value>) -> Self {
        Self::of(&Record { at: self.at.clone(), hint: None, fields: fields.clone() })
    }

    fn spread(&mut self, name: &str, value: &Value) {
        self.names.insert(name.to_owned());
        let text = match value {
            Value::Object(map) => {
                for (key, value) in map {
                    self.spread(&format!("{name}.{key}"), value);
                }
                return;
            }
            Value::Array(values) => values.iter().filter_map(scalar).collect::<Vec<_>>().join(";"),
            other => scalar(other).unwrap_or_default(),
        };
        self.set(name, &text);
    }

    pub fn set(&mut self, name: &str, text: &str) {
        self.names.insert(name.to_owned());
        if !text.trim().is_empty() {
            self.cells.insert(name.to_owned(), text.trim().to_owned());
        }
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.cells.get(name).map(String::as_str)
    }

    /// The first of the fields that has a value, with its name.
    pub fn first<'a>(&'a self, names: &'a [String]) -> Option<(&'a str, &'a str)> {
        names.iter().find_map(|name| Some((name.as_str(), self.get(name)?)))
    }

    pub fn digest(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        for (name, cell) in &self.cells {
            for part in [name, cell] {
                hash.update((part.len() as u64).to_le_bytes());
                hash.update(part.as_bytes());
            }
        }
        hash.finalize().into()
    }

    pub fn problem(&self, field: Option<&str>, reason: &'static str, advice: impl Into<Cow<'static, str>>) -> Problem {
        Problem {
            at: self.at.clone(),
            field: field.map(|field| self.column.as_deref().unwrap_or(field).to_owned()),
            reason,
            advice: advice.into(),
            subject: None,
            may_be: Vec::new(),
            digest: self.digest(),
        }
    }
}

/// Text of a value; of an object in a list, its `value` or address.
fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::Null | Value::Array(_) => None,
        Value::Bool(b) => Some(b.to_string()),
        Value::Number(n) => Some(n.to_string()),
        Value::String(s) => Some(s.clone()),
        Value::Object(map) => ["value", "emailAddress"].iter().find_map(|k| map.get(*k)?.as_str().map(str::to_owned)),
    }
}
