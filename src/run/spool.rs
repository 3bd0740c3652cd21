//! Notes on their way from the CRM's files to the company that they are about, on disk between the two.
//!
//! Invariant: memory is bounded by one part, whatever the number of notes; on disk they are sealed ([`Blocks`]). A part is
//! removed once it is read.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::blocks::{BlockError, Blocks, Item, part_of};
use crate::crm::{NoteKind, Origin, Unit};
use crate::model::{AccountId, Personal, RunId, SubjectId};
use crate::run::load::Note;
use crate::sink::WORK_NOTES;
use crate::taxonomy::Language;

/// Parts by account id; behind them, those of contacts without a company, by subject id.
const PARTS: usize = 256;

/// The notes of a part, by company.
type Part = HashMap<Option<AccountId>, Vec<Note>>;

/// Takes notes, in any order.
pub(super) struct Spool {
    blocks: Blocks,
    /// Groups of contacts without a company.
    alone: usize,
    /// Where notes come from.
    files: Vec<Arc<str>>,
    /// The part that is being handed out.
    loaded: Option<(usize, Part)>,
}

/// A note as it stands in a block.
#[derive(Serialize, Deserialize)]
struct Stored<'a> {
    account: Option<AccountId>,
    subject: Option<SubjectId>,
    #[serde(borrow)]
    note_id: Option<&'a str>,
    kind: NoteKind,
    /// Microseconds since 1970.
    written_at: Option<i64>,
    language: Option<Language>,
    text: &'a str,
    /// Index into `Spool::files`.
    file: usize,
    line: u64,
    unit: Unit,
    digest: [u8; 32],
}

/// What a part holds.
struct NoteItem;

impl<'de> Item<'de> for NoteItem {
    type Stored = Stored<'de>;
}

impl Spool {
    /// An empty spool of a run in a home whose lock the caller holds, where contacts without a company are in so many groups.
    pub(super) fn create(home: &Path, run: &RunId, alone: usize) -> Result<Self, BlockError> {
        let folder = home.join(".work").join(format!("{WORK_NOTES}{run}"));
        Ok(Self { blocks: Blocks::create(folder, PARTS + alone)?, alone, files: Vec::new(), loaded: None })
    }

    /// Puts a note by.
    pub(super) fn put(&mut self, account: Option<&AccountId>, note: Note) -> Result<(), BlockError> {
        let of_subject = |subject: &SubjectId| part_of(subject.as_str(), self.alone);
        let part = match account {
            Some(account) => part_of(account.as_str(), PARTS),
            None => PARTS + note.subject.as_ref().map_or(0, of_subject),
        };
        let stored = Stored {
            account: account.cloned(),
            subject: note.subject,
            note_id: note.note_id.as_deref(),
            kind: note.kind,
            written_at: note.written_at.map(Timestamp::as_microsecond),
            language: note.language,
            text: note.text.reveal(),
            file: file(&mut self.files, &note.origin.file),
            line: note.origin.line,
            unit: note.origin.unit,
            digest: note.origin.digest,
        };
        self.blocks.put(part, &stored)
    }

    /// All notes are there.
    pub(super) fn finish(&mut self) -> Result<(), BlockError> {
        self.blocks.finish()
    }

    /// The notes of a company, in the order in which they were put by. Companies are asked for in the order of their
    /// ids, each once; groups without an id come first, `alone` tells which.
    pub(super) fn take(&mut self, account: Option<&AccountId>, alone: usize) -> Result<Vec<Note>, BlockError> {
        let part = account.map_or(PARTS + alone, |account| part_of(account.as_str(), PARTS));
        if self.loaded.as_ref().is_none_or(|(loaded, _)| *loaded != part) {
            self.loaded = Some((part, self.load(part)?));
        }
        let notes = self.loaded.as_mut().and_then(|(_, notes)| notes.remove(&account.cloned()));
        Ok(notes.unwrap_or_default())
    }

    fn load(&mut self, part: usize) -> Result<Part, BlockError> {
        let mut notes = Part::new();
        let files = &self.files;
        self.blocks.read::<NoteItem>(part, |stored| {
            let (account, note) = note(files, stored)?;
            notes.entry(account).or_default().push(note);
            Some(())
        })?;
        self.blocks.remove(part)?;
        Ok(notes)
    }
}

/// A note as it was put by.
fn note(files: &[Arc<str>], stored: Stored<'_>) -> Option<(Option<AccountId>, Note)> {
    let file = Arc::clone(files.get(stored.file)?);
    let note = Note {
        subject: stored.subject,
        note_id: stored.note_id.map(str::to_owned),
        kind: stored.kind,
        written_at: stored.written_at.map(Timestamp::from_microsecond).transpose().ok()?,
        language: stored.language,
        text: Personal::new(stored.text.to_owned()),
        origin: Origin { file, line: stored.line, unit: stored.unit, digest: stored.digest },
    };
    Some((stored.account, note))
}

