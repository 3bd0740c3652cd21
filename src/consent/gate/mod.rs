//! The gate: the only place where permits are made.
//!
//! Invariant: every proposal gets exactly one decision row, with all its reasons; a permit exists only beside a row
//! that says `permitted`.

mod judge;
mod proposal;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, RwLock};

use jiff::Timestamp;

use crate::consent::decide::{Asked, OptOut, Reason, Request};
use crate::consent::event::LegalEvent;
pub use crate::consent::gate::proposal::{Decided, EmitProposal, FetchProposal, Grounds, InferProposal, SubjectFacts};
use crate::consent::ledger::{LedgerError, LedgerView, Person};
use crate::consent::people::{People, Someone};
use crate::consent::permit::{Emit, Fetch, Infer};
use crate::consent::policy::Policy;
use crate::consent::restriction::is_restricted;
use crate::ids::{DecisionIds, Ids};
use crate::model::{SubjectId, Target};
use crate::taxonomy::{Operation, SourceClass};

/// Tells the time; the gate never asks the system itself.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// What may be asked of a host before its opt-outs are known: the opt-outs, in the order in which they are asked.
pub const HOST_QUESTIONS: [&str; 3] = ["/robots.txt", "/.well-known/tdmrep.json", "/ai.txt"];

/// Decides proposals against one ledger and one policy.
pub struct Gate {
    policy: Policy,
    ledger: LedgerView,
    /// Who is asked of people where the view has none.
    people: Option<Arc<People>>,
    /// Why somebody could not be looked up: the first time.
    unreadable: Mutex<Option<LedgerError>>,
    /// Of decisions under this policy and this state of the ledger.
    ids: DecisionIds,
    clock: Clock,
    /// Events that entered the ledger after the view was taken: an objection in mid-run counts at once.
    late: RwLock<HashMap<SubjectId, Vec<LegalEvent>>>,
    /// The last entry of the ledger that is known.
    head: AtomicU64,
}

impl std::fmt::Debug for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gate")
            .field("policy", &self.policy.hash())
            .field("ledger", &self.ledger.state())
            .finish_non_exhaustive()
    }
}

impl Gate {
    /// Takes the ledger as it stands; the caller has imported what is new before.
    #[must_use]
    pub fn new(policy: Policy, ledger: LedgerView, ids: &Ids, clock: Clock) -> Self {
        let ids = ids.decisions(policy.hash(), &ledger.state().hex());
        let head = AtomicU64::new(ledger.head());
        let unreadable = Mutex::default();
        Self { policy, ledger, people: None, unreadable, ids, clock, late: RwLock::default(), head }
    }

    /// Asks these of people, and no longer the view.
    #[must_use]
    pub fn with_people(self, people: Option<Arc<People>>) -> Self {
        Self { people, ..self }
    }

