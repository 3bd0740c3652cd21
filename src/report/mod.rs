//! The report of a run: coverage, refusals, fetches, time, what changed since the run before, and warnings.
//!
//! Invariant: counts and words of ours only, no id of a person, no host, no text of anybody; made from published
//! snapshots alone, so it tells what readers see.

mod change;
mod columns;
mod html;
mod segments;
mod store;
mod tally;
mod text;
mod warnings;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::consent::policy::Policy;
use crate::run::summary::Summary;
use crate::sink::{self, SinkError, Snapshot};

pub use change::Change;
use change::Comparison;
pub use html::html;
pub use segments::SegmentLine;
pub use store::{ReportError, keep, make, newest, read};
pub use tally::FetchLine;
pub use text::tell;
pub use warnings::Warning;

/// Everything that a run's report says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// 1.
    pub schema_version: u32,
    /// The run's own summary; its home is left out.
    pub summary: Summary,
    /// Wall clock of the run's first start.
    pub started_at: String,
    /// Wall clock of publishing.
    pub finished_at: String,
    /// `demo`, `none` or `public`.
    pub network: String,
    /// The policy that was applied.
    pub policy_hash: String,
    /// The program.
    pub software_version: String,
    /// Requests that the run might send.
    pub requests_limit: Option<u64>,
    /// Personas by facet and status. A facet of several values has the best status among them.
    pub facets: BTreeMap<String, BTreeMap<String, u64>>,
    /// Personas by depth of research.
    pub tiers: BTreeMap<String, u64>,
    /// Personas by state of the Art. 14 notice.
    pub notices: BTreeMap<String, u64>,
    /// What was filled in from segments, by `facet: value`; a report of an older version has none.
    #[serde(default)]
    pub segment_values: BTreeMap<String, SegmentLine>,
    /// Fetches by class of host, what they were for and how they ended.
    pub fetches: Vec<FetchLine>,
    /// Fields that had a column once and have none any more, by table; a report of an older version has none.
    #[serde(default)]
    pub columns_lost: BTreeMap<String, Vec<String>>,
    /// Dead letters by `stage: reason`.
    pub dead_letters: BTreeMap<String, u64>,
    /// Against the run before; `None` for the first.
    pub change: Option<Change>,
    /// What somebody should look at.
    pub warnings: Vec<Warning>,
}

impl Report {
    /// Makes the report of a published snapshot; the one before it may be there to compare with.
    ///
    /// # Errors
    /// A snapshot cannot be read.
    pub fn of(snapshot: &Snapshot, before: Option<&Snapshot>, policy: &Policy) -> Result<Self, SinkError> {
        let mut summary = Summary::from_manifest(Path::new(""), snapshot)?;
        summary.home = PathBuf::new();
        let run = sink::read_runs(snapshot)?.pop();
        let mut comparison = before.map(Comparison::with).transpose()?;
        let tally = tally::Tally::of(snapshot, policy, comparison.as_mut())?;
        let text = |at: Option<jiff::Timestamp>| at.map(|at| at.to_string()).unwrap_or_default();
        let mut report = Self {
            schema_version: 1,
            started_at: text(run.as_ref().map(|r| r.started_at)),
            finished_at: text(run.as_ref().map(|r| r.finished_at)),
            network: run.as_ref().map(|r| r.network.clone()).unwrap_or_default(),
            policy_hash: run.as_ref().map(|r| r.policy_hash.clone()).unwrap_or_default(),
            software_version: run.as_ref().map(|r| r.software_version.clone()).unwrap_or_default(),
            requests_limit: run.and_then(|r| r.requests_limit),
            facets: tally.facets,
            tiers: tally.tiers,
            notices: tally.notices,
            segment_values: tally.segment_values,
            fetches: tally.fetches.into_values().collect(),
            columns_lost: columns_lost(&snapshot.manifest()?["columns"]),
            dead_letters: tally.dead_letters,
            change: comparison.map(Comparison::end),
            summary,
            warnings: Vec::new(),
        };
        report.warnings = warnings::warnings(&report);
        Ok(report)
    }

    /// As one JSON object.
    ///
    /// # Panics
    /// Never: all keys are strings.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("plain data")
    }

    /// How long the run took from its first start to its end, in seconds; `None` where a time is not known.
    #[must_use]
    pub fn seconds(&self) -> Option<f64> {
        let at = |text: &str| text.parse::<jiff::Timestamp>().ok();
        let (start, end) = at(&self.started_at).zip(at(&self.finished_at))?;
        Some(end.duration_since(start).as_secs_f64().max(0.0))
    }

    /// Share of personas whose facet is known; 0 where there are no personas.
    #[must_use]
    pub fn known(&self, facet: &str) -> f64 {
        let known = self.facets.get(facet).and_then(|by| by.get("known")).copied().unwrap_or(0);
        known as f64 / self.summary.counts.personas.max(1) as f64
    }
}

/// Of the columns that a manifest tells of, those that are lost.
fn columns_lost(columns: &serde_json::Value) -> BTreeMap<String, Vec<String>> {
    let fields = |files: &serde_json::Value| {
        let lost = files[crate::run::layout::LOST].as_array()?;
        Some(lost.iter().filter_map(|field| field.as_str().map(crate::crm::pipeline_field)).collect())
    };
    let tables = columns.as_object().into_iter().flatten();
    tables.filter_map(|(table, files)| Some((table.clone(), fields(files)?))).collect()
}
