//! What evidence can mean, as the static texts that stand in the evidence table.
//!
//! Invariant: one text for each value of the vocabularies, so that no reading allocates for them.

use crate::taxonomy::{JobFunction, Seniority, SigningPower};

/// A match of values to `prefix=value`; a macro because the three lists must not drift apart in form.
macro_rules! means {
    ($name:ident, $type:ident, $prefix:literal, { $($variant:ident = $text:literal,)+ }) => {
        pub(super) const fn $name(v: $type) -> &'static str {
            match v { $($type::$variant => concat!($prefix, "=", $text)),+ }
        }
    };
}

means!(function, JobFunction, "job_function", {
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
});

means!(model, JobFunction, "model:job_function", {
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
});

means!(seniority, Seniority, "seniority", {
    Trainee = "trainee",
    Junior = "junior",
    Professional = "professional",
    Senior = "senior",
    Lead = "lead",
    Head = "head",
    Director = "director",
    Vp = "vp",
    CLevel = "c_level",
    Owner = "owner",
    Board = "board",
});

means!(power, SigningPower, "signing_power", {
    Prokura = "prokura",
    Handlungsvollmacht = "handlungsvollmacht",
    Geschaeftsfuehrung = "geschaeftsfuehrung",
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_ends_in_the_canonical_name() {
        for f in JobFunction::ALL {
            assert_eq!(function(*f), format!("job_function={f}"));
        }
        for s in Seniority::ALL {
            assert_eq!(seniority(*s), format!("seniority={s}"));
        }
        for p in SigningPower::ALL {
            assert_eq!(power(*p), format!("signing_power={p}"));
        }
    }
}
