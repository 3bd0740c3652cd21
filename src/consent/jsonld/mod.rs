//! What is known of a person's consents, told to others: as ISO/IEC TS 27560-shaped JSON-LD, and as a proof.
//!
//! Invariant: pure; an event is told as it is, nothing is decided here. Whether something may be done, only the gate
//! says.

mod export;
mod proof;
#[cfg(test)]
mod tests;

use jiff::Timestamp;

pub use export::{Exporter, RECEIPT_SCHEMA, export};
pub use proof::{Entry, Missing, Proof, State, proof};

use crate::consent::event::LegalEvent;
use crate::model::SubjectId;

/// An event, and since when this home knows it; `None` where the ledger does not keep that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// The event.
    pub event: LegalEvent,
    /// Since when it is known here.
    pub known_at: Option<Timestamp>,
}

/// Where events are kept; the commands need no more of a ledger.
pub trait History {
    /// Everything known of a subject; empty = never heard of.
    fn of(&self, subject: &SubjectId) -> Vec<Known>;
    /// Everybody of whom something is known, sorted.
    fn subjects(&self) -> Vec<SubjectId>;
    /// Whether events come with the time since when they are known.
    fn keeps_known_at(&self) -> bool;
}

/// In the order in which things happened, then by digest.
pub fn sort(events: &mut [Known]) {
    events.sort_by_cached_key(|k| (k.event.effective_at(), k.event.recorded_at, k.event.digest()));
}
