//! `config/identity.yaml` as checked types.
//!
//! Invariant: every word is folded the way names are, so that look-ups cannot miss by spelling.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde::Deserialize;

/// The built-in words and weights.
pub(super) static LEXICON: LazyLock<Lexicon> =
    LazyLock::new(|| parse(include_str!("../../config/identity.yaml")).expect("config/identity.yaml is checked"));

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Lexicon {
    version: u32,
    pub(super) titles: BTreeSet<String>,
    pub(super) particles: BTreeSet<String>,
    pub(super) legal_forms: BTreeSet<String>,
    pub(super) places: BTreeSet<String>,
    /// What senior and junior are called.
    generations: [BTreeSet<String>; 2],
    /// Words of names that two people cannot both have.
    opposites: Vec<[String; 2]>,
    /// Words that nobody is called, but a company or a department is.
    pub(super) no_people: BTreeSet<String>,
    /// Words between two people.
    pub(super) several: BTreeSet<String>,
    /// Given names that are family names, too.
    pub(super) either: BTreeSet<String>,
    /// Family names of many people.
    pub(super) common: BTreeSet<String>,
    /// Words beside an employer who is one no longer.
    pub(super) former: BTreeSet<String>,
    /// What parts of one owner's domain are called.
    pub(super) services: BTreeSet<String>,
    /// Mailboxes that are nobody's own.
    pub(super) mailboxes: BTreeSet<String>,
    pub(super) freemail: BTreeSet<String>,
    pub(super) shared_hosts: BTreeSet<String>,
    nicknames: Vec<Vec<String>>,
    weights: BTreeMap<String, f64>,
    pub(super) same_from: f64,
    pub(super) different_to: f64,
    pub(super) untied_ceiling: f64,
}

/// Every reason that [`super::judge`] can give; each has a weight.
pub(super) const REASONS: [&str; 31] = [
    "name_full",
    "name_reversed",
    "name_second_given",
    "name_nickname",
    "name_family_partly",
    "name_family_first",
    "name_by_address",
    "name_given_only",
    "name_near",
    "name_initial",
    "name_family_only",
    "name_generation",
    "name_word",
    "name_nobodys",
    "name_none",
    "name_other_given",
    "name_other_family",
    "employer_name",
    "employer_page",
    "employer_email",
    "employer_link",
    "address",
    "handle",
    "further",
    "employer_related",
    "employer_other",
    "employer_former",
    "handle_other",
    "same_country",
    "other_country",
    "other_country_common",
];

#[derive(Debug, thiserror::Error)]
enum LexiconError {
    #[error("not readable as an identity lexicon")]
    Parse(#[from] serde_saphyr::Error),
    #[error("weights, thresholds or words are not as they must be: {0}")]
    Content(&'static str),
}

fn parse(yaml: &str) -> Result<Lexicon, LexiconError> {
    let l: Lexicon = serde_saphyr::from_str(yaml)?;
    let finite = |r: &str| l.weights.get(r).is_some_and(|w| w.is_finite());
    if l.version != 1 || l.weights.len() != REASONS.len() || !REASONS.iter().all(|r| finite(r)) {
        return Err(LexiconError::Content("weights"));
    }
    if !(0.5 < l.untied_ceiling && l.untied_ceiling < l.same_from && l.same_from < 1.0 && l.different_to < 0.5) {
        return Err(LexiconError::Content("thresholds"));
    }
    let [seniors, juniors] = &l.generations;
    let words =
        [&l.titles, &l.particles, &l.legal_forms, &l.places, &l.no_people, &l.either, &l.former, seniors, juniors];
    let lower = |w: &String| w.chars().all(|c| c.is_ascii_lowercase());
    if !words.iter().all(|s| s.iter().all(lower)) || !l.nicknames.iter().flatten().all(lower) {
        return Err(LexiconError::Content("words must be folded to a-z"));
    }
    Ok(l)
}

impl Lexicon {
    /// The log-odds of a reason.
    pub(super) fn weight(&self, reason: &'static str) -> f64 {
        self.weights[reason]
    }

    /// Whether two folded given names stand for each other; `Some(false)` = for others, too, as "Chris" does.
    pub(super) fn nickname(&self, a: &str, b: &str) -> Option<bool> {
        let holds = |set: &[String], w: &str| set.iter().any(|x| x == w);
        self.nicknames.iter().find(|set| holds(set, a) && holds(set, b))?;
        let is_formal = |w: &str| self.nicknames.iter().any(|set| set[0] == w);
        let is_plain = |w: &str| is_formal(w) || self.nicknames.iter().filter(|set| holds(set, w)).count() == 1;
        // Two full names, such as Jan and Johannes, are two people's more often than one's.
        Some(is_plain(a) && is_plain(b) && !(is_formal(a) && is_formal(b)))
    }

    /// Senior (0) or junior (1), where a word of a name says so.
    pub(super) fn generation<S: AsRef<str>>(&self, words: impl IntoIterator<Item = S>) -> Option<usize> {
        words.into_iter().find_map(|w| self.generations.iter().position(|set| set.contains(w.as_ref())))
    }

    /// Whether two names have words that no one person has.
    pub(super) fn are_two_people(&self, known: &[String], claimed: &[String]) -> bool {
        let has = |words: &[String], word: &String, not: &String| words.contains(word) && !words.contains(not);
        self.opposites
            .iter()
            .any(|[a, b]| (has(known, a, b) && has(claimed, b, a)) || (has(known, b, a) && has(claimed, a, b)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lexicon_without_a_weight_is_refused() {
        let good = include_str!("../../config/identity.yaml");
        assert!(parse(good).is_ok());
        let bad = good.replace("  further: 0.4\n", "");
        assert_ne!(good, bad);
        assert!(parse(&bad).is_err());
    }
}
