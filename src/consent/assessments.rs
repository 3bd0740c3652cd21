//! The assessments of a policy as a DPO asks for them: what each covers, until when, and what rests on it.
//!
//! Invariant: told from the policy and the time alone; the gate decides by the same days.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;
use serde::Serialize;

use crate::consent::event::LawfulBasis;
use crate::consent::policy::{Assessment, AssessmentKind, Policy, source_hash, trait_list_hash};
use crate::taxonomy::{SourceClass, Trait};

/// Whether an assessment carries anything now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It covers what it names.
    Valid,
    /// Approved from a later day on.
    NotYet,
    /// Ended.
    Expired,
    /// A text or the approver is missing.
    Incomplete,
    /// A DPIA that was approved for another list of traits, or for sources that have changed since.
    Changed,
}

/// One LIA or DPIA.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AssessmentStatus {
    /// Its id in the policy.
    pub id: String,
    /// Which of the two.
    pub kind: AssessmentKind,
    /// Purposes it names.
    pub purposes: Vec<String>,
    /// Source classes it names.
    pub source_classes: Vec<SourceClass>,
    /// Data categories; `None` = those of its purposes.
    pub data_categories: Option<Vec<String>>,
    /// Traits it names.
    pub traits: Vec<Trait>,
    /// Models it approves; `None` = whichever is used.
    pub models: Option<Vec<String>>,
    /// Sources whose registration is still the approved one; `None` = it names none.
    pub unchanged_sources: Option<Vec<String>>,
    /// Who approved it.
    pub approved_by: String,
    /// First day.
    pub from: Date,
    /// The day from which on it covers nothing.
    pub until: Date,
    /// Days from now to that day; negative once it has ended.
    pub days_left: i32,
    /// Whether it carries anything now.
    pub state: State,
    /// Purposes that rest on it: a DPIA by its id, an LIA because it covers a purpose that admits legitimate interest.
    pub applied_by: Vec<String>,
}

/// Every assessment of a policy, by id.
#[must_use]
pub fn assessments(policy: &Policy, now: Timestamp) -> Vec<AssessmentStatus> {
    let today = Offset::UTC.to_datetime(now).date();
    policy.file().assessments.iter().map(|(id, assessment)| status(policy, id, assessment, today)).collect()
}

fn status(policy: &Policy, id: &str, a: &Assessment, today: Date) -> AssessmentStatus {
    let applied = |(name, purpose): (&String, &crate::consent::policy::Purpose)| {
        let applies = a.purposes.contains(name)
            && match a.kind {
                AssessmentKind::Lia => purpose.bases.contains(&LawfulBasis::LegitimateInterest),
                AssessmentKind::Dpia => purpose.dpia.as_deref() == Some(id),
            };
        applies.then(|| name.clone())
    };
    let sources = policy.file().sources.iter();
    let unchanged_sources = a.sources.as_ref().map(|hashes| {
        let unchanged = sources.filter(|(id, source)| hashes.contains(&source_hash(id, source)));
        unchanged.map(|(id, _)| id.clone()).collect::<Vec<_>>()
    });
    AssessmentStatus {
        id: id.to_owned(),
        kind: a.kind,
        purposes: a.purposes.clone(),
        source_classes: a.source_classes.clone(),
        data_categories: a.data_categories.clone(),
        traits: a.traits.clone(),
        models: a.models.clone(),
        state: state(policy, id, a, today, unchanged_sources.as_ref().map(Vec::len)),
        unchanged_sources,
        approved_by: a.approved_by.clone(),
        from: a.approved_at,
        until: a.expires_at,
        days_left: today.until(a.expires_at).map_or(0, |span| span.get_days()),
        applied_by: policy.file().purposes.iter().filter_map(applied).collect(),
    }
}

fn state(policy: &Policy, id: &str, a: &Assessment, today: Date, unchanged: Option<usize>) -> State {
    let rules = &policy.rules().assessments[id];
    let is_complete = rules.has_approver
        && (a.kind == AssessmentKind::Dpia || (rules.has_interest && rules.has_necessity && rules.has_balancing));
    let other_traits = a.trait_list.as_ref().is_some_and(|list| *list != trait_list_hash());
    let other_sources = a.sources.as_ref().map(Vec::len) != unchanged;
    if a.expires_at <= today {
        State::Expired
    } else if !is_complete {
        State::Incomplete
    } else if a.kind == AssessmentKind::Dpia && (other_traits || other_sources) {
        State::Changed
    } else if today < a.approved_at {
        State::NotYet
    } else {
        State::Valid
    }
}
