//! What a home keeps of pages (`pages.sqlite`): in which state they were, a keyed hash, and what was read of whom it could
//! be read; never a body, and no address in clear.
//!
//! Invariant: all of it is sealed; a row is found by a keyed hash of its page, and by tags of everybody whom the page was
//! read for, so that each of them takes the row along. No write-ahead file: what is deleted does not live on in a second
//! one. The file may be lost, damaged rows and rows from before an erasure too: then pages are asked for anew.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::db::{self, Access, Journal};
use crate::fetch::Validators;
use crate::keys::{self, SubjectKey};
use crate::source::Reading;

/// The file in a home.
pub(crate) const FILE: &str = "pages.sqlite";
/// So many changes are written at once; what a kill loses of them is asked for anew.
const BATCH: usize = 64;

const SCHEMA: &str = "
    DROP TABLE IF EXISTS page; -- of an older version; what it kept is asked for anew
    CREATE TABLE IF NOT EXISTS kept (
        place TEXT PRIMARY KEY, page TEXT NOT NULL, pipeline TEXT NOT NULL, run TEXT NOT NULL, until INTEGER NOT NULL,
        tags BLOB NOT NULL, sealed BLOB NOT NULL
    );
    CREATE INDEX IF NOT EXISTS kept_page ON kept (page);
    CREATE TABLE IF NOT EXISTS erasures (n INTEGER NOT NULL);
";

/// Empties a place.
const DELETE: &str = "DELETE FROM kept WHERE place = ?1";

/// What stands for a person in the file: an HMAC under their key.
pub(crate) type Tag = [u8; 16];

/// What is kept of pages cannot be used. Exit code 3.
#[derive(Debug, thiserror::Error)]
#[error("what is kept of pages in {path} cannot be read or written: check free space and permissions, or delete it")]
pub struct KeptError {
    /// The file.
    path: PathBuf,
    /// What the system said.
    #[source]
    source: Box<dyn std::error::Error + Send + Sync>,
}

/// What is kept of one page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Kept {
    /// Its state.
    pub validators: Validators,
    /// Keyed hash of its body.
    pub hash: String,
    /// Keyed hash of everything else that its reading rests on.
    pub inputs: String,
    /// The clock of the inference by which it was read.
    pub as_of: Timestamp,
    /// When the body was read; never renewed.
    pub read_at: Timestamp,
    /// What was read.
    pub reading: Reading,
}

/// Where something of a page is kept, of whom, and until when.
#[derive(Debug, Clone)]
pub(super) struct Slot {
    pub place: String,
    /// The same for whatever pipeline, purpose or person a page is read.
    pub page: String,
    pub tags: Vec<Tag>,
}

enum Change {
    Keep { slot: Slot, until: Timestamp, sealed: Vec<u8> },
    Touch(String),
    Drop(String),
    Close(String),
}

/// The open file, for one run.
pub(super) struct Pages {
    path: PathBuf,
    database: Mutex<(Connection, Vec<Change>)>,
    key: Zeroizing<[u8; 32]>,
    pipeline: String,
    run: String,
}

/// What a home needs to open it.
pub(super) struct Opening {
    pub key: Zeroizing<[u8; 32]>,
    /// How many people were erased, by the vault.
    pub erased: u64,
}

impl Pages {
    /// Opens or creates the file; what is over, and all of it where somebody was erased whom it may still hold, goes.
    ///
    /// # Errors
    /// Not readable or writable.
    pub fn open(
        home: &Path,
        Opening { key, erased }: Opening,
        (pipeline, run): (&str, &str),
        now: Timestamp,
    ) -> Result<Self, KeptError> {
        let path = home.join(FILE);
        let database = connect(&path)?;
        let ready = || {
            if noted(&database)? != Some(erased) {
                // Of another moment than the vault.
                clear(&database)?;
                note(&database, erased)?;
            }
            database.execute("DELETE FROM kept WHERE until <= ?1", [now.as_second()])
        };
        ready().map_err(|source| failed(&path, source))?;
        let (pipeline, run) = (pipeline.to_owned(), run.to_owned());
        Ok(Self { path, database: Mutex::new((database, Vec::new())), key, pipeline, run })
    }

    fn held(&self) -> MutexGuard<'_, (Connection, Vec<Change>)> {
        self.database.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether anything is kept; what cannot be read may be.
    pub fn has_any(&self) -> bool {
        self.held().0.query_row("SELECT EXISTS (SELECT 1 FROM kept)", [], |row| row.get(0)).unwrap_or(true)
    }

    /// What is kept of a page; what does not open under its place is nothing.
    pub fn recall(&self, place: &str) -> Option<Kept> {
        let sql = "SELECT sealed FROM kept WHERE place = ?1";
        let held = self.held();
        let found = held.0.prepare_cached(sql).and_then(|mut sql| sql.query_row([place], |row| row.get(0)).optional());
        drop(held);
        // Losing it must not stop a run.
        let sealed: Vec<u8> = found.inspect_err(|error| tracing::warn!(%error, "what is kept of pages")).ok()??;
        let text = keys::open(&self.key, place.as_bytes(), &sealed)?;
        serde_json::from_slice(&text).ok()
    }

