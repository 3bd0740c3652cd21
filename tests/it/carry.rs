//! A night of changes gives the tables of a night in which everybody is worked on.
//!
//! Invariant: both homes have one key, one past and one clock that stands still, so whatever differs but permits is a
//! mistake. Where time goes by, rows that are carried over are as old as the night in which they were made.

use std::fs;
use std::path::{Path, PathBuf};

use prosopon::ids::{DEMO_KEY, Ids};
use prosopon::sink::{self, Table};
use serde_json::Value;

use crate::harness::{arg, finish, say, start, temp};

/// What lies in a folder each, to which exports are added.
const TABLES: [&str; 4] = ["contacts", "accounts", "consents", "notes"];

pub fn world(folder: &Path, contacts: &str) {
    say(["demo-data", "--contacts", contacts, "--seed", "5", "--to", arg(folder)]).expect(0);
    let mut pipeline = fs::read_to_string(folder.join("pipeline.yaml")).expect("a pipeline");
    for table in TABLES {
        let whole = folder.join(format!("{table}.csv"));
        fs::create_dir(folder.join(table)).expect("a folder");
        fs::rename(whole, folder.join(table).join("0.csv")).expect("moved");
        pipeline =
            pipeline.replace(&format!("{table}: {{ path: {table}.csv }}"), &format!("{table}: {{ path: {table} }}"));
    }
    pipeline = pipeline.replace("  keep_snapshots: 2\n", "  keep_snapshots: 2\n  carry_over_days: 7\n");
    fs::write(folder.join("pipeline.yaml"), pipeline).expect("written");
}

/// The rows of the first export of a table, without the header.
pub fn rows(folder: &Path, table: &str) -> Vec<Vec<String>> {
    let text = fs::read_to_string(folder.join(table).join("0.csv")).expect("an export");
    text.lines().skip(1).map(|line| line.split(',').map(str::to_owned).collect()).collect()
}

/// Adds an export of a table.
pub fn add(folder: &Path, table: &str, name: &str, rows: &[String]) {
    let first = fs::read_to_string(folder.join(table).join("0.csv")).expect("an export");
    let header = first.lines().next().expect("a header");
    fs::write(folder.join(table).join(name), format!("{header}\n{}\n", rows.join("\n"))).expect("written");
}

/// A row with other cells.
pub fn changed(row: &[String], cells: &[(usize, &str)]) -> String {
    let mut row = row.to_vec();
    for (at, cell) in cells {
        (*cell).clone_into(&mut row[*at]);
    }
    row.join(",")
}

/// Runs both homes, the first of which may carry rows over; tells the counts of both, which have the same tables.
pub fn nights(folder: &Path, homes: &[PathBuf; 2]) -> [Value; 2] {
    let pipeline = folder.join("pipeline.yaml");
    let counts = [&["--at-once", "40"][..], &["--full"]].map(|also| {
        let home = if also.len() == 1 { &homes[1] } else { &homes[0] };
        let line = ["run", arg(&pipeline), "--out", arg(home), "--json"].into_iter().chain(also.iter().copied());
        say(line.collect::<Vec<_>>()).expect(0).json()["counts"].clone()
    });
    for table in Table::ALL.into_iter().filter(|table| *table != Table::Runs) {
        let [some, all] = [&homes[0], &homes[1]].map(|home| told(home, table));
        assert_eq!(some.len(), all.len(), "rows of {table}");
        for (some, all) in some.iter().zip(&all) {
            assert!(some == all, "{table}: {}", differences(some, all));
        }
    }
    for home in homes {
        say(["audit", "verify", "--out", arg(home)]).expect(0);
    }
    counts
}

/// The fields in which two rows differ.
fn differences(some: &str, all: &str) -> String {
    let [some, all] = [some, all].map(|row| serde_json::from_str::<serde_json::Map<String, Value>>(row).expect("JSON"));
    let differ = some.iter().filter(|(name, value)| all.get(*name) != Some(value));
    let told: Vec<String> = differ.map(|(name, value)| format!("{name}: {value} is {}", all[name])).collect();
    told.join("\n")
}

