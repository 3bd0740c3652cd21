//! Nights of changes over snapshots that another build of the program wrote, and nights that publish nothing.
//!
//! Invariant: whoever says no is out of every snapshot when the night is over, whatever became of it.

use std::collections::{BTreeMap, HashSet};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, RecordBatch, make_array};
use arrow_schema::{DataType, Field, FieldRef, Schema};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::arrow::{ARROW_SCHEMA_META_KEY, ArrowWriter};
use parquet::file::properties::WriterProperties;
use prosopon::sink::{self, Select, Snapshot, Table};

use crate::carry::{add, changed, rows, world};
use crate::harness::{Said, arg, say, temp};

fn current(home: &Path) -> Snapshot {
    sink::current(home, "synthetic").expect("current").expect("a snapshot")
}

/// The records of those who have a persona in any snapshot.
fn have(home: &Path) -> HashSet<String> {
    let snapshots = sink::snapshots(home, "synthetic").expect("snapshots");
    let personas = snapshots.iter().flat_map(|s| sink::read_personas(s, &Select::All).expect("personas"));
    personas.map(|persona| persona.crm_record).collect()
}

/// Some who have a persona, and a consent that they can withdraw.
fn people(folder: &Path, home: &Path) -> Vec<String> {
    let with_persona = have(home);
    let consents = rows(folder, "consents").into_iter().filter(|row| row[2] == "grant");
    let mut all: Vec<String> = consents.map(|row| row[1].clone()).filter(|id| with_persona.contains(id)).collect();
    all.dedup();
    all
}

/// Exports a withdrawal.
fn withdraw(folder: &Path, person: &str) {
    let consents = rows(folder, "consents");
    let grant = consents.iter().find(|row| row[1] == person && row[2] == "grant").expect("a consent");
    let row = changed(grant, &[(0, "E-w"), (2, "withdraw"), (8, "2026-02-20T08:00:00Z")]);
    add(folder, "consents", "1.csv", &[row]);
}

/// Writes a file anew, as a build would have that described columns otherwise or had fewer of them.
fn write_anew(file: &Path, change: impl Fn(&FieldRef) -> Option<FieldRef>) {
    let builder = ParquetRecordBatchReaderBuilder::try_new(File::open(file).expect("a file")).expect("Parquet");
    let known = builder.metadata().file_metadata().key_value_metadata().cloned().unwrap_or_default();
    let known = known.into_iter().filter(|pair| pair.key != ARROW_SCHEMA_META_KEY).collect();
    let today = builder.schema().clone();
    let batches: Vec<RecordBatch> = builder.build().expect("a reader").map(|batch| batch.expect("a batch")).collect();
    let fields: Vec<FieldRef> = today.fields().iter().filter_map(change).collect();
    let before = Arc::new(Schema::new_with_metadata(fields, today.metadata().clone()));
    let properties = WriterProperties::builder().set_key_value_metadata(Some(known)).build();
    let out = File::create(file).expect("a file");
    let mut writer = ArrowWriter::try_new(out, before.clone(), Some(properties)).expect("a writer");
    for batch in batches {
        let column =
            |field: &FieldRef| retyped(batch.column_by_name(field.name()).expect("a column"), field.data_type());
        let columns = before.fields().iter().map(column).collect();
        writer.write(&RecordBatch::try_new(before.clone(), columns).expect("a batch")).expect("written");
    }
    writer.close().expect("closed");
}

/// An array whose type has other descriptions.
fn retyped(array: &dyn Array, to: &DataType) -> ArrayRef {
    let data = array.to_data();
    let within: Vec<DataType> = match to {
        DataType::List(element) => vec![element.data_type().clone()],
        DataType::Struct(fields) => fields.iter().map(|field| field.data_type().clone()).collect(),
        _ => Vec::new(),
    };
    let children = data.child_data().iter().zip(within);
    let children = children.map(|(child, to)| retyped(&make_array(child.clone()), &to).to_data()).collect();
    make_array(data.into_builder().data_type(to.clone()).child_data(children).build().expect("the same values"))
}

/// What is written of a column, in other words.
fn other_words(field: &Field) -> BTreeMap<String, String> {
    field.metadata().iter().map(|(key, value)| (key.clone(), value.replace(' ', "  "))).collect()
}

/// A type whose columns within lists are described in other words.
fn in_other_words(data_type: &DataType) -> DataType {
    let described = |field: &FieldRef| {
        let field = field.as_ref().clone().with_data_type(in_other_words(field.data_type()));
        let words = other_words(&field);
        Arc::new(field.with_metadata(words))
    };
    match data_type {
        DataType::List(element) => DataType::List(described(element)),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(described).collect()),
        other => other.clone(),
    }
}

