//! Sealed copies of those whose processing is restricted, kept and let go of by an open home.
//!
//! Invariant: a copy is kept before anything is taken out of a table, and goes only when no restriction stands.

use crate::consent::restriction::is_restricted;
use crate::model::SubjectId;
use crate::rights::office::{Office, OfficeError};
use crate::rights::restrict;

impl Office {
    /// Whether processing of a person is restricted.
    #[must_use]
    pub fn is_restricted(&self, subject: &SubjectId) -> bool {
        let events = self.ledger.view().events(subject).unwrap_or_default();
        is_restricted(events.iter(), self.now())
    }

    /// Keeps a sealed copy of what the tables have of those among these whose processing is restricted.
    ///
    /// # Errors
    /// The tables cannot be read, or the store or the log cannot be written.
    pub fn seal_restricted<'a>(&self, people: impl IntoIterator<Item = &'a SubjectId>) -> Result<(), OfficeError> {
        let restricted = people.into_iter().filter(|subject| self.is_restricted(subject));
        let known: Vec<_> = restricted.filter_map(|subject| Some((subject, self.vault.key(subject)?))).collect();
        let any = restrict::keep((self.home.path(), &self.store, &self.vault), &known)?;
        if any { self.log_store() } else { Ok(()) }
    }

    /// Of whom a sealed copy is kept longer than the policy allows, sorted.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn sealed_overdue(&self) -> Result<Vec<SubjectId>, OfficeError> {
        let mut over: Vec<SubjectId> = Vec::new();
        for (subject, key) in self.store.all_restricted(&self.vault)? {
            // Somebody may have let go of it meanwhile.
            let Some(copy) = self.store.restricted(&key)? else { continue };
            let end = restrict::retain_until(&copy).map_err(|_| self.store.unreadable_copy())?;
            if end.is_some_and(|end| end <= self.now()) {
                over.push(subject);
            }
        }
        over.sort();
        Ok(over)
    }

    /// Lets go of the copies of those whose restriction has ended.
    ///
    /// # Errors
    /// The store or the log cannot be written.
    pub fn release_lifted(&self) -> Result<(), OfficeError> {
        match restrict::let_go((&self.store, &self.vault), |subject| self.is_restricted(subject))? {
            0 => Ok(()),
            _ => self.log_store(),
        }
    }
}
