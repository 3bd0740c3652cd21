//! Signal rules as data: `config/signals/*.yaml`.
//!
//! Invariant: every rule names a facet of the closed vocabulary, its patterns compile, and its id is
//! its own; otherwise the program does not start.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde::Deserialize;

use super::Polarity;
use super::phrase::{PatternError, Phrases, Sets};
use crate::taxonomy::{BuyingRole, Channel, JobFunction, Language, Motive, Trait, UnknownTerm};

const FILES: &[&str] = &[
    include_str!("../../../config/signals/buying_role.yaml"),
    include_str!("../../../config/signals/trait.yaml"),
    include_str!("../../../config/signals/motive.yaml"),
    include_str!("../../../config/signals/channel.yaml"),
];
const CONTEXT: &str = include_str!("../../../config/signals/context.yaml");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    version: u32,
    rules: Vec<RawRule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRule {
    id: String,
    family: Family,
    value: String,
    polarity: Polarity,
    language: Language,
    p: f64,
    /// Why it is believed.
    source: String,
    /// The first person in a note counts: the contact is quoted.
    #[serde(default)]
    speaker: bool,
    /// The person stands in the dative (`Herrn X ist ... wichtig`), so is no subject.
    #[serde(default)]
    dative: bool,
    /// The step is a department's, and no person is named.
    #[serde(default)]
    department: Option<RawDepartment>,
    patterns: Vec<String>,
    /// At least one must stand in the same sentence.
    #[serde(default)]
    requires: Vec<String>,
    /// None may stand in the same sentence.
    #[serde(default)]
    unless: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDepartment {
    function: String,
    p_not: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawContext {
    version: u32,
    sets: Sets,
    negation: Vec<String>,
    veto: Vec<String>,
    veto_before: Vec<String>,
    injection: Vec<String>,
    third_party: Vec<String>,
    gap_blocker: Vec<String>,
    opener: Vec<String>,
    contrast: Vec<String>,
}

/// The facet families that this extractor feeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Family {
    BuyingRole,
    Trait,
    Motive,
    Channel,
    JobFunction,
}

impl Family {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::BuyingRole => "buying_role",
            Self::Trait => "trait",
            Self::Motive => "motive",
            Self::Channel => "channel",
            Self::JobFunction => "job_function",
        }
    }

    fn check(self, value: &str) -> Result<(), UnknownTerm> {
        match self {
            Self::BuyingRole => value.parse::<BuyingRole>().map(drop),
            Self::Trait => value.parse::<Trait>().map(drop),
            Self::Motive => value.parse::<Motive>().map(drop),
            Self::Channel => value.parse::<Channel>().map(drop),
            Self::JobFunction => value.parse::<JobFunction>().map(drop),
        }
    }

    const fn is_bipolar(self) -> bool {
        matches!(self, Self::BuyingRole | Self::Trait)
    }
}

/// A checked rule.
pub(super) struct Rule {
    pub(super) family: Family,
    pub(super) value: String,
    pub(super) polarity: Polarity,
    pub(super) p: f64,
    pub(super) speaker: bool,
    pub(super) dative: bool,
    pub(super) needs: bool,
    pub(super) department: Option<Department>,
}

/// Whose step it is: the department's only contact has the role, and the contact whom the note is on has it not.
#[derive(Debug, Clone, Copy)]
pub(super) struct Department {
    pub(super) function: JobFunction,
    /// Probability that the contact has it not.
    pub(super) p_not: f64,
}

/// What a phrase means when it is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tag {
    /// Index into `Rules::all`.
    Claims(usize),
    Requires(usize),
    Unless(usize),
    Negation,
    Veto,
    VetoBefore,
    Injection,
    ThirdParty,
    GapBlocker,
    Opener,
    Contrast,
}

/// All rules, compiled.
pub(super) struct Rules {
    pub(super) all: Vec<Rule>,
    /// Patterns that make a claim.
    pub(super) claims: Phrases<Tag>,
    /// Patterns that say how a sentence is meant.
    pub(super) context: Phrases<Tag>,
}

