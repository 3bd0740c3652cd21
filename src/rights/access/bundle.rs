//! The types of a bundle; their JSON Schema is its contract.
//!
//! Invariant: a field is added, never changed in meaning, within one schema version.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use super::explained::ExplainedPersona;
use crate::taxonomy::{Language, Operation, SourceClass};

/// One decision about the person, from the audit log and its payloads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AccessDecision {
    /// When.
    #[schemars(with = "String")]
    pub at: Timestamp,
    /// `plan`, `fetch`, `commit`, `publish`, `read`, `rights`.
    pub stage: String,
    /// Kind of the entry, for instance `decide`, `read`, `right`.
    pub kind: String,
    /// The registered purpose.
    pub purpose: String,
    /// What was to be done.
    pub operation: Operation,
    /// `crm`, or the registered source.
    pub source: String,
    /// `permit` or `refusal`.
    pub outcome: String,
    /// Why refused.
    pub reasons: Vec<String>,
    /// On what basis permitted.
    pub bases: Vec<String>,
    /// Who received what was emitted.
    pub recipients: Vec<String>,
    /// What was to be fetched.
    pub url: Option<String>,
    /// Number of the entry in the log.
    pub leaf: u64,
}

/// Everything about one person.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Bundle {
    /// Format version.
    pub schema_version: u32,
    /// When it was made.
    #[schemars(with = "String")]
    pub made_at: Timestamp,
    /// Languages of its texts.
    pub languages: Vec<Language>,
    /// Whom it is about.
    pub subject: Subject,
    /// Art. 13(1)(a), 14(1)(a): who is responsible.
    pub controller: Controller,
    /// Art. 15(1)(a), (b), (d): purposes with bases, categories and periods.
    pub purposes: Vec<Purpose>,
    /// Art. 15(1)(g): where data come from.
    pub sources: Vec<Source>,
    /// Art. 15(1)(c) and (2): who receives them, by name, with transfer tool.
    pub recipients: Vec<Recipient>,
    /// Art. 15(1)(d): first collection and end of storage.
    pub retention: Retention,
    /// Art. 14: whether the person was informed.
    pub notice: Notice,
    /// Art. 15(1)(e): rights, by language.
    pub rights: Vec<BTreeMap<Language, String>>,
    /// Art. 15(1)(f): the right to complain, by language.
    pub complaint: BTreeMap<Language, String>,
    /// Art. 15(1)(h): profiling, its logic, significance and consequences.
    pub profiling: Profiling,
    /// The personas with the logic of every value.
    pub personas: Vec<ExplainedPersona>,
    /// The legal events, with the time when each became known.
    pub ledger: Vec<LedgerEntry>,
    /// What was put right.
    pub rectifications: Vec<RectificationEntry>,
    /// What was decided about the person.
    pub decisions: Vec<AccessDecision>,
    /// The row of the CRM, where an export was given.
    pub crm: Option<Vec<CrmField>>,
    /// Whether processing is restricted (Art. 18): then rows and personas are those of the sealed copy, if there was anything.
    pub restricted: bool,
    /// Recordings of the web that the home keeps, sealed; whom their pages name is not known, so all are listed.
    pub recordings: Vec<Recording>,
    /// Until when the home keeps, sealed, the state of a web page that was asked for about the person or their company, and
    /// what was permitted to be read of it, one entry a page; it need not be about the person. A right of the person
    /// destroys it.
    #[schemars(with = "Vec<String>")]
    pub pages: Vec<Timestamp>,
    /// Pipelines that keep keyed hashes of the person's rows in the CRM's exports, by which the next run finds out whether they
    /// have changed; they go with the next run that works on everybody, and with the erasure of anybody.
    pub row_hashes: Vec<String>,
    /// Every row of every table of every snapshot that is about the person.
    pub records: Vec<Record>,
}

/// Whom the bundle is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Subject {
    /// The keyed id.
    pub subject_id: String,
    /// Record ids of the CRM.
    pub crm_records: Vec<String>,
    /// Names of companies.
    pub companies: Vec<String>,
}

/// Who is responsible.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Controller {
    /// The name.
    pub name: String,
    /// Address, where it was given.
    pub address: Option<String>,
    /// Data protection officer, where given.
    pub data_protection: Option<String>,
    /// Supervisory authority, where given.
    pub authority: Option<String>,
}

/// A purpose under which something was asked for about the person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Purpose {
    /// Its name in the policy.
    pub name: String,
    /// For people.
    pub description: String,
    /// What may be done under it.
    pub operations: Vec<Operation>,
    /// Articles of the bases that it may rest on.
    pub bases: Vec<String>,
    /// Data categories.
    pub categories: Vec<String>,
    /// From first collection on.
    pub retention_days: u32,
    /// Names of recipients.
    pub recipients: Vec<String>,
    /// Interests pursued, Art. 13(1)(d), 14(2)(b).
    pub interests: Vec<Interest>,
}

