//! Which language a title is in.
//!
//! Invariant: needs words or letters of one language; two known words of both count as English.

use super::lexicon::{Lexicon, flag};
use super::parse::Item;
use super::scan::Scan;
use crate::taxonomy::Language;

/// The language that the words belong to; `any` are the flags that any of them has.
pub(super) fn language(lex: &Lexicon, items: &[Item], any: u64, scan: &Scan) -> Option<Language> {
    let (mut german, mut english, mut known) = (0, 0, 0);
    for i in items.iter().filter(|i| !i.company) {
        let Some(s) = &i.sense else { continue };
        known += usize::from(s.person || !s.functions.is_empty());
        german += 2 * usize::from(s.german && !s.english) + 2 * usize::from(i.marked);
        english += 2 * usize::from(s.english && !s.german);
    }
    german += 2 * usize::from(scan.umlaut);
    if any & flag::LINKER != 0 {
        for i in items.iter().filter(|i| i.has(flag::LINKER)) {
            let (a, b) = scan.tokens[i.tokens.0].text.known(lex).language;
            german += usize::from(a);
            english += usize::from(b);
        }
    }
    match german.cmp(&english) {
        std::cmp::Ordering::Greater => Some(Language::German),
        std::cmp::Ordering::Less => Some(Language::English),
        std::cmp::Ordering::Equal if known >= 2 => Some(Language::English),
        std::cmp::Ordering::Equal => None,
    }
}
