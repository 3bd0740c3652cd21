//! From raw probabilities to how often they are right.
//!
//! Invariant: the table is data (`calibration` in `titles.yaml`) and ascends; straight lines between its points.

use serde::Deserialize;

/// Raw probabilities and the share that is right, ascending; straight lines between.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Calibration {
    pub job_function: Vec<(f64, f64)>,
    pub seniority: Vec<(f64, f64)>,
}

/// What a raw probability is worth.
pub(super) fn calibrated(table: &[(f64, f64)], p: f64) -> f64 {
    let at = table.iter().position(|k| k.0 >= p).unwrap_or(table.len());
    match (at.checked_sub(1).and_then(|i| table.get(i)), table.get(at)) {
        (Some(a), Some(b)) => a.1 + (b.1 - a.1) * (p - a.0) / (b.0 - a.0),
        (Some(k), None) | (None, Some(k)) => k.1,
        (None, None) => p,
    }
}

#[cfg(test)]
mod tests {
    use super::calibrated;

    #[test]
    fn straight_lines_between_points_and_level_beyond() {
        let table = [(0.4, 0.6), (0.8, 0.9)];
        for (p, expected) in [(0.1, 0.6), (0.4, 0.6), (0.6, 0.75), (0.8, 0.9), (0.99, 0.9)] {
            assert!((calibrated(&table, p) - expected).abs() < 1e-9, "{p}");
        }
        assert!((calibrated(&[], 0.3) - 0.3).abs() < 1e-9);
    }
}
