//! Study priors: what a study says of a segment, or a model of a role, where nothing is known of the person.
//!
//! Invariant: a prior never mixes with evidence. It is written only where a facet would else abstain for want of
//! evidence, its status is `study_prior`, and `study_priors` names its study. It depends on the company's segment or on
//! the buying role that the persona shows, on nothing else of the person; where leave to profile was refused, or the
//! facet put right, there is none.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::LazyLock;

use serde::Deserialize;

use super::fuse::Work;
use super::input::{FacetKind, FusionInput};
use super::rectified::Correction;
use super::room::Room;
use super::rows::{Named, Persona, StudyPrior};
use super::settings::Size;
use crate::model::Account;
use crate::taxonomy::{BuyingRole, Channel, FacetStatus, Language, Point, PurchasePhase, Requirement};

/// The shipped studies, by id.
pub static STUDIES: LazyLock<Studies> = LazyLock::new(|| {
    Studies::parse(&[
        include_str!("../../config/studies/buying_center_roles.yaml"),
        include_str!("../../config/studies/ifh_koeln_2018.yaml"),
    ])
    .expect("config/studies is checked")
});

/// Why studies are not usable.
#[derive(Debug, thiserror::Error)]
pub enum StudyError {
    /// Not the YAML that is expected.
    #[error("not readable as a study")]
    Parse(#[from] serde_saphyr::Error),
    /// Something in it that makes no sense.
    #[error("study {id}: {message}")]
    Study {
        /// Its id.
        id: String,
        /// What is wrong.
        message: String,
    },
}

/// Whether somebody was asked, or a model was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StudyKind {
    /// Somebody was asked or observed.
    Study,
    /// A template of the taxonomy.
    Taxonomy,
}

/// One study: who says what of whom.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Study {
    version: u32,
    /// As it stands in `study_priors.study`.
    pub id: String,
    /// Survey or model.
    pub kind: StudyKind,
    /// Who, what, where.
    pub citation: String,
    /// Where it can be read; `None` where we do not know.
    pub address: Option<String>,
    /// Of the finding.
    pub year: u16,
    /// Who was asked.
    pub population: String,
    /// The finding in plain words.
    says: BTreeMap<Language, String>,
    holds_for: HoldsFor,
    priors: Vec<Prior>,
}

impl Study {
    /// The finding in plain words.
    #[must_use]
    pub fn says(&self, language: Language) -> &str {
        self.says.get(&language).map_or("", String::as_str)
    }
}

/// The segment that a study speaks of; an empty list is no limit.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct HoldsFor {
    countries: Vec<String>,
    #[serde(default)]
    sizes: Vec<Size>,
}

impl HoldsFor {
    fn holds(&self, account: Option<&Account>) -> bool {
        let country = account.and_then(|a| a.country.as_ref());
        let size = account.map_or(Size::Unknown, |a| Size::of(a.employees, a.revenue_eur));
        (self.countries.is_empty() || country.is_some_and(|c| self.countries.contains(c)))
            && (self.sizes.is_empty() || self.sizes.contains(&size))
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Prior {
    facet: Facet,
    value: String,
}

/// What a prior speaks about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
enum Facet {
    Channel(PurchasePhase),
    Requirement(BuyingRole),
}

impl TryFrom<String> for Facet {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong = || format!("{text} is neither channel.PHASE nor requirement.ROLE");
        match text.split_once('.').ok_or_else(wrong)? {
            ("channel", phase) => PurchasePhase::from_str(phase).map(Self::Channel).map_err(|e| e.to_string()),
            ("requirement", role) => BuyingRole::from_str(role).map(Self::Requirement).map_err(|e| e.to_string()),
            _ => Err(wrong()),
        }
    }
}

/// All studies.
#[derive(Debug, Clone)]
pub struct Studies(Vec<Study>);

impl Studies {
    /// Reads and checks studies.
    ///
    /// # Errors
    /// One cannot be read, names a value outside its vocabulary, or speaks of a channel that another speaks of already.
    pub fn parse(files: &[&str]) -> Result<Self, StudyError> {
        let studies: Vec<Study> = files.iter().map(|f| serde_saphyr::from_str(f)).collect::<Result<_, _>>()?;
        let mut phases: Vec<PurchasePhase> = Vec::new();
        for s in &studies {
            let wrong = |message: &str| StudyError::Study { id: s.id.clone(), message: message.to_owned() };
            if s.version != 1 || s.citation.trim().is_empty() || s.population.trim().is_empty() {
                return Err(wrong("it needs version 1, a citation and a population"));
            }
            if !Language::ALL.iter().all(|l| s.says.get(l).is_some_and(|t| !t.trim().is_empty())) {
                return Err(wrong("it needs its finding in every language"));
            }
            for prior in &s.priors {
                let fits = match prior.facet {
                    Facet::Channel(_) => prior.value.parse::<Channel>().is_ok(),
                    Facet::Requirement(role) => prior.value.parse::<Requirement>().is_ok_and(|r| r.role() == role),
                };
                if !fits {
                    return Err(wrong("a value is none of its facet"));
                }
                if let Facet::Channel(phase) = prior.facet {
                    if phases.contains(&phase) {
                        return Err(wrong("a channel is spoken of twice"));
                    }
                    phases.push(phase);
                }
            }
        }
        Ok(Self(studies))
    }

