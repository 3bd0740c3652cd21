//! Pooling of signals: how much each one weighs, and what they say together.
//!
//! Invariant: a single certain, fresh, reliable signal of weight w over equal values gives exactly p = w; a further
//! signal for a value never lowers that value; the order of signals does not matter.
//!
//! Method: logarithmic pooling (Genest and Zidek 1986). A source is believed with probability
//! t = reliability x still-valid (half-life); else it says nothing, so the claim keeps t·w + (1 − t)/K of its weight.
//! Its log-odds are added, after signals of one content and one source have been discounted as dependent.

use std::cmp::Ordering;

use jiff::Timestamp;

use super::settings::{FUSION, Family};
use crate::model::Signal;
use crate::taxonomy::SourceClass;

const SECONDS_PER_DAY: f64 = 86_400.0;

/// One signal as it counts for one facet.
#[derive(Debug, Clone)]
pub(super) struct Support<'a> {
    pub(super) signal: &'a Signal,
    /// What it claims: the index of a value, or 1 for yes and 0 for no.
    pub(super) value: usize,
    pub(super) age_days: f64,
    pub(super) reliability: f64,
    /// After so many days half of such signals still hold.
    pub(super) half_life: f64,
    /// That it still holds, by age.
    pub(super) validity: f64,
    /// The claim's weight as it counts: between chance and the ceiling.
    pub(super) counted: f64,
    /// The probability of a value of which nothing is known.
    pub(super) chance: f64,
    /// The claim's weight after reliability and age.
    pub(super) believed: f64,
    /// What scales it beside its independence.
    pub(super) share: f64,
    /// The share that is independent of stronger signals.
    pub(super) independence: f64,
    /// What it adds to its value: log-odds, at least 0.
    pub(super) log_odds: f64,
}

/// What weighing depends on beside the signals.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    pub(super) as_of: Timestamp,
    /// Age of the columns of the contact record; `None` = unknown.
    pub(super) crm_updated_at: Option<Timestamp>,
    pub(super) half_life_days: f64,
    pub(super) min_probability: f64,
}

impl Frame {
    /// The half-life of a family, in days.
    pub(super) fn half_life(self, family: Family) -> f64 {
        self.half_life_days.max(1.0) * FUSION.half_life_scale(family)
    }

    /// Whether evidence of an age in days is too old to rest on.
    pub(super) fn is_stale(self, age_days: f64, family: Family) -> bool {
        age_days > FUSION.stale_after_half_lives * self.half_life(family)
    }

    /// How old the signal is, in days; columns of the contact record are as old as the record.
    fn age_days(self, s: &Signal, family: Family) -> f64 {
        let days = |t: Timestamp| (self.as_of.duration_since(t).as_secs_f64() / SECONDS_PER_DAY).max(0.0);
        let seen = days(s.evidence.observed_at);
        let is_column = matches!(family, Family::JobFunction | Family::Seniority | Family::SigningPower);
        if s.evidence.source_class == SourceClass::Crm && is_column {
            return seen.max(self.crm_updated_at.map_or(FUSION.crm_unknown_age_days, days));
        }
        seen
    }
}

/// Weighs the signals of one facet among `k` values; `share` scales what each adds.
pub(super) fn weigh<'a>(
    frame: Frame,
    family: Family,
    k: usize,
    claims: impl IntoIterator<Item = (&'a Signal, usize, f64)>,
    log_odds: impl Fn(f64, usize) -> f64,
) -> Vec<Support<'a>> {
    let mut out: Vec<Support<'a>> = claims
        .into_iter()
        .map(|(signal, value, share)| {
            let age = frame.age_days(signal, family);
            let reliability = FUSION.reliability(signal.evidence.source_class);
            let half_life = frame.half_life(family);
            let validity = (-std::f64::consts::LN_2 * age / half_life).exp();
            let even = 1.0 / to_f64(k);
            let w = if signal.weight.is_nan() { even } else { signal.weight.clamp(even, FUSION.weight_ceiling) };
            let trust = reliability * validity;
            let believed = trust * w + (1.0 - trust) * even;
            let strength = log_odds(believed, value).max(0.0) * share;
            Support {
                signal,
                value,
                age_days: age,
                reliability,
                half_life,
                validity,
                counted: w,
                chance: even,
                believed,
                share,
                independence: 1.0,
                log_odds: strength,
            }
        })
        .collect();
    out.sort_by(order);
    out.dedup_by(|b, a| a.value == b.value && a.signal.id == b.signal.id && a.signal.evidence == b.signal.evidence);
    discount(&mut out);
    out
}

