//! Tests of encrypted tables: nothing in clear, equal rows back, and errors that say what to do.

use std::fs;
use std::process::Command;

use super::*;
use crate::rights::{Needle, Scan, Verdict};
use crate::sink::fixtures::{facts, rows, run_id, subject_id, write};
use crate::sink::{Change, Note, Select, Snapshot, SnapshotWriter, current, read_evidence, read_personas, rewrite_all};

const CANARY: &str = "Leitung Kanarienvogel";

/// Nobody keeps a log here.
#[expect(clippy::unnecessary_wraps, reason = "who keeps a log can fail")]
fn untold(_: &Snapshot, _: &crate::sink::Rewritten) -> Result<(), SinkError> {
    Ok(())
}

fn published(home: &Path, keys: Option<TableKeys>) -> Snapshot {
    let mut given = rows(60);
    for signal in &mut given.evidence {
        signal.evidence.quote = CANARY.into();
    }
    let keys = keys.map(Arc::new);
    let mut writer = SnapshotWriter::create_with(home, "demo", &run_id("a"), &facts(), keys).expect("fresh");
    write(&mut writer, &given, 7);
    writer.commit(&serde_json::Value::Null).expect("commit")
}

fn file(snapshot: &Snapshot, table: Table) -> std::path::PathBuf {
    snapshot.files(table).expect("files").remove(0)
}

fn holds(path: &Path, text: &str) -> bool {
    memchr::memmem::find(&fs::read(path).expect("read"), text.as_bytes()).is_some()
}

#[test]
fn no_byte_is_in_clear_and_all_comes_back() {
    let plain = tempfile::tempdir().expect("temp folder");
    let plain = published(plain.path(), None);
    assert!(holds(&file(&plain, Table::Evidence), CANARY), "the canary would be seen");
    for keys in [TableKeys::uniform as fn([u8; 32]) -> TableKeys, TableKeys::by_category] {
        let dir = tempfile::tempdir().expect("temp folder");
        let s = published(dir.path(), Some(keys([7; 32])));
        for table in Table::ALL {
            let path = file(&s, table);
            for text in [CANARY, "sub_", "quote", "account_id", "job_function", "sha256:0badc0de"] {
                // Names of the columns with a key of their own stand in the footer, which is encrypted too.
                assert!(!holds(&path, text), "{text} in {table}");
            }
        }
        assert_eq!(read_personas(&s, &Select::All).ok(), read_personas(&plain, &Select::All).ok());
        assert_eq!(read_evidence(&s, &Select::All).ok(), read_evidence(&plain, &Select::All).ok());
        assert!(read_personas(&s, &Select::All).is_ok());
        let one = read_personas(&s, &Select::Subject(subject_id(3))).expect("a filter on an encrypted column");
        assert_eq!(one.len(), 1);
    }
}

#[test]
fn a_missing_or_wrong_key_is_told_with_the_file() {
    let dir = tempfile::tempdir().expect("temp folder");
    let s = published(dir.path(), Some(TableKeys::uniform([7; 32])));
    let bare = current(dir.path(), "demo").expect("readable").expect("there");
    let e = read_personas(&bare, &Select::All).expect_err("no key");
    assert!(matches!(e, SinkError::KeyMissing { .. }), "{e}");
    assert!(e.to_string().contains("part-0.parquet") && e.to_string().contains("give the key"), "{e}");
    for keys in [TableKeys::uniform([8; 32]), TableKeys::by_category([7; 32])] {
        let e = read_personas(&bare.clone().with_keys(Some(Arc::new(keys))), &Select::All).expect_err("another key");
        assert!(matches!(e, SinkError::KeyWrong { .. }), "{e}");
        assert!(e.to_string().contains("part-0.parquet"), "{e}");
    }
    let path = file(&s, Table::Personas);
    let mut bytes = fs::read(&path).expect("read");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&path, bytes).expect("written");
    let e = read_personas(&s, &Select::All).expect_err("changed");
    assert!(matches!(e, SinkError::Parquet { .. }), "{e}");
    assert_eq!(format!("{:?}", TableKeys::uniform([7; 32])), "TableKeys([secret])");
}

