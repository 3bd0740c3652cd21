//! Which words may stand in a quote: those that tell of a matter and name nobody.
//!
//! Invariant: a word with a capital that no rule has in full, or as a noun goes on, may be a name, and so may one that is
//! a name beside what else it means; neither stays.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::sync::LazyLock;

use rustc_hash::FxHashMap;
use serde::Deserialize;
use smallvec::SmallVec;
use unicode_normalization::UnicodeNormalization as _;

use crate::extract::text::{is_word_of_rules, word_hash};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Words {
    honorifics: HashSet<String>,
    pub particles: HashSet<String>,
    pronouns: HashSet<String>,
    articles: HashSet<String>,
    plain: HashSet<String>,
    names: HashSet<String>,
    endings: Endings,
    nouns: HashMap<String, String>,
}

/// How a word may go on behind the letters that a rule has of it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Endings {
    nouns: HashSet<String>,
    others: HashSet<String>,
    joints: Vec<String>,
}

pub(super) static WORDS: LazyLock<Words> = LazyLock::new(|| {
    serde_saphyr::from_str(include_str!("../../config/crm/quotes.yaml")).expect("quotes.yaml is checked by a test")
});

/// Letters of a rule from which on a word can only be of its family: no name begins with `beschaff` or ends with `kosten`.
const LONG_STEM: usize = 7;
const LONG_END: usize = 6;
/// Shorter words of rules begin too many names to be parts of a compound: `neu`, `kauf`, `norm`.
const SHORTEST_PART: usize = 5;

/// Words that a thread remembers.
const REMEMBERED: usize = 1 << 14;

thread_local! {
    /// By keyed hash of the word: what people are called does not stay in memory.
    static MEMORY: RefCell<FxHashMap<u64, Rc<Facts>>> = RefCell::default();
}

/// What a word of a quote is, wherever it stands.
#[expect(clippy::struct_excessive_bools, reason = "each answers a question of its own")]
pub(super) struct Facts {
    pub honorific: bool,
    pub particle: bool,
    pub pronoun: bool,
    pub article: bool,
    /// Begins with a capital.
    pub capital: bool,
    /// One letter.
    pub letter: bool,
    /// [`noun`] of it.
    pub noun: Option<&'static str>,
    /// [`may_stay`], where no sentence begins and where one does.
    stays: [bool; 2],
    /// Hashes of what it may be of a name: folded and bare, each part of it, with and without the ending of a genitive.
    pub names: SmallVec<[u64; 4]>,
}

impl Facts {
    /// What a word is: as it was before, else as it is looked up.
    pub(super) fn of(word: &str) -> Rc<Self> {
        let key = word_hash(word);
        MEMORY.with_borrow_mut(|memory| {
            if let Some(facts) = memory.get(&key) {
                return Rc::clone(facts);
            }
            if memory.len() >= REMEMBERED {
                memory.clear();
            }
            let facts = Rc::new(Self::look_up(word));
            memory.insert(key, Rc::clone(&facts));
            facts
        })
    }

    fn look_up(word: &str) -> Self {
        let key = folded(word);
        let mut names = SmallVec::new();
        for part in word.split(|c: char| !c.is_alphanumeric()) {
            for name in [folded(part), bare(part)] {
                names.push(word_hash(&name));
                names.extend(name.strip_suffix('s').map(word_hash));
            }
        }
        Self {
            honorific: WORDS.honorifics.contains(&key),
            particle: WORDS.particles.contains(&key),
            pronoun: WORDS.pronouns.contains(&key),
            article: WORDS.articles.contains(&key),
            capital: is_capital(word),
            letter: key.chars().count() == 1,
            noun: noun(word),
            stays: [may_stay(word, false), may_stay(word, true)],
            names,
        }
    }

    pub(super) fn may_stay(&self, begins: bool) -> bool {
        self.stays[usize::from(begins)]
    }
}

/// Whether a word may stand in a quote: one of the rules, a small word, a number. A small word with a capital is one
/// only where a sentence begins.
pub(super) fn may_stay(word: &str, begins: bool) -> bool {
    word.split(|c: char| !c.is_alphanumeric()).all(|part| part_may_stay(part, begins))
}