/// All rows of a table: in their order, where it has one. Permits differ, as each is of its own night.
fn told(home: &Path, table: Table) -> Vec<String> {
    let limit = ["--limit", "100000"];
    let line = ["inspect", table.as_str(), "--out", arg(home), "--format", "jsonl"].into_iter().chain(limit);
    let shown = say(line.collect::<Vec<_>>()).expect(0);
    let without_permit = |line: &str| {
        let mut row: serde_json::Map<String, Value> = serde_json::from_str(line).expect("JSON");
        for id in ["permit_id", "decision_id"] {
            row.remove(id);
        }
        Value::Object(row).to_string()
    };
    let mut rows: Vec<String> = shown.out.lines().map(without_permit).collect();
    if matches!(table, Table::Decisions | Table::DeadLetters) {
        rows.sort();
    }
    rows
}

pub fn n(counts: &Value, what: &str) -> u64 {
    counts[what].as_u64().unwrap_or_else(|| panic!("{what} of {counts}"))
}

#[test]
fn a_night_of_changes_gives_what_a_whole_night_gives() {
    let temp = temp();
    let (folder, homes) = (temp.path().join("world"), ["some", "all"].map(|name| temp.path().join(name)));
    world(&folder, "300");
    let [first, _] = nights(&folder, &homes);
    assert_eq!(n(&first, "carried_over"), 0, "there was nothing to carry over");
    let people = n(&first, "subjects");

    // Nothing is new: nobody is worked on.
    let [idle, whole] = nights(&folder, &homes);
    assert_eq!((n(&idle, "carried_over"), n(&whole, "carried_over")), (people, 0));
    for what in ["subjects", "accounts", "personas", "evidence", "permits", "refusals", "dead_letters", "known"] {
        assert_eq!(idle[what], whole[what], "{what}");
    }

    let contacts = rows(&folder, "contacts");
    add(
        &folder,
        "contacts",
        "1.csv",
        &[
            changed(&contacts[3], &[(5, "Einkaufsleiter"), (9, "2026-02-20")]),
            // To another company, and to one that is not exported.
            changed(&contacts[40], &[(1, "F-0000030"), (9, "2026-02-20")]),
            changed(&contacts[41], &[(1, "F-9999999"), (9, "2026-02-20")]),
            // Somebody new who has the address of somebody at another company, and somebody who gave one up.
            changed(&contacts[5], &[(0, "K-00900001"), (1, "F-0000020"), (4, &contacts[60][4]), (9, "2026-02-20")]),
            changed(&contacts[80], &[(4, "new@elsewhere.example"), (9, "2026-02-20")]),
            // A no, and a row that is none.
            changed(&contacts[100], &[(8, "yes"), (9, "2026-02-20")]),
            "K-00000120,F-0000020".to_owned(),
        ],
    );
    let consents = rows(&folder, "consents");
    let of = |id: &str| consents.iter().find(|row| row[1] == id && row[2] == "grant").expect("a consent");
    let withdrawn = changed(of("K-00000150"), &[(0, "E-w"), (2, "withdraw"), (8, "2026-02-20T08:00:00Z")]);
    let unknown = changed(of("K-00000150"), &[(0, "E-u"), (1, "K-77777777")]);
    add(&folder, "consents", "1.csv", &[withdrawn, unknown]);
    let notes = rows(&folder, "notes");
    let note = |id: &str, contact: &str, company: &str| {
        changed(&notes[0][..6], &[(0, id), (1, contact), (2, company)])
            + ",\"Er entscheidet allein über das Budget. Das Angebot ist zu teuer.\""
    };
    let both = [note("N-a", "K-00000170", "F-0000028"), note("N-b", "", "F-0000040"), note("N-c", "K-77777777", "")];
    add(&folder, "notes", "1.csv", &both);
    let accounts = rows(&folder, "accounts");
    add(&folder, "accounts", "1.csv", &[changed(&accounts[45], &[(4, "Chemie"), (5, "20.11")])]);
    let [some, whole] = nights(&folder, &homes);
    let carried = n(&some, "carried_over");
    assert!(carried > people / 2 && carried < people - 60, "{carried} of {people}");
    for what in ["subjects", "accounts", "personas", "evidence", "permits", "refusals", "dead_letters", "known"] {
        assert_eq!(some[what], whole[what], "{what}");
    }

    // Those of whom nobody knew come, and somebody takes over the address of another.
    let of_unknown = [(0, "K-77777777"), (1, "F-0000020"), (4, "k77@elsewhere.example"), (9, "2026-02-21")];
    let given_up = [(4, "given-up@elsewhere.example"), (9, "2026-02-21")];
    let taken_over = [(0, "K-95000001"), (1, "F-0000010"), (9, "2026-02-21")];
    let came = [
        changed(&contacts[7], &of_unknown),
        changed(&contacts[220], &given_up),
        changed(&contacts[220], &[&taken_over[..], &[(4, &contacts[220][4])]].concat()),
    ];
    add(&folder, "contacts", "2.csv", &came);
    let [id, person] = [&contacts[220][0], "K-95000001"];
    let also = [changed(of(id), &[(0, "E-t"), (1, person), (8, "2026-02-21T08:00:00Z")])];
    add(&folder, "consents", "2.csv", &also);
    let [some, _] = nights(&folder, &homes);
    assert!(n(&some, "carried_over") > people / 2, "{some}");

    // What people say elsewhere is heard: an objection, an erasure.
    for home in &homes {
        say(["subject", "object", "K-00000210", "--out", arg(home)]).expect(0);
    }
    let [some, _] = nights(&folder, &homes);
    assert!(n(&some, "carried_over") > people - 60, "{some}");
    for home in &homes {
        // Under the address of one record, and of the other.
        say(["subject", "erase", id, "--yes", "--out", arg(home)]).expect(0);
    }
    for after in [0, people - 60] {
        let [some, whole] = nights(&folder, &homes);
        assert!(n(&some, "carried_over") >= after, "{some}");
        assert!(after > 0 || n(&some, "carried_over") == 0, "what was kept of the rows went with the erasure");
        assert_eq!(n(&some, "suppressed"), 2, "both records are the person's");
        for what in ["subjects", "suppressed", "personas", "permits", "refusals"] {
            assert_eq!(some[what], whole[what], "{what}");
        }
    }
    let objected = Ids::new(DEMO_KEY).subject("synthetic-crm", "K-00000210");
    let snapshot = sink::current(&homes[0], "synthetic").expect("current").expect("a snapshot");
    assert!(sink::read_personas(&snapshot, &sink::Select::Subject(objected)).expect("personas").is_empty());
}

