//! Signal rules as data: `config/signals/*.yaml`.
//!
//! Invariant: every rule names a facet of the closed vocabulary, its patterns compile, and its id is
//! its own; otherwise the program does not start.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde::Deserialize;

use super::Polarity;
use super::guard::token::Spelling;
use super::memory::Set;
use super::phrase::{PatternError, Phrases, Sets};
use crate::taxonomy::{
    BuyingRole, Channel, CompanyField, JobFunction, Language, Motive, Point, PointKind, PurchasePhase, Trait,
    UnknownTerm,
};

const FILES: &[&str] = &[
    include_str!("../../../config/signals/buying_role.yaml"),
    include_str!("../../../config/signals/trait.yaml"),
    include_str!("../../../config/signals/motive.yaml"),
    include_str!("../../../config/signals/channel.yaml"),
    include_str!("../../../config/signals/channel_phase.yaml"),
    include_str!("../../../config/signals/goal.yaml"),
    include_str!("../../../config/signals/requirement.yaml"),
    include_str!("../../../config/signals/experience.yaml"),
    include_str!("../../../config/signals/behaviour.yaml"),
    include_str!("../../../config/signals/company.yaml"),
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
    /// The phase of a purchase that a channel is taken in.
    #[serde(default)]
    phase: Option<PurchasePhase>,
    /// Which fact about the company is stated; such patterns name no person.
    #[serde(default)]
    field: Option<CompanyField>,
    #[serde(default)]
    patterns: Vec<String>,
    /// Name of a list of beginnings in `context.yaml`; each is completed by each of `objects`.
    #[serde(default)]
    frames: Option<String>,
    #[serde(default)]
    objects: Vec<String>,
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
    frames: BTreeMap<String, Vec<String>>,
    negation: Vec<String>,
    veto: Vec<String>,
    veto_before: Vec<String>,
    injection: Vec<String>,
    third_party: Vec<String>,
    gap_blocker: Vec<String>,
    opener: Vec<String>,
    contrast: Vec<String>,
    other_company: Vec<String>,
    no_firm: Vec<String>,
    no_news: Vec<String>,
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
    Goal,
    Requirement,
    Pain,
    Gain,
    BuyingBehaviour,
    InformationBehaviour,
    /// A fact about the company; `field` says which.
    Company,
}

impl Family {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::BuyingRole => "buying_role",
            Self::Trait => "trait",
            Self::Motive => "motive",
            Self::Channel => "channel",
            Self::JobFunction => "job_function",
            Self::Goal => "goal",
            Self::Requirement => "requirement",
            Self::Pain => "pain",
            Self::Gain => "gain",
            Self::BuyingBehaviour => "buying_behaviour",
            Self::InformationBehaviour => "information_behaviour",
            Self::Company => "company",
        }
    }

    pub(super) fn check(self, value: &str) -> Result<(), UnknownTerm> {
        match self {
            Self::BuyingRole => value.parse::<BuyingRole>().map(drop),
            Self::Trait => value.parse::<Trait>().map(drop),
            Self::Motive => value.parse::<Motive>().map(drop),
            Self::Channel => value.parse::<Channel>().map(drop),
            Self::JobFunction => value.parse::<JobFunction>().map(drop),
            // The fact's values are checked with its field.
            Self::Company => Ok(()),
            point => Point::parse(point.as_str().parse::<PointKind>()?, value).map(drop),
        }
    }

    pub(super) const fn is_bipolar(self) -> bool {
        matches!(self, Self::BuyingRole | Self::Trait | Self::Channel)
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
    pub(super) phase: Option<PurchasePhase>,
    pub(super) field: Option<CompanyField>,
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
    OtherCompany,
    NoFirm,
    NoNews,
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
pub(super) enum RuleError {
    #[error("signal file {file} does not parse: {message}")]
    Yaml { file: usize, message: String },
    #[error("signal file {file} has an unknown version {version}")]
    Version { file: usize, version: u32 },
    #[error("signal file {file} has another set {name:?} than a file before it")]
    Set { file: usize, name: String },
    #[error("rule {id}: {message}")]
    Rule { id: String, message: String },
    #[error(transparent)]
    Pattern(#[from] PatternError),
}

/// The embedded rules.
pub(super) static RULES: LazyLock<Rules> =
    LazyLock::new(|| Rules::embedded().expect("the embedded signal rules are sound"));

impl Rules {
    /// Whether a word is one of some pattern, with what `fits` before and behind the pattern's letters.
    pub(super) fn knows(&self, word: Spelling<'_>, fits: &dyn Fn(&str, &str, &str) -> bool) -> bool {
        self.claims.has_word(word, fits) || self.context.has_word(word, fits)
    }

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
            (raw.other_company, Tag::OtherCompany),
            (raw.no_firm, Tag::NoFirm),
            (raw.no_news, Tag::NoNews),
        ] {
            context.extend(list.into_iter().map(|p| (p, tag)));
        }
        let raw_frames = raw.frames;
        let sets = raw.sets;
        for (file, text) in FILES.iter().enumerate() {
            let raw: RawFile = parse(text, file + 1)?;
            version(raw.version, file + 1)?;
            for rule in raw.rules {
                let patterns = rule.all_patterns(&raw_frames)?;
                rule.check(&patterns, &mut ids)?;
                let index = rules.len();
                claims.extend(patterns.into_iter().map(|p| (p, Tag::Claims(index))));
                let needs = !rule.requires.is_empty();
                let department = match &rule.department {
                    None => None,
                    Some(d) => d.function.parse().ok().map(|function| Department { function, p_not: d.p_not }),
                };
                context.extend(rule.requires.into_iter().map(|p| (p, Tag::Requires(index))));
                context.extend(rule.unless.into_iter().map(|p| (p, Tag::Unless(index))));
                let (family, value, polarity) = (rule.family, rule.value, rule.polarity);
                let (p, speaker, dative) = (rule.p, rule.speaker, rule.dative);
                let (phase, field) = (rule.phase, rule.field);
                rules.push(Rule { family, value, polarity, p, speaker, dative, needs, department, phase, field });
            }
        }
        let claims = Phrases::new(Set::Claims, claims, &sets)?;
        Ok(Self { all: rules, claims, context: Phrases::new(Set::Context, context, &sets)? })
    }
}

