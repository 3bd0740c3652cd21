//! Tests of the scan: one person, hidden in every place that a home may have, found in each and gone from each.

use std::sync::Arc;

use arrow_array::builder::{ListBuilder, StringBuilder};
use arrow_array::{BinaryArray, RecordBatch, StringArray};
use data_encoding::{BASE64, BASE64_MIME, BASE64URL_NOPAD, HEXUPPER};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use rusqlite::Connection;
use unicode_normalization::UnicodeNormalization;

use arrow_array::ArrayRef;

use super::*;
use crate::rights::wipe_sqlite;

const NAME: &str = "Jördis Überkrüger";
const MAIL: &str = "joerdis.ueberkrueger@muster.example";

fn needles() -> Vec<Needle> {
    [("name", NAME), ("mail", MAIL)].map(|(l, t)| Needle::new(l, t).expect("long enough")).into()
}

fn report(home: &Path) -> Report {
    scan(home, &needles()).expect("few needles")
}

#[track_caller]
fn found(report: &Report, file: &str, how: &str, label: &str) {
    let is = |h: &&Hit| h.file == Path::new(file) && h.how == how && h.label == label;
    assert!(report.hits.iter().any(|h| is(&h)), "{file} ({how}) {label} in\n{report}");
}

fn home() -> tempfile::TempDir {
    tempfile::tempdir().expect("temp folder")
}

fn noise(n: usize) -> Vec<u8> {
    let mut x = 0x9e37_79b9_7f4a_7c15_u64;
    let mut out = Vec::with_capacity(n + 8);
    while out.len() < n {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        out.extend_from_slice(&x.to_le_bytes());
    }
    out.truncate(n);
    out
}

#[test]
fn every_coding_in_every_corner_is_found_and_nothing_once_it_is_gone() {
    let dir = home();
    let write = |name: &str, content: &[u8]| {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("created");
        fs::write(path, content).expect("written");
    };
    let utf16 = |big: bool| -> Vec<u8> {
        NAME.encode_utf16().flat_map(|u| if big { u.to_be_bytes() } else { u.to_le_bytes() }).collect()
    };
    let long = format!("{}{NAME}{}", "Von ".repeat(30), " und weiter".repeat(20));
    let percent = NAME.bytes().map(|b| format!("%{b:02x}")).collect::<Vec<_>>().concat();
    let json = NAME.encode_utf16().map(|u| format!("\\u{u:04X}")).collect::<Vec<_>>().concat();
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("plain.txt", NAME.into(), "raw"),
        ("upper.txt", NAME.to_uppercase().into(), "raw"),
        ("nfd.txt", NAME.nfd().collect::<String>().into(), "raw"),
        ("transcribed.txt", "JOERDIS Ueberkrueger".into(), "raw"),
        (".hidden/.work/deep/x", NAME.into(), "raw"),
        ("latin1.csv", NAME.chars().map(|c| c as u8).collect(), "raw, latin-1"),
        ("utf16le", utf16(false), "raw, utf-16"),
        ("utf16be", utf16(true), "raw, utf-16"),
        ("hex", HEXUPPER.encode(NAME.as_bytes()).into(), "raw, hex"),
        ("base64", BASE64.encode(long.as_bytes()).into(), "raw, base64"),
        ("base64url", BASE64URL_NOPAD.encode(long.as_bytes()).into(), "raw, base64"),
        ("mail.eml", BASE64_MIME.encode(format!("{}{long}", "Von ".repeat(10)).as_bytes()).into(), "raw, escaped"),
        ("percent", percent.into(), "raw, escaped"),
        ("twice", "J%25C3%25B6rdis+x J%25C3%25B6rdis%2520%25C3%259Cberkr%25C3%25BCger".into(), "raw, escaped"),
        ("a.json", format!("{{\"n\":\"{json}\"}}").into(), "raw, escaped"),
        (
            "a.jsonl",
            "{\"n\":\"{\\\"m\\\":\\\"J\\\\u00f6rdis \\\\u00dcberkr\\\\u00fcger\\\"}\"}\n".into(),
            "raw, escaped",
        ),
        ("a.html", "J&ouml;rdis&nbsp;&#220;berkr&#xFC;ger".into(), "raw, escaped"),
        ("qp.eml", "J=C3=B6rdis =C3=9Cber=\r\nkr=C3=BCger".into(), "raw, escaped"),
        ("packed.zst", zstd::encode_all(NAME.as_bytes(), 3).expect("packed"), "raw, zstd"),
        (
            "embedded.bin",
            [noise(5000), zstd::encode_all(NAME.as_bytes(), 3).expect("packed"), noise(50)].concat(),
            "raw, zstd",
        ),
        ("edge.bin", [noise(CHUNK + 4096 - 9), NAME.into(), noise(9000)].concat(), "raw"),
    ];
    for (name, content, _) in &cases {
        write(name, content);
    }
    let told = report(dir.path());
    for (name, _, how) in &cases {
        found(&told, name, how, "name");
    }
    assert_eq!(told.verdict(), Verdict::Found);
    assert!(told.unreadable.is_empty(), "{told}");
    assert_eq!(told.files, cases.len() as u64);
    let shown = format!("{told}{}", serde_json::to_string(&told).expect("JSON"));
    assert!(!shown.to_lowercase().contains("berkr"), "{shown}");
    let once = |name: &str| told.hits.iter().filter(|h| h.file == Path::new(name)).map(|h| h.count).sum::<u64>();
    assert_eq!((once("plain.txt"), once("edge.bin"), once("a.json")), (1, 1, 1), "counted once");
    for (name, ..) in &cases {
        write(name, &noise(300_000));
    }
    let told = report(dir.path());
    assert_eq!(told.verdict(), Verdict::Clean, "{told}");
}

