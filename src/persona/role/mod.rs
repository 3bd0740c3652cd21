//! Buying roles: P(role | function, seniority, offering, company, explicit statements).
//!
//! Invariant: log-odds are a sum of named terms; a role that neither a title nor a statement speaks for abstains.

mod crosswalk;
mod weights;

pub use crosswalk::{CROSSWALKS, Crossing, Crosswalks};
pub(super) use weights::{Needs, OUTWEIGHED};
pub use weights::{ROLES, RoleModel};

use self::weights::{Condition, Relation};
use super::fuse::{RECTIFIED, Work};
use super::input::{FusionInput, Offering};
use super::pool::{Support, bound, logit, newest, sigmoid, weigh};
use super::rectified::{Change, Correction};
use super::settings::{DecisionStyle, FUSION, Family, Size};
use crate::model::Claim;
use crate::taxonomy::{BuyingRole, FacetStatus, JobFunction, PurchasePhase, Seniority};

/// One named weight as it counts for a person.
#[derive(Debug, Clone, PartialEq)]
pub struct Applied<'m> {
    /// Id of the weight.
    pub id: &'m str,
    /// Its full value in log-odds.
    pub value: f64,
    /// Probability that its condition holds.
    pub holds: f64,
    /// Why it exists.
    pub reason: &'m str,
    /// Where its value comes from.
    pub source: &'m str,
}

/// The position that roles are judged for: a distribution, not a guess.
#[derive(Debug, Clone)]
pub struct Position<'a> {
    /// P(the person holds the function), by canonical index; several can be near 1.
    pub functions: Vec<f64>,
    /// P(level), by canonical index; sums to 1 or, where unknown, to 0.
    pub seniority: Vec<f64>,
    /// What is sold.
    pub offering: &'a Offering,
    /// Size of the company.
    pub size: Size,
    /// How the company is said to decide.
    pub decision_style: Option<DecisionStyle>,
    /// P(the person is seen in a phase of purchases), by canonical index: who asks for prices, reorders, complains.
    pub phases: Vec<f64>,
}

/// The weights that apply to a position for one role, in the order of the file.
#[must_use]
pub fn applied<'m>(model: &'m RoleModel, role: BuyingRole, at: &Position<'_>) -> Vec<Applied<'m>> {
    model
        .weights
        .iter()
        .filter(|w| w.role == role)
        .map(|w| Applied { id: &w.id, value: w.value, holds: holds(&w.when, at), reason: &w.reason, source: &w.source })
        .filter(|a| a.holds > 0.0)
        .collect()
}

/// Probability that a condition holds; function and level are taken as independent given the evidence.
fn holds(c: &Condition, at: &Position<'_>) -> f64 {
    let o = at.offering;
    let company = (c.price.is_empty() || c.price.contains(&o.price_band))
        && (c.complexity.is_empty() || c.complexity.contains(&o.complexity))
        && (c.adaptation.is_empty() || c.adaptation.contains(&o.adaptation))
        && (c.category.is_empty() || c.category.contains(&o.category))
        && (c.size.is_empty() || c.size.contains(&at.size))
        && (c.decision_style.is_empty() || at.decision_style.is_some_and(|s| c.decision_style.contains(&s)));
    if !company {
        return 0.0;
    }
    // Most weights do not apply to most people; whether a level fits is told fastest.
    let by_level = c.seniority.map_or(1.0, |range| sum(&at.seniority, Seniority::ALL, |s| range.holds(*s)));
    if by_level == 0.0 {
        return 0.0;
    }
    let by_function = if c.relation.is_none() && c.functions.is_empty() {
        1.0
    } else {
        let fits = |f: &JobFunction| {
            c.relation.is_none_or(|r| r == relation(o, *f)) && (c.functions.is_empty() || c.functions.contains(f))
        };
        sum(&at.functions, JobFunction::ALL, fits)
    };
    let by_behaviour = if c.phase.is_empty() {
        1.0
    } else {
        at.phases.iter().zip(PurchasePhase::ALL).filter(|(_, p)| c.phase.contains(p)).fold(0.0, |m, (p, _)| p.max(m))
    };
    by_function * by_level * by_behaviour
}

fn relation(o: &Offering, f: JobFunction) -> Relation {
    if o.used_by.contains(&f) {
        Relation::Uses
    } else if o.run_by.contains(&f) {
        Relation::Runs
    } else {
        Relation::Neither
    }
}

fn sum<T>(p: &[f64], all: &[T], fits: impl Fn(&T) -> bool) -> f64 {
    p.iter().zip(all).filter(|(p, v)| **p != 0.0 && fits(v)).map(|(p, _)| p).sum::<f64>().min(1.0)
}

/// One role of one person, with everything that it rests on.
#[derive(Debug, Clone)]
pub(super) struct Judged<'a> {
    pub(super) base: f64,
    pub(super) weights: Vec<Applied<'static>>,
    /// Statements: value 1 = has the role, 0 = has it not.
    pub(super) statements: Vec<Support<'a>>,
    /// Bounded log-odds, infinite where it was put right; `None` where abstained.
    pub(super) log_odds: Option<f64>,
    pub(super) status: FacetStatus,
    pub(super) rule: &'static str,
}

