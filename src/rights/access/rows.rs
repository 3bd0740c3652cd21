//! Every row of a snapshot that is about one person, as it is stored.
//!
//! Invariant: a row is taken whole, column by column, whatever columns there are; of a row about several people only
//! the person's own part is taken.

use std::collections::BTreeSet;
use std::path::Path;

use arrow_array::RecordBatch;
use serde_json::{Map, Value};

use super::{AccessError, Record};
use crate::crm::tags_of_rows;
use crate::ids::subject_of;
use crate::model::{AccountId, SubjectId};
use crate::run::home::Home;
use crate::sink::read::Batches;
use crate::sink::{self, Select, SinkError, Snapshot, Table, cell_json};

/// Tables with a column `subject_id`.
const OWN: [Table; 4] = [Table::Personas, Table::Evidence, Table::Decisions, Table::DeadLetters];

/// All rows of one snapshot about one person.
pub(super) fn rows(pipeline: &str, snapshot: &Snapshot, subject: &SubjectId) -> Result<Vec<Record>, SinkError> {
    let mut found = Vec::new();
    let record = |table: Table, row: Map<String, Value>| Record {
        pipeline: pipeline.to_owned(),
        run: snapshot.run_id().to_owned(),
        table: table.to_string(),
        row,
    };
    for table in OWN {
        let own = read(snapshot, table, &Select::Subject(subject.clone()))?;
        found.extend(own.into_iter().map(|row| record(table, row)));
    }
    let values = |column: &str| -> BTreeSet<String> {
        found.iter().filter_map(|r| r.row.get(column)?.as_str().map(str::to_owned)).collect()
    };
    let (accounts, documents, permits) = (values("account_id"), values("document_id"), values("permit_id"));
    let is = |row: &Map<String, Value>, column: &str, among: &BTreeSet<String>| {
        row.get(column).and_then(Value::as_str).is_some_and(|v| among.contains(v))
    };
    for id in &accounts {
        let select = Select::Account(AccountId::from_body(id.strip_prefix(AccountId::PREFIX).unwrap_or(id)));
        found.extend(read(snapshot, Table::Accounts, &select)?.into_iter().map(|row| record(Table::Accounts, row)));
    }
    // A buying center can outlive the persona: all are looked through.
    let centers = read(snapshot, Table::BuyingCenters, &Select::All)?;
    found.extend(centers.into_iter().filter_map(|row| Some(record(Table::BuyingCenters, own_part(row, subject)?))));
    let fetched = read(snapshot, Table::Documents, &Select::All)?;
    let own = fetched.into_iter().filter(|r| is(r, "document_id", &documents) || is(r, "permit_id", &permits));
    found.extend(own.map(|row| record(Table::Documents, row)));
    Ok(found)
}

/// The person's own membership; `None` where there is none.
fn own_part(mut row: Map<String, Value>, subject: &SubjectId) -> Option<Map<String, Value>> {
    let members = row.get_mut("members")?.as_array_mut()?;
    members.retain(|m| m["subject_id"].as_str() == Some(subject.as_str()));
    if members.is_empty() {
        return None;
    }
    // The question is about somebody else.
    row.remove("next_best_question");
    Some(row)
}

/// The selected rows of a table, with every column that they have.
pub(super) fn read(snapshot: &Snapshot, table: Table, select: &Select) -> Result<Vec<Map<String, Value>>, SinkError> {
    let mut rows = Vec::new();
    for batch in Batches::open(snapshot, table, select, None)? {
        rows.extend(objects(&batch?));
    }
    Ok(rows)
}

fn objects(batch: &RecordBatch) -> Vec<Map<String, Value>> {
    let schema = batch.schema();
    let names: Vec<&String> = schema.fields().iter().map(|f| f.name()).collect();
    let row = |i: usize| names.iter().zip(batch.columns()).map(|(n, c)| ((*n).clone(), cell_json(c, i))).collect();
    (0..batch.num_rows()).map(row).collect()
}

/// The pipelines that keep hashes of the person's rows.
pub(super) fn hashes(home: &Home, subject: &SubjectId) -> Result<Vec<String>, AccessError> {
    let mut pipelines = Vec::new();
    for path in sink::all_rows(home.path())? {
        let mut is_theirs = false;
        tags_of_rows(&path, |tag| is_theirs |= subject_of(&tag) == *subject)?;
        let pipeline = path.parent().and_then(Path::file_name).filter(|_| is_theirs);
        pipelines.extend(pipeline.map(|name| name.to_string_lossy().into_owned()));
    }
    Ok(pipelines)
}
