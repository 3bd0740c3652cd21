//! Counting what is known of people who were researched individually, by segment.
//!
//! Invariant: what is kept are counts by segment and value, and who of a company counted only until its last row came;
//! the order of companies, and of people within one, makes no difference.

use std::collections::BTreeMap;

use super::names::Segments;
use crate::persona::rows::{Named, Persona, SegmentValue};
use crate::persona::settings::FUSION;
use crate::taxonomy::{FacetStatus, Tier};

/// Fewer people than this never stand behind a value; a pipeline can ask for more.
pub const LEAST_PEOPLE: u32 = 5;
/// The share of a segment from which on a value is clear.
const CLEAR_SHARE: f64 = 0.6;
/// What the true share must exceed, with 95 % certainty (one-sided).
const MAJORITY: f64 = 0.5;
/// The 95 % quantile of the normal distribution.
const Z: f64 = 1.644_853_626_951_472_7;
/// Scores are added up as whole numbers, so that their order makes no difference.
const SCORE_UNIT: f64 = 1e6;

/// People, and the most of them that one company has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct People {
    all: u32,
    most_of_one: u32,
}

impl People {
    fn add(&mut self, of_company: u32) {
        self.all += of_company;
        self.most_of_one = self.most_of_one.max(of_company);
    }

    /// Enough, and no company has more than half.
    const fn hide_each_other(self, least: u32) -> bool {
        self.all >= least && 2 * self.most_of_one <= self.all
    }
}

/// What people of one segment, or of one company in it, say about one facet.
#[derive(Debug, Clone, Default)]
struct Answers<N> {
    known: N,
    values: BTreeMap<String, N>,
    /// Of traits: the sum of all scores.
    score: i64,
}

/// The segment, with how many people it has, known or not.
type BySegment<N> = BTreeMap<String, Counted<N>>;

/// One segment, or the people of one company in it.
#[derive(Debug, Clone, Default)]
struct Counted<N> {
    people: u32,
    facets: BTreeMap<String, Answers<N>>,
}

/// The counting, company by company.
#[derive(Debug, Default)]
pub struct Tally {
    all: BySegment<People>,
    company: BySegment<u32>,
}

impl Tally {
    /// Counts a person, if they were researched individually; what others have of values is no evidence.
    pub fn add(&mut self, persona: &Persona, segments: &Segments) {
        if persona.tier != Tier::Individual {
            return;
        }
        let answers = answers(persona);
        for name in segments.names() {
            let segment = self.company.entry(name.to_owned()).or_default();
            segment.people += 1;
            for answer in &answers {
                let counts = segment.facets.entry(answer.facet.clone()).or_default();
                counts.known += 1;
                counts.score += answer.score;
                for value in &answer.values {
                    *counts.values.entry(value.clone()).or_default() += 1;
                }
            }
        }
    }

    /// Ends a company: the next person is of another one. People without a company count as one company, because
    /// they may be of one.
    pub fn end_company(&mut self) {
        for (segment, counted) in std::mem::take(&mut self.company) {
            let into = self.all.entry(segment).or_default();
            into.people += counted.people;
            for (facet, answers) in counted.facets {
                let into = into.facets.entry(facet).or_default();
                into.known.add(answers.known);
                into.score += answers.score;
                for (value, n) in answers.values {
                    into.values.entry(value).or_default().add(n);
                }
            }
        }
    }

    /// What was counted; at least `least` people, and never under [`LEAST_PEOPLE`], stand behind a value.
    #[must_use]
    pub fn finish(mut self, least: u32) -> Statistics {
        self.end_company();
        let few = least.max(LEAST_PEOPLE);
        let judge = |(segment, counted): (String, Counted<People>)| {
            // Of a few of many, whoever they are, one cannot tell what the others are like.
            let asked = FUSION.segment_known_share * f64::from(counted.people) - 1e-9;
            let judged = |(facet, answers): (String, Answers<People>)| {
                let said = if f64::from(answers.known.all) < asked {
                    Said::TooFew
                } else {
                    said(&segment, &facet, &answers, few)
                };
                (facet, said)
            };
            let said = counted.facets.into_iter().map(judged).collect();
            (segment.clone(), said)
        };
        Statistics(self.all.into_iter().map(judge).collect())
    }
}

/// What a segment says about a facet.
#[derive(Debug, Clone, PartialEq)]
enum Said {
    /// Nobody may be told: too few people, too few of many, or too many of one company. A wider segment may say
    /// something.
    TooFew,
    /// Its people differ; what a wider segment says does not hold for them.
    Unclear,
    /// Values that are clear, sorted.
    Clear(Vec<SegmentValue>),
}

/// What holds for each segment.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Statistics(BTreeMap<String, BTreeMap<String, Said>>);