#[test]
fn whoever_says_no_in_mid_run_is_not_carried_over() {
    let temp = temp();
    let (folder, home) = (temp.path().join("world"), temp.path().join("home"));
    world(&folder, "1200");
    let pipeline = folder.join("pipeline.yaml");
    let line = ["run", arg(&pipeline), "--out", arg(&home), "--quiet"];
    say(line).expect(0);
    // Most are worked on again, so that there is time to say no.
    let contacts = rows(&folder, "contacts");
    let personas = || {
        let snapshot = sink::current(&home, "synthetic").expect("current").expect("a snapshot");
        sink::read_personas(&snapshot, &sink::Select::All).expect("personas")
    };
    let ids = Ids::new(DEMO_KEY);
    let subject = |row: &Vec<String>| ids.subject("synthetic-crm", &row[0]);
    let before = personas();
    let has_persona = |row: &&Vec<String>| before.iter().any(|p| p.subject_id == subject(row));
    let person = contacts.iter().rfind(has_persona).expect("somebody has a persona");
    let others = contacts.iter().filter(|row| row[1] != person[1]);
    add(&folder, "contacts", "1.csv", &others.map(|row| changed(row, &[(9, "2026-02-20")])).collect::<Vec<_>>());

    let child = start(line);
    // The ledger was read before the tables are begun.
    let begun = || fs::read_dir(home.join(".work")).into_iter().flatten().flatten();
    while !begun().any(|entry| entry.file_name().to_string_lossy().starts_with("snapshot=")) {
        std::thread::yield_now();
    }
    let objection = say(["subject", "object", &person[0], "--json", "--out", arg(&home)]).expect(0).json();
    finish(child).expect(0);
    assert_eq!(objection["waits_for_run"], true, "the run was over too early: {objection}");
    let after = personas();
    assert!(after.iter().all(|p| p.subject_id != subject(person)), "a no was not heard");
    assert!(after.len() + 20 > before.len(), "of {} personas {} are left", before.len(), after.len());
    let snapshot = sink::current(&home, "synthetic").expect("current").expect("a snapshot");
    let decisions = sink::read_decisions(&snapshot, &sink::Select::Subject(subject(person))).expect("decisions");
    assert!(decisions.iter().any(|d| d.primary_reason.is_some()), "no decision says why: {decisions:?}");
    say(["audit", "verify", "--out", arg(&home)]).expect(0);
}

