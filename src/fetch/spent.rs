//! Counting what was asked of each host, in memory first.
//!
//! Invariant: a request is on the disk before it is sent, because it is reserved there, several at once: a killed run
//! has spent too much rather than too little. What came of requests is written in batches, and all of it when the memory
//! is closed; what a kill loses of that is figures of a report, no budget.

use std::collections::HashMap;
use std::sync::{MutexGuard, PoisonError};

use rusqlite::{Connection, params};

use super::memory::{End, Memory, Spent};

/// So many requests to a host are reserved at once at first, then as many as before, up to the most; never more than an
/// eighth of what the host may be asked in a run.
const RESERVED: (u32, u32) = (8, 64);
/// So many ends of permits are written at once.
const BATCH: u32 = 1024;

/// What is not written yet, by source and host.
#[derive(Debug, Default)]
pub(super) struct Notes {
    by_source: HashMap<Box<str>, HashMap<Box<str>, Note>>,
    unwritten: u32,
}

/// Of one host, on behalf of one source.
#[derive(Debug, Default)]
struct Note {
    /// On the disk as asked, and not asked yet.
    reserved: u32,
    /// How many are on the disk as asked by this process.
    asked: u32,
    answered: u64,
    refused: u64,
    failed: u64,
    cached: u64,
    not_modified: u64,
    bytes: u64,
    waited_ms: u64,
    last_reason: Option<Box<str>>,
    is_changed: bool,
}

impl Notes {
    fn of(&mut self, source: &str, host: &str) -> &mut Note {
        if !self.by_source.contains_key(source) {
            self.by_source.insert(source.into(), HashMap::new());
        }
        let hosts = self.by_source.get_mut(source).expect("just put there");
        if !hosts.contains_key(host) {
            hosts.insert(host.into(), Note::default());
        }
        hosts.get_mut(host).expect("just put there")
    }
}

impl Memory {
    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a request that is about to be sent to a host that may be asked `budget` times.
    pub(super) fn asking(&self, source: &str, host: &str, budget: u32) {
        let mut notes = self.notes();
        let note = notes.of(source, host);
        if note.reserved > 0 {
            note.reserved -= 1;
            return;
        }
        let more = note.asked.clamp(RESERVED.0, RESERVED.1).min((budget / 8).max(1));
        let sql = "INSERT INTO spent (run, night, source, host, asked) VALUES (?1, ?2, ?3, ?4, ?5)
            ON CONFLICT (run, source, host) DO UPDATE SET asked = asked + ?5";
        let values = params![self.run, self.night, source, host, more];
        if self.db(|db| db.prepare_cached(sql)?.execute(values)).is_some() {
            note.reserved = more - 1;
            note.asked = note.asked.saturating_add(more);
        }
    }

    /// Notes the end of a permit.
    pub(super) fn ended(&self, source: &str, host: &str, spent: Spent, reason: Option<&str>) {
        let mut notes = self.notes();
        let note = notes.of(source, host);
        match spent.end {
            End::Answered => note.answered += 1,
            End::Refused => note.refused += 1,
            End::Failed => note.failed += 1,
        }
        note.cached += u64::from(spent.cached);
        note.not_modified += u64::from(spent.not_modified);
        note.bytes += spent.bytes;
        note.waited_ms += spent.waited_ms;
        note.is_changed = true;
        if let Some(reason) = reason {
            note.last_reason = Some(reason.into());
        }
        notes.unwritten += 1;
        if notes.unwritten >= BATCH {
            self.write(&mut notes);
        }
    }

    /// Writes what is not written; reservations stay.
    fn write(&self, notes: &mut Notes) {
        notes.unwritten = 0;
        self.db(|db| {
            let transaction = db.unchecked_transaction()?;
            for (source, hosts) in &mut notes.by_source {
                for (host, note) in hosts.iter_mut().filter(|(_, note)| note.is_changed) {
                    self.write_one(db, source, host, note)?;
                    *note = Note { reserved: note.reserved, asked: note.asked, ..Note::default() };
                }
            }
            transaction.commit()
        });
    }

