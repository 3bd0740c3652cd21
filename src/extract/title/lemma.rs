//! Folded words to their masculine form and to what is known about them, each looked up once.
//!
//! Invariant: what is remembered is what would be computed; a full memory is emptied, never grown.

use std::cell::OnceCell;
use std::rc::Rc;

use smallvec::SmallVec;

use super::lexicon::Lexicon;
use super::parse::{self, Known};

/// So many words are remembered by a thread.
const MOST: usize = 1 << 16;
/// Longer ones, in eights, are not remembered.
const LONGEST: usize = 8;
/// So many places are looked at for a word: words can be made to meet in one place.
const PROBES: usize = 64;

/// A folded word, its masculine form, and what is known about it once asked.
#[derive(Debug)]
struct Word {
    /// The word as it was written, by eight bytes a piece.
    first: u64,
    rest: SmallVec<[u64; 3]>,
    text: Box<str>,
    or: bool,
    known: OnceCell<Known>,
}

/// The masculine form of a word.
#[derive(Debug, Clone)]
pub(super) struct Lemma(Rc<Word>);

impl Lemma {
    /// What the vocabularies know; there is one shipped lexicon, so it is asked once.
    pub fn known(&self, lex: &Lexicon) -> &Known {
        self.0.known.get_or_init(|| parse::known(lex, &self.0.text))
    }

    /// "oder" between two forms of a word.
    pub fn is_or(&self) -> bool {
        self.0.or
    }
}

impl std::ops::Deref for Lemma {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0.text
    }
}

/// A folded word by eight bytes a piece, the last filled with zeros, which stand in no word.
#[derive(Clone)]
pub(super) struct Eights<'t> {
    /// What is left of the word, and whatever follows.
    bytes: &'t [u8],
    left: usize,
    /// Bits to set in each byte.
    fold: u64,
}

impl<'t> Eights<'t> {
    /// Eight bytes at least must follow a word.
    pub const MARGIN: &'static str = "\0\0\0\0\0\0\0\0";

    /// Of the first `len` bytes, a folded word.
    pub fn of_folded(bytes: &'t [u8], len: usize) -> Self {
        Self { bytes, left: len, fold: 0 }
    }

    /// Of the first `len` bytes, ASCII letters and digits. They are folded on the way, by setting the bit of lower
    /// case, which digits have too.
    pub fn of_plain(bytes: &'t [u8], len: usize) -> Self {
        Self { bytes, left: len, fold: 0x2020_2020_2020_2020 }
    }
}

impl Iterator for Eights<'_> {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        if self.left == 0 {
            return None;
        }
        let (first, rest) = self.bytes.split_first_chunk()?;
        let eight = u64::from_le_bytes(*first) | self.fold;
        if self.left < 8 {
            return Some(eight & ((1 << (8 * std::mem::take(&mut self.left))) - 1));
        }
        (self.bytes, self.left) = (rest, self.left - 8);
        Some(eight)
    }
}

/// The words that a thread has come across, by open addressing.
#[derive(Default)]
pub(super) struct Words {
    /// Hash and word; the number of places is a power of two, at least a quarter of them empty.
    places: Vec<Option<(u64, Lemma)>>,
    len: usize,
}

impl Words {
    /// The masculine form of a folded word.
    pub fn lemma(&mut self, mut word: Eights) -> Lemma {
        let mix = |hash: u64, eight: u64| (hash.rotate_left(23) ^ eight).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        // Most words are no longer than eight bytes, or a few more.
        let first = word.next().unwrap_or(0);
        let hash = word.clone().fold(mix(0, first), mix);
        let mask = self.places.len().wrapping_sub(1);
        let mut at = place(hash) & mask;
        for _ in 0..PROBES {
            let Some(Some((known, lemma))) = self.places.get(at) else { break };
            if *known == hash && lemma.0.first == first && lemma.0.rest.iter().copied().eq(word.clone()) {
                return lemma.clone();
            }
            at = (at + 1) & mask;
        }
        self.learn(hash, first, word.collect())
    }

    #[cold]
    fn learn(&mut self, hash: u64, first: u64, rest: SmallVec<[u64; 3]>) -> Lemma {
        let is_long = rest.len() >= LONGEST;
        let eights = std::iter::once(&first).chain(&rest);
        let bytes = eights.flat_map(|e| e.to_le_bytes()).filter(|b| *b != 0).collect();
        let folded = String::from_utf8(bytes).expect("words are handed over whole");
        let text = super::word::masculine(folded).into_boxed_str();
        let or = matches!(&*text, "bzw" | "oder" | "resp" | "beziehungsweise");
        let lemma = Lemma(Rc::new(Word { first, rest, text, or, known: OnceCell::new() }));
        if is_long {
            return lemma;
        }
        if self.len >= MOST {
            *self = Self::default();
        }
        if self.len * 4 >= self.places.len() * 3 {
            let more = vec![None; (self.places.len() * 2).max(1 << 10)];
            let old = std::mem::replace(&mut self.places, more);
            old.into_iter().flatten().for_each(|(hash, lemma)| self.put(hash, lemma));
        }
        self.put(hash, lemma.clone());
        self.len += 1;
        lemma
    }

