//! The tables of one snapshot against each other.
//!
//! Invariant: a row joins to a permit of its own subject, source and purpose; a permit that was used joins to its row.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use super::super::book::{Kept, Key, key};
use super::super::table::{self, Row};
use super::super::{Book, Finding, ReportError};
use super::Coverage;
use crate::consent::policy::Policy;
use crate::model::SubjectId;
use crate::persona::rectified;
use crate::sink::Table;
use crate::taxonomy::{Operation, PointKind};

/// Facets that only a permit to profile may carry.
const PROFILE_FACETS: [&str; 3] = ["trait.", "motive", "channel"];
const PROFILING: &str = "profiling";

/// A permit as `decisions` has it.
struct Permit {
    who: Key,
    operation: Operation,
    purpose: u16,
    source: Key,
    bases: Key,
    used: u8,
}

struct Join<'a> {
    book: &'a Book<'a>,
    kept: &'a Kept,
    policy: Option<&'a Policy>,
    /// Whose rows went because the CRM deleted them.
    deleted: &'a HashSet<Key>,
    permits: HashMap<Key, Permit>,
    purposes: Vec<String>,
    /// Who was refused to be emitted.
    refused: HashSet<Key>,
    documents: HashMap<Key, Key>,
    personas: HashSet<Key>,
    all: &'a mut Coverage,
}

/// Checks one snapshot; tells who has a persona in it.
pub(super) fn join<'a>(
    book: &'a Book<'a>,
    kept: &'a Kept,
    (policy, deleted): (Option<&'a Policy>, &'a HashSet<Key>),
    all: &'a mut Coverage,
) -> Result<HashSet<Key>, ReportError> {
    let mut join = Join {
        book,
        kept,
        policy,
        deleted,
        permits: HashMap::new(),
        purposes: Vec::new(),
        refused: HashSet::new(),
        documents: HashMap::new(),
        personas: HashSet::new(),
        all,
    };
    table::each(&kept.snapshot, Table::Decisions, |row| join.decision(&row))?;
    table::each(&kept.snapshot, Table::Documents, |row| join.document(&row))?;
    table::each(&kept.snapshot, Table::Personas, |row| join.persona(&row))?;
    table::each(&kept.snapshot, Table::Evidence, |row| join.evidence(&row))?;
    table::each(&kept.snapshot, Table::BuyingCenters, |row| join.center(&row))?;
    table::each(&kept.snapshot, Table::Decisions, |row| join.used(&row))?;
    Ok(join.personas)
}

