//! The red team: texts that carry special-category data, each with words that must not come out.

use proptest::prelude::*;
use serde::Deserialize;

use super::*;
use crate::extract::text::{TextContact, TextKind, TextRecord, read_text};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Attack {
    id: String,
    lang: String,
    category: SpecialCategory,
    text: String,
    canary: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Benign {
    id: String,
    lang: String,
    text: String,
}

fn lines<T: serde::de::DeserializeOwned>(text: &str) -> Vec<T> {
    text.lines().map(|line| serde_json::from_str(line).expect("test data is sound")).collect()
}

const ATTACKS: &str = include_str!("../../../../testdata/text/redteam.jsonl");
const UNSEEN: &str = include_str!("../../../../testdata/text/redteam_unseen.jsonl");
const UNSEEN_2: &str = include_str!("../../../../testdata/text/redteam_unseen2.jsonl");
const UNSEEN_3: &str = include_str!("../../../../testdata/text/redteam_unseen3.jsonl");
const FRESH: &str = include_str!("../../../../testdata/text/redteam_fresh_tuned.jsonl");
const FRESH_2: &str = include_str!("../../../../testdata/text/redteam_fresh2.jsonl");
const FRESH_3: &str = include_str!("../../../../testdata/text/redteam_fresh3.jsonl");
/// Short bios and half-sentences; whatever touches a special category takes its whole sentence along.
const BIOS: &str = include_str!("../../../../testdata/text/redteam_bios.jsonl");
/// Of the same kind, written after the rules for the first.
const BIOS_2: &str = include_str!("../../../../testdata/text/redteam_bios2.jsonl");
/// Notes of several lines and half-sentences, mostly a sceptic's, written after notes were parted into lines.
const LINES: &str = include_str!("../../../../testdata/text/redteam_lines.jsonl");
/// Never looked at while the rules were made; what leaks stays unrepaired, so that the figure stays honest.
const HOLD_OUT: &str = include_str!("../../../../testdata/text/redteam_holdout.jsonl");
/// By an author who had read nothing of the guard: the half that it was tuned on, and the half that nobody looks at.
const BLIND: [&str; 2] = [
    include_str!("../../../../testdata/text/redteam_blind_dev.jsonl"),
    include_str!("../../../../testdata/text/redteam_blind_holdout.jsonl"),
];
const BENIGN_BLIND: [&str; 2] = [
    include_str!("../../../../testdata/text/benign_blind_dev.jsonl"),
    include_str!("../../../../testdata/text/benign_blind_holdout.jsonl"),
];
const BENIGN_FRESH: &str = include_str!("../../../../testdata/text/benign_fresh.jsonl");
const BENIGN_BIOS: &str = include_str!("../../../../testdata/text/benign_bios.jsonl");
const BENIGN: &str = include_str!("../../../../testdata/text/benign.jsonl");

/// `None`, or what came through: with the right, no, or the wrong language hint.
fn leak(attack: &Attack) -> Option<String> {
    for hint in [attack.lang.parse().ok(), None] {
        let (scrubbed, withheld) = scrub(&attack.text, hint);
        let kept = scrubbed.text();
        if let Some(word) = attack.canary.iter().find(|c| kept.contains(c.as_str())) {
            return Some(format!("{} leaks {word:?} of {:?}", attack.id, attack.text));
        }
        if !withheld.0.contains_key(&attack.category) {
            return Some(format!("{} is not counted as {:?} but as {withheld:?}", attack.id, attack.category));
        }
        let contact = TextContact { id: "c1".into(), name: "Kim Adlhoch".into(), title: None };
        let record = TextRecord {
            id: attack.id.clone(),
            kind: TextKind::Note,
            lang: None,
            text: attack.text.clone(),
            contacts: vec![contact].into(),
            about: Some("c1".into()),
            company: None,
        };
        for signal in read_text(&record).signals {
            if attack.canary.iter().any(|c| signal.quote.contains(c.as_str())) {
                return Some(format!("{} leaks in a quote", attack.id));
            }
        }
    }
    None
}

fn check_attacks(text: &str, at_least: usize) {
    let attacks: Vec<Attack> = lines(text);
    assert!(attacks.len() >= at_least);
    for attack in &attacks {
        assert!(
            !attack.canary.is_empty() && attack.canary.iter().all(|c| attack.text.contains(c.as_str())),
            "{}",
            attack.id
        );
    }
    let leaks: Vec<String> = attacks.iter().filter_map(leak).collect();
    assert!(leaks.is_empty(), "{} of {}:\n{}", leaks.len(), attacks.len(), leaks.join("\n"));
}

#[test]
fn no_attack_of_the_red_team_comes_through() {
    check_attacks(ATTACKS, 100);
}

#[test]
fn no_attack_that_was_written_before_the_rules_comes_through() {
    check_attacks(UNSEEN, 30);
}

#[test]
fn no_attack_of_the_second_unseen_set_comes_through() {
    check_attacks(UNSEEN_2, 30);
}

#[test]
fn no_attack_of_the_third_unseen_set_comes_through() {
    check_attacks(UNSEEN_3, 30);
}

#[test]
fn no_attack_of_the_fresh_sets_comes_through_but_those_that_are_known() {
    check_attacks(FRESH, 100);
    // One idiom is beyond words: `ninety meetings in ninety days`.
    for (set, known) in [(FRESH_2, 1), (FRESH_3, 0)] {
        let leaks: Vec<String> = lines::<Attack>(set).iter().filter_map(leak).collect();
        assert!(leaks.len() <= known, "{}", leaks.join("\n"));
    }
}

#[test]
fn no_bio_of_half_sentences_comes_through() {
    check_attacks(BIOS, 50);
    check_attacks(BIOS_2, 30);
}

#[test]
fn no_line_of_a_note_comes_through() {
    check_attacks(LINES, 20);
}

#[test]
fn the_hold_out_leaks_no_more_than_measured() {
    let attacks: Vec<Attack> = lines(HOLD_OUT);
    let leaks = attacks.iter().filter(|a| leak(a).is_some()).count();
    assert!(attacks.len() >= 100 && leaks <= 2, "{leaks} of {}", attacks.len());
}

#[test]
fn texts_by_others_leak_no_more_than_measured() {
    for (set, known) in BLIND.into_iter().zip([2, 4]) {
        let attacks: Vec<Attack> = lines(set);
        let leaks = attacks.iter().filter(|a| leak(a).is_some()).count();
        assert!(attacks.len() >= 90 && leaks <= known, "{leaks} of {}", attacks.len());
    }
}

#[test]
fn private_life_without_work_is_withheld() {
    // No list knows the word; the sentence has nothing to do with work.
    let (scrubbed, withheld) = scrub("Er züchtet daheim Zierfische. Er liefert am Montag.", None);
    assert!(!scrubbed.text().contains("Zierfische") && scrubbed.text().contains("liefert"));
    assert_eq!(withheld.into_counts().get(&SpecialCategory::Health), Some(&1));
}

#[test]
fn business_language_passes() {
    check_benign(BENIGN);
}

#[test]
fn fresh_business_language_passes() {
    check_benign(BENIGN_FRESH);
}

#[test]
fn business_language_in_half_sentences_passes() {
    check_benign(BENIGN_BIOS);
}

/// Half of these were written to look like what must be withheld.
#[test]
fn business_language_of_others_is_lost_no_more_than_measured() {
    for (set, known) in BENIGN_BLIND.into_iter().zip([8, 17]) {
        let benign: Vec<Benign> = lines(set);
        let lost = benign.iter().filter(|b| scrub(&b.text, b.lang.parse().ok()).0.text() != b.text).count();
        assert!(benign.len() >= 70 && lost <= known, "{lost} of {}", benign.len());
    }
}

fn check_benign(set: &str) {
    let benign: Vec<Benign> = lines(set);
    assert!(benign.len() >= 30);
    let lost: Vec<String> = benign
        .iter()
        .filter_map(|b| {
            let (scrubbed, withheld) = scrub(&b.text, b.lang.parse().ok());
            (scrubbed.text() != b.text).then(|| format!("{} {:?}: {withheld:?}", b.id, b.text))
        })
        .collect();
    assert!(lost.len() * 20 <= benign.len(), "{} of {}:\n{}", lost.len(), benign.len(), lost.join("\n"));
}

proptest! {
    #[test]
    fn the_words_of_a_sentence_are_those_of_its_parts(text in "(\\PC|Kran-\n|kenhaus|a; |b… | \\| c|d • |Lehrer·in|l'été|:in|\"|\\. |ü){0,40}") {
        let cells = fold::fold(&text);
        let (mut whole, mut parted) = (Words::over(&cells), Words::over(&cells));
        for sentence in sentence::sentences(&cells) {
            whole.read(&cells, sentence.clone());
            sentence::parts(&cells, &sentence, |part| parted.read(&cells, part));
        }
        prop_assert!(whole.spellings().eq(parted.spellings()));
    }

    #[test]
    fn a_run_is_passed_over_only_where_it_hides_nothing(run in "[a-zA-Z0-9äß@$€!|+*#_~.,;:(-]{3,60}") {
        let cells = fold::fold(&run);
        prop_assume!((3..=60).contains(&cells.len()));
        let readings = disguise::readings(&cells).len();
        let found = disguise::disguises(&cells, &(0..cells.len()), &[], |_| false);
        prop_assert_eq!(found.len(), readings * usize::from(cells.iter().any(|c| c.out.is_alphabetic())));
    }
}
