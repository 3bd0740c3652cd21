//! What room a persona leaves for values that are not evidence about the person: of studies, of the segment.
//!
//! Invariant: there is none where the person said no to profiling, none in a facet that was put right or removed, and
//! none where anything else than want of evidence, or of somebody who asked for leave, keeps a facet empty. What the
//! person's own evidence speaks of is never filled in, however little it suffices: a study must not talk over somebody.

use super::fuse::own;
use super::input::{FacetKind, FusionInput};
use super::rectified::standing;
use crate::model::Claim;
use crate::taxonomy::{Channel, FacetStatus, Point, PurchasePhase};

/// The room of one persona; small, because a run keeps it until the last row is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Room {
    /// Nobody asked for leave to profile, so nobody refused it.
    not_asked: bool,
    /// Facets that a refused source would have fed.
    refused: Box<[FacetKind]>,
    /// Facets and points that were put right or removed, also where they are not shown.
    fixed: Box<[String]>,
    /// Facets of which the person's own evidence says something, believed or not, as [`spoken_of`] names them.
    said: Box<[String]>,
}

impl Room {
    /// The room that the input leaves; `None` where the person said no to profiling.
    #[must_use]
    pub fn of(input: &FusionInput<'_>) -> Option<Self> {
        (!input.profiling_refused).then(|| Self {
            not_asked: !input.profiling_allowed,
            refused: input.refused.into(),
            fixed: standing(input.rectified).iter().map(|r| r.correction.facet()).collect(),
            said: said(input),
        })
    }

    /// Whether a facet, for instance `channel.advice`, abstains only because nothing was found, or because nobody asked
    /// for leave to profile. What a study says in its stead leaves it open: the segment is nearer to the person.
    pub(super) fn is_open(&self, kind: FacetKind, facet: &str, status: FacetStatus) -> bool {
        if self.said.iter().any(|said| said == facet) {
            return false;
        }
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

    /// Whether the person said no to a channel, for instance `phone`: then nothing else names it either, surely enough
    /// or not.
    pub(super) fn is_unwanted(&self, facet: &str, value: &str) -> bool {
        let no = |said: &String| said.strip_prefix(UNWANTED) == Some(value);
        facet.starts_with("channel.") && self.said.iter().any(no)
    }
}

/// Begins what is noted of a channel that the person does not want.
const UNWANTED: &str = "avoided_channel.";

/// The facets that the person's own signals speak of, each once.
fn said(input: &FusionInput<'_>) -> Box<[String]> {
    let mut all: Vec<String> = Vec::new();
    for signal in own(input) {
        spoken_of(&signal.claim, &mut all);
    }
    all.sort_unstable();
    all.dedup();
    all.into_boxed_slice()
}

/// What a claim leaves no room in, named as studies and segments name it: a list is one facet, as nothing is added to
/// what somebody said themselves; a channel that is named for no phase is said of each.
fn spoken_of(claim: &Claim, all: &mut Vec<String>) {
    match claim {
        Claim::Trait(t, _) => all.push(format!("trait.{t}")),
        Claim::Motive(_) => all.push("motive".to_owned()),
        Claim::Channel(Some(phase), _) => all.push(format!("channel.{phase}")),
        Claim::Channel(None, _) => all.extend(PurchasePhase::ALL.iter().map(|phase| format!("channel.{phase}"))),
        Claim::Point(Point::AvoidedChannel(channel)) => all.push(unwanted(*channel)),
        Claim::Point(Point::Requirement(r)) => all.push(format!("requirement.{}", r.role())),
        Claim::Point(point) => all.push(point.kind().to_string()),
        _ => {}
    }
}

fn unwanted(channel: Channel) -> String {
    format!("{UNWANTED}{channel}")
}
