//! A title to its reading, step by step, in room that is kept from one title to the next.
//!
//! Invariant: deterministic; what is no title, or reveals a special category, is left before its words are read.

use std::cell::RefCell;

use super::attach::{attach, judged};
use super::combine::{Words, combine};
use super::explain::{TitleExplanation, explain};
use super::lexicon::Lexicon;
use super::parse::{self, Item, fact};
use super::scan::{self, Scan};
use super::segment::Segment;
use super::set::Set;
use super::tongue::language;
use super::{TitleReading, names, quote};
use crate::taxonomy::FacetStatus;

/// More words than this are a text, not a title.
const MAX_WORDS: usize = 36;
const _: () = assert!(MAX_WORDS <= Set::MOST, "sets of items have room for all");

/// What a title is taken apart into, kept from one title to the next for its room.
#[derive(Default)]
pub(super) struct Parts {
    pub scan: Scan,
    pub items: Vec<Item>,
    pub segments: Vec<Segment>,
    /// Room for segments that change their places.
    moving: Vec<Segment>,
    /// Room for the words between single spaces.
    framed: String,
}

thread_local! {
    static PARTS: RefCell<Parts> = RefCell::default();
}

/// Reads a title.
pub(super) fn read(lex: &Lexicon, title: &str) -> TitleReading {
    let mut reading = TitleReading::nothing(FacetStatus::InsufficientEvidence);
    PARTS.with_borrow_mut(|parts| read_raw(lex, title, parts, &mut reading));
    weigh(lex, &mut reading);
    reading
}

/// How a title is read.
pub(super) fn explained(lex: &Lexicon, title: &str) -> TitleExplanation {
    PARTS.with_borrow_mut(|parts| {
        let mut raw = TitleReading::nothing(FacetStatus::InsufficientEvidence);
        read_raw(lex, title, parts, &mut raw);
        let mut reading = raw.clone();
        weigh(lex, &mut reading);
        explain(lex, title, &raw, &reading, parts)
    })
}

/// What is stored of a title.
pub(super) fn quoted(lex: &Lexicon, title: &str) -> String {
    PARTS.with_borrow_mut(|parts| {
        let mut raw = TitleReading::nothing(FacetStatus::InsufficientEvidence);
        read_raw(lex, title, parts, &mut raw);
        let Parts { scan, items, segments, .. } = &*parts;
        if segments.is_empty() {
            return String::new();
        }
        let chars: Vec<char> = scan::points(title).collect();
        quote::quote(&quote::Read { lex, scan, chars: &chars, items, segments, evidence: &raw.evidence })
    })
}

/// Makes of the raw probabilities those that calibration gives.
fn weigh(lex: &Lexicon, reading: &mut TitleReading) {
    reading.job_function.p = reading.job_function.p.map(|p| lex.calibration.job_function.of(p));
    reading.seniority.p = reading.seniority.p.map(|p| lex.calibration.seniority.of(p));
}

/// The reading before calibration, into one that says nothing yet.
fn read_raw(lex: &Lexicon, title: &str, parts: &mut Parts, reading: &mut TitleReading) {
    let Parts { scan, items, segments, moving, framed } = parts;
    items.clear();
    segments.clear();
    scan::scan_into(title, scan);
    if scan.hostile || scan.tokens.is_empty() || scan.tokens.len() > MAX_WORDS {
        return;
    }
    let facts = scan.tokens.iter().fold(0, |all, t| all | t.text.known(lex).facts);
    let any = |fact: u64| facts & fact != 0;
    let (watched, special, lonely) = (any(fact::WATCHED), any(fact::SPECIAL), any(fact::LONELY));
    if watched {
        frame(scan, framed);
    }
    if watched && lex.hostile(framed) {
        return;
    }
    if special || (watched && lex.special(framed)) || (lonely && alone(lex, scan)) {
        *reading = TitleReading { special_category: true, ..TitleReading::nothing(FacetStatus::NotApplicable) };
        return;
    }
    let any = parse::items(lex, scan, items);
    names::mark(lex, items, any, &scan.tokens);
    judged(items, segments);
    attach(items, segments, moving);
    combine(Words { lex, scan, items }, segments, reading);
    reading.language = language(lex, items, any, scan);
}

/// All words between single spaces, for the search for special categories.
fn frame(scan: &Scan, out: &mut String) {
    out.clear();
    out.push(' ');
    for t in &scan.tokens {
        out.push_str(&t.text);
        out.push(' ');
    }
}

/// Whether a part between separators is nothing but a word that reveals a special category there.
fn alone(lex: &Lexicon, scan: &Scan) -> bool {
    let separates = |s: scan::Sep| s == scan::Sep::Slash || s >= scan::Sep::Comma;
    scan.tokens.chunk_by(|_, next| !separates(next.before)).any(|part| match part {
        [word] => lex.special_alone(&word.text),
        [a, b] => lex.special_alone(&format!("{} {}", &*a.text, &*b.text)),
        _ => false,
    })
}
