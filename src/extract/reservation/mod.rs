//! Reservations in plain words: `Text und Data Mining im Sinne des § 44b UrhG bleibt vorbehalten`, `automated
//! extraction of this site is not permitted`.
//!
//! Invariant: pure and total, linear in the text: at most [`MAX_TEXT`] bytes are read, a sentence at a time, of which
//! no more than [`MAX_WORDS`] words. A sentence counts by itself, or with the heading or the colon before it. In doubt
//! it reserves: a false alarm costs a page. Product pages, articles on the law, questions and quoted clauses do not.

mod words;

#[cfg(test)]
mod tests;

use unicode_normalization::UnicodeNormalization;

use super::html::PageReading;
use words::{WORDS, Words};

/// The word for it in tables.
pub const REASON: &str = "terms_reserved";
/// Bytes that are read.
const MAX_TEXT: usize = 200_000;
/// Words of one sentence that are read together.
const MAX_WORDS: usize = 120;
/// A line of no more words and without a full stop is a heading.
const MAX_HEADING: usize = 10;
/// So many lines after a colon belong to it.
const MAX_ITEMS: u8 = 8;
/// What is spoken of and what is said of it stand no farther apart, in words.
const MAX_APART: usize = 45;
/// A quoted clause has so many words at least; fewer are a term in quotation marks.
const MIN_QUOTED: usize = 6;

/// What the sentences before one leave to it.
#[derive(Default)]
struct Before {
    /// The line before is a heading that names mining.
    heading: bool,
    /// So many lines are still part of what a colon began that forbids.
    forbidden: u8,
    /// An example was announced.
    sample: bool,
    /// The half of the sentence before a semicolon names mining.
    half: bool,
}

/// Whether a text says that reading it by machine is reserved or forbidden. A block is a line.
#[must_use]
pub fn reserves(text: &str) -> bool {
    reads(text, false)
}

/// The same of a whole site, for texts that speak to crawlers anyhow (comments of robots.txt): mining is named, or
/// consent asked for. `Do not crawl the search` is about some pages, which the rules name.
#[must_use]
pub fn reserves_site(text: &str) -> bool {
    reads(text, true)
}

/// Whether somebody writes of him- or herself (a bio) not to want to be read by programs, put into lists, or sold to.
#[must_use]
pub fn refuses_of_person(text: &str) -> bool {
    let folded = fold(head(text));
    let says = |line: &str| sentences(line).iter().any(|s| WORDS.persons.is_in(&words_of(s)));
    folded.lines().any(says) || reserves(text)
}

/// Whether a page says so, in its text or in what it says of rights for machines.
#[must_use]
pub fn is_of_page(page: &PageReading) -> bool {
    page.rights.iter().map(String::as_str).chain([page.text.as_str()]).any(reserves)
}

fn reads(text: &str, to_crawlers: bool) -> bool {
    let text = head(text);
    let folded = fold(text);
    if !WORDS.triggers.is_match(&folded) {
        return false;
    }
    let mut before = Before::default();
    for line in folded.lines().filter(|line| !line.trim().is_empty()) {
        let line = without_quotes(line);
        let sentences = sentences(&line);
        let is_heading = sentences.len() == 1 && is_heading(&line);
        for sentence in &sentences {
            if is_reserved(sentence, &mut before) && (!to_crawlers || is_for_all(sentence)) {
                return true;
            }
        }
        before.forbidden = before.forbidden.saturating_sub(1);
        let last = sentences.last().copied().unwrap_or_default();
        let words = words_of(last);
        before.heading = is_heading && (WORDS.mining.is_in(&words) || WORDS.law.is_in(&words));
        if last.ends_with(':') && is_forbidden(&WORDS, &words) && !is_undone(&WORDS, &words) {
            before.forbidden = MAX_ITEMS;
        }
    }
    false
}

