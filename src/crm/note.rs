//! Notes and activities of sales people, a row at a time.
//!
//! Invariant: notes are never held together; who takes them decides what is kept. Who wrote one is not read.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::columns::{Layout, Table};
use super::files::{self, Survey, survey};
use super::parts::owners;
use super::reader::{Cells, stated_encoding};
use super::ready::ready;
use super::rows::{Export, Row, Rows};
use super::when::When;
use super::{
    Concerned, CrmDeadLetter, CrmError, CsvSource, FileFacts, FileSet, Origin, objections, other, value, versions,
};
use crate::consent::import::NO_OF_NOBODY;
use crate::model::Personal;
use crate::taxonomy::Language;

/// How a note came about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoteKind {
    /// Written down, nobody says when and how it was learnt.
    #[default]
    Note,
    /// A telephone call.
    Call,
    /// A message.
    EMail,
    /// A visit, a meeting, a talk at a fair.
    Meeting,
    /// Something to do.
    Task,
}

/// A note as the CRM has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrmNote {
    /// The CRM's id of the note.
    pub note_id: Option<String>,
    /// The CRM's id of the contact whom it is on; there is this or `account_record`.
    pub contact_id: Option<String>,
    /// The CRM's id of the company.
    pub account_record: Option<String>,
    /// How it came about; an unknown word counts as a note.
    pub kind: NoteKind,
    /// When it was written; `None` = nobody knows.
    pub written_at: Option<Timestamp>,
    /// Its language, where stated and one of ours.
    pub language: Option<Language>,
    /// What it says.
    pub text: Personal<String>,
    /// The row.
    pub origin: Origin,
}

/// Reads a note, or tells why the row is none.
fn read(cells: &mut Cells<'_>) -> Result<CrmNote, Box<CrmDeadLetter>> {
    let contact_id = cells.layout.contact_of(cells.row);
    if !matches!(contact_id, Ok(Some(_))) && objections::says_no(cells.layout, cells.row) {
        let advice = "the note says no to data, advertising or contact, and is on no contact whom its row tells, so it protects nobody yet: \
                      put it on the contact who said it, or set the CRM's own field for it";
        cells.note("text", NO_OF_NOBODY, advice);
    }
    let Ok(contact_id) = contact_id else {
        let advice =
            "none, or several, of the contacts have this name at its company; export the contact's id with the note";
        return Err(cells.letter("unknown_contact", Some("contact_name"), advice));
    };
    let account_record = cells.layout.company_of(cells.row);
    if contact_id.is_none() && account_record.is_none() {
        return Err(cells.letter(
            "missing_id",
            Some("contact_id"),
            "name the contact or the company that it is on, as the exports have them",
        ));
    }
    let Some(text) = cells.text("text").or_else(|| cells.text("subject")).map(str::to_owned) else {
        return Err(cells.letter("missing_text", Some("text"), "there is nothing to read; remove the row"));
    };
    Ok(CrmNote {
        note_id: cells.line("note_id"),
        contact_id,
        account_record,
        kind: cells.text("kind").and_then(value::note_kind).unwrap_or_default(),
        // Without the day on which it was written, that of its last change is near.
        written_at: match cells.when("written_at")? {
            Some(at) => Some(at.start()),
            None => cells.when("updated_at")?.map(When::start),
        },
        language: cells.text("language").and_then(value::language),
        text: Personal::new(text),
        origin: cells.row.origin(),
    })
}

/// Fields that tell on whom a note is.
const WHOM: [&str; 6] = ["contact_id", "account_record", "contact_name", "contact_email", "account_name", "regarding"];

/// Whether a row of notes has no text, or is on nobody: activities come without either, and nothing is wrong with them.
fn says_nothing(layout: &Layout, row: &Row) -> bool {
    let has = |field: &str| layout.all(field).iter().any(|at| value::text(row.cell(*at)).is_some());
    !(has("text") || has("subject")) || !WHOM.into_iter().any(has)
}

