//! The decision: a pure, total function from request, events, policy and time to a grant or a refusal.
//!
//! Invariant: default deny. Every check runs and every failing one is listed, in the order of the design; the first
//! is the primary reason. No I/O, no clock.

use std::fmt;

use jiff::tz::Offset;
use jiff::{Timestamp, ToSpan};

use crate::consent::event::{LawfulBasis, LegalEvent};
use crate::consent::policy::{AssessmentKind, Policy, Terms, Visibility};
use crate::consent::standing::Standing;
use crate::model::Target;
use crate::taxonomy::{Operation, SourceClass};

/// Words that no purpose may carry: recruitment and employment cannot be asked for (R24).
const PROHIBITED_PURPOSE_WORDS: &[&str] =
    &["recruit", "employ", "hiring", "bewerb", "personalauswahl", "headhunt", "credit", "insurance", "*"];

/// Why something is refused; the order of the variants is the order of the checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// The ledger does not match its checkpoint.
    IntegrityFailure,
    /// The clock stands before what the ledger has seen.
    ClockSkew,
    /// The last import of consents is too old.
    StaleConsentSync,
    /// Nobody approved the policy.
    PolicyUnsigned,
    /// The subject is not in the ledger's index.
    SubjectUnresolved,
    /// Two records claim to be this person.
    SubjectAmbiguous,
    /// The purpose cannot be asked for.
    ProhibitedPurpose,
    /// Art. 17.
    Erased,
    /// Art. 18.
    Restricted,
    /// Art. 21(2): absolute.
    MarketingObjection,
    /// Art. 21(1): restricted until decided.
    ObjectionPending,
    /// A consent was withdrawn or refused.
    Withdrawn,
    /// The policy does not register the source, or not for this host.
    SourceUnregistered,
    /// The source is not public, or nobody knows.
    VisibilityRestricted,
    /// The terms forbid it.
    TermsForbid,
    /// robots.txt forbids it, or was not asked.
    RobotsDisallow,
    /// Rights are reserved (TDM).
    TdmReserved,
    /// The source was taken out of use.
    SourceRevoked,
    /// The policy does not register the purpose, or not for this operation or source.
    PurposeUnregistered,
    /// Profiling without a valid DPIA.
    DpiaMissing,
    /// The processor contract has ended.
    ContractExpired,
    /// A recipient outside the EEA without transfer tool.
    TransferUncovered,
    /// Nothing permits it.
    NoBasis,
    /// A consent without complete proof.
    ConsentUnproven,
    /// A basis that begins later.
    NotYetValid,
    /// A basis that has ended.
    Expired,
    /// Legitimate interest without a valid assessment.
    LiaInvalid,
    /// A basis for another purpose.
    ScopeMismatchPurpose,
    /// A basis for other operations.
    ScopeMismatchOperation,
    /// A basis for other source classes.
    ScopeMismatchSourceClass,
    /// The Art. 14 notice is overdue.
    NoticeOverdue,
    /// Not notified, and this would be the first disclosure.
    NoticeRequiredBeforeDisclosure,
    /// The retention period has ended.
    RetentionElapsed,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ScopeMismatchPurpose => f.write_str("ScopeMismatch(purpose)"),
            Self::ScopeMismatchOperation => f.write_str("ScopeMismatch(operation)"),
            Self::ScopeMismatchSourceClass => f.write_str("ScopeMismatch(source_class)"),
            other => write!(f, "{other:?}"),
        }
    }
}

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

/// Decides. Pure and total.
///
/// # Errors
/// The refusal, as data.
pub fn decide(request: &Request<'_>, view: &View<'_>, policy: &Policy, now: Timestamp) -> Result<Granted, Refusal> {
    let mut reasons = Vec::new();
    integrity(view, policy, now, &mut reasons);
    source(request, policy, now, &mut reasons);
    let purpose_ok = purpose(request, policy, now, &mut reasons);
    let granted = match request.target {
        Target::Subject(..) => subject(request, view, policy, now, &mut reasons),
        Target::Account(_) | Target::Host(_) => not_personal(request, policy, purpose_ok, &mut reasons),
    };
    reasons.sort_unstable();
    reasons.dedup();
    match granted {
        Some(granted) if reasons.is_empty() => Ok(cap(granted, policy, now)),
        _ => {
            if reasons.is_empty() {
                reasons.push(Reason::NoBasis);
            }
            Err(Refusal { reasons })
        }
    }
}

fn cap(granted: Granted, policy: &Policy, now: Timestamp) -> Granted {
    let ttl = now.checked_add(i64::from(policy.file().permit_ttl_seconds).seconds()).unwrap_or(now);
    Granted { valid_until: granted.valid_until.min(ttl), ..granted }
}

fn integrity(view: &View<'_>, policy: &Policy, now: Timestamp, reasons: &mut Vec<Reason>) {
    if !view.intact {
        reasons.push(Reason::IntegrityFailure);
    }
    if view.newest.is_some_and(|newest| now < newest) {
        reasons.push(Reason::ClockSkew);
    }
    let max_age = i64::from(policy.file().consent_sync_max_age_hours).hours();
    let fresh = view.last_sync.and_then(|at| at.checked_add(max_age).ok()).is_some_and(|end| now <= end);
    if !fresh {
        reasons.push(Reason::StaleConsentSync);
    }
    if !policy.file().approval.as_ref().is_some_and(|a| !a.by.trim().is_empty() && a.at <= day(now)) {
        reasons.push(Reason::PolicyUnsigned);
    }
}

