//! The logic of every facet: the arithmetic as steps between probabilities, and in plain sentences.
//!
//! Invariant: steps are the terms of the explanation, in their order; the last one ends at the stored probability.

use std::collections::BTreeMap;

use super::texts::Texts;
use super::words::say;
use super::{ExplainedFacet, Finding, Step};
use crate::model::Signal;
use crate::persona::explain::{Explanation, Term, explain};
use crate::persona::rows::{Named, Persona, SegmentValue};
use crate::run::known::{FusionSettings, Known};
use crate::taxonomy::{Channel, FacetStatus, JobFunction, Language, PointKind, Seniority, SigningPower};

/// What a persona stores of one facet.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Stored {
    pub(super) group: &'static str,
    pub(super) facet: String,
    pub(super) value: Option<String>,
    pub(super) probability: Option<f64>,
    pub(super) score: Option<f64>,
    pub(super) status: FacetStatus,
    /// The study that a value with status `study_prior` comes from.
    pub(super) study: Option<String>,
    /// Of whom a value with status `segment` holds.
    pub(super) segment: Option<SegmentValue>,
}

/// Every facet of a persona, in the order of the page.
fn stored(p: &Persona) -> Vec<Stored> {
    let mut all = vec![
        plain(
            "position",
            "job_function",
            p.job_function.value.map(|v| v.to_string()),
            p.job_function.p,
            p.job_function.status,
        ),
        plain("position", "seniority", p.seniority.value.map(|v| v.to_string()), p.seniority.p, p.seniority.status),
        plain(
            "position",
            "signing_power",
            p.signing_power.value.map(|v| v.to_string()),
            p.signing_power.p,
            p.signing_power.status,
        ),
    ];
    let further: Vec<&str> = p.secondary_functions.iter().map(|f| f.as_str()).collect();
    if !further.is_empty() {
        all.insert(1, plain("position", "secondary_functions", Some(further.join(", ")), None, FacetStatus::Known));
    }
    all.extend(p.buying_roles.iter().map(|r| {
        let value = r.probability.map(|p| if p >= 0.5 { "yes" } else { "no" }.to_owned());
        plain("roles", &format!("buying_role.{}", r.role), value, r.probability, r.status)
    }));
    all.extend(p.traits.iter().map(|t| {
        let value = t.score.map(|s| if s < 0.0 { "-" } else { "+" }.to_owned());
        let name = format!("trait.{}", t.r#trait);
        Stored { score: t.score, ..plain("traits", &name, value, t.confidence, t.status) }
    }));
    all.extend(p.motives.iter().map(|m| {
        let value = m.confidence.map(|_| m.motive.to_string());
        plain("motives", &format!("motive.{}", m.motive), value, m.confidence, m.status)
    }));
    let named = |group, prefix: &str, n: &Named| {
        plain(group, &format!("{prefix}{}", n.name), n.value.as_deref().map(str::to_owned), None, n.status)
    };
    all.extend(p.goals.iter().map(|n| point("goals", PointKind::Goal, n)));
    all.extend(p.buying_behaviour.iter().map(|n| point("habits", PointKind::BuyingBehaviour, n)));
    all.extend(p.information_behaviour.iter().map(|n| point("habits", PointKind::InformationBehaviour, n)));
    all.extend(
        p.channels.iter().map(|c| {
            plain("channels", &format!("channel.{}", c.phase), c.channel.map(|v| v.to_string()), None, c.status)
        }),
    );
    all.extend(p.avoided_channels.iter().map(|n| point("channels", PointKind::AvoidedChannel, n)));
    all.extend(p.context.iter().map(|n| named("context", "context.", n)));
    all.extend(p.requirements.iter().map(|n| match n.status {
        FacetStatus::Known => point("requirements", PointKind::Requirement, n),
        _ => named("requirements", "requirement.", n),
    }));
    all.extend(p.empathy_map.iter().map(|n| match (&*n.name, n.status) {
        ("pains", FacetStatus::Known) => point("empathy", PointKind::Pain, n),
        ("gains", FacetStatus::Known) => point("empathy", PointKind::Gain, n),
        _ => named("empathy", "empathy_map.", n),
    }));
    name_origins(&mut all, p);
    all
}

/// Names the study, or the segment, of each value that comes from one.
fn name_origins(all: &mut [Stored], p: &Persona) {
    for s in all.iter_mut().filter(|s| s.status == FacetStatus::StudyPrior) {
        let prior = p.study_priors.iter().find(|x| x.facet == s.facet && Some(&*x.value) == s.value.as_deref());
        s.study = prior.map(|x| x.study.to_string());
    }
    for s in all.iter_mut().filter(|s| s.status == FacetStatus::Segment) {
        // A motive or a point is a facet of its own here, and one value of several there.
        let kind = s.facet.split('.').next().unwrap_or_default();
        let is_it = |x: &&SegmentValue| {
            let value = Some(x.value.as_str()) == s.value.as_deref();
            x.facet == s.facet && (value || s.score.is_some()) || x.facet == kind && value
        };
        s.segment = p.segment_values.iter().find(is_it).cloned();
    }
}

/// A point under its own name, as it is explained; the kind alone where there is none.
fn point(group: &'static str, kind: PointKind, n: &Named) -> Stored {
    let facet = n.value.as_ref().map_or_else(|| kind.to_string(), |v| format!("{kind}.{v}"));
    plain(group, &facet, n.value.as_deref().map(str::to_owned), None, n.status)
}

fn plain(
    group: &'static str,
    facet: &str,
    value: Option<String>,
    probability: Option<f64>,
    status: FacetStatus,
) -> Stored {
    Stored { group, facet: facet.to_owned(), value, probability, score: None, status, study: None, segment: None }
}

/// Explains every facet of a persona. `exact` = the whole persona came out of the recomputation.
pub(super) fn facets(
    persona: &Persona,
    known: &Known,
    settings: &FusionSettings,
    exact: bool,
    languages: &[Language],
) -> Vec<ExplainedFacet> {
    let input = known.input(persona, settings);
    let signals = known.own_signals(&persona.subject_id);
    let make = |s: Stored| {
        let e = explain(&input, &s.facet);
        let steps = e.as_ref().map_or_else(Vec::new, |e| steps(&s.facet, e));
        let agrees = e.as_ref().is_none_or(|e| agrees(&s, e));
        let evidence = findings(&s, &signals);
        let words = |l: &Language| (*l, say(&s, e.as_ref(), &steps, &evidence, Texts::of(*l)));
        ExplainedFacet {
            group: s.group.to_owned(),
            plain: languages.iter().map(words).collect::<BTreeMap<_, _>>(),
            against: e.iter().flat_map(|e| &e.against).filter_map(|t| of_term(t, &signals)).collect(),
            exact: exact && agrees,
            evidence,
            steps,
            facet: s.facet,
            value: s.value,
            probability: s.probability,
            score: s.score,
            status: s.status,
        }
    };
    stored(persona).into_iter().map(make).collect()
}

/// Whether the explanation came to what is stored.
fn agrees(s: &Stored, e: &Explanation) -> bool {
    if matches!(s.status, FacetStatus::StudyPrior | FacetStatus::Segment) {
        // What a study or the segment says is not computed from evidence; evidence must have had nothing to say.
        return matches!(e.status, FacetStatus::InsufficientEvidence | FacetStatus::NoConsent);
    }
    let shown = e.status == FacetStatus::Known;
    let p = match (s.probability, e.probability) {
        (Some(a), Some(b)) => (a - b).abs() < 1e-9,
        (None, _) => true,
        (Some(_), None) => false,
    };
    e.status == s.status && p && (!shown || e.value == s.value)
}

/// The terms as steps. A categorical facet starts even between its values; what rivals weigh is a step of its own.
fn steps(facet: &str, e: &Explanation) -> Vec<Step> {
    let Some(total) = e.log_odds else { return Vec::new() };
    let rivals = e.terms.iter().find(|t| t.id == "other_values").map(|t| t.log_odds);
    let even = rivals.map(|_| -f64::from(possibilities(facet, e) - 1).ln());
    let mut at = 0.0;
    let mut all: Vec<Step> = Vec::new();
    let mut push = |id: &str, adds: f64, weight| {
        let from = if all.is_empty() { sigmoid(adds) } else { sigmoid(at) };
        at += adds;
        all.push(Step { id: id.to_owned(), adds, from, to: sigmoid(at), weight });
    };
    for t in &e.terms {
        match (t.id.as_str(), even, rivals) {
            ("prior", Some(even), _) => push("start", even, None),
            ("prior", None, _) => push("start", t.log_odds, None),
            ("other_values", Some(even), Some(rivals)) => {
                if (rivals - even).abs() > 1e-9 {
                    push("other_values", rivals - even, None);
                }
            }
            (id, ..) => push(id, t.log_odds, t.weight),
        }
    }
    if let Some(last) = all.last_mut() {
        // Rounding of the sum is not to be seen.
        last.to = sigmoid(total);
    }
    all
}

/// How many values a categorical facet can take.
pub(super) fn possibilities(facet: &str, e: &Explanation) -> u32 {
    let n = match facet.split_once('.').map_or(facet, |(kind, _)| kind) {
        "job_function" => JobFunction::ALL.len(),
        "seniority" => Seniority::ALL.len(),
        "signing_power" => SigningPower::ALL.len() + 1,
        "channel" => Channel::ALL.len(),
        _ => {
            let mut values: Vec<&str> = e.value.iter().map(String::as_str).collect();
            values.extend(e.against.iter().filter_map(|t| t.signal.as_ref().map(|s| s.claim.as_str())));
            values.sort_unstable();
            values.dedup();
            values.len() + 1
        }
    };
    u32::try_from(n).unwrap_or(u32::MAX)
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// The findings of a facet.
fn findings(s: &Stored, signals: &[Signal]) -> Vec<Finding> {
    let feeds = |signal: &Signal| {
        let facet = signal.claim.facet();
        match s.facet.split_once('.') {
            Some(("motive", m)) => facet == "motive" && signal.claim.value() == m,
            Some((kind, term)) if kind.parse::<PointKind>().is_ok() => facet == kind && signal.claim.value() == term,
            Some(("channel", _)) => facet == s.facet || facet == "channel",
            None if s.facet == "secondary_functions" => {
                let listed = s.value.iter().flat_map(|v| v.split(", "));
                facet == "job_function" && listed.clone().any(|f| f == signal.claim.value())
            }
            _ => facet == s.facet,
        }
    };
    signals.iter().filter(|signal| feeds(signal)).map(finding).collect()
}

fn finding(s: &Signal) -> Finding {
    Finding {
        signal: s.id.to_string(),
        value: s.claim.value(),
        quote: s.evidence.quote.clone(),
        source: s.evidence.source_id.clone(),
        class: s.evidence.source_class,
        host: s.evidence.host.clone(),
        observed_at: s.evidence.observed_at,
        weight: s.weight,
    }
}

fn of_term(t: &Term, signals: &[Signal]) -> Option<Finding> {
    signals.iter().find(|s| s.id.as_str() == t.id).map(finding)
}
