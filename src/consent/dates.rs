//! Dates that cannot be: an end before its begin, and a record from the future.
//!
//! Invariant: pure. A row with such a date grants nothing; a no with one holds from ever and for ever, for its dates
//! tell nothing.

use jiff::{SignedDuration, Timestamp};

use crate::consent::event::EventKind;
use crate::crm::ConsentRow;
use crate::ids::Ids;
use crate::model::{DeadLetter, SubjectId};

/// Clocks differ, and a day without a time zone may have begun elsewhere.
const TOLERANCE: SignedDuration = SignedDuration::from_hours(24);

/// What is wrong with the dates of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::consent) enum Slip {
    /// The end is not after the begin.
    EndBeforeBegin,
    /// It was written down at a time that has not come yet.
    Future,
}

/// The first thing that is wrong with the dates of a row, as it is read at `now`.
pub(in crate::consent) fn slip(
    (from, to): (Option<Timestamp>, Option<Timestamp>),
    recorded_at: Option<Timestamp>,
    now: Timestamp,
) -> Option<Slip> {
    let reversed = from.zip(to).is_some_and(|(from, to)| to <= from);
    let latest = now.checked_add(TOLERANCE).unwrap_or(Timestamp::MAX);
    if reversed { Some(Slip::EndBeforeBegin) } else { recorded_at.filter(|at| *at > latest).map(|_| Slip::Future) }
}

impl Slip {
    /// As it stands in dead letters.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::EndBeforeBegin => "end_before_begin",
            Self::Future => "future_date",
        }
    }

    /// What to do, and what became of the row until then.
    pub const fn advice(self, negative: bool) -> &'static str {
        match (self, negative) {
            (Self::EndBeforeBegin, false) => {
                "it would end before it begins, so it grants nothing; correct one of the two dates"
            }
            (Self::EndBeforeBegin, true) => {
                "it would end before it begins, so the no holds from ever and for ever; correct one of the two dates"
            }
            (Self::Future, false) => {
                "it was recorded at a time that has not come yet, so it grants nothing; correct the date"
            }
            (Self::Future, true) => {
                "it was recorded at a time that has not come yet, so the no holds from ever and for ever; correct the date"
            }
        }
    }
}

/// Takes rows out of a pull whose dates cannot be, and the dates out of those that say no; tells each.
#[must_use]
pub fn without_slips(
    crm: &str,
    rows: Vec<ConsentRow>,
    ids: &Ids,
    now: Timestamp,
) -> (Vec<ConsentRow>, Vec<DeadLetter>) {
    let mut letters = Vec::new();
    let kept = rows.into_iter().filter_map(|mut row| {
        // Where nothing else is stated, a row counts as written down when it begins.
        let recorded = row.recorded_at.or(row.valid_from);
        let Some(slip) = slip((row.valid_from, row.valid_to), recorded, now) else { return Some(row) };
        // An unknown kind counts as a refusal.
        let negative = EventKind::read(&row.kind).is_none_or(EventKind::is_negative);
        let field = match slip {
            Slip::EndBeforeBegin => "valid_to",
            Slip::Future if row.recorded_at.is_some() => "recorded_at",
            Slip::Future => "valid_from",
        };
        letters.push(letter(slip, field, negative, &row, ids, ids.subject(crm, &row.contact_id)));
        (row.valid_from, row.valid_to, row.recorded_at) = (None, None, None);
        negative.then_some(row)
    });
    let kept = kept.collect();
    (kept, letters)
}

fn letter(slip: Slip, field: &str, negative: bool, row: &ConsentRow, ids: &Ids, subject: SubjectId) -> DeadLetter {
    let origin = &row.origin;
    DeadLetter {
        stage: "consent".to_owned(),
        reason: slip.reason().to_owned(),
        detail: format!("{origin}, field {field}: {}", slip.advice(negative)),
        row_commitment: ids.commitment("row", &origin.digest),
        subject_id: Some(subject),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::crm::Origin;
    use crate::ids::DEMO_KEY;

    fn at(day: &str) -> Timestamp {
        format!("{day}T00:00:00Z").parse().expect("a day")
    }

    fn row(kind: &str, [from, to, recorded]: [&str; 3]) -> ConsentRow {
        let date = |day: &str| (day != "-").then(|| at(day));
        ConsentRow {
            event_id: None,
            contact_id: "K-1".into(),
            kind: kind.into(),
            basis: Some("6(1)(a)".into()),
            purposes: Vec::new(),
            source_classes: Vec::new(),
            valid_from: date(from),
            valid_to: date(to),
            recorded_at: date(recorded),
            method: None,
            notice_id: None,
            wording_hash: None,
            language: None,
            origin: Origin { file: Arc::from("c.csv"), line: 7, unit: crate::crm::Unit::Line, digest: [0; 32] },
        }
    }

    #[test]
    fn dates_that_cannot_be_grant_nothing_and_lose_no_no() {
        // kind, [from, to, recorded], what is told, what stays of the dates (`gone` = no row)
        let cases = [
            ("grant", ["2025-01-01", "2026-01-01", "2025-01-01"], "", "2025-01-01 2026-01-01 2025-01-01"),
            ("grant", ["2026-01-01", "2025-01-01", "2025-01-01"], "end_before_begin valid_to", "gone"),
            ("grant", ["2026-01-01", "2026-01-01", "2025-01-01"], "end_before_begin valid_to", "gone"),
            ("grant", ["-", "2025-01-01", "2026-01-01"], "", "- 2025-01-01 2026-01-01"),
            ("grant", ["-", "-", "2099-01-01"], "future_date recorded_at", "gone"),
            ("grant", ["2099-01-01", "-", "-"], "future_date valid_from", "gone"),
            // A consent that begins later is none of these.
            ("grant", ["2026-09-01", "-", "2026-03-01"], "", "2026-09-01 - 2026-03-01"),
            // Another time zone's today.
            ("grant", ["-", "-", "2026-03-03"], "", "- - 2026-03-03"),
            ("lift", ["-", "-", "2099-01-01"], "future_date recorded_at", "gone"),
            ("notice", ["2026-01-01", "2025-01-01", "-"], "end_before_begin valid_to", "gone"),
            ("withdraw", ["2026-01-01", "2025-01-01", "2025-01-01"], "end_before_begin valid_to", "- - -"),
            ("object", ["2025-01-01", "-", "2099-01-01"], "future_date recorded_at", "- - -"),
            ("whatever", ["-", "-", "2099-01-01"], "future_date recorded_at", "- - -"),
        ];
        let ids = Ids::new(DEMO_KEY);
        for (kind, dates, told, left) in cases {
            let (rows, letters) = without_slips("crm", vec![row(kind, dates)], &ids, at("2026-03-02"));
            let day = |d: Option<Timestamp>| d.map_or("-".to_owned(), |d| d.to_string()[..10].to_owned());
            let dates_left = rows
                .first()
                .map_or("gone".to_owned(), |r| [r.valid_from, r.valid_to, r.recorded_at].map(day).join(" "));
            assert_eq!(dates_left, left, "{kind} {dates:?}");
            let found = letters.iter().map(|l| {
                let field = l.detail.split("field ").nth(1).and_then(|d| d.split(':').next()).unwrap_or_default();
                format!("{} {field}", l.reason)
            });
            assert_eq!(found.collect::<Vec<_>>().join(","), told, "{kind} {dates:?}");
            let place = |l: &DeadLetter| l.detail.starts_with("c.csv line 7, field ") && l.subject_id.is_some();
            assert!(letters.iter().all(place), "{letters:?}");
        }
    }
}
