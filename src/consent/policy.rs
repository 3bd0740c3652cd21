//! The policy file: purposes, assessments, sources, retention, notice. Its hash is part of every permit.
//!
//! Invariant: what is not written in the policy is not permitted.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::tz::Offset;
use jiff::{Timestamp, ToSpan};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::consent::event::LawfulBasis;
use crate::taxonomy::{Operation, SourceClass};

/// A policy file as it is written.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyFile {
    /// Format version: 1.
    pub version: u32,
    /// Short name.
    pub name: String,
    /// The controller in the sense of Art. 4(7) GDPR.
    pub controller: String,
    /// Who approved the policy, and when; without it everything is refused.
    pub approval: Option<Approval>,
    /// How long a permit may wait for its use.
    pub permit_ttl_seconds: u32,
    /// How old the last import of consents may be.
    pub consent_sync_max_age_hours: u32,
    /// Registered purposes by name; there is no wildcard.
    pub purposes: BTreeMap<String, Purpose>,
    /// Recipients by name.
    #[serde(default)]
    pub recipients: BTreeMap<String, Recipient>,
    /// Assessments by id.
    #[serde(default)]
    pub assessments: BTreeMap<String, Assessment>,
    /// Registered sources by id.
    pub sources: BTreeMap<String, RegisteredSource>,
    /// Art. 14 notice.
    pub notice: NoticeRule,
}

/// Who approved, and when.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// Name or function of the approver.
    pub by: String,
    /// ISO date.
    #[schemars(with = "String")]
    pub at: Date,
}

/// A registered purpose.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Purpose {
    /// For people.
    pub description: String,
    /// What may be done under it.
    pub operations: Vec<Operation>,
    /// Bases that may carry it; empty = the purpose never touches a person.
    pub bases: Vec<LawfulBasis>,
    /// Source classes it may use.
    pub source_classes: Vec<SourceClass>,
    /// Data categories it may use.
    pub data_categories: Vec<String>,
    /// From first collection on.
    pub retention_days: u32,
    /// Who receives the result.
    pub recipients: Vec<String>,
    /// The DPIA that it needs, by assessment id; a purpose that profiles always needs one.
    pub dpia: Option<String>,
}

/// Who receives results.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Recipient {
    /// `EEA`, `adequate`, or anything else with a transfer tool.
    pub region: String,
    /// Transfer tool of Art. 44 ff., for instance `scc-2021`.
    pub transfer_tool: Option<String>,
}

/// What was assessed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AssessmentKind {
    /// Legitimate-interest assessment.
    Lia,
    /// Data protection impact assessment.
    Dpia,
}

/// An LIA or a DPIA.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Assessment {
    /// Which of the two.
    pub kind: AssessmentKind,
    /// Purposes it covers.
    pub purposes: Vec<String>,
    /// Source classes it covers.
    pub source_classes: Vec<SourceClass>,
    /// LIA: the interest.
    pub interest: Option<String>,
    /// LIA: why it is necessary.
    pub necessity: Option<String>,
    /// LIA: why it is not overridden.
    pub balancing: Option<String>,
    /// Who approved it.
    pub approved_by: String,
    /// ISO date.
    #[schemars(with = "String")]
    pub approved_at: Date,
    /// ISO date; from this day on it covers nothing.
    #[schemars(with = "String")]
    pub expires_at: Date,
}

/// Who can see what a source shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Visibility {
    /// Anybody, without login.
    Public,
    /// Not known: refused.
    Unknown,
    /// Behind a login or limited to some: refused.
    Restricted,
}

/// What a source's terms say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Terms {
    /// The use is allowed.
    Allow,
    /// The use is forbidden.
    Forbid,
}

/// A registered source.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RegisteredSource {
    /// Its class.
    pub class: SourceClass,
    /// Who can see it.
    pub visibility: Visibility,
    /// Purposes it may serve.
    pub purposes: Vec<String>,
    /// What its terms say.
    pub terms: Terms,
    /// Where the terms stand.
    pub terms_url: Option<String>,
    /// Hosts it may ask; empty = the accounts' own hosts, for sources of the class `company_site` only.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// End of the processor contract, where there is one.
    #[schemars(with = "Option<String>")]
    pub contract_until: Option<Date>,
    /// Set when the source was taken out of use.
    #[serde(default)]
    pub revoked: bool,
}

