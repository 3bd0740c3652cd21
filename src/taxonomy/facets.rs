//! The closed vocabularies of persona facets that texts state outright: goals, requirements, pains, gains and habits; and
//! what notes say of companies.
//!
//! Invariant: nothing here is of a special category, and nothing is about a mind: each term is something that was said or
//! done at work.

use serde::{Deserialize, Serialize};

use super::{BuyingRole, Channel, UnknownTerm};

vocabulary! {
    /// What a person wants to reach at work; after the elements of value of B2B buyers (Almquist, Cleghorn, Sherer: The
    /// B2B Elements of Value, HBR March-April 2018).
    Goal, "goal" {
        CutCosts = "cut_costs",
        RaiseProductivity = "raise_productivity",
        ImproveQuality = "improve_quality",
        SecureSupply = "secure_supply",
        ShortenLeadTimes = "shorten_lead_times",
        AvoidDowntime = "avoid_downtime",
        GrowRevenue = "grow_revenue",
        OpenMarkets = "open_markets",
        DigitaliseProcesses = "digitalise_processes",
        RenewEquipment = "renew_equipment",
        ConsolidateSuppliers = "consolidate_suppliers",
        CutEmissions = "cut_emissions",
        WinAndKeepStaff = "win_and_keep_staff",
        MeetRegulations = "meet_regulations",
    }
}

vocabulary! {
    /// What a person asks of an offer; each belongs to one role of the buying center.
    Requirement, "requirement" {
        Practicability = "practicability",
        Training = "training",
        QuickSupport = "quick_support",
        ReturnOnInvestment = "return_on_investment",
        References = "references",
        StrategicFit = "strategic_fit",
        Price = "price",
        PaymentTerms = "payment_terms",
        DeliveryTerms = "delivery_terms",
        /// Warranty, liability, term, notice.
        ContractTerms = "contract_terms",
        TechnicalFit = "technical_fit",
        Interfaces = "interfaces",
        StandardsCertificates = "standards_certificates",
        ProcessCompliance = "process_compliance",
        LowEffort = "low_effort",
        Documentation = "documentation",
    }
}

impl Requirement {
    /// The role that typically asks it.
    #[must_use]
    pub const fn role(self) -> BuyingRole {
        match self {
            Self::Practicability | Self::Training | Self::QuickSupport => BuyingRole::User,
            Self::ReturnOnInvestment | Self::References | Self::StrategicFit => BuyingRole::Decider,
            Self::Price | Self::PaymentTerms | Self::DeliveryTerms | Self::ContractTerms => BuyingRole::Buyer,
            Self::TechnicalFit | Self::Interfaces | Self::StandardsCertificates => BuyingRole::Influencer,
            Self::ProcessCompliance | Self::LowEffort | Self::Documentation => BuyingRole::Gatekeeper,
        }
    }
}

vocabulary! {
    /// What bothers a person at work.
    Pain, "pain" {
        Downtime = "downtime",
        LateDeliveries = "late_deliveries",
        QualityProblems = "quality_problems",
        HighCosts = "high_costs",
        ManualWork = "manual_work",
        PoorSupport = "poor_support",
        StaffShortage = "staff_shortage",
        Complexity = "complexity",
        LackOfTransparency = "lack_of_transparency",
        IncompatibleSystems = "incompatible_systems",
        SlowApprovals = "slow_approvals",
    }
}

vocabulary! {
    /// What helps a person at work.
    Gain, "gain" {
        TimeSavings = "time_savings",
        CostSavings = "cost_savings",
        DeliveryReliability = "delivery_reliability",
        Reliability = "reliability",
        FastSupport = "fast_support",
        EaseOfUse = "ease_of_use",
        Transparency = "transparency",
        ProductQuality = "product_quality",
        Flexibility = "flexibility",
        SingleContact = "single_contact",
    }
}

vocabulary! {
    /// How a person buys.
    BuyingBehaviour, "buying behaviour" {
        ComparesOffers = "compares_offers",
        BuysFromRegulars = "buys_from_regulars",
        PlansLong = "plans_long",
        BuysAdHoc = "buys_ad_hoc",
        FollowsProcess = "follows_process",
        NegotiatesHard = "negotiates_hard",
        TestsBeforeBuying = "tests_before_buying",
        BundlesOrders = "bundles_orders",
    }
}

vocabulary! {
    /// Where a person looks for information.
    InformationBehaviour, "information behaviour" {
        TradePress = "trade_press",
        Peers = "peers",
        TradeFairs = "trade_fairs",
        OnlineResearch = "online_research",
        VendorContact = "vendor_contact",
        EventsWebinars = "events_webinars",
        SocialNetworks = "social_networks",
    }
}

vocabulary! {
    /// A kind of [`Point`].
    PointKind, "kind of point" {
        Goal = "goal",
        Requirement = "requirement",
        Pain = "pain",
        Gain = "gain",
        BuyingBehaviour = "buying_behaviour",
        InformationBehaviour = "information_behaviour",
        AvoidedChannel = "avoided_channel",
    }
}

