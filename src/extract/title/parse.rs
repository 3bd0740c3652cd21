//! From words to items (words, phrases, compounds with their sense) and to segments, one position each.
//!
//! Invariant: items and segments keep the order of the title; a company's name is marked and never read.

use std::cell::{OnceCell, RefCell};

use super::lexicon::{Lexicon, flag};
use super::model::{self, Sums};
use super::scan::{Scan, Sep, Token};
use super::sense::{Sense, weight};
use super::short;
use super::split::sense;
use super::time;
use crate::taxonomy::Seniority;

/// A word, phrase or compound of the title.
#[derive(Debug, Clone)]
pub(super) struct Item {
    /// `None` = unknown to every vocabulary.
    pub sense: Option<Sense>,
    /// Those of the sense, and what else is known of it, as bits of [`fact`].
    pub flags: u64,
    /// Code points, half-open.
    pub span: (usize, usize),
    /// Indices of its tokens, half-open.
    pub tokens: (usize, usize),
    pub before: Sep,
    /// Part of the name of a company or a person, or denied: never read.
    pub company: bool,
    /// A German person noun by its gender mark.
    pub marked: bool,
}

/// Bits of [`Item::flags`] and [`Known::facts`], above those of the vocabularies.
pub(super) mod fact {
    /// Somebody can be called this.
    pub const NOUN: u64 = 1 << 40;
    /// It names a function.
    pub const SAYS: u64 = 1 << 41;
    /// It moves the level of the person noun beside it.
    pub const MOVES: u64 = 1 << 42;
    /// Four digits that may be a year.
    pub const YEAR: u64 = 1 << 43;
    /// The phrase ends in "of": what follows is its object.
    pub const OF: u64 = 1 << 44;
    /// The word or phrase ends in "officer".
    pub const OFFICER: u64 = 1 << 45;
    pub const POSSESSIVE: u64 = 1 << 46;
    /// No vocabulary knows it.
    pub const STRANGE: u64 = 1 << 47;
    /// "@" stands before it.
    pub const AT: u64 = 1 << 48;
    /// Nothing but digits.
    pub const DIGITS: u64 = 1 << 49;
    /// It reveals a special category by itself.
    pub const SPECIAL: u64 = 1 << 50;
    /// A phrase that reveals a special category, or code, can start with it.
    pub const WATCHED: u64 = 1 << 51;
    /// It, or a pair of words that it starts, reveals a special category where it stands alone.
    pub const LONELY: u64 = 1 << 52;
}

impl Item {
    pub fn has(&self, flags: u64) -> bool {
        self.flags & flags != 0
    }

    /// A person noun outside company names.
    pub fn person(&self) -> bool {
        !self.company && self.has(fact::NOUN)
    }

    /// Nothing but digits.
    pub fn digits(&self) -> bool {
        self.has(fact::DIGITS)
    }

    pub fn level(&self) -> Option<Seniority> {
        self.sense.as_ref().filter(|_| self.person()).and_then(|s| s.level)
    }
}

/// Appends the items of a scanned title to `out`; returns the flags that any of them has.
pub(super) fn items(lex: &Lexicon, scan: &Scan, out: &mut Vec<Item>) -> u64 {
    let t = &scan.tokens;
    let (mut i, mut any) = (0, 0);
    while i < t.len() {
        let (len, mut sense) = longest(lex, &t[i..]);
        if len == 1
            && let Some(full) = short::elided(t, i).filter(|_| !settled(sense.as_ref()))
        {
            sense = short::completed(lex, &t[i].text, &t[full].text).or(sense);
        }
        let item = item(lex, t, (i, i + len), sense);
        any |= item.flags;
        out.push(item);
        i += len;
    }
    any
}

fn item(lex: &Lexicon, t: &[Token], (from, to): (usize, usize), sense: Option<Sense>) -> Item {
    let (first, last) = (&t[from], &t[to - 1]);
    let mut flags = sense.as_ref().map_or(fact::STRANGE, |s| s.flags | s.facts());
    flags |= first.text.known(lex).facts & (fact::YEAR | fact::DIGITS);
    flags |= last.text.known(lex).facts & (fact::OFFICER | if to - from > 1 { fact::OF } else { 0 });
    flags |= if last.possessive { fact::POSSESSIVE } else { 0 };
    flags |= if first.before == Sep::At { fact::AT } else { 0 };
    Item {
        sense,
        flags,
        span: (first.span.0, last.span.1),
        tokens: (from, to),
        before: first.before,
        company: false,
        marked: first.marked || (to - from > 1 && t[from..to].iter().any(|t| t.marked)),
    }
}

/// A word that says what a department does, or what somebody is called, by itself.
fn settled(sense: Option<&Sense>) -> bool {
    sense.is_some_and(|s| s.person || s.functions.iter().any(|f| f.1 >= weight::DOMAIN && !s.derived))
}

