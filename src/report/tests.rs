//! Reports of invented snapshots.

use std::path::Path;

use jiff::Timestamp;

use super::*;
use crate::consent::policy::PolicyFile;
use crate::run::tiers::TierCost;
use crate::sink::fixtures::{self, Rows};
use crate::sink::{Snapshot, SnapshotWriter};
use crate::taxonomy::{Facet, FacetStatus, JobFunction};

fn policy() -> Policy {
    let file: PolicyFile =
        serde_saphyr::from_str(include_str!("../../config/policy/demo.yaml")).expect("the demo policy is valid");
    Policy::new(file)
}

fn publish(home: &Path, run: &str, rows: &Rows) -> Snapshot {
    let mut writer =
        SnapshotWriter::create(home, "night", &fixtures::run_id(run), &fixtures::facts()).expect("a fresh home");
    fixtures::write(&mut writer, rows, 7);
    let counts = serde_json::json!({
        "subjects": 40, "crm_rows": 41, "personas": rows.personas.len(), "accounts": rows.accounts.len(),
        "evidence": rows.evidence.len(), "permits": 10, "refusals": { "Withdrawn": 3, "StaleConsentSync": 2 },
        "documents": {}, "host_files": 0, "requests": 500, "bytes": 12_345, "dead_letters": rows.dead_letters.len(),
        "known": {},
    });
    let summary = serde_json::json!({
        "pipeline": "night", "home": "/home/somebody", "run_id": format!("run_{run}"), "outcome": "completed",
        "as_of": "2026-03-02T03:00:00Z", "counts": counts, "resumed_fetches": 0, "starts": 1,
        "stages": { "gate": 0.5, "fetch": 1.5 }, "asked": {},
    });
    writer.commit(&serde_json::json!({ "summary": summary })).expect("commit")
}

fn ids(report: &Report) -> Vec<&str> {
    report.warnings.iter().map(|w| w.id.as_str()).collect()
}

#[test]
fn a_report_counts_what_stands_in_the_tables() {
    let home = tempfile::tempdir().expect("a folder");
    let mut rows = fixtures::rows(20);
    for persona in rows.personas.iter_mut().take(5) {
        persona.job_function = Facet::abstain(FacetStatus::NoConsent);
    }
    let expected = rows.personas.iter().filter(|p| p.job_function.status == FacetStatus::Known).count();
    let snapshot = publish(home.path(), "a", &rows);
    let report = Report::of(&snapshot, None, &policy()).expect("a report");
    assert!((report.known("job_function") - expected as f64 / 20.0).abs() < 1e-9, "{:?}", report.facets);
    assert!(report.facets.values().all(|by| by.values().sum::<u64>() == 20), "{:?}", report.facets);
    assert_eq!(report.fetches.iter().map(|l| l.count).sum::<u64>(), rows.documents.len() as u64);
    assert_eq!(report.dead_letters.values().sum::<u64>(), rows.dead_letters.len() as u64);
    assert_eq!(report.change, None);
    assert_eq!(ids(&report)[..2], ["dead_letters", "StaleConsentSync"]);
    // Whatever number of letters there is on it, a row is one.
    let mut few = report.clone();
    (few.summary.counts.crm_rows, few.summary.counts.dead_rows) = (1000, Some(10));
    few.summary.counts.dead_letters = 500;
    assert_ne!(warnings::warnings(&few)[0].id, "dead_letters");
    few.summary.counts.dead_rows = Some(11);
    assert!(warnings::warnings(&few)[0].what.starts_with("500 dead letters on 11 of 1000 rows (1.1 %)"));
    let again: Report = serde_json::from_str(&report.to_json()).expect("what was written");
    assert_eq!(again, report);
}

