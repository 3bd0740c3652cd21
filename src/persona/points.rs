//! What was stated of a person: goals, requirements, habits and the empathy map.
//!
//! Invariant: a value is shown only where somebody said it of this person and there is leave to profile; "thinks" and
//! "feels" are never made for an individual.

use std::borrow::Cow;

use super::fuse::own;
use super::input::{FacetKind, FusionInput};
use super::pool::sigmoid;
use super::profile::{YesNo, yes_no};
use super::rectified::{Change, Correction};
use super::role;
use super::rows::{Named, RoleScore};
use super::settings::{FUSION, Family};
use crate::model::Claim;
use crate::taxonomy::{BuyingRole, FacetStatus, Point, PointKind, SourceClass};

/// What the name of every goal is; a habit is named like its column.
const GOAL: &str = "professional_goal";

/// The group of columns that a kind of point feeds.
pub(super) const fn facet_of(kind: PointKind) -> FacetKind {
    match kind {
        PointKind::Goal => FacetKind::Goals,
        PointKind::Requirement => FacetKind::Requirements,
        PointKind::Pain | PointKind::Gain => FacetKind::EmpathyMap,
        PointKind::BuyingBehaviour => FacetKind::BuyingBehaviour,
        PointKind::InformationBehaviour => FacetKind::InformationBehaviour,
        PointKind::AvoidedChannel => FacetKind::Channels,
    }
}

const fn family_of(kind: PointKind) -> Family {
    match kind {
        PointKind::Goal => Family::Goal,
        PointKind::Requirement => Family::Requirement,
        PointKind::Pain | PointKind::Gain => Family::Experience,
        PointKind::BuyingBehaviour | PointKind::InformationBehaviour | PointKind::AvoidedChannel => Family::Habit,
    }
}

/// One point: the log-odds that it holds.
pub(super) fn one_point<'a>(input: &FusionInput<'a>, point: Point) -> YesNo<'a> {
    let kind = point.kind();
    let (prior, strong) = (FUSION.point_prior, FUSION.strong_statement);
    let mut y = yes_no(input, facet_of(kind), family_of(kind), (prior, strong), |c| match c {
        Claim::Point(p) if *p == point => Some(true),
        _ => None,
    });
    if y.status == FacetStatus::Known && sigmoid(y.log_odds) < input.min_probability {
        (y.status, y.rule) = (FacetStatus::InsufficientEvidence, "the probability is under min_probability");
    }
    y
}

/// What was put right of one point; all goals may have been removed at once.
fn corrected(input: &FusionInput<'_>, point: Point) -> Option<Change<bool>> {
    let one = input.corrected(|c| if let Correction::Point(p, c) = c { (*p == point).then_some(*c) } else { None });
    let removed = matches!(point, Point::Goal(_))
        && input.corrected(|c| if let Correction::Goals(c) = c { Some(*c) } else { None }).is_some();
    one.or_else(|| removed.then_some(Change::Remove))
}

/// The points of a kind, as far as signals or corrections name them.
struct Stated {
    /// In canonical order.
    known: Vec<Point>,
    /// Why there is none, where there is none.
    empty: FacetStatus,
}

fn stated(input: &FusionInput<'_>, kind: PointKind) -> Stated {
    if !input.profiling_allowed {
        return Stated { known: Vec::new(), empty: FacetStatus::NoConsent };
    }
    let claimed: Vec<Point> =
        own(input).filter_map(|s| if let Claim::Point(p) = s.claim { Some(p) } else { None }).collect();
    let (mut known, mut thin, mut removed) = (Vec::new(), Vec::new(), false);
    for point in Point::all(kind) {
        match corrected(input, point) {
            Some(Change::Set(true)) => known.push(point),
            Some(change) => removed |= matches!(change, Change::Remove),
            None if claimed.contains(&point) => match one_point(input, point).status {
                FacetStatus::Known => known.push(point),
                status => thin.push(status),
            },
            None => {}
        }
    }
    let removed = removed.then_some(FacetStatus::NoConsent);
    let empty = thin.into_iter().min().or(removed).unwrap_or_else(|| input.empty(facet_of(kind)));
    Stated { known, empty }
}

