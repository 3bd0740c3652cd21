//! The gate: the only place where permits are made.
//!
//! Invariant: every proposal gets exactly one decision row, with all its reasons; a permit exists only beside a row
//! that says `permitted`.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, RwLock};

use jiff::Timestamp;

use crate::consent::decide::{Asked, Granted, OptOut, Reason, Refusal, Request, View, decide};
use crate::consent::event::{EventKind, LegalEvent};
use crate::consent::ledger::LedgerView;
use crate::consent::permit::{Emit, Fetch, Infer, Permit};
use crate::consent::policy::Policy;
use crate::ids::Ids;
use crate::model::{DecisionRow, Personal, SubjectId, Target};
use crate::taxonomy::{Operation, SourceClass};

/// Tells the time; the gate never asks the system itself.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// What may be asked of a host before its opt-outs are known: the opt-outs.
const HOST_QUESTIONS: [&str; 2] = ["/robots.txt", "/.well-known/tdmrep.json"];

/// What the gate knows about a subject beside the ledger.
#[derive(Debug, Clone, Copy)]
pub struct SubjectFacts {
    /// First collection, the anchor of retention and notice.
    pub collected_at: Timestamp,
    /// Two records claim to be this person, or a row of the record could not be read.
    pub ambiguous: bool,
}

/// A proposal to fetch one URL.
#[derive(Debug, Clone)]
pub struct FetchProposal {
    /// Whom the page is about.
    pub target: Target,
    /// The registered source.
    pub source_id: String,
    /// The registered purpose.
    pub purpose: String,
    /// What to get.
    pub url: Personal<url::Url>,
    /// The account's own host, for sources without a list of hosts.
    pub account_host: Option<String>,
    /// What the host says about it.
    pub opt_out: OptOut,
    /// For subjects.
    pub facts: Option<SubjectFacts>,
}

/// A proposal to derive facets about one target from one source.
#[derive(Debug, Clone)]
pub struct InferProposal {
    /// Whom it is about.
    pub target: Target,
    /// `crm`, or a registered source.
    pub source_id: String,
    /// The registered purpose.
    pub purpose: String,
    /// `Infer`, or `Profile` for traits of a person.
    pub operation: Operation,
    /// For subjects.
    pub facts: Option<SubjectFacts>,
}

/// A proposal to write, or to read, one subject's persona.
#[derive(Debug, Clone)]
pub struct EmitProposal {
    /// Whose persona.
    pub subject: SubjectId,
    /// The registered purpose.
    pub purpose: String,
    /// What is known about the subject.
    pub facts: SubjectFacts,
}

/// What the gate was told and what it leaned on, for the audit log: with it a decision can be made again.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Grounds {
    /// First collection.
    pub collected_at: Option<Timestamp>,
    /// Two records claimed to be this person.
    pub ambiguous: bool,
    /// What was to be fetched.
    pub url: Option<Personal<String>>,
    /// What the host said about it.
    pub opt_out: Option<OptOut>,
    /// The account's own host.
    pub account_host: Option<String>,
    /// Entries of the ledger that a permit rests on.
    pub entries: Vec<u64>,
    /// LIA and DPIA that a permit rests on, by their ids in the policy.
    pub assessments: Vec<String>,
    /// Who receives what is emitted.
    pub recipients: Vec<String>,
    /// End of retention, for people.
    pub retain_until: Option<Timestamp>,
    /// The last entry of the ledger that the gate knew.
    pub ledger: u64,
    /// The last import of consents that the gate knew.
    pub last_sync: Option<Timestamp>,
    /// The newest instant of any import that the gate knew; `None` where its clock stands still on purpose.
    pub newest: Option<Timestamp>,
}

/// A decision: its row, and the permit or the refusal.
#[derive(Debug)]
pub struct Decided<Op> {
    /// What goes into the `decisions` table.
    pub row: DecisionRow,
    /// What goes into the audit log beside it.
    pub grounds: Grounds,
    /// The permit, or why not.
    pub outcome: Result<Permit<Op>, Refusal>,
}

