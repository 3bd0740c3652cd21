//! Nights of exports as CRMs of the world write them, by an author who had not seen this program: who is there after each
//! night, with which title and company, and whose the notes are.
//!
//! Of the held-out half nobody reads a miss; only its figures are looked at.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{CrmError, CsvSource, FileSet, NoteFiles, pull};
use crate::ids::same_form;

/// The folders of the tables, and what the roles of files that belong there have in them.
const TABLES: [(&str, &str); 3] = [("contacts", "contacts"), ("accounts", "compan"), ("notes", "notes")];

#[derive(Debug, Default)]
struct Figures {
    nights: u32,
    refused: u32,
    due: u32,
    there: u32,
    wrongly_there: u32,
    titles: u32,
    companies: u32,
    notes_due: u32,
    notes: u32,
    notes_elsewhere: u32,
}

fn below(folder: &Path) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> =
        fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    all.sort();
    all
}

/// Lays the files of a night where the pipeline reads them, as an operator does by role: a full export takes the place of what is
/// there, changes come beside it.
fn lay(case: &Path, night: &str, files: &Value, folder: &Path) -> CsvSource {
    let files = files.as_array().expect("files");
    let mut sets = BTreeMap::new();
    for (table, part) in TABLES {
        let here = folder.join(table);
        let of: Vec<&Value> =
            files.iter().filter(|file| file["role"].as_str().expect("a role").contains(part)).collect();
        if of.iter().any(|file| file["mode"] != "delta") || files.iter().all(|file| file["mode"] != "delta") {
            _ = fs::remove_dir_all(&here);
        }
        for file in of {
            let name = file["file"].as_str().expect("a name");
            let to = if here.join(name).exists() { format!("{night}-{name}") } else { name.to_owned() };
            fs::create_dir_all(&here).expect("made");
            fs::copy(case.join(night).join(name), here.join(to)).expect("copied");
        }
        if here.exists() {
            sets.insert(table, FileSet { path: (*table).to_owned(), grows: true, ..FileSet::default() });
        }
    }
    let contacts = sets.remove("contacts").expect("contacts");
    CsvSource {
        name: "nights".into(),
        contacts,
        accounts: sets.remove("accounts"),
        consents: None,
        notes: sets.remove("notes"),
    }
}

fn text(value: &Value) -> String {
    let plain = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    if value.is_null() { String::new() } else { plain.split_whitespace().collect::<Vec<_>>().join(" ") }
}

impl Figures {
    fn of(half: &str) -> Self {
        let mut figures = Self::default();
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/nights_blind").join(half);
        for case in below(&root) {
            let expected = fs::read_to_string(case.join("expected.yaml")).expect("what is expected");
            let expected: Value = serde_saphyr::from_str(&expected).expect("YAML");
            let folder = tempfile::tempdir().expect("a folder");
            for (night, files) in expected["files"].as_object().expect("nights") {
                let source = lay(&case, night, files, folder.path());
                figures.night(&source, folder.path(), &expected["contacts"][night], &expected["note_owner"][night]);
            }
        }
        figures
    }

    fn night(&mut self, source: &CsvSource, folder: &Path, contacts: &Value, owners: &Value) {
        self.nights += 1;
        let pulled = pull(source, folder).ok();
        let notes = pulled.is_some().then(|| notes(source, folder)).flatten();
        self.refused += u32::from(pulled.is_none() || notes.is_none());
        let pulled = pulled.unwrap_or_default();
        // Who has left is not worked on: what the record says of title and company holds no more.
        let is_there = |c: &Value| c["present"] == true && c["left"] != true;
        for expected in contacts.as_array().into_iter().flatten() {
            let found = pulled.contacts.iter().find(|c| same_form(&c.record_id) == same_form(&text(&expected["id"])));
            if !is_there(expected) {
                self.wrongly_there += u32::from(found.is_some());
                continue;
            }
            self.due += 1;
            let Some(found) = found else { continue };
            self.there += 1;
            let title = found.job_title.as_ref().map_or("", |title| title.reveal());
            self.titles += u32::from(title == text(&expected["title"]));
            let company = pulled.company_of(found);
            let company = pulled.accounts.iter().find(|account| Some(account.record_id.as_str()) == company);
            self.companies += u32::from(company.map_or("", |company| &company.name) == text(&expected["company"]));
        }
        let notes = notes.unwrap_or_default();
        for expected in owners.as_array().into_iter().flatten() {
            let owner = text(&expected["contact"]);
            let is_due = contacts.as_array().into_iter().flatten().any(|c| text(&c["id"]) == owner && is_there(c));
            let all = notes.get(&text(&expected["note"])).cloned().unwrap_or_default();
            let holds = |id: &String| pulled.merged.get(id).unwrap_or(id).clone();
            let all: Vec<String> = all.iter().map(holds).filter(|id| is_due || *id != owner).collect();
            self.notes_due += u32::from(is_due);
            self.notes += u32::from(is_due && all == [owner.as_str()]);
            self.notes_elsewhere += u32::from(all.iter().any(|id| *id != owner));
        }
    }
}

/// The contacts of each note; `None` = the files are refused.
fn notes(source: &CsvSource, folder: &Path) -> Option<BTreeMap<String, Vec<String>>> {
    let mut notes: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let files = NoteFiles::open(source, folder).ok()?;
    let take = |note: Result<super::CrmNote, _>| -> Result<(), CrmError> {
        let note = note.ok().and_then(|note| Some((note.note_id?, note.contact_id?)));
        if let Some((note, contact)) = note {
            notes.entry(note).or_default().push(contact);
        }
        Ok(())
    };
    files.read(take).ok()?;
    Some(notes)
}

#[test]
fn nights_of_exports_are_followed() {
    // The second sets are of another author, and were written when the program had learnt from the first.
    for (half, least) in
        [("dev", 0.97), ("holdout", 0.58), ("dev_2", 0.97), ("holdout_2", 0.95), ("dev_3", 0.99), ("holdout_3", 0.6)]
    {
        let figures = Figures::of(half);
        println!("nights of exports, {half}: {figures:?}");
        assert!(f64::from(figures.there) >= least * f64::from(figures.due), "{half}: {figures:?}");
        if half.starts_with("dev") {
            assert_eq!((figures.refused, figures.wrongly_there, figures.notes_elsewhere), (0, 0, 0), "{figures:?}");
        }
    }
}