fn part_may_stay(part: &str, begins: bool) -> bool {
    let key = folded(part);
    if part.chars().all(|c| c.is_ascii_digit()) || noun(part).is_some() {
        return true;
    }
    let capital = is_capital(part);
    if capital && WORDS.names.contains(&key) {
        return false;
    }
    let small = WORDS.plain.contains(&key) || WORDS.articles.contains(&key);
    small && (!capital || begins || part == "I")
        || is_word_of_rules(part, &|before, letters, behind| goes_on(before, letters, behind, capital))
}

/// Whether a word that a rule leaves open is of the family of the rule's letters.
fn goes_on(before: &str, letters: &str, behind: &str, capital: bool) -> bool {
    let endings = &WORDS.endings;
    if !before.is_empty() {
        return behind.is_empty() && letters.len() >= LONG_END;
    }
    behind.is_empty()
        || endings.nouns.contains(behind)
        || !capital && endings.others.contains(behind)
        // An adjective's `e` is no stem: `leichte` begins Leichtenberger.
        || letters.len() >= LONG_STEM && !letters.ends_with('e')
        || letters.len() >= SHORTEST_PART && endings.joints.iter().any(|j| behind.strip_prefix(j.as_str()).is_some_and(is_part))
}

/// Whether the rest of a compound is a word of the rules itself.
fn is_part(rest: &str) -> bool {
    let fits = |before: &str, _: &str, behind: &str| before.is_empty() && WORDS.endings.nouns.contains(behind);
    rest.len() >= SHORTEST_PART
        && !WORDS.names.contains(rest)
        && is_word_of_rules(rest, &|before, letters, behind| {
            (before, behind) == ("", "") || fits(before, letters, behind)
        })
}

/// Lower case, umlauts spelled out, marks gone.
pub(super) fn folded(word: &str) -> String {
    if word.is_ascii() {
        let mut folded = word.to_ascii_lowercase();
        folded.retain(|c| c.is_ascii_alphanumeric());
        return folded;
    }
    let lower = word.to_lowercase().replace('ä', "ae").replace('ö', "oe").replace('ü', "ue").replace('ß', "ss");
    lower.nfkd().filter(|c| c.is_alphanumeric()).collect()
}

/// The same, with umlauts as they stand where a keyboard has none: `Muller`.
pub(super) fn bare(word: &str) -> String {
    if word.is_ascii() {
        return folded(word);
    }
    word.to_lowercase().replace('ß', "ss").nfkd().filter(|c| c.is_alphanumeric()).collect()
}

pub(super) fn is_capital(word: &str) -> bool {
    word.chars().next().is_some_and(char::is_uppercase)
}

/// The neutral form of a word that names a role, if it does.
pub(super) fn noun(word: &str) -> Option<&'static str> {
    let key = folded(word);
    let plain = WORDS.nouns.get(&key).or_else(|| WORDS.nouns.get(key.strip_suffix("in")?));
    plain.map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_know_words_and_no_names() {
        for (word, begins, stays) in [
            ("Neumann", false, false),
            ("Kaufmann", true, false),
            ("kaufmann", false, false),
            ("Freundlich", false, false),
            ("Großmann", false, false),
            ("Neuer", true, false),
            ("Langer", true, false),
            ("Lange", true, false),
            ("Beermann", false, false),
            ("Normann", false, false),
            ("Preisler", false, false),
            ("Schreiber", false, false),
            ("Schneller", false, false),
            ("Messerschmidt", false, false),
            ("Leichtenberger", false, false),
            ("Christian", false, false),
            ("Reiner", false, false),
            ("Spitze", true, false),
            ("August", false, false),
            ("Charity", false, false),
            ("Merchant", false, false),
            ("Will", false, false),
            ("Will", true, false),
            ("will", false, true),
            ("Roman", false, false),
            ("Major", true, false),
            ("Kauf", false, true),
            ("Preise", false, true),
            ("Systeme", false, true),
            ("Lieferantenbewertung", false, true),
            ("Budgetfreigabe", false, true),
            ("Einkaufsleitung", false, true),
            ("Beschaffungsrichtlinien", false, true),
            ("Betriebskosten", false, true),
            ("neuer", false, true),
            ("langen", false, true),
            ("Wir", true, true),
            ("I", false, true),
            ("2026", false, true),
            ("Entscheiderin", false, true),
        ] {
            assert_eq!(may_stay(word, begins), stays, "{word} {begins}");
        }
    }
}
