//! Tests of publishing: round trips, determinism, and death at every moment.

use ::bytes::Bytes;
use arrow_schema::DataType;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::metadata::RowGroupMetaData;

use super::*;
use crate::sink::fixtures::{account_id, facts, publish, rows, run_id, signal, subject_id, write};
use crate::sink::{
    Select, pipelines, read_accounts, read_buying_centers, read_decisions, read_documents, read_evidence,
    read_personas, read_runs, safe_text,
};

fn home() -> tempfile::TempDir {
    tempfile::tempdir().expect("temp folder")
}

fn bytes(snapshot: &Snapshot, table: Table) -> Vec<u8> {
    fs::read(&snapshot.files(table).expect("files")[0]).expect("read")
}

#[test]
fn tables_from_before_a_column_are_read_and_rewritten_without_it() {
    let full = Table::Personas.schema(&FileFacts::default());
    let before: Vec<usize> = (0..full.fields().len()).filter(|i| full.field(*i).name() != "segment_values").collect();
    assert_eq!(before.len() + 1, full.fields().len());
    let schema = Arc::new(full.project(&before).expect("fewer columns"));
    let row = rows(2).personas.remove(1);
    let batch = encode::personas(&schema, std::slice::from_ref(&row)).expect("a batch of the old columns");
    let back = crate::sink::decode::personas(&batch).expect("old rows can be read");
    assert_eq!(back[0].segment_values, []);
    assert_eq!((&back[0].subject_id, &back[0].study_priors), (&row.subject_id, &row.study_priors));

    let schema = Table::Decisions.schema(&FileFacts::default());
    let row = rows(1).decisions.remove(0);
    let batch = encode::decisions(&schema, std::slice::from_ref(&row)).expect("a batch");
    let before: Vec<usize> = (0..schema.fields().len()).filter(|i| schema.field(*i).name() != "holds_until").collect();
    let old = batch.project(&before).expect("fewer columns");
    let back = crate::sink::decode::decisions(&old).expect("old rows can be read");
    assert_eq!(back, [crate::model::DecisionRow { holds_until: None, ..row }]);
}

#[test]
fn what_was_written_comes_back() {
    let (dir, given) = (home(), rows(50));
    let s = publish(dir.path(), "demo", "a", &given, 7);
    let all = Select::All;
    let mut personas = given.personas.clone();
    for named in personas.iter_mut().flat_map(|p| &mut p.empathy_map) {
        named.value = named.value.as_deref().map(|v| safe_text(v).into_owned().into());
    }
    assert_eq!(personas[0].empathy_map[0].value.as_deref(), Some("‹b›Wir prüfen‹/b›"));
    assert_eq!(read_personas(&s, &all).expect("read"), personas);
    assert_eq!(read_evidence(&s, &all).expect("read"), given.evidence);
    assert_eq!(read_accounts(&s, &all).expect("read"), given.accounts);
    assert_eq!(read_decisions(&s, &all).expect("read"), given.decisions);
    assert_eq!(read_documents(&s).expect("read"), given.documents);
    assert_eq!(read_runs(&s).expect("read"), given.runs);
    let centers = read_buying_centers(&s, &all).expect("read");
    assert_eq!(centers.len(), given.buying_centers.len());
    assert_eq!(centers[0].next_best_question.as_deref(), Some("'=Wer gibt das Budget frei?"));
    assert_eq!(centers[3].members, given.buying_centers[3].members);
}

#[test]
fn a_card_reads_one_contact_or_one_company() {
    let (dir, given) = (home(), rows(5000));
    let s = publish(dir.path(), "demo", "a", &given, 1000);
    let one = read_personas(&s, &Select::Subject(subject_id(4321))).expect("read");
    assert_eq!(one.len(), 1);
    assert_eq!(one[0].crm_record, "00Q4321");
    let company = read_personas(&s, &Select::Account(account_id(7))).expect("read");
    assert_eq!(company.iter().map(|p| p.crm_record.as_str()).collect::<Vec<_>>(), ["00Q21", "00Q22", "00Q23"]);
    assert_eq!(read_accounts(&s, &Select::Account(account_id(7))).expect("read").len(), 1);
    assert!(read_accounts(&s, &Select::Subject(subject_id(1))).expect("read").is_empty(), "no such column, no rows");
    assert!(read_personas(&s, &Select::Subject(subject_id(999_999))).expect("read").is_empty());
}

