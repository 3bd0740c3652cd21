//! The label scheme of CV data: eleven departments and six ranks, and how the taxonomy maps to them.
//!
//! Invariant: both maps are total and lose detail only; nothing maps two ways.

use serde::Serialize;

use crate::taxonomy::{JobFunction, Seniority};

/// A department as CV data sets name them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Department {
    /// IT, software, data.
    InformationTechnology,
    /// Sales.
    Sales,
    /// Consulting.
    Consulting,
    /// Project management.
    ProjectManagement,
    /// Marketing and communications.
    Marketing,
    /// Business development.
    BusinessDevelopment,
    /// Human resources.
    HumanResources,
    /// Purchasing.
    Purchasing,
    /// Office, administration, assistance.
    Administration,
    /// Customer support.
    CustomerSupport,
    /// Everything else, general management included.
    Other,
}

/// A rank as CV data sets name them, lowest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Rank {
    /// Students, interns, apprentices, trainees, juniors.
    Junior,
    /// The rest.
    Professional,
    /// "Senior ...".
    Senior,
    /// Leads of teams and departments.
    Lead,
    /// Directors, heads of divisions, vice presidents.
    Director,
    /// Chief officers, managing directors, owners, boards.
    Management,
}

/// The department of a function.
#[must_use]
pub const fn department(f: JobFunction) -> Department {
    match f {
        JobFunction::It => Department::InformationTechnology,
        JobFunction::Sales => Department::Sales,
        JobFunction::Consulting => Department::Consulting,
        JobFunction::ProjectManagement => Department::ProjectManagement,
        JobFunction::MarketingCommunications => Department::Marketing,
        JobFunction::BusinessDevelopment => Department::BusinessDevelopment,
        JobFunction::HumanResources => Department::HumanResources,
        JobFunction::Procurement => Department::Purchasing,
        JobFunction::AdministrationAssistance => Department::Administration,
        JobFunction::CustomerService => Department::CustomerSupport,
        _ => Department::Other,
    }
}

/// The rank of a level.
#[must_use]
pub const fn rank(s: Seniority) -> Rank {
    match s {
        Seniority::Trainee | Seniority::Junior => Rank::Junior,
        Seniority::Professional => Rank::Professional,
        Seniority::Senior => Rank::Senior,
        Seniority::Lead | Seniority::Head => Rank::Lead,
        Seniority::Director | Seniority::Vp => Rank::Director,
        Seniority::CLevel | Seniority::Owner | Seniority::Board => Rank::Management,
    }
}
