//! An explanation as lines of text.
//!
//! Invariant: what is printed can be computed again from what is printed: log-odds have three decimals and
//! probabilities four, so that a rounding shows in the last digit at most.

use std::fmt;

use super::{Explanation, SignalArithmetic, Term};

/// Less than this is said in one line for all weights together.
const HARDLY: f64 = 0.005;

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.facet)?;
        match (&self.value, self.probability) {
            (Some(v), Some(p)) => writeln!(f, "{v}, p = {p:.3}, {}", self.status)?,
            _ => writeln!(f, "no value, {}", self.status)?,
        }
        writeln!(f, "  rule: {}", self.rule)?;
        self.instead(f)?;
        if let Some(r) = self.rectified {
            writeln!(f, "  put right on {} by the {}", r.at, r.by.as_str())?;
        }
        let (idle, at_work): (Vec<&Term>, Vec<&Term>) =
            self.terms.iter().partition(|t| t.weight.is_some() && t.log_odds.abs() < HARDLY);
        for t in &at_work {
            self.term(f, t)?;
        }
        if !idle.is_empty() {
            let ids: Vec<&str> = idle.iter().map(|t| t.id.as_str()).collect();
            let (sum, ids) = (idle.iter().map(|t| t.log_odds).sum::<f64>(), ids.join(", "));
            writeln!(f, "  {sum:>+8.3}  together, weights whose conditions hardly hold: {ids}")?;
        }
        if let (Some(l), Some(p)) = (self.log_odds, self.probability) {
            writeln!(f, "  {l:>+8.3}  sum of log-odds; 1 / (1 + e^-sum) = {p:.3}")?;
        }
        if at_work.iter().any(|t| t.weight.is_some() && t.how.is_none()) {
            writeln!(
                f,
                "  p of a weight: that function, level and phases of the person make its condition hold; all that is known \
                 of them counts, also what `explain` of job_function and seniority does not show as their value"
            )?;
        }
        if !self.against.is_empty() {
            writeln!(f, "  for other values (inside other_values):")?;
        }
        for t in &self.against {
            self.term(f, t)?;
        }
        self.titles.iter().try_for_each(|t| write!(f, "{t}"))
    }
}

impl Explanation {
    /// What stands in the persona instead of evidence.
    fn instead(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for v in &self.segment {
            writeln!(f, "  instead, no evidence about this person: {}, as {}", v.value, v.of_whom())?;
        }
        for p in &self.study {
            writeln!(f, "  instead, no evidence about this person: {}, says {}", p.value, p.study)?;
        }
        Ok(())
    }

    fn term(&self, f: &mut fmt::Formatter<'_>, t: &Term) -> fmt::Result {
        write!(f, "  {:>+8.3}  {}: {}", t.log_odds, t.id, t.reason)?;
        match (&t.how, t.weight) {
            (Some(how), _) => write!(f, ": {how}")?,
            (None, Some((value, holds))) => {
                write!(f, " ({value:+} x p {holds:.4}; {})", t.source.as_deref().unwrap_or("no source"))?;
            }
            (None, None) => {}
        }
        writeln!(f)?;
        t.signal.as_ref().map_or(Ok(()), |s| self.signal(f, s, t.log_odds))
    }

    fn signal(&self, f: &mut fmt::Formatter<'_>, s: &SignalArithmetic, log_odds: f64) -> fmt::Result {
        let trust = s.reliability * s.validity;
        let values = (1.0 / s.chance).round();
        writeln!(f, "            \"{}\" - {}", s.quote, s.source)?;
        writeln!(
            f,
            "            {:.1} days old: still valid 0.5 ^ ({:.1} / {:.1} days of half-life) = {:.4}; x reliability {} = trust \
             {trust:.4}",
            s.age_days, s.age_days, s.half_life_days, s.validity, s.reliability
        )?;
        let counts = if (s.weight - s.counted).abs() < 5e-5 {
            String::new()
        } else {
            format!(", which counts as {:.4}", s.counted)
        };
        writeln!(
            f,
            "            weight {:.4}{counts}; believed {trust:.4} x {:.4} + (1 - {trust:.4}) x chance 1/{values} = {:.4}",
            s.weight, s.counted, s.believed
        )?;
        writeln!(f, "            {}", self.strength(s, log_odds.abs()))
    }

    /// How believing it becomes log-odds.
    fn strength(&self, s: &SignalArithmetic, log_odds: f64) -> String {
        let scale = s.share * s.independence;
        let alone = if scale > 0.0 { log_odds / scale } else { 0.0 };
        let (p, values) = (s.believed, (1.0 / s.chance).round());
        let text = match s.lent {
            Some((n, share)) => format!(
                "alone {alone:.3} = x in e^x / (e^x + {n} x e^({share} x) + {}) = {p:.4}, as {n} of {values} levels are next to it",
                values - 1.0 - n as f64
            ),
            None if values > 2.0 => {
                let others = values - 1.0;
                format!(
                    "alone {alone:.3} = ln({p:.4} / (1 - {p:.4})) + ln({others}), as {others} others share the rest"
                )
            }
            None => format!("alone {alone:.3} = ln({p:.4} / (1 - {p:.4}))"),
        };
        let mut parts = vec![text];
        if (s.share - 1.0).abs() > 1e-9 {
            let why = match self.facet.split('.').next() {
                Some("buying_role") => "as what is said outright of a role counts so",
                _ => "as it names no phase, while another channel is named for this one",
            };
            parts.push(format!("x {}, {why}", s.share));
        }
        if (s.independence - 1.0).abs() > 1e-9 {
            let why = "as others of its content or source say it, too";
            parts.push(format!("x independent {:.4}, {why}", s.independence));
        }
        if (scale - 1.0).abs() > 1e-9 {
            parts.push(format!("= {log_odds:.3}"));
        }
        parts.join("; ")
    }
}
