//! What somebody should look at before the tables are used.
//!
//! Invariant: each warning says what was seen, in numbers, and what to do.

use serde::{Deserialize, Serialize};

use super::Report;
use super::html::number;
use super::tally::FACETS;
use crate::audit::report::words::plain;
use crate::consent::import::NO_OF_NOBODY;

/// One warning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// A stable word.
    pub id: String,
    /// What was seen.
    pub what: String,
    /// What to do.
    pub advice: String,
}

/// A facet that falls by more than so many points of a hundred is told.
const DROP: f64 = 0.10;
/// A pipeline that loses more of its personas is told.
const LOSS: f64 = 0.20;
/// A share of rows or fetches above this is told.
const SHARE_OF_ROWS: f64 = 0.01;
const SHARE_OF_FETCHES: f64 = 0.20;
/// Reasons that say something about the operation rather than about people.
pub(super) const TOLD: [&str; 7] = [
    "IntegrityFailure",
    "ClockSkew",
    "StaleConsentSync",
    "PolicyUnsigned",
    "SubjectAmbiguous",
    "DpiaMissing",
    "LiaInvalid",
];
/// Fewer fetches, or notes, tell nothing.
const FEWEST: u64 = 10;

pub(super) fn warnings(report: &Report) -> Vec<Warning> {
    let counts = &report.summary.counts;
    let mut all = Vec::new();
    let mut warn = |id: &str, what: String, advice: &str| {
        all.push(Warning { id: id.to_owned(), what, advice: advice.to_owned() });
    };
    no_personas(report, &mut warn);
    let dead = counts.dead_share();
    if dead > SHARE_OF_ROWS {
        let (letters, rows) = (counts.dead_letters, counts.dead_rows.unwrap_or(counts.dead_letters));
        let what = format!("{letters} dead letters on {rows} of {} rows ({})", counts.crm_rows, percent(dead));
        warn("dead_letters", what, "`prosopon inspect dead_letters` tells file, line and field of each");
    }
    of_nobody(report, &mut warn);
    if counts.notes.no_file {
        let what = "no file of notes was there".to_owned();
        warn("no_notes", what, "What notes said is missing until the next export; look at the job that writes them");
    }
    if counts.notes.files_passed_over > 0 {
        let what = format!("{} file(s) of notes were empty", counts.notes.files_passed_over);
        warn("notes_passed_over", what, "Not even a header line is in them; look at the job that writes them");
    }
    for doubtful in &counts.encoding_doubtful {
        warn("encoding_doubtful", doubtful.what(), doubtful.advice());
    }
    without_revenue(report, &mut warn);
    missing(report, &mut warn);
    for (table, fields) in &report.columns_lost {
        let what = format!("{table}: no column any more for {}", fields.join(", "));
        let advice = "Export it again, or map its new header; `run --accept-columns` once if it is gone for good";
        warn("columns_lost", what, advice);
    }
    for reason in TOLD {
        if let Some(n) = counts.refusals.get(reason) {
            let plain = plain(reason);
            let helps = format!("{}{}", plain.helps[..1].to_uppercase(), &plain.helps[1..]);
            warn(reason, format!("{n} × refused as {reason}: {}", plain.means), &helps);
        }
    }
    for class in classes(report) {
        let pages = report.fetches.iter().filter(|l| l.class == class && l.what == "page");
        let (mut sum, mut failed) = (0, 0);
        for line in pages {
            sum += line.count;
            failed += if line.outcome.starts_with('2') || line.outcome == "304" { 0 } else { line.count };
        }
        if sum >= FEWEST && share(failed, sum) > SHARE_OF_FETCHES {
            let what = format!("{failed} of {sum} pages of class {class} could not be had");
            warn("fetch_failures", what, "Look at the outcomes below; wrong domains in the CRM are the usual cause");
        }
    }
    if report.requests_limit.is_some_and(|limit| counts.requests >= limit) {
        let what = format!("the budget of {} requests was used up", counts.requests);
        warn("budget", what, "Raise `budgets.requests_per_run`, or let the next night go on");
    }
    since(report, &mut warn);
    all
}

