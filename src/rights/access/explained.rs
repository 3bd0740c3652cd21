//! The part of a bundle that explains personas, value by value.
//!
//! Invariant: as for the whole bundle: a field is added, never changed in meaning, within one schema version.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::taxonomy::{FacetStatus, Language, SourceClass};

/// A persona with the logic of its values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ExplainedPersona {
    /// The pipeline.
    pub pipeline: String,
    /// The snapshot.
    pub run: String,
    /// The instant for which it holds.
    #[schemars(with = "String")]
    pub as_of: Timestamp,
    /// What is to be sold.
    pub offering: Option<String>,
    /// `individual`, `segment`, `study_prior`.
    pub tier: crate::taxonomy::Tier,
    /// Whether it lies in the sealed copy alone, because processing is restricted (Art. 18): nobody uses it.
    #[serde(default)]
    pub sealed: bool,
    /// Every facet.
    pub facets: Vec<ExplainedFacet>,
}

/// One facet with its logic.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ExplainedFacet {
    /// The part of the page: `position`, `roles`, `traits`, `motives`, `goals`, `habits`, `channels`, `context`,
    /// `requirements`, `empathy`.
    pub group: String,
    /// Its name, for instance `buying_role.decider`.
    pub facet: String,
    /// The stored value, a term; `None` where abstained.
    pub value: Option<String>,
    /// The stored probability or confidence.
    pub probability: Option<f64>,
    /// The stored score of a trait.
    pub score: Option<f64>,
    /// Why there is, or is no, value.
    pub status: FacetStatus,
    /// Whether the recomputation came to the stored value.
    pub exact: bool,
    /// The arithmetic, step by step; the last `to` is the probability.
    pub steps: Vec<Step>,
    /// What speaks for other values.
    pub against: Vec<Finding>,
    /// The findings it rests on.
    pub evidence: Vec<Finding>,
    /// The same in words, by language.
    pub plain: BTreeMap<Language, Plain>,
}

/// A facet in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Plain {
    /// What it is called.
    pub name: String,
    /// Its value, or why there is none.
    pub value: String,
    /// How likely, in words; empty where there is no value.
    pub likely: String,
    /// The explanation, sentence by sentence.
    pub why: Vec<String>,
}

/// One step of the arithmetic.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Step {
    /// `start`, `neighbours`, `other_values`, `bound`, a signal id, or the id of a weight.
    pub id: String,
    /// What it adds, in log-odds.
    pub adds: f64,
    /// The probability before; the same as `to` at the start.
    pub from: f64,
    /// The probability after.
    pub to: f64,
    /// Full value and probability of its condition, for weights.
    pub weight: Option<(f64, f64)>,
}

/// A finding.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// The signal.
    pub signal: String,
    /// What it says.
    pub value: String,
    /// The words it rests on.
    pub quote: String,
    /// The source.
    pub source: String,
    /// Its class.
    pub class: SourceClass,
    /// The host.
    pub host: Option<String>,
    /// When it was said, or when the record was last changed.
    #[schemars(with = "String")]
    pub observed_at: Timestamp,
    /// The probability that it is right, taken alone.
    pub weight: f64,
}
