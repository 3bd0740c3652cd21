//! The flags of `run`.
//!
//! Invariant: what a flag promises in its help holds.

use crate::harness::{demo, shared, temp};
use crate::runs::finished;
use crate::tables::Tables;

#[test]
fn a_dry_run_decides_and_does_nothing() {
    let dir = temp();
    let home = dir.path().join("home");
    let said = demo(&home, &["--dry-run"]).expect(0);
    assert!(said.out.contains("dry run") && said.out.contains("refused: NoBasis"), "{}", said.out);
    let summary = demo(&home, &["--dry-run", "--json"]).expect(0).json();
    assert_eq!(summary["outcome"], "dry_run");
    assert!(summary["run_id"].is_null());
    assert_eq!(summary["counts"]["documents"], serde_json::json!({}));
    assert_eq!(summary["counts"]["requests"], 0);
    assert_eq!(summary["counts"]["subjects"], 69);
    assert!(summary["asked"].as_object().is_some_and(|a| a.len() > 5), "{summary}");
    assert!(!home.exists(), "a dry run writes nothing, not even a home");
    // The decisions on contacts are those of the real run.
    let refused = |summary: &serde_json::Value| {
        summary["asked"]
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(k, _)| k.starts_with("emit "))
            .map(|(k, n)| (k.clone(), n.clone()))
            .collect::<Vec<_>>()
    };
    let permitted = refused(&summary).into_iter().filter(|(k, _)| k.ends_with(": permitted")).map(|(_, n)| n);
    assert_eq!(permitted.collect::<Vec<_>>(), [shared().summary["counts"]["personas"].clone()]);
}

#[test]
fn a_limit_takes_the_first_contacts() {
    let run = finished("five").expect(0);
    let (home, summary) = (&run.home, run.said.json());
    assert_eq!(summary["counts"]["subjects"], 5);
    let (some, all) = (Tables::of(home), Tables::of(&shared().home));
    assert!(!some.personas.is_empty() && some.personas.len() <= 5);
    for persona in &some.personas {
        assert_eq!(Some(persona), all.persona(&persona.crm_record), "a limit changes how many, not what");
    }
}

#[test]
fn a_day_is_an_instant_too() {
    let summary = finished("day").expect(0).said.json();
    assert_eq!(summary["as_of"], "2026-03-02T00:00:00Z");
}

#[test]
fn quiet_says_nothing() {
    let said = &finished("quiet").expect(0).said;
    assert_eq!((said.out.as_str(), said.err.as_str()), ("", ""));
}

#[test]
fn json_logs_are_json_lines_and_leave_stdout_to_the_summary() {
    let said = &finished("json").expect(0).said;
    assert_eq!(said.json()["outcome"], "completed");
    let (mut progress, mut spans) = (0, 0);
    for line in said.err.lines() {
        let event: serde_json::Value = serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
        progress += usize::from(event["event"] == "progress");
        spans += usize::from(event["span"]["name"].is_string());
    }
    assert!(progress > 0 && spans > 0, "{progress} progress events, {spans} spans");
}

#[test]
fn progress_goes_to_stderr_in_plain_lines() {
    let said = &finished("plain").expect(0).said;
    assert!(said.err.contains("companies to work on") && !said.err.contains('\u{1b}'), "{}", said.err);
    assert!(said.out.contains("personas") && said.out.contains("prosopon inspect"), "{}", said.out);
    let columns = shared().summary["stages"].as_object().map(|s| s.keys().cloned().collect::<Vec<_>>());
    assert_eq!(columns.as_deref(), Some(&["audit", "fetch", "fuse", "gate", "read", "write"].map(str::to_owned)[..]));
}

#[test]
fn stages_are_spans() {
    let said = &finished("stages").expect(0).said;
    for stage in ["crm", "gate", "fetch", "read", "fuse", "write"] {
        let shown = said.err.lines().any(|l| l.contains(" close ") && l.contains(stage));
        assert!(shown, "no span of {stage}:\n{}", said.err.chars().take(2000).collect::<String>());
    }
}
