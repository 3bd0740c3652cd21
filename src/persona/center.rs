//! The buying center of a company.
//!
//! Invariant: one row per role, in canonical order; nobody is a member without a probability.

use super::input::Offering;
use super::rows::{BuyingCenterRow, Persona};
use crate::model::Account;

/// The buying center of one company for one offering; empty for contacts without a company.
#[must_use]
pub fn buying_center(_account: &Account, _personas: &[Persona], _offering: &Offering) -> Vec<BuyingCenterRow> {
    Vec::new()
}
