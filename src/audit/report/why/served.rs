//! What was done for a person who is in no table, since the decisions that the tables hold: a right that was served, a no
//! that came in between two runs, a sweep.
//!
//! Invariant: what is told stands in the log and in the ledger; nobody else's entries are looked at.

use serde::Serialize;

use super::super::book::event_ref;
use super::super::{Book, EventRef, ReportError};
use super::{Logged, logged};
use crate::audit::leaf::Kind;
use crate::model::SubjectId;

/// Entries about a person that take nobody out of a table.
const HARMLESS: [&str; 5] = ["access", "export", "recipients", "rectify", "lift"];

/// What was done for a person, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Served {
    /// `object`, `restrict`, `withdraw`, ...: the right; `retention` for a sweep.
    pub right: String,
    /// The entry.
    pub logged: Option<Logged>,
}

/// What could have taken a person out, oldest first, and the events of the ledger that speak against them.
pub(super) fn served(book: &Book<'_>, subject: &SubjectId) -> Result<(Vec<Served>, Vec<EventRef>), ReportError> {
    let Some(key) = book.vault.key(subject) else { return Ok((Vec::new(), Vec::new())) };
    let mut all = Vec::new();
    book.each_leaf(|number, leaf| {
        let right = match leaf.kind {
            Kind::Right => leaf.facts.get("right").and_then(|right| right.as_str()).unwrap_or("right"),
            Kind::Sweep => "retention",
            _ => return Ok(()),
        };
        if !HARMLESS.contains(&right) && leaf.subject.as_ref().is_some_and(|tag| *tag == key.tag(leaf.at)) {
            all.push(Served { right: right.to_owned(), logged: logged(book, Some((number, leaf.at))) });
        }
        Ok(())
    })?;
    let against = book.ledger.entries(subject);
    Ok((all, against.iter().filter(|e| e.event.kind.is_negative()).map(event_ref).collect()))
}
