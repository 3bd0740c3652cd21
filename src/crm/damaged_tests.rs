//! Damaged rows in each format: who is held back, and what stops the reading.

use std::fs;
use std::sync::Arc;

use ::parquet::arrow::ArrowWriter;
use arrow_array::{ArrayRef, RecordBatch, StringArray};

use crate::crm::{CrmPull, CsvSource, FileSet, pull};

/// What becomes of such contacts, an older file and a newer one, and of such consents.
fn read(older: &str, newer: &[u8], consents: Option<&[u8]>) -> Result<CrmPull, String> {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("c")).expect("a folder");
    fs::write(folder.path().join("c/1"), older).expect("written");
    if !newer.is_empty() {
        fs::write(folder.path().join("c/2"), newer).expect("written");
    }
    let set = |path: &str| FileSet { path: path.into(), ..FileSet::default() };
    let consents = consents.map(|text| {
        fs::write(folder.path().join("consents"), text).expect("written");
        set("consents")
    });
    pull(&CsvSource { contacts: set("c"), consents, ..CsvSource::default() }, folder.path()).map_err(|e| e.to_string())
}

const OLDER: &str = "id;last name;do not contact\nK-1;Anders;no\nK-2;Bunt;no\nK-3;Clausen;no\n";

fn consents(text: &[u8]) -> Result<CrmPull, String> {
    read(OLDER, b"", Some(text))
}

fn in_parquet(columns: &[(&str, &[&str])]) -> Vec<u8> {
    let columns = columns.iter().map(|(name, cells)| (*name, Arc::new(StringArray::from(cells.to_vec())) as ArrayRef));
    let batch = RecordBatch::try_from_iter(columns).expect("columns");
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).expect("a writer");
    writer.write(&batch).expect("written");
    writer.close().expect("closed");
    bytes
}

