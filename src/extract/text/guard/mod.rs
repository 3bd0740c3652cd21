//! The Art. 9 guard: withholds every sentence that carries or reveals special-category data.
//!
//! Invariant: [`Scrubbed`] has no constructor but [`scrub`]; what it holds has passed the guard.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::taxonomy::Language;

/// A kind of data that is never read, only counted as withheld (Art. 9 and 10 GDPR).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SpecialCategory {
    /// Racial or ethnic origin, nationality as origin.
    EthnicOrigin,
    /// Political opinion and party membership.
    PoliticalOpinion,
    /// Religion or belief.
    ReligionBelief,
    /// Union membership, works councils.
    UnionMembership,
    /// Genetic data.
    Genetic,
    /// Biometric data.
    Biometric,
    /// Health, pregnancy, disability, addiction.
    Health,
    /// Sex life or orientation.
    SexLifeOrientation,
    /// Criminal convictions and offences (Art. 10).
    CriminalOffence,
}

/// How many sentences were withheld, by category; never what stood in them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Withheld(BTreeMap<SpecialCategory, u32>);

impl Withheld {
    /// Nothing was withheld.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The counts alone.
    #[must_use]
    pub fn into_counts(self) -> BTreeMap<SpecialCategory, u32> {
        self.0
    }
}

/// Text that the guard let through, sentence by sentence, each with its place in the original.
#[derive(Clone, PartialEq, Eq)]
pub struct Scrubbed {
    pieces: Vec<Piece>,
}

/// One sentence that was kept.
#[derive(Clone, PartialEq, Eq)]
struct Piece {
    text: String,
    /// Code point in the original.
    start: usize,
}

/// Withholds what touches special categories. First version: everything.
#[must_use]
pub fn scrub(text: &str, _language: Option<Language>) -> (Scrubbed, Withheld) {
    let mut withheld = Withheld::default();
    if !text.trim().is_empty() {
        withheld.0.insert(SpecialCategory::Health, 1);
    }
    (Scrubbed { pieces: Vec::new() }, withheld)
}
