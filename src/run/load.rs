//! From a CRM pull to groups of contacts, company by company, in the order of the tables.
//!
//! Invariant: every contact is in exactly one group; groups are sorted by account id and contacts by subject id, so
//! everything after it can work on one company at a time in bounded memory.

mod letters;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;

use crate::consent::dates::without_slips;
use crate::consent::dialect::Outcome;
use crate::consent::event::{EventKind, LegalEvent};
use crate::consent::import::import;
use crate::consent::ledger::LedgerView;
use crate::consent::people::Held;
use crate::consent::suppression::Identifiers;
use crate::crm::{CrmAccount, CrmContact, CrmPull, NoteKind, Origin, SLACK};
use crate::ids::Ids;
use crate::keys::Identifier;
use crate::model::{Account, AccountId, DeadLetter, Personal, Subject, SubjectId};
use crate::persona::rectified::Rectification;
use crate::run::crowd::Rest;
use crate::run::found::{Evening, KeptOut};
use crate::run::legal::{Exports, LegalError};
use crate::run::notes::Unread;
use crate::run::seen::Seen;
use crate::taxonomy::Language;
pub(super) use letters::dead_letter;

/// A contact with what the gate must know of it.
#[derive(Debug, Clone)]
pub struct Member {
    /// The contact.
    pub subject: Subject,
    /// Another record claims to be the same person, or a row or an export's record could not be read.
    pub ambiguous: bool,
}

/// A note of the CRM on a contact or a company.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The contact whom it is on; `None` = the company.
    pub subject: Option<SubjectId>,
    /// The CRM's id of it.
    pub note_id: Option<String>,
    /// How it came about.
    pub kind: NoteKind,
    /// When it was written, where known.
    pub written_at: Option<Timestamp>,
    /// Its language, where stated.
    pub language: Option<Language>,
    /// What it says.
    pub text: Personal<String>,
    /// Its row.
    pub origin: Origin,
}

/// A company with its contacts, of whom there may be none; `account.id` is `None` for the group of contacts without a company.
#[derive(Debug, Clone)]
pub struct Group {
    /// The company.
    pub account: Account,
    /// Sorted by subject id.
    pub members: Vec<Member>,
    /// Notes on the company and its contacts; read from disk only when the company is worked on.
    pub notes: Vec<Note>,
    /// When the newest note was written; `None` where there is none.
    pub noted_at: Option<Timestamp>,
    /// Keeps those at hand who are worked on; `None` = everybody is.
    pub held: Option<Arc<Held>>,
}

/// What a pull comes to.
#[derive(Debug, Default)]
pub struct Loaded {
    /// Sorted by account id, the group without a company first, as the tables have it.
    pub groups: Vec<Group>,
    /// For the ledger.
    pub events: Vec<LegalEvent>,
    /// What could not be used.
    pub dead_letters: Vec<DeadLetter>,
    /// Contacts of the exports, also those that a limit cut off: what the share of dead letters refers to.
    pub contacts: u64,
    /// Rows of the exports' tables, without notes; 0 = not known yet.
    pub rows: u64,
    /// Those of the tables of consents; `None` = there is no such table, or not known yet.
    pub consent_rows: Option<u64>,
    /// Contacts of the export who were erased before, and are left out.
    pub suppressed: KeptOut,
    /// Whether a page of an export of a CRM's own words is missing.
    pub incomplete: bool,
    /// A record of such an export that may say no, and nobody can tell whose it is.
    pub nobodys: Option<LegalError>,
    /// How many events came from where.
    pub sources: Vec<(&'static str, usize)>,
    /// By which identifiers everybody was seen, so that they can be found, and kept out once erased.
    pub identifiers: Vec<(SubjectId, Vec<Identifier>)>,
    /// Subjects of records that were merged, and in whom they live on.
    pub merged: HashMap<SubjectId, SubjectId>,
    /// Contacts of the export whom the CRM has deleted, or merged into others.
    pub gone: HashSet<SubjectId>,
    /// Notes that are still in their files.
    pub notes: Option<Unread>,
    pub(super) seen: Seen,
    /// Of a pull that is too large to be held at once, all contacts and companies; `groups` is empty then.
    pub(super) rest: Option<Rest>,
}

impl Loaded {
    /// How many contacts are worked on.
    #[must_use]
    pub fn subjects(&self) -> u64 {
        let here = self.groups.iter().map(|g| g.members.len() as u64).sum::<u64>();
        here + self.rest.as_ref().map_or(0, |rest| rest.subjects)
    }

