//! Notes on their way from the CRM's files to the company that they are about, on disk between the two.
//!
//! Invariant: memory is bounded by one part and the blocks that are being filled, whatever the number of notes. Blocks
//! are sealed under a key that only this process has: what a killed run leaves in `.work` nobody can read, and the next
//! writer clears it. A part is removed once it is read.

use std::collections::HashMap;
use std::fs::{self, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::crm::{NoteKind, Origin, Unit};
use crate::keys;
use crate::model::{AccountId, Personal, RunId, SubjectId};
use crate::run::files::private_dir;
use crate::run::load::Note;
use crate::sink::{SinkError, WORK_NOTES};
use crate::taxonomy::Language;

/// Parts by account id, and one for contacts without a company.
const PARTS: usize = 256;
/// The part of contacts without a company: their group comes first.
const NO_ACCOUNT: usize = PARTS;
/// How much of a part is gathered before it is sealed and written.
const BLOCK: usize = 32 * 1024;

/// The notes of a part, by company.
type Part = HashMap<Option<AccountId>, Vec<Note>>;

/// Takes notes, in any order.
pub(super) struct Spool {
    folder: PathBuf,
    key: Zeroizing<[u8; 32]>,
    open: Vec<Zeroizing<Vec<u8>>>,
    blocks: Vec<u64>,
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

impl Spool {
    /// An empty spool of a run in a home whose lock the caller holds.
    pub(super) fn create(home: &Path, run: &RunId) -> Result<Self, SinkError> {
        let folder = home.join(".work").join(format!("{WORK_NOTES}{run}"));
        private_dir(&folder).map_err(SinkError::io("create folder", &folder))?;
        let key = keys::random().map_err(SinkError::io("make a key for", &folder))?;
        let open = (0..=PARTS).map(|_| Zeroizing::new(Vec::new())).collect();
        Ok(Self { folder, key: Zeroizing::new(key), open, blocks: vec![0; PARTS + 1], files: Vec::new(), loaded: None })
    }

    /// Puts a note by.
    pub(super) fn put(&mut self, account: Option<&AccountId>, note: Note) -> Result<(), SinkError> {
        let part = part_of(account);
        let stored = Stored {
            account: account.cloned(),
            subject: note.subject,
            note_id: note.note_id.as_deref(),
            kind: note.kind,
            written_at: note.written_at.map(Timestamp::as_microsecond),
            language: note.language,
            text: note.text.reveal(),
            file: self.file(&note.origin.file),
            line: note.origin.line,
            unit: note.origin.unit,
            digest: note.origin.digest,
        };
        let block = &mut self.open[part];
        postcard::to_io(&stored, &mut **block).expect("plain data goes into memory");
        if block.len() >= BLOCK { self.write(part) } else { Ok(()) }
    }

    /// The index of a file; notes come file by file.
    fn file(&mut self, file: &Arc<str>) -> usize {
        if self.files.last() != Some(file) {
            self.files.push(Arc::clone(file));
        }
        self.files.len() - 1
    }

    /// All notes are there.
    pub(super) fn finish(&mut self) -> Result<(), SinkError> {
        (0..=PARTS).filter(|part| !self.open[*part].is_empty()).collect::<Vec<_>>().into_iter().try_for_each(|part| {
            self.write(part)?;
            self.open[part] = Zeroizing::default();
            Ok(())
        })
    }

    fn write(&mut self, part: usize) -> Result<(), SinkError> {
        let path = self.path(part);
        let label = label(part, self.blocks[part]);
        let write = |block: &[u8]| {
            let sealed = keys::seal(&self.key, label.as_bytes(), block)?.0;
            let mut file = OpenOptions::new().append(true).create(true).mode(0o600).open(&path)?;
            file.write_all(&(sealed.len() as u64).to_le_bytes()).and_then(|()| file.write_all(&sealed))
        };
        write(&self.open[part]).map_err(SinkError::io("write", &path))?;
        self.open[part].clear();
        self.blocks[part] += 1;
        Ok(())
    }

    /// The notes of a company, in the order in which they were put by. Companies are asked for in the order of their
    /// ids, each once, those without an id first.
    pub(super) fn take(&mut self, account: Option<&AccountId>) -> Result<Vec<Note>, SinkError> {
        let part = part_of(account);
        if self.loaded.as_ref().is_none_or(|(loaded, _)| *loaded != part) {
            self.loaded = Some((part, self.load(part)?));
        }
        let notes = self.loaded.as_mut().and_then(|(_, notes)| notes.remove(&account.cloned()));
        Ok(notes.unwrap_or_default())
    }

    fn load(&self, part: usize) -> Result<Part, SinkError> {
        let path = self.path(part);
        let mut notes = Part::new();
        if self.blocks[part] == 0 {
            return Ok(notes);
        }
        let fail = |source| SinkError::io("read", &path)(source);
        let damaged = || fail(io::Error::other("what was put there is not there any more"));
        let mut file = io::BufReader::new(fs::File::open(&path).map_err(fail)?);
        for block in 0..self.blocks[part] {
            let mut length = [0; 8];
            file.read_exact(&mut length).map_err(fail)?;
            let mut sealed = Vec::new();
            (&mut file).take(u64::from_le_bytes(length)).read_to_end(&mut sealed).map_err(fail)?;
            let open = keys::open(&self.key, label(part, block).as_bytes(), &sealed).ok_or_else(damaged)?;
            let mut rest = open.as_slice();
            while !rest.is_empty() {
                let (stored, behind) = postcard::take_from_bytes::<Stored<'_>>(rest).map_err(|_| damaged())?;
                let (account, note) = self.note(stored).ok_or_else(damaged)?;
                notes.entry(account).or_default().push(note);
                rest = behind;
            }
        }
        fs::remove_file(&path).map_err(SinkError::io("remove", &path))?;
        Ok(notes)
    }

    /// A note as it was put by.
    fn note(&self, stored: Stored<'_>) -> Option<(Option<AccountId>, Note)> {
        let file = Arc::clone(self.files.get(stored.file)?);
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

    fn path(&self, part: usize) -> PathBuf {
        self.folder.join(format!("{part:03}"))
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        // Best effort: the next writer clears what cannot be removed now.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn label(part: usize, block: u64) -> String {
    format!("notes {part} {block}")
}

/// The part of an account: the first letters of ids, in their order, so that parts are needed one after the other.
fn part_of(account: Option<&AccountId>) -> usize {
    let Some(account) = account else { return NO_ACCOUNT };
    let body = account.as_str().strip_prefix(AccountId::PREFIX).unwrap_or_default().as_bytes();
    let rank = |at: usize| match body.get(at) {
        Some(digit @ b'2'..=b'7') => usize::from(digit - b'2'),
        Some(letter @ b'a'..=b'z') => usize::from(letter - b'a') + 6,
        _ => 0,
    };
    (rank(0) * 32 + rank(1)) * PARTS / 1024
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{DEMO_KEY, Ids};

    fn note(text: &str) -> Note {
        Note {
            subject: None,
            note_id: Some("N".to_owned()),
            kind: NoteKind::Call,
            written_at: Some(Timestamp::UNIX_EPOCH),
            language: Some(Language::German),
            text: Personal::new(text.to_owned()),
            origin: Origin { file: "notes.csv".into(), line: 7, unit: Unit::Row, digest: [9; 32] },
        }
    }

    /// Accounts in the order of their ids, none first.
    fn accounts(n: usize) -> Vec<Option<AccountId>> {
        let ids = Ids::new(DEMO_KEY);
        let mut all: Vec<Option<AccountId>> = (0..n).map(|i| Some(ids.account("crm", &i.to_string()))).collect();
        all.push(None);
        all.sort();
        all
    }

    fn names(folder: &Path) -> Vec<PathBuf> {
        fs::read_dir(folder).map(|all| all.map(|e| e.expect("entry").path()).collect()).unwrap_or_default()
    }

    #[test]
    fn every_note_comes_back_once_and_nothing_is_left() {
        let home = tempfile::tempdir().expect("a folder for the test");
        let mut spool = Spool::create(home.path(), &RunId::from_body("x")).expect("created");
        let accounts = accounts(40);
        // Long enough that every part has several blocks.
        let text = |i: usize, n: usize| format!("{i} {n} {}", "Canaryson ".repeat(700));
        for n in 0..6 {
            for (i, account) in accounts.iter().enumerate().rev() {
                spool.put(account.as_ref(), note(&text(i, n))).expect("put by");
            }
        }
        spool.finish().expect("written");
        assert!(spool.blocks.iter().any(|n| *n > 1));
        for path in names(&spool.folder) {
            use std::os::unix::fs::PermissionsExt as _;
            let bytes = fs::read(&path).expect("a part");
            assert!(!String::from_utf8_lossy(&bytes).contains("Canary"), "a part can be read");
            assert_eq!(fs::metadata(&path).expect("a part").permissions().mode() & 0o777, 0o600);
        }
        let mut loads = 0;
        let mut last = None;
        for (i, account) in accounts.iter().enumerate() {
            let notes = spool.take(account.as_ref()).expect("taken");
            loads += usize::from(spool.loaded.as_ref().map(|(part, _)| *part) != last);
            last = spool.loaded.as_ref().map(|(part, _)| *part);
            let found: Vec<String> = notes.iter().map(|n| n.text.reveal().clone()).collect();
            assert_eq!(found, (0..6).map(|n| text(i, n)).collect::<Vec<_>>());
            assert_eq!(notes[0], note(&text(i, 0)));
        }
        // In the order of the ids, no part is read twice.
        let parts: std::collections::BTreeSet<usize> = accounts.iter().map(|a| part_of(a.as_ref())).collect();
        assert_eq!(loads, parts.len());
        assert_eq!(names(&spool.folder), Vec::<PathBuf>::new());
        drop(spool);
        assert_eq!(names(&home.path().join(".work")), Vec::<PathBuf>::new());
    }

    #[test]
    fn what_was_changed_on_disk_is_told() {
        let home = tempfile::tempdir().expect("a folder for the test");
        let mut spool = Spool::create(home.path(), &RunId::from_body("x")).expect("created");
        spool.put(None, note("text")).expect("put by");
        spool.finish().expect("written");
        let path = spool.path(NO_ACCOUNT);
        let mut bytes = fs::read(&path).expect("the part");
        *bytes.last_mut().expect("not empty") ^= 1;
        fs::write(&path, bytes).expect("written");
        let error = spool.take(None).expect_err("another content");
        assert!(error.to_string().starts_with("cannot read "), "{error}");
    }
}
