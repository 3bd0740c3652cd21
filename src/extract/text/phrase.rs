//! Word patterns as data, matched over tokens in linear time.
//!
//! Invariant: what is passed over without a try could not match: a word of the pattern is missing.

use std::cell::RefCell;
use std::ops::Range;

use super::glossary::{Glossary, Row};
use super::guard::token::{Spelling, Token};
use super::memory::Set;
use super::needles::Needles;
pub(super) use super::pattern::{Glob, PatternError, Sets, globs, pattern_words};
use super::rarest::{ByRarest, PERSON, Standing, parted};
pub(super) use super::view::View;
use super::vocabulary::{Item, Vocabulary};

/// The longest gap, in words.
const MAX_GAP: usize = 4;

/// A set of patterns, each with a tag of the caller.
pub(super) struct Phrases<T> {
    set: Set,
    needles: Needles,
    /// Of all patterns, one behind the other.
    items: Vec<Item>,
    /// Where the items of each stand, and its tag.
    patterns: Vec<(Range<u32>, T)>,
    by_rarest: ByRarest,
}

thread_local! {
    /// Room that is used again.
    static ROOM: RefCell<Room> = RefCell::default();
}

#[derive(Default)]
struct Room {
    standing: Standing,
    /// Words that were looked at, or that patterns begin with.
    some: Standing,
    /// Of the patterns that are tried: what they begin with, and which they are.
    keys: Vec<u64>,
}

/// A pattern found in a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found<'p, T> {
    /// The tag of the pattern.
    pub(super) tag: &'p T,
    /// From its first to after its last word.
    pub(super) tokens: Range<usize>,
    /// Index into `View::persons`, where the pattern asks for a person.
    pub(super) person: Option<usize>,
}

impl<T> Phrases<T> {
    /// Compiles patterns; the order is kept.
    pub(super) fn new(
        set: Set,
        patterns: impl IntoIterator<Item = (String, T)>,
        sets: &Sets,
    ) -> Result<Self, PatternError> {
        let mut glossary = Glossary::default();
        let rows: Vec<(Row, T)> = patterns.into_iter().map(|(pattern, tag)| (glossary.row(&pattern), tag)).collect();
        Self::of_rows(set, rows, &glossary, sets)
    }

    /// Compiles patterns that are rows of words; the order is kept.
    pub(super) fn of_rows(
        set: Set,
        rows: impl IntoIterator<Item = (Row, T)>,
        glossary: &Glossary,
        sets: &Sets,
    ) -> Result<Self, PatternError> {
        let mut vocabulary = Vocabulary::new(glossary, sets);
        let (mut items, mut patterns) = (Vec::new(), Vec::new());
        for (row, tag) in rows {
            let start = items.len() as u32;
            vocabulary.read(&row, &mut items)?;
            patterns.push((start..items.len() as u32, tag));
        }
        let by_rarest = vocabulary.by_rarest(&items, patterns.iter().map(|(range, _)| range.clone()));
        Ok(Self { set, needles: vocabulary.done(), items, patterns, by_rarest })
    }

    /// Every match, by position and then by pattern; a pattern may match at several places.
    pub(super) fn find<'p>(&'p self, view: &View<'_>) -> Vec<Found<'p, T>> {
        ROOM.with_borrow_mut(|Room { standing, some, keys }| {
            keys.clear();
            self.by_rarest.show(view.tokens, self.set, (standing, some), |key| {
                keys.push(key);
                true
            });
            if keys.is_empty() { Vec::new() } else { self.tried(view, keys, some) }
        })
    }

    /// The matches of some patterns.
    fn tried<'p>(&'p self, view: &View<'_>, keys: &mut [u64], beginnings: &mut Standing) -> Vec<Found<'p, T>> {
        keys.sort_unstable();
        let mut beginnings = beginnings.none_of(self.by_rarest.words());
        let of_words = keys.iter().map(|key| parted(*key).0).filter(|begins| *begins != PERSON);
        of_words.for_each(|word| beginnings.insert(word));
        let mut found = Vec::with_capacity(keys.len());
        let mut try_all = |begins: u32, at: usize| {
            let start = keys.partition_point(|key| parted(*key).0 < begins);
            for key in &keys[start..] {
                let (with, phrase) = parted(*key);
                if with != begins {
                    break;
                }
                self.try_at(view, phrase as usize, at, &mut found);
            }
        };
        for (at, token) in view.tokens.iter().enumerate() {
            for id in token.word.ids(self.set) {
                if beginnings.has(*id) {
                    try_all(*id, at);
                }
            }
            if !view.persons.is_empty() && view.persons.binary_search_by_key(&at, |p| p.start).is_ok() {
                try_all(PERSON, at);
            }
        }
        found
    }

