//! The audit log: what was decided and done, in a transparency log that anybody can check.
//!
//! Invariant: an entry is durable before the effect that it records; it holds no name, address, URL or text, and what
//! ties it to a person is a tag of that person's key.

mod anchor;
mod error;
pub mod leaf;
pub mod manifest;
mod model;
mod payloads;
mod reader;
mod recorder;
mod render;
pub mod replay;
pub mod report;
pub mod source;
pub mod verify;
mod writer;

/// The `right` of an entry about somebody whom the CRM has deleted or merged: their rows went from older snapshots.
pub const DELETION: &str = "deletion";

pub use anchor::anchor;
pub use error::AuditError;
pub use leaf::{Decision, Kind, Leaf, Payload, Stage};
pub use model::model_hash;
pub use payloads::{Payloads, SealedPayload};
pub use reader::LogReader;
pub use recorder::{Keys, Recorder, keys, opt_out_word};
pub use writer::{AuditLog, Entry, Place};
