//! Tests of rewriting: it equals never having been there, and death at every moment.

mod world;

use std::fs;

use arrow_schema::Schema;
use parquet::arrow::ArrowWriter;
use proptest::prelude::*;

use super::*;
use crate::model::{About, Account, Claim, DeadLetter, Target};
use crate::persona::account::account_row;
use crate::persona::center::buying_center;
use crate::persona::input::{Level, PriceBand};
use crate::persona::rows::RoleScore;
use crate::sink::fixtures::{
    Rows, account_id, at, dead_letter, decision, document, facts, persona, run, run_id, signal, subject_id, write,
};
use crate::sink::rewrite::swap::{exchange, two_renames};
use crate::sink::{Select, read_accounts, read_buying_centers, read_decisions, read_documents, read_personas};
use crate::taxonomy::{BuyingRole, FacetStatus, JobFunction, Operation};
use world::{Company, Contact, companies, contacts, manifest, offering, world};

fn home() -> tempfile::TempDir {
    tempfile::tempdir().expect("temp folder")
}

fn publish(home: &Path, run: &str, contacts: &[Contact], companies: &[Company]) -> Snapshot {
    let rows = world(contacts, companies);
    let mut writer = SnapshotWriter::create(home, "demo", &run_id(run), &facts()).expect("a fresh home");
    write(&mut writer, &rows, 3);
    writer.commit(&manifest(&rows, contacts.len())).expect("commit")
}

fn bytes(snapshot: &Snapshot, table: Table) -> Vec<u8> {
    fs::read(&snapshot.files(table).expect("files")[0]).expect("read")
}

/// Nobody keeps a log here.
#[expect(clippy::unnecessary_wraps, reason = "who keeps a log can fail")]
fn untold(_: &Snapshot, _: &Rewritten) -> Result<(), SinkError> {
    Ok(())
}

fn note() -> Note {
    Note { at: at("2026-04-01T00:00:00Z"), reason: "erasure" }
}

fn assert_same(a: &Snapshot, b: &Snapshot) {
    for table in Table::ALL {
        // Told as rows first, which says more than bytes.
        let rows = |s: &Snapshot| s.read(table).expect("opens").map(|b| b.expect("batch")).collect::<Vec<_>>();
        assert_eq!(rows(a), rows(b), "{table}");
        assert!(bytes(a, table) == bytes(b, table), "bytes of {table}");
    }
    let told = |s: &Snapshot| {
        let mut manifest = s.manifest().expect("manifest");
        manifest.as_object_mut().expect("an object").remove("rewritten");
        manifest
    };
    assert_eq!(told(a), told(b));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn removing_equals_never_having_been_there(
        all in contacts(), companies in companies(), out in prop::collection::vec(any::<bool>(), 8),
    ) {
        let (a, b) = (home(), home());
        let before = publish(a.path(), "a", &all, &companies);
        let (gone, left): (Vec<Contact>, Vec<Contact>) = all.iter().cloned().partition(|c| out[c.n]);
        let fresh = publish(b.path(), "a", &left, &companies);
        let change = Change::remove(gone.iter().map(|c| subject_id(c.n)));
        let done = rewrite_all(a.path(), &change, note(), untold).expect("rewritten");
        prop_assert_eq!(&done[0].0, &before);
        prop_assert_eq!(done[0].1.subjects, gone.len() as u64);
        assert_same(&before, &fresh);
        let text = before.manifest().expect("manifest").to_string();
        prop_assert_eq!(text.contains("\"rewritten\":"), !gone.is_empty());
        prop_assert!(!text.contains("sub_"));
        // Twice is once.
        let inode = fs::metadata(before.folder()).expect("there");
        let again = rewrite_all(a.path(), &change, note(), untold).expect("rewritten");
        prop_assert!(again[0].1.is_empty());
        prop_assert_eq!(fs::metadata(before.folder()).expect("there").modified().ok(), inode.modified().ok());
        prop_assert!(home::sub_dirs(&a.path().join(".work")).expect("read").is_empty());
    }

    #[test]
    fn leaving_out_before_publishing_keeps_the_decisions_only(
        all in contacts(), companies in companies(), out in prop::collection::vec(any::<bool>(), 8),
    ) {
        let (a, b) = (home(), home());
        let rows = world(&all, &companies);
        let mut writer = SnapshotWriter::create(a.path(), "demo", &run_id("a"), &facts()).expect("fresh");
        write(&mut writer, &Rows { runs: vec![], ..world(&all, &companies) }, 2);
        let gone: Vec<&Contact> = all.iter().filter(|c| out[c.n]).collect();
        let done = writer
            .amend(&offering(), |_| Ok(Change::leave_out(gone.iter().map(|c| subject_id(c.n)))))
            .expect("left out");
        writer.runs(&rows.runs).expect("runs stays open");
        let closed = matches!(writer.personas(&[]), Err(SinkError::Closed { .. }));
        prop_assert!(closed);
        let mut counts = json!({ "personas": rows.personas.len() });
        done.adjust_counts(&mut counts);
        let snapshot = writer.commit(&Value::Null).expect("commit");
        let silent = |c: &Contact| if out[c.n] { Contact { emitted: false, letter: false, ..c.clone() } } else { c.clone() };
        let fresh = publish(b.path(), "a", &all.iter().map(silent).collect::<Vec<_>>(), &companies);
        for table in [Table::Personas, Table::Evidence, Table::Accounts, Table::BuyingCenters, Table::DeadLetters] {
            prop_assert!(bytes(&snapshot, table) == bytes(&fresh, table), "bytes of {table}");
            let told = snapshot.manifest().expect("manifest");
            let fresh = fresh.manifest().expect("manifest");
            prop_assert_eq!(&told["snapshot"]["tables"][table.as_str()], &fresh["snapshot"]["tables"][table.as_str()]);
        }
        prop_assert_eq!(&counts["personas"], &fresh.manifest().expect("manifest")["summary"]["counts"]["personas"]);
        prop_assert_eq!(read_decisions(&snapshot, &Select::All).expect("read"), rows.decisions);
        prop_assert_eq!(read_documents(&snapshot).expect("read"), rows.documents);
    }

    #[test]
    fn a_correction_equals_having_been_right_from_the_start(
        all in contacts(), companies in companies(), roles in contacts(), moves in prop::option::of(0..3_usize),
    ) {
        let (a, b) = (home(), home());
        let before = publish(a.path(), "a", &all, &companies);
        let who = &all[0];
        let right = Contact { roles: roles[0].roles.clone(), account: moves, signals: 2, ..who.clone() };
        let mut corrected = all.clone();
        corrected[0] = right.clone();
        let rows = world(std::slice::from_ref(&right), &[]);
        let id = subject_id(who.n);
        let change = Change {
            personas: rows.personas.into_iter().map(|p| (id.clone(), p)).chain([(subject_id(99), persona(99))]).collect(),
            evidence: [(id, rows.evidence)].into(),
            ..Change::default()
        };
        rewrite_snapshot(a.path(), &before, &change, note()).expect("rewritten");
        let fresh = publish(b.path(), "a", &corrected, &companies);
        for table in [Table::Personas, Table::Evidence, Table::Accounts, Table::BuyingCenters, Table::Runs] {
            prop_assert!(bytes(&before, table) == bytes(&fresh, table), "bytes of {table}");
        }
        let again = rewrite_snapshot(a.path(), &before, &change, note()).expect("rewritten");
        prop_assert!(again.is_empty());
    }
}

