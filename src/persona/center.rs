//! The buying center of a company.
//!
//! Invariant: one row per role, in canonical order; nobody is a member without a probability, and no question
//! holds a name of a person.

use super::input::Offering;
use super::role::ROLES;
use super::rows::{BuyingCenterRow, Member, Persona};
use super::settings::Size;
use crate::model::Account;
use crate::taxonomy::{BuyingRole, FacetStatus, JobFunction};

/// The buying center of one company for one offering; empty for contacts without a company.
///
/// Personas of other companies are left out.
#[must_use]
pub fn buying_center(account: &Account, personas: &[Persona], offering: &Offering) -> Vec<BuyingCenterRow> {
    let Some(id) = &account.id else { return Vec::new() };
    let mine: Vec<&Persona> = personas.iter().filter(|p| p.account_id.as_ref() == Some(id)).collect();
    let size = Size::of(account.employees, account.revenue_eur);
    let concentration = concentration(&mine, size);
    let row = |role: &BuyingRole| {
        let members = members(&mine, *role);
        let next_best_question = members.is_empty().then(|| question(account, &mine, offering, *role, size));
        BuyingCenterRow {
            account_id: id.clone(),
            role: *role,
            coverage: coverage(&mine, *role, !members.is_empty()),
            members,
            expected_size: ROLES.expected_size(*role, size),
            concentration,
            next_best_question,
        }
    };
    BuyingRole::ALL.iter().map(row).collect()
}

fn probability(p: &Persona, role: BuyingRole) -> Option<f64> {
    p.buying_roles.iter().find(|r| r.role == role)?.probability
}

/// Who has the role at least as probably as not, most probable first.
fn members(personas: &[&Persona], role: BuyingRole) -> Vec<Member> {
    let mut out: Vec<Member> = personas
        .iter()
        .filter_map(|p| Some(Member { subject_id: p.subject_id.clone(), probability: probability(p, role)? }))
        .filter(|m| m.probability >= ROLES.member_floor)
        .collect();
    out.sort_by(|a, b| b.probability.total_cmp(&a.probability).then_with(|| a.subject_id.cmp(&b.subject_id)));
    out
}

/// `known` where somebody has the role; `no_consent` where consent alone keeps it empty; else evidence is lacking.
fn coverage(personas: &[&Persona], role: BuyingRole, filled: bool) -> FacetStatus {
    let mut statuses =
        personas.iter().flat_map(|p| &p.buying_roles).filter(|r| r.role == role).map(|r| r.status).peekable();
    if filled {
        FacetStatus::Known
    } else if statuses.peek().is_some() && statuses.all(|s| s == FacetStatus::NoConsent) {
        FacetStatus::NoConsent
    } else {
        FacetStatus::InsufficientEvidence
    }
}

/// The Herfindahl index of decision power, the same on every row of a company.
///
/// Shares are taken of the deciders that one expects at this size, so that one unlikely contact does not look like
/// a sole decider; people who are not known add nothing: a lower bound. `None` where nobody was judged.
fn concentration(personas: &[&Persona], size: Size) -> Option<f64> {
    let mut p: Vec<f64> = personas.iter().filter_map(|x| probability(x, BuyingRole::Decider)).collect();
    if p.is_empty() {
        return None;
    }
    p.sort_by(f64::total_cmp);
    let all = p.iter().sum::<f64>().max(ROLES.expected_size(BuyingRole::Decider, size));
    Some(p.iter().map(|x| (x / all).powi(2)).sum())
}

/// The question whose answer would fill the role.
fn question(account: &Account, personas: &[&Persona], offering: &Offering, role: BuyingRole, size: Size) -> String {
    let candidate = personas
        .iter()
        .filter_map(|p| Some((probability(p, role)?, contact(p)?, &p.subject_id)))
        .filter(|(p, _, _)| *p >= ROLES.candidate_floor)
        .max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.2.cmp(a.2)));
    let text = ROLES.question(role);
    let (text, contact) = candidate.map_or((&text.open, String::new()), |(_, c, _)| (&text.confirm, c));
    let function = ROLES.function_name(function_to_ask(personas, offering, role, size));
    fill(
        text,
        &[
            ("{company}", &account.name),
            ("{offering}", &offering.name),
            ("{function}", function),
            ("{contact}", &contact),
        ],
    )
}

/// Level and function of a contact, never a name; `None` where either is not known.
fn contact(p: &Persona) -> Option<String> {
    let function = ROLES.function_name(p.job_function.value?);
    Some(format!("{} ({function})", ROLES.seniority_name(p.seniority.value?)))
}

/// Where to look for somebody in the role: a function that nobody known works in, if there is one.
fn function_to_ask(personas: &[&Persona], offering: &Offering, role: BuyingRole, size: Size) -> JobFunction {
    use JobFunction::{AdministrationAssistance, ExecutiveManagement, FinanceControlling, Procurement};
    let small = matches!(size, Size::Micro | Size::Small);
    let manual: &[JobFunction] = match role {
        BuyingRole::User | BuyingRole::Initiator => &offering.used_by,
        BuyingRole::Influencer if offering.run_by.is_empty() => &offering.used_by,
        BuyingRole::Influencer => &offering.run_by,
        BuyingRole::Buyer | BuyingRole::Decider | BuyingRole::Approver if small => &[ExecutiveManagement],
        BuyingRole::Buyer => &[Procurement],
        BuyingRole::Decider => &[ExecutiveManagement],
        BuyingRole::Approver => &[FinanceControlling],
        BuyingRole::Gatekeeper => &[AdministrationAssistance],
    };
    let is_met = |f: &JobFunction| personas.iter().any(|p| p.job_function.value == Some(*f));
    manual.iter().find(|f| !is_met(f)).or(manual.first()).copied().unwrap_or(ExecutiveManagement)
}

/// Fills placeholders in one pass, so that a company called "{contact}" stays what it is.
fn fill(text: &str, values: &[(&str, &str)]) -> String {
    let mut out = String::with_capacity(text.len() + 64);
    let mut rest = text;
    while let Some(at) = rest.find('{') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some((key, value)) = values.iter().find(|(k, _)| rest.starts_with(k)) {
            out.push_str(value);
            rest = &rest[key.len()..];
        } else {
            out.push('{');
            rest = &rest[1..];
        }
    }
    out.push_str(rest);
    out
}
