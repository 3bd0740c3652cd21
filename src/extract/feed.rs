//! Reads a feed of news (RSS 0.9 to 2.0, Atom): its latest entries as dated text.
//!
//! Invariant: [`read_feed`] is total and pure, in time and memory bounded by the size of the body. Authors,
//! contributors and comments are not kept: what is read is what the publisher says.

use feed_rs::model::Entry as Raw;
use feed_rs::parser::Builder;
use jiff::Timestamp;

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
/// Bytes of HTML of one entry that are read.
const MAX_ENTRY: usize = 64 * 1024;

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
    /// The newest first.
    pub entries: Vec<Entry>,
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
    /// Its publisher wants it in no other list (`access:restriction`, a robots meta tag).
    #[error("noindex")]
    Restricted,
}

/// Reads the `latest` entries of a feed.
///
/// # Errors
/// See [`FeedError`].
pub fn read_feed(body: &[u8], content_type: Option<&str>, latest: usize) -> Result<Feed, FeedError> {
    if body.len() > MAX_BYTES {
        return Err(FeedError::TooLarge);
    }
    let text = html::decode_xml(body, content_type);
    let text = without_declaration(&text);
    // A feed in JSON is none that a page announces as RSS or Atom.
    if !text.trim_start().starts_with('<') {
        return Err(FeedError::NoFeed);
    }
    check(text)?;
    // The default makes up random ids where there are none.
    let parser = Builder::new().id_generator(|_, _, _| String::new()).sanitize_content(false).build();
    let feed = parser.parse(text.as_bytes()).map_err(|_| FeedError::NoFeed)?;
    let dated = feed.entries.iter().enumerate().filter_map(|(index, entry)| Some((index, entry, date(entry)?)));
    let mut dated: Vec<(usize, &Raw, Timestamp)> = dated.collect();
    dated.sort_by(|a, b| b.2.cmp(&a.2).then(a.0.cmp(&b.0)));
    dated.truncate(latest);
    let entries = dated.into_iter().map(|(index, raw, published)| Entry { index, published, text: words(raw) });
    Ok(Feed { language: feed.language, entries: entries.collect() })
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

/// The title and the longest text that an entry has: many have an excerpt and the whole.
fn words(entry: &Raw) -> String {
    let title = entry.title.as_ref().map(|t| t.content.as_str());
    let summary = entry.summary.as_ref().map(|t| t.content.as_str());
    let whole = entry.content.as_ref().and_then(|c| c.body.as_deref());
    let body = [summary, whole].into_iter().flatten().max_by_key(|text| text.len());
    let plain = |html: &str| {
        let mut end = html.len().min(MAX_ENTRY);
        while !html.is_char_boundary(end) {
            end -= 1;
        }
        html::text_of(&html[..end])
    };
    let parts: Vec<String> = [title, body].into_iter().flatten().map(plain).filter(|p| !p.is_empty()).collect();
    // Paragraphs apart: a title is a sentence without a full stop.
    parts.join("\n").replace('\n', "\n\n")
}

/// Refuses what would cost a parser more than its size.
fn check(text: &str) -> Result<(), FeedError> {
    if text.contains("<!ENTITY") {
        return Err(FeedError::Entities);
    }
    let (mut rest, mut depth) = (text, 0_usize);
    while let Some(start) = rest.find('<') {
        rest = &rest[start + 1..];
        if let Some(inner) = rest.strip_prefix("![CDATA[") {
            rest = inner.split_once("]]>").ok_or(FeedError::NoFeed)?.1;
            continue;
        }
        if let Some(inner) = rest.strip_prefix("!--") {
            rest = inner.split_once("-->").ok_or(FeedError::NoFeed)?.1;
            continue;
        }
        let end = rest.find('>').ok_or(FeedError::NoFeed)?;
        let tag = &rest[..end];
        if tag.len() > MAX_TAG || tag.matches("xmlns").nth(MAX_NAMESPACES).is_some() {
            return Err(FeedError::TooDeep);
        }
        if is_restriction(tag) {
            return Err(FeedError::Restricted);
        }
        if tag.starts_with('/') {
            depth = depth.saturating_sub(1);
        } else if !tag.starts_with(['!', '?']) && !tag.ends_with('/') {
            depth += 1;
        }
        if depth > MAX_DEPTH {
            return Err(FeedError::TooDeep);
        }
        rest = &rest[end + 1..];
    }
    Ok(())
}

/// `<access:restriction relationship="deny"/>`, `<xhtml:meta name="robots" content="noindex"/>`.
fn is_restriction(tag: &str) -> bool {
    let name = tag.split([' ', '\t', '\r', '\n', '/']).next().unwrap_or_default();
    let holds = |words: &[&str]| words.iter().all(|word| tag.contains(word));
    name.ends_with(":restriction") && holds(&["deny"])
        || (name == "meta" || name.ends_with(":meta")) && holds(&["robots", "noindex"])
}

#[cfg(test)]
mod tests;
