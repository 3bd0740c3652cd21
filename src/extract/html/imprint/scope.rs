//! Which lines of an imprint or a footer speak of the company itself, and which of its agency, its insurer, its supervisors and others.
//!
//! Invariant: what stands under a label of others, or behind it in its line, is no statement about the company; each line is looked at
//! once. A part ends where the markup ends it: at the next heading, row, term or block.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};
use rustc_hash::FxHashSet;
use serde::Deserialize;

use super::super::blocks::Line;
use super::super::dom::{self, El};
use super::super::lexicon::{Phrases, padded};
use super::super::people::sections::Section;

/// Longer labels are sentences.
const MAX_LABEL: usize = 90;
/// Bytes of a label that is none by chance.
const MIN_ANYWHERE: usize = 9;
/// Steps from a line to the footer that it may be in.
const MAX_DEPTH: usize = 40;
/// Longer lines are prose, which names companies as it pleases.
const MAX_STATEMENT: usize = 600;
/// Longer lines without a colon are no labels.
const MAX_ALONE: usize = 45;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    labels: Vec<String>,
    inline: Vec<String>,
    own: Vec<String>,
}

struct Words {
    labels: AhoCorasick,
    whole_labels: FxHashSet<String>,
    inline: AhoCorasick,
    own: Phrases,
}

static WORDS: LazyLock<Words> = LazyLock::new(|| {
    let raw: Raw = serde_saphyr::from_str(include_str!("../../../../config/lexicon/html/others.yaml"))
        .expect("the embedded lexicon is tested");
    let inline =
        AhoCorasick::builder().match_kind(MatchKind::LeftmostFirst).build(&raw.inline).expect("few short words");
    let labels = AhoCorasick::new(raw.labels.iter().map(|l| padded(l).trim().to_owned())).expect("few short words");
    let own = Phrases::new(&raw.own);
    Words { labels, inline, own, whole_labels: raw.labels.into_iter().collect() }
});

/// What a line says of the company itself.
#[derive(Clone, Copy)]
pub(super) struct Said<'l, 'a> {
    /// Its text, up to where it speaks of others.
    pub text: &'l str,
    /// The line.
    pub line: &'l Line<'a>,
    /// Where it stands among the lines.
    pub at: usize,
}

/// Until when the lines are of others.
enum Until<'a> {
    /// A heading of this level or above.
    Heading(u8),
    /// The next term of the list, or row of the table.
    Row,
    /// The end of this block.
    Block(El<'a>),
    /// The end of the block that follows this one.
    NextBlock(El<'a>),
}

/// What the lines say of the company itself, and which line is the first that speaks of others or names a company.
pub(super) fn own<'l, 'a>(lines: &'l [Line<'a>], sections: &[Section]) -> (Vec<Said<'l, 'a>>, usize) {
    let mut first_other = usize::MAX;
    let mut until: Option<Until<'a>> = None;
    let mut all = Vec::with_capacity(lines.len());
    for (at, line) in lines.iter().enumerate() {
        if until.as_mut().is_some_and(|u| ends(u, line)) {
            until = None;
        }
        if let Some(opened) = opens(line) {
            // What a heading of others closes is closed by that heading's end only.
            if !matches!(
                (&until, &opened),
                (Some(Until::Heading(_)), Until::Row | Until::Block(_) | Until::NextBlock(_))
            ) {
                until = Some(opened);
            }
            first_other = first_other.min(at);
            continue;
        }
        if until.is_some() || line.navigation || sections[at].outside {
            continue;
        }
        let text = line.text[..others_from(&line.text)].trim();
        if labelled_from(&line.text).is_some() || super::company_in(text).is_some() {
            first_other = first_other.min(at + usize::from(!text.is_empty()));
        }
        if !text.is_empty() {
            all.push(Said { text, line, at });
        }
    }
    (all, first_other)
}

/// Leaves out what is said of companies other than the page's own: the line from their name on, and the rest of their block.
pub(super) fn without_other_companies<'l, 'a>(
    said: Vec<Said<'l, 'a>>,
    is_own: impl Fn(&str) -> bool,
) -> Vec<Said<'l, 'a>> {
    let mut other: Option<El<'a>> = None;
    let mut kept = Vec::with_capacity(said.len());
    for mut one in said {
        let named = if one.text.len() <= MAX_STATEMENT { super::company_in(one.text) } else { None };
        match named {
            // The partner who is liable represents the company.
            Some(name) if is_own(&name) || is_partner(one.text) => other = None,
            Some(name) => {
                other = Some(one.line.block);
                one.text = one.text[..one.text.find(&name).unwrap_or(0)].trim();
            }
            None if other.is_some_and(|block| block != one.line.block) => other = None,
            None => {}
        }
        if !one.text.is_empty() && (named_before(&one) || other.is_none()) {
            kept.push(one);
        }
    }
    kept
}

/// Whether a line was cut where it names another company.
fn named_before(one: &Said<'_, '_>) -> bool {
    one.text.len() < one.line.text.len()
        && super::company_in(&one.line.text).is_some_and(|name| !one.text.contains(&name))
}

fn is_partner(text: &str) -> bool {
    let lower = text.to_lowercase();
    ["haftend", "komplement", "general partner"].iter().any(|w| lower.contains(w))
}

fn is_row_head(line: &Line<'_>) -> bool {
    match dom::name(line.block) {
        "dt" => true,
        "td" | "th" => dom::parent(line.block).and_then(|row| row.child_elements().next()) == Some(line.block),
        _ => false,
    }
}

