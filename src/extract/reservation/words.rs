//! The words of reservations: `config/lexicon/reservations.yaml`, parsed once.
//!
//! Invariant: a pattern has a few words and gaps of bounded length, so matching a sentence is linear in its words; a
//! broken file is a bug that the tests find.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use rustc_hash::FxHashSet;
use serde::Deserialize;

/// The most words that `..` and `...` pass over.
const GAPS: [usize; 2] = [6, 30];

/// The lists, as the file has them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    triggers: Vec<String>,
    mining: Vec<String>,
    law: Vec<String>,
    mining_names: Vec<String>,
    scraping: Vec<String>,
    automation: Vec<String>,
    agents: Vec<String>,
    extraction: Vec<String>,
    contents: Vec<String>,
    reserve: Vec<String>,
    reservations: Vec<String>,
    bare: Vec<String>,
    bare_end: Vec<String>,
    forbid: Vec<String>,
    consent: Vec<String>,
    declaring: Vec<String>,
    all_rights: Vec<String>,
    going_on: Vec<String>,
    denied: Vec<String>,
    general: Vec<String>,
    sample: Vec<String>,
    of_others: Vec<String>,
    private: Vec<String>,
    own_site: Vec<String>,
    abbreviations: Vec<String>,
    persons: Vec<String>,
}

/// The lists, ready for use.
pub(super) struct Words {
    pub triggers: AhoCorasick,
    pub mining: List,
    pub law: List,
    pub mining_names: List,
    pub scraping: List,
    pub automation: List,
    pub agents: List,
    pub extraction: List,
    pub contents: List,
    pub reserve: List,
    pub reservations: List,
    pub bare: List,
    pub bare_end: List,
    pub forbid: List,
    pub consent: List,
    pub declaring: List,
    pub all_rights: List,
    pub going_on: List,
    pub denied: List,
    pub general: List,
    pub sample: List,
    pub of_others: List,
    pub private: List,
    pub own_site: List,
    pub abbreviations: FxHashSet<String>,
    pub persons: List,
}

/// The one lexicon.
pub(super) static WORDS: LazyLock<Words> = LazyLock::new(|| {
    let raw: Raw = serde_saphyr::from_str(include_str!("../../../config/lexicon/reservations.yaml"))
        .expect("the embedded lexicon is tested");
    let list = |patterns: Vec<String>| List::new(&patterns);
    Words {
        triggers: AhoCorasick::new(raw.triggers).expect("few short words"),
        mining: list(raw.mining),
        law: list(raw.law),
        mining_names: list(raw.mining_names),
        scraping: list(raw.scraping),
        automation: list(raw.automation),
        agents: list(raw.agents),
        extraction: list(raw.extraction),
        contents: list(raw.contents),
        reserve: list(raw.reserve),
        reservations: list(raw.reservations),
        bare: list(raw.bare),
        bare_end: list(raw.bare_end),
        forbid: list(raw.forbid),
        consent: list(raw.consent),
        declaring: list(raw.declaring),
        all_rights: list(raw.all_rights),
        going_on: list(raw.going_on),
        denied: list(raw.denied),
        general: list(raw.general),
        sample: list(raw.sample),
        of_others: list(raw.of_others),
        private: list(raw.private),
        own_site: list(raw.own_site),
        abbreviations: raw.abbreviations.into_iter().collect(),
        persons: list(raw.persons),
    }
});

/// One step of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Word { whole: Vec<String>, stems: Vec<String> },
    Gap(usize),
}

/// Patterns of which any may match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct List(Vec<Vec<Step>>);

impl List {
    fn new(patterns: &[String]) -> Self {
        Self(patterns.iter().map(|pattern| pattern.split_whitespace().map(Step::of).collect()).collect())
    }

    /// Whether a pattern matches somewhere.
    pub fn is_in(&self, words: &[&str]) -> bool {
        self.find(words).is_some()
    }

    /// Where the first match begins.
    pub fn find(&self, words: &[&str]) -> Option<usize> {
        (0..words.len()).find(|at| self.0.iter().any(|steps| begins(steps, &words[*at..])))
    }

    /// Where matches begin, in order.
    pub fn places<'w>(&'w self, words: &'w [&str]) -> impl Iterator<Item = usize> + 'w {
        (0..words.len()).filter(|at| self.0.iter().any(|steps| begins(steps, &words[*at..])))
    }
}

impl Step {
    fn of(word: &str) -> Self {
        match word {
            ".." => return Self::Gap(GAPS[0]),
            "..." => return Self::Gap(GAPS[1]),
            _ => {}
        }
        let parts = word.trim_matches(['(', ')']).split('|');
        let (stems, whole): (Vec<&str>, Vec<&str>) = parts.partition(|part| part.ends_with('*'));
        Self::Word {
            whole: whole.into_iter().map(str::to_owned).collect(),
            stems: stems.into_iter().map(|stem| stem.trim_end_matches('*').to_owned()).collect(),
        }
    }

    fn fits(&self, word: &str) -> bool {
        match self {
            Self::Word { whole, stems } => {
                whole.iter().any(|w| w == word) || stems.iter().any(|stem| word.starts_with(stem.as_str()))
            }
            Self::Gap(_) => false,
        }
    }
}

/// Whether words begin with what a pattern says.
fn begins(steps: &[Step], words: &[&str]) -> bool {
    match steps.split_first() {
        None => true,
        Some((Step::Gap(most), rest)) => (0..=(*most).min(words.len())).any(|n| begins(rest, &words[n..])),
        Some((step, rest)) => words.first().is_some_and(|word| step.fits(word)) && begins(rest, &words[1..]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_words_stems_and_gaps() {
        let check = |pattern: &str, text: &str, expected: bool| {
            let words: Vec<&str> = text.split(' ').collect();
            assert_eq!(List::new(&[pattern.to_owned()]).is_in(&words), expected, "{pattern}: {text}");
        };
        check("a|b c", "x b c", true);
        check("a|b c", "b x c", false);
        check("(a|b) .. c*", "b x x cd", true);
        check("a .. b", "a 1 2 3 4 5 6 b", true);
        check("a .. b", "a 1 2 3 4 5 6 7 b", false);
        check("a ... b", "a 1 2 3 4 5 6 7 b", true);
    }

    #[test]
    fn no_pattern_is_long_or_begins_with_a_gap() {
        let words = &*WORDS;
        for list in [&words.mining, &words.law, &words.reserve, &words.forbid, &words.denied, &words.general] {
            for steps in &list.0 {
                let gaps = steps.iter().filter(|step| matches!(step, Step::Gap(_))).count();
                assert!(gaps <= 2 && matches!(steps.first(), Some(Step::Word { .. })), "{steps:?}");
            }
        }
    }
}
