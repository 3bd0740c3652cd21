//! A no in cells of contacts that nobody reads for one, and in notes.
//!
//! Invariant: whoever it is of is not published, neither where rows are carried over nor where everybody is worked on; the letter says why
//! and how to go on, and nothing of what was written.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use prosopon::model::About;
use prosopon::sink::{self, Select, Snapshot};

use crate::carry::{changed, n, nights, rows, world};
use crate::harness::{arg, say, temp};

const COLUMNS: [&str; 5] = ["Bemerkung", "Tags", "Newsletter", "Custom 7", "Last name suffix"];
const CELLS: [(&str, &str); 6] = [
    ("Bemerkung", "hat der Datenverarbeitung widersprochen"),
    ("Tags", "VIP;Werbesperre"),
    ("Newsletter", "nein danke"),
    ("Custom 7", "do not contact"),
    ("Last name suffix", "(Auskunftssperre)"),
    ("Bemerkung", "hat dem Angebot widersprochen"),
];

/// Those who plainly say no; one only may.
const PLAIN: [usize; 4] = [0, 1, 3, 4];

fn current(home: &Path) -> Snapshot {
    let pipeline = fs::read_dir(home).expect("a home").filter_map(Result::ok);
    let pipeline = pipeline.map(|entry| entry.path()).find(|path| path.join("current").exists()).expect("a snapshot");
    let name = pipeline.file_name().expect("a name").to_string_lossy().into_owned();
    sink::current(home, &name).expect("readable").expect("published")
}

fn held(snapshot: &Snapshot) -> Vec<String> {
    sink::read_personas(snapshot, &Select::All).expect("personas").into_iter().map(|p| p.crm_record).collect()
}

/// Who is published and has a profile.
fn profiled(snapshot: &Snapshot) -> Vec<String> {
    let evidence = sink::read_evidence(snapshot, &Select::All).expect("evidence").into_iter();
    let about: HashSet<_> = evidence
        .filter(|signal| signal.claim.is_profile())
        .filter_map(|signal| match signal.about {
            About::Subject(subject, _) => Some(subject),
            About::Account(_) => None,
        })
        .collect();
    let personas = sink::read_personas(snapshot, &Select::All).expect("personas").into_iter();
    personas.filter(|p| about.contains(&p.subject_id)).map(|p| p.crm_record).collect()
}

fn published(home: &Path) -> Vec<String> {
    held(&current(home))
}

/// Whom the second night is about.
struct People {
    /// Who was published in the first night: those with a cell of their own, two of whom a note says no, all others.
    before: Vec<String>,
    /// One of those who have agreed to a profile wants none any more...
    unprofiled: String,
    /// ... and another one does.
    still: String,
}

impl People {
    fn of(home: &Path) -> Self {
        let before = published(home);
        assert!(before.len() > 10, "{}", before.len());
        let with_profile = profiled(&current(home)).into_iter();
        let mut others = with_profile.filter(|record| !before[..CELLS.len() + 2].contains(record));
        let (unprofiled, still) = (others.next().expect("a profile"), others.next().expect("another one"));
        Self { before, unprofiled, still }
    }

    fn noted(&self) -> &[String] {
        &self.before[CELLS.len()..CELLS.len() + 2]
    }

    /// Adds their noes to the exports.
    fn say_no(&self, folder: &Path, contacts: &[Vec<String>], columns: &str) {
        let told = |record: &String| contacts.iter().find(|row| row[0] == *record).expect("a row of the export");
        let cells = CELLS.iter().zip(&self.before).map(|((column, cell), record)| {
            let more = COLUMNS.map(|own| if own == *column { *cell } else { "" }).join(",");
            format!("{},{more}", changed(told(record), &[]))
        });
        let mut added: Vec<String> = cells.collect();
        added.push(format!("{},keine Profilbildung,,,,", changed(told(&self.unprofiled), &[])));
        fs::write(folder.join("contacts/1.csv"), format!("{columns}\n{}\n", added.join("\n"))).expect("written");
        // A note may name several contacts.
        let (noted, text) = (self.noted().join(";"), "Kunde hat der Nutzung seiner Daten widersprochen");
        let notes = format!("note id,contact id,date,text\nN-X1,{noted},2026-01-05,{text}\n");
        fs::write(folder.join("notes/1.csv"), notes).expect("written");
    }

