//! CRM connectors: rows of a CRM become typed contacts, accounts and consent rows.
//!
//! Invariant: nothing here decides. A row is handed on as it was stated, or becomes a dead letter that names
//! file, line and field and never the content; a signal against processing is never lost on the way.

#[cfg(test)]
mod blind_tests;
mod columns;
mod contact;
mod cursor;
mod damaged;
mod delimiter;
mod encodings;
mod error;
mod facts;
mod fields;
mod files;
pub(crate) mod find;
mod forms;
mod headers;
mod json;
mod merge;
mod names;
#[cfg(test)]
mod nights_blind_tests;
mod noes;
#[cfg(test)]
mod noes_blind_tests;
#[cfg(test)]
mod noes_tests;
mod note;
mod objections;
mod other;
mod owner;
mod parquet;
mod parts;
mod passed;
mod pull;
mod reader;
mod ready;
mod remarks;
mod rows;
mod shared;
mod spread;
#[cfg(test)]
mod tests;
mod understood;
pub(crate) mod value;
mod versions;
mod when;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use columns::{FLAGS, Table};
pub use damaged::Shape;
pub use error::CrmError;
pub use facts::FileFacts;
pub(crate) use headers::{normal as normal_header, shown as shown_header};
pub use names::{ByName, People};
pub(crate) use noes::{No, is_business as is_business_header, read as no_of_header};
pub use note::{CrmNote, NoteFiles, NoteKind, NoteRows};
pub(crate) use objections::is_in_text as is_no_in_text;
pub use parts::{
    Before, Concerned, Employer, Found, KnownBefore, Parting, Parts, Seen, Tag, TonightsRows, is_readable_rows,
    tags_of_rows,
};
pub use pull::{check, files_of, pull};
pub(crate) use ready::alike::{Alike, guesses};
pub use ready::ready;
pub use rows::MAX_CELL;
pub use understood::{Understood, understood};
pub use versions::Versions;
pub use when::DateOrder;
pub(crate) use when::SLACK;
pub(crate) use when::{When, undoubted as undoubted_date};
pub(crate) use {fields::pipeline_field, find::no_file};

use crate::model::Personal;
use crate::taxonomy::Language;

/// A CRM that is read from exported files: CSV, JSON, JSON Lines or Parquet.
#[derive(Debug, Clone, Default)]
pub struct CsvSource {
    /// The CRM's name, part of every subject id.
    pub name: String,
    /// Exports of contacts.
    pub contacts: FileSet,
    /// Exports of companies, where there are any.
    pub accounts: Option<FileSet>,
    /// Exports of consent records, where there are any.
    pub consents: Option<FileSet>,
    /// Exports of notes and activities, where there are any.
    pub notes: Option<FileSet>,
}

/// Files of one kind, and how to read them; what is not stated is found out from each file.
#[derive(Debug, Clone, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a setting, or a finding, of its own")]
pub struct FileSet {
    /// A path, relative to the pipeline file; `*` and `?` stand for characters of a name, not for `/`. A folder: all files in it.
    pub path: String,
    /// A WHATWG label such as `windows-1252`; default: byte order mark, else valid UTF-8, else Windows-1252.
    pub encoding: Option<String>,
    /// The character between cells; default: the most frequent of `;`, `,`, tab and `|` in the header line.
    pub delimiter: Option<char>,
    /// What `03/04/2025` means; default: as the dates of the file have it where one of them tells, else the third of April.
    pub date_order: Option<DateOrder>,
    /// What `1.234` means; default: as the language of the headers has it.
    pub decimal: Option<Decimal>,
    /// Field -> header; wins over the known headers of `config/crm/columns.yaml`.
    pub columns: BTreeMap<String, String>,
    /// Headers that say nothing against processing, though they, or cells below them, look as if they did.
    pub ignored: Vec<String>,
    /// Columns of contacts that are about data protection, or hold noes, and are read cell by cell; found out.
    pub by_cell: Vec<String>,
    /// Kinds of ids of Salesforce (`003`) that are read in 18 characters, because some exports have 15; found out.
    pub long_ids: Vec<String>,
    /// Files that are passed over, because they are empty; found out.
    pub passed: Vec<PathBuf>,
    /// Files are added to those that were read before: a record has rows of several exports, of which the newest holds.
    pub grows: bool,
    /// No other file of the set has rows of the same people; found out.
    pub is_alone: bool,
    /// What the ids of its rows look like; found out.
    pub shape: Option<Arc<Shape>>,
    /// The companies of a source without exports of companies: what its contacts say of them.
    pub of_contacts: bool,
    /// Of contacts and notes: ids of companies by their names, where files name no ids; found out.
    pub by_name: Option<std::sync::Arc<ByName>>,
    /// Of notes: ids of contacts by their names, where files name no ids; found out.
    pub people: Option<std::sync::Arc<People>>,
    /// Of contacts: those of whom a note says no, and where the first one stands; found out.
    pub noted: Option<std::sync::Arc<BTreeMap<String, String>>>,
    /// Of notes: which of several rows of one holds; found out.
    pub versions: Option<std::sync::Arc<Versions>>,
    /// The run's clock; `None` = no date is of the future, and no cursor is followed.
    pub now: Option<Timestamp>,
    /// Of contacts: what can be found out of all files of the source was ([`ready`]).
    pub is_ready: bool,
    /// Of contacts: both forms of a Salesforce id are told apart, as the home does.
    pub as_written: bool,
    /// What stops a reading is passed over: the noes that are clear are wanted alone.
    pub noes_alone: bool,
}

