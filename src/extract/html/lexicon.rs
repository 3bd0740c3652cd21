//! The word lists of the page reader: `config/lexicon/html/words.yaml`, parsed once.
//!
//! Invariant: every list is in lower case and folded; a broken file is a bug that the tests find.

use std::collections::{BTreeMap, HashSet};
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use serde::Deserialize;

use super::links::LinkTopic;

/// The lists, as the file has them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    link_topics: BTreeMap<LinkTopic, Vec<String>>,
    job_words: Vec<String>,
    job_stems: Vec<String>,
    department_words: Vec<String>,
    department_fillers: Vec<String>,
    name_titles: Vec<String>,
    name_particles: Vec<String>,
    not_names: Vec<String>,
    given_name_stops: Vec<String>,
    legal_forms: Vec<String>,
    function_labels: Vec<String>,
    stop_words_de: Vec<String>,
    stop_words_en: Vec<String>,
    countries: BTreeMap<String, Vec<String>>,
}

/// The lists, ready for use.
pub(super) struct Lexicon {
    /// The longest phrase first, in the order of the automaton's patterns.
    topics: Vec<(String, LinkTopic)>,
    /// The phrases between spaces.
    topic_phrases: AhoCorasick,
    /// Finds legal forms.
    pub legal_form_finder: AhoCorasick,
    /// Whole words that make a line a job title.
    pub job_words: HashSet<String>,
    /// Word endings that do (German compounds).
    pub job_stems: Vec<String>,
    /// Words that make a heading a department.
    pub department_words: Vec<String>,
    /// Words that may stand beside them.
    pub department_fillers: HashSet<String>,
    /// Academic and courtesy titles before a name, without dots.
    pub name_titles: HashSet<String>,
    /// Particles inside a name.
    pub name_particles: HashSet<String>,
    /// Words that no person's name contains.
    pub not_names: HashSet<String>,
    /// Words that do not begin a name.
    pub given_name_stops: HashSet<String>,
    /// Labels before the names of those who represent a company.
    pub function_labels: Vec<String>,
    /// Frequent German words.
    pub stop_words_de: HashSet<String>,
    /// Frequent English words.
    pub stop_words_en: HashSet<String>,
    /// ISO 3166-1 alpha-2 by spelling.
    pub countries: BTreeMap<String, String>,
}

/// The one lexicon.
pub(super) static LEXICON: LazyLock<Lexicon> = LazyLock::new(|| {
    let raw: Raw = serde_saphyr::from_str(include_str!("../../../config/lexicon/html/words.yaml"))
        .expect("the embedded lexicon is tested");
    let longest_first = |mut list: Vec<String>| {
        list.sort_by(|a, b| b.chars().count().cmp(&a.chars().count()).then(a.cmp(b)));
        list
    };
    let mut topics: Vec<(String, LinkTopic)> =
        raw.link_topics.into_iter().flat_map(|(t, words)| words.into_iter().map(move |w| (w, t))).collect();
    topics.sort_by(|a, b| b.0.len().cmp(&a.0.len()).then(a.cmp(b)));
    let automaton = |words: &mut dyn Iterator<Item = String>| AhoCorasick::new(words).expect("few short words");
    Lexicon {
        topic_phrases: automaton(&mut topics.iter().map(|(phrase, _)| format!(" {phrase} "))),
        topics,
        legal_form_finder: automaton(&mut raw.legal_forms.into_iter()),
        job_words: raw.job_words.into_iter().collect(),
        job_stems: raw.job_stems,
        department_words: raw.department_words,
        department_fillers: raw.department_fillers.into_iter().collect(),
        name_titles: raw.name_titles.into_iter().collect(),
        name_particles: raw.name_particles.into_iter().collect(),
        not_names: raw.not_names.into_iter().collect(),
        given_name_stops: raw.given_name_stops.into_iter().collect(),
        function_labels: longest_first(raw.function_labels),
        stop_words_de: raw.stop_words_de.into_iter().collect(),
        stop_words_en: raw.stop_words_en.into_iter().collect(),
        countries: raw
            .countries
            .into_iter()
            .flat_map(|(code, names)| names.into_iter().map(move |n| (n, code.clone())))
            .collect(),
    }
});

/// What a short anchor text or path segment promises; the longest phrase in it decides.
pub(super) fn link_topic(text: &str) -> Option<LinkTopic> {
    if text.chars().count() > 60 {
        return None;
    }
    let lower: String = text.to_lowercase().chars().map(|c| if c.is_alphanumeric() { c } else { ' ' }).collect();
    let padded = format!(" {} ", super::dom::fold(&lower));
    let longest = LEXICON.topic_phrases.find_overlapping_iter(&padded).map(|m| m.pattern().as_usize()).min()?;
    Some(LEXICON.topics[longest].1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anchors_tell_their_topic() {
        assert_eq!(link_topic("Unser Team"), Some(LinkTopic::Team));
        assert_eq!(link_topic("Über uns"), Some(LinkTopic::About));
        assert_eq!(link_topic("Impressum & Datenschutz"), Some(LinkTopic::Imprint));
        assert_eq!(link_topic("Ihre Ansprechpartner"), Some(LinkTopic::Team));
        assert_eq!(link_topic("Contact us"), Some(LinkTopic::Contact));
        assert_eq!(link_topic("Karriere bei uns"), Some(LinkTopic::Jobs));
        assert_eq!(link_topic("Open positions"), Some(LinkTopic::Jobs));
        assert_eq!(link_topic("Steam cleaning"), None);
    }

    #[test]
    fn every_list_has_entries_in_lower_case() {
        let l = &*LEXICON;
        for list in [&l.job_words, &l.name_titles, &l.name_particles, &l.not_names, &l.stop_words_de] {
            assert!(!list.is_empty());
            for word in list {
                assert_eq!(*word, word.to_lowercase());
            }
        }
    }
}
