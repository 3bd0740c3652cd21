//! A night of changes where the CRM writes its full export over the last one: told by the rows, not by the files.
//!
//! Invariant: as in `carry`: both homes have one key, one past and one clock that stands still, and the same tables.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::carry::{n, nights, world};
use crate::harness::{arg, say, temp};

/// The lines of a table's export, without the header.
fn lines(folder: &Path, table: &str) -> Vec<String> {
    let text = fs::read_to_string(the_file(folder, table)).expect("an export");
    text.lines().skip(1).map(str::to_owned).collect()
}

fn the_file(folder: &Path, table: &str) -> PathBuf {
    let all = fs::read_dir(folder.join(table)).expect("a folder").map(|file| file.expect("a file").path());
    let [file] = <[PathBuf; 1]>::try_from(all.collect::<Vec<_>>()).expect("one file");
    file
}

/// Puts an export in the place of the last one.
fn put(folder: &Path, table: &str, name: &str, lines: &[String]) {
    let last = the_file(folder, table);
    let text = fs::read_to_string(&last).expect("an export");
    let header = text.lines().next().expect("a header");
    let text = format!("{header}\n{}\n", lines.join("\n"));
    fs::remove_file(last).expect("removed");
    fs::write(folder.join(table).join(name), text).expect("written");
}

/// A line with other cells; none of the first has a comma in it.
fn with(line: &str, cells: &[(usize, &str)]) -> String {
    let mut all: Vec<&str> = line.split(',').collect();
    for (at, cell) in cells {
        all[*at] = cell;
    }
    all.join(",")
}

/// The line of a record.
fn of<'l>(lines: &'l mut [String], start: &str) -> &'l mut String {
    lines.iter_mut().find(|line| line.starts_with(start)).unwrap_or_else(|| panic!("no {start}"))
}

/// A CRM as messy as they are: everything of which a dead letter names file and line.
fn messy_world(folder: &Path) {
    world(folder, "300");
    let pipeline = folder.join("pipeline.yaml");
    let text = fs::read_to_string(&pipeline).expect("a pipeline");
    fs::write(&pipeline, text.replace("dead_letter_share: 0.02", "dead_letter_share: 0.9")).expect("written");
    let file = the_file(folder, "contacts");
    let text = fs::read_to_string(&file).expect("an export");
    let wider: Vec<String> = text
        .lines()
        .enumerate()
        .map(|(at, line)| line.to_owned() + [",merged into,deleted,note", ",,,x"][at.min(1)])
        .collect();
    fs::write(&file, wider.join("\n") + "\n").expect("written");
    let mut contacts = lines(folder, "contacts");
    let again = contacts[30].clone();
    contacts.splice(
        10..10,
        [
            ",F-0000001,No,Body,,,,,no,2025-01-01,,,x".to_owned(),
            "K-00000120,F-0000020".to_owned(),
            again,
            with(&contacts[200], &[(0, "K-80000001"), (4, "c1@circle.example"), (10, "K-80000002")]),
            with(&contacts[201], &[(0, "K-80000002"), (4, "c2@circle.example"), (10, "K-80000001")]),
            with(&contacts[202], &[(0, "K-80000003"), (4, "c3@merged.example"), (10, "K-00000202")]),
            with(&contacts[203], &[(0, "K-80000004"), (4, "c4@gone.example"), (11, "yes")]),
            with(&contacts[204], &[(0, "K-80000005"), (4, "c5@new.example"), (9, "soon")]),
            with(&contacts[205], &[(0, "K-80000006"), (4, "no address"), (1, "F-9999999"), (9, "2031-01-01")]),
        ],
    );
    put(folder, "contacts", "0.csv", &contacts);
    let mut accounts = lines(folder, "accounts");
    let again = accounts[20].clone();
    accounts.splice(5..5, [again, "F-0000801,,,,,,,,,,".to_owned(), ",Nobody GmbH,,,,,,,,,".to_owned()]);
    put(folder, "accounts", "0.csv", &accounts);
    let mut consents = lines(folder, "consents");
    let again = consents[40].clone();
    consents.splice(
        3..3,
        [
            again,
            with(&consents[41], &[(0, "E-u"), (1, "K-77777777")]),
            with(&consents[42], &[(2, "perhaps"), (0, "E-x")]),
            with(&consents[43], &[(3, "something")]),
            with(&consents[44], &[(0, "E-m"), (1, "K-80000003")]),
            with(&consents[45], &[(0, "E-f"), (1, "K-77777778"), (8, "2031-01-01")]),
        ],
    );
    put(folder, "consents", "0.csv", &consents);
    let mut notes = lines(folder, "notes");
    let note = |id: &str, contact: &str, company: &str, at: &str, text: &str| {
        format!("{id},{contact},{company},note,{at},de,\"{text}\"")
    };
    notes.splice(
        20..20,
        [
            note("N-u", "K-77777777", "", "2025-01-02", "Er entscheidet allein."),
            note("N-c", "", "F-9999999", "2025-01-02", "Sie suchen einen Lieferanten."),
            "ragged,K-00000050".to_owned(),
            "ragged".to_owned(),
            note("N-f", "", "F-0000003", "2040-01-02", "Sie suchen einen Lieferanten."),
            note("N-d", "", "F-0000004", "2025-01-02", "Sie suchen einen Lieferanten."),
            note("N-d", "", "F-0000004", "2025-01-03", "Sie suchen einen Spediteur."),
            note("N-e", "", "F-0000005", "2025-01-02", ""),
            note(
                "N-s",
                "",
                "F-0000006",
                "2025-01-02",
                "Der Betriebsrat ist dagegen, er ist Mitglied der Gewerkschaft.",
            ),
            note("N-t", "K-00000060", "", "2025-01-02", "Er ist schwerbehindert und Mitglied der Gewerkschaft."),
            note("N-m", "K-80000003", "", "2025-01-02", "Er entscheidet allein über das Budget."),
        ],
    );
    put(folder, "notes", "0.csv", &notes);
}