/// A list column: a row for each point, or one that abstains.
fn rows<V: Into<Cow<'static, str>>>(
    name: &'static str,
    known: impl IntoIterator<Item = V>,
    empty: FacetStatus,
) -> impl Iterator<Item = Named> {
    let row = move |value, status| Named { name: name.into(), value, status };
    let mut known = known.into_iter().peekable();
    let none = known.peek().is_none().then(|| row(None, empty));
    none.into_iter().chain(known.map(move |v| row(Some(v.into()), FacetStatus::Known)))
}

fn column(input: &FusionInput<'_>, kind: PointKind, name: &'static str) -> Vec<Named> {
    let Stated { known, empty } = stated(input, kind);
    rows(name, known.iter().map(|p| p.term()), empty).collect()
}

/// Professional goals.
pub(super) fn goals(input: &FusionInput<'_>) -> Vec<Named> {
    column(input, PointKind::Goal, GOAL)
}

/// How the person buys.
pub(super) fn buying_behaviour(input: &FusionInput<'_>) -> Vec<Named> {
    column(input, PointKind::BuyingBehaviour, PointKind::BuyingBehaviour.as_str())
}

/// Where the person looks for information.
pub(super) fn information_behaviour(input: &FusionInput<'_>) -> Vec<Named> {
    column(input, PointKind::InformationBehaviour, PointKind::InformationBehaviour.as_str())
}

/// How the person does not want to be reached.
pub(super) fn avoided_channels(input: &FusionInput<'_>) -> Vec<Named> {
    column(input, PointKind::AvoidedChannel, PointKind::AvoidedChannel.as_str())
}

/// What the person asks of an offer, by the core role that typically asks it: what was stated, else why there is
/// nothing. `not_applicable` where the person is known not to have the role.
///
/// What a role asks in general is no evidence about a person; [`super::study`] fills it in, marked as such.
pub(super) fn requirements(input: &FusionInput<'_>, roles: &[RoleScore]) -> Vec<Named> {
    let Stated { known, empty } = stated(input, PointKind::Requirement);
    let known = &known;
    let of = |role: &'static BuyingRole| {
        let mine = known.iter().filter(move |p| matches!(p, Point::Requirement(r) if r.role() == *role));
        let judged = roles.iter().find(|r| r.role == *role);
        let status = match judged.map(|r| (r.probability, r.status)) {
            Some((Some(p), _)) if p < role::ROLES.member_floor => FacetStatus::NotApplicable,
            Some((None, status)) => status,
            _ => empty,
        };
        rows(role.as_str(), mine.map(|p| p.term()), status)
    };
    let mut all = Vec::with_capacity(BuyingRole::CORE.len() + known.len());
    all.extend(BuyingRole::CORE.iter().flat_map(of));
    all
}

/// What the person says (in own words), does (habits), suffers from and gains by.
pub(super) fn empathy_map(input: &FusionInput<'_>) -> Vec<Named> {
    let [pains, gains] = [PointKind::Pain, PointKind::Gain].map(|kind| stated(input, kind));
    let [goals, asks] = [PointKind::Goal, PointKind::Requirement].map(|kind| stated(input, kind));
    let habits = [PointKind::BuyingBehaviour, PointKind::InformationBehaviour].map(|kind| stated(input, kind));
    let in_own_words =
        |p: &&Point| own(input).any(|s| matches!(s.claim, Claim::Point(q) if q == **p) && is_own_text(s));
    let says = [&goals.known, &asks.known, &pains.known, &gains.known].into_iter().flatten().filter(in_own_words);
    let says: Vec<String> = says.map(ToString::to_string).collect();
    let does: Vec<String> = habits.iter().flat_map(|h| &h.known).map(ToString::to_string).collect();
    let empty = if input.profiling_allowed { input.empty(FacetKind::EmpathyMap) } else { FacetStatus::NoConsent };
    let terms = |s: &Stated| s.known.iter().map(|p| p.term()).collect::<Vec<_>>();
    let mut all = Vec::with_capacity(4);
    all.extend(rows("says", says, empty));
    all.extend(rows("does", does, empty));
    all.extend(rows("pains", terms(&pains), pains.empty));
    all.extend(rows("gains", terms(&gains), gains.empty));
    all
}

/// Whether the person wrote the text that a signal was read from.
fn is_own_text(s: &crate::model::Signal) -> bool {
    matches!(s.evidence.source_class, SourceClass::PublicProfessional | SourceClass::PublicSocial)
}
