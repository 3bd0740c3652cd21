//! Folded words to their masculine form and to what is known about them, each looked up once.
//!
//! Invariant: what is remembered is what would be computed.

use std::cell::{OnceCell, RefCell};
use std::rc::Rc;

use super::lexicon::Lexicon;
use super::memo::Memo;
use super::parse::{self, Known};

/// The masculine form of a word, and what is known about it once asked.
#[derive(Debug, Clone)]
pub(super) struct Lemma(Rc<(Box<str>, OnceCell<Known>)>);

impl Lemma {
    /// What the vocabularies know; there is one shipped lexicon, so it is asked once.
    pub fn known(&self, lex: &Lexicon) -> &Known {
        self.0.1.get_or_init(|| parse::known(lex, &self.0.0))
    }
}

impl std::ops::Deref for Lemma {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0.0
    }
}

thread_local! {
    static MASCULINE: RefCell<Memo<Box<str>, Lemma>> = RefCell::new(Memo::new(1 << 16));
}

/// The masculine form, remembered by folded word.
pub(super) fn masculine(text: &str) -> Lemma {
    MASCULINE.with_borrow_mut(|memo| {
        if let Some(known) = memo.get(text) {
            return known.clone();
        }
        let lemma = Lemma(Rc::new((super::word::masculine(text.to_owned()).into(), OnceCell::new())));
        memo.put(text.into(), lemma.clone());
        lemma
    })
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