/// The files of notes, hashed and with header lines that can be read; their rows are still unread.
#[derive(Debug, Default)]
pub struct NoteFiles {
    set: FileSet,
    files: Vec<File>,
    concerned: Option<Arc<Concerned>>,
    /// What each file is; its rows are not counted yet.
    pub facts: Vec<FileFacts>,
    /// Files that are passed over, because they are empty.
    pub passed: Vec<PathBuf>,
}

#[derive(Debug)]
struct File {
    path: PathBuf,
    name: String,
    survey: Survey,
}

/// What rows files of notes have.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoteRows {
    /// How many.
    pub all: u64,
    /// How many of them are whole and say nothing of anybody: a call of which nobody wrote a word, a note on a deal.
    pub empty: u64,
    /// The newest date of change that is not of the future, see [`FileFacts::cursor`].
    pub cursor: Option<Timestamp>,
}

impl NoteFiles {
    /// Looks at the files of a source; relative paths start at `base`. A source without notes has none.
    ///
    /// # Errors
    /// A file that cannot be read, or whose header lacks what a note needs.
    pub fn open(source: &CsvSource, base: &Path) -> Result<Self, CrmError> {
        let Some(set) = &ready(source, base)?.notes else { return Ok(Self::default()) };
        let stated = stated_encoding(Table::Notes, set)?;
        let mut opened = Self { set: set.clone(), passed: set.passed.clone(), ..Self::default() };
        let paths = files::of_set(Table::Notes, set, base)?;
        let names = files::names(set, base, &paths);
        for (path, name) in paths.into_iter().zip(names) {
            let survey = survey(&path, stated)?;
            let reader = Rows::of(&Export { table: Table::Notes, set, path: &path, name: &name, survey: &survey })?;
            opened.facts.push(reader.facts().clone());
            opened.files.push(File { path, name, survey });
        }
        Ok(opened)
    }

    /// Whether there is no file.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Notes on those alone who are concerned.
    #[must_use]
    pub fn only(mut self, concerned: Arc<Concerned>) -> Self {
        self.concerned = Some(concerned);
        self
    }

    /// Hands every row on as a note or a dead letter, in the order of the files; tells what rows there were.
    ///
    /// # Errors
    /// A file that cannot be read to its end, or what `take` returns.
    pub fn read<E: From<CrmError>>(
        &self,
        mut take: impl FnMut(Result<CrmNote, Box<CrmDeadLetter>>) -> Result<(), E>,
    ) -> Result<NoteRows, E> {
        let (mut read_rows, mut notes) = (NoteRows::default(), Vec::new());
        for (at, File { path, name, survey }) in self.files.iter().enumerate() {
            let mut reader = Rows::of(&Export { table: Table::Notes, set: &self.set, path, name, survey })?;
            while let Some(item) = reader.next_row()? {
                let layout = reader.layout();
                if matches!(&item, Ok(row) if !versions::holds(&self.set, layout, row, at)) {
                    continue;
                }
                if matches!(&item, Ok(row) if says_nothing(layout, row)) {
                    read_rows.empty += 1;
                    continue;
                }
                if let (Some(concerned), Ok(row)) = (&self.concerned, &item) {
                    let (contact, company) = owners(layout, row);
                    // An id may be a contact's or a company's.
                    let is_either = contact.is_some() && contact == company;
                    let is_of_company = || is_either && company.as_deref().is_some_and(|id| concerned.company(id));
                    if !(concerned.row(contact.as_deref(), company.as_deref()) || is_of_company()) {
                        continue;
                    }
                }
                take(item.and_then(|row| {
                    let id = other::key(layout, &row);
                    read(&mut Cells { layout, row: &row, notes: &mut notes, id })
                }))?;
                notes.drain(..).try_for_each(|letter| take(Err(Box::new(letter))))?;
            }
            let facts = reader.into_facts();
            read_rows.all += facts.rows;
            read_rows.cursor = read_rows.cursor.max(facts.cursor);
        }
        Ok(read_rows)
    }
}