    /// The study of an id.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Study> {
        self.0.iter().find(|s| s.id == id)
    }

    /// The values that hold for a facet and a company, each with its study.
    fn of<'s>(&'s self, facet: Facet, account: Option<&'s Account>) -> impl Iterator<Item = (&'s Study, &'s str)> {
        let holding = self.0.iter().filter(move |s| s.holds_for.holds(account));
        holding.flat_map(move |s| s.priors.iter().filter(move |p| p.facet == facet).map(move |p| (s, p.value.as_str())))
    }
}

/// Puts priors where the persona would else abstain for want of evidence.
pub(super) fn fill(mut persona: Persona, work: &Work<'_, '_>) -> Persona {
    let Some(room) = Room::of(work.input) else { return persona };
    channels(&mut persona, work.input, &room);
    requirements(&mut persona, work.input, &room);
    persona
}

fn channels(persona: &mut Persona, input: &FusionInput<'_>, room: &Room) {
    for preference in &mut persona.channels {
        let phase = preference.phase;
        let fixed =
            input.corrected(|c| if let Correction::Channel(p, c) = c { (*p == phase).then_some(*c) } else { None });
        if fixed.is_some() || !room.is_open(FacetKind::Channels, preference.status) {
            continue;
        }
        let Some((study, value)) = STUDIES.of(Facet::Channel(phase), input.account).next() else { continue };
        preference.channel = value.parse().ok();
        preference.status = FacetStatus::StudyPrior;
        persona.study_priors.push(prior(format!("channel.{phase}"), value, study));
    }
}

fn requirements(persona: &mut Persona, input: &FusionInput<'_>, room: &Room) {
    let mut filled = Vec::with_capacity(persona.requirements.len());
    let mut priors = Vec::new();
    for row in &persona.requirements {
        let open = row.value.is_none() && room.is_open(FacetKind::Requirements, row.status) && persona.holds(&row.name);
        let role = row.name.parse::<BuyingRole>().ok().filter(|_| open);
        let of = role.into_iter().flat_map(|role| STUDIES.of(Facet::Requirement(role), input.account));
        let before = filled.len();
        for (study, value) in of {
            if is_denied(input, value) {
                continue;
            }
            priors.push(prior(format!("requirement.{}", row.name), value, study));
            filled.push(Named { value: Some(value.to_owned()), status: FacetStatus::StudyPrior, ..row.clone() });
        }
        if filled.len() == before {
            filled.push(row.clone());
        }
    }
    persona.requirements = filled;
    persona.study_priors.extend(priors);
}

/// Whether the person put it right that this is not asked.
fn is_denied(input: &FusionInput<'_>, value: &str) -> bool {
    let of = |p: &Point| matches!(p, Point::Requirement(r) if r.as_str() == value);
    input.corrected(|c| if let Correction::Point(p, c) = c { of(p).then_some(*c) } else { None }).is_some()
}

fn prior(facet: String, value: &str, study: &Study) -> StudyPrior {
    StudyPrior { facet, value: value.to_owned(), study: study.id.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "version: 1\nid: x\nkind: study\ncitation: c\naddress: null\nyear: 2020\npopulation: p\nsays: { de: a, en: b }\nholds_for: { countries: [DE] }\npriors: [{ facet: channel.advice, value: phone }]\n";

    #[test]
    fn the_shipped_studies_name_source_population_and_year() {
        for study in &STUDIES.0 {
            assert!(study.year > 1900 && study.citation.len() > 10 && study.population.len() > 10, "{}", study.id);
            assert!(!study.priors.is_empty() && Language::ALL.iter().all(|l| study.says(*l).ends_with('.')));
        }
        assert_eq!(STUDIES.get("ifh_koeln_2018").map(|s| s.kind), Some(StudyKind::Study));
        assert_eq!(STUDIES.get("buying_center_roles").map(|s| s.kind), Some(StudyKind::Taxonomy));
    }

    #[test]
    fn an_unsound_study_is_refused() {
        assert!(Studies::parse(&[GOOD]).is_ok());
        for (from, to) in [
            ("value: phone", "value: pigeon"),
            ("channel.advice", "channel.dinner"),
            ("channel.advice", "requirement.user"),
            ("channel.advice", "trait.formality"),
            ("citation: c", "citation: ''"),
            (", en: b", ""),
            ("version: 1", "version: 2"),
        ] {
            let bad = GOOD.replace(from, to);
            assert_ne!(bad, GOOD);
            assert!(Studies::parse(&[&bad]).is_err(), "{to}");
        }
        assert!(Studies::parse(&[GOOD, GOOD]).is_err(), "two studies of one channel");
    }
}
