//! Which patterns may stand in a sentence: those whose rarest words all do.
//!
//! Invariant: what is passed over could not match: a word of the pattern is missing.

use super::guard::token::Token;
use super::memory::Set;

/// A pattern that is tried where all of its words stand in the sentence.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    /// Words of it beside the two rarest: without one of them it is not tried. Fewer fill up with the rarest.
    needs: [u32; 2],
    /// What the pattern begins with, a start of a clause aside, and behind it the pattern.
    key: u64,
}

/// In place of the word, where a pattern begins with a person.
pub(super) const PERSON: u32 = u32::MAX;

/// Words of patterns, a bit for each: those that stand in a sentence.
#[derive(Debug, Default)]
pub(super) struct Standing(Vec<u64>);

impl Standing {
    /// None of so many words.
    pub(super) fn none_of(&mut self, words: usize) -> Bits<'_> {
        let size = words.div_ceil(64);
        if self.0.len() < size {
            self.0.resize(size, 0);
        }
        let bits = &mut self.0[..size];
        bits.fill(0);
        Bits(bits)
    }
}

/// [`Standing`] at work: borrowed as a slice it need not be looked up again for each word.
pub(super) struct Bits<'b>(&'b mut [u64]);

impl Bits<'_> {
    pub(super) const fn has(&self, id: u32) -> bool {
        self.0[id as usize / 64] >> (id % 64) & 1 == 1
    }

    pub(super) const fn insert(&mut self, id: u32) {
        self.0[id as usize / 64] |= 1 << (id % 64);
    }
}

/// Patterns by the rarest of their words, and within by the next rarest: without both in the sentence they are not tried,
/// and not looked at one by one.
pub(super) struct ByRarest {
    /// Where the groups of each word begin, and where the last ones end.
    starts: Vec<u32>,
    /// The next rarest word, and where the patterns of both begin; at the end where the last ones end.
    groups: Vec<(u32, u32)>,
    all: Vec<Candidate>,
}

/// [`ByRarest`] while the patterns are read.
pub(super) struct Sorting<'w> {
    /// How often each word is likely to stand in texts.
    weights: &'w [u32],
    /// The rarest word of each pattern and the next rarest.
    all: Vec<(u32, u32, Candidate)>,
}

impl<'w> Sorting<'w> {
    pub(super) fn new(weights: &'w [u32], patterns: usize) -> Self {
        Self { weights, all: Vec::with_capacity(patterns) }
    }

    /// Adds the next pattern: its words, and the one that it begins with, or [`PERSON`].
    pub(super) fn add(&mut self, words: impl Iterator<Item = u32>, begins: u32) {
        let (mut rare, mut found) = ([u64::MAX; 4], 0);
        for word in words {
            let mut next = joined(self.weights[word as usize], word);
            found += 1;
            for place in &mut rare {
                if next < *place {
                    std::mem::swap(&mut next, place);
                }
            }
        }
        let at = |i: usize| parted(rare[if i < found { i } else { 0 }]).1;
        let key = joined(begins, self.all.len() as u32);
        self.all.push((at(0), at(1), Candidate { needs: [at(2), at(3)], key }));
    }

    pub(super) fn done(self) -> ByRarest {
        // Put into place by the rarest word, and sorted by the next one there.
        let mut ends = vec![0_usize; self.weights.len() + 1];
        for (rarest, ..) in &self.all {
            ends[*rarest as usize + 1] += 1;
        }
        for word in 1..ends.len() {
            ends[word] += ends[word - 1];
        }
        let none = (0, Candidate { needs: [0; 2], key: 0 });
        let mut all = vec![none; self.all.len()];
        for (rarest, next, candidate) in self.all {
            // What is where the word begins becomes where it ends.
            let place = &mut ends[rarest as usize];
            all[*place] = (next, candidate);
            *place += 1;
        }
        let (mut starts, mut groups, mut first) = (Vec::with_capacity(ends.len()), Vec::new(), 0);
        for end in &ends[..self.weights.len()] {
            starts.push(groups.len() as u32);
            all[first..*end].sort_unstable_by_key(|(next, _)| *next);
            for at in first..*end {
                if at == first || all[at].0 != all[at - 1].0 {
                    groups.push((all[at].0, at as u32));
                }
            }
            first = *end;
        }
        starts.push(groups.len() as u32);
        groups.push((0, all.len() as u32));
        ByRarest { starts, groups, all: all.into_iter().map(|(_, candidate)| candidate).collect() }
    }
}

const fn joined(first: u32, second: u32) -> u64 {
    (first as u64) << 32 | second as u64
}

/// The two numbers of a key.
pub(super) const fn parted(key: u64) -> (u32, u32) {
    ((key >> 32) as u32, key as u32)
}

impl ByRarest {
    /// How many words the patterns have.
    pub(super) fn words(&self) -> usize {
        self.starts.len() - 1
    }

    /// Whether a word is the rarest of any pattern.
    pub(super) fn has(&self, word: u32) -> bool {
        self.starts[word as usize] < self.starts[word as usize + 1]
    }

    /// Shows the key of each pattern whose words all stand in a sentence, once, until `show` has seen enough.
    pub(super) fn show(
        &self,
        tokens: &[Token<'_>],
        set: Set,
        (standing, done): (&mut Standing, &mut Standing),
        mut show: impl FnMut(u64) -> bool,
    ) {
        let (mut standing, mut done) = (standing.none_of(self.words()), done.none_of(self.words()));
        for token in tokens {
            token.word.ids(set).iter().for_each(|word| standing.insert(*word));
        }
        for word in tokens.iter().flat_map(|token| token.word.rarest(set)) {
            if done.has(*word) {
                continue;
            }
            done.insert(*word);
            let (first, end) = (self.starts[*word as usize] as usize, self.starts[*word as usize + 1] as usize);
            // The group behind tells where the last one ends.
            for pair in self.groups[first..=end].windows(2) {
                let [(next, from), (_, to)] = *pair else { continue };
                if !standing.has(next) {
                    continue;
                }
                for candidate in &self.all[from as usize..to as usize] {
                    let [third, fourth] = candidate.needs;
                    if standing.has(third) && standing.has(fourth) && !show(candidate.key) {
                        return;
                    }
                }
            }
        }
    }
}
