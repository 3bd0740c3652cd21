//! Consent and the gate: who may be read about, from where, for what.

pub mod permit;
