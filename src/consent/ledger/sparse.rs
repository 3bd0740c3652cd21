//! A ledger whose entries are read when somebody asks for them.
//!
//! Invariant: the whole chain is followed when it is opened, and every entry is somebody's, as in a ledger that is held in
//! memory; only what entries say is read later. Who changes an entry in between is noticed at the next opening.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use data_encoding::HEXLOWER;
use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};
use serde::Deserialize;

use super::checkpoint::Head;
use super::entry::{self, Stored};
use super::index::{Index, Short};
use super::row::{self, Appended, Row};
use super::{Ledger, LedgerError, LedgerState, Person};
use crate::consent::event::{EventKind, LegalEvent};
use crate::db::{self, Access, Journal};
use crate::keys::{SubjectKey, Vault};
use crate::model::SubjectId;

/// What is held of a ledger that is not held.
#[derive(Debug, Default)]
pub(super) struct Sparse {
    pub(super) index: Index,
    /// The last entry of the view that was taken: people are told as they stood then.
    pub(super) until: Option<u64>,
}

impl Sparse {
    pub(super) fn first_seen(&self, key: &SubjectKey) -> Option<Timestamp> {
        self.index.first_seen(&key.ledger_tag_bytes())
    }
}

/// So many entries are read at once where all are: for each time, all keys are gone through.
const TOGETHER: usize = 131_072;

