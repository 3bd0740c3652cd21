//! A company's page of open positions: what its adverts say of the company.
//!
//! Invariant: nothing is read about a person, be it a contact for applicants; a count of positions and the technologies
//! that they name are a hint, and are weighed as one.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind, PatternID};
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use regex::Regex;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::extract::html::{self, PageReading};
use crate::extract::text::scrub_quote;
use crate::extract::title::TitleReader;
use crate::model::{About, Claim};
use crate::source::own_words::{OwnText, facts};
use crate::source::{Context, Found, Reading, due};
use crate::taxonomy::CompanyField;

/// Name and version of this reader.
const EXTRACTOR: &str = "jobs/1";
/// Fewer open positions say nothing; and one for so many people who work there, for some leave every year.
const MANY: usize = 5;
const PEOPLE_PER_POSITION: u32 = 20;
/// Many open positions are a hint at growth, no statement.
const P_MANY: f64 = 0.65;
/// Adverts of one page that are read, and how deep structured data is searched for them.
const MAX_ADVERTS: usize = 100;
const MAX_DEPTH: usize = 16;
/// Longer lines with a marker of gender are sentences and no titles.
const MAX_TITLE: usize = 120;

/// `(m/w/d)` and its like, which only titles of adverts carry.
static MARKER: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\((?:[mwfdxi]\s*[/|,*]\s*[mwfdxi*](?:\s*[/|,*]\s*[mwfdxi*])?|all genders?|gn\*?)\)")
        .expect("a fixed pattern")
});

/// What no position is that is open: an application to nothing in particular, or what is taken already.
static NO_POSITION: LazyLock<Regex> = LazyLock::new(|| {
    let words = "initiativ|spontan|blindbewerbung|unsolicited|speculative|talent ?pool|talent ?community|open application|besetzt|\
        vergeben|geschlossen|abgelaufen|nicht mehr verfügbar|closed|filled|expired|no longer|ähnliche stellen|similar jobs";
    Regex::new(&format!("(?i){words}")).expect("a fixed pattern")
});

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    version: u32,
    at_least: usize,
    p: f64,
    #[serde(rename = "source")]
    _source: String,
    technologies: Vec<String>,
}

/// The technologies, ready to be looked for.
struct Technologies {
    at_least: usize,
    p: f64,
    names: Vec<String>,
    words: AhoCorasick,
}

impl Technologies {
    /// Whether a name that was found is written as it must be: `MES` is an acronym, `mes` is French.
    fn is_written_so(&self, found: PatternID, written: &str) -> bool {
        let name = &self.names[found.as_usize()];
        name.contains(char::is_lowercase) || name == written
    }
}

static TECHNOLOGIES: LazyLock<Technologies> = LazyLock::new(|| {
    let raw: Raw = serde_saphyr::from_str(include_str!("../../config/signals/technologies.yaml"))
        .expect("technologies.yaml is checked by a test");
    assert!(raw.version == 1 && raw.p > 0.5 && raw.p < 1.0, "technologies.yaml is checked by a test");
    let mut builder = AhoCorasick::builder();
    builder.ascii_case_insensitive(true).match_kind(MatchKind::LeftmostLongest);
    let words = builder.build(&raw.technologies).expect("few short words");
    Technologies { at_least: raw.at_least, p: raw.p, names: raw.technologies, words }
});

/// One advert.
struct Advert {
    title: String,
    description: String,
    posted: Option<Timestamp>,
}

/// Reads a page of open positions.
pub(super) fn read(page: &PageReading, context: &Context<'_>) -> Reading {
    let (adverts, same_until) = open_now(page, context);
    let mut text = page.text.replace('\n', "\n\n");
    for advert in &adverts {
        text.push_str("\n\n");
        text.push_str(&html::text_of(&advert.description).replace('\n', "\n\n"));
    }
    let own = OwnText { text: &text, language: page.language.as_deref(), locator: "text", said_at: None };
    if own.is_foreign(context) {
        return Reading { same_until, ..Reading::default() };
    }
    let (mut found, withheld) = facts(&own, context);
    found.extend(many(page, &adverts, context));
    found.extend(technologies(&text, context));
    Reading { found, withheld, same_until, ..Reading::default() }
}

/// Adverts of now in structured data, and until when they are these.
fn open_now(page: &PageReading, context: &Context<'_>) -> (Vec<Advert>, Option<Timestamp>) {
    let mut adverts = Vec::new();
    for block in page.json_ld.iter().chain(&page.microdata).chain(&page.rdfa) {
        collect(block, 0, &mut adverts);
    }
    // One that is over says nothing of now, and one of tomorrow is a mistake.
    adverts.retain(|(_, until)| until.is_none_or(|until| until >= context.as_of));
    let (ends, late) = (adverts.iter().filter_map(|(_, until)| *until), |advert: &Advert| {
        advert.posted.filter(|at| *at > context.latest())
    });
    let same_until = ends.chain(due(adverts.iter().filter_map(|(advert, _)| late(advert)))).min();
    adverts.retain(|(advert, _)| late(advert).is_none());
    (adverts.into_iter().map(|(advert, _)| advert).collect(), same_until)
}