fn night(folder: &Path, home: &Path, also: &[&str]) -> Said {
    let pipeline = folder.join("pipeline.yaml");
    let line = ["run", arg(&pipeline), "--out", arg(home)].into_iter().chain(also.iter().copied());
    say(line.collect::<Vec<_>>())
}

fn homes(temp: &Path, name: &str) -> (PathBuf, PathBuf) {
    let (folder, home) = (temp.join(name), temp.join(name).join("home"));
    world(&folder, "60");
    night(&folder, &home, &[]).expect(0);
    (folder, home)
}

#[test]
fn over_tables_that_another_build_wrote_everybody_is_worked_on_and_a_no_reaches_them() {
    type Change = fn(&FieldRef) -> Option<FieldRef>;
    let cases: [(&str, Change); 3] = [
        ("within", |f| Some(Arc::new(f.as_ref().clone().with_data_type(in_other_words(f.data_type()))))),
        ("fewer", |f| (f.name() != "segment_values").then(|| f.clone())),
        ("outside", |f| {
            let field = f.as_ref().clone();
            Some(Arc::new(field.with_metadata(other_words(f))))
        }),
    ];
    let temp = temp();
    for (name, change) in cases {
        let (folder, home) = homes(temp.path(), name);
        let people = people(&folder, &home);
        write_anew(&current(&home).path(Table::Personas).join("part-0.parquet"), change);
        // An objection rewrites the tables as they are, and the log announces them.
        say(["subject", "object", &people[0], "--out", arg(&home)]).expect(0);
        withdraw(&folder, &people[1]);
        let said = night(&folder, &home, &[]).expect(0);
        assert!(
            said.err.contains("everybody is worked on: tables of the last snapshot were written"),
            "{name}: {}",
            said.err
        );
        let left = have(&home);
        assert!(!left.contains(&people[0]) && !left.contains(&people[1]) && left.contains(&people[2]), "{name}");
        let snapshot = sink::read_personas(&current(&home), &Select::All).expect("personas");
        assert_eq!(snapshot.len(), left.len(), "{name}: tonight's snapshot has all who are left");
        say(["audit", "verify", "--out", arg(&home)]).expect(0);
        // And from then on rows are carried over again.
        let said = night(&folder, &home, &["--json"]).expect(0);
        assert!(said.json()["counts"]["carried_over"].as_u64() > Some(0), "{name}: {}", said.err);
    }
}

#[test]
fn what_other_rules_of_the_gate_decided_is_not_carried_over() {
    let temp = temp();
    let (folder, home) = homes(temp.path(), "rules");
    for (own, other) in [("+rules.", "+rules.9"), ("\"code\"", "\"code_\"")] {
        let manifest = current(&home).folder().join("manifest.json");
        let text = fs::read_to_string(&manifest).expect("a manifest");
        assert!(text.contains(own), "{text}");
        fs::write(&manifest, text.replace(own, other)).expect("written");
        let said = night(&folder, &home, &[]).expect(0);
        assert!(
            said.err.contains("everybody is worked on: the rules of the gate have changed"),
            "{other}: {}",
            said.err
        );
    }
}

#[test]
fn a_night_that_publishes_nothing_takes_out_of_older_snapshots_who_says_no() {
    let temp = temp();
    for (name, also) in [("early", &["--full"][..]), ("late", &[])] {
        let (folder, home) = homes(temp.path(), name);
        let before = current(&home);
        let people = people(&folder, &home);
        withdraw(&folder, &people[1]);
        // An export that was cut short.
        let kept: HashSet<String> = people.iter().take(5).cloned().collect();
        for (table, at) in [("contacts", 0), ("consents", 1)] {
            let left = rows(&folder, table).into_iter().filter(|row| kept.contains(row.get(at).map_or("", |id| id)));
            add(&folder, table, "0.csv", &left.map(|row| row.join(",")).collect::<Vec<_>>());
        }
        let said = night(&folder, &home, also).expect(2);
        assert!(said.err.contains("contacts"), "{name}: {}", said.err);
        assert_eq!(current(&home).run_id(), before.run_id(), "{name}: nothing was published");
        let left = have(&home);
        assert!(!left.contains(&people[1]), "{name}: the no has not reached the tables");
        assert!(people.iter().filter(|id| left.contains(*id)).count() > 10, "{name}: all others are there");
        say(["audit", "verify", "--out", arg(&home)]).expect(0);
    }
}
