//! Rectified facets (Art. 16 GDPR): what a person, or the controller, has put right.
//!
//! Invariant: a rectified facet is what the newest rectification says, whatever evidence says; the evidence that it
//! replaces is neither weighed nor kept, so that nothing shows what the facet was before.

use std::convert::Infallible;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::input::FusionInput;
use crate::ids::Ids;
use crate::model::{About, AccountId, Claim, Evidence, PermitId, Signal, SubjectId};
use crate::taxonomy::{
    BuyingRole, Channel, JobFunction, Motive, Point, PurchasePhase, Seniority, SigningPower, SourceClass, Trait,
};

/// `evidence.source` of a rectification.
pub const SOURCE: &str = "rectification";

/// What happens to a facet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Change<T> {
    /// It is this.
    Set(T),
    /// It is not to be held at all: the facet abstains with `no_consent`, and nothing is derived from it.
    Remove,
    /// An earlier rectification ends (a new job, for instance): evidence counts again.
    Release,
}

/// A facet with what it is to be; values are of the closed vocabularies only.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Correction {
    /// `job_function`; secondary functions go with it.
    JobFunction(Change<JobFunction>),
    /// `seniority`.
    Seniority(Change<Seniority>),
    /// `signing_power`.
    SigningPower(Change<SigningPower>),
    /// `buying_role.ROLE`: has it or has it not.
    BuyingRole(BuyingRole, Change<bool>),
    /// `trait.TRAIT`: true = right pole.
    Trait(Trait, Change<bool>),
    /// `motive.MOTIVE`: moves the person or does not.
    Motive(Motive, Change<bool>),
    /// `channel.PHASE`.
    Channel(PurchasePhase, Change<Channel>),
    /// `goal.GOAL`, `pain.PAIN`, ...: holds of the person or does not.
    Point(Point, Change<bool>),
    /// `goal`: all goals at once, which can only be removed.
    Goals(Change<Infallible>),
}

/// Who asked for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// The person.
    Subject,
    /// The controller, who found it wrong.
    Controller,
}

impl By {
    /// `subject` or `controller`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Subject => "subject",
            Self::Controller => "controller",
        }
    }
}

/// One rectification. What it says is personal data: `Debug` shows the facet only.
#[derive(Clone, PartialEq, Eq)]
pub struct Rectification {
    /// What is put right.
    pub correction: Correction,
    /// Why, in the words of whoever asked.
    pub reason: Option<String>,
    /// From when on it holds.
    pub at: Timestamp,
    /// Who asked.
    pub by: By,
    /// What proves it, for instance `letter of 2026-03-01`.
    pub evidence: Option<String>,
}

impl fmt::Debug for Rectification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rectification({} at {}, [personal])", self.correction.facet(), self.at)
    }
}

impl fmt::Debug for Correction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Correction({}, [personal])", self.facet())
    }
}

fn yes_no(v: bool) -> String {
    if v { "yes" } else { "no" }.into()
}

fn pole(v: bool) -> String {
    if v { "+" } else { "-" }.into()
}

impl<T> Change<T> {
    fn map<U>(self, f: impl FnOnce(T) -> U) -> Change<U> {
        match self {
            Self::Set(v) => Change::Set(f(v)),
            Self::Remove => Change::Remove,
            Self::Release => Change::Release,
        }
    }
}

impl Correction {
    /// The facet as [`super::explain()`] names it.
    #[must_use]
    pub fn facet(self) -> String {
        match self {
            Self::JobFunction(_) => "job_function".into(),
            Self::Seniority(_) => "seniority".into(),
            Self::SigningPower(_) => "signing_power".into(),
            Self::BuyingRole(r, _) => format!("buying_role.{r}"),
            Self::Trait(t, _) => format!("trait.{t}"),
            Self::Motive(m, _) => format!("motive.{m}"),
            Self::Channel(p, _) => format!("channel.{p}"),
            Self::Point(p, _) => p.to_string(),
            Self::Goals(_) => "goal".into(),
        }
    }

    /// The value in words: a term, `yes`, `no`, a pole (`-`, `+`), `remove` or `release`.
    #[must_use]
    pub fn value(self) -> String {
        match self.change() {
            Change::Set(v) => v,
            Change::Remove => "remove".into(),
            Change::Release => "release".into(),
        }
    }