/// Decides proposals against one ledger and one policy.
pub struct Gate {
    policy: Policy,
    ledger: LedgerView,
    ids: Ids,
    clock: Clock,
    /// The ledger's state as text: part of every id.
    state: String,
    /// Events that entered the ledger after the view was taken: an objection in mid-run counts at once.
    late: RwLock<HashMap<SubjectId, Vec<LegalEvent>>>,
    /// The last entry of the ledger that is known.
    head: AtomicU64,
}

impl std::fmt::Debug for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gate").field("policy", &self.policy.hash()).field("ledger", &self.state).finish_non_exhaustive()
    }
}

impl Gate {
    /// Takes the ledger as it stands; the caller has imported what is new before.
    #[must_use]
    pub fn new(policy: Policy, ledger: LedgerView, ids: Ids, clock: Clock) -> Self {
        let (state, head) = (ledger.state().hex(), AtomicU64::new(ledger.head()));
        Self { policy, ledger, ids, clock, state, late: RwLock::default(), head }
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
        self.head.store(head, Ordering::SeqCst);
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
            target: p.target.clone(),
            source_id: p.source_id.clone(),
            purpose: p.purpose.clone(),
            url: p.url.clone(),
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
            target: p.target.clone(),
            source_id: p.source_id.clone(),
            purpose: p.purpose.clone(),
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
            subject: p.subject.clone(),
            purpose: p.purpose.clone(),
            retain_until: granted.retain_until,
            notice_status: granted.notice_status.to_owned(),
        })
    }

    /// First collection: what the ledger remembers, unless the caller knows of an earlier one. Never renewed.
    fn anchor(&self, target: &Target, facts: Option<SubjectFacts>) -> Option<Timestamp> {
        let stated = facts?.collected_at;
        let remembered = match target {
            Target::Subject(id, _) => self.ledger.first_seen(id),
            Target::Account(_) | Target::Host(_) => None,
        };
        Some(remembered.map_or(stated, |at| at.min(stated)))
    }

    fn class(&self, source_id: &str) -> SourceClass {
        self.policy.source(source_id).map_or(SourceClass::LoginOrRestricted, |s| s.class)
    }

    fn judge(&self, request: &Request<'_>, facts: Option<SubjectFacts>, url: &str) -> Judged {
        let now = self.now();
        let known = match request.target {
            // Known to the CRM, though nothing was ever recorded about them: no events, so no basis.
            Target::Subject(id, _) => facts.map(|_| self.ledger.events(id).unwrap_or_default()),
            Target::Account(_) | Target::Host(_) => None,
        };
        let with_late = known.zip(request.target.subject()).and_then(|(known, id)| self.with_late(known, id));
        let events = with_late.as_deref().or(known);
        let view = View {
            events,
            ambiguous: facts.is_some_and(|f| f.ambiguous),
            // An open ledger has been held against its checkpoint; a damaged one does not open.
            intact: true,
            last_sync: self.ledger.last_sync(),
            newest: self.ledger.newest(),
        };
        let outcome = decide(request, &view, &self.policy, now);
        let grounds = self.grounds(request, facts, url, outcome.as_ref().ok());
        let mut text =
            format!("{:?}\n{}\n{}\n{}\n{url}", request.target, request.operation, request.purpose, request.source_id);
        if (Asked { model: None, ..request.asked }) != Asked::default() {
            let _ = write!(text, "\n{:?}", request.asked);
        }
        let (decision_id, permit_id) = self.ids.decision(&text, self.policy.hash(), &self.state, &now.to_string());
        Judged {
            row: DecisionRow {
                decision_id,
                permit_id: Some(permit_id),
                target: request.target.clone(),
                purpose: request.purpose.to_owned(),
                operation: request.operation,
                source_id: request.source_id.to_owned(),
                primary_reason: None,
                reasons: Vec::new(),
                decided_at: now,
                valid_until: None,
            },
            grounds,
            outcome,
        }
    }

    /// The events of a subject with those that came late, where any did.
    fn with_late(&self, known: &[LegalEvent], id: &SubjectId) -> Option<Vec<LegalEvent>> {
        let late = self.late.read().expect("no holder panics");
        let late = late.get(id)?;
        Some(known.iter().chain(late).cloned().collect())
    }

    fn grounds(
        &self,
        request: &Request<'_>,
        facts: Option<SubjectFacts>,
        url: &str,
        granted: Option<&Granted>,
    ) -> Grounds {
        let subject = request.target.subject();
        let mut grounds = Grounds {
            collected_at: subject.and(request.collected_at),
            ambiguous: facts.is_some_and(|f| f.ambiguous),
            url: (!url.is_empty()).then(|| Personal::new(url.to_owned())),
            opt_out: (request.opt_out != OptOut::NotApplicable).then_some(request.opt_out),
            account_host: request.account_host.map(str::to_owned),
            ledger: self.head(),
            last_sync: self.ledger.last_sync(),
            newest: self.ledger.newest(),
            ..Grounds::default()
        };
        if let (Some(granted), Some(subject)) = (granted, subject) {
            grounds.retain_until = Some(granted.retain_until);
            grounds.entries = self.carrying(subject, request.purpose, &granted.bases);
            grounds.assessments = self.assessments(request, &granted.bases);
            if request.operation == Operation::Emit {
                let purpose = self.policy.file().purposes.get(request.purpose);
                grounds.recipients = purpose.map_or_else(Vec::new, |p| p.recipients.clone());
            }
        }
        grounds
    }

    /// Entries of grants that can carry this purpose on one of these bases.
    fn carrying(&self, subject: &SubjectId, purpose: &str, bases: &[String]) -> Vec<u64> {
        let carries = |event: &LegalEvent| {
            event.kind == EventKind::Grant
                && event.scope.purposes.contains(purpose)
                && event.basis.is_some_and(|b| bases.iter().any(|name| name == b.article()))
        };
        let entries = self.ledger.entries(subject).into_iter();
        entries.filter(|e| carries(e.event)).map(|e| e.seq).collect()
    }

    /// LIA and DPIA in the policy that stand behind a permit.
    fn assessments(&self, request: &Request<'_>, bases: &[String]) -> Vec<String> {
        use crate::consent::policy::AssessmentKind;
        let file = self.policy.file();
        let class = self.class(request.source_id);
        let by_interest = bases.iter().any(|b| b == crate::consent::event::LawfulBasis::LegitimateInterest.article());
        let dpia = file.purposes.get(request.purpose).and_then(|p| p.dpia.as_deref());
        let lia = file.assessments.iter().filter(|(_, a)| {
            by_interest
                && a.kind == AssessmentKind::Lia
                && a.purposes.iter().any(|p| p == request.purpose)
                && a.source_classes.contains(&class)
        });
        lia.map(|(id, _)| id.clone()).chain(dpia.map(str::to_owned)).collect()
    }
}

