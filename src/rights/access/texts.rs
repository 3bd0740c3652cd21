//! `config/rights/*.yaml`: what data subjects read, in plain words.
//!
//! Invariant: both languages have the same keys, and every term of the vocabularies, every reason of a refusal, every
//! rule and every weight has a text in both; a text that is missing stops the first use, not the answer to a person.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::persona::explain::RULES;
use crate::persona::role::ROLES;
use crate::taxonomy::{
    BuyingRole, Channel, FacetStatus, JobFunction, Language, Motive, Operation, Point, PointKind, PurchasePhase,
    Seniority, SigningPower, SourceClass, Tier, Trait,
};

type Words = BTreeMap<String, String>;

/// The texts of one language.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Texts {
    version: u32,
    language: Language,
    status: BTreeMap<FacetStatus, String>,
    rules: Words,
    functions: BTreeMap<JobFunction, String>,
    seniorities: BTreeMap<Seniority, String>,
    powers: BTreeMap<SigningPower, String>,
    roles: BTreeMap<BuyingRole, String>,
    traits: BTreeMap<Trait, String>,
    left_poles: BTreeMap<Trait, String>,
    right_poles: BTreeMap<Trait, String>,
    motives: BTreeMap<Motive, String>,
    points: BTreeMap<PointKind, Words>,
    channels: BTreeMap<Channel, String>,
    phases: BTreeMap<PurchasePhase, String>,
    names: Words,
    classes: BTreeMap<SourceClass, String>,
    operations: BTreeMap<Operation, String>,
    bases: Words,
    kinds: Words,
    tiers: BTreeMap<Tier, String>,
    notices: Words,
    categories: Words,
    regions: Words,
    by: Words,
    weights: Words,
    reasons: Words,
    rights: Words,
    words: Words,
}

/// Why texts are not usable.
#[derive(Debug, thiserror::Error)]
pub enum TextsError {
    /// Not the YAML that is expected.
    #[error("not readable as texts")]
    Parse(#[from] serde_saphyr::Error),
    /// A key is missing in one of the languages.
    #[error("{0} has no text")]
    Missing(String),
}

static GERMAN: LazyLock<Texts> = LazyLock::new(|| shipped(include_str!("../../../config/rights/de.yaml")));
static ENGLISH: LazyLock<Texts> = LazyLock::new(|| shipped(include_str!("../../../config/rights/en.yaml")));

fn shipped(yaml: &str) -> Texts {
    Texts::parse(yaml).expect("config/rights is checked")
}

/// The order of rights in every answer.
pub const RIGHTS: [&str; 8] = [
    "access",
    "rectification",
    "erasure",
    "restriction",
    "portability",
    "objection",
    "withdrawal",
    "no_automated_decision",
];

/// Reasons that a gate can give and that need a text beside those of [`crate::consent::reason::Reason`].
const FURTHER_REASONS: [&str; 9] = [
    "ProhibitedCategory",
    "ProhibitedModality",
    "AutomatedDecision",
    "ScopeMismatch(data_category)",
    "ScopeMismatch(recipient)",
    "ScopeMismatch(region)",
    "FieldNotNecessary",
    "EvidenceTooOld",
    "RetentionElapsed",
];

/// A refusal in plain words, with what would help: `reason` as it stands in tables and log, for instance
/// `ScopeMismatch(purpose)`. `None` for a word that is none of the gate's.
#[must_use]
pub fn plain_reason(reason: &str, language: Language) -> Option<&'static str> {
    Texts::of(language).reasons.get(reason).map(String::as_str)
}

