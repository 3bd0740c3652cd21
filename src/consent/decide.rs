//! The decision: a pure, total function from request, events, policy and time to a grant or a refusal.
//!
//! Invariant: default deny. Every check runs and every failing one is listed, in the order of the design; the first
//! is the primary reason. No I/O, no clock. Every check has a name, by which a test proves that something fails
//! without it.

use jiff::{SignedDuration, Timestamp};

use crate::consent::case::Case;
use crate::consent::category;
use crate::consent::mutant::holds;
use crate::consent::policy::PROFILING;
use crate::consent::policy::{Policy, Purpose, after_days};
use crate::consent::policy_rules::{PurposeRules, is_prohibited_purpose};
pub use crate::consent::reason::Reason;
use crate::consent::reason::ReasonSet;
pub use crate::consent::request::{Asked, Duty, Granted, Modality, OptOut, Refusal, Request, View};
use crate::consent::rules::Rules;
use crate::consent::source_rules;
use crate::consent::standing::Standing;
use crate::model::Target;
use crate::taxonomy::Operation;

/// The format of policy files that this version reads.
const POLICY_VERSION: u32 = 1;

/// What a decision has found so far.
#[derive(Debug)]
pub(in crate::consent) struct Tally {
    reasons: ReasonSet,
    until: Timestamp,
    /// The same without what each night renews: the permit's own time, and the import of consents.
    holds_until: Timestamp,
}

impl Tally {
    /// Notes a reason where a check has failed.
    pub fn refuse(&mut self, check: &'static str, failed: bool, reason: Reason) {
        if holds(check, failed) {
            self.reasons.add(reason);
        }
    }

    /// Notes reasons that were found elsewhere.
    pub fn refuse_all(&mut self, reasons: ReasonSet) {
        self.reasons.extend(reasons);
    }

    /// Notes that something which the decision rests on ends then.
    pub fn until(&mut self, check: &'static str, end: Timestamp) {
        if holds(check, true) {
            self.until = self.until.min(end);
            self.holds_until = self.holds_until.min(end);
        }
    }

    /// Notes that the permit ends then, though all that it rests on may hold for longer.
    fn ends(&mut self, check: &'static str, end: Timestamp) {
        if holds(check, true) {
            self.until = self.until.min(end);
        }
    }
}

/// Decides. Pure and total.
///
/// # Errors
/// The refusal, as data.
pub fn decide(request: &Request<'_>, view: &View<'_>, policy: &Policy, now: Timestamp) -> Result<Granted, Refusal> {
    decide_by(Rules::TODAY, request, view, policy, now)
}

/// What a gate of certain rules decides: for looking back, as nothing but today's decides what is done.
///
/// # Errors
/// The refusal, as data.
pub(crate) fn decide_by(
    rules: Rules,
    request: &Request<'_>,
    view: &View<'_>,
    policy: &Policy,
    now: Timestamp,
) -> Result<Granted, Refusal> {
    let mut tally = Tally { reasons: ReasonSet::default(), until: Timestamp::MAX, holds_until: Timestamp::MAX };
    let case = Case { rules, ..Case::new(request, policy, now) };
    tally.ends("until.ttl", ttl(policy, now));
    integrity(view, policy, now, &mut tally);
    source_rules::check(&case, &mut tally);
    purpose(&case, &mut tally);
    let granted = match request.target {
        Target::Subject(..) => subject(&case, view, &mut tally),
        Target::Account(_) | Target::Host(_) => Some(not_personal(&case, &mut tally)),
    };
    match granted {
        Some(granted) if tally.reasons.is_empty() => {
            Ok(Granted { valid_until: tally.until, holds_until: tally.holds_until, ..granted })
        }
        _ => {
            let mut reasons = tally.reasons.list();
            if reasons.is_empty() {
                reasons.push(Reason::NoBasis);
            }
            Err(Refusal { reasons })
        }
    }
}

