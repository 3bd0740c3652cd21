//! Which hosts are left alone beyond the run that was told so: floors (`Retry-After`, backoff) and open breakers.
//!
//! Invariant: a floor only ever moves later; what is over is forgotten. Times are milliseconds since 1970.

use std::time::Duration;

use rusqlite::params;

use super::memory::Memory;

/// Where it is kept.
pub(super) const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS floor (site TEXT PRIMARY KEY, until INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS breaker (
        host TEXT PRIMARY KEY, until INTEGER NOT NULL, lasts INTEGER NOT NULL
    ) WITHOUT ROWID;
";

/// A breaker that could have probed for so long without being asked has nothing to tell any more.
const STALE: i64 = 24 * 3600 * 1000;

/// What holds from earlier runs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Holds {
    /// By registrable domain: for how long it is left alone from now on.
    pub(super) floors: Vec<(String, Duration)>,
    /// By host: for how long its breaker stays open from now on, and for how long it was opened.
    pub(super) breakers: Vec<(String, Duration, Duration)>,
}

impl Memory {
    /// What still holds at `now`; what is over is forgotten.
    pub(super) fn holds(&self, now: i64) -> Holds {
        let left = |until: i64| Duration::from_millis(u64::try_from(until.saturating_sub(now)).unwrap_or(0));
        let span = |ms: i64| Duration::from_millis(u64::try_from(ms).unwrap_or(0));
        let read = self.db(|db| {
            db.execute("DELETE FROM floor WHERE until <= ?1", [now])?;
            db.execute("DELETE FROM breaker WHERE until <= ?1", [now.saturating_sub(STALE)])?;
            let floors = db
                .prepare("SELECT site, until FROM floor")?
                .query_map([], |row| Ok((row.get(0)?, left(row.get(1)?))))?
                .collect::<rusqlite::Result<_>>()?;
            let breakers = db
                .prepare("SELECT host, until, lasts FROM breaker")?
                .query_map([], |row| Ok((row.get(0)?, left(row.get(1)?), span(row.get(2)?))))?
                .collect::<rusqlite::Result<_>>()?;
            Ok(Holds { floors, breakers })
        });
        read.unwrap_or_default()
    }

    /// Leaves a site alone until then.
    pub(super) fn hold_off(&self, site: &str, until: i64) {
        let sql = "INSERT INTO floor (site, until) VALUES (?1, ?2)
            ON CONFLICT (site) DO UPDATE SET until = max(until, ?2)";
        self.db(|db| db.prepare_cached(sql)?.execute(params![site, until]));
    }

    /// Notes that a host's breaker opened; `None` = it closed.
    pub(super) fn breaker(&self, host: &str, open: Option<(i64, Duration)>) {
        self.db(|db| match open {
            Some((until, lasts)) => {
                let lasts = i64::try_from(lasts.as_millis()).unwrap_or(i64::MAX);
                let sql = "INSERT OR REPLACE INTO breaker (host, until, lasts) VALUES (?1, ?2, ?3)";
                db.prepare_cached(sql)?.execute(params![host, until, lasts])
            }
            None => db.execute("DELETE FROM breaker WHERE host = ?1", [host]),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floors_only_move_later_and_end() {
        let dir = tempfile::tempdir().expect("a folder");
        let open = || Memory::open(&dir.path().join("f.sqlite"), "r", "n", Box::new(str::to_owned)).expect("a memory");
        let memory = open();
        for until in [9_000, 5_000] {
            memory.hold_off("shop.example", until);
        }
        memory.breaker("a.shop.example", Some((7_000, Duration::from_mins(1))));
        memory.breaker("b.shop.example", Some((7_000, Duration::from_mins(1))));
        memory.breaker("b.shop.example", None);
        drop(memory);
        let ms = Duration::from_millis;
        let expected = Holds {
            floors: vec![("shop.example".into(), ms(8_000))],
            breakers: vec![("a.shop.example".into(), ms(6_000), ms(60_000))],
        };
        assert_eq!(open().holds(1_000), expected);
        // A breaker whose time is over asks with one probe.
        let over = vec![("a.shop.example".into(), Duration::ZERO, ms(60_000))];
        assert_eq!(open().holds(9_000), Holds { floors: Vec::new(), breakers: over });
        assert_eq!(open().holds(7_000 + STALE), Holds::default());
    }
}
