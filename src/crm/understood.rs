//! What the program makes of the columns of an export, for whoever maps them.
//!
//! Invariant: of a file only the header line is shown; no cell of anybody.

use std::path::{Path, PathBuf};

use super::columns::Table;
use super::files::{glance, of_set};
use super::headers::shown;
use super::reader::stated_encoding;
use super::ready::ready;
use super::rows::{Export, Rows};
use super::{CrmError, CsvSource, DateOrder};

/// The columns of a file.
#[derive(Debug)]
pub struct Understood {
    /// `contacts`, `accounts`, `consents` or `notes`.
    pub table: &'static str,
    /// The file.
    pub path: PathBuf,
    /// `CSV`, `JSON` or `Parquet`.
    pub format: &'static str,
    /// The encoding that was found out from its beginning, or stated.
    pub encoding: &'static str,
    /// What a date such as 03/04/2025 means in it.
    pub order: DateOrder,
    /// Each header in the order of the file, with the fields that it stands for; none = it is not read.
    pub columns: Vec<(String, Vec<String>)>,
}

/// Looks at the header lines of all files of a source; relative paths start at `base`.
///
/// # Errors
/// What a run would refuse a file for before it reads its rows.
pub fn understood(source: &CsvSource, base: &Path) -> Result<Vec<Understood>, CrmError> {
    let source = ready(source, base)?;
    let sets = [
        (Table::Contacts, Some(&source.contacts)),
        (Table::Accounts, source.accounts.as_ref()),
        (Table::Consents, source.consents.as_ref()),
        (Table::Notes, source.notes.as_ref()),
    ];
    let mut all = Vec::new();
    for (table, set) in sets {
        let Some(set) = set else { continue };
        for path in of_set(table, set, base)? {
            let survey = glance(&path, stated_encoding(table, set)?)?;
            let rows = Rows::of(&Export { table, set, path: &path, name: "", survey: &survey })?;
            let (layout, facts) = (rows.layout(), rows.facts());
            let fields_of =
                |at| layout.each().filter(move |(_, columns)| columns.contains(&at)).map(|(field, _)| field.to_owned());
            let columns = (0..layout.width).map(|at| (shown(layout.header_of(at)), fields_of(at).collect()));
            all.push(Understood {
                table: table.name(),
                format: facts.format,
                encoding: facts.encoding,
                order: layout.order,
                columns: columns.filter(|(header, _): &(String, _)| !header.is_empty()).collect(),
                path,
            });
        }
    }
    Ok(all)
}
