//! Dates of exports.
//!
//! Invariant: pure; a date with slashes, whose order is anybody's guess, is unreadable.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::Offset;
use jiff::{Timestamp, ToSpan};

/// An instant or a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    At(Timestamp),
    Day(Date),
}

impl When {
    /// The instant, or the first of the day (UTC).
    pub fn start(self) -> Timestamp {
        match self {
            Self::At(at) => at,
            Self::Day(day) => utc(day.to_datetime(Time::midnight())),
        }
    }

    /// The instant, or the first after the day (UTC).
    pub fn end(self) -> Timestamp {
        match self {
            Self::At(at) => at,
            Self::Day(day) => day.tomorrow().map_or(Timestamp::MAX, |next| utc(next.to_datetime(Time::midnight()))),
        }
    }
}

/// Reads 2025-06-01, with a time, with or without a zone (none = UTC); 1748765700000 (milliseconds); 01.06.2025.
pub(super) fn when(cell: &str) -> Option<When> {
    let cell = cell.trim();
    if cell.len() >= 12 && cell.bytes().all(|b| b.is_ascii_digit()) {
        return cell.parse().ok().and_then(|ms| Timestamp::from_millisecond(ms).ok()).filter(is_sane).map(When::At);
    }
    if let Some(day) = day(cell) {
        return Some(When::Day(day));
    }
    if let Ok(at) = cell.parse::<Timestamp>() {
        return is_sane(&at).then_some(When::At(at));
    }
    let zoned = cell.contains('Z') || cell.rfind(['+', '-']).is_some_and(|i| i > 10);
    let at = if zoned { None } else { cell.parse::<DateTime>().ok().map(utc) };
    at.filter(is_sane).map(When::At)
}

fn day(cell: &str) -> Option<Date> {
    let dotted = || {
        let mut parts = cell.split('.');
        let (d, m, y) = (parts.next()?, parts.next()?, parts.next()?);
        let whole = parts.next().is_none() && y.len() == 4 && d.len() <= 2 && m.len() <= 2;
        whole.then(|| Date::new(y.parse().ok()?, m.parse().ok()?, d.parse().ok()?).ok()).flatten()
    };
    let iso = || (cell.len() == 10).then(|| cell.parse().ok()).flatten();
    iso().or_else(dotted).filter(|d: &Date| (1900..=9000).contains(&d.year()))
}

fn utc(at: DateTime) -> Timestamp {
    Offset::UTC.to_timestamp(at).unwrap_or(Timestamp::MAX)
}

/// Earlier than 1900 or far in the future is a slip, and nothing may pass for the date that stands for "undated".
fn is_sane(at: &Timestamp) -> bool {
    let latest = Timestamp::MAX.checked_sub((24 * 365 * 900).hours()).unwrap_or(Timestamp::MAX);
    Offset::UTC.to_datetime(*at).year() >= 1900 && *at < latest
}

#[cfg(test)]
mod tests {
    use super::when;

    #[test]
    fn dates_of_all_apis_are_read_and_ambiguous_ones_are_not() {
        let read = [
            ("2025-06-01", "2025-06-01T00:00:00Z", "2025-06-02T00:00:00Z"),
            ("01.06.2025", "2025-06-01T00:00:00Z", "2025-06-02T00:00:00Z"),
            ("2025-06-01T08:15:00Z", "2025-06-01T08:15:00Z", "2025-06-01T08:15:00Z"),
            ("2025-06-01T10:15:00.000+0200", "2025-06-01T08:15:00Z", "2025-06-01T08:15:00Z"),
            ("2025-06-01T08:15:00.000+0000", "2025-06-01T08:15:00Z", "2025-06-01T08:15:00Z"),
            ("2025-06-01 08:15:00", "2025-06-01T08:15:00Z", "2025-06-01T08:15:00Z"),
            ("2025-06-01T08:15:00", "2025-06-01T08:15:00Z", "2025-06-01T08:15:00Z"),
            ("1748765700000", "2025-06-01T08:15:00Z", "2025-06-01T08:15:00Z"),
        ];
        for (text, start, end) in read {
            let when = when(text).unwrap_or_else(|| panic!("{text} is a date"));
            assert_eq!((when.start().to_string(), when.end().to_string()), (start.into(), end.into()), "{text}");
        }
        let not = ["06/01/2025", "1.6.25", "soon", "", "2025-13-01", "0000-00-00", "9999-12-31", "99999999999999999"];
        for text in not {
            assert_eq!(when(text), None, "{text}");
        }
    }
}
