//! What differs between two snapshots of a pipeline.
//!
//! Invariant: compared are values and statuses, not probabilities, so that a rounding is no change; memory is a few
//! bytes a persona.

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::tally::{FACETS, statuses};
use crate::persona::rows::{Named, Persona};
use crate::run::summary::Summary;
use crate::sink::{self, SinkError, Snapshot};
use crate::taxonomy::FacetStatus;

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

/// A comparison with the snapshot before, while the personas of the one after pass by.
pub(super) struct Comparison {
    change: Change,
    old: HashMap<u64, Print>,
}

impl Comparison {
    /// Reads the snapshot before.
    ///
    /// # Errors
    /// It cannot be read.
    pub(super) fn with(before: &Snapshot) -> Result<Self, SinkError> {
        let summary = Summary::from_manifest(Path::new(""), before)?;
        let mut old: HashMap<u64, Print> = HashMap::new();
        let mut known = [0_u64; FACETS.len()];
        sink::each_persona(before, |persona| {
            for (n, status) in known.iter_mut().zip(statuses(&persona)) {
                *n += u64::from(status == Some(FacetStatus::Known));
            }
            old.insert(hashed([persona.subject_id.as_str()]), print(&persona));
        })?;
        let share = |n: u64| n as f64 / old.len().max(1) as f64;
        let change = Change {
            since: before.run_id().to_owned(),
            as_of: summary.as_of,
            added: 0,
            removed: 0,
            changed: 0,
            same: 0,
            by_facet: BTreeMap::new(),
            known_before: FACETS.iter().zip(known).map(|(facet, n)| ((*facet).to_owned(), share(n))).collect(),
            personas_before: summary.counts.personas,
            refusals_before: summary.counts.refusals,
            dead_letters_before: summary.counts.dead_letters,
        };
        Ok(Self { change, old })
    }

    /// A persona of the snapshot after.
    pub(super) fn persona(&mut self, persona: &Persona) {
        let Some(old) = self.old.remove(&hashed([persona.subject_id.as_str()])) else {
            self.change.added += 1;
            return;
        };
        let new = print(persona);
        for (facet, _) in FACETS.iter().zip(old.iter().zip(&new)).filter(|(_, (old, new))| old != new) {
            *self.change.by_facet.entry((*facet).to_owned()).or_default() += 1;
        }
        *(if old == new { &mut self.change.same } else { &mut self.change.changed }) += 1;
    }

    /// Every persona of the snapshot after has been shown.
    pub(super) fn end(self) -> Change {
        Change { removed: self.old.len() as u64, ..self.change }
    }
}

/// Within one process, so the hash need not be a stable one.
fn hashed<T: Hash>(parts: impl IntoIterator<Item = T>) -> u64 {
    let mut hasher = DefaultHasher::new();
    parts.into_iter().for_each(|part| part.hash(&mut hasher));
    hasher.finish()
}

/// What a persona says, a number a facet.
fn print(p: &Persona) -> Print {
    let named = |all: &[Named]| hashed(all.iter().map(|n| (&n.name, &n.value, n.status)));
    [
        hashed([(p.job_function.value, p.job_function.status)]),
        hashed([(p.seniority.value, p.seniority.status)]),
        hashed([(p.signing_power.value, p.signing_power.status)]),
        hashed(p.buying_roles.iter().map(|r| (r.role, r.probability.is_some_and(|p| p >= 0.5)))),
        hashed(p.traits.iter().map(|t| (t.r#trait, t.status, t.score.map(|score| score > 0.0)))),
        hashed(p.motives.iter().map(|m| (m.motive, m.status))),
        named(&p.goals),
        named(&p.buying_behaviour),
        named(&p.information_behaviour),
        hashed(p.channels.iter().map(|c| (c.phase, c.channel, c.status))),
        named(&p.context),
        named(&p.requirements),
        named(&p.empathy_map),
    ]
    .map(|hash| hash as u32)
}