fn source(request: &Request<'_>, policy: &Policy, now: Timestamp, reasons: &mut Vec<Reason>) {
    let Some(source) = policy.source(request.source_id) else {
        reasons.push(Reason::SourceUnregistered);
        return;
    };
    let purpose_served = source.purposes.iter().any(|p| p == request.purpose);
    let host_served = request.host.is_none_or(|host| {
        if source.hosts.is_empty() {
            request.account_host.is_some_and(|own| is_same_or_subdomain(host, own))
        } else {
            source.hosts.iter().any(|h| h == host)
        }
    });
    if !purpose_served || !host_served {
        reasons.push(Reason::SourceUnregistered);
    }
    if source.visibility != Visibility::Public || source.class == SourceClass::LoginOrRestricted {
        reasons.push(Reason::VisibilityRestricted);
    }
    if source.terms == Terms::Forbid {
        reasons.push(Reason::TermsForbid);
    }
    match request.opt_out {
        OptOut::NotApplicable | OptOut::Free => {}
        OptOut::RobotsDisallow => reasons.push(Reason::RobotsDisallow),
        OptOut::TdmReserved => reasons.push(Reason::TdmReserved),
    }
    if source.revoked {
        reasons.push(Reason::SourceRevoked);
    }
    if source.contract_until.is_some_and(|end| end < day(now)) {
        reasons.push(Reason::ContractExpired);
    }
}

/// Whether `host` is `own` or lies below it (`www.muster.example` below `muster.example`).
fn is_same_or_subdomain(host: &str, own: &str) -> bool {
    host.strip_suffix(own).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

fn purpose(request: &Request<'_>, policy: &Policy, now: Timestamp, reasons: &mut Vec<Reason>) -> bool {
    let lower = request.purpose.to_lowercase();
    if PROHIBITED_PURPOSE_WORDS.iter().any(|word| lower.contains(word)) {
        reasons.push(Reason::ProhibitedPurpose);
    }
    let Some(purpose) = policy.file().purposes.get(request.purpose) else {
        reasons.push(Reason::PurposeUnregistered);
        return false;
    };
    let class = policy.source(request.source_id).map(|s| s.class);
    let covered = purpose.operations.contains(&request.operation)
        && class.is_none_or(|class| purpose.source_classes.contains(&class));
    if !covered {
        reasons.push(Reason::PurposeUnregistered);
    }
    let profiles = request.operation == Operation::Profile || purpose.operations.contains(&Operation::Profile);
    let dpia = class.is_some_and(|class| {
        purpose.dpia.is_some() && policy.assessed(AssessmentKind::Dpia, request.purpose, class, day(now))
    });
    if profiles && !dpia {
        reasons.push(Reason::DpiaMissing);
    }
    if request.operation == Operation::Emit && !transfers_covered(policy, &purpose.recipients) {
        reasons.push(Reason::TransferUncovered);
    }
    covered
}

fn transfers_covered(policy: &Policy, recipients: &[String]) -> bool {
    recipients.iter().all(|name| {
        policy.file().recipients.get(name).is_some_and(|r| {
            matches!(r.region.as_str(), "EEA" | "adequate") || r.transfer_tool.as_deref().is_some_and(|t| !t.is_empty())
        })
    })
}

/// Companies and hosts are no data subjects: a registered source and purpose suffice, and the purpose must be one
/// that never touches a person.
fn not_personal(
    request: &Request<'_>,
    policy: &Policy,
    purpose_ok: bool,
    reasons: &mut Vec<Reason>,
) -> Option<Granted> {
    let impersonal = policy.file().purposes.get(request.purpose).is_some_and(|p| p.bases.is_empty());
    if !purpose_ok || !impersonal {
        reasons.push(Reason::PurposeUnregistered);
        return None;
    }
    Some(Granted {
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
    reasons: &mut Vec<Reason>,
) -> Option<Granted> {
    let (Some(events), Some(collected_at)) = (view.events, request.collected_at) else {
        reasons.push(Reason::SubjectUnresolved);
        return None;
    };
    if view.ambiguous {
        reasons.push(Reason::SubjectAmbiguous);
    }
    let class = policy.source(request.source_id).map(|s| s.class)?;
    let standing = Standing { events, purpose: request.purpose, class, operation: request.operation, now };
    standing.negatives(reasons);
    let retain_until = policy.retain_until(request.purpose, collected_at).unwrap_or(Timestamp::MIN);
    if retain_until <= now {
        reasons.push(Reason::RetentionElapsed);
    }
    let allowed = policy.file().purposes.get(request.purpose).map_or(&[][..], |p| &p.bases);
    let basis = standing.best_basis(allowed, policy, reasons)?;
    let notice_status = notice(basis.0, &standing, request, policy, collected_at, reasons);
    Some(Granted {
        bases: vec![basis.0.article().to_owned()],
        valid_until: basis.1.min(retain_until),
        retain_until,
        notice_status,
    })
}

/// Art. 14: under legitimate interest the person must have been told in time, and before the first disclosure.
fn notice(
    basis: LawfulBasis,
    standing: &Standing<'_>,
    request: &Request<'_>,
    policy: &Policy,
    collected_at: Timestamp,
    reasons: &mut Vec<Reason>,
) -> &'static str {
    if standing.notified() {
        return "given";
    }
    if basis == LawfulBasis::Consent {
        return "not_required";
    }
    if policy.notice_due(collected_at) < standing.now {
        reasons.push(Reason::NoticeOverdue);
    }
    if request.operation == Operation::Emit {
        reasons.push(Reason::NoticeRequiredBeforeDisclosure);
    }
    "pending"
}

pub(in crate::consent) fn day(at: Timestamp) -> jiff::civil::Date {
    Offset::UTC.to_datetime(at).date()
}
