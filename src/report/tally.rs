//! Counts over the tables of a snapshot, row by row.

use std::collections::{BTreeMap, HashSet};

use arrow_array::cast::AsArray;
use serde::{Deserialize, Serialize};

use super::segments::{self, SegmentLines};
use crate::consent::policy::Policy;
use crate::model::DocumentRow;
use crate::persona::rows::Persona;
use crate::sink::{self, SinkError, Snapshot, Table};
use crate::taxonomy::FacetStatus;

/// The facets of a persona, in the order of a report.
pub(super) const FACETS: [&str; 13] = [
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
    "context",
    "requirements",
    "empathy_map",
];

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
    /// Counts a snapshot; `seen` is shown every persona, so that the table is read once.
    pub fn of(snapshot: &Snapshot, policy: &Policy, mut seen: impl FnMut(&Persona)) -> Result<Self, SinkError> {
        let mut tally = Self::default();
        let hosts = host_permits(snapshot)?;
        sink::each_persona(snapshot, |persona| {
            tally.persona(&persona);
            seen(&persona);
        })?;
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

    fn persona(&mut self, persona: &Persona) {
        for (facet, status) in FACETS.iter().zip(statuses(persona)) {
            let status = status.unwrap_or(FacetStatus::InsufficientEvidence).as_str();
            match self.facets.get_mut(*facet) {
                Some(by) => count(by, status),
                None => count(self.facets.entry((*facet).to_owned()).or_default(), status),
            }
        }
        count(&mut self.tiers, persona.tier.as_str());
        count(&mut self.notices, &persona.legal.notice_status);
        segments::add(&mut self.segment_values, persona);
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

/// The best status of each facet, in the order of [`FACETS`]; `None` where it has no value at all.
pub(super) fn statuses(p: &Persona) -> [Option<FacetStatus>; FACETS.len()] {
    fn best(statuses: impl Iterator<Item = FacetStatus>) -> Option<FacetStatus> {
        statuses.min()
    }
    [
        Some(p.job_function.status),
        Some(p.seniority.status),
        Some(p.signing_power.status),
        best(p.buying_roles.iter().map(|r| r.status)),
        best(p.traits.iter().map(|t| t.status)),
        best(p.motives.iter().map(|m| m.status)),
        best(p.goals.iter().map(|n| n.status)),
        best(p.buying_behaviour.iter().map(|n| n.status)),
        best(p.information_behaviour.iter().map(|n| n.status)),
        best(p.channels.iter().map(|c| c.status)),
        best(p.context.iter().map(|n| n.status)),
        best(p.requirements.iter().map(|n| n.status)),
        best(p.empathy_map.iter().map(|n| n.status)),
    ]
}
