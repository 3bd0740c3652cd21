//! A no in cells of contacts that nobody reads for one, and in notes.
//!
//! Invariant: whoever it is of is not published, neither where rows are carried over nor where everybody is worked on; the letter says why
//! and how to go on, and nothing of what was written.

use std::fs;
use std::path::Path;

use prosopon::sink::{self, Select};

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

fn published(home: &Path) -> Vec<String> {
    let pipeline = fs::read_dir(home).expect("a home").filter_map(Result::ok);
    let pipeline = pipeline.map(|entry| entry.path()).find(|path| path.join("current").exists()).expect("a snapshot");
    let name = pipeline.file_name().expect("a name").to_string_lossy().into_owned();
    let snapshot = sink::current(home, &name).expect("readable").expect("published");
    sink::read_personas(&snapshot, &Select::All).expect("personas").into_iter().map(|p| p.crm_record).collect()
}

#[test]
fn a_no_in_any_cell_of_a_contact_or_in_a_note_keeps_the_person_out() {
    let temp = temp();
    let (folder, homes) = (temp.path().join("world"), ["some", "all"].map(|name| temp.path().join(name)));
    world(&folder, "80");
    let contacts = rows(&folder, "contacts");
    // The first night has the columns, and nothing in them.
    let header = fs::read_to_string(folder.join("contacts/0.csv"))
        .expect("an export")
        .lines()
        .next()
        .expect("a line")
        .to_owned();
    let columns = format!("{header},{}", COLUMNS.join(","));
    let empty: Vec<String> = contacts.iter().map(|row| row.join(",") + ",,,,,").collect();
    fs::write(folder.join("contacts/0.csv"), format!("{columns}\n{}\n", empty.join("\n"))).expect("written");
    nights(&folder, &homes);
    let before = published(&homes[0]);
    assert!(before.len() > 10, "{}", before.len());

    let told = |record: &String| contacts.iter().find(|row| row[0] == *record).expect("a row of the export");
    let added: Vec<String> = CELLS
        .iter()
        .zip(&before)
        .map(|((column, cell), record)| {
            let more = COLUMNS.map(|own| if own == *column { *cell } else { "" }).join(",");
            format!("{},{more}", changed(told(record), &[]))
        })
        .collect();
    fs::write(folder.join("contacts/1.csv"), format!("{columns}\n{}\n", added.join("\n"))).expect("written");
    let noted = &before[CELLS.len()];
    let notes = format!(
        "note id,contact id,date,text\nN-X1,{noted},2026-01-05,Kunde hat der Nutzung seiner Daten widersprochen\n"
    );
    fs::write(folder.join("notes/1.csv"), notes).expect("written");
    let [some, _] = nights(&folder, &homes);
    assert!(n(&some, "carried_over") > 0, "most are as they were");
    for home in &homes {
        let now = published(home);
        for (at, (column, _)) in CELLS.iter().enumerate() {
            let is_business = at == CELLS.len() - 1;
            assert_eq!(now.contains(&before[at]), is_business, "{column} of {}", home.display());
        }
        assert!(!now.contains(noted), "of whom a note says no");
        assert!(before[CELLS.len() + 1..].iter().all(|record| now.contains(record)), "all others stay");
    }
    let letters = say(["inspect", "dead_letters", "--out", arg(&homes[0]), "--format", "jsonl"]).expect(0).out;
    for tells in [
        "field Bemerkung: says no",
        "field Tags: says no",
        "field Newsletter: may say no",
        "`ignored`",
        "field notes: a note",
    ] {
        assert!(letters.contains(tells), "{tells}: {letters}");
    }
    assert!(!letters.contains("widersprochen") && !letters.contains("Werbesperre"), "{letters}");
}
