//! What other tools call our terms: `config/taxonomy/crosswalks.yaml` as checked types.
//!
//! Invariant: a section of a target holds every term of ours; a term without a counterpart says what is lost.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use crate::taxonomy::{BuyingRole, JobFunction, Seniority};

/// The crosswalks that ship with the program.
pub static CROSSWALKS: LazyLock<Crosswalks> = LazyLock::new(|| {
    let all: Crosswalks = serde_saphyr::from_str(include_str!("../../../config/taxonomy/crosswalks.yaml"))
        .expect("config/taxonomy/crosswalks.yaml is tested");
    all.check();
    all
});

/// All targets, by the name they have on the command line.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Crosswalks {
    version: u32,
    targets: BTreeMap<String, Target>,
}

/// A tool that names things in its own way.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Target {
    name: String,
    source: String,
    buying_role: Option<Section<BuyingRole>>,
    job_function: Option<Section<JobFunction>>,
    seniority: Option<Section<Seniority>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Section<T: Ord> {
    /// Where the value stands in the target.
    field: String,
    map: BTreeMap<T, To>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct To {
    to: Option<String>,
    #[serde(default)]
    lost: String,
}

/// One line of a crosswalk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Crossing {
    /// The tool.
    pub target: String,
    /// Its field.
    pub field: String,
    /// `buying_role`, `job_function` or `seniority`.
    pub vocabulary: &'static str,
    /// Our term.
    pub term: &'static str,
    /// Its value; `None` where it has none.
    pub value: Option<String>,
    /// What is lost; empty where nothing is.
    pub lost: String,
}

impl Crosswalks {
    /// The names of the targets.
    pub fn targets(&self) -> impl Iterator<Item = &str> {
        self.targets.keys().map(String::as_str)
    }

    /// The lines of one target, or of all, in the order of our vocabularies; `None` where the target is unknown.
    #[must_use]
    pub fn crossings(&self, target: Option<&str>) -> Option<Vec<Crossing>> {
        if target.is_some_and(|t| !self.targets.contains_key(t)) {
            return None;
        }
        let chosen = self.targets.iter().filter(|(key, _)| target.is_none_or(|t| t == key.as_str()));
        let mut out = Vec::new();
        for (key, t) in chosen {
            lines(&mut out, key, "buying_role", t.buying_role.as_ref(), BuyingRole::as_str);
            lines(&mut out, key, "job_function", t.job_function.as_ref(), JobFunction::as_str);
            lines(&mut out, key, "seniority", t.seniority.as_ref(), Seniority::as_str);
        }
        Some(out)
    }

    /// Full name and source of a target.
    #[must_use]
    pub fn about(&self, target: &str) -> Option<(&str, &str)> {
        self.targets.get(target).map(|t| (t.name.as_str(), t.source.as_str()))
    }

    fn check(&self) {
        assert_eq!(self.version, 1, "version of crosswalks.yaml");
        for (key, t) in &self.targets {
            total(key, t.buying_role.as_ref(), BuyingRole::ALL);
            total(key, t.job_function.as_ref(), JobFunction::ALL);
            total(key, t.seniority.as_ref(), Seniority::ALL);
        }
    }
}

fn total<T: Ord + std::fmt::Display>(target: &str, section: Option<&Section<T>>, all: &[T]) {
    let Some(s) = section else { return };
    for term in all {
        let to = s.map.get(term).unwrap_or_else(|| panic!("{target} lacks {term}"));
        assert!(to.to.is_some() || !to.lost.is_empty(), "{target} does not say what is lost of {term}");
    }
}

fn lines<T: Ord + Copy>(
    out: &mut Vec<Crossing>,
    target: &str,
    vocabulary: &'static str,
    section: Option<&Section<T>>,
    name: impl Fn(T) -> &'static str,
) {
    let Some(s) = section else { return };
    out.extend(s.map.iter().map(|(term, to)| Crossing {
        target: target.to_owned(),
        field: s.field.clone(),
        vocabulary,
        term: name(*term),
        value: to.to.clone(),
        lost: to.lost.clone(),
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_holds_every_term_and_tells_what_is_lost() {
        let all = CROSSWALKS.crossings(None).expect("all targets");
        for target in ["hubspot", "salesforce", "dynamics", "espocrm", "apollo", "pdl", "linkedin"] {
            assert!(all.iter().any(|c| c.target == target), "{target}");
            assert!(CROSSWALKS.about(target).is_some_and(|(name, source)| !name.is_empty() && !source.is_empty()));
        }
        let gatekeeper = all.iter().filter(|c| c.term == "gatekeeper");
        assert!(gatekeeper.clone().count() == 4 && gatekeeper.clone().all(|c| !c.lost.is_empty()));
        assert_eq!(CROSSWALKS.crossings(Some("shoebox")), None);
    }

    #[test]
    fn a_term_has_its_value_in_the_tool() {
        let hubspot = CROSSWALKS.crossings(Some("hubspot")).expect("known");
        let decider = hubspot.iter().find(|c| c.term == "decider").expect("every role");
        assert_eq!((decider.value.as_deref(), decider.field.as_str()), (Some("DECISION_MAKER"), "hs_buying_role"));
    }
}
