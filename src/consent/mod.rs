//! Consent and the gate: who may be read about, from where, for what.
//!
//! Invariant: nothing is fetched, inferred or written without a [`permit::Permit`], and only [`gate::Gate`] makes one.

pub mod decide;
pub mod dialect;
pub mod event;
pub mod gate;
pub mod import;
pub mod jsonld;
pub mod ledger;
pub mod permit;
pub mod policy;
pub mod reason;
#[cfg(test)]
mod reference;
mod source_rules;
mod standing;
#[cfg(test)]
mod tests;