impl Judged<'_> {
    pub(super) fn probability(&self) -> Option<f64> {
        self.log_odds.map(sigmoid)
    }
}

/// Judges one role.
pub(super) fn judge<'a>(work: &Work<'_, 'a>, role: BuyingRole) -> Judged<'a> {
    let model = &*ROLES;
    let base = model.base(role);
    let fixed = work.input.corrected(|c| match c {
        Correction::BuyingRole(r, x) if *r == role => Some(*x),
        _ => None,
    });
    if let Some(change) = fixed {
        return put_right(change, base.base);
    }
    let statements = statements(work.input, role);
    let said: f64 = statements.iter().map(|s| if s.value == 1 { s.log_odds } else { -s.log_odds }).sum();
    let position = titled(work, base.needs);
    let mut weights = if position.is_ok() { applied(model, role, &work.position) } else { Vec::new() };
    let suggested = base.base + weights.iter().map(|w| w.value * w.holds).sum::<f64>();
    weights.extend(outweighed(model, suggested, said));
    let stale = newest(&statements).is_some_and(|age| work.input.frame().is_stale(age, Family::BuyingRole));
    let fresh = !statements.is_empty() && !stale;
    let (status, why) = match position {
        Ok(()) if statements.is_empty() => (FacetStatus::Known, "the position is known; named weights were added"),
        Ok(()) => (FacetStatus::Known, "the position is known; named weights and statements were added"),
        Err(_) if fresh => (FacetStatus::Known, "stated outright; the position is not known"),
        Err(_) if stale => (FacetStatus::Stale, "the position is not known and the statements are too old"),
        Err(status) => (status, "neither is the position known well enough for this role, nor was it stated"),
    };
    let log_odds = (status == FacetStatus::Known)
        .then(|| bound(base.base + weights.iter().map(|w| w.value * w.holds).sum::<f64>() + said));
    let (status, why) = match log_odds {
        // The title wins because the statement is old or weak; still nobody who says so of the person agrees.
        Some(sum) if fresh && sum * said < 0.0 => (FacetStatus::Conflicting, OVERRULED),
        _ => (status, why),
    };
    Judged { base: base.base, weights, statements, log_odds, status, rule: why }
}

/// The rule of a role whose probability says otherwise than everybody who spoke of it, taken together.
pub(super) const OVERRULED: &str = "what was said outright and is not too old says otherwise than the probability";

/// What is taken back of that which the title suggests, where statements say otherwise: whoever says it knows what the
/// title only lets one suspect. It grows with what was said, and fades with it.
fn outweighed(model: &RoleModel, suggested: f64, said: f64) -> Option<Applied<'static>> {
    let lost = said.abs() / (said.abs() + model.title_halves_at);
    (suggested * said < 0.0).then_some(Applied {
        id: OUTWEIGHED,
        value: -suggested * lost,
        holds: 1.0,
        reason: "what was said outright outweighs what the title suggests",
        source: "own judgement",
    })
}

/// A role that was put right: certain, and nothing was weighed.
fn put_right<'a>(change: Change<bool>, base: f64) -> Judged<'a> {
    let (log_odds, status) = match change {
        Change::Set(true) => (Some(f64::INFINITY), FacetStatus::Known),
        Change::Set(false) => (Some(f64::NEG_INFINITY), FacetStatus::Known),
        _ => (None, FacetStatus::NoConsent),
    };
    Judged { base, weights: Vec::new(), statements: Vec::new(), log_odds, status, rule: RECTIFIED }
}

/// Whether title facets suffice for a role, or why they do not.
fn titled(work: &Work<'_, '_>, needs: Needs) -> Result<(), FacetStatus> {
    let (f, s) = (work.function.status, work.level.status);
    match needs {
        Needs::Function if f == FacetStatus::Known => Ok(()),
        Needs::Seniority if s == FacetStatus::Known => Ok(()),
        Needs::Either if f == FacetStatus::Known || s == FacetStatus::Known => Ok(()),
        Needs::Function | Needs::Either => Err(work.empty_roles(f)),
        Needs::Seniority => Err(work.empty_roles(s)),
    }
}

/// What is said outright about a role. The claims weigh `statement_gain` times their log-odds.
fn statements<'a>(input: &FusionInput<'a>, role: BuyingRole) -> Vec<Support<'a>> {
    let claims = input.signals.iter().filter_map(|s| match s.claim {
        Claim::BuyingRole(r, sign) if r == role && sign != 0 => Some((s, usize::from(sign > 0), ROLES.statement_gain)),
        _ => None,
    });
    let claims = claims.filter(|(s, ..)| super::fuse::is_own(input, s));
    weigh(input.frame(), Family::BuyingRole, 2, claims, |p, _| logit(p))
}

/// Probability of a role for somebody of whom nothing is known.
pub(super) fn prior(role: BuyingRole) -> f64 {
    sigmoid(ROLES.base(role).base.clamp(-FUSION.log_odds_bound, FUSION.log_odds_bound))
}
