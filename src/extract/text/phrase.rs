//! Word patterns as data, matched over tokens in linear time.
//!
//! Invariant: what is passed over without a try could not match: a word of the pattern is missing.

use std::collections::HashMap;
use std::ops::Range;

use aho_corasick::{AhoCorasick, MatchKind};

use super::guard::token::{Spelling, Token};
use super::memory::{Marks, Set, mark};
use super::pattern::Case;
pub(super) use super::pattern::{Glob, PatternError, Sets, globs, pattern_words};
pub(super) use super::view::View;

/// The longest gap, in words.
const MAX_GAP: usize = 4;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Item {
    Word(u32),
    Gap,
    Person,
    ClauseStart,
    ClauseEnd,
}

/// A set of patterns, each with a tag of the caller.
pub(super) struct Phrases<T> {
    set: Set,
    automaton: AhoCorasick,
    /// Pattern of the automaton -> (word id, case asked for).
    needles: Vec<(u32, Case)>,
    compiled: Vec<(Vec<Item>, T)>,
    /// Patterns by the word that they begin with.
    by_word: Vec<Vec<Candidate>>,
    /// Patterns that begin with a person, by their rarest word: without it in the sentence they are not tried.
    by_person: Vec<Vec<Candidate>>,
}

/// A pattern that is tried where all of its words may stand in the sentence.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    needs: Marks,
    /// What the word right behind its first word must be, where it must be one.
    next: Marks,
    phrase: usize,
}

impl Candidate {
    fn new(phrase: usize, items: &[Item]) -> Self {
        let of = |item: &Item| if let Item::Word(id) = item { mark(*id) } else { Marks::default() };
        let needs = items.iter().fold(Marks::default(), |all, item| all | of(item));
        let first = items.iter().position(|item| matches!(item, Item::Word(_)));
        let next = first.and_then(|first| items.get(first + 1)).map_or(Marks::default(), of);
        Self { needs, next, phrase }
    }

    const fn may_stand(&self, marks: Marks) -> bool {
        marks.may_have(self.needs)
    }

    /// Whether it may begin right before a word.
    const fn may_go_on(&self, next: Marks) -> bool {
        next.may_have(self.next)
    }
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

/// Patterns by the word of theirs that the fewest of these patterns have.
fn by_rarest<T>(all: &[(Vec<Item>, T)], of: Vec<usize>, n_words: usize) -> Result<Vec<Vec<Candidate>>, PatternError> {
    let words =
        |phrase: usize| all[phrase].0.iter().filter_map(|i| if let Item::Word(w) = i { Some(*w) } else { None });
    let mut uses: HashMap<u32, usize> = HashMap::new();
    for word in of.iter().flat_map(|phrase| words(*phrase)) {
        *uses.entry(word).or_default() += 1;
    }
    let mut by = vec![Vec::new(); n_words];
    for phrase in of {
        let rarest = words(phrase).min_by_key(|w| (uses[w], *w)).ok_or_else(|| PatternError::NoWord("@".to_owned()))?;
        by[rarest as usize].push(Candidate::new(phrase, &all[phrase].0));
    }
    Ok(by)
}

impl<T> Phrases<T> {
    /// Compiles patterns; the order is kept.
    pub(super) fn new(
        set: Set,
        patterns: impl IntoIterator<Item = (String, T)>,
        sets: &Sets,
    ) -> Result<Self, PatternError> {
        let mut words: HashMap<String, u32> = HashMap::new();
        let mut texts = Vec::new();
        let mut needles = Vec::new();
        let mut phrases: Vec<(Vec<Item>, T)> = Vec::new();
        let (mut by_word, mut with_person) = (Vec::<Vec<Candidate>>::new(), Vec::new());
        for (pattern, tag) in patterns {
            let mut items = Vec::new();
            for word in pattern_words(&pattern)? {
                items.push(match word {
                    ".." => Item::Gap,
                    "@" => Item::Person,
                    "^" => Item::ClauseStart,
                    "$" => Item::ClauseEnd,
                    _ => {
                        let next = words.len() as u32;
                        let id = *words.entry(word.to_owned()).or_insert(next);
                        if id == next {
                            by_word.push(Vec::new());
                            for glob in globs(word, &pattern, sets)? {
                                texts.push(glob.needle());
                                needles.push((id, glob.case));
                            }
                        }
                        Item::Word(id)
                    }
                });
            }
            match items.iter().find(|item| !matches!(item, Item::ClauseStart)) {
                Some(Item::Word(id)) => by_word[*id as usize].push(Candidate::new(phrases.len(), &items)),
                Some(Item::Person) => with_person.push(phrases.len()),
                _ => return Err(PatternError::NoWord(pattern)),
            }
            phrases.push((items, tag));
        }
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .build(&texts)
            .expect("a lexicon is far below the automaton's limits");
        let by_person = by_rarest(&phrases, with_person, by_word.len())?;
        Ok(Self { set, automaton, needles, compiled: phrases, by_word, by_person })
    }