/// Art. 14 clock.
#[derive(Debug, Clone, Copy, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoticeRule {
    /// Days from first collection; never more than a month, whatever is written here.
    pub days: u32,
}

/// A policy with its hash.
#[derive(Debug, Clone)]
pub struct Policy {
    file: PolicyFile,
    hash: String,
}

impl Policy {
    /// Seals a parsed file. The hash covers its content, not its comments.
    #[must_use]
    pub fn new(file: PolicyFile) -> Self {
        let canonical = serde_json::to_vec(&file).expect("a policy has only string keys");
        let hash = data_encoding::HEXLOWER.encode(&Sha256::digest(canonical));
        Self { file, hash }
    }

    /// The content.
    #[must_use]
    pub const fn file(&self) -> &PolicyFile {
        &self.file
    }

    /// SHA-256 of the content, hex.
    #[must_use]
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// A registered source.
    #[must_use]
    pub fn source(&self, id: &str) -> Option<&RegisteredSource> {
        self.file.sources.get(id)
    }

    /// Until which day (exclusive) a valid LIA covers the purpose and the source class; `None` = none does.
    #[must_use]
    pub fn lia_until(&self, purpose: &str, class: SourceClass, day: Date) -> Option<Date> {
        let valid = self.file.assessments.values().filter(|a| a.holds(AssessmentKind::Lia, purpose, class, day));
        valid.map(|a| a.expires_at).max()
    }

    /// Until which day (exclusive) the DPIA with this id covers the purpose and the source class.
    #[must_use]
    pub fn dpia_until(&self, id: &str, purpose: &str, class: SourceClass, day: Date) -> Option<Date> {
        let named = self.file.assessments.get(id)?;
        named.holds(AssessmentKind::Dpia, purpose, class, day).then_some(named.expires_at)
    }

    /// End of retention for something first collected at `collected_at`.
    #[must_use]
    pub fn retain_until(&self, purpose: &str, collected_at: Timestamp) -> Option<Timestamp> {
        let days = self.file.purposes.get(purpose)?.retention_days;
        collected_at.checked_add((i64::from(days) * 24).hours()).ok()
    }

    /// When the Art. 14 notice is due: after the policy's days, and never later than a month.
    #[must_use]
    pub fn notice_due(&self, collected_at: Timestamp) -> Timestamp {
        let by_rule = collected_at.checked_add((i64::from(self.file.notice.days) * 24).hours());
        let month =
            Offset::UTC.to_datetime(collected_at).checked_add(1.month()).and_then(|d| Offset::UTC.to_timestamp(d));
        match (by_rule, month) {
            (Ok(rule), Ok(month)) => rule.min(month),
            // Beyond the end of the calendar: the other limit holds.
            (Ok(one), Err(_)) | (Err(_), Ok(one)) => one,
            (Err(_), Err(_)) => collected_at,
        }
    }
}

impl Assessment {
    fn holds(&self, kind: AssessmentKind, purpose: &str, class: SourceClass, day: Date) -> bool {
        self.kind == kind
            && self.covers(purpose, class)
            && self.approved_at <= day
            && day < self.expires_at
            && self.is_complete()
    }

    fn covers(&self, purpose: &str, class: SourceClass) -> bool {
        self.purposes.iter().any(|p| p == purpose) && self.source_classes.contains(&class)
    }

    /// R6: an LIA names interest, necessity and balancing.
    fn is_complete(&self) -> bool {
        let filled = |f: &Option<String>| f.as_deref().is_some_and(|s| !s.trim().is_empty());
        !self.approved_by.trim().is_empty()
            && (self.kind == AssessmentKind::Dpia
                || (filled(&self.interest) && filled(&self.necessity) && filled(&self.balancing)))
    }
}
