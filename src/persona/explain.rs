//! The arithmetic of one facet, down to its quotes.
//!
//! Invariant: the terms add up to the log-odds, and the log-odds to the probability that the persona shows.

use std::fmt;

use serde::Serialize;

use super::input::FusionInput;
use crate::taxonomy::FacetStatus;

/// Why a facet has the value that it has.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// Facet as it stands in the `evidence` table, for instance `buying_role.decider`.
    pub facet: String,
    /// The value that was weighed, also where it was not good enough to be shown.
    pub value: Option<String>,
    /// Its probability.
    pub probability: Option<f64>,
    /// The status.
    pub status: FacetStatus,
    /// The rule that gave the status.
    pub rule: String,
    /// What adds up to the log-odds.
    pub terms: Vec<Term>,
    /// The sum.
    pub log_odds: Option<f64>,
}

/// One summand.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Term {
    /// `prior`, a signal id, or the id of a weight.
    pub id: String,
    /// Its log-odds.
    pub value: f64,
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {}", self.facet, self.value.as_deref().unwrap_or("-"))
    }
}

/// Explains one facet; `None` where there is no facet of that name.
#[must_use]
pub fn explain(_input: &FusionInput<'_>, _facet: &str) -> Option<Explanation> {
    None
}
