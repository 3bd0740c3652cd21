//! What is spoken of, and how: `config/signals/stances.yaml` and `config/signals/topics/*.yaml`.
//!
//! A pattern of `config/signals/*.yaml` is a whole sentence; here a statement has two parts that may stand anywhere in it: a
//! topic (`unplanned downtime`) and a stance (`wants to get rid of`). Some topics say all by themselves (`haggles`).
//!
//! Invariant: every topic names a facet of the closed vocabulary and stances that there are; otherwise the program does not
//! start.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde::Deserialize;

use super::Polarity;
use super::alternatives::expanded;
use super::crossed::RawCross;
use super::glossary::{Glossary, Row, ordered};
use super::guard::token::{Spelling, Token};
use super::memory::Set;
use super::phrase::{Found, Phrases, Sets, View};
use super::rules::{Family, RuleError, context_sets, parse, version};
use crate::taxonomy::{CompanyField, PurchasePhase};

const STANCES: &str = include_str!("../../../config/signals/stances.yaml");
const FILES: &[&str] = &[
    include_str!("../../../config/signals/topics/wishes.yaml"),
    include_str!("../../../config/signals/topics/experience.yaml"),
    include_str!("../../../config/signals/topics/habits.yaml"),
    include_str!("../../../config/signals/topics/channels.yaml"),
    include_str!("../../../config/signals/topics/person.yaml"),
    include_str!("../../../config/signals/topics/company.yaml"),
    include_str!("../../../config/signals/topics/person_talk.yaml"),
    include_str!("../../../config/signals/topics/motive_talk.yaml"),
    include_str!("../../../config/signals/topics/role_talk.yaml"),
    include_str!("../../../config/signals/topics/company_talk.yaml"),
    include_str!("../../../config/signals/topics/role_plain.yaml"),
    include_str!("../../../config/signals/topics/role_said_de.yaml"),
    include_str!("../../../config/signals/topics/role_said_en.yaml"),
    include_str!("../../../config/signals/topics/report_de.yaml"),
    include_str!("../../../config/signals/topics/report_en.yaml"),
    include_str!("../../../config/signals/topics/people_de.yaml"),
    include_str!("../../../config/signals/topics/people_en.yaml"),
    include_str!("../../../config/signals/topics/seats_de.yaml"),
    include_str!("../../../config/signals/topics/seats_en.yaml"),
    include_str!("../../../config/signals/topics/mend25.yaml"),
    include_str!("../../../config/signals/topics/prose28_de.yaml"),
    include_str!("../../../config/signals/topics/prose28_en.yaml"),
    include_str!("../../../config/signals/topics/firm29_de.yaml"),
    include_str!("../../../config/signals/topics/firm29_en.yaml"),
    include_str!("../../../config/signals/topics/self29_de.yaml"),
    include_str!("../../../config/signals/topics/prose_de.yaml"),
    include_str!("../../../config/signals/topics/prose_en.yaml"),
    include_str!("../../../config/signals/topics/entries.yaml"),
    include_str!("../../../config/signals/topics/news2.yaml"),
    include_str!("../../../config/signals/topics/dealings_de.yaml"),
    include_str!("../../../config/signals/topics/dealings_en.yaml"),
    include_str!("../../../config/signals/topics/news.yaml"),
];

const PHASES: &str = include_str!("../../../config/signals/topics/phases.yaml");

/// How sure a statement is whose parts may stand anywhere, unless its topic says otherwise.
const P: f64 = 0.92;