/// The decimal separator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decimal {
    /// 1.234,5
    Comma,
    /// 1,234.5
    Point,
}

/// How the places of a file are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Text has lines.
    Line,
    /// Parquet has rows.
    Row,
}

/// Where a row stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    /// The file, relative to the pipeline file where it lies below it.
    pub file: Arc<str>,
    /// Where in it, from 1: the line on which the row begins (the header is line 1), or the row.
    pub line: u64,
    /// What `line` counts.
    pub unit: Unit,
    /// SHA-256 over the row's cells; not keyed, so it must be keyed before it is stored.
    pub digest: [u8; 32],
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let unit = if self.unit == Unit::Line { "line" } else { "row" };
        write!(f, "{} {unit} {}", self.file, self.line)
    }
}

/// What the CRM says against processing. `true` where any row of the record says so.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the CRM in its own right")]
pub struct Flags {
    /// No advertising by e-mail.
    pub email_opt_out: bool,
    /// No processing at all.
    pub do_not_process: bool,
    /// No profiling.
    pub do_not_profile: bool,
    /// To be erased.
    pub should_forget: bool,
    /// Not to be contacted by any channel.
    pub do_not_contact: bool,
    /// A row of this record could not be read, so a flag may be missing: treat as `do_not_process`.
    pub incomplete: bool,
    /// The CRM's own words for the lawful basis, not interpreted.
    pub legal_basis: Option<String>,
}

/// A contact as the CRM has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrmContact {
    /// The CRM's id.
    pub record_id: String,
    /// The CRM's id of the company.
    pub account_record: Option<String>,
    /// Other records of that company: those that were merged into it, or that it was merged into.
    pub account_aliases: Vec<String>,
    /// Given names without titles; may be empty.
    pub given_name: Personal<String>,
    /// Family name with its particles (von, van der), without titles; empty only where the record is gone.
    pub family_name: Personal<String>,
    /// Lower case, without duplicates, first = primary.
    pub emails: Vec<Personal<String>>,
    /// The job title, white space collapsed.
    pub job_title: Option<Personal<String>>,
    /// Whether the CRM has deleted or archived the record.
    pub deleted: bool,
    /// The record that this one was merged into.
    pub merged_into: Option<String>,
    /// Records that were merged into this one.
    pub merged_ids: Vec<String>,
    /// Handles by source id, sorted.
    pub handles: Vec<(String, Personal<String>)>,
    /// Language of correspondence.
    pub language: Option<Language>,
    /// ISO 3166-1 alpha-2.
    pub country: Option<String>,
    /// Last change of the record.
    pub updated_at: Option<Timestamp>,
    /// Creation of the record; the oldest, where several rows had this id.
    pub created_at: Option<Timestamp>,
    /// What speaks against processing.
    pub flags: Flags,
    /// The row that won.
    pub origin: Origin,
}

