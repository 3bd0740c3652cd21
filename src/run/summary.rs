//! What a run came to, for the terminal, the journal and the manifest.
//!
//! Invariant: numbers and ids only; nothing about a person.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::{DecisionRow, PermitId, Target};
use crate::run::context::Context;
use crate::run::group::GroupRows;
use crate::run::journal::RunState;
use crate::run::load::Loaded;
use crate::run::missing::{Exported, Missing};
use crate::run::seen::{Doubtful, Seen};
use crate::run::tiers::TierCost;
use crate::sink::{Rewritten, SinkError, Snapshot, SnapshotWriter, Table};

/// Counts over all rows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Contacts that were worked on, or carried over.
    pub subjects: u64,
    /// Rows of all exports: what the share of dead letters refers to.
    pub crm_rows: u64,
    /// Rows of the tables of consents; `None` where there is no such table, and in summaries of older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent_rows: Option<u64>,
    /// Contacts whose rows were carried over from the last snapshot; they are among [`Self::subjects`].
    #[serde(default)]
    pub carried_over: u64,
    /// Rows of `personas`.
    pub personas: u64,
    /// Rows of `accounts`.
    pub accounts: u64,
    /// Rows of `evidence`.
    pub evidence: u64,
    /// Permits of the gate.
    pub permits: u64,
    /// Refusals by primary reason.
    pub refusals: BTreeMap<String, u64>,
    /// Fetched pages by outcome (`fetched`, or `failed: reason`).
    pub documents: BTreeMap<String, u64>,
    /// Pages that had not changed since they were read (304); they are among the fetched ones.
    #[serde(default)]
    pub not_modified: u64,
    /// robots.txt, tdmrep.json and ai.txt files that were looked for; with [`Self::documents`] all rows of `documents`.
    pub host_files: u64,
    /// Requests sent.
    pub requests: u64,
    /// Bytes of bodies received.
    pub bytes: u64,
    /// Rows of `dead_letters`.
    pub dead_letters: u64,
    /// Rows of all exports that these are about: several may be about one. `None` before they are counted, and in summaries of
    /// older versions.
    #[serde(default)]
    pub dead_rows: Option<u64>,
    /// Contacts of the export who were erased before, and are left out.
    #[serde(default)]
    pub suppressed: u64,
    /// Those among them who have an e-mail address of somebody who was erased, under another record: they may be somebody else.
    #[serde(default)]
    pub suppressed_by_address: u64,
    /// Those among them who have the name of somebody who was erased, at the same company, under another record.
    #[serde(default)]
    pub suppressed_by_name: u64,
    /// Contacts of the export that the CRM has deleted, or merged into others.
    #[serde(default)]
    pub gone: u64,
    /// Notes of the CRM.
    #[serde(default)]
    pub notes: NoteCounts,
    /// Files that hold lines in another encoding than the one they were read in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub encoding_doubtful: Vec<Doubtful>,
    /// By table, the newest date of change in its rows that is not of the future: from there on the CRM need be asked again.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub cursors: BTreeMap<String, Timestamp>,
    /// What is missing of what the exports had before, though not so much that nothing is published.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<Missing>,
    /// What the next night is held against, where that is not this run: one with a limit hands on what was there before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_against: Option<Exported>,
    /// Personas whose facet is known: `job_function`, `seniority`, `buying_role`.
    pub known: BTreeMap<String, u64>,
}

/// What became of the CRM's notes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoteCounts {
    /// Rows of the files.
    pub rows: u64,
    /// Notes that were read.
    pub read: u64,
    /// Notes that were not read: on contacts without leave, or older than the policy allows.
    pub not_read: u64,
    /// Rows that leave nothing else: notes on erased people, on contacts beyond a limit, on nobody, without a word, or later than
    /// the run's clock.
    pub left_out: u64,
    /// Statements that became evidence.
    pub statements: u64,
    /// Statements that were dropped: about people without leave, or of a profile without leave to profile.
    pub dropped: u64,
    /// Whether the pipeline asks for notes, and no file was there.
    #[serde(default)]
    pub no_file: bool,
    /// Files that were passed over, because they are empty.
    #[serde(default)]
    pub files_passed_over: u64,
}

