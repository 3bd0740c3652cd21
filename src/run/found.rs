//! What the CRM has tonight, and what comes of it: everybody but those who were erased.
//!
//! Invariant: whoever was erased under any record leaves nothing; what was said against processing under a record that was
//! merged stands against the one that it lives on in.

use std::collections::{BTreeMap, HashSet};

use jiff::Timestamp;

use crate::consent::ledger::LedgerView;
use crate::consent::suppression::{Identifiers, KnownBy};
use crate::crm::CrmPull;
use crate::ids::Ids;
use crate::keys::Vault;
use crate::run::legal::{Directory, Exports};
use crate::run::load::{Loaded, load};

/// What must be known to read what a CRM has tonight.
#[derive(Clone, Copy)]
pub(super) struct Evening<'a> {
    /// The CRM's name.
    pub crm: &'a str,
    pub ids: &'a Ids,
    pub identifiers: &'a Identifiers,
    /// What people have said so far.
    pub view: &'a LedgerView,
    pub now: Timestamp,
    /// The first so many contacts only.
    pub limit: Option<usize>,
    /// Nothing but what plainly is a no is taken in.
    pub noes_alone: bool,
}

/// Contacts of the exports who are left out, because somebody was erased whom they are taken for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct KeptOut {
    /// All of them.
    pub all: u64,
    /// Those under a record of their own, by an e-mail address: a person who came back, or a successor. Which of the two,
    /// nobody can tell without the erased.
    pub by_address: u64,
    /// Those under a record of their own, by the name at the company.
    pub by_name: u64,
}

impl KeptOut {
    /// Adds those of another part.
    const fn add(&mut self, other: Self) {
        self.all += other.all;
        self.by_address += other.by_address;
        self.by_name += other.by_name;
    }
}

/// What was read, and what notes must be held against.
#[derive(Default)]
pub(super) struct Read {
    pub loaded: Loaded,
    /// Record ids of people who were erased.
    pub suppressed: HashSet<String>,
    /// Record ids of contacts whom the CRM has deleted or merged.
    pub gone: HashSet<String>,
    /// Of merged records, the one that each lives on in.
    pub merged: BTreeMap<String, String>,
    /// The same of companies.
    pub merged_accounts: BTreeMap<String, String>,
}

impl Read {
    /// Adds what another part has, but for its contacts and companies.
    pub fn add(&mut self, other: Self) {
        let (all, part) = (&mut self.loaded, other.loaded);
        all.dead_letters.extend(part.dead_letters);
        all.contacts += part.contacts;
        all.suppressed.add(part.suppressed);
        all.merged.extend(part.merged);
        all.gone.extend(part.gone);
        for (source, events) in part.sources {
            match all.sources.iter_mut().find(|(known, _)| *known == source) {
                Some((_, n)) => *n += events,
                None => all.sources.push((source, events)),
            }
        }
        self.suppressed.extend(other.suppressed);
        self.gone.extend(other.gone);
        self.merged.extend(other.merged);
    }
}

impl Evening<'_> {
    /// Everybody but those who were erased, with all that their rows say against and for processing, each as old as their
    /// first collection. `shared` tells of e-mail addresses that somebody else has who is not in this pull.
    pub fn read(&self, pulled: CrmPull, shared: impl Fn(&str) -> bool) -> Read {
        self.read_with(pulled, shared, |_, _| {})
    }

    /// The same, with what the CRM says of data protection in words of its own.
    pub fn read_all(&self, pulled: CrmPull, exports: &[Exports], vault: &Vault) -> Read {
        self.read_with(
            pulled,
            |_| false,
            |pulled, loaded| {
                if exports.is_empty() {
                    return;
                }
                let mut people = Directory::new(self.crm, self.ids, self.identifiers, vault, self.view);
                people.add_tonight(pulled);
                for export in exports {
                    loaded.take_in(export, export.read(&people, self.now), self.ids);
                }
            },
        )
    }

    /// Drops everybody who was erased before, and every row about them.
    pub fn without_erased(&self, pulled: CrmPull) -> CrmPull {
        without_suppressed(self.crm, pulled, self.identifiers, self.view).0
    }

    fn read_with(
        &self,
        pulled: CrmPull,
        shared: impl Fn(&str) -> bool,
        also: impl FnOnce(&CrmPull, &mut Loaded),
    ) -> Read {
        let before = pulled.contacts.len() + pulled.gone.len();
        let (mut pulled, suppressed, known_by) = without_suppressed(self.crm, pulled, self.identifiers, self.view);
        let mut loaded = load(self, &mut pulled, &shared);
        also(&pulled, &mut loaded);
        if self.noes_alone {
            loaded.keep_noes();
        }
        loaded.inherit(self.view);
        loaded.anchor(|subject| self.view.first_seen(subject));
        let all = (before - pulled.contacts.len() - pulled.gone.len()) as u64;
        loaded.suppressed = KeptOut { all, ..known_by };
        let gone = pulled.gone.into_iter().map(|c| c.record_id).collect();
        let CrmPull { merged, merged_accounts, .. } = pulled;
        Read { loaded, suppressed, gone, merged, merged_accounts }
    }
}

/// Drops everybody from a pull who was erased before, and every row about them; tells their record ids, by which their
/// notes are known. Nothing else is kept of them, not even a dead letter: it would say which row they are.
fn without_suppressed(
    crm: &str,
    mut pull: CrmPull,
    identifiers: &Identifiers,
    ledger: &LedgerView,
) -> (CrmPull, HashSet<String>, KeptOut) {
    let mut known_by = KeptOut::default();
    if ledger.n_suppressed() == 0 {
        return (pull, HashSet::new(), known_by);
    }
    let mut dropped: HashSet<String> = HashSet::new();
    for contact in pull.contacts.iter().chain(&pull.gone) {
        if let Some(by) = identifiers.suppressed_by(crm, contact, ledger) {
            known_by.by_address += u64::from(by == KnownBy::Address);
            known_by.by_name += u64::from(by == KnownBy::Name);
            dropped.insert(contact.record_id.clone());
        }
    }
    // One person under several records: whoever was erased under one comes back under none.
    let is_erased =
        |record: &String| dropped.contains(record) || ledger.is_suppressed(&identifiers.record(crm, record));
    let erased: HashSet<String> = pull
        .merged
        .iter()
        .filter(|(loser, into)| is_erased(loser) || is_erased(into))
        .map(|(_, into)| into.clone())
        .collect();
    dropped.extend(pull.merged.iter().filter(|(_, into)| erased.contains(*into)).map(|(loser, _)| loser.clone()));
    dropped.extend(erased);
    let gone = |record: &str| dropped.contains(record) || ledger.is_suppressed(&identifiers.record(crm, record));
    pull.contacts.retain(|contact| !dropped.contains(&contact.record_id));
    pull.gone.retain(|contact| !dropped.contains(&contact.record_id));
    pull.merged.retain(|loser, _| !dropped.contains(loser));
    pull.consents.retain(|row| !gone(&row.contact_id));
    pull.dead_letters.retain(|l| l.table == "accounts" || !l.record_id.as_deref().is_some_and(gone));
    (pull, dropped, known_by)
}
