//! What remarks say that is a no: `config/consent/remarks.yaml`, compiled in.
//!
//! Invariant: a no counts whatever stands beside it in other halves of the remark; what only tells of a right, or of a no that was
//! taken back, is taken out before. Nothing of a remark is kept.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::{Regex, RegexSet};
use serde::Deserialize;
use unicode_normalization::UnicodeNormalization as _;

use super::Kind;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Words {
    #[expect(dead_code, reason = "a format version, read so that an unknown key is refused")]
    version: u32,
    groups: BTreeMap<String, String>,
    nots: Vec<String>,
    used: Vec<String>,
    processing: Vec<String>,
    profiling: Vec<String>,
    object: Vec<String>,
    words: Vec<String>,
    words_processing: Vec<String>,
}

/// The patterns of each kind.
struct Patterns {
    nots: Vec<Regex>,
    used: RegexSet,
    processing: RegexSet,
    profiling: RegexSet,
    object: RegexSet,
}

static WORDS: LazyLock<Words> = LazyLock::new(|| {
    serde_saphyr::from_str(include_str!("../../../../../config/consent/remarks.yaml"))
        .expect("embedded remarks are checked by a test")
});

static PATTERNS: LazyLock<Patterns> = LazyLock::new(|| {
    let set = |all: &[String]| {
        RegexSet::new(all.iter().map(|pattern| whole(pattern))).expect("embedded remarks are checked by a test")
    };
    let one = |pattern: &String| Regex::new(&whole(pattern)).expect("embedded remarks are checked by a test");
    Patterns {
        nots: WORDS.nots.iter().map(one).collect(),
        used: set(&WORDS.used),
        processing: set(&WORDS.processing),
        profiling: set(&WORDS.profiling),
        object: set(&WORDS.object),
    }
});

/// A pattern with its groups, that begins and ends with a word. Groups may name groups.
fn whole(pattern: &str) -> String {
    let named =
        |text: String| WORDS.groups.iter().fold(text, |text, (name, group)| text.replace(&format!("<{name}>"), group));
    format!("(?-u)(?:\\b|^ ?){}(?:\\b|$)", named(named(pattern.to_owned())))
}

/// The noes of a remark.
pub(in crate::consent::dialect::list) fn noes_of_remark(remark: &str) -> Vec<Kind> {
    let text = normal(remark);
    let used = PATTERNS.used.is_match(&text);
    let text = PATTERNS.nots.iter().fold(text, |text, not| not.replace_all(&text, " ").into_owned());
    let has = |all: &[String]| all.iter().any(|word| text.contains(word.as_str()));
    let found = [
        (has(&WORDS.words_processing) || PATTERNS.processing.is_match(&text), Kind::Processing),
        (PATTERNS.profiling.is_match(&text), Kind::Profiling),
        (used || has(&WORDS.words) || PATTERNS.object.is_match(&text), Kind::Object),
    ];
    let noes: Vec<Kind> = found.into_iter().filter_map(|(is, kind)| is.then_some(kind)).collect();
    // A no to everything says the others, too.
    if noes.contains(&Kind::Processing) { vec![Kind::Processing] } else { noes }
}

/// As remarks are compared: small letters without accents, umlauts written out, single blanks; `|` where a sentence or half of one ends.
fn normal(remark: &str) -> String {
    let mut text = String::with_capacity(remark.len() + 8);
    let lower: String = remark.nfc().flat_map(char::to_lowercase).collect();
    // What somebody does not want stands behind a comma in German.
    let lower = lower.replace(", dass", " dass").replace(", daß", " dass");
    let mut word = 0;
    for c in lower.chars() {
        let before = text.len();
        match c {
            'ä' => text.push_str("ae"),
            'ö' => text.push_str("oe"),
            'ü' => text.push_str("ue"),
            'ß' => text.push_str("ss"),
            c if c.is_alphanumeric() => text.extend(std::iter::once(c).nfd().filter(char::is_ascii_alphanumeric)),
            // Short words before a full stop are cut ones: "Art. 21".
            ';' | ',' | '!' | '?' | '(' | ')' | ':' | '\n' | '\r' | '|' => text.push_str(" | "),
            '.' if word > 3 => text.push_str(" | "),
            _ => text.push(' '),
        }
        word = if c.is_alphanumeric() { word + text.len() - before } else { 0 };
    }
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    words.trim_matches(['|', ' ']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Remarks by families, and what only sounds like them.
    #[test]
    fn remarks_say_no_in_many_words_and_nothing_in_others() {
        let mut wrong = Vec::new();
        let mut n = 0;
        for line in include_str!("../../../../../testdata/consent_list/remarks.tsv")
            .lines()
            .filter(|line| !line.starts_with('#'))
        {
            let (want, remark) = line.split_once('\t').expect("two columns");
            let found = noes_of_remark(remark)
                .iter()
                .map(|kind| format!("{kind:?}").to_lowercase())
                .collect::<Vec<_>>()
                .join(" ");
            if found != want {
                wrong.push(format!("{remark}: {found:?}, not {want:?}"));
            }
            n += 1;
        }
        assert!(n >= 150 && wrong.is_empty(), "{} of {n}:\n{}", wrong.len(), wrong.join("\n"));
    }

    #[test]
    fn the_words_are_as_remarks_are_compared() {
        for word in WORDS.words.iter().chain(&WORDS.words_processing) {
            assert_eq!(normal(word), *word);
        }
        assert_eq!(
            normal("  Möchte NICHT, dass… Désinscrit! (Art. 21 DSGVO)."),
            "moechte nicht dass desinscrit | | art 21 dsgvo"
        );
        for pattern in
            [&WORDS.nots, &WORDS.used, &WORDS.processing, &WORDS.profiling, &WORDS.object].into_iter().flatten()
        {
            assert!(!whole(pattern).contains('<'), "{pattern} names a group that is none");
        }
    }
}
