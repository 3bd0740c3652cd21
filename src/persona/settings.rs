//! `config/fusion.yaml` as checked types.
//!
//! Invariant: parsed once; a number out of its range is a bug of ours and stops the first use.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::taxonomy::SourceClass;

/// The built-in settings of fusion.
pub static FUSION: LazyLock<Fusion> =
    LazyLock::new(|| Fusion::parse(include_str!("../../config/fusion.yaml")).expect("config/fusion.yaml is checked"));

/// Why settings are not usable.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// Not the YAML that is expected.
    #[error("not readable as settings")]
    Parse(#[from] serde_saphyr::Error),
    /// A value that makes no sense.
    #[error("{0} is out of its range")]
    Range(String),
}

/// How signals become facets; the file explains every field.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fusion {
    version: u32,
    reliability: BTreeMap<SourceClass, f64>,
    pub(super) same_content_share: f64,
    pub(super) same_source_share: f64,
    pub(super) crm_unknown_age_days: f64,
    half_life_scale: BTreeMap<Family, f64>,
    pub(super) stale_after_half_lives: f64,
    pub(super) weight_ceiling: f64,
    pub(super) log_odds_bound: f64,
    pub(super) margin: f64,
    pub(super) conflict_floor: f64,
    pub(super) secondary_floor: f64,
    pub(super) neighbour_share: f64,
    pub(super) trait_shrinkage: f64,
    pub(super) trait_conflict_share: f64,
    pub(super) strong_signal: f64,
    pub(super) strong_statement: f64,
    pub(super) motive_prior: f64,
    pub(super) point_prior: f64,
    pub(super) channel_any_phase_share: f64,
    pub(super) segment_known_share: f64,
    pub(super) decision_style: DecisionStyles,
}

/// What ages alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Family {
    JobFunction,
    Seniority,
    SigningPower,
    BuyingRole,
    Trait,
    Motive,
    Goal,
    Requirement,
    /// Pains and gains.
    Experience,
    /// How a person buys and looks for information.
    Habit,
    Channel,
    Firmographic,
}

const FAMILIES: [Family; 12] = [
    Family::JobFunction,
    Family::Seniority,
    Family::SigningPower,
    Family::BuyingRole,
    Family::Trait,
    Family::Motive,
    Family::Goal,
    Family::Requirement,
    Family::Experience,
    Family::Habit,
    Family::Channel,
    Family::Firmographic,
];

/// The size class by EU 2003/361/EC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Size {
    /// Under 10 people.
    Micro,
    /// Under 50.
    Small,
    /// Under 250.
    Medium,
    /// From 250.
    Large,
    /// The head count is not known.
    Unknown,
}

impl Size {
    /// Every size, smallest first, then unknown.
    pub const ALL: [Self; 5] = [Self::Micro, Self::Small, Self::Medium, Self::Large, Self::Unknown];

    /// As it stands in `accounts.size_class`; `None` where unknown.
    #[must_use]
    pub const fn as_str(self) -> Option<&'static str> {
        match self {
            Self::Micro => Some("micro"),
            Self::Small => Some("small"),
            Self::Medium => Some("medium"),
            Self::Large => Some("large"),
            Self::Unknown => None,
        }
    }

    /// The class by head count and yearly revenue in EUR.
    ///
    /// The recommendation lets either revenue or balance sheet total stay under the ceiling. Balance sheets are
    /// not known here, so a revenue above the ceiling lifts the class; without a head count there is no class.
    #[must_use]
    pub fn of(employees: Option<u32>, revenue_eur: Option<f64>) -> Self {
        let Some(n) = employees else { return Self::Unknown };
        let by_people = match n {
            0..=9 => Self::Micro,
            10..=49 => Self::Small,
            50..=249 => Self::Medium,
            _ => Self::Large,
        };
        let by_revenue = match revenue_eur {
            Some(r) if r > 50e6 => Self::Large,
            Some(r) if r > 10e6 => Self::Medium,
            Some(r) if r > 2e6 => Self::Small,
            _ => Self::Micro,
        };
        by_people.max(by_revenue)
    }
}

/// How a company decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DecisionStyle {
    /// One person.
    SingleDecider,
    /// Two or three.
    Few,
    /// A body.
    Committee,
}

impl DecisionStyle {
    /// Every style.
    pub const ALL: [Self; 3] = [Self::SingleDecider, Self::Few, Self::Committee];

