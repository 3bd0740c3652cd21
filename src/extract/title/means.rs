//! What evidence can mean: numbers while a title is read, static texts in the evidence table.
//!
//! Invariant: numbers are in the order of their texts, so that sorting by them sorts by text.

use crate::taxonomy::{JobFunction, Seniority, SigningPower};

/// What something in a title means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Means(pub u8);

pub(super) const ACTING: Means = Means(0);
pub(super) const COVER: Means = Means(1);
pub(super) const DEPUTY: Means = Means(2);
pub(super) const FORMER: Means = Means(3);
pub(super) const ON_LEAVE: Means = Means(MODEL + FUNCTIONS.len() as u8);
pub(super) const PRIVATE: Means = Means(ON_LEAVE.0 + 1);
const FUNCTION: u8 = FORMER.0 + 1;
const MODEL: u8 = FUNCTION + FUNCTIONS.len() as u8;
const SENIORITY: u8 = PRIVATE.0 + 1;
const POWER: u8 = SENIORITY + LEVELS.len() as u8;

const FUNCTIONS: &[JobFunction] = JobFunction::ALL;
const LEVELS: &[Seniority] = Seniority::ALL;

/// Places of terms among themselves, by their spelling.
macro_rules! ranks {
    ($all:expr) => {{
        let all = $all;
        let mut ranks = [0; $all.len()];
        let mut a = 0;
        while a < all.len() {
            let mut b = 0;
            while b < all.len() {
                ranks[a] += before(all[b].as_str(), all[a].as_str()) as u8;
                b += 1;
            }
            a += 1;
        }
        ranks
    }};
}

static FUNCTION_RANKS: [u8; FUNCTIONS.len()] = ranks!(FUNCTIONS);
static LEVEL_RANKS: [u8; LEVELS.len()] = ranks!(LEVELS);
static POWER_RANKS: [u8; SigningPower::ALL.len()] = ranks!(SigningPower::ALL);

/// Whether one text comes before another by its bytes.
const fn before(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let mut i = 0;
    while i < a.len() && i < b.len() && a[i] == b[i] {
        i += 1;
    }
    i < b.len() && (i == a.len() || a[i] < b[i])
}

pub(super) fn function(f: JobFunction) -> Means {
    Means(FUNCTION + FUNCTION_RANKS[f as usize])
}

/// A function by the statistical model.
pub(super) fn model(f: JobFunction) -> Means {
    Means(MODEL + FUNCTION_RANKS[f as usize])
}

pub(super) fn seniority(l: Seniority) -> Means {
    Means(SENIORITY + LEVEL_RANKS[l as usize])
}

pub(super) fn power(p: SigningPower) -> Means {
    Means(POWER + POWER_RANKS[p as usize])
}

impl Means {
    pub fn is_seniority(self) -> bool {
        (SENIORITY..POWER).contains(&self.0)
    }

    pub fn is_power(self) -> bool {
        self.0 >= POWER
    }

    /// As it stands in the evidence table.
    pub fn text(self) -> &'static str {
        TEXTS[usize::from(self.0)]
    }
}

static TEXTS: [&str; POWER as usize + SigningPower::ALL.len()] = [
    "acting",
    "cover",
    "deputy",
    "former",
    "job_function=administration_assistance",
    "job_function=business_development",
    "job_function=consulting",
    "job_function=customer_service",
    "job_function=engineering_rnd",
    "job_function=executive_management",
    "job_function=finance_controlling",
    "job_function=healthcare",
    "job_function=human_resources",
    "job_function=it",
    "job_function=legal_compliance",
    "job_function=logistics_supply_chain",
    "job_function=maintenance_facility",
    "job_function=marketing_communications",
    "job_function=other",
    "job_function=procurement",
    "job_function=product_management",
    "job_function=production",
    "job_function=project_management",
    "job_function=public_service",
    "job_function=quality",
    "job_function=research_education",
    "job_function=sales",
    "job_function=sustainability_ehs",
    "model:job_function=administration_assistance",
    "model:job_function=business_development",
    "model:job_function=consulting",
    "model:job_function=customer_service",
    "model:job_function=engineering_rnd",
    "model:job_function=executive_management",
    "model:job_function=finance_controlling",
    "model:job_function=healthcare",
    "model:job_function=human_resources",
    "model:job_function=it",
    "model:job_function=legal_compliance",
    "model:job_function=logistics_supply_chain",
    "model:job_function=maintenance_facility",
    "model:job_function=marketing_communications",
    "model:job_function=other",
    "model:job_function=procurement",
    "model:job_function=product_management",
    "model:job_function=production",
    "model:job_function=project_management",
    "model:job_function=public_service",
    "model:job_function=quality",
    "model:job_function=research_education",
    "model:job_function=sales",
    "model:job_function=sustainability_ehs",
    "on_leave",
    "private",
    "seniority=board",
    "seniority=c_level",
    "seniority=director",
    "seniority=head",
    "seniority=junior",
    "seniority=lead",
    "seniority=owner",
    "seniority=professional",
    "seniority=senior",
    "seniority=trainee",
    "seniority=vp",
    "signing_power=geschaeftsfuehrung",
    "signing_power=handlungsvollmacht",
    "signing_power=prokura",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_in_order_and_end_in_the_canonical_name() {
        assert!(TEXTS.is_sorted());
        for f in JobFunction::ALL {
            assert_eq!(function(*f).text(), format!("job_function={f}"));
            assert_eq!(model(*f).text(), format!("model:job_function={f}"));
        }
        for s in Seniority::ALL {
            assert_eq!(seniority(*s).text(), format!("seniority={s}"));
            assert!(seniority(*s).is_seniority());
        }
        for p in SigningPower::ALL {
            assert_eq!(power(*p).text(), format!("signing_power={p}"));
            assert!(power(*p).is_power());
        }
        let others = [(ACTING, "acting"), (COVER, "cover"), (DEPUTY, "deputy"), (FORMER, "former")];
        for (means, text) in others.into_iter().chain([(ON_LEAVE, "on_leave"), (PRIVATE, "private")]) {
            assert_eq!(means.text(), text);
        }
    }
}
