//! Who awaits an Art. 14 notice, and until when.
//!
//! Invariant: due is the earliest of the policy's days, a month, and the first disclosure; whoever was told by a
//! notice or by the wording of a proven consent awaits none.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;
use serde::Serialize;

use super::book::{People, Policies, Who};
use super::law::notified_at;
use super::{Book, ReportError, table};
use crate::consent::event::{EventKind, LawfulBasis, LegalEvent};
use crate::consent::policy::Policy;
use crate::model::SubjectId;
use crate::sink::Table;
use crate::taxonomy::Operation;

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct NoticesDue {
    /// How many of them are overdue.
    pub overdue: u64,
    /// Overdue first, then by date.
    pub due: Vec<Due>,
}

/// A person and a purpose.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Due {
    /// Until when the person must be told.
    pub due_at: Timestamp,
    /// Whom.
    pub subject: String,
    /// What about.
    pub purpose: String,
    /// That day has passed.
    pub overdue: bool,
    /// The first collection.
    pub collected_at: Timestamp,
    /// The first disclosure, where it came before the notice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disclosed_at: Option<Timestamp>,
}

/// Lists. `within`: only those that are due by then.
///
/// # Errors
/// The log or a snapshot cannot be read.
pub fn notices(book: &Book<'_>, within: Option<Timestamp>) -> Result<NoticesDue, ReportError> {
    let snapshots = book.snapshots()?;
    let mut policies = Policies::new(book);
    let Some(hash) = book.policy_now(&snapshots)? else { return Ok(NoticesDue::default()) };
    let Some(policy) = policies.get(&hash) else { return Ok(NoticesDue::default()) };
    let disclosed = disclosures(book)?;
    let mut pending: BTreeSet<(SubjectId, String)> = BTreeSet::new();
    for (subject, _) in book.ledger.all_seen() {
        for purpose in claimed(book.ledger.events(subject).unwrap_or_default(), policy) {
            pending.insert((subject.clone(), purpose));
        }
    }
    // A row that says `pending`, whatever the ledger says.
    for kept in snapshots.iter().filter(|kept| kept.current) {
        table::each(&kept.snapshot, Table::Personas, |row| {
            if row.text("notice_status")? == "pending" {
                let id = row.text("subject_id")?;
                let subject = SubjectId::from_body(id.strip_prefix(SubjectId::PREFIX).unwrap_or(id));
                pending.insert((subject, kept.text("purpose").to_owned()));
            }
            Ok(())
        })?;
    }
    let mut all = NoticesDue::default();
    for (subject, purpose) in pending {
        let events = book.ledger.events(&subject).unwrap_or_default();
        let over = events.iter().any(|e| e.kind == EventKind::Erase);
        let Some(collected_at) = book.ledger.first_seen(&subject) else { continue };
        if over || notified_at(events, &purpose, book.now).is_some() {
            continue;
        }
        let disclosed_at = disclosed.get(&(subject.clone(), purpose.clone())).copied();
        let due_at = policy.notice_due(collected_at).min(disclosed_at.unwrap_or(Timestamp::MAX));
        let overdue = due_at < book.now;
        if within.is_none_or(|end| due_at <= end) {
            all.overdue += u64::from(overdue);
            all.due.push(Due { due_at, subject: subject.to_string(), purpose, overdue, collected_at, disclosed_at });
        }
    }
    all.due.sort();
    Ok(all)
}

/// Purposes for which somebody claims legitimate interest and that may rest on it.
fn claimed(events: &[LegalEvent], policy: &Policy) -> BTreeSet<String> {
    let interest = LawfulBasis::LegitimateInterest;
    let claims = events.iter().filter(|e| e.kind == EventKind::Grant && e.basis == Some(interest));
    let admitted = |p: &&String| policy.file().purposes.get(*p).is_some_and(|p| p.bases.contains(&interest));
    claims.flat_map(|e| e.scope.purposes.iter().filter(admitted).cloned().collect::<Vec<_>>()).collect()
}

/// When something that rests on legitimate interest was first emitted to somebody.
fn disclosures(book: &Book<'_>) -> Result<HashMap<(SubjectId, String), Timestamp>, ReportError> {
    let mut first: HashMap<(SubjectId, String), Timestamp> = HashMap::new();
    let mut people = People::new(book.vault);
    let article = LawfulBasis::LegitimateInterest.article();
    book.each_leaf(|_, leaf| {
        let Who::Subject(subject) = people.who(leaf) else { return Ok(()) };
        for d in leaf.decisions.iter().filter(|d| d.permitted() && d.op == Operation::Emit) {
            if d.reasons.iter().any(|basis| basis == article) {
                first.entry((subject.clone(), d.purpose.clone())).or_insert(leaf.at);
            }
        }
        Ok(())
    })?;
    Ok(first)
}
