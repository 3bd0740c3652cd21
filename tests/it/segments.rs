//! What holds for a segment, filled in for contacts who were not researched individually, and held against the tables.
//!
//! Invariant: counts are made here from the published rows, not taken from the program.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;

use prosopon::model::{AccountId, SubjectId};
use prosopon::persona::rows::{Persona, SegmentValue};
use prosopon::persona::segment::Segments;
use prosopon::persona::settings::Size;
use prosopon::sink::{self, Select, Snapshot, Table, table_hash};
use prosopon::taxonomy::{FacetStatus, JobFunction, Seniority, Tier};

use crate::harness::{arg, finish, say, start, temp};

/// Companies below it are not researched; the synthetic ones lie on both sides.
const INDIVIDUAL_FROM: f64 = 9_000_000.0;

/// A synthetic world with two tiers, whose managing directors at dear companies said the same.
fn world(folder: &Path) {
    say(["demo-data", "--contacts", "400", "--seed", "1", "--to", arg(folder)]).expect(0);
    let path = folder.join("pipeline.yaml");
    let text = fs::read_to_string(&path).expect("a pipeline");
    let tiers = format!(
        "tiers:\n  individual: {{ min_account_revenue_eur: {INDIVIDUAL_FROM} }}\n  segment: {{ min_account_revenue_eur: 1 }}\n\noutput:\n"
    );
    fs::write(path, text.replace("output:\n", &tiers)).expect("written");
    let revenue: BTreeMap<String, f64> = rows(&folder.join("accounts.csv"))
        .into_iter()
        .map(|row| (row["account id"].clone(), row["revenue eur"].parse().unwrap_or(0.0)))
        .collect();
    let truth: BTreeMap<String, BTreeMap<String, String>> =
        rows(&folder.join("truth.csv")).into_iter().map(|row| (row["contact_id"].clone(), row)).collect();
    // Titles are new enough to be believed.
    let contacts = fs::read_to_string(folder.join("contacts.csv")).expect("contacts");
    let fresh: Vec<String> = contacts
        .lines()
        .map(|line| match line.rsplit_once(',') {
            Some((before, date)) if date.starts_with("202") => format!("{before},2026-02-15"),
            _ => line.to_owned(),
        })
        .collect();
    fs::write(folder.join("contacts.csv"), fresh.join("\n") + "\n").expect("written");
    let mut notes = fs::read_to_string(folder.join("notes.csv")).expect("notes");
    for row in rows(&folder.join("contacts.csv")) {
        let Some(truth) = truth.get(&row["contact id"]) else { continue };
        let dear = revenue.get(&row["account id"]).is_some_and(|r| *r >= INDIVIDUAL_FROM);
        if !dear || truth["job_function"] != "executive_management" || truth["profile"] != "yes" {
            continue;
        }
        let who = format!("{} {}", row["first name"], row["last name"]);
        let (contact, account) = (&row["contact id"], &row["account id"]);
        let note = format!(
            "X-{contact},{contact},{account},note,2026-02-20T09:30:00Z,de,{who} will die Kosten im Einkauf senken. \
             C-Teile bestellt {who} online nach.\n"
        );
        notes.push_str(&note);
    }
    fs::write(folder.join("notes.csv"), notes).expect("written");
}

fn rows(path: &Path) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_path(path).expect("a table");
    reader.deserialize().collect::<Result<_, _>>().expect("rows")
}

fn snapshot(home: &Path) -> Snapshot {
    sink::current(home, "synthetic").expect("current").expect("a snapshot")
}

fn personas(home: &Path) -> Vec<Persona> {
    sink::read_personas(&snapshot(home), &Select::All).expect("personas")
}

fn of(home: &Path, record: &str) -> Persona {
    personas(home).into_iter().find(|p| p.crm_record == record).expect("a persona")
}

