//! Whether every row has its permit, every permit its basis and its leaf, and back: 0 orphans, both ways.
//!
//! Invariant: tables are held against each other within their snapshot, and `decisions` against the log, by 16-byte
//! keys of the values themselves; a row that was changed in any column that the leaf holds is found.

mod joins;

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use serde::Serialize;

use super::book::{Kept, Key, People, Policies, Who, key};
use super::table::Row;
use super::{Book, Finding, Findings, ReportError, table};
use crate::audit::DELETION;
use crate::audit::leaf::{Decision, Kind, Leaf, Stage};
use crate::keys::SubjectKey;
use crate::model::SubjectId;
use crate::sink::Table;
use crate::taxonomy::Operation;

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Coverage {
    /// Snapshots that were looked at.
    pub snapshots: u64,
    /// Rows by table.
    pub rows: Rows,
    /// Leaves of the log.
    pub leaves: u64,
    /// Rows of `decisions` that were found in the log.
    pub in_log: u64,
    /// Permits of kept runs that no row rests on: written before an act that then did not happen.
    pub unused_permits: u64,
    /// Emit permits without a row, because the row was erased, restricted, or ran out.
    pub explained: u64,
    /// What does not join.
    pub findings: Findings,
}

/// How many rows were looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Rows {
    /// Contacts.
    pub personas: u64,
    /// Signals.
    pub evidence: u64,
    /// Fetches.
    pub documents: u64,
    /// Decisions of the gate.
    pub decisions: u64,
    /// Places in buying centers.
    pub members: u64,
}

/// Checks.
///
/// # Errors
/// The log or a snapshot cannot be read.
pub fn coverage(book: &Book<'_>) -> Result<Coverage, ReportError> {
    let snapshots = book.snapshots()?;
    let mut all = Coverage { leaves: book.leaves.len(), snapshots: snapshots.len() as u64, ..Coverage::default() };
    let mut policies = Policies::new(book);
    // Rows of `decisions`, by their exact values: how many no leaf says the same of.
    let mut rows: HashMap<Key, u32> = HashMap::new();
    let mut holders: HashMap<String, HashSet<Key>> = HashMap::new();
    let deleted = deleted(book)?;
    for kept in &snapshots {
        let policy = policies.get(kept.text("policy_hash"));
        let joined = joins::join(book, kept, (policy, &deleted), &mut all)?;
        holders.insert(kept.run().to_owned(), joined);
        table::each(&kept.snapshot, Table::Decisions, |row| {
            *rows.entry(Said::of_row(book, &row)?.exact(kept.run())).or_default() += 1;
            Ok(())
        })?;
    }
    from_log(book, (&holders, &made_of(&snapshots)), &mut rows, &mut all)?;
    let missing: u64 = rows.values().map(|n| u64::from(*n)).sum();
    all.in_log = all.rows.decisions - missing;
    if missing > 0 {
        not_in_log(book, &snapshots, &rows, &mut all)?;
    }
    Ok(all)
}

/// Snapshots by each run whose decisions they hold: their own, and those that rows were carried over from.
type MadeOf<'k> = HashMap<&'k str, Vec<&'k str>>;

fn made_of(snapshots: &[Kept]) -> MadeOf<'_> {
    let mut all = MadeOf::new();
    for kept in snapshots {
        for run in kept.runs() {
            all.entry(run).or_default().push(kept.run());
        }
    }
    all
}

/// Whose rows went because the CRM deleted or merged them, by the log.
fn deleted(book: &Book<'_>) -> Result<HashSet<Key>, ReportError> {
    let (mut people, mut deleted) = (People::new(book.vault), HashSet::new());
    book.each_leaf(|_, leaf| {
        if leaf.kind == Kind::Right
            && leaf.facts.get("right").is_some_and(|right| right == DELETION)
            && let Who::Subject(id) = people.who(leaf)
        {
            deleted.insert(key(&[id.as_str()]));
        }
        Ok(())
    })?;
    Ok(deleted)
}

/// What a decision says, in a row or in a leaf.
struct Said {
    who: String,
    permit: String,
    operation: Operation,
    purpose: String,
    source: String,
    reasons: Vec<String>,
    at: Timestamp,
    until: Option<Timestamp>,
}

