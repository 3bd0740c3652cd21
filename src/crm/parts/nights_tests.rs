//! A night of changes says together with the one before what a whole night says, whatever became of rows and files.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use super::super::{Before, Found, KnownBefore, Tag, TonightsRows};
use super::{Contact, parted, shared, together, write_as};
use crate::crm::{
    CrmContact, CrmDeadLetter, CrmError, CrmNote, CrmPull, CsvSource, FileSet, NoteFiles, Origin, Unit, pull,
};

#[path = "places_tests.rs"]
mod places;

/// Names of the files of a night, in the order of reading.
const NAMES: [&str; 3] = ["1.csv", "2.csv", "3.csv"];

/// A note: its id, whose it is (from 16 on, a company's), and what it says (0 = nothing).
type Note = (u8, u8, u8);

/// The rows of a night, by file.
#[derive(Debug, Clone, Default)]
struct Night {
    contacts: Vec<(u8, Contact)>,
    accounts: Vec<(u8, (u8, u8))>,
    consents: Vec<(u8, (u8, u8))>,
    notes: Vec<(u8, Note)>,
}

/// What becomes of a row until the next night: gone, changed, a new one before it, elsewhere, or in another file.
type Edit<R> = (u8, prop::sample::Index, prop::sample::Index, (u8, R));

fn edited<R: Clone>(mut rows: Vec<(u8, R)>, edits: &[Edit<R>]) -> Vec<(u8, R)> {
    for (kind, at, to, new) in edits {
        if rows.is_empty() {
            rows.push(new.clone());
            continue;
        }
        let (at, to) = (at.index(rows.len()), to.index(rows.len()));
        match kind {
            0 => drop(rows.remove(at)),
            1 => rows[at] = new.clone(),
            2 => rows.insert(at, new.clone()),
            3 => {
                let row = rows.remove(at);
                rows.insert(to, row);
            }
            _ => rows[at].0 = new.0,
        }
    }
    rows
}

fn edits<R: Strategy + Clone>(row: R, most: usize) -> impl Strategy<Value = Vec<Edit<R::Value>>> + use<R> {
    let edit = (0..5u8, any::<prop::sample::Index>(), any::<prop::sample::Index>(), (0..3u8, row));
    prop::collection::vec(edit, 0..=most)
}

/// A contact of an export with few merges, so that there is somebody whom a change does not concern.
fn contact() -> impl Strategy<Value = Contact> + Clone {
    let merges = (0..120u8, 0..120u8, 0..40u8);
    let row = (0..14u8, 0..12u8, 0..24u8, 0..9u8, 0..13u8, 0..20u8, merges);
    row.prop_map(|(id, name, email, account, month, deleted, (into, took, out))| Contact {
        id,
        name: name > 0,
        surname: name / 3,
        email,
        account,
        month,
        deleted: deleted == 0,
        into,
        took,
        opted_out: out == 0,
    })
}

fn nights() -> impl Strategy<Value = [Night; 2]> {
    fn rows<R: Strategy>(row: R, most: usize) -> impl Strategy<Value = Vec<(u8, R::Value)>> + use<R> {
        prop::collection::vec((0..3u8, row), 0..most)
    }
    let account = || (1..9u8, 0..60u8);
    let consent = || (0..16u8, 0..4u8);
    let note = || (0..20u8, 0..25u8, 0..3u8);
    let first = (rows(contact(), 16), rows(account(), 10), rows(consent(), 12), rows(note(), 12));
    let edits =
        (edits(contact(), 2), edits(account(), 1), edits(consent(), 1), edits(note(), 2), prop::bool::weighted(0.2));
    (first, edits).prop_map(|((contacts, accounts, consents, notes), edits)| {
        let first = Night { contacts, accounts, consents, notes };
        let Night { contacts, accounts, consents, notes } = first.clone();
        let mut second = Night {
            contacts: edited(contacts, &edits.0),
            accounts: edited(accounts, &edits.1),
            consents: edited(consents, &edits.2),
            notes: edited(notes, &edits.3),
        };
        if edits.4 {
            // Another layout: all in one file.
            second.contacts.iter_mut().for_each(|(file, _)| *file = 0);
            second.notes.iter_mut().for_each(|(file, _)| *file = 0);
        }
        [first, second]
    })
}

fn of<R: Clone>(rows: &[(u8, R)], file: usize) -> Vec<R> {
    rows.iter().filter(|(of, _)| usize::from(*of) == file).map(|(_, row)| row.clone()).collect()
}

