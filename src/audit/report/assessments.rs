//! LIA and DPIA that were applied: by whom approved, until when, and how many permits rest on each.
//!
//! Invariant: counted is what leaves name; an assessment that a leaf names and no policy knows is a finding.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::tz::Offset;
use jiff::{Timestamp, Unit};
use serde::Serialize;

use super::book::Policies;
use super::{Book, Finding, Findings, ReportError};
use crate::consent::policy::{AssessmentKind, Policy};

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Assessments {
    /// By id and policy, those that expire first before the others.
    pub assessments: Vec<Applied>,
    /// `unknown_assessment`, `expired_assessment`.
    pub findings: Findings,
}

/// One assessment in one policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Applied {
    /// Its id in the policy.
    pub id: String,
    /// Hash of the policy.
    pub policy: String,
    /// The policy is the one that is applied now.
    pub current: bool,
    /// LIA or DPIA.
    pub kind: AssessmentKind,
    /// Its purposes.
    pub purposes: Vec<String>,
    /// Who approved it.
    pub approved_by: String,
    /// When.
    pub approved_at: Date,
    /// From this day on it covers nothing.
    pub expires_at: Date,
    /// Days until then, negative where it has expired.
    pub days_left: i32,
    /// Permits that rest on it.
    pub permits: u64,
    /// The first of them.
    pub first: Option<Timestamp>,
    /// The last of them.
    pub last: Option<Timestamp>,
}

#[derive(Default)]
struct Use {
    permits: u64,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
}

/// Lists.
///
/// # Errors
/// The log or a snapshot cannot be read.
pub fn assessments(book: &Book<'_>) -> Result<Assessments, ReportError> {
    let now = book.policy_now(&book.snapshots()?)?;
    let mut all = Assessments::default();
    let mut policies = Policies::new(book);
    let mut uses: BTreeMap<(String, String), Use> = BTreeMap::new();
    let mut hashes: Vec<String> = now.iter().cloned().collect();
    book.each_leaf(|number, leaf| {
        let Some(hash) = &leaf.policy else { return Ok(()) };
        if !hashes.contains(hash) {
            hashes.push(hash.clone());
        }
        for decision in leaf.decisions.iter().filter(|d| d.permitted()) {
            for id in &decision.assessments {
                let used = uses.entry((hash.clone(), id.clone())).or_default();
                used.permits += 1;
                used.first = Some(used.first.map_or(decision.at, |at| at.min(decision.at)));
                used.last = used.last.max(Some(decision.at));
                if let Some(kind) = wrong(policies.get(hash), id, day(decision.at)) {
                    let says = match kind {
                        "expired_assessment" => format!("assessment {id} did not hold at the time of the permit"),
                        _ => format!("assessment {id} stands in no policy of the entry's hash"),
                    };
                    all.findings.add(Finding { kind, says, leaf: Some(number), ..Finding::default() });
                }
            }
        }
        Ok(())
    })?;
    for hash in hashes {
        let Some(policy) = policies.get(&hash) else { continue };
        for (id, a) in &policy.file().assessments {
            let used = uses.remove(&(hash.clone(), id.clone())).unwrap_or_default();
            let current = now.as_deref() == Some(hash.as_str());
            if !current && used.permits == 0 {
                continue;
            }
            if current && a.expires_at <= day(book.now) {
                let says =
                    format!("assessment {id} of the policy that is applied now has expired: what needs it is refused");
                all.findings.add(Finding { kind: "expired_assessment", says, ..Finding::default() });
            }
            all.assessments.push(Applied {
                id: id.clone(),
                policy: hash.clone(),
                current,
                kind: a.kind,
                purposes: a.purposes.clone(),
                approved_by: a.approved_by.clone(),
                approved_at: a.approved_at,
                expires_at: a.expires_at,
                days_left: days(day(book.now), a.expires_at),
                permits: used.permits,
                first: used.first,
                last: used.last,
            });
        }
    }
    all.assessments.sort_by(|a, b| (a.expires_at, &a.id, &a.policy).cmp(&(b.expires_at, &b.id, &b.policy)));
    Ok(all)
}

fn wrong(policy: Option<&Policy>, id: &str, day: Date) -> Option<&'static str> {
    match policy.and_then(|p| p.file().assessments.get(id)) {
        None => Some("unknown_assessment"),
        Some(a) if day < a.approved_at || a.expires_at <= day => Some("expired_assessment"),
        Some(_) => None,
    }
}

fn day(at: Timestamp) -> Date {
    Offset::UTC.to_datetime(at).date()
}

/// Whole days between two dates.
fn days(from: Date, to: Date) -> i32 {
    from.until((Unit::Day, to)).map_or(0, |span| span.get_days())
}