/// By value, source, content, then strongest first; ties by id, so that input order cannot show.
fn order(a: &Support<'_>, b: &Support<'_>) -> Ordering {
    source(a)
        .cmp(&source(b))
        .then_with(|| a.signal.evidence.content_hash.cmp(&b.signal.evidence.content_hash))
        .then_with(|| b.log_odds.total_cmp(&a.log_odds))
        .then_with(|| a.signal.id.cmp(&b.signal.id))
        .then_with(|| a.signal.evidence.locator.cmp(&b.signal.evidence.locator))
        .then_with(|| a.signal.evidence.quote.cmp(&b.signal.evidence.quote))
        .then_with(|| b.signal.weight.total_cmp(&a.signal.weight))
}

fn source<'s>(s: &'s Support<'_>) -> (usize, &'s str, Option<&'s str>) {
    (s.value, &s.signal.evidence.source_id, s.signal.evidence.host.as_deref())
}

/// Signals of one content repeat each other, contents of one source resemble each other.
///
/// Sorted descending and weighed by a falling series, a sum cannot fall when a member is added or grows.
fn discount(supports: &mut [Support<'_>]) {
    for of_source in supports.chunk_by_mut(|a, b| source(a) == source(b)) {
        let mut contents: Vec<&mut [Support<'_>]> =
            of_source.chunk_by_mut(|a, b| a.signal.evidence.content_hash == b.signal.evidence.content_hash).collect();
        for content in &mut contents {
            let mut share = 1.0;
            for s in content.iter_mut() {
                s.independence = share;
                share *= FUSION.same_content_share;
            }
        }
        let total = |c: &[Support<'_>]| c.iter().map(|s| s.log_odds * s.independence).sum::<f64>();
        contents.sort_by(|a, b| total(b).total_cmp(&total(a)));
        let mut share = 1.0;
        for content in contents {
            for s in content.iter_mut() {
                s.independence *= share;
            }
            share *= FUSION.same_source_share;
        }
    }
    for s in supports {
        s.log_odds *= s.independence;
    }
}

/// How many independent contents speak.
pub(super) fn contents(supports: &[Support<'_>]) -> usize {
    let mut hashes: Vec<(&str, &str)> = supports
        .iter()
        .map(|s| (s.signal.evidence.source_id.as_str(), s.signal.evidence.content_hash.as_str()))
        .collect();
    hashes.sort_unstable();
    hashes.dedup();
    hashes.len()
}

/// The age of the newest signal in days; `None` without signals.
pub(super) fn newest(supports: &[Support<'_>]) -> Option<f64> {
    supports.iter().map(|s| s.age_days).min_by(f64::total_cmp)
}

/// What signals say together about one of several values.
#[derive(Debug, Clone)]
pub(super) struct Pool<'a> {
    pub(super) supports: Vec<Support<'a>>,
    /// Log of the unnormalised posterior, one per value.
    pub(super) scores: Vec<f64>,
    /// Posterior, sums to 1.
    pub(super) p: Vec<f64>,
    /// The share that a value lends to those next to it.
    pub(super) neighbour: f64,
}

impl<'a> Pool<'a> {
    /// Pools claims over `k` equal values; `neighbour` is the share lent to the values next to a claimed one.
    pub(super) fn of(
        frame: Frame,
        family: Family,
        k: usize,
        neighbour: f64,
        claims: impl IntoIterator<Item = (&'a Signal, usize, f64)>,
    ) -> Self {
        let supports = weigh(frame, family, k, claims, |p, v| strength(p, k, neighbours(v, k), neighbour));
        let mut scores = vec![0.0; k];
        for s in &supports {
            scores[s.value] += s.log_odds;
            if neighbour > 0.0 {
                for u in [s.value.checked_sub(1), Some(s.value + 1)].into_iter().flatten().filter(|u| *u < k) {
                    scores[u] += s.log_odds * neighbour;
                }
            }
        }
        let top = scores.iter().copied().fold(0.0, f64::max);
        let all: f64 = scores.iter().map(|s| (s - top).exp()).sum();
        let p = scores.iter().map(|s| (s - top).exp() / all).collect();
        Self { supports, scores, p, neighbour }
    }

    /// The most probable claimed value; the first one in canonical order where two are equal.
    pub(super) fn best(&self) -> Option<usize> {
        self.claimed().into_iter().max_by(|a, b| self.p[*a].total_cmp(&self.p[*b]).then(b.cmp(a)))
    }

    /// The second-best claimed value.
    pub(super) fn second(&self) -> Option<usize> {
        let best = self.best()?;
        self.claimed()
            .into_iter()
            .filter(|v| *v != best)
            .max_by(|a, b| self.p[*a].total_cmp(&self.p[*b]).then(b.cmp(a)))
    }

    /// What the other values together weigh against `v`: log of their summed scores.
    pub(super) fn against(&self, v: usize) -> f64 {
        let others = || self.scores.iter().enumerate().filter(|(u, _)| *u != v).map(|(_, s)| *s);
        let top = others().fold(f64::NEG_INFINITY, f64::max);
        top + others().map(|s| (s - top).exp()).sum::<f64>().ln()
    }

    /// Bounded log-odds and probability of `v`.
    pub(super) fn odds(&self, v: usize) -> (f64, f64) {
        let l = bound(self.scores[v] - self.against(v));
        (l, sigmoid(l))
    }

    fn claimed(&self) -> Vec<usize> {
        let mut v: Vec<usize> = self.supports.iter().map(|s| s.value).collect();
        v.sort_unstable();
        v.dedup();
        v
    }
}

/// A count as a float; counts here are far below 2^32.
pub(super) fn to_f64(n: usize) -> f64 {
    f64::from(u32::try_from(n).unwrap_or(u32::MAX))
}

/// How many values lie next to `v`.
pub(super) fn neighbours(v: usize, k: usize) -> usize {
    usize::from(v > 0) + usize::from(v + 1 < k)
}

/// The log-odds L for which a lone claim gets probability `p` among `k` values, when `n` neighbours get `share`·L.
fn strength(p: f64, k: usize, n: usize, share: f64) -> f64 {
    let n = if share > 0.0 { n } else { 0 };
    let rest = to_f64(k - 1 - n);
    if n == 0 {
        return logit(p) + rest.ln();
    }
    let f = |l: f64| l.exp() / (l.exp() + to_f64(n) * (l * share).exp() + rest);
    let (mut low, mut high) = (0.0, 30.0);
    for _ in 0..48 {
        let mid = f64::midpoint(low, high);
        if f(mid) < p { low = mid } else { high = mid }
    }
    f64::midpoint(low, high)
}

/// log(p / (1 − p)).
pub(super) fn logit(p: f64) -> f64 {
    (p / (1.0 - p)).ln()
}

/// 1 / (1 + e^−x).
pub(super) fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// No fused probability is certain.
pub(super) fn bound(log_odds: f64) -> f64 {
    log_odds.clamp(-FUSION.log_odds_bound, FUSION.log_odds_bound)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lone_claim_gets_its_own_weight() {
        for (p, k, n, share) in [(0.9, 24, 0, 0.0), (0.6, 11, 2, 0.35), (0.97, 11, 1, 0.35), (0.3, 4, 0, 0.0)] {
            let l = strength(p, k, n, share);
            let got = l.exp() / (l.exp() + to_f64(n) * (l * share).exp() + to_f64(k - 1 - n));
            assert!((got - p).abs() < 1e-9, "{p} {k} {n}: {got}");
        }
    }
}
