//! From what somebody types to the decisions that it rests on.
//!
//! Invariant: the newest snapshot that knows the row answers; current snapshots come before older ones.

use jiff::Timestamp;

use super::super::book::Kept;
use super::super::{Book, ReportError, table};
use crate::model::{DecisionId, DocumentId, PermitId, SignalId, SubjectId};
use crate::sink::Table;

/// A row of `decisions`.
#[derive(Clone)]
pub(super) struct Row {
    pub decision: String,
    pub permit: Option<String>,
    pub subject: Option<SubjectId>,
    pub about: String,
    pub operation: String,
    pub purpose: String,
    pub source: String,
    pub reasons: Vec<String>,
    pub at: Timestamp,
    pub until: Option<Timestamp>,
    pub policy: String,
    pub run: String,
}

/// What was found.
pub(super) struct Found {
    pub table: Option<&'static str>,
    pub pipeline: String,
    pub snapshot: String,
    pub about: String,
    pub decisions: Vec<Row>,
}

pub(super) fn find(book: &Book<'_>, asked: &str) -> Result<Option<Found>, ReportError> {
    let mut snapshots = book.snapshots()?;
    snapshots.reverse();
    snapshots.sort_by_key(|kept| !kept.current);
    for kept in &snapshots {
        if let Some(found) = in_snapshot(book, kept, asked)? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

fn in_snapshot(book: &Book<'_>, kept: &Kept, asked: &str) -> Result<Option<Found>, ReportError> {
    if asked.starts_with(SignalId::PREFIX) {
        return by_permit_of(kept, Table::Evidence, "signal_id", asked);
    }
    if asked.starts_with(DocumentId::PREFIX) {
        return by_permit_of(kept, Table::Documents, "document_id", asked);
    }
    if asked.starts_with(DecisionId::PREFIX) {
        return Ok(found(kept, Some(Table::Decisions), decisions(kept, |row| row.decision == asked)?));
    }
    if asked.starts_with(PermitId::PREFIX) {
        let has_it = |row: &Row| row.permit.as_deref() == Some(asked);
        return Ok(found(kept, Some(Table::Decisions), decisions(kept, has_it)?));
    }
    for subject in subjects(book, asked) {
        if let Some(found) = by_subject(kept, &subject)? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// Whom a subject id or a CRM record may mean.
pub(super) fn subjects(book: &Book<'_>, asked: &str) -> Vec<SubjectId> {
    match asked.strip_prefix(SubjectId::PREFIX) {
        Some(body) => vec![SubjectId::from_body(body)],
        None => book.crms.iter().map(|crm| book.ids.subject(crm, asked)).collect(),
    }
}

/// A persona rests on its permit to be emitted and on those of its evidence.
fn by_subject(kept: &Kept, subject: &SubjectId) -> Result<Option<Found>, ReportError> {
    let mut permits: Vec<String> = Vec::new();
    table::each(&kept.snapshot, Table::Personas, |row| {
        if row.text("subject_id")? == subject.as_str() {
            permits.push(row.text("permit_id")?.to_owned());
        }
        Ok(())
    })?;
    if permits.is_empty() {
        // Not in the table: what was refused, emitting before all else.
        let mut refused = decisions(kept, |row| row.subject.as_ref() == Some(subject) && row.permit.is_none())?;
        refused.sort_by_key(|row| row.operation != "emit");
        return Ok(found(kept, None, refused));
    }
    table::each(&kept.snapshot, Table::Evidence, |row| {
        let permit = row.text("permit_id")?;
        if row.opt("subject_id")? == Some(subject.as_str()) && !permits.iter().any(|p| p == permit) {
            permits.push(permit.to_owned());
        }
        Ok(())
    })?;
    let mut rows = decisions(kept, |row| row.permit.as_ref().is_some_and(|p| permits.contains(p)))?;
    rows.sort_by_key(|row| permits.iter().position(|p| Some(p) == row.permit.as_ref()));
    Ok(found(kept, Some(Table::Personas), rows))
}

fn by_permit_of(kept: &Kept, table: Table, column: &str, asked: &str) -> Result<Option<Found>, ReportError> {
    let mut permit = None;
    table::each(&kept.snapshot, table, |row| {
        if row.text(column)? == asked {
            permit = Some(row.text("permit_id")?.to_owned());
        }
        Ok(())
    })?;
    let Some(permit) = permit else { return Ok(None) };
    let rows = decisions(kept, |row| row.permit.as_ref() == Some(&permit))?;
    Ok(Some(Found {
        table: Some(table.as_str()),
        pipeline: kept.pipeline.clone(),
        snapshot: kept.run().to_owned(),
        about: rows.first().map_or_else(String::new, |row| row.about.clone()),
        decisions: rows,
    }))
}

fn found(kept: &Kept, table: Option<Table>, decisions: Vec<Row>) -> Option<Found> {
    let about = decisions.first()?.about.clone();
    Some(Found {
        table: table.map(Table::as_str),
        pipeline: kept.pipeline.clone(),
        snapshot: kept.run().to_owned(),
        about,
        decisions,
    })
}

fn decisions(kept: &Kept, wanted: impl Fn(&Row) -> bool) -> Result<Vec<Row>, ReportError> {
    let mut all = Vec::new();
    table::each(&kept.snapshot, Table::Decisions, |row| {
        let subject = row.opt("subject_id")?;
        let about = subject.or(row.opt("host")?).or(row.opt("account_id")?).unwrap_or_default();
        let row = Row {
            decision: row.text("decision_id")?.to_owned(),
            permit: row.opt("permit_id")?.map(str::to_owned),
            subject: subject.map(|id| SubjectId::from_body(id.strip_prefix(SubjectId::PREFIX).unwrap_or(id))),
            about: about.to_owned(),
            operation: row.text("operation")?.to_owned(),
            purpose: row.text("purpose")?.to_owned(),
            source: row.text("source_id")?.to_owned(),
            reasons: row.texts("reasons")?,
            at: row.time("decided_at")?,
            until: row.time_opt("valid_until")?,
            policy: kept.text("policy_hash").to_owned(),
            run: kept.run().to_owned(),
        };
        if wanted(&row) {
            all.push(row);
        }
        Ok(())
    })?;
    Ok(all)
}
