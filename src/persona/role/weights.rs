//! `config/roles.yaml` as checked types.
//!
//! Invariant: every weight has an id of its own, a condition, a reason and a source.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::persona::input::{Level, PriceBand};
use crate::persona::settings::{DecisionStyle, SettingsError, Size};
use crate::taxonomy::{BuyingRole, JobFunction, PurchasePhase, Seniority};

/// The id of the term that takes back what the title suggests against statements.
pub(in crate::persona) const OUTWEIGHED: &str = "statements.outweigh";

/// The built-in weights of the buying roles.
pub static ROLES: LazyLock<RoleModel> = LazyLock::new(|| {
    RoleModel::parse(include_str!("../../../config/roles.yaml")).expect("config/roles.yaml is checked")
});

/// Everything that turns a position into buying roles and buying roles into questions.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleModel {
    version: u32,
    roles: BTreeMap<BuyingRole, Base>,
    pub(in crate::persona) statement_gain: f64,
    pub(in crate::persona) title_halves_at: f64,
    pub(in crate::persona) member_floor: f64,
    pub(in crate::persona) candidate_floor: f64,
    pub(super) weights: Vec<Weight>,
    expected_size: BTreeMap<BuyingRole, BTreeMap<Size, f64>>,
    questions: BTreeMap<BuyingRole, Question>,
    function_names: BTreeMap<JobFunction, String>,
    seniority_names: BTreeMap<Seniority, String>,
}

/// Where a role starts, and what must be known to say anything.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::persona) struct Base {
    /// Log-odds for somebody to whom no weight applies.
    pub(in crate::persona) base: f64,
    pub(in crate::persona) needs: Needs,
}

/// What a role cannot be judged without.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::persona) enum Needs {
    Function,
    Seniority,
    Either,
}

/// One named weight.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Weight {
    pub(super) id: String,
    pub(super) role: BuyingRole,
    pub(super) when: Condition,
    pub(super) value: f64,
    pub(super) reason: String,
    pub(super) source: String,
}

/// All parts that are given must hold.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Condition {
    pub(super) relation: Option<Relation>,
    pub(super) functions: Vec<JobFunction>,
    pub(super) seniority: Option<Range>,
    pub(super) price: Vec<PriceBand>,
    pub(super) complexity: Vec<Level>,
    pub(super) adaptation: Vec<Level>,
    pub(super) category: Vec<String>,
    pub(super) size: Vec<Size>,
    pub(super) decision_style: Vec<DecisionStyle>,
    /// Behaviour: the person was seen in one of these phases of a purchase.
    pub(super) phase: Vec<PurchasePhase>,
}

/// How a function stands to the offering.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Relation {
    Uses,
    Runs,
    Neither,
}

/// Levels from `min` to `max`, both included.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Range {
    min: Option<Seniority>,
    max: Option<Seniority>,
}

impl Range {
    pub(super) fn holds(self, s: Seniority) -> bool {
        self.min.is_none_or(|m| s >= m) && self.max.is_none_or(|m| s <= m)
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::persona) struct Question {
    pub(in crate::persona) open: String,
    pub(in crate::persona) confirm: String,
}

impl RoleModel {
    /// Reads and checks a role model.
    pub fn parse(yaml: &str) -> Result<Self, SettingsError> {
        let m: Self = serde_saphyr::from_str(yaml)?;
        m.check()?;
        Ok(m)
    }

    /// The id of every weight, and of what statements take back of them.
    pub fn weight_ids(&self) -> impl Iterator<Item = &str> {
        self.weights.iter().map(|w| w.id.as_str()).chain([OUTWEIGHED])
    }

    pub(in crate::persona) fn base(&self, role: BuyingRole) -> Base {
        self.roles[&role]
    }

    pub(in crate::persona) fn expected_size(&self, role: BuyingRole, size: Size) -> f64 {
        self.expected_size[&role][&size]
    }

    pub(in crate::persona) fn question(&self, role: BuyingRole) -> &Question {
        &self.questions[&role]
    }

    pub(in crate::persona) fn function_name(&self, f: JobFunction) -> &str {
        &self.function_names[&f]
    }

    pub(in crate::persona) fn seniority_name(&self, s: Seniority) -> &str {
        &self.seniority_names[&s]
    }

    fn check(&self) -> Result<(), SettingsError> {
        let fail = |what: String| Err(SettingsError::Range(what));
        if self.version != 1
            || self.statement_gain < 1.0
            || !self.title_halves_at.is_normal()
            || self.title_halves_at < 0.0
        {
            return fail("version, statement_gain or title_halves_at".into());
        }
        let floors = 0.0 < self.candidate_floor && self.candidate_floor <= self.member_floor && self.member_floor < 1.0;
        if !floors {
            return fail("member_floor or candidate_floor".into());
        }
        for role in BuyingRole::ALL {
            let sized = self.expected_size.get(role).is_some_and(|m| Size::ALL.iter().all(|s| m.contains_key(s)));
            if !self.roles.contains_key(role) || !self.questions.contains_key(role) || !sized {
                return fail(format!("role {role}"));
            }
        }
        if !JobFunction::ALL.iter().all(|f| self.function_names.contains_key(f))
            || !Seniority::ALL.iter().all(|s| self.seniority_names.contains_key(s))
        {
            return fail("function_names or seniority_names".into());
        }
        let mut ids = std::collections::BTreeSet::new();
        for w in &self.weights {
            let told = !w.reason.trim().is_empty() && !w.source.trim().is_empty();
            if !told || !w.value.is_finite() || !ids.insert(w.id.as_str()) || !w.id.starts_with(w.role.as_str()) {
                return fail(format!("weight {}", w.id));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = include_str!("../../../config/roles.yaml");

    #[test]
    fn weights_need_reason_source_and_an_id_of_their_own() {
        RoleModel::parse(GOOD).expect("the built-in weights");
        let reason = "\"the function works with the offering\"";
        for (from, to) in
            [(reason, "''"), ("id: user.hands_on", "id: user.function_uses"), ("{ max: lead }", "{ mx: lead }")]
        {
            let bad = GOOD.replacen(from, to, 1);
            assert_ne!(bad, GOOD);
            assert!(RoleModel::parse(&bad).is_err(), "{to}");
        }
    }
}