/// That there is no persona, and what tells why.
fn no_personas(report: &Report, warn: &mut impl FnMut(&str, String, &str)) {
    let counts = &report.summary.counts;
    if counts.personas == 0 {
        match counts.refusals.iter().max_by_key(|(_, n)| **n) {
            Some((most, _)) => {
                let what = format!("no persona was written; the most frequent reason is {most}");
                warn("no_personas", what, "Look at the refusals below and at docs/compliance-officer.md");
            }
            None if counts.subjects == 0 => {
                let what = "no persona was written: the exports have no contact to work on".to_owned();
                let advice = "An export may have nothing but its header line; look at the job that writes it, and at the dead letters below";
                warn("no_personas", what, advice);
            }
            None => {
                let what = format!("no persona was written of {} contacts, and nobody was refused", counts.subjects);
                warn("no_personas", what, "Look at the dead letters below, and at what the pipeline asks for");
            }
        }
    }
}

/// Of what the exports have much less than the run before.
fn missing(report: &Report, warn: &mut impl FnMut(&str, String, &str)) {
    for missing in &report.summary.counts.missing {
        let [now, before] = [missing.now, missing.before].map(number);
        let what = format!("the exports have {now} {}, those of the run before had {before}", missing.what);
        let advice = "One may have been cut short; from `budgets.missing_share` on nothing is published";
        warn("missing", what, advice);
    }
}

/// Companies of which nobody knows what the rule of tiers asks for.
fn without_revenue(report: &Report, warn: &mut impl FnMut(&str, String, &str)) {
    let tonight = if report.summary.counts.carried_over > 0 { " that were worked on tonight" } else { "" };
    for (tier, cost) in report.summary.tiers.iter().filter(|(_, cost)| cost.no_revenue > 0) {
        let (companies, they) = match cost.no_revenue {
            1 => (format!("1 company{tonight} has"), "it counts"),
            n => (format!("{} companies{tonight} have", number(n)), "they count"),
        };
        let what = format!("{companies} no revenue, which the rule of tiers asks for: {they} as {tier}");
        warn(
            "no_revenue",
            what,
            "Export the revenue, or map its column as `revenue_eur`; other currencies are not converted",
        );
    }
}

/// Noes of people whom no export of contacts has.
fn of_nobody(report: &Report, warn: &mut impl FnMut(&str, String, &str)) {
    let noes: u64 = report.dead_letters.iter().filter(|(what, _)| what.ends_with(NO_OF_NOBODY)).map(|(_, n)| n).sum();
    if noes > 0 {
        let what = format!("{noes} no(es) of people whom no export of contacts has");
        let advice = "They protect nobody yet: export the contacts, or correct the ids in the consents; `prosopon inspect dead_letters` tells \
            file and line of each";
        warn(NO_OF_NOBODY, what, advice);
    }
}

/// What is worse than in the run before.
fn since(report: &Report, warn: &mut impl FnMut(&str, String, &str)) {
    let (counts, Some(change)) = (&report.summary.counts, &report.change) else { return };
    let (rows, before) = (counts.notes.rows, change.notes_before.unwrap_or(0));
    if before >= FEWEST && rows * 2 < before && counts.carried_over == 0 && !counts.notes.no_file {
        let what = format!("{rows} notes in place of {before} the run before");
        warn("notes_lost", what, "What the others said is missing; an export may have been cut short");
    }
    // A table that the pipeline does not name any more was not lost.
    if let Some((rows, before)) = counts.consent_rows.zip(change.consents_before)
        && before >= FEWEST
        && rows * 2 < before
    {
        let what = format!("{rows} rows of consents in place of {before} the run before");
        let advice = "What was read before stands, and what people said since may be missing: a withdrawal of tonight, for instance. An \
            export of changes alone may be that short; otherwise export again, and run again at once";
        warn("consents_lost", what, advice);
    }
    // Whoever says no is out of the older tables before they are compared: a column of noes that went wrong shows here alone.
    if share(change.gone(), change.personas_then()) > LOSS {
        let [gone, then] = [change.gone(), change.personas_then()].map(number);
        let what = format!("{gone} of {then} personas are gone since the run before");
        let advice = "Compare the refusals with those before; an export may be incomplete, or a column of noes filled by mistake";
        warn("personas_lost", what, advice);
    }
    for facet in FACETS {
        let before = change.known_before.get(facet).copied().unwrap_or(0.0);
        let now = report.known(facet);
        if counts.personas > 0 && before - now > DROP {
            let what = format!("{facet} is known of {} of the personas, before of {}", percent(now), percent(before));
            warn("coverage_drop", what, "A column of the CRM may have changed its name or content");
        }
    }
}

fn share(part: u64, whole: u64) -> f64 {
    part as f64 / whole.max(1) as f64
}

fn classes(report: &Report) -> std::collections::BTreeSet<&str> {
    report.fetches.iter().map(|l| l.class.as_str()).collect()
}

/// `12.5 %`
pub(super) fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}
