//! The texts of both languages.

use std::collections::BTreeSet;

use super::texts::{Texts, plain_reason};
use super::*;
use crate::consent::reason::Reason;

#[test]
fn both_languages_have_the_same_keys() {
    let [de, en] = [Language::German, Language::English].map(|l| Texts::of(l).keys());
    assert_eq!(de, en);
}

/// Pages of a company are kept with the tags of all its people, also of those of whom nothing may be read.
#[test]
fn what_is_kept_of_pages_is_told_so_that_it_is_true_for_everybody() {
    for (language, company, not) in [
        (Language::German, "zu Ihrem Unternehmen", "über Sie"),
        (Language::English, "about your company", "read about you"),
    ] {
        let text = Texts::of(language).word("pages");
        assert!(text.contains(company) && !text.contains(not), "{text}");
    }
}

/// What the pages ask for by name is there: a key that is missing would be an empty place on the page.
#[test]
fn every_word_that_the_page_asks_for_exists() {
    let words = Texts::of(Language::German).all_words();
    let sources = [
        include_str!("html.rs"),
        include_str!("sections.rs"),
        include_str!("words.rs"),
        include_str!("logic.rs"),
        include_str!("gather.rs"),
    ]
    .concat();
    let quoted: BTreeSet<&str> = sources.split('"').collect();
    let mut asked = 0;
    for call in ["word(\"", "fill(\"", "section(\""] {
        for key in sources.split(call).skip(1).filter_map(|s| s.split('"').next()).filter(|k| !k.contains('{')) {
            asked += 1;
            assert!(words.contains_key(key), "no text {key}");
        }
    }
    assert!(asked > 30, "{asked}");
    let built =
        ["group_", "presumably_", "job_function", "secondary_functions", "seniority", "signing_power", "language_jump"];
    let unused: Vec<&String> =
        words.keys().filter(|k| !quoted.contains(k.as_str()) && !built.iter().any(|b| k.starts_with(b))).collect();
    assert!(unused.is_empty(), "texts that nothing asks for: {unused:?}");
}

#[test]
fn every_reason_has_plain_words_in_both_languages() {
    for reason in Reason::ALL {
        let [de, en] = [Language::German, Language::English].map(|l| plain_reason(&reason.to_string(), l));
        assert!(de.is_some_and(|t| t.ends_with('.')) && en.is_some_and(|t| t.ends_with('.')), "{reason}");
        assert_ne!(de, en);
    }
    assert_eq!(plain_reason("Nonsense", Language::English), None);
}

#[test]
fn languages_follow_the_question_then_the_person() {
    use Language::{English, German};
    assert_eq!(languages(Some(English), Some(German)), [English]);
    assert_eq!(languages(None, Some(German)), [German]);
    assert_eq!(languages(None, None), Language::ALL);
}
