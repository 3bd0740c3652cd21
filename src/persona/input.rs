//! What fusion is given: everything it knows comes in here, so that equal inputs give equal personas.
//!
//! Invariant: plain borrowed data; no clock, no I/O, no lookup.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::pool::Frame;
use super::rectified::Rectification;
use super::rows::{Legal, SegmentValue};
use crate::model::{Account, Signal, SubjectId};
use crate::taxonomy::{FacetStatus, JobFunction, SourceClass, Tier};

/// How dear the offering is for a customer of middling size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PriceBand {
    /// Bought without asking anybody, such as C-parts.
    Low,
    /// Within a department's budget.
    Medium,
    /// An investment that somebody must release.
    High,
    /// An investment for the whole company.
    VeryHigh,
}

/// Three steps of complexity or of internal adaptation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Little.
    Low,
    /// Some.
    Medium,
    /// Much.
    High,
}

/// What is to be sold; decides who is user, buyer, influencer, decider and gatekeeper.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Offering {
    /// Name, for the questions that are asked.
    #[serde(default)]
    pub name: String,
    /// Free word such as `machine`, `software`, `service`, `c_parts`; weights may name it.
    pub category: String,
    /// Functions that will work with it.
    pub used_by: Vec<JobFunction>,
    /// Functions that will run or maintain it.
    pub run_by: Vec<JobFunction>,
    /// How dear it is.
    pub price_band: PriceBand,
    /// How hard it is to judge.
    pub complexity: Level,
    /// How much the customer must change inside.
    pub adaptation: Level,
}

/// The groups of columns of a persona that a source can feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FacetKind {
    /// `job_function` and `secondary_functions`.
    JobFunction,
    /// `seniority`.
    Seniority,
    /// `signing_power`.
    SigningPower,
    /// `buying_roles`, by explicit statements.
    BuyingRoles,
    /// `traits`.
    Traits,
    /// `goals`.
    Goals,
    /// `motives`.
    Motives,
    /// `channels`.
    Channels,
    /// `context`.
    Context,
    /// `requirements`.
    Requirements,
    /// `empathy_map`.
    EmpathyMap,
    /// `buying_behaviour`.
    BuyingBehaviour,
    /// `information_behaviour`.
    InformationBehaviour,
}

impl FacetKind {
    /// What a source of the class could have fed, had it not been refused.
    #[must_use]
    pub const fn fed_by(class: SourceClass) -> &'static [Self] {
        use FacetKind::{
            BuyingBehaviour, BuyingRoles, Channels, Context, EmpathyMap, Goals, InformationBehaviour, JobFunction,
            Motives, Requirements, Seniority, SigningPower, Traits,
        };
        match class {
            SourceClass::Crm => &[
                JobFunction,
                Seniority,
                SigningPower,
                BuyingRoles,
                Traits,
                Goals,
                Motives,
                Channels,
                EmpathyMap,
                Requirements,
                BuyingBehaviour,
                InformationBehaviour,
            ],
            SourceClass::CompanySite => &[JobFunction, Seniority, SigningPower, Context],
            SourceClass::PublicRegister => &[SigningPower],
            SourceClass::PublicProfessional => &[
                JobFunction,
                Seniority,
                Traits,
                Goals,
                Motives,
                Channels,
                EmpathyMap,
                Requirements,
                BuyingBehaviour,
                InformationBehaviour,
            ],
            SourceClass::PublicSocial => {
                &[Traits, Goals, Motives, Channels, EmpathyMap, Requirements, BuyingBehaviour, InformationBehaviour]
            }
            SourceClass::News => &[JobFunction, Seniority, Context],
            SourceClass::LoginOrRestricted => &[],
        }
    }
}

/// Everything that one persona is made of.
#[derive(Debug, Clone)]
pub struct FusionInput<'a> {
    /// Whom it describes.
    pub subject: &'a SubjectId,
    /// The CRM's record id.
    pub crm_record: &'a str,
    /// When the CRM record was last changed: the age of what the CRM says. `None` = unknown.
    pub crm_updated_at: Option<Timestamp>,
    /// The company, where known.
    pub account: Option<&'a Account>,
    /// Signals about the person, and about the company for the context; others are left out.
    pub signals: &'a [Signal],
    /// The instant for which the persona holds.
    pub as_of: Timestamp,
    /// What is to be sold.
    pub offering: &'a Offering,
    /// Whether traits, motives, goals and preferences of the person may be derived.
    pub profiling_allowed: bool,
    /// Whether the gate was asked for that leave and refused: then no study speaks in the person's stead either.
    pub profiling_refused: bool,
    /// Facets that a refused source would have fed: `no_consent` where nothing else feeds them.
    pub refused: &'a [FacetKind],
    /// Whether a page was set aside because it may be about somebody else.
    pub identity_uncertain: bool,
    /// What has been put right (Art. 16): overrides whatever signals say.
    pub rectified: &'a [Rectification],
    /// What holds for the person's segment, where it is known already: a run finds it out last.
    pub segment_values: &'a [SegmentValue],
    /// How deeply the person was researched.
    pub tier: Tier,
    /// The legal columns.
    pub legal: Legal,
    /// From which probability a facet is `known`, in (0, 1).
    pub min_probability: f64,
    /// After how many days half of what was true then still is.
    pub half_life_days: f64,
}

impl FusionInput<'_> {
    pub(super) const fn frame(&self) -> Frame {
        Frame {
            as_of: self.as_of,
            crm_updated_at: self.crm_updated_at,
            half_life_days: self.half_life_days,
            min_probability: self.min_probability,
        }
    }

    /// Why a facet that no signal feeds is empty.
    pub(super) fn empty(&self, kind: FacetKind) -> FacetStatus {
        if self.refused.contains(&kind) {
            FacetStatus::NoConsent
        } else if self.identity_uncertain {
            FacetStatus::IdentityUncertain
        } else {
            FacetStatus::InsufficientEvidence
        }
    }
}