/// Whether anything may be permitted at all: ledger, clock, import of consents and approval of the policy are as they must
/// be.
#[must_use]
pub fn is_sound(view: &View<'_>, policy: &Policy, now: Timestamp) -> bool {
    let mut tally = Tally { reasons: ReasonSet::default(), until: Timestamp::MAX, holds_until: Timestamp::MAX };
    integrity(view, policy, now, &mut tally);
    tally.reasons.is_empty()
}

fn ttl(policy: &Policy, now: Timestamp) -> Timestamp {
    now.checked_add(SignedDuration::from_secs(policy.file().permit_ttl_seconds.into())).unwrap_or(now)
}

fn integrity(view: &View<'_>, policy: &Policy, now: Timestamp, tally: &mut Tally) {
    tally.refuse("integrity", !view.intact, Reason::IntegrityFailure);
    tally.refuse("clock", view.newest.is_some_and(|newest| now < newest), Reason::ClockSkew);
    let max_age = SignedDuration::from_hours(policy.file().consent_sync_max_age_hours.into());
    let fresh_until = view.last_sync.and_then(|at| at.checked_add(max_age).ok());
    tally.refuse("sync", fresh_until.is_none_or(|end| end <= now), Reason::StaleConsentSync);
    tally.ends("until.sync", fresh_until.unwrap_or(now));
    let rules = policy.rules();
    tally.refuse("approval.at", rules.approved_from.is_none_or(|from| now < from), Reason::PolicyUnsigned);
    tally.refuse("approval.by", !rules.has_approver, Reason::PolicyUnsigned);
    // Nobody can have approved what this version cannot read.
    tally.refuse("policy.version", policy.file().version != POLICY_VERSION, Reason::PolicyUnsigned);
}

fn purpose(case: &Case<'_>, tally: &mut Tally) {
    let request = case.request;
    tally.refuse("modality", request.asked.modality != Modality::Text, Reason::ProhibitedModality);
    // `profiling` is a purpose of its own: no other one may ask for it.
    let elsewhere = request.operation == Operation::Profile && request.purpose != PROFILING;
    tally.refuse("profile.elsewhere", elsewhere, Reason::PurposeUnregistered);
    let Some((purpose, rules)) = case.purpose else {
        tally.refuse("purpose.registered", true, Reason::PurposeUnregistered);
        tally.refuse("purpose.name.unregistered", is_prohibited_purpose(request.purpose), Reason::ProhibitedPurpose);
        let special = request.asked.data_categories.iter().any(|c| category::is_prohibited(c));
        tally.refuse("category.unregistered", special, Reason::ProhibitedCategory);
        return;
    };
    tally.refuse("purpose.name", rules.has_prohibited_name, Reason::ProhibitedPurpose);
    tally.refuse("purpose.automated", purpose.automated_decision, Reason::AutomatedDecision);
    let operates = purpose.operations.contains(&request.operation);
    tally.refuse("purpose.operation", !operates, Reason::PurposeUnregistered);
    let other_class = case.source.is_some() && !purpose.source_classes.contains(&case.class);
    tally.refuse("purpose.class", other_class, Reason::PurposeUnregistered);
    categories(case, purpose, rules, tally);
    evidence(case, purpose, tally);
    if holds("dpia.profiles", case.profiles) || holds("dpia.named", purpose.dpia.is_some()) {
        let end = case.dpia_until();
        tally.refuse("dpia", end.is_none(), Reason::DpiaMissing);
        tally.until("until.dpia", end.unwrap_or(case.now));
    }
    let emits = request.operation == Operation::Emit;
    tally.refuse("transfer", emits && !transfers_covered(case.policy, &purpose.recipients), Reason::TransferUncovered);
}

/// What is asked must be listed, and nothing special may be either.
fn categories(case: &Case<'_>, purpose: &Purpose, rules: &PurposeRules, tally: &mut Tally) {
    tally.refuse("category.listed", rules.has_prohibited_category, Reason::ProhibitedCategory);
    for asked in case.request.asked.data_categories {
        if !purpose.data_categories.iter().any(|listed| listed == asked) {
            tally.refuse("category.necessary", true, Reason::FieldNotNecessary);
            tally.refuse("category.asked", category::is_prohibited(asked), Reason::ProhibitedCategory);
        }
    }
}

