//! Signals in, one persona out.
//!
//! Invariant: pure and total; the order of the signals does not matter.

use super::input::{FacetKind, FusionInput};
use super::points;
use super::pool::{Frame, Pool, Support, newest, weigh};
use super::profile;
use super::rectified::{Change, Correction};
use super::role::{self, Position};
use super::rows::{Persona, RoleScore};
use super::segment;
use super::settings::{DecisionStyle, FUSION, Family, Size};
use super::study;
use crate::model::{About, Account, Claim, Signal};
use crate::taxonomy::{BuyingRole, Facet, FacetStatus, JobFunction, PurchasePhase, Seniority, SigningPower};

/// Fuses what is known of one contact.
#[must_use]
pub fn fuse(input: &FusionInput<'_>) -> Persona {
    let work = Work::new(input);
    let buying_roles: Vec<RoleScore> = BuyingRole::ALL.iter().map(|r| role_score(&work, *r)).collect();
    let own = Persona {
        subject_id: input.subject.clone(),
        crm_record: input.crm_record.to_owned(),
        account_id: input.account.and_then(|a| a.id.clone()),
        as_of: input.as_of,
        job_function: work.function.facet(JobFunction::ALL),
        secondary_functions: work.secondary_functions(),
        seniority: work.level.facet(Seniority::ALL),
        signing_power: work.power.facet(SigningPower::ALL),
        traits: profile::traits(input),
        goals: points::goals(input),
        motives: profile::motives(input),
        channels: profile::channels(input),
        context: profile::context(input),
        buying_behaviour: points::buying_behaviour(input),
        information_behaviour: points::information_behaviour(input),
        avoided_channels: points::avoided_channels(input),
        requirements: points::requirements(input, &buying_roles),
        buying_roles,
        empathy_map: points::empathy_map(input),
        study_priors: Vec::new(),
        segment_values: Vec::new(),
        tier: input.tier,
        legal: input.legal.clone(),
    };
    let of_segment = segment::carried(own, input);
    study::fill(of_segment, &work)
}

fn role_score(work: &Work<'_, '_>, role: BuyingRole) -> RoleScore {
    let judged = role::judge(work, role);
    RoleScore { role, probability: judged.probability(), status: judged.status }
}

/// The signals about the person.
pub(super) fn own<'a>(input: &FusionInput<'a>) -> impl Iterator<Item = &'a Signal> {
    input.signals.iter().filter(|s| is_own(input, s))
}

/// Whether a signal is about the person. Where only some claims count, ask for those first: they are cheaper to tell.
pub(super) fn is_own(input: &FusionInput<'_>, signal: &Signal) -> bool {
    matches!(&signal.about, About::Subject(id, _) if id == input.subject)
}

/// The facts about a company, by field.
pub(super) fn company<'a>(
    account: Option<&'a Account>,
    signals: &'a [Signal],
) -> impl Iterator<Item = (&'a Signal, &'a str, &'a str)> {
    let id = account.and_then(|a| a.id.as_ref());
    signals.iter().filter_map(move |s| {
        let about = match &s.about {
            About::Account(a) | About::Subject(_, Some(a)) => Some(a),
            About::Subject(_, None) => None,
        };
        match &s.claim {
            Claim::Firmographic(field, value) if id.is_some() && about == id => {
                Some((s, field.as_str(), value.as_str()))
            }
            _ => None,
        }
    })
}

/// What a company fact is, after pooling.
pub(super) struct Word {
    pub(super) value: String,
    pub(super) p: f64,
    pub(super) status: FacetStatus,
}

/// What is said of one field of a company, pooled.
pub(super) struct Words<'a> {
    /// Every value that is claimed, sorted.
    pub(super) values: Vec<&'a str>,
    pub(super) pool: Pool<'a>,
    pub(super) decided: Decided,
}

