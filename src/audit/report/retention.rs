//! Rows, and what is kept of pages, beyond their retention; rows whose retention was moved away from the first collection.
//!
//! Invariant: the anchor is the first collection that the ledger remembers; nothing renews it.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::book::{Kept, Key, Policies, key};
use super::{Book, Finding, Findings, ReportError, table};
use crate::consent::policy::Policy;
use crate::model::SubjectId;
use crate::rights::restrict;
use crate::rights::store::Store;
use crate::run::kept;
use crate::sink::Table;

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Overdue {
    /// Snapshots that were looked at.
    pub snapshots: u64,
    /// Rows of `personas` and `evidence` about people.
    pub rows: u64,
    /// The next row to end, of those that have not.
    pub next: Option<Timestamp>,
    /// `overdue`, `overdue_sealed`, `sealed_unreadable`, `anchor_moved`, `no_anchor`.
    pub findings: Findings,
}

/// Looks for rows, and for what is kept of pages, beyond their time.
///
/// # Errors
/// A snapshot, or what is kept of pages, cannot be read.
pub fn overdue(book: &Book<'_>) -> Result<Overdue, ReportError> {
    let mut all = Overdue::default();
    // First: these wait for somebody to decide.
    sealed(book, &mut all)?;
    let mut policies = Policies::new(book);
    for kept in book.snapshots()? {
        all.snapshots += 1;
        let policy = policies.get(kept.text("policy_hash"));
        personas(book, &kept, policy, &mut all)?;
        if let Some(policy) = policy {
            evidence(book, &kept, policy, &mut all)?;
        }
    }
    for (place, end) in kept::over(book.home, book.pipeline, book.now)? {
        let finding = Finding {
            kind: OVERDUE,
            says: ended("the retention of what is kept of a page", end),
            ..Finding::default()
        };
        all.findings.add(Finding { row: Some(place), ..finding });
    }
    Ok(all)
}

/// Beyond its time.
const OVERDUE: &str = "overdue";
/// The same, where the person may need it (Art. 18(1)(b) and (c)): a sweep does not destroy it unless told to.
const OVERDUE_SEALED: &str = "overdue_sealed";
/// A sealed copy that this version cannot read: nobody knows when its time ends.
const SEALED_UNREADABLE: &str = "sealed_unreadable";
const UNREADABLE: &str = "the sealed copy cannot be read by this version, so it is not known when its retention ends, and nothing \
                          can be added to it: use the version that wrote it; if that cannot read it either, restore the home as \
                          a whole from its newest backup";

/// Sealed copies of those whose processing is restricted.
fn sealed(book: &Book<'_>, all: &mut Overdue) -> Result<(), ReportError> {
    if !book.home.join("rights.sqlite").exists() {
        return Ok(());
    }
    let store = Store::open_to_read(book.home, book.vault)?;
    let mut people = store.all_restricted(book.vault)?;
    people.sort_by(|(one, _), (other, _)| one.cmp(other));
    for (subject, key) in people {
        let Some(copy) = store.restricted(&key)? else { continue };
        let about = Some(subject.to_string());
        let Ok(end) = restrict::retain_until(&copy) else {
            all.findings.add(Finding {
                kind: SEALED_UNREADABLE,
                says: UNREADABLE.to_owned(),
                about,
                ..Finding::default()
            });
            continue;
        };
        if let Some(end) = end.filter(|end| *end <= book.now) {
            let day = jiff::tz::Offset::UTC.to_datetime(end).date();
            let says = format!(
                "the retention of the sealed copy ended on {day}, and processing is restricted: the person may need it, or may \
                 have asked for it instead of erasure. Ask them, then erase them, or `retention sweep --sealed`"
            );
            all.findings.add(Finding { kind: OVERDUE_SEALED, says, about, ..Finding::default() });
        }
    }
    Ok(())
}

fn ended(what: &str, end: Timestamp) -> String {
    let day = jiff::tz::Offset::UTC.to_datetime(end).date();
    format!("{what} ended on {day}: run `prosopon retention sweep`")
}

fn personas(book: &Book<'_>, kept: &Kept, policy: Option<&Policy>, all: &mut Overdue) -> Result<(), ReportError> {
    let purpose = kept.text("purpose");
    table::each(&kept.snapshot, Table::Personas, |row| {
        let (id, end) = (row.text("subject_id")?, row.time("retain_until")?);
        let first = first_seen(book, id);
        let anchored = first.and_then(|first| policy?.retain_until(purpose, first));
        if first.is_none() {
            let says = "the ledger does not know when this person was first collected";
            all.findings.add(finding("no_anchor", says, kept, Table::Personas, id, id));
        } else if anchored.is_some_and(|anchored| end > anchored + SignedDuration::from_secs(1)) {
            let says = "its retention ends later than first collection and purpose allow";
            all.findings.add(finding("anchor_moved", says, kept, Table::Personas, id, id));
        }
        all.row(book.now, anchored.map_or(end, |anchored| anchored.min(end)), kept, Table::Personas, (id, id));
        Ok(())
    })
}

fn evidence(book: &Book<'_>, kept: &Kept, policy: &Policy, all: &mut Overdue) -> Result<(), ReportError> {
    let mut purposes: std::collections::HashMap<Key, String> = std::collections::HashMap::new();
    table::each(&kept.snapshot, Table::Decisions, |row| {
        // Only purposes that end earlier than the persona's can make a difference.
        if let Some(permit) = row.opt("permit_id")?
            && row.opt("subject_id")?.is_some()
        {
            purposes.insert(key(&[permit]), row.text("purpose")?.to_owned());
        }
        Ok(())
    })?;
    table::each(&kept.snapshot, Table::Evidence, |row| {
        let Some(subject) = row.opt("subject_id")? else { return Ok(()) };
        let purpose = purposes.get(&key(&[row.text("permit_id")?])).map_or(kept.text("purpose"), String::as_str);
        if let Some(end) = first_seen(book, subject).and_then(|first| policy.retain_until(purpose, first)) {
            all.row(book.now, end, kept, Table::Evidence, (row.text("signal_id")?, subject));
        }
        Ok(())
    })
}

impl Overdue {
    fn row(&mut self, now: Timestamp, end: Timestamp, kept: &Kept, table: Table, (row, about): (&str, &str)) {
        self.rows += 1;
        if end <= now {
            self.findings.add(finding(OVERDUE, &ended("its retention", end), kept, table, row, about));
        } else {
            self.next = Some(self.next.map_or(end, |next| next.min(end)));
        }
    }
}

fn first_seen(book: &Book<'_>, id: &str) -> Option<Timestamp> {
    book.ledger.first_seen(&SubjectId::from_body(id.strip_prefix(SubjectId::PREFIX).unwrap_or(id)))
}

fn finding(kind: &'static str, says: &str, kept: &Kept, table: Table, row: &str, about: &str) -> Finding {
    Finding {
        kind,
        says: says.to_owned(),
        about: Some(about.to_owned()),
        snapshot: Some(kept.run().to_owned()),
        table: Some(table.as_str()),
        row: Some(row.to_owned()),
        ..Finding::default()
    }
}
