//! Measures the text reader on labelled texts: which facets it finds, and how many of them are right.
//!
//! Invariant: pure functions of the labelled texts and the shipped rules; a set whose name says `test` lists no misses.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::extract::text::{TextContact, TextKind, TextRecord, read_text};

/// Labelled texts; the shape of `testdata/text/facets_dev.yaml`.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FacetSet {
    #[serde(skip)]
    name: String,
    /// What is labelled; signals of other families are not counted.
    families: BTreeSet<String>,
    company: String,
    contacts: Vec<TextContact>,
    cases: Vec<Case>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    #[serde(default = "note")]
    kind: TextKind,
    #[serde(default)]
    lang: Option<String>,
    text: String,
    /// The contact whom the text is on; `None` = the first, `none` = nobody.
    #[serde(default)]
    about: Option<String>,
    /// `subject family value`, or `company field value`.
    expect: BTreeSet<String>,
}

const fn note() -> TextKind {
    TextKind::Note
}

/// Why a set cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FacetSetError {
    /// Not the YAML that is expected.
    #[error("not readable as labelled texts")]
    Parse(#[from] serde_saphyr::Error),
    /// A label that names no contact, or a family that the set does not list.
    #[error("text {case}: {label:?} is no `subject family value` of the contacts and families of the set")]
    Label {
        /// Which text, from 1.
        case: usize,
        /// The label.
        label: String,
    },
}

/// What was counted for one family.
#[derive(Debug, Clone, Default, Serialize)]
pub struct FacetFigures {
    /// Statements that are labelled.
    pub due: usize,
    /// Signals that came out.
    pub said: usize,
    /// Signals that are labelled.
    pub right: usize,
}

impl FacetFigures {
    /// Share of right ones among the signals; `None` where there are none.
    #[must_use]
    pub fn precision(&self) -> Option<f64> {
        (self.said > 0).then(|| self.right as f64 / self.said as f64)
    }

    /// Share of the labelled statements that were found; `None` where there are none.
    #[must_use]
    pub fn coverage(&self) -> Option<f64> {
        (self.due > 0).then(|| self.right as f64 / self.due as f64)
    }

    fn add(&mut self, other: &Self) {
        self.due += other.due;
        self.said += other.said;
        self.right += other.right;
    }
}

/// The figures of one set.
#[derive(Debug, Clone, Serialize)]
pub struct FacetMeasured {
    /// The name of the set.
    pub set: String,
    /// Texts.
    pub texts: usize,
    /// Texts in which nothing is labelled.
    pub silent: usize,
    /// Of those, texts in which nothing was found.
    pub kept_silent: usize,
    /// By family.
    pub families: BTreeMap<String, FacetFigures>,
    /// All families together.
    pub all: FacetFigures,
    /// Wrong and missing signals, never of a test split.
    #[serde(skip)]
    pub misses: Vec<String>,
}

/// The figures of all sets.
#[derive(Debug, Clone, Serialize)]
pub struct FacetReport {
    /// In the order given.
    pub sets: Vec<FacetMeasured>,
}

impl FacetSet {
    /// Reads and checks a set.
    ///
    /// # Errors
    /// It is not readable, or a label fits neither contacts nor families.
    pub fn parse(name: &str, yaml: &str) -> Result<Self, FacetSetError> {
        let mut set: Self = serde_saphyr::from_str(yaml)?;
        name.clone_into(&mut set.name);
        for (at, case) in set.cases.iter().enumerate() {
            let wrong = case.expect.iter().find(|label| !set.fits(label));
            if let Some(label) = wrong {
                return Err(FacetSetError::Label { case: at + 1, label: label.clone() });
            }
        }
        Ok(set)
    }

    fn fits(&self, label: &str) -> bool {
        let words: Vec<&str> = label.split(' ').collect();
        let [subject, family, _] = words[..] else { return false };
        (subject == "company" || self.contacts.iter().any(|c| c.id == subject)) && self.families.contains(family)
    }

    /// Whether its misses are nobody's to read.
    fn is_test(&self) -> bool {
        self.name.contains("test") || self.name.contains("holdout")
    }

    fn said(&self, case: &Case) -> BTreeSet<String> {
        let about = case.about.clone().or_else(|| self.contacts.first().map(|c| c.id.clone()));
        let record = TextRecord {
            id: String::new(),
            kind: case.kind,
            lang: Some(case.lang.clone().unwrap_or_else(|| "de".to_owned())),
            text: case.text.clone(),
            contacts: self.contacts.clone().into(),
            about: about.filter(|a| a != "none"),
            company: Some(self.company.clone()),
        };
        let reading = read_text(&record);
        let of_people = reading.signals.into_iter().map(|s| match (s.family.as_str(), s.phase) {
            ("channel", Some(phase)) => format!("{} channel_by_phase {phase}:{}", s.subject, s.value),
            _ => format!("{} {} {}", s.subject, s.family, s.value),
        });
        let of_company = reading.company.into_iter().map(|s| format!("company {} {}", s.field, s.value));
        of_people.chain(of_company).filter(|s| self.families.contains(family(s))).collect()
    }
}

