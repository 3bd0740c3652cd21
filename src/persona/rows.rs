//! The rows of the `personas`, `accounts` and `buying_centers` tables, as the line hands them to the sink.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::Serialize;

use crate::model::{AccountId, PermitId, SubjectId};
use crate::taxonomy::{
    BuyingRole, Channel, Facet, FacetStatus, JobFunction, Motive, PurchasePhase, Seniority, SigningPower, Tier, Trait,
};

/// A row of `personas`.
#[derive(Debug, Clone, PartialEq)]
pub struct Persona {
    /// Whom it describes.
    pub subject_id: SubjectId,
    /// The CRM's record id, to bring the result back to the CRM.
    pub crm_record: String,
    /// The company.
    pub account_id: Option<AccountId>,
    /// The instant for which it holds.
    pub as_of: Timestamp,
    /// Primary function.
    pub job_function: Facet<JobFunction>,
    /// Further functions, most probable first.
    pub secondary_functions: Vec<JobFunction>,
    /// Level.
    pub seniority: Facet<Seniority>,
    /// Power to sign.
    pub signing_power: Facet<SigningPower>,
    /// Every role of the buying center, in canonical order.
    pub buying_roles: Vec<RoleScore>,
    /// Every trait, in canonical order.
    pub traits: Vec<TraitScore>,
    /// Professional goals.
    pub goals: Vec<Named>,
    /// What moves the person.
    pub motives: Vec<MotiveScore>,
    /// Preferred channel by phase, every phase, in canonical order.
    pub channels: Vec<ChannelPreference>,
    /// Context of the position: `competitive_pressure`, `company_development`, `innovation`,
    /// `digital_maturity`, `internal_adaptation`.
    pub context: Vec<Named>,
    /// How the person buys.
    pub buying_behaviour: Vec<Named>,
    /// Where the person looks for information.
    pub information_behaviour: Vec<Named>,
    /// How the person does not want to be reached.
    pub avoided_channels: Vec<Named>,
    /// What the person asks of an offer, by buying role.
    pub requirements: Vec<Named>,
    /// `says`, `does`, `pains`, `gains`; `thinks` and `feels` exist per segment only.
    pub empathy_map: Vec<Named>,
    /// For each value with status `study_prior`, the study that it comes from.
    pub study_priors: Vec<StudyPrior>,
    /// For each value with status `segment`, the segment that it comes from; sorted by facet and value.
    pub segment_values: Vec<SegmentValue>,
    /// How deeply the persona was researched.
    pub tier: Tier,
    /// Under what law the row stands.
    pub legal: Legal,
}

/// From which probability a role is held, so that what the role asks is told.
const HOLDS: f64 = 0.5;

impl Persona {
    /// Whether the person is held to have the buying role of this name.
    pub(super) fn holds(&self, role: &str) -> bool {
        self.buying_roles.iter().any(|r| r.role.as_str() == role && r.probability >= Some(HOLDS))
    }

    /// Whether what a run counts as known is known: function, level, and a buying role that the person is held to have.
    pub(crate) fn known(&self) -> [(&'static str, bool); 3] {
        let role = |r: &RoleScore| r.status == FacetStatus::Known && r.probability >= Some(HOLDS);
        [
            ("job_function", self.job_function.status == FacetStatus::Known),
            ("seniority", self.seniority.status == FacetStatus::Known),
            ("buying_role", self.buying_roles.iter().any(role)),
        ]
    }
}

/// Probability of one buying role.
#[derive(Debug, Clone, PartialEq)]
pub struct RoleScore {
    /// The role.
    pub role: BuyingRole,
    /// `None` where abstained.
    pub probability: Option<f64>,
    /// Why there is, or is no, probability.
    pub status: FacetStatus,
}

/// One trait.
#[derive(Debug, Clone, PartialEq)]
pub struct TraitScore {
    /// The trait.
    pub r#trait: Trait,
    /// In [-1, 1]; `None` where abstained.
    pub score: Option<f64>,
    /// In [0, 1]; `None` where abstained; with status `segment` the share of the segment at the score's pole.
    pub confidence: Option<f64>,
    /// Why there is, or is no, score.
    pub status: FacetStatus,
    /// How many signals it rests on.
    pub n_evidence: u32,
}

/// One motive.
#[derive(Debug, Clone, PartialEq)]
pub struct MotiveScore {
    /// The motive.
    pub motive: Motive,
    /// In [0, 1]; `None` where abstained; with status `segment` the share of the segment that it moves.
    pub confidence: Option<f64>,
    /// Why there is, or is no, confidence.
    pub status: FacetStatus,
}

/// Preferred channel in a phase.
#[derive(Debug, Clone, PartialEq)]
pub struct ChannelPreference {
    /// The phase.
    pub phase: PurchasePhase,
    /// `None` where abstained.
    pub channel: Option<Channel>,
    /// Why there is, or is no, channel.
    pub status: FacetStatus,
}

/// A named value with its status. Almost all are words of the vocabularies, and a persona has dozens.
#[derive(Debug, Clone, PartialEq)]
pub struct Named {
    /// What is valued.
    pub name: Cow<'static, str>,
    /// `None` where abstained.
    pub value: Option<Cow<'static, str>>,
    /// Why there is, or is no, value.
    pub status: FacetStatus,
}

/// A value that is no evidence about the person but what a study says of their segment or role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StudyPrior {
    /// `channel.PHASE`, or `requirement.ROLE`.
    pub facet: Cow<'static, str>,
    /// The value that stands in that column.
    pub value: Cow<'static, str>,
    /// Id of the study, a file of `config/studies`.
    pub study: Cow<'static, str>,
}

