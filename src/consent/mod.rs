//! Consent and the gate: who may be read about, from where, for what.
//!
//! Invariant: nothing is fetched, inferred or written without a [`permit::Permit`], and only [`gate::Gate`] makes one.

pub mod assessments;
pub mod bitemporal;
mod case;
pub mod category;
pub mod dates;
pub mod decide;
pub mod dialect;
pub mod event;
pub mod gate;
pub mod import;
pub mod jsonld;
pub mod ledger;
mod mutant;
pub mod people;
pub mod permit;
pub mod policy;
pub mod policy_check;
pub mod policy_diff;
mod policy_rules;
mod proof;
pub mod reason;
#[cfg(test)]
mod reference;
pub mod request;
pub mod restriction;
pub mod rules;
pub mod shared;
mod source_rules;
mod standing;
pub mod suppression;
#[cfg(test)]
mod tests;