    /// Keeps something of a page in place of what was kept before.
    pub fn keep(&self, slot: &Slot, until: Timestamp, kept: &Kept) {
        let text = Zeroizing::new(serde_json::to_vec(kept).expect("plain data"));
        match keys::seal(&self.key, slot.place.as_bytes(), &text) {
            Ok(sealed) => self.push(Change::Keep { slot: slot.clone(), until, sealed: sealed.0 }),
            Err(error) => tracing::warn!(%error, "what is kept of pages"),
        }
    }

    /// Leaves what is kept of a page as it is: this run wanted the page.
    pub fn touch(&self, place: &str) {
        self.push(Change::Touch(place.to_owned()));
    }

    /// Keeps nothing in a place any more.
    pub fn discard(&self, place: &str) {
        self.push(Change::Drop(place.to_owned()));
    }

    /// Keeps nothing of a page any more, whoever read it.
    pub fn close(&self, page: &str) {
        self.push(Change::Close(page.to_owned()));
    }

    fn push(&self, change: Change) {
        let mut held = self.held();
        held.1.push(change);
        if held.1.len().is_multiple_of(BATCH) {
            let written = self.write(&mut held);
            let _told = written.inspect_err(|error| tracing::warn!(%error, "what is kept of pages"));
        }
    }

    fn write(&self, (database, changes): &mut (Connection, Vec<Change>)) -> rusqlite::Result<()> {
        let transaction = database.unchecked_transaction()?;
        for change in changes.iter() {
            let done = match change {
                Change::Keep { slot, until, sealed } => {
                    let sql = "INSERT OR REPLACE INTO kept (place, page, pipeline, run, until, tags, sealed)
                        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
                    let (until, tags) = (until.as_second(), slot.tags.concat());
                    let row = params![slot.place, slot.page, self.pipeline, self.run, until, tags, sealed];
                    transaction.prepare_cached(sql)?.execute(row)
                }
                Change::Touch(place) => {
                    let sql = "UPDATE kept SET run = ?2 WHERE place = ?1";
                    transaction.prepare_cached(sql)?.execute(params![place, self.run])
                }
                Change::Drop(place) => transaction.prepare_cached(DELETE)?.execute([place]),
                Change::Close(page) => transaction.prepare_cached("DELETE FROM kept WHERE page = ?1")?.execute([page]),
            };
            done?;
        }
        transaction.commit()?;
        // Not before: a page that said no must go, if it takes until the end.
        changes.clear();
        Ok(())
    }

    /// Writes everything, also what could not be written before; with `all`, what this run did not want again goes: the page, its person or its source is none
    /// of ours any more.
    ///
    /// # Errors
    /// Not writable.
    pub fn finish(&self, all: bool) -> Result<(), KeptError> {
        let mut held = self.held();
        let done = self.write(&mut held).and_then(|()| {
            let sql = "DELETE FROM kept WHERE pipeline = ?1 AND run <> ?2";
            if all { held.0.execute(sql, params![self.pipeline, self.run]) } else { Ok(0) }
        });
        done.map(drop).map_err(|source| failed(&self.path, source))
    }

    /// Deletes what is kept of people, also what this run read.
    ///
    /// # Errors
    /// Not writable.
    pub fn forget(&self, tags: &HashSet<Tag>) -> Result<u64, KeptError> {
        let mut held = self.held();
        let done = self.write(&mut held).and_then(|()| forget_in(&held.0, tags));
        done.map_err(|source| failed(&self.path, source))
    }
}

impl Drop for Pages {
    /// A run that is stopped keeps what it has read, for the start that goes on with it.
    fn drop(&mut self) {
        let written = self.write(&mut self.held());
        let _told = written.inspect_err(|error| tracing::warn!(%error, "what is kept of pages"));
    }
}

fn failed(path: &Path, source: impl std::error::Error + Send + Sync + 'static) -> KeptError {
    KeptError { path: path.to_owned(), source: Box::new(source) }
}

fn connect(path: &Path) -> Result<Connection, KeptError> {
    let access = Access::Write(Journal::Truncate);
    let database = db::open(path, access, SCHEMA).map_err(|source| failed(path, source))?;
    super::files::make_private(path).map_err(|source| failed(path, source))?;
    Ok(database)
}

/// After how many erasures the file is by what it says.
fn noted(database: &Connection) -> rusqlite::Result<Option<u64>> {
    let n: Option<i64> = database.query_row("SELECT n FROM erasures", [], |row| row.get(0)).optional()?;
    Ok(n.map(i64::unsigned_abs))
}

fn clear(database: &Connection) -> rusqlite::Result<()> {
    database.execute("DELETE FROM kept", [])?;
    database.execute_batch("VACUUM")
}

fn note(database: &Connection, erased: u64) -> rusqlite::Result<usize> {
    database.execute("DELETE FROM erasures", [])?;
    let n = i64::try_from(erased).unwrap_or(i64::MAX);
    database.execute("INSERT INTO erasures (n) VALUES (?1)", [n])
}

