//! What a link promises, from its words and its address: `config/lexicon/html/links.yaml`, parsed once.
//!
//! Invariant: a word that means something else elsewhere (`team`, `jobs`) counts only where it says all that there is to say; a link
//! below a product, a customer's account or an article promises nothing.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use rustc_hash::{FxHashMap, FxHashSet};
use serde::Deserialize;
use std::collections::BTreeMap;
use unicode_normalization::UnicodeNormalization;
use url::Url;

use super::lexicon::padded;
use super::links::LinkTopic;

/// Longer anchors are sentences.
const MAX_CHARS: usize = 60;
/// Bytes of a title.
const MAX_TITLE: usize = 160;
/// More words than a company's name has.
const MAX_PLACE: usize = 4;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTopic {
    whole: Vec<String>,
    within: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    topics: BTreeMap<LinkTopic, RawTopic>,
    fillers: FxHashSet<String>,
    joints: FxHashSet<String>,
    at_words: FxHashSet<String>,
    elsewhere: Vec<String>,
    not_own: FxHashSet<String>,
    feed_anchors: FxHashSet<String>,
    not_news: Vec<String>,
    not_news_paths: Vec<String>,
}

struct Topics {
    /// What a whole anchor means, and whether it means that wherever it stands.
    whole: FxHashMap<String, (LinkTopic, bool)>,
    /// The phrases of the automaton, the longest first.
    within: Vec<LinkTopic>,
    /// Finds them between spaces.
    phrases: AhoCorasick,
    elsewhere: FxHashSet<String>,
    not_news: AhoCorasick,
    not_news_paths: AhoCorasick,
    fillers: FxHashSet<String>,
    joints: FxHashSet<String>,
    at_words: FxHashSet<String>,
    not_own: FxHashSet<String>,
    feed_anchors: FxHashSet<String>,
}

static TOPICS: LazyLock<Topics> = LazyLock::new(|| {
    let raw: Raw = serde_saphyr::from_str(include_str!("../../../config/lexicon/html/links.yaml"))
        .expect("the embedded lexicon is tested");
    let mut whole = FxHashMap::default();
    let mut within = Vec::new();
    for (topic, words) in raw.topics {
        for phrase in words.within.iter().flat_map(|p| spellings(p)) {
            whole.insert(phrase.clone(), (topic, true));
            within.push((format!(" {phrase} "), topic));
        }
        for phrase in words.whole.iter().flat_map(|p| spellings(p)) {
            whole.entry(phrase).or_insert((topic, false));
        }
    }
    within.sort_by(|a, b| b.0.len().cmp(&a.0.len()).then(a.cmp(b)));
    let automaton = |words: Vec<&str>| AhoCorasick::new(words).expect("few short words");
    Topics {
        whole,
        phrases: automaton(within.iter().map(|(phrase, _)| phrase.as_str()).collect()),
        within: within.into_iter().map(|(_, topic)| topic).collect(),
        elsewhere: raw.elsewhere.iter().flat_map(|w| spellings(w)).collect(),
        not_news: automaton(raw.not_news.iter().map(String::as_str).collect()),
        not_news_paths: automaton(raw.not_news_paths.iter().map(String::as_str).collect()),
        fillers: raw.fillers,
        joints: raw.joints,
        at_words: raw.at_words,
        not_own: raw.not_own,
        feed_anchors: raw.feed_anchors,
    }
});

/// How surely a link leads to what it promises, the surest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sureness {
    /// The anchor says it and nothing else.
    Whole,
    /// One of the two things that the anchor names.
    Part,
    /// The address says it.
    Address,
    /// It stands in the anchor.
    Within,
}

/// What an anchor says of its link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Promise {
    /// It leads to others, or behind a door.
    NotOwn,
    /// A page of interest.
    Topic(LinkTopic, Sureness),
    /// Nothing.
    Nothing,
}

