//! The row of a company.
//!
//! Invariant: what neither the CRM nor a signal says stays empty.

use jiff::Timestamp;

use super::rows::{AccountRow, Persona};
use crate::model::{Account, Signal};
use crate::taxonomy::{Facet, FacetStatus};

/// The row of one company; `None` for the group of contacts without a company.
#[must_use]
pub fn account_row(
    account: &Account,
    _signals: &[Signal],
    personas: &[Persona],
    _as_of: Timestamp,
) -> Option<AccountRow> {
    Some(AccountRow {
        account_id: account.id.clone()?,
        crm_record: account.crm_record.clone(),
        name: account.name.clone(),
        domain: account.domain.clone(),
        country: account.country.clone(),
        city: account.city.clone(),
        industry: account.industry.clone(),
        nace: account.nace.clone(),
        employees: account.employees,
        size_class: None,
        revenue_eur: account.revenue_eur,
        legal_form: account.legal_form.clone(),
        register: None,
        vat_id: None,
        age_years: None,
        innovation: Facet::abstain(FacetStatus::InsufficientEvidence),
        digital_maturity: Facet::abstain(FacetStatus::InsufficientEvidence),
        competitive_pressure: Facet::abstain(FacetStatus::InsufficientEvidence),
        development: Facet::abstain(FacetStatus::InsufficientEvidence),
        decision_style: Facet::abstain(FacetStatus::InsufficientEvidence),
        segment_information_value: None,
        n_personas: u32::try_from(personas.len()).unwrap_or(u32::MAX),
    })
}
