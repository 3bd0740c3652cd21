//! Fusing signals into facets, buying roles, buying centers and company rows.
//!
//! Invariant: a facet without enough evidence abstains with its reason; nothing is guessed.

pub mod rows;
