//! What a cell means: numbers, yes and no, countries, names, addresses.
//!
//! Invariant: pure; what cannot be read for certain is `None`, never a guess.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use serde::Deserialize;

use super::when::when;
use super::{DateOrder, Decimal, NoteKind};
use crate::taxonomy::Language;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawValues {
    r#true: Vec<String>,
    r#false: Vec<String>,
    blank: Vec<String>,
    refused: Vec<String>,
    plain_noes: Vec<String>,
    agreed: Vec<String>,
    languages: BTreeMap<Language, Vec<String>>,
    refusals: Vec<String>,
    note_kinds: BTreeMap<NoteKind, Vec<String>>,
    related_contacts: Vec<String>,
    related_either: Vec<String>,
    companies: Vec<String>,
    deletions: Vec<String>,
    addresses: Vec<String>,
    around_tables: Vec<String>,
    countries: BTreeMap<String, Vec<String>>,
    titles_before: Vec<String>,
    titles_before_dotted: Vec<String>,
    titles_after: Vec<String>,
    particles: Vec<String>,
    legal_forms: Vec<String>,
    months: Vec<Vec<String>>,
    magnitudes: BTreeMap<String, f64>,
    currencies: BTreeMap<String, Vec<String>>,
}

struct Values {
    words: HashMap<String, Says>,
    languages: HashMap<String, Language>,
    note_kinds: HashMap<String, NoteKind>,
    countries: HashMap<String, String>,
    currencies: HashMap<String, String>,
    raw: RawValues,
}