#[derive(Debug, thiserror::Error)]
enum RuleError {
    #[error("signal file {file} does not parse: {message}")]
    Yaml { file: usize, message: String },
    #[error("signal file {file} has an unknown version {version}")]
    Version { file: usize, version: u32 },
    #[error("rule {id}: {message}")]
    Rule { id: String, message: String },
    #[error(transparent)]
    Pattern(#[from] PatternError),
}

/// The embedded rules.
pub(super) static RULES: LazyLock<Rules> =
    LazyLock::new(|| Rules::embedded().expect("the embedded signal rules are sound"));

impl Rules {
    fn embedded() -> Result<Self, RuleError> {
        let raw: RawContext = parse(CONTEXT, 0)?;
        version(raw.version, 0)?;
        let (mut rules, mut claims, mut context, mut ids) = (Vec::new(), Vec::new(), Vec::new(), BTreeSet::new());
        for (list, tag) in [
            (raw.negation, Tag::Negation),
            (raw.veto, Tag::Veto),
            (raw.veto_before, Tag::VetoBefore),
            (raw.injection, Tag::Injection),
            (raw.third_party, Tag::ThirdParty),
            (raw.gap_blocker, Tag::GapBlocker),
            (raw.opener, Tag::Opener),
            (raw.contrast, Tag::Contrast),
        ] {
            context.extend(list.into_iter().map(|p| (p, tag)));
        }
        for (file, text) in FILES.iter().enumerate() {
            let raw: RawFile = parse(text, file + 1)?;
            version(raw.version, file + 1)?;
            for rule in raw.rules {
                rule.check(&mut ids)?;
                let index = rules.len();
                claims.extend(rule.patterns.into_iter().map(|p| (p, Tag::Claims(index))));
                let needs = !rule.requires.is_empty();
                let department = match &rule.department {
                    None => None,
                    Some(d) => d.function.parse().ok().map(|function| Department { function, p_not: d.p_not }),
                };
                context.extend(rule.requires.into_iter().map(|p| (p, Tag::Requires(index))));
                context.extend(rule.unless.into_iter().map(|p| (p, Tag::Unless(index))));
                let (family, value, polarity) = (rule.family, rule.value, rule.polarity);
                let (p, speaker, dative) = (rule.p, rule.speaker, rule.dative);
                rules.push(Rule { family, value, polarity, p, speaker, dative, needs, department });
            }
        }
        Ok(Self { all: rules, claims: Phrases::new(claims, &raw.sets)?, context: Phrases::new(context, &raw.sets)? })
    }
}

impl RawRule {
    fn check(&self, ids: &mut BTreeSet<String>) -> Result<(), RuleError> {
        let wrong = |message: String| Err(RuleError::Rule { id: self.id.clone(), message });
        if !ids.insert(format!("{}/{}", self.language, self.id)) {
            return wrong("the id is used twice".to_owned());
        }
        if let Err(unknown) = self.family.check(&self.value) {
            return wrong(unknown.to_string());
        }
        if self.polarity == Polarity::Minus && !self.family.is_bipolar() {
            return wrong("only a buying role or a trait has a negative pole".to_owned());
        }
        if !(self.p > 0.5 && self.p < 1.0) || self.source.trim().is_empty() {
            return wrong("p must lie in (0.5, 1) and have a source".to_owned());
        }
        if let Some(Err(unknown)) = self.department.as_ref().map(|d| d.function.parse::<JobFunction>()) {
            return wrong(unknown.to_string());
        }
        if self.department.as_ref().is_some_and(|d| !(d.p_not > 0.5 && d.p_not < 1.0 && self.family.is_bipolar())) {
            return wrong("p_not must lie in (0.5, 1), and only roles have it".to_owned());
        }
        let person = self.department.is_none();
        if self.patterns.is_empty() || self.patterns.iter().any(|p| p.split_whitespace().any(|w| w == "@") != person) {
            return wrong("every pattern needs a person (@), or a department and no person".to_owned());
        }
        Ok(())
    }
}

fn parse<T: serde::de::DeserializeOwned>(text: &str, file: usize) -> Result<T, RuleError> {
    serde_saphyr::from_str(text).map_err(|e| RuleError::Yaml { file, message: e.to_string() })
}

fn version(version: u32, file: usize) -> Result<(), RuleError> {
    if version == 1 { Ok(()) } else { Err(RuleError::Version { file, version }) }
}
