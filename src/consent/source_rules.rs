//! What must hold of a source and a host before anything is asked of them.
//!
//! Invariant: what the policy does not register, or what was not asked for its opt-outs, is refused.

use jiff::Timestamp;

use crate::consent::decide::{OptOut, Request, Tally, day, end_of_day};
use crate::consent::policy::{Policy, RegisteredSource, Terms, Visibility};
use crate::consent::reason::Reason;
use crate::model::Target;
use crate::taxonomy::SourceClass;

/// Lists what speaks against the source of a request.
pub(in crate::consent) fn check(request: &Request<'_>, policy: &Policy, now: Timestamp, tally: &mut Tally) {
    tally.refuse(!was_asked(request) || request.opt_out == OptOut::RobotsDisallow, Reason::RobotsDisallow);
    tally.refuse(request.opt_out == OptOut::TdmReserved, Reason::TdmReserved);
    let Some(source) = policy.source(request.source_id) else {
        tally.refuse(true, Reason::SourceUnregistered);
        return;
    };
    let purpose_served = source.purposes.iter().any(|p| p == request.purpose);
    tally.refuse(!purpose_served || !host_served(request, source, policy), Reason::SourceUnregistered);
    let closed = source.visibility != Visibility::Public || source.class == SourceClass::LoginOrRestricted;
    tally.refuse(closed, Reason::VisibilityRestricted);
    tally.refuse(source.terms == Terms::Forbid, Reason::TermsForbid);
    tally.refuse(source.revoked, Reason::SourceRevoked);
    if let Some(end) = source.contract_until {
        tally.refuse(end < day(now), Reason::ContractExpired);
        tally.until(end_of_day(end));
    }
}

/// A page of a host must have been asked about; only the question itself needs no answer before it.
fn was_asked(request: &Request<'_>) -> bool {
    let is_question = matches!(request.target, Target::Host(_));
    request.opt_out != OptOut::NotApplicable || request.host.is_none() || is_question
}

fn host_served(request: &Request<'_>, source: &RegisteredSource, policy: &Policy) -> bool {
    let Some(host) = request.host else { return true };
    if let Target::Host(target) = request.target
        && target != host
    {
        return false;
    }
    if !source.hosts.is_empty() {
        return source.hosts.iter().any(|h| h == host);
    }
    // The account's own site. A host that another source registers is a platform, not a company's own.
    let is_platform = policy.file().sources.values().any(|s| s.hosts.iter().any(|h| h == host));
    source.class == SourceClass::CompanySite
        && !is_platform
        && request.account_host.is_some_and(|own| is_same_or_subdomain(host, own))
}

/// Whether `host` is `own` or lies below it (`www.muster.example` below `muster.example`). A public suffix or an
/// address is nobody's own.
fn is_same_or_subdomain(host: &str, own: &str) -> bool {
    let is_ownable = own.parse::<std::net::IpAddr>().is_err() && psl::domain_str(own).is_some();
    is_ownable && host.strip_suffix(own).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}