    /// Whether a pattern may match, whoever is named: a look at the words, not at their order.
    pub(super) fn may_find(&self, tokens: &[Token<'_>]) -> bool {
        let mut may = false;
        ROOM.with_borrow_mut(|room| {
            self.by_rarest.show(tokens, self.set, (&mut room.standing, &mut room.some), |_| {
                may = true;
                false
            });
        });
        may
    }

    /// Whether a word stands in any of the patterns; where a pattern leaves it open, `fits` judges what it has before
    /// and behind the pattern's letters.
    pub(super) fn has_word(&self, word: Spelling<'_>, fits: impl Fn(&str, &str, &str) -> bool) -> bool {
        let mut has = false;
        let text = word.text;
        self.needles.find(text, |at, words| {
            has = has
                || words.iter().any(|(_, case)| case.fits(word))
                    && fits(&text[..at.start], &text[at.clone()], &text[at.end..]);
        });
        has
    }

    /// Adds the words of patterns that a word is, in order, and then those of them that are some pattern's rarest; tells
    /// where both end.
    pub(super) fn look_up(&self, word: Spelling<'_>, ids: &mut Vec<u32>) -> [u32; 2] {
        let start = ids.len();
        self.needles.find(word.text, |_, words| {
            ids.extend(words.iter().filter(|(_, case)| case.fits(word)).map(|(id, _)| *id));
        });
        ids[start..].sort_unstable();
        let mut end = start;
        for at in start..ids.len() {
            if end == start || ids[end - 1] != ids[at] {
                ids[end] = ids[at];
                end += 1;
            }
        }
        ids.truncate(end);
        ids.extend_from_within(start..);
        let mut last = end;
        for at in end..ids.len() {
            if self.by_rarest.has(ids[at]) {
                ids[last] = ids[at];
                last += 1;
            }
        }
        ids.truncate(last);
        [end as u32, last as u32]
    }

    fn try_at<'p>(&'p self, view: &View<'_>, phrase: usize, at: usize, found: &mut Vec<Found<'p, T>>) {
        let (range, tag) = &self.patterns[phrase];
        let items = &self.items[range.start as usize..range.end as usize];
        let mut person = None;
        // The word with which it begins is known to stand there.
        let (behind, rest) = match items {
            [Item::Word(_), rest @ ..] => (at + 1, rest),
            _ => (at, items),
        };
        if let Some(end) = matches_from(rest, (view, self.set), behind, &mut person) {
            found.push(Found { tag, tokens: at..end, person });
        }
    }
}

/// A sentence, and the set of patterns that its words are looked up for.
type Seen<'v> = (&'v View<'v>, Set);

/// Where a match of all `items` from token `at` ends.
fn matches_from(items: &[Item], seen: Seen<'_>, at: usize, person: &mut Option<usize>) -> Option<usize> {
    let Some((item, rest)) = items.split_first() else { return Some(at) };
    let (view, set) = seen;
    match item {
        Item::Word(id) => {
            // Few words are more than a handful of words of patterns.
            let is_word = view.tokens.get(at)?.word.ids(set).contains(id);
            is_word.then(|| matches_from(rest, seen, at + 1, person))?
        }
        Item::Person => {
            let index = view.persons.binary_search_by_key(&at, |p| p.start).ok()?;
            *person = Some(index);
            let named = &view.persons[index];
            match rest {
                // A sentence without a subject: nothing may stand between, or another subject could.
                [Item::Gap, after @ ..] if named.is_empty() => matches_from(after, seen, named.end, person),
                [Item::Gap, after @ ..] => gap(after, seen, named.end, person, view.blocked_behind_person),
                _ => matches_from(rest, seen, named.end, person),
            }
        }
        Item::ClauseStart => view.starts_clause(at).then(|| matches_from(rest, seen, at, person))?,
        Item::ClauseEnd => {
            (at >= view.tokens.len() || view.starts_clause(at)).then(|| matches_from(rest, seen, at, person))?
        }
        Item::Gap => gap(rest, seen, at, person, view.blocked),
    }
}

/// Skips up to [`MAX_GAP`] words of one clause, none of them blocked.
fn gap(rest: &[Item], seen: Seen<'_>, at: usize, person: &mut Option<usize>, blocked: &[bool]) -> Option<usize> {
    let (view, set) = seen;
    for next in at..=at + MAX_GAP {
        let crosses = next > 0 && next < view.tokens.len() && view.clause(next) != view.clause(next - 1);
        // What one says may go on behind a comma; of parts that stand apart none may be another clause's.
        if crosses && matches!(set, Set::Topics | Set::OwnTexts | Set::Stances) {
            return None;
        }
        if let Some(end) = matches_from(rest, seen, next, person) {
            return Some(end);
        }
        if next >= view.tokens.len() || blocked.get(next) == Some(&true) || crosses {
            return None;
        }
    }
    None
}
