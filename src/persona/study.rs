//! Study priors: what a study says of a segment, or a model of a role, where nothing is known of the person.
//!
//! Invariant: a prior never mixes with evidence. It is written only where no evidence about the person speaks of the
//! facet at all, its status is `study_prior`, and `study_priors` names its study. It depends on the company's segment or on
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

/// A prior as a file has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    facet: String,
    value: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "Written")]
struct Prior {
    facet: Facet,
    /// The facet as it is written.
    name: String,
    value: String,
}

impl TryFrom<Written> for Prior {
    type Error = String;

    fn try_from(Written { facet: name, value }: Written) -> Result<Self, String> {
        Ok(Self { facet: name.parse()?, name, value })
    }
}

/// What a prior speaks about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Facet {
    Channel(PurchasePhase),
    Requirement(BuyingRole),
}

impl FromStr for Facet {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
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
    fn of(
        &'static self,
        facet: Facet,
        account: Option<&Account>,
    ) -> impl Iterator<Item = (&'static Study, &'static Prior)> {
        let speaking = self.0.iter().flat_map(|s| s.priors.iter().map(move |p| (s, p)));
        speaking.filter(move |(s, p)| p.facet == facet && s.holds_for.holds(account))
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
        let Some((study, prior)) = STUDIES.of(Facet::Channel(phase), input.account).next() else { continue };
        let is_open = room.is_open(FacetKind::Channels, &prior.name, preference.status);
        if fixed.is_some() || !is_open || room.is_unwanted(&prior.name, &prior.value) {
            continue;
        }
        preference.channel = prior.value.parse().ok();
        preference.status = FacetStatus::StudyPrior;
        persona.study_priors.push(prior.of(study));
    }
}

fn requirements(persona: &mut Persona, input: &FusionInput<'_>, room: &Room) {
    let mut filled = Vec::with_capacity(persona.requirements.len());
    let mut priors = Vec::new();
    for row in std::mem::take(&mut persona.requirements) {
        let is_open = || room.is_open(FacetKind::Requirements, &format!("requirement.{}", row.name), row.status);
        let open = row.value.is_none() && persona.holds(&row.name) && is_open();
        let role = row.name.parse::<BuyingRole>().ok().filter(|_| open);
        let of = role.into_iter().flat_map(|role| STUDIES.of(Facet::Requirement(role), input.account));
        let before = filled.len();
        for (study, prior) in of {
            let value = prior.value.as_str();
            if is_denied(input, value) {
                continue;
            }
            priors.push(prior.of(study));
            filled.push(Named { value: Some(value.into()), status: FacetStatus::StudyPrior, name: row.name.clone() });
        }
        if filled.len() == before {
            filled.push(row);
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

impl Prior {
    fn of(&'static self, study: &'static Study) -> StudyPrior {
        StudyPrior { facet: (&*self.name).into(), value: (&*self.value).into(), study: (&*study.id).into() }
    }
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
