//! The row of the `runs` table: what a run did, with which versions, on which inputs, at what cost.
//!
//! Invariant: hashes, counts and names only; nothing about a person.

use jiff::Timestamp;

use crate::model::RunId;

/// A row of `runs`.
#[derive(Debug, Clone, PartialEq)]
pub struct RunRow {
    /// The run.
    pub run_id: RunId,
    /// The pipeline's name.
    pub pipeline: String,
    /// `completed`, or `completed_with_dead_letters` where their share is above the threshold.
    pub outcome: String,
    /// The clock of the inference.
    pub as_of: Timestamp,
    /// Wall clock of the first start (a resumed run keeps it).
    pub started_at: Timestamp,
    /// Wall clock just before publishing.
    pub finished_at: Timestamp,
    /// How often the run was continued after a stop.
    pub resumed: u32,
    /// `demo`, `replay` or `public`.
    pub network: String,
    /// Subjects read from the CRM.
    pub n_subjects: u64,
    /// Rows of `accounts`.
    pub n_accounts: u64,
    /// Rows of `personas`.
    pub n_personas: u64,
    /// Rows of `evidence`.
    pub n_evidence: u64,
    /// Permits of the gate.
    pub n_permits: u64,
    /// Refusals of the gate.
    pub n_refusals: u64,
    /// Rows of `documents`.
    pub n_documents: u64,
    /// Rows of `dead_letters`.
    pub n_dead_letters: u64,
    /// Hash of the checked plan, `sha256:` + hex.
    pub plan_hash: String,
    /// Hash of the policy.
    pub policy_hash: String,
    /// Hash over the input files.
    pub inputs_hash: String,
    /// The ledger state that the gate decided by.
    pub ledger_checkpoint: Option<String>,
    /// Version of prosopon.
    pub software_version: String,
    /// Requests sent.
    pub requests_used: u64,
    /// Requests allowed; `None` = no limit.
    pub requests_limit: Option<u64>,
    /// Bytes of bodies received.
    pub bytes_received: u64,
    /// Seconds allowed; `None` = no limit.
    pub seconds_limit: Option<f64>,
    /// Wall-clock seconds by stage, in the order of the line.
    pub stages: Vec<StageTime>,
}

/// Time spent in one stage of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct StageTime {
    /// `crm`, `plan`, `fetch`, `read`, `fuse`, `write`.
    pub stage: String,
    /// Wall-clock seconds.
    pub seconds: f64,
}