fn two_of_a_company() -> (Vec<Contact>, Vec<Company>) {
    let contact = |n| Contact {
        n,
        account: Some(0),
        emitted: true,
        roles: vec![Some(9); BuyingRole::ALL.len()],
        signals: 1,
        documents: 1,
        letter: true,
    };
    (vec![contact(0), contact(1)], vec![Company { employees: Some(20), stated: None, formula: false }])
}

#[test]
fn every_snapshot_of_every_pipeline_is_rewritten_also_an_orphan() {
    let (dir, (contacts, companies)) = (home(), two_of_a_company());
    for run in ["a", "b"] {
        publish(dir.path(), run, &contacts, &companies);
    }
    let rows = world(&contacts, &companies);
    let mut writer = SnapshotWriter::create(dir.path(), "other", &run_id("c"), &facts()).expect("create");
    write(&mut writer, &rows, 3);
    writer.commit(&Value::Null).expect("commit");
    fs::remove_file(dir.path().join("other/current")).expect("an orphan");
    fs::create_dir_all(dir.path().join(".work/snapshot=run_dead/personas")).expect("left by a dead run");
    let done = rewrite_all(dir.path(), &Change::remove([subject_id(0)]), note(), untold).expect("rewritten");
    assert_eq!(done.len(), 3);
    for (snapshot, rewritten) in done {
        assert_eq!(rewritten.removed(Table::Personas), 1, "{}", snapshot.folder().display());
        assert_eq!(rewritten.companies, 1);
        let left = read_personas(&snapshot, &Select::All).expect("read");
        assert_eq!(left.iter().map(|p| &p.subject_id).collect::<Vec<_>>(), [&subject_id(1)]);
        assert_eq!(read_accounts(&snapshot, &Select::All).expect("read")[0].n_personas, 1);
        let centers = read_buying_centers(&snapshot, &Select::All).expect("read");
        assert!(centers.iter().flat_map(|c| &c.members).all(|m| m.subject_id == subject_id(1)));
    }
    assert!(home::sub_dirs(&dir.path().join(".work")).expect("read").is_empty());
}