fn forget_in(database: &Connection, tags: &HashSet<Tag>) -> rusqlite::Result<u64> {
    if tags.is_empty() {
        return Ok(0);
    }
    let places = with_tags(database, |tag| tags.contains(tag))?;
    let transaction = database.unchecked_transaction()?;
    for (place, _) in &places {
        transaction.prepare_cached(DELETE)?.execute([place])?;
    }
    transaction.commit()?;
    if !places.is_empty() {
        database.execute_batch("VACUUM")?;
    }
    Ok(places.len() as u64)
}

/// Places and ends of the rows that carry such a tag.
fn with_tags(database: &Connection, is_one: impl Fn(&Tag) -> bool) -> rusqlite::Result<Vec<(String, i64)>> {
    let mut statement = database.prepare("SELECT place, until, tags FROM kept")?;
    let mut rows = statement.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let (tags, _) = row.get_ref(2)?.as_blob()?.as_chunks::<16>();
        if tags.iter().any(&is_one) {
            found.push((row.get(0)?, row.get(1)?));
        }
    }
    Ok(found)
}

/// What a home keeps of pages, opened for a right or a duty. A home without the file keeps nothing.
fn opened<T>(home: &Path, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<Option<T>, KeptError> {
    let path = home.join(FILE);
    if !path.exists() {
        return Ok(None);
    }
    work(&connect(&path)?).map(Some).map_err(|source| failed(&path, source))
}

/// Deletes what a home keeps of pages that were read for these people; tells of how many pages.
///
/// # Errors
/// Not writable.
pub(crate) fn forget<'k>(home: &Path, people: impl IntoIterator<Item = &'k SubjectKey>) -> Result<u64, KeptError> {
    let tags = people.into_iter().map(SubjectKey::page_tag).collect();
    Ok(opened(home, |database| forget_in(database, &tags))?.unwrap_or(0))
}

/// Notes how many people were erased by now: what is kept is of after the last of them. All of it goes where it was not
/// of after the one before, either.
///
/// # Errors
/// Not writable.
pub(crate) fn note_erased(home: &Path, erased: u64) -> Result<(), KeptError> {
    let done = opened(home, |database| {
        let before = noted(database)?;
        if before != Some(erased) && before.map(|n| n + 1) != Some(erased) {
            clear(database)?;
        }
        note(database, erased)
    });
    done.map(drop)
}

/// Whether what is kept is of after so many erasures, by what the file says. A home without the file keeps nothing.
///
/// # Errors
/// Not readable.
pub(crate) fn is_after(home: &Path, erased: u64) -> Result<bool, KeptError> {
    Ok(opened(home, noted)?.is_none_or(|n| n == Some(erased)))
}

/// What is kept beyond its time, of all pipelines or of one: places and ends. Nothing is written.
///
/// # Errors
/// Not readable.
pub(crate) fn over(home: &Path, pipeline: Option<&str>, now: Timestamp) -> Result<Vec<(String, Timestamp)>, KeptError> {
    let path = home.join(FILE);
    if !path.exists() {
        return Ok(Vec::new());
    }
    let read = || {
        let database = db::open(&path, Access::Read, "")?;
        let end = |until| Timestamp::from_second(until).unwrap_or(Timestamp::MIN);
        // All that an older version kept is over: nothing of it is of use.
        if database.table_exists(None, "page")? {
            let mut statement = database.prepare("SELECT place, until FROM page ORDER BY place")?;
            let rows = statement.query_map([], |row| Ok((row.get(0)?, end(row.get::<_, i64>(1)?).min(now))))?;
            return rows.collect();
        }
        if !database.table_exists(None, "kept")? {
            return Ok(Vec::new());
        }
        let sql = "SELECT place, until FROM kept WHERE until <= ?1 AND pipeline = ifnull(?2, pipeline) ORDER BY place";
        let mut statement = database.prepare(sql)?;
        let rows =
            statement.query_map(params![now.as_second(), pipeline], |row| Ok((row.get(0)?, end(row.get(1)?))))?;
        rows.collect()
    };
    read().map_err(|source: rusqlite::Error| failed(&path, source))
}

/// Deletes what is kept beyond its time; tells of how many pages.
///
/// # Errors
/// Not writable.
pub(crate) fn expire(home: &Path, now: Timestamp) -> Result<u64, KeptError> {
    let done = opened(home, |database| {
        let over = database.execute("DELETE FROM kept WHERE until <= ?1", [now.as_second()])?;
        if over > 0 {
            database.execute_batch("VACUUM")?;
        }
        Ok(over as u64)
    });
    Ok(done?.unwrap_or(0))
}

/// Until when something is kept of each page that was read for a person.
///
/// # Errors
/// Not readable.
pub(crate) fn of_person(home: &Path, key: &SubjectKey) -> Result<Vec<Timestamp>, KeptError> {
    let tag = key.page_tag();
    let found = opened(home, |database| with_tags(database, |other| *other == tag))?.unwrap_or_default();
    let mut ends: Vec<Timestamp> = found.iter().filter_map(|(_, until)| Timestamp::from_second(*until).ok()).collect();
    ends.sort();
    Ok(ends)
}

#[cfg(test)]
mod tests;
