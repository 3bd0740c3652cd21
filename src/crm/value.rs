//! What a cell means: dates, numbers, yes and no, countries, names, addresses.
//!
//! Invariant: pure; what cannot be read for certain is `None`, never a guess.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::Offset;
use serde::Deserialize;

use super::{DateOrder, Decimal, NoteKind};
use crate::taxonomy::Language;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawValues {
    r#true: Vec<String>,
    r#false: Vec<String>,
    languages: BTreeMap<Language, Vec<String>>,
    note_kinds: BTreeMap<NoteKind, Vec<String>>,
    countries: BTreeMap<String, Vec<String>>,
    titles_before: Vec<String>,
    titles_before_dotted: Vec<String>,
    titles_after: Vec<String>,
    particles: Vec<String>,
    legal_forms: Vec<String>,
    magnitudes: BTreeMap<String, f64>,
    currencies: BTreeMap<String, Vec<String>>,
}

struct Values {
    flags: HashMap<String, bool>,
    languages: HashMap<String, Language>,
    note_kinds: HashMap<String, NoteKind>,
    countries: HashMap<String, String>,
    currencies: HashMap<String, String>,
    raw: RawValues,
}

static VALUES: LazyLock<Values> = LazyLock::new(|| {
    let raw: RawValues = serde_saphyr::from_str(include_str!("../../config/crm/values.yaml"))
        .expect("embedded values.yaml is checked by a test");
    let yes = raw.r#true.iter().map(|w| (w.clone(), true));
    let no = raw.r#false.iter().map(|w| (w.clone(), false));
    Values {
        flags: yes.chain(no).collect(),
        languages: invert(&raw.languages),
        note_kinds: invert(&raw.note_kinds),
        countries: invert(&raw.countries),
        currencies: invert(&raw.currencies),
        raw,
    }
});

fn invert<K: Clone>(map: &BTreeMap<K, Vec<String>>) -> HashMap<String, K> {
    map.iter().flat_map(|(k, words)| words.iter().map(move |w| (w.clone(), k.clone()))).collect()
}

/// Trims, and turns every run of white space into one blank.
pub(super) fn collapse(cell: &str) -> String {
    cell.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The cell without outer white space, if anything is left.
pub(super) fn text(cell: &str) -> Option<&str> {
    Some(cell.trim()).filter(|t| !t.is_empty())
}

/// A flag; a blank cell is `Some(false)`, an unknown word `None`.
pub(super) fn flag(cell: &str) -> Option<bool> {
    text(cell).map_or(Some(false), |word| VALUES.flags.get(&word.to_lowercase()).copied())
}

/// A language of ours; a region (`de-AT`) is ignored.
pub(super) fn language(cell: &str) -> Option<Language> {
    let lower = cell.trim().to_lowercase();
    VALUES.languages.get(lower.as_str()).copied().or_else(|| {
        let (primary, _) = lower.split_once(['-', '_'])?;
        VALUES.languages.get(primary).copied()
    })
}

/// How a note came about.
pub(super) fn note_kind(cell: &str) -> Option<NoteKind> {
    VALUES.note_kinds.get(&cell.trim().to_lowercase()).copied()
}

/// ISO 3166-1 alpha-2.
pub(super) fn country(cell: &str) -> Option<String> {
    VALUES.countries.get(&cell.trim().to_lowercase()).cloned()
}

/// ISO 4217; an unknown three-letter code stands for itself.
pub(super) fn currency(cell: &str) -> Option<String> {
    let lower = cell.trim().to_lowercase();
    VALUES.currencies.get(&lower).cloned().or_else(|| {
        (lower.len() == 3 && lower.bytes().all(|b| b.is_ascii_lowercase())).then(|| lower.to_ascii_uppercase())
    })
}

/// The currency that is written beside an amount ("12,5 Mio. €").
pub(super) fn currency_in(cell: &str) -> Option<String> {
    let mut words = cell.split_whitespace().flat_map(split_unit);
    words.find_map(|w| VALUES.currencies.get(&w.to_lowercase()).cloned())
}

/// A login, from itself or from the address of a profile (`https://devhub.example/login`, `@login`).
pub(super) fn handle(cell: &str) -> Option<String> {
    let last = cell.trim().trim_end_matches('/').rsplit('/').next()?.trim_start_matches('@');
    let usable =
        (1..=64).contains(&last.len()) && last.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    // These two are no names, but ways through an address.
    (usable && last != "." && last != "..").then(|| last.to_owned())
}

/// A name at a social network with many servers: `name`, `@name@host`, `https://host/@name`; the host is kept.
pub(super) fn social_handle(cell: &str) -> Option<String> {
    let cell = cell.trim().trim_end_matches('/');
    let host = cell.split_once("://").and_then(|(_, rest)| rest.split_once('/')).map(|(host, _)| host.to_owned());
    let last = cell.rsplit('/').next()?.trim_start_matches('@');
    let (name, own) = last.split_once('@').map_or((last, None), |(name, host)| (name, Some(host.to_owned())));
    let name = handle(name)?;
    let Some(host) = own.or(host) else { return Some(name) };
    let usable = host.contains('.') && host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.".contains(&b));
    usable.then(|| format!("{name}@{}", host.to_lowercase()))
}

/// An instant, or a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    /// With a time; without a zone it is UTC.
    At(Timestamp),
    /// A day without a time.
    Day(Date),
}