#[test]
fn a_row_of_consents_of_nobody_knows_whom_stops_the_reading() {
    let row = r#"{"event id": "E-1", "contact id": "K-2", "kind": "withdraw", "recorded at": "2026-02-01"}"#;
    let good = row.replace("K-2", "K-1").replace("withdraw", "grant");
    let mut damaged: Vec<Vec<u8>> = Vec::new();
    for bad in [
        row[..row.len() - 9].to_owned(),
        row.replace("withdraw", "with\"draw"),
        row.replace('}', r#", "kind": "withdraw"}"#),
        format!("[{row}]"),
        row.replace("draw", "\tdraw"),
        row.replace("K-2", "K-\\u00002"),
        "null".to_owned(),
        row.replace("E-1", &"x".repeat(5 << 20)),
    ] {
        damaged.push(format!("{good}\n{bad}\n{good}\n").into_bytes());
    }
    damaged.push(format!("[{good}, {}, {good}]", row.replace('}', r#", "kind": "grant"}"#)).into_bytes());
    let csv = |bad: &str| {
        let good = "E-0;K-1;grant;2026-01-01\n";
        format!("event id;contact id;kind;recorded at\n{good}{bad}\n{good}").into_bytes()
    };
    for bad in [
        "E-1;K-\x002;withdraw;2026-02-01",
        "E-1;K-\u{fffd};withdraw;2026-02-01",
        "E-1;K\u{1}-2;withdraw;2026-02-01",
        "E-1;x",
        "K-2 hat widerrufen",
        "E-1;withdraw",
        "E-1;a;b;c;K 2;withdraw;2026-02-01",
        &format!("E-1;K-2;withdraw;{}", "x".repeat(2 << 20)),
        &format!("E-1;K-2;withdraw;{}", "x".repeat(5 << 20)),
        "E-1;K-3;grant;\"2026-02-01\nE-2;K-2;withdraw;2026-02-01\nE-3;K-3;grant;2026-02-01\";more",
    ] {
        damaged.push(csv(bad));
    }
    let large = "x".repeat(2 << 20);
    for (ids, kinds) in [(["K-1", "K-\x002"], ["grant", "withdraw"]), (["K-1", "K-2"], ["grant", &large])] {
        damaged.push(in_parquet(&[("contact id", &ids), ("kind", &kinds)]));
    }
    for text in damaged {
        let begin = String::from_utf8_lossy(&text[..text.len().min(300)]).into_owned();
        let said = consents(&text).err().unwrap_or_default();
        assert!(said.contains("whose consents it has cannot be told"), "{said}: {begin}");
    }
}

#[test]
fn who_has_a_damaged_row_of_consents_is_held_back() {
    let good = "E-0;K-1;grant;2026-01-01\n";
    for bad in [
        "E-1;K-2;with\0draw;2026-02-01",
        "E-1;K-2;withdraw",
        "E;1;K-2;withdraw;2026-02-01",
        "E-1;K-2;withdraw;2026-02-01;by phone",
    ] {
        let text = format!("event id;contact id;kind;recorded at\n{good}{bad}\n{good}");
        let pulled = consents(text.as_bytes()).unwrap_or_else(|e| panic!("{bad}: {e}"));
        let held: Vec<bool> = pulled.contacts.iter().map(|contact| contact.flags.incomplete).collect();
        assert_eq!(held, [false, true, false], "{bad}");
    }
}

#[test]
fn an_object_that_does_not_end_is_told_where_it_begins() {
    let text = "\n{\"contact id\": \"K-1\", \"kind\": \"with\n{\"contact id\": \"K-2\", \"kind\": \"grant\"}\n";
    let said = consents(text.as_bytes()).err().unwrap_or_default();
    assert!(said.contains(":2: begins an object that does not end"), "{said}");
}

#[test]
fn words_below_a_table_are_no_row_of_it() {
    let good = "E-0;K-1;grant;2026-01-01\n";
    for footer in ["346 rows", "Export vom 3.5.2026", "Anzahl Datensätze: 346"] {
        let pulled = consents(format!("event id;contact id;kind;recorded at\n{good}{footer}\n").as_bytes());
        assert_eq!(pulled.unwrap_or_else(|e| panic!("{footer}: {e}")).consents.len(), 1, "{footer}");
    }
}

#[test]
fn an_older_row_does_not_hold_in_the_place_of_a_damaged_one() {
    let row =
        r#"{"account": {"id": "A-1"}, "id": "K-2", "last name": "Bunt", "do not contact": "yes", "language": "de"}"#;
    let other = r#"{"id": "K-3", "last name": "Clausen", "do not contact": "no"}"#;
    let mut damaged: Vec<(String, Vec<u8>)> = Vec::new();
    for bad in [
        row.replace('}', r#", "language": "en"}"#),
        row.replace("\"de\"", "\"d\te\""),
        row.replace("language", "langu\"age"),
        row[..row.len() - 3].to_owned(),
        format!("[{row}]"),
        row.replace("\"de\"", &format!("\"{}\"", "x".repeat(5 << 20))),
    ] {
        damaged.push((bad.chars().take(150).collect(), format!("{other}\n{bad}\n").into_bytes()));
        // In the first line, a quote may be open into the second one.
        let first = read(OLDER, format!("{bad}\n{other}\n").as_bytes(), None);
        let is_held = |pulled: &CrmPull| pulled.contacts[1].flags.incomplete || pulled.contacts[1].flags.do_not_contact;
        assert!(first.as_ref().map_or(true, is_held), "{}", bad.chars().take(150).collect::<String>());
    }
    // Nothing else is in the file.
    damaged.push(("alone".into(), row.replace('}', r#", "language": "en"}"#).into_bytes()));
    let csv = |bad: &str| format!("last name;id;do not contact;title\nClausen;K-3;no;x\n{bad}\n").into_bytes();
    for bad in [
        format!("Bunt;K-2;yes;{}", "x".repeat(2 << 20)),
        format!("Bunt;K-2;yes;{}", "ü".repeat(5 << 20)),
        format!("{};K-2;yes;x", "x".repeat(5 << 20)),
        "von;Bunt;K-2;yes;x".to_owned(),
        "Bunt;K-2;yes".to_owned(),
        "Bunt;K-2;yes;\0".to_owned(),
    ] {
        damaged.push((bad.chars().take(60).collect(), csv(&bad)));
    }
    let large = "x".repeat(2 << 20);
    let parquet = in_parquet(&[("id", &["K-2"]), ("last name", &["Bunt"]), ("title", &[&large])]);
    damaged.push(("parquet".into(), parquet));
    for (what, newer) in damaged {
        let pulled = read(OLDER, &newer, None).unwrap_or_else(|e| panic!("{what}: {e}"));
        let held: Vec<bool> = pulled.contacts.iter().map(|contact| contact.flags.incomplete).collect();
        assert_eq!(held, [false, true, false], "{what}");
    }
}

#[test]
fn a_no_of_nobody_knows_whom_stops_the_reading_and_a_damaged_row_without_one_does_not() {
    let row = r#"{"last name": "Bunt", "do not contact": "yes", "id": "K-2", "city": "Ulm"}"#;
    let other = r#"{"last name": "Clausen", "do not contact": "no", "id": "K-3", "city": "Ulm"}"#;
    let json = |bad: &str| format!("{other}\n{bad}\n").into_bytes();
    let csv = |bad: &str| format!("id;last name;do not contact;city\nK-3;Clausen;no;Ulm\n{bad}\n").into_bytes();
    for (newer, stops) in [
        (json(&row.replace("K-2", "K-\"2")), true),
        (json(&row.replace("\"id\"", "\"i\"d\"")), true),
        (json(&row[..30]), true),
        (json(&row.replace("K-2", "K-\"2").replace("yes", "no")), false),
        (json(&row.replace("K-2", "K-\"2").replace("\"yes\"", "null")), false),
        (json("null"), false),
        (json(&row.replace("K-2", "K-\"2").replace("do not contact", "unsubscribed")), true),
        (csv("K-\x002;Bunt;yes;Ulm"), true),
        (csv("K-\x002;Bunt;no;Ulm"), false),
        (csv(";Bunt;yes"), true),
        (csv(";Summe;17"), false),
    ] {
        let text = String::from_utf8_lossy(&newer).into_owned();
        let said = read(OLDER, &newer, None).err().unwrap_or_default();
        assert_eq!(said.contains("whose it is cannot be told, and it may say no"), stops, "{said}: {text}");
        assert!(stops || said.is_empty(), "{said}: {text}");
        assert!(!said.contains("Bunt") && !said.contains("Ulm"), "{said}");
    }
}

#[test]
fn rows_within_a_cell_stop_the_reading_where_others_may_hold_in_their_place() {
    let rows = "K-2;Bunt;yes;Ulm\nK-3;Clausen;no;Ulm\n";
    for begin in ["K-1;Anders;no;\"Ulm\n".to_owned(), format!("K-1;Anders;no;\"{}\n", "x".repeat(5 << 20))] {
        let newer = format!("id;last name;do not contact;city\n{begin}{rows}");
        let said = read(OLDER, newer.as_bytes(), None).err().unwrap_or_default();
        assert!(said.contains("line 2 in") && said.contains("close its quote"), "{said}");
        assert!(read(&newer, b"", None).is_ok(), "nobody else has their rows");
    }
    let remark = "id;last name;do not contact;city\nK-1;Anders;no;\"Ulm\nund um;Ulm\nherum\";more\n";
    assert!(read(OLDER, remark.as_bytes(), None).is_ok());
}
