//! From words to items (words, phrases, compounds with their sense) and to segments, one position each.
//!
//! Invariant: items and segments keep the order of the title; a company's name is marked and never read.

use std::cell::{OnceCell, RefCell};
use std::rc::Rc;

use smallvec::SmallVec;

use super::lexicon::{Lexicon, flag};
use super::memo::Memo;
use super::model::{self, Sums};
use super::scan::{Scan, Sep, Token};
use super::short;
use super::split::{Sense, sense, weight};
use super::time;
use crate::taxonomy::Seniority;

/// A word, phrase or compound of the title.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts about one word")]
pub(super) struct Item {
    /// `None` = unknown to every vocabulary.
    pub sense: Option<Rc<Sense>>,
    /// Those of the sense.
    pub flags: u64,
    /// Somebody can be called this.
    noun: bool,
    /// Code points, half-open.
    pub span: (usize, usize),
    /// Indices of its tokens, half-open.
    pub tokens: (usize, usize),
    pub before: Sep,
    pub possessive: bool,
    /// Part of the name of a company or a person, or denied: never read.
    pub company: bool,
    /// A German person noun by its gender mark.
    pub marked: bool,
    /// A four-digit year.
    pub year: bool,
    pub digits: bool,
    /// The word or phrase ends in "officer".
    pub officer: bool,
    /// The phrase ends in "of": what follows is its object.
    pub of: bool,
}

impl Item {
    pub fn has(&self, flags: u64) -> bool {
        self.flags & flags != 0
    }

    /// A person noun outside company names.
    pub fn person(&self) -> bool {
        !self.company && self.noun
    }

    pub fn level(&self) -> Option<Seniority> {
        self.sense.as_ref().filter(|_| self.person()).and_then(|s| s.level)
    }
}

/// Appends the items of a scanned title to `out`.
pub(super) fn items(lex: &Lexicon, scan: &Scan, out: &mut Vec<Item>) {
    let t = &scan.tokens;
    let mut i = 0;
    while i < t.len() {
        let (len, mut sense) = longest(lex, &t[i..]);
        if len == 1
            && let Some(full) = short::elided(t, i).filter(|_| !settled(sense.as_deref()))
        {
            sense = short::completed(lex, &t[i].text, &t[full].text).map(Rc::new).or(sense);
        }
        let last = &t[i + len - 1];
        let (first, end) = (t[i].text.known(lex), last.text.known(lex));
        out.push(Item {
            flags: sense.as_ref().map_or(0, |s| s.flags),
            noun: sense.as_ref().is_some_and(|s| s.person),
            sense,
            span: (t[i].span.0, last.span.1),
            tokens: (i, i + len),
            before: t[i].before,
            possessive: last.possessive,
            company: false,
            marked: t[i..i + len].iter().any(|t| t.marked),
            year: first.year,
            digits: first.digits,
            officer: end.officer,
            of: len > 1 && end.of,
        });
        i += len;
    }
}

/// A word that says what a department does, or what somebody is called, by itself.
fn settled(sense: Option<&Sense>) -> bool {
    sense.is_some_and(|s| s.person || s.functions.iter().any(|f| f.1 >= weight::DOMAIN && !s.derived))
}

/// What the vocabularies and its letters say about one word.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts about one word")]
pub(super) struct Known {
    pub sense: Option<Rc<Sense>>,
    /// What it means in capitals, where that is something else.
    caps: Option<Rc<Sense>>,
    /// Nothing but digits, and whether four that may be a year.
    digits: bool,
    year: bool,
    officer: bool,
    of: bool,
    /// How much it says about the language as a linker: German, English.
    pub language: (u8, u8),
    /// Its number in phrases.
    phrase: u32,
    /// Where it leads from the root of the phrases; 0 = nowhere.
    node: u32,
    /// It reveals a special category by itself.
    pub special: bool,
    /// A phrase that reveals a special category, or code, can start with it.
    pub starts: bool,
    /// It, or a pair of words that it starts, does so where it stands alone.
    pub alone: bool,
    /// What the model makes of it, once asked.
    model: OnceCell<Sums>,
}

impl Known {
    /// What the model makes of the word, which must be the one that is known.
    pub fn model(&self, word: &str) -> Sums {
        *self.model.get_or_init(|| model::sums(word))
    }
}

/// How much a linker says about the language of a title: German, English.
fn linker_language(w: &str) -> (u8, u8) {
    match w {
        "der" | "des" | "dem" | "den" | "die" | "von" | "vom" | "fuer" | "im" | "und" | "zur" | "zum" | "mit" => (2, 0),
        "of" | "for" | "to" | "the" | "and" | "with" => (0, 2),
        _ => (0, 0),
    }
}

thread_local! {
    // There is one shipped lexicon, so the words alone are the key.
    static PHRASES: RefCell<Vec<Option<Rc<Sense>>>> = const { RefCell::new(Vec::new()) };
    static JOINED: RefCell<Memo<Box<str>, Rc<Sense>>> = RefCell::new(Memo::new(1 << 12));
    static KEY: RefCell<String> = const { RefCell::new(String::new()) };
}

