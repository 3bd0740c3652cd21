//! Whether a restriction (Art. 18) stands, whatever is asked for.
//!
//! Invariant: it stands for as long as the gate refuses anything for it; one that was lifted in part stands for the rest.

use jiff::Timestamp;

use crate::consent::event::{EventKind, LegalEvent, Scope};

/// Whether a restriction stands, by all that was said of a person.
#[must_use]
pub fn is_restricted<'e>(events: impl Iterator<Item = &'e LegalEvent> + Clone, now: Timestamp) -> bool {
    let replaced = |lift: &LegalEvent| {
        let id = lift.external_id.as_ref();
        id.is_some() && events.clone().any(|e| e.supersedes.as_ref() == id && e.origin.system == lift.origin.system)
    };
    let is_lifted = |restriction: &LegalEvent| {
        let latest = restriction.said_by();
        events.clone().filter(|e| e.kind == EventKind::Lift && *e.scope == Scope::default()).any(|lift| {
            let (one, other) = (lift.effective_at(), lift.recorded_at);
            let may_lift = lift.origin.is_controller() || lift.origin.system == restriction.origin.system;
            let has_begun = one.max(other) <= now && lift.valid_to.is_none_or(|end| now < end);
            may_lift && has_begun && one.min(other) > latest && !replaced(lift)
        })
    };
    events.clone().filter(|e| e.kind == EventKind::Restrict).any(|restriction| !is_lifted(restriction))
}
