//! What follows from a policy file and is the same for every decision: worked out once, when the policy is sealed.
//!
//! Invariant: derived from the file alone; no decision computes any of it again.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;
use sha2::{Digest, Sha256};

use crate::consent::case::PROFILING;
use crate::consent::category;
use crate::consent::policy::{Assessment, PolicyFile, Purpose, RegisteredSource};
use crate::taxonomy::{Operation, Trait};

/// Parts of names that no purpose may carry: recruitment, employment, credit and insurance cannot be asked for (R24).
const PROHIBITED_PURPOSE_WORDS: &[&str] = &[
    "recruit",
    "employ",
    "hiring",
    "applicant",
    "bewerb",
    "personalauswahl",
    "einstellungsverf",
    "headhunt",
    "credit",
    "kredit",
    "bonit",
    "insurance",
    "versicherung",
    "*",
];

/// Of a whole policy.
#[derive(Debug, Clone)]
pub(in crate::consent) struct Rules {
    /// From when on the policy is approved.
    pub approved_from: Option<Timestamp>,
    /// Whoever approved it has a name.
    pub has_approver: bool,
    /// By name, for every purpose of the file.
    pub purposes: BTreeMap<String, PurposeRules>,
    /// By id, for every source of the file.
    pub sources: BTreeMap<String, SourceRules>,
    /// By id, for every assessment of the file.
    pub assessments: BTreeMap<String, AssessmentRules>,
    /// Every data category that some purpose lists.
    pub categories: BTreeSet<String>,
    /// The region of every recipient.
    pub regions: BTreeSet<String>,
    /// Hosts that some source registers: platforms, not companies' own sites.
    pub platforms: HashSet<String>,
    /// Hash of the vocabulary of traits that this program can read.
    pub trait_list: String,
}

/// Of one purpose.
#[derive(Debug, Clone)]
pub(in crate::consent) struct PurposeRules {
    /// Its name speaks of something that cannot be asked for.
    pub has_prohibited_name: bool,
    /// It lists a category that no policy can register.
    pub has_prohibited_category: bool,
    /// It is about traits, motives or preferences.
    pub profiles: bool,
}

/// Of one source.
#[derive(Debug, Clone)]
pub(in crate::consent) struct SourceRules {
    /// The instant at which the processor contract ends, with its last day.
    pub contract_end: Option<Timestamp>,
    /// Hash of id and registration.
    pub hash: String,
}

/// Of one assessment.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is asked for by a check of its own")]
pub(in crate::consent) struct AssessmentRules {
    /// The instant at which it begins to cover.
    pub from: Timestamp,
    /// The instant from which on it covers nothing.
    pub until: Timestamp,
    /// Somebody with a name approved it.
    pub has_approver: bool,
    /// The interest is written down.
    pub has_interest: bool,
    /// The necessity is written down.
    pub has_necessity: bool,
    /// The balancing is written down.
    pub has_balancing: bool,
}

impl Rules {
    pub fn of(file: &PolicyFile) -> Self {
        let hosts = file.sources.values().flat_map(|s| s.hosts.iter().cloned());
        Self {
            approved_from: file.approval.as_ref().map(|a| start_of_day(a.at)),
            has_approver: file.approval.as_ref().is_some_and(|a| !a.by.trim().is_empty()),
            purposes: file.purposes.iter().map(|(name, p)| (name.clone(), PurposeRules::of(name, p))).collect(),
            sources: file.sources.iter().map(|(id, s)| (id.clone(), SourceRules::of(id, s))).collect(),
            assessments: file.assessments.iter().map(|(id, a)| (id.clone(), AssessmentRules::of(a))).collect(),
            categories: file.purposes.values().flat_map(|p| p.data_categories.iter().cloned()).collect(),
            regions: file.recipients.values().map(|r| r.region.clone()).collect(),
            platforms: hosts.collect(),
            trait_list: trait_list_hash(),
        }
    }
}

impl PurposeRules {
    fn of(name: &str, purpose: &Purpose) -> Self {
        Self {
            has_prohibited_name: is_prohibited_purpose(name),
            has_prohibited_category: purpose.data_categories.iter().any(|c| category::is_prohibited(c)),
            profiles: name == PROFILING || purpose.operations.contains(&Operation::Profile),
        }
    }
}

impl SourceRules {
    fn of(id: &str, source: &RegisteredSource) -> Self {
        Self { contract_end: source.contract_until.map(end_of_day), hash: source_hash(id, source) }
    }
}

impl AssessmentRules {
    fn of(assessment: &Assessment) -> Self {
        let filled = |text: &Option<String>| text.as_deref().is_some_and(|t| !t.trim().is_empty());
        Self {
            from: start_of_day(assessment.approved_at),
            until: start_of_day(assessment.expires_at),
            has_approver: !assessment.approved_by.trim().is_empty(),
            has_interest: filled(&assessment.interest),
            has_necessity: filled(&assessment.necessity),
            has_balancing: filled(&assessment.balancing),
        }
    }
}

/// Whether a purpose of this name cannot be asked for, registered or not.
#[must_use]
pub fn is_prohibited_purpose(name: &str) -> bool {
    let lower = name.to_lowercase();
    PROHIBITED_PURPOSE_WORDS.iter().any(|word| lower.contains(word))
}

/// SHA-256 of the vocabulary of traits, hex: what a DPIA names in `trait_list`.
#[must_use]
pub fn trait_list_hash() -> String {
    let names: Vec<&str> = Trait::ALL.iter().map(|t| t.as_str()).collect();
    data_encoding::HEXLOWER.encode(&Sha256::digest(names.join("\n")))
}

/// SHA-256 of a source's id and registration, hex: what a DPIA names in `sources`.
#[must_use]
pub fn source_hash(id: &str, source: &RegisteredSource) -> String {
    let canonical = serde_json::to_vec(&(id, source)).expect("a source has only string keys");
    data_encoding::HEXLOWER.encode(&Sha256::digest(canonical))
}

/// Midnight at which a day begins, UTC.
pub(in crate::consent) fn start_of_day(day: Date) -> Timestamp {
    Offset::UTC.to_timestamp(day.at(0, 0, 0, 0)).unwrap_or(Timestamp::MIN)
}

/// Midnight at which a day ends, UTC.
pub(in crate::consent) fn end_of_day(day: Date) -> Timestamp {
    day.tomorrow().map_or(Timestamp::MAX, start_of_day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_the_list_prohibits_a_purpose() {
        for word in PROHIBITED_PURPOSE_WORDS {
            assert!(is_prohibited_purpose(&format!("x_{}_y", word.to_uppercase())), "{word}");
        }
        for name in ["persona_enrichment", "profiling", "company_research", "opt_out_check", "account_planning"] {
            assert!(!is_prohibited_purpose(name), "{name}");
        }
    }
}