impl<'a> Words<'a> {
    pub(super) fn of(frame: Frame, account: Option<&'a Account>, signals: &'a [Signal], field: &str) -> Self {
        let said: Vec<(&Signal, &str)> = company(account, signals)
            .filter(|(_, f, v)| *f == field && !v.trim().is_empty())
            .map(|(s, _, v)| (s, v))
            .collect();
        let mut values: Vec<&str> = said.iter().map(|(_, v)| *v).collect();
        values.sort_unstable();
        values.dedup();
        // One value more than was claimed: it may be something else altogether.
        let k = values.len() + 1;
        let claims = said.iter().filter_map(|(s, v)| Some((*s, values.binary_search(v).ok()?, 1.0)));
        let pool = Pool::of(frame, Family::Firmographic, k, 0.0, claims);
        let decided = decide(frame, Family::Firmographic, &pool, FacetStatus::InsufficientEvidence);
        Self { values, pool, decided }
    }
}

/// What pooling comes to for one field of a company; `None` where nothing is said.
pub(super) fn word(frame: Frame, account: Option<&Account>, signals: &[Signal], field: &str) -> Option<Word> {
    if !company(account, signals).any(|(_, f, v)| f == field && !v.trim().is_empty()) {
        return None;
    }
    let words = Words::of(frame, account, signals, field);
    let value = words.values.get(words.decided.best?)?;
    Some(Word { value: (*value).to_owned(), p: words.decided.p?, status: words.decided.status })
}

/// What pooling came to for one categorical facet.
#[derive(Debug, Clone)]
pub(super) struct Decided {
    /// The most probable claimed value, shown or not.
    pub(super) best: Option<usize>,
    /// Its probability.
    pub(super) p: Option<f64>,
    pub(super) status: FacetStatus,
    pub(super) rule: &'static str,
}

impl Decided {
    /// Where no signal feeds a facet.
    pub(super) const fn nothing(empty: FacetStatus) -> Self {
        Self { best: None, p: None, status: empty, rule: "no signal feeds it" }
    }

    pub(super) fn facet<T: Copy>(&self, all: &[T]) -> Facet<T> {
        match (self.status, self.best.and_then(|v| all.get(v)), self.p) {
            (FacetStatus::Known, Some(v), Some(p)) => Facet::known(*v, p),
            _ => Facet::abstain(self.status),
        }
    }
}

/// The rule of a facet that was put right.
pub(super) const RECTIFIED: &str = "it was put right (rectification); evidence is not weighed";

/// A facet that was put right.
pub(super) fn put_right<T: PartialEq + Copy>(change: Change<T>, all: &[T]) -> Decided {
    match change {
        Change::Set(v) => Decided { best: index(all, v), p: Some(1.0), status: FacetStatus::Known, rule: RECTIFIED },
        _ => Decided { best: None, p: None, status: FacetStatus::NoConsent, rule: RECTIFIED },
    }
}

/// The rules that give a categorical facet its status; the first that applies.
pub(super) fn decide(frame: Frame, family: Family, pool: &Pool<'_>, empty: FacetStatus) -> Decided {
    let Some(best) = pool.best() else {
        return Decided::nothing(empty);
    };
    let p = pool.odds(best).1;
    let rival = pool.second().map_or(0.0, |v| pool.p[v]);
    let (status, rule) = if newest(&pool.supports).is_some_and(|age| frame.is_stale(age, family)) {
        (FacetStatus::Stale, "even the newest signal is too old")
    } else if rival >= FUSION.conflict_floor && p - rival < FUSION.margin {
        (FacetStatus::Conflicting, "two values are supported about equally")
    } else if p >= frame.min_probability {
        (FacetStatus::Known, "probability and margin suffice")
    } else {
        (FacetStatus::InsufficientEvidence, "the probability is under min_probability")
    };
    Decided { best: Some(best), p: Some(p), status, rule }
}