/// A summary and a report must not tell two numbers of one thing.
#[test]
fn the_coverage_of_roles_counts_those_that_a_run_counts() {
    let home = tempfile::tempdir().expect("a folder");
    let mut rows = fixtures::rows(20);
    for persona in &mut rows.personas {
        persona.buying_roles.iter_mut().for_each(|r| (r.probability, r.status) = (Some(0.1), FacetStatus::Known));
    }
    let mut first = |persona: usize, p, status| {
        let role = &mut rows.personas[persona].buying_roles[1];
        (role.probability, role.status) = (p, status);
    };
    (0..3).for_each(|persona| first(persona, Some(0.7), FacetStatus::Known));
    (3..5).for_each(|persona| first(persona, Some(0.6), FacetStatus::Conflicting));
    (5..9).for_each(|persona| first(persona, None, FacetStatus::NoConsent));
    let counted = rows.personas.iter().filter(|p| p.known()[2] == ("buying_role", true)).count();
    let (bare, again) = (publish(home.path(), "a", &rows), publish(home.path(), "b", &rows));
    for before in [None, Some(&bare)] {
        let report = Report::of(&again, before, &policy()).expect("a report");
        let by = &report.facets["buying_roles"];
        assert_eq!((by["known"], by["conflicting"], by[tally::NO_ROLE]), (counted as u64, 2, 15));
        assert_eq!(counted, 3);
        let before = report.change.map(|change| change.known_before["buying_roles"]);
        assert!(before.is_none_or(|share| (share - 0.15).abs() < 1e-9), "{before:?}");
    }
    let page = html(&Report::of(&bare, None, &policy()).expect("a report"));
    assert!(page.contains("3 known, 15 none held, 2 conflicting"), "{page}");
    assert!(!page.contains("no lawful basis"));
}

#[test]
fn a_report_tells_what_changed() {
    let home = tempfile::tempdir().expect("a folder");
    let before = fixtures::rows(20);
    let mut after = fixtures::rows(22);
    // Two are new, six are gone, three say something else, and neither a probability alone is a change, nor why a role
    // is not told.
    after.personas.drain(..6);
    for persona in &mut after.personas[..3] {
        persona.job_function = Facet::abstain(FacetStatus::Stale);
    }
    after.personas[6].buying_roles[0].status = FacetStatus::Stale;
    after.personas[4].job_function.p = after.personas[4].job_function.p.map(|p| p * 0.99);
    after.personas[5].job_function = Facet::known(JobFunction::LegalCompliance, 0.9);
    let (first, second) = (publish(home.path(), "a", &before), publish(home.path(), "b", &after));
    let report = Report::of(&second, Some(&first), &policy()).expect("a report");
    let change = report.change.as_ref().expect("there was a run before");
    assert_eq!((change.added, change.removed, change.changed, change.same), (2, 6, 4, 10));
    assert_eq!(change.by_facet, [("job_function".to_owned(), 4)].into());
    assert!(ids(&report).contains(&"personas_lost"), "{:?}", report.warnings);
    let mut notes = report.clone();
    let mut told = |now, before| {
        notes.summary.counts.notes.rows = now;
        notes.change.as_mut().expect("it is there").notes_before = before;
        warnings::warnings(&notes).iter().any(|warning| warning.id == "notes_lost")
    };
    assert!(told(9, Some(20)) && !told(10, Some(20)) && !told(3, Some(9)) && !told(0, None));
    let mut told = |now, before| {
        notes.summary.counts.consent_rows = now;
        notes.change.as_mut().expect("it is there").consents_before = before;
        warnings::warnings(&notes).iter().any(|warning| warning.id == "consents_lost")
    };
    assert!(
        told(Some(0), Some(68)) && told(Some(33), Some(68)) && !told(Some(34), Some(68)) && !told(Some(0), Some(9))
    );
    // A table that the pipeline does not name, or a run of an older version.
    assert!(!told(None, Some(68)) && !told(Some(0), None));
    let same = Report::of(&second, Some(&second), &policy()).expect("a report");
    let change = same.change.expect("there was a run before");
    assert_eq!((change.changed, change.same, change.added, change.removed), (0, 16, 0, 0));
}

