//! Legal events that the controller enters in the home itself.
//!
//! Invariant: what is entered now counts now: a no is later than everything that it answers, whatever the home's clock says,
//! and what ends one is later than that one and has begun.

use jiff::{SignedDuration, Timestamp};

use crate::consent::event::{EventKind, LegalEvent, Origin, Proof, Scope};
use crate::consent::ledger::{Entry, Import};
use crate::model::SubjectId;
use crate::rights::office::{Office, OfficeError};

/// Where time stands still, events lie within so long before it, and so long after each other while there is room.
const ROOM: SignedDuration = SignedDuration::from_mins(10);
const APART: SignedDuration = SignedDuration::from_secs(1);

/// Events that one of a kind must not be earlier than: which of the two counts hangs on their order.
const fn answered_by(kind: EventKind) -> &'static [EventKind] {
    match kind {
        EventKind::Withdraw | EventKind::Refuse => &[EventKind::Grant],
        EventKind::Restrict | EventKind::Object => &[EventKind::Lift],
        EventKind::Lift => &[EventKind::Restrict, EventKind::Object],
        EventKind::Grant | EventKind::Erase | EventKind::Notice | EventKind::Assessment | EventKind::Rectify => &[],
    }
}

/// The time of an event that is entered now, after what is known of the person.
fn time(kind: EventKind, now: Timestamp, stands_still: bool, known: &[Entry<'_>]) -> Timestamp {
    let answers = answered_by(kind);
    // A positive event counts from the earlier of its two times, a negative one from the later.
    let of = |e: &LegalEvent| {
        let (one, other) = (e.effective_at(), e.recorded_at);
        if e.kind.is_negative() { one.max(other) } else { one.min(other) }
    };
    let answered = || known.iter().map(|e| e.event).filter(|e| answers.contains(&e.kind)).map(of);
    // A flag of the CRM has no date: nothing is later.
    let newest = answered().filter(|at| *at < Timestamp::MAX).max();
    let mut at = now;
    if stands_still {
        let own = known.iter().map(|e| e.event).filter(|e| e.origin.is_controller()).map(of);
        let earlier = own.chain(answered()).filter(|at| *at <= now).max();
        let begin = now.checked_sub(ROOM).unwrap_or(now);
        let after = earlier.map_or(begin, |at| at.max(begin));
        let left = now.duration_since(after).as_nanos() / 2;
        at = after.checked_add(APART.min(SignedDuration::from_nanos(i64::try_from(left).unwrap_or(0)))).unwrap_or(now);
    }
    // A no wins where both are of one moment. What ends one must have begun, so it cannot be later than now.
    match newest.filter(|_| kind.is_negative()) {
        Some(newest) => at.max(newest),
        None => at,
    }
}

impl Office {
    /// An event that the controller enters, now.
    #[must_use]
    pub fn event(&self, subject: &SubjectId, kind: EventKind, field: &str) -> LegalEvent {
        let known = self.ledger.view().entries(subject);
        LegalEvent {
            external_id: None,
            subject: subject.clone(),
            kind,
            basis: None,
            scope: Scope::default().into(),
            valid_from: None,
            valid_to: None,
            recorded_at: time(kind, self.now(), self.home.is_demo(), &known),
            proof: Proof::default().into(),
            origin: Origin { system: Origin::CONTROLLER.to_owned(), field: field.to_owned(), value_commitment: None }
                .into(),
            supersedes: None,
        }
    }

    /// Records a legal event that the controller enters.
    ///
    /// # Errors
    /// Log or ledger cannot be written.
    pub fn record(&mut self, event: LegalEvent) -> Result<(), OfficeError> {
        let right = event.origin.field.clone();
        self.log_right(&event.subject, &right)?;
        let import = Import { events: &[event], ..Import::default() };
        let now = self.now();
        self.ledger.import(&mut self.vault, import, now)?;
        self.log_ledger()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    fn event(kind: EventKind, valid_from: Option<&str>, recorded_at: Timestamp, own: bool) -> LegalEvent {
        let system = if own { Origin::CONTROLLER } else { "crm" }.to_owned();
        LegalEvent {
            external_id: None,
            subject: SubjectId::from_body("a"),
            kind,
            basis: None,
            scope: Scope::default().into(),
            valid_from: valid_from.map(at),
            valid_to: None,
            recorded_at,
            proof: Proof::default().into(),
            origin: Origin { system, field: String::new(), value_commitment: None }.into(),
            supersedes: None,
        }
    }

    fn enter(kind: EventKind, stands_still: bool, known: &[LegalEvent]) -> Timestamp {
        let now = at("2026-03-02T03:00:00Z");
        let entries: Vec<Entry<'_>> = known.iter().map(|event| Entry { seq: 1, known_at: now, event }).collect();
        time(kind, now, stands_still, &entries)
    }

    #[test]
    fn a_no_is_not_earlier_than_what_it_takes_back() {
        let now = at("2026-03-02T03:00:00Z");
        for grant in ["2026-03-01T20:00:00Z", "2026-03-02T02:59:30Z", "2026-03-02T03:00:00Z", "2026-03-02T09:00:00Z"] {
            let grant = event(EventKind::Grant, None, at(grant), false);
            for stands_still in [true, false] {
                let no = enter(EventKind::Withdraw, stands_still, std::slice::from_ref(&grant));
                assert!(no >= grant.recorded_at && no <= now.max(grant.recorded_at), "{} {no}", grant.recorded_at);
            }
        }
        // What was granted a day ago for the future counts from the day on which it was granted.
        let early = event(EventKind::Grant, Some("2027-01-01T00:00:00Z"), at("2026-03-01T00:00:00Z"), false);
        assert_eq!(enter(EventKind::Withdraw, false, &[early]), now);
        // A flag that nothing is later than moves nothing.
        let flag = event(EventKind::Lift, None, Timestamp::MAX, false);
        assert!(enter(EventKind::Restrict, true, &[flag]) <= now);
    }

    #[test]
    fn where_time_stands_still_events_follow_each_other_and_have_begun() {
        let now = at("2026-03-02T03:00:00Z");
        let mut known = vec![event(EventKind::Grant, None, now, false)];
        for n in 0..150 {
            let kind = if n % 2 == 0 { EventKind::Restrict } else { EventKind::Lift };
            let next = enter(kind, true, &known);
            let last = known.iter().filter(|e| e.origin.is_controller()).map(|e| e.recorded_at).max();
            assert!(last.is_none_or(|last| next > last) && next < now, "{n}: {next}");
            known.push(event(kind, None, next, true));
        }
    }
}
