//! What was known when: a decision seen again as of the time it was about and of what was known at another.
//!
//! Invariant: for looking back only. What is answered here is a [`Granted`], never a permit: the gate acts on every
//! event it knows, so no clock that stands in the past revives a consent that was withdrawn since.

use jiff::Timestamp;

use crate::consent::decide::{Granted, Refusal, Request, View, decide};
use crate::consent::event::LegalEvent;
use crate::consent::policy::Policy;

/// The events that were known at an instant, out of a history of events and when each became known.
#[must_use]
pub fn known_at<'a>(history: impl IntoIterator<Item = (&'a LegalEvent, Timestamp)>, at: Timestamp) -> Vec<LegalEvent> {
    history.into_iter().filter(|(_, known)| *known <= at).map(|(event, _)| event.clone()).collect()
}

/// What would have been decided about `as_of`, by somebody who knew what was known at `known`. The view gives
/// everything but the events; where it has none, the subject was never heard of.
///
/// # Errors
/// The refusal, as data.
pub fn decide_as_known<'a>(
    request: &Request<'_>,
    view: &View<'_>,
    history: impl IntoIterator<Item = (&'a LegalEvent, Timestamp)>,
    policy: &Policy,
    (as_of, known): (Timestamp, Timestamp),
) -> Result<Granted, Refusal> {
    let events = known_at(history, known);
    let view = View { events: view.events.map(|_| events.as_slice()), ..*view };
    decide(request, &view, policy, as_of)
}