/// Where the purpose limits the age of evidence, whatever reads some must say how old it is.
fn evidence(case: &Case<'_>, purpose: &Purpose, tally: &mut Tally) {
    let Some(days) = purpose.evidence_max_age_days else { return };
    let reads = matches!(case.request.operation, Operation::Derive | Operation::Infer | Operation::Profile);
    match case.request.asked.evidence_at {
        None => tally.refuse("evidence.unknown", reads, Reason::EvidenceTooOld),
        Some(at) => {
            let end = after_days(at, days).unwrap_or(Timestamp::MAX);
            tally.refuse("evidence.age", end <= case.now, Reason::EvidenceTooOld);
            tally.until("until.evidence", end);
        }
    }
}

fn transfers_covered(policy: &Policy, recipients: &[String]) -> bool {
    recipients.iter().all(|name| {
        policy.file().recipients.get(name).is_some_and(|r| {
            holds("transfer.region", matches!(r.region.as_str(), "EEA" | "adequate"))
                || holds("transfer.tool", r.transfer_tool.as_deref().is_some_and(|t| !t.trim().is_empty()))
        })
    })
}

/// Companies and hosts are no data subjects: a registered source and purpose suffice, and the purpose must be one
/// that never touches a person.
fn not_personal(case: &Case<'_>, tally: &mut Tally) -> Granted {
    let impersonal = case.purpose.is_some_and(|(purpose, _)| purpose.bases.is_empty());
    tally.refuse("impersonal", !impersonal, Reason::PurposeUnregistered);
    Granted {
        bases: vec!["not_personal".to_owned()],
        valid_until: Timestamp::MAX,
        holds_until: Timestamp::MAX,
        retain_until: Timestamp::MAX,
        notice_status: "not_required",
        duties: Vec::new(),
    }
}

fn subject(case: &Case<'_>, view: &View<'_>, tally: &mut Tally) -> Option<Granted> {
    tally.refuse("ambiguous", view.ambiguous, Reason::SubjectAmbiguous);
    let (Some(events), Some(collected_at)) = (view.events, case.request.collected_at) else {
        tally.refuse("unresolved", true, Reason::SubjectUnresolved);
        return None;
    };
    let standing = Standing { case, events };
    standing.negatives(tally);
    // A retention beyond the end of the calendar is none.
    let retained = |p: &Purpose| after_days(collected_at, p.retention_days).unwrap_or(Timestamp::MIN);
    let retain_until = case.purpose.map_or(Timestamp::MAX, |(purpose, _)| retained(purpose));
    tally.refuse("retention", retain_until <= case.now, Reason::RetentionElapsed);
    tally.until("until.retention", retain_until);
    let basis = standing.best_basis(tally);
    let mut duties = vec![Duty::RetainUntil(retain_until)];
    let notice_status = notice(&standing, collected_at, &mut duties, tally);
    let article = basis?.article().to_owned();
    let (valid_until, holds_until) = (Timestamp::MAX, Timestamp::MAX);
    Some(Granted { bases: vec![article], valid_until, holds_until, retain_until, notice_status, duties })
}

/// Art. 14: under legitimate interest the person must have been told in time, and before the first disclosure. The
/// wording of a proven consent is the notice of what it covers.
fn notice(standing: &Standing<'_>, collected_at: Timestamp, duties: &mut Vec<Duty>, tally: &mut Tally) -> &'static str {
    if standing.notified() {
        return "given";
    }
    if standing.claims_interest() {
        let case = standing.case;
        let due = case.policy.notice_due(collected_at);
        tally.refuse("notice.due", due < case.now, Reason::NoticeOverdue);
        let discloses = case.request.operation == Operation::Emit;
        tally.refuse("notice.disclosure", discloses, Reason::NoticeRequiredBeforeDisclosure);
        tally.until("until.notice", due);
        duties.extend([Duty::GiveNoticeBy(due), Duty::NoDisclosureBeforeNotice]);
    }
    "pending"
}
