//! `SQLite` files, decoded by `SQLite`: every text and blob of every table, and the schema itself.
//!
//! Invariant: the database is opened for reading only and left as it is; freed pages are the raw search's task.

use std::path::Path;

use rusqlite::Connection;
use rusqlite::types::ValueRef;

use super::scan::Found;
use crate::db::{self, Access};

/// Searches a database.
pub(super) fn search(path: &Path, found: &mut Found<'_>) {
    if let Err(e) = try_search(path, found) {
        // The message may name a table, never a value.
        found.trouble.push(format!("sqlite: {e}"));
    }
}

fn try_search(path: &Path, found: &mut Found<'_>) -> rusqlite::Result<()> {
    let db = db::open(path, Access::AtRest, "")?;
    let tables = table_names(&db)?;
    column_values(&db, "sqlite_schema", found)?;
    for table in tables {
        if let Err(e) = column_values(&db, &table, found) {
            found.trouble.push(format!("sqlite: table {table}: {e}"));
        }
    }
    Ok(())
}

fn table_names(db: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut statement = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")?;
    statement.query_map([], |row| row.get(0))?.collect()
}

fn column_values(db: &Connection, table: &str, found: &mut Found<'_>) -> rusqlite::Result<()> {
    let mut statement = db.prepare(&format!("SELECT * FROM \"{}\"", table.replace('"', "\"\"")))?;
    let names: Vec<String> = statement.column_names().map(|c| format!("sqlite {table}.{c}")).collect();
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