impl When {
    /// The instant, or the first of the day (UTC).
    pub(super) fn start(self) -> Timestamp {
        match self {
            Self::At(t) => t,
            Self::Day(d) => utc(d.to_datetime(Time::midnight())),
        }
    }

    /// The instant, or the first after the day (UTC); the end of time where the calendar ends.
    pub(super) fn end(self) -> Timestamp {
        match self {
            Self::At(t) => t,
            Self::Day(d) => d.tomorrow().map_or(Timestamp::MAX, |next| utc(next.to_datetime(Time::midnight()))),
        }
    }
}

fn utc(at: DateTime) -> Timestamp {
    Offset::UTC.to_timestamp(at).unwrap_or(Timestamp::MAX)
}

/// Reads 2025-12-31, 31.12.2025, 31.12.25, 31/12/2025 (by `order`), each with or without a time.
pub(super) fn when(cell: &str, order: DateOrder) -> Option<When> {
    let cell = cell.trim();
    if let Ok(at) = cell.parse::<Timestamp>() {
        return in_range(at).then_some(When::At(at));
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

fn in_range(at: Timestamp) -> bool {
    (1900..=9999).contains(&Offset::UTC.to_datetime(at).year())
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
    let text = text.trim_end_matches(" Uhr").trim_end_matches(" UTC");
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
    Time::new(hour, minute, second, 0).ok()
}

/// A number with thousands separators, a currency and a magnitude (`12,5 Mio. EUR`), never negative.
pub(super) fn number(cell: &str, decimal: Decimal) -> Option<f64> {
    let mut words = cell.split_whitespace().flat_map(|w| split_unit(w)).filter(|w| !w.is_empty()).collect::<Vec<_>>();
    words.retain(|w| !VALUES.currencies.contains_key(&w.to_lowercase()));
    let mut factor = 1.0;
    if let Some(last) = words.last().filter(|_| words.len() > 1)
        && let Some(f) = VALUES.raw.magnitudes.get(last.to_lowercase().trim_end_matches('.'))
    {
        factor = *f;
        words.pop();
    }
    plain_number(&words.concat(), decimal).map(|n| n * factor)
}

/// Splits "1.200€" and "£12m" between digits and signs of another kind.
fn split_unit(word: &str) -> Vec<&str> {
    let numeric = |c: char| c.is_ascii_digit() || matches!(c, '.' | ',' | '\'' | '’');
    let Some(start) = word.find(|c: char| c.is_ascii_digit()) else { return vec![word] };
    let end = word[start..].find(|c: char| !numeric(c)).map_or(word.len(), |i| start + i);
    vec![&word[..start], &word[start..end], &word[end..]]
}

fn plain_number(text: &str, decimal: Decimal) -> Option<f64> {
    let text: String = text.chars().filter(|c| !matches!(c, '\'' | '’')).collect();
    let (dots, commas) = (text.matches('.').count(), text.matches(',').count());
    let point = match (dots, commas) {
        (0, 0) => None,
        // Both: the last one is the decimal separator, and must be alone of its kind.
        (d, c) if d > 0 && c > 0 => {
            let last = if text.rfind('.') > text.rfind(',') { '.' } else { ',' };
            (text.matches(last).count() == 1).then_some(last)?.into()
        }
        (d, c) if d > 1 || c > 1 => None,
        _ => {
            let sign = if dots == 1 { '.' } else { ',' };
            let grouped = text.split(sign).nth(1).is_some_and(|tail| tail.len() == 3) && !text.starts_with('0');
            let is_point = (sign == '.') == (decimal == Decimal::Point);
            // "1.234" follows the file's own style; "12.5" in a German file can only be a decimal.
            (is_point || !grouped).then_some(sign)
        }
    };
    let (whole, fraction) = match point {
        Some(p) => text.rsplit_once(p)?,
        None => (text.as_str(), ""),
    };
    let groups: Vec<&str> = whole.split(['.', ',']).collect();
    let well_grouped = groups.len() == 1 || (groups[0].len() <= 3 && groups[1..].iter().all(|g| g.len() == 3));
    let all_digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    if !well_grouped || groups.iter().any(|g| g.is_empty() || !all_digits(g)) || !all_digits(fraction) {
        return None;
    }
    format!("{}.{}", groups.concat(), if fraction.is_empty() { "0" } else { fraction }).parse().ok()
}

/// Addresses of a cell, lower case; the second part tells whether something in it was none.
pub(super) fn emails(cell: &str) -> (Vec<String>, bool) {
    let mut found = Vec::new();
    let mut unreadable = false;
    for part in cell.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '|' | '<' | '>')) {
        let part = part.trim_start_matches("mailto:").to_lowercase();
        match part.split_once('@') {
            Some((local, host)) if !local.is_empty() && is_host(host) => found.push(part),
            _ if part.contains('@') => unreadable = true,
            _ => {}
        }
    }
    (found.clone(), unreadable || (found.is_empty() && text(cell).is_some()))
}

