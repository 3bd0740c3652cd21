//! Portability (Art. 20 GDPR): what the person provided, as JSON that another controller can read.
//!
//! Invariant: consents that the person gave or took back, the data of the CRM, rectifications that the person asked for;
//! nothing that was found elsewhere or inferred.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::consent::event::EventKind;
use crate::consent::ledger::LedgerView;
use crate::model::SubjectId;
use crate::persona::rectified::{By, Rectification};
use crate::rights::access::CrmField;

/// The format of exports.
pub const SCHEMA_VERSION: u32 = 1;

/// What a person provided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Portable {
    /// Format version.
    pub schema_version: u32,
    /// When it was made.
    #[schemars(with = "String")]
    pub made_at: Timestamp,
    /// Who hands it out.
    pub controller: String,
    /// The keyed id.
    pub subject_id: String,
    /// Declarations of the person, oldest first.
    pub declarations: Vec<Declaration>,
    /// The person's data in the CRM, where an export was given.
    pub crm: Vec<ProvidedField>,
    /// What the person put right.
    pub rectifications: Vec<ProvidedRectification>,
}

/// A consent, a refusal, a withdrawal, an objection or a request for restriction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Declaration {
    /// `grant`, `refuse`, `withdraw`, `object`, `restrict`.
    pub kind: String,
    /// Purposes; empty = everything.
    pub purposes: Vec<String>,
    /// From when on.
    #[schemars(with = "String")]
    pub at: Timestamp,
    /// Until when.
    #[schemars(with = "Option<String>")]
    pub until: Option<Timestamp>,
    /// How it was given.
    pub method: Option<String>,
    /// The notice that was shown.
    pub notice: Option<String>,
    /// Hash of its wording.
    pub wording_hash: Option<String>,
    /// Its language.
    pub language: Option<String>,
}

/// A field of the CRM.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProvidedField {
    /// Its name.
    pub field: String,
    /// What stands there.
    pub value: String,
}

/// A rectification that the person asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProvidedRectification {
    /// What was put right.
    pub facet: String,
    /// The value, `remove` or `release`.
    pub value: String,
    /// Why.
    pub reason: Option<String>,
    /// From when on.
    #[schemars(with = "String")]
    pub at: Timestamp,
}

/// Fields of the CRM that a person provides; others (flags, bases, times, record ids) are the controller's own.
const PROVIDED: [&str; 6] = ["given_name", "family_name", "job_title", "language", "country", "email"];

/// Why an export cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum PortableError {
    /// Not the format of this version. What it holds is not shown.
    #[error("not an export of schema version {SCHEMA_VERSION}")]
    Format,
}

/// Collects what a person provided.
#[must_use]
pub fn portable(
    controller: &str,
    subject: &SubjectId,
    ledger: &LedgerView,
    rectified: &[Rectification],
    crm: &[CrmField],
    now: Timestamp,
) -> Portable {
    let mut declarations: Vec<Declaration> =
        ledger.events(subject).unwrap_or_default().iter().filter_map(declaration).collect();
    declarations.sort_by(|a, b| a.at.cmp(&b.at).then_with(|| a.kind.cmp(&b.kind)));
    let provided = |f: &&CrmField| PROVIDED.contains(&f.field.as_str()) || f.field.starts_with("handle.");
    Portable {
        schema_version: SCHEMA_VERSION,
        made_at: now,
        controller: controller.to_owned(),
        subject_id: subject.to_string(),
        declarations,
        crm: crm
            .iter()
            .filter(provided)
            .map(|f| ProvidedField { field: f.field.clone(), value: f.value.clone() })
            .collect(),
        rectifications: rectified
            .iter()
            .filter(|r| r.by == By::Subject)
            .map(|r| ProvidedRectification {
                facet: r.correction.facet(),
                value: r.correction.value(),
                reason: r.reason.clone(),
                at: r.at,
            })
            .collect(),
    }
}

/// What the person declared; a legitimate interest is the controller's and no declaration.
fn declaration(e: &crate::consent::event::LegalEvent) -> Option<Declaration> {
    use crate::consent::event::LawfulBasis;
    let kind = match e.kind {
        EventKind::Grant if e.basis != Some(LawfulBasis::LegitimateInterest) => "grant",
        EventKind::Refuse => "refuse",
        EventKind::Withdraw => "withdraw",
        EventKind::Object => "object",
        EventKind::Restrict => "restrict",
        _ => return None,
    };
    Some(Declaration {
        kind: kind.to_owned(),
        purposes: e.scope.purposes.iter().cloned().collect(),
        at: e.effective_at(),
        until: e.valid_to,
        method: e.proof.method.clone(),
        notice: e.proof.notice_id.clone(),
        wording_hash: e.proof.wording_hash.clone(),
        language: e.proof.language.clone(),
    })
}

impl Portable {
    /// The export as JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("plain data");
        text.push('\n');
        text
    }

    /// Reads an export.
    ///
    /// # Errors
    /// It is of another version, or no export.
    pub fn from_json(text: &str) -> Result<Self, PortableError> {
        let read: Self = serde_json::from_str(text).map_err(|_| PortableError::Format)?;
        if read.schema_version == SCHEMA_VERSION { Ok(read) } else { Err(PortableError::Format) }
    }

    /// The JSON Schema of exports.
    #[must_use]
    pub fn schema() -> serde_json::Value {
        serde_json::to_value(schemars::schema_for!(Self)).expect("a schema is JSON")
    }
}
