//! Canaries: no name, address or handle of anybody leaves memory.
//!
//! Invariant: every file of a home is searched as it lies on disk (free pages and write-ahead logs included) and
//! every table as it decodes; the one table with words of people, `accounts`, is about companies.

use std::collections::BTreeSet;
use std::path::Path;

use prosopon::crm::{CsvSource, FileSet, pull};
use prosopon::extract::html::read_page;
use prosopon::sink::Table;
use url::Url;

use crate::harness::{arg, demo_args, files, finish_within, root, say, shared, start, temp};
use crate::runs::finished;
use crate::tables::{rows_as_json, snapshot};

/// What must not be found, in lower case.
struct Canaries {
    words: BTreeSet<String>,
}

fn demo_crm() -> prosopon::crm::CrmPull {
    let set = |name: &str| FileSet { path: format!("testdata/demo/crm/{name}"), ..FileSet::default() };
    let source = CsvSource {
        name: "demo-crm".into(),
        contacts: set("contacts*.csv"),
        accounts: Some(set("accounts.csv")),
        ..CsvSource::default()
    };
    pull(&source, root()).expect("the demo's CRM")
}

/// Names of all people on the demo's pages, contacts or strangers.
fn people_on_pages() -> BTreeSet<String> {
    let web = root().join("testdata/demo/web");
    let mut names = BTreeSet::new();
    for path in files(&web).into_iter().filter(|p| p.extension().is_some_and(|e| e == "html")) {
        let body = std::fs::read(&path).expect("a page");
        let url = Url::parse("https://muster.example/").expect("a URL");
        let page = read_page(&body, None, &url);
        names.extend(page.people.into_iter().map(|p| p.name));
        names.extend(page.organization.managing_directors);
    }
    names
}

impl Canaries {
    fn of_the_demo() -> Self {
        let crm = demo_crm();
        let companies: Vec<String> = crm
            .accounts
            .iter()
            .flat_map(|a| [Some(a.name.clone()), a.domain.clone()])
            .flatten()
            .map(|n| n.to_lowercase())
            .collect();
        let mut words = BTreeSet::new();
        for contact in &crm.contacts {
            let (given, family) =
                (contact.given_name.reveal().to_lowercase(), contact.family_name.reveal().to_lowercase());
            words.insert(format!("{given} {family}"));
            // Tischlerei Ahorn belongs to Gesine Ahorn: there the family name alone is the company's.
            if !family.is_empty() && !companies.iter().any(|c| c.contains(&family)) {
                words.insert(family);
            }
            words.extend(contact.emails.iter().map(|e| e.reveal().to_lowercase()));
            words.extend(contact.handles.iter().map(|(_, h)| h.reveal().to_lowercase()));
        }
        for name in people_on_pages() {
            let name = name.to_lowercase();
            let last = name.split_whitespace().last().unwrap_or_default().to_owned();
            if last.chars().count() > 3 && !companies.iter().any(|c| c.contains(&last)) {
                words.insert(last);
            }
            words.insert(name);
        }
        words.retain(|w| w.chars().filter(|c| c.is_alphanumeric()).count() > 3 && w.trim().len() == w.len());
        assert!(words.len() > 200, "only {} canaries", words.len());
        assert!(words.contains("quast") && words.contains("lkantfeld"), "{words:?}");
        Self { words }
    }

    /// Canaries in a text, as whole words.
    fn in_text(&self, text: &str) -> Vec<&str> {
        let text = text.to_lowercase();
        let is_word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        let found = |word: &&String| {
            text.match_indices(word.as_str()).any(|(at, _)| {
                !is_word(text[..at].chars().next_back()) && !is_word(text[at + word.len()..].chars().next())
            })
        };
        self.words.iter().filter(found).map(String::as_str).collect()
    }

    /// Canaries in bytes, read as UTF-8, as Latin-1 and as UTF-16.
    fn in_bytes(&self, bytes: &[u8]) -> Vec<&str> {
        let latin: String = bytes.iter().map(|b| char::from(*b)).collect();
        let wide: String = bytes.iter().filter(|b| **b != 0).map(|b| char::from(*b)).collect();
        let mut found = self.in_text(&String::from_utf8_lossy(bytes));
        found.extend(self.in_text(&latin));
        found.extend(self.in_text(&wide));
        found.sort_unstable();
        found.dedup();
        found
    }