#[test]
fn equal_rows_are_equal_bytes_whatever_the_chunks_run_and_home() {
    let (a, b, given) = (home(), home(), rows(4500));
    let one = publish(a.path(), "demo", "a", &given, 7);
    let other = publish(b.path(), "other", "b", &given, 100_000);
    let third = publish(b.path(), "other", "c", &given, 4095);
    for table in Table::ALL {
        assert_eq!(bytes(&one, table), bytes(&other, table), "{table}");
        assert_eq!(bytes(&one, table), bytes(&third, table), "{table}");
    }
    assert_eq!(
        one.manifest().expect("manifest")["snapshot"]["tables"],
        other.manifest().expect("manifest")["snapshot"]["tables"]
    );
}

#[test]
fn empty_tables_have_a_file_and_their_schema() {
    let dir = home();
    let writer = SnapshotWriter::create(dir.path(), "demo", &run_id("a"), &facts()).expect("fresh");
    let s = writer.commit(&Value::Null).expect("commit");
    for table in Table::ALL {
        let file = fs::File::open(&s.files(table).expect("a file")[0]).expect("open");
        let reader = ParquetRecordBatchReaderBuilder::try_new(file).expect("Parquet");
        assert_eq!(reader.schema().fields(), table.schema(&facts()).fields(), "{table}");
        assert_eq!(reader.metadata().file_metadata().num_rows(), 0);
        assert_eq!(s.read(table).expect("opens").map(|b| b.expect("batch").num_rows()).sum::<usize>(), 0);
    }
}

#[test]
fn files_carry_metadata_statistics_and_page_index() {
    let dir = home();
    let s = publish(dir.path(), "demo", "a", &rows(3000), 500);
    for table in Table::ALL {
        let file = fs::File::open(&s.files(table).expect("files")[0]).expect("open");
        let meta = ParquetRecordBatchReaderBuilder::try_new(file).expect("Parquet").metadata().clone();
        let kv = meta.file_metadata().key_value_metadata().expect("metadata");
        for (key, value) in [("policy_hash", "sha256:0badc0de"), ("advisory", crate::sink::ADVISORY)] {
            assert!(kv.iter().any(|e| e.key == key && e.value.as_deref() == Some(value)), "{table} {key}");
        }
        for column in meta.row_groups().iter().flat_map(RowGroupMetaData::columns) {
            let path = column.column_path();
            assert!(matches!(column.compression(), parquet::basic::Compression::ZSTD(_)), "{table} {path}");
            assert!(column.statistics().is_some(), "{table} {path}");
            assert!(column.column_index_offset().is_some() && column.offset_index_offset().is_some(), "{table} {path}");
        }
    }
    for field in Table::Personas.schema(&facts()).fields() {
        assert!(!matches!(field.data_type(), DataType::Dictionary(..) | DataType::LargeUtf8), "{}", field.name());
    }
}

#[test]
fn pages_and_row_groups_are_bounded_and_do_not_depend_on_the_chunks() {
    let letter = rows(1).dead_letters.remove(0);
    let letters: Vec<DeadLetter> =
        (0..140_000).map(|i| DeadLetter { row_commitment: format!("hmac-sha256:{i:x}"), ..letter.clone() }).collect();
    let written = |chunk: usize| {
        let dir = home();
        let mut writer = SnapshotWriter::create(dir.path(), "demo", &run_id("a"), &facts()).expect("create");
        letters.chunks(chunk).try_for_each(|c| writer.dead_letters(c)).expect("written");
        assert_eq!(writer.rows(Table::DeadLetters), 140_000);
        bytes(&writer.commit(&Value::Null).expect("commit"), Table::DeadLetters)
    };
    let file = written(3333);
    assert!(file == written(140_000), "equal bytes");
    let meta = ParquetRecordBatchReaderBuilder::try_new(Bytes::from(file)).expect("Parquet").metadata().clone();
    let groups: Vec<i64> = meta.row_groups().iter().map(RowGroupMetaData::num_rows).collect();
    assert_eq!(groups, [131_072, 8928]);
}

