//! Reads a feed of news (RSS 0.9 to 2.0, Atom): its latest entries as dated text.
//!
//! Invariant: [`read_feed`] is total and pure, in time and memory bounded by the size of the body. Authors,
//! contributors and comments are not kept: what is read is what the publisher says.

use std::borrow::Cow;
use std::sync::LazyLock;

use feed_rs::model::Entry as Raw;
use feed_rs::parser::Builder;
use jiff::Timestamp;
use regex::Regex;
use serde_json::Value;

use super::html;

/// Name and version of this reader.
pub const EXTRACTOR: &str = "feed/1";

/// Bytes of a feed that are read; feeds of news are a tenth of it.
const MAX_BYTES: usize = 2 * 1024 * 1024;
/// Elements that may be open at a time outside CDATA.
const MAX_DEPTH: usize = 64;
/// Bytes of one tag: a parser compares each attribute with all before it.
const MAX_TAG: usize = 8 * 1024;
/// Namespaces that one tag may declare: each name is looked up among all that are open.
const MAX_NAMESPACES: usize = 32;
/// Elements open at a time that change what links are relative to: their addresses grow by each other.
const MAX_BASES: usize = 4;
/// Whom a meta tag speaks to, where it speaks to this program.
const ROBOTS: [&str; 2] = ["robots", "prosopon"];
/// Bytes of HTML of one entry that are read.
const MAX_ENTRY: usize = 64 * 1024;
/// A feed begins within so many bytes.
const MAX_BEFORE: usize = 8192;

/// One entry.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its place in the feed, counted from 0.
    pub index: usize,
    /// When it was published, else when it was last changed. One that does not tell is left out.
    pub published: Timestamp,
    /// Title and text without markup, paragraphs apart.
    pub text: String,
}

/// A feed.
#[derive(Clone, PartialEq, Eq)]
pub struct Feed {
    /// The language as declared (`de-DE`).
    pub language: Option<String>,
    /// What its robots meta tags say; whoever reads on obeys them first.
    pub robots: Vec<String>,
    /// The newest first.
    pub entries: Vec<Entry>,
    /// The first date of those that were left out because they are later than they can be.
    pub next: Option<Timestamp>,
}

/// Why a feed is not read; the word stands in tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FeedError {
    /// Larger than feeds are.
    #[error("feed_too_large")]
    TooLarge,
    /// Declares entities of its own, as no feed needs to.
    #[error("feed_with_entities")]
    Entities,
    /// Nested deeper, or with larger tags, than feeds are.
    #[error("feed_too_deep")]
    TooDeep,
    /// Not a feed, or a broken one.
    #[error("no_feed")]
    NoFeed,
    /// Its publisher wants it in no other list (`access:restriction`).
    #[error("noindex")]
    Restricted,
}

/// Reads the `latest` entries of a feed; those that are dated later than `until` are mistakes, and left out.
///
/// # Errors
/// See [`FeedError`].
pub fn read_feed(body: &[u8], content_type: Option<&str>, latest: usize, until: Timestamp) -> Result<Feed, FeedError> {
    if body.len() > MAX_BYTES {
        return Err(FeedError::TooLarge);
    }
    let text = html::decode_xml(body, content_type);
    let text = without_declaration(from_feed(&text));
    let (robots, text) = match text.trim_start().chars().next() {
        Some('<') => (check(text)?, with_written_ampersands(text)),
        Some('{') => (Vec::new(), Cow::Owned(json_feed(text).ok_or(FeedError::NoFeed)?)),
        _ => return Err(FeedError::NoFeed),
    };
    // The default makes up random ids where there are none.
    let parser = Builder::new().id_generator(|_, _, _| String::new()).sanitize_content(false).build();
    let feed = parser.parse(text.as_bytes()).map_err(|_| FeedError::NoFeed)?;
    let dated = feed.entries.iter().enumerate().filter_map(|(index, entry)| Some((index, entry, date(entry)?)));
    let (mut dated, later): (Vec<(usize, &Raw, Timestamp)>, Vec<_>) = dated.partition(|(_, _, at)| *at <= until);
    let next = later.into_iter().map(|(_, _, at)| at).min();
    dated.sort_by(|a, b| b.2.cmp(&a.2).then(a.0.cmp(&b.0)));
    dated.truncate(latest);
    let entries = dated.into_iter().map(|(index, raw, published)| Entry { index, published, text: words(raw) });
    Ok(Feed { language: feed.language, robots, entries: entries.collect(), next })
}

