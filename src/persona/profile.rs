//! Traits, motives, channels and context.
//!
//! Invariant: without leave to profile, everything about the person's character is `no_consent`, whatever signals exist.

use super::explain::{Explanation, categorical, nothing};
use super::fuse::{Decided, Words, decide, is_own, put_right, word};
use super::input::{FacetKind, FusionInput};
use super::points::one_point;
use super::pool::{Pool, Support, bound, contents, logit, newest, sigmoid, weigh};
use super::rectified::{Change, Correction};
use super::rows::{ChannelPreference, MotiveScore, Named, TraitScore};
use super::settings::{FUSION, Family};
use crate::model::{Claim, Signal};
use crate::taxonomy::{Channel, FacetStatus, Motive, Point, PurchasePhase, Trait};

/// Context of the position: its name, and the field of the company that it rests on.
pub(super) const CONTEXT: [(&str, &str); 5] = [
    ("competitive_pressure", "competitive_pressure"),
    ("company_development", "development"),
    ("innovation", "innovation"),
    ("digital_maturity", "digital_maturity"),
    ("internal_adaptation", "internal_adaptation"),
];

/// One yes-or-no facet after pooling.
#[derive(Debug, Clone)]
pub(super) struct YesNo<'a> {
    /// Value 1 = yes or right pole, 0 = no or left pole.
    pub(super) supports: Vec<Support<'a>>,
    pub(super) prior: f64,
    pub(super) log_odds: f64,
    pub(super) status: FacetStatus,
    pub(super) rule: &'static str,
}

fn sign(value: usize) -> f64 {
    if value == 1 { 1.0 } else { -1.0 }
}

/// One signal that is strong enough alone, or two of independent contents.
fn enough(supports: &[Support<'_>], strong: f64) -> bool {
    contents(supports) >= 2 || supports.iter().any(|s| s.believed >= strong)
}

/// `weights`: the prior log-odds, and from which probability one signal alone is enough.
pub(super) fn yes_no<'a>(
    input: &FusionInput<'a>,
    kind: FacetKind,
    family: Family,
    (prior, strong): (f64, f64),
    claims: impl Fn(&Claim) -> Option<bool>,
) -> YesNo<'a> {
    if !input.profiling_allowed {
        let rule = "profiling of the person is not permitted";
        return YesNo { supports: Vec::new(), prior, log_odds: prior, status: FacetStatus::NoConsent, rule };
    }
    let made = input.signals.iter().filter_map(|s| Some((s, usize::from(claims(&s.claim)?), 1.0)));
    let claims = made.filter(|(s, ..)| is_own(input, s));
    let supports = weigh(input.frame(), family, 2, claims, |p, _| logit(p));
    let log_odds = bound(prior + supports.iter().map(|s| sign(s.value) * s.log_odds).sum::<f64>());
    let (yes, no): (Vec<_>, Vec<_>) = supports.iter().partition(|s| s.value == 1);
    let total = |side: &[&Support<'_>]| side.iter().map(|s| s.log_odds).sum::<f64>();
    let (yes, no) = (total(&yes), total(&no));
    let (status, rule) = if supports.is_empty() {
        (input.empty(kind), "no signal feeds it")
    } else if newest(&supports).is_some_and(|age| input.frame().is_stale(age, family)) {
        (FacetStatus::Stale, "even the newest signal is too old")
    } else if yes.min(no) > FUSION.trait_conflict_share * (yes + no) {
        (FacetStatus::Conflicting, "signals oppose each other")
    } else if !enough(&supports, strong) {
        (FacetStatus::InsufficientEvidence, "one signal that is not strong is not enough")
    } else {
        (FacetStatus::Known, "one strong signal, or two independent ones")
    };
    YesNo { supports, prior, log_odds, status, rule }
}

/// One trait: the log-odds are those of the right pole against the left.
pub(super) fn one_trait<'a>(input: &FusionInput<'a>, t: Trait) -> YesNo<'a> {
    yes_no(input, FacetKind::Traits, Family::Trait, (0.0, FUSION.strong_signal), |c| match c {
        Claim::Trait(x, polarity) if *x == t && *polarity != 0 => Some(*polarity > 0),
        _ => None,
    })
}

