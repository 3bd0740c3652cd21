//! Rows of consent lists that mislead: most of them a reviewer with a lawyer's eyes thought of.

use std::collections::BTreeSet;

use super::super::fact::{Dated, Says};
use super::*;

/// What a file says of people, and when: the fields by which noes and yeses go on.
fn said(file: &str, text: &str) -> String {
    let export = parse(file, text.as_bytes()).expect("a list");
    let read = Read::of(Dialect::List, &export.records);
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
    Read::of(Dialect::List, &export.records).facts(&|_| false, now, &mut problems);
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
        assert_eq!((export.records.len(), export.problems.len()), (records, problems), "{text}");
    }
}
