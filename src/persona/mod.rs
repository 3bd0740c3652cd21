//! Fusing signals into facets, buying roles, buying centers and company rows.
//!
//! Invariant: a facet without enough evidence abstains with its reason; nothing is guessed.

pub mod account;
pub mod center;
pub mod explain;
pub mod fuse;
pub mod input;
mod points;
mod pool;
mod profile;
pub mod rectified;
pub mod role;
mod room;
pub mod rows;
pub mod segment;
pub mod settings;
pub mod study;

pub use account::account_row;
pub use center::buying_center;
pub use explain::{Explanation, explain};
pub use fuse::fuse;
pub use input::{FacetKind, FusionInput, Level, Offering, PriceBand};
pub use room::Room;

#[cfg(test)]
mod tests;

/// How old a CRM row without a date is taken to be.
#[must_use]
pub fn unknown_crm_age() -> jiff::SignedDuration {
    jiff::SignedDuration::from_secs_f64(settings::FUSION.crm_unknown_age_days * 86_400.0)
}