/// Writes the exports of a night over those of the last one.
fn export(folder: &Path, night: &Night) -> CsvSource {
    let tables = ["c", "a", "k", "n"];
    for table in tables {
        let _ = fs::remove_dir_all(folder.join(table));
        fs::create_dir_all(folder.join(table)).expect("a folder");
    }
    for (file, name) in NAMES.iter().enumerate() {
        write_as(name, folder, &of(&night.contacts, file), &of(&night.accounts, file), &of(&night.consents, file));
        let mut csv = String::from("note_id,contact_id,account_id,text,canary\n");
        for (id, owner, text) in of(&night.notes, file) {
            let whose = if owner < 16 { format!("K{owner},") } else { format!(",F{}", owner - 15) };
            let text = ["", "Er entscheidet.", "Zu teuer."][usize::from(text)];
            let _ = writeln!(csv, "N{id},{whose},{text},Canary");
        }
        csv += "ragged\n,,,Nobody's,\n";
        fs::write(folder.join("n").join(name), csv).expect("written");
    }
    let files = |path: &str| FileSet { path: path.into(), grows: true, ..FileSet::default() };
    let [contacts, accounts, consents, notes] = tables.map(files);
    CsvSource { name: "crm".into(), contacts, accounts: Some(accounts), consents: Some(consents), notes: Some(notes) }
}

fn tag(id: &str) -> Tag {
    let mut tag = [0; 16];
    tag[..id.len()].copy_from_slice(id.as_bytes());
    tag
}

fn tag_of_row(digest: &[u8; 32]) -> Tag {
    *digest.first_chunk().expect("16 of 32 bytes")
}

/// What the rows are, put by below a folder.
fn tonight(source: &CsvSource, folder: &Path, name: &str) -> TonightsRows {
    let known = KnownBefore {
        key: &[7; 32],
        company: &|_| false,
        contact: &|_| false,
        without_erased: &|pull| pull,
        is_erased: &|_| false,
        subject: &tag,
        row: &|digest| [tag_of_row(digest), [0xff; 16]],
    };
    TonightsRows::read(source, folder, &known, &folder.join(name)).expect("read")
}

/// Notes, and what was wrong with others.
fn notes(files: &NoteFiles) -> (Vec<CrmNote>, Vec<CrmDeadLetter>) {
    let (mut notes, mut letters) = (Vec::new(), Vec::new());
    let take = |item: Result<CrmNote, Box<CrmDeadLetter>>| -> Result<(), CrmError> {
        match item {
            Ok(note) => notes.push(note),
            Err(letter) => letters.push(*letter),
        }
        Ok(())
    };
    files.read(take).expect("read");
    (notes, letters)
}

fn nowhere() -> Origin {
    Origin { file: "".into(), line: 0, unit: Unit::Line, digest: [0; 32] }
}

/// What is said of a contact, wherever the rows stand.
fn said(pull: &CrmPull, contact: &CrmContact, notes: &[CrmNote]) -> String {
    let shared = shared(pull);
    let ambiguous = contact.emails.iter().any(|email| shared.contains(email.reveal().as_str()));
    let company = pull.company_of(contact);
    let known = company.and_then(|id| pull.accounts.iter().find(|a| a.record_id == id));
    let known = known.map(|company| crate::crm::CrmAccount { origin: nowhere(), ..company.clone() });
    let consents = pull.consents.iter().filter(|row| row.contact_id == contact.record_id);
    let consents: Vec<_> = consents.map(|row| crate::crm::ConsentRow { origin: nowhere(), ..row.clone() }).collect();
    let namesakes = pull.contacts.iter().filter(|c| {
        company.is_some_and(|company| {
            pull.company_of(c) == Some(company) && c.name_at(company) == contact.name_at(company)
        })
    });
    // Of all colleagues and the company, too: what several notes say of one person hangs on their order.
    let is_of_company = |note: &CrmNote| {
        let at = |contact: &CrmContact| company.is_some() && pull.company_of(contact) == company;
        match &note.contact_id {
            Some(id) => {
                let id = pull.merged.get(id).unwrap_or(id);
                *id == contact.record_id || pull.contacts.iter().any(|c| c.record_id == *id && at(c))
            }
            None => {
                note.account_record.as_ref().map(|id| pull.merged_accounts.get(id).unwrap_or(id).as_str()) == company
            }
        }
    };
    let notes: Vec<String> = notes.iter().filter(|note| is_of_company(note)).map(told).collect();
    // A buying center is made of all of them.
    let colleagues = pull.contacts.iter().filter(|c| company.is_some() && pull.company_of(c) == company);
    let colleagues: Vec<_> = colleagues.map(|c| (&c.record_id, c.updated_at, &c.flags)).collect();
    let plain = CrmContact { origin: nowhere(), ..contact.clone() };
    let names = [plain.given_name.reveal(), plain.family_name.reveal()];
    let emails: Vec<_> = plain.emails.iter().map(crate::model::Personal::reveal).collect();
    format!(
        "{plain:?} {names:?} {emails:?} {ambiguous} {company:?} {known:?} {consents:?} {} {notes:?} {colleagues:?}",
        namesakes.count()
    )
}