#[test]
fn a_page_is_whole_escaped_and_names_nobody() {
    let home = tempfile::tempdir().expect("a folder");
    let rows = fixtures::rows(20);
    let snapshot = publish(home.path(), "a", &rows);
    let mut report = Report::of(&snapshot, None, &policy()).expect("a report");
    report.summary.counts.refusals.insert("<script>alert(1)</script>".to_owned(), 1);
    let page = html(&report);
    for tag in ["html", "head", "body", "main", "section", "table", "tr", "td", "th", "dl", "ul", "p", "div", "span"] {
        let (open, close) = (format!("<{tag}"), format!("</{tag}>"));
        let opened = page.match_indices(&open).filter(|(at, _)| page[at + open.len()..].starts_with([' ', '>']));
        assert_eq!(opened.count(), page.matches(&close).count(), "{tag}");
    }
    assert!(!page.contains("<script") && page.contains("&lt;script"), "not escaped");
    for outer in ["http://", "https://", "src=", "@import", "url("] {
        assert!(!page.contains(outer), "{outer} in the page");
    }
    let names =
        rows.personas.iter().map(|p| p.subject_id.as_str()).chain(rows.documents.iter().map(|d| d.host.as_str()));
    let json = report.to_json();
    for name in names.chain(["/home/somebody"]) {
        assert!(!page.contains(name) && !json.contains(name), "{name}");
    }
}

#[test]
fn reports_live_as_long_as_their_snapshots() {
    let home = tempfile::tempdir().expect("a folder");
    let rows = fixtures::rows(4);
    let first = publish(home.path(), "a", &rows);
    let page = make(home.path(), "night", &policy()).expect("written");
    assert!(page.ends_with(format!("reports/night/{}.html", first.run_id())), "{}", page.display());
    let second = publish(home.path(), "b", &rows);
    make(home.path(), "night", &policy()).expect("written");
    let kept = |snapshot: &Snapshot| read(home.path(), "night", snapshot.run_id()).expect("readable");
    assert_eq!(kept(&second).expect("kept").0.change.map(|c| c.same), Some(4));
    assert!(kept(&first).is_some());
    std::fs::remove_dir_all(first.folder()).expect("removed");
    make(home.path(), "night", &policy()).expect("written");
    assert!(kept(&first).is_none() && !page.exists());
    assert_eq!(newest(home.path(), "night").expect("readable").map(|(r, _)| r), kept(&second).map(|(r, _)| r));
}

#[test]
fn companies_of_unknown_revenue_are_told_everywhere() {
    let home = tempfile::tempdir().expect("a folder");
    let mut report = Report::of(&publish(home.path(), "a", &fixtures::rows(3)), None, &policy()).expect("a report");
    for (no_revenue, carried_over, told) in [
        (0, 0, None),
        (1, 0, Some("1 company has no revenue, which the rule of tiers asks for: it counts as study_prior")),
        (1234, 0, Some("1,234 companies have no revenue, which the rule of tiers asks for: they count as study_prior")),
        (12, 5, Some("12 companies that were worked on tonight have no revenue")),
    ] {
        let cost = TierCost { companies: 2000, no_revenue, ..TierCost::default() };
        report.summary.tiers = [("individual".into(), TierCost::default()), ("study_prior".into(), cost)].into();
        report.summary.counts.carried_over = carried_over;
        report.warnings = warnings::warnings(&report);
        let mut text = Vec::new();
        tell(&report, &mut text).expect("memory");
        for page in [String::from_utf8(text).expect("UTF-8"), html(&report), report.to_json()] {
            assert_eq!(page.contains(told.unwrap_or("no revenue, which")), told.is_some(), "{no_revenue}: {page}");
        }
    }
}