/// A legitimate interest with its assessment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Interest {
    /// Id of the assessment.
    pub id: String,
    /// The interest.
    pub interest: Option<String>,
    /// Why it is necessary.
    pub necessity: Option<String>,
    /// Why it is not overridden.
    pub balancing: Option<String>,
}

/// Where data come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Source {
    /// `crm`, `rectification`, or the registered source.
    pub source: String,
    /// Its class.
    pub class: SourceClass,
    /// The host.
    pub host: Option<String>,
    /// When something was first found there.
    #[schemars(with = "String")]
    pub first: Timestamp,
    /// When something was last found there.
    #[schemars(with = "String")]
    pub last: Timestamp,
    /// How many findings are stored.
    pub findings: usize,
}

/// Who receives data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Recipient {
    /// The name.
    pub name: String,
    /// `EEA`, `adequate` or a country.
    pub region: String,
    /// Transfer tool of Art. 44 ff.
    pub transfer_tool: Option<String>,
    /// Purposes.
    pub purposes: Vec<String>,
    /// When a disclosure was permitted, by the log.
    #[schemars(with = "Vec<String>")]
    pub disclosed: Vec<Timestamp>,
}

/// Storage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Retention {
    /// First collection; its anchor.
    #[schemars(with = "Option<String>")]
    pub first_collected: Option<Timestamp>,
    /// End of storage by purpose.
    #[schemars(with = "BTreeMap<String, String>")]
    pub until: BTreeMap<String, Timestamp>,
}

/// A recording of the web pages of a run. Erasing any person destroys it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Recording {
    /// The run.
    pub run: String,
    /// The pipeline.
    pub pipeline: String,
    /// The instant at which the run stood.
    #[schemars(with = "String")]
    pub as_of: Timestamp,
    /// When it is destroyed at the latest; `None` = by number only.
    #[schemars(with = "Option<String>")]
    pub until: Option<Timestamp>,
    /// Its size in bytes.
    pub bytes: u64,
}

/// Art. 14.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Notice {
    /// `not_required`, `pending`, `given`; `None` where no persona says.
    pub status: Option<String>,
    /// When it is due at the latest.
    #[schemars(with = "Option<String>")]
    pub due: Option<Timestamp>,
    /// When it was given.
    #[schemars(with = "Vec<String>")]
    pub given: Vec<Timestamp>,
}

/// Art. 15(1)(h).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Profiling {
    /// Whether there is an estimate about the person.
    pub exists: bool,
    /// Whether anything is decided automatically (Art. 22): never.
    pub automated_decision: bool,
    /// The logic, by language.
    pub logic: BTreeMap<Language, String>,
    /// Significance and consequences, by language.
    pub consequences: BTreeMap<Language, String>,
}

/// A legal event.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct LedgerEntry {
    /// Its place in the ledger.
    pub entry: u64,
    /// When it became known.
    #[schemars(with = "String")]
    pub known_at: Timestamp,
    /// When it took effect.
    #[schemars(with = "String")]
    pub effective_at: Timestamp,
    /// `grant`, `withdraw`...
    pub kind: String,
    /// The article, for grants.
    pub basis: Option<String>,
    /// Purposes that it covers; empty in a negative event = everything.
    pub purposes: Vec<String>,
    /// The whole event.
    pub event: Value,
}

/// A rectification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RectificationEntry {
    /// What was put right.
    pub facet: String,
    /// The value, `remove` or `release`.
    pub value: String,
    /// Why.
    pub reason: Option<String>,
    /// From when on.
    #[schemars(with = "String")]
    pub at: Timestamp,
    /// `subject` or `controller`.
    pub by: String,
    /// The proof.
    pub evidence: Option<String>,
}

/// A field of the CRM.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CrmField {
    /// Its name.
    pub field: String,
    /// What stands there.
    pub value: String,
}

/// A row of a table.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Record {
    /// The pipeline.
    pub pipeline: String,
    /// The snapshot.
    pub run: String,
    /// The table.
    pub table: String,
    /// The row, column by column; of a buying center only the person's own membership.
    pub row: Map<String, Value>,
}

impl Bundle {
    /// The bundle as JSON, fields in the order above.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("a bundle has only string keys");
        text.push('\n');
        text
    }

    /// The JSON Schema of bundles.
    #[must_use]
    pub fn schema() -> Value {
        serde_json::to_value(schemars::schema_for!(Self)).expect("a schema is JSON")
    }
}