/// What is known about a word.
pub(super) fn known(lex: &Lexicon, w: &str) -> Known {
    let undotted = || w.contains('.').then(|| sense(lex, &w.replace('.', ""))).flatten();
    let (special, starts) = lex.sensitive(w);
    let phrase = lex.phrases.id(w);
    let digits = w.bytes().all(|b| b.is_ascii_digit());
    Known {
        sense: sense(lex, w).or_else(undotted).map(Rc::new),
        caps: lex.caps(w).map(|w| Rc::new(Sense::of_word(w))),
        digits,
        year: digits && w.len() == 4 && (w.starts_with("19") || w.starts_with("20")),
        officer: w == "officer",
        of: w == "of",
        language: linker_language(w),
        phrase,
        node: lex.phrases.step(0, phrase).unwrap_or(0),
        special,
        starts,
        alone: lex.starts_alone(w),
        model: OnceCell::new(),
    }
}

/// The sense of a phrase by its node, made once.
fn phrase(lex: &Lexicon, node: u32) -> Option<Rc<Sense>> {
    let word = lex.phrases.end(node)?;
    PHRASES.with_borrow_mut(|made| {
        if made.is_empty() {
            made.resize(lex.phrases.len(), None);
        }
        let made = made.get_mut(node as usize)?;
        Some(Rc::clone(made.get_or_insert_with(|| Rc::new(Sense::of_word(word)))))
    })
}

/// The sense of two words written as one, where the vocabulary lists them so: "Pre-Sales".
fn joined(lex: &Lexicon, first: &str, second: &str) -> Option<Rc<Sense>> {
    KEY.with_borrow_mut(|key| {
        key.clear();
        key.push_str(first);
        key.push_str(second);
        let word = lex.word(key)?;
        JOINED.with_borrow_mut(|memo| {
            if let Some(found) = memo.get(key.as_str()) {
                return Some(Rc::clone(found));
            }
            let found = Rc::new(Sense::of_word(word));
            memo.put(key.as_str().into(), Rc::clone(&found));
            Some(found)
        })
    })
}

/// The longest known phrase at the start of `t`, else its first word: how many tokens, and the sense.
fn longest(lex: &Lexicon, t: &[Token]) -> (usize, Option<Rc<Sense>>) {
    let known = t[0].text.known(lex);
    // No phrase reaches over a possessive: "VP Sales' assistant" is no sales assistant.
    let joins = |n: usize| {
        t.get(n).is_some_and(|next| {
            matches!(next.before, Sep::Space | Sep::Hyphen | Sep::Amp | Sep::Slash) && !t[n - 1].possessive
        })
    };
    let (mut node, mut n, mut best) = (known.node, 1, None);
    while node != 0 && joins(n) {
        let Some(next) = lex.phrases.step(node, t[n].text.known(lex).phrase) else { break };
        (node, n) = (next, n + 1);
        if lex.phrases.end(node).is_some() {
            best = Some((n, node));
        }
    }
    if let Some((n, node)) = best {
        return (n, phrase(lex, node));
    }
    if joins(1)
        && t[1].before == Sep::Hyphen
        && let Some(s) = joined(lex, &t[0].text, &t[1].text)
    {
        return (2, Some(s));
    }
    let caps = known.caps.as_ref().filter(|_| t[0].caps);
    (1, caps.or(known.sense.as_ref()).cloned())
}

/// Splits items into segments: at separators, where "and" or "/" joins two positions, and before an earlier one.
pub(super) fn segments(items: &[Item]) -> SmallVec<[(usize, usize); 6]> {
    let mut out = SmallVec::new();
    let mut start = 0;
    for i in 1..items.len() {
        let range = items[i - 1].digits && items[i].digits;
        if (items[i].before >= Sep::Comma && !range)
            || joins_positions(items, start, i)
            || time::earlier(&items[start..], i - start)
        {
            out.push((start, i));
            start = i;
        }
    }
    if start < items.len() {
        out.push((start, items.len()));
    }
    out
}

/// Whether a conjunction before item `i` joins two positions rather than two domains.
fn joins_positions(items: &[Item], start: usize, i: usize) -> bool {
    let slash = matches!(items[i].before, Sep::Slash | Sep::Amp) && items[i].span.0 > items[i - 1].span.1;
    let conjunction = items[i].sense.as_ref().is_some_and(|s| is_conjunction(s));
    if !slash && !conjunction {
        return false;
    }
    let end = (i + 1..items.len()).find(|&k| items[k].before >= Sep::Comma).unwrap_or(items.len());
    let Some(first) = items[start..i].iter().find(|it| it.person() || it.has(flag::HOBBY)) else { return false };
    if !items[i..end].iter().any(Item::person) {
        return false;
    }
    // "Chief Marketing & Sales Officer" is one.
    if first.has(flag::CHIEF) && items[i..end].iter().any(|it| it.officer) {
        return false;
    }
    // "Assistant to the CEO and CFO": the second is an object as the first is.
    let related = items[start..i].iter().any(|it| it.has(flag::OBJECT_LINKER | flag::OFFICE_OF));
    !(related && first.level().is_none_or(|l| l < Seniority::Lead))
}

fn is_conjunction(s: &Sense) -> bool {
    s.flags & flag::LINKER != 0 && s.flags & flag::OBJECT_LINKER == 0 && s.flags & flag::CONJUNCTION != 0
}
