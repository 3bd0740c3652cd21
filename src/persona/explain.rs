//! The arithmetic of one facet, down to its quotes.
//!
//! Invariant: the terms add up to the log-odds, and 1 / (1 + e^-log-odds) is the probability that the persona shows.
//! Every number that is printed follows from others that are printed, up to rounding. What was put right has neither: it
//! is certain, and what spoke for or against it is not told.

mod formula;
mod print;

use std::fmt;

use jiff::Timestamp;
use serde::Serialize;

use super::fuse::{Decided, RECTIFIED, Work};
use super::input::FusionInput;
use super::points;
use super::pool::{Pool, Support, neighbours, sigmoid};
use super::profile::{self, YesNo};
use super::rectified::{By, Change, Correction, Rectification};
use super::role::{self, Judged, OVERRULED};
use super::rows::{SegmentValue, StudyPrior};
use crate::model::Signal;
use crate::source::titles::ReadAgain;
use crate::taxonomy::{
    BuyingRole, Channel, FacetStatus, JobFunction, Motive, Point, PointKind, PurchasePhase, Seniority, SigningPower,
    SourceClass, Trait,
};

/// Every rule that [`Explanation::rule`] can name, so that each can be put in other words.
pub const RULES: [&str; 16] = [
    "no signal feeds it",
    "even the newest signal is too old",
    "two values are supported about equally",
    "probability and margin suffice",
    "the probability is under min_probability",
    "the position is known; named weights were added",
    "the position is known; named weights and statements were added",
    "stated outright; the position is not known",
    "the position is not known and the statements are too old",
    OVERRULED,
    "neither is the position known well enough for this role, nor was it stated",
    "profiling of the person is not permitted",
    "signals oppose each other",
    "one signal that is not strong is not enough",
    "one strong signal, or two independent ones",
    RECTIFIED,
];

/// Why a facet has the value that it has.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// Facet as it stands in the `evidence` table, for instance `buying_role.decider`; for a motive `motive.growth`.
    pub facet: String,
    /// The value that was weighed, also where it was not good enough to be shown.
    pub value: Option<String>,
    /// Its probability; `None` where nothing could be weighed.
    pub probability: Option<f64>,
    /// The status; the value is shown in the persona where it is `known`.
    pub status: FacetStatus,
    /// The rule that gave the status.
    pub rule: String,
    /// What adds up to the log-odds.
    pub terms: Vec<Term>,
    /// The sum.
    pub log_odds: Option<f64>,
    /// What speaks for other values; its weight is inside the term `other_values`.
    pub against: Vec<Term>,
    /// The rectification that it rests on instead of evidence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rectified: Option<Rectified>,
    /// How the titles that it rests on were read; filled in by who shows it, from the stored quotes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub titles: Vec<ReadAgain>,
    /// What holds for the segment and stands in the persona, because the evidence does not suffice.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub segment: Vec<SegmentValue>,
    /// What a study says of such people and stands in the persona, because no evidence speaks of it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub study: Vec<StudyPrior>,
}

/// A rectification as an explanation shows it: when and at whose request, never what was there before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Rectified {
    /// From when on.
    pub at: Timestamp,
    /// At whose request.
    pub by: By,
}

/// One summand.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Term {
    /// `prior`, `other_values`, `bound`, a signal id, or the id of a weight.
    pub id: String,
    /// Its log-odds.
    pub log_odds: f64,
    /// What it says, or why it counts.
    pub reason: String,
    /// The formula of its log-odds, where they are neither a weight's nor a signal's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub how: Option<String>,
    /// Where its number comes from, for weights.
    pub source: Option<String>,
    /// Full value and probability of the condition, for weights.
    pub weight: Option<(f64, f64)>,
    /// How it came to its log-odds, for signals.
    pub signal: Option<SignalArithmetic>,
}

