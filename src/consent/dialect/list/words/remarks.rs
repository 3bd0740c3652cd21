//! What remarks say that is a no: `config/consent/remarks.yaml`, compiled in.
//!
//! Invariant: a no counts whatever stands beside it in other halves of the remark; what only tells of a right, or of a no that was
//! taken back, is taken out before. Nothing of a remark is kept.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::{Regex, RegexSet};
use serde::Deserialize;
use unicode_normalization::UnicodeNormalization as _;

use super::Kind;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Words {
    #[expect(dead_code, reason = "a format version, read so that an unknown key is refused")]
    version: u32,
    groups: BTreeMap<String, String>,
    nots: Vec<String>,
    taken_back: Vec<String>,
    renewed: Vec<String>,
    used: Vec<String>,
    processing: Vec<String>,
    profiling: Vec<String>,
    object: Vec<String>,
    pub words: Vec<String>,
    pub words_processing: Vec<String>,
    pub fillers: Vec<String>,
    pub denials: Vec<String>,
    pub negations: Vec<String>,
    pub states: Vec<String>,
    pub surnames: Vec<String>,
}

/// The patterns of each kind.
pub(super) struct Patterns {
    nots: Vec<Regex>,
    taken_back: Vec<Regex>,
    pub any_taken_back: RegexSet,
    pub renewed: RegexSet,
    pub used: RegexSet,
    pub processing: RegexSet,
    pub profiling: RegexSet,
    pub object: RegexSet,
}

pub(super) static WORDS: LazyLock<Words> = LazyLock::new(|| {
    serde_saphyr::from_str(include_str!("../../../../../config/consent/remarks.yaml"))
        .expect("embedded remarks are checked by a test")
});

pub(super) static PATTERNS: LazyLock<Patterns> = LazyLock::new(|| {
    let set = |all: &[String]| {
        RegexSet::new(all.iter().map(|pattern| whole(pattern))).expect("embedded remarks are checked by a test")
    };
    let one = |pattern: &String| Regex::new(&whole(pattern)).expect("embedded remarks are checked by a test");
    Patterns {
        nots: WORDS.nots.iter().map(one).collect(),
        taken_back: WORDS.taken_back.iter().map(one).collect(),
        any_taken_back: set(&WORDS.taken_back),
        renewed: set(&WORDS.renewed),
        used: set(&WORDS.used),
        processing: set(&WORDS.processing),
        profiling: set(&WORDS.profiling),
        object: set(&WORDS.object),
    }
});

/// A pattern with its groups, that begins and ends with a word. Groups may name groups.
pub(super) fn whole(pattern: &str) -> String {
    let named =
        |text: String| WORDS.groups.iter().fold(text, |text, (name, group)| text.replace(&format!("<{name}>"), group));
    format!("(?-u)(?:\\b|^ ?){}(?:\\b|$)", named(named(pattern.to_owned())))
}

/// Days that are written in several words, or with signs that end sentences elsewhere.
static DAYS: LazyLock<Regex> = LazyLock::new(|| {
    let month = "(?:januar|jänner|februar|märz|april|mai|juni|juli|august|september|oktober|november|dezember|january|february|march|may|june|july\
                 |october|december|jan|feb|mrz|mar|apr|jun|jul|aug|sept?|okt|oct|nov|dez|dec)\\b\\.?";
    let year = r"(?:\d{4}|\d{2})\b";
    let patterns = [
        r"\b\d{4}-\d{1,2}-\d{1,2}\b".to_owned(),
        format!(r"\b\d{{1,2}}\.\s?(?:\d{{1,2}}\.(?:\s?{year})?|{month}(?:\s\d{{4}}\b)?)"),
        format!(r"\b\d{{1,2}}/\d{{1,2}}/{year}"),
        format!(r"\b\d{{1,2}}(?:[snrt][tdh])?\s{month}(?:\s\d{{4}}\b)?"),
        format!(r"\b{month}\s\d{{1,2}}(?:[snrt][tdh])?\b(?:,?\s\d{{4}}\b)?"),
    ];
    Regex::new(&patterns.join("|")).expect("a constant pattern")
});
/// What stands for a day where remarks are compared. So long that a full stop behind it ends a sentence.
const DAY: &str = "0date";