/// What begins where the feed begins: servers write warnings before it.
fn from_feed(text: &str) -> &str {
    let mut end = text.len().min(MAX_BEFORE);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let begin = ["<?xml", "<rss", "<feed", "<rdf:RDF"].iter().filter_map(|begin| text[..end].find(begin)).min();
    let (before, feed) = text.split_at(begin.unwrap_or_default());
    // Of a warning only: a page that shows a feed is none.
    let is_of_text = |tag: &str| ["br", "b>", "/b>", "p>", "/p>", "i>", "/i>"].iter().any(|name| tag.starts_with(name));
    if before.split('<').skip(1).all(is_of_text) { feed } else { text }
}

/// `R&D` is no XML, and is what people write; outside of CDATA it becomes `R&amp;D`.
fn with_written_ampersands(text: &str) -> Cow<'_, str> {
    let is_entity = |rest: &str| {
        let name = rest.split_once(';').map_or("", |(name, _)| name);
        let letters = name.strip_prefix('#').unwrap_or(name);
        (1..=32).contains(&letters.len()) && letters.bytes().all(|b| b.is_ascii_alphanumeric())
    };
    let (mut out, mut rest) = (String::new(), text);
    loop {
        let next = [rest.find('&'), rest.find("<![CDATA[")];
        let (at, behind) = match next {
            [Some(amp), cdata] if cdata.is_none_or(|cdata| amp < cdata) => (amp, amp + 1),
            [_, Some(cdata)] => (cdata, rest[cdata..].find("]]>").map_or(rest.len(), |end| cdata + end)),
            _ => break,
        };
        out.push_str(&rest[..behind]);
        if rest[at..].starts_with('&') && !is_entity(&rest[behind..]) {
            out.push_str("amp;");
        }
        rest = &rest[behind..];
    }
    if out.is_empty() { Cow::Borrowed(text) } else { Cow::Owned(out + rest) }
}

/// A feed in JSON with ids that are strings, as the parser wants them and the format allows others.
fn json_feed(text: &str) -> Option<String> {
    let mut feed: Value = serde_json::from_str(text).ok()?;
    feed["version"].as_str().filter(|version| version.contains("jsonfeed.org/version/"))?;
    for item in feed.get_mut("items")?.as_array_mut()? {
        let item = item.as_object_mut()?;
        item.remove("attachments");
        if let Some(id) = item.get_mut("id").filter(|id| !id.is_string()) {
            *id = Value::String(id.to_string());
        }
    }
    Some(feed.to_string())
}

/// The text is UTF-8 by now, whatever the declaration says.
fn without_declaration(text: &str) -> &str {
    let text = text.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']);
    let Some(rest) = text.strip_prefix("<?xml") else { return text };
    rest.split_once("?>").map_or(text, |(_, rest)| rest)
}

fn date(entry: &Raw) -> Option<Timestamp> {
    let at = entry.published.or(entry.updated)?;
    Timestamp::from_second(at.timestamp()).ok()
}

/// What `WordPress` leaves of a builder of pages that is not installed any more: `[vc_row css=...]`, `[/et_pb_text]`.
static SHORTCODE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\[/?(?:[a-z]+_[a-z0-9_]+|caption|gallery|embed|audio|video)(?:\s[^\[\]]*)?\]")
        .expect("a fixed pattern")
});

/// The title and the longest text that an entry has: many have an excerpt and the whole.
fn words(entry: &Raw) -> String {
    let title = entry.title.as_ref().map(|t| t.content.as_str());
    let summary = entry.summary.as_ref().map(|t| t.content.as_str());
    let whole = entry.content.as_ref().and_then(|c| c.body.as_deref());
    // Of a podcast, what is heard stands beside the recording.
    let heard = entry.media.iter().filter_map(|media| Some(media.description.as_ref()?.content.as_str()));
    let body = [summary, whole].into_iter().flatten().chain(heard).max_by_key(|text| text.len());
    let plain = |html: &str| {
        let mut end = html.len().min(MAX_ENTRY);
        while !html.is_char_boundary(end) {
            end -= 1;
        }
        SHORTCODE.replace_all(&html::text_of(&html[..end]), "").trim().to_owned()
    };
    let parts: Vec<String> = [title, body].into_iter().flatten().map(plain).filter(|p| !p.is_empty()).collect();
    // Paragraphs apart: a title is a sentence without a full stop.
    parts.join("\n").replace('\n', "\n\n")
}