/// Letters from which on a word with a capital is rather a noun than a name.
const LONG: usize = 6;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawStances {
    version: u32,
    sets: Sets,
    stances: BTreeMap<String, Vec<String>>,
    doubt: Vec<String>,
    doubt_of_habits: Vec<String>,
    past: Vec<String>,
    own: Vec<String>,
    plan: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    version: u32,
    #[serde(default)]
    sets: Sets,
    /// By family: what none of its topics may stand beside.
    #[serde(default)]
    unless: BTreeMap<String, Vec<String>>,
    /// Nothing but what companies and people write of themselves is meant: in notes its words mean others, or too little.
    #[serde(default)]
    of_own_texts: bool,
    topics: Vec<RawTopic>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTopic {
    family: Family,
    value: String,
    #[serde(default = "plus")]
    polarity: Polarity,
    /// The phase of a purchase that a channel is taken in.
    #[serde(default)]
    phase: Option<PurchasePhase>,
    /// Which fact about the company it is.
    #[serde(default)]
    field: Option<CompanyField>,
    /// One of these stances must stand beside it; none = the words say it themselves.
    #[serde(default)]
    with: Vec<String>,
    #[serde(default = "p")]
    p: f64,
    /// What is looked for.
    of: Vec<String>,
    /// What may not stand in the same sentence.
    #[serde(default)]
    unless: Vec<String>,
    /// Nothing but this may not.
    #[serde(default)]
    own_unless: bool,
    /// As its file has it.
    #[serde(skip)]
    of_own_texts: bool,
}

const fn plus() -> Polarity {
    Polarity::Plus
}

const fn p() -> f64 {
    P
}

/// A checked topic.
pub(super) struct Topic {
    pub(super) family: Family,
    pub(super) value: String,
    pub(super) polarity: Polarity,
    pub(super) phase: Option<PurchasePhase>,
    pub(super) field: Option<CompanyField>,
    pub(super) p: f64,
    /// Stances that may stand beside it, a bit for each; 0 = it needs none.
    with: u32,
}

impl Topic {
    /// Whether it says all by itself.
    pub(super) const fn is_whole(&self) -> bool {
        self.with == 0
    }

    /// Whether it says something beside a stance.
    pub(super) const fn takes(&self, stance: usize) -> bool {
        self.with >> stance & 1 == 1
    }

    /// Whether it is a matter of work, whoever speaks of it; a trait or a motive may be one of private life, unless words say
    /// it outright.
    fn is_of_work(&self) -> bool {
        // Who is let down, short of help or off form may be so at home.
        const ANYWHERE: [&str; 8] = [
            "downtime",
            "quality_problems",
            "poor_support",
            "staff_shortage",
            "late_deliveries",
            "high_costs",
            "raise_productivity",
            "quick_support",
        ];
        match self.family {
            Family::Trait | Family::Motive => self.is_whole(),
            Family::Channel => false,
            _ => !ANYWHERE.contains(&self.value.as_str()),
        }
    }

    /// Whether it tells what somebody does again and again, so that `if` and `when` cast no doubt on it. What drives people
    /// they tell so, too: `I sleep well when ...`.
    pub(super) const fn is_habit(&self) -> bool {
        matches!(
            self.family,
            Family::BuyingBehaviour | Family::InformationBehaviour | Family::Channel | Family::Trait | Family::Motive
        )
    }
}

/// What a phrase means when it is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    /// Index into `Topics::all`.
    Topic(usize),
    Unless(usize),
    Stance(usize),
    /// The sentence supposes, hopes or passes on.
    Doubt,
    /// The same, but not where somebody tells a habit.
    DoubtOfHabits,
    /// The clause tells of what was.
    Past,
    /// In a note: the one who wrote it does something.
    Own,
    /// Of a company: what it wants to be one day.
    Plan,
}

/// All topics and stances, compiled.
pub(super) struct Topics {
    pub(super) all: Vec<Topic>,
    /// What is spoken of. Few sentences have any of it, so it is looked for first.
    pub(super) topics: Phrases<Sign>,
    /// The same, but not in notes.
    pub(super) of_own_texts: Phrases<Sign>,
    /// How it is spoken of, and what casts doubt on it.
    pub(super) stances: Phrases<Sign>,
}

/// The embedded topics.
pub(super) static TOPICS: LazyLock<Topics> =
    LazyLock::new(|| Topics::embedded().expect("the embedded topics are sound"));

impl Topics {
    /// Whether a word is one of some pattern, with what `fits` before and behind the pattern's letters. With a capital only
    /// long ones are: too many short ones are names, too.
    pub(super) fn knows(&self, word: Spelling<'_>, fits: &dyn Fn(&str, &str, &str) -> bool) -> bool {
        let is_long = |letters: &str| !word.capital || letters.len() >= LONG;
        let is = |before: &str, letters: &str, behind: &str| is_long(letters) && fits(before, letters, behind);
        self.topics.has_word(word, is) || !word.capital && self.stances.has_word(word, is)
    }

