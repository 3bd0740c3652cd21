//! What was refused and why: counts of refusals, by reason, purpose, source, stage or month.
//!
//! Invariant: people are counted, never named. A person who was erased counts once a month, because nobody can tell
//! any more whether two tags are theirs.

use std::collections::{BTreeMap, HashSet};

use serde::Serialize;

use super::book::{Key, People, Who, key, month};
use super::{Book, ReportError};
use crate::audit::leaf::{Decision, Leaf};

/// By what refusals are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// Every reason of a refusal; one with two reasons counts under both.
    #[default]
    Reason,
    /// The purpose that was asked for.
    Purpose,
    /// The source that was to be asked.
    Source,
    /// The part of the line that asked.
    Stage,
    /// The month of the entry.
    Month,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Denials {
    /// By what.
    pub by: By,
    /// Decisions in the log.
    pub decisions: u64,
    /// Refusals among them.
    pub refusals: u64,
    /// Distinct people who were refused something.
    pub subjects: u64,
    /// The groups, largest first.
    pub groups: Vec<Group>,
}

/// Refusals that have something in common.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Group {
    /// What.
    pub name: String,
    /// How many refusals.
    pub refusals: u64,
    /// How many of them have it as the primary reason; the same number unless counted by reason.
    pub primary: u64,
    /// Share of all refusals.
    pub share: f64,
    /// Distinct people.
    pub subjects: u64,
}

#[derive(Default)]
struct Tally {
    refusals: u64,
    primary: u64,
    subjects: HashSet<Key>,
}

/// Counts.
///
/// # Errors
/// The log cannot be read.
pub fn denials(book: &Book<'_>, by: By) -> Result<Denials, ReportError> {
    let mut people = People::new(book.vault);
    let mut groups: BTreeMap<String, Tally> = BTreeMap::new();
    let (mut decisions, mut refusals, mut subjects) = (0, 0, HashSet::new());
    book.each_leaf(|_, leaf| {
        decisions += leaf.decisions.len() as u64;
        if leaf.decisions.iter().all(Decision::permitted) {
            return Ok(());
        }
        let person = match people.who(leaf) {
            Who::Subject(id) => Some(key(&[id.as_str()])),
            Who::Nobody => leaf.subject.as_deref().map(|tag| key(&[tag])),
            Who::Other => None,
        };
        for decision in leaf.decisions.iter().filter(|d| !d.permitted()) {
            refusals += 1;
            subjects.extend(person);
            for (place, name) in names(by, leaf, decision).into_iter().enumerate() {
                let tally = groups.entry(name).or_default();
                tally.refusals += 1;
                tally.primary += u64::from(place == 0);
                tally.subjects.extend(person);
            }
        }
        Ok(())
    })?;
    let share = |n: u64| if refusals == 0 { 0.0 } else { n as f64 / refusals as f64 };
    let group = |(name, t): (String, Tally)| Group {
        name,
        share: share(t.refusals),
        refusals: t.refusals,
        primary: t.primary,
        subjects: t.subjects.len() as u64,
    };
    let mut groups: Vec<Group> = groups.into_iter().map(group).collect();
    groups.sort_by_key(|g| std::cmp::Reverse(g.refusals));
    if by == By::Month {
        groups.sort_by(|a, b| a.name.cmp(&b.name));
    }
    Ok(Denials { by, decisions, refusals, subjects: subjects.len() as u64, groups })
}

fn names(by: By, leaf: &Leaf, decision: &Decision) -> Vec<String> {
    match by {
        By::Reason => decision.reasons.clone(),
        By::Purpose => vec![decision.purpose.clone()],
        By::Source => vec![decision.source.clone()],
        By::Stage => vec![leaf.stage.map_or_else(|| "none".to_owned(), |s| format!("{s:?}").to_lowercase())],
        By::Month => {
            let (year, month) = month(leaf.at);
            vec![format!("{year}-{month:02}")]
        }
    }
}