/// How a signal came to its log-odds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SignalArithmetic {
    /// The claimed value.
    pub claim: String,
    /// The words it rests on, scrubbed.
    pub quote: String,
    /// Source and, for pages, host.
    pub source: String,
    /// The extractor's probability.
    pub weight: f64,
    /// Of the source.
    pub reliability: f64,
    /// Class of the source.
    pub class: SourceClass,
    /// Host of the page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// When it was seen.
    pub observed_at: Timestamp,
    /// Age in days.
    pub age_days: f64,
    /// After so many days half of such signals still hold.
    pub half_life_days: f64,
    /// That it still holds at that age: 0.5 ^ (`age_days` / `half_life_days`).
    pub validity: f64,
    /// The weight as it counts: never less than chance, never certain.
    pub counted: f64,
    /// What chance alone gives a value.
    pub chance: f64,
    /// With t = `reliability` x `validity`: t x `counted` + (1 - t) x `chance`.
    pub believed: f64,
    /// To how many values next to it its value lends which share, for levels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lent: Option<(usize, f64)>,
    /// What scales its log-odds beside its independence; 1 for most.
    pub share: f64,
    /// The share that stronger signals of the same content or source do not say already.
    pub independence: f64,
}

impl Explanation {
    /// Adds how the titles behind its signals were read.
    #[must_use]
    pub fn with_titles(mut self, signals: &[Signal]) -> Self {
        let named = |id: &str| self.terms.iter().chain(&self.against).any(|t| t.id == id);
        self.titles = signals.iter().filter(|s| named(s.id.as_str())).filter_map(ReadAgain::of).collect();
        self
    }
}

impl Term {
    fn plain(id: &str, log_odds: f64, reason: &str) -> Self {
        Self { id: id.into(), log_odds, reason: reason.into(), how: None, source: None, weight: None, signal: None }
    }

    /// `lent`: to how many values next to it the signal's value lends a share, and which.
    fn signal(s: &Support<'_>, log_odds: f64, lent: Option<(usize, f64)>) -> Self {
        let e = &s.signal.evidence;
        let source = e.host.as_ref().map_or_else(|| e.source_id.clone(), |h| format!("{} ({h})", e.source_id));
        let arithmetic = SignalArithmetic {
            claim: s.signal.claim.value(),
            quote: e.quote.clone(),
            source,
            weight: s.signal.weight,
            reliability: s.reliability,
            class: e.source_class,
            host: e.host.clone(),
            observed_at: e.observed_at,
            age_days: s.age_days,
            half_life_days: s.half_life,
            validity: s.validity,
            counted: s.counted,
            chance: s.chance,
            believed: s.believed,
            lent,
            share: s.share,
            independence: s.independence,
        };
        let reason = format!("says {}", arithmetic.claim);
        Self { signal: Some(arithmetic), ..Self::plain(s.signal.id.as_str(), log_odds, &reason) }
    }
}

/// The parts of the context, each explained as `context.NAME`.
pub fn context_names() -> impl Iterator<Item = &'static str> {
    profile::CONTEXT.iter().map(|(name, _)| *name)
}

/// Explains one facet; `None` where there is no facet of that name.
#[must_use]
pub fn explain(input: &FusionInput<'_>, facet: &str) -> Option<Explanation> {
    if let Some(r) = input.rectification(facet) {
        return Some(put_right(facet, r));
    }
    let work = Work::new(input);
    let e = match facet.split_once('.') {
        None => match facet {
            "job_function" => categorical(&work.functions, &work.function, JobFunction::ALL),
            "seniority" => categorical(&work.levels, &work.level, Seniority::ALL),
            "signing_power" => categorical(&work.powers, &work.power, SigningPower::ALL),
            _ => return None,
        },
        Some(("buying_role", r)) => of_role(&role::judge(&work, r.parse::<BuyingRole>().ok()?)),
        Some(("trait", t)) => of_trait(input, t.parse().ok()?),
        Some(("motive", m)) => of_motive(input, m.parse().ok()?),
        Some(("channel", p)) => {
            let pool = profile::channel_pool(input, p.parse::<PurchasePhase>().ok()?);
            let mut decided = super::fuse::decide(
                input.frame(),
                super::settings::Family::Channel,
                &pool,
                profile::channel_status(input),
            );
            if !input.profiling_allowed {
                decided.rule = "profiling of the person is not permitted";
            }
            categorical(&pool, &decided, Channel::ALL)
        }
        Some(("context", name)) => profile::context_words(input, name)?,
        Some((kind, term)) => of_point(input, Point::parse(kind.parse::<PointKind>().ok()?, term).ok()?),
    };
    let (segment, study) = filled_in(input, facet);
    Some(Explanation { facet: facet.to_owned(), segment, study, ..e })
}