    /// Puts a word where it is looked for, in place of another one where all these places are taken.
    fn put(&mut self, hash: u64, lemma: Lemma) {
        let mask = self.places.len() - 1;
        let first = place(hash) & mask;
        let free = (0..PROBES).map(|n| (first + n) & mask).find(|at| self.places[*at].is_none());
        self.places[free.unwrap_or(first)] = Some((hash, lemma));
    }
}

/// The high bits of a product are the mixed ones.
fn place(hash: u64) -> usize {
    (hash >> 32) as usize
}

/// Lower case without umlauts and accents, appended to `out`; marks that stand alone vanish.
pub(super) fn fold_into(c: char, out: &mut String) {
    match c {
        'a'..='z' | '0'..='9' => out.push(c),
        'A'..='Z' => out.push(c.to_ascii_lowercase()),
        'ä' | 'Ä' | 'æ' | 'Æ' => out.push_str("ae"),
        'ö' | 'Ö' | 'ø' | 'Ø' | 'œ' => out.push_str("oe"),
        'ü' | 'Ü' => out.push_str("ue"),
        'ß' | 'ẞ' => out.push_str("ss"),
        'à'..='å' | 'À'..='Å' => out.push('a'),
        'ç' | 'Ç' => out.push('c'),
        'è'..='ë' | 'È'..='Ë' | '\u{308}' => out.push('e'),
        'ì'..='ï' | 'Ì'..='Ï' => out.push('i'),
        'ñ' | 'Ñ' => out.push('n'),
        'ò'..='õ' | 'Ò'..='Õ' => out.push('o'),
        'ù'..='û' | 'Ù'..='Û' => out.push('u'),
        '\u{300}'..='\u{36F}' => {}
        _ => out.extend(c.to_lowercase()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lemma(words: &mut Words, folded: &str) -> Lemma {
        words.lemma(Eights::of_folded(format!("{folded}{}", Eights::MARGIN).as_bytes(), folded.len()))
    }

    #[test]
    fn words_are_told_apart_at_any_length_and_found_again_after_growth() {
        let mut words = Words::default();
        let all: Vec<String> = (1..=8 * LONGEST).flat_map(|n| ["x".repeat(n), "x".repeat(n - 1) + "y"]).collect();
        let first: Vec<Lemma> = all.iter().map(|w| lemma(&mut words, w)).collect();
        (0..2000).for_each(|i| drop(lemma(&mut words, &format!("w{i}"))));
        for (w, first) in all.iter().zip(&first) {
            let again = lemma(&mut words, w);
            assert!(Rc::ptr_eq(&again.0, &first.0) && &*again == w, "{w}");
        }
        let long = "x".repeat(8 * LONGEST + 1);
        let twice = [lemma(&mut words, &long), lemma(&mut words, &long)];
        assert!(!Rc::ptr_eq(&twice[0].0, &twice[1].0) && twice.iter().all(|w| **w == long), "not remembered");
    }

    #[test]
    fn words_that_meet_in_one_place_cost_no_more_than_a_look_at_a_few() {
        let mut words = Words::default();
        let lemma = |text: &str| {
            Lemma(Rc::new(Word {
                first: 0,
                rest: SmallVec::new(),
                text: text.into(),
                or: false,
                known: OnceCell::new(),
            }))
        };
        words.places = vec![None; 1 << 10];
        (0..PROBES + 9).for_each(|n| words.put(7, lemma(&n.to_string())));
        let taken = words.places.iter().flatten().count();
        assert_eq!(taken, PROBES, "one place was given to the last nine");
    }

    #[test]
    fn plain_words_are_folded_on_the_way() {
        let mut words = Words::default();
        for (written, folded) in [("SAP4", "sap4"), ("Vertrieb", "vertrieb"), ("ProduktmanagerX", "produktmanagerx")] {
            let title = format!("{written}, AG{}", Eights::MARGIN);
            let plain = words.lemma(Eights::of_plain(title.as_bytes(), written.len()));
            assert!(Rc::ptr_eq(&plain.0, &lemma(&mut words, folded).0) && &*plain == folded, "{written}");
        }
    }

    #[test]
    fn a_full_memory_is_emptied() {
        let mut words = Words::default();
        let first = lemma(&mut words, "first");
        (0..MOST).for_each(|i| drop(lemma(&mut words, &format!("w{i}"))));
        assert!(words.len <= MOST && !Rc::ptr_eq(&first.0, &lemma(&mut words, "first").0));
    }
}
