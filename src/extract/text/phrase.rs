//! Word patterns as data, matched over tokens in linear time.
//!
//! Invariant: what is passed over without a try could not match: a word of the pattern is missing.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::{ControlFlow, Range};

use aho_corasick::{AhoCorasick, MatchKind};

use super::guard::token::{Spelling, Token};
use super::memory::Set;
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
    by_rarest: ByRarest,
}

/// A pattern that is tried where all of its words stand in the sentence.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    /// Words of it beside the two rarest: without one of them it is not tried. Fewer fill up with the rarest.
    needs: [u32; 2],
    begins: Begin,
    phrase: u32,
}

/// What a pattern begins with, a start of a clause aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Begin {
    Word(u32),
    Person,
}

/// The words of patterns that stand in a sentence, a bit for each.
struct Standing<'b>(&'b mut [u64]);

impl Standing<'_> {
    fn has(&self, id: u32) -> bool {
        self.0[id as usize / 64] >> (id % 64) & 1 == 1
    }

    /// Whether it is news.
    fn insert(&mut self, id: u32) -> bool {
        let (word, bit) = (&mut self.0[id as usize / 64], 1 << (id % 64));
        let is_new = *word & bit == 0;
        *word |= bit;
        is_new
    }
}

thread_local! {
    /// Room that is used again.
    static ROOM: RefCell<Room> = RefCell::default();
}

#[derive(Default)]
struct Room {
    standing: Vec<u64>,
    words: Vec<u32>,
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

/// Patterns by the word of theirs that the fewest patterns have, and within by the next rarest: without both in the sentence
/// they are not tried, and not looked at one by one.
struct ByRarest {
    /// Where the groups of each word begin, and where the last ones end.
    starts: Vec<u32>,
    /// The next rarest word, and where the patterns of both begin; at the end where the last ones end.
    groups: Vec<(u32, u32)>,
    all: Vec<Candidate>,
}

impl ByRarest {
    fn new<T>(patterns: &[(Vec<Item>, T)], begins: &[Begin], n_words: usize) -> Result<Self, PatternError> {
        let words = |items: &[Item]| -> Vec<u32> {
            items.iter().filter_map(|i| if let Item::Word(w) = i { Some(*w) } else { None }).collect()
        };
        let mut uses = vec![0_usize; n_words];
        for word in patterns.iter().flat_map(|(items, _)| words(items)) {
            uses[word as usize] += 1;
        }
        let mut all = Vec::new();
        for (phrase, ((items, _), begins)) in patterns.iter().zip(begins).enumerate() {
            let mut rare = words(items);
            rare.sort_unstable_by_key(|w| (uses[*w as usize], *w));
            let rarest = *rare.first().ok_or_else(|| PatternError::NoWord("@".to_owned()))?;
            let at = |i: usize| rare.get(i).copied().unwrap_or(rarest);
            let needs = [at(2), at(3)];
            all.push(((rarest, at(1)), Candidate { needs, begins: *begins, phrase: phrase as u32 }));
        }
        all.sort_by_key(|(of, _)| *of);
        let (mut starts, mut groups) = (Vec::with_capacity(n_words + 1), Vec::new());
        for (at, ((rarest, next), _)) in all.iter().enumerate() {
            let is_new = at == 0 || all[at - 1].0 != (*rarest, *next);
            while starts.len() <= *rarest as usize {
                starts.push(groups.len() as u32);
            }
            if is_new {
                groups.push((*next, at as u32));
            }
        }
        starts.resize(n_words + 1, groups.len() as u32);
        groups.push((0, all.len() as u32));
        Ok(Self { starts, groups, all: all.into_iter().map(|(_, candidate)| candidate).collect() })
    }

    /// The patterns of which a word is the rarest, where the next rarest stands, too.
    fn of<'s>(&'s self, word: u32, standing: &'s Standing<'_>) -> impl Iterator<Item = &'s Candidate> {
        let word = word as usize;
        let groups = &self.groups[self.starts[word] as usize..=self.starts[word + 1] as usize];
        let together = groups.windows(2).filter(|pair| standing.has(pair[0].0));
        together.flat_map(|pair| &self.all[pair[0].1 as usize..pair[1].1 as usize])
    }

    fn words(&self) -> usize {
        self.starts.len() - 1
    }
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
        let mut begins = Vec::new();
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
                            for glob in globs(word, &pattern, sets)? {
                                texts.push(glob.needle());
                                needles.push((id, glob.case));
                            }
                        }
                        Item::Word(id)
                    }
                });
            }
            begins.push(match items.iter().find(|item| !matches!(item, Item::ClauseStart)) {
                Some(Item::Word(id)) => Begin::Word(*id),
                Some(Item::Person) => Begin::Person,
                _ => return Err(PatternError::NoWord(pattern)),
            });
            phrases.push((items, tag));
        }
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .build(&texts)
            .expect("a lexicon is far below the automaton's limits");
        let by_rarest = ByRarest::new(&phrases, &begins, words.len())?;
        Ok(Self { set, automaton, needles, compiled: phrases, by_rarest })
    }

    /// Every match, by position and then by pattern; a pattern may match at several places.
    pub(super) fn find<'p>(&'p self, view: &View<'_>) -> Vec<Found<'p, T>> {
        let mut found = Vec::new();
        let mut candidates = Vec::new();
        let _ = self.candidates(view.tokens, |candidate| {
            candidates.push(*candidate);
            ControlFlow::Continue(())
        });
        if candidates.is_empty() {
            return found;
        }
        candidates.sort_unstable_by_key(|c| (c.begins, c.phrase));
        let beginning = |with: Begin| {
            let start = candidates.partition_point(|c| c.begins < with);
            candidates[start..].iter().take_while(move |c| c.begins == with)
        };
        for (start, token) in view.tokens.iter().enumerate() {
            for id in token.word.ids(self.set) {
                for candidate in beginning(Begin::Word(*id)) {
                    self.try_at(view, candidate.phrase as usize, start, &mut found);
                }
            }
            if view.persons.binary_search_by_key(&start, |p| p.start).is_ok() {
                for candidate in beginning(Begin::Person) {
                    self.try_at(view, candidate.phrase as usize, start, &mut found);
                }
            }
        }
        found
    }

    /// Whether a pattern may match, whoever is named: a look at the words, not at their order.
    pub(super) fn may_find(&self, tokens: &[Token<'_>]) -> bool {
        self.candidates(tokens, |_| ControlFlow::Break(())).is_break()
    }

    /// Shows each pattern whose words all stand in a sentence, once.
    fn candidates(&self, tokens: &[Token<'_>], mut show: impl FnMut(&Candidate) -> ControlFlow<()>) -> ControlFlow<()> {
        ROOM.with_borrow_mut(|Room { standing, words }| {
            standing.clear();
            standing.resize(self.by_rarest.words().div_ceil(64), 0);
            words.clear();
            let mut standing = Standing(standing);
            let all = tokens.iter().flat_map(|token| token.word.ids(self.set)).copied();
            words.extend(all.filter(|word| standing.insert(*word)));
            let standing = &standing;
            let candidates = words.iter().flat_map(|word| self.by_rarest.of(*word, standing));
            candidates.filter(|c| c.needs.iter().all(|word| standing.has(*word))).try_for_each(&mut show)
        })
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