/// What stands in the persona for a facet because it holds for the segment, or because a study says it.
fn filled_in(input: &FusionInput<'_>, facet: &str) -> (Vec<SegmentValue>, Vec<StudyPrior>) {
    let studied = ["channel.", "requirement."].iter().any(|kind| facet.starts_with(kind));
    if input.segment_values.is_empty() && !studied {
        return (Vec::new(), Vec::new());
    }
    // `goal.cut_costs` is a value of `goal`, `requirement.price` one of the role that asks it.
    let names = |of: &str, value: &str| {
        let kind = of.split('.').next().unwrap_or_default();
        of == facet || facet.split_once('.') == Some((kind, value))
    };
    let persona = super::fuse::fuse(input);
    let segment = persona.segment_values.into_iter().filter(|v| names(&v.facet, &v.value)).collect();
    (segment, persona.study_priors.into_iter().filter(|p| names(&p.facet, &p.value)).collect())
}

/// A facet that was put right: certain, without terms.
fn put_right(facet: &str, r: &Rectification) -> Explanation {
    let (value, probability, status) = match (r.correction, r.correction.change()) {
        (Correction::Motive(m, _), Change::Set(_)) => {
            let denied = r.correction.change() == Change::Set("no".to_owned());
            if denied {
                (None, None, FacetStatus::NotApplicable)
            } else {
                (Some(m.to_string()), Some(1.0), FacetStatus::Known)
            }
        }
        (Correction::Point(p, _), Change::Set(v)) => {
            if v == "no" {
                (None, None, FacetStatus::NotApplicable)
            } else {
                (Some(p.term().to_owned()), Some(1.0), FacetStatus::Known)
            }
        }
        (Correction::BuyingRole(..), Change::Set(v)) => {
            let p = if v == "yes" { 1.0 } else { 0.0 };
            (Some(v), Some(p), FacetStatus::Known)
        }
        (_, Change::Set(v)) => (Some(v), Some(1.0), FacetStatus::Known),
        _ => (None, None, FacetStatus::NoConsent),
    };
    let rectified = Some(Rectified { at: r.at, by: r.by });
    Explanation { facet: facet.to_owned(), value, probability, rectified, ..nothing(status, RECTIFIED) }
}

/// Adds the bound where it cut, and sums up.
fn close(mut e: Explanation, bounded: f64) -> Explanation {
    let sum: f64 = e.terms.iter().map(|t| t.log_odds).sum();
    if (sum - bounded).abs() > 1e-9 {
        let how = Some(formula::bound(sum, bounded));
        e.terms.push(Term { how, ..Term::plain("bound", bounded - sum, "no fused probability is certain") });
    }
    Explanation { log_odds: Some(bounded), probability: Some(sigmoid(bounded)), ..e }
}

pub(super) fn nothing(status: FacetStatus, rule: &str) -> Explanation {
    Explanation {
        facet: String::new(),
        value: None,
        probability: None,
        status,
        rule: rule.to_owned(),
        terms: Vec::new(),
        log_odds: None,
        against: Vec::new(),
        rectified: None,
        titles: Vec::new(),
        segment: Vec::new(),
        study: Vec::new(),
    }
}

