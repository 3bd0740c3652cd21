//! Signals in, one persona out.
//!
//! Invariant: pure and total; the order of the signals does not matter.

use super::input::FusionInput;
use super::rows::Persona;
use crate::taxonomy::{Facet, FacetStatus};

/// Fuses what is known of one contact.
#[must_use]
pub fn fuse(input: &FusionInput<'_>) -> Persona {
    Persona {
        subject_id: input.subject.clone(),
        crm_record: input.crm_record.to_owned(),
        account_id: input.account.and_then(|a| a.id.clone()),
        as_of: input.as_of,
        job_function: Facet::abstain(FacetStatus::InsufficientEvidence),
        secondary_functions: Vec::new(),
        seniority: Facet::abstain(FacetStatus::InsufficientEvidence),
        signing_power: Facet::abstain(FacetStatus::InsufficientEvidence),
        buying_roles: Vec::new(),
        traits: Vec::new(),
        goals: Vec::new(),
        motives: Vec::new(),
        channels: Vec::new(),
        context: Vec::new(),
        requirements: Vec::new(),
        empathy_map: Vec::new(),
        tier: input.tier,
        legal: input.legal.clone(),
    }
}
