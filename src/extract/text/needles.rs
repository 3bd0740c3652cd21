//! The words of patterns, found by their letters.
//!
//! Invariant: a word is found under every spelling that its patterns have for it, and under no other. Each word of texts is
//! looked up once and then remembered, so tables, which are quickly made, do better here than an automaton.

use std::ops::Range;

use rustc_hash::{FxHashMap, FxHashSet};
use smallvec::SmallVec;

use super::pattern::{Case, PatternError, Sets, parts, spellings};

/// Letters that are open at the same ends.
#[derive(Default)]
struct Table {
    /// Letters -> their place among all spellings.
    places: FxHashMap<String, u32>,
    /// Bytes of the shortest and the longest of them; where there are none, no word is long enough.
    shortest: usize,
    longest: usize,
    /// What those begin with that are open at both ends, in [`HEAD`] bytes, or fewer where the shortest has no more: a word is
    /// not looked up where nothing begins.
    heads: FxHashSet<[u8; HEAD]>,
}

const HEAD: usize = 3;

impl Table {
    /// The first bytes of some letters that have as many as the shortest.
    fn head(&self, letters: &[u8]) -> [u8; HEAD] {
        let mut head = [0; HEAD];
        let size = self.shortest.min(HEAD);
        head[..size].copy_from_slice(&letters[..size]);
        head
    }
}

/// What the words of texts are looked up in.
pub(super) struct Needles {
    /// By whether a word may go on at the front (2) and at the back (1).
    tables: [Table; 4],
    /// Where the words of each spelling begin, and where the last ones end.
    starts: Vec<u32>,
    words: Vec<(u32, Case)>,
}

impl Needles {
    /// Shows where in a word the letters of words of patterns stand, and which words these are.
    pub(super) fn find(&self, text: &str, mut show: impl FnMut(Range<usize>, &[(u32, Case)])) {
        for (open, table) in self.tables.iter().enumerate().filter(|(_, table)| table.shortest <= text.len()) {
            let (front, back) = (open & 2 != 0, open & 1 != 0);
            let first = if front && !back { text.len().saturating_sub(table.longest) } else { 0 };
            let last = if front { text.len() - table.shortest } else { 0 };
            for start in first..=last {
                if front && back && !table.heads.contains(&table.head(&text.as_bytes()[start..])) {
                    continue;
                }
                let longest = (start + table.longest).min(text.len());
                let ends = if back { start + table.shortest..=longest } else { text.len()..=text.len() };
                for end in ends {
                    // Between the bytes of a character no letters begin or end.
                    if let Some(place) = text.get(start..end).and_then(|letters| table.places.get(letters)) {
                        let place = *place as usize;
                        show(start..end, &self.words[self.starts[place] as usize..self.starts[place + 1] as usize]);
                    }
                }
            }
        }
    }
}

/// [`Needles`] while the patterns are read.
pub(super) struct Spellings<'s> {
    sets: &'s Sets,
    tables: [Table; 4],
    /// How many spellings there are.
    places: u32,
    /// A spelling, a word that has it, what it asks of the case.
    pairs: Vec<(u32, u32, Case)>,
    /// The spellings of alternatives: most stand in many words.
    known: FxHashMap<String, SmallVec<[(u32, Case); 2]>>,
}

impl<'s> Spellings<'s> {
    pub(super) fn new(sets: &'s Sets) -> Self {
        let tables = std::array::from_fn(|_| Table { shortest: usize::MAX, ..Table::default() });
        Self { sets, tables, places: 0, pairs: Vec::new(), known: FxHashMap::default() }
    }