#[test]
fn names_of_files_links_and_what_cannot_be_read_are_told() {
    let dir = home();
    fs::create_dir(dir.path().join(MAIL)).expect("folder");
    fs::write(dir.path().join(MAIL).join("x"), b"nothing").expect("written");
    std::os::unix::fs::symlink(format!("/home/{MAIL}"), dir.path().join("link")).expect("link");
    fs::write(dir.path().join("a.gz"), [0x1f, 0x8b, 8, 0]).expect("written");
    fs::write(dir.path().join("cut.zst"), &zstd::encode_all(&noise(9999)[..], 3).expect("packed")[..200])
        .expect("written");
    fs::write(dir.path().join("cut.parquet"), b"PAR1 and no footer").expect("written");
    fs::write(dir.path().join("cut.sqlite"), b"SQLite format 3\0 and no more").expect("written");
    let told = report(dir.path());
    assert!(!told.to_string().contains("ueberkrueger"), "{told}");
    assert!(
        told.hits.iter().any(|h| h.how == "file name" && h.file.to_string_lossy().starts_with("[inode ")),
        "{told}"
    );
    found(&told, "link", "link", "mail");
    for file in ["a.gz", "cut.zst", "cut.parquet", "cut.sqlite", "link"] {
        assert!(told.unreadable.iter().any(|u| u.file == Path::new(file)), "{file} in\n{told}");
    }
    fs::remove_file(dir.path().join("link")).expect("removed");
    fs::remove_dir_all(dir.path().join(MAIL)).expect("removed");
    assert_eq!(report(dir.path()).verdict(), Verdict::CouldNotCheck);
}