impl Counts {
    /// What is known before any company is worked on.
    pub(super) fn of_input(loaded: &Loaded) -> Self {
        let dead_letters = loaded.dead_letters.len() as u64;
        // Letters on exports in a CRM's own words are on rows that nobody counted.
        let crm_rows = loaded.rows.max(loaded.contacts + dead_letters);
        let Seen { no_notes: no_file, notes_passed: files_passed_over, doubtful, cursors } = loaded.seen.clone();
        let notes = NoteCounts { no_file, files_passed_over, ..NoteCounts::default() };
        Self {
            subjects: loaded.subjects(),
            dead_letters,
            crm_rows,
            consent_rows: loaded.consent_rows,
            notes,
            encoding_doubtful: doubtful,
            cursors,
            suppressed: loaded.suppressed.all,
            suppressed_by_address: loaded.suppressed.by_address,
            suppressed_by_name: loaded.suppressed.by_name,
            ..Self::default()
        }
    }

    /// The share of the rows of the exports that dead letters are about.
    #[must_use]
    pub fn dead_share(&self) -> f64 {
        self.dead_rows.unwrap_or(self.dead_letters) as f64 / self.crm_rows.max(1) as f64
    }

    /// Of how many contacts tonight's rows are; `None` = of all, as none were carried over.
    #[must_use]
    pub fn worked_on(&self) -> Option<String> {
        let worked = self.subjects.saturating_sub(self.carried_over);
        (self.carried_over > 0).then(|| format!("{worked} of them worked on; the rows of the others are carried over"))
    }

    /// Adds a company's rows.
    pub(super) fn add(&mut self, rows: &GroupRows) {
        self.personas += rows.personas.len() as u64;
        self.accounts += u64::from(rows.account.is_some());
        self.evidence += rows.evidence.len() as u64;
        self.dead_letters += rows.dead_letters.len() as u64;
        self.notes.read += rows.notes.read;
        self.notes.not_read += rows.notes.not_read;
        self.notes.statements += rows.notes.statements;
        self.notes.dropped += rows.notes.dropped;
        self.decisions(&rows.decisions);
        let hosts: HashSet<&PermitId> = rows
            .decisions
            .iter()
            .filter(|d| matches!(d.target, Target::Host(_)))
            .filter_map(|d| d.permit_id.as_ref())
            .collect();
        for document in &rows.documents {
            self.requests += u64::from(document.attempts);
            self.bytes += document.bytes;
            if hosts.contains(&document.permit_id) {
                // Also those that robots.txt keeps away, or that could not be asked for: each is a row.
                self.host_files += 1;
                continue;
            }
            self.not_modified += u64::from(document.is_not_modified());
            let outcome = match &document.reason {
                Some(reason) => format!("{}: {reason}", document.outcome),
                None => document.outcome.clone(),
            };
            *self.documents.entry(outcome).or_default() += 1;
        }
        for persona in &rows.personas {
            for (facet, known) in persona.known() {
                *self.known.entry(facet.to_owned()).or_default() += u64::from(known);
            }
        }
    }

    /// Adds what was carried over from a snapshot with such counts, without what was left out of it. Of notes, those that were
    /// read tonight are counted.
    pub(super) fn carry_over(&mut self, before: Self, left_out: &Rewritten, writer: &SnapshotWriter) {
        let mut then = before;
        then.left_out(left_out);
        self.carried_over = then.subjects;
        self.subjects += then.subjects;
        self.permits += then.permits;
        for (reason, n) in then.refusals {
            *self.refusals.entry(reason).or_default() += n;
        }
        for (facet, n) in then.known {
            *self.known.entry(facet).or_default() += n;
        }
        self.personas = writer.rows(Table::Personas);
        self.accounts = writer.rows(Table::Accounts);
        self.evidence = writer.rows(Table::Evidence);
        self.dead_letters = writer.rows(Table::DeadLetters);
    }