/// Whether a heading begins a part of the company's own: `Kontakt`, `Anschrift`.
pub(super) fn is_own_part(heading: &str) -> bool {
    WORDS.own.stand_in(heading)
}

/// Leaves out what stands, from a line on, under headings of which it is not known that they begin a part of the company's own.
pub(super) fn own_parts<'l, 'a>(said: &[Said<'l, 'a>], from: usize) -> Vec<Said<'l, 'a>> {
    let mut is_own = true;
    let parts = said.iter().enumerate().filter(|(i, s)| {
        if *i > from && s.line.heading > 0 {
            let numbered = s.text.bytes().any(|b| b.is_ascii_digit());
            is_own = is_own_part(s.text) || super::company_in(s.text).is_some() || numbered;
        } else if is_in_footer(s.line.block) {
            is_own = true;
        }
        is_own
    });
    parts.map(|(_, s)| *s).collect()
}

/// Whether an element is in a footer, which belongs to no heading of the page.
fn is_in_footer(block: El<'_>) -> bool {
    std::iter::successors(Some(block), |e| dom::parent(*e)).take(MAX_DEPTH).any(|e| dom::name(e) == "footer")
}

fn ends<'a>(until: &mut Until<'a>, line: &Line<'a>) -> bool {
    if line.heading > 0 {
        return match until {
            Until::Heading(level) => line.heading <= *level || WORDS.own.stand_in(&line.text),
            _ => true,
        };
    }
    let begins_own =
        || line.text.len() <= MAX_ALONE && WORDS.own.stand_in(line.text.split(':').next().unwrap_or_default());
    match until {
        Until::Heading(_) => is_in_footer(line.block),
        Until::Row => is_row_head(line),
        Until::Block(block) => line.block != *block || begins_own(),
        Until::NextBlock(block) if line.block == *block => false,
        Until::NextBlock(_) => {
            let ends = begins_own();
            *until = Until::Block(line.block);
            ends
        }
    }
}

/// What a line opens that is nothing but a label of others.
fn opens<'a>(line: &Line<'a>) -> Option<Until<'a>> {
    let text = line.text.trim_end();
    let is_alone = text.ends_with(':') || line.heading > 0 || is_row_head(line) || text.len() <= MAX_ALONE;
    if !is_alone || text.len() > MAX_LABEL || text.trim_end_matches(':').contains(": ") || !is_of_others(text) {
        return None;
    }
    if line.heading > 0 {
        return Some(Until::Heading(line.heading));
    }
    if is_row_head(line) {
        return Some(Until::Row);
    }
    if text.ends_with(':') {
        return Some(Until::NextBlock(line.block));
    }
    // A company may be called after what it makes: without a mark the label must be all.
    WORDS.whole_labels.contains(padded(text).trim()).then_some(Until::Block(line.block))
}

/// Whether a label says that what follows is of others. A short word may be part of anything (`Betreiber der Website`): it counts
/// at the beginning only. Partners who are liable or represent the company are its own.
fn is_of_others(label: &str) -> bool {
    let padded = padded(label);
    let opening = |w: &&str| {
        w.bytes().all(|b| b.is_ascii_digit())
            || ["unser", "unsere", "our", "die", "der", "the", "weitere", "other"].contains(w)
    };
    let words = padded.trim().split(' ').skip_while(opening);
    let core = words.collect::<Vec<_>>().join(" ");
    let own = ["haftend", "geschäftsführend", "vertretungs", "vertreten"];
    if core.is_empty() || own.iter().any(|w| core.contains(w)) || WORDS.own.stand_in(label) {
        return false;
    }
    let bounded = |at: usize, len: usize| {
        core[..at].chars().next_back().is_none_or(|c| c == ' ')
            && core[at + len..].chars().next().is_none_or(|c| c == ' ')
    };
    WORDS.labels.find_overlapping_iter(&core).any(|m| {
        let len = m.end() - m.start();
        (m.start() == 0 || len >= MIN_ANYWHERE) && bounded(m.start(), len)
    })
}

/// From where on a line speaks of others.
pub(super) fn others_from(text: &str) -> usize {
    let lower = text.to_lowercase();
    // Letters whose case changes their length are in no imprint.
    let bounded = |start: usize, end: usize| {
        let before = lower[..start].chars().next_back();
        let after = lower[end..].chars().next();
        !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric)
    };
    let inline = if lower.len() == text.len() {
        WORDS.inline.find_iter(&lower).find(|m| bounded(m.start(), m.end())).map(|m| m.start())
    } else {
        None
    };
    inline.into_iter().chain(labelled_from(text)).min().unwrap_or(text.len())
}

/// Where the first part of a line begins whose label is of others: `© Muster | Webdesign: ...`.
fn labelled_from(text: &str) -> Option<usize> {
    let mut from = 0;
    let marks = ['·', '|', '•', '–', '—', ';'];
    for part in text.split_inclusive(|c| marks.contains(&c)) {
        let label = part.split_once(':').map(|(label, _)| label);
        if let Some(label) = label.filter(|l| l.len() <= MAX_LABEL)
            && is_of_others(label.rsplit(". ").next().unwrap_or(label))
        {
            let sentence = label.rfind(". ").map_or(0, |at| at + 2);
            return Some(from + sentence);
        }
        from += part.len();
    }
    None
}
