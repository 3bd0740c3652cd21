//! The decision: a pure, total function from request, events, policy and time to a grant or a refusal.
//!
//! Invariant: default deny. Every check runs and every failing one is listed, in the order of the design; the first
//! is the primary reason. No I/O, no clock.

use jiff::civil::Date;
use jiff::tz::Offset;
use jiff::{Timestamp, ToSpan};

use crate::consent::event::{LawfulBasis, LegalEvent};
use crate::consent::policy::Policy;
pub use crate::consent::reason::Reason;
use crate::consent::source_rules;
use crate::consent::standing::Standing;
use crate::model::Target;
use crate::taxonomy::{Operation, SourceClass};

/// Words that no purpose may carry: recruitment and employment cannot be asked for (R24).
const PROHIBITED_PURPOSE_WORDS: &[&str] =
    &["recruit", "employ", "hiring", "bewerb", "personalauswahl", "headhunt", "credit", "insurance", "*"];

/// The purpose under which traits, motives and preferences of a person may be read, and no other.
pub(in crate::consent) const PROFILING: &str = "profiling";

/// The format of policy files that this version reads.
const POLICY_VERSION: u32 = 1;

/// What robots.txt and the reservations of rights say about a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OptOut {
    /// Not a page, or the question itself.
    NotApplicable,
    /// Asked, and free.
    Free,
    /// Forbidden, unreachable or not asked.
    RobotsDisallow,
    /// Reserved.
    TdmReserved,
}

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Whom it concerns.
    pub target: &'a Target,
    /// What is to be done.
    pub operation: Operation,
    /// For what.
    pub purpose: &'a str,
    /// From which source.
    pub source_id: &'a str,
    /// The host that would be asked.
    pub host: Option<&'a str>,
    /// The host of the account, for sources without a list of their own.
    pub account_host: Option<&'a str>,
    /// What the host says.
    pub opt_out: OptOut,
    /// First collection of the subject's data.
    pub collected_at: Option<Timestamp>,
}

/// What the ledger knows about the target.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// Its events; `None` = the ledger never heard of the subject.
    pub events: Option<&'a [LegalEvent]>,
    /// Two records claim to be this person.
    pub ambiguous: bool,
    /// The ledger matches its checkpoint.
    pub intact: bool,
    /// The last import of consents.
    pub last_sync: Option<Timestamp>,
    /// The newest instant that the ledger's imports have seen.
    pub newest: Option<Timestamp>,
}

/// A permit in substance, before it is minted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Granted {
    /// Articles, or `not_personal`.
    pub bases: Vec<String>,
    /// The end.
    pub valid_until: Timestamp,
    /// End of retention, for subjects.
    pub retain_until: Timestamp,
    /// `not_required`, `given` or `pending`.
    pub notice_status: &'static str,
}

/// A refusal with all its reasons, the first being the primary one. Never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// In the order of the checks, each once.
    pub reasons: Vec<Reason>,
}

/// What a decision has found so far.
#[derive(Debug)]
pub(in crate::consent) struct Tally {
    reasons: Vec<Reason>,
    until: Timestamp,
}

impl Tally {
    /// Notes a reason where a check has failed.
    pub fn refuse(&mut self, failed: bool, reason: Reason) {
        if failed {
            self.reasons.push(reason);
        }
    }

    /// Notes that something which the decision rests on ends then.
    pub fn until(&mut self, end: Timestamp) {
        self.until = self.until.min(end);
    }
}

/// Decides. Pure and total.
///
/// # Errors
/// The refusal, as data.
pub fn decide(request: &Request<'_>, view: &View<'_>, policy: &Policy, now: Timestamp) -> Result<Granted, Refusal> {
    let mut tally = Tally { reasons: Vec::new(), until: Timestamp::MAX };
    integrity(view, policy, now, &mut tally);
    source_rules::check(request, policy, now, &mut tally);
    purpose(request, policy, now, &mut tally);
    let granted = match request.target {
        Target::Subject(..) => subject(request, view, policy, now, &mut tally),
        Target::Account(_) | Target::Host(_) => not_personal(request, policy, &mut tally),
    };
    let Tally { mut reasons, until } = tally;
    reasons.sort_unstable();
    reasons.dedup();
    match granted {
        Some(granted) if reasons.is_empty() => Ok(Granted { valid_until: until.min(ttl(policy, now)), ..granted }),
        _ => {
            if reasons.is_empty() {
                reasons.push(Reason::NoBasis);
            }
            Err(Refusal { reasons })
        }
    }
}

fn ttl(policy: &Policy, now: Timestamp) -> Timestamp {
    now.checked_add(i64::from(policy.file().permit_ttl_seconds).seconds()).unwrap_or(now)
}

fn integrity(view: &View<'_>, policy: &Policy, now: Timestamp, tally: &mut Tally) {
    tally.refuse(!view.intact, Reason::IntegrityFailure);
    tally.refuse(view.newest.is_some_and(|newest| now < newest), Reason::ClockSkew);
    let max_age = i64::from(policy.file().consent_sync_max_age_hours).hours();
    let fresh_until = view.last_sync.and_then(|at| at.checked_add(max_age).ok());
    tally.refuse(fresh_until.is_none_or(|end| end <= now), Reason::StaleConsentSync);
    tally.until(fresh_until.unwrap_or(now));
    let file = policy.file();
    let approved = file.approval.as_ref().is_some_and(|a| !a.by.trim().is_empty() && a.at <= day(now));
    // Nobody can have approved what this version cannot read.
    tally.refuse(!approved || file.version != POLICY_VERSION, Reason::PolicyUnsigned);
}