/// Refuses what would cost a parser more than its size; returns what its robots meta tags say.
fn check(text: &str) -> Result<Vec<String>, FeedError> {
    if text.contains("<!ENTITY") {
        return Err(FeedError::Entities);
    }
    // What is open, and whether it changes what links are relative to.
    let (mut rest, mut open, mut robots) = (text, Vec::new(), Vec::new());
    while let Some(start) = rest.find('<') {
        rest = &rest[start + 1..];
        if rest.starts_with(['!', '?']) {
            rest = behind_declaration(rest)?;
            continue;
        }
        let end = tag_end(rest).ok_or(FeedError::NoFeed)?;
        let tag = &rest[..end];
        if tag.len() > MAX_TAG || tag.matches("xmlns").nth(MAX_NAMESPACES).is_some() {
            return Err(FeedError::TooDeep);
        }
        if is_restriction(tag) {
            return Err(FeedError::Restricted);
        }
        robots.extend(robots_meta(tag));
        if tag.starts_with('/') {
            open.pop();
        } else if !tag.ends_with('/') {
            open.push(tag.contains("xml:base"));
        }
        if open.len() > MAX_DEPTH || open.iter().filter(|changes| **changes).count() > MAX_BASES {
            return Err(FeedError::TooDeep);
        }
        rest = &rest[end + 1..];
    }
    Ok(robots)
}

/// What stands behind a comment, CDATA, a processing instruction or a declaration; nothing in them is a tag.
fn behind_declaration(rest: &str) -> Result<&str, FeedError> {
    for (begin, end) in [("![CDATA[", "]]>"), ("!--", "-->"), ("?", "?>")] {
        if let Some(inner) = rest.strip_prefix(begin) {
            return Ok(inner.split_once(end).ok_or(FeedError::NoFeed)?.1);
        }
    }
    // A document type may name where it is described; what it describes itself no feed needs.
    let end = tag_end(rest).ok_or(FeedError::NoFeed)?;
    let is_type = rest.get(..8).is_some_and(|begin| begin.eq_ignore_ascii_case("!DOCTYPE"));
    if is_type && !rest[..end].contains('[') { Ok(&rest[end + 1..]) } else { Err(FeedError::NoFeed) }
}

/// Where a tag ends: at the first `>` that is in no quotes, as the parser has it.
fn tag_end(rest: &str) -> Option<usize> {
    let mut quote = None;
    rest.bytes().position(|byte| match (quote, byte) {
        (None, b'>') => true,
        (None, b'"' | b'\'') => {
            quote = Some(byte);
            false
        }
        (Some(open), _) if open == byte => {
            quote = None;
            false
        }
        _ => false,
    })
}

fn name_of(tag: &str) -> &str {
    tag.split([' ', '\t', '\r', '\n', '/']).next().unwrap_or_default()
}

/// `<access:restriction relationship="deny"/>`.
fn is_restriction(tag: &str) -> bool {
    name_of(tag).ends_with(":restriction") && tag.contains("deny")
}

/// What `<xhtml:meta name="robots" content="..."/>` says, or one that is meant for this program.
fn robots_meta(tag: &str) -> Option<String> {
    let name = name_of(tag);
    if name != "meta" && !name.ends_with(":meta") {
        return None;
    }
    let attribute = |wanted: &str| attributes(&tag[name.len()..]).find(|(key, _)| key.eq_ignore_ascii_case(wanted));
    let (_, whom) = attribute("name")?;
    let meant = ROBOTS.iter().any(|robot| whom.trim().eq_ignore_ascii_case(robot));
    attribute("content").filter(|_| meant).map(|(_, says)| says.to_owned())
}

/// Keys and values in quotes.
fn attributes(mut rest: &str) -> impl Iterator<Item = (&str, &str)> {
    std::iter::from_fn(move || {
        let (key, behind) = rest.split_once('=')?;
        let behind = behind.trim_start();
        let quote = behind.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let (value, behind) = behind[1..].split_once(quote)?;
        rest = behind;
        Some((key.trim(), value))
    })
}

#[cfg(test)]
mod blind_tests;
#[cfg(test)]
mod tests;
