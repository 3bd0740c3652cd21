//! Encrypted tables and policies compared, through the command line.
//!
//! Invariant: without the key no byte of a value is to be had; with it everything works as in clear.

use std::fs;
use std::path::Path;

use prosopon::rights::{Needle, Scan};

use crate::harness::{Said, arg, files, pipeline, root, say, shared, temp};

fn at(home: &Path, args: &[&str]) -> Said {
    say([args, &["--out", arg(home)]].concat())
}

#[test]
fn encrypted_tables_work_like_tables_in_clear_and_show_nothing() {
    for kind in ["uniform", "by_category"] {
        let dir = temp();
        let home = dir.path().join("home");
        let changed = format!("keep_snapshots: 7\n  encryption: {kind}");
        let path = pipeline(dir.path(), &[("keep_snapshots: 7", &changed)]);
        say(["run", arg(&path), "--out", arg(&home), "--quiet"]).expect(0);
        let needles = ["Einkauf", "K-2004", "hartwig-sondermaschinen.example"].map(|t| Needle::new(t, t).expect("one"));
        let found = Scan::new(&needles).expect("a scan").run(&home);
        let tables: Vec<_> = found.hits.iter().filter(|h| h.file.extension().is_some_and(|e| e == "parquet")).collect();
        assert!(tables.is_empty(), "{kind}: {tables:?}");
        let told = files(&home).iter().filter(|f| f.extension().is_some_and(|e| e == "parquet")).count();
        assert_eq!(found.unreadable.len(), told, "{kind}: a scan without keys says what it could not read");
        for args in [&["persona", "K-2004"][..], &["account", "ACC-1001"], &["explain", "K-2001", "seniority"]] {
            let clear = at(&shared().home, args).expect(0).out.replace(arg(&shared().home), "HOME");
            let shown = at(&home, args).expect(0).out.replace(arg(&home), "HOME");
            assert_eq!(shown, clear, "{kind}: {args:?}");
        }
        at(&home, &["audit", "verify"]).expect(0);
        let erased = at(&home, &["subject", "erase", "K-2004", "--yes", "--json"]).expect(0).json();
        assert!(erased["hits_before"].as_u64() > Some(3) && erased["hits_after"] == 0, "{kind}: {erased}");
        assert_eq!(erased["unreadable"], 0, "{kind}: the scan of an erasure has the keys");
        at(&home, &["audit", "verify"]).expect(0);
        let key = dir.path().join("tables.key");
        at(&home, &["keys", "tables", "--to", arg(&key)]).expect(0);
        assert_eq!(fs::read_to_string(&key).expect("a key").trim().len(), 64);
    }
    at(&shared().home, &["keys", "tables", "--to", "/dev/null"]).expect(2);
}

#[test]
fn policies_are_compared_and_replayed() {
    let dir = temp();
    let old = root().join("config/policy/demo.yaml");
    let text = fs::read_to_string(&old).expect("the demo's policy");
    let new = dir.path().join("stricter.yaml");
    fs::write(&new, text.replace("bases: [consent, legitimate_interest]", "bases: [consent]")).expect("written");
    let home = &shared().home;
    let same = at(home, &["policy", "diff", arg(&old), arg(&old), "--replay", "--json"]).expect(0).json();
    assert_eq!((same["changes"].as_array().map(Vec::len), &same["replay"]["people"]), (Some(0), &0.into()), "{same}");
    let said = at(home, &["policy", "diff", arg(&old), arg(&new), "--replay", "--json"]).expect(0).json();
    assert_eq!(said["changes"].as_array().map(Vec::len), Some(1), "{said}");
    assert!(said["replay"]["people"].as_u64() > Some(0), "{said}");
    assert_eq!(said["replay"]["permitted_now"], serde_json::json!({}), "a stricter policy permits nothing more");
    let text = at(home, &["policy", "diff", arg(&old), arg(&new), "--replay"]).expect(0).out;
    assert!(text.starts_with("- ") && text.contains("decisions made again"), "{text}");
    fs::write(&new, text.replace("version: 1", "version: 1\nnonsense: 2")).expect("written");
    at(home, &["policy", "diff", arg(&old), arg(&new)]).expect(2);
    at(home, &["policy", "diff", arg(&old), "ffffffff"]).expect(2);
}

/// Who holds which files can do what: the table "Who holds what" of the operator's guide.
#[test]
fn every_role_reads_what_it_holds_and_no_more() {
    let dir = temp();
    let home = dir.path().join("home");
    let path = pipeline(dir.path(), &[("keep_snapshots: 7", "keep_snapshots: 7\n  encryption: uniform")]);
    say(["run", arg(&path), "--out", arg(&home), "--quiet"]).expect(0);
    let vkey = dir.path().join("vkey");
    fs::copy(home.join("audit/vkey"), &vkey).expect("a copy");
    let of_log = ["audit", "verify", "--log-only", "--vkey", arg(&vkey)];
    let personal = [&["persona", "K-2004"][..], &["inspect", "evidence"], &["subject", "access", "K-2004"]];
    // The operator: all of it.
    for args in [&["persona", "K-2004"][..], &["inspect", "evidence"], &["audit", "verify"], &of_log] {
        at(&home, args).expect(0);
    }
    // Whoever keeps the backups, or steals the disk: the home without its master key. An auditor's copy is the same.
    let copied = dir.path().join("copy");
    crate::harness::copy(&home, &copied);
    fs::remove_file(copied.join("keys/master.key")).expect("removed");
    at(&copied, &of_log).expect(0);
    for args in personal {
        let said = at(&copied, args).expect(3);
        assert!(said.out.is_empty() && said.err.contains("master key"), "{args:?}: {}", said.err);
    }
    let names = ["Müllerschön", "joerg.muellerschoen", "Einkauf", "K-2004"].map(|t| Needle::new(t, t).expect("one"));
    let found = Scan::new(&names).expect("a scan").run(&copied);
    assert!(found.hits.is_empty(), "{:?}", found.hits);
    // An analyst: the tables alone, without their key.
    let tables = dir.path().join("tables");
    crate::harness::copy(&home.join("demo"), &tables);
    assert!(Scan::new(&names).expect("a scan").run(&tables).hits.is_empty());
    at(&tables, &["inspect", "personas"]).expect(3);
    // A witness: a key of its own, which opens nothing.
    let witness = dir.path().join("witness.key");
    at(&home, &["audit", "cosign", "--key", arg(&witness), "--new", "--to", arg(&dir.path().join("kept"))]).expect(0);
    fs::copy(&witness, copied.join("keys/master.key")).expect("a copy");
    for args in personal {
        let said = at(&copied, args).expect(3);
        assert!(said.out.is_empty(), "{args:?}: {}", said.out);
    }
}