#[test]
fn who_lacks_the_key_of_a_kind_reads_the_rest() {
    let dir = tempfile::tempdir().expect("temp folder");
    let s = published(dir.path(), Some(TableKeys::by_category([7; 32])));
    let few = TableKeys::by_category([7; 32]).without(&[Category::Profile, Category::Professional]);
    let s = s.with_keys(Some(Arc::new(few)));
    let some = |names: &[&str]| {
        let names = names.iter().map(|n| (*n).to_owned()).collect();
        crate::sink::Batches::open(&s, Table::Personas, &Select::All, Some(names))
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
    };
    assert_eq!(some(&["subject_id", "permit_id"]).expect("has these keys")[0].num_rows(), 60);
    let e = some(&["subject_id", "traits"]).expect_err("lacks this key").to_string();
    assert!(e.contains("personas") && e.contains("column traits.list.element.trait"), "{e}");
    let keys = TableKeys::by_category([7; 32]).without(&[Category::Profile]);
    assert!(keys.encryption(Table::Personas).is_err(), "nothing is written without its key");
}

#[test]
fn an_encrypted_snapshot_is_rewritten_encrypted() {
    let dir = tempfile::tempdir().expect("temp folder");
    published(dir.path(), Some(TableKeys::by_category([7; 32])));
    let note = Note { at: crate::sink::fixtures::at("2026-04-01T00:00:00Z"), reason: "erasure" };
    let mut change = Change::remove([subject_id(3)]);
    assert!(matches!(rewrite_all(dir.path(), &change, note, untold), Err(SinkError::KeyMissing { .. })));
    change.keys = Some(Arc::new(TableKeys::by_category([7; 32])));
    let done = rewrite_all(dir.path(), &change, note, untold).expect("rewritten");
    assert_eq!(done[0].1.removed(Table::Personas), 1);
    let s = done[0].0.clone().with_keys(change.keys.clone());
    assert_eq!(read_personas(&s, &Select::All).expect("read").len(), 59);
    for table in Table::ALL {
        assert!(is_encrypted(&file(&s, table)).expect("there"), "{table}");
        assert!(!holds(&file(&s, table), CANARY));
    }
}

#[test]
fn a_scan_looks_into_encrypted_tables_or_says_that_it_cannot() {
    let dir = tempfile::tempdir().expect("temp folder");
    published(dir.path(), Some(TableKeys::by_category([7; 32])));
    let needles = [Needle::new("canary", CANARY).expect("long enough")];
    let scan = || Scan::new(&needles).expect("few needles");
    for keys in [vec![], vec![TableKeys::uniform([7; 32])]] {
        let told = scan().keys(keys.into_iter().map(Arc::new)).run(dir.path());
        assert_eq!(told.verdict(), Verdict::CouldNotCheck, "{told}");
        assert_eq!(told.unreadable.len(), Table::ALL.len(), "{told}");
    }
    let keys = [TableKeys::uniform([1; 32]), TableKeys::by_category([7; 32])].map(Arc::new);
    let told = scan().keys(keys).run(dir.path());
    assert_eq!(told.verdict(), Verdict::Found);
    assert!(told.unreadable.is_empty(), "{told}");
    assert!(told.hits.iter().all(|h| h.how.starts_with("parquet ") && h.how.ends_with("quote")), "{told}");
}

#[test]
fn duckdb_and_pyarrow_read_files_of_one_key() {
    let dir = tempfile::tempdir().expect("temp folder");
    let s = published(dir.path(), Some(TableKeys::uniform([7; 32])));
    let python = std::env::var_os("PROSOPON_PYTHON").or_else(|| std::env::var_os("PYTHON"));
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/readers/read_encrypted.py");
    let ci = std::env::var("CI").is_ok_and(|v| v == "true");
    let output = Command::new(python.unwrap_or_else(|| "python3".into()))
        .arg(script)
        .args([file(&s, Table::Evidence), HEXLOWER.encode(&[7; 32]).into(), CANARY.into()])
        .output();
    match output {
        Err(e) if !ci => println!("SKIPPED: no python3: {e}"),
        Ok(o) if o.status.code() == Some(77) && !ci => println!("SKIPPED: {}", String::from_utf8_lossy(&o.stdout)),
        other => {
            let o = other.expect("CI has python3");
            let told = format!("{}{}", String::from_utf8_lossy(&o.stdout), String::from_utf8_lossy(&o.stderr));
            println!("{told}");
            assert!(o.status.success(), "{told}");
        }
    }
}