fn told(note: &CrmNote) -> String {
    format!("{:?} {:?} {:?} {}", note.note_id, note.contact_id, note.account_record, note.text.reveal())
}

/// The dead letters of the last night that are carried over.
fn carried(
    old: &[CrmDeadLetter],
    (changed, letters): (&[Tag], &HashMap<Tag, bool>),
    worked: &HashSet<String>,
    tonight: &[CrmDeadLetter],
) -> Vec<CrmDeadLetter> {
    let stays = |letter: &&CrmDeadLetter| match letter.record_id.as_deref().filter(|_| letter.table != "accounts") {
        Some(id) => !worked.contains(id) && !changed.contains(&tag(id)),
        None => letters.get(&tag_of_row(&letter.origin.digest)) == Some(&false),
    };
    old.iter().filter(stays).filter(|letter| !tonight.contains(letter)).cloned().collect()
}

fn counted(letters: impl IntoIterator<Item = CrmDeadLetter>) -> BTreeMap<String, usize> {
    let mut all = BTreeMap::new();
    for letter in letters {
        *all.entry(format!("{letter:?}")).or_default() += 1;
    }
    all
}

/// A night: everything, and the notes.
struct Whole {
    pull: CrmPull,
    notes: Vec<CrmNote>,
    letters: Vec<CrmDeadLetter>,
}

impl Whole {
    fn of(source: &CsvSource, folder: &Path) -> Self {
        let pull = pull(source, folder).expect("read");
        let (notes, of_notes) = notes(&NoteFiles::open(source, folder).expect("notes"));
        let letters = pull.dead_letters.iter().cloned().chain(of_notes).collect();
        Self { pull, notes, letters }
    }

    /// Whether a contact is somebody.
    fn knows(&self, id: &String) -> bool {
        let id = self.pull.merged.get(id).unwrap_or(id);
        self.pull.contacts.iter().chain(&self.pull.gone).any(|c| c.record_id == *id)
    }

    fn knows_company(&self, id: &String) -> bool {
        let id = self.pull.merged_accounts.get(id).unwrap_or(id);
        self.pull.accounts.iter().any(|a| a.record_id == *id)
    }

    fn knows_owner(&self, note: &CrmNote) -> bool {
        match (&note.contact_id, &note.account_record) {
            (Some(id), _) => self.knows(id),
            (None, Some(id)) => self.knows_company(id),
            (None, None) => false,
        }
    }
}

/// How many contacts there were, and how many of them a night did not concern.
static SEEN: [AtomicUsize; 2] = [const { AtomicUsize::new(0) }; 2];

fn check([first, second]: &[Night; 2]) -> Result<(), TestCaseError> {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let source = export(folder, first);
    let before = Whole::of(&source, folder);
    let kept = tonight(&source, folder, "first");
    let source = export(folder, second);
    let whole = Whole::of(&source, folder);
    let of_people = before.letters.iter().filter(|letter| letter.table != "accounts");
    let told_of: HashSet<Tag> = of_people.filter_map(|l| l.record_id.as_deref()).map(tag).collect();
    let rows = before.letters.iter().filter(|l| l.record_id.is_none()).map(|l| tag_of_row(&l.origin.digest));
    let rows: HashSet<Tag> = rows.collect();
    let last = Before { path: &kept.path, told: &told_of, letters: &rows };
    let found = tonight(&source, folder, "second").against(&last).expect("read");
    let concerned = &found.concerned;
    let (parts, _) = parted(&source, folder, Some(concerned));
    let some = together(&parts);
    let is = |contact: &&CrmContact| concerned.contact(&contact.record_id);
    SEEN[0].fetch_add(whole.pull.contacts.len(), Ordering::Relaxed);
    SEEN[1].fetch_add(whole.pull.contacts.iter().filter(|c| !is(c)).count(), Ordering::Relaxed);
    // Whoever is worked on is read as by all files together.
    prop_assert_eq!(
        whole.pull.contacts.iter().filter(is).collect::<Vec<_>>(),
        some.contacts.iter().collect::<Vec<_>>()
    );
    prop_assert_eq!(whole.pull.gone.iter().filter(is).collect::<Vec<_>>(), some.gone.iter().collect::<Vec<_>>());
    for contact in &some.contacts {
        for email in &contact.emails {
            prop_assert_eq!(shared(&whole.pull).contains(email.reveal().as_str()), parts.is_shared(email.reveal()));
        }
        let consents = |pull: &CrmPull| -> Vec<_> {
            pull.consents.iter().filter(|row| row.contact_id == contact.record_id).cloned().collect()
        };
        prop_assert_eq!(consents(&whole.pull), consents(&some));
    }
    // Of all others everything is as it was.
    for (now, then) in [(&whole, &before), (&before, &whole)] {
        for contact in now.pull.contacts.iter().filter(|c| !is(c) && !found.changed.contains(&tag(&c.record_id))) {
            let same = then.pull.contacts.iter().find(|c| c.record_id == contact.record_id);
            prop_assert!(same.is_some(), "{} came or went", contact.record_id);
            let of = |night: &Whole, contact| said(&night.pull, contact, &night.notes);
            prop_assert_eq!(of(now, contact), of(then, same.expect("there")));
        }
        for company in now.pull.accounts.iter().filter(|a| !concerned.company(&a.record_id)) {
            let same = then.pull.accounts.iter().find(|a| a.record_id == company.record_id);
            prop_assert!(same.is_some(), "{} came or went", company.record_id);
        }
    }
    let ids = |pull: &CrmPull| -> BTreeSet<String> {
        let all = pull.accounts.iter().map(|a| a.record_id.clone());
        all.filter(|id| concerned.company(id)).collect()
    };
    prop_assert_eq!(ids(&whole.pull), some.accounts.iter().map(|a| a.record_id.clone()).collect::<BTreeSet<_>>());
    letters_and_notes(&source, folder, (&before, &whole), (found, &some))
}