/// The part of a text that is read.
fn head(text: &str) -> &str {
    let mut end = text.len().min(MAX_TEXT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// Lower case, umlauts in two letters, one kind of quotation mark on either side; invisible characters are left out.
fn fold(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 16);
    for c in text.nfkc().filter(|c| !crate::safe_text::is_invisible(*c)).flat_map(char::to_lowercase) {
        match c {
            'ä' => out.push_str("ae"),
            'ö' => out.push_str("oe"),
            'ü' => out.push_str("ue"),
            'ß' => out.push_str("ss"),
            '„' | '»' | '«' | '“' | '”' | '‟' => out.push('"'),
            c => out.push(c),
        }
    }
    out
}

/// A line without the clauses that it quotes.
fn without_quotes(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut parts = line.split('"').peekable();
    let mut is_inside = false;
    while let Some(part) = parts.next() {
        let is_closed = parts.peek().is_some();
        let is_clause = is_inside && is_closed && part.split_whitespace().nth(MIN_QUOTED - 1).is_some();
        out.push_str(if is_clause { " " } else { part });
        is_inside = !is_inside;
    }
    out
}

/// A line that is a heading: short, without an end of a sentence.
fn is_heading(line: &str) -> bool {
    let line = line.trim();
    !line.ends_with(['.', '!', '?', ';']) && line.split_whitespace().nth(MAX_HEADING).is_none()
}

/// Splits a line after full stops and the like, but for those of abbreviations, numbers and addresses.
fn sentences(line: &str) -> Vec<&str> {
    let mut out = Vec::new();
    let mut start = 0;
    for (at, mark) in line.match_indices(['.', '!', '?', ';']) {
        let after = &line[at + mark.len()..];
        let word = line[start..at].rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
        let is_number = !word.is_empty() && word.bytes().all(|b| b.is_ascii_digit());
        let is_short = mark == "." && (is_number || WORDS.abbreviations.contains(word));
        if is_short || !after.starts_with(|c: char| c.is_whitespace() || matches!(c, '"' | ')' | '\'')) {
            continue;
        }
        out.push(&line[start..=at]);
        start = at + mark.len();
    }
    out.push(line[start..].trim());
    out.retain(|sentence| !sentence.trim().is_empty());
    out
}

fn words_of(sentence: &str) -> Vec<&str> {
    sentence.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect()
}

/// Whether a sentence reserves; takes note of an example that it announces.
fn is_reserved(sentence: &str, before: &mut Before) -> bool {
    let all = words_of(sentence);
    let is_sample = WORDS.sample.is_in(&all);
    let is_of_sample = std::mem::replace(&mut before.sample, is_sample) || is_sample;
    if is_of_sample || sentence.trim_end().ends_with('?') {
        return false;
    }
    let is_named = sentence.ends_with(';') && (WORDS.mining.is_in(&all) || WORDS.law.is_in(&all));
    let goes_on = std::mem::replace(&mut before.half, is_named);
    all.chunks(MAX_WORDS).any(|words| {
        let speaks = goes_on || before.heading && WORDS.declaring.is_in(words);
        let declares = speaks && says_no(&WORDS, words);
        (declares && !is_undone(&WORDS, words)) || reserves_by_itself(&WORDS, words, before.forbidden > 0)
    })
}

fn is_for_all(sentence: &str) -> bool {
    let words = words_of(sentence);
    [&WORDS.mining, &WORDS.law, &WORDS.consent, &WORDS.own_site].into_iter().any(|list| list.is_in(&words))
}

/// What a sentence speaks of: where, and how sure it is that mining is meant.
struct Topic {
    places: Vec<usize>,
    /// By its full name or by the law.
    is_named: bool,
    /// Automatic reading, without a word that means just that.
    is_loose: bool,
}

fn topic(lists: &Words, words: &[&str]) -> Option<Topic> {
    let named: Vec<usize> = lists.mining.places(words).chain(lists.law.places(words)).collect();
    if !named.is_empty() {
        return Some(Topic { places: named, is_named: true, is_loose: false });
    }
    let called: Vec<usize> = lists.mining_names.places(words).chain(lists.scraping.places(words)).collect();
    if !called.is_empty() {
        return Some(Topic { places: called, is_named: false, is_loose: false });
    }
    let automatic: Vec<usize> = lists.automation.places(words).collect();
    let agents: Vec<usize> = lists.agents.places(words).collect();
    let is_meant = match (automatic.is_empty(), agents.is_empty()) {
        (true, true) => false,
        (false, false) => lists.extraction.is_in(words),
        _ => lists.extraction.is_in(words) && lists.contents.is_in(words),
    };
    is_meant.then(|| Topic { places: automatic.into_iter().chain(agents).collect(), is_named: false, is_loose: true })
}

fn reserves_by_itself(lists: &Words, words: &[&str], is_forbidden_before: bool) -> bool {
    let Some(topic) = topic(lists, words) else { return false };
    let is_said_of_itself = lists.own_site.is_in(words) && lists.forbid.is_in(words) && !lists.denied.is_in(words);
    let means_readers = [&lists.agents, &lists.scraping].into_iter().any(|list| list.is_in(words))
        || words.iter().any(|word| word.starts_with("veroeffentlicht") || *word == "published");
    let is_private = topic.is_loose && lists.private.is_in(words) && !(is_said_of_itself && means_readers);
    if is_private || (!is_said_of_itself && is_undone(lists, words)) {
        return false;
    }
    if is_forbidden_before {
        return true;
    }
    let is_near = |at: usize| topic.places.iter().any(|place| place.abs_diff(at) <= MAX_APART);
    let is_bare = lists.bare.find(words) == Some(0) && words.last().is_some_and(|last| lists.bare_end.is_in(&[last]));
    let declares = || lists.declaring.is_in(words) && lists.reservations.places(words).any(is_near);
    if is_bare || lists.forbid.places(words).any(is_near) || declares() {
        return true;
    }
    let is_formula = lists.all_rights.is_in(words) && !topic.is_named && !lists.going_on.is_in(words);
    // `© Data Mining Ltd, all rights reserved` speaks of no mining.
    !is_formula && lists.reserve.places(words).any(is_near)
}

fn is_forbidden(lists: &Words, words: &[&str]) -> bool {
    lists.forbid.is_in(words)
}

fn says_no(lists: &Words, words: &[&str]) -> bool {
    lists.forbid.is_in(words) || (lists.reserve.is_in(words) && !lists.all_rights.is_in(words))
}

/// Whether the opposite is said, or it is about the law or somebody else's site.
fn is_undone(lists: &Words, words: &[&str]) -> bool {
    [&lists.denied, &lists.general, &lists.of_others].into_iter().any(|list| list.is_in(words))
}
