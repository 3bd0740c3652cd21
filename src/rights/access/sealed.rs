//! What is kept of somebody whose processing is restricted: rows that left the tables, with the logic of the values in them
//! and under which policy they were made, so that access tells of them what it told before.
//!
//! Invariant: what is sealed is told, and told as sealed; the logic is that of the moment at which it was sealed, because
//! snapshots and their settings go.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::gather::AccessError;
use super::{ExplainedPersona, Record, logic};
use crate::model::SubjectId;
use crate::persona::rectified::Rectification;
use crate::persona::rows::Persona;
use crate::run::known::{FusionSettings, Known};
use crate::sink::{self, Format, Inspect, Select, SinkError, Snapshot, Table};
use crate::taxonomy::{Language, Tier};

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
    pub tables: BTreeMap<String, Vec<serde_json::Map<String, Value>>>,
}

impl SealedPart {
    /// What a snapshot has of a person now; `None` = nothing. The logic is told of the newest alone, as in access.
    pub(crate) fn of(
        (pipeline, snapshot, is_current): (&str, &Snapshot, bool),
        subject: &SubjectId,
        rectified: &[Rectification],
    ) -> Result<Option<Self>, SinkError> {
        let mut tables = BTreeMap::new();
        for table in [Table::Personas, Table::Evidence] {
            let query = Inspect {
                columns: vec!["*".to_owned()],
                filter: Some(format!("subject_id = '{subject}'")),
                limit: Some(usize::MAX),
                format: Format::JsonLines,
                readable: None,
            };
            let mut lines = Vec::new();
            sink::inspect(snapshot, table, &query, &mut lines, None)?;
            let rows = lines.split(|b| *b == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect();
            tables.insert(table.to_string(), rows);
        }
        if tables.values().all(Vec::is_empty) {
            return Ok(None);
        }
        // What cannot be read of it must not keep the rows in the tables.
        let manifest = snapshot.manifest().unwrap_or_default();
        let text = |name: &str| manifest[name].as_str().unwrap_or_default().to_owned();
        let persona = sink::read_personas(snapshot, &Select::Subject(subject.clone()))?.pop().filter(|_| is_current);
        let explain = |persona| explained((pipeline, snapshot, &manifest), &persona, rectified, Language::ALL);
        Ok(Some(Self {
            pipeline: pipeline.to_owned(),
            snapshot: snapshot.run_id().to_owned(),
            policy_hash: text("policy_hash"),
            purpose: text("purpose"),
            explained: persona.map(explain).transpose()?.map(|persona| ExplainedPersona { sealed: true, ..persona }),
            tables,
        }))
    }

    /// Until when the policy allows to keep it, by its personas.
    pub(crate) fn retain_until(&self) -> Option<Timestamp> {
        self.personas().filter_map(|row| row.get("retain_until")?.as_str()?.parse().ok()).max()
    }

    /// Whether the person was informed, by the persona.
    pub(super) fn notice(&self) -> Option<String> {
        self.personas().find_map(|row| row.get("notice_status")?.as_str()).map(str::to_owned)
    }

    fn personas(&self) -> impl Iterator<Item = &serde_json::Map<String, Value>> {
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
/// It is none.
pub(crate) fn parts(copy: &[u8]) -> Result<Vec<SealedPart>, AccessError> {
    serde_json::from_slice(copy).map_err(|_| AccessError::Restricted)
}

/// A persona of a snapshot with the logic of its values.
pub(super) fn explained(
    (pipeline, snapshot, manifest): (&str, &Snapshot, &Value),
    persona: &Persona,
    rectified: &[Rectification],
    languages: &[Language],
) -> Result<ExplainedPersona, SinkError> {
    // A manifest that another version wrote may lack the settings: then there are values without their logic.
    let settings: Option<FusionSettings> = serde_json::from_value(manifest["fusion"].clone()).ok();
    let facets = match &settings {
        Some(settings) => {
            let mut known = Known::read(snapshot, persona)?;
            known.with_sealed(persona, settings, rectified);
            let exact = known.is_exact(persona, settings);
            logic::facets(persona, &known, settings, exact, languages)
        }
        None => Vec::new(),
    };
    Ok(ExplainedPersona {
        pipeline: pipeline.to_owned(),
        run: snapshot.run_id().to_owned(),
        as_of: persona.as_of,
        offering: settings.map(|s| s.offering.name),
        tier: persona.tier,
        sealed: false,
        facets,
    })
}
