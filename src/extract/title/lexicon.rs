//! The vocabularies of titles, parsed once: what a word or phrase can mean.
//!
//! Invariant: keys are folded, masculine and joined by single spaces, exactly as [`super::scan`] makes words.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::BuildHasherDefault;

use serde::Deserialize;

use super::calibration::Calibration;
use super::guarded::{JobWords, RawJobWords};
use super::memo::Fnv;
use super::scan;
use crate::taxonomy::{JobFunction, Seniority};

type Map<V> = HashMap<Box<str>, V, BuildHasherDefault<Fnv>>;

/// Bits of [`Word::flags`].
pub(super) mod flag {
    pub const DEPUTY: u32 = 1;
    pub const FORMER: u32 = 1 << 1;
    pub const LEAVE: u32 = 1 << 2;
    pub const COVER: u32 = 1 << 3;
    pub const ACTING: u32 = 1 << 4;
    pub const HOBBY: u32 = 1 << 5;
    pub const NEGATION: u32 = 1 << 6;
    pub const PROKURA: u32 = 1 << 7;
    pub const HANDLUNGSVOLLMACHT: u32 = 1 << 8;
    pub const GESCHAEFTSFUEHRUNG: u32 = 1 << 9;
    pub const LINKER: u32 = 1 << 10;
    pub const OBJECT_LINKER: u32 = 1 << 11;
    pub const COMPANY: u32 = 1 << 12;
    pub const LEGAL_FORM: u32 = 1 << 13;
    pub const TRANSPARENT: u32 = 1 << 14;
    pub const UNTIL: u32 = 1 << 15;
    pub const SINCE: u32 = 1 << 16;
    pub const PRESENT: u32 = 1 << 17;
    pub const NOISE: u32 = 1 << 18;
    pub const SENTENCE: u32 = 1 << 19;
    pub const OFFICE_OF: u32 = 1 << 20;
    pub const ADJECTIVE: u32 = 1 << 21;
    pub const CONJUNCTION: u32 = 1 << 22;
    pub const HOBBY_TOPIC: u32 = 1 << 23;
    pub const PARTNER: u32 = 1 << 24;
    pub const CHIEF: u32 = 1 << 25;
    pub const MANAGES: u32 = 1 << 27;
    pub const STUDENT: u32 = 1 << 28;
}

/// A person noun with a function of its own.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Role {
    pub function: JobFunction,
    pub level: Seniority,
    /// The function gives way to a domain word beside it.
    pub soft: bool,
}

/// Everything that a word or phrase can mean.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Word {
    pub role: Option<Role>,
    /// What the job is about, and whether the word is only a weak topic.
    pub domain: Option<(JobFunction, bool)>,
    /// A person noun or form of leading without a function.
    pub head: Option<Seniority>,
    /// Moves the level of the person noun beside it.
    pub modifier: Option<Seniority>,
    pub flags: u32,
    /// Listed as German or English.
    pub german: bool,
    pub english: bool,
}

impl Word {
    /// A person noun: someone can be called this.
    pub fn person(&self) -> bool {
        self.role.is_some() || self.head.is_some()
    }

    pub fn has(&self, flags: u32) -> bool {
        self.flags & flags != 0
    }
}

/// A word of the derived vocabulary: how its occupations are spread over the functions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Derived {
    pub first: (JobFunction, f32),
    pub second: Option<(JobFunction, f32)>,
    /// Stands at the end of occupation names: a person noun.
    pub person: bool,
}

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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDerived {
    #[expect(dead_code, reason = "stands in the file for its readers")]
    provenance: Vec<String>,
    version: u32,
    words: String,
}

/// The loaded vocabularies.
pub(super) struct Lexicon {
    words: Map<Word>,
    derived: Map<Derived>,
    /// First word of a phrase -> how many words its longest phrase has.
    phrase_starts: Map<usize>,
    /// Abbreviations in capitals -> the key they stand for.
    caps: Map<String>,
    ambiguous: Map<(Seniority, Vec<JobFunction>)>,
    special_words: HashSet<Box<str>, BuildHasherDefault<Fnv>>,
    special: aho_corasick::AhoCorasick,
    /// First words of the phrases in `special` and `hostile`.
    watched: HashSet<Box<str>, BuildHasherDefault<Fnv>>,
    hostile: aho_corasick::AhoCorasick,
    alone: HashSet<Box<str>, BuildHasherDefault<Fnv>>,
    pub calibration: Calibration,
    pub job_words: JobWords,
}

