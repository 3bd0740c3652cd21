//! The title reader against its labelled titles.
//!
//! Invariant: the tables under `testdata/title/` are the specification; an empty table fails.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use super::{TitleReader, TitleReading};
use crate::taxonomy::{Facet, FacetStatus};

/// The rows of a table, header dropped.
fn table(name: &str) -> Vec<Vec<String>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/title").join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let rows: Vec<_> = text.lines().skip(1).map(|l| l.split('\t').map(str::to_owned).collect()).collect();
    assert!(rows.len() > 20, "{name} holds too few rows");
    rows
}

fn shown<T: std::fmt::Display>(f: &Facet<T>) -> String {
    f.value.as_ref().map_or_else(|| format!("-{}", f.status), ToString::to_string)
}

/// What a row of a table says about a reading; empty where all is right.
fn differences(row: &[String], r: &TitleReading) -> String {
    let power = r.signing_power.map_or_else(|| "-".to_owned(), |p| p.to_string());
    let got = [shown(&r.job_function), shown(&r.seniority), power];
    let mut out = String::new();
    for (expected, got) in row[1..].iter().zip(&got) {
        if expected != "*" && expected != got {
            write!(out, "  expected {expected}, got {got};").expect("a string");
        }
    }
    out
}

#[test]
fn every_tricky_title_is_read_right() {
    let mut misses = String::new();
    for row in table("tricky.tsv") {
        let d = differences(&row, &TitleReader::shipped().read(&row[0]));
        if !d.is_empty() {
            writeln!(misses, "{}: {d}", row[0]).expect("a string");
        }
    }
    assert!(misses.is_empty(), "\n{misses}");
}

/// Accuracy, macro-F1 and coverage of one column.
#[derive(Debug)]
struct Score {
    accuracy: f64,
    macro_f1: f64,
    coverage: f64,
}

fn score(pairs: &[(String, String)]) -> Score {
    let mut classes: BTreeMap<&str, [f64; 3]> = BTreeMap::new();
    for (expected, got) in pairs {
        if expected == got {
            classes.entry(expected).or_default()[0] += 1.0;
        } else {
            classes.entry(expected).or_default()[2] += 1.0;
            if !got.starts_with('-') {
                classes.entry(got).or_default()[1] += 1.0;
            }
        }
    }
    let f1 = |[tp, fp, fnn]: &[f64; 3]| 2.0 * tp / (2.0 * tp + fp + fnn).max(1.0);
    let n = pairs.len() as f64;
    Score {
        accuracy: pairs.iter().filter(|(a, b)| a == b).count() as f64 / n,
        macro_f1: classes.values().map(f1).sum::<f64>() / classes.len() as f64,
        coverage: pairs.iter().filter(|(_, b)| !b.starts_with('-')).count() as f64 / n,
    }
}

fn check_split(name: &str, floor: f64) {
    let (mut functions, mut levels) = (Vec::new(), Vec::new());
    for row in table(name) {
        let r = TitleReader::shipped().read(&row[0]);
        let d = differences(&row, &r);
        if !d.is_empty() {
            println!("{name}: {}: {d}", row[0]);
        }
        functions.push((row[1].clone(), shown(&r.job_function)));
        levels.push((row[2].clone(), shown(&r.seniority)));
    }
    let (f, s) = (score(&functions), score(&levels));
    println!("{name}: function {f:.3?}, seniority {s:.3?}");
    assert!(f.accuracy >= floor && f.macro_f1 >= floor - 0.03, "{name}: function {f:?}");
    assert!(s.accuracy >= floor && s.macro_f1 >= floor - 0.03, "{name}: seniority {s:?}");
}

#[test]
fn labelled_titles_reach_the_floor() {
    check_split("train.tsv", 0.95);
    check_split("test.tsv", 0.93);
}

#[test]
fn abstention_has_no_probability_and_special_titles_leave_nothing() {
    let r = TitleReader::shipped().read("Mitglied des Betriebsrats, Leiterin Einkauf");
    assert!(r.special_category && r.evidence.is_empty() && r.quote.is_empty());
    assert_eq!(r.job_function, Facet::abstain(FacetStatus::NotApplicable));
    let r = TitleReader::shipped().read("");
    assert_eq!(r.seniority.p, None);
}
