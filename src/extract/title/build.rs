//! From the shipped files to the vocabularies, once.
//!
//! Invariant: a file that does not fit is a bug of ours and stops the first use; French words never change a word that
//! the other lists hold.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::calibration::Calibration;
use super::guarded::{JobWords, RawJobWords};
use super::lexicon::{Derived, Lexicon, Map, Phrases, Role, Word, flag};
use super::scan;
use crate::taxonomy::{JobFunction, Seniority};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    version: u32,
    functions: BTreeMap<JobFunction, Classes>,
    heads: BTreeMap<String, BTreeMap<Seniority, Vec<String>>>,
    modifiers: BTreeMap<Seniority, Vec<String>>,
    flags: BTreeMap<String, Vec<String>>,
    caps: BTreeMap<String, String>,
    ambiguous: BTreeMap<String, Ambiguous>,
    calibration: Calibration,
    office_of: Vec<String>,
    surnames: Vec<String>,
    hostile: Vec<String>,
    special: Special,
    guard: RawJobWords,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Classes {
    any: Lists,
    de: Lists,
    en: Lists,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Lists {
    domain: Vec<String>,
    topic: Vec<String>,
    role: Vec<String>,
    soft: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ambiguous {
    level: Seniority,
    functions: Vec<JobFunction>,
}

/// Words that reveal special categories.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Special {
    parts: Vec<String>,
    words: Vec<String>,
    phrases: Vec<String>,
    /// Words that do so where they stand alone between separators.
    alone: Vec<String>,
}

/// French words: as [`Raw`], in one language.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFrench {
    version: u32,
    functions: BTreeMap<JobFunction, Lists>,
    heads: BTreeMap<Seniority, Vec<String>>,
    modifiers: BTreeMap<Seniority, Vec<String>>,
    flags: BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDerived {
    #[expect(dead_code, reason = "stands in the file for its readers")]
    provenance: Vec<String>,
    version: u32,
    words: String,
}

impl Lexicon {
    /// Parses the shipped files.
    pub fn shipped() -> Self {
        let raw: Raw = serde_saphyr::from_str(include_str!("../../../config/taxonomy/titles.yaml"))
            .expect("the shipped titles.yaml is tested");
        let derived: RawDerived = serde_saphyr::from_str(include_str!("../../../config/taxonomy/titles_derived.yaml"))
            .expect("the shipped titles_derived.yaml is tested");
        let french: RawFrench = serde_saphyr::from_str(include_str!("../../../config/taxonomy/titles_fr.yaml"))
            .expect("the shipped titles_fr.yaml is tested");
        let version = [raw.version, derived.version, french.version];
        assert!(version == [1; 3], "shipped vocabularies have version 1");
        Self::new(raw, &french, &derived.words)
    }

    fn new(raw: Raw, french: &RawFrench, derived: &str) -> Self {
        let mut b = Builder::default();
        for (function, classes) in &raw.functions {
            b.classes(*function, classes);
        }
        for (language, levels) in &raw.heads {
            for (level, words) in levels {
                for w in words {
                    b.add(w, Some(language), |e| e.head = Some(e.head.map_or(*level, |l| l.max(*level))));
                }
            }
        }
        for (level, words) in &raw.modifiers {
            for w in words {
                b.add(w, None, |e| e.modifier = e.modifier.or(Some(*level)));
            }
        }
        for (name, words) in &raw.flags {
            let bit = flag_bit(name);
            for w in words {
                b.add(w, None, |e| e.flags |= bit);
            }
        }
        for w in &raw.office_of {
            b.add(w, None, |e| e.flags |= flag::OFFICE_OF);
        }
        b.french(french);
        let special_words = raw.special.words.iter().map(|w| key(w).into_boxed_str()).collect();
        let phrases = raw.special.phrases.iter().chain(&raw.hostile).map(|p| key(p));
        let watched = phrases.filter_map(|p| p.split(' ').next().map(Into::into)).collect();
        // Parts stand anywhere in a word; phrases are matched between spaces.
        let mut patterns: Vec<String> = raw.special.parts.iter().map(|p| fold(p)).collect();
        patterns.extend(raw.special.phrases.iter().map(|p| format!(" {} ", key(p))));
        let special = aho_corasick::AhoCorasick::new(patterns).expect("a few hundred short patterns");
        let code = raw.hostile.iter().map(|p| format!(" {} ", key(p)));
        let hostile = aho_corasick::AhoCorasick::new(code).expect("a few short patterns");
        let derived = derived.lines().filter_map(parse_derived).collect();
        let caps = raw.caps.iter().map(|(k, w)| (key(k).into_boxed_str(), key(w))).collect();
        let ambiguous =
            raw.ambiguous.into_iter().map(|(k, a)| (key(&k).into_boxed_str(), (a.level, a.functions))).collect();
        let phrases = Phrases::new(&b.words);
        Self {
            words: b.words,
            derived,
            phrases,
            caps,
            ambiguous,
            special_words,
            special,
            watched,
            hostile,
            alone: raw.special.alone.iter().map(|w| key(w).into_boxed_str()).collect(),
            surnames: raw.surnames.iter().map(|w| key(w).into_boxed_str()).collect(),
            calibration: raw.calibration,
            job_words: JobWords::new(&raw.guard),
        }
    }
}

/// A line `word function:weight [function:weight] [p]`.
fn parse_derived(line: &str) -> Option<(Box<str>, Derived)> {
    let mut parts = line.split_ascii_whitespace();
    let word = parts.next()?;
    let mut scores = Vec::with_capacity(2);
    let mut person = false;
    for p in parts {
        match p.split_once(':') {
            Some((f, w)) => scores.push((f.parse().ok()?, w.parse().ok()?)),
            None => person = p == "p",
        }
    }
    let first = *scores.first()?;
    Some((word.into(), Derived { first, second: scores.get(1).copied(), person }))
}

fn flag_bit(name: &str) -> u64 {
    match name {
        "deputy" => flag::DEPUTY,
        "former" => flag::FORMER,
        "leave" => flag::LEAVE,
        "cover" => flag::COVER,
        "acting" => flag::ACTING,
        "hobby" => flag::HOBBY,
        "negation" => flag::NEGATION,
        "powers_prokura" => flag::PROKURA,
        "powers_handlungsvollmacht" => flag::HANDLUNGSVOLLMACHT,
        "powers_geschaeftsfuehrung" => flag::GESCHAEFTSFUEHRUNG,
        "linker" => flag::LINKER,
        "object_linker" => flag::OBJECT_LINKER,
        "company" => flag::COMPANY,
        "legal_form" => flag::LEGAL_FORM,
        "transparent" => flag::TRANSPARENT,
        "until" => flag::UNTIL,
        "since" => flag::SINCE,
        "present" => flag::PRESENT,
        "noise" => flag::NOISE,
        "sentence" => flag::SENTENCE,
        "partner" => flag::PARTNER,
        "owns" => flag::OWNS,
        "body" => flag::BODY,
        "chief" => flag::CHIEF,
        "manages" => flag::MANAGES,
        "student" => flag::STUDENT,
        "conjunction" => flag::CONJUNCTION,
        "hobby_topic" => flag::HOBBY_TOPIC,
        "ex" => flag::EX,
        "unpaid" => flag::UNPAID,
        "club" => flag::CLUB,
        "board" => flag::BOARD,
        "kin" => flag::KIN,
        "boss" => flag::BOSS,
        "craft" => flag::CRAFT,
        "degree" => flag::DEGREE,
        _ => panic!("unknown flag list {name:?} in titles.yaml"),
    }
}

pub(super) fn fold(w: &str) -> String {
    let mut out = String::with_capacity(w.len() + 4);
    w.chars().for_each(|c| scan::fold_into(c, &mut out));
    out
}

/// The key of a word or phrase: scanned as a title is.
pub(super) fn key(w: &str) -> String {
    scan::scan(w).tokens.iter().map(|t| &*t.text).collect::<Vec<_>>().join(" ")
}

#[derive(Default)]
struct Builder {
    words: Map<Word>,
}

impl Builder {
    fn classes(&mut self, function: JobFunction, c: &Classes) {
        for (language, lists) in [(None, &c.any), (Some("de"), &c.de), (Some("en"), &c.en)] {
            self.lists(function, language, lists);
        }
    }

    fn lists(&mut self, function: JobFunction, language: Option<&str>, lists: &Lists) {
        for w in &lists.domain {
            self.add(w, language, |e| e.domain = Some((function, false)));
        }
        for w in &lists.topic {
            self.add(w, language, |e| e.domain = e.domain.or(Some((function, true))));
        }
        for (list, soft) in [(&lists.role, false), (&lists.soft, true)] {
            for w in list {
                let (w, level) = w.split_once('@').unwrap_or((w, "professional"));
                let level = level.parse().expect("levels in the vocabularies are seniorities");
                self.add(w, language, |e| {
                    if e.role.is_none_or(|r| r.soft) {
                        e.role = Some(Role { function, level, soft });
                    }
                });
            }
        }
    }

    /// French words that no other list holds.
    fn french(&mut self, raw: &RawFrench) {
        let mut b = Self::default();
        for (function, lists) in &raw.functions {
            b.lists(*function, Some("fr"), lists);
        }
        for (level, words) in &raw.heads {
            for w in words {
                b.add(w, Some("fr"), |e| e.head = Some(*level));
            }
        }
        for (level, words) in &raw.modifiers {
            for w in words {
                b.add(w, Some("fr"), |e| e.modifier = Some(*level));
            }
        }
        for (name, words) in &raw.flags {
            let bit = flag_bit(name);
            for w in words {
                b.add(w, Some("fr"), |e| e.flags |= bit);
            }
        }
        for (key, word) in b.words {
            self.words.entry(key).or_insert(word);
        }
    }

    /// Adds a word under its key, and where it has umlauts also under the key without them.
    fn add(&mut self, word: &str, language: Option<&str>, set: impl Fn(&mut Word)) {
        let (bare, adjective) = word.strip_prefix('~').map_or((word, false), |w| (w, true));
        let plain: String = bare.chars().map(strip_umlaut).collect();
        let mut keys = vec![key(bare)];
        if plain != bare {
            keys.push(key(&plain));
        }
        // "Forschung & Entwicklung" has no word between.
        let bare_keys: Vec<String> = keys.iter().map(|k| k.replace(" und ", " ").replace(" and ", " ")).collect();
        keys.extend(bare_keys);
        keys.sort();
        keys.dedup();
        let joined = keys[0].replace(' ', "");
        if keys[0].split(' ').count() == 2 && joined.len() >= 8 {
            keys.push(joined);
        }
        for k in keys.into_iter().filter(|k| !k.is_empty()) {
            let entry = self.words.entry(k.into_boxed_str()).or_default();
            set(entry);
            entry.flags |= if adjective { flag::ADJECTIVE } else { 0 };
            entry.german |= language == Some("de");
            entry.english |= language == Some("en");
            entry.french |= language == Some("fr");
        }
    }
}

const fn strip_umlaut(c: char) -> char {
    match c {
        'ä' | 'Ä' => 'a',
        'ö' | 'Ö' => 'o',
        'ü' | 'Ü' => 'u',
        c => c,
    }
}