#[test]
fn death_at_any_moment_leaves_current_whole_and_the_next_run_clears_up() {
    for step in [Step::Files, Step::Manifest, Step::Folder, Step::Current] {
        let (dir, given) = (home(), rows(10));
        let first = publish(dir.path(), "demo", "first", &given, 10);
        let mut writer = SnapshotWriter::create(dir.path(), "demo", &run_id("second"), &facts()).expect("create");
        write(&mut writer, &given, 3);
        writer.fail_after = Some(step);
        writer.commit(&Value::Null).expect_err("killed");
        let now = current(dir.path(), "demo").expect("readable").expect("there");
        let published = step == Step::Current;
        assert_eq!(now.run_id(), if published { "run_second" } else { first.run_id() }, "{step:?}");
        assert_eq!(read_personas(&now, &Select::All).expect("whole").len(), 10, "{step:?}");
        #[cfg(unix)]
        assert_eq!(latest(dir.path()), format!("snapshot={}", now.run_id()), "{step:?}");
        // The same run again, as a resumed one does.
        if !published {
            let again = publish(dir.path(), "demo", "second", &given, 10);
            assert_eq!(current(dir.path(), "demo").expect("readable"), Some(again), "{step:?}");
        }
        assert!(home::sub_dirs(&dir.path().join(".work")).expect("read").is_empty(), "{step:?}");
    }
}

#[cfg(unix)]
fn latest(home: &Path) -> String {
    fs::read_link(home.join("demo/latest")).expect("a link").to_string_lossy().into_owned()
}

#[cfg(unix)]
#[test]
fn a_link_that_was_left_behind_is_put_right_and_what_is_no_link_is_left_alone() {
    let dir = home();
    publish(dir.path(), "demo", "a", &rows(3), 3);
    publish(dir.path(), "demo", "b", &rows(3), 3);
    let link = dir.path().join("demo/latest");
    fs::remove_file(&link).expect("there");
    std::os::unix::fs::symlink("snapshot=run_a", &link).expect("as a run leaves it that dies after `current`");
    SnapshotWriter::create(dir.path(), "demo", &run_id("c"), &facts()).expect("create").abort();
    assert_eq!(latest(dir.path()), "snapshot=run_b");
    fs::remove_file(&link).expect("there");
    fs::write(&link, "somebody's own").expect("write");
    publish(dir.path(), "demo", "c", &rows(3), 3);
    assert_eq!(fs::read_to_string(&link).expect("still theirs"), "somebody's own");
}

#[test]
fn a_killed_writer_is_invisible_and_cleared_and_others_staging_stays() {
    let dir = home();
    let mut writer = SnapshotWriter::create(dir.path(), "demo", &run_id("dead"), &facts()).expect("create");
    write(&mut writer, &rows(5), 5);
    std::mem::forget(writer);
    fs::create_dir(dir.path().join(".work/journal")).expect("staging of the engine");
    assert_eq!(current(dir.path(), "demo").expect("readable"), None);
    assert!(pipelines(dir.path()).is_empty());
    let writer = SnapshotWriter::create(dir.path(), "demo", &run_id("next"), &facts()).expect("create");
    assert_eq!(home::sub_dirs(&dir.path().join(".work")).expect("read"), ["journal", "snapshot=run_next"]);
    writer.abort();
    assert_eq!(home::sub_dirs(&dir.path().join(".work")).expect("read"), ["journal"]);
    fs::create_dir_all(dir.path().join("demo/snapshot=run_orphan/personas")).expect("half a folder");
    assert_eq!(current(dir.path(), "demo").expect("readable"), None);
}

#[test]
fn old_snapshots_go_and_a_run_is_published_once() {
    let (dir, given) = (home(), rows(3));
    for run in ["z", "y", "x", "w"] {
        let mut writer =
            SnapshotWriter::create(dir.path(), "demo", &run_id(run), &facts()).expect("create").keep_snapshots(2);
        write(&mut writer, &given, 3);
        writer.commit(&Value::Null).expect("commit");
    }
    let kept: Vec<String> =
        snapshots(dir.path(), "demo").expect("list").iter().map(|s| s.run_id().to_owned()).collect();
    assert_eq!(kept, ["run_x", "run_w"], "in the order of publication, not of names");
    assert_eq!(pipelines(dir.path()), ["demo"]);
    let again = SnapshotWriter::create(dir.path(), "demo", &run_id("w"), &facts());
    assert!(matches!(again, Err(SinkError::Published { .. })));
    assert_eq!(fs::read_to_string(dir.path().join("demo/current")).expect("read"), "snapshot=run_w\n");
}

