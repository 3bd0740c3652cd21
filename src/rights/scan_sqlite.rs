//! `SQLite` files, decoded by `SQLite`: every text and blob of every table, and the schema itself.
//!
//! Invariant: the database is opened for reading only and left as it is; freed pages are the raw search's task.

use std::fs;
use std::path::Path;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};

use super::scan::Found;

/// Searches a database.
pub(super) fn search(path: &Path, found: &mut Found<'_>) {
    if let Err(e) = try_search(path, found) {
        // The message may name a table, never a value.
        found.trouble.push(format!("sqlite: {e}"));
    }
}

fn try_search(path: &Path, found: &mut Found<'_>) -> rusqlite::Result<()> {
    let db = open(path)?;
    let tables = table_names(&db)?;
    column_values(&db, "sqlite_schema", found)?;
    for table in tables {
        if let Err(e) = column_values(&db, &table, found) {
            found.trouble.push(format!("sqlite: table {table}: {e}"));
        }
    }
    Ok(())
}

/// Without a write-ahead log nothing beside the file is needed, and nothing is made.
fn open(path: &Path) -> rusqlite::Result<Connection> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let log = path.with_file_name(format!("{name}-wal"));
    let has_log = fs::metadata(log).is_ok_and(|m| m.len() > 0);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = if has_log {
        Connection::open_with_flags(path, flags)?
    } else {
        let escaped: String = path
            .to_string_lossy()
            .chars()
            .map(|c| match c {
                '%' => "%25".to_owned(),
                '?' => "%3f".to_owned(),
                '#' => "%23".to_owned(),
                c => c.to_string(),
            })
            .collect();
        Connection::open_with_flags(format!("file:{escaped}?immutable=1"), flags | OpenFlags::SQLITE_OPEN_URI)?
    };
    db.busy_timeout(std::time::Duration::from_secs(5))?;
    Ok(db)
}

fn table_names(db: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut statement = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")?;
    statement.query_map([], |row| row.get(0))?.collect()
}

fn column_values(db: &Connection, table: &str, found: &mut Found<'_>) -> rusqlite::Result<()> {
    let mut statement = db.prepare(&format!("SELECT * FROM \"{}\"", table.replace('"', "\"\"")))?;
    let names: Vec<String> = statement.column_names().into_iter().map(|c| format!("sqlite {table}.{c}")).collect();
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        for (n, how) in names.iter().enumerate() {
            match row.get_ref(n)? {
                ValueRef::Text(bytes) | ValueRef::Blob(bytes) => found.text(bytes, how),
                ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) => {}
            }
        }
    }
    Ok(())
}