impl RawRule {
    /// The patterns as written, and each frame completed by each object.
    fn all_patterns(&self, frames: &BTreeMap<String, Vec<String>>) -> Result<Vec<String>, RuleError> {
        let wrong = |message: &str| RuleError::Rule { id: self.id.clone(), message: message.to_owned() };
        let mut all = self.patterns.clone();
        if self.frames.is_none() != self.objects.is_empty() {
            return Err(wrong("frames and objects go together"));
        }
        if let Some(name) = &self.frames {
            let frames = frames.get(name).ok_or_else(|| wrong("these frames are not in context.yaml"))?;
            all.extend(frames.iter().flat_map(|f| self.objects.iter().map(|o| f.replace("{}", o))));
        }
        Ok(all)
    }

    fn check(&self, patterns: &[String], ids: &mut BTreeSet<String>) -> Result<(), RuleError> {
        let wrong = |message: String| Err(RuleError::Rule { id: self.id.clone(), message });
        if !ids.insert(format!("{}/{}", self.language, self.id)) {
            return wrong("the id is used twice".to_owned());
        }
        if let Err(unknown) = self.family.check(&self.value) {
            return wrong(unknown.to_string());
        }
        if self.polarity == Polarity::Minus && !self.family.is_bipolar() {
            return wrong("only a buying role, a trait or a channel has a negative pole".to_owned());
        }
        if !(self.p > 0.5 && self.p < 1.0) || self.source.trim().is_empty() {
            return wrong("p must lie in (0.5, 1) and have a source".to_owned());
        }
        if let Some(Err(unknown)) = self.department.as_ref().map(|d| d.function.parse::<JobFunction>()) {
            return wrong(unknown.to_string());
        }
        if self
            .department
            .as_ref()
            .is_some_and(|d| !(d.p_not > 0.5 && d.p_not < 1.0 && self.family == Family::BuyingRole))
        {
            return wrong("p_not must lie in (0.5, 1), and only roles have it".to_owned());
        }
        let company = self.family == Family::Company;
        if company != self.field.is_some() || self.phase.is_some() && self.family != Family::Channel {
            return wrong("a field belongs to the family company, a phase to the family channel".to_owned());
        }
        if self.field.is_some_and(|f| !f.values().contains(&self.value.as_str())) {
            return wrong("the field cannot have this value".to_owned());
        }
        let person = self.department.is_none() && !company;
        if patterns.is_empty() || patterns.iter().any(|p| p.split_whitespace().any(|w| w == "@") != person) {
            return wrong("every pattern needs a person (@), or a department or a company and no person".to_owned());
        }
        Ok(())
    }
}

/// The sets of words that all patterns may name.
pub(super) fn context_sets() -> Result<Sets, RuleError> {
    Ok(parse::<RawContext>(CONTEXT, 0)?.sets)
}

pub(super) fn parse<T: serde::de::DeserializeOwned>(text: &str, file: usize) -> Result<T, RuleError> {
    serde_saphyr::from_str(text).map_err(|e| RuleError::Yaml { file, message: e.to_string() })
}

pub(super) fn version(version: u32, file: usize) -> Result<(), RuleError> {
    if version == 1 { Ok(()) } else { Err(RuleError::Version { file, version }) }
}