impl Lexicon {
    /// Parses the shipped files.
    pub fn shipped() -> Self {
        let raw: Raw = serde_saphyr::from_str(include_str!("../../../config/taxonomy/titles.yaml"))
            .expect("the shipped titles.yaml is tested");
        let derived: RawDerived = serde_saphyr::from_str(include_str!("../../../config/taxonomy/titles_derived.yaml"))
            .expect("the shipped titles_derived.yaml is tested");
        assert!(raw.version == 1 && derived.version == 1, "shipped vocabularies have version 1");
        Self::new(raw, &derived.words)
    }

    fn new(raw: Raw, derived: &str) -> Self {
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
        Self {
            words: b.words,
            derived,
            phrase_starts: b.starts,
            caps,
            ambiguous,
            special_words,
            special,
            watched,
            hostile,
            alone: raw.special.alone.iter().map(|w| key(w).into_boxed_str()).collect(),
            calibration: raw.calibration,
            job_words: JobWords::new(&raw.guard),
        }
    }

    pub fn word(&self, w: &str) -> Option<&Word> {
        self.words.get(w)
    }

    pub fn derived(&self, w: &str) -> Option<&Derived> {
        self.derived.get(w)
    }

    /// What an abbreviation in capitals stands for.
    pub fn caps(&self, w: &str) -> Option<&Word> {
        self.caps.get(w).and_then(|k| self.words.get(k.as_str()))
    }

    /// An abbreviation of several jobs: its level and their functions.
    pub fn ambiguous(&self, w: &str) -> Option<&(Seniority, Vec<JobFunction>)> {
        self.ambiguous.get(w)
    }

    /// How many words the longest phrase that starts with `w` has; 1 where there is none.
    pub fn longest_phrase(&self, w: &str) -> usize {
        self.phrase_starts.get(w).copied().unwrap_or(1)
    }

    /// Whether a framed title holds code or commands.
    pub fn hostile(&self, framed: &str) -> bool {
        self.hostile.is_match(framed)
    }

    /// Whether a title (its words joined and framed by single spaces) holds a phrase that reveals a special category.
    pub fn special(&self, framed: &str) -> bool {
        self.special.is_match(framed)
    }

    /// Whether the words between two separators reveal a special category by standing there alone.
    pub fn special_alone(&self, words: &str) -> bool {
        self.alone.contains(words)
    }

    /// Whether a word alone reveals a special category, and whether a watched phrase can start with it.
    pub fn sensitive(&self, word: &str) -> (bool, bool) {
        let alone = self.special_words.contains(word) || self.special.is_match(&format!(" {word} "));
        (alone, self.watched.contains(word))
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

fn flag_bit(name: &str) -> u32 {
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
        "chief" => flag::CHIEF,
        "manages" => flag::MANAGES,
        "student" => flag::STUDENT,
        "conjunction" => flag::CONJUNCTION,
        "hobby_topic" => flag::HOBBY_TOPIC,
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
    starts: Map<usize>,
}

impl Builder {
    fn classes(&mut self, function: JobFunction, c: &Classes) {
        for (language, lists) in [(None, &c.any), (Some("de"), &c.de), (Some("en"), &c.en)] {
            for w in &lists.domain {
                self.add(w, language, |e| e.domain = Some((function, false)));
            }
            for w in &lists.topic {
                self.add(w, language, |e| e.domain = e.domain.or(Some((function, true))));
            }
            for (list, soft) in [(&lists.role, false), (&lists.soft, true)] {
                for w in list {
                    let (w, level) = w.split_once('@').unwrap_or((w, "professional"));
                    let level = level.parse().expect("levels in titles.yaml are seniorities");
                    self.add(w, language, |e| {
                        if e.role.is_none_or(|r| r.soft) {
                            e.role = Some(Role { function, level, soft });
                        }
                    });
                }
            }
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
            let count = k.split(' ').count();
            if count > 1 {
                let first = k.split(' ').next().expect("not empty");
                let longest = self.starts.entry(first.into()).or_insert(count);
                *longest = count.max(*longest);
            }
            let entry = self.words.entry(k.into_boxed_str()).or_default();
            set(entry);
            entry.flags |= if adjective { flag::ADJECTIVE } else { 0 };
            entry.german |= language == Some("de");
            entry.english |= language == Some("en");
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