    /// Counts refusals that came just before publishing.
    pub(super) fn refuse_late(&mut self, decisions: &[DecisionRow]) {
        self.decisions(decisions);
    }

    /// Takes away what was taken out of the snapshot just before publishing.
    pub(super) fn left_out(&mut self, done: &Rewritten) {
        let mut counts = serde_json::to_value(&*self).expect("plain data");
        done.adjust_counts(&mut counts);
        if let Ok(counts) = serde_json::from_value(counts) {
            *self = counts;
        }
    }

    fn decisions(&mut self, decisions: &[DecisionRow]) {
        for decision in decisions {
            match &decision.primary_reason {
                Some(reason) => *self.refusals.entry(reason.clone()).or_default() += 1,
                None => self.permits += 1,
            }
        }
    }
}

/// The result of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// The pipeline.
    pub pipeline: String,
    /// The home.
    pub home: PathBuf,
    /// The run; `None` for a dry run.
    pub run_id: Option<String>,
    /// `completed`, `completed_with_dead_letters`, `dry_run`.
    pub outcome: String,
    /// The clock of the inference.
    pub as_of: Option<String>,
    /// The counts.
    pub counts: Counts,
    /// Fetches that an earlier start of the run had committed.
    pub resumed_fetches: u64,
    /// How often the run was started.
    pub starts: u32,
    /// CPU time by stage, in seconds, summed over threads; of `fetch`, the time until an answer.
    pub stages: BTreeMap<String, f64>,
    /// What each depth of research cost.
    #[serde(default)]
    pub tiers: BTreeMap<String, TierCost>,
    /// Permits and refusals by what was asked, for dry runs.
    pub asked: BTreeMap<String, u64>,
}

impl Summary {
    pub(super) fn dry(pipeline: String, home: &Path, counts: Counts, decisions: &[DecisionRow]) -> Self {
        let mut asked = BTreeMap::new();
        for d in decisions {
            let verdict = d.primary_reason.as_deref().map_or("permitted".to_owned(), |r| format!("refused: {r}"));
            *asked
                .entry(format!("{} {} from {} for {}: {verdict}", d.operation, d.target.kind(), d.source_id, d.purpose))
                .or_default() += 1;
        }
        Self {
            pipeline,
            home: home.to_owned(),
            run_id: None,
            outcome: "dry_run".to_owned(),
            as_of: None,
            counts,
            resumed_fetches: 0,
            starts: 1,
            stages: BTreeMap::new(),
            tiers: BTreeMap::new(),
            asked,
        }
    }

    pub(super) fn finished(
        home: &Path,
        context: &Context,
        state: &RunState,
        counts: Counts,
        resumed_fetches: u64,
        dead_letter_share: f64,
    ) -> Self {
        let outcome = if counts.dead_share() > dead_letter_share { "completed_with_dead_letters" } else { "completed" };
        Self {
            pipeline: context.plan.name().to_owned(),
            home: home.to_owned(),
            run_id: Some(state.run_id.to_string()),
            outcome: outcome.to_owned(),
            as_of: Some(context.as_of.0.to_string()),
            counts,
            resumed_fetches,
            starts: state.starts,
            stages: context.stages().map(|(name, seconds)| (name.to_owned(), seconds)).into(),
            tiers: context.tiers.by_name(),
            asked: BTreeMap::new(),
        }
    }

    /// Reads the summary of a published snapshot back.
    pub(crate) fn from_manifest(home: &Path, snapshot: &Snapshot) -> Result<Self, SinkError> {
        let manifest = snapshot.manifest()?;
        let mut summary: Self = serde_json::from_value(manifest["summary"].clone())
            .map_err(|_| SinkError::Current { path: snapshot.folder().join("manifest.json") })?;
        home.clone_into(&mut summary.home);
        Ok(summary)
    }

    /// One line of JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a summary has only string keys")
    }
}
