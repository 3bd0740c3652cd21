//! Restriction (Art. 18 GDPR): the data moves out of the tables that people read, into a sealed copy.
//!
//! Invariant: storing is all that is left; the copy opens under the person's key only, and goes when the restriction is
//! lifted or the person is erased.

use std::path::Path;

use serde_json::{Value, json};

use crate::model::SubjectId;
use crate::sink::{self, Format, Inspect, SinkError, Table};

/// Everything that the tables of a home have about a person, as JSON to be sealed.
///
/// # Errors
/// The tables cannot be read.
pub fn copy(home: &Path, subject: &SubjectId) -> Result<Vec<u8>, SinkError> {
    let mut snapshots = Vec::new();
    for pipeline in sink::pipelines(home) {
        for snapshot in sink::snapshots(home, &pipeline)? {
            let mut tables = serde_json::Map::new();
            for table in [Table::Personas, Table::Evidence] {
                let query = Inspect {
                    columns: vec!["*".to_owned()],
                    filter: Some(format!("subject_id = '{subject}'")),
                    limit: Some(usize::MAX),
                    format: Format::JsonLines,
                    readable: None,
                };
                let mut lines = Vec::new();
                sink::inspect(&snapshot, table, &query, &mut lines, None)?;
                let rows = lines.split(|b| *b == b'\n').filter_map(|l| serde_json::from_slice(l).ok()).collect();
                tables.insert(table.to_string(), Value::Array(rows));
            }
            snapshots.push(json!({ "pipeline": pipeline, "snapshot": snapshot.run_id(), "tables": tables }));
        }
    }
    Ok(serde_json::to_vec(&snapshots).expect("plain data"))
}