impl Said {
    fn of_row(book: &Book<'_>, row: &Row<'_>) -> Result<Self, ReportError> {
        let permit = row.opt("permit_id")?.unwrap_or_default();
        let (who, permit) = if row.text("target_kind")? == "subject" {
            let id = row.opt("subject_id")?.unwrap_or_default();
            let subject = SubjectId::from_body(id.strip_prefix(SubjectId::PREFIX).unwrap_or(id));
            // Somebody without a key has no tag, so no leaf: the row should be gone.
            let blind = |key: &SubjectKey| if permit.is_empty() { String::new() } else { key.blind("permit", permit) };
            (id, book.vault.key(&subject).map_or_else(|| permit.to_owned(), blind))
        } else {
            (row.opt("host")?.or(row.opt("account_id")?).unwrap_or_default(), permit.to_owned())
        };
        Ok(Self {
            who: who.to_owned(),
            permit,
            operation: row.text("operation")?.parse().unwrap_or(Operation::Store),
            purpose: row.text("purpose")?.to_owned(),
            source: row.text("source_id")?.to_owned(),
            reasons: row.texts("reasons")?,
            at: row.time("decided_at")?,
            until: row.time_opt("valid_until")?,
        })
    }

    fn of_leaf(who: &str, decision: &Decision) -> Self {
        Self {
            who: who.to_owned(),
            permit: decision.permit.clone().unwrap_or_default(),
            operation: decision.op,
            purpose: decision.purpose.clone(),
            source: decision.source.clone(),
            reasons: decision.reasons.clone(),
            at: decision.at,
            until: decision.until.filter(|_| decision.permitted()),
        }
    }

    /// Of every value. Tables hold microseconds.
    fn exact(&self, run: &str) -> Key {
        let until = self.until.map_or_else(String::new, |at| at.as_microsecond().to_string());
        let reasons = self.reasons.join("\n");
        self.keyed(run, &[&self.permit, &reasons, &until])
    }

    /// Of what was asked only.
    fn question(&self, run: &str) -> Key {
        self.keyed(run, &[])
    }

    fn keyed(&self, run: &str, more: &[&str]) -> Key {
        let at = self.at.as_microsecond().to_string();
        let asked = [run, &self.who, self.operation.as_str(), &self.purpose, &self.source, &at];
        key(&[&asked, more].concat())
    }
}

/// A leaf's decisions of a run whose rows are kept, once for each snapshot that can hold them, with whom they are about.
fn each_decision(
    book: &Book<'_>,
    made_of: &MadeOf<'_>,
    mut visit: impl FnMut(u64, &Leaf, &str, &str, &Decision),
) -> Result<(), ReportError> {
    let mut people = People::new(book.vault);
    book.each_leaf(|number, leaf| {
        let Some(snapshots) = leaf.run.as_deref().and_then(|run| made_of.get(run)) else { return Ok(()) };
        let who = match people.who(leaf) {
            Who::Subject(id) => id.as_str(),
            Who::Nobody => return Ok(()),
            Who::Other => leaf.target.as_deref().unwrap_or_default(),
        };
        for snapshot in snapshots {
            leaf.decisions.iter().for_each(|decision| visit(number, leaf, snapshot, who, decision));
        }
        Ok(())
    })
}

