//! How deeply an account is researched, and what each depth costs: contacts, fetches and CPU time.
//!
//! Invariant: counts of this start of a run; what is fetched again from the journal counts as fetched, its time does not.

use std::collections::BTreeMap;
use std::sync::Mutex;

use serde::{Deserialize, Serialize};

use crate::config::Tiers;
use crate::model::Account;
use crate::run::group::GroupRows;
use crate::taxonomy::Tier;

/// The cost of one tier.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TierCost {
    /// Companies; contacts without one are among the contacts only.
    pub companies: u64,
    /// Contacts that were worked on.
    pub contacts: u64,
    /// Fetches of pages, robots.txt and opt-outs.
    pub fetches: u64,
    /// Requests sent.
    pub requests: u64,
    /// Bytes of bodies received.
    pub bytes: u64,
    /// CPU time of the work on its companies, from the first decision to the rows: neither waiting nor the log's thread.
    pub seconds: f64,
    /// Companies that are in it because nobody knows what the rule of tiers asks for; 0 where the rule asks for nothing.
    #[serde(default)]
    pub no_revenue: u64,
}

/// What was worked on, and by which rule.
pub(super) struct Worked<'a> {
    pub rule: &'a Tiers,
    pub account: &'a Account,
}

/// Costs by tier, added up by many tasks.
#[derive(Debug, Default)]
pub(super) struct TierCosts(Mutex<BTreeMap<Tier, TierCost>>);

impl TierCosts {
    /// Adds the work on one company, with its contacts, or on contacts without one.
    pub fn add(&self, tier: Tier, of: &Worked<'_>, contacts: usize, rows: &GroupRows, micros: u64) {
        let mut all = self.0.lock().expect("no holder panics");
        let cost = all.entry(tier).or_default();
        cost.companies += u64::from(of.account.id.is_some());
        cost.no_revenue += u64::from(!is_known(of.rule, of.account));
        cost.contacts += contacts as u64;
        cost.fetches += rows.documents.len() as u64;
        cost.requests += rows.documents.iter().map(|d| u64::from(d.attempts)).sum::<u64>();
        cost.bytes += rows.documents.iter().map(|d| d.bytes).sum::<u64>();
        cost.seconds += micros as f64 / 1e6;
    }

    /// By name of the tier.
    pub fn by_name(&self) -> BTreeMap<String, TierCost> {
        let all = self.0.lock().expect("no holder panics");
        all.iter().map(|(tier, cost)| (tier.to_string(), cost.clone())).collect()
    }
}

/// Whether all is known that the rule of tiers asks for: a rule that takes every account asks for nothing, and contacts
/// without a company are below it because they have none.
fn is_known(tiers: &Tiers, account: &Account) -> bool {
    tiers.individual_from_eur <= 0.0 || account.id.is_none() || account.revenue_eur.is_some()
}

/// By the value of the account; one whose revenue nobody knows counts as 0, which the report tells.
pub(super) fn tier(tiers: &Tiers, account: &Account) -> Tier {
    let value = account.revenue_eur.unwrap_or(0.0);
    if value >= tiers.individual_from_eur {
        Tier::Individual
    } else if tiers.segment_from_eur.is_some_and(|from| value >= from) {
        Tier::Segment
    } else {
        Tier::StudyPrior
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::AccountId;

    #[test]
    fn costs_add_up_by_tier() {
        let costs = TierCosts::default();
        let rows = GroupRows::default();
        let rule = Tiers { individual_from_eur: 1e6, segment_from_eur: None, segment_people: 5 };
        let company = |revenue_eur| Account { id: Some(AccountId::from_body("a")), revenue_eur, ..Account::default() };
        let add = |tier, account: Account, contacts, micros| {
            costs.add(tier, &Worked { rule: &rule, account: &account }, contacts, &rows, micros);
        };
        add(Tier::Individual, company(Some(2e6)), 3, 4_000_000);
        add(Tier::Individual, company(Some(3e6)), 2, 1_000_000);
        add(Tier::StudyPrior, company(None), 1, 0);
        add(Tier::StudyPrior, Account::default(), 4, 0);
        let by = costs.by_name();
        assert_eq!((by["individual"].companies, by["individual"].contacts), (2, 5));
        assert_eq!((by["individual"].no_revenue, by["study_prior"].no_revenue), (0, 1));
        assert_eq!((by["study_prior"].companies, by["study_prior"].contacts), (1, 5), "who has no company adds none");
        assert!((by["individual"].seconds - 5.0).abs() < 1e-9 && by["study_prior"].seconds.abs() < 1e-9);
        assert!(!by.contains_key("segment"));
    }

    #[test]
    fn a_revenue_is_unknown_only_where_the_rule_asks_for_it() {
        let rule = |individual_from_eur| Tiers { individual_from_eur, segment_from_eur: None, segment_people: 5 };
        let company = |revenue_eur| Account { id: Some(AccountId::from_body("a")), revenue_eur, ..Account::default() };
        for (from, account, known, expected) in [
            (0.0, company(None), true, Tier::Individual),
            (1e6, company(None), false, Tier::StudyPrior),
            (1e6, company(Some(0.0)), true, Tier::StudyPrior),
            (1e6, company(Some(2e6)), true, Tier::Individual),
            (1e6, Account::default(), true, Tier::StudyPrior),
        ] {
            let rule = rule(from);
            assert_eq!((is_known(&rule, &account), tier(&rule, &account)), (known, expected), "{from} {account:?}");
        }
    }
}
