//! The word lists of the page reader: `config/lexicon/html/words.yaml`, parsed once.
//!
//! Invariant: every list is in lower case and folded; a broken file is a bug that the tests find.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};
use rustc_hash::{FxHashMap, FxHashSet};
use serde::Deserialize;

/// The lists, as the file has them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    job_words: Vec<String>,
    not_jobs: Vec<String>,
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
    counties: FxHashSet<String>,
    calling_codes: BTreeMap<String, String>,
    given_names: Vec<String>,
    family_names: Vec<String>,
    outside_headings: Vec<String>,
    outside_lines: Vec<String>,
    outside_classes: Vec<String>,
    inside_headings: Vec<String>,
    former: Vec<String>,
    other_bodies: Vec<String>,
}

/// The lists, ready for use.
pub(super) struct Lexicon {
    /// Finds legal forms.
    pub legal_form_finder: AhoCorasick,
    /// Which bytes one begins with, and which are a second one.
    legal_form_starts: [[bool; 256]; 2],
    /// Whole words that make a line a job title.
    pub job_words: FxHashSet<String>,
    /// Words that only look like a company's jobs: `bürgermeister`.
    pub not_jobs: FxHashSet<String>,
    /// Word endings that do (German compounds), of five bytes and more, by their last three.
    job_stems: FxHashMap<[u8; 3], Vec<String>>,
    /// Words that make a heading a department, those of phrases singly.
    department_words: FxHashSet<String>,
    /// Endings that do, by their last three bytes.
    department_ends: FxHashMap<[u8; 3], Vec<String>>,
    /// Words that may stand beside them.
    pub department_fillers: FxHashSet<String>,
    /// Academic and courtesy titles before a name, without dots.
    pub name_titles: FxHashSet<String>,
    /// Particles inside a name.
    pub name_particles: FxHashSet<String>,
    /// Words that no person's name contains.
    pub not_names: FxHashSet<String>,
    /// Given names: what begins with one is a person's name.
    pub given_names: FxHashSet<String>,
    /// Words that are family names behind a given name, though they mean something else elsewhere.
    pub family_names: FxHashSet<String>,
    /// Headings above people of others.
    pub outside_headings: Phrases,
    /// The same outside headings.
    pub outside_lines: Phrases,
    /// Words of class names of elements with people of others.
    pub outside_classes: FxHashSet<String>,
    /// Headings above the company's own people.
    pub inside_headings: Phrases,
    /// Words that say that somebody is something no longer.
    pub former: Phrases,
    /// Bodies other than companies, to which a title may belong.
    pub other_bodies: Phrases,
    /// Words that do not begin a name.
    pub given_name_stops: FxHashSet<String>,
    /// Labels before the names of those who represent a company.
    pub function_labels: Vec<String>,
    /// Finds them in lower case text, the longest first.
    pub label_finder: AhoCorasick,
    /// The same by their first three bytes.
    label_starts: FxHashMap<[u8; 3], Vec<String>>,
    /// Frequent German words.
    pub stop_words_de: FxHashSet<String>,
    /// Frequent English words.
    pub stop_words_en: FxHashSet<String>,
    /// ISO 3166-1 alpha-2 by spelling.
    pub countries: BTreeMap<String, String>,
    /// Counties, which stand between a town and its postal code.
    pub counties: FxHashSet<String>,
    /// ISO 3166-1 alpha-2 by what stands after the plus of a telephone number.
    pub calling_codes: BTreeMap<String, String>,
}

/// The one lexicon.
pub(super) static LEXICON: LazyLock<Lexicon> = LazyLock::new(|| {
    let raw: Raw = serde_saphyr::from_str(include_str!("../../../config/lexicon/html/words.yaml"))
        .expect("the embedded lexicon is tested");
    let longest_first = |mut list: Vec<String>| {
        list.sort_by(|a, b| b.chars().count().cmp(&a.chars().count()).then(a.cmp(b)));
        list
    };
    let automaton = |words: &mut dyn Iterator<Item = String>| AhoCorasick::new(words).expect("few short words");
    Lexicon {
        legal_form_starts: [0, 1].map(|at| {
            let has = |b: u8| raw.legal_forms.iter().any(|f| f.as_bytes().get(at) == Some(&b));
            std::array::from_fn(|b| u8::try_from(b).is_ok_and(has))
        }),
        legal_form_finder: automaton(&mut raw.legal_forms.into_iter()),
        job_words: raw.job_words.into_iter().collect(),
        not_jobs: raw.not_jobs.into_iter().collect(),
        given_names: raw.given_names.into_iter().collect(),
        family_names: raw.family_names.into_iter().collect(),
        outside_headings: Phrases::new(&raw.outside_headings),
        outside_lines: Phrases::new(&raw.outside_lines),
        outside_classes: raw.outside_classes.into_iter().collect(),
        inside_headings: Phrases::new(&raw.inside_headings),
        former: Phrases::new(&raw.former),
        other_bodies: Phrases::new(&raw.other_bodies),
        job_stems: by_bytes(raw.job_stems.into_iter().filter(|s| s.len() >= 5), end),
        department_ends: by_bytes(raw.department_words.iter().filter(|d| d.len() > 6).cloned(), end),
        department_words: raw
            .department_words
            .iter()
            .flat_map(|d| d.split(' '))
            .filter(|w| w.len() > 1)
            .map(str::to_owned)
            .collect(),
        department_fillers: raw.department_fillers.into_iter().collect(),
        name_titles: raw.name_titles.into_iter().collect(),
        name_particles: raw.name_particles.into_iter().collect(),
        not_names: raw.not_names.into_iter().collect(),
        given_name_stops: raw.given_name_stops.into_iter().collect(),
        label_finder: AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .build(&raw.function_labels)
            .expect("few short words"),
        label_starts: by_bytes(raw.function_labels.iter().cloned(), |l| l.first_chunk().copied()),
        function_labels: longest_first(raw.function_labels),
        stop_words_de: raw.stop_words_de.into_iter().collect(),
        stop_words_en: raw.stop_words_en.into_iter().collect(),
        countries: raw
            .countries
            .into_iter()
            .flat_map(|(code, names)| names.into_iter().map(move |n| (n, code.clone())))
            .collect(),
        counties: raw.counties,
        calling_codes: raw.calling_codes,
    }
});