    fn write_one(&self, db: &Connection, source: &str, host: &str, note: &Note) -> rusqlite::Result<usize> {
        if note.not_modified > 0 {
            // A table of its own: homes of earlier versions have the other one without such a column.
            let sql = "INSERT INTO not_modified (run, source, host, answers) VALUES (?1, ?2, ?3, ?4)
                ON CONFLICT (run, source, host) DO UPDATE SET answers = answers + ?4";
            let answers = i64::try_from(note.not_modified).unwrap_or(i64::MAX);
            db.prepare_cached(sql)?.execute(params![self.run, source, host, answers])?;
        }
        let sql = "INSERT INTO spent (run, night, source, host, answered, refused, failed, cached, bytes, waited_ms,
                last_reason) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
            ON CONFLICT (run, source, host) DO UPDATE SET answered = answered + ?5, refused = refused + ?6,
                failed = failed + ?7, cached = cached + ?8, bytes = bytes + ?9, waited_ms = waited_ms + ?10,
                last_reason = coalesce(?11, last_reason)";
        let number = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        db.prepare_cached(sql)?.execute(params![
            self.run,
            self.night,
            source,
            host,
            number(note.answered),
            number(note.refused),
            number(note.failed),
            number(note.cached),
            number(note.bytes),
            number(note.waited_ms),
            note.last_reason.as_deref()
        ])
    }

    /// Writes everything, and gives back what was reserved and not asked.
    fn settle(&self) {
        let mut notes = self.notes();
        self.write(&mut notes);
        self.db(|db| {
            let transaction = db.unchecked_transaction()?;
            let sql = "UPDATE spent SET asked = asked - ?4 WHERE run = ?1 AND source = ?2 AND host = ?3";
            for (source, hosts) in &mut notes.by_source {
                for (host, note) in hosts.iter_mut().filter(|(_, note)| note.reserved > 0) {
                    db.prepare_cached(sql)?.execute(params![self.run, source, host, note.reserved])?;
                    note.reserved = 0;
                }
            }
            transaction.commit()
        });
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        self.settle();
    }
}

#[cfg(test)]
mod tests {
    use super::super::memory::fetch_report;
    use super::*;

    #[test]
    fn a_killed_run_has_spent_too_much_rather_than_too_little() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("fetch.sqlite");
        let open = || Memory::open(&path, "run", "night", Box::new(str::to_owned)).expect("a memory");
        let memory = open();
        for (host, budget) in [("a.example", u32::MAX), ("b.example", 50), ("c.example", 3)] {
            for asked in 1..=200_u32 {
                memory.asking("site", host, budget);
                // As another process finds it, were this one killed now.
                let spent = open().before().by_host[host];
                let lot = asked.clamp(RESERVED.0, RESERVED.1).min((budget / 8).max(1));
                assert!((asked..asked + lot).contains(&spent), "{spent} for {asked} of {budget}");
            }
        }
        drop(memory);
        assert_eq!(open().before().by_host["a.example"], 200, "in peace it is exact");
    }

    #[test]
    fn ends_are_written_in_batches_and_at_the_end() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("fetch.sqlite");
        let memory = Memory::open(&path, "run", "night", Box::new(str::to_owned)).expect("a memory");
        let spent = Spent { end: End::Answered, cached: true, not_modified: true, bytes: 3, waited_ms: 2 };
        let answered = || {
            let report = fetch_report(&path, None).expect("readable");
            report.map_or((0, 0, 0), |(_, hosts)| (hosts[0].answered, hosts[0].bytes, hosts[0].not_modified))
        };
        for n in 1..=u64::from(BATCH) {
            assert_eq!(answered(), (0, 0, 0), "{n}");
            memory.ended("site", "a.example", spent, None);
        }
        assert_eq!(answered(), (1024, 3072, 1024));
        memory.ended("site", "a.example", spent, Some("gone"));
        drop(memory);
        assert_eq!(answered(), (1025, 3075, 1025));
    }
}