impl Join<'_> {
    fn add(&mut self, kind: &'static str, says: &str, table: Table, row: &str, about: Option<&str>) {
        self.all.findings.add(Finding {
            kind,
            says: says.to_owned(),
            about: about.map(str::to_owned),
            snapshot: Some(self.kept.run().to_owned()),
            table: Some(table.as_str()),
            row: Some(row.to_owned()),
            ..Finding::default()
        });
    }

    fn purpose(&mut self, name: &str) -> u16 {
        let place = self.purposes.iter().position(|p| p == name).unwrap_or_else(|| {
            self.purposes.push(name.to_owned());
            self.purposes.len() - 1
        });
        place as u16
    }

    fn decision(&mut self, row: &Row<'_>) -> Result<(), ReportError> {
        self.all.rows.decisions += 1;
        let who = row.opt("subject_id")?.or(row.opt("host")?).or(row.opt("account_id")?).unwrap_or_default();
        let operation: Operation = row.text("operation")?.parse().unwrap_or(Operation::Store);
        let Some(permit) = row.opt("permit_id")? else {
            if operation == Operation::Emit {
                self.refused.insert(key(&[who]));
            }
            return Ok(());
        };
        let (bases, id) = (row.texts("reasons")?, row.text("decision_id")?);
        if bases.is_empty() {
            self.add("permit_without_basis", "a permit that names no basis", Table::Decisions, id, Some(who));
        }
        let purpose = self.purpose(row.text("purpose")?);
        let source = key(&[row.text("source_id")?]);
        let bases = key(&bases.iter().map(String::as_str).collect::<Vec<_>>());
        let new = Permit { who: key(&[who]), operation, purpose, source, bases, used: 0 };
        // The same question at the same instant (a clock that stands still) has the same permit.
        let same = |p: &Permit| (p.who, p.operation, p.purpose, p.source) == (new.who, operation, purpose, source);
        if self.permits.get(&key(&[permit])).is_some_and(|known| !same(known)) {
            self.add("permit_twice", "two decisions have this permit", Table::Decisions, id, Some(who));
        }
        self.permits.insert(key(&[permit]), new);
        Ok(())
    }

    fn document(&mut self, row: &Row<'_>) -> Result<(), ReportError> {
        self.all.rows.documents += 1;
        let (id, permit) = (row.text("document_id")?, key(&[row.text("permit_id")?]));
        self.documents.insert(key(&[id]), key(&[row.text("source_id")?]));
        let source = key(&[row.text("source_id")?]);
        let found = self.permits.get_mut(&permit).filter(|p| p.operation == Operation::Collect);
        let Some(permit) = found else {
            self.add("document_without_permit", "no permit to fetch has this id", Table::Documents, id, None);
            return Ok(());
        };
        permit.used = permit.used.saturating_add(1);
        let (twice, other) = (permit.used > 1, permit.source != source);
        if twice {
            self.add("permit_used_twice", "its permit to fetch has another document", Table::Documents, id, None);
        }
        if other {
            self.add("document_of_other_source", "its permit is for another source", Table::Documents, id, None);
        }
        Ok(())
    }

    fn persona(&mut self, row: &Row<'_>) -> Result<(), ReportError> {
        self.all.rows.personas += 1;
        let id = row.text("subject_id")?;
        let (who, bases) = (key(&[id]), row.texts("basis")?);
        self.personas.insert(who);
        let found = self.permits.get_mut(&key(&[row.text("permit_id")?]));
        let checks = match found {
            None => vec![("persona_without_permit", "no decision has its permit")],
            Some(permit) => {
                permit.used = permit.used.saturating_add(1);
                let purpose = &self.purposes[usize::from(permit.purpose)];
                let bases = key(&bases.iter().map(String::as_str).collect::<Vec<_>>());
                let wrong = [
                    (permit.operation != Operation::Emit, "persona_without_permit", "its permit is none to emit"),
                    (permit.who != who, "permit_of_another", "its permit belongs to another person"),
                    (purpose != self.kept.text("purpose"), "other_purpose", "its permit has another purpose"),
                    (permit.bases != bases, "other_basis", "its bases are not those of its permit"),
                ];
                wrong.into_iter().filter(|(is_so, ..)| *is_so).map(|(_, kind, says)| (kind, says)).collect()
            }
        };
        for (kind, says) in checks {
            self.add(kind, says, Table::Personas, id, Some(id));
        }
        if row.time("retain_until")? <= self.book.now {
            self.add("past_retention", "its retention has ended", Table::Personas, id, Some(id));
        }
        Ok(())
    }

    fn evidence(&mut self, row: &Row<'_>) -> Result<(), ReportError> {
        self.all.rows.evidence += 1;
        let (id, subject, facet) = (row.text("signal_id")?, row.opt("subject_id")?, row.text("facet")?);
        let who = subject.or(row.opt("account_id")?).unwrap_or_default();
        let source = key(&[row.text("source")?]);
        let Some(permit) = self.permits.get_mut(&key(&[row.text("permit_id")?])) else {
            self.add("evidence_without_permit", "no decision has its permit", Table::Evidence, id, Some(who));
            return Ok(());
        };
        let collects = permit.operation == Operation::Collect;
        // A fetch is used by its document; what is read about companies rests on it too.
        permit.used = if collects { permit.used } else { permit.used.saturating_add(1) };
        let purpose = self.purposes[usize::from(permit.purpose)].clone();
        let profiles = PROFILE_FACETS.iter().any(|f| facet.starts_with(f)) || facet.parse::<PointKind>().is_ok();
        let expected = match (subject, profiles) {
            (Some(_), true) => purpose == PROFILING && permit.operation == Operation::Profile,
            (Some(_), false) => purpose == self.kept.text("purpose") && permit.operation != Operation::Emit,
            (None, _) => self.policy.and_then(|p| p.file().purposes.get(&purpose)).is_none_or(|p| p.bases.is_empty()),
        };
        // What was put right rests on the permit to emit: it is the person's own word, and no source was read.
        let put_right = subject.is_some() && row.text("source")? == rectified::SOURCE;
        let expected = if put_right { permit.operation == Operation::Emit } else { expected };
        let (own, same_source) = (permit.who == key(&[who]), put_right || permit.source == source);
        let document = row.opt("document_id")?.map(|d| self.documents.get(&key(&[d])) == Some(&source));
        let wrong = [
            (!own, "permit_of_another", "its permit belongs to somebody else"),
            (!same_source, "permit_of_other_source", "its permit is for another source"),
            (!expected, "other_purpose", "its permit has another purpose or operation"),
            (document == Some(false), "evidence_without_document", "no document of its source has its id"),
            (
                subject.is_some_and(|s| !self.personas.contains(&key(&[s]))),
                "evidence_without_persona",
                "it is about somebody who has no persona",
            ),
            (self.is_overdue(subject, &purpose), "past_retention", "its retention has ended"),
        ];
        for (_, kind, says) in wrong.into_iter().filter(|(is_so, ..)| *is_so) {
            self.add(kind, says, Table::Evidence, id, Some(who));
        }
        Ok(())
    }

    fn is_overdue(&self, subject: Option<&str>, purpose: &str) -> bool {
        let end = |id: &str| -> Option<Timestamp> {
            let subject = SubjectId::from_body(id.strip_prefix(SubjectId::PREFIX).unwrap_or(id));
            self.policy?.retain_until(purpose, self.book.ledger.first_seen(&subject)?)
        };
        subject.and_then(end).is_some_and(|end| end <= self.book.now)
    }

    fn said_no(&self, id: &str) -> bool {
        let subject = SubjectId::from_body(id.strip_prefix(SubjectId::PREFIX).unwrap_or(id));
        self.book.ledger.events(&subject).unwrap_or_default().iter().any(|e| e.kind.is_negative())
    }

    fn center(&mut self, row: &Row<'_>) -> Result<(), ReportError> {
        let account = row.text("account_id")?;
        for member in row.field("members", "subject_id")? {
            self.all.rows.members += 1;
            if !self.personas.contains(&key(&[&member])) {
                let says = "a member of the buying center has no persona";
                self.add("member_without_persona", says, Table::BuyingCenters, account, Some(&member));
            }
        }
        Ok(())
    }

    /// Permits that must have led to a row.
    fn used(&mut self, row: &Row<'_>) -> Result<(), ReportError> {
        let Some(permit) = row.opt("permit_id")?.and_then(|id| self.permits.get(&key(&[id]))) else { return Ok(()) };
        let (id, about) = (row.text("decision_id")?, row.opt("subject_id")?.or(row.opt("host")?));
        let emitted = [&self.personas, &self.refused, self.deleted].iter().any(|people| people.contains(&permit.who));
        // Who said no after publishing was taken out; the log must explain it too.
        let said_no = row.opt("subject_id")?.is_some_and(|id| self.said_no(id));
        let without_row = permit.operation == Operation::Emit && !emitted && !said_no;
        if permit.operation == Operation::Collect && permit.used == 0 {
            self.add("fetch_without_document", "a permit to fetch without a document", Table::Decisions, id, about);
        }
        if without_row {
            self.add("emit_without_row", "a permit to emit without a persona", Table::Decisions, id, about);
        }
        Ok(())
    }
}
