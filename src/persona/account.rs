//! The row of a company.
//!
//! Invariant: what neither the CRM nor a signal says stays empty; a prior is marked as one.

use jiff::Timestamp;

use super::fuse::word;
use super::pool::Frame;
use super::role;
use super::rows::{AccountRow, Persona};
use super::settings::{DecisionStyle, FUSION, Size};
use crate::model::{Account, AsOf, Signal};
use crate::taxonomy::{BuyingRole, Facet, FacetStatus};

/// What facts about companies are pooled with; the pipeline's settings are about people.
const MIN_PROBABILITY: f64 = 0.6;
const HALF_LIFE_DAYS: f64 = 730.0;

/// The row of one company; `None` for the group of contacts without a company.
///
/// Head count, revenue and year of foundation are the CRM's, and a signal's where the CRM has none. Legal form,
/// city, register and VAT id are the imprint's where it states them well, because the law holds it to be right.
#[must_use]
pub fn account_row(
    account: &Account,
    signals: &[Signal],
    personas: &[Persona],
    as_of: Timestamp,
) -> Option<AccountRow> {
    let frame = Frame { as_of, crm_updated_at: None, half_life_days: HALF_LIFE_DAYS, min_probability: MIN_PROBABILITY };
    let facet = |field: &str| match word(frame, Some(account), signals, field) {
        Some(w) if w.status == FacetStatus::Known => Facet::known(w.value, w.p),
        Some(w) => Facet::abstain(w.status),
        None => Facet::abstain(FacetStatus::InsufficientEvidence),
    };
    let stated = |field: &str| facet(field).value;
    let employees = account.employees.or_else(|| stated("employees")?.parse().ok());
    let revenue_eur =
        account.revenue_eur.or_else(|| stated("revenue_eur")?.parse().ok().filter(|r: &f64| r.is_finite()));
    let legal_form = stated("legal_form").or_else(|| account.legal_form.clone());
    let founded = account.founded.or_else(|| stated("founded")?.parse().ok());
    let size = Size::of(employees, revenue_eur);
    let id = account.id.clone()?;
    let mine: Vec<&Persona> = personas.iter().filter(|p| p.account_id.as_ref() == Some(&id)).collect();
    Some(AccountRow {
        crm_record: account.crm_record.clone(),
        name: account.name.clone(),
        domain: account.domain.clone(),
        country: account.country.clone().or_else(|| stated("country")),
        city: stated("city").or_else(|| account.city.clone()),
        industry: account.industry.clone().or_else(|| stated("industry")),
        nace: account.nace.clone().or_else(|| stated("nace")),
        employees,
        size_class: size.as_str().map(str::to_owned),
        revenue_eur,
        register: stated("register"),
        vat_id: stated("vat_id"),
        age_years: founded.and_then(|y| age_years(y, as_of)),
        innovation: facet("innovation"),
        digital_maturity: facet("digital_maturity"),
        competitive_pressure: facet("competitive_pressure"),
        development: facet("development"),
        decision_style: decision_style(facet("decision_style"), size, legal_form.as_deref()),
        segment_information_value: information_value(&mine),
        n_personas: u32::try_from(mine.len()).unwrap_or(u32::MAX),
        legal_form,
        account_id: id,
    })
}

/// Whole years since the year of foundation; `None` where it lies in the future.
fn age_years(founded: u16, as_of: Timestamp) -> Option<u16> {
    u16::try_from(AsOf(as_of).date().year()).ok()?.checked_sub(founded)
}

/// What is stated, else a prior by size and legal form with status `study_prior`, else an abstention.
///
/// The prior is no evidence about this company, and its status keeps it apart from what is.
fn decision_style(stated: Facet<String>, size: Size, legal_form: Option<&str>) -> Facet<String> {
    let canonical = stated.value.as_deref().is_some_and(|v| DecisionStyle::parse(v).is_some());
    if canonical || matches!(stated.status, FacetStatus::Conflicting | FacetStatus::Stale) {
        return stated;
    }
    let Some(p) = FUSION.decision_style.prior(size, legal_form) else {
        return Facet::abstain(FacetStatus::InsufficientEvidence);
    };
    let best = DecisionStyle::ALL.into_iter().zip(p).max_by(|a, b| a.1.total_cmp(&b.1));
    best.map_or(Facet::abstain(FacetStatus::InsufficientEvidence), |(style, p)| Facet {
        value: Some(style.as_str().to_owned()),
        p: Some(p),
        status: FacetStatus::StudyPrior,
    })
}

/// Bits that the personas add over what one knows of anybody: the Kullback-Leibler divergence of each role
/// probability from the role's base rate, summed over people and the five core roles.
///
/// 0 = the personas say no more than the base rates; `None` where no role of anybody is known.
fn information_value(personas: &[&Persona]) -> Option<f64> {
    let bits = |p: f64, q: f64| {
        let term = |p: f64, q: f64| if p > 0.0 { p * (p / q).log2() } else { 0.0 };
        term(p, q) + term(1.0 - p, 1.0 - q)
    };
    let known: Vec<f64> = personas
        .iter()
        .flat_map(|x| &x.buying_roles)
        .filter(|r| BuyingRole::CORE.contains(&r.role))
        .filter_map(|r| Some(bits(r.probability?, role::prior(r.role))))
        .collect();
    (!known.is_empty()).then(|| {
        let mut sorted = known;
        sorted.sort_by(f64::total_cmp);
        sorted.iter().sum()
    })
}
