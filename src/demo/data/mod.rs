//! Synthetic CRM exports of any size, with the truth about everybody in them, for tests of scale and of quality.
//!
//! Invariant: everybody is invented and every host ends in `.example`; equal seeds give equal people, so the first
//! companies of a large world are those of a small one.

mod people;
#[cfg(test)]
mod tests;
mod world;
mod write;

use std::path::PathBuf;

pub use write::{Written, write};

/// What is to be made.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// How many contacts have a row that can be read; at least 1.
    pub contacts: u64,
    /// What chance starts from.
    pub seed: u64,
    /// Mean number of notes a contact.
    pub notes: u32,
}

/// Why nothing could be written.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// There is something already.
    #[error("{} is not empty; name a folder that is, or that does not exist yet", .0.display())]
    NotEmpty(PathBuf),
    /// The disk refused.
    #[error("{}: {source}", .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}