    /// What happens, with the value in words.
    #[must_use]
    pub fn change(self) -> Change<String> {
        match self {
            Self::JobFunction(c) => c.map(|v| v.to_string()),
            Self::Seniority(c) => c.map(|v| v.to_string()),
            Self::SigningPower(c) => c.map(|v| v.to_string()),
            Self::BuyingRole(_, c) | Self::Motive(_, c) | Self::Point(_, c) => c.map(yes_no),
            Self::Trait(_, c) => c.map(pole),
            Self::Channel(_, c) => c.map(|v| v.to_string()),
            Self::Goals(c) => c.map(|v| match v {}),
        }
    }

    /// The claim that stands for it in `evidence`; `None` where nothing is claimed.
    fn claim(self) -> Option<Claim> {
        use Change::Set;
        let sign = |v: bool| if v { 1 } else { -1 };
        Some(match self {
            Self::JobFunction(Set(v)) => Claim::JobFunction(v),
            Self::Seniority(Set(v)) => Claim::Seniority(v),
            Self::SigningPower(Set(v)) => Claim::SigningPower(v),
            Self::BuyingRole(r, Set(v)) => Claim::BuyingRole(r, sign(v)),
            Self::Trait(t, Set(v)) => Claim::Trait(t, sign(v)),
            Self::Motive(m, Set(true)) => Claim::Motive(m),
            Self::Point(p, Set(true)) => Claim::Point(p),
            Self::Channel(p, Set(v)) => Claim::Channel(Some(p), v),
            _ => return None,
        })
    }

    fn of_claim(claim: &Claim) -> Option<Self> {
        use Change::Set;
        Some(match claim {
            Claim::JobFunction(v) => Self::JobFunction(Set(*v)),
            Claim::Seniority(v) => Self::Seniority(Set(*v)),
            Claim::SigningPower(v) => Self::SigningPower(Set(*v)),
            Claim::BuyingRole(r, s) => Self::BuyingRole(*r, Set(*s > 0)),
            Claim::Trait(t, s) => Self::Trait(*t, Set(*s > 0)),
            Claim::Motive(m) => Self::Motive(*m, Set(true)),
            Claim::Channel(Some(p), v) => Self::Channel(*p, Set(*v)),
            Claim::Point(p) => Self::Point(*p, Set(true)),
            Claim::Channel(None, _) | Claim::Firmographic(..) => return None,
        })
    }

    /// Whether it is about the character of the person, which only leave to profile lets show.
    const fn is_personal(self) -> bool {
        matches!(self, Self::Trait(..) | Self::Motive(..) | Self::Point(..) | Self::Channel(..) | Self::Goals(_))
    }
}

/// The rectifications that hold: the newest of each facet (of equal ones the last), without those that were released.
#[must_use]
pub fn standing(all: &[Rectification]) -> Vec<&Rectification> {
    let mut newest: Vec<&Rectification> = Vec::new();
    for r in all {
        let facet = r.correction.facet();
        match newest.iter_mut().find(|n| n.correction.facet() == facet) {
            Some(n) if n.at <= r.at => *n = r,
            Some(_) => {}
            None => newest.push(r),
        }
    }
    newest.retain(|r| !matches!(r.correction.change(), Change::Release));
    newest.sort_by_key(|r| r.correction.facet());
    newest
}

impl<'a> FusionInput<'a> {
    /// What holds of the facet that `pick` picks; `None` = evidence decides.
    pub(super) fn corrected<T>(&self, pick: impl Fn(&Correction) -> Option<Change<T>>) -> Option<Change<T>> {
        if self.rectified.is_empty() {
            return None;
        }
        self.standing().into_iter().find_map(|r| pick(&r.correction))
    }

    /// The rectification of a facet by its name.
    pub(super) fn rectification(&self, facet: &str) -> Option<&'a Rectification> {
        self.standing().into_iter().find(|r| r.correction.facet() == facet)
    }

    /// Those that count: without leave to profile, a corrected character is no more shown than a derived one.
    fn standing(&self) -> Vec<&'a Rectification> {
        let mut standing = standing(self.rectified);
        standing.retain(|r| self.profiling_allowed || !r.correction.is_personal());
        standing
    }
}