/// What nobody has is told each night, and what else is told names file and line as they are.
fn letters_and_notes(
    source: &CsvSource,
    folder: &Path,
    (before, whole): (&Whole, &Whole),
    (found, some): (Found, &CrmPull),
) -> Result<(), TestCaseError> {
    let worked: HashSet<String> = {
        let rows = some.contacts.iter().chain(&some.gone).map(|contact| contact.record_id.clone());
        rows.chain(some.merged.iter().flat_map(|(loser, into)| [loser.clone(), into.clone()])).collect()
    };
    let is_known = |id: &String| {
        let id = some.merged.get(id).unwrap_or(id);
        some.contacts.iter().chain(&some.gone).any(|c| c.record_id == *id)
    };
    for row in &some.consents {
        prop_assert_eq!(whole.knows(&row.contact_id), is_known(&row.contact_id), "{}", &row.contact_id);
    }
    let unknown = |pull: &CrmPull| pull.consents.iter().filter(|row| !whole.knows(&row.contact_id)).count();
    prop_assert_eq!(unknown(&whole.pull), unknown(some));
    let Found { concerned, changed, letters } = found;
    let concerned = Arc::new(concerned);
    let opened = NoteFiles::open(source, folder).expect("notes").only(Arc::clone(&concerned));
    let (read, of_notes) = notes(&opened);
    let some_companies: HashSet<&str> = some.accounts.iter().map(|a| a.record_id.as_str()).collect();
    for note in &read {
        let is_known = match (&note.contact_id, &note.account_record) {
            (Some(id), _) => is_known(id),
            (None, Some(id)) => some_companies.contains(whole.pull.merged_accounts.get(id).unwrap_or(id).as_str()),
            (None, None) => false,
        };
        prop_assert_eq!(whole.knows_owner(note), is_known, "{}", told(note));
    }
    let must = |note: &&CrmNote| {
        !whole.knows_owner(note) || concerned.row(note.contact_id.as_deref(), note.account_record.as_deref())
    };
    prop_assert_eq!(whole.notes.iter().filter(must).collect::<Vec<_>>(), read.iter().collect::<Vec<_>>());
    let tonight: Vec<_> = some.dead_letters.iter().cloned().chain(of_notes).collect();
    let carried = carried(&before.letters, (&changed, &letters), &worked, &tonight);
    prop_assert_eq!(counted(whole.letters.clone()), counted(tonight.into_iter().chain(carried)));
    Ok(())
}

#[test]
fn whoever_is_not_concerned_reads_as_before() {
    let config = ProptestConfig { source_file: Some(file!()), ..ProptestConfig::default() };
    let mut runner = TestRunner::new(config);
    runner.run(&nights(), |nights| check(&nights)).unwrap_or_else(|error| panic!("{error}"));
    let [all, others] = [0, 1].map(|at| SEEN[at].load(Ordering::Relaxed));
    assert!(others * 4 > all, "of {all} contacts {others} were not concerned: this shows little");
}