impl Statistics {
    /// What holds for somebody of these segments: for each facet what the narrowest segment says that may be told.
    /// Sorted by facet and value.
    #[must_use]
    pub fn values(&self, segments: &Segments) -> Vec<SegmentValue> {
        let mut by_facet: BTreeMap<&str, &Said> = BTreeMap::new();
        for (facet, said) in segments.names().filter_map(|name| self.0.get(name)).flatten() {
            let narrowest = by_facet.entry(facet).or_insert(said);
            if **narrowest == Said::TooFew {
                *narrowest = said;
            }
        }
        let clear = |said: &Said| if let Said::Clear(values) = said { values.clone() } else { Vec::new() };
        by_facet.into_values().flat_map(clear).collect()
    }
}

fn said(segment: &str, facet: &str, answers: &Answers<People>, least: u32) -> Said {
    let of = answers.known;
    if !of.hide_each_other(least) {
        return Said::TooFew;
    }
    let clear: Vec<(&String, People)> =
        answers.values.iter().map(|(v, n)| (v, *n)).filter(|(_, n)| is_clear(n.all, of.all)).collect();
    let told = clear.iter().filter(|(_, n)| n.hide_each_other(least));
    let make = |(value, n): &(&String, People)| {
        Some(SegmentValue {
            facet: facet.to_owned(),
            value: shown(facet, value, answers)?,
            segment: segment.to_owned(),
            persons: n.all,
            of_persons: of.all,
            share: share(n.all, of.all),
        })
    };
    match told.filter_map(make).collect::<Vec<_>>() {
        values if !values.is_empty() => Said::Clear(values),
        _ if clear.iter().any(|(_, n)| !n.hide_each_other(least)) => Said::TooFew,
        _ => Said::Unclear,
    }
}

/// The value as it stands in the column: of a trait the mean score, to two decimals, if it lies at the pole of the
/// many; a mean to more decimals would tell more of each than a share does.
fn shown(facet: &str, value: &str, answers: &Answers<People>) -> Option<String> {
    if !facet.starts_with("trait.") {
        return Some(value.to_owned());
    }
    let mean = answers.score as f64 / SCORE_UNIT / f64::from(answers.known.all);
    let text = format!("{mean:+.2}");
    let is_zero = text.ends_with("0.00");
    (!is_zero && text.starts_with(value)).then_some(text)
}

fn share(n: u32, of: u32) -> f64 {
    f64::from(n) / f64::from(of)
}

/// Whether so many of so many are a clear majority: by their share, and by the lower end of Wilson's interval.
fn is_clear(n: u32, of: u32) -> bool {
    let (p, n_all) = (share(n, of), f64::from(of));
    let z2 = Z * Z;
    let spread = Z * (p * (1.0 - p) / n_all + z2 / (4.0 * n_all * n_all)).sqrt();
    let lower = (p + z2 / (2.0 * n_all) - spread) / (1.0 + z2 / n_all);
    p >= CLEAR_SHARE && lower > MAJORITY
}

/// What one person's persona says about a facet.
struct Answer {
    facet: String,
    values: Vec<String>,
    score: i64,
}

/// Every facet of which something is known of the person.
fn answers(p: &Persona) -> Vec<Answer> {
    let mut all = Vec::new();
    let mut add = |facet: String, values: Vec<String>, score: i64| all.push(Answer { facet, values, score });
    for t in p.traits.iter().filter(|t| t.status == FacetStatus::Known) {
        let Some(score) = t.score else { continue };
        let pole = if score < 0.0 { "-" } else { "+" };
        add(format!("trait.{}", t.r#trait), vec![pole.to_owned()], (score * SCORE_UNIT).round() as i64);
    }
    let moved = p.motives.iter().filter(|m| m.status == FacetStatus::Known && m.confidence.is_some());
    let moved: Vec<String> = moved.map(|m| m.motive.to_string()).collect();
    for c in p.channels.iter().filter(|c| c.status == FacetStatus::Known) {
        add(format!("channel.{}", c.phase), c.channel.iter().map(ToString::to_string).collect(), 0);
    }
    let columns = [
        ("motive".to_owned(), moved),
        ("goal".to_owned(), known(&p.goals)),
        ("buying_behaviour".to_owned(), known(&p.buying_behaviour)),
        ("information_behaviour".to_owned(), known(&p.information_behaviour)),
    ];
    let mut by_role: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for n in &p.requirements {
        by_role.entry(&n.name).or_default().extend(known(std::slice::from_ref(n)));
    }
    let asked = by_role.into_iter().map(|(role, values)| (format!("requirement.{role}"), values));
    for (facet, values) in columns.into_iter().chain(asked).filter(|(_, values)| !values.is_empty()) {
        add(facet, values, 0);
    }
    all
}

/// The values of a column that somebody said of the person, each once.
fn known(column: &[Named]) -> Vec<String> {
    let known = column.iter().filter(|n| n.status == FacetStatus::Known);
    let mut values: Vec<String> = known.filter_map(|n| Some(n.value.as_deref()?.to_owned())).collect();
    values.sort_unstable();
    values.dedup();
    values
}
