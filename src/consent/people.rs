//! The people of a home, looked up when somebody asks for them: of a million people nobody is in memory who is not worked on.
//!
//! Invariant: what is told of somebody is what vault and ledger hold; who is held is only found faster.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, RwLock, Weak};

use crate::consent::ledger::{Ledger, LedgerError, Person};
use crate::keys::{SubjectKey, Vault, VaultError};
use crate::model::SubjectId;

/// Somebody with their key, and what the ledger says of them.
#[derive(Debug)]
pub struct Someone {
    key: SubjectKey,
    said: Arc<Person>,
}

impl Someone {
    /// What the ledger says of them, as it stood when the view was taken.
    #[must_use]
    pub fn said(&self) -> &Person {
        &self.said
    }
}

/// People who are held for as long as somebody works on them.
#[derive(Debug, Default)]
pub struct Held(HashMap<SubjectId, Arc<Someone>>);

impl Held {
    /// What the ledger says of each.
    pub fn said(&self) -> impl Iterator<Item = (SubjectId, Arc<Person>)> {
        self.0.iter().map(|(subject, someone)| (subject.clone(), Arc::clone(&someone.said)))
    }
}

/// Vault and ledger of a home, and those who are held.
#[derive(Debug)]
pub struct People {
    books: Mutex<(Vault, Ledger)>,
    /// The newest last.
    held: RwLock<Vec<Weak<Held>>>,
}

impl People {
    /// Those of a home.
    #[must_use]
    pub fn new(vault: Vault, ledger: Ledger) -> Self {
        Self { books: Mutex::new((vault, ledger)), held: RwLock::default() }
    }

    /// Vault and ledger.
    ///
    /// # Panics
    /// Never: no holder of the lock panics.
    pub fn books(&self) -> MutexGuard<'_, (Vault, Ledger)> {
        self.books.lock().expect("no holder panics")
    }

    /// Looks people up and holds them until what is returned is dropped; who has no key is left out.
    ///
    /// # Errors
    /// Vault or ledger cannot be read, or are damaged.
    ///
    /// # Panics
    /// Never: no holder of a lock panics.
    pub fn hold<'s>(&self, people: impl IntoIterator<Item = &'s SubjectId>) -> Result<Arc<Held>, LedgerError> {
        let held = {
            let (vault, ledger) = &mut *self.books();
            steadily(vault, ledger, |vault, ledger| {
                let mut held = HashMap::new();
                for subject in people {
                    if let Some(someone) = look_up(vault, ledger, subject)? {
                        held.insert(subject.clone(), Arc::new(someone));
                    }
                }
                Ok::<_, LedgerError>(held)
            })?
        };
        let held = Arc::new(Held(held));
        let mut all = self.held.write().expect("no holder panics");
        all.retain(|held| held.strong_count() > 0);
        all.push(Arc::downgrade(&held));
        Ok(held)
    }

    fn held(&self, subject: &SubjectId) -> Option<Arc<Someone>> {
        let all = self.held.read().expect("no holder panics");
        all.iter().rev().find_map(|held| held.upgrade()?.0.get(subject).cloned())
    }

    /// Somebody; `None` = they have no key, so nothing was ever said of them.
    ///
    /// # Errors
    /// Vault or ledger cannot be read, or are damaged.
    pub fn find(&self, subject: &SubjectId) -> Result<Option<Arc<Someone>>, LedgerError> {
        if let Some(someone) = self.held(subject) {
            return Ok(Some(someone));
        }
        let (vault, ledger) = &mut *self.books();
        Ok(look_up(vault, ledger, subject)?.map(Arc::new))
    }

    /// The key of somebody.
    ///
    /// # Errors
    /// The vault cannot be read, or is damaged.
    pub fn key(&self, subject: &SubjectId) -> Result<Option<SubjectKey>, VaultError> {
        match self.held(subject) {
            Some(someone) => Ok(Some(someone.key.clone())),
            None => self.books().0.look_up(subject),
        }
    }
}

/// Looks many people up in one reading of both files, which locks them once.
///
/// # Errors
/// Those of `work`, or the files cannot be read.
pub fn steadily<T, E: From<LedgerError>>(
    vault: &mut Vault,
    ledger: &mut Ledger,
    work: impl FnOnce(&mut Vault, &mut Ledger) -> Result<T, E>,
) -> Result<T, E> {
    vault.read_steadily(true).map_err(LedgerError::from)?;
    let done = ledger.read_steadily(true).map_err(E::from).and_then(|()| {
        let done = work(vault, ledger);
        ledger.read_steadily(false)?;
        done
    });
    vault.read_steadily(false).map_err(LedgerError::from)?;
    done
}

fn look_up(vault: &Vault, ledger: &mut Ledger, subject: &SubjectId) -> Result<Option<Someone>, LedgerError> {
    let Some(key) = vault.look_up(subject)? else { return Ok(None) };
    Ok(Some(Someone { said: ledger.person(subject, &key)?, key }))
}
