//! Configuration and usage: exit code 2, and a message that names the file and what to do.
//!
//! Invariant: a mistake in configuration is found before a home is touched.

use std::fs;

use crate::harness::{NO_DEMO_HOSTS, arg, demo, pipeline, root, say, temp};
use crate::runs::finished;

#[test]
fn a_bad_pipeline_file_is_told_line_by_line() {
    let dir = temp();
    let home = dir.path().join("home");
    let path = pipeline(dir.path(), &[("price_band: high", "price_band: hihg"), ("network: demo", "netwrok: demo")]);
    let said = say(["run", arg(&path), "--out", arg(&home)]).expect(2);
    let prefix = format!("{}:", path.display());
    let lines: Vec<&str> = said.err.lines().collect();
    assert!(lines.len() >= 2 && lines.iter().all(|l| l.starts_with(&prefix) && l.contains(": error: ")), "{lines:#?}");
    assert!(
        said.err.contains("did you mean \"high\"") && said.err.contains("did you mean \"network\""),
        "{}",
        said.err
    );
    assert!(!home.exists(), "a home was made for a pipeline that cannot run");
}

#[test]
fn missing_files_are_mistakes_of_configuration() {
    let dir = temp();
    let home = dir.path().join("home");
    for (from, to) in
        [("contacts*.csv", "missing*.csv"), ("accounts.csv", "missing.csv"), ("policy/demo.yaml", "policy/no.yaml")]
    {
        let path = pipeline(dir.path(), &[(from, to)]);
        let said = say(["run", arg(&path), "--out", arg(&home)]).expect(2);
        assert!(said.err.contains(to.rsplit('/').next().expect("a name")), "{}", said.err);
    }
    let said = say(["run", "no/such/pipeline.yaml", "--out", arg(&home)]).expect(2);
    assert!(said.err.contains("no/such/pipeline.yaml"), "{}", said.err);
}

#[test]
fn a_pipeline_and_its_policy_must_agree() {
    let dir = temp();
    let home = dir.path().join("home");
    let path = pipeline(dir.path(), &[("controller: Prosopon Demo Controller", "controller: Somebody Else GmbH")]);
    let said = say(["run", arg(&path), "--out", arg(&home)]).expect(2);
    assert!(said.err.contains("Somebody Else GmbH"), "{}", said.err);
    let path = pipeline(dir.path(), &[("purpose: persona_enrichment", "purpose: lead_scoring")]);
    let said = say(["run", arg(&path), "--out", arg(&home)]).expect(2);
    assert!(said.err.contains("lead_scoring") && said.err.contains("persona_enrichment"), "{}", said.err);
    assert!(!home.exists());
}

#[test]
fn what_cannot_be_served_says_so() {
    let dir = temp();
    let home = dir.path().join("home");
    for (network, expected) in [("public", "contact"), ("replay", "needs a recording")] {
        let path = pipeline(dir.path(), &[("network: demo", &format!("network: {network}")), NO_DEMO_HOSTS]);
        let said = say(["run", arg(&path), "--out", arg(&home)]).expect(2);
        assert!(said.err.contains(expected), "{}", said.err);
        assert!(!home.exists());
    }
}

#[test]
fn wrong_usage_is_told() {
    let no_arguments: [&str; 0] = [];
    say(no_arguments).expect(2);
    say(["run"]).expect(2);
    say(["rnu"]).expect(2);
    say(["inspect", "persona"]).expect(2);
    let dir = temp();
    let said = demo(dir.path(), &["--as-of", "yesterday"]).expect(2);
    assert!(said.err.contains("2026-03-02"), "{}", said.err);
    demo(dir.path(), &["--limit", "-1"]).expect(2);
}

#[test]
fn more_dead_letters_than_allowed_are_exit_code_1() {
    let run = finished("strict").expect(1);
    let (home, said) = (&run.home, &run.said);
    assert!(said.err.contains("dead_letter_share"), "{}", said.err);
    assert!(home.join("demo/current").exists(), "the rows that could be processed are there");
    let runs = say(["inspect", "runs", "--format", "jsonl", "--out", arg(home)]).expect(0).json_lines();
    assert_eq!(runs[0]["outcome"], "completed_with_dead_letters");
    let status = say(["status", "--out", arg(home)]).expect(0);
    assert!(status.out.contains("completed_with_dead_letters"), "{}", status.out);
}

#[test]
fn crm_files_without_a_heading_row_that_fits_are_told() {
    let dir = temp();
    let contacts = dir.path().join("contacts.csv");
    fs::write(&contacts, "foo;bar\n1;2\n").expect("a file can be written");
    let original = root().join("testdata/demo/crm/contacts*.csv");
    let path = pipeline(dir.path(), &[(arg(&original), arg(&contacts))]);
    let said = say(["run", arg(&path), "--out", arg(&dir.path().join("home"))]).expect(2);
    assert!(said.err.contains("contacts.csv"), "{}", said.err);
}

#[test]
fn the_demo_takes_no_real_people() {
    let dir = temp();
    let home = dir.path().join("home");
    let crm = dir.path().join("contacts.csv");
    // An address of no reserved domain; nobody's, since the label is as long as a label may be.
    let host = format!("{}.com", "x".repeat(63));
    fs::write(&crm, format!("id,first name,last name,email\n1,Invented,Person,i.person@{host}\n")).expect("written");
    let shipped = format!("{}/testdata/demo/crm/contacts*.csv", root().display());
    let path = pipeline(dir.path(), &[(&shipped, arg(&crm))]);
    let said = say(["run", arg(&path), "--out", arg(&home)]).expect(2);
    assert!(said.err.contains("invented people only") && !said.err.contains(&host), "{}", said.err);
    assert!(!home.exists(), "not even a home is made");
}

#[test]
fn a_run_under_a_policy_that_is_not_in_force_is_refused() {
    let dir = temp();
    let home = dir.path().join("home");
    let said = demo(&home, &["--as-of", "2026-01-01"]).expect(2);
    assert!(said.err.contains("approved from 2026-01-15"), "{}", said.err);
    say(["run", "pipelines/demo.yaml", "--limit", "0", "--out", arg(&home)]).expect(2);
    say(["validate", arg(dir.path())]).expect(2);
}
