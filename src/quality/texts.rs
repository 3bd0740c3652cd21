//! Measures the text reader on labelled texts: which facets it finds, and how many of them are right.
//!
//! Invariant: pure functions of the labelled texts and the shipped rules; a set whose name says `test` lists no misses.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use super::score::{Answer, Bin, Score};
use crate::extract::text::{Polarity, TextContact, TextKind, TextRecord, read_text};

/// Labelled texts; the shape of `testdata/text/facets_dev.yaml`.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FacetSet {
    #[serde(skip)]
    name: String,
    /// Channels that are not wanted are labelled. Sets that are older than the reader of them have no such label.
    #[serde(skip)]
    has_unwanted: bool,
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
    /// `subject family value`, or `company field value`; a trait or role with its pole, `risk_tolerance:-`.
    expect: BTreeSet<String>,
    /// Labels on which careful readers differ: neither asked for nor counted.
    #[serde(default)]
    may: BTreeSet<String>,
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
    /// Expected calibration error of the signals' probabilities over ten equal ranges.
    pub ece: f64,
    /// The ranges.
    pub bins: Vec<Bin>,
    /// Wrong and missing signals, never of a set that is held out.
    #[serde(skip)]
    pub misses: Vec<String>,
    #[serde(skip)]
    answers: Vec<Answer<bool>>,
}

/// The figures of all sets.
#[derive(Debug, Clone, Serialize)]
pub struct FacetReport {
    /// In the order given.
    pub sets: Vec<FacetMeasured>,
    /// All sets together of which nobody reads the misses.
    pub held_out: FacetMeasured,
}

impl FacetSet {
    /// Reads and checks a set.
    ///
    /// # Errors
    /// It is not readable, or a label fits neither contacts nor families.
    pub fn parse(name: &str, yaml: &str) -> Result<Self, FacetSetError> {
        let mut set: Self = serde_saphyr::from_str(yaml)?;
        name.clone_into(&mut set.name);
        for case in &mut set.cases {
            case.expect = std::mem::take(&mut case.expect).into_iter().map(plain).collect();
            case.may = std::mem::take(&mut case.may).into_iter().map(plain).collect();
        }
        for (at, case) in set.cases.iter().enumerate() {
            let wrong = case.expect.union(&case.may).find(|label| !set.fits(label));
            if let Some(label) = wrong {
                return Err(FacetSetError::Label { case: at + 1, label: label.clone() });
            }
        }
        set.has_unwanted = set.cases.iter().any(|case| case.expect.union(&case.may).any(|label| is_unwanted(label)));
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

    /// What is read, with its probability.
    fn said(&self, case: &Case) -> BTreeMap<String, f64> {
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
        let of_people = reading.signals.into_iter().map(|s| {
            let label = match (s.family.as_str(), s.phase) {
                ("channel", Some(phase)) => format!("{} channel_by_phase {phase}:{}", s.subject, s.value),
                ("trait" | "buying_role", _) => format!("{} {} {}:{}", s.subject, s.family, s.value, pole(s.polarity)),
                ("channel", None) if s.polarity == Polarity::Minus => format!("{} channel {}:-", s.subject, s.value),
                _ => format!("{} {} {}", s.subject, s.family, s.value),
            };
            (label, s.p)
        });
        let of_company = reading.company.into_iter().map(|s| (format!("company {} {}", s.field, s.value), s.p));
        of_people
            .chain(of_company)
            .filter(|(label, _)| self.families.contains(family(label)) && !case.may.contains(label))
            .filter(|(label, _)| self.has_unwanted || !is_unwanted(label))
            .collect()
    }
}

fn family(label: &str) -> &str {
    label.split(' ').nth(1).unwrap_or("")
}

const fn pole(polarity: Polarity) -> char {
    if matches!(polarity, Polarity::Minus) { '-' } else { '+' }
}

/// `c1 motive security:+` says no more than `c1 motive security`: channels and motives have no pole but the one.
fn plain(label: String) -> String {
    match label.strip_suffix(":+") {
        Some(short) if matches!(family(short), "channel" | "motive") => short.to_owned(),
        _ => label,
    }
}

/// `c1 channel phone:-`
fn is_unwanted(label: &str) -> bool {
    family(label) == "channel" && label.ends_with(":-")
}

/// Measures the shipped rules on labelled texts.
#[must_use]
pub fn texts(sets: &[FacetSet]) -> FacetReport {
    let measured: Vec<FacetMeasured> = sets.iter().map(measure).collect();
    let mut held_out = FacetMeasured::new("held out");
    for (set, of) in sets.iter().zip(&measured).filter(|(set, _)| set.is_test()) {
        held_out.texts += set.cases.len();
        held_out.silent += of.silent;
        held_out.kept_silent += of.kept_silent;
        for (family, figures) in &of.families {
            held_out.families.entry(family.clone()).or_default().add(figures);
        }
        held_out.answers.extend(&of.answers);
    }
    FacetReport { sets: measured, held_out: held_out.summed() }
}

fn measure(set: &FacetSet) -> FacetMeasured {
    let mut of = FacetMeasured::new(&set.name);
    of.texts = set.cases.len();
    of.families.extend(set.families.iter().map(|family| (family.clone(), FacetFigures::default())));
    for case in &set.cases {
        let said = set.said(case);
        of.silent += usize::from(case.expect.is_empty());
        of.kept_silent += usize::from(case.expect.is_empty() && said.is_empty());
        for label in case.expect.iter().chain(said.keys().filter(|label| !case.expect.contains(*label))) {
            let (due, p) = (case.expect.contains(label), said.get(label));
            let figures = of.families.entry(family(label).to_owned()).or_default();
            let (due_one, said_one) = (usize::from(due), usize::from(p.is_some()));
            figures.add(&FacetFigures { due: due_one, said: said_one, right: due_one * said_one });
            of.answers.extend(p.map(|p| Answer { expected: Some(true), got: Some((due, *p)) }));
            if due != p.is_some() && !set.is_test() {
                of.misses.push(format!("{} {:?}: {label}", if due { "missing" } else { "WRONG" }, case.text));
            }
        }
    }
    of.summed()
}

impl FacetMeasured {
    fn new(name: &str) -> Self {
        Self {
            set: name.to_owned(),
            texts: 0,
            silent: 0,
            kept_silent: 0,
            families: BTreeMap::new(),
            all: FacetFigures::default(),
            ece: 0.0,
            bins: Vec::new(),
            misses: Vec::new(),
            answers: Vec::new(),
        }
    }

