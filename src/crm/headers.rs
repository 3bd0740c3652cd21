//! Headers: how they are compared, found, and shown.
//!
//! Invariant: what is shown of a header is nobody's address.

use std::path::Path;

use unicode_normalization::UnicodeNormalization as _;

use super::columns::{FLAGS, HANDLE, Table};
use super::{CrmError, FileSet};

/// What APIs put around the fields of a record; known headers are looked for within.
const WRAPPERS: [&str; 12] = [
    "properties.",
    "attributes.",
    "fields.",
    "data.attributes.",
    "data.custom_fields.",
    "data.",
    "name_value_list.",
    "merge_fields.",
    "custom_fields.",
    "customFields.",
    "custom_field.",
    "additionalProperties.",
];
/// Those of them in which stands what the owner of the CRM has made.
const CUSTOM: [&str; 6] = [
    "data.custom_fields.",
    "merge_fields.",
    "custom_fields.",
    "customFields.",
    "custom_field.",
    "additionalProperties.",
];

/// The keys by which known headers are found: those of an API's record as if they stood in the record itself, unless
/// the record has such a key, too.
pub(super) fn without_wrappers(header: &[String], keys: Vec<String>) -> Vec<String> {
    let inner = |h: &String| Some(normal(unwrapped(h))).filter(|k| !keys.contains(k));
    header.iter().zip(&keys).map(|(h, key)| inner(h).unwrap_or_else(|| key.clone())).collect()
}

/// Whether a key is one that the owner of the CRM has made.
pub(super) fn is_custom(key: &str) -> bool {
    CUSTOM.iter().any(|wrapper| key.trim().starts_with(wrapper))
}

pub(super) fn unwrapped(key: &str) -> &str {
    let inner = WRAPPERS.iter().find_map(|w| key.trim().strip_prefix(w));
    // HubSpot's first API and SuiteCRM's have an object around each value.
    inner.map_or(key, |inner| inner.strip_suffix(".value").unwrap_or(inner))
}

/// Tells of contacts as an API writes them an id of the record and that of a contact beside it: whom it belongs to, mostly.
pub(super) fn check_ids(header: &[String], path: &Path) -> Result<(), CrmError> {
    let find = |wanted: &[&str]| header.iter().find(|key| wanted.contains(&key.trim())).cloned();
    match (find(&["id"]), find(&["contact_id", "contactId", "person_id", "personId"])) {
        (Some(one), Some(other)) => Err(CrmError::TwoIds { path: path.to_owned(), one, other }),
        _ => Ok(()),
    }
}

/// The column of a mapped header, `None` where there is none.
fn find_mapped(wanted: &str, header: &[String], keys: &[String], path: &Path) -> Result<Option<usize>, CrmError> {
    // The exact spelling wins, so that "ID" and "Id" can be told apart by who must.
    let same = |h: &&String| h.trim() == wanted.trim();
    let exact = header.iter().position(|h| same(&h));
    let Some(at) = exact.or_else(|| keys.iter().position(|k| *k == normal(wanted))) else { return Ok(None) };
    let is_sure = exact.is_some() && header.iter().filter(same).count() == 1;
    if is_sure { Ok(Some(at)) } else { once(header, keys, at, path).map(Some) }
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
        let mut aliases = table.known().values().flat_map(|a| a.de_keys.iter().chain(&a.en_keys));
        aliases.any(|alias| alias == key) || set.columns.values().any(|header| normal(header) == *key)
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

/// The columns of a list of headers as they are compared, in the order of the list, without those that a mapping took.
pub(super) fn columns_of(aliases: &[String], keys: &[String], mapped: &[usize]) -> Vec<usize> {
    let find = |alias: &String| {
        keys.iter().enumerate().filter(|(at, key)| *key == alias && !mapped.contains(at)).map(|(at, _)| at).collect()
    };
    aliases.iter().flat_map(|alias| -> Vec<usize> { find(alias) }).collect()
}

/// The column at `at`, or the one that alone is a key of the record itself.
///
/// # Errors
/// There are others of its name.
pub(super) fn once(header: &[String], keys: &[String], at: usize, path: &Path) -> Result<usize, CrmError> {
    let same = || (0..keys.len()).filter(|other| keys[*other] == keys[at]);
    // APIs tell of a record that it hangs on twice: `targetable_id`, and `targetable: { id: .. }`.
    let mut own = same().filter(|other| !header[*other].contains('.'));
    match (same().count(), own.next(), own.next()) {
        (1, ..) => Ok(at),
        (_, Some(own), None) => Ok(own),
        _ => Err(CrmError::TwiceHeader { path: path.to_owned(), header: header[at].trim().to_owned() }),
    }
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

/// Tells a mapping of a field that does not exist; needs no file, so `validate` can ask too.
pub(super) fn check_mapping(table: Table, set: &FileSet) -> Result<(), CrmError> {
    let known = |f: &str| table.known().contains_key(f) || (table == Table::Contacts && f.starts_with(HANDLE));
    match set.columns.keys().find(|f| !known(f)) {
        None => Ok(()),
        Some(field) => Err(CrmError::UnknownField {
            table: table.name(),
            field: field.clone(),
            known: table.known().keys().map(String::as_str).collect::<Vec<_>>().join(", "),
        }),
    }
}

/// Whether a key is one of what speaks against processing, so that it must not be passed over whatever its type is.
pub(super) fn is_flag(table: Table, set: &FileSet, key: &str) -> bool {
    FLAGS.iter().chain(&["merged_into", "merged_ids", "email_allowed", "contact_allowed", "active"]).any(|field| {
        let key = normal(unwrapped(key));
        let mut known = table.known().get(*field).into_iter().flat_map(|a| a.de_keys.iter().chain(&a.en_keys));
        known.any(|alias| *alias == key) || set.columns.get(*field).is_some_and(|header| normal(header) == key)
    })
}

/// In their order: "E-Mail" and "email" are one header, so a column can be found twice.
pub(super) fn each_once(columns: impl Iterator<Item = usize>) -> Vec<usize> {
    let mut seen = std::collections::HashSet::new();
    columns.filter(|at| seen.insert(*at)).collect()
}