/// The score of a trait in (-1, 1): mean polarity, shrunk towards 0 where evidence is thin.
fn trait_score(t: &YesNo<'_>) -> f64 {
    let certainty = |s: &Support<'_>| (2.0 * s.believed - 1.0).max(0.0) * s.independence;
    let total: f64 = t.supports.iter().map(certainty).sum();
    t.supports.iter().map(|s| sign(s.value) * certainty(s)).sum::<f64>() / (total + FUSION.trait_shrinkage)
}

/// Every trait.
pub(super) fn traits(input: &FusionInput<'_>) -> Vec<TraitScore> {
    let make = |t: &Trait| {
        if let Some(right) =
            input.corrected(|c| if let Correction::Trait(x, c) = c { (x == t).then_some(*c) } else { None })
        {
            return trait_put_right(*t, right);
        }
        let y = one_trait(input, *t);
        let confidence = sigmoid(y.log_odds.abs());
        let known = y.status == FacetStatus::Known && confidence >= input.min_probability;
        let status =
            if y.status == FacetStatus::Known && !known { FacetStatus::InsufficientEvidence } else { y.status };
        TraitScore {
            r#trait: *t,
            score: known.then(|| trait_score(&y)),
            confidence: known.then_some(confidence),
            status,
            n_evidence: u32::try_from(y.supports.len()).unwrap_or(u32::MAX),
        }
    };
    Trait::ALL.iter().map(make).collect()
}

/// A pole that was put right stands for the whole trait; a removed trait is not held.
fn trait_put_right(t: Trait, change: Change<bool>) -> TraitScore {
    let (score, status) = match change {
        Change::Set(right) => (Some(if right { 1.0 } else { -1.0 }), FacetStatus::Known),
        _ => (None, FacetStatus::NoConsent),
    };
    TraitScore { r#trait: t, score, confidence: score.map(|_| 1.0), status, n_evidence: u32::from(score.is_some()) }
}

/// One motive: the log-odds that it moves the person.
pub(super) fn one_motive<'a>(input: &FusionInput<'a>, m: Motive) -> YesNo<'a> {
    let weights = (FUSION.motive_prior, FUSION.strong_signal);
    let mut y = yes_no(input, FacetKind::Motives, Family::Motive, weights, |c| match c {
        Claim::Motive(x) if *x == m => Some(true),
        _ => None,
    });
    if y.status == FacetStatus::Known && sigmoid(y.log_odds) < input.min_probability {
        (y.status, y.rule) = (FacetStatus::InsufficientEvidence, "the probability is under min_probability");
    }
    y
}

/// Every motive.
pub(super) fn motives(input: &FusionInput<'_>) -> Vec<MotiveScore> {
    let make = |m: &Motive| {
        let fixed = input.corrected(|c| if let Correction::Motive(x, c) = c { (x == m).then_some(*c) } else { None });
        if let Some(change) = fixed {
            let (confidence, status) = motive_put_right(change);
            return MotiveScore { motive: *m, confidence, status };
        }
        let y = one_motive(input, *m);
        let known = y.status == FacetStatus::Known;
        MotiveScore { motive: *m, confidence: known.then(|| sigmoid(y.log_odds)), status: y.status }
    };
    Motive::ALL.iter().map(make).collect()
}

/// A motive that was denied does not apply, and has no confidence that could be read as a weak one.
pub(super) const fn motive_put_right(change: Change<bool>) -> (Option<f64>, FacetStatus) {
    match change {
        Change::Set(true) => (Some(1.0), FacetStatus::Known),
        Change::Set(false) => (None, FacetStatus::NotApplicable),
        _ => (None, FacetStatus::NoConsent),
    }
}

/// The pool of one phase; a preference for no phase in particular counts in each.
pub(super) fn channel_pool<'a>(input: &FusionInput<'a>, phase: PurchasePhase) -> Pool<'a> {
    let claims = channel_claims(input, phase);
    let claims = claims.filter_map(|(s, c, share)| Some((s, Channel::ALL.iter().position(|x| *x == c)?, share)));
    Pool::of(input.frame(), Family::Channel, Channel::ALL.len(), 0.0, claims)
}