/// What a night of changes tells of the whole must be what a whole night tells.
fn alike(some: &Value, whole: &Value) {
    for what in ["subjects", "accounts", "personas", "evidence", "permits", "refusals", "dead_letters", "known"] {
        assert_eq!(some[what], whole[what], "{what}");
    }
}

#[test]
fn full_exports_may_replace_each_other() {
    let temp = temp();
    let (folder, homes) = (temp.path().join("world"), ["some", "all"].map(|name| temp.path().join(name)));
    messy_world(&folder);
    let [first, _] = nights(&folder, &homes);
    assert_eq!(n(&first, "carried_over"), 0, "there was nothing to carry over");
    let people = n(&first, "subjects");

    // The same rows in another file: nobody has changed, but lines were told of some.
    for table in ["contacts", "accounts", "consents", "notes"] {
        let name = if table == "notes" { "0.csv" } else { "1.csv" };
        let lines: Vec<String> = lines(&folder, table);
        put(&folder, table, name, &lines);
    }
    let [same, whole] = nights(&folder, &homes);
    assert!(n(&same, "carried_over") > people * 2 / 3, "{same}");
    alike(&same, &whole);
    let [idle, whole] = nights(&folder, &homes);
    assert!(n(&idle, "carried_over") + 20 > people, "nothing is new: {idle}");
    alike(&idle, &whole);

    let mut contacts = lines(&folder, "contacts");
    *of(&mut contacts, "K-00000004,") =
        with(of(&mut contacts, "K-00000004,"), &[(5, "Einkaufsleiter"), (9, "2026-02-20")]);
    *of(&mut contacts, "K-00000041,") = with(of(&mut contacts, "K-00000041,"), &[(1, "F-0000030"), (9, "2026-02-20")]);
    // A column that nobody reads.
    *of(&mut contacts, "K-00000250,") = with(of(&mut contacts, "K-00000250,"), &[(12, "y")]);
    contacts.retain(|line| !line.starts_with("K-00000081,"));
    // At the top, so that no line stands where it stood; with the address of somebody at another company.
    let address = contacts[150].split(',').nth(4).expect("an address").to_owned();
    contacts.insert(0, with(&contacts[70], &[(0, "K-90000001"), (1, "F-0000020"), (4, &address), (9, "2026-02-20")]));
    put(&folder, "contacts", "2.csv", &contacts);
    let mut consents = lines(&folder, "consents");
    consents.retain(|line| !line.contains(",K-00000110,"));
    put(&folder, "consents", "2.csv", &consents);
    let mut notes = lines(&folder, "notes");
    let at = notes.iter().position(|line| line.contains(",K-00000130,")).expect("a note");
    notes[at] = notes[at].replace("Frau", "Herr") + " ";
    notes.retain(|line| !line.contains("Spediteur") && !line.starts_with("N-s,"));
    put(&folder, "notes", "0.csv", &notes);
    let mut accounts = lines(&folder, "accounts");
    *of(&mut accounts, "F-0000046,") = with(of(&mut accounts, "F-0000046,"), &[(4, "Chemie"), (5, "20.11")]);
    put(&folder, "accounts", "0.csv", &accounts);
    let [some, whole] = nights(&folder, &homes);
    let carried = n(&some, "carried_over");
    assert!(carried > people / 3 && carried < people - 20, "{carried} of {people}");
    alike(&some, &whole);

    // A company goes, somebody unknown comes, the circle is mended, somebody is back; only lines move elsewhere.
    accounts.retain(|line| !line.starts_with("F-0000012,"));
    put(&folder, "accounts", "0.csv", &accounts);
    *of(&mut contacts, "K-80000002,") = with(of(&mut contacts, "K-80000002,"), &[(10, "")]);
    contacts.push(with(&contacts[71], &[(0, "K-77777777"), (4, "k77@elsewhere.example"), (9, "2026-02-21")]));
    contacts.push(with(&contacts[72], &[(0, "K-00000081"), (4, "k81@elsewhere.example"), (9, "2026-02-21")]));
    put(&folder, "contacts", "2.csv", &contacts);
    notes.remove(1);
    put(&folder, "notes", "1.csv", &notes);
    let [some, whole] = nights(&folder, &homes);
    assert!(n(&some, "carried_over") > people / 3, "{some}");
    alike(&some, &whole);

    // After an erasure everybody is worked on once; then all is as before.
    for home in &homes {
        say(["subject", "erase", "K-00000141", "--yes", "--out", arg(home)]).expect(0);
        say(["subject", "object", "K-00000210", "--out", arg(home)]).expect(0);
    }
    let [some, whole] = nights(&folder, &homes);
    assert_eq!(n(&some, "carried_over"), 0, "what was kept of the rows went with the erasure");
    alike(&some, &whole);
    contacts.remove(15);
    put(&folder, "contacts", "3.csv", &contacts);
    let [some, whole] = nights(&folder, &homes);
    assert!(n(&some, "carried_over") > people / 3, "{some}");
    alike(&some, &whole);
}

