//! The closed vocabularies of the product, version 1.
//!
//! Invariant: every value that can appear in a table is a variant here; special categories
//! (Art. 9 and 10 GDPR) have no variant and so cannot be represented.

use serde::{Deserialize, Serialize};

/// The version of the vocabularies, written into the metadata of every table.
pub const VERSION: &str = "1";

/// A name that is not part of a closed vocabulary.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{given:?} is not a {vocabulary}; known are: {known}")]
pub struct UnknownTerm {
    /// What was given.
    pub given: String,
    /// The vocabulary that was asked.
    pub vocabulary: &'static str,
    /// Its terms, joined by commas.
    pub known: String,
}

/// A closed list of terms with one canonical spelling each.
///
/// A macro because every vocabulary needs the same five items and they must not drift apart.
macro_rules! vocabulary {
    ($(#[$meta:meta])* $name:ident, $label:literal { $($(#[$vmeta:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
        pub enum $name { $($(#[$vmeta])* #[doc = concat!("`", $text, "`")] #[serde(rename = $text)] $variant,)+ }

        impl $name {
            /// Every term, in canonical order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The canonical spelling, as it stands in tables and configuration.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = UnknownTerm;
            fn from_str(s: &str) -> Result<Self, UnknownTerm> {
                Self::ALL.iter().copied().find(|v| v.as_str() == s).ok_or_else(|| UnknownTerm {
                    given: s.to_owned(),
                    vocabulary: $label,
                    known: Self::ALL.iter().map(|v| v.as_str()).collect::<Vec<_>>().join(", "),
                })
            }
        }
    };
}

mod facets;

pub use facets::{
    BuyingBehaviour, CompanyField, Gain, Goal, InformationBehaviour, Pain, Point, PointKind, Requirement,
};

vocabulary! {
    /// What a person's job is about.
    JobFunction, "job function" {
        ExecutiveManagement = "executive_management",
        Procurement = "procurement",
        Production = "production",
        EngineeringRnd = "engineering_rnd",
        It = "it",
        FinanceControlling = "finance_controlling",
        Sales = "sales",
        BusinessDevelopment = "business_development",
        MarketingCommunications = "marketing_communications",
        HumanResources = "human_resources",
        LogisticsSupplyChain = "logistics_supply_chain",
        Quality = "quality",
        MaintenanceFacility = "maintenance_facility",
        LegalCompliance = "legal_compliance",
        CustomerService = "customer_service",
        ProductManagement = "product_management",
        ProjectManagement = "project_management",
        Consulting = "consulting",
        AdministrationAssistance = "administration_assistance",
        SustainabilityEhs = "sustainability_ehs",
        ResearchEducation = "research_education",
        Healthcare = "healthcare",
        PublicService = "public_service",
        Other = "other",
    }
}

vocabulary! {
    /// How high a position stands; ordinal, lowest first.
    Seniority, "seniority" {
        Trainee = "trainee",
        Junior = "junior",
        Professional = "professional",
        Senior = "senior",
        /// Team, shift or project lead; Meister, Polier, Vorarbeiter.
        Lead = "lead",
        /// Head of a department (Abteilung).
        Head = "head",
        /// Head of a division (Bereich); any director below the board.
        Director = "director",
        Vp = "vp",
        /// CxO, Geschäftsführung, Vorstand.
        CLevel = "c_level",
        /// Inhaber, founder, partner.
        Owner = "owner",
        /// Aufsichtsrat, Beirat.
        Board = "board",
    }
}

vocabulary! {
    /// A registered power to sign for the company; a power, not a level.
    SigningPower, "signing power" {
        Prokura = "prokura",
        Handlungsvollmacht = "handlungsvollmacht",
        Geschaeftsfuehrung = "geschaeftsfuehrung",
    }
}

vocabulary! {
    /// A role in the buying center; one person may hold several.
    BuyingRole, "buying role" {
        User = "user",
        Buyer = "buyer",
        Influencer = "influencer",
        Decider = "decider",
        Gatekeeper = "gatekeeper",
        Initiator = "initiator",
        Approver = "approver",
    }
}

impl BuyingRole {
    /// The five roles that every buying center is measured against.
    pub const CORE: [Self; 5] = [Self::User, Self::Buyer, Self::Influencer, Self::Decider, Self::Gatekeeper];
}

vocabulary! {
    /// A bipolar psychographic trait in [-1, 1], left pole to right pole.
    Trait, "trait" {
        /// averse..seeking
        RiskTolerance = "risk_tolerance",
        /// avoiding..seeking
        ConflictTolerance = "conflict_tolerance",
        /// averse..keen
        TechAffinity = "tech_affinity",
        /// yielding..durchsetzungsfreudig
        Assertiveness = "assertiveness",
        /// keeps the proven..seeks the new
        InnovationOpenness = "innovation_openness",
        /// big picture..detail
        DetailOrientation = "detail_orientation",
        /// task..relationship
        RelationshipOrientation = "relationship_orientation",
        /// price..value
        PriceOrientation = "price_orientation",
        /// indifferent..keen
        SustainabilityOrientation = "sustainability_orientation",
        /// informal..formal
        Formality = "formality",
    }
}

vocabulary! {
    /// What moves a person in their role.
    Motive, "motive" {
        Security = "security",
        StatusRecognition = "status_recognition",
        Efficiency = "efficiency",
        Growth = "growth",
        Autonomy = "autonomy",
        Belonging = "belonging",
        Novelty = "novelty",
        Responsibility = "responsibility",
    }
}

vocabulary! {
    /// A way to reach a person or to inform oneself.
    Channel, "channel" {
        OnlineSelfService = "online_self_service",
        EMail = "e_mail",
        Phone = "phone",
        Video = "video",
        InPerson = "in_person",
        TradeFair = "trade_fair",
        Social = "social",
        TradePress = "trade_press",
        PeerNetwork = "peer_network",
    }
}

vocabulary! {
    /// A phase of a purchase.
    PurchasePhase, "purchase phase" {
        FirstPurchase = "first_purchase",
        ReorderCParts = "reorder_c_parts",
        PriceInformation = "price_information",
        Advice = "advice",
        Return = "return",
        Complaint = "complaint",
    }
}

vocabulary! {
    /// Why a facet has, or has not, a value. Abstaining is a value, with its reason.
    FacetStatus, "facet status" {
        Known = "known",
        /// What holds for the person's segment; nothing that is known of the person.
        Segment = "segment",
        StudyPrior = "study_prior",
        InsufficientEvidence = "insufficient_evidence",
        Conflicting = "conflicting",
        Stale = "stale",
        IdentityUncertain = "identity_uncertain",
        NoConsent = "no_consent",
        NotApplicable = "not_applicable",
    }
}

vocabulary! {
    /// How deeply a persona was researched.
    Tier, "tier" {
        Individual = "individual",
        Segment = "segment",
        StudyPrior = "study_prior",
    }
}

vocabulary! {
    /// What kind of place a source is; decides which rules hold for it.
    SourceClass, "source class" {
        Crm = "crm",
        CompanySite = "company_site",
        PublicRegister = "public_register",
        PublicProfessional = "public_professional",
        PublicSocial = "public_social",
        News = "news",
        /// Always refused.
        LoginOrRestricted = "login_or_restricted",
    }
}

vocabulary! {
    /// What is done with data; the gate decides for each.
    Operation, "operation" {
        Collect = "collect",
        Derive = "derive",
        Infer = "infer",
        Profile = "profile",
        Store = "store",
        Emit = "emit",
    }
}

vocabulary! {
    /// A language that the extractors read.
    Language, "language" {
        German = "de",
        English = "en",
    }
}

/// One facet as it was read or fused: a value with its probability, or an abstention with its reason.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Facet<T> {
    /// `None` = abstained; `status` says why.
    pub value: Option<T>,
    /// Calibrated probability in [0, 1] that `value` is right; `None` where abstained.
    pub p: Option<f64>,
    /// `Known` exactly where there is a value of the person's own.
    pub status: FacetStatus,
}

impl<T> Facet<T> {
    /// A value with its probability.
    #[must_use]
    pub fn known(value: T, p: f64) -> Self {
        Self { value: Some(value), p: Some(p), status: FacetStatus::Known }
    }

    /// No value, and why.
    #[must_use]
    pub fn abstain(status: FacetStatus) -> Self {
        Self { value: None, p: None, status }
    }
}

impl Seniority {
    /// Whether people of this level lead others.
    #[must_use]
    pub const fn leads(self) -> bool {
        !matches!(self, Self::Trainee | Self::Junior | Self::Professional | Self::Senior)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_term_reads_back_as_itself() {
        for f in JobFunction::ALL {
            assert_eq!(f.as_str().parse::<JobFunction>().expect("canonical"), *f);
        }
        assert!(Seniority::Trainee < Seniority::Board);
    }

    #[test]
    fn an_unknown_term_is_told_with_the_known_ones() {
        let e = "boss".parse::<BuyingRole>().expect_err("not a role");
        assert!(e.to_string().contains("gatekeeper"), "{e}");
    }
}
