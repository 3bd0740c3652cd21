//! From a job title to claims: the step that every source shares.
//!
//! Invariant: a title that reveals a special category yields nothing, and what is kept of a title is neutral.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

use rustc_hash::FxHashMap;
use serde::Serialize;

use crate::extract::text::guard;
use crate::extract::title::{EXTRACTOR, TitleReader, TitleReading, ValueReading, WordRule};
use crate::model::{About, Claim, Signal};
use crate::source::{Found, id};
use crate::taxonomy::{FacetStatus, Language};

/// How sure a secondary function is, compared with the primary one.
const SECONDARY_SHARE: f64 = 0.6;
/// How much of the doubt about the first of several functions remains about its being one of them.
const SHARED: f64 = 0.4;
/// A signing power is stated or not; titles that state one are rarely wrong.
const SIGNING_POWER_WEIGHT: f64 = 0.9;

/// Ends the locator of a department that was read because the title names no function.
const DEPARTMENT: &str = ".department";
/// How far a department is believed, compared with a title beside it.
const DEPARTMENT_TRUST: f64 = 0.9;

/// As many titles are remembered in a thread, and none that is longer (in bytes): a megabyte at most.
const REMEMBERED: usize = 4096;
const LONGEST_REMEMBERED: usize = 96;

thread_local! {
    /// What may be stored of titles that came before.
    static QUOTES: RefCell<FxHashMap<Box<str>, Option<Rc<str>>>> = RefCell::default();
}

/// What a title yields.
pub(super) struct TitleClaims {
    pub found: Vec<Found>,
    /// 1 where the title was withheld.
    pub withheld: u32,
}

/// A title where it stands.
pub(super) struct Stated<'a> {
    /// Whose it is.
    pub about: &'a About,
    pub title: &'a str,
    pub department: Option<&'a str>,
    pub locator: &'a str,
    /// In (0, 1]: how far this place can be believed about current titles; scales every weight.
    pub trust: f64,
}

/// Reads a title (and, where the title names no function, the department) into claims.
pub(super) fn claims(stated: &Stated<'_>, languages: &[Language]) -> TitleClaims {
    let Stated { about, title, department, locator, trust } = *stated;
    let withheld = TitleClaims { found: Vec::new(), withheld: 1 };
    let read = |reading: &TitleReading| {
        let silent =
            reading.job_function.value.is_none() && reading.job_function.status == FacetStatus::InsufficientEvidence;
        let quote = if reading.special_category { None } else { quote(title) };
        let known = reading.language.is_none_or(|language| languages.contains(&language));
        quote.map(|quote| {
            let found = if known { from_reading(about, &quote, reading, locator, trust) } else { Vec::new() };
            (found, silent && known)
        })
    };
    let Some((mut found, silent)) = TitleReader::shipped().lend(title, read) else { return withheld };
    if let Some(department) = department.filter(|_| silent) {
        let read = |reading: &TitleReading| {
            let quote = if reading.special_category { None } else { quote(department) };
            let locator = format!("{locator}{DEPARTMENT}");
            quote.map(|quote| from_reading(about, &quote, reading, &locator, trust * DEPARTMENT_TRUST))
        };
        let claims = TitleReader::shipped().lend(department, read).unwrap_or_default();
        found.extend(claims.into_iter().filter(|f| matches!(f.claim, Claim::JobFunction(_))));
    }
    TitleClaims { found, withheld: 0 }
}

/// What may be stored of a title; `None` where nothing may, because the guard found something in it.
///
/// Titles come again and again, and the guard costs more than all else that is done with one.
fn quote(title: &str) -> Option<Rc<str>> {
    if let Some(known) = QUOTES.with_borrow(|quotes| quotes.get(title).cloned()) {
        return known;
    }
    let quote = (!sensitive(title)).then(|| TitleReader::shipped().quote(title).into());
    if title.len() <= LONGEST_REMEMBERED {
        QUOTES.with_borrow_mut(|quotes| {
            if quotes.len() >= REMEMBERED {
                quotes.clear();
            }
            quotes.insert(title.into(), quote.clone());
        });
    }
    quote
}

/// Whether the guard of free text finds a special category, in either language: its lists are wider than those of
/// the title reader, whose job vocabulary it does not know.
fn sensitive(title: &str) -> bool {
    !guard::scrub(&TitleReader::shipped().for_guard(title), None).1.is_empty()
}

