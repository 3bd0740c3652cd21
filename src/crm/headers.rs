//! Headers: how they are compared, found, and shown.
//!
//! Invariant: what is shown of a header is nobody's address.

use std::path::Path;

use unicode_normalization::UnicodeNormalization as _;

use super::columns::Table;
use super::{CrmError, FileSet};

/// What APIs put around the fields of a record; known headers are looked for within.
const WRAPPERS: [&str; 3] = ["properties.", "attributes.", "fields."];

/// The keys by which known headers are found: those of an API's record as if they stood in the record itself, unless
/// the record has such a key, too.
pub(super) fn without_wrappers(header: &[String], keys: Vec<String>) -> Vec<String> {
    let inner = |h: &String| Some(normal(unwrapped(h))).filter(|k| !keys.contains(k));
    header.iter().zip(&keys).map(|(h, key)| inner(h).unwrap_or_else(|| key.clone())).collect()
}

pub(super) fn unwrapped(key: &str) -> &str {
    WRAPPERS.iter().find_map(|w| key.trim().strip_prefix(w)).unwrap_or(key)
}

/// The column of a mapped header, `None` where there is none.
fn find_mapped(wanted: &str, header: &[String], keys: &[String], path: &Path) -> Result<Option<usize>, CrmError> {
    // The exact spelling wins, so that "ID" and "Id" can be told apart by who must.
    let same = |h: &&String| h.trim() == wanted.trim();
    let exact = header.iter().position(|h| same(&h));
    let Some(at) = exact.or_else(|| keys.iter().position(|k| *k == normal(wanted))) else { return Ok(None) };
    if exact.is_none() || header.iter().filter(same).count() > 1 {
        once(header, keys, at, path)?;
    }
    Ok(Some(at))
}

/// The columns that a file's settings name for fields.
///
/// # Errors
/// One of them is not there, or twice.
pub(super) fn mapped(
    table: Table,
    set: &FileSet,
    (header, keys): (&[String], &[String]),
    path: &Path,
) -> Result<Vec<(String, Vec<usize>)>, CrmError> {
    let at = |(field, wanted): (&String, &String)| {
        let at = find_mapped(wanted, header, keys, path)?.ok_or_else(|| CrmError::MissingHeader {
            path: path.to_owned(),
            field: field.clone(),
            header: wanted.clone(),
            found: list(table, set, header),
        })?;
        Ok((field.clone(), vec![at]))
    };
    set.columns.iter().map(at).collect()
}

/// The headers there are. In a file without a header line the first row is a person's: then they are only counted.
pub(super) fn list(table: Table, set: &FileSet, header: &[String]) -> String {
    let known = |key: &String| {
        let aliases = table.known().values().flat_map(|a| a.de.iter().chain(&a.en));
        aliases.chain(set.columns.values()).any(|alias| normal(alias) == *key)
    };
    // A person's row may have a cell that is a header by chance.
    let n_known = header.iter().filter(|h| known(&normal(h))).count();
    let is_personal = |h: &String| h.contains('@') || h.chars().filter(char::is_ascii_digit).count() > 4;
    if n_known * 2 < header.len() || header.iter().any(is_personal) {
        return format!("{} of unknown names (is the first line the line of headers?)", header.len());
    }
    let shown = |h: &String| h.trim().chars().take(40).collect::<String>();
    header.iter().take(60).map(shown).collect::<Vec<_>>().join(", ")
}

/// The columns of a list of headers, in the order of the list, without those that a mapping took.
pub(super) fn columns_of(aliases: &[String], keys: &[String], mapped: &[usize]) -> Vec<usize> {
    let find = |alias: &String| {
        let alias = normal(alias);
        keys.iter().enumerate().filter(|(at, key)| **key == alias && !mapped.contains(at)).map(|(at, _)| at).collect()
    };
    aliases.iter().flat_map(|alias| -> Vec<usize> { find(alias) }).collect()
}

pub(super) fn once(header: &[String], keys: &[String], at: usize, path: &Path) -> Result<(), CrmError> {
    if keys.iter().filter(|k| **k == keys[at]).count() > 1 {
        return Err(CrmError::TwiceHeader { path: path.to_owned(), header: header[at].trim().to_owned() });
    }
    Ok(())
}

/// The form in which headers are compared: lower case, letters and digits only, umlauts written out.
pub(crate) fn normal(header: &str) -> String {
    let mut normal = String::with_capacity(header.len());
    for c in header.nfc().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase) {
        match c {
            'ä' => normal.push_str("ae"),
            'ö' => normal.push_str("oe"),
            'ü' => normal.push_str("ue"),
            'ß' => normal.push_str("ss"),
            c => normal.push(c),
        }
    }
    normal
}

/// Keys of JSON may be people's: those are not shown.
pub(crate) fn shown(header: &str) -> String {
    let header = header.trim();
    let is_key_of_somebody = header.contains('@') && !header.contains("@OData") && !header.starts_with('@');
    if is_key_of_somebody || header.chars().count() > 80 {
        "(a name that may be somebody's)".to_owned()
    } else {
        header.to_owned()
    }
}