/// The noes of a remark.
pub(in crate::consent::dialect::list) fn noes_of_remark(remark: &str) -> Vec<Kind> {
    let Said { text, used, renewed } = said(remark);
    let has = |all: &[String]| all.iter().any(|word| text.contains(word.as_str()));
    let found = [
        (
            renewed == Some(Kind::Processing) || has(&WORDS.words_processing) || PATTERNS.processing.is_match(&text),
            Kind::Processing,
        ),
        (PATTERNS.profiling.is_match(&text), Kind::Profiling),
        (renewed.is_some() || used || has(&WORDS.words) || PATTERNS.object.is_match(&text), Kind::Object),
    ];
    let noes: Vec<Kind> = found.into_iter().filter_map(|(is, kind)| is.then_some(kind)).collect();
    // A no to everything says the others, too.
    if noes.contains(&Kind::Processing) { vec![Kind::Processing] } else { noes }
}

/// A remark without what only tells of a right, or of a no that was taken back.
pub(super) struct Said {
    /// As remarks are compared.
    pub text: String,
    /// Somebody used a right.
    pub used: bool,
    /// What was said anew after it was taken back.
    pub renewed: Option<Kind>,
}

/// What a remark says.
pub(super) fn said(remark: &str) -> Said {
    let text = normal(remark);
    let used = PATTERNS.used.is_match(&text);
    let mut text = PATTERNS.nots.iter().fold(text, |text, not| not.replace_all(&text, " ").into_owned());
    let mut taken_back = None;
    for pattern in &PATTERNS.taken_back {
        let Some(found) = pattern.find(&text) else { continue };
        let is_erasure = ["loesch", "erasure", "deletion"].iter().any(|word| found.as_str().contains(word));
        let kind = if is_erasure { Kind::Processing } else { Kind::Object };
        // What was erased and is asked for once more stands above all.
        taken_back = taken_back.max(Some(kind));
        text = pattern.replace_all(&text, " ").into_owned();
    }
    let renewed = taken_back.filter(|_| PATTERNS.renewed.is_match(&text));
    Said { text, used, renewed }
}

/// As remarks are compared: small letters without accents, umlauts written out, single blanks; `|` where a sentence or half of one ends.
pub(super) fn normal(remark: &str) -> String {
    let mut text = String::with_capacity(remark.len() + 8);
    let lower: String = remark.nfc().flat_map(char::to_lowercase).collect();
    let lower = with_days_as_words(&lower);
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

/// A text in which each day is one word; most texts have none.
fn with_days_as_words(text: &str) -> Cow<'_, str> {
    if !text.bytes().any(|b| b.is_ascii_digit()) {
        return Cow::Borrowed(text);
    }
    let (mut words, mut end) = (String::with_capacity(text.len()), 0);
    for day in DAYS.find_iter(text) {
        words.extend([&text[end..day.start()], " ", DAY]);
        end = day.end();
        if text[end..].starts_with(char::is_alphanumeric) {
            words.push(' ');
        }
    }
    words.push_str(&text[end..]);
    Cow::Owned(words)
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
        let lists =
            [&WORDS.words, &WORDS.words_processing, &WORDS.fillers, &WORDS.negations, &WORDS.states, &WORDS.surnames];
        for word in lists.into_iter().flatten() {
            assert_eq!(normal(word), *word);
        }
        assert_eq!(
            normal("  Möchte NICHT, dass… Désinscrit! (Art. 21 DSGVO)."),
            "moechte nicht dass desinscrit | | art 21 dsgvo"
        );
        for pattern in [
            &WORDS.nots,
            &WORDS.taken_back,
            &WORDS.renewed,
            &WORDS.used,
            &WORDS.processing,
            &WORDS.profiling,
            &WORDS.object,
        ]
        .into_iter()
        .flatten()
        {
            assert!(!whole(pattern).contains('<'), "{pattern} names a group that is none");
        }
    }
}
