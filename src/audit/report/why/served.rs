//! What was done for a person who is in no table, since the decisions that the tables hold: a right that was served, a no
//! that came in between two runs, a sweep.
//!
//! Invariant: what is told stands in the log and in the ledger; nobody else's entries are looked at.

use jiff::Timestamp;
use serde::Serialize;

use super::super::book::event_ref;
use super::super::{Book, EventRef, ReportError};
use super::{Logged, logged};
use crate::audit::leaf::Kind;
use crate::consent::event::{EventKind, LegalEvent};
use crate::consent::ledger::Entry;
use crate::model::SubjectId;

/// Entries about a person that take nobody out of a table.
const HARMLESS: [&str; 5] = ["access", "export", "recipients", "rectify", "lift"];

/// What takes people out for what the ledger says by then, and writes its own name into the entry.
const FINDERS: [(&str, &str); 2] = [("objection", "run"), ("consent import", "consent import")];

/// What was done for a person, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Served {
    /// `object`, `restrict`, `withdraw`, ..., or the flag of the CRM: the right; `retention` for a sweep.
    pub right: String,
    /// What found it in the ledger and took the person out: `run`, `consent import`; `None` = somebody entered it, or what
    /// took them out was no right.
    pub by: Option<&'static str>,
    /// The entry.
    pub logged: Option<Logged>,
}

/// What could have taken a person out, oldest first, and the events of the ledger that speak against them.
pub(super) fn served(book: &Book<'_>, subject: &SubjectId) -> Result<(Vec<Served>, Vec<EventRef>), ReportError> {
    let Some(key) = book.vault.key(subject) else { return Ok((Vec::new(), Vec::new())) };
    let mut all = Vec::new();
    let entries = book.ledger.entries(subject);
    let noes: Vec<&Entry<'_>> = entries.iter().filter(|e| e.event.kind.is_negative()).collect();
    book.each_leaf(|number, leaf| {
        let right = match leaf.kind {
            Kind::Right => leaf.facts.get("right").and_then(|right| right.as_str()).unwrap_or("right"),
            Kind::Sweep => "retention",
            _ => return Ok(()),
        };
        if !HARMLESS.contains(&right) && leaf.subject.as_ref().is_some_and(|tag| *tag == key.tag(leaf.at)) {
            let by = FINDERS.iter().find(|(name, _)| *name == right).map(|(_, by)| *by);
            let found = by.and_then(|_| newest(&noes, leaf.ledger.unwrap_or(u64::MAX)));
            let right = found.unwrap_or_else(|| right.to_owned());
            all.push(Served { right, by, logged: logged(book, Some((number, leaf.at))) });
        }
        Ok(())
    })?;
    Ok((all, noes.into_iter().map(event_ref).collect()))
}

/// The newest noes among those that were known by then, by name.
fn newest(noes: &[&Entry<'_>], head: u64) -> Option<String> {
    let known = || noes.iter().filter(|e| e.seq <= head);
    let last = known().map(|e| e.known_at).max()?;
    let mut names: Vec<&str> = known().filter(|e| e.known_at == last).map(|e| name(e.event)).collect();
    names.sort_unstable();
    names.dedup();
    Some(names.join(", "))
}

/// A flag has the name of its field, everything else that of the event.
fn name(event: &LegalEvent) -> &str {
    if event.recorded_at == Timestamp::MAX {
        return &event.origin.field;
    }
    match event.kind {
        EventKind::Refuse => "refuse",
        EventKind::Withdraw => "withdraw",
        EventKind::Object => "object",
        EventKind::Restrict => "restrict",
        EventKind::Erase => "erase",
        EventKind::Grant | EventKind::Lift | EventKind::Notice | EventKind::Assessment | EventKind::Rectify => "event",
    }
}
