//! What the ledger forbids, read a second time.
//!
//! Invariant: this reading shares no code with the gate, so that a mistake there is not repeated here. A negative
//! event counts whenever it is dated; a lift or a new grant only if it was known, proven, begun and strictly later.

use jiff::Timestamp;

use crate::audit::leaf::{Decision, Leaf};
use crate::consent::event::{EventKind, LawfulBasis, LegalEvent, Scope};
use crate::consent::ledger::Entry;
use crate::consent::policy::Policy;
use crate::taxonomy::{Operation, SourceClass};

const PROFILING: &str = "profiling";
const MARKETING: &str = "marketing";

/// Something that was done, or would be.
pub(super) struct Act<'a> {
    pub operation: Operation,
    pub purpose: &'a str,
    /// `None` = the source is not registered.
    pub class: Option<SourceClass>,
    /// None stated = any.
    pub categories: &'a [String],
    pub recipients: &'a [String],
    pub policy: Option<&'a Policy>,
    /// The clock of the gate.
    pub at: Timestamp,
}

impl<'a> Act<'a> {
    /// What a decision permitted.
    pub fn of(decision: &'a Decision, policy: Option<&'a Policy>) -> Self {
        Self {
            operation: decision.op,
            purpose: &decision.purpose,
            class: policy.and_then(|p| p.source(&decision.source)).map(|source| source.class),
            categories: &decision.categories,
            recipients: &decision.recipients,
            policy,
            at: decision.at,
        }
    }

    fn knows_purpose(&self, name: &str) -> bool {
        self.policy.is_none_or(|p| p.file().purposes.contains_key(name))
    }

    fn profiles(&self) -> bool {
        let listed =
            |p: &Policy| p.file().purposes.get(self.purpose).map(|p| p.operations.contains(&Operation::Profile));
        self.operation == Operation::Profile
            || self.purpose == PROFILING
            || self.policy.and_then(listed).unwrap_or(false)
    }

    /// An empty dimension of a negative event means everything; so does a purpose that the policy does not know.
    fn is_touched_by(&self, scope: &Scope) -> bool {
        let names = |p: &String| match p.as_str() {
            MARKETING => true,
            PROFILING => self.profiles(),
            p => p == self.purpose || !self.knows_purpose(p),
        };
        let meets = |set: &std::collections::BTreeSet<String>, own: &[String]| {
            set.is_empty() || own.is_empty() || own.iter().any(|o| set.contains(o))
        };
        (scope.purposes.is_empty() || scope.purposes.iter().any(names))
            && (scope.operations.is_empty() || scope.operations.contains(&self.operation))
            && (scope.source_classes.is_empty() || self.class.is_none_or(|c| scope.source_classes.contains(&c)))
            && meets(&scope.data_categories, self.categories)
            && (scope.recipients.is_empty() || self.recipients.iter().any(|r| scope.recipients.contains(r)))
            && (scope.regions.is_empty() || self.recipients.iter().any(|r| self.goes_to(r, scope)))
    }

    fn goes_to(&self, recipient: &str, scope: &Scope) -> bool {
        let region = self.policy.and_then(|p| p.file().recipients.get(recipient)).map(|r| &r.region);
        region.is_none_or(|region| scope.regions.contains(region))
    }

    /// A lift must hold all of the act.
    fn lies_within(&self, scope: &Scope) -> bool {
        let within = |set: &std::collections::BTreeSet<String>, own: &[String]| {
            set.is_empty() || own.iter().all(|o| set.contains(o))
        };
        (scope.purposes.is_empty() || scope.purposes.contains(self.purpose))
            && (scope.operations.is_empty() || scope.operations.contains(&self.operation))
            && (scope.source_classes.is_empty() || self.class.is_some_and(|c| scope.source_classes.contains(&c)))
            && within(&scope.data_categories, self.categories)
            && within(&scope.recipients, self.recipients)
    }
}

