//! Formulas of terms that are neither one weight nor one signal.
//!
//! Invariant: a formula computes, from numbers that are printed, the log-odds of its term.

use super::signed;
use crate::persona::pool::Pool;
use crate::persona::role::{self, Judged};
use crate::persona::settings::FUSION;

/// What the other values weigh, as a formula: a value of which nothing speaks counts e^0 = 1.
pub(super) fn against(pool: &Pool<'_>, best: usize) -> String {
    let others = || pool.scores.iter().enumerate().filter(|(v, _)| *v != best).map(|(_, score)| *score);
    let silent = others().filter(|score| *score < 5e-4).count();
    let mut parts = vec![silent.to_string()];
    parts.extend(others().filter(|score| *score >= 5e-4).map(|score| format!("e^{score:.3}")));
    format!("-ln({}): {silent} of which nothing speaks, each e^0 = 1", parts.join(" + "))
}

/// How much of what the title suggests is taken back, as a formula.
pub(super) fn outweighed(judged: &Judged<'_>) -> String {
    let weights = judged.weights.iter().filter(|w| w.id != role::OUTWEIGHED);
    let suggested = judged.base + weights.map(|w| w.value * w.holds).sum::<f64>();
    let said = signed(&judged.statements).map(|t| t.log_odds).sum::<f64>().abs();
    let half = role::ROLES.title_halves_at;
    format!("-({suggested:+.3}), which prior and weights come to, x {said:.3} / ({said:.3} + {half}), what was said")
}

/// How a sum is kept from being certain.
pub(super) fn bound(sum: f64, bounded: f64) -> String {
    let most = FUSION.log_odds_bound;
    format!("{bounded:+.3} instead of {sum:+.3}: the sum is held between -{most} and +{most}")
}