fn is_host(host: &str) -> bool {
    let labels: Vec<&str> = host.split('.').collect();
    labels.len() > 1 && labels.iter().all(|l| !l.is_empty() && l.chars().all(|c| c.is_alphanumeric() || c == '-'))
}

/// The host of a site, lower case, in ASCII, without `www.`, scheme, port and path.
pub(super) fn domain(cell: &str) -> Option<String> {
    let cell = text(cell)?;
    let url = if cell.contains("://") { cell.to_owned() } else { format!("http://{cell}") };
    let url = url::Url::parse(&url).ok()?;
    let Some(url::Host::Domain(host)) = url.host() else { return None };
    let host = host.trim_end_matches('.').to_lowercase();
    let host = host.strip_prefix("www.").unwrap_or(&host).to_owned();
    is_host(&host).then_some(host)
}

/// The short spelling of the legal form at the end of a company's name.
pub(super) fn legal_form(name: &str) -> Option<String> {
    let words = collapse(name);
    VALUES
        .raw
        .legal_forms
        .iter()
        .find(|form| {
            let Some(head) = words.len().checked_sub(form.len()) else { return false };
            words.is_char_boundary(head) && words[head..].eq_ignore_ascii_case(form) && words[..head].ends_with(' ')
        })
        .cloned()
}

/// A given or family name without academic titles and forms of address; empty where nothing else is there.
pub(super) fn strip_titles(name: &str) -> String {
    let name = collapse(name);
    let mut words: Vec<&str> = name.split(' ').filter(|w| !w.is_empty()).collect();
    while words.first().is_some_and(|w| is_title_before(w) && (words.len() > 1 || w.ends_with('.'))) {
        words.remove(0);
    }
    while words.len() > 1 && is_title_after(words[words.len() - 1]) {
        words.pop();
    }
    words.join(" ").trim_end_matches(',').to_owned()
}

/// "Dipl.-Ing." -> "dipl-ing", "h.c." -> "hc".
fn title_key(word: &str) -> String {
    word.trim_matches([',', ';']).replace('.', "").to_lowercase()
}

fn is_title_before(word: &str) -> bool {
    let (values, key) = (&VALUES.raw, title_key(word));
    let marked = word.contains(['.', '(']) || word.chars().all(char::is_uppercase);
    values.titles_before.contains(&key) || (marked && values.titles_before_dotted.contains(&key))
}

fn is_title_after(word: &str) -> bool {
    let marked = word.contains(['.', '(']) || word.chars().filter(|c| c.is_uppercase()).count() > 1;
    marked && VALUES.raw.titles_after.contains(&title_key(word))
}

/// Given and family name of a whole one: "Dr. Anna von der Heide", "von der Heide, Dr. Anna".
pub(super) fn split_name(full: &str) -> (String, String) {
    let full = strip_titles(full);
    if let Some((family, given)) = full.split_once(',') {
        let given = strip_titles(given);
        return (given, strip_titles(family));
    }
    let words: Vec<&str> = full.split(' ').filter(|w| !w.is_empty()).collect();
    let Some(last) = words.len().checked_sub(1) else { return (String::new(), String::new()) };
    let particle = |w: &str| VALUES.raw.particles.contains(&w.to_lowercase());
    if particle(words[0]) {
        return (String::new(), full);
    }
    let mut start = last;
    while start > 1 && particle(words[start - 1]) {
        start -= 1;
    }
    (words[..start].join(" "), words[start..].join(" "))
}