    /// What the ledger says of a person, as it stood when the view was taken.
    fn said_of(&self, id: &SubjectId) -> Said<'_> {
        let Some(people) = &self.people else { return self.ledger.person(id).map_or(Said::Nothing, Said::Here) };
        match people.find(id) {
            Ok(found) => found.map_or(Said::Nothing, Said::Found),
            Err(error) => {
                // Refused for now; see `Self::readable`.
                self.unreadable.lock().expect("no holder panics").get_or_insert(error);
                Said::Unreadable
            }
        }
    }

    /// Whether everybody could be looked up who was asked for. What was decided is of no use otherwise: that nothing could be
    /// read of somebody is neither a yes nor a no.
    ///
    /// # Errors
    /// Why not.
    ///
    /// # Panics
    /// Never: no holder of the lock panics.
    pub fn readable(&self) -> Result<(), LedgerError> {
        self.unreadable.lock().expect("no holder panics").take().map_or(Ok(()), Err)
    }

    /// Whether processing of a person is restricted, by all that the gate knows of them by now.
    ///
    /// # Panics
    /// Never: no holder of the lock panics.
    pub fn is_restricted(&self, subject: &SubjectId) -> bool {
        let said = self.said_of(subject);
        let late = self.late.read().expect("no holder panics");
        let events = said.events().iter().chain(late.get(subject).into_iter().flatten());
        is_restricted(events, self.now())
    }

    /// When the home first collected anything about a person.
    #[must_use]
    pub fn first_seen(&self, subject: &SubjectId) -> Option<Timestamp> {
        self.said_of(subject).person()?.first_seen()
    }

    /// Takes in events that entered the ledger after the view was taken; `head` is the last entry.
    ///
    /// # Panics
    /// Never: no holder of the lock panics.
    pub fn learn(&self, events: impl IntoIterator<Item = LegalEvent>, head: u64) {
        let mut late = self.late.write().expect("no holder panics");
        for event in events {
            late.entry(event.subject.clone()).or_default().push(event);
        }
        self.head.fetch_max(head, Ordering::SeqCst);
    }

    /// Whether something that takes away was recorded about a person after the view was taken.
    ///
    /// # Panics
    /// Never: no holder of the lock panics.
    #[must_use]
    pub fn late_negative(&self, subject: &SubjectId) -> bool {
        let late = self.late.read().expect("no holder panics");
        late.get(subject).is_some_and(|events| events.iter().any(|e| e.kind.is_negative()))
    }

    /// Everybody about whom something was recorded after the view was taken.
    ///
    /// # Panics
    /// Never: no holder of the lock panics.
    #[must_use]
    pub fn late_subjects(&self) -> Vec<SubjectId> {
        self.late.read().expect("no holder panics").keys().cloned().collect()
    }

    /// The last entry of the ledger that the gate knows.
    #[must_use]
    pub fn head(&self) -> u64 {
        self.head.load(Ordering::SeqCst)
    }

    /// The policy that is applied.
    #[must_use]
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The ledger that is asked.
    #[must_use]
    pub const fn ledger(&self) -> &LedgerView {
        &self.ledger
    }

    /// The gate's clock: permits are judged by the clock that they were made by.
    #[must_use]
    pub fn clock(&self) -> Clock {
        Arc::clone(&self.clock)
    }

    /// The gate's time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// May this be fetched?
    #[must_use]
    pub fn fetch(&self, p: FetchProposal) -> Decided<Fetch> {
        self.fetch_asking(p, Asked::default())
    }

    /// The same, for what is asked in particular: data categories, traits, the age of the evidence, the model.
    #[must_use]
    pub fn fetch_asking(&self, p: FetchProposal, asked: Asked<'_>) -> Decided<Fetch> {
        let url = p.url.reveal();
        // The question itself needs no answer before it; any other path of a host does.
        let is_question = HOST_QUESTIONS.contains(&url.path()) && url.query().is_none();
        let opt_out = match (&p.target, p.opt_out) {
            (Target::Host(_), OptOut::NotApplicable) if !is_question => OptOut::RobotsDisallow,
            (_, stated) => stated,
        };
        let request = Request {
            target: &p.target,
            operation: Operation::Collect,
            purpose: &p.purpose,
            source_id: &p.source_id,
            host: Some(url.host_str().unwrap_or("")),
            account_host: p.account_host.as_deref(),
            opt_out,
            collected_at: self.anchor(&p.target, p.facts),
            asked,
        };
        let decision = self.judge(&request, p.facts, url.as_str());
        decision.mint(|_| Fetch {
            source_class: self.class(&p.source_id),
            target: p.target,
            source_id: p.source_id,
            purpose: p.purpose,
            url: p.url,
        })
    }

    /// May this be derived?
    #[must_use]
    pub fn infer(&self, p: InferProposal) -> Decided<Infer> {
        // A DPIA may name the models that it approves.
        self.infer_asking(p, Asked { model: Some(crate::audit::model_hash()), ..Asked::default() })
    }

    /// The same, for what is asked in particular: data categories, traits, the age of the evidence, the model.
    #[must_use]
    pub fn infer_asking(&self, p: InferProposal, asked: Asked<'_>) -> Decided<Infer> {
        let request = Request {
            target: &p.target,
            operation: p.operation,
            purpose: &p.purpose,
            source_id: &p.source_id,
            host: None,
            account_host: None,
            opt_out: OptOut::NotApplicable,
            collected_at: self.anchor(&p.target, p.facts),
            asked,
        };
        let mut decision = self.judge(&request, p.facts, "");
        if !matches!(p.operation, Operation::Derive | Operation::Infer | Operation::Profile) {
            // Storing is all that a restriction leaves: it must not open the way to inference.
            decision.refuse(Reason::ScopeMismatchOperation);
        }
        decision.mint(|_| Infer {
            source_class: self.class(&p.source_id),
            target: p.target,
            source_id: p.source_id,
            purpose: p.purpose,
        })
    }

    /// May this persona be written, or read?
    #[must_use]
    pub fn emit(&self, p: EmitProposal) -> Decided<Emit> {
        self.emit_asking(p, Asked::default())
    }

    /// The same, for what is asked in particular: data categories, traits, the age of the evidence, the model.
    #[must_use]
    pub fn emit_asking(&self, p: EmitProposal, asked: Asked<'_>) -> Decided<Emit> {
        let target = Target::Subject(p.subject.clone(), None);
        let request = Request {
            target: &target,
            operation: Operation::Emit,
            purpose: &p.purpose,
            source_id: "crm",
            host: None,
            account_host: None,
            opt_out: OptOut::NotApplicable,
            collected_at: self.anchor(&target, Some(p.facts)),
            asked,
        };
        self.judge(&request, Some(p.facts), "").mint(|granted| Emit {
            subject: p.subject,
            purpose: p.purpose,
            retain_until: granted.retain_until,
            notice_status: granted.notice_status.to_owned(),
        })
    }

    /// First collection: what the ledger remembers, unless the caller knows of an earlier one. Never renewed.
    fn anchor(&self, target: &Target, facts: Option<SubjectFacts>) -> Option<Timestamp> {
        let stated = facts?.collected_at;
        let remembered = match target {
            Target::Subject(id, _) => self.first_seen(id),
            Target::Account(_) | Target::Host(_) => None,
        };
        Some(remembered.map_or(stated, |at| at.min(stated)))
    }

    fn class(&self, source_id: &str) -> SourceClass {
        self.policy.source(source_id).map_or(SourceClass::LoginOrRestricted, |s| s.class)
    }
}

/// What the ledger says of a person.
enum Said<'a> {
    /// It stands in the view.
    Here(&'a Person),
    /// It was looked up.
    Found(Arc<Someone>),
    Nothing,
    /// It could not be read.
    Unreadable,
}

impl Said<'_> {
    fn person(&self) -> Option<&Person> {
        match self {
            Self::Here(person) => Some(person),
            Self::Found(someone) => Some(someone.said()),
            Self::Nothing | Self::Unreadable => None,
        }
    }

    fn events(&self) -> &[LegalEvent] {
        self.person().map_or(&[], Person::events)
    }
}