    /// Every match, by position and then by pattern; a pattern may match at several places.
    pub(super) fn find<'p>(&'p self, view: &View<'_>) -> Vec<Found<'p, T>> {
        let mut found = Vec::new();
        let marks = self.marks(view.tokens);
        if marks.is_empty() {
            return found;
        }
        let of_persons = if view.persons.is_empty() { Vec::new() } else { self.of_persons(view.tokens, marks) };
        for (start, token) in view.tokens.iter().enumerate() {
            let next = view.tokens.get(start + 1).map_or(Marks::default(), |next| next.word.marks(self.set));
            for candidate in self.starting_with(token, marks).filter(|c| c.may_go_on(next)) {
                self.try_at(view, candidate.phrase, start, &mut found);
            }
            if !of_persons.is_empty() && view.persons.binary_search_by_key(&start, |p| p.start).is_ok() {
                for phrase in &of_persons {
                    self.try_at(view, *phrase, start, &mut found);
                }
            }
        }
        found
    }

    /// Whether a pattern may match, whoever is named: a look at the words, not at their order.
    pub(super) fn may_find(&self, tokens: &[Token<'_>]) -> bool {
        let marks = self.marks(tokens);
        let candidates = |of: &[Vec<Candidate>], token: &Token<'_>| {
            token.word.ids(self.set).iter().any(|id| of[*id as usize].iter().any(|c| c.may_stand(marks)))
        };
        !marks.is_empty() && tokens.iter().any(|t| candidates(&self.by_word, t) || candidates(&self.by_person, t))
    }

    /// Which words of patterns stand in a sentence.
    fn marks(&self, tokens: &[Token<'_>]) -> Marks {
        tokens.iter().fold(Marks::default(), |all, token| all | token.word.marks(self.set))
    }

    fn starting_with(&self, token: &Token<'_>, marks: Marks) -> impl Iterator<Item = &Candidate> {
        let ids = token.word.ids(self.set).iter();
        ids.flat_map(|id| &self.by_word[*id as usize]).filter(move |c| c.may_stand(marks))
    }

    /// The patterns that begin with a person and may match, in order.
    fn of_persons(&self, tokens: &[Token<'_>], marks: Marks) -> Vec<usize> {
        let ids = tokens.iter().flat_map(|token| token.word.ids(self.set));
        let candidates = ids.flat_map(|id| &self.by_person[*id as usize]).filter(|c| c.may_stand(marks));
        let mut phrases: Vec<usize> = candidates.map(|c| c.phrase).collect();
        phrases.sort_unstable();
        phrases.dedup();
        phrases
    }

    /// Whether a word stands in any of the patterns; where a pattern leaves it open, `fits` judges what it has before
    /// and behind the pattern's letters.
    pub(super) fn has_word(&self, word: Spelling<'_>, fits: impl Fn(&str, &str, &str) -> bool) -> bool {
        let text = format!("\u{1}{}\u{2}", word.text);
        self.automaton.find_overlapping_iter(&text).any(|m| {
            let (before, letters, behind) = (&text[..m.start()], &text[m.range()], &text[m.end()..]);
            let bare = |part| str::trim_matches(part, ['\u{1}', '\u{2}']);
            self.needles[m.pattern().as_usize()].1.fits(word) && fits(bare(before), bare(letters), bare(behind))
        })
    }

    /// The words of patterns that a word is, in order.
    pub(super) fn ids(&self, word: Spelling<'_>) -> Vec<u32> {
        let text = format!("\u{1}{}\u{2}", word.text);
        let mut ids: Vec<u32> = self
            .automaton
            .find_overlapping_iter(&text)
            .map(|m| self.needles[m.pattern().as_usize()])
            .filter(|(_, case)| case.fits(word))
            .map(|(id, _)| id)
            .collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    fn try_at<'p>(&'p self, view: &View<'_>, phrase: usize, at: usize, found: &mut Vec<Found<'p, T>>) {
        let (items, tag) = &self.compiled[phrase];
        let mut person = None;
        if let Some(end) = matches_from(items, (view, self.set), at, &mut person) {
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
        if crosses && matches!(set, Set::Topics | Set::Stances) {
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