/// The segments of everybody, by the published rows.
fn segments(home: &Path, personas: &[Persona]) -> BTreeMap<SubjectId, Segments> {
    let accounts = sink::read_accounts(&snapshot(home), &Select::All).expect("accounts");
    let accounts: BTreeMap<_, _> = accounts.into_iter().map(|a| (a.account_id.clone(), a)).collect();
    let of = |p: &Persona| {
        let a = p.account_id.as_ref().map(|id| &accounts[id]);
        let size = a.map_or(Size::Unknown, |a| Size::of(a.employees, a.revenue_eur));
        let (nace, trade) = (a.and_then(|a| a.nace.as_deref()), a.and_then(|a| a.industry.as_deref()));
        (p.subject_id.clone(), Segments::of(p, nace, trade, size))
    };
    personas.iter().map(of).collect()
}

/// The companies of those who were researched individually, belong to the segment, and are known to have the value.
fn behind(personas: &[Persona], segments: &BTreeMap<SubjectId, Segments>, v: &SegmentValue) -> Vec<Option<AccountId>> {
    let has = |p: &&Persona| {
        let goal = p.goals.iter().any(|n| n.status == FacetStatus::Known && n.value.as_deref() == Some(&*v.value));
        let known =
            p.channels.iter().filter(|c| c.status == FacetStatus::Known && v.facet == format!("channel.{}", c.phase));
        let channel = known.filter_map(|c| c.channel).any(|c| c.as_str() == v.value);
        p.tier == Tier::Individual && segments[&p.subject_id].has(&v.segment) && (v.facet == "goal" && goal || channel)
    };
    personas.iter().filter(has).map(|p| p.account_id.clone()).collect()
}

#[test]
fn segments_speak_for_contacts_of_small_accounts_and_point_at_nobody() {
    let temp = temp();
    let folder = temp.path().join("world");
    world(&folder);
    let (pipeline, home, other) = (folder.join("pipeline.yaml"), folder.join("home"), temp.path().join("other"));
    say(["run", arg(&pipeline), "--quiet"]).expect(0);
    let all = personas(&home);
    let segments = segments(&home, &all);
    let filled: Vec<&Persona> = all.iter().filter(|p| !p.segment_values.is_empty()).collect();
    assert!(filled.len() >= 10, "{} contacts have values of their segment", filled.len());
    for p in &filled {
        assert_eq!((p.tier, p.job_function.value), (Tier::Segment, Some(JobFunction::ExecutiveManagement)));
        assert!(p.seniority.value.is_some_and(|s| s >= Seniority::Vp));
        for v in &p.segment_values {
            let behind = behind(&all, &segments, v);
            assert_eq!(behind.len(), v.persons as usize, "{v:?}");
            assert!(behind.len() >= 5 && v.persons <= v.of_persons, "{v:?}");
            let of_one = |c: &Option<AccountId>| behind.iter().filter(|other| *other == c).count();
            assert!(behind.iter().all(|c| 2 * of_one(c) <= behind.len()), "{v:?}: one company has too many");
            assert!(segments[&p.subject_id].has(&v.segment), "{v:?}");
        }
        assert!(p.goals.iter().all(|n| n.status == FacetStatus::Segment && n.value.as_deref() == Some("cut_costs")));
    }
    let statuses = all.iter().flat_map(|p| p.goals.iter().map(move |n| (p, n.status)));
    assert!(statuses.filter(|(_, s)| *s == FacetStatus::Segment).all(|(p, _)| !p.segment_values.is_empty()));
    // Another home with the same inputs says the same, byte for byte.
    say(["run", arg(&pipeline), "--out", arg(&other), "--quiet"]).expect(0);
    let hash = |home: &Path| table_hash(&snapshot(home), Table::Personas).expect("a hash");
    assert_eq!(hash(&home), hash(&other));
    told(&home, filled[0]);
    rights(&pipeline, &home, &filled);
    // Another person each time: the one before is not counted any more.
    assert!((0..8).any(|_| in_mid_run(&pipeline, &other)), "eight objections came too late");
}

