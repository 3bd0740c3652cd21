//! From raw probabilities to how often they are right.
//!
//! Invariant: the table is data (`calibration` in `titles.yaml`) and ascends; straight lines between its points.
//! Probabilities have three digits, so all of them are worked out beforehand.

use serde::Deserialize;

/// Steps of a probability of three digits.
const STEPS: usize = 1000;

/// What raw probabilities are worth.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Calibration {
    pub job_function: Calibrated,
    pub seniority: Calibrated,
}

/// What each raw probability of three digits is worth.
#[derive(Deserialize)]
#[serde(from = "Vec<(f64, f64)>")]
pub(super) struct Calibrated(Box<[f64]>);

impl From<Vec<(f64, f64)>> for Calibrated {
    /// From raw probabilities and the share that is right, ascending.
    fn from(table: Vec<(f64, f64)>) -> Self {
        Self((0..=STEPS).map(|step| round(between(&table, step as f64 / STEPS as f64))).collect())
    }
}

impl Calibrated {
    /// What a raw probability, rounded to three digits, is worth.
    pub fn of(&self, p: f64) -> f64 {
        self.0.get(usize::from(step(p))).copied().unwrap_or(p)
    }
}

/// Three digits are more than the weights can promise; nothing is certain.
pub(super) fn round(p: f64) -> f64 {
    f64::from(step(p.clamp(0.0, 0.99))) / STEPS as f64
}

/// The nearest step, the higher one of two.
fn step(p: f64) -> u16 {
    let steps = p * STEPS as f64;
    let whole = steps as i32;
    (whole + i32::from(steps - f64::from(whole) >= 0.5)) as u16
}

/// On the straight lines between the points of a table.
fn between(table: &[(f64, f64)], p: f64) -> f64 {
    let at = table.iter().position(|k| k.0 >= p).unwrap_or(table.len());
    match (at.checked_sub(1).and_then(|i| table.get(i)), table.get(at)) {
        (Some(a), Some(b)) => a.1 + (b.1 - a.1) * (p - a.0) / (b.0 - a.0),
        (Some(k), None) | (None, Some(k)) => k.1,
        (None, None) => p,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn straight_lines_between_points_and_level_beyond() {
        let table = vec![(0.4, 0.6), (0.8, 0.9)];
        let calibrated = Calibrated::from(table.clone());
        for (p, expected) in [(0.1, 0.6), (0.4, 0.6), (0.6, 0.75), (0.8, 0.9), (0.99, 0.9)] {
            assert!((between(&table, p) - expected).abs() < 1e-9, "{p}");
            assert!((calibrated.of(p) - expected).abs() < 1e-9, "{p}");
        }
        assert!((between(&[], 0.3) - 0.3).abs() < 1e-9);
    }

    #[test]
    fn halves_are_rounded_up() {
        for (p, expected) in [(0.1234, 0.123), (0.0625, 0.063), (1.0, 0.99), (-0.5, 0.0)] {
            assert!((round(p) - expected).abs() < 1e-12, "{p}");
        }
    }
}