fn channel_claims<'a>(
    input: &FusionInput<'a>,
    phase: PurchasePhase,
) -> impl Iterator<Item = (&'a Signal, Channel, f64)> {
    let of_profile = input.signals.iter().filter(|s| input.profiling_allowed && matches!(s.claim, Claim::Channel(..)));
    let of_person = of_profile.filter(|s| is_own(input, s));
    let named = of_person.clone().filter_map(move |s| match s.claim {
        Claim::Channel(Some(p), c) if p == phase => Some(c),
        _ => None,
    });
    of_person.filter_map(move |s| match s.claim {
        Claim::Channel(Some(p), c) if p == phase => Some((s, c, 1.0)),
        // Whom one must not phone is phoned in no phase that was not named.
        Claim::Channel(None, c) if !avoids(input, c) => {
            // Who names another channel for this phase speaks of an exception; else what was said holds whole.
            let is_excepted = named.clone().any(|other| other != c);
            Some((s, c, if is_excepted { FUSION.channel_any_phase_share } else { 1.0 }))
        }
        _ => None,
    })
}

/// Whether it is known that the person does not want to be reached like this.
fn avoids(input: &FusionInput<'_>, channel: Channel) -> bool {
    let point = Point::AvoidedChannel(channel);
    let said = input.signals.iter().any(|s| s.claim == Claim::Point(point));
    said && one_point(input, point).status == FacetStatus::Known
}

/// Why a channel is, or is not, known.
pub(super) fn channel_status(input: &FusionInput<'_>) -> FacetStatus {
    if input.profiling_allowed { input.empty(FacetKind::Channels) } else { FacetStatus::NoConsent }
}

/// The channel of one phase.
fn channel(input: &FusionInput<'_>, phase: PurchasePhase) -> Decided {
    let fixed = input.corrected(|c| if let Correction::Channel(p, c) = c { (*p == phase).then_some(*c) } else { None });
    let weighed = || {
        let empty = channel_status(input);
        if channel_claims(input, phase).next().is_none() {
            return Decided::nothing(empty);
        }
        decide(input.frame(), Family::Channel, &channel_pool(input, phase), empty)
    };
    fixed.map_or_else(weighed, |c| put_right(c, Channel::ALL))
}

/// Every phase.
pub(super) fn channels(input: &FusionInput<'_>) -> Vec<ChannelPreference> {
    let make = |phase: &PurchasePhase| {
        let facet = channel(input, *phase).facet(Channel::ALL);
        ChannelPreference { phase: *phase, channel: facet.value, status: facet.status }
    };
    PurchasePhase::ALL.iter().map(make).collect()
}

/// The context of the position, as far as facts about the company tell.
pub(super) fn context(input: &FusionInput<'_>) -> Vec<Named> {
    let make = |(name, field): &(&'static str, &str)| {
        let said = word(input.frame(), input.account, input.signals, field);
        let (value, status) = match said {
            Some(w) if w.status == FacetStatus::Known => (Some(w.value), w.status),
            Some(w) => (None, w.status),
            None if input.account.is_none() => (None, FacetStatus::NotApplicable),
            // Whether a page is about the person says nothing about the company.
            None if input.refused.contains(&FacetKind::Context) => (None, FacetStatus::NoConsent),
            None => (None, FacetStatus::InsufficientEvidence),
        };
        Named { name: (*name).into(), value: value.map(Into::into), status }
    };
    CONTEXT.iter().map(make).collect()
}

/// The explanation of one part of the context; `None` where there is no such part.
pub(super) fn context_words(input: &FusionInput<'_>, name: &str) -> Option<Explanation> {
    let (_, field) = CONTEXT.iter().find(|(n, _)| *n == name)?;
    let status = context(input).into_iter().find(|n| n.name == name)?.status;
    let words = Words::of(input.frame(), input.account, input.signals, field);
    let told = (!words.values.is_empty()).then_some(words);
    Some(told.map_or_else(|| nothing(status, "no signal feeds it"), |w| categorical(&w.pool, &w.decided, &w.values)))
}
