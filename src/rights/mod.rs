//! The rights of data subjects, Art. 15 to 21 GDPR.
//!
//! Invariant: serving a right needs no basis and no consent; it is logged before anything is handed out or changed.

pub mod access;
pub mod portability;
pub mod rectify;
