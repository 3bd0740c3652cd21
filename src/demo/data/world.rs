//! `config/demo/world.yaml` as checked types.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::taxonomy::{JobFunction, Language, Seniority};

/// What everything is made of.
pub(super) static WORLD: LazyLock<World> = LazyLock::new(|| {
    let world: World = serde_saphyr::from_str(include_str!("../../../config/demo/world.yaml"))
        .expect("config/demo/world.yaml is tested");
    assert_eq!(world.version, 1, "config/demo/world.yaml: version");
    world
});

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct World {
    version: u32,
    pub names: BTreeMap<Language, Names>,
    pub companies: Companies,
    pub titles: Vec<Title>,
    pub notes: BTreeMap<Language, Vec<Sentence>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Names {
    pub female: Vec<String>,
    pub male: Vec<String>,
    pub start: Vec<String>,
    pub end: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Companies {
    pub legal_forms: BTreeMap<Language, Vec<String>>,
    pub industries: Vec<Industry>,
    pub cities: BTreeMap<Language, Vec<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Industry {
    pub de: String,
    pub en: String,
    pub nace: String,
}

/// A title and what it says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Title {
    #[serde(rename = "f")]
    pub function: JobFunction,
    #[serde(rename = "s")]
    pub seniority: Seniority,
    /// Where the English title stands at another level.
    #[serde(default)]
    pub s_en: Option<Seniority>,
    /// Whether every company has one.
    #[serde(default)]
    pub every: bool,
    pub weight: u32,
    /// Head count from which a company has somebody like that.
    #[serde(default)]
    pub from: u32,
    /// Feminine, masculine.
    pub de: [String; 2],
    pub en: [String; 1],
}

/// A sentence of a note.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sentence {
    pub text: String,
    pub weight: u32,
    /// What it says of whoever the note is on, as in the `evidence` table.
    #[serde(default)]
    pub facet: Option<String>,
    #[serde(default)]
    pub value: String,
    /// What else it says, as `facet=value`.
    #[serde(default)]
    pub also: Vec<String>,
}
