//! Values that are no evidence about the person, on a card: what a study says, or what holds for the segment.
//!
//! Invariant: such a value is never shown without saying where it comes from and that nothing is known of this one.

use std::io::{self, Write};

use super::card::{Card, readable};
use crate::persona::rows::{Persona, SegmentValue, StudyPrior};
use crate::taxonomy::FacetStatus;

/// Where a value comes from that is not the person's own.
pub(super) enum Prior<'p> {
    Study(&'p StudyPrior),
    Segment(&'p SegmentValue),
}

impl<'p> Prior<'p> {
    /// Where the value of a facet comes from; `None` where it is the person's own. Of a trait the facet tells enough.
    pub fn of(persona: &'p Persona, facet: &str, value: Option<&str>, status: FacetStatus) -> Option<Self> {
        let fits = |f: &str, v: &str| f == facet && value.is_none_or(|value| v == value);
        match status {
            FacetStatus::StudyPrior => persona.study_priors.iter().find(|s| fits(&s.facet, &s.value)).map(Self::Study),
            FacetStatus::Segment => persona.segment_values.iter().find(|s| fits(&s.facet, &s.value)).map(Self::Segment),
            _ => None,
        }
    }

    /// A row of the card.
    pub fn tell<W: Write>(&self, card: &mut Card<'_, W>, label: &str, value: &str) -> io::Result<()> {
        let value = readable(value);
        let text = match self {
            Self::Study(prior) => format!("perhaps {value}: says {}, nothing known of this one", prior.study),
            Self::Segment(s) => format!("perhaps {value}: so {}, nothing known of this one", s.of_whom()),
        };
        card.row(&readable(label), &text)
    }
}

/// A value of the person, or what is said in its stead, marked as such.
pub(super) fn prior_or_value<W: Write>(
    card: &mut Card<'_, W>,
    label: &str,
    value: Option<&str>,
    status: FacetStatus,
    prior: Option<Prior<'_>>,
) -> io::Result<()> {
    match (value, prior) {
        (Some(value), Some(prior)) => prior.tell(card, label, value),
        _ => card.facet(label, value, None, status),
    }
}