/// What is kept of rows in a home.
fn kept(home: &Path) -> Vec<PathBuf> {
    let all = fs::read_dir(home.join("synthetic")).expect("a pipeline").map(|file| file.expect("a file").path());
    all.filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("rows="))).collect()
}

#[test]
fn what_is_kept_of_rows_is_gone_after_an_erasure_and_nothing_else_is_taken_for_it() {
    let temp = temp();
    let (folder, home) = (temp.path().join("world"), temp.path().join("home"));
    world(&folder, "60");
    let pipeline = folder.join("pipeline.yaml");
    let night = |also: &[&str]| {
        let line = ["run", arg(&pipeline), "--out", arg(&home), "--json"].into_iter().chain(also.iter().copied());
        let said = say(line.collect::<Vec<_>>()).expect(0);
        (n(&said.json()["counts"], "carried_over"), said.err)
    };
    night(&[]);
    assert!(night(&[]).0 > 0);
    let file = |home: &Path| <[PathBuf; 1]>::try_from(kept(home)).expect("one file, that of the current snapshot");
    let [path] = file(&home);
    assert_eq!(fs::metadata(&path).expect("a file").permissions().mode() & 0o777, 0o600);
    let bytes = fs::read(&path).expect("what was kept");
    for text in ["K-0000", "F-0000", "example", "Birgit"] {
        assert!(!bytes.windows(text.len()).any(|at| at == text.as_bytes()), "{text}");
    }

    let mut other = bytes.clone();
    *other.last_mut().expect("a byte") ^= 1;
    fs::write(&path, other).expect("written");
    let (carried, told) = night(&[]);
    assert_eq!(carried, 0);
    assert!(told.contains("everybody is worked on: what was kept of the last run's rows is not as"), "{told}");
    assert!(night(&[]).0 > 0);
    let [path] = file(&home);
    fs::remove_file(path).expect("removed");
    let (carried, told) = night(&[]);
    assert_eq!(carried, 0);
    assert!(told.contains("everybody is worked on: what was kept of the last run's rows is gone"), "{told}");

    let answer = temp.path().join("answer");
    say(["subject", "access", "K-00000010", "--out", arg(&home), "--to", arg(&answer)]).expect(0);
    let bundle = fs::read_to_string(answer.join("access.json")).expect("a bundle");
    let bundle: Value = serde_json::from_str(&bundle).expect("JSON");
    assert_eq!(bundle["row_hashes"], serde_json::json!(["synthetic"]));
    assert!(fs::read_to_string(answer.join("access.html")).expect("a page").contains("Prüfsummen"));

    say(["subject", "object", "K-00000012", "--out", arg(&home)]).expect(0);
    assert_eq!(kept(&home).len(), 1, "an objection is news of the ledger");
    say(["subject", "erase", "K-00000010", "--yes", "--out", arg(&home)]).expect(0);
    assert!(kept(&home).is_empty(), "an erasure left what was kept of rows");
    let (carried, told) = night(&[]);
    assert_eq!(carried, 0);
    assert!(told.contains("is gone, after an erasure or a sweep"), "{told}");
    let [path] = file(&home);
    // The CRM exports the person still.
    let receipts = fs::read_dir(home.join("receipts")).expect("receipts").map(|file| file.expect("a file").path());
    for receipt in receipts {
        say(["subject", "erase", "--verify", arg(&receipt), "--out", arg(&home)]).expect(0);
    }
    assert!(night(&[]).0 > 0);
    assert!(!path.exists(), "that of an older snapshot stayed");
    night(&["--limit", "20"]);
    assert!(kept(&home).is_empty(), "that of an older snapshot stayed");
}