    /// With what follows from its families and answers.
    fn summed(mut self) -> Self {
        for of in self.families.values() {
            self.all.add(of);
        }
        let score = Score::of(&self.answers);
        (self.ece, self.bins) = (score.ece, score.bins);
        self
    }
}

impl fmt::Display for FacetReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let share = |v: Option<f64>| v.map_or_else(|| "-".to_owned(), |v| format!("{v:.3}"));
        writeln!(f, "| set | texts | statements | signals | right | precision | coverage | stayed silent | ECE |")?;
        writeln!(f, "| --- | --- | --- | --- | --- | --- | --- | --- | --- |")?;
        let pooled = (self.held_out.texts > 0).then_some(&self.held_out);
        for set in self.sets.iter().chain(pooled) {
            let FacetFigures { due, said, right } = set.all;
            let (precision, coverage) = (share(set.all.precision()), share(set.all.coverage()));
            let (name, texts, silent, kept, ece) = (&set.set, set.texts, set.silent, set.kept_silent, set.ece);
            writeln!(
                f,
                "| {name} | {texts} | {due} | {said} | {right} | {precision} | {coverage} | {kept} of {silent} | {ece:.3} |"
            )?;
        }
        let Some(pooled) = pooled else { return Ok(()) };
        writeln!(f, "\n| facet, held out | statements | signals | right | precision | coverage |")?;
        writeln!(f, "| --- | --- | --- | --- | --- | --- |")?;
        for (name, of) in &pooled.families {
            let (precision, coverage) = (share(of.precision()), share(of.coverage()));
            writeln!(f, "| {name} | {} | {} | {} | {precision} | {coverage} |", of.due, of.said, of.right)?;
        }
        let bins: Vec<String> =
            pooled.bins.iter().map(|b| format!("{:.2}: {:.2} ({})", b.said, b.right, b.n)).collect();
        writeln!(f, "\nProbability said and share that was right (signals), held out: {}", bins.join(", "))
    }
}

#[cfg(test)]
#[path = "texts_tests.rs"]
mod tests;
