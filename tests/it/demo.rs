//! The first command of the README: what it leaves on disk, and that other people's readers can read it.
//!
//! Invariant: what must hold is written down here again and not taken from the code under test.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::harness::{arg, copy, copy_of_shared, files, root, shared, temp};
use crate::tables::{PIPELINE, broken};

const TABLES: [&str; 8] =
    ["personas", "evidence", "accounts", "buying_centers", "decisions", "documents", "dead_letters", "runs"];

#[test]
fn a_demo_run_leaves_one_whole_snapshot() {
    let home = &shared().home;
    let folder = home.join(PIPELINE);
    let current = fs::read_to_string(folder.join("current")).expect("current is a file");
    let name = current.strip_suffix('\n').expect("one line");
    assert!(name.starts_with("snapshot=run_") && !name.contains('\n'), "{current:?}");
    assert!(fs::symlink_metadata(folder.join("current")).expect("there").file_type().is_file());
    let mut entries: Vec<String> = fs::read_dir(folder.join(name))
        .expect("the snapshot's folder")
        .map(|e| e.expect("an entry").file_name().into_string().expect("UTF-8"))
        .collect();
    entries.sort();
    let mut expected: Vec<&str> = TABLES.iter().copied().chain(["manifest.json"]).collect();
    expected.sort_unstable();
    assert_eq!(entries, expected);
    for table in TABLES {
        let bytes = fs::read(folder.join(name).join(table).join("part-0.parquet")).expect("a file");
        assert!(bytes.starts_with(b"PAR1") && bytes.ends_with(b"PAR1"), "{table}");
    }
    assert_eq!(broken(home), Vec::<String>::new());
    let work = fs::read_dir(home.join(".work")).map_or(0, Iterator::count);
    assert_eq!(work, 0, ".work is empty at the end");
}

#[test]
fn the_manifest_says_how_the_snapshot_was_made() {
    let shared = shared();
    let folder = shared.home.join(PIPELINE);
    let current = fs::read_to_string(folder.join("current")).expect("current");
    let text = fs::read_to_string(folder.join(current.trim_end()).join("manifest.json")).expect("a manifest");
    let manifest: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    for key in ["plan_hash", "policy_hash", "inputs_hash", "published_at", "software_version", "ledger", "fusion"] {
        assert!(!manifest[key].is_null(), "{key}");
    }
    assert_eq!(manifest["pipeline"], PIPELINE);
    assert_eq!(manifest["as_of"], "2026-03-02T03:00:00Z");
    assert_eq!(format!("snapshot={}\n", manifest["run_id"].as_str().expect("an id")), current);
    let counts = &shared.summary["counts"];
    for (table, count) in [("personas", "personas"), ("evidence", "evidence"), ("accounts", "accounts")] {
        assert_eq!(manifest["snapshot"]["tables"][table]["rows"], counts[count], "{table}");
    }
    assert_eq!(manifest["summary"]["counts"], *counts);
}

#[test]
fn only_the_owner_can_read_a_home() {
    // A copy: others read the shared home meanwhile, and reading is logged.
    let (_dir, home) = copy_of_shared();
    let home = home.as_path();
    let mut open = Vec::new();
    let mut check = |path: &std::path::Path, expected: u32| {
        let mode = fs::metadata(path).expect("there").permissions().mode() & 0o777;
        if mode != expected {
            open.push(format!(
                "{}: {mode:o} instead of {expected:o}",
                path.strip_prefix(home).unwrap_or(path).display()
            ));
        }
    };
    check(home, 0o700);
    for file in files(home) {
        check(&file, 0o600);
        file.ancestors().skip(1).take_while(|p| p.starts_with(home)).for_each(|p| check(p, 0o700));
    }
    open.sort();
    open.dedup();
    assert!(open.is_empty(), "{open:#?}");
}

/// A Python that has the readers: `$PROSOPON_PYTHON`, else the repository's `.venv`, else the system's.
fn python() -> std::path::PathBuf {
    let venv = root().join(".venv/bin/python");
    match std::env::var_os("PROSOPON_PYTHON") {
        Some(chosen) => chosen.into(),
        None if venv.exists() => venv,
        None => "python3".into(),
    }
}

/// Runs a script of `tests/readers` in a folder; it may say that a reader is missing, except on CI.
fn reads(script: &str, args: &[&str], folder: &std::path::Path) {
    let script = root().join("tests/readers").join(script);
    let ran = Command::new(python()).arg(script).args(args).current_dir(folder).output();
    let ci = std::env::var("CI").is_ok_and(|v| v == "true");
    match ran {
        Err(e) if !ci => println!("SKIPPED: no Python to read the tables with: {e}"),
        Ok(output) if output.status.code() == Some(77) && !ci => {
            println!("SKIPPED: {}", String::from_utf8_lossy(&output.stdout).trim());
        }
        other => {
            let output = other.expect("CI has a Python");
            let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
            let failed: Vec<&str> = out.lines().filter(|l| !l.starts_with("ok  ")).collect();
            assert!(output.status.success(), "{}\n{err}", failed.join("\n"));
        }
    }
}

#[test]
fn the_examples_of_the_analysts_guide_print_what_it_says() {
    let folder = temp();
    let home = folder.path().join("prosopon-home");
    copy(&shared().home, &home);
    reads("run_docs.py", &[arg(&root().join("docs/analyst.md"))], folder.path());
}

#[test]
fn other_readers_read_every_table_and_every_join_holds() {
    // The readers may leave caches: not in the home that others look at.
    let (_dir, home) = copy_of_shared();
    reads("read_tables.py", &[arg(&home), PIPELINE], &home);
}