static VALUES: LazyLock<Values> = LazyLock::new(|| {
    let raw: RawValues = serde_saphyr::from_str(include_str!("../../config/crm/values.yaml"))
        .expect("embedded values.yaml is checked by a test");
    let words = [
        (&raw.r#true, Says::Yes),
        (&raw.r#false, Says::No),
        (&raw.blank, Says::Nothing),
        (&raw.refused, Says::Refused),
        (&raw.agreed, Says::Agreed),
    ];
    Values {
        words: words.into_iter().flat_map(|(words, says)| words.iter().map(move |w| (w.clone(), says))).collect(),
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

/// What a cell says of being written to and worked on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Says {
    /// Nothing.
    Nothing,
    /// Yes to what the column asks; so does a date, since when.
    Yes,
    /// No to it.
    No,
    /// No, whatever the column asks: "withdrawn".
    Refused,
    /// Yes, whatever the column asks: "subscribed".
    Agreed,
}

/// What a cell says; `None` = an unknown word. Of several values, as lists have them, a refusal holds, then a yes.
pub(super) fn says(cell: &str) -> Option<Says> {
    let Some(cell) = text(cell) else { return Some(Says::Nothing) };
    if let Some(known) = VALUES.words.get(&cell.to_lowercase()) {
        return Some(*known);
    }
    if cell.contains('|') {
        let all = cell.split('|').map(says).collect::<Option<Vec<Says>>>()?;
        let order = [Says::Refused, Says::Yes, Says::No, Says::Agreed];
        return Some(order.into_iter().find(|one| all.contains(one)).unwrap_or(Says::Nothing));
    }
    when(cell, DateOrder::DayFirst).or_else(|| when(cell, DateOrder::MonthFirst)).map(|_| Says::Yes)
}

/// Whether a column that says no is set; a blank cell is `Some(false)`, an unknown word `None`.
pub(super) fn flag(cell: &str) -> Option<bool> {
    says(cell).map(|says| matches!(says, Says::Yes | Says::Refused))
}

/// Whether a column of what is allowed says no; a blank cell is `Some(false)`, an unknown word `None`.
pub(super) fn denied(cell: &str) -> Option<bool> {
    says(cell).map(|says| matches!(says, Says::No | Says::Refused))
}

/// Whether a cell says no by itself, wherever it stands.
pub(crate) fn is_plain_no(cell: &str) -> bool {
    text(cell).is_some_and(|cell| cell.len() <= 40 && VALUES.raw.plain_noes.contains(&cell.to_lowercase()))
}

/// Words that say no wherever they stand, and those that do whatever a column asks, of which some may tell of a record alone.
pub(crate) fn noes() -> [&'static [String]; 2] {
    [&VALUES.raw.plain_noes, &VALUES.raw.refused]
}

/// Whether what stands for a lawful basis says that there is none any more.
pub(crate) fn is_refusal(basis: &str) -> bool {
    // SuiteCRM writes several values as "^a^,^b^".
    let mut words = basis.split([',', ';', '|', '^']).map(|word| word.trim().to_lowercase());
    words.any(|word| VALUES.raw.refusals.contains(&word))
}

/// A language of ours; a region (`de-AT`) is ignored.
pub(crate) fn language(cell: &str) -> Option<Language> {
    let lower = cell.trim().to_lowercase();
    VALUES.languages.get(lower.as_str()).copied().or_else(|| {
        let (primary, _) = lower.split_once(['-', '_'])?;
        VALUES.languages.get(primary).copied()
    })
}

/// How a note came about.
pub(super) fn note_kind(cell: &str) -> Option<NoteKind> {
    let cell = cell.trim().to_lowercase();
    let word = |word: &str| VALUES.note_kinds.get(word).copied();
    // "Logged call", "Anruf (ausgehend)".
    word(&cell).or_else(|| cell.split(|c: char| !c.is_alphanumeric() && c != '-').find_map(word))
}

/// Whether the kind of record that a note is on is a contact's; `None` = it may be a company's as well.
pub(super) fn is_contact_kind(cell: &str) -> Option<bool> {
    let kind = cell.trim().to_lowercase();
    let is_either = VALUES.raw.related_either.contains(&kind);
    (!is_either).then(|| VALUES.raw.related_contacts.contains(&kind))
}

/// Whether the kind of a record is a company's.
pub(super) fn is_company_kind(cell: &str) -> bool {
    VALUES.raw.companies.contains(&cell.trim().to_lowercase())
}

/// Whether the kind of a record is an address of a company.
pub(super) fn is_address(cell: &str) -> bool {
    VALUES.raw.addresses.contains(&cell.trim().to_lowercase())
}

/// Whether the name of a file says that it has what was deleted.
pub(super) fn is_of_deletions(name: &str) -> bool {
    let name = name.to_lowercase();
    VALUES.raw.deletions.iter().any(|word| name.contains(word.as_str()))
}

/// Whether the only cell of a line stands around a table: a sum, the day of the export.
pub(super) fn is_around_tables(cell: &str) -> bool {
    let cell = cell.to_lowercase();
    let rest = VALUES.raw.around_tables.iter().filter_map(|words| cell.strip_prefix(words.as_str()));
    rest.into_iter().any(|rest| !rest.starts_with(char::is_alphabetic))
}

/// ISO 3166-1 alpha-2.
pub(super) fn country(cell: &str) -> Option<String> {
    // Odoo writes its number before it: "57|Germany".
    let is_number = |part: &&str| part.trim().bytes().all(|b| b.is_ascii_digit());
    let cell = cell.split('|').find(|part| !is_number(part)).unwrap_or_default().trim().to_lowercase();
    let known = |name: &str| VALUES.countries.get(name).cloned();
    // "Deutschland (DE)", "CH - Schweiz"
    known(&cell)
        .or_else(|| cell.split(['(', ')', '-', ',']).map(str::trim).filter(|part| !part.is_empty()).find_map(known))
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

/// The month (1 to 12) that a word names, in small letters.
pub(super) fn month(word: &str) -> Option<i8> {
    let at = VALUES.raw.months.iter().position(|names| names.iter().any(|name| name == word))?;
    i8::try_from(at + 1).ok()
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

/// Whether a cell holds academic titles and nothing else.
pub(super) fn is_titles(cell: &str) -> bool {
    let is_title = |word: &str| {
        let (values, key) = (&VALUES.raw, title_key(word));
        let is_known = || {
            values.titles_before.contains(&key) || (word.contains('.') && values.titles_before_dotted.contains(&key))
        };
        key.chars().count() > 1 && is_known()
    };
    let mut words = cell.split([' ', ',']).filter(|word| !word.is_empty()).peekable();
    words.peek().is_some() && words.all(is_title)
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