#[test]
fn a_database_is_searched_in_rows_log_and_freed_pages_until_it_is_wiped() {
    let dir = home();
    let path = dir.path().join("journal.sqlite");
    let db = Connection::open(&path).expect("opened");
    db.pragma_update(None, "journal_mode", "WAL").expect("set");
    db.pragma_update(None, "wal_autocheckpoint", 0).expect("set");
    db.pragma_update(None, "secure_delete", false).expect("set");
    db.execute_batch("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT, b BLOB)").expect("created");
    let packed = zstd::encode_all(NAME.as_bytes(), 3).expect("packed");
    let json = MAIL.replace('@', "\\u0040");
    db.execute("INSERT INTO t (v, b) VALUES (?1, ?2)", rusqlite::params![json, packed]).expect("inserted");
    for n in 0..200 {
        db.execute("INSERT INTO t (v) VALUES (?1)", [format!("{n} {NAME} {}", "x".repeat(900))]).expect("inserted");
    }
    let told = report(dir.path());
    found(&told, "journal.sqlite-wal", "wal", "name");
    found(&told, "journal.sqlite", "sqlite t.v", "name");
    found(&told, "journal.sqlite", "sqlite t.v, escaped", "mail");
    found(&told, "journal.sqlite", "sqlite t.b, zstd", "name");
    db.execute("DELETE FROM t", []).expect("deleted");
    drop(db);
    let told = report(dir.path());
    found(&told, "journal.sqlite", "raw", "name");
    assert!(told.hits.iter().all(|h| !h.how.starts_with("sqlite")), "no live row: {told}");
    wipe_sqlite(&path).expect("wiped");
    let told = report(dir.path());
    assert_eq!(told.verdict(), Verdict::Clean, "{told}");
    assert!(fs::metadata(dir.path().join("journal.sqlite-wal")).map_or(0, |m| m.len()) == 0);
}

#[test]
fn a_database_in_use_is_not_taken_for_wiped() {
    let dir = home();
    let path = dir.path().join("ledger.sqlite");
    let db = Connection::open(&path).expect("opened");
    db.pragma_update(None, "journal_mode", "WAL").expect("set");
    db.execute_batch("CREATE TABLE t (v TEXT); INSERT INTO t VALUES ('a')").expect("created");
    let reader = Connection::open(&path).expect("opened");
    reader.execute_batch("BEGIN; SELECT * FROM t").expect("a snapshot is held");
    let mut rows = reader.prepare("SELECT v FROM t").expect("prepared");
    let mut rows = rows.query([]).expect("begun");
    rows.next().expect("a row");
    db.execute("INSERT INTO t VALUES ('b')", []).expect("inserted");
    let e = wipe_sqlite(&path).expect_err("in use").to_string();
    assert!(e.contains("ledger.sqlite") && e.contains("program"), "{e}");
}

#[test]
fn parquet_is_searched_in_values_statistics_and_footer() {
    let dir = home();
    let path = dir.path().join("part-0.parquet");
    let write = |hidden: &str| {
        let texts = StringArray::from((0..5000).map(|n| if n % 7 == 0 { hidden } else { "a" }).collect::<Vec<_>>());
        let mut list = ListBuilder::new(StringBuilder::new());
        for n in 0..5000 {
            list.append_value([Some(if n == 4000 { hidden.to_owned() } else { format!("v{n}") })]);
        }
        let binary = BinaryArray::from_iter_values((0..5000).map(|_| hidden.as_bytes()));
        let columns: [(&str, ArrayRef); 3] =
            [("quote", Arc::new(texts)), ("items", Arc::new(list.finish())), ("raw", Arc::new(binary))];
        let batch = RecordBatch::try_from_iter(columns).expect("a batch");
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::try_new(3).expect("a level")))
            .set_key_value_metadata(Some(vec![KeyValue::new("by".into(), hidden.to_owned())]))
            .build();
        let file = File::create(&path).expect("created");
        let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties)).expect("opened");
        writer.write(&batch).expect("written");
        writer.close().expect("closed");
    };
    write(NAME);
    let told = report(dir.path());
    for how in [
        "parquet quote",
        "parquet items",
        "parquet raw",
        "parquet metadata",
        "parquet statistics of raw",
        "parquet page index of raw",
    ] {
        found(&told, "part-0.parquet", how, "name");
    }
    // Cut off: the footer is gone, the pages are not.
    let bytes = fs::read(&path).expect("read");
    fs::write(&path, &bytes[..bytes.len() / 2]).expect("written");
    let told = report(dir.path());
    found(&told, "part-0.parquet", "raw, zstd", "name");
    assert!(!told.unreadable.is_empty());
    write("Z");
    let told = report(dir.path());
    assert_eq!(told.verdict(), Verdict::Clean, "{told}");
}