/// The facets that others build on, made once a persona.
pub(super) struct Work<'i, 'a> {
    pub(super) input: &'i FusionInput<'a>,
    pub(super) functions: Pool<'a>,
    pub(super) function: Decided,
    /// Functions held beside the primary one: signals that named them second.
    beside: Vec<Support<'a>>,
    pub(super) levels: Pool<'a>,
    pub(super) level: Decided,
    pub(super) powers: Pool<'a>,
    pub(super) power: Decided,
    pub(super) position: Position<'a>,
}

impl<'i, 'a> Work<'i, 'a> {
    pub(super) fn new(input: &'i FusionInput<'a>) -> Self {
        let frame = input.frame();
        let fixed_function = input.corrected(|c| if let Correction::JobFunction(x) = c { Some(*x) } else { None });
        let k = JobFunction::ALL.len();
        let (first, second) = split(own(input).filter(|_| fixed_function.is_none()).filter_map(|s| match s.claim {
            Claim::JobFunction(v) => Some((s, index(JobFunction::ALL, v)?)),
            _ => None,
        }));
        let functions = Pool::of(frame, Family::JobFunction, k, 0.0, first);
        let function = fixed_function.map_or_else(
            || decide(frame, Family::JobFunction, &functions, input.empty(FacetKind::JobFunction)),
            |c| put_right(c, JobFunction::ALL),
        );
        let beside = weigh(frame, Family::JobFunction, k, second, |p, _| p);
        let (levels, level) = levels(input);
        let (powers, power) = powers(input);
        let mut position = position(input, &functions, &beside, &levels);
        certain(&function, &mut position.functions);
        certain(&level, &mut position.seniority);
        Self { input, functions, function, beside, levels, level, powers, power, position }
    }

    /// Why a role is empty whose facet has this status.
    pub(super) fn empty_roles(&self, facet: FacetStatus) -> FacetStatus {
        if facet == FacetStatus::InsufficientEvidence || facet == FacetStatus::Known {
            self.input.empty(FacetKind::BuyingRoles)
        } else {
            facet
        }
    }

    fn secondary_functions(&self) -> Vec<JobFunction> {
        let primary = if self.function.status == FacetStatus::Known { self.function.best } else { None };
        let mut held: Vec<(usize, f64)> = Vec::new();
        for s in self.beside.iter().filter(|s| s.believed >= FUSION.secondary_floor && Some(s.value) != primary) {
            match held.iter_mut().find(|(v, _)| *v == s.value) {
                Some((_, p)) => *p = p.max(s.believed),
                None => held.push((s.value, s.believed)),
            }
        }
        held.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        held.into_iter().filter_map(|(v, _)| JobFunction::ALL.get(v).copied()).collect()
    }
}

fn levels<'a>(input: &FusionInput<'a>) -> (Pool<'a>, Decided) {
    let fixed = input.corrected(|c| if let Correction::Seniority(x) = c { Some(*x) } else { None });
    let (claimed, _) = split(own(input).filter(|_| fixed.is_none()).filter_map(|s| match s.claim {
        Claim::Seniority(v) => Some((s, index(Seniority::ALL, v)?)),
        _ => None,
    }));
    let k = Seniority::ALL.len();
    let pool = Pool::of(input.frame(), Family::Seniority, k, FUSION.neighbour_share, claimed);
    let weighed = || decide(input.frame(), Family::Seniority, &pool, input.empty(FacetKind::Seniority));
    let decided = fixed.map_or_else(weighed, |c| put_right(c, Seniority::ALL));
    (pool, decided)
}

fn powers<'a>(input: &FusionInput<'a>) -> (Pool<'a>, Decided) {
    let fixed = input.corrected(|c| if let Correction::SigningPower(x) = c { Some(*x) } else { None });
    let signs = own(input).filter(|_| fixed.is_none()).filter_map(|s| match s.claim {
        Claim::SigningPower(v) => Some((s, index(SigningPower::ALL, v)?, 1.0)),
        _ => None,
    });
    // One value more than there are powers: none at all.
    let pool = Pool::of(input.frame(), Family::SigningPower, SigningPower::ALL.len() + 1, 0.0, signs);
    let weighed = || decide(input.frame(), Family::SigningPower, &pool, input.empty(FacetKind::SigningPower));
    let decided = fixed.map_or_else(weighed, |c| put_right(c, SigningPower::ALL));
    (pool, decided)
}