    /// As it stands in `accounts.decision_style`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SingleDecider => "single_decider",
            Self::Few => "few",
            Self::Committee => "committee",
        }
    }

    /// Reads the canonical spelling.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == word)
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DecisionStyles {
    /// Where the numbers come from.
    pub(super) source: String,
    by_size: BTreeMap<Size, Odds>,
    by_legal_form: Vec<FormFactor>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct Odds {
    single_decider: f64,
    few: f64,
    committee: f64,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct FormFactor {
    forms: Vec<String>,
    single_decider: f64,
    few: f64,
    committee: f64,
}

impl DecisionStyles {
    /// The prior over [`DecisionStyle::ALL`]; `None` where the size is not known.
    pub(super) fn prior(&self, size: Size, legal_form: Option<&str>) -> Option<[f64; 3]> {
        let o = self.by_size.get(&size)?;
        let mut p = [o.single_decider, o.few, o.committee];
        let plain = |s: &str| s.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase();
        if let Some(form) = legal_form.map(plain)
            && let Some(f) = self.by_legal_form.iter().find(|f| f.forms.iter().any(|x| plain(x) == form))
        {
            p = [p[0] * f.single_decider, p[1] * f.few, p[2] * f.committee];
        }
        let sum: f64 = p.iter().sum();
        Some(p.map(|x| x / sum))
    }
}

impl Fusion {
    /// Reads and checks settings.
    pub fn parse(yaml: &str) -> Result<Self, SettingsError> {
        let s: Self = serde_saphyr::from_str(yaml)?;
        s.check()?;
        Ok(s)
    }

    /// How far a class of sources is believed, in [0, 1].
    pub(super) fn reliability(&self, class: SourceClass) -> f64 {
        self.reliability[&class]
    }

    /// The factor on the pipeline's half-life.
    pub(super) fn half_life_scale(&self, family: Family) -> f64 {
        self.half_life_scale[&family]
    }

    fn check(&self) -> Result<(), SettingsError> {
        let fail = |what: &str| Err(SettingsError::Range(what.to_owned()));
        if self.version != 1 {
            return fail("version");
        }
        if !SourceClass::ALL.iter().all(|c| self.reliability.get(c).is_some_and(|r| (0.0..=1.0).contains(r))) {
            return fail("reliability");
        }
        if !FAMILIES.iter().all(|f| self.half_life_scale.get(f).is_some_and(|s| *s > 0.0)) {
            return fail("half_life_scale");
        }
        let shares = [
            ("same_content_share", self.same_content_share),
            ("same_source_share", self.same_source_share),
            ("margin", self.margin),
            ("conflict_floor", self.conflict_floor),
            ("secondary_floor", self.secondary_floor),
            ("neighbour_share", self.neighbour_share),
            ("trait_conflict_share", self.trait_conflict_share),
            ("strong_signal", self.strong_signal),
            ("strong_statement", self.strong_statement),
            ("channel_any_phase_share", self.channel_any_phase_share),
            ("segment_known_share", self.segment_known_share),
        ];
        if let Some((name, _)) = shares.iter().find(|(_, v)| !(0.0..1.0).contains(v)) {
            return fail(name);
        }
        if !(0.5..1.0).contains(&self.weight_ceiling) {
            return fail("weight_ceiling");
        }
        if !(1.0..30.0).contains(&self.log_odds_bound) {
            return fail("log_odds_bound");
        }
        if self.crm_unknown_age_days < 0.0 || self.stale_after_half_lives <= 0.0 || self.trait_shrinkage <= 0.0 {
            return fail("crm_unknown_age_days, stale_after_half_lives or trait_shrinkage");
        }
        let d = &self.decision_style;
        let sized = Size::ALL.iter().filter(|s| **s != Size::Unknown).all(|s| d.by_size.contains_key(s));
        if !sized || d.by_size.contains_key(&Size::Unknown) || d.source.is_empty() {
            return fail("decision_style");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `docs/pipeline.md` (`half_life_days`), `docs/analyst.md` and the tables' dictionary tell these numbers.
    #[test]
    fn numbers_that_the_documentation_tells() {
        let scales = FAMILIES.map(|family| FUSION.half_life_scale(family));
        assert_eq!(format!("{scales:?}"), "[2.0, 1.0, 1.0, 0.5, 1.5, 1.0, 0.5, 0.5, 0.5, 1.0, 1.0, 1.5]");
        let numbers = [
            FUSION.stale_after_half_lives,
            FUSION.strong_signal,
            FUSION.segment_known_share,
            FUSION.channel_any_phase_share,
        ];
        assert_eq!(format!("{numbers:?}"), "[3.0, 0.9, 0.2, 0.5]");
    }

    #[test]
    fn size_follows_the_recommendation() {
        for (n, r, want) in [
            (Some(9), None, Size::Micro),
            (Some(9), Some(2.5e6), Size::Small),
            (Some(49), Some(10e6), Size::Small),
            (Some(50), None, Size::Medium),
            (Some(249), Some(50e6), Size::Medium),
            (Some(249), Some(50.1e6), Size::Large),
            (Some(250), Some(1.0), Size::Large),
            (None, Some(1e9), Size::Unknown),
        ] {
            assert_eq!(Size::of(n, r), want, "{n:?} {r:?}");
        }
    }

    #[test]
    fn a_number_out_of_range_is_refused() {
        let good = include_str!("../../config/fusion.yaml");
        assert!(Fusion::parse(good).is_ok());
        let bad = good.replace("margin: 0.2", "margin: 1.2");
        assert_ne!(good, bad);
        let told = Fusion::parse(&bad).expect_err("a margin above 1").to_string();
        assert!(told.contains("margin"), "{told}");
    }

    #[test]
    fn a_merchant_of_his_own_decides_alone() {
        let d = &FUSION.decision_style;
        let plain = d.prior(Size::Small, Some("GmbH")).expect("size is known");
        let alone = d.prior(Size::Small, Some("e. K.")).expect("size is known");
        assert!(alone[0] > plain[0]);
        assert_eq!(d.prior(Size::Unknown, Some("e.K.")), None);
    }
}
