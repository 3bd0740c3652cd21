//! The policy file: purposes, assessments, sources, retention, notice. Its hash is part of every permit.
//!
//! Invariant: what is not written in the policy is not permitted.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp, ToSpan};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use sha2::{Digest, Sha256};

use crate::consent::event::LawfulBasis;
use crate::consent::policy_rules::Rules;
pub use crate::consent::policy_rules::{source_hash, trait_list_hash};
use crate::taxonomy::{Operation, SourceClass, Trait};

/// The purpose under which traits, motives and preferences of a person may be read, and no other.
pub const PROFILING: &str = "profiling";

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
    /// How long a permit may wait for its use; at most 31 days.
    #[schemars(range(max = 2_678_400))]
    pub permit_ttl_seconds: u32,
    /// How old the last import of consents may be; at most a year.
    #[schemars(range(max = 8784))]
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
    #[serde(deserialize_with = "day")]
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
    /// From first collection on; at least a day, at most a century.
    #[schemars(range(min = 1, max = 36500))]
    pub retention_days: u32,
    /// Who receives the result.
    pub recipients: Vec<String>,
    /// The DPIA that it needs, by assessment id; a purpose that profiles always needs one.
    pub dpia: Option<String>,
    /// Results decide about people by themselves (Art. 22): everything under such a purpose is refused.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub automated_decision: bool,
    /// How old evidence may be; none = no limit. Age beyond it refuses, whatever it does to a probability.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 36500))]
    pub evidence_max_age_days: Option<u32>,
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
    #[serde(deserialize_with = "day")]
    pub approved_at: Date,
    /// ISO date; from this day on it covers nothing.
    #[schemars(with = "String")]
    #[serde(deserialize_with = "day")]
    pub expires_at: Date,
    /// Data categories it covers; none = those of its purposes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_categories: Option<Vec<String>>,
    /// Traits it names: legitimate interest carries those only that both the LIA and the DPIA name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub traits: Vec<Trait>,
    /// DPIA: hashes of the models (extractors and lexicons) it approves; none = whichever is used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub models: Option<Vec<String>>,
    /// DPIA: hash of the vocabulary of traits it approves; none = whichever is used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trait_list: Option<String>,
    /// DPIA: hashes of the registrations of the sources it approves; none = whichever its classes cover.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sources: Option<Vec<String>>,
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
    #[serde(default, deserialize_with = "some_day")]
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
    #[schemars(range(max = 36500))]
    pub days: u32,
}

fn read_day<E: serde::de::Error>(text: &str) -> Result<Date, E> {
    text.parse().map_err(|_| E::custom(format_args!("{text:?} is no day; write one such as 2027-01-31")))
}

fn day<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Date, D::Error> {
    read_day(&String::deserialize(deserializer)?)
}

fn some_day<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Date>, D::Error> {
    Option::<String>::deserialize(deserializer)?.map(|text| read_day(&text)).transpose()
}

/// A policy with its hash.
#[derive(Debug, Clone)]
pub struct Policy {
    file: PolicyFile,
    hash: String,
    rules: Rules,
}

impl Policy {
    /// Seals a parsed file. The hash covers its content, not its comments.
    #[must_use]
    pub fn new(file: PolicyFile) -> Self {
        let canonical = serde_json::to_vec(&file).expect("a policy has only string keys");
        let hash = data_encoding::HEXLOWER.encode(&Sha256::digest(canonical));
        let rules = Rules::of(&file);
        Self { file, hash, rules }
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

    /// What follows from the content.
    pub(in crate::consent) const fn rules(&self) -> &Rules {
        &self.rules
    }

    /// End of retention for something first collected at `collected_at`.
    #[must_use]
    pub fn retain_until(&self, purpose: &str, collected_at: Timestamp) -> Option<Timestamp> {
        let days = self.file.purposes.get(purpose)?.retention_days;
        after_days(collected_at, days)
    }

    /// When the Art. 14 notice is due: after the policy's days, and never later than a month.
    #[must_use]
    pub fn notice_due(&self, collected_at: Timestamp) -> Timestamp {
        let by_rule = after_days(collected_at, self.file.notice.days);
        let month = Offset::UTC.to_datetime(collected_at).checked_add(1.month()).ok();
        let month = month.and_then(|d| Offset::UTC.to_timestamp(d).ok());
        // Beyond the end of the calendar: the other limit holds.
        [by_rule, month].into_iter().flatten().min().unwrap_or(collected_at)
    }
}

/// So many days of 24 hours later; `None` beyond the end of the calendar.
pub(in crate::consent) fn after_days(from: Timestamp, days: u32) -> Option<Timestamp> {
    from.checked_add(SignedDuration::from_hours(i64::from(days) * 24)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Beyond the end of the calendar a retention would be none at all, and everything refused without a word.
    #[test]
    fn spans_of_time_have_bounds() {
        let demo = include_str!("../../config/policy/demo.yaml");
        let told = |old: &str, new: &str| {
            assert!(demo.contains(old), "{old}");
            let found = crate::config::load_document::<PolicyFile>(&demo.replacen(old, new, 1), "p.yaml").err();
            found.unwrap_or_default().iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
        };
        let retention = "retention_days: 730";
        assert_eq!(told(retention, "retention_days: 36500"), "");
        for (old, new, expected) in [
            (
                retention,
                "retention_days: 36501",
                "p.yaml:19:21: error: 36501 is out of range, expected a number from 1",
            ),
            (
                retention,
                "retention_days: 999999999",
                "p.yaml:19:21: error: 999999999 is out of range, expected a number",
            ),
            (retention, "retention_days: 99999999999999999999", "p.yaml:19:21: error: "),
            (
                retention,
                "retention_days: 0",
                "p.yaml:19:21: error: 0 is out of range, expected a number from 1 to 36500",
            ),
            (retention, "retention_days: -1", "p.yaml:19:21: error: -1 is out of range"),
            (
                retention,
                "retention_days: 730\n    evidence_max_age_days: 4000000000",
                "p.yaml:20:28: error: 4000000000 is out of range",
            ),
            ("permit_ttl_seconds: 3600", "permit_ttl_seconds: 4000000000", "p.yaml:9:21: error: 4000000000 is out of"),
            (
                "consent_sync_max_age_hours: 48",
                "consent_sync_max_age_hours: 99999",
                "p.yaml:10:29: error: 99999 is out of range, expected a number from 0 to 8784",
            ),
        ] {
            let found = told(old, new);
            assert!(found.starts_with(expected), "{new}: {found}");
        }
    }
}