    /// How many companies are worked on.
    #[must_use]
    pub fn companies(&self) -> usize {
        let here = self.groups.iter().filter(|g| g.account.id.is_some()).count();
        here + self.rest.as_ref().map_or(0, |rest| rest.accounts.len())
    }

    /// Everybody who was read, as first seen now; the ledger keeps the earliest.
    #[must_use]
    pub fn seen(&self) -> Vec<(SubjectId, Timestamp)> {
        let members = self.groups.iter().flat_map(|g| &g.members);
        members.map(|m| (m.subject.id.clone(), m.subject.collected_at)).collect()
    }

    /// Takes in what the exports of a CRM say in words of its own. People of whom a record cannot be read as it was
    /// meant are left out tonight, as those whose own row could not be read.
    pub fn take_in(&mut self, exports: &Exports, said: Outcome, ids: &Ids) {
        let dialect = exports.dialect;
        for field in &said.absent {
            tracing::warn!("{dialect}: no record has {field}: a no in it would be missed");
        }
        for (answer, n) in &said.unmapped {
            tracing::info!("{dialect}: {answer}, {n} time(s): no mapping says what it grants");
        }
        for member in self.groups.iter_mut().flat_map(|g| &mut g.members) {
            member.ambiguous |= said.unclear.contains(&member.subject.id);
        }
        self.incomplete |= exports.incomplete;
        self.nobodys = self.nobodys.take().or_else(|| said.nobodys.map(|place| exports.nobodys(place)));
        self.sources.push((dialect.as_str(), said.events.len()));
        self.events.extend(said.events);
        self.dead_letters.extend(said.problems.iter().map(|problem| problem.dead_letter(ids)));
        self.dead_letters.extend(exports.incomplete_letter(ids));
        self.dead_letters.sort();
    }

    /// Leaves nothing but noes, and those who said them.
    pub fn keep_noes(&mut self) {
        self.events.retain(|event| event.kind.is_negative());
        let said: HashSet<&SubjectId> = self.events.iter().map(|event| &event.subject).collect();
        self.groups.iter_mut().for_each(|group| group.members.retain(|member| said.contains(&member.subject.id)));
        self.sources = vec![("crm", self.events.len())];
    }

    /// Hands on what people said against processing in earlier nights, under records that were merged since.
    pub fn inherit(&mut self, ledger: &LedgerView) {
        for (loser, into) in &self.merged {
            let noes = ledger.entries(loser).into_iter().filter(|e| e.event.kind.is_negative());
            let of =
                |event: LegalEvent| LegalEvent { subject: into.clone(), external_id: None, supersedes: None, ..event };
            self.events.extend(noes.map(|e| of(e.event.clone())));
        }
    }

    /// Anchors every contact at its first collection, under whatever record it was.
    pub fn anchor(&mut self, first_seen: impl Fn(&SubjectId) -> Option<Timestamp>) {
        let mut earlier: HashMap<&SubjectId, Timestamp> = HashMap::new();
        for (loser, into) in &self.merged {
            if let Some(at) = first_seen(loser) {
                earlier.entry(into).and_modify(|first| *first = at.min(*first)).or_insert(at);
            }
        }
        for member in self.groups.iter_mut().flat_map(|g| &mut g.members) {
            let id = &member.subject.id;
            if let Some(at) = first_seen(id).into_iter().chain(earlier.get(id).copied()).min() {
                member.subject.collected_at = at;
            }
        }
    }

