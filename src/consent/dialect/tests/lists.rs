//! Rows of consent lists that mislead: most of them a reviewer with a lawyer's eyes thought of.

use std::collections::BTreeSet;

use super::super::fact::{Dated, Says};
use super::*;

/// What a file says of people, and when: the fields by which noes and yeses go on.
fn said(file: &str, text: &str) -> String {
    let export = parse(file, text.as_bytes()).expect("a list");
    let read = Read::of(Dialect::List, &mut Lists::default(), &export.records);
    let now = "2026-03-02T03:00:00Z".parse().expect("a time");
    let mut said = BTreeSet::new();
    for fact in read.facts(&|_| false, now, &mut Vec::new()) {
        let at = match &fact.says {
            Says::No { at, .. } => *at,
            Says::Yes { dates, .. } => dates.at,
            Says::Nothing => continue,
        };
        let who = fact.who.iter().map(|key| if *key == Key::email(A) { String::new() } else { format!(" of {key:?}") });
        let day = if let Dated::At(at) = at { format!(" {}", &at.to_string()[..10]) } else { String::new() };
        said.insert(format!("{}{day}{}", fact.field, who.collect::<String>()));
    }
    said.into_iter().collect::<Vec<_>>().join(" ")
}

const A: &str = "anna@werk.example";

#[test]
fn lists_say_what_they_mean_and_nothing_of_others() {
    let cases = include_str!("../../../../testdata/consent_list/cases.tsv");
    let mut wrong = Vec::new();
    let mut n = 0;
    for case in cases.lines().filter(|line| !line.starts_with('#')) {
        let [file, header, row, want] = case.split('\t').collect::<Vec<_>>().try_into().expect("four columns");
        let got = said(file, &format!("{header}\n{row}\n").replace("@A", A));
        if got != want {
            wrong.push(format!("{file} {header} | {row}: {got:?}, not {want:?}"));
        }
        n += 1;
    }
    assert!(n >= 50 && wrong.is_empty(), "of {n}:\n{}", wrong.join("\n"));
}

