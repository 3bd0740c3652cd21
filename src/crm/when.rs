//! Dates and instants, as exports write them.
//!
//! Invariant: pure; what cannot be read for certain is `None`, never a guess.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::Offset;

use super::DateOrder;
use super::value::month;

/// An instant, or a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    /// With a time; without a zone it is UTC.
    At(Timestamp),
    /// A day without a time.
    Day(Date),
}

impl When {
    /// The instant, or the first of the day (UTC).
    pub(crate) fn start(self) -> Timestamp {
        match self {
            Self::At(t) => t,
            Self::Day(d) => utc(d.to_datetime(Time::midnight())),
        }
    }

    /// The instant, or the first after the day (UTC); the end of time where the calendar ends.
    pub(crate) fn end(self) -> Timestamp {
        match self {
            Self::At(t) => t,
            Self::Day(d) => d.tomorrow().map_or(Timestamp::MAX, |next| utc(next.to_datetime(Time::midnight()))),
        }
    }
}

fn utc(at: DateTime) -> Timestamp {
    Offset::UTC.to_timestamp(at).unwrap_or(Timestamp::MAX)
}

/// Reads 2025-12-31, 20251231, 31.12.2025, 31.12.25, 31/12/2025 (by `order`), 31 Dec 2025, Dec 31, 2025, 31. Dezember 2025, each
/// with or without a time; and milliseconds since 1970, as APIs have them.
pub(crate) fn when(cell: &str, order: DateOrder) -> Option<When> {
    let cell = cell.trim();
    if let Ok(at) = cell.parse::<Timestamp>() {
        return in_range(at).then_some(When::At(at));
    }
    if let Some(number) = digits_of(cell) {
        return match cell.len() {
            8 => digit_date(cell).map(When::Day),
            13 => Timestamp::from_millisecond(number).ok().filter(|at| in_range(*at)).map(When::At),
            _ => None,
        };
    }
    if let Some((date, rest)) = worded_date(cell) {
        let time = rest.trim_start_matches([',', ' ']);
        return if time.is_empty() {
            Some(When::Day(date))
        } else {
            Some(When::At(utc(date.to_datetime(clock(time)?))))
        };
    }
    let (day, time) = match cell.split_once([' ', 'T']) {
        Some((day, time)) => (day.trim_end_matches(','), Some(time.trim())),
        None => (cell, None),
    };
    let date = date(day, order)?;
    match time {
        None => Some(When::Day(date)),
        Some(time) => Some(When::At(utc(date.to_datetime(clock(time)?)))),
    }
}

/// The same where the order of a date with slashes is told by its numbers; else it is `None`. Seconds since 1970 are read, too.
pub(crate) fn undoubted(cell: &str) -> Option<When> {
    let seconds = || Timestamp::from_second(digits_of(cell.trim()).filter(|_| cell.trim().len() == 10)?).ok();
    match (when(cell, DateOrder::DayFirst), when(cell, DateOrder::MonthFirst)) {
        (Some(day), Some(month)) => (day == month).then_some(day),
        (one, other) => one.or(other).or_else(|| seconds().filter(|at| in_range(*at)).map(When::At)),
    }
}

fn in_range(at: Timestamp) -> bool {
    (1900..=9999).contains(&Offset::UTC.to_datetime(at).year())
}

fn digits_of(text: &str) -> Option<i64> {
    (!text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok()).flatten()
}