    /// Hands on what people put right under records that were merged since, as far as the one that holds says nothing of it.
    pub fn hand_on(&self, rectified: &mut HashMap<SubjectId, Vec<Rectification>>) {
        for (loser, into) in &self.merged {
            let of_loser = rectified.get(loser).cloned().unwrap_or_default();
            let of_winner = rectified.entry(into.clone()).or_default();
            for put_right in of_loser {
                if of_winner.iter().all(|own| own.correction.facet() != put_right.correction.facet()) {
                    of_winner.push(put_right);
                }
            }
        }
    }
}

/// Gives ids, ties contacts to companies, reads the legal events, and notes what does not fit.
pub(super) fn load(evening: &Evening<'_>, pull: &mut CrmPull, shared: &dyn Fn(&str) -> bool) -> Loaded {
    let &Evening { crm, ids, now, limit, .. } = evening;
    let mut consents = std::mem::take(&mut pull.consents);
    if evening.noes_alone {
        // A kind that nobody knows may be a cell that has slipped, of somebody else's row.
        consents.retain(|row| EventKind::read(&row.kind).is_some_and(EventKind::is_negative));
    }
    let pull = &*pull;
    let mut dead_letters = crm_dead_letters(crm, pull, ids);
    let accounts: HashMap<&str, AccountId> =
        pull.accounts.iter().map(|a| (a.record_id.as_str(), ids.account(crm, &a.record_id))).collect();
    let kept = &pull.contacts[..pull.contacts.len().min(limit.unwrap_or(usize::MAX))];
    let doubled = doubled(pull, shared);
    let mut groups: BTreeMap<Option<AccountId>, Vec<Member>> = BTreeMap::new();
    for contact in kept {
        let account = account_of((contact, pull.company_of(contact)), &accounts, crm, ids, &mut dead_letters);
        let mut subject = subject(crm, contact, account.clone(), ids, now);
        if contact.updated_at.is_some_and(|at| at.duration_since(now) > SLACK) {
            dead_letters.push(letters::future_date(contact, ids, &subject.id));
            subject.updated_at = None;
        }
        let doubled = doubled.contains(contact.record_id.as_str());
        // A row of the record that could not be read may have said no: nobody knows whom the rest describes.
        let ambiguous = doubled || contact.flags.incomplete;
        if doubled {
            dead_letters.push(letters::ambiguous_person(contact, ids, &subject.id));
        }
        groups.entry(account).or_default().push(Member { subject, ambiguous });
    }
    if limit.is_none() {
        for account in accounts.values() {
            groups.entry(Some(account.clone())).or_default();
        }
    }
    // The consents of contacts that a limit cut off are still imported: they are facts.
    let (consents, slips) = without_slips(crm, consents, ids, now);
    let people: Vec<&CrmContact> = pull.contacts.iter().chain(&pull.gone).collect();
    let imported = import(crm, &people, &consents, ids);
    dead_letters.extend(imported.dead_letters);
    dead_letters.extend(slips);
    dead_letters.sort();
    Loaded {
        seen: Seen::default(),
        groups: in_order(groups, pull, crm, ids),
        sources: vec![("crm", imported.events.len())],
        events: imported.events,
        dead_letters,
        contacts: pull.contacts.len() as u64,
        rows: 0,
        consent_rows: None,
        suppressed: KeptOut::default(),
        incomplete: false,
        nobodys: None,
        identifiers: identified(crm, pull, ids, evening.identifiers),
        merged: pull.merged.iter().map(|(loser, into)| (ids.subject(crm, loser), ids.subject(crm, into))).collect(),
        gone: pull.gone.iter().map(|c| ids.subject(crm, &c.record_id)).collect(),
        notes: None,
        rest: None,
    }
}

/// By what everybody is known. The record that another one was merged into is known by both: whoever is erased in it stays
/// out under the old one, too.
fn identified(crm: &str, pull: &CrmPull, ids: &Ids, identifiers: &Identifiers) -> Vec<(SubjectId, Vec<Identifier>)> {
    let own = |c: &CrmContact| (ids.subject(crm, &c.record_id), identifiers.contact(crm, c));
    let rows: HashMap<&str, &CrmContact> = pull.gone.iter().map(|c| (c.record_id.as_str(), c)).collect();
    let of_merged = |(loser, into): (&String, &String)| {
        let of_row = rows.get(loser.as_str()).map(|c| identifiers.contact(crm, c));
        (ids.subject(crm, into), of_row.unwrap_or_else(|| vec![identifiers.record(crm, loser)]))
    };
    pull.contacts.iter().chain(&pull.gone).map(own).chain(pull.merged.iter().map(of_merged)).collect()
}

fn in_order(mut groups: BTreeMap<Option<AccountId>, Vec<Member>>, pull: &CrmPull, crm: &str, ids: &Ids) -> Vec<Group> {
    let group = |account, members| Group { account, members, notes: Vec::new(), noted_at: None, held: None };
    let no_account = groups.remove(&None).map(|members| group(Account::default(), members));
    let by_id: HashMap<AccountId, &CrmAccount> =
        pull.accounts.iter().map(|a| (ids.account(crm, &a.record_id), a)).collect();
    let companies = groups.into_iter().filter_map(|(id, members)| {
        let id = id?;
        Some(group(account(by_id.get(&id)?, id), members))
    });
    let mut all: Vec<Group> = no_account.into_iter().chain(companies).collect();
    for group in &mut all {
        group.members.sort_by(|a, b| a.subject.id.cmp(&b.subject.id));
    }
    all
}

fn subject(crm: &str, contact: &CrmContact, account: Option<AccountId>, ids: &Ids, now: Timestamp) -> Subject {
    Subject {
        id: ids.subject(crm, &contact.record_id),
        crm_record: contact.record_id.clone(),
        account,
        given_name: contact.given_name.clone(),
        family_name: contact.family_name.clone(),
        emails: contact.emails.clone(),
        job_title: contact.job_title.clone(),
        handles: contact.handles.clone(),
        language: contact.language,
        country: contact.country.clone(),
        updated_at: contact.updated_at,
        collected_at: now,
    }
}

fn account(account: &CrmAccount, id: AccountId) -> Account {
    Account {
        id: Some(id),
        crm_record: account.record_id.clone(),
        name: account.name.clone(),
        domain: account.domain.clone(),
        country: account.country.clone(),
        city: account.city.clone(),
        industry: account.industry.clone(),
        nace: account.nace.clone(),
        employees: account.employees,
        revenue_eur: account.revenue_eur,
        legal_form: account.legal_form.clone(),
        founded: account.founded,
    }
}

fn account_of(
    (contact, company): (&CrmContact, Option<&str>),
    accounts: &HashMap<&str, AccountId>,
    crm: &str,
    ids: &Ids,
    dead_letters: &mut Vec<DeadLetter>,
) -> Option<AccountId> {
    let found = accounts.get(company?).cloned();
    if found.is_none() {
        dead_letters.push(letters::unknown_account(contact, crm, ids));
    }
    found
}

/// Records of which another one has the same e-mail address, or the same name at the same company.
fn doubled<'p>(pull: &'p CrmPull, shared: &dyn Fn(&str) -> bool) -> HashSet<&'p str> {
    let mut doubled = HashSet::new();
    // Whom an address was seen with first.
    let mut addresses: HashMap<&str, &str> = HashMap::with_capacity(pull.contacts.len());
    let mut names: HashMap<String, &str> = HashMap::with_capacity(pull.contacts.len());
    for contact in &pull.contacts {
        let record = contact.record_id.as_str();
        for email in &contact.emails {
            let first = addresses.insert(email.reveal(), record);
            doubled.extend(first.into_iter().flat_map(|first| [first, record]));
            doubled.extend(shared(email.reveal()).then_some(record));
        }
        if let Some(company) = pull.company_of(contact) {
            let name = contact.name_at(company);
            doubled.extend(shared(&name).then_some(record));
            let first = names.insert(name, record);
            doubled.extend(first.into_iter().flat_map(|first| [first, record]));
        }
    }
    doubled
}

fn crm_dead_letters(crm: &str, pull: &CrmPull, ids: &Ids) -> Vec<DeadLetter> {
    pull.dead_letters.iter().map(|letter| dead_letter(crm, letter, ids)).collect()
}