struct Judged {
    row: DecisionRow,
    grounds: Grounds,
    outcome: Result<Granted, Refusal>,
}

impl Judged {
    /// Adds a reason, and so refuses.
    fn refuse(&mut self, reason: Reason) {
        let mut reasons = self.outcome.as_ref().err().map_or_else(Vec::new, |refusal| refusal.reasons.clone());
        reasons.push(reason);
        reasons.sort_unstable();
        reasons.dedup();
        self.outcome = Err(Refusal { reasons });
    }

    fn mint<Op>(self, op: impl FnOnce(&Granted) -> Op) -> Decided<Op> {
        let Self { mut row, grounds, outcome } = self;
        match outcome {
            Ok(granted) => {
                let op = op(&granted);
                let id = row.permit_id.clone().expect("a judged row has its permit id until it is refused");
                row.reasons.clone_from(&granted.bases);
                row.valid_until = Some(granted.valid_until);
                let permit = Permit::mint(id, op, granted.bases, granted.valid_until, granted.duties);
                Decided { row, grounds, outcome: Ok(permit) }
            }
            Err(refusal) => {
                row.permit_id = None;
                row.reasons = refusal.reasons.iter().map(ToString::to_string).collect();
                row.primary_reason = row.reasons.first().cloned();
                Decided { row, grounds, outcome: Err(refusal) }
            }
        }
    }
}
