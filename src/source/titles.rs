//! From a job title to claims: the step that every source shares.
//!
//! Invariant: a title that reveals a special category yields nothing, and what is kept of a title is neutral.

use crate::extract::text::guard;
use crate::extract::title::{EXTRACTOR, TitleReader, TitleReading};
use crate::model::{About, Claim};
use crate::source::Found;
use crate::taxonomy::{FacetStatus, Language};

/// How sure a secondary function is, compared with the primary one.
const SECONDARY_SHARE: f64 = 0.6;
/// How much of the doubt about the first of several functions remains about its being one of them.
const SHARED: f64 = 0.4;
/// A signing power is stated or not; titles that state one are rarely wrong.
const SIGNING_POWER_WEIGHT: f64 = 0.9;

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
    let reading = TitleReader::shipped().read(title);
    if reading.special_category || sensitive(title) {
        return TitleClaims { found: Vec::new(), withheld: 1 };
    }
    if reading.language.is_some_and(|language| !languages.contains(&language)) {
        return TitleClaims { found: Vec::new(), withheld: 0 };
    }
    let mut found = from_reading(about, title, &reading, locator, trust);
    let silent =
        reading.job_function.value.is_none() && reading.job_function.status == FacetStatus::InsufficientEvidence;
    if let Some(department) = department.filter(|_| silent) {
        let reading = TitleReader::shipped().read(department);
        if !reading.special_category && !sensitive(department) {
            let claims = from_reading(about, department, &reading, &format!("{locator}.department"), trust * 0.9);
            found.extend(claims.into_iter().filter(|f| matches!(f.claim, Claim::JobFunction(_))));
        }
    }
    TitleClaims { found, withheld: 0 }
}

/// Whether the guard of free text finds a special category, in either language: its lists are wider than those of
/// the title reader, whose job vocabulary it does not know.
fn sensitive(title: &str) -> bool {
    !guard::scrub(&TitleReader::shipped().for_guard(title), None).1.is_empty()
}

fn from_reading(about: &About, title: &str, reading: &TitleReading, locator: &str, trust: f64) -> Vec<Found> {
    let quote = TitleReader::shipped().quote(title);
    let found = |claim, weight: f64| Found {
        about: about.clone(),
        claim,
        weight: (weight * trust).clamp(0.01, 0.99),
        quote: quote.clone(),
        locator: locator.to_owned(),
        extractor: EXTRACTOR.to_owned(),
        said_at: None,
    };
    let mut all = Vec::new();
    let first_p = reading.job_function.p.unwrap_or(0.0);
    // Where a title names several functions, p is that this one comes first; that it is one of them is surer.
    let function_p = if reading.secondary_functions.is_empty() { first_p } else { 1.0 - (1.0 - first_p) * SHARED };
    all.extend(reading.job_function.value.map(|v| found(Claim::JobFunction(v), function_p)));
    let secondary = reading.secondary_functions.iter();
    all.extend(secondary.map(|v| found(Claim::JobFunction(*v), function_p * SECONDARY_SHARE)));
    all.extend(reading.seniority.value.map(|v| found(Claim::Seniority(v), reading.seniority.p.unwrap_or(0.0))));
    all.extend(reading.signing_power.map(|v| found(Claim::SigningPower(v), SIGNING_POWER_WEIGHT)));
    all
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
