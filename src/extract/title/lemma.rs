//! Folded words to their masculine form and to what is known about them, each looked up once.
//!
//! Invariant: what is remembered is what would be computed; a full memory is emptied, never grown.

use std::cell::OnceCell;
use std::rc::Rc;

use super::lexicon::Lexicon;
use super::parse::{self, Known};

/// So many words are remembered by a thread.
const MOST: usize = 1 << 16;

/// A word as it was written but for its folding, its masculine form, and what is known about it once asked.
#[derive(Debug)]
struct Word {
    key: Key,
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

/// A folded word by eight bytes a piece, the last filled with zeros, which stand in no word; and its hash.
#[derive(Debug, Default, Clone)]
pub(super) struct Key {
    eights: smallvec::SmallVec<[u64; 4]>,
    hash: u64,
}

impl Key {
    fn add(&mut self, eight: u64) {
        self.eights.push(eight);
        self.hash = (self.hash.rotate_left(23) ^ eight).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }

    fn clear(&mut self) {
        self.eights.clear();
        self.hash = 0;
    }

    /// Of a folded word.
    pub fn set(&mut self, word: &str) {
        self.clear();
        for piece in word.as_bytes().chunks(8) {
            let mut eight = [0; 8];
            eight[..piece.len()].copy_from_slice(piece);
            self.add(u64::from_le_bytes(eight));
        }
    }

    /// Of ASCII letters and digits, which are folded on the way; `bytes` has eight more than the word's `len`.
    pub fn set_plain(&mut self, bytes: &[u8], len: usize) {
        // Sets the bit of lower case, which digits have too.
        const LOWER: u64 = 0x2020_2020_2020_2020;
        self.clear();
        let eights = bytes.chunks_exact(8).map(|e| u64::from_le_bytes(e.try_into().expect("eight bytes")) | LOWER);
        let (whole, rest) = (len / 8, len % 8);
        for (i, eight) in eights.take(whole + usize::from(rest > 0)).enumerate() {
            self.add(if i < whole { eight } else { eight & ((1 << (8 * rest)) - 1) });
        }
    }

    fn text(&self) -> String {
        let bytes = self.eights.iter().flat_map(|e| e.to_le_bytes()).filter(|b| *b != 0).collect();
        String::from_utf8(bytes).expect("keys are made of whole words")
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
    pub fn lemma(&mut self, key: &Key) -> Lemma {
        let mask = self.places.len().wrapping_sub(1);
        let mut at = place(key.hash) & mask;
        while let Some(Some((hash, lemma))) = self.places.get(at) {
            if *hash == key.hash && lemma.0.key.eights == key.eights {
                return lemma.clone();
            }
            at = (at + 1) & mask;
        }
        self.learn(key)
    }

    #[cold]
    fn learn(&mut self, key: &Key) -> Lemma {
        let text = super::word::masculine(key.text()).into_boxed_str();
        let or = matches!(&*text, "bzw" | "oder" | "resp" | "beziehungsweise");
        let lemma = Lemma(Rc::new(Word { key: key.clone(), text, or, known: OnceCell::new() }));
        if self.len >= MOST {
            *self = Self::default();
        }
        if self.len * 4 >= self.places.len() * 3 {
            let more = vec![None; (self.places.len() * 2).max(1 << 10)];
            let old = std::mem::replace(&mut self.places, more);
            old.into_iter().flatten().for_each(|(hash, lemma)| self.put(hash, lemma));
        }
        self.put(key.hash, lemma.clone());
        self.len += 1;
        lemma
    }

    fn put(&mut self, hash: u64, lemma: Lemma) {
        let mask = self.places.len() - 1;
        let mut at = place(hash) & mask;
        while self.places[at].is_some() {
            at = (at + 1) & mask;
        }
        self.places[at] = Some((hash, lemma));
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