/// Whether a rectification replaces what the claim says.
fn replaces(r: Correction, claim: &Claim, phases: usize) -> bool {
    match (r, claim) {
        (Correction::JobFunction(_), Claim::JobFunction(_))
        | (Correction::Seniority(_), Claim::Seniority(_))
        | (Correction::SigningPower(_), Claim::SigningPower(_))
        | (Correction::Goals(_), Claim::Point(Point::Goal(_))) => true,
        (Correction::BuyingRole(a, _), Claim::BuyingRole(b, _)) => a == *b,
        (Correction::Trait(a, _), Claim::Trait(b, _)) => a == *b,
        (Correction::Motive(a, _), Claim::Motive(b)) => a == *b,
        (Correction::Point(a, _), Claim::Point(b)) => a == *b,
        (Correction::Channel(a, _), Claim::Channel(Some(b), _)) => a == *b,
        // A preference for no phase in particular still counts for the phases that were not put right.
        (Correction::Channel(..), Claim::Channel(None, _)) => phases == PurchasePhase::ALL.len(),
        _ => false,
    }
}

/// Takes the evidence out that rectifications replace: signals of those facets are dropped, and where other signals
/// were read at the same place or from the same words, the words go, because they still say what was wrong.
///
/// The fused persona is the same with and without: what is dropped here is not weighed there.
pub fn settle(signals: &mut Vec<Signal>, subject: &SubjectId, rectified: &[Rectification]) {
    let standing = standing(rectified);
    let phases = standing.iter().filter(|r| matches!(r.correction, Correction::Channel(..))).count();
    let own = |s: &Signal| matches!(&s.about, About::Subject(id, _) if id == subject);
    let replaced = |s: &Signal| {
        own(s) && s.evidence.source_id != SOURCE && standing.iter().any(|r| replaces(r.correction, &s.claim, phases))
    };
    let (dropped, mut kept): (Vec<Signal>, Vec<Signal>) = signals.drain(..).partition(replaced);
    let same = |a: &Evidence, b: &Evidence| {
        let place = a.source_id == b.source_id && a.content_hash == b.content_hash && a.locator == b.locator;
        place || a.quote.contains(&b.quote) || b.quote.contains(&a.quote)
    };
    for s in kept.iter_mut().filter(|s| own(s) && s.evidence.source_id != SOURCE) {
        if dropped.iter().any(|d| same(&d.evidence, &s.evidence)) {
            s.evidence.quote.clear();
        }
    }
    *signals = kept;
}

/// The rows of `evidence` that stand for rectifications: source `rectification`, class `crm` (the controller holds
/// them), no words. What was removed, or denied of a motive, claims nothing and has no row.
#[must_use]
pub fn signals(
    rectified: &[Rectification],
    subject: &SubjectId,
    account: Option<&AccountId>,
    permit: &PermitId,
    ids: &Ids,
) -> Vec<Signal> {
    let make = |r: &&Rectification| {
        let claim = r.correction.claim()?;
        let (facet, value, at) = (r.correction.facet(), r.correction.value(), r.at.to_string());
        let evidence = Evidence {
            source_id: SOURCE.to_owned(),
            source_class: SourceClass::Crm,
            host: None,
            document: None,
            content_hash: ids.commitment(SOURCE, format!("{subject} {facet} {value} {at}").as_bytes()),
            observed_at: r.at,
            quote: String::new(),
            locator: format!("by {}", r.by.as_str()),
            extractor: "rectification/1".to_owned(),
            permit: permit.clone(),
        };
        let id = ids.signal(&[subject.as_str(), &facet, &value, SOURCE, &at]);
        Some(Signal { id, about: About::Subject(subject.clone(), account.cloned()), claim, weight: 1.0, evidence })
    };
    standing(rectified).iter().filter_map(make).collect()
}

/// Reads rectifications back from `evidence`, as far as they stand there (see [`signals`]).
#[must_use]
pub fn of_signals(signals: &[Signal], subject: &SubjectId) -> Vec<Rectification> {
    let own = |s: &&Signal| matches!(&s.about, About::Subject(id, _) if id == subject);
    let read = |s: &Signal| {
        Some(Rectification {
            correction: Correction::of_claim(&s.claim)?,
            reason: None,
            at: s.evidence.observed_at,
            by: if s.evidence.locator == "by subject" { By::Subject } else { By::Controller },
            evidence: None,
        })
    };
    signals.iter().filter(own).filter(|s| s.evidence.source_id == SOURCE).filter_map(read).collect()
}