fn purpose(request: &Request<'_>, policy: &Policy, now: Timestamp, tally: &mut Tally) {
    let lower = request.purpose.to_lowercase();
    tally.refuse(PROHIBITED_PURPOSE_WORDS.iter().any(|word| lower.contains(word)), Reason::ProhibitedPurpose);
    // `profiling` is a purpose of its own: no other one may ask for it.
    let elsewhere = request.operation == Operation::Profile && request.purpose != PROFILING;
    tally.refuse(elsewhere, Reason::PurposeUnregistered);
    let Some(purpose) = policy.file().purposes.get(request.purpose) else {
        tally.refuse(true, Reason::PurposeUnregistered);
        return;
    };
    let class = class_of(request, policy);
    let covered = purpose.operations.contains(&request.operation)
        && (policy.source(request.source_id).is_none() || purpose.source_classes.contains(&class));
    tally.refuse(!covered, Reason::PurposeUnregistered);
    if profiles(request, policy) || purpose.dpia.is_some() {
        let end = purpose.dpia.as_deref().and_then(|id| policy.dpia_until(id, request.purpose, class, day(now)));
        tally.refuse(end.is_none(), Reason::DpiaMissing);
        tally.until(end.map_or(now, start_of_day));
    }
    let emits = request.operation == Operation::Emit;
    tally.refuse(emits && !transfers_covered(policy, &purpose.recipients), Reason::TransferUncovered);
}

/// Whether the request is about traits, motives or preferences of a person.
fn profiles(request: &Request<'_>, policy: &Policy) -> bool {
    request.operation == Operation::Profile
        || request.purpose == PROFILING
        || policy.file().purposes.get(request.purpose).is_some_and(|p| p.operations.contains(&Operation::Profile))
}

/// An unregistered source has the class that nothing permits.
fn class_of(request: &Request<'_>, policy: &Policy) -> SourceClass {
    policy.source(request.source_id).map_or(SourceClass::LoginOrRestricted, |s| s.class)
}

fn transfers_covered(policy: &Policy, recipients: &[String]) -> bool {
    recipients.iter().all(|name| {
        policy.file().recipients.get(name).is_some_and(|r| {
            matches!(r.region.as_str(), "EEA" | "adequate")
                || r.transfer_tool.as_deref().is_some_and(|t| !t.trim().is_empty())
        })
    })
}

/// Companies and hosts are no data subjects: a registered source and purpose suffice, and the purpose must be one
/// that never touches a person.
fn not_personal(request: &Request<'_>, policy: &Policy, tally: &mut Tally) -> Option<Granted> {
    let impersonal = policy.file().purposes.get(request.purpose).is_some_and(|p| p.bases.is_empty());
    tally.refuse(!impersonal, Reason::PurposeUnregistered);
    impersonal.then(|| Granted {
        bases: vec!["not_personal".to_owned()],
        valid_until: Timestamp::MAX,
        retain_until: Timestamp::MAX,
        notice_status: "not_required",
    })
}

fn subject(
    request: &Request<'_>,
    view: &View<'_>,
    policy: &Policy,
    now: Timestamp,
    tally: &mut Tally,
) -> Option<Granted> {
    tally.refuse(view.ambiguous, Reason::SubjectAmbiguous);
    let (Some(events), Some(collected_at)) = (view.events, request.collected_at) else {
        tally.refuse(true, Reason::SubjectUnresolved);
        return None;
    };
    let standing = Standing {
        events,
        purpose: request.purpose,
        class: class_of(request, policy),
        operation: request.operation,
        profiles: profiles(request, policy),
        policy,
        now,
    };
    standing.negatives(tally);
    let retain_until = policy.retain_until(request.purpose, collected_at).unwrap_or(Timestamp::MIN);
    let is_registered = policy.file().purposes.contains_key(request.purpose);
    tally.refuse(is_registered && retain_until <= now, Reason::RetentionElapsed);
    tally.until(retain_until);
    let basis = standing.best_basis(tally);
    let notice_status = notice(basis, &standing, collected_at, tally);
    let article = basis?.article().to_owned();
    Some(Granted { bases: vec![article], valid_until: Timestamp::MAX, retain_until, notice_status })
}

/// Art. 14: under legitimate interest the person must have been told in time, and before the first disclosure. The
/// wording of a proven consent is the notice of what it covers.
fn notice(
    basis: Option<LawfulBasis>,
    standing: &Standing<'_>,
    collected_at: Timestamp,
    tally: &mut Tally,
) -> &'static str {
    if basis == Some(LawfulBasis::Consent) || standing.notified() {
        return "given";
    }
    if standing.claims_interest() {
        let due = standing.policy.notice_due(collected_at);
        tally.refuse(due < standing.now, Reason::NoticeOverdue);
        tally.refuse(standing.operation == Operation::Emit, Reason::NoticeRequiredBeforeDisclosure);
        tally.until(due);
    }
    "pending"
}

pub(in crate::consent) fn day(at: Timestamp) -> Date {
    Offset::UTC.to_datetime(at).date()
}

/// Midnight at which a day begins, UTC.
pub(in crate::consent) fn start_of_day(day: Date) -> Timestamp {
    Offset::UTC.to_timestamp(day.at(0, 0, 0, 0)).unwrap_or(Timestamp::MIN)
}

/// Midnight at which a day ends, UTC.
pub(in crate::consent) fn end_of_day(day: Date) -> Timestamp {
    day.tomorrow().map_or(Timestamp::MAX, start_of_day)
}