/// Somebody who was counted says no while a run goes on.
fn in_mid_run(pipeline: &Path, home: &Path) -> bool {
    let counted = |p: &&Persona| {
        let goal = p.goals.iter().any(|n| n.status == FacetStatus::Known && n.value.as_deref() == Some("cut_costs"));
        p.tier == Tier::Individual && goal && p.job_function.value == Some(JobFunction::ExecutiveManagement)
    };
    let who = personas(home).iter().find(counted).expect("somebody is counted").crm_record.clone();
    let mut child = start(["run", arg(pipeline), "--out", arg(home)]);
    let mut lines = BufReader::new(child.stderr.take().expect("stderr is piped"));
    let mut line = String::new();
    // By now the ledger is read; everybody is asked again only when the last company is done.
    while !line.contains(" to work on") {
        line.clear();
        assert!(lines.read_line(&mut line).expect("UTF-8") > 0, "the run ended before a company was begun");
    }
    say(["subject", "object", &who, "--purpose", "profiling", "--out", arg(home)]).expect(0);
    let mut rest = String::new();
    lines.read_to_string(&mut rest).expect("UTF-8");
    finish(child).expect(0);
    let person = of(home, &who);
    assert!(person.goals.iter().all(|n| n.value.is_none()), "a no to profiling leaves nothing");
    let decisions = sink::read_decisions(&snapshot(home), &Select::Subject(person.subject_id)).expect("decisions");
    if !decisions.iter().any(|d| d.reasons.iter().any(|r| r == "ObjectionPending")) {
        // It came when everybody had been asked again already: taken out after publishing, counted until the next run.
        return false;
    }
    let all = personas(home);
    let segments = segments(home, &all);
    for v in all.iter().flat_map(|p| &p.segment_values) {
        assert_eq!(behind(&all, &segments, v).len(), v.persons as usize, "{v:?}: who said no is not counted");
    }
    true
}

/// Card, report, explanation and access bundle say of whom a value holds.
fn told(home: &Path, persona: &Persona) {
    let record = persona.crm_record.as_str();
    let v = persona.segment_values.iter().find(|v| v.facet == "goal").expect("a goal");
    let at = |args: &[&str]| say([args, &["--out", arg(home)]].concat()).expect(0).out;
    let so = format!("perhaps cut costs: so {} of the {} of whom it is known in ", v.persons, v.of_persons);
    let card = at(&["persona", record]);
    assert!(card.contains(&so) && card.contains("nothing known of this one"), "{card}");
    let why = at(&["explain", record, "goal.cut_costs"]);
    assert!(why.contains(&format!("cut_costs, as {}", v.of_whom())), "{why}");
    let report = at(&["report"]);
    assert!(report.contains("from segments") && report.contains("goal: cut costs: "), "{report}");
    let to = temp();
    at(&["subject", "access", record, "--lang", "de", "--to", arg(&to.path().join("access"))]);
    let bundle = fs::read_to_string(to.path().join("access/access.json")).expect("a bundle");
    let said = format!("bei {} von {} Personen", v.persons, v.of_persons);
    assert!(bundle.contains(&said) && !bundle.contains("\"exact\": false"), "{bundle}");
}

/// Who says no loses them at once and for good; who puts something right keeps the rest.
fn rights(pipeline: &Path, home: &Path, filled: &[&Persona]) {
    let at = |args: &[&str]| say([args, &["--out", arg(home)]].concat()).expect(0);
    let [no, right] = [&filled[0].crm_record, &filled[1].crm_record];
    at(&["subject", "object", no, "--purpose", "profiling"]);
    at(&["subject", "rectify", right, "goal.cut_costs", "no"]);
    let check = || {
        let (no, right) = (of(home, no), of(home, right));
        assert_eq!((no.segment_values, no.study_priors), (vec![], vec![]), "a no to profiling leaves nothing");
        assert!(no.goals.iter().all(|n| n.value.is_none()) && no.channels.iter().all(|c| c.channel.is_none()));
        let left: Vec<&str> = right.segment_values.iter().map(|v| v.facet.as_str()).collect();
        assert_eq!(left, ["channel.reorder_c_parts"], "what was denied is not told, the rest is");
    };
    check();
    say(["run", arg(pipeline), "--quiet"]).expect(0);
    check();
    at(&["audit", "verify"]);
}
