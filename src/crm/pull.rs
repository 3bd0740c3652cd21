//! One pull: every file of a CRM into contacts, companies and consent rows.
//!
//! Invariant: of one record id the newest row wins, and what any of its rows says against processing stays.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::columns::Table;
use super::merge;
use super::reader::{Cells, check_settings};
use super::ready::ready;
use super::rows::{Rows, dead};
use super::{
    CrmAccount, CrmContact, CrmDeadLetter, CrmError, CrmPull, CsvSource, FileFacts, FileSet, Flags, Origin, contact,
    files, other,
};
use crate::model::Personal;

/// Reads all files of `source`; relative paths start at `base_dir`.
pub fn pull(source: &CsvSource, base_dir: &Path) -> Result<CrmPull, CrmError> {
    let source = &ready(source, base_dir)?;
    let mut files = Vec::new();
    let mut accounts = Newest::default();
    let mut letters = Vec::new();
    if let Some(set) = &source.accounts {
        each(Table::Accounts, set, base_dir, &mut files, &mut letters, |cells| {
            accounts.add(other::account(cells)?, cells);
            Ok(())
        })?;
    }
    let companies = merge::Companies::of(accounts.into_rows(), &mut letters);
    let mut pull = gather(companies, BTreeMap::new(), (letters, None), |table, letters, take| {
        let set = if table == Table::Contacts { Some(&source.contacts) } else { source.consents.as_ref() };
        set.map_or(Ok(()), |set| each(table, set, base_dir, &mut files, letters, take))
    })?;
    pull.files = files;
    Ok(pull)
}

/// Takes a row, or tells why it is none.
pub(super) type TakeRow<'t> = dyn FnMut(&mut Cells<'_>) -> Result<(), Box<CrmDeadLetter>> + 't;