/// Something that was stated of a person and either holds or does not; no probability of a hidden quality, as a trait is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Point {
    /// A professional goal.
    Goal(Goal),
    /// What is asked of an offer.
    Requirement(Requirement),
    /// What bothers.
    Pain(Pain),
    /// What helps.
    Gain(Gain),
    /// How the person buys.
    BuyingBehaviour(BuyingBehaviour),
    /// Where the person looks.
    InformationBehaviour(InformationBehaviour),
    /// How the person does not want to be reached.
    AvoidedChannel(Channel),
}

impl Point {
    /// Every point of a kind, in canonical order.
    #[must_use]
    pub fn all(kind: PointKind) -> Vec<Self> {
        match kind {
            PointKind::Goal => Goal::ALL.iter().copied().map(Self::Goal).collect(),
            PointKind::Requirement => Requirement::ALL.iter().copied().map(Self::Requirement).collect(),
            PointKind::Pain => Pain::ALL.iter().copied().map(Self::Pain).collect(),
            PointKind::Gain => Gain::ALL.iter().copied().map(Self::Gain).collect(),
            PointKind::BuyingBehaviour => BuyingBehaviour::ALL.iter().copied().map(Self::BuyingBehaviour).collect(),
            PointKind::InformationBehaviour => {
                InformationBehaviour::ALL.iter().copied().map(Self::InformationBehaviour).collect()
            }
            PointKind::AvoidedChannel => Channel::ALL.iter().copied().map(Self::AvoidedChannel).collect(),
        }
    }

    /// Its kind.
    #[must_use]
    pub const fn kind(self) -> PointKind {
        match self {
            Self::Goal(_) => PointKind::Goal,
            Self::Requirement(_) => PointKind::Requirement,
            Self::Pain(_) => PointKind::Pain,
            Self::Gain(_) => PointKind::Gain,
            Self::BuyingBehaviour(_) => PointKind::BuyingBehaviour,
            Self::InformationBehaviour(_) => PointKind::InformationBehaviour,
            Self::AvoidedChannel(_) => PointKind::AvoidedChannel,
        }
    }

    /// The term, without its kind.
    #[must_use]
    pub const fn term(self) -> &'static str {
        match self {
            Self::Goal(v) => v.as_str(),
            Self::Requirement(v) => v.as_str(),
            Self::Pain(v) => v.as_str(),
            Self::Gain(v) => v.as_str(),
            Self::BuyingBehaviour(v) => v.as_str(),
            Self::InformationBehaviour(v) => v.as_str(),
            Self::AvoidedChannel(v) => v.as_str(),
        }
    }

    /// The point of a kind and a term.
    ///
    /// # Errors
    /// The term is none of the kind.
    pub fn parse(kind: PointKind, term: &str) -> Result<Self, UnknownTerm> {
        Ok(match kind {
            PointKind::Goal => Self::Goal(term.parse()?),
            PointKind::Requirement => Self::Requirement(term.parse()?),
            PointKind::Pain => Self::Pain(term.parse()?),
            PointKind::Gain => Self::Gain(term.parse()?),
            PointKind::BuyingBehaviour => Self::BuyingBehaviour(term.parse()?),
            PointKind::InformationBehaviour => Self::InformationBehaviour(term.parse()?),
            PointKind::AvoidedChannel => Self::AvoidedChannel(term.parse()?),
        })
    }
}

impl std::fmt::Display for Point {
    /// `kind.term`, for instance `goal.cut_costs`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.kind(), self.term())
    }
}

vocabulary! {
    /// A fact about a company that notes tell; its values are [`CompanyField::values`].
    CompanyField, "field of a company" {
        DecisionStyle = "decision_style",
        InternalAdaptation = "internal_adaptation",
        CompetitivePressure = "competitive_pressure",
        Development = "development",
        DigitalMaturity = "digital_maturity",
        Innovation = "innovation",
    }
}

impl CompanyField {
    /// Every value that a note can give it.
    #[must_use]
    pub const fn values(self) -> &'static [&'static str] {
        match self {
            Self::DecisionStyle => &["single_decider", "few", "committee"],
            Self::Development => &["growth", "restructuring", "stable"],
            _ => &["low", "high"],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_point_reads_back_as_itself_and_terms_are_unique_within_a_kind() {
        for kind in PointKind::ALL {
            let all = Point::all(*kind);
            for (i, point) in all.iter().enumerate() {
                assert_eq!(Point::parse(*kind, point.term()).as_ref(), Ok(point));
                assert_eq!(point.kind(), *kind);
                assert!(!all[..i].iter().any(|p| p.term() == point.term()), "{point} twice");
            }
        }
        assert!(Point::parse(PointKind::Goal, "downtime").is_err());
    }

    #[test]
    fn every_core_role_has_a_requirement() {
        for role in BuyingRole::CORE {
            assert!(Requirement::ALL.iter().any(|r| r.role() == role), "{role}");
        }
    }
}