/// Of an entry, whose it is.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Whose<'a> {
    #[serde(borrow)]
    Legal(Tagged<'a>),
    #[serde(borrow)]
    Seen(Vec<(Cow<'a, str>, Timestamp)>),
    Import {
        at: Timestamp,
        is_sync: bool,
    },
}

#[derive(Deserialize)]
pub(super) struct Tagged<'a> {
    #[serde(borrow)]
    pub(super) tag: Cow<'a, str>,
    pub(super) kind: EventKind,
}

/// What is to be noted of an entry that was appended.
pub(super) struct Noted {
    seq: u64,
    chain: [u8; 32],
    what: What,
}

enum What {
    /// Tag and digest of an event.
    Event([u8; 16], [u8; 32]),
    Seen(Vec<([u8; 16], Timestamp)>),
    Import(Timestamp, bool),
}

impl Noted {
    pub(super) fn of(entry: &Appended<'_>) -> Self {
        let own = |tag: &str| bytes(tag).expect("a tag of our own making");
        let what = match (entry.stored, entry.event) {
            (Stored::Legal(stored), event) => {
                What::Event(own(&stored.tag), event.expect("an entry of an event has one").digest())
            }
            (Stored::Seen(seen), _) => What::Seen(seen.iter().map(|(tag, at)| (own(tag), *at)).collect()),
            (Stored::Import { at, is_sync, .. }, _) => What::Import(*at, *is_sync),
        };
        Self { seq: entry.seq, chain: entry.chain, what }
    }
}

/// Somebody with their key.
type Owner = (SubjectId, SubjectKey);

pub(super) fn bytes(tag: &str) -> Option<[u8; 16]> {
    HEXLOWER.decode(tag.as_bytes()).ok()?.try_into().ok()
}

impl Ledger {
    /// Opens (or, in a new home, creates) the ledger; its entries stay on the disk.
    ///
    /// # Errors
    /// As [`Self::open`]; an entry whose sealed part is damaged is found when it is asked for.
    pub fn open_sparse(path: &Path, checkpoint: &Path, vault: &Vault) -> Result<Self, LedgerError> {
        let access = Access::Write(Journal::Wal);
        let mut ledger = Self { sparse: Some(Sparse::default()), ..Self::closed(path, checkpoint, access)? };
        ledger.load(vault, access)?;
        ledger.view.state = match ledger.noted_state(vault)? {
            Some(state) => state,
            // After an older version, or an erasure that was cut off.
            None => ledger.state_of_all(vault)?,
        };
        ledger.note_state(vault)?;
        Ok(ledger)
    }

    /// The digest of all events of people who have a key, some at once.
    fn state_of_all(&self, vault: &Vault) -> Result<LedgerState, LedgerError> {
        let (mut state, mut after) = (LedgerState::default(), 0);
        loop {
            let mut rows = self.rows_behind(after, TOGETHER)?;
            // What others write meanwhile is news.
            rows.retain(|row| row.seq <= self.view.head);
            let Some(last) = rows.last() else { return Ok(state) };
            after = last.seq;
            let mut events = Vec::new();
            for row in &rows {
                if let (Stored::Legal(event), _) = row.read_alone().ok_or_else(|| self.damaged(row.seq))? {
                    events.push((bytes(&event.tag).ok_or_else(|| self.damaged(row.seq))?, event, row));
                }
            }
            let owners = owners(vault, &events.iter().map(|(tag, ..)| *tag).collect())?;
            for (tag, event, row) in events {
                let Some((subject, key)) = owners.get(&tag) else { continue };
                let event = entry::restore(*event, subject, key, row.sealed.as_deref());
                state.add(&event.ok_or_else(|| self.damaged(row.seq))?.digest());
            }
        }
    }

    /// The next rows behind an entry.
    pub(super) fn rows_behind(&self, after: u64, most: usize) -> Result<Vec<Row>, LedgerError> {
        let mut statement = self.database.prepare_cached(row::SELECT).map_err(|e| self.failed(e))?;
        let rows = statement.query_map(params![after as i64], Row::read).map_err(|e| self.failed(e))?;
        rows.take(most).collect::<Result<_, _>>().map_err(|e| self.failed(e))
    }

    pub(super) fn sparse(&mut self) -> &mut Sparse {
        self.sparse.as_mut().expect("only a sparse ledger is asked")
    }

    pub(super) fn failed(&self, source: rusqlite::Error) -> LedgerError {
        LedgerError::Database { path: self.path.clone(), source }
    }

    pub(super) fn damaged(&self, seq: u64) -> LedgerError {
        LedgerError::EventDamaged { path: self.path.clone(), seq }
    }

    /// A number as the index has it; a ledger of four billion entries is none of this program's.
    pub(super) fn number(&self, seq: u64) -> Result<u32, LedgerError> {
        u32::try_from(seq).map_err(|_| self.damaged(seq))
    }

    /// Follows the chain and notes where entries stand; tells whether it has passed through the checkpoint.
    pub(super) fn index_entries(&mut self, vault: &Vault, expected: Option<Head>) -> Result<bool, LedgerError> {
        let mut reached = expected.is_none_or(|(count, _)| count == 0);
        let (mut index, forgotten) = (Index::default(), forgotten(vault));
        let Self { database, path, chain, view, .. } = self;
        let failed = |source| LedgerError::Database { path: path.clone(), source };
        let mut statement = database.prepare(row::SELECT).map_err(failed)?;
        let mut rows = statement.query(params![0]).map_err(failed)?;
        while let Some(row) = rows.next().map_err(failed)? {
            let seq = row.get::<_, i64>(0).map_err(failed)?.unsigned_abs();
            let damaged = || LedgerError::EventDamaged { path: path.clone(), seq };
            let text = |at| row.get_ref(at).ok().and_then(|value| value.as_str().ok());
            let after: [u8; 32] = row.get(1).map_err(failed)?;
            let (known_at, event) = text(2).zip(text(3)).ok_or_else(damaged)?;
            let digest = row.get_ref(5).ok().and_then(|value| value.as_blob().ok()).ok_or_else(damaged)?;
            if seq != view.head + 1 || !row::is_followed(chain, (event, digest), known_at, &after) {
                return Err(damaged());
            }
            let number = u32::try_from(seq).map_err(|_| damaged())?;
            match serde_json::from_str(event).map_err(|_| damaged())? {
                Whose::Legal(Tagged { tag, .. }) => {
                    let tag = bytes(&tag).ok_or_else(damaged)?;
                    view.forgotten += u64::from(forgotten.contains(&tag));
                    index.add_event(&tag, number);
                }
                Whose::Seen(seen) => {
                    for (tag, at) in seen {
                        index.add_seen(&bytes(&tag).ok_or_else(damaged)?, at);
                    }
                }
                Whose::Import { at, is_sync } => view.imported(at, is_sync),
            }
            (*chain, view.head) = (after, seq);
            reached |= expected == Some((seq, after));
        }
        drop(rows);
        drop(statement);
        index.settle();
        self.check_owners(vault, &index, &forgotten)?;
        self.sparse().index = index;
        Ok(reached)
    }

    /// Somebody's no must not be lost with their key.
    fn check_owners(&self, vault: &Vault, index: &Index, forgotten: &HashSet<[u8; 16]>) -> Result<(), LedgerError> {
        let orphans = index.without_owner(|take| {
            forgotten.iter().for_each(&mut *take);
            vault.each_key(|key| take(&key.ledger_tag_bytes()))
        })?;
        let sql = "SELECT seq FROM legal_events WHERE instr(event, ?1) ORDER BY seq LIMIT 1";
        let entry = |tag: Short| {
            self.db(|db| db.query_row(sql, params![HEXLOWER.encode(&tag)], |row| row.get::<_, i64>(0)).optional())
        };
        let seen = orphans.seen.map(entry).transpose()?.flatten().map(i64::unsigned_abs);
        match orphans.event.map(u64::from).into_iter().chain(seen).min() {
            Some(seq) => Err(LedgerError::KeyMissing { path: self.path.clone(), seq }),
            None => Ok(()),
        }
    }

    /// Takes in what this process has appended.
    pub(super) fn index_appended(&mut self, appended: Vec<Noted>) -> Result<(), LedgerError> {
        for Noted { seq, chain, what } in appended {
            let number = self.number(seq)?;
            let index = &mut self.sparse.as_mut().expect("only a sparse ledger is asked").index;
            match what {
                What::Event(tag, digest) => {
                    index.add_event(&tag, number);
                    self.view.state.add(&digest);
                }
                What::Seen(seen) => seen.iter().for_each(|(tag, at)| index.add_seen(tag, *at)),
                What::Import(at, is_sync) => self.view.imported(at, is_sync),
            }
            (self.chain, self.view.head) = (chain, seq);
        }
        self.sparse().index.settle();
        Ok(())
    }

    /// What is known of somebody, as it stood when the view was taken; nothing at all is known of most strangers.
    ///
    /// # Errors
    /// Unreadable, or damaged.
    pub fn person(&mut self, subject: &SubjectId, key: &SubjectKey) -> Result<Arc<Person>, LedgerError> {
        let Some(sparse) = &self.sparse else {
            return Ok(self.view.people.get(subject).cloned().unwrap_or_default());
        };
        let (tag, until) = (key.ledger_tag_bytes(), sparse.until.unwrap_or(u64::MAX));
        let mut person = Person::seen(sparse.index.first_seen(&tag));
        for seq in sparse.index.events(&tag).map(u64::from).filter(|seq| *seq <= until) {
            let Some((event, known_at)) = self.event(seq, &tag, subject, key)? else { continue };
            person.add(event, seq, known_at);
        }
        person.events.iter_mut().for_each(|event| self.view.pool.share(event));
        Ok(Arc::new(person))
    }

    /// An event of somebody; `None` = the entry has another tag that begins alike.
    fn event(
        &self,
        seq: u64,
        tag: &[u8; 16],
        subject: &SubjectId,
        key: &SubjectKey,
    ) -> Result<Option<(LegalEvent, Timestamp)>, LedgerError> {
        let sql = "SELECT seq, chain, known_at, event, sealed, digest FROM legal_events WHERE seq = ?1";
        let mut statement = self.database.prepare_cached(sql).map_err(|e| self.failed(e))?;
        let row = statement.query_row(params![seq as i64], Row::read).optional().map_err(|e| self.failed(e))?;
        let read = row.as_ref().and_then(Row::read_alone);
        let Some((row, (Stored::Legal(stored), known_at))) = row.zip(read) else { return Err(self.damaged(seq)) };
        let found = bytes(&stored.tag).ok_or_else(|| self.damaged(seq))?;
        if found != *tag {
            let alike = Index::are_alike(&found, tag);
            return if alike { Ok(None) } else { Err(self.damaged(seq)) };
        }
        let event = entry::restore(*stored, subject, key, row.sealed.as_deref()).ok_or_else(|| self.damaged(seq))?;
        Ok(Some((event, known_at)))
    }

    /// Begins to read the file as it is at one moment, or ends that.
    ///
    /// # Errors
    /// Unreadable.
    pub fn read_steadily(&self, on: bool) -> Result<(), LedgerError> {
        self.db(|db| db.execute_batch(if on { "BEGIN" } else { "COMMIT" }))
    }

    /// Holds more of the file in memory while very many entries come in, or no longer.
    ///
    /// # Errors
    /// SQLite cannot be used.
    pub fn expect_many(&self, many: bool) -> Result<(), LedgerError> {
        self.db(|database| db::cache(database, if many { db::LARGE_CACHE } else { db::CACHE }))
    }

    /// Whether the ledger stood at this head with this chain (as [`Self::note`] writes it) once.
    ///
    /// # Errors
    /// Unreadable.
    pub fn has_been(&self, note: &str) -> Result<bool, LedgerError> {
        if self.sparse.is_none() {
            return Ok(self.view.has_been(note));
        }
        let Some((Ok(head), chain)) = note.split_once(' ').map(|(head, chain)| (head.parse::<i64>(), chain)) else {
            return Ok(false);
        };
        let sql = "SELECT chain FROM legal_events WHERE seq = ?1";
        let found: Option<[u8; 32]> = self.db(|db| db.query_row(sql, params![head], |row| row.get(0)).optional())?;
        Ok(head == 0 || found.is_some_and(|found| HEXLOWER.encode(&found) == chain))
    }

    /// Takes somebody out whose key was destroyed, and lets the vault remember it.
    ///
    /// # Errors
    /// The vault cannot be written.
    pub fn forget(&mut self, vault: &Vault, subject: &SubjectId) -> Result<(), LedgerError> {
        self.view.forget(subject);
        self.note_state(vault)
    }

    /// Lets the vault remember the digest of all events, if it does not yet.
    pub(super) fn note_state(&self, vault: &Vault) -> Result<(), LedgerError> {
        let note = self.state_note();
        if vault.ledger_state()?.as_deref() != Some(&note) {
            vault.note_ledger_state(&note)?;
        }
        Ok(())
    }

    /// The digest of all events, with that on which it depends: entries, and who was erased by the time at which they were read.
    /// Who has not heard of an erasure notes what fits nothing, and the digest is made anew.
    pub(super) fn state_note(&self) -> String {
        format!("{} {} {}", self.note(), self.view.erased, self.view.state.to_note())
    }

    /// What the vault remembers of it, if that is of these entries.
    fn noted_state(&self, vault: &Vault) -> Result<Option<LedgerState>, LedgerError> {
        let depends = format!("{} {} ", self.note(), self.view.erased);
        let noted = vault.ledger_state()?;
        Ok(noted.and_then(|noted| LedgerState::of_note(noted.strip_prefix(&depends)?)))
    }
}

/// Tags of erased people.
pub(super) fn forgotten(vault: &Vault) -> HashSet<[u8; 16]> {
    vault.forgotten().iter().filter_map(|tag| bytes(tag)).collect()
}

/// Whose these tags are.
pub(super) fn owners(vault: &Vault, tags: &HashSet<[u8; 16]>) -> Result<HashMap<[u8; 16], Owner>, LedgerError> {
    if tags.is_empty() {
        return Ok(HashMap::new());
    }
    let those = vault.those(|key| tags.contains(&key.ledger_tag_bytes()))?.into_iter();
    Ok(those.map(|(subject, key)| (key.ledger_tag_bytes(), (subject, key))).collect())
}
