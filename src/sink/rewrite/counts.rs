//! What a rewriting took out, and the counts of run and manifest that follow from it.
//!
//! Invariant: numbers only; nothing says whose rows they were.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::model::{DecisionRow, DocumentRow};
use crate::persona::rows::Persona;
use crate::sink::{RunRow, Table};

/// What a rewriting did to one snapshot.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rewritten {
    /// Rows that went, by table; companies and buying centers that were made anew are not among them.
    pub removed: BTreeMap<Table, u64>,
    /// Rows that came, by table: corrected personas and their evidence.
    pub added: BTreeMap<Table, u64>,
    /// Companies whose row and buying center were made anew.
    pub companies: u64,
    /// Distinct people whose decisions went.
    pub subjects: u64,
    /// Permits that went.
    pub permits: u64,
    /// Refusals that went, by primary reason.
    pub refusals: BTreeMap<String, u64>,
    /// Documents that went, by outcome as the summary of a run names it.
    pub documents: BTreeMap<String, u64>,
    /// Requests of the documents that went.
    pub requests: u64,
    /// Bytes of the documents that went.
    pub bytes: u64,
    /// Dead letters that went and stood for a row of the CRM.
    pub crm_letters: u64,
    /// Change in personas whose facet is known.
    pub known: BTreeMap<&'static str, i64>,
}

impl Rewritten {
    /// Whether nothing had to be changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Rows of a table that went.
    #[must_use]
    pub fn removed(&self, table: Table) -> u64 {
        self.removed.get(&table).copied().unwrap_or(0)
    }

    pub(super) fn dropped(&mut self, table: Table, rows: u64) {
        if rows > 0 {
            *self.removed.entry(table).or_default() += rows;
        }
    }

    pub(super) fn came(&mut self, table: Table, rows: u64) {
        if rows > 0 {
            *self.added.entry(table).or_default() += rows;
        }
    }

    pub(super) fn decision(&mut self, row: &DecisionRow) {
        match &row.primary_reason {
            Some(reason) => *self.refusals.entry(reason.clone()).or_default() += 1,
            None => self.permits += 1,
        }
    }

    pub(super) fn document(&mut self, row: &DocumentRow) {
        let outcome = match &row.reason {
            Some(reason) => format!("{}: {reason}", row.outcome),
            None => row.outcome.clone(),
        };
        *self.documents.entry(outcome).or_default() += 1;
        self.requests += u64::from(row.attempts);
        self.bytes += row.bytes;
    }

    pub(super) fn dead_letter(&mut self, stage: &str) {
        self.crm_letters += u64::from(stage == "crm" || stage == "plan");
    }

    /// A persona goes (`-1`) or comes (`1`).
    pub(super) fn persona(&mut self, row: &Persona, sign: i64) {
        for (facet, _) in row.known().into_iter().filter(|(_, known)| *known) {
            *self.known.entry(facet).or_default() += sign;
        }
        self.known.retain(|_, n| *n != 0);
    }

    /// Rows of a table less than before; negative where there are more.
    fn fewer(&self, table: Table) -> i64 {
        let added = self.added.get(&table).copied().unwrap_or(0);
        self.removed(table).cast_signed() - added.cast_signed()
    }

    /// Makes the counts of a run's summary (`manifest.json`, `summary.counts`) fit what is left.
    pub fn adjust_counts(&self, counts: &mut Value) {
        let Some(counts) = counts.as_object_mut() else { return };
        let less = [
            ("subjects", self.subjects.cast_signed()),
            ("crm_rows", (self.subjects + self.crm_letters).cast_signed()),
            ("personas", self.fewer(Table::Personas)),
            ("evidence", self.fewer(Table::Evidence)),
            ("permits", self.permits.cast_signed()),
            ("requests", self.requests.cast_signed()),
            ("bytes", self.bytes.cast_signed()),
            ("dead_letters", self.fewer(Table::DeadLetters)),
        ];
        for (name, less) in less {
            subtract(counts, name, less);
        }
        // Which rows they were about is not known any more: no more than there are letters.
        let letters = counts.get("dead_letters").and_then(Value::as_u64);
        let dead = counts.get("dead_rows").and_then(Value::as_u64).min(letters);
        if let Some(dead) = dead {
            counts.insert("dead_rows".to_owned(), dead.into());
        }
        let as_i64 = |map: &BTreeMap<String, u64>| map.iter().map(|(k, n)| (k.clone(), n.cast_signed())).collect();
        let by_key: [(&str, BTreeMap<String, i64>); 2] =
            [("refusals", as_i64(&self.refusals)), ("documents", as_i64(&self.documents))];
        for (name, less) in by_key {
            let Some(map) = counts.get_mut(name).and_then(Value::as_object_mut) else { continue };
            for (key, less) in less {
                subtract(map, &key, less);
            }
            map.retain(|_, n| n.as_u64() != Some(0));
        }
        let nobody = counts.get("personas").and_then(Value::as_u64) == Some(0);
        if let Some(known) = counts.get_mut("known").and_then(Value::as_object_mut) {
            for (facet, more) in &self.known {
                subtract(known, facet, -more);
            }
            if nobody {
                known.clear();
            }
        }
    }

    /// Makes the row of the run fit what is left.
    pub(super) fn adjust_run(&self, run: &mut RunRow) {
        let less = |n: u64, less: i64| n.saturating_add_signed(-less);
        run.n_subjects = less(run.n_subjects, self.subjects.cast_signed());
        run.n_personas = less(run.n_personas, self.fewer(Table::Personas));
        run.n_evidence = less(run.n_evidence, self.fewer(Table::Evidence));
        run.n_permits = less(run.n_permits, self.permits.cast_signed());
        run.n_refusals = less(run.n_refusals, self.refusals.values().sum::<u64>().cast_signed());
        run.n_documents = less(run.n_documents, self.fewer(Table::Documents));
        run.n_dead_letters = less(run.n_dead_letters, self.fewer(Table::DeadLetters));
        run.requests_used = less(run.requests_used, self.requests.cast_signed());
        run.bytes_received = less(run.bytes_received, self.bytes.cast_signed());
    }

    /// Rows that went, by name of the table.
    pub(super) fn rows_json(&self) -> Map<String, Value> {
        self.removed.iter().map(|(table, n)| (table.to_string(), Value::from(*n))).collect()
    }
}

fn subtract(counts: &mut Map<String, Value>, name: &str, less: i64) {
    if let Some(n) = counts.get(name).and_then(Value::as_u64) {
        counts.insert(name.to_owned(), n.saturating_add_signed(-less).into());
    }
}