/// A value that is no evidence about the person but what holds for most of those of their segment of whom it is known.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SegmentValue {
    /// `trait.TRAIT`, `channel.PHASE`, `requirement.ROLE`, `motive`, `goal`, `buying_behaviour`, `information_behaviour`,
    /// `avoided_channel`.
    pub facet: String,
    /// The value that stands in that column; the score of a trait with sign and two decimals.
    pub value: String,
    /// The segment: function, group of levels, industry, size; parts that were dropped are missing.
    pub segment: String,
    /// How many people of the segment have it.
    pub persons: u32,
    /// Of how many people of the segment the facet is known.
    pub of_persons: u32,
    /// `persons / of_persons`.
    pub share: f64,
}

impl SegmentValue {
    /// Of whom it holds, in words: never of the whole segment, of most of which it may be unknown.
    #[must_use]
    pub fn of_whom(&self) -> String {
        format!("{} of the {} of whom it is known in {}", self.persons, self.of_persons, self.segment)
    }
}

/// The legal columns of a persona.
#[derive(Debug, Clone, PartialEq)]
pub struct Legal {
    /// Lawful bases of the Emit permit, for instance `6(1)(a)`.
    pub basis: Vec<String>,
    /// The Emit permit.
    pub permit_id: PermitId,
    /// Art. 14 state: `not_required`, `pending`, `given`.
    pub notice_status: String,
    /// End of retention, anchored at first collection.
    pub retain_until: Timestamp,
}

/// A row of `accounts`.
#[derive(Debug, Clone, PartialEq)]
pub struct AccountRow {
    /// The company.
    pub account_id: AccountId,
    /// The CRM's record id.
    pub crm_record: String,
    /// Name with legal form.
    pub name: String,
    /// Site.
    pub domain: Option<String>,
    /// ISO 3166-1 alpha-2.
    pub country: Option<String>,
    /// City.
    pub city: Option<String>,
    /// Industry in the CRM's words.
    pub industry: Option<String>,
    /// NACE Rev. 2 code.
    pub nace: Option<String>,
    /// Head count.
    pub employees: Option<u32>,
    /// Size class by EU 2003/361/EC: `micro`, `small`, `medium`, `large`.
    pub size_class: Option<String>,
    /// Yearly revenue in EUR.
    pub revenue_eur: Option<f64>,
    /// Legal form.
    pub legal_form: Option<String>,
    /// Commercial register entry as the imprint states it.
    pub register: Option<String>,
    /// VAT id as the imprint states it.
    pub vat_id: Option<String>,
    /// Years since foundation at `as_of`.
    pub age_years: Option<u16>,
    /// Innovation.
    pub innovation: Facet<String>,
    /// Digital maturity.
    pub digital_maturity: Facet<String>,
    /// Competitive pressure.
    pub competitive_pressure: Facet<String>,
    /// `growth`, `restructuring` or `stable`.
    pub development: Facet<String>,
    /// `single_decider`, `few`, `committee`.
    pub decision_style: Facet<String>,
    /// Bits that the known personas add over the prior of the segment; `None` where nothing is known.
    pub segment_information_value: Option<f64>,
    /// Contacts of the company with a persona.
    pub n_personas: u32,
}

/// A row of `buying_centers`: a company and a role.
#[derive(Debug, Clone, PartialEq)]
pub struct BuyingCenterRow {
    /// The company.
    pub account_id: AccountId,
    /// The role.
    pub role: BuyingRole,
    /// Who has it, most probable first.
    pub members: Vec<Member>,
    /// Whether somebody known has the role.
    pub coverage: FacetStatus,
    /// How many people one expects in this role at a company of this size.
    pub expected_size: f64,
    /// 1 = one person decides alone, towards 0 = evenly spread (Herfindahl index of decider probabilities).
    pub concentration: Option<f64>,
    /// The question that would tell most; `None` where the role is filled.
    pub next_best_question: Option<String>,
}

/// A member of a buying center.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// The person.
    pub subject_id: SubjectId,
    /// That they have the role.
    pub probability: f64,
}
