//! Dates and times of the value class pattern.
//!
//! Invariant: parts are combined in the order of the specification, first one of a kind wins; what is neither date
//! nor time is left out.

use std::sync::LazyLock;

use regex::Regex;

static DATE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^(\d{4}-\d{2}-\d{2}|\d{4}-\d{3}|\d{4}-\d{2}|--\d{2}-\d{2})$").expect("a constant pattern")
});
static TIME: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?i)^(\d{1,2})(?::(\d{2}))?(?::(\d{2}(?:\.\d+)?))?\s*(a\.?m\.?|p\.?m\.?)?\s*(z|[+-]\d{1,2}(?::?\d{2})?)?$",
    )
    .expect("a constant pattern")
});
static ZONE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?i)^(z|[+-]\d{1,2}(:?\d{2})?)$").expect("a constant pattern"));

/// The date at the beginning of a value.
pub(super) fn date_of(value: &str) -> Option<String> {
    let date = value.split(['T', ' ']).next()?;
    DATE.is_match(date).then(|| date.to_owned())
}

/// One date-time from the parts; `date` is used where they hold a time only. `None` where nothing is a date or time.
pub(super) fn combine(parts: &[String], date: Option<&str>) -> Option<String> {
    let (mut day, mut time, mut zone) = (None::<String>, None::<String>, None::<String>);
    for part in parts {
        let part = part.trim();
        if DATE.is_match(part) {
            day.get_or_insert_with(|| part.to_owned());
        } else if ZONE.is_match(part) {
            zone.get_or_insert_with(|| part.to_owned());
        } else if let Some((clock, offset)) = clock(part) {
            if time.is_none() {
                time = Some(clock);
                zone = zone.or(offset);
            }
        } else if let Some((head, tail)) = part.split_once(['T', ' '])
            && DATE.is_match(head)
            && day.is_none()
            && time.is_none()
            && let Some((clock, offset)) = clock(tail.trim())
        {
            let separator = if part.as_bytes().get(head.len()) == Some(&b'T') { "T" } else { " " };
            return Some(format!("{head}{separator}{clock}{}", offset.unwrap_or_default()));
        }
    }
    let day = day.or_else(|| time.is_some().then(|| date.map(str::to_owned)).flatten());
    match (day, time) {
        (Some(day), Some(time)) => Some(format!("{day} {time}{}", zone.unwrap_or_default())),
        (Some(one), None) => Some(one),
        (None, Some(time)) => Some(format!("{time}{}", zone.unwrap_or_default())),
        (None, None) => None,
    }
}

/// `HH:MM[:SS]` in 24 hours, and the offset; `None` where the text is no time (a bare number is none).
fn clock(text: &str) -> Option<(String, Option<String>)> {
    let parts = TIME.captures(text)?;
    let half = parts.get(4).map(|h| h.as_str().to_ascii_lowercase().starts_with('p'));
    if parts.get(2).is_none() && half.is_none() {
        return None;
    }
    let mut hour: u32 = parts[1].parse().ok()?;
    match half {
        Some(true) if hour < 12 => hour += 12,
        Some(false) if hour == 12 => hour = 0,
        _ => {}
    }
    let minute = parts.get(2).map_or("00", |m| m.as_str());
    let second = parts.get(3).map(|s| format!(":{}", s.as_str())).unwrap_or_default();
    Some((format!("{hour:02}:{minute}{second}"), parts.get(5).map(|z| z.as_str().to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(parts: &[&str], date: Option<&str>, expected: Option<&str>) {
        let parts: Vec<String> = parts.iter().map(|p| (*p).to_owned()).collect();
        assert_eq!(combine(&parts, date).as_deref(), expected);
    }

    #[test]
    fn parts_combine() {
        check(&["2026-03-02", "7:30p.m."], None, Some("2026-03-02 19:30"));
        check(&["12am", "2026-03-02"], None, Some("2026-03-02 00:00"));
        check(&["18:30"], Some("2026-03-02"), Some("2026-03-02 18:30"));
        check(&["2026-061", "+01:00", "08:15:00"], None, Some("2026-061 08:15:00+01:00"));
        check(&["2026-03-02T08:15Z"], None, Some("2026-03-02T08:15Z"));
        check(&["soon", "7"], None, None);
    }
}