/// A company as the CRM has it.
#[derive(Debug, Clone, PartialEq)]
pub struct CrmAccount {
    /// The CRM's id.
    pub record_id: String,
    /// Name with legal form.
    pub name: String,
    /// Host of its site, lower case, without `www.`.
    pub domain: Option<String>,
    /// ISO 3166-1 alpha-2.
    pub country: Option<String>,
    /// City.
    pub city: Option<String>,
    /// Industry in the CRM's words.
    pub industry: Option<String>,
    /// NACE Rev. 2 code.
    pub nace: Option<String>,
    /// Head count.
    pub employees: Option<u32>,
    /// Yearly revenue in EUR; `None` where the CRM has another currency.
    pub revenue_eur: Option<f64>,
    /// Yearly revenue in another currency, with its ISO 4217 code.
    pub revenue_foreign: Option<(f64, String)>,
    /// Legal form in its short spelling, from its column, else from the end of the name.
    pub legal_form: Option<String>,
    /// Year of foundation.
    pub founded: Option<u16>,
    /// Whether the CRM has deleted or archived the record.
    pub deleted: bool,
    /// The record that this one was merged into.
    pub merged_into: Option<String>,
    /// Records that were merged into this one.
    pub merged_ids: Vec<String>,
    /// Last change of the record.
    pub updated_at: Option<Timestamp>,
    /// The row that won.
    pub origin: Origin,
}

/// A row of a consent file, in the words of the file; dates are read, nothing is interpreted.
///
/// A row whose date cannot be read is kept with that date empty unless its kind is `grant`, `lift` or `notice`:
/// a withdrawal holds from ever and for ever rather than not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentRow {
    /// The CRM's id of the event.
    pub event_id: Option<String>,
    /// The CRM's id of the contact.
    pub contact_id: String,
    /// Lower case: `grant`, `refuse`, `withdraw`, `object`, `restrict`, `lift`, `notice`, `rectify`, or anything else.
    pub kind: String,
    /// For instance `6(1)(a)`, or anything else.
    pub basis: Option<String>,
    /// Split at `|`.
    pub purposes: Vec<String>,
    /// Split at `|`.
    pub source_classes: Vec<String>,
    /// Start of validity; a day without a time begins at midnight UTC.
    pub valid_from: Option<Timestamp>,
    /// End of validity, exclusive; a day without a time ends at the next midnight UTC.
    pub valid_to: Option<Timestamp>,
    /// When the CRM recorded it.
    pub recorded_at: Option<Timestamp>,
    /// How it was given; empty = unproven.
    pub method: Option<String>,
    /// The notice that was shown.
    pub notice_id: Option<String>,
    /// Hash of the wording.
    pub wording_hash: Option<String>,
    /// Language of the wording, as stated.
    pub language: Option<String>,
    /// The row.
    pub origin: Origin,
}

/// A row, or a cell, that could not be used. Holds no content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrmDeadLetter {
    /// `contacts`, `accounts`, `consents` or `notes`.
    pub table: &'static str,
    /// A stable word such as `ragged_row`, `unreadable_date`, `duplicate`.
    pub reason: &'static str,
    /// The field, where it is about one.
    pub field: Option<String>,
    /// What to do.
    pub advice: String,
    /// Whether the row was dropped; otherwise only the cell was.
    pub row_dropped: bool,
    /// The contact's or company's record id as far as it could be read, so that the gate can fail closed.
    pub record_id: Option<String>,
    /// Where.
    pub origin: Origin,
}

impl CrmDeadLetter {
    /// File, line, field and what to do, in one line without personal data.
    pub fn detail(&self) -> String {
        let field = self.field.as_ref().map_or(String::new(), |f| format!(", field {f}"));
        format!("{}{field}: {}", self.origin, self.advice)
    }
}

/// Everything one pull gave. Accounts and contacts by record id, consents and dead letters by file and line.
#[derive(Debug, Clone, Default)]
pub struct CrmPull {
    /// Companies, one row an id, without those that are gone.
    pub accounts: Vec<CrmAccount>,
    /// Of companies that were merged, the one that each lives on in.
    pub merged_accounts: BTreeMap<String, String>,
    /// Contacts, one row an id, without those that are gone.
    pub contacts: Vec<CrmContact>,
    /// Contacts that were deleted or merged into others; what they said against processing stands.
    pub gone: Vec<CrmContact>,
    /// Of records that were merged, the one that each lives on in.
    pub merged: BTreeMap<String, String>,
    /// Records that were merged in a circle: nobody knows which of them holds.
    pub circles: BTreeSet<String>,
    /// Consent rows, exact duplicates removed.
    pub consents: Vec<ConsentRow>,
    /// What could not be used.
    pub dead_letters: Vec<CrmDeadLetter>,
    /// The files that were read, in the order of reading.
    pub files: Vec<FileFacts>,
}