/// From the leaves to the rows.
fn from_log(
    book: &Book<'_>,
    (holders, made_of): (&HashMap<String, HashSet<Key>>, &MadeOf<'_>),
    rows: &mut HashMap<Key, u32>,
    all: &mut Coverage,
) -> Result<(), ReportError> {
    let mut unwritten: HashMap<(String, Key), (u64, String, Option<Timestamp>)> = HashMap::new();
    each_decision(book, made_of, |number, leaf, run, who, decision| {
        let found = rows.get_mut(&Said::of_leaf(who, decision).exact(run));
        let is_row = found.is_some();
        if let Some(missing) = found {
            *missing = missing.saturating_sub(1);
        }
        if leaf.run.as_deref() != Some(run) {
            // Of an earlier run not everything was carried over.
            return;
        }
        // Later stages ask again about what an earlier one has permitted.
        let is_first = matches!(leaf.stage, None | Some(Stage::Plan | Stage::Fetch));
        all.unused_permits += u64::from(is_first && !is_row && decision.permitted());
        let writes = matches!(leaf.stage, Some(Stage::Plan | Stage::Publish));
        let emits = writes && decision.op == Operation::Emit && leaf.subject.is_some();
        let place = (run.to_owned(), key(&[who]));
        if emits && decision.permitted() && !holders[run].contains(&place.1) {
            unwritten.insert(place, (number, who.to_owned(), decision.retain_until));
        } else if emits && !decision.permitted() {
            // Asked again and refused: the row was left out on purpose.
            unwritten.remove(&place);
        }
    })?;
    explain(book, &mut unwritten, all)?;
    for ((run, _), (leaf, who, _)) in unwritten {
        all.findings.add(Finding {
            kind: "emit_without_row",
            says: "a persona was permitted, but the snapshot has none".to_owned(),
            leaf: Some(leaf),
            about: Some(who),
            snapshot: Some(run),
            ..Finding::default()
        });
    }
    Ok(())
}

/// Takes out what was removed later on purpose: by a right, by a rewrite, by the end of retention.
fn explain(
    book: &Book<'_>,
    unwritten: &mut HashMap<(String, Key), (u64, String, Option<Timestamp>)>,
    all: &mut Coverage,
) -> Result<(), ReportError> {
    let before = unwritten.len();
    unwritten.retain(|_, (_, _, retain)| retain.is_none_or(|end| book.now < end));
    if !unwritten.is_empty() {
        let mut people = People::new(book.vault);
        book.each_leaf(|number, leaf| {
            if matches!(leaf.kind, Kind::Rewrite | Kind::Right | Kind::Erase | Kind::Sweep)
                && let Who::Subject(id) = people.who(leaf)
            {
                unwritten.retain(|(_, who), (emitted, ..)| *who != key(&[id.as_str()]) || *emitted > number);
            }
            Ok(())
        })?;
    }
    all.explained += (before - unwritten.len()) as u64;
    Ok(())
}

/// Names rows of `decisions` that no leaf says the same of: it is missing, or it says something else.
fn not_in_log(
    book: &Book<'_>,
    snapshots: &[Kept],
    rows: &HashMap<Key, u32>,
    all: &mut Coverage,
) -> Result<(), ReportError> {
    let mut asked: HashMap<Key, Option<u64>> = HashMap::new();
    let missing = |said: &Said, run: &str| rows.get(&said.exact(run)).is_some_and(|missing| *missing > 0);
    for kept in snapshots {
        table::each(&kept.snapshot, Table::Decisions, |row| {
            let said = Said::of_row(book, &row)?;
            if missing(&said, kept.run()) {
                asked.insert(said.question(kept.run()), None);
            }
            Ok(())
        })?;
    }
    each_decision(book, &made_of(snapshots), |number, _, run, who, decision| {
        let said = Said::of_leaf(who, decision);
        // A leaf that has its own row differs from no other.
        if !rows.contains_key(&said.exact(run))
            && let Some(leaf) = asked.get_mut(&said.question(run))
        {
            leaf.get_or_insert(number);
        }
    })?;
    for kept in snapshots {
        table::each(&kept.snapshot, Table::Decisions, |row| {
            let said = Said::of_row(book, &row)?;
            if !missing(&said, kept.run()) {
                return Ok(());
            }
            let leaf = asked.get(&said.question(kept.run())).copied().flatten();
            let (kind, says) = match leaf {
                Some(_) => ("decision_differs_from_leaf", "the row and its leaf do not say the same"),
                None => ("decision_without_leaf", "no leaf of the log holds this decision"),
            };
            all.findings.add(Finding {
                kind,
                says: says.to_owned(),
                leaf,
                about: Some(said.who),
                snapshot: Some(kept.run().to_owned()),
                table: Some(Table::Decisions.as_str()),
                row: Some(row.text("decision_id")?.to_owned()),
                ..Finding::default()
            });
            Ok(())
        })?;
    }
    Ok(())
}