/// Adverts in structured data, each with the end of its validity.
fn collect(value: &Value, depth: usize, adverts: &mut Vec<(Advert, Option<Timestamp>)>) {
    if depth > MAX_DEPTH || adverts.len() >= MAX_ADVERTS {
        return;
    }
    match value {
        Value::Array(list) => list.iter().for_each(|v| collect(v, depth + 1, adverts)),
        Value::Object(node) if is_advert(node) => adverts.extend(advert(node)),
        Value::Object(node) => node.values().for_each(|v| collect(v, depth + 1, adverts)),
        _ => {}
    }
}

fn is_advert(node: &Map<String, Value>) -> bool {
    let is = |v: &Value| v.as_str().is_some_and(|t| t.rsplit(['/', '#', ':']).next() == Some("JobPosting"));
    match node.get("@type").or_else(|| node.get("type")) {
        Some(Value::Array(list)) => list.iter().any(is),
        Some(one) => is(one),
        None => false,
    }
}

fn advert(node: &Map<String, Value>) -> Option<(Advert, Option<Timestamp>)> {
    // Microdata has its values in lists below `properties`.
    let node = node.get("properties").and_then(Value::as_object).unwrap_or(node);
    let text = |key: &str| {
        let value = node.get(key)?;
        let value = value.as_array().map_or(Some(value), |list| list.first())?;
        Some(value.as_str()?.trim().to_owned()).filter(|text| !text.is_empty())
    };
    let advert = Advert {
        title: text("title").or_else(|| text("name"))?,
        description: text("description").unwrap_or_default(),
        posted: text("datePosted").and_then(|day| instant(&day, false)),
    };
    Some((advert, text("validThrough").and_then(|day| instant(&day, true))))
}

/// A date or a date with time as schema.org writes them; without a zone it is UTC.
fn instant(text: &str, end: bool) -> Option<Timestamp> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at);
    }
    let civil = match text.parse::<Date>() {
        Ok(day) if end && text.len() <= 10 => day.at(23, 59, 59, 0),
        _ => text.parse::<DateTime>().ok()?,
    };
    jiff::tz::TimeZone::UTC.to_timestamp(civil).ok()
}

/// The titles of the open positions that a page lists, and where they stand.
fn positions(page: &PageReading, adverts: &[Advert]) -> (BTreeSet<String>, &'static str) {
    let is_open = |title: &&str| !NO_POSITION.is_match(title);
    let listed = page.text.lines().filter(|l| l.chars().count() <= MAX_TITLE).filter(is_open);
    // Behind the marker stands the place, once in a list and once beside it.
    let listed = listed.filter_map(|line| Some(line[..MARKER.find(line)?.end()].trim().to_owned()));
    let listed: BTreeSet<String> = listed.collect();
    let marked = adverts.iter().map(|advert| &*advert.title).filter(is_open);
    let marked: BTreeSet<String> = marked.map(str::to_owned).collect();
    // The same positions, twice.
    if marked.len() >= listed.len() { (marked, "job postings") } else { (listed, "lines with titles") }
}

/// Many open positions for the size of the company.
fn many(page: &PageReading, adverts: &[Advert], context: &Context<'_>) -> Option<Found> {
    let account = context.account.id.as_ref()?;
    let (titles, place) = positions(page, adverts);
    let positions = u32::try_from(titles.len()).unwrap_or(u32::MAX);
    let enough = positions.saturating_mul(PEOPLE_PER_POSITION) >= context.account.employees?;
    if titles.len() < MANY || !enough {
        return None;
    }
    let quotes = titles.iter().map(|title| TitleReader::shipped().quote(title)).filter(|quote| !quote.is_empty());
    Some(Found {
        about: About::Account(account.clone()),
        claim: Claim::Firmographic(CompanyField::Development.to_string(), "growth".to_owned()),
        weight: P_MANY,
        quote: scrub_quote(&quotes.collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>().join("; "))?,
        locator: format!("{positions} {place}"),
        extractor: EXTRACTOR.to_owned(),
        said_at: adverts.iter().filter_map(|a| a.posted).max(),
    })
}

/// Several technologies of digital work.
fn technologies(text: &str, context: &Context<'_>) -> Option<Found> {
    let account = context.account.id.as_ref()?;
    let known = &*TECHNOLOGIES;
    let is_part = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let (mut seen, mut named) = (BTreeSet::new(), Vec::new());
    for found in known.words.find_iter(text) {
        let inside = is_part(text[..found.start()].chars().next_back()) || is_part(text[found.end()..].chars().next());
        let named_so = !inside && known.is_written_so(found.pattern(), &text[found.range()]);
        if named_so && seen.insert(found.pattern()) {
            named.push(&text[found.range()]);
        }
    }
    (named.len() >= known.at_least).then_some(())?;
    Some(Found {
        about: About::Account(account.clone()),
        claim: Claim::Firmographic(CompanyField::DigitalMaturity.to_string(), "high".to_owned()),
        weight: known.p,
        quote: scrub_quote(&named.join(", "))?,
        locator: format!("{} technologies", named.len()),
        extractor: EXTRACTOR.to_owned(),
        said_at: None,
    })
}

#[cfg(test)]
#[path = "job_adverts_tests.rs"]
mod tests;