impl Texts {
    /// The shipped texts.
    #[must_use]
    pub fn of(language: Language) -> &'static Self {
        match language {
            Language::German => &GERMAN,
            Language::English => &ENGLISH,
        }
    }

    /// Reads and checks texts.
    ///
    /// # Errors
    /// A key that is needed is missing.
    pub fn parse(yaml: &str) -> Result<Self, TextsError> {
        let t: Self = serde_saphyr::from_str(yaml)?;
        t.check()?;
        Ok(t)
    }

    fn check(&self) -> Result<(), TextsError> {
        fn all<K: Ord + Copy>(
            has: &BTreeMap<K, String>,
            keys: &[K],
            name: impl Fn(K) -> &'static str,
        ) -> Result<(), TextsError> {
            let lacks = |k: &&K| has.get(k).is_none_or(|t| t.trim().is_empty());
            keys.iter().find(lacks).map_or(Ok(()), |k| Err(TextsError::Missing(name(*k).to_owned())))
        }
        fn some<'k>(has: &Words, keys: impl IntoIterator<Item = &'k str>) -> Result<(), TextsError> {
            for k in keys {
                if has.get(k).is_none_or(|t| t.trim().is_empty()) {
                    return Err(TextsError::Missing(k.to_owned()));
                }
            }
            Ok(())
        }
        if self.version != 1 {
            return Err(TextsError::Missing("version 1".to_owned()));
        }
        all(&self.status, FacetStatus::ALL, FacetStatus::as_str)?;
        all(&self.functions, JobFunction::ALL, JobFunction::as_str)?;
        all(&self.seniorities, Seniority::ALL, Seniority::as_str)?;
        all(&self.powers, SigningPower::ALL, SigningPower::as_str)?;
        all(&self.roles, BuyingRole::ALL, BuyingRole::as_str)?;
        for traits in [&self.traits, &self.left_poles, &self.right_poles] {
            all(traits, Trait::ALL, Trait::as_str)?;
        }
        all(&self.motives, Motive::ALL, Motive::as_str)?;
        for kind in PointKind::ALL {
            let words = self.points.get(kind).ok_or_else(|| TextsError::Missing(kind.to_string()))?;
            some(words, Point::all(*kind).iter().map(|p| p.term()))?;
        }
        all(&self.channels, Channel::ALL, Channel::as_str)?;
        all(&self.phases, PurchasePhase::ALL, PurchasePhase::as_str)?;
        all(&self.classes, SourceClass::ALL, SourceClass::as_str)?;
        all(&self.operations, Operation::ALL, Operation::as_str)?;
        all(&self.tiers, Tier::ALL, Tier::as_str)?;
        some(&self.rules, RULES.iter().copied())?;
        some(&self.weights, ROLES.weight_ids())?;
        let reasons: Vec<String> = crate::consent::reason::Reason::ALL.iter().map(ToString::to_string).collect();
        some(&self.reasons, reasons.iter().map(String::as_str).chain(FURTHER_REASONS))?;
        some(&self.rights, RIGHTS)?;
        some(&self.bases, ["6(1)(a)", "6(1)(f)"])?;
        some(&self.notices, ["not_required", "pending", "given"])?;
        some(&self.by, ["subject", "controller"])
    }

    /// The language.
    #[must_use]
    pub const fn language(&self) -> Language {
        self.language
    }

    /// A word of the page.
    #[must_use]
    pub fn word(&self, key: &str) -> &str {
        self.words.get(key).map_or("", String::as_str)
    }

    /// A word of the page with its placeholders filled in, in one pass.
    #[must_use]
    pub fn fill(&self, key: &str, values: &[(&str, &str)]) -> String {
        let mut out = String::new();
        let mut rest = self.word(key);
        while let Some((before, after)) = rest.split_once('{') {
            out.push_str(before);
            let Some((name, tail)) = after.split_once('}') else { break };
            if let Some((_, value)) = values.iter().find(|(k, _)| *k == name) {
                out.push_str(value);
            }
            rest = tail;
        }
        out.push_str(rest);
        out
    }

    /// Why a facet has, or has not, a value.
    #[must_use]
    pub fn status(&self, s: FacetStatus) -> &str {
        &self.status[&s]
    }

    /// The rule that gave a status.
    #[must_use]
    pub fn rule(&self, rule: &str) -> &str {
        self.rules.get(rule).map_or("", String::as_str)
    }

    /// Why a weight counts.
    #[must_use]
    pub fn weight(&self, id: &str) -> Option<&str> {
        self.weights.get(id).map(String::as_str)
    }

    /// A right.
    #[must_use]
    pub fn right(&self, name: &str) -> &str {
        self.rights.get(name).map_or("", String::as_str)
    }

    /// What a reason of a refusal means; the reason itself where it has no text.
    #[must_use]
    pub fn reason<'t>(&'t self, reason: &'t str) -> &'t str {
        self.reasons.get(reason).map_or(reason, String::as_str)
    }

    /// Left and right pole of a trait.
    #[must_use]
    pub fn poles(&self, t: Trait) -> [&str; 2] {
        [&self.left_poles[&t], &self.right_poles[&t]]
    }

    /// A goal, requirement, pain, gain or habit.
    #[must_use]
    pub fn point(&self, point: Point) -> &str {
        self.points.get(&point.kind()).and_then(|words| words.get(point.term())).map_or("", String::as_str)
    }

    /// An open word (a category, region, basis, kind, notice state): its text, else the word.
    #[must_use]
    pub fn open<'t>(&'t self, list: Open, word: &'t str) -> &'t str {
        let words = match list {
            Open::Basis => &self.bases,
            Open::Kind => &self.kinds,
            Open::Notice => &self.notices,
            Open::Category => &self.categories,
            Open::Region => &self.regions,
            Open::By => &self.by,
            Open::Name => &self.names,
        };
        words.get(word).map_or(word, String::as_str)
    }

    /// A term of a closed vocabulary.
    #[must_use]
    pub fn term<T: Term>(&self, t: T) -> &str {
        t.text(self)
    }

    #[cfg(test)]
    pub(super) fn keys(&self) -> Vec<(&'static str, Vec<String>)> {
        let keys = |w: &Words| w.keys().cloned().collect();
        vec![
            ("rules", keys(&self.rules)),
            ("names", keys(&self.names)),
            ("bases", keys(&self.bases)),
            ("kinds", keys(&self.kinds)),
            ("notices", keys(&self.notices)),
            ("categories", keys(&self.categories)),
            ("regions", keys(&self.regions)),
            ("by", keys(&self.by)),
            ("weights", keys(&self.weights)),
            ("reasons", keys(&self.reasons)),
            ("rights", keys(&self.rights)),
            ("words", keys(&self.words)),
        ]
    }

    #[cfg(test)]
    pub(super) fn all_words(&self) -> &Words {
        &self.words
    }
}

/// Lists of words that a policy may add to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Open {
    /// Lawful bases.
    Basis,
    /// Kinds of legal events.
    Kind,
    /// States of the notice.
    Notice,
    /// Data categories.
    Category,
    /// Regions of recipients.
    Region,
    /// Who asked for a rectification.
    By,
    /// Names in lists of a persona.
    Name,
}

/// A term with a text.
pub trait Term: Copy {
    /// Its text.
    fn text(self, texts: &Texts) -> &str;
}

macro_rules! terms {
    ($($name:ident: $field:ident,)+) => {
        $(impl Term for $name {
            fn text(self, texts: &Texts) -> &str {
                &texts.$field[&self]
            }
        })+
    };
}

terms! {
    JobFunction: functions,
    Seniority: seniorities,
    SigningPower: powers,
    BuyingRole: roles,
    Trait: traits,
    Motive: motives,
    Channel: channels,
    PurchasePhase: phases,
    SourceClass: classes,
    Operation: operations,
    Tier: tiers,
}
