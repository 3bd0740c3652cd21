//! A no that arrives while a run goes on.
//!
//! Invariant: neither the new snapshot nor an older one has anything that the person refused before the home was free.

use std::fs;
use std::io::Read as _;
use std::path::Path;

use prosopon::sink;
use prosopon::taxonomy::Operation;

use crate::harness::{
    arg, copy, copy_of_shared, demo_args, finish, in_parallel, pipeline, root, start, temp, until_in_the_middle,
};
use crate::rights::{at, intact};
use crate::tables::{Tables, subject};

/// Contacts that are worked on all at once, or in parts.
const AT_ONCE: [&str; 2] = ["1000000", "4"];

#[test]
fn an_objection_in_mid_run_keeps_the_person_out_of_the_snapshot() {
    in_parallel(2, AT_ONCE.to_vec(), objection);
}

fn objection(at_once: &str) {
    let dir = temp();
    let home = dir.path().join("home");
    let mut child = start(demo_args(&home, &["--at-once", at_once]));
    let mut rest = until_in_the_middle(&mut child);
    let objection = at(&home, &["subject", "object", "K-2003", "--json"]).expect(0).json();
    let erasure = at(&home, &["subject", "erase", "K-2004", "--yes"]).expect(3);
    let mut err = String::new();
    rest.read_to_string(&mut err).expect("UTF-8");
    finish(child).expect(0);
    assert_eq!(objection["waits_for_run"], true, "the run was over too early: {objection}");
    assert!(erasure.err.contains("repeat the command"), "{}", erasure.err);
    let tables = Tables::of(&home);
    for record in ["K-2003", "K-2004"] {
        let id = subject(record);
        assert!(tables.persona(record).is_none(), "{record} has a persona");
        let about = |s: &&prosopon::model::Signal| matches!(&s.about, prosopon::model::About::Subject(other, _) if *other == id);
        assert_eq!(tables.evidence.iter().filter(about).count(), 0, "{record} has evidence");
        let refused = |d: &&prosopon::model::DecisionRow| d.target.subject() == Some(&id) && d.permit_id.is_none();
        assert!(tables.decisions.iter().any(|d| refused(&d)), "no decision says why {record} is missing");
    }
    assert!(tables.persona("K-2002").is_some());
    let pending = at(&home, &["audit", "verify", "--json"]).expect(1).json();
    let what = pending["findings"].as_array().expect("findings");
    assert!(what.len() == 1 && what[0]["kind"] == "erasure", "only half of the erasure was done: {pending}");
    at(&home, &["subject", "erase", "K-2004", "--yes"]).expect(0);
    intact(&home);
}

#[test]
fn a_profile_that_is_withdrawn_in_mid_run_is_in_no_snapshot() {
    in_parallel(2, AT_ONCE.to_vec(), withdrawn_profile);
}

fn withdrawn_profile(at_once: &str) {
    let (_dir, home) = copy_of_shared();
    let person = subject("K-2002");
    let profiled = |home: &Path| -> Vec<bool> {
        let has = |snapshot: &sink::Snapshot| {
            let select = sink::Select::Subject(person.clone());
            let personas = sink::read_personas(snapshot, &select).expect("personas");
            assert_eq!(personas.len(), 1, "the rest of the persona stays");
            let mut evidence = sink::read_evidence(snapshot, &select).expect("evidence").into_iter();
            evidence.any(|s| s.claim.is_profile()) || personas.iter().any(|p| !p.study_priors.is_empty())
        };
        sink::snapshots(home, "demo").expect("snapshots").iter().map(has).collect()
    };
    assert_eq!(profiled(&home), [true]);
    let mut child = start(demo_args(&home, &["--at-once", at_once]));
    let mut rest = until_in_the_middle(&mut child);
    let said = at(&home, &["subject", "withdraw", "K-2002", "--purpose", "profiling", "--json"]).expect(0).json();
    let mut err = String::new();
    rest.read_to_string(&mut err).expect("UTF-8");
    finish(child).expect(0);
    assert_eq!(said["waits_for_run"], true, "the run was over too early: {said}");
    assert_eq!(profiled(&home), [false, false], "neither the new snapshot nor the old one");
    let refused = |d: &&prosopon::model::DecisionRow| {
        d.target.subject() == Some(&person)
            && d.operation == Operation::Profile
            && d.reasons.iter().any(|r| r == "Withdrawn")
    };
    assert!(Tables::of(&home).decisions.iter().any(|d| refused(&d)), "no decision says why");
    intact(&home);
}

/// For a profile of one person the host would be asked for that person alone.
#[test]
fn whoever_says_no_in_mid_run_is_not_even_asked_for_at_the_host_of_a_profile() {
    in_parallel(2, AT_ONCE.to_vec(), not_asked_for);
}

fn not_asked_for(at_once: &str) {
    let dir = temp();
    let crm = dir.path().join("crm");
    copy(&root().join("testdata/demo/crm"), &crm);
    let change = |file: &str, changes: &[(&str, &str)]| {
        let path = crm.join(file);
        let mut text = fs::read_to_string(&path).expect("an export");
        for (from, to) in changes {
            assert!(text.contains(from), "{file} does not hold {from:?}");
            text = text.replace(from, to);
        }
        fs::write(&path, text).expect("a file can be written");
    };
    // Of all contacts the one at the slowest host alone may be read about by posts: there is time to say no.
    let (grant, classes) = ("K-2063;grant;6(1)(a);persona_enrichment", "crm|company_site");
    let profiling = format!("{grant}|profiling;{classes}|public_social");
    change("consents.csv", &[("|public_social", ""), (&format!("{grant};{classes}"), &profiling)]);
    let row = "Prokurist, Leitung Einkauf;DE;Deutschland;;";
    change("contacts_vertrieb.csv", &[(&format!("{row};"), &format!("{row}@rtewesmann@social.example;"))]);
    let shipped = format!("{}/testdata/demo/crm/", root().display());
    let file = pipeline(dir.path(), &[(&shipped, &format!("{}/", crm.display()))]);
    let home = dir.path().join("home");
    let mut child = start(["run", arg(&file), "--out", arg(&home), "--at-once", at_once]);
    let mut rest = until_in_the_middle(&mut child);
    let objection = at(&home, &["subject", "object", "K-2063", "--json"]).expect(0).json();
    let mut err = String::new();
    rest.read_to_string(&mut err).expect("UTF-8");
    finish(child).expect(0);
    assert_eq!(objection["waits_for_run"], true, "the run was over too early: {objection}");
    let tables = Tables::of(&home);
    let permitted = |d: &&prosopon::model::DecisionRow| {
        d.source_id == "social_profile" && d.permit_id.is_some() && d.target.subject() == Some(&subject("K-2063"))
    };
    assert_eq!(tables.decisions.iter().filter(permitted).count(), 1, "leave there was, until the objection");
    let asked = tables.documents.iter().filter(|d| d.source_id == "social_profile").map(|d| &d.host);
    assert_eq!(asked.collect::<Vec<_>>(), Vec::<&String>::new());
    intact(&home);
}
