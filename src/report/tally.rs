//! Counts over the tables of a snapshot, row by row.

use std::collections::{BTreeMap, HashSet};

use arrow_array::cast::AsArray;
use serde::{Deserialize, Serialize};

use super::change::Comparison;
use super::columns::{Personas, Standing, Wanted, each_batch};
use super::segments::{self, SegmentLines};
use crate::consent::policy::Policy;
use crate::model::DocumentRow;
use crate::sink::{self, SinkError, Snapshot, Table};
use crate::taxonomy::FacetStatus;

/// The facets of a persona, in the order of a report.
pub(super) const FACETS: [&str; 14] = [
    "job_function",
    "seniority",
    "signing_power",
    "buying_roles",
    "traits",
    "motives",
    "goals",
    "buying_behaviour",
    "information_behaviour",
    "channels",
    "avoided_channels",
    "context",
    "requirements",
    "empathy_map",
];

/// What stands beside the statuses of `buying_roles`, for people of whom roles are known, and none that they have.
pub(super) const NO_ROLE: &str = "no_role";

/// Fetches that ended alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FetchLine {
    /// Class of the source: `company_site`, `public_professional`, ...
    pub class: String,
    /// `page`, or `opt_outs` for robots.txt and tdmrep.json.
    pub what: String,
    /// HTTP status, else the reason why there was none.
    pub outcome: String,
    /// How many.
    pub count: u64,
    /// Requests that it took.
    pub requests: u64,
    /// Bytes received.
    pub bytes: u64,
}

#[derive(Debug, Default)]
pub(super) struct Tally {
    pub facets: BTreeMap<String, BTreeMap<String, u64>>,
    pub tiers: BTreeMap<String, u64>,
    pub notices: BTreeMap<String, u64>,
    pub segment_values: SegmentLines,
    pub fetches: BTreeMap<(String, String, String), FetchLine>,
    pub dead_letters: BTreeMap<String, u64>,
}

impl Tally {
    /// Counts a snapshot; the comparison sees every persona, so that the table is read once.
    pub fn of(
        snapshot: &Snapshot,
        policy: &Policy,
        mut comparison: Option<&mut Comparison>,
    ) -> Result<Self, SinkError> {
        let mut tally = Self::default();
        let hosts = host_permits(snapshot)?;
        let mut facets = FacetCounts::default();
        let wanted = Wanted { prints: comparison.is_some(), counts: true };
        each_batch(snapshot, wanted, |personas| {
            tally.personas(personas, &mut facets)?;
            comparison.as_mut().map_or(Ok(()), |comparison| comparison.personas(personas))
        })?;
        tally.facets = by_name(&facets);
        sink::each_document(snapshot, |document| tally.document(&document, &hosts, policy))?;
        for batch in sink::read_columns(snapshot, Table::DeadLetters, &["stage", "reason"])? {
            let batch = batch?;
            let text = |name: &str| batch.column_by_name(name).and_then(|c| c.as_string_opt::<i32>());
            if let (Some(stages), Some(reasons)) = (text("stage"), text("reason")) {
                for (stage, reason) in stages.iter().flatten().zip(reasons.iter().flatten()) {
                    *tally.dead_letters.entry(format!("{stage}: {reason}")).or_default() += 1;
                }
            }
        }
        Ok(tally)
    }

    fn personas(&mut self, personas: &Personas<'_>, facets: &mut FacetCounts) -> Result<(), SinkError> {
        for row in 0..personas.len() {
            for (counts, standing) in facets.iter_mut().zip(personas.standings(row)?) {
                counts[standing.unwrap_or(Standing::Status(FacetStatus::InsufficientEvidence)).index()] += 1;
            }
        }
        personas.texts("tier")?.iter().flatten().for_each(|tier| count(&mut self.tiers, tier));
        personas.texts("notice_status")?.iter().flatten().for_each(|status| count(&mut self.notices, status));
        let lines = &mut self.segment_values;
        personas.segment_values(|facet, value, persons, share| segments::add(lines, facet, value, persons, share))
    }

    fn document(&mut self, document: &DocumentRow, hosts: &HashSet<String>, policy: &Policy) {
        let source = policy.file().sources.get(&document.source_id);
        let class = source.map_or_else(|| "unregistered".to_owned(), |s| s.class.to_string());
        // Only opt-outs are asked of a host as such.
        let what = if hosts.contains(document.permit_id.as_str()) { "opt_outs" } else { "page" }.to_owned();
        let outcome = match (document.status, &document.reason) {
            (Some(status), None) => status.to_string(),
            (Some(status), Some(reason)) if reason.starts_with("http_status") => status.to_string(),
            (_, Some(reason)) => reason.clone(),
            (None, None) => document.outcome.clone(),
        };
        let line = self.fetches.entry((class.clone(), what.clone(), outcome.clone())).or_insert_with(|| FetchLine {
            class,
            what,
            outcome,
            count: 0,
            requests: 0,
            bytes: 0,
        });
        line.count += 1;
        line.requests += u64::from(document.attempts);
        line.bytes += document.bytes;
    }
}

/// Personas by facet and status, in the order of [`FACETS`] and of the vocabulary.
type FacetCounts = [[u64; Standing::COUNT]; FACETS.len()];

/// What occurs, by the names of facets and statuses.
fn by_name(counts: &FacetCounts) -> BTreeMap<String, BTreeMap<String, u64>> {
    let named = |counts: &[u64]| {
        let some = Standing::all().zip(counts).filter(|(_, n)| **n > 0);
        some.map(|(standing, n)| (standing.as_str().to_owned(), *n)).collect::<BTreeMap<_, _>>()
    };
    let facets = FACETS.iter().zip(counts).map(|(facet, counts)| ((*facet).to_owned(), named(counts)));
    facets.filter(|(_, by)| !by.is_empty()).collect()
}

/// One more of a kind.
fn count(counts: &mut BTreeMap<String, u64>, kind: &str) {
    match counts.get_mut(kind) {
        Some(n) => *n += 1,
        None => drop(counts.insert(kind.to_owned(), 1)),
    }
}

/// Permits about hosts.
fn host_permits(snapshot: &Snapshot) -> Result<HashSet<String>, SinkError> {
    let mut permits = HashSet::new();
    for batch in sink::read_columns(snapshot, Table::Decisions, &["target_kind", "permit_id"])? {
        let batch = batch?;
        let text = |name: &str| batch.column_by_name(name).and_then(|c| c.as_string_opt::<i32>());
        if let (Some(kinds), Some(ids)) = (text("target_kind"), text("permit_id")) {
            let of_hosts = kinds.iter().zip(ids.iter()).filter(|(kind, _)| *kind == Some("host"));
            permits.extend(of_hosts.filter_map(|(_, id)| id.map(str::to_owned)));
        }
    }
    Ok(permits)
}
