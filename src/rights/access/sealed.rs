//! What is kept of somebody whose processing is restricted: rows that left the tables, with the logic of the values in them
//! and under which policy they were made, so that access tells of them what it told before.
//!
//! Invariant: what is sealed is told, and told as sealed; the logic is that of the moment at which it was sealed, because
//! snapshots and their settings go.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{ExplainedPersona, Record, logic, rows};
use crate::model::SubjectId;
use crate::persona::rectified::Rectification;
use crate::persona::rows::Persona;
use crate::run::known::{FusionSettings, Known};
use crate::sink::{self, Select, SinkError, Snapshot, Table};
use crate::taxonomy::{Language, Tier};

/// The tables whose rows leave.
const TABLES: [Table; 2] = [Table::Personas, Table::Evidence];

/// What was sealed is no copy that this version can read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unreadable;

/// What one snapshot had of a person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct SealedPart {
    /// The pipeline.
    pub pipeline: String,
    /// The run.
    pub snapshot: String,
    /// Hash of the policy under which it was made; empty in copies of an older version.
    #[serde(default)]
    pub policy_hash: String,
    /// For what it was made; empty in copies of an older version.
    #[serde(default)]
    pub purpose: String,
    /// The persona with its logic in every language, of the newest snapshot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub explained: Option<ExplainedPersona>,
    /// Rows by table.
    pub tables: BTreeMap<String, Vec<Map<String, Value>>>,
}

impl SealedPart {
    /// What a snapshot has of each of these people now, by person; of whom it has nothing there is none. Each table is read once
    /// for all of them. The logic is told of the newest snapshot alone, as in access.
    pub(crate) fn of_each(
        (pipeline, snapshot, is_current): (&str, &Snapshot, bool),
        people: &HashMap<&SubjectId, Vec<Rectification>>,
    ) -> Result<HashMap<SubjectId, Self>, SinkError> {
        let select = Select::Subjects(people.keys().map(|&subject| subject.clone()).collect());
        // What cannot be read of it must not keep the rows in the tables.
        let manifest = snapshot.manifest().unwrap_or_default();
        let text = |name: &str| manifest[name].as_str().unwrap_or_default().to_owned();
        let empty = || Self {
            pipeline: pipeline.to_owned(),
            snapshot: snapshot.run_id().to_owned(),
            policy_hash: text("policy_hash"),
            purpose: text("purpose"),
            explained: None,
            tables: TABLES.map(|table| (table.to_string(), Vec::new())).into(),
        };
        let by_id: HashMap<&str, &SubjectId> = people.keys().map(|&subject| (subject.as_str(), subject)).collect();
        let mut parts: HashMap<SubjectId, Self> = HashMap::new();
        for table in TABLES {
            for row in rows::read(snapshot, table, &select)? {
                let subject = row.get("subject_id").and_then(Value::as_str).and_then(|id| by_id.get(id));
                let Some(&subject) = subject else { continue };
                let part = parts.entry(subject.clone()).or_insert_with(empty);
                part.tables.entry(table.to_string()).or_default().push(row);
            }
        }
        if is_current && !parts.is_empty() {
            let personas = sink::read_personas(snapshot, &select)?;
            let rectified = |subject: &SubjectId| people.get(subject).map_or(&[][..], |all| all);
            explained((pipeline, snapshot, &manifest), &personas, rectified, Language::ALL, |subject, persona| {
                if let Some(part) = parts.get_mut(subject) {
                    part.explained = Some(ExplainedPersona { sealed: true, ..persona });
                }
            })?;
        }
        Ok(parts)
    }

    /// Until when the policy allows to keep it, by its personas.
    pub(crate) fn retain_until(&self) -> Option<Timestamp> {
        self.personas().filter_map(|row| row.get("retain_until")?.as_str()?.parse().ok()).max()
    }

    /// Whether the person was informed, by the persona.
    pub(super) fn notice(&self) -> Option<String> {
        self.personas().find_map(|row| row.get("notice_status")?.as_str()).map(str::to_owned)
    }

    fn personas(&self) -> impl Iterator<Item = &Map<String, Value>> {
        self.tables.get("personas").into_iter().flatten()
    }

