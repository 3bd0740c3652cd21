//! Consent and the gate: who may be read about, from where, for what.
//!
//! Invariant: nothing is fetched, inferred or written without a [`permit::Permit`], and only [`gate::Gate`] makes one.

mod case;
pub mod category;
pub mod decide;
pub mod event;
pub mod gate;
pub mod import;
pub mod ledger;
mod mutant;
pub mod permit;
pub mod policy;
mod policy_rules;
pub mod reason;
#[cfg(test)]
mod reference;
pub mod request;
mod source_rules;
mod standing;
pub mod suppression;
#[cfg(test)]
mod tests;
