//! What differs between two snapshots of a pipeline.
//!
//! Invariant: compared are values and statuses, not probabilities, so that a rounding is no change; memory is a few
//! bytes a persona.

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::tally::{FACETS, statuses};
use crate::persona::rows::Persona;
use crate::run::summary::Summary;
use crate::sink::{self, SinkError, Snapshot};

/// What differs from the run before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// The run before.
    pub since: String,
    /// Its clock.
    pub as_of: Option<String>,
    /// Personas that were not there.
    pub added: u64,
    /// Personas that are there no more.
    pub removed: u64,
    /// Personas of which a facet differs.
    pub changed: u64,
    /// Personas that say the same.
    pub same: u64,
    /// Personas that differ, by facet.
    pub by_facet: BTreeMap<String, u64>,
    /// Facets that are known, before: share of personas.
    pub known_before: BTreeMap<String, f64>,
    /// Personas before.
    pub personas_before: u64,
    /// Refusals by primary reason, before.
    pub refusals_before: BTreeMap<String, u64>,
    /// Dead letters before.
    pub dead_letters_before: u64,
}

type Print = [u32; FACETS.len()];

impl Change {
    /// Compares two snapshots.
    ///
    /// # Errors
    /// One of them cannot be read.
    pub fn between(before: &Snapshot, after: &Snapshot) -> Result<Self, SinkError> {
        let summary = Summary::from_manifest(Path::new(""), before)?;
        let mut change = Self {
            since: before.run_id().to_owned(),
            as_of: summary.as_of,
            added: 0,
            removed: 0,
            changed: 0,
            same: 0,
            by_facet: BTreeMap::new(),
            known_before: BTreeMap::new(),
            personas_before: summary.counts.personas,
            refusals_before: summary.counts.refusals,
            dead_letters_before: summary.counts.dead_letters,
        };
        let mut old: HashMap<u64, Print> = HashMap::new();
        let mut known = [0_u64; FACETS.len()];
        sink::each_persona(before, |persona| {
            for (n, status) in known.iter_mut().zip(statuses(&persona)) {
                *n += u64::from(status.is_some_and(|s| s.as_str() == "known"));
            }
            old.insert(hashed(persona.subject_id.as_str()), print(&persona));
        })?;
        for (facet, n) in FACETS.iter().zip(known) {
            change.known_before.insert((*facet).to_owned(), n as f64 / old.len().max(1) as f64);
        }
        sink::each_persona(after, |persona| {
            let Some(old) = old.remove(&hashed(persona.subject_id.as_str())) else {
                change.added += 1;
                return;
            };
            let new = print(&persona);
            let differ = FACETS.iter().zip(old.iter().zip(&new)).filter(|(_, (old, new))| old != new);
            let mut any = false;
            for (facet, _) in differ {
                *change.by_facet.entry((*facet).to_owned()).or_default() += 1;
                any = true;
            }
            *(if any { &mut change.changed } else { &mut change.same }) += 1;
        })?;
        change.removed = old.len() as u64;
        Ok(change)
    }
}

fn hashed(value: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// What a persona says, a number a facet.
fn print(p: &Persona) -> Print {
    let words = |parts: &mut dyn Iterator<Item = String>| hashed(parts.collect::<Vec<_>>()) as u32;
    let named = |all: &[crate::persona::rows::Named]| {
        words(&mut all.iter().map(|n| format!("{}={:?}={}", n.name, n.value, n.status)))
    };
    let second = |score: Option<f64>| score.map(|s| if s > 0.0 { '+' } else { '-' });
    [
        hashed((p.job_function.value, p.job_function.status)) as u32,
        hashed((p.seniority.value, p.seniority.status)) as u32,
        hashed((p.signing_power.value, p.signing_power.status)) as u32,
        words(&mut p.buying_roles.iter().map(|r| format!("{}={}", r.role, r.probability.is_some_and(|p| p >= 0.5)))),
        words(&mut p.traits.iter().map(|t| format!("{}={}{:?}", t.r#trait, t.status, second(t.score)))),
        words(&mut p.motives.iter().map(|m| format!("{}={}", m.motive, m.status))),
        named(&p.goals),
        named(&p.buying_behaviour),
        named(&p.information_behaviour),
        words(&mut p.channels.iter().map(|c| format!("{}={:?}={}", c.phase, c.channel, c.status))),
        named(&p.context),
        named(&p.requirements),
        named(&p.empathy_map),
    ]
}
