//! The audit log: what was decided and done, in a transparency log that anybody can check.
//!
//! Invariant: an entry is durable before the effect that it records; it holds no name, address, URL or text, and what
//! ties it to a person is a tag of that person's key.

pub mod leaf;
pub mod report;
pub mod source;

pub use leaf::{Decision, Kind, Leaf, Payload, Stage};