    /// Adds a word of a pattern with all of its alternatives.
    pub(super) fn add(&mut self, id: u32, word: &str, pattern: &str) -> Result<(), PatternError> {
        for part in parts(word, pattern)? {
            if let Some(name) = part.strip_prefix('<').and_then(|p| p.strip_suffix('>')) {
                let set = self.sets.get(name).ok_or_else(|| PatternError::UnknownSet(pattern.to_owned()))?;
                for member in set {
                    self.add_part(id, member, pattern)?;
                }
            } else {
                self.add_part(id, part, pattern)?;
            }
        }
        Ok(())
    }

    fn add_part(&mut self, id: u32, part: &str, pattern: &str) -> Result<(), PatternError> {
        if let Some(known) = self.known.get(part) {
            self.pairs.extend(known.iter().map(|(place, case)| (*place, id, *case)));
            return Ok(());
        }
        let mut all = SmallVec::new();
        for glob in spellings(part, pattern)? {
            let table = &mut self.tables[2 * usize::from(glob.open.0) + usize::from(glob.open.1)];
            table.shortest = table.shortest.min(glob.letters.len());
            table.longest = table.longest.max(glob.letters.len());
            let next = self.places;
            let place = *table.places.entry(glob.letters).or_insert(next);
            self.places += u32::from(place == next);
            self.pairs.push((place, id, glob.case));
            all.push((place, glob.case));
        }
        self.known.insert(part.to_owned(), all);
        Ok(())
    }

    /// How often words are likely to stand in texts, by how often patterns have their spellings; `uses` tells how often they
    /// have each word. A word with `the` among many others is rare in patterns, and in nearly every text.
    pub(super) fn weights(&self, uses: &[u32]) -> Vec<u32> {
        let mut of_places = vec![0_u32; self.places as usize];
        for (place, word, _) in &self.pairs {
            of_places[*place as usize] += uses[*word as usize];
        }
        let mut of_words = vec![0_u32; uses.len()];
        for (place, word, _) in &self.pairs {
            of_words[*word as usize] = of_words[*word as usize].saturating_add(of_places[*place as usize]);
        }
        of_words
    }

    /// With nothing more to come.
    pub(super) fn done(mut self) -> Needles {
        let [.., open] = &mut self.tables;
        open.heads = open.places.keys().map(|letters| open.head(letters.as_bytes())).collect();
        let mut starts = vec![0_u32; self.places as usize + 1];
        for (place, ..) in &self.pairs {
            starts[*place as usize] += 1;
        }
        let mut end = 0;
        for start in &mut starts {
            end += *start;
            *start = end;
        }
        let mut words = vec![(0, Case::Any); self.pairs.len()];
        for (place, word, case) in self.pairs.into_iter().rev() {
            // Filled from behind, so that at last each start is where its words begin.
            let start = &mut starts[place as usize];
            *start -= 1;
            words[*start as usize] = (word, case);
        }
        Needles { tables: self.tables, starts, words }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_found_under_its_spellings_and_no_other() {
        let sets = Sets::from([("towns".to_owned(), vec!["Köln".to_owned(), "ulm*".to_owned()])]);
        let mut spellings = Spellings::new(&sets);
        for (id, word) in ["kauf*|kauf|preis", "*teil*|*öl*", "*heit|kauf", "<towns>"].iter().enumerate() {
            spellings.add(id as u32, word, word).expect("a sound word");
        }
        let needles = spellings.done();
        for (text, ids) in [
            ("kauf", vec![0, 0, 2]),
            ("kaufen", vec![0]),
            ("einkauf", vec![]),
            ("preise", vec![]),
            ("vorteile", vec![1]),
            ("teil", vec![1]),
            ("krankheit", vec![2]),
            ("heiter", vec![]),
            ("koeln", vec![1, 3]),
            ("ulmer", vec![3]),
            ("", vec![]),
            ("t", vec![]),
        ] {
            let mut found = Vec::new();
            needles.find(text, |at, words| {
                assert!(at.end <= text.len());
                found.extend(words.iter().map(|(id, _)| *id));
            });
            found.sort_unstable();
            assert_eq!(found, ids, "{text}");
        }
    }
}
