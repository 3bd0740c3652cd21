//! Contacts that are worked on in parts are told apart, refused and left out as all at once.
//!
//! Invariant: both ways start from the same exports and homes with the same key, so whatever differs is a mistake.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use prosopon::ids::{DEMO_KEY, Ids};
use prosopon::sink::{self, Select};
use serde_json::Value;

use crate::harness::{arg, say, temp};

/// A world without companies, so that contacts of one company lie in any part.
fn world(folder: &Path) {
    say(["demo-data", "--contacts", "150", "--seed", "7", "--to", arg(folder)]).expect(0);
    let path = folder.join("pipeline.yaml");
    let text = fs::read_to_string(&path).expect("a pipeline");
    let without = text.replace("    accounts: { path: accounts.csv }\n", "");
    assert_ne!(text, without);
    fs::write(path, without).expect("written");
}

fn edit(folder: &Path, file: &str, change: impl FnOnce(Vec<String>) -> Vec<String>) {
    let path = folder.join(file);
    let lines = fs::read_to_string(&path).expect("an export").lines().map(str::to_owned).collect();
    fs::write(path, change(lines).join("\n") + "\n").expect("written");
}

/// The same row under another record and address.
fn again(row: &str, n: usize, email: &str) -> String {
    let mut cells: Vec<&str> = row.split(',').collect();
    let id = format!("K-9{n:07}");
    (cells[0], cells[4]) = (&id, email);
    cells.join(",")
}

struct Night {
    counts: Value,
    /// What was decided of whom, sorted.
    decisions: Vec<String>,
    letters: Vec<String>,
    personas: Vec<u8>,
}

fn night(world: &Path, home: &Path, at_once: &str) -> Night {
    let pipeline = world.join("pipeline.yaml");
    let run = ["run", arg(&pipeline), "--out", arg(home), "--at-once", at_once, "--json"];
    // With so many dead letters a run that went well ends with 1.
    let summary = say(run).expect(1).json();
    let snapshot = sink::current(home, "synthetic").expect("current").expect("a snapshot");
    let decisions = sink::read_decisions(&snapshot, &Select::All).expect("decisions");
    let told = |d: &prosopon::model::DecisionRow| {
        format!("{:?} {:?} {} {} {:?}", d.target, d.operation, d.source_id, d.purpose, d.reasons)
    };
    let mut decisions: Vec<String> = decisions.iter().map(told).collect();
    decisions.sort();
    let shown = say(["inspect", "dead_letters", "--out", arg(home), "--format", "jsonl"]).expect(0);
    let mut letters: Vec<String> = shown.out.lines().map(str::to_owned).collect();
    letters.sort();
    let personas = fs::read(snapshot.folder().join("personas/part-0.parquet")).expect("personas");
    Night { counts: summary["counts"].clone(), decisions, letters, personas }
}

/// The night of each home, which must be one.
fn nights(world: &Path, homes: &[PathBuf; 2]) -> Night {
    let [whole, parts] = [night(world, &homes[0], "1000000"), night(world, &homes[1], "10")];
    assert_eq!(whole.letters, parts.letters);
    assert_eq!(whole.decisions, parts.decisions);
    assert_eq!(whole.counts, parts.counts);
    assert!(whole.personas == parts.personas, "personas are not byte-equal");
    whole
}

fn by_reason(night: &Night) -> BTreeMap<String, usize> {
    let mut by: BTreeMap<String, usize> = BTreeMap::new();
    for letter in &night.letters {
        let letter: Value = serde_json::from_str(letter).expect("JSON");
        *by.entry(letter["reason"].as_str().expect("a reason").to_owned()).or_default() += 1;
    }
    by
}

#[test]
fn namesakes_shared_addresses_and_the_erased_are_told_across_parts() {
    let temp = temp();
    let (folder, homes) = (temp.path().join("world"), ["whole", "parts"].map(|name| temp.path().join(name)));
    world(&folder);
    edit(&folder, "contacts.csv", |mut lines| {
        // Eight namesakes at their companies, and four others with an address that somebody has.
        let mut rows: Vec<String> = lines.iter().filter(|line| line.starts_with("K-")).cloned().collect();
        rows.dedup_by_key(|row| row.split(',').next().unwrap_or_default().to_owned());
        lines.extend((0..8).map(|n| again(&rows[n], n, &format!("other-{n}@elsewhere.example"))));
        for (n, row) in rows.iter().enumerate().skip(20).take(4) {
            let email = row.split(',').nth(4).expect("an address").to_owned();
            lines.push(again(&row.replacen(',', ",F-999", 1), n, &email));
        }
        lines
    });
    edit(&folder, "consents.csv", |mut lines| {
        // Of nobody, and one event of two people.
        let rest = lines[1].splitn(3, ',').nth(2).expect("a row").to_owned();
        lines.extend((0..20).map(|n| format!("N-{n},K-7{n:07},{rest}")));
        lines.extend([format!("E-1,K-00000033,{rest}"), format!("E-1,K-00000034,{rest}")]);
        lines
    });
    let first = nights(&folder, &homes);
    let told = by_reason(&first);
    assert_eq!(told["ambiguous_person"], 2 * 8 + 2 * 4, "{told:?}");
    assert_eq!(told["consent_for_unknown_contact"], 20, "{told:?}");
    assert!(!told.contains_key("contradicting_rows"), "one id for two people is no contradiction: {told:?}");
    assert!(first.decisions.iter().any(|d| d.contains("SubjectAmbiguous")), "nobody was refused");

    // Who was erased shares an address with nobody any more, and no letter tells of them.
    for home in &homes {
        say(["subject", "erase", "K-00000050", "--yes", "--out", arg(home)]).expect(0);
    }
    edit(&folder, "contacts.csv", |mut lines| {
        let at = lines.iter().position(|line| line.starts_with("K-00000050,")).expect("a row");
        let mut cells: Vec<&str> = lines[at].split(',').collect();
        cells[4] = "info@shared.example";
        lines[at] = cells.join(",");
        let other = again(&lines[61], 99, "info@shared.example").replacen(',', ",F-888", 1);
        lines.push(other);
        lines
    });
    let second = nights(&folder, &homes);
    assert_eq!(second.counts["suppressed"], 1);
    let other = Ids::new(DEMO_KEY).subject("synthetic-crm", "K-90000099");
    let hints = |letter: &String| letter.contains(other.as_str()) && letter.contains("ambiguous_person");
    assert!(!second.letters.iter().any(hints), "a letter tells that somebody has the same address");
    assert!(second.decisions.iter().any(|d| d.contains(other.as_str())), "and was decided about");
    for home in &homes {
        say(["audit", "verify", "--out", arg(home)]).expect(0);
    }
}