pub(super) fn categorical<T: fmt::Display>(pool: &Pool<'_>, decided: &Decided, all: &[T]) -> Explanation {
    let mut e = nothing(decided.status, decided.rule);
    let Some(best) = decided.best else { return e };
    e.value = all.get(best).map(ToString::to_string);
    e.terms.push(Term::plain("prior", 0.0, "all values are equally probable before any signal"));
    let (own, other): (Vec<_>, Vec<_>) = pool.supports.iter().partition(|s| s.value == best);
    let lends = |s: &Support<'_>| Some((neighbours(s.value, pool.p.len()), pool.neighbour)).filter(|l| l.1 > 0.0);
    e.terms.extend(own.iter().map(|s| Term::signal(s, s.log_odds, lends(s))));
    let own: f64 = own.iter().map(|s| s.log_odds).sum();
    let lent = pool.scores[best] - own;
    if lent.abs() > 1e-12 {
        let next = other.iter().filter(|s| s.value.abs_diff(best) == 1).map(|s| format!("{:.3}", s.log_odds));
        let how = Some(format!("{} x ({})", pool.neighbour, next.collect::<Vec<_>>().join(" + ")));
        let reason = "signals for the levels next to it support it a little";
        e.terms.push(Term { how, ..Term::plain("neighbours", lent, reason) });
    }
    let how = Some(formula::against(pool, best));
    e.terms.push(Term { how, ..Term::plain("other_values", -pool.against(best), "all other values together") });
    e.against = other.iter().map(|s| Term::signal(s, s.log_odds, lends(s))).collect();
    close(e, pool.odds(best).0)
}

fn of_role(judged: &Judged<'_>) -> Explanation {
    let mut e = nothing(judged.status, judged.rule);
    let Some(log_odds) = judged.log_odds else { return e };
    e.value = Some(if log_odds >= 0.0 { "yes" } else { "no" }.into());
    e.terms.push(Term::plain("prior", judged.base, "the role's base, for somebody to whom no weight applies"));
    e.terms.extend(judged.weights.iter().map(|w| Term {
        how: (w.id == role::OUTWEIGHED).then(|| formula::outweighed(judged)),
        source: Some(w.source.to_owned()),
        weight: Some((w.value, w.holds)),
        ..Term::plain(w.id, w.value * w.holds, w.reason)
    }));
    e.terms.extend(signed(&judged.statements));
    close(e, log_odds)
}

fn signed<'t>(supports: &'t [Support<'_>]) -> impl Iterator<Item = Term> + 't {
    supports.iter().map(|s| Term::signal(s, if s.value == 1 { s.log_odds } else { -s.log_odds }, None))
}

fn yes_no(y: &YesNo<'_>, status: FacetStatus, prior: &str, value: &str) -> Explanation {
    let mut e = nothing(status, y.rule);
    if y.supports.is_empty() {
        return e;
    }
    e.value = Some(value.to_owned());
    e.terms.push(Term::plain("prior", y.prior, prior));
    e.terms.extend(signed(&y.supports));
    close(e, y.log_odds)
}

fn of_trait(input: &FusionInput<'_>, t: Trait) -> Explanation {
    let mut y = profile::one_trait(input, t);
    let right = y.log_odds >= 0.0;
    let shown = profile::traits(input).into_iter().find(|s| s.r#trait == t);
    let status = shown.map_or(y.status, |s| s.status);
    if status != y.status {
        y.rule = "the probability is under min_probability";
    }
    // The persona shows the confidence in the pole that won.
    if !right {
        y.log_odds = -y.log_odds;
        for s in &mut y.supports {
            s.value = 1 - s.value;
        }
    }
    yes_no(&y, status, "both poles are equally probable", if right { "+" } else { "-" })
}

fn of_motive(input: &FusionInput<'_>, m: Motive) -> Explanation {
    let y = profile::one_motive(input, m);
    yes_no(&y, y.status, "a motive that nothing speaks for", m.as_str())
}

fn of_point(input: &FusionInput<'_>, point: Point) -> Explanation {
    let y = points::one_point(input, point);
    yes_no(&y, y.status, "a statement that nobody made", point.term())
}