    fn in_files(&self, home: &Path, leaks: &mut Vec<String>) {
        for path in files(home) {
            let found = self.in_bytes(&std::fs::read(&path).expect("a file"));
            if !found.is_empty() {
                leaks.push(format!("{}: {found:?}", path.strip_prefix(home).unwrap_or(&path).display()));
            }
        }
    }
}

#[test]
fn no_name_of_anybody_is_in_what_a_run_writes_or_says() {
    let canaries = Canaries::of_the_demo();
    let run = finished("verbose").expect(0);
    let (home, said) = (&run.home, &run.said);
    let mut leaks = Vec::new();
    for (what, text) in [("stdout", &said.out), ("stderr", &said.err)] {
        assert!(!text.is_empty());
        let found = canaries.in_text(text);
        if !found.is_empty() {
            leaks.push(format!("{what}: {found:?}"));
        }
    }
    canaries.in_files(home, &mut leaks);
    for table in Table::ALL {
        for row in rows_as_json(&snapshot(home), table) {
            for (column, value) in row.as_object().expect("an object") {
                let found = canaries.in_text(&value.to_string());
                if !found.is_empty() {
                    leaks.push(format!("{table}.{column}: {found:?} in {value}"));
                }
            }
        }
    }
    leaks.sort();
    leaks.dedup();
    assert!(leaks.is_empty(), "{}", leaks.join("\n"));
}

#[test]
fn no_name_of_anybody_is_in_what_a_killed_run_leaves() {
    let canaries = Canaries::of_the_demo();
    let dir = temp();
    let home = dir.path().join("home");
    let limit = std::time::Duration::from_secs(4);
    finish_within(start(demo_args(&home, &["--quiet"])), limit).expect_err("a run takes longer than that");
    let mut leaks = Vec::new();
    canaries.in_files(&home, &mut leaks);
    assert!(leaks.is_empty(), "{}", leaks.join("\n"));
}

#[test]
fn no_name_of_anybody_is_in_what_readers_and_errors_say() {
    let canaries = Canaries::of_the_demo();
    let home = arg(&shared().home);
    let mut leaks = Vec::new();
    for args in [
        ["persona", "K-2003"].as_slice(),
        &["persona", "K-2044"],
        &["account", "ACC-1001"],
        &["account", "ACC-1005"],
        &["explain", "K-2001", "job_function"],
        &["explain", "K-2044", "trait.tech_affinity"],
        &["inspect", "dead_letters", "--format", "csv"],
        &["status"],
    ] {
        let said = say([args, &["--out", home, "-vv"]].concat());
        let found = canaries.in_text(&format!("{}{}", said.out, said.err));
        if !found.is_empty() {
            leaks.push(format!("{args:?}: {found:?}"));
        }
    }
    assert!(leaks.is_empty(), "{}", leaks.join("\n"));
}

#[test]
fn nothing_of_a_special_category_is_left_of_a_bio_or_a_title() {
    let rows: Vec<String> = Table::ALL
        .into_iter()
        .flat_map(|t| rows_as_json(&snapshot(&shared().home), t))
        .map(|row| row.to_string().to_lowercase())
        .collect();
    for word in ["betriebsrat", "works council", "trade union", "gewerkschaft", "parish", "kirche"] {
        let found: Vec<&String> = rows.iter().filter(|r| r.contains(word)).collect();
        assert!(found.is_empty(), "{word}: {found:#?}");
    }
}

#[test]
fn documents_hold_no_address_of_a_page() {
    for row in rows_as_json(&snapshot(&shared().home), Table::Documents) {
        let host = row["host"].as_str().expect("a host");
        assert!(!host.contains('/') && host.ends_with(".example"), "{host}");
        let text = row.to_string();
        assert!(!text.contains("http:") && !text.contains("/users") && !text.contains("/team"), "{text}");
    }
}
