//! How many contacts and companies the exports have, tonight and in the run before.
//!
//! Invariant: tables of what an export has that was cut short do not take the place of whole ones. A run with a limit is
//! nothing that a night is held against.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::config::Plan;
use crate::run::engine::{Options, RunError};
use crate::run::load::Loaded;
use crate::run::prepare::Prepared;
use crate::run::summary::{Counts, Summary};
use crate::sink;

/// How many there are in exports.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exported {
    /// Contacts that are worked on.
    pub contacts: u64,
    /// Companies.
    pub companies: u64,
    /// Contacts that the CRM has deleted, or merged into others.
    pub gone: u64,
    /// Contacts who were erased before.
    pub suppressed: u64,
    /// Of a night of changes: the last two are counted of those alone who are worked on.
    pub is_of_changes: bool,
}

impl Exported {
    /// What is known before anything is done, where everybody is worked on.
    fn of_input(loaded: &Loaded) -> Self {
        Self {
            contacts: loaded.subjects(),
            companies: loaded.companies() as u64,
            gone: loaded.gone.len() as u64,
            suppressed: loaded.suppressed.all,
            is_of_changes: false,
        }
    }

    /// What a run had by the end.
    const fn of(counts: &Counts) -> Self {
        Self {
            contacts: counts.subjects,
            companies: counts.accounts,
            gone: counts.gone,
            suppressed: counts.suppressed,
            is_of_changes: counts.carried_over > 0,
        }
    }

    /// What a night of the pipeline is held against; `None` = there was no run that can be read.
    fn before(home: &Path, plan: &Plan) -> Option<Self> {
        let snapshot = sink::current(home, plan.name()).ok().flatten()?;
        let counts = Summary::from_manifest(home, &snapshot).ok()?.counts;
        Some(counts.held_against.unwrap_or_else(|| Self::of(&counts)))
    }
}

/// What is missing although the tables were published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missing {
    /// `contacts` or `companies`.
    pub what: String,
    /// In these exports.
    pub now: u64,
    /// In those of the run before.
    pub before: u64,
}

/// Fewer contacts or companies than this, and losing most of them says nothing.
const FEWEST: u64 = 20;

/// A larger share that is missing is told, whatever the pipeline allows.
const TOLD: f64 = 0.2;

/// Compares how many there are with those of the pipeline's current snapshot before anything is done; `None` = that cannot be
/// known yet.
///
/// # Errors
/// More are missing than the pipeline allows, and nobody said that this is meant.
pub(super) fn early(prepared: &Prepared, options: &Options) -> Result<Option<Vec<Missing>>, RunError> {
    // Who is carried over is known in the end. Nothing is fetched until then: nights of changes have no sources.
    if prepared.carry.is_some() {
        return Ok(None);
    }
    enough(&prepared.home_path, &prepared.plan, options, Exported::of_input(&prepared.loaded)).map(Some)
}

/// Takes note of what was found, or looks now; and of what the next night is held against, where that is not this run: one
/// with a limit hands on what was there before it, and where nothing was, nothing.
///
/// # Errors
/// As [`early`].
pub(super) fn conclude(
    found: Option<Vec<Missing>>,
    (home, plan): (&Path, &Plan),
    options: &Options,
    counts: &mut Counts,
) -> Result<(), RunError> {
    counts.missing = match found {
        Some(found) => found,
        None => enough(home, plan, options, Exported::of(counts))?,
    };
    counts.held_against = options.limit.map(|_| Exported::before(home, plan).unwrap_or_default());
    Ok(())
}

fn enough(home: &Path, plan: &Plan, options: &Options, now: Exported) -> Result<Vec<Missing>, RunError> {
    // A limit is meant, and a recording was made of whatever was there.
    if options.limit.is_some() || options.replay.is_some() {
        return Ok(Vec::new());
    }
    let Some(before) = Exported::before(home, plan) else { return Ok(Vec::new()) };
    let most = plan.budgets().missing_share;
    if let Some((what, now, before)) = missing(before, now, most).next().filter(|_| !options.accept_missing) {
        return Err(RunError::Missing { what, now, before });
    }
    let accepted = if options.accept_missing { "; accepted" } else { "" };
    let told = missing(before, now, most.min(TOLD)).map(|(what, now, before)| {
        tracing::warn!("the exports have {now} {what}, those of the last run had {before}{accepted}");
        Missing { what: what.to_owned(), now, before }
    });
    Ok(told.collect())
}

/// Of what more than a share is missing, how many there are, and how many there were.
fn missing(before: Exported, now: Exported, share: f64) -> impl Iterator<Item = (&'static str, u64, u64)> {
    // Of whom the CRM says that they are gone is not missing, nor is who was erased.
    let told = match (before.is_of_changes, now.is_of_changes) {
        (_, true) => now.gone + now.suppressed,
        (false, false) => now.gone.saturating_sub(before.gone) + now.suppressed.saturating_sub(before.suppressed),
        (true, false) => 0,
    };
    let of = [("contacts", now.contacts, before.contacts, told), ("companies", now.companies, before.companies, 0)];
    let lacks =
        move |now: u64, before: u64, told: u64| before.saturating_sub(now + told) as f64 > share * before as f64;
    let found = of.into_iter().filter(move |(_, now, before, told)| *before >= FEWEST && lacks(*now, *before, *told));
    found.map(|(what, now, before, _)| (what, now, before))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn most_contacts_do_not_vanish_untold() {
        let counts = |contacts, companies, gone, suppressed| Exported {
            contacts,
            companies,
            gone,
            suppressed,
            is_of_changes: false,
        };
        let before = counts(100, 40, 10, 1);
        let lacks = |now, share| missing(before, now, share).next().map(|(what, ..)| what);
        assert_eq!(lacks(counts(50, 40, 10, 1), 0.5), None);
        assert_eq!(lacks(counts(49, 40, 10, 1), 0.5), Some("contacts"));
        assert_eq!(lacks(counts(0, 0, 0, 0), 0.5), Some("contacts"));
        assert_eq!(lacks(counts(99, 40, 10, 1), 0.0), Some("contacts"));
        assert_eq!(lacks(counts(0, 0, 0, 0), 1.0), None);
        // They are not missing if the CRM says that they are gone, or if they were erased.
        assert_eq!(lacks(counts(49, 40, 11, 1), 0.5), None);
        assert_eq!(lacks(counts(49, 40, 10, 2), 0.5), None);
        assert_eq!(lacks(counts(20, 40, 100, 1), 0.5), None);
        assert_eq!(lacks(counts(100, 19, 10, 1), 0.5), Some("companies"));
        // After a night of changes, or in one, who is gone is counted of some only.
        let of_changes = |counts: Exported| Exported { is_of_changes: true, ..counts };
        let after = |now| missing(of_changes(counts(100, 40, 0, 0)), now, 0.5).next().is_some();
        assert!(after(counts(5, 40, 160, 0)) && !after(counts(60, 40, 160, 0)));
        assert!(!after(of_changes(counts(40, 40, 60, 0))) && after(of_changes(counts(40, 40, 5, 0))));
        // Of few nothing is concluded.
        assert_eq!(missing(counts(19, 19, 0, 0), counts(1, 1, 0, 0), 0.5).next(), None);
    }
}