/// The first known entry that forbids the act, with the right that it stands for.
pub(super) fn forbids<'e, 'a>(known: &'e [Entry<'a>], act: &Act<'_>) -> Option<(&'e Entry<'a>, &'static str)> {
    known.iter().find_map(|entry| {
        let negative = entry.event;
        let stands = match negative.kind {
            EventKind::Erase => "erasure",
            EventKind::Refuse if is_flag_against_all(negative) => "suppression",
            EventKind::Restrict if act.operation != Operation::Store && !lifted(negative, known, act) => "restriction",
            EventKind::Object if is_marketing(negative) => "marketing objection",
            EventKind::Object if act.is_touched_by(&negative.scope) && !lifted(negative, known, act) => "objection",
            EventKind::Withdraw if act.is_touched_by(&negative.scope) && !regranted(negative, known, act) => {
                "withdrawal"
            }
            EventKind::Refuse if act.is_touched_by(&negative.scope) && !regranted(negative, known, act) => "refusal",
            _ => return None,
        };
        Some((entry, stands))
    })
}

/// Entries that the gate knew, or that the home had learned of, when the leaf was written.
pub(super) fn known_by<'a>(entries: Vec<Entry<'a>>, leaf: &Leaf, demo: bool) -> Vec<Entry<'a>> {
    // In a demo home time stands still: only the order of entries tells what was known.
    entries.into_iter().filter(|e| gate_knew(e, leaf) || (!demo && e.known_at < leaf.at)).collect()
}

/// Whether the entry was in the ledger that the gate decided by.
pub(super) fn gate_knew(entry: &Entry<'_>, leaf: &Leaf) -> bool {
    leaf.ledger.is_some_and(|head| entry.seq <= head)
}

fn lifted(negative: &LegalEvent, known: &[Entry<'_>], act: &Act<'_>) -> bool {
    positive(known, EventKind::Lift).any(|lift| {
        // The end of a restriction names no purpose, the decision of an objection names its own.
        (negative.kind == EventKind::Restrict) == lift.scope.purposes.is_empty()
            && (lift.origin.is_controller() || lift.origin.system == negative.origin.system)
            && latest(lift) <= act.at
            && lift.valid_to.is_none_or(|end| act.at < end)
            && earliest(lift) > negative.said_by()
            && act.lies_within(&lift.scope)
    })
}

fn regranted(negative: &LegalEvent, known: &[Entry<'_>], act: &Act<'_>) -> bool {
    positive(known, EventKind::Grant).any(|grant| {
        grant.basis == Some(LawfulBasis::Consent)
            && grant.proof.is_complete()
            && latest(grant) <= act.at
            && earliest(grant) > negative.said_by()
            && grant.scope.purposes.contains(act.purpose)
            && act.class.is_some_and(|c| grant.scope.source_classes.contains(&c))
    })
}

/// Events of a kind that gives something and that no other event replaces.
fn positive<'e>(known: &'e [Entry<'_>], kind: EventKind) -> impl Iterator<Item = &'e LegalEvent> {
    let replaced = move |event: &LegalEvent| {
        let by =
            |e: &Entry<'_>| e.event.supersedes == event.external_id && e.event.origin.system == event.origin.system;
        event.external_id.is_some() && known.iter().any(by)
    };
    known.iter().map(|entry| entry.event).filter(move |event| event.kind == kind && !replaced(event))
}

/// The earlier of the two times of an event.
fn earliest(event: &LegalEvent) -> Timestamp {
    event.effective_at().min(event.recorded_at)
}

/// The later of the two times of an event.
fn latest(event: &LegalEvent) -> Timestamp {
    event.effective_at().max(event.recorded_at)
}

/// Art. 21(2): against direct marketing, or against no purpose in particular.
fn is_marketing(event: &LegalEvent) -> bool {
    let speaks = |p: &String| ["marketing", "werbung", "advertis"].iter().any(|word| p.to_lowercase().contains(word));
    event.scope.purposes.is_empty() || event.scope.purposes.iter().any(speaks)
}

/// A flag of the CRM: no processing at all.
fn is_flag_against_all(event: &LegalEvent) -> bool {
    event.recorded_at == Timestamp::MAX && *event.scope == Scope::default()
}

/// Whether the person was told about a purpose by `at`: by a notice, or by the wording of a proven consent.
pub(super) fn notified_at(events: &[LegalEvent], purpose: &str, at: Timestamp) -> Option<Timestamp> {
    let told = |e: &&LegalEvent| {
        let tells = match e.kind {
            EventKind::Notice => e.proof.is_of_a_notice(),
            EventKind::Grant => e.basis == Some(LawfulBasis::Consent) && e.proof.is_complete(),
            _ => false,
        };
        tells && e.scope.purposes.contains(purpose) && latest(e) <= at
    };
    events.iter().filter(told).map(latest).min()
}
