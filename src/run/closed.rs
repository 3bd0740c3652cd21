//! Pages that are closed to us now: gone (410), or reserved since they were read. What older snapshots took from them goes.
//!
//! Invariant: only an answer closes a page, never the want of one (an outage, a budget). What is purged is what rests on
//! the page itself; where nothing of its site could be read any more, what rests on that site, because the way to its
//! other pages led over this one, and where it reserved the whole site in plain words, too. Of which page an older document is, a keyed hash of its address tells; where none is
//! kept, the document counts as one of the closed page.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use url::Url;

use crate::consent::decide::OptOut;
use crate::consent::gate::FetchProposal;
use crate::fetch::{FailReason, OptOutVerdict};
use crate::model::{About, Account, AccountId, Signal, SignalId, SubjectId, Target};
use crate::persona::account::account_row;
use crate::persona::fuse::fuse;
use crate::persona::rows::AccountRow;
use crate::rights::refresh::Terms;
use crate::run::context::Context;
use crate::run::engine::RunError;
use crate::run::known::Known;
use crate::run::late::rewrite;
use crate::run::obtain::Obtained;
use crate::sink::{self, Change, Note, Select, SinkError, Snapshot};

/// The reason under which snapshots are rewritten.
const REASON: &str = "opt_out";

/// What answers close a page. An unreachable robots.txt forbids, too, but says nothing of the page.
pub(super) const CLOSING: [FailReason; 6] = [
    FailReason::Gone,
    FailReason::NoIndex,
    FailReason::UsageDenied,
    FailReason::RobotsDisallow,
    FailReason::TdmReserved,
    FailReason::AiDisallow,
];

/// A source at a host, about somebody: the id of a person or of a company.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Site {
    source: String,
    host: String,
    whom: String,
}

/// What a run learned of the pages of a site.
#[derive(Debug, Clone, Default)]
struct Told {
    /// Some page could be read.
    is_read: bool,
    /// A page reserved the whole site.
    is_reserved: bool,
    closed: Vec<Url>,
}

/// What a run learned of all pages. URLs are in memory only: they may name people.
#[derive(Default)]
pub(super) struct Closed(Mutex<BTreeMap<Site, Told>>);

/// Notes what came of a page.
pub(super) fn note(context: &Context, proposal: &FetchProposal, obtained: &Obtained) {
    let url = proposal.url.reveal();
    let whom = match &proposal.target {
        Target::Subject(id, _) => id.as_str().to_owned(),
        Target::Account(id) => id.as_str().to_owned(),
        Target::Host(_) => return,
    };
    if context.fetcher.is_replay() {
        return;
    }
    let fetched = obtained.document.as_ref().filter(|document| document.outcome == "fetched");
    if let (Some(document), Target::Account(_)) = (fetched, &proposal.target) {
        context.fetcher.note_page(url, &document.document_id);
    }
    let is_read = fetched.is_some();
    let said_so = obtained.document.as_ref().and_then(|d| d.reason.as_deref()).is_some_and(|reason| {
        CLOSING.iter().any(|closing| closing.as_str() == reason) || obtained.reading.opted_out.is_some()
    });
    if !(is_read || said_so || is_reserved(context, proposal)) {
        return;
    }
    let (source, host) = (proposal.source_id.clone(), url.host_str().unwrap_or_default().to_owned());
    let site = Site { source, host, whom };
    let mut sites = context.closed.0.lock().unwrap_or_else(PoisonError::into_inner);
    let told = sites.entry(site).or_default();
    told.is_read |= is_read;
    told.is_reserved |= obtained.reading.whole_site;
    told.closed.extend((!is_read).then(|| url.clone()));
}

/// Whether the page's host says no to it, so that the gate refuses before anybody is asked.
pub(super) fn is_reserved(context: &Context, proposal: &FetchProposal) -> bool {
    let verdict = context.fetcher.opt_outs(proposal.url.reveal());
    matches!(proposal.opt_out, OptOut::RobotsDisallow | OptOut::TdmReserved)
        && matches!(verdict, OptOutVerdict::RobotsDisallow { .. } | OptOutVerdict::TdmReserved { .. })
}

/// Takes what rests on closed pages out of older snapshots; personas and companies are made anew from what is left.
pub(super) fn purge(context: &Context, home: &Path, now: Timestamp) -> Result<(), RunError> {
    let sites = std::mem::take(&mut *context.closed.0.lock().unwrap_or_else(PoisonError::into_inner));
    let sites: BTreeMap<Site, Told> = sites.into_iter().filter(|(_, told)| !told.closed.is_empty()).collect();
    if sites.is_empty() {
        return Ok(());
    }
    let hosts = Select::Hosts(sites.keys().map(|site| site.host.clone()).collect());
    rewrite(context, home, Note { at: now, reason: REASON }, |snapshot| {
        let there = sink::read_evidence(snapshot, &hosts)?.into_iter();
        let lost = there.filter(|signal| is_lost(context, &sites, signal)).map(|signal| (signal.id, signal.about));
        without(snapshot, &lost.collect())
    })
}