/// What was put right is certain for everything that is derived from it.
fn certain(decided: &Decided, p: &mut [f64]) {
    if let (true, Some(best)) = (decided.rule == RECTIFIED, decided.best) {
        p.iter_mut().enumerate().for_each(|(v, p)| *p = if v == best { 1.0 } else { 0.0 });
    }
}

fn position<'a>(
    input: &FusionInput<'a>,
    functions: &Pool<'a>,
    beside: &[Support<'a>],
    levels: &Pool<'a>,
) -> Position<'a> {
    let told = |pool: &Pool<'_>| if pool.supports.is_empty() { vec![0.0; pool.p.len()] } else { pool.p.clone() };
    let mut held = told(functions);
    for s in beside {
        held[s.value] = held[s.value].max(s.believed);
    }
    let style = word(input.frame(), input.account, input.signals, "decision_style")
        .filter(|w| w.status == FacetStatus::Known)
        .and_then(|w| DecisionStyle::parse(&w.value));
    Position {
        functions: held,
        seniority: told(levels),
        offering: input.offering,
        size: input.account.map_or(Size::Unknown, |a| Size::of(a.employees, a.revenue_eur)),
        decision_style: style,
        phases: phases(input),
    }
}

/// How surely the person was seen in each phase of a purchase; nothing where profiling is not permitted.
fn phases(input: &FusionInput<'_>) -> Vec<f64> {
    let mut seen = vec![0.0_f64; PurchasePhase::ALL.len()];
    let claims = own(input).filter(|_| input.profiling_allowed).filter_map(|s| match s.claim {
        Claim::Channel(Some(phase), _) => Some((s, index(PurchasePhase::ALL, phase)?, 1.0)),
        _ => None,
    });
    for s in weigh(input.frame(), Family::Channel, PurchasePhase::ALL.len(), claims, |p, _| p) {
        seen[s.value] = seen[s.value].max(s.believed);
    }
    // What was put right is no evidence of what the person did.
    for (p, phase) in seen.iter_mut().zip(PurchasePhase::ALL) {
        let fixed =
            |c: &Correction| if let Correction::Channel(of, c) = c { (of == phase).then_some(*c) } else { None };
        if input.corrected(fixed).is_some() {
            *p = 0.0;
        }
    }
    seen
}

fn index<T: PartialEq + Copy>(all: &[T], v: T) -> Option<usize> {
    all.iter().position(|x| *x == v)
}

/// Claims with the value that each makes; the last number scales what the claim adds.
type Claims<'a> = Vec<(&'a Signal, usize, f64)>;

/// Splits claims into those that a place names first and those that it names beside it.
///
/// "Head of Sales and Marketing" claims two functions in one place: they do not contradict each other, so only
/// the stronger competes with what other places say.
fn split<'a>(claims: impl Iterator<Item = (&'a Signal, usize)>) -> (Claims<'a>, Claims<'a>) {
    let claims: Vec<(&Signal, usize)> = claims.collect();
    let first = |at: &Signal| {
        let here = claims.iter().filter(|(s, _)| same_place(s, at));
        here.max_by(|a, b| a.0.weight.total_cmp(&b.0.weight).then(b.1.cmp(&a.1))).map(|(_, v)| *v)
    };
    let (a, b): (Vec<_>, Vec<_>) = claims.iter().partition(|(s, v)| first(s) == Some(*v));
    let whole = |c: Vec<(&'a Signal, usize)>| c.into_iter().map(|(s, v)| (s, v, 1.0)).collect();
    (whole(a), whole(b))
}

fn same_place(a: &Signal, b: &Signal) -> bool {
    let (a, b) = (&a.evidence, &b.evidence);
    a.locator == b.locator && a.content_hash == b.content_hash && a.source_id == b.source_id && a.host == b.host
}
