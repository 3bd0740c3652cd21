//! How much is read on pages of an author who has not seen the reader, and how much of it is right.
//!
//! Invariant: of the held-out half only figures are printed; the misses of the other half are printed with `SHOW`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use unicode_normalization::UnicodeNormalization;
use url::Url;

use super::{PageReading, read_page};

#[derive(Deserialize)]
struct Case {
    page: String,
    contacts: Vec<Contact>,
    titles: BTreeMap<String, Option<String>>,
}

#[derive(Deserialize)]
struct Contact {
    id: String,
    name: String,
}

#[derive(Default)]
struct Figures {
    due: u32,
    said: u32,
    right: u32,
    false_titles: u32,
    departments_due: u32,
    departments_right: u32,
    misses: Vec<String>,
}

impl Figures {
    fn precision(&self) -> f64 {
        f64::from(self.right) / f64::from((self.said + self.false_titles).max(1))
    }

    fn coverage(&self) -> f64 {
        f64::from(self.right) / f64::from(self.due.max(1))
    }
}

/// Words in lower case, without accents.
fn words(text: &str) -> Vec<String> {
    let text = text.replace('\u{AD}', "").to_lowercase().replace('ß', "ss");
    let plain: String = text.nfkd().filter(|c| !unicode_normalization::char::is_combining_mark(*c)).collect();
    plain.split(|c: char| !c.is_ascii_alphanumeric()).filter(|w| !w.is_empty()).map(str::to_owned).collect()
}

fn same_person(contact: &str, read: &str) -> bool {
    let (a, b) = (words(contact), words(read));
    let (Some(first), Some(last)) = (a.first(), a.last()) else { return false };
    a.iter().all(|w| b.contains(w))
        || (b.len() > 1 && b.last() == Some(last) && b[0].as_bytes().first() == first.as_bytes().first())
}

/// A word without the ending of gender, number and case.
fn stem(word: &str) -> &str {
    if word == "managing" || word.len() <= 4 {
        return word;
    }
    ["innen", "in", "en", "er", "e", "n", "s", "r"].iter().find_map(|e| word.strip_suffix(e)).unwrap_or(word)
}

/// Whether three fifths of the words expected are there.
fn matches(expected: &str, read: &str) -> bool {
    let read = words(read);
    let has = |w: &String| read.iter().any(|r| stem(r) == stem(w));
    expected.split(" / ").any(|part| {
        let due = words(part);
        !due.is_empty() && due.iter().filter(|w| has(w)).count() * 5 >= due.len() * 3
    })
}

fn count(case: &Case, contact: &Contact, reading: &PageReading, figures: &mut Figures) {
    let expected = case.titles.get(&contact.id).and_then(Option::as_deref);
    let mentions = || reading.people.iter().filter(|p| same_person(&contact.name, &p.name));
    let mut titles: Vec<&str> = mentions().filter_map(|p| p.job_title.as_deref()).collect();
    if reading.organization.managing_directors.iter().any(|d| same_person(&contact.name, d)) {
        titles.push("Geschäftsführer Managing Directors Vorstand");
    }
    let right = match expected {
        None => {
            figures.false_titles += u32::from(!titles.is_empty());
            titles.is_empty()
        }
        Some(expected) if expected.starts_with("dept: ") => {
            let departments = mentions().filter_map(|p| p.department.as_deref());
            let right = departments.chain(titles.iter().copied()).any(|d| matches(&expected["dept: ".len()..], d));
            figures.departments_due += 1;
            figures.departments_right += u32::from(right);
            right
        }
        Some(expected) => {
            let right = titles.iter().any(|t| matches(expected, t));
            figures.due += 1;
            figures.said += u32::from(!titles.is_empty());
            figures.right += u32::from(right);
            right
        }
    };
    if !right {
        figures.misses.push(format!("{} {}: {expected:?}, read {titles:?}", case.page, contact.name));
    }
}

/// The figures of a folder with `expected.yaml`; `None` where it is not there.
fn measure(name: &str) -> Option<Figures> {
    let folder: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/html").join(name);
    let expected = std::fs::read_to_string(folder.join("expected.yaml")).ok()?;
    let cases: Vec<Case> = serde_saphyr::from_str(&expected).expect("cases in the known shape");
    let url = Url::parse("https://x.example/team").expect("valid");
    let mut figures = Figures::default();
    for case in &cases {
        let html = std::fs::read(folder.join(&case.page)).expect("a readable page");
        let reading = read_page(&html, None, &url);
        case.contacts.iter().for_each(|c| count(case, c, &reading, &mut figures));
    }
    println!(
        "{name}: coverage {:.3} of {}, precision {:.3}, departments {} of {}",
        figures.coverage(),
        figures.due,
        figures.precision(),
        figures.departments_right,
        figures.departments_due
    );
    Some(figures)
}

#[test]
fn titles_of_the_pages_that_were_looked_at() {
    let figures = measure("blind_dev").expect("the pages are there");
    if std::env::var_os("SHOW").is_some() {
        figures.misses.iter().for_each(|m| println!("{m}"));
    }
    assert!(figures.coverage() >= 0.85, "coverage fell to {:.3}", figures.coverage());
    assert!(figures.precision() >= 0.93, "precision fell to {:.3}", figures.precision());
    assert!(figures.departments_right >= 9, "departments fell to {}", figures.departments_right);
}

/// The floor is far below what is aimed at: nothing is tuned on these pages.
#[test]
fn titles_of_the_pages_that_nobody_looked_at() {
    let Some(figures) = measure("blind_holdout") else {
        println!("SKIPPED: no held-out pages");
        return;
    };
    assert!(figures.coverage() >= 0.5 && figures.precision() >= 0.8, "far below what was measured");
}
