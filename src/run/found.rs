//! What the CRM has tonight, and what comes of it: everybody but those who were erased.
//!
//! Invariant: whoever was erased under any record leaves nothing; what was said against processing under a record that was
//! merged stands against the one that it lives on in.

use std::collections::HashSet;

use jiff::Timestamp;

use crate::consent::ledger::{Ledger, LedgerView};
use crate::consent::suppression::Identifiers;
use crate::crm::{CrmPull, NoteFiles};
use crate::ids::Ids;
use crate::keys::Vault;
use crate::run::engine::RunError;
use crate::run::legal::{Directory, Exports};
use crate::run::load::{Loaded, load};
use crate::run::notes::Unread;

/// What the CRM has tonight.
pub(super) struct Found {
    pub pulled: CrmPull,
    pub notes: NoteFiles,
    /// What it says of data protection in words of its own.
    pub exports: Vec<Exports>,
}

impl Found {
    /// Everybody but those who were erased, with all that is said against and for processing, each as old as their first
    /// collection.
    pub fn load(
        self,
        crm: &str,
        ids: &Ids,
        (vault, ledger): (&Vault, &Ledger),
        now: Timestamp,
        limit: Option<usize>,
    ) -> Result<Loaded, RunError> {
        let identifiers = Identifiers::new(vault)?;
        let before = self.pulled.contacts.len() + self.pulled.gone.len();
        let (pulled, suppressed) = without_suppressed(crm, self.pulled, &identifiers, ledger.view());
        let mut people = Directory::new(crm, ids, &identifiers, vault, ledger.view());
        people.add_tonight(&pulled);
        let mut loaded = load(crm, &pulled, ids, &identifiers, now, limit);
        for export in &self.exports {
            loaded.take_in(export, export.read(&people, now), ids);
        }
        drop(people);
        loaded.inherit(ledger.view());
        loaded.anchor(|subject| ledger.view().first_seen(subject));
        loaded.suppressed = (before - pulled.contacts.len() - pulled.gone.len()) as u64;
        let gone = pulled.gone.into_iter().map(|c| c.record_id).collect();
        let CrmPull { merged, merged_accounts, .. } = pulled;
        loaded.notes = Some(Unread { files: self.notes, identifiers, suppressed, gone, merged, merged_accounts });
        Ok(loaded)
    }
}

/// Drops everybody from a pull who was erased before, and every row about them; tells their record ids, by which their
/// notes are known. Nothing else is kept of them, not even a dead letter: it would say which row they are.
fn without_suppressed(
    crm: &str,
    mut pull: CrmPull,
    identifiers: &Identifiers,
    ledger: &LedgerView,
) -> (CrmPull, HashSet<String>) {
    if ledger.n_suppressed() == 0 {
        return (pull, HashSet::new());
    }
    let rows = || pull.contacts.iter().chain(&pull.gone);
    let by_row = rows().filter(|c| identifiers.is_suppressed(crm, c, ledger)).map(|c| c.record_id.clone());
    let mut dropped: HashSet<String> = by_row.collect();
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
    (pull, dropped)
}
