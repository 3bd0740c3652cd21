//! The last step of a run: its own row, the manifest, and the snapshot made visible.
//!
//! Invariant: the audit log has the hashes of all tables before anybody can see them.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::audit::{Kind, manifest};
use crate::run::context::Context;
use crate::run::dead_rows;
use crate::run::engine::{RunError, World};
use crate::run::journal::RunState;
use crate::run::settings;
use crate::run::summary::{Counts, Summary};
use crate::sink::{RunRow, Snapshot, SnapshotWriter, StageTime};

/// The last step.
pub(super) struct Finish<'a> {
    pub context: &'a Context,
    pub home: &'a Path,
    pub state: &'a RunState,
    pub inputs: &'a str,
    pub columns: serde_json::Value,
    /// What the next run must know to carry rows over.
    pub carried: Option<serde_json::Value>,
    pub resumed: u64,
}

impl Finish<'_> {
    pub(super) fn publish(
        &self,
        mut writer: SnapshotWriter,
        mut counts: Counts,
        world: &World,
    ) -> Result<Summary, RunError> {
        let context = self.context;
        counts.dead_rows = Some(dead_rows::count(&writer.close_all()?)?);
        let share = context.plan.budgets().dead_letter_share;
        let summary = Summary::finished(self.home, context, self.state, counts, self.resumed, share);
        let now = (world.wall)();
        writer.runs(&[self.row(&summary, now)])?;
        let manifest = self.manifest(&summary, now);
        let _: Snapshot = writer.commit_with(&manifest, |tables| self.announce(tables, &manifest))?;
        context.journal.publish(&self.state.run_id, &summary.to_json(), now)?;
        Ok(summary)
    }

    /// The entry before a snapshot becomes visible: keyed hashes of its tables, and how much they rest on.
    fn announce(
        &self,
        tables: &serde_json::Map<String, serde_json::Value>,
        facts: &serde_json::Value,
    ) -> Result<(), RunError> {
        let Some(recorder) = &self.context.recorder else { return Ok(()) };
        let keyed = tables.iter().map(|(table, facts)| {
            let hash = facts["sha256"].as_str().unwrap_or_default();
            (table.clone(), serde_json::Value::from(self.context.ids.commitment("table", hash.as_bytes())))
        });
        let leaf = recorder
            .leaf(Kind::Publish)
            .fact("pipeline", self.context.plan.name())
            .fact("snapshot", self.state.run_id.as_str())
            .fact("tables", serde_json::Value::Object(keyed.collect()))
            .fact(manifest::FACT, manifest::commitment(&self.context.ids, facts));
        recorder.log().append_now(vec![leaf.into()])?;
        Ok(())
    }

    fn row(&self, summary: &Summary, now: Timestamp) -> RunRow {
        let (context, counts) = (self.context, &summary.counts);
        RunRow {
            run_id: self.state.run_id.clone(),
            pipeline: context.plan.name().to_owned(),
            outcome: summary.outcome.clone(),
            as_of: context.as_of.0,
            started_at: self.state.started_at,
            finished_at: now,
            resumed: self.state.starts.saturating_sub(1),
            network: settings::network_name(context.plan.network()).to_owned(),
            n_subjects: counts.subjects,
            n_accounts: counts.accounts,
            n_personas: counts.personas,
            n_evidence: counts.evidence,
            n_permits: counts.permits,
            n_refusals: counts.refusals.values().sum(),
            n_documents: counts.host_files + counts.documents.values().sum::<u64>(),
            n_dead_letters: counts.dead_letters,
            plan_hash: context.plan.hash().to_owned(),
            policy_hash: context.gate.policy().hash().to_owned(),
            inputs_hash: self.inputs.to_owned(),
            ledger_checkpoint: Some(context.gate.ledger().state().hex()),
            software_version: env!("CARGO_PKG_VERSION").to_owned(),
            requests_used: counts.requests,
            requests_limit: Some(context.plan.budgets().requests_per_run),
            bytes_received: counts.bytes,
            seconds_limit: Some(context.plan.budgets().seconds_per_run as f64),
            stages: context.stages().map(|(stage, seconds)| StageTime { stage: stage.to_owned(), seconds }).into(),
        }
    }

    fn manifest(&self, summary: &Summary, now: Timestamp) -> serde_json::Value {
        let context = self.context;
        // Where the home lies may name a user.
        let summary = Summary { home: PathBuf::new(), ..summary.clone() };
        serde_json::json!({
            "schema_version": 1,
            "run_id": self.state.run_id.as_str(),
            "pipeline": context.plan.name(),
            "controller": context.plan.controller(),
            "as_of": context.as_of.0.to_string(),
            "published_at": now.to_string(),
            "plan_hash": context.plan.hash(),
            "encryption": context.plan.output().encryption,
            "policy_hash": context.gate.policy().hash(),
            "purpose": context.plan.purpose(),
            "gate_time": context.pinned.then(|| context.as_of.0.to_string()),
            "inputs_hash": self.inputs,
            "columns": self.columns,
            "carry_over": self.carried,
            "ledger": {
                "events": context.gate.ledger().state().count(),
                "state": context.gate.ledger().state().hex(),
                "head": context.gate.head(),
            },
            "software_version": env!("CARGO_PKG_VERSION"),
            "pipeline_file": context.plan.file().file_name().map(|n| n.to_string_lossy()),
            "fusion": context.fusion(),
            "summary": summary,
        })
    }
}
