//! Dates and instants, as exports write them.
//!
//! Invariant: pure; what cannot be read for certain is `None`, never a guess.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};

use super::value::month;

/// How far ahead a date may be that was written in another time zone.
pub(crate) const SLACK: SignedDuration = SignedDuration::from_hours(24);

/// The order of the parts in a date with slashes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum DateOrder {
    /// 31/12/2025.
    #[default]
    DayFirst,
    /// 12/31/2025.
    MonthFirst,
}

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

/// Reads 2025-12-31, 2025/12/31, 20251231, 31.12.2025, 31.12.25, 31-12-2025, 31/12/2025 (by `order`), 31 Dec 2025, Dec 31, 2025,
/// 31. Dezember 2025, each with or without a time and its zone; and milliseconds since 1970, as APIs have them.
pub(crate) fn when(cell: &str, order: DateOrder) -> Option<When> {
    let cell = cell.trim();
    if let Ok(at) = cell.parse::<Timestamp>() {
        return in_range(at).then_some(When::At(at));
    }
    if let Some(at) = numbered(cell) {
        return Some(at);
    }
    if let Some(number) = digits_of(cell) {
        return match cell.len() {
            8 => digit_date(cell).map(When::Day),
            13 => Timestamp::from_millisecond(number).ok().filter(|at| in_range(*at)).map(When::At),
            _ => None,
        };
    }
    if let Some((date, rest)) = worded_date(cell) {
        let time = rest.trim_start_matches([',', ' ', 'T']);
        return if time.is_empty() { Some(When::Day(date)) } else { at(date, time) };
    }
    let cell = closed_up(cell);
    let (day, time) = match cell.split_once([' ', 'T', '\u{a0}', '\u{202f}']) {
        Some((day, time)) => (day.trim_end_matches(','), Some(time.trim()).filter(|time| !time.is_empty())),
        None => (&*cell, None),
    };
    let date = date(day, order)?;
    match time {
        None => Some(When::Day(date)),
        Some(time) => at(date, time),
    }
}

/// The same of a column that holds dates and nothing else: a plain number is one, too, of seconds or microseconds since 1970, of
/// days as Excel counts them, or with its time (20251231235959).
pub(crate) fn stamp(cell: &str, order: DateOrder) -> Option<When> {
    when(cell, order).or_else(|| {
        let cell = cell.trim();
        if let Some((days, part)) = cell.split_once('.').or_else(|| cell.split_once(',')).or(Some((cell, "0")))
            && days.len() == 5
        {
            return excel(days, part);
        }
        let number = digits_of(cell)?;
        let since = |at: Result<Timestamp, _>| at.ok().filter(|at| in_range(*at)).map(When::At);
        match cell.len() {
            10 => since(Timestamp::from_second(number)),
            16 => since(Timestamp::from_microsecond(number)),
            12 | 14 => {
                let date = digit_date(&cell[..8])?;
                let part =
                    |from: usize| cell.get(from..from + 2).map_or(Some(0), digits).and_then(|n| i8::try_from(n).ok());
                let time = Time::new(part(8)?, part(10)?, part(12)?, 0).ok()?;
                Some(When::At(utc(date.to_datetime(time))))
            }
            _ => None,
        }
    })
}

/// Days since 1899-12-30, of the last decades: another number is a number.
fn excel(days: &str, part: &str) -> Option<When> {
    let number = digits_of(days).filter(|days| (25_569..=55_000).contains(days))?;
    let part: f64 = format!("0.{part}").parse().ok().filter(|_| part.bytes().all(|b| b.is_ascii_digit()))?;
    let seconds = (number - 25_569) * 86_400 + (part * 86_400.0).round() as i64;
    let at = Timestamp::from_second(seconds).ok()?;
    Some(if part == 0.0 { When::Day(Offset::UTC.to_datetime(at).date()) } else { When::At(at) })
}

/// `/Date(1771417800000)/`, as `OData` 2 writes it.
fn numbered(cell: &str) -> Option<When> {
    let (number, _) = cell.trim_matches('/').strip_prefix("Date(")?.split_once(')')?;
    // What stands behind the number is the zone of who wrote it: the instant is told already.
    let number = number.get(1..)?.find(['+', '-']).map_or(number, |at| &number[..=at]);
    Timestamp::from_millisecond(number.parse().ok()?).ok().filter(|at| in_range(*at)).map(When::At)
}