/// Contacts and consents of some companies. `rows` calls back for each row of a table; `unread` are records of which a row
/// could not be read at all, `letters` what was wrong so far, `merges` those of the whole, where this is a part of it.
pub(super) fn gather(
    companies: merge::Companies,
    mut unread: BTreeMap<String, u32>,
    (letters, merges): (Vec<CrmDeadLetter>, Option<&merge::Merges>),
    mut rows: impl FnMut(Table, &mut Vec<CrmDeadLetter>, &mut TakeRow<'_>) -> Result<(), CrmError>,
) -> Result<CrmPull, CrmError> {
    let (mut pull, mut notes) = (CrmPull::default(), letters);
    let mut contacts = Newest::default();
    let before = notes.len();
    rows(Table::Contacts, &mut notes, &mut |cells| {
        contacts.add(contact::read(cells)?, cells);
        Ok(())
    })?;
    let mut seen = BTreeSet::new();
    rows(Table::Consents, &mut notes, &mut |cells| {
        if !seen.insert(*cells.row.digest()) {
            return Err(cells.letter("duplicate", None, "the same row stands above; nothing to do"));
        }
        pull.consents.push(other::consent(cells)?);
        Ok(())
    })?;
    count_unread(&notes[before..], &mut unread);
    pull.contacts = contacts.into_rows();
    for contact in &mut pull.contacts {
        contact.flags.incomplete |= unread.contains_key(&contact.record_id);
    }
    merge::settle(&mut pull, &unread, merges, &mut notes);
    companies.settle(&mut pull);
    notes.sort_by(|a, b| (&a.origin, a.reason, &a.field).cmp(&(&b.origin, b.reason, &b.field)));
    pull.dead_letters = notes;
    Ok(pull)
}

/// The files of a set.
///
/// # Errors
/// There are none.
pub fn files_of(set: &FileSet, base: &Path) -> Result<Vec<PathBuf>, CrmError> {
    files::of_set(Table::Contacts, set, base)
}

/// Tells the first mistake in the settings, without looking at a file.
pub fn check(source: &CsvSource) -> Result<(), CrmError> {
    check_settings(Table::Contacts, &source.contacts)?;
    source.accounts.iter().try_for_each(|set| check_settings(Table::Accounts, set))?;
    source.consents.iter().try_for_each(|set| check_settings(Table::Consents, set))?;
    source.notes.iter().try_for_each(|set| check_settings(Table::Notes, set))
}

/// Calls `take` for each row of each file of a table, and keeps facts and dead letters.
fn each(
    table: Table,
    set: &FileSet,
    base: &Path,
    facts: &mut Vec<FileFacts>,
    notes: &mut Vec<CrmDeadLetter>,
    mut take: impl FnMut(&mut Cells<'_>) -> Result<(), Box<CrmDeadLetter>>,
) -> Result<(), CrmError> {
    check_settings(table, set)?;
    let paths = files::of_set(table, set, base)?;
    for (path, name) in paths.iter().zip(files::names(set, base, &paths)) {
        let mut reader = Rows::open(table, set, path, &name)?;
        while let Some(item) = reader.next_row()? {
            let layout = reader.layout();
            let result = item.and_then(|row| {
                let id = other::key(layout, &row);
                take(&mut Cells { layout, row: &row, notes, id })
            });
            notes.extend(result.err().map(|letter| *letter));
        }
        facts.push(reader.into_facts());
    }
    Ok(())
}

/// Which contacts have a row that could not be read at all, so that an objection in it would be missed.
pub(super) fn count_unread(notes: &[CrmDeadLetter], unread: &mut BTreeMap<String, u32>) {
    // A grant that is lost only makes less possible, and a duplicate was read.
    let harmless =
        |n: &CrmDeadLetter| n.reason == "duplicate" || (n.table == "consents" && n.reason == "unreadable_date");
    for note in notes.iter().filter(|n| n.row_dropped && !harmless(n)) {
        if let Some(id) = &note.record_id {
            *unread.entry(id.clone()).or_default() += 1;
        }
    }
}

/// A record that can stand in several rows.
pub(super) trait Record: Sized {
    fn id(&self) -> &str;
    fn updated_at(&self) -> Option<Timestamp>;
    fn origin(&self) -> &Origin;
    /// What survives of an older row.
    fn inherit(&mut self, older: Self);
    /// Whether an older row, or one of the same time, is about somebody else.
    fn is_of_another(&self, _: &Self) -> bool {
        false
    }
    /// Whether the row says that the record is gone.
    fn is_gone(&self) -> bool;
    /// Whether it says so, and not since when: then no other row is newer.
    fn is_gone_for_good(&self) -> bool {
        self.is_gone() && self.updated_at().is_none()
    }
}

impl Record for CrmAccount {
    fn id(&self) -> &str {
        &self.record_id
    }
    fn updated_at(&self) -> Option<Timestamp> {
        self.updated_at
    }
    fn origin(&self) -> &Origin {
        &self.origin
    }
    fn inherit(&mut self, older: Self) {
        self.merged_into = self.merged_into.take().or(older.merged_into);
        self.merged_ids.extend(older.merged_ids);
    }
    fn is_gone(&self) -> bool {
        self.deleted || self.merged_into.is_some()
    }
}

impl Record for CrmContact {
    fn id(&self) -> &str {
        &self.record_id
    }
    fn updated_at(&self) -> Option<Timestamp> {
        self.updated_at
    }
    fn origin(&self) -> &Origin {
        &self.origin
    }
    fn is_of_another(&self, older: &Self) -> bool {
        // Within a file nobody's row changes into another one's.
        let is_newer = self.origin.file != older.origin.file
            && self.updated_at.zip(older.updated_at).is_some_and(|(new, old)| new != old);
        let differ = |one: &Personal<String>, other: &Personal<String>| {
            let [one, other] = [one, other].map(|name| name.reveal().to_lowercase());
            !one.is_empty() && !other.is_empty() && one != other
        };
        !is_newer
            && differ(&self.family_name, &older.family_name)
            && differ(&self.given_name, &older.given_name)
            && !self.emails.is_empty()
            && !older.emails.is_empty()
            && !self.emails.iter().any(|email| older.emails.contains(email))
    }
    fn inherit(&mut self, older: Self) {
        // Whose consents are under that id nobody can tell.
        self.flags.incomplete |= self.is_of_another(&older);
        self.flags.add(&older.flags);
        self.created_at = [self.created_at, older.created_at].into_iter().flatten().min();
        self.merged_into = self.merged_into.take().or(older.merged_into);
        self.merged_ids.extend(older.merged_ids);
        if self.deleted || self.merged_into.is_some() {
            // By these the person is known again.
            self.emails.extend(older.emails);
            self.account_record = self.account_record.take().or(older.account_record);
            if self.family_name.reveal().is_empty() {
                (self.given_name, self.family_name) = (older.given_name, older.family_name);
            }
        }
    }
    fn is_gone(&self) -> bool {
        self.deleted || self.merged_into.is_some()
    }
}

impl Flags {
    /// Adds what another row of the record says against processing; its lawful basis is not carried over.
    pub(super) fn add(&mut self, other: &Self) {
        self.email_opt_out |= other.email_opt_out;
        self.do_not_process |= other.do_not_process;
        self.do_not_profile |= other.do_not_profile;
        self.should_forget |= other.should_forget;
        self.do_not_contact |= other.do_not_contact;
        self.incomplete |= other.incomplete;
    }
}

/// Whether a row is an older state of the record that a row of another file has anew, and no duplicate: what a later file says is
/// gone, and, where exports `grow`, what a later file says of it or what has another date.
fn is_superseded<T: Record>(winner: &T, loser: &T, is_later: bool, grows: bool) -> bool {
    let is_apart = winner.origin().file != loser.origin().file;
    let differ = dates(winner, loser).is_some_and(|(one, other)| one != other);
    let is_change = grows && (differ || is_later && !winner.is_of_another(loser));
    is_apart && (is_change || is_later && winner.is_gone())
}

fn dates<T: Record>(winner: &T, loser: &T) -> Option<(Timestamp, Timestamp)> {
    winner.updated_at().zip(loser.updated_at())
}

/// Why a row does not hold, and what to do.
fn why<T: Record>(winner: &T, loser: &T, is_earlier: bool) -> String {
    let other = winner.origin();
    if winner.is_of_another(loser) {
        format!("names somebody else than {other}: give both ids of their own; until then neither is worked on")
    } else if is_earlier && winner.is_gone_for_good() && !loser.is_gone_for_good() {
        format!(
            "another row of this record ({other}) says that it is gone, and not since when, so no row is newer; where the record \
             is back, remove that row, or give it the date of the deletion or merge"
        )
    } else if dates(winner, loser).is_some_and(|(new, old)| new != old) {
        format!("another row of this record is newer ({other}); merge the records in the CRM")
    } else if is_earlier {
        format!(
            "another row of this record ({other}) has a date of change, and this one has none; give it one, or merge the records in the CRM"
        )
    } else {
        format!("another row of this record holds ({other}), which comes later; merge the records in the CRM")
    }
}

/// The newest row of each record.
pub(super) struct Newest<T>(BTreeMap<String, T>);

impl<T> Default for Newest<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T: Record> Newest<T> {
    pub(super) fn add(&mut self, new: T, cells: &mut Cells<'_>) {
        let Some(old) = self.0.remove(new.id()) else {
            self.0.insert(new.id().to_owned(), new);
            return;
        };
        // Of rows with one date the later in the order of reading wins, so the outcome has one reason.
        let old_wins = if new.is_gone_for_good() == old.is_gone_for_good() {
            new.updated_at() < old.updated_at()
        } else {
            old.is_gone_for_good()
        };
        let (mut winner, loser) = if old_wins { (old, new) } else { (new, old) };
        // The same row twice says the same, and every contact of a company tells of it.
        let is_same = winner.origin().digest == loser.origin().digest || cells.layout.of_contacts;
        if !is_same && !is_superseded(&winner, &loser, !old_wins, cells.layout.grows) {
            let advice = why(&winner, &loser, old_wins);
            let id = Some(loser.id().to_owned());
            cells.notes.push(*dead(cells.layout.table, "duplicate", None, &advice, id, loser.origin().clone()));
        }
        winner.inherit(loser);
        self.0.insert(winner.id().to_owned(), winner);
    }

    pub(super) fn into_rows(self) -> Vec<T> {
        self.0.into_values().collect()
    }
}

#[cfg(test)]
#[path = "superseded_tests.rs"]
mod tests;
