//! What room a persona leaves for values that are not evidence about the person: of studies, of the segment.
//!
//! Invariant: there is none where the person said no to profiling, none in a facet that was put right or removed, and
//! none where anything else than want of evidence, or of somebody who asked for leave, keeps a facet empty.

use super::input::{FacetKind, FusionInput};
use super::rectified::standing;
use crate::taxonomy::FacetStatus;

/// The room of one persona; small, because a run keeps it until the last row is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Room {
    /// Nobody asked for leave to profile, so nobody refused it.
    not_asked: bool,
    /// Facets that a refused source would have fed.
    refused: Box<[FacetKind]>,
    /// Facets and points that were put right or removed, also where they are not shown.
    fixed: Box<[String]>,
}

impl Room {
    /// The room that the input leaves; `None` where the person said no to profiling.
    #[must_use]
    pub fn of(input: &FusionInput<'_>) -> Option<Self> {
        (!input.profiling_refused).then(|| Self {
            not_asked: !input.profiling_allowed,
            refused: input.refused.into(),
            fixed: standing(input.rectified).iter().map(|r| r.correction.facet()).collect(),
        })
    }

    /// Whether a facet abstains only because nothing was found, or because nobody asked for leave to profile. What a
    /// study says in its stead leaves it open: the segment is nearer to the person.
    pub(super) fn is_open(&self, kind: FacetKind, status: FacetStatus) -> bool {
        match status {
            FacetStatus::InsufficientEvidence | FacetStatus::StudyPrior => true,
            FacetStatus::NoConsent => self.not_asked && !self.refused.contains(&kind),
            _ => false,
        }
    }

    /// Whether a facet, for instance `channel.advice`, or one point or motive of it was put right.
    pub(super) fn is_fixed(&self, facet: &str, value: &str) -> bool {
        let kind = facet.split('.').next().unwrap_or(facet);
        let point = |fixed: &str| fixed.split_once('.') == Some((kind, value));
        self.fixed.iter().any(|fixed| fixed == facet || point(fixed))
    }
}