    /// Whether words tell of what is wanted, asked or suffered at work, so that they are nobody's private life.
    pub(super) fn tell_of_work(&self, tokens: &[Token<'_>], clauses: &[u32]) -> bool {
        let of_work =
            |found: &Found<'_, Sign>| matches!(*found.tag, Sign::Topic(index) if self.all[index].is_of_work());
        self.topics.find(&View::plain(tokens, clauses)).iter().any(of_work)
    }

    fn embedded() -> Result<Self, RuleError> {
        let raw: RawStances = parse(STANCES, 0)?;
        version(raw.version, 0)?;
        let mut sets = context_sets()?;
        sets.extend(raw.sets);
        let names: Vec<String> = raw.stances.keys().cloned().collect();
        let mut glossary = Glossary::default();
        let mut signs: Vec<(Vec<Row>, Sign)> = Vec::new();
        for (stance, patterns) in raw.stances.into_values().enumerate() {
            signs.push((rows(&patterns, &mut glossary), Sign::Stance(stance)));
        }
        for (list, sign) in [
            (raw.doubt, Sign::Doubt),
            (raw.doubt_of_habits, Sign::DoubtOfHabits),
            (raw.past, Sign::Past),
            (raw.own, Sign::Own),
            (raw.plan, Sign::Plan),
        ] {
            signs.push((rows(&list, &mut glossary), sign));
        }
        let (mut all, mut topics, mut of_own_texts) = (Vec::new(), Vec::new(), Vec::new());
        let mut add = |topic: &RawTopic, of_family: &[Row], glossary: &mut Glossary| -> Result<(), RuleError> {
            let index = all.len();
            all.push(topic.checked(&names)?);
            let list = if topic.of_own_texts { &mut of_own_texts } else { &mut topics };
            list.push((rows(&topic.of, glossary), Sign::Topic(index)));
            let mut unless = rows(&topic.unless, glossary);
            unless.extend(of_family.iter().filter(|_| !topic.own_unless).cloned());
            signs.push((unless, Sign::Unless(index)));
            Ok(())
        };
        for (file, text) in FILES.iter().enumerate() {
            let raw: RawFile = parse(text, file + 1)?;
            version(raw.version, file + 1)?;
            for (name, words) in raw.sets {
                if sets.get(&name).is_some_and(|before| *before != words) {
                    return Err(RuleError::Set { file: file + 1, name });
                }
                sets.insert(name, words);
            }
            let of_family = raw.unless.iter().map(|(family, all)| (family.as_str(), rows(all, &mut glossary)));
            let of_family: BTreeMap<&str, Vec<Row>> = of_family.collect();
            for mut topic in raw.topics {
                topic.of_own_texts = raw.of_own_texts;
                add(&topic, of_family.get(topic.family.as_str()).map_or(&[], Vec::as_slice), &mut glossary)?;
            }
        }
        let raw: RawCross = parse(PHASES, FILES.len() + 1)?;
        version(raw.version, FILES.len() + 1)?;
        for topic in raw.topics() {
            add(&topic, &[], &mut glossary)?;
        }
        let numbers = glossary.order();
        let topics = Phrases::of_rows(Set::Topics, each(topics, &numbers), &glossary, &sets)?;
        let of_own_texts = Phrases::of_rows(Set::OwnTexts, each(of_own_texts, &numbers), &glossary, &sets)?;
        let stances = Phrases::of_rows(Set::Stances, each(signs, &numbers), &glossary, &sets)?;
        Ok(Self { all, topics, of_own_texts, stances })
    }
}

/// What the patterns of a list stand for.
fn rows(patterns: &[String], glossary: &mut Glossary) -> Vec<Row> {
    let mut all = Vec::with_capacity(patterns.len());
    for pattern in patterns {
        expanded(pattern, glossary, &mut all);
    }
    all
}

/// All patterns of some lists, each once in its list.
fn each(lists: Vec<(Vec<Row>, Sign)>, numbers: &[u32]) -> impl Iterator<Item = (Row, Sign)> {
    lists.into_iter().flat_map(|(rows, sign)| ordered(rows, numbers).into_iter().map(move |row| (row, sign)))
}

impl RawTopic {
    /// A channel that is liked in a phase.
    pub(super) fn of_channel(
        channel: &str,
        phase: PurchasePhase,
        with: Vec<String>,
        of: Vec<String>,
        unless: Vec<String>,
    ) -> Self {
        Self {
            family: Family::Channel,
            value: channel.to_owned(),
            polarity: plus(),
            phase: Some(phase),
            field: None,
            with,
            p: P,
            of,
            unless,
            own_unless: false,
            of_own_texts: false,
        }
    }

    fn checked(&self, stances: &[String]) -> Result<Topic, RuleError> {
        let wrong = |message: String| RuleError::Rule { id: format!("{:?} {}", self.family, self.value), message };
        self.family.check(&self.value).map_err(|unknown| wrong(unknown.to_string()))?;
        if self.polarity == Polarity::Minus && !self.family.is_bipolar() {
            return Err(wrong("only a buying role, a trait or a channel has a negative pole".to_owned()));
        }
        let company = self.family == Family::Company;
        if company != self.field.is_some() || self.phase.is_some() && self.family != Family::Channel {
            return Err(wrong("a field belongs to the family company, a phase to the family channel".to_owned()));
        }
        if company && !self.with.is_empty() || self.field.is_some_and(|f| !f.values().contains(&self.value.as_str())) {
            return Err(wrong("of a company, a value of its field is told without a stance".to_owned()));
        }
        if !(self.p > 0.5 && self.p < 1.0) || self.of.is_empty() {
            return Err(wrong("p must lie in (0.5, 1), and there must be something to look for".to_owned()));
        }
        let mut unique = BTreeSet::new();
        if let Some(twice) = self.of.iter().find(|pattern| !unique.insert(*pattern)) {
            return Err(wrong(format!("{twice:?} stands twice")));
        }
        let mut with = 0;
        for name in &self.with {
            let stance = stances.iter().position(|stance| stance == name);
            with |= 1 << stance.ok_or_else(|| wrong(format!("there is no stance {name:?}")))?;
        }
        let (family, value, polarity) = (self.family, self.value.clone(), self.polarity);
        let (phase, field, p) = (self.phase, self.field, self.p);
        Ok(Topic { family, value, polarity, phase, field, p, with })
    }
}