/// Whether a signal rests on a closed page, or may. Of a person's own source all pages are one.
fn is_lost(context: &Context, sites: &BTreeMap<Site, Told>, signal: &Signal) -> bool {
    let evidence = &signal.evidence;
    let (Some(host), Some(document)) = (&evidence.host, &evidence.document) else { return false };
    let (person, company) = match &signal.about {
        About::Subject(id, company) => (Some(id.as_str()), company.as_ref()),
        About::Account(id) => (None, Some(id)),
    };
    person.into_iter().chain(company.map(AccountId::as_str)).any(|whom| {
        let site = Site { source: evidence.source_id.clone(), host: host.clone(), whom: whom.to_owned() };
        sites
            .get(&site)
            .is_some_and(|told| told.is_reserved || !told.is_read || context.fetcher.is_of_page(document, &told.closed))
    })
}

/// The change that takes signals out of a snapshot, with all that was computed from them.
fn without(snapshot: &Snapshot, lost: &BTreeMap<SignalId, About>) -> Result<Change, SinkError> {
    let mut change = Change::leave_out([]);
    if lost.is_empty() {
        return Ok(change);
    }
    change.signals = lost.keys().cloned().collect();
    let (mut people, mut companies) = (HashSet::<SubjectId>::new(), BTreeSet::<AccountId>::new());
    for about in lost.values() {
        match about {
            About::Subject(id, _) => drop(people.insert(id.clone())),
            About::Account(id) => drop(companies.insert(id.clone())),
        }
    }
    let as_of = sink::read_runs(snapshot)?.pop().map_or(Timestamp::UNIX_EPOCH, |run| run.as_of);
    for id in companies {
        let select = Select::Account(id.clone());
        let signals = sink::read_evidence(snapshot, &select)?;
        let signals: Vec<Signal> = signals.into_iter().filter(|s| matches!(s.about, About::Account(_))).collect();
        if let Some(row) = sink::read_accounts(snapshot, &select)?.pop() {
            change.accounts.insert(id, row_without(row, &signals, &change.signals, as_of));
        }
        // The context of their position rests on what is known of the company.
        people.extend(sink::read_personas(snapshot, &select)?.into_iter().map(|persona| persona.subject_id));
    }
    let personas = sink::read_personas(snapshot, &Select::Subjects(people))?;
    let Some(settings) = Terms::of(snapshot).ok().and_then(|terms| terms.fusion) else {
        // Not known how they were fused: they cannot be made anew, and must not stay.
        change.remove.extend(personas.into_iter().map(|persona| persona.subject_id));
        return Ok(change);
    };
    Known::each(snapshot, &personas.iter().collect::<Vec<_>>(), |persona, mut known| {
        known.without_signals(&change.signals, persona.account_id.as_ref().and_then(|id| change.accounts.get(id)));
        change.personas.insert(persona.subject_id.clone(), fuse(&known.input(persona, &settings)));
    })?;
    Ok(change)
}

/// The row of a company without what was lost. The row does not tell which value is the CRM's: one that the signals
/// gave as well goes with them, unless others say it again.
fn row_without(row: AccountRow, signals: &[Signal], lost: &HashSet<SignalId>, as_of: Timestamp) -> AccountRow {
    let named = Account {
        id: Some(row.account_id.clone()),
        crm_record: row.crm_record.clone(),
        name: row.name.clone(),
        domain: row.domain.clone(),
        ..Account::default()
    };
    let row_of = |account: &Account, signals: &[Signal]| {
        account_row(account, signals, &[], as_of).expect("a company with an id has a row")
    };
    let said = row_of(&named, signals);
    let founded = row.age_years.filter(|age| said.age_years != Some(*age));
    let year = i64::from(crate::model::AsOf(as_of).date().year());
    let own = Account {
        country: row.country.filter(|v| said.country.as_ref() != Some(v)),
        city: row.city.filter(|v| said.city.as_ref() != Some(v)),
        industry: row.industry.filter(|v| said.industry.as_ref() != Some(v)),
        nace: row.nace.filter(|v| said.nace.as_ref() != Some(v)),
        employees: row.employees.filter(|v| said.employees != Some(*v)),
        revenue_eur: row.revenue_eur.filter(|v| said.revenue_eur != Some(*v)),
        legal_form: row.legal_form.filter(|v| said.legal_form.as_ref() != Some(v)),
        founded: founded.and_then(|age| u16::try_from(year - i64::from(age)).ok()),
        ..named
    };
    let left: Vec<Signal> = signals.iter().filter(|s| !lost.contains(&s.id)).cloned().collect();
    AccountRow {
        n_personas: row.n_personas,
        segment_information_value: row.segment_information_value,
        ..row_of(&own, &left)
    }
}

#[cfg(test)]
mod tests;
