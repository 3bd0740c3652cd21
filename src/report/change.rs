//! What differs between two snapshots of a pipeline.
//!
//! Invariant: compared are values and statuses, not probabilities, so that a rounding is no change; memory is a few
//! bytes a persona.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::columns::{Personas, Print, Standing, Wanted, each_batch};
use super::html::number;
use super::tally::FACETS;
use crate::run::summary::Summary;
use crate::sink::{SinkError, Snapshot};
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
    /// Personas before, as far as they were not taken out since.
    pub personas_before: u64,
    /// Personas that its own report still counts, and that were taken out after it was published: erased, or because of a no.
    #[serde(default)]
    pub taken_out: u64,
    /// Refusals by primary reason, before.
    pub refusals_before: BTreeMap<String, u64>,
    /// Dead letters before.
    pub dead_letters_before: u64,
    /// Rows of notes before; `None` where only those of some contacts were read.
    #[serde(default)]
    pub notes_before: Option<u64>,
    /// Rows of consents before; `None` where there was no table of them.
    #[serde(default)]
    pub consents_before: Option<u64>,
}

impl Change {
    /// Personas that the report of the run before counts.
    pub(super) const fn personas_then(&self) -> u64 {
        self.personas_before + self.taken_out
    }

    /// Personas of the run before that are there no more, whenever and however they went.
    pub(super) const fn gone(&self) -> u64 {
        self.removed + self.taken_out
    }

    /// What makes this report and the one before agree; `None` = nothing was taken out.
    pub(super) fn taken_out(&self) -> Option<String> {
        let n = number(self.taken_out);
        let words = format!(
            "{n} persona(s) were taken out of it after it was published (erased, or for a no, also one of tonight), and count \
             neither way"
        );
        (self.taken_out > 0).then_some(words)
    }
}

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
        each_batch(before, Wanted { prints: true, counts: false }, |personas| {
            for row in 0..personas.len() {
                for (n, standing) in known.iter_mut().zip(personas.standings(row)?) {
                    *n += u64::from(standing == Some(Standing::Status(FacetStatus::Known)));
                }
            }
            personas.prints(|subject, print| {
                old.insert(subject, print);
            })
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
            taken_out: 0,
            refusals_before: summary.counts.refusals,
            dead_letters_before: summary.counts.dead_letters,
            consents_before: summary.counts.consent_rows,
            notes_before: (summary.counts.carried_over == 0).then_some(summary.counts.notes.rows),
        };
        Ok(Self { change, old })
    }

    /// Personas of the snapshot after.
    pub(super) fn personas(&mut self, personas: &Personas<'_>) -> Result<(), SinkError> {
        personas.prints(|subject, print| self.persona(subject, print))
    }

    fn persona(&mut self, subject: u64, new: Print) {
        let Some(old) = self.old.remove(&subject) else {
            self.change.added += 1;
            return;
        };
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