/// The ways in which a phrase is written: as it is, transcribed, and without accents.
fn spellings(phrase: &str) -> Vec<String> {
    let phrase = padded(phrase).trim().to_owned();
    let umlauts = [("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("ß", "ss"), ("ø", "oe"), ("æ", "ae"), ("å", "aa")];
    let transcribed = umlauts.iter().fold(phrase.clone(), |text, (from, to)| text.replace(from, to));
    let mut all = vec![bare(&phrase), phrase, transcribed];
    all.dedup();
    all
}

/// A text without accents.
fn bare(text: &str) -> String {
    let letters = text.nfd().filter(|c| !unicode_normalization::char::is_combining_mark(*c));
    letters.collect::<String>().replace('ł', "l").replace('ø', "o").replace('ß', "ss")
}

/// What a heading or an anchor names.
pub(super) fn of_text(text: &str) -> Option<LinkTopic> {
    named(text).map(|(topic, _, _)| topic)
}

/// Whether a title is that of an imprint, whatever else it says.
pub(super) fn is_imprint_title(text: &str) -> bool {
    if text.len() > MAX_TITLE {
        return false;
    }
    let topics = &*TOPICS;
    let phrases = padded(text);
    let within = |m: aho_corasick::Match| topics.within[m.pattern().as_usize()] == LinkTopic::Imprint;
    of_text(text) == Some(LinkTopic::Imprint) || topics.phrases.find_overlapping_iter(&phrases).any(within)
}

/// What a link promises.
pub(super) fn of_link(text: &str, url: &Url) -> Promise {
    if padded(text).split(' ').any(|w| TOPICS.not_own.contains(w)) {
        return Promise::NotOwn;
    }
    let is_elsewhere = is_elsewhere(url);
    match named(text) {
        Some((topic, Sureness::Whole, true)) => Promise::Topic(topic, Sureness::Whole),
        Some((topic, sureness, _)) if !is_elsewhere => Promise::Topic(topic, sureness),
        _ if is_elsewhere => Promise::Nothing,
        _ => in_address(url).map_or(Promise::Nothing, |topic| Promise::Topic(topic, Sureness::Address)),
    }
}

/// Whether an anchor is that of a feed.
pub(super) fn is_feed_anchor(text: &str) -> bool {
    TOPICS.feed_anchors.contains(padded(text).trim())
}

/// Whether the title of a feed, or else its address, says that it is no news of the company.
pub(super) fn is_not_news(title: Option<&str>, url: &str) -> bool {
    let topics = &*TOPICS;
    // The host may be called after what the company sells.
    let path = Url::parse(url).map(|u| u[url::Position::BeforePath..].to_lowercase()).unwrap_or_default();
    let titled = title.is_some_and(|t| topics.not_news.is_match(&t.to_lowercase()));
    titled || topics.not_news.is_match(&path) || topics.not_news_paths.is_match(&path)
}

/// What a short text names, how surely, and whether it names that wherever it stands.
fn named(text: &str) -> Option<(LinkTopic, Sureness, bool)> {
    if text.len() > 4 * MAX_CHARS || text.chars().count() > MAX_CHARS {
        return None;
    }
    let topics = &*TOPICS;
    let whole = padded(text);
    let words: Vec<&str> = whole.split(' ').filter(|w| !w.is_empty()).collect();
    if let Some((topic, always)) = said(&words) {
        return Some((topic, Sureness::Whole, always));
    }
    let parts = text.split(['&', '/', '|', '+', ',', '–', '·', ';']);
    let parts: Vec<String> = parts.map(padded).collect();
    let parts = parts.iter().flat_map(|part| {
        let words: Vec<&str> = part.split(' ').filter(|w| !w.is_empty()).collect();
        words.split(|w| topics.joints.contains(*w)).map(<[&str]>::to_vec).collect::<Vec<_>>()
    });
    let said_in_parts = parts.filter(|part| part.len() < words.len()).filter_map(|part| said(&part));
    // Of two things the one that is found on no other page: `Kontakt & Impressum`.
    let rank = |topic: LinkTopic| (topic == LinkTopic::Contact, topic == LinkTopic::About, topic != LinkTopic::Imprint);
    if let Some((topic, always)) = said_in_parts.min_by_key(|(topic, _)| rank(*topic)) {
        return Some((topic, Sureness::Part, always));
    }
    let longest = topics.phrases.find_overlapping_iter(&whole).map(|m| m.pattern().as_usize()).min()?;
    Some((topics.within[longest], Sureness::Within, true))
}

/// What words mean that stand for themselves, fillers and the company's name behind them aside.
fn said(words: &[&str]) -> Option<(LinkTopic, bool)> {
    let topics = &*TOPICS;
    let known = |words: &[&str]| topics.whole.get(&words.join(" ")).copied();
    let filling = words.iter().take_while(|w| topics.fillers.contains(**w)).count();
    let core = &words[filling..];
    let place = core.iter().position(|w| topics.at_words.contains(*w)).filter(|at| *at > 0);
    let before_place = || core.get(..place.filter(|at| core.len() - at <= MAX_PLACE)?);
    known(words).or_else(|| known(core)).or_else(|| known(before_place()?))
}

/// The words of a part of an address: `AboutUs`, `ueber-uns.html`.
fn segment_words(segment: &str) -> String {
    let decoded = url::form_urlencoded::parse(segment.as_bytes()).next();
    let decoded = decoded.map(|(name, _)| name.into_owned()).unwrap_or_default();
    let stem = decoded.split('.').next().unwrap_or_default();
    let mut spaced = String::with_capacity(stem.len() + 4);
    let mut was_lower = false;
    for c in stem.chars() {
        if c.is_uppercase() && was_lower {
            spaced.push(' ');
        }
        was_lower = c.is_lowercase();
        spaced.push(if c == '_' { ' ' } else { c });
    }
    padded(&spaced).trim().to_owned()
}

fn in_address(url: &Url) -> Option<LinkTopic> {
    let last = url.path_segments()?.rfind(|s| !s.is_empty())?;
    let words = segment_words(last);
    let words: Vec<&str> = words.split(' ').collect();
    let joined = || words.split(|w| TOPICS.joints.contains(*w)).find_map(said);
    said(&words).or_else(joined).map(|(topic, _)| topic)
}

/// Whether an address lies below what a company sells or writes.
fn is_elsewhere(url: &Url) -> bool {
    let segments: Vec<&str> = url.path_segments().into_iter().flatten().filter(|s| !s.is_empty()).collect();
    let parents = segments.split_last().map_or(&[][..], |(_, parents)| parents);
    parents.iter().any(|s| segment_words(s).split(' ').any(|w| TOPICS.elsewhere.contains(w)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anchors_tell_their_topic() {
        for (text, topic) in [
            ("Unser Team", Some(LinkTopic::Team)),
            ("Über uns", Some(LinkTopic::About)),
            ("Impressum & Datenschutz", Some(LinkTopic::Imprint)),
            ("Ihre Ansprechpartner", Some(LinkTopic::Team)),
            ("Contact us", Some(LinkTopic::Contact)),
            ("Karriere bei uns", Some(LinkTopic::Jobs)),
            ("Open positions", Some(LinkTopic::Jobs)),
            ("Jobs bei der Muster GmbH", Some(LinkTopic::Jobs)),
            ("L’équipe", Some(LinkTopic::Team)),
            ("Steam cleaning", None),
            ("Microsoft Teams Telefonie", None),
            ("Change management", None),
            ("Fußball-Teams", None),
            ("Überwachung Ihrer Backup-Jobs", None),
        ] {
            assert_eq!(of_text(text), topic, "{text}");
        }
    }

    #[test]
    fn addresses_tell_it_too() {
        for (text, address, promise) in [
            ("Mehr", "/geschaeftsleitung", Promise::Topic(LinkTopic::Team, Sureness::Address)),
            ("Mehr", "/Company/AboutUs.aspx", Promise::Topic(LinkTopic::About, Sureness::Address)),
            ("Mehr", "/%C3%BCber-uns/", Promise::Topic(LinkTopic::About, Sureness::Address)),
            ("Jobs", "/account/jobs", Promise::Nothing),
            ("Impressum", "/service/impressum", Promise::Topic(LinkTopic::Imprint, Sureness::Whole)),
            ("Impressum-Check", "/leistungen/impressum-check", Promise::Nothing),
            ("Stellenangebote unserer Kunden", "/stellenangebote", Promise::NotOwn),
        ] {
            let url = Url::parse("https://muster.example").and_then(|u| u.join(address)).expect("an address");
            assert_eq!(of_link(text, &url), promise, "{text} {address}");
        }
    }
}