#[test]
fn what_ends_and_what_begins_is_noticed() {
    let temp = temp();
    let (folder, home) = (temp.path().join("world"), temp.path().join("home"));
    world(&folder, "60");
    // Two people with one consent each.
    let mut consents = rows(&folder, "consents");
    let single = |rows: &[Vec<String>], row: &[String]| {
        row[2] == "grant" && rows.iter().filter(|other| other[1] == row[1]).count() == 1
    };
    let ids: Vec<String> =
        consents.iter().filter(|row| single(&consents, row)).map(|row| row[1].clone()).take(2).collect();
    for row in &mut consents {
        if row[1] == ids[0] {
            row[7] = "2026-03-05".to_owned();
        } else if row[1] == ids[1] {
            row[6] = "2026-03-05".to_owned();
        }
    }
    add(&folder, "consents", "0.csv", &consents.iter().map(|row| row.join(",")).collect::<Vec<_>>());
    let pipeline = folder.join("pipeline.yaml");
    let night = |also: &[&str]| -> Value {
        let line = ["run", arg(&pipeline), "--out", arg(&home), "--json"].into_iter().chain(also.iter().copied());
        say(line.collect::<Vec<_>>()).expect(0).json()["counts"].clone()
    };
    let have = || {
        let snapshot = sink::current(&home, "synthetic").expect("current").expect("a snapshot");
        let personas = sink::read_personas(&snapshot, &sink::Select::All).expect("personas");
        ids.iter().map(|id| personas.iter().any(|p| p.crm_record == *id)).collect::<Vec<_>>()
    };
    night(&[]);
    assert_eq!(have(), [true, false]);
    let later = night(&["--as-of", "2026-03-06"]);
    assert!(n(&later, "carried_over") > 0);
    assert_eq!(have(), [false, true], "one consent has ended, one has begun");
    assert_eq!(n(&night(&["--as-of", "2026-03-04"]), "carried_over"), 0, "back in time");
    assert_eq!(n(&night(&["--as-of", "2026-03-14"]), "carried_over"), 0, "after a week it is time for everybody");

    // A snapshot that is not what was announced is carried on by nobody.
    let other = temp.path().join("other");
    say(["run", arg(&pipeline), "--out", arg(&other), "--limit", "20"]).expect(0);
    let table = |home: &Path| {
        let snapshot = sink::current(home, "synthetic").expect("current").expect("a snapshot");
        snapshot.path(Table::Accounts).join("part-0.parquet")
    };
    assert!(n(&night(&["--as-of", "2026-03-14"]), "carried_over") > 0);
    fs::copy(table(&other), table(&home)).expect("another table");
    assert_eq!(n(&night(&["--as-of", "2026-03-14"]), "carried_over"), 0, "another table is in its place");
    let manifest =
        sink::current(&home, "synthetic").expect("current").expect("a snapshot").folder().join("manifest.json");
    let text = fs::read_to_string(&manifest).expect("a manifest");
    fs::write(&manifest, text.replace("\"purpose\"", "\"purpose_\"")).expect("written");
    let night = say(["run", arg(&pipeline), "--out", arg(&home), "--as-of", "2026-03-14"]).expect(0);
    assert!(night.err.contains("the log has not announced the last snapshot as it is"), "{}", night.err);
}