fn from_reading(about: &About, quote: &str, reading: &TitleReading, locator: &str, trust: f64) -> Vec<Found> {
    weighed(reading)
        .into_iter()
        .map(|(claim, weight)| Found {
            about: about.clone(),
            claim,
            weight: believed(weight, trust),
            quote: quote.to_owned(),
            locator: locator.to_owned(),
            extractor: EXTRACTOR.to_owned(),
            said_at: None,
        })
        .collect()
}

/// The weight of a claim from a place that is believed so far.
fn believed(p: f64, trust: f64) -> f64 {
    (p * trust).clamp(0.01, 0.99)
}

/// The claims of a reading, and how sure each is.
fn weighed(reading: &TitleReading) -> Vec<(Claim, f64)> {
    let mut all = Vec::new();
    let first_p = reading.job_function.p.unwrap_or(0.0);
    // Where a title names several functions, p is that this one comes first; that it is one of them is surer.
    let function_p = if reading.secondary_functions.is_empty() { first_p } else { 1.0 - (1.0 - first_p) * SHARED };
    all.extend(reading.job_function.value.map(|v| (Claim::JobFunction(v), function_p)));
    let secondary = reading.secondary_functions.iter();
    all.extend(secondary.map(|v| (Claim::JobFunction(*v), function_p * SECONDARY_SHARE)));
    all.extend(reading.seniority.value.map(|v| (Claim::Seniority(v), reading.seniority.p.unwrap_or(0.0))));
    all.extend(reading.signing_power.map(|v| (Claim::SigningPower(v), SIGNING_POWER_WEIGHT)));
    all
}

/// A title that a signal rests on, read again from what is stored of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReadAgain {
    /// The signal.
    pub signal: String,
    /// The title in the neutral form that is stored.
    pub title: String,
    /// How it gives the value, or another one.
    pub reading: ValueReading,
    /// Words about time and standing, as `deputy`.
    pub notes: Vec<WordRule>,
    /// How far the place is believed about current titles.
    pub trust: f64,
    /// How the weight of the signal follows from the probability of the reading and from `trust`.
    pub weight: String,
    /// Whether reading it again gives the stored value and weight. Words that no vocabulary knows are not stored, as
    /// they may be names: a reading that rests on them cannot be repeated.
    pub replays: bool,
}

impl ReadAgain {
    /// Reads the title of a signal again; `None` where it is not from a title, or is a secondary function.
    #[must_use]
    pub fn of(signal: &Signal) -> Option<Self> {
        let evidence = &signal.evidence;
        if evidence.extractor != EXTRACTOR {
            return None;
        }
        let of_source = match evidence.source_id.as_str() {
            id::CRM => super::crm::TRUST,
            id::COMPANY_SITE => super::company_site::TRUST,
            id::DEVELOPER_PROFILE => super::bio::TRUST,
            _ => return None,
        };
        let trust = if evidence.locator.ends_with(DEPARTMENT) { of_source * DEPARTMENT_TRUST } else { of_source };
        let reader = TitleReader::shipped();
        let explained = reader.explain(&evidence.quote);
        let read = reader.read(&evidence.quote);
        let reading = match signal.claim {
            Claim::JobFunction(_) => explained.job_function,
            Claim::Seniority(_) => explained.seniority,
            Claim::SigningPower(_) => explained.signing_power,
            _ => return None,
        };
        let again =
            |(claim, p): (Claim, f64)| claim == signal.claim && (believed(p, trust) - signal.weight).abs() < 1e-6;
        Some(Self {
            signal: signal.id.to_string(),
            title: evidence.quote.clone(),
            reading,
            notes: explained.notes,
            trust,
            weight: arithmetic(&signal.claim, &read, trust),
            replays: weighed(&read).into_iter().any(again),
        })
    }
}

/// How the weight of a claim follows from a reading, as a formula; the constants are those of [`weighed`].
fn arithmetic(claim: &Claim, reading: &TitleReading, trust: f64) -> String {
    let mut steps = Vec::new();
    let p = match claim {
        Claim::JobFunction(function) => {
            let first = reading.job_function.p.unwrap_or(0.0);
            let mut p = first;
            if !reading.secondary_functions.is_empty() {
                p = 1.0 - (1.0 - first) * SHARED;
                steps.push(format!(
                    "{first:.4} is that it comes first of several functions; that it is one of them 1 - {SHARED} x (1 - \
                     {first:.4}) = {p:.4}"
                ));
            }
            if reading.job_function.value != Some(*function) {
                let beside = p * SECONDARY_SHARE;
                steps.push(format!("named beside another one {p:.4} x {SECONDARY_SHARE} = {beside:.4}"));
                p = beside;
            }
            p
        }
        Claim::SigningPower(_) => {
            steps.push(format!("a stated signing power is right with {SIGNING_POWER_WEIGHT}"));
            SIGNING_POWER_WEIGHT
        }
        _ => reading.seniority.p.unwrap_or(0.0),
    };
    let weight = believed(p, trust);
    let bound = if (weight - p * trust).abs() > 1e-9 { ", held between 0.01 and 0.99," } else { "" };
    let trusted = "as far as this place is believed about current titles";
    steps.push(format!("{p:.4} x {trust:.4}, {trusted}{bound} = weight {weight:.4}"));
    steps.join("; ")
}