/// What the vocabularies and its letters say about one word.
#[derive(Debug)]
pub(super) struct Known {
    pub sense: Option<Sense>,
    /// What it means in capitals, where that is something else.
    caps: Option<Box<Sense>>,
    /// Bits of [`fact`].
    pub facts: u64,
    /// How much it says about the language as a linker: German, English.
    pub language: (u8, u8),
    /// Its number in phrases.
    phrase: u32,
    /// Where it leads from the root of the phrases; 0 = nowhere.
    node: u32,
    /// What the model makes of it, once asked.
    model: OnceCell<Box<Sums>>,
}

impl Known {
    /// What the model makes of the word, which must be the one that is known.
    pub fn model(&self, word: &str) -> &Sums {
        self.model.get_or_init(|| Box::new(model::sums(word)))
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

/// What is known about a word.
pub(super) fn known(lex: &Lexicon, w: &str) -> Known {
    let undotted = || w.contains('.').then(|| sense(lex, &w.replace('.', ""))).flatten();
    let (special, watched) = lex.sensitive(w);
    let phrase = lex.phrases.id(w);
    let digits = w.bytes().all(|b| b.is_ascii_digit());
    let facts = [
        (digits, fact::DIGITS),
        (digits && w.len() == 4 && (w.starts_with("19") || w.starts_with("20")), fact::YEAR),
        (w == "officer", fact::OFFICER),
        (w == "of", fact::OF),
        (special, fact::SPECIAL),
        (watched, fact::WATCHED),
        (lex.starts_alone(w), fact::LONELY),
    ];
    Known {
        sense: sense(lex, w).or_else(undotted),
        caps: lex.caps(w).map(|w| Box::new(Sense::of_word(w))),
        facts: facts.into_iter().filter(|f| f.0).map(|f| f.1).sum(),
        language: linker_language(w),
        phrase,
        node: lex.phrases.step(0, phrase).unwrap_or(0),
        model: OnceCell::new(),
    }
}

thread_local! {
    static JOINED: RefCell<String> = const { RefCell::new(String::new()) };
}

/// The sense of two words written as one, where the vocabulary lists them so: "Pre-Sales".
fn joined(lex: &Lexicon, first: &str, second: &str) -> Option<Sense> {
    JOINED.with_borrow_mut(|word| {
        word.clear();
        word.push_str(first);
        word.push_str(second);
        lex.word(word).map(Sense::of_word)
    })
}

/// The longest known phrase at the start of `t`, else its first word: how many tokens, and the sense.
fn longest(lex: &Lexicon, t: &[Token]) -> (usize, Option<Sense>) {
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
        return (n, lex.phrases.end(node).copied());
    }
    if joins(1)
        && t[1].before == Sep::Hyphen
        && let Some(s) = joined(lex, &t[0].text, &t[1].text)
    {
        return (2, Some(s));
    }
    let caps = known.caps.as_deref().filter(|_| t[0].caps);
    (1, caps.or(known.sense.as_ref()).copied())
}

/// Splits items into segments: at separators, where "and" or "/" joins two positions, and before an earlier one.
pub(super) fn segments(items: &[Item], mut take: impl FnMut((usize, usize))) {
    let mut start = 0;
    for i in 1..items.len() {
        let range = items[i - 1].digits() && items[i].digits();
        if (items[i].before >= Sep::Comma && !range)
            || joins_positions(items, start, i)
            || time::earlier(&items[start..], i - start)
        {
            take((start, i));
            start = i;
        }
    }
    if start < items.len() {
        take((start, items.len()));
    }
}

/// Whether a conjunction before item `i` joins two positions rather than two domains.
fn joins_positions(items: &[Item], start: usize, i: usize) -> bool {
    let slash = matches!(items[i].before, Sep::Slash | Sep::Amp) && items[i].span.0 > items[i - 1].span.1;
    let conjunction = is_conjunction(&items[i]);
    if !slash && !conjunction {
        return false;
    }
    let end = (i + 1..items.len()).find(|&k| items[k].before >= Sep::Comma).unwrap_or(items.len());
    let Some(first) = items[start..i].iter().find(|it| it.person() || it.has(flag::HOBBY)) else { return false };
    if !items[i..end].iter().any(Item::person) {
        return false;
    }
    // "Chief Marketing & Sales Officer" is one.
    if first.has(flag::CHIEF) && items[i..end].iter().any(|it| it.has(fact::OFFICER)) {
        return false;
    }
    // "Assistant to the CEO and CFO": the second is an object as the first is.
    let related = items[start..i].iter().any(|it| it.has(flag::OBJECT_LINKER | flag::OFFICE_OF));
    !(related && first.level().is_none_or(|l| l < Seniority::Lead))
}

fn is_conjunction(i: &Item) -> bool {
    i.has(flag::CONJUNCTION) && i.has(flag::LINKER) && !i.has(flag::OBJECT_LINKER)
}