    fn check_second_night(&self, home: &Path) {
        let (now, with_profile) = (published(home), profiled(&current(home)));
        for (at, (column, _)) in CELLS.iter().enumerate() {
            let is_business = at == CELLS.len() - 1;
            assert_eq!(now.contains(&self.before[at]), is_business, "{column} of {}", home.display());
        }
        assert!(self.noted().iter().all(|record| !now.contains(record)), "of whom a note says no");
        assert!(self.before[CELLS.len() + 2..].iter().all(|record| now.contains(record)), "all others stay");
        assert!(now.contains(&self.unprofiled), "a no to profiles is no more than that");
        assert!(!with_profile.contains(&self.unprofiled), "and no less");
        assert!(with_profile.contains(&self.still));
        // Older snapshots have nobody any more who plainly said no, and no profile of whom did not want one.
        let older = sink::all_snapshots(home).expect("readable");
        assert_eq!(older.len(), 2);
        for snapshot in older {
            let there = held(&snapshot);
            assert!(PLAIN.iter().all(|at| !there.contains(&self.before[*at])), "{}", home.display());
            assert!(!profiled(&snapshot).contains(&self.unprofiled), "{}", home.display());
        }
    }

    /// None of it is in the exports any more: what was plainly said stands, and who may have said it is back.
    fn check_third_night(&self, home: &Path) {
        let now = published(home);
        for (at, (column, _)) in CELLS.iter().enumerate() {
            assert_eq!(now.contains(&self.before[at]), !PLAIN.contains(&at), "{column} of {}", home.display());
        }
        assert!(self.noted().iter().all(|record| now.contains(record)), "the note is gone");
        assert!(now.contains(&self.unprofiled) && !profiled(&current(home)).contains(&self.unprofiled));
    }
}

#[test]
fn a_no_in_any_cell_of_a_contact_or_in_a_note_keeps_the_person_out() {
    let temp = temp();
    let (folder, homes) = (temp.path().join("world"), ["some", "all"].map(|name| temp.path().join(name)));
    world(&folder, "80");
    let contacts = rows(&folder, "contacts");
    // The first night has the columns, and nothing in them.
    let first = fs::read_to_string(folder.join("contacts/0.csv")).expect("an export");
    let columns = format!("{},{}", first.lines().next().expect("a line"), COLUMNS.join(","));
    let empty: Vec<String> = contacts.iter().map(|row| row.join(",") + ",,,,,").collect();
    fs::write(folder.join("contacts/0.csv"), format!("{columns}\n{}\n", empty.join("\n"))).expect("written");
    nights(&folder, &homes);
    let people = People::of(&homes[0]);

    people.say_no(&folder, &contacts, &columns);
    let [some, _] = nights(&folder, &homes);
    assert!(n(&some, "carried_over") > 0, "most are as they were");
    for home in &homes {
        people.check_second_night(home);
    }
    let letters = say(["inspect", "dead_letters", "--out", arg(&homes[0]), "--format", "jsonl"]).expect(0).out;
    for tells in [
        "field Bemerkung: says no",
        "field Tags: says no",
        "field Newsletter: may say no",
        "`ignored`",
        "field notes: 1.csv line 2 is a note",
    ] {
        assert!(letters.contains(tells), "{tells}: {letters}");
    }
    assert!(!letters.contains("widersprochen") && !letters.contains("Werbesperre"), "{letters}");

    fs::remove_file(folder.join("contacts/1.csv")).expect("removed");
    fs::remove_file(folder.join("notes/1.csv")).expect("removed");
    nights(&folder, &homes);
    for home in &homes {
        people.check_third_night(home);
    }
}