/// The index of a file; rows come file by file.
fn file(files: &mut Vec<Arc<str>>, file: &Arc<str>) -> usize {
    if files.last() != Some(file) {
        files.push(Arc::clone(file));
    }
    files.len() - 1
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use super::*;
    use crate::ids::{DEMO_KEY, Ids};

    fn note(subject: Option<SubjectId>, text: &str) -> Note {
        Note {
            subject,
            note_id: Some("N".to_owned()),
            kind: NoteKind::Call,
            written_at: Some(Timestamp::UNIX_EPOCH),
            language: Some(Language::German),
            text: Personal::new(text.to_owned()),
            origin: Origin { file: "notes.csv".into(), line: 7, unit: Unit::Row, digest: [9; 32] },
        }
    }

    fn names(folder: &Path) -> Vec<PathBuf> {
        fs::read_dir(folder).map(|all| all.map(|e| e.expect("entry").path()).collect()).unwrap_or_default()
    }

    #[test]
    fn every_note_comes_back_once_and_nothing_is_left() {
        let (home, ids) = (tempfile::tempdir().expect("a folder for the test"), Ids::new(DEMO_KEY));
        let mut spool = Spool::create(home.path(), &RunId::from_body("x"), 2).expect("created");
        let mut accounts: Vec<AccountId> = (0..40).map(|i| ids.account("crm", &i.to_string())).collect();
        accounts.sort();
        let people: Vec<SubjectId> = (0..40).map(|i| ids.subject("crm", &i.to_string())).collect();
        // Long enough that every part has several blocks.
        let text = |i: usize, n: usize| format!("{i} {n} {}", "Canaryson ".repeat(700));
        for n in 0..6 {
            for (i, account) in accounts.iter().enumerate().rev() {
                spool.put(Some(account), note(None, &text(i, n))).expect("put by");
            }
        }
        for person in &people {
            spool.put(None, note(Some(person.clone()), "alone")).expect("put by");
        }
        spool.finish().expect("written");
        for path in names(spool.blocks.folder()) {
            use std::os::unix::fs::PermissionsExt as _;
            let bytes = fs::read(&path).expect("a part");
            assert!(!String::from_utf8_lossy(&bytes).contains("Canary"), "a part can be read");
            assert_eq!(fs::metadata(&path).expect("a part").permissions().mode() & 0o777, 0o600);
        }
        let alone: Vec<usize> = (0..2).map(|part| spool.take(None, part).expect("taken").len()).collect();
        assert!(alone.iter().all(|n| *n > 0) && alone.iter().sum::<usize>() == people.len(), "{alone:?}");
        let (mut loads, mut last) = (0, None);
        for (i, account) in accounts.iter().enumerate() {
            let notes = spool.take(Some(account), 0).expect("taken");
            loads += usize::from(spool.loaded.as_ref().map(|(part, _)| *part) != last);
            last = spool.loaded.as_ref().map(|(part, _)| *part);
            let found: Vec<String> = notes.iter().map(|n| n.text.reveal().clone()).collect();
            assert_eq!(found, (0..6).map(|n| text(i, n)).collect::<Vec<_>>());
            assert_eq!(notes[0], note(None, &text(i, 0)));
        }
        // In the order of the ids, no part is read twice.
        let parts: std::collections::BTreeSet<usize> = accounts.iter().map(|a| part_of(a.as_str(), PARTS)).collect();
        assert_eq!(loads, parts.len());
        assert_eq!(names(spool.blocks.folder()), Vec::<PathBuf>::new());
        drop(spool);
        assert_eq!(names(&home.path().join(".work")), Vec::<PathBuf>::new());
    }

    #[test]
    fn what_was_changed_on_disk_is_told() {
        let home = tempfile::tempdir().expect("a folder for the test");
        let mut spool = Spool::create(home.path(), &RunId::from_body("x"), 1).expect("created");
        spool.put(None, note(None, "text")).expect("put by");
        spool.finish().expect("written");
        let path = spool.blocks.path(PARTS);
        let mut bytes = fs::read(&path).expect("the part");
        *bytes.last_mut().expect("not empty") ^= 1;
        fs::write(&path, bytes).expect("written");
        let error = spool.take(None, 0).expect_err("another content");
        assert!(error.to_string().starts_with("cannot read "), "{error}");
    }
}