fn family(label: &str) -> &str {
    label.split(' ').nth(1).unwrap_or("")
}

/// Measures the shipped rules on labelled texts.
#[must_use]
pub fn texts(sets: &[FacetSet]) -> FacetReport {
    FacetReport { sets: sets.iter().map(measure).collect() }
}

fn measure(set: &FacetSet) -> FacetMeasured {
    let mut families: BTreeMap<String, FacetFigures> =
        set.families.iter().map(|f| (f.clone(), FacetFigures::default())).collect();
    let (mut silent, mut kept_silent, mut misses) = (0, 0, Vec::new());
    for case in &set.cases {
        let said = set.said(case);
        silent += usize::from(case.expect.is_empty());
        kept_silent += usize::from(case.expect.is_empty() && said.is_empty());
        let mut count = |label: &String, due: usize, is_said: usize| {
            let of = families.entry(family(label).to_owned()).or_default();
            of.add(&FacetFigures { due, said: is_said, right: due * is_said });
        };
        for label in case.expect.union(&said) {
            let (due, is_said) = (case.expect.contains(label), said.contains(label));
            count(label, usize::from(due), usize::from(is_said));
            if due != is_said && !set.is_test() {
                misses.push(format!("{} {:?}: {label}", if due { "missing" } else { "WRONG" }, case.text));
            }
        }
    }
    let mut all = FacetFigures::default();
    for of in families.values() {
        all.add(of);
    }
    FacetMeasured { set: set.name.clone(), texts: set.cases.len(), silent, kept_silent, families, all, misses }
}

impl fmt::Display for FacetReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let share = |v: Option<f64>| v.map_or_else(|| "-".to_owned(), |v| format!("{v:.3}"));
        writeln!(f, "| set | facet | statements | signals | right | precision | coverage |")?;
        writeln!(f, "| --- | --- | --- | --- | --- | --- | --- |")?;
        for set in &self.sets {
            let all = [("all".to_owned(), &set.all)];
            let lines = set.families.iter().map(|(name, of)| (name.clone(), of)).chain(all);
            for (name, of) in lines {
                let (precision, coverage) = (share(of.precision()), share(of.coverage()));
                writeln!(
                    f,
                    "| {} | {name} | {} | {} | {} | {precision} | {coverage} |",
                    set.set, of.due, of.said, of.right
                )?;
            }
        }
        writeln!(f)?;
        for set in &self.sets {
            writeln!(
                f,
                "- {}: {} texts; of {} in which nothing is to be found, {} stayed silent",
                set.set, set.texts, set.silent, set.kept_silent
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shipped(name: &str) -> FacetSet {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/text").join(name);
        FacetSet::parse(name, &std::fs::read_to_string(path).expect("in the repository")).expect("labelled texts")
    }

    #[test]
    fn labelled_facets_keep_their_figures() {
        let report = texts(&["facets_dev.yaml", "facets_test.yaml", "facets_messy_test.yaml"].map(shipped));
        let [dev, test, messy] = &report.sets[..] else { panic!("three sets") };
        assert!(dev.texts + test.texts + messy.texts >= 300, "{report}");
        assert!(dev.all.precision() == Some(1.0) && dev.kept_silent == dev.silent, "{report}\n{:#?}", dev.misses);
        assert!(dev.all.coverage() >= Some(0.9), "{report}\n{:#?}", dev.misses);
        for held in [test, messy] {
            assert!(held.all.precision() >= Some(0.95) && held.misses.is_empty(), "{report}");
        }
        assert!(test.all.coverage() >= Some(0.8) && messy.all.coverage() >= Some(0.6), "{report}");
    }

    #[test]
    fn a_label_that_fits_nothing_is_told() {
        let set = |label: &str| {
            format!(
                "families: [goal]\ncompany: X\ncontacts: [{{ id: c1, name: A B }}]\ncases: [{{ text: x, expect: [{label}] }}]"
            )
        };
        assert!(FacetSet::parse("a", &set("c1 goal cut_costs")).is_ok());
        for wrong in ["c2 goal cut_costs", "c1 pain downtime", "c1 goal"] {
            let told = FacetSet::parse("a", &set(wrong)).err().expect("a label that fits nothing").to_string();
            assert!(told.contains(wrong), "{told}");
        }
    }
}
