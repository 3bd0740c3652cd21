//! The tables through other people's readers: `DuckDB`, pyarrow and Polars, by `tests/readers/read_tables.py`.
//!
//! Invariant: a missing reader is told as SKIPPED, and is a failure where `CI=true`.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use super::fixtures::{Rows, publish, rows};

fn read_tables(home: &Path) -> Option<Output> {
    let python = std::env::var_os("PYTHON").unwrap_or_else(|| "python3".into());
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/readers/read_tables.py");
    let ci = std::env::var("CI").is_ok_and(|v| v == "true");
    match Command::new(python).arg(script).arg(home).arg("demo").output() {
        Ok(output) if output.status.code() == Some(77) && !ci => {
            println!("SKIPPED: {}", String::from_utf8_lossy(&output.stdout));
            None
        }
        Err(e) if !ci => {
            println!("SKIPPED: no python3: {e}");
            None
        }
        other => Some(other.expect("CI has python3")),
    }
}

fn check(rows: &Rows, failing: Option<&str>) {
    let dir = tempfile::tempdir().expect("temp folder");
    publish(dir.path(), "demo", "a", rows, 100);
    let Some(output) = read_tables(dir.path()) else { return };
    let text = String::from_utf8_lossy(&output.stdout);
    let told = format!("{text}{}", String::from_utf8_lossy(&output.stderr));
    match failing {
        None => assert!(output.status.success(), "{told}"),
        Some(line) => {
            assert_eq!(output.status.code(), Some(1), "{told}");
            let failed: Vec<&str> = text.lines().filter(|l| l.starts_with("FAIL")).collect();
            assert!(failed.iter().any(|l| l.contains(line)), "{failed:?} tell of {line}");
        }
    }
}

#[test]
fn other_readers_read_every_table_and_find_what_is_wrong() {
    check(&rows(500), None);
    let empty = Rows {
        personas: vec![],
        evidence: vec![],
        accounts: vec![],
        buying_centers: vec![],
        decisions: vec![],
        documents: vec![],
        dead_letters: vec![],
        runs: vec![],
    };
    check(&empty, None);
    let mut broken = rows(9);
    broken.decisions.retain(|d| d.permit_id.as_ref().is_none_or(|p| p.as_str() != "pmt_4x0"));
    check(&broken, Some("persona rows without an Emit permit"));
    let mut broken = rows(9);
    broken.decisions.retain(|d| d.permit_id.as_ref().is_none_or(|p| p.as_str() != "pmt_3x2"));
    check(&broken, Some("documents without a permit"));
    let mut broken = rows(9);
    broken.evidence[2].evidence.permit = crate::model::PermitId::from_body("none");
    check(&broken, Some("evidence without a permit"));
    let mut broken = rows(9);
    broken.documents.remove(5);
    check(&broken, Some("used Fetch permits without a document"));
    let mut broken = rows(9);
    broken.documents.push(broken.documents[0].clone());
    check(&broken, Some("permits with more than one document"));
}

#[test]
fn a_home_without_a_snapshot_fails_with_a_reason() {
    let dir = tempfile::tempdir().expect("temp folder");
    let Some(output) = read_tables(dir.path()) else { return };
    assert_eq!(output.status.code(), Some(1));
    fs::create_dir(dir.path().join("demo")).expect("folder");
    assert!(String::from_utf8_lossy(&output.stdout).contains("FAIL"));
}
