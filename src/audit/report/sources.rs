//! The registered sources: under which terms, until when, and what was fetched from each.
//!
//! Invariant: hosts are those of the policy; hosts that were asked are counted, because one may name a person.

use std::collections::{BTreeMap, HashSet};

use jiff::civil::Date;
use jiff::tz::Offset;
use serde::Serialize;

use super::book::{Key, Policies, key};
use super::{Book, Finding, Findings, ReportError, table};
use crate::consent::policy::{Terms, Visibility};
use crate::sink::Table;
use crate::taxonomy::SourceClass;

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Sources {
    /// Hash of the policy that is applied now.
    pub policy: Option<String>,
    /// Registered sources by id; those that were used without being registered come last.
    pub sources: Vec<SourceUse>,
    /// `unregistered_source`, `revoked_source`, `contract_ended`, `closed_source`.
    pub findings: Findings,
}

/// A source.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct SourceUse {
    /// Its id.
    pub id: String,
    /// As the policy registers it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registered: Option<Registered>,
    /// Documents in kept snapshots, by outcome: `fetched`, `failed`, `abandoned`.
    pub outcomes: BTreeMap<String, u64>,
    /// Documents by HTTP status; `none` where no answer came.
    pub statuses: BTreeMap<String, u64>,
    /// Distinct hosts that were asked.
    pub hosts_asked: u64,
    /// Documents for which robots.txt said no or could not be had.
    pub robots_opt_outs: u64,
    /// Documents for which rights were reserved.
    pub tdm_opt_outs: u64,
    /// Refusals of the gate, because a host has opted out.
    pub refused_for_opt_out: u64,
    #[serde(skip)]
    hosts: HashSet<Key>,
}

/// A registration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Registered {
    /// Its class.
    pub class: SourceClass,
    /// Who can see it.
    pub visibility: Visibility,
    /// What its terms say.
    pub terms: Terms,
    /// Where they stand.
    pub terms_url: Option<String>,
    /// End of the processor contract.
    pub contract_until: Option<Date>,
    /// Taken out of use.
    pub revoked: bool,
    /// Hosts it may ask; none = the accounts' own.
    pub hosts: Vec<String>,
    /// Purposes it may serve.
    pub purposes: Vec<String>,
}

/// Lists.
///
/// # Errors
/// The log or a snapshot cannot be read.
pub fn sources(book: &Book<'_>) -> Result<Sources, ReportError> {
    let snapshots = book.snapshots()?;
    let mut uses: BTreeMap<String, SourceUse> = BTreeMap::new();
    for kept in &snapshots {
        table::each(&kept.snapshot, Table::Documents, |row| {
            let used = uses.entry(row.text("source_id")?.to_owned()).or_default();
            *used.outcomes.entry(row.text("outcome")?.to_owned()).or_default() += 1;
            let status = row.int_opt("status")?.map_or_else(|| "none".to_owned(), |s| s.to_string());
            *used.statuses.entry(status).or_default() += 1;
            used.hosts.insert(key(&[row.text("host")?]));
            let robots = row.text("robots")?;
            used.robots_opt_outs += u64::from(robots.starts_with("disallow") || robots == "unreachable");
            used.tdm_opt_outs += u64::from(row.text("tdm")?.starts_with("reserved"));
            Ok(())
        })?;
        table::each(&kept.snapshot, Table::Decisions, |row| {
            let reasons = row.texts("reasons")?;
            if reasons.iter().any(|r| r == "RobotsDisallow" || r == "TdmReserved") {
                uses.entry(row.text("source_id")?.to_owned()).or_default().refused_for_opt_out += 1;
            }
            Ok(())
        })?;
    }
    let policy = book.policy_now(&snapshots)?;
    let mut all = Sources { policy: policy.clone(), ..Sources::default() };
    let mut policies = Policies::new(book);
    if let Some(policy) = policy.and_then(|hash| policies.get(&hash)) {
        for (id, s) in &policy.file().sources {
            let mut used = uses.remove(id).unwrap_or_default();
            used.registered = Some(Registered {
                class: s.class,
                visibility: s.visibility,
                terms: s.terms,
                terms_url: s.terms_url.clone(),
                contract_until: s.contract_until,
                revoked: s.revoked,
                hosts: s.hosts.clone(),
                purposes: s.purposes.clone(),
            });
            all.push(book, id, used);
        }
    }
    for (id, used) in uses {
        all.push(book, &id, used);
    }
    Ok(all)
}

impl Sources {
    fn push(&mut self, book: &Book<'_>, id: &str, mut used: SourceUse) {
        id.clone_into(&mut used.id);
        used.hosts_asked = used.hosts.len() as u64;
        let today = Offset::UTC.to_datetime(book.now).date();
        let n: u64 = used.outcomes.values().sum();
        let wrong = match &used.registered {
            None => vec![(n > 0, "unregistered_source", "was fetched from, but is not registered")],
            Some(r) => vec![
                (r.revoked && n > 0, "revoked_source", "was taken out of use, and snapshots still rest on it"),
                (r.contract_until.is_some_and(|end| end < today), "contract_ended", "has a contract that has ended"),
                (
                    n > 0 && (r.visibility != Visibility::Public || r.terms == Terms::Forbid),
                    "closed_source",
                    "was fetched from, though its terms or its visibility forbid it",
                ),
            ],
        };
        for (_, kind, says) in wrong.into_iter().filter(|(is_so, ..)| *is_so) {
            let says = format!("{id} {says} ({n} documents)");
            self.findings.add(Finding { kind, says, row: Some(id.to_owned()), ..Finding::default() });
        }
        self.sources.push(used);
    }
}
