//! What must hold of a source and a host before anything is asked of them.
//!
//! Invariant: what the policy does not register, or what was not asked for its opt-outs, is refused.

use crate::consent::case::Case;
use crate::consent::decide::{OptOut, Request, Tally};
use crate::consent::mutant::holds;
use crate::consent::policy::{Policy, RegisteredSource, Terms, Visibility};
use crate::consent::reason::Reason;
use crate::model::Target;
use crate::taxonomy::SourceClass;

/// Lists what speaks against the source of a request.
pub(in crate::consent) fn check(case: &Case<'_>, tally: &mut Tally) {
    let request = case.request;
    tally.refuse("robots.asked", !was_asked(request), Reason::RobotsDisallow);
    tally.refuse("robots.disallow", request.opt_out == OptOut::RobotsDisallow, Reason::RobotsDisallow);
    tally.refuse("tdm", request.opt_out == OptOut::TdmReserved, Reason::TdmReserved);
    let Some((source, rules)) = case.source else {
        tally.refuse("source.registered", true, Reason::SourceUnregistered);
        return;
    };
    let purpose_served = source.purposes.iter().any(|p| p == request.purpose);
    tally.refuse("source.purpose", !purpose_served, Reason::SourceUnregistered);
    tally.refuse("source.host", !host_served(request, source, case.policy), Reason::SourceUnregistered);
    tally.refuse("visibility", source.visibility != Visibility::Public, Reason::VisibilityRestricted);
    let login = source.class == SourceClass::LoginOrRestricted;
    tally.refuse("visibility.login", login, Reason::VisibilityRestricted);
    tally.refuse("terms", source.terms == Terms::Forbid, Reason::TermsForbid);
    tally.refuse("revoked", source.revoked, Reason::SourceRevoked);
    if let Some(end) = rules.contract_end {
        tally.refuse("contract", end <= case.now, Reason::ContractExpired);
        tally.until("until.contract", end);
    }
}

/// A page of a host must have been asked about; only the question itself needs no answer before it.
fn was_asked(request: &Request<'_>) -> bool {
    let is_question = matches!(request.target, Target::Host(_));
    holds("asked.answer", request.opt_out != OptOut::NotApplicable)
        || holds("asked.no_host", request.host.is_none())
        || holds("asked.question", is_question)
}

fn host_served(request: &Request<'_>, source: &RegisteredSource, policy: &Policy) -> bool {
    let Some(host) = request.host else { return true };
    if let Target::Host(target) = request.target
        && holds("host.other", target != host)
    {
        return false;
    }
    if holds("host.listed", !source.hosts.is_empty()) {
        return source.hosts.iter().any(|h| h == host);
    }
    // The account's own site. A host that another source registers is a platform, not a company's own.
    holds("host.class", source.class == SourceClass::CompanySite)
        && holds("host.platform", !policy.rules().platforms.contains(host))
        && holds("host.own", request.account_host.is_some_and(|own| is_same_or_subdomain(host, own)))
}

/// Whether `host` is `own` or lies below it (`www.muster.example` below `muster.example`). A public suffix or an
/// address is nobody's own.
fn is_same_or_subdomain(host: &str, own: &str) -> bool {
    holds("host.address", own.parse::<std::net::IpAddr>().is_err())
        && holds("host.suffix", psl::domain_str(own).is_some())
        && host
            .strip_suffix(own)
            .is_some_and(|rest| holds("host.same", rest.is_empty()) || holds("host.below", rest.ends_with('.')))
}