/// 20251231, of this or the last century: a shorter or another number is a number.
fn digit_date(text: &str) -> Option<Date> {
    let (year, month, day) = (digits(&text[..4])?, digits(&text[4..6])?, digits(&text[6..])?);
    let year = i16::try_from(year).ok().filter(|year| (1900..=2099).contains(year))?;
    Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

/// A date with the name of its month, and what follows it.
fn worded_date(text: &str) -> Option<(Date, &str)> {
    let mut rest = text;
    let mut parts = Vec::new();
    while parts.len() < 3 {
        rest = rest.trim_start_matches([' ', ',', '.', '-']);
        let end = rest.find([' ', ',', '.', '-']).unwrap_or(rest.len());
        let (part, behind) = rest.split_at(end);
        if part.is_empty() {
            return None;
        }
        parts.push(part);
        rest = behind;
    }
    let month = |word: &str| month(&word.to_lowercase());
    // Weekdays are in nobody's way: "Thu, 19 Feb 2026" has four parts and is read from the second on.
    if parts[0].chars().all(char::is_alphabetic) && month(parts[0]).is_none() {
        return text.split_once([' ', ',']).and_then(|(_, rest)| worded_date(rest.trim_start()));
    }
    let (day, month, year) = match (month(parts[0]), month(parts[1])) {
        (Some(month), None) => (parts[1], month, parts[2]),
        (None, Some(month)) => (parts[0], month, parts[2]),
        _ => return None,
    };
    let day = digits(day.trim_end_matches(|c: char| c.is_ascii_alphabetic()))?;
    let year = (year.len() == 4).then(|| digits(year)).flatten()?;
    let year = i16::try_from(year).ok().filter(|year| (1900..=9999).contains(year))?;
    Some((Date::new(year, month, i8::try_from(day).ok()?).ok()?, rest))
}

/// The first two numbers of a date with slashes.
pub(super) fn slashed(cell: &str) -> Option<(u32, u32)> {
    let day = cell.trim().split([' ', 'T', ',']).next()?;
    let mut parts = day.split('/');
    let (first, second, year) = (parts.next()?, parts.next()?, parts.next()?);
    let short = |part: &str| (1..=2).contains(&part.len()).then(|| digits(part)).flatten();
    (parts.next().is_none() && year.len() == 4).then(|| Some((short(first)?, short(second)?))).flatten()
}

fn date(text: &str, order: DateOrder) -> Option<Date> {
    let separator = ['-', '.', '/'].into_iter().find(|s| text.contains(*s))?;
    let parts: Vec<&str> = text.split(separator).collect();
    let [a, b, c] = parts.as_slice() else { return None };
    let (year, month, day) = match (separator, order) {
        ('-', _) => (*a, *b, *c),
        ('.', _) | ('/', DateOrder::DayFirst) => (*c, *b, *a),
        _ => (*c, *a, *b),
    };
    let number = |s: &str, max: usize| (s.len() <= max && !s.is_empty()).then(|| digits(s)).flatten();
    let year = match year.len() {
        4 => digits(year)?,
        // Two digits are common where a day is written with dots; elsewhere the order would be in doubt too.
        2 if separator == '.' => 2000 + digits(year)?,
        _ => return None,
    };
    let (month, day) = (i8::try_from(number(month, 2)?).ok()?, i8::try_from(number(day, 2)?).ok()?);
    let year = i16::try_from(year).ok().filter(|y| (1900..=9999).contains(y))?;
    Date::new(year, month, day).ok()
}

fn digits(s: &str) -> Option<u32> {
    s.bytes().all(|b| b.is_ascii_digit()).then(|| s.parse().ok()).flatten()
}

fn clock(text: &str) -> Option<Time> {
    let lower = text.to_lowercase().replace(['\u{202f}', '\u{a0}'], " ");
    let text = ["uhr", "utc", "gmt", "z"].iter().fold(&*lower, |text, end| text.trim_end_matches(end)).trim_end();
    let half = |end: &str| text.strip_suffix(end).map(str::trim_end);
    let (text, noon) = match (half("am").or_else(|| half("a.m.")), half("pm").or_else(|| half("p.m."))) {
        (Some(text), _) => (text, Some(false)),
        (_, Some(text)) => (text, Some(true)),
        _ => (text, None),
    };
    // A fraction of a second tells nobody anything.
    let text = text.split_once(['.', ',']).map_or(text, |(whole, _)| whole);
    let mut parts = text.split(':').map(|p| (p.len() <= 2).then(|| digits(p)).flatten());
    let hour = i8::try_from(parts.next()??).ok()?;
    let minute = i8::try_from(parts.next()??).ok()?;
    let second = match parts.next() {
        None => 0,
        Some(s) => i8::try_from(s?).ok()?,
    };
    if parts.next().is_some() {
        return None;
    }
    let hour = match noon {
        None => hour,
        Some(_) if !(1..=12).contains(&hour) => return None,
        Some(is_pm) => hour % 12 + if is_pm { 12 } else { 0 },
    };
    Time::new(hour, minute, second, 0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_many_hands_are_read_and_doubtful_ones_are_not() {
        use DateOrder::{DayFirst, MonthFirst};
        for (cell, order, want) in [
            ("2026-02-19", DayFirst, "2026-02-19T00:00:00Z"),
            ("20260219", DayFirst, "2026-02-19T00:00:00Z"),
            ("19.2.26 9:05 Uhr", DayFirst, "2026-02-19T09:05:00Z"),
            ("02/19/2026 09:15am", MonthFirst, "2026-02-19T09:15:00Z"),
            ("2/19/2026, 12:05:09 PM", MonthFirst, "2026-02-19T12:05:09Z"),
            ("2/19/2026 12:05 AM", MonthFirst, "2026-02-19T00:05:00Z"),
            ("19/02/2026", DayFirst, "2026-02-19T00:00:00Z"),
            ("1771417800000", DayFirst, "2026-02-18T12:30:00Z"),
            ("2026-02-28T09:41:09.000+0000", DayFirst, "2026-02-28T09:41:09Z"),
            ("2026-02-28 09:41:09.123", DayFirst, "2026-02-28T09:41:09Z"),
            ("Thu, 19 Feb 2026 14:10:00 GMT", DayFirst, "2026-02-19T14:10:00Z"),
            ("Feb 19, 2026", DayFirst, "2026-02-19T00:00:00Z"),
            ("February 19th, 2026 at 3", DayFirst, ""),
            ("19. Februar 2026, 14:10 Uhr", DayFirst, "2026-02-19T14:10:00Z"),
            ("19-Feb-2026", DayFirst, "2026-02-19T00:00:00Z"),
            ("02/19/2026", DayFirst, ""),
            ("2/19/2026 13:05 PM", MonthFirst, ""),
            ("30. Februar 2026", DayFirst, ""),
            ("1234567", DayFirst, ""),
            ("99999999", DayFirst, ""),
            ("May be", DayFirst, ""),
            ("tomorrow", DayFirst, ""),
        ] {
            let read = when(cell, order).map_or_else(String::new, |when| when.start().to_string());
            assert_eq!(read, want, "{cell}");
        }
    }
}
