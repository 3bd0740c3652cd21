//! Worlds are what they claim to be.

use std::collections::BTreeMap;
use std::path::Path;

use super::{DataError, Size, write};
use crate::crm::{CrmPull, CsvSource, FileSet, pull};
use crate::extract::title::TitleReader;

const FILES: [&str; 7] =
    ["accounts.csv", "contacts.csv", "consents.csv", "notes.csv", "truth.csv", "policy.yaml", "pipeline.yaml"];

fn world(contacts: u64, seed: u64) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path(), Size { contacts, seed, notes: 3 }).expect("written");
    folder
}

fn pulled(folder: &Path) -> CrmPull {
    let set = |path: &str| FileSet { path: path.into(), ..FileSet::default() };
    let source = CsvSource {
        name: "synthetic-crm".into(),
        contacts: set("contacts.csv"),
        accounts: Some(set("accounts.csv")),
        consents: Some(set("consents.csv")),
        ..CsvSource::default()
    };
    pull(&source, folder).expect("readable")
}

fn text(folder: &Path, file: &str) -> String {
    std::fs::read_to_string(folder.join(file)).expect("a file")
}

fn truth(folder: &Path) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_path(folder.join("truth.csv")).expect("a file");
    reader.deserialize().collect::<Result<_, _>>().expect("rows")
}

#[test]
fn exports_are_read_whole_and_told_right() {
    let folder = tempfile::tempdir().expect("a folder");
    let size = Size { contacts: 1200, seed: 3, notes: 3 };
    let written = write(folder.path(), size).expect("written");
    let pull = pulled(folder.path());
    assert_eq!(pull.contacts.len() as u64, size.contacts);
    assert_eq!(pull.accounts.len() as u64, written.accounts);
    assert_eq!(pull.consents.len() as u64, written.consents);
    assert_eq!(pull.dead_letters.len() as u64, written.dead_letters);
    assert!(written.dead_letters >= 4, "{written:?}");
    let notes = csv::Reader::from_path(folder.path().join("notes.csv")).expect("a file").into_records().count();
    assert_eq!(notes as u64, written.notes);
    // The mean of so many draws is near 3.
    assert!((2.7..3.3).contains(&(written.notes as f64 / size.contacts as f64)), "{written:?}");
    let truth = truth(folder.path());
    assert_eq!(truth.len() as u64, size.contacts);
    assert_eq!(truth.iter().filter(|t| t["persona"] == "yes").count() as u64, written.personas);
    let stated = truth.iter().filter(|t| !t["stated"].is_empty()).count();
    assert!(stated * 4 > truth.len(), "notes say something of {stated} of {}", truth.len());
    let hosts = pull.contacts.iter().flat_map(|c| &c.emails).map(|e| e.reveal().ends_with(".example"));
    assert!(
        hosts
            .chain(pull.accounts.iter().map(|a| a.domain.as_deref().is_some_and(|d| d.ends_with(".example"))))
            .all(|e| e)
    );
}

#[test]
fn equal_seeds_give_equal_worlds_and_a_small_one_begins_a_large_one() {
    let (one, two, large, other) = (world(200, 5), world(200, 5), world(2000, 5), world(200, 6));
    for file in FILES {
        assert_eq!(text(one.path(), file), text(two.path(), file), "{file}");
    }
    for file in ["contacts.csv", "consents.csv", "notes.csv", "truth.csv", "accounts.csv"] {
        assert!(text(large.path(), file).starts_with(&text(one.path(), file)), "{file}");
        assert_ne!(text(one.path(), file), text(other.path(), file), "{file}");
    }
}

#[test]
fn a_folder_with_something_in_it_is_left_alone() {
    let folder = world(5, 1);
    let before = text(folder.path(), "contacts.csv");
    let error = write(folder.path(), Size { contacts: 9, seed: 2, notes: 0 }).expect_err("not empty");
    assert!(matches!(error, DataError::NotEmpty(_)), "{error}");
    assert_eq!(text(folder.path(), "contacts.csv"), before);
}

/// The truth is our own word, and the reader's another's: they must agree on what is plain.
#[test]
fn titles_are_what_the_truth_says() {
    let reader = TitleReader::shipped();
    let wrong: Vec<String> = super::world::WORLD
        .titles
        .iter()
        .flat_map(|t| {
            t.de.iter()
                .map(|w| (w, t.seniority))
                .chain(t.en.iter().map(|w| (w, t.s_en.unwrap_or(t.seniority))))
                .map(|(words, seniority)| (words, t.function, seniority))
        })
        .filter_map(|(words, function, seniority)| {
            let read = reader.read(words);
            let same = read.job_function.value == Some(function) && read.seniority.value == Some(seniority);
            (!same).then(|| format!("{words}: {:?} {:?}", read.job_function.value, read.seniority.value))
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}
