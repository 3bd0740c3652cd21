//! The rights of data subjects, Art. 15 to 21 GDPR.
//!
//! Invariant: serving a right needs no basis and no consent; it is logged before anything is handed out or changed.

pub mod erase;
pub mod office;
pub mod rectify;
pub mod store;