#[test]
fn rows_are_carried_over_into_tables_that_were_written_otherwise() {
    let today = Table::Personas.schema(&facts());
    let described = crate::sink::fixtures::fields_of_before(&today);
    let fewer = described.iter().filter(|field| field.name() != "segment_values").cloned().collect();
    for fields in [described, fewer] {
        let (dir, (mut contacts, companies)) = (home(), two_of_a_company());
        // One is worked on tonight, the other one is not of that company.
        contacts[1].account = None;
        let before = publish(dir.path(), "a", &contacts, &companies);
        assert!(is_written_as_today(&before, &facts()).expect("readable"));
        let rows: Vec<_> = before.read(Table::Personas).expect("opens").map(|batch| batch.expect("a batch")).collect();
        let schema = Arc::new(Schema::new(fields));
        let file = fs::File::create(&before.files(Table::Personas).expect("files")[0]).expect("a file");
        let mut otherwise = ArrowWriter::try_new(file, schema.clone(), None).expect("a writer");
        for batch in rows {
            let batch = crate::sink::encode::to_written(Table::Personas, &schema, batch).expect("it goes in");
            otherwise.write(&batch).expect("written");
        }
        otherwise.close().expect("closed");
        assert!(!is_written_as_today(&before, &facts()).expect("readable"));

        let mut writer = SnapshotWriter::create(dir.path(), "demo", &run_id("b"), &facts()).expect("fresh");
        write(&mut writer, &Rows { runs: vec![], ..world(&contacts[..1], &companies) }, 2);
        let worked = Worked { subjects: [subject_id(0).to_string()].into(), ..Worked::default() };
        writer.carry_over(&before, worked).expect("carried over");
        writer.runs(&world(&contacts, &companies).runs).expect("runs stays open");
        let after = writer.commit(&Value::Null).expect("commit");
        let read = |snapshot| read_personas(snapshot, &Select::All).expect("read");
        let ids: Vec<_> = read(&after).into_iter().map(|row| row.subject_id).collect();
        assert_eq!((ids, read(&after).len()), ([subject_id(1), subject_id(0)].into(), read(&before).len()));
    }
}

#[test]
fn dead_letters_tied_by_commitment_go_and_a_damaged_snapshot_does_not_save_the_others() {
    let (dir, (contacts, companies)) = (home(), two_of_a_company());
    let damaged = publish(dir.path(), "a", &contacts, &companies);
    let whole = publish(dir.path(), "b", &contacts, &companies);
    fs::write(&damaged.files(Table::Personas).expect("files")[0], b"PAR1 not").expect("write");
    let mut change = Change::remove([subject_id(0)]);
    change.commitments.insert("hmac-sha256:11".into());
    let e = rewrite_all(dir.path(), &change, note(), untold).expect_err("damaged").to_string();
    assert!(e.contains("part-0.parquet"), "{e}");
    assert_eq!(read_personas(&whole, &Select::All).expect("read").len(), 1);
    let letters = whole.read(Table::DeadLetters).expect("opens").map(|b| b.expect("batch").num_rows()).sum::<usize>();
    assert_eq!(letters, 0);
}

#[test]
fn death_at_any_moment_leaves_old_or_new_and_the_next_call_finishes() {
    for moment in ["built", "exchanged", "ready", "away", "live"] {
        let (dir, other, (contacts, companies)) = (home(), home(), two_of_a_company());
        let s = publish(dir.path(), "a", &contacts, &companies);
        let change = Change::remove([subject_id(0)]);
        let place = Place::of(dir.path(), &s);
        build(&place, &s, &change, note(), s.manifest().expect("manifest"), Some(&offering())).expect("built");
        let work = |prefix: &str| dir.path().join(".work").join(format!("{prefix}demo=run_a"));
        match moment {
            "exchanged" => assert!(exchange(&place).expect("exchanged"), "this file system can"),
            "ready" => fs::rename(work("rewrite="), work("ready=")).expect("renamed"),
            "away" => {
                fs::rename(work("rewrite="), work("ready=")).expect("renamed");
                fs::rename(&place.live, work("replaced=")).expect("renamed");
            }
            "live" => two_renames(&place).expect("renamed"),
            _ => {}
        }
        if moment != "away" {
            let n = read_personas(&s, &Select::All).expect("whole").len();
            assert_eq!(n, if ["exchanged", "live"].contains(&moment) { 1 } else { 2 }, "{moment}");
        }
        rewrite_all(dir.path(), &change, note(), untold).expect("finished");
        assert_eq!(crate::sink::current(dir.path(), "demo").expect("readable"), Some(s.clone()), "{moment}");
        assert_same(&s, &publish(other.path(), "a", &contacts[1..], &companies));
        assert!(home::sub_dirs(&dir.path().join(".work")).expect("read").is_empty(), "{moment}");
    }
}

#[test]
fn without_an_offering_in_the_manifest_no_question_may_stay() {
    let (dir, (mut contacts, companies)) = (home(), two_of_a_company());
    for contact in &mut contacts {
        contact.roles = vec![Some(3); BuyingRole::ALL.len()];
    }
    let rows = world(&contacts, &companies);
    let mut writer = SnapshotWriter::create(dir.path(), "demo", &run_id("a"), &facts()).expect("create");
    write(&mut writer, &rows, 3);
    let s = writer.commit(&Value::Null).expect("commit");
    assert!(read_buying_centers(&s, &Select::All).expect("read").iter().any(|c| c.next_best_question.is_some()));
    rewrite_snapshot(dir.path(), &s, &Change::remove([subject_id(0)]), note()).expect("rewritten");
    assert!(read_buying_centers(&s, &Select::All).expect("read").iter().all(|c| c.next_best_question.is_none()));
}