#[test]
fn a_current_that_names_nothing_whole_is_an_error_that_says_what_to_do() {
    let dir = home();
    publish(dir.path(), "demo", "a", &rows(3), 3);
    for bad in ["", "snapshot=run_gone\n", "snapshot=../../etc\n", "run_a\n", "snapshot=run_a\nx"] {
        fs::write(dir.path().join("demo/current"), bad).expect("write");
        let e = current(dir.path(), "demo").expect_err("not whole").to_string();
        assert!(e.contains("current") && e.contains("run the pipeline again"), "{e}");
    }
    let again = publish(dir.path(), "demo", "b", &rows(3), 3);
    assert_eq!(current(dir.path(), "demo").expect("whole again"), Some(again));
}

#[test]
fn rows_out_of_order_or_range_are_refused_without_their_content() {
    let dir = home();
    let mut writer = SnapshotWriter::create(dir.path(), "demo", &run_id("a"), &facts()).expect("create");
    let mut given = rows(9);
    writer.accounts(&given.accounts[1..]).expect("sorted");
    let e = writer.accounts(&given.accounts[..1]).expect_err("goes down").to_string();
    assert!(e.contains("account_id") && !e.contains("acc_"), "{e}");
    let centers = [given.buying_centers[1].clone(), given.buying_centers[0].clone()];
    assert!(matches!(writer.buying_centers(&centers), Err(SinkError::Unsorted { row: 1, .. })));
    for bad in [f64::NAN, 1.5, -0.1, f64::INFINITY] {
        given.personas[2].buying_roles[1].probability = Some(bad);
        let mut writer = SnapshotWriter::create(dir.path(), "demo", &run_id("b"), &facts()).expect("create");
        let e = writer.personas(&given.personas).expect_err("no probability").to_string();
        assert!(e.contains("probability") && e.contains("[0, 1]"), "{e}");
    }
}

#[test]
fn a_companys_own_signals_come_before_its_contacts() {
    let dir = home();
    let mut writer = SnapshotWriter::create(dir.path(), "demo", &run_id("a"), &facts()).expect("create");
    let company = signal(9, crate::model::About::Account(account_id(1)));
    let contact = signal(3, crate::model::About::Subject(subject_id(3), Some(account_id(1))));
    writer.evidence(&[company.clone(), contact.clone()]).expect("sorted");
    let s = writer.commit(&Value::Null).expect("commit");
    assert_eq!(read_evidence(&s, &Select::All).expect("read"), [company, contact.clone()]);
    assert_eq!(read_evidence(&s, &Select::Subject(subject_id(3))).expect("read"), [contact]);
}

#[test]
fn a_damaged_file_is_named() {
    let dir = home();
    let s = publish(dir.path(), "demo", "a", &rows(3), 3);
    fs::write(&s.files(Table::Personas).expect("files")[0], b"PAR1 not").expect("write");
    let e = read_personas(&s, &Select::All).expect_err("damaged").to_string();
    assert!(e.contains("part-0.parquet") && e.contains("run the pipeline again"), "{e}");
}

#[cfg(unix)]
#[test]
fn everything_is_for_the_owner_only_and_a_file_in_the_way_is_told() {
    use std::os::unix::fs::PermissionsExt;
    fn check(path: &Path) {
        for entry in fs::read_dir(path).expect("read") {
            let path = entry.expect("entry").path();
            let mode = fs::metadata(&path).expect("metadata").permissions().mode() & 0o777;
            assert_eq!(mode, if path.is_dir() { 0o700 } else { 0o600 }, "{}", path.display());
            if path.is_dir() {
                check(&path);
            }
        }
    }
    let dir = home();
    let home = dir.path().join("home");
    let lock = crate::sink::HomeLock::acquire(&home).expect("free");
    publish(lock.home(), "demo", "a", &rows(3), 3);
    check(dir.path());
    fs::write(home.join("other"), b"").expect("a file in the way");
    let e = SnapshotWriter::create(&home, "other", &run_id("a"), &facts()).expect_err("in the way").to_string();
    assert!(e.contains("other") && e.contains("in the way"), "{e}");
    let e = SnapshotWriter::create(&home, "../x", &run_id("a"), &facts()).expect_err("leaves the home").to_string();
    assert!(e.contains("[a-z][a-z0-9_-]{0,63}"), "{e}");
}