#[test]
fn who_was_taken_out_since_explains_what_two_reports_count() {
    let home = tempfile::tempdir().expect("a folder");
    let rows = fixtures::rows(20);
    let first = publish(home.path(), "a", &rows);
    make(home.path(), "night", &policy()).expect("written");
    let erased = sink::Change::remove([rows.personas[3].subject_id.clone()]);
    let note = sink::Note { at: Timestamp::UNIX_EPOCH, reason: "erasure" };
    sink::rewrite_all(home.path(), &erased, note, |_, _| Ok::<(), SinkError>(())).expect("rewritten");
    let mut after = fixtures::rows(20);
    after.personas.remove(3);
    publish(home.path(), "b", &after);
    make(home.path(), "night", &policy()).expect("written");
    let (then, _) = read(home.path(), "night", first.run_id()).expect("readable").expect("kept");
    let (now, page) = newest(home.path(), "night").expect("readable").expect("kept");
    let change = now.change.as_ref().expect("there was a run before");
    assert_eq!(then.summary.counts.personas, change.personas_before + change.taken_out);
    assert_eq!((change.taken_out, change.removed, change.same), (1, 0, 19));
    let mut text = Vec::new();
    tell(&now, &mut text).expect("memory");
    for told in [String::from_utf8(text).expect("UTF-8"), std::fs::read_to_string(page).expect("a page")] {
        assert!(told.contains("1 persona(s) were taken out of it after it was published"), "{told}");
    }
    assert!(!ids(&now).contains(&"personas_lost"), "one in twenty");
}

#[test]
fn many_noes_of_one_night_are_told_as_lost_personas() {
    let home = tempfile::tempdir().expect("a folder");
    let rows = fixtures::rows(20);
    publish(home.path(), "a", &rows);
    make(home.path(), "night", &policy()).expect("written");
    // Before the night that says so is published, they are out of the older tables.
    let no = rows.personas.iter().take(8).map(|persona| persona.subject_id.clone());
    let note = sink::Note { at: Timestamp::UNIX_EPOCH, reason: "objection" };
    sink::rewrite_all(home.path(), &sink::Change::remove(no), note, |_, _| Ok::<(), SinkError>(())).expect("rewritten");
    let mut after = fixtures::rows(20);
    after.personas.drain(..8);
    publish(home.path(), "b", &after);
    let page = make(home.path(), "night", &policy()).expect("written");
    let (report, _) = newest(home.path(), "night").expect("readable").expect("kept");
    let told = report.warnings.iter().find(|warning| warning.id == "personas_lost").expect("told");
    assert_eq!(told.what, "8 of 20 personas are gone since the run before");
    let page = std::fs::read_to_string(page).expect("a page");
    assert!(page.contains("−8 since the run before"), "{page}");
}

#[test]
fn a_night_that_carried_rows_over_says_of_how_many_its_costs_are() {
    let home = tempfile::tempdir().expect("a folder");
    let mut report = Report::of(&publish(home.path(), "a", &fixtures::rows(9)), None, &policy()).expect("a report");
    for (carried_over, told) in [(0, None), (6, Some("3 of them worked on; the rows of the others are carried over"))] {
        (report.summary.counts.subjects, report.summary.counts.carried_over) = (9, carried_over);
        let mut text = Vec::new();
        tell(&report, &mut text).expect("memory");
        for page in [String::from_utf8(text).expect("UTF-8"), html(&report)] {
            assert_eq!(page.contains(told.unwrap_or("carried over")), told.is_some(), "{page}");
        }
    }
}

#[test]
fn an_empty_night_is_told() {
    let home = tempfile::tempdir().expect("a folder");
    let mut rows = fixtures::rows(3);
    rows.personas.clear();
    let report = Report::of(&publish(home.path(), "a", &rows), None, &policy()).expect("a report");
    assert_eq!(ids(&report)[0], "no_personas");
    assert!(report.warnings[0].what.contains("Withdrawn"), "{:?}", report.warnings);
    let mut nobody = report.clone();
    nobody.summary.counts.refusals.clear();
    nobody.summary.counts.subjects = 0;
    let what = &warnings::warnings(&nobody)[0].what;
    assert!(what.contains("no contact to work on") && !what.contains("none"), "{what}");
    assert!(html(&report).contains("No persona was written."));
    assert!(report.known("seniority").abs() < 1e-9);
    let _: Timestamp = report.finished_at.parse().expect("a time");
}

#[test]
fn every_reason_that_is_told_is_one_of_the_gate() {
    for reason in warnings::TOLD {
        let known = crate::consent::reason::Reason::ALL.iter().any(|r| r.to_string() == reason);
        assert!(known, "{reason}");
    }
}
