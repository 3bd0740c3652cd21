//! Rows of a record in several files: which are older states of it, and which are duplicates.

use std::fs;

use crate::crm::{CrmPull, CsvSource, FileSet, pull};

/// Reads files of contacts and of companies, by name.
fn read(contacts: &[(&str, &str)], accounts: &[(&str, &str)], grows: bool) -> CrmPull {
    let folder = tempfile::tempdir().expect("a folder");
    for (table, files) in [("c", contacts), ("a", accounts)] {
        for (name, text) in files {
            fs::create_dir_all(folder.path().join(table)).expect("a folder");
            fs::write(folder.path().join(table).join(name), text).expect("written");
        }
    }
    let set = |path: &str| FileSet { path: path.into(), grows, ..FileSet::default() };
    let accounts = (!accounts.is_empty()).then(|| set("a"));
    pull(&CsvSource { contacts: set("c"), accounts, ..CsvSource::default() }, folder.path()).expect("headers")
}

/// Which records have letters of duplicates, and what these say.
fn told(pull: &CrmPull) -> Vec<(&str, &str, &str)> {
    let duplicates = pull.dead_letters.iter().filter(|letter| letter.reason == "duplicate");
    duplicates.map(|l| (l.table, l.record_id.as_deref().unwrap_or_default(), l.advice.as_str())).collect()
}

const FULL: &str = "contact id,last name,first name,email,job title,last modified\n\
    1,Arndt,Anna,anna@a.example,CEO,2025-01-01\n\
    2,Berg,Bo,bo@a.example,CFO,2025-01-01\n\
    3,Carl,Cai,cai@a.example,COO,\n";

#[test]
fn rows_that_a_later_file_says_are_gone_are_no_duplicates() {
    for grows in [true, false] {
        let gone = read(&[("01.csv", FULL), ("02.csv", "contact id,deleted\n1,yes\n3,yes\n")], &[], grows);
        assert_eq!((told(&gone), gone.gone.len(), gone.contacts.len()), (vec![], 2, 1));
        let merged = read(&[("01.csv", FULL), ("02.csv", "contact id,merged into\n1,2\n")], &[], grows);
        assert_eq!((told(&merged), merged.merged.len()), (vec![], 1));
        let accounts = [
            ("01.csv", "id,name,last modified\nX,Ex GmbH,2025-01-01\nY,Ypsilon AG,\nZ,Zett KG,2025-01-01\n"),
            ("02.csv", "id,merged into,deleted\nX,Y,\nZ,,yes\n"),
        ];
        let companies = read(&[("01.csv", FULL)], &accounts, grows);
        assert_eq!((told(&companies), companies.accounts.len()), (vec![], 1));
    }
}

#[test]
fn a_change_of_the_same_day_or_without_a_date_holds_and_is_no_duplicate_where_exports_grow() {
    let changes = "contact id,last name,job title,last modified\n1,Arndt,CTO,2025-01-01\n3,Carl,CIO,\n";
    let pull = read(&[("01.csv", FULL), ("02.csv", changes)], &[], true);
    let title = |at: usize| pull.contacts[at].job_title.as_ref().map(|title| title.reveal().as_str());
    assert_eq!((told(&pull), title(0), title(2)), (vec![], Some("CTO"), Some("CIO")));
    let all = read(&[("01.csv", FULL), ("02.csv", changes)], &[], false);
    assert_eq!(told(&all).len(), 2, "without `carry_over_days` files are told as before");
    // Two different rows in one file are one too many, as are those of two people under one id.
    let twice = FULL.to_owned() + "1,Arndt,Anna,anna@a.example,CTO,2025-01-01\n";
    let gone = read(&[("01.csv", &twice), ("02.csv", "contact id,deleted\n1,yes\n")], &[], true);
    assert_eq!(told(&gone).len(), 1);
    let others = "contact id,last name,first name,email\n3,Dorn,Dora,dora@a.example\n";
    let others = read(&[("01.csv", FULL), ("02.csv", others)], &[], true);
    assert!(told(&others)[0].2.starts_with("names somebody else"), "{:?}", told(&others));
    assert!(others.contacts[2].flags.incomplete);
}

#[test]
fn changes_are_read_in_the_order_of_numbers_in_their_names() {
    let change = |title: &str| format!("contact id,last name,job title\n3,Carl,{title}\n");
    let (ninth, tenth) = (change("ninth"), change("tenth"));
    let pull = read(&[("base.csv", FULL), ("changes-10.csv", &tenth), ("changes-9.csv", &ninth)], &[], true);
    let title = pull.contacts[2].job_title.as_ref().map(|title| title.reveal().as_str());
    assert_eq!((title, told(&pull)), (Some("tenth"), vec![]));
}

#[test]
fn what_keeps_a_record_gone_that_came_back_is_told() {
    let files = [
        ("01.csv", FULL),
        ("02.jsonl", "{\"id\": \"1\", \"deleted\": true}\n"),
        ("03.csv", "contact id,last name,last modified\n1,Arndt,2025-06-01\n"),
    ];
    let pull = read(&files, &[], true);
    assert_eq!((pull.gone.len(), told(&pull).len()), (1, 1));
    let says = "another row of this record (c/02.jsonl line 1) says that it is gone, and not since when, so no row is newer; \
        where the record is back, remove that row, or give it the date of the deletion or merge";
    assert_eq!(told(&pull)[0], ("contacts", "1", says));
    let files = [("01.csv", FULL), ("02.csv", "contact id,last name\n1,Arndt\n")];
    let says = "another row of this record (c/01.csv line 2) has a date of change, and this one has none; give it one, or merge the \
        records in the CRM";
    assert_eq!(told(&read(&files, &[], true))[0].2, says);
}

#[test]
fn dates_of_companies_in_the_future_are_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let accounts = "id,name,last modified,founded\nX,Ex GmbH,2025-01-01,2099\nX,Ix GmbH,2099-01-01,1999\nY,Ypsilon AG,2025-01-01,2025\n";
    fs::write(folder.path().join("a.csv"), accounts).expect("written");
    fs::write(folder.path().join("c.csv"), FULL).expect("written");
    let set = |path: &str| FileSet { path: path.into(), ..FileSet::default() };
    let now = Some("2025-12-31T00:00:00Z".parse().expect("an instant"));
    let accounts = Some(FileSet { now, ..set("a.csv") });
    let pull = pull(&CsvSource { contacts: set("c.csv"), accounts, ..CsvSource::default() }, folder.path());
    let pull = pull.expect("headers");
    let told: Vec<_> =
        pull.dead_letters.iter().map(|l| (l.reason, l.field.as_deref(), l.origin.line, l.row_dropped)).collect();
    let want = [
        ("duplicate", None, 2, true),
        ("future_date", Some("founded"), 2, false),
        ("future_date", Some("updated_at"), 3, false),
    ];
    assert_eq!(told, want);
    let founded: Vec<_> = pull.accounts.iter().map(|a| (a.name.as_str(), a.founded)).collect();
    assert_eq!(founded, [("Ix GmbH", Some(1999)), ("Ypsilon AG", Some(2025))]);
}