impl fmt::Display for ReadAgain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "  how the title of {} was read, as it is stored: \"{}\"", self.signal, self.title)?;
        write!(f, "    {}", self.reading)?;
        for note in &self.notes {
            writeln!(f, "    beside that: {note}")?;
        }
        writeln!(f, "    {}", self.weight)?;
        f.write_str(if self.replays {
            "    read again it gives the stored value and weight\n"
        } else {
            "    read again it does not give the stored value and weight: names and words that no vocabulary knows are \
not stored, and the reading rests on them too\n"
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The titles of a table and whether their label withholds them.
    fn titles(name: &str) -> Vec<(String, bool)> {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/title").join(name);
        let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let rows: Vec<(String, bool)> = text
            .lines()
            .skip(1)
            .filter_map(|l| l.split_once('\t'))
            .map(|(title, rest)| (title.to_owned(), rest.starts_with('!') || rest.starts_with("-not_applicable")))
            .collect();
        assert!(rows.len() > 20, "{name} holds too few rows");
        rows
    }

    /// The weight is a product of what is printed, step by step, and it is the one that is stored.
    #[test]
    fn the_printed_arithmetic_of_a_weight_comes_to_the_stored_one() {
        let mut several = 0;
        for title in ["GF Produktion", "Leiter Einkauf und Logistik", "Einkaufsleiterin", "Prokurist, Head of IT"] {
            let reading = TitleReader::shipped().read(title);
            for (claim, p) in weighed(&reading) {
                let text = arithmetic(&claim, &reading, 0.95);
                assert!(
                    text.ends_with(&format!(
                        "{p:.4} x 0.9500, as far as this place is believed about current titles = \
                                                 weight {:.4}",
                        believed(p, 0.95)
                    )),
                    "{title}: {text}"
                );
                if let Some((first, rest)) = text.split_once(" is that it comes first of several functions") {
                    several += 1;
                    let one_of = 1.0 - SHARED * (1.0 - first.parse::<f64>().expect("a probability"));
                    assert!(rest.contains(&format!("1 - {SHARED} x (1 - {first}) = {one_of:.4}; ")), "{text}");
                }
            }
        }
        assert!(several >= 2, "{several}");
    }

    #[test]
    fn the_guard_takes_next_to_no_ordinary_title() {
        let tables = ["train.tsv", "test.tsv", "tricky.tsv", "forms.tsv", "ordinary.tsv"];
        let rows: Vec<_> = tables.into_iter().flat_map(titles).filter(|(_, withheld)| !withheld).collect();
        let blocked: Vec<&str> = rows.iter().filter(|(t, _)| sensitive(t)).map(|(t, _)| t.as_str()).collect();
        assert!(blocked.len() * 200 <= rows.len(), "{} of {}: {blocked:#?}", blocked.len(), rows.len());
        for (title, _) in titles("ordinary.tsv") {
            assert!(!sensitive(&title) && !TitleReader::shipped().read(&title).special_category, "{title}");
        }
    }

    #[test]
    fn the_guard_withholds_what_the_reader_does_not_know() {
        for title in [
            "Head of Sales, in chemotherapy",
            "Leiter Einkauf, Diabetiker",
            "CEO, in hospital since May",
            "Leiter Einkauf, Migrationshintergrund",
            "Head of IT (she/her, trans)",
            "Head of IT, cancer survivor",
            "Sales Manager, practising Catholic",
            "CTO (they/them), wheelchair user",
            "CEO - convicted of fraud",
        ] {
            let about = About::Account(crate::model::AccountId::from_body("test"));
            let stated = Stated { about: &about, title, department: None, locator: "title", trust: 1.0 };
            let got = claims(&stated, Language::ALL);
            assert!(got.withheld == 1 && got.found.is_empty(), "{title}");
        }
    }
}