/// Phrases that are looked for as whole words.
pub(super) struct Phrases(AhoCorasick);

impl Phrases {
    pub fn new(phrases: &[String]) -> Self {
        Self(AhoCorasick::new(phrases.iter().map(|p| padded(p))).expect("few short words"))
    }

    /// Whether one of them stands in a text.
    pub fn stand_in(&self, text: &str) -> bool {
        self.0.is_match(&padded(text))
    }
}

fn end(word: &[u8]) -> Option<[u8; 3]> {
    word.last_chunk().copied()
}

/// Words by three of their bytes.
fn by_bytes(
    words: impl Iterator<Item = String>,
    three: impl Fn(&[u8]) -> Option<[u8; 3]>,
) -> FxHashMap<[u8; 3], Vec<String>> {
    let mut by: FxHashMap<[u8; 3], Vec<String>> = FxHashMap::default();
    for word in words {
        by.entry(three(word.as_bytes()).unwrap_or_default()).or_default().push(word);
    }
    by
}

impl Lexicon {
    /// Whether a German compound in lower case ends in a job word: `vertriebsleiterin`.
    pub fn is_job_compound(&self, lower: &str) -> bool {
        let stems = lower.as_bytes().last_chunk().and_then(|end| self.job_stems.get(end));
        stems.into_iter().flatten().any(|s| lower.len() > s.len() + 2 && lower.ends_with(s.as_str()))
    }

    /// Whether a word in lower case names a department.
    pub fn is_department_word(&self, lower: &str) -> bool {
        let ends = || lower.as_bytes().last_chunk().and_then(|end| self.department_ends.get(end));
        self.department_words.contains(lower) || ends().into_iter().flatten().any(|d| lower.ends_with(d.as_str()))
    }

    /// Whether a folded line may have a legal form behind a space, hyphen or parenthesis: never `false` where it does.
    pub fn may_have_legal_form(&self, line: &str) -> bool {
        let [first, second] = &self.legal_form_starts;
        line.as_bytes()
            .windows(3)
            .any(|w| first[usize::from(w[1])] && second[usize::from(w[2])] && matches!(w[0], b' ' | b'-' | b'('))
    }

    /// Whether a line may begin with a function label, in whatever case: never `false` where it does.
    pub fn may_begin_with_label(&self, line: &str) -> bool {
        let Some(start) = line.as_bytes().first_chunk::<3>() else { return true };
        if !start.is_ascii() {
            return true;
        }
        // Letters beyond ASCII may change their length with their case: up to the first one the bytes must be equal.
        let agrees = |label: &String| {
            let mut pairs = label.bytes().zip(line.bytes()).take_while(|(a, b)| a.is_ascii() && b.is_ascii());
            pairs.all(|(a, b)| a == b.to_ascii_lowercase())
        };
        let labels = self.label_starts.get(&start.map(|b| b.to_ascii_lowercase()));
        labels.is_some_and(|labels| labels.iter().any(agrees))
    }
}

/// Asks about a word in lower case; most need no memory for it.
pub(super) fn in_lower<R>(word: &str, ask: impl FnOnce(&str) -> R) -> R {
    let mut buffer = [0; 32];
    if let Some(lower) = buffer.get_mut(..word.len()).filter(|_| word.is_ascii()) {
        lower.copy_from_slice(word.as_bytes());
        lower.make_ascii_lowercase();
        return ask(std::str::from_utf8(lower).unwrap_or_default());
    }
    ask(&word.to_lowercase())
}

/// The words of a text in lower case, with one space around each.
pub(super) fn padded(text: &str) -> String {
    let mut padded = String::with_capacity(text.len() + 8);
    padded.push(' ');
    let mut add = |c: char, is_letter: bool| {
        if is_letter {
            padded.push(c);
        } else if !padded.ends_with(' ') {
            padded.push(' ');
        }
    };
    for c in text.chars() {
        if c.is_ascii() {
            add(c.to_ascii_lowercase(), c.is_ascii_alphanumeric());
        } else {
            c.to_lowercase().for_each(|c| add(c, c.is_alphanumeric()));
        }
    }
    if !padded.ends_with(' ') {
        padded.push(' ');
    }
    padded
}

#[cfg(test)]
mod tests {
    use super::*;

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