/// "19. 2. 2026" without its blanks.
fn closed_up(cell: &str) -> std::borrow::Cow<'_, str> {
    let parts: Vec<&str> = cell.splitn(3, ". ").collect();
    let [day, month, rest] = parts.as_slice() else { return cell.into() };
    let is_number = |part: &str| (1..=2).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    if is_number(day) && is_number(month) { format!("{day}.{month}.{rest}").into() } else { cell.into() }
}

/// A day with a time, in its zone.
fn at(date: Date, time: &str) -> Option<When> {
    let (time, zone) = zone(time);
    let at = utc(date.to_datetime(clock(&time)?));
    at.checked_sub(jiff::SignedDuration::from_mins(zone)).ok().map(When::At)
}

/// A time without its zone, and the minutes by which the zone is ahead.
fn zone(time: &str) -> (String, i64) {
    const NAMES: [(&str, i64); 14] = [
        ("utc", 0),
        ("gmt", 0),
        ("mesz", 120),
        ("cest", 120),
        ("mez", 60),
        ("cet", 60),
        ("bst", 60),
        ("edt", -240),
        ("est", -300),
        ("cdt", -300),
        ("cst", -360),
        ("pdt", -420),
        ("pst", -480),
        ("z", 0),
    ];
    let lower = time.to_lowercase().replace(['\u{202f}', '\u{a0}'], " ");
    // "(Mitteleuropäische Normalzeit)" says again what stands before it.
    let lower = lower.split_once('(').map_or(&*lower, |(before, _)| before).trim_end();
    let named = |text: &str| {
        let (name, minutes) = NAMES.iter().find(|(name, _)| text.ends_with(name))?;
        Some((text[..text.len() - name.len()].trim_end().to_owned(), *minutes))
    };
    let signed = lower.rfind(['+', '-']).and_then(|place| {
        let number: String = lower[place + 1..].chars().filter(|c| *c != ':').collect();
        let (hours, minutes) = match number.len() {
            2 => (digits(&number)?, 0),
            4 => (digits(&number[..2])?, digits(&number[2..])?),
            _ => return None,
        };
        let sign = if lower[place..].starts_with('-') { -1 } else { 1 };
        (hours < 15).then(|| (lower[..place].trim_end().to_owned(), sign * i64::from(hours * 60 + minutes)))
    });
    match signed {
        Some((rest, minutes)) => (named(&rest).map_or_else(|| rest.clone(), |(rest, _)| rest), minutes),
        None => named(lower).unwrap_or_else(|| (lower.to_owned(), 0)),
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
    // Java: "Feb 19 14:10:00 CET 2026".
    if parts[2].contains(':')
        && let Some((before, year)) = rest.rsplit_once(' ').filter(|(_, year)| year.len() == 4)
    {
        let (day, month) = (digits(parts[1])?, month(parts[0])?);
        let year = i16::try_from(digits(year)?).ok()?;
        let from = text.find(parts[2])?;
        let until = text.len() - rest.len() + before.len();
        return Some((Date::new(year, month, i8::try_from(day).ok()?).ok()?, &text[from..until]));
    }
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
    let year = match year.len() {
        4 => digits(year)?,
        // "19-Feb-26": where the month is a word, the year is the last.
        2 if parts[1].chars().all(char::is_alphabetic) => 2000 + digits(year)?,
        _ => return None,
    };
    let year = i16::try_from(year).ok().filter(|year| (1900..=9999).contains(year))?;
    Some((Date::new(year, month, i8::try_from(day).ok()?).ok()?, rest))
}

/// The first two numbers of a date with slashes, or with hyphens and the year behind.
pub(super) fn slashed(cell: &str) -> Option<(u32, u32)> {
    let day = cell.trim().split([' ', 'T', ',']).next()?;
    let mut parts = day.split(['/', '-']);
    let (first, second, year) = (parts.next()?, parts.next()?, parts.next()?);
    let short = |part: &str| (1..=2).contains(&part.len()).then(|| digits(part)).flatten();
    let is_year = year.len() == 4 || (year.len() == 2 && day.contains('/'));
    (parts.next().is_none() && is_year).then(|| Some((short(first)?, short(second)?))).flatten()
}

fn date(text: &str, order: DateOrder) -> Option<Date> {
    let separator = ['-', '.', '/'].into_iter().find(|s| text.contains(*s))?;
    let parts: Vec<&str> = text.split(separator).collect();
    let [a, b, c] = parts.as_slice() else { return None };
    let (year, month, day) = match (separator, order) {
        _ if a.len() == 4 => (*a, *b, *c),
        // Two digits beside hyphens may be a year or a day.
        ('-', _) if c.len() != 4 => return None,
        ('.', _) | (_, DateOrder::DayFirst) => (*c, *b, *a),
        _ => (*c, *a, *b),
    };
    let number = |s: &str, max: usize| (s.len() <= max && !s.is_empty()).then(|| digits(s)).flatten();
    let year = match year.len() {
        4 => digits(year)?,
        // "25/04/03" may begin with its year: of years that are long gone nobody writes two digits.
        2 if separator == '/' && digits(year)? < 15 => return None,
        2 => 2000 + digits(year)?,
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
    let text = text.trim_end_matches("uhr").trim_end();
    let text = ["um ", "at ", "- "].iter().fold(text, |text, word| text.trim_start_matches(word)).trim_start();
    let half = |end: &str| text.strip_suffix(end).map(str::trim_end);
    let (text, noon) = match (half("am").or_else(|| half("a.m.")), half("pm").or_else(|| half("p.m."))) {
        (Some(text), _) => (text, Some(false)),
        (_, Some(text)) => (text, Some(true)),
        _ => (text, None),
    };
    // "14.10" is a time as well; behind seconds, a fraction tells nobody anything.
    let text = if text.contains(':') { text.split_once(['.', ',']).map_or(text, |(whole, _)| whole) } else { text };
    let mut parts = text.split([':', '.', 'h']).map(|p| (p.len() <= 2).then(|| digits(p)).flatten());
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
            ("February 19th, 2026 at 3:05 PM", DayFirst, "2026-02-19T15:05:00Z"),
            ("2026/02/19 14.10", DayFirst, "2026-02-19T14:10:00Z"),
            ("2026.02.19", DayFirst, "2026-02-19T00:00:00Z"),
            ("19-02-2026", DayFirst, "2026-02-19T00:00:00Z"),
            ("02-19-2026 14:10", MonthFirst, "2026-02-19T14:10:00Z"),
            ("19/02/26", DayFirst, "2026-02-19T00:00:00Z"),
            ("19. 2. 2026 14:10", DayFirst, "2026-02-19T14:10:00Z"),
            ("19-Feb-26", DayFirst, "2026-02-19T00:00:00Z"),
            ("19.02.2026 um 14:10 Uhr", DayFirst, "2026-02-19T14:10:00Z"),
            ("2026-02-19T14:10:00.000+0100", DayFirst, "2026-02-19T13:10:00Z"),
            ("19.02.2026 14:10 MEZ", DayFirst, "2026-02-19T13:10:00Z"),
            ("2026-02-19 14:10:00 -0500", DayFirst, "2026-02-19T19:10:00Z"),
            ("Thu Feb 19 2026 14:10:00 GMT+0100 (MEZ)", DayFirst, "2026-02-19T13:10:00Z"),
            ("Thu Feb 19 14:10:00 CET 2026", DayFirst, "2026-02-19T13:10:00Z"),
            ("/Date(1771417800000)/", DayFirst, "2026-02-18T12:30:00Z"),
            ("/Date(1771417800000+0100)/", DayFirst, "2026-02-18T12:30:00Z"),
            ("19-02-26", DayFirst, ""),
            ("25/04/03", DayFirst, ""),
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
        for (cell, want) in [
            ("1771417800", "2026-02-18T12:30:00Z"),
            ("20260218123000", "2026-02-18T12:30:00Z"),
            ("202602181230", "2026-02-18T12:30:00Z"),
            ("46071", "2026-02-18T00:00:00Z"),
            ("46071.5", "2026-02-18T12:00:00Z"),
            ("99999", ""),
            ("12345678901234567890", ""),
        ] {
            let read = stamp(cell, DayFirst).map_or_else(String::new, |when| when.start().to_string());
            assert_eq!(read, want, "{cell}");
            assert_eq!(when(cell, DayFirst), None, "{cell}: a number alone may be anything");
        }
    }
}
