//! Accuracy, macro-F1, coverage, the coverage-precision curve and the calibration error of one column.
//!
//! Invariant: an abstention is a miss for accuracy and F1, and stays out of precision and calibration.

use std::collections::BTreeMap;

use serde::Serialize;

/// One labelled answer: what is right (`None` = one should abstain), and what was said with which probability.
#[derive(Debug, Clone, Copy)]
pub(super) struct Answer<T> {
    pub expected: Option<T>,
    pub got: Option<(T, f64)>,
}

/// A range of probabilities and how often the answers in it were right.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Bin {
    /// Answers in the range.
    pub n: usize,
    /// Their mean probability.
    pub said: f64,
    /// The share of them that was right.
    pub right: f64,
}

/// A point of the coverage-precision curve.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Point {
    /// Answers below this probability are left out.
    pub at_least: f64,
    /// The share of titles that is answered.
    pub coverage: f64,
    /// The share of the answers that is right.
    pub precision: f64,
}

/// How good one column is.
#[derive(Debug, Clone, Serialize)]
pub struct Score {
    /// Titles.
    pub n: usize,
    /// Share of right answers; a right abstention is right, any other is wrong.
    pub accuracy: f64,
    /// Mean F1 over the classes that occur in the labels.
    pub macro_f1: f64,
    /// Share of titles with a label that got an answer.
    pub coverage: f64,
    /// Expected calibration error over ten equal ranges.
    pub ece: f64,
    /// The ranges.
    pub bins: Vec<Bin>,
    /// Coverage against precision.
    pub curve: Vec<Point>,
}

impl Score {
    pub(super) fn of<T: Copy + Ord>(answers: &[Answer<T>]) -> Self {
        let n = answers.len();
        let hit = |a: &&Answer<T>| a.expected == a.got.map(|g| g.0);
        let labelled = answers.iter().filter(|a| a.expected.is_some()).count();
        let answered = answers.iter().filter(|a| a.expected.is_some() && a.got.is_some()).count();
        let bins = bins(answers);
        let all: usize = bins.iter().map(|b| b.n).sum();
        Self {
            n,
            accuracy: share(answers.iter().filter(hit).count(), n),
            macro_f1: macro_f1(answers),
            coverage: share(answered, labelled),
            ece: bins.iter().map(|b| (b.said - b.right).abs() * b.n as f64).sum::<f64>() / (all.max(1) as f64),
            curve: curve(answers),
            bins,
        }
    }
}

fn share(part: usize, whole: usize) -> f64 {
    part as f64 / whole.max(1) as f64
}

fn macro_f1<T: Copy + Ord>(answers: &[Answer<T>]) -> f64 {
    // Per class: right, wrongly said, missed.
    let mut classes: BTreeMap<T, [f64; 3]> = BTreeMap::new();
    for a in answers {
        let got = a.got.map(|g| g.0);
        if let Some(e) = a.expected {
            classes.entry(e).or_default()[if got == Some(e) { 0 } else { 2 }] += 1.0;
        }
        if let Some(g) = got.filter(|g| a.expected != Some(*g)) {
            classes.entry(g).or_default()[1] += 1.0;
        }
    }
    let labelled: Vec<_> = classes.values().filter(|c| c[0] + c[2] > 0.0).collect();
    labelled.iter().map(|[tp, fp, miss]| 2.0 * tp / (2.0 * tp + fp + miss)).sum::<f64>() / labelled.len().max(1) as f64
}

fn bins<T: Copy + Ord>(answers: &[Answer<T>]) -> Vec<Bin> {
    let mut sums = [(0_usize, 0.0, 0_usize); 10];
    for a in answers {
        let Some((g, p)) = a.got else { continue };
        let bin = &mut sums[((p * 10.0) as usize).min(9)];
        bin.0 += 1;
        bin.1 += p;
        bin.2 += usize::from(a.expected == Some(g));
    }
    let full = sums.iter().filter(|s| s.0 > 0);
    full.map(|&(n, p, right)| Bin { n, said: p / n as f64, right: share(right, n) }).collect()
}

fn curve<T: Copy + Ord>(answers: &[Answer<T>]) -> Vec<Point> {
    let at = |t: f64| {
        let kept: Vec<_> = answers.iter().filter(|a| a.got.is_some_and(|g| g.1 >= t)).collect();
        let right = kept.iter().filter(|a| a.expected == a.got.map(|g| g.0)).count();
        Point { at_least: t, coverage: share(kept.len(), answers.len()), precision: share(right, kept.len()) }
    };
    [0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95].map(at).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(expected: Option<u8>, got: Option<(u8, f64)>) -> Answer<u8> {
        Answer { expected, got }
    }

    #[test]
    fn figures_by_hand() {
        let s = Score::of(&[
            answer(Some(1), Some((1, 0.95))),
            answer(Some(1), Some((2, 0.55))),
            answer(Some(2), Some((2, 0.95))),
            answer(Some(2), None),
            answer(None, None),
        ]);
        assert!((s.accuracy - 0.6).abs() < 1e-9);
        assert!((s.coverage - 0.75).abs() < 1e-9);
        // Class 1: 1 right, 1 missed; class 2: 1 right, 1 wrongly said, 1 missed.
        assert!((s.macro_f1 - f64::midpoint(2.0 / 3.0, 0.5)).abs() < 1e-9);
        assert!((s.ece - (0.05 * 2.0 + 0.55) / 3.0).abs() < 1e-9);
    }
}