#[test]
fn what_stands_around_a_list_within_json_is_not_lost() {
    for (text, want) in [
        (r#"[{"email":"@A","unsubscribed":true,"consents":[{"purpose":"x","status":"granted"}]}]"#, "answer objects"),
        (r#"{"email":"@A","unsubscribed":true,"items":[{"sku":1}]}"#, "objects"),
        (r#"{"email":"@A","consents":[{"purpose":"Newsletter","status":"withdrawn"}]}"#, "objects"),
        (r#"{"unsubscribed":["@A"]}"#, "objects"),
        (r#"{"email":"@A","prefs":[[{"unsubscribed":true}]]}"#, "objects"),
        (r#"{"members":[{"email":"@A","status":"unsubscribed"}],"total":1}"#, "objects"),
        (r#"{"account":{"email":"chef@werk.example","contacts":[{"email":"@A","unsubscribed":true}]}}"#, "objects"),
    ] {
        assert_eq!(said("x.json", &text.replace("@A", A)), want, "{text}");
    }
}

#[test]
fn a_list_that_says_nothing_is_told() {
    let export = parse("x.csv", b"E-Mail;Firma\nanna@werk.example;Werk\n").expect("a list");
    let mut problems = Vec::new();
    let now = "2026-03-02T03:00:00Z".parse().expect("a time");
    let read = Read::of(Dialect::List, &mut Lists::default(), &export.records);
    read.facts(&|_| false, now, &mut problems);
    problems.extend(read.silent);
    assert_eq!(problems.iter().map(|p| p.reason).collect::<Vec<_>>(), ["unknown_record"]);
}

#[test]
fn the_header_and_what_is_below_the_rows_are_found() {
    for (text, records, problems) in [
        ("E-Mail;Status;Text\na@b.example;abgemeldet;a|b|c|d|e|f\n", 1, 0),
        ("E-Mail;Status\na@b.example;abgemeldet\nb@b.example;a;b;c;d\n", 1, 1),
        ("Liste, Stand 2026, geprüft, ja\n\nNr;E-Mail;Status\n1;a@b.example;abgemeldet\n", 1, 0),
        ("Nr;E-Mail;Status\n1;a@b.example;abgemeldet\nGeprüft\n", 1, 0),
        ("Nr;E-Mail;Status\n1;a@b.example;abgemeldet\n\"2;b@b.example;abgemeldet\"\n", 1, 1),
    ] {
        let export = parse("x.csv", text.as_bytes()).expect("a list");
        let told = export.problems.iter().filter(|problem| problem.reason != whose::BELOW).count();
        assert_eq!((export.records.len(), told), (records, problems), "{text}");
    }
}

#[test]
fn further_columns_of_a_crm_say_no_of_its_record_alone() {
    let said = |dialect: Dialect, text: &str| -> BTreeSet<String> {
        let export = parse("x.json", text.as_bytes()).expect("records");
        let now = "2026-03-02T03:00:00Z".parse().expect("a time");
        let read = Read::of(dialect, &mut lists_of(dialect), &export.records);
        let facts = read.facts(&|_| false, now, &mut Vec::new());
        let noes = facts.iter().filter(|fact| matches!(fact.says, Says::No { .. }));
        let who = |key: &Key| if let Key::Record(id) = key { id.reveal().clone() } else { "an address".to_owned() };
        noes.flat_map(|fact| fact.who.iter().map(move |key| format!("{} {}", fact.field, who(key)))).collect()
    };
    let dynamics = r#"{"contactid":"K-1","_parentcontactid_value":"K-3","donotemail":false,"new_werbesperre":true}"#;
    assert_eq!(said(Dialect::Dynamics, dynamics), ["objects K-1".to_owned()].into());
    let salesforce = r#"{"attributes":{"type":"Contact"},"Id":"K-1","ReportsTo":{"Id":"K-3","Email":"chef@werk.example"},
        "Assistant_Email__c":"a@werk.example","Erasure_Requested__c":true,"Withdrawn_Quote__c":true,"Credit_Suppressed__c":true}"#;
    assert_eq!(said(Dialect::Salesforce, salesforce), ["erases K-1".to_owned()].into());
    let hubspot = r#"{"id":"501","properties":{"email":"a@werk.example","stop_valve":"true","hs_email_optimal_send_day_of_week":"MONDAY"}}"#;
    assert_eq!(said(Dialect::Hubspot, hubspot), BTreeSet::new());
}

#[test]
fn an_id_of_many_digits_is_who_is_meant() {
    for id in ["0035g00000QW011AAD", "3f2504e0-4f89-11d3-9a0c-0305e82c3301", "123456789012", "K-1"] {
        let told = said("list.csv", &format!("Kontakt-ID;Werbesperre\n{id};ja\n"));
        assert_eq!(told, format!("objects of {:?}", Key::record(id)), "{id}");
    }
}

#[test]
fn lists_that_are_read_some_rows_at_a_time_say_the_same() {
    for (dialect, folder) in cases().into_iter().filter(|(dialect, _)| *dialect == Dialect::List) {
        let loaded = load(dialect, &folder);
        let whole = loaded.outcome();
        for at_once in [1, 2, 3, 4096] {
            let mut records = Records::some_at_once(at_once);
            let mut files: Vec<PathBuf> =
                fs::read_dir(&folder).expect("a folder").map(|file| file.expect("a file").path()).collect();
            files.sort();
            for file in files {
                let name = file.file_name().expect("a name").to_string_lossy().into_owned();
                if !["case.json", "expected.json", "mapping.yaml"].contains(&&*name) {
                    records.add(dialect, &name, &fs::read(&file).expect("a file")).expect("a list");
                }
            }
            assert_eq!(records.len(), loaded.records.len(), "{}", folder.display());
            assert_eq!(loaded.run_all(&records, &loaded.mapping), whole, "{} {at_once}", folder.display());
        }
    }
}

#[test]
fn a_list_without_a_header_is_refused_and_a_header_with_such_words_is_none() {
    for (text, refused) in [
        ("K-00000001;abgemeldet\nK-00000002;abgemeldet\n", true),
        ("10009;withdraw\n", true),
        ("E-Mail;abgemeldet\na@werk.example;ja\n", false),
        ("email2;opt-out\na@werk.example;ja\n", false),
    ] {
        let read = super::super::parse("list.csv", text.as_bytes());
        assert_eq!(read.is_err(), refused, "{text}");
    }
}