    /// Its rows.
    pub(super) fn records(&self) -> impl Iterator<Item = Record> {
        self.tables.iter().flat_map(|(table, rows)| {
            rows.iter().map(|row| Record {
                pipeline: self.pipeline.clone(),
                run: self.snapshot.clone(),
                table: table.clone(),
                row: row.clone(),
            })
        })
    }

    /// The persona in these languages; of a copy without logic, which an older version made, that there is one.
    pub(super) fn persona(&self, languages: &[Language]) -> Option<ExplainedPersona> {
        if let Some(mut persona) = self.explained.clone() {
            for facet in &mut persona.facets {
                facet.plain.retain(|language, _| languages.contains(language));
            }
            return Some(persona);
        }
        let row = self.personas().next().filter(|_| self.policy_hash.is_empty())?;
        let text = |name: &str| row.get(name).and_then(Value::as_str);
        Some(ExplainedPersona {
            pipeline: self.pipeline.clone(),
            run: self.snapshot.clone(),
            as_of: text("as_of")?.parse().ok()?,
            offering: None,
            tier: text("tier").and_then(|tier| tier.parse().ok()).unwrap_or(Tier::Individual),
            sealed: true,
            facets: Vec::new(),
        })
    }
}

/// The parts of a sealed copy.
///
/// # Errors
/// It is none that this version can read.
pub(crate) fn parts(copy: &[u8]) -> Result<Vec<SealedPart>, Unreadable> {
    serde_json::from_slice(copy).map_err(|_| Unreadable)
}

/// A sealed copy, with new parts in the place of what was sealed before of the same snapshots. All else in it stays as it was
/// written, whichever version wrote it.
///
/// # Errors
/// What was sealed before is no copy: it must not be lost, so nothing is put in its place.
pub(crate) fn joined(before: Option<&[u8]>, new: &[SealedPart]) -> Result<Vec<u8>, Unreadable> {
    let before: Vec<Map<String, Value>> =
        before.map_or(Ok(Vec::new()), |copy| serde_json::from_slice(copy).map_err(|_| Unreadable))?;
    let mut all = Vec::new();
    for part in before {
        let text = |name: &str| part.get(name).and_then(Value::as_str).ok_or(Unreadable);
        let (pipeline, snapshot) = (text("pipeline")?, text("snapshot")?);
        if !new.iter().any(|new| (&*new.pipeline, &*new.snapshot) == (pipeline, snapshot)) {
            all.push(Value::Object(part));
        }
    }
    all.extend(new.iter().map(|part| serde_json::to_value(part).expect("plain data")));
    Ok(serde_json::to_vec(&all).expect("plain data"))
}

/// Shows personas of a snapshot with the logic of their values.
pub(super) fn explained<'r>(
    (pipeline, snapshot, manifest): (&str, &Snapshot, &Value),
    personas: &[Persona],
    rectified: impl Fn(&SubjectId) -> &'r [Rectification],
    languages: &[Language],
    mut visit: impl FnMut(&SubjectId, ExplainedPersona),
) -> Result<(), SinkError> {
    // A manifest that another version wrote may lack the settings: then there are values without their logic.
    let settings: Option<FusionSettings> = serde_json::from_value(manifest["fusion"].clone()).ok();
    let of = |persona: &Persona, facets| ExplainedPersona {
        pipeline: pipeline.to_owned(),
        run: snapshot.run_id().to_owned(),
        as_of: persona.as_of,
        offering: settings.as_ref().map(|s| s.offering.name.clone()),
        tier: persona.tier,
        sealed: false,
        facets,
    };
    let Some(known_settings) = &settings else {
        for persona in personas {
            visit(&persona.subject_id, of(persona, Vec::new()));
        }
        return Ok(());
    };
    Known::each(snapshot, &personas.iter().collect::<Vec<_>>(), |persona, mut known| {
        known.with_sealed(persona, known_settings, rectified(&persona.subject_id));
        let exact = known.is_exact(persona, known_settings);
        let facets = logic::facets(persona, &known, known_settings, exact, languages);
        visit(&persona.subject_id, of(persona, facets));
    })
}
