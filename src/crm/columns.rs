//! Which column holds which field: explicit mapping first, then the known headers of `config/crm/columns.yaml`.
//!
//! Invariant: a layout that exists has every field that its table cannot do without.

mod noes;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::ops::Bound;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use jiff::Timestamp;
use serde::Deserialize;

use super::fields::{READ_ONCE, is_barred, is_read_all};
use super::headers::{check_ids, check_mapping, columns_of, each_once, list, mapped, normal, once, without_wrappers};
use super::names::{ByName, People};
use super::objections::{Searched, searched};
use super::{CrmError, DateOrder, Decimal, FileSet, value};

/// A table of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Table {
    /// People.
    Contacts,
    /// Companies.
    Accounts,
    /// Consent records.
    Consents,
    /// What sales people wrote down about contacts and companies.
    Notes,
}

impl Table {
    /// `contacts`, `accounts`, `consents` or `notes`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Contacts => "contacts",
            Self::Accounts => "accounts",
            Self::Consents => "consents",
            Self::Notes => "notes",
        }
    }

    /// The field that identifies the row's contact or company.
    pub(super) const fn key(self) -> &'static str {
        match self {
            Self::Contacts | Self::Accounts => "record_id",
            Self::Consents | Self::Notes => "contact_id",
        }
    }

    /// The field that identifies the row itself.
    pub(super) const fn own_key(self) -> &'static str {
        match self {
            Self::Notes => "note_id",
            other => other.key(),
        }
    }

    /// Fields without which the table says nothing; of alternatives one is enough.
    const fn needed(self) -> &'static [&'static [&'static str]] {
        match self {
            Self::Contacts => &[&["record_id"], &["family_name", "full_name"]],
            Self::Accounts => &[&["record_id"], &["name"]],
            Self::Consents => &[&["contact_id"], &["kind"]],
            Self::Notes => &[
                &["contact_id", "account_record", "contact_name", "contact_email", "account_name", "regarding"],
                &["text"],
            ],
        }
    }

    pub(super) fn known(self) -> &'static BTreeMap<String, Aliases> {
        match self {
            Self::Contacts => &COLUMNS.contacts,
            Self::Accounts => &COLUMNS.accounts,
            Self::Consents => &COLUMNS.consents,
            Self::Notes => &COLUMNS.notes,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Columns {
    contacts: BTreeMap<String, Aliases>,
    accounts: BTreeMap<String, Aliases>,
    consents: BTreeMap<String, Aliases>,
    notes: BTreeMap<String, Aliases>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Aliases {
    pub(super) de: Vec<String>,
    pub(super) en: Vec<String>,
    /// The same as they are compared.
    #[serde(skip)]
    pub(super) de_keys: Vec<String>,
    #[serde(skip)]
    pub(super) en_keys: Vec<String>,
}

static COLUMNS: LazyLock<Columns> = LazyLock::new(|| {
    let mut columns: Columns = serde_saphyr::from_str(include_str!("../../config/crm/columns.yaml"))
        .expect("columns.yaml is checked by a test");
    let tables = [&mut columns.contacts, &mut columns.accounts, &mut columns.consents, &mut columns.notes];
    for aliases in tables.into_iter().flat_map(BTreeMap::values_mut) {
        let keys = |all: &[String]| all.iter().map(|alias| normal(alias)).collect();
        (aliases.de_keys, aliases.en_keys) = (keys(&aliases.de), keys(&aliases.en));
    }
    columns
});

/// Prefix of the fields that hold a handle; what follows is the source id.
pub(super) const HANDLE: &str = "handle.";

/// Flags of contacts that speak against processing; each is read wherever it stands.
pub const FLAGS: [&str; 6] =
    ["email_opt_out", "do_not_process", "do_not_profile", "should_forget", "do_not_contact", "deleted"];

/// What stands for the columns that are read cell by cell.
pub(super) const BY_CELL: &str = "read_by_cell";
/// What stands for the columns of which a cell that says no counts, and no other.
pub(super) const NOES: &str = "noes_by_cell";
/// Before the name of a flag: columns that tell why it is set.
pub(super) const WHY: &str = "why.";

/// Where the fields of one file stand.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    pub(super) columns: BTreeMap<String, Vec<usize>>,
    /// Columns of the header line without trailing blank ones.
    pub(super) width: usize,
    /// Decimal separator, stated or by the language of the headers.
    pub(super) decimal: Decimal,
    /// What a date with slashes means, stated or as the file's dates have it.
    pub(super) order: DateOrder,
    /// The table that the file is one of.
    pub(super) table: Table,
    /// Whether newer rows of a record may come in later files.
    pub(super) grows: bool,
    /// The header line.
    header: Arc<[String]>,
    /// Whether the file lists records that are deleted, and nothing else of them.
    pub(super) of_deletions: bool,
    /// Whether it is a file of contacts, read for their companies.
    pub(super) of_contacts: bool,
    /// Kinds of ids of Salesforce that are read in the long form.
    pub(super) long_ids: Vec<String>,
    /// The run's clock.
    pub(super) now: Option<Timestamp>,
    /// Of contacts that name their company and not its id: the ids.
    pub(super) by_name: Option<Arc<ByName>>,
    /// Of notes that name their contact and not its id: the ids.
    pub(super) people: Option<Arc<People>>,
    /// Of contacts: the columns in which a no is looked for that stands where none is asked for.
    pub(super) searched: Arc<[Searched]>,
    /// Of contacts: of whom a note says no, and where it stands.
    pub(super) noted: Option<Arc<BTreeMap<String, String>>>,
}

impl Layout {
    /// A layout without columns, before the header line is read.
    pub(super) fn empty(table: Table) -> Self {
        let (decimal, order) = (Decimal::Comma, DateOrder::DayFirst);
        Self {
            columns: BTreeMap::new(),
            width: 0,
            decimal,
            order,
            table,
            grows: false,
            of_deletions: false,
            of_contacts: false,
            long_ids: Vec::new(),
            now: None,
            header: Arc::new([]),
            by_name: None,
            people: None,
            searched: Arc::new([]),
            noted: None,
        }
    }

    /// The column of a field.
    pub(super) fn column(&self, field: &str) -> Option<usize> {
        self.all(field).first().copied()
    }

    /// Every column of a field.
    pub(super) fn all(&self, field: &str) -> &[usize] {
        self.columns.get(field).map_or(&[], Vec::as_slice)
    }

    /// Fields with their columns, sorted by field.
    pub(super) fn each(&self) -> impl Iterator<Item = (&str, &[usize])> {
        self.columns.iter().map(|(field, at)| (field.as_str(), at.as_slice()))
    }

    /// Fields that have a column, sorted. Where companies go by their names, there is none for their ids.
    pub(super) fn fields(&self) -> Vec<String> {
        let is_name = |field: &str| field == "record_id" && self.column(field) == self.column("name");
        let is_own = |field: &&String| self.table != Table::Accounts || self.of_contacts || !is_name(field);
        self.columns.keys().filter(is_own).cloned().collect()
    }

    /// The header line.
    pub(super) fn header(&self) -> &[String] {
        &self.header
    }

    /// What the header line calls a column.
    pub(super) fn header_of(&self, column: usize) -> &str {
        self.header.get(column).map_or("", |header| header.trim())
    }

    /// The field that a column stands for.
    pub(super) fn field_of(&self, column: usize) -> Option<&str> {
        self.columns.iter().find(|(_, at)| at.contains(&column)).map(|(field, _)| field.as_str())
    }

    /// The columns that stand for a field, sorted.
    pub(super) fn used(&self) -> Vec<usize> {
        let mut used: Vec<usize> = self.columns.values().flatten().copied().collect();
        used.sort_unstable();
        used.dedup();
        used
    }

    /// The columns that tell why a flag is set, by flag.
    pub(super) fn whys(&self) -> impl Iterator<Item = (&str, &[usize])> {
        let from = self.columns.range::<str, _>((Bound::Included(WHY), Bound::Unbounded));
        from.map_while(|(field, at)| Some((field.strip_prefix(WHY)?, at.as_slice())))
    }

    /// Headers that stand for no field.
    pub(super) fn unused(&self, header: &[String]) -> Vec<String> {
        let used = |at: &usize| self.columns.values().flatten().any(|column| column == at);
        let unused = (0..self.width).filter(|at| !used(at) && !header[*at].trim().is_empty());
        unused.map(|at| header[at].trim().to_owned()).collect()
    }

    /// Source ids with the columns of their handles, sorted.
    pub(super) fn handles(&self) -> impl Iterator<Item = (&str, usize)> {
        self.columns.iter().filter_map(|(field, at)| Some((field.strip_prefix(HANDLE)?, *at.first()?)))
    }

    /// Reads a header line.
    pub(super) fn resolve(table: Table, set: &FileSet, header: &[String], path: &Path) -> Result<Self, CrmError> {
        if table == Table::Accounts && set.of_contacts {
            let contacts = FileSet { of_contacts: false, ..set.clone() };
            return Self::resolve(Table::Contacts, &contacts, header, path).map(Self::for_companies);
        }
        check_mapping(table, set)?;
        let width = header.iter().rposition(|h| !h.trim().is_empty()).map_or(0, |last| last + 1);
        let header = &header[..width];
        let keys: Vec<String> = header.iter().map(|h| normal(h)).collect();
        let (order, grows, now) = (set.date_order.unwrap_or_default(), set.grows, set.now);
        let long_ids = set.long_ids.clone();
        let mut layout = Self { width, order, grows, long_ids, now, header: header.into(), ..Self::empty(table) };
        layout.columns.extend(mapped(table, set, (header, &keys), path)?);
        let mut taken: Vec<usize> = layout.columns.values().flatten().copied().collect();
        taken.extend((0..keys.len()).filter(|at| set.ignored.iter().any(|ignored| normal(ignored) == keys[*at])));
        let keys = without_wrappers(header, keys);
        if table == Table::Contacts && !layout.columns.contains_key("record_id") {
            check_ids(header, path)?;
        }
        let (mut german, mut english) = (0, 0);
        for (field, known) in table.known() {
            // An address that stands for an id is one all the same.
            let ids = if field == "email" { layout.all("record_id") } else { &[] };
            let taken: Vec<usize> = taken.iter().filter(|at| !ids.contains(at)).copied().collect();
            let [de, en] = found(field, known, (header, &keys), &taken);
            let is_mapped = layout.columns.contains_key(field);
            if !is_mapped && de.is_empty() != en.is_empty() {
                *(if en.is_empty() { &mut german } else { &mut english }) += 1;
            }
            let all = each_once(de.into_iter().chain(en));
            if is_read_all(field) {
                // What speaks against processing is read wherever it stands, a mapping only adds to it.
                layout.columns.entry(field.clone()).or_default().extend(all);
            } else if let Some(at) = all.first().copied().filter(|_| !is_mapped) {
                let at = if READ_ONCE.contains(&field.as_str()) { once(header, &keys, at, path)? } else { at };
                layout.columns.insert(field.clone(), vec![at]);
            }
        }
        layout.columns.retain(|_, at| !at.is_empty());
        if table == Table::Accounts && !layout.columns.contains_key("record_id") {
            // A list without ids: its companies are known by their names, and contacts name them so.
            let name = layout.columns.get("name").cloned();
            layout.columns.extend(name.map(|at| ("record_id".to_owned(), at)));
        }
        let says_more = ["email", "job_title", "text"].iter().any(|field| layout.columns.contains_key(*field));
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        layout.of_deletions = table != Table::Consents && !says_more && value::is_of_deletions(&name);
        layout.decimal = set.decimal.unwrap_or(if german >= english { Decimal::Comma } else { Decimal::Point });
        match table {
            Table::Contacts => layout.take_in_noes(set, header),
            Table::Consents => layout.take_in_harmless(set, header),
            Table::Accounts | Table::Notes => {}
        }
        layout.searched = searched(&layout, set, header).into();
        layout.check_needed(set, header, path)?;
        layout.take_known(set);
        Ok(layout)
    }

    /// Takes over what the files of the set told before they are read.
    fn take_known(&mut self, set: &FileSet) {
        self.noted.clone_from(&set.noted);
        if self.column("account_record").is_none() {
            self.by_name.clone_from(&set.by_name);
        }
        self.people.clone_from(&set.people);
    }

    /// Whether a column holds texts, so that `false` in it says that there is none, as Odoo has it.
    pub(super) fn is_of_texts(&self, column: usize) -> bool {
        let says = ["merged_into", "email_allowed", "contact_allowed", "active", "is_company", BY_CELL, NOES];
        self.field_of(column).is_some_and(|field| !FLAGS.contains(&field) && !says.contains(&field))
    }

    fn check_needed(&self, set: &FileSet, header: &[String], path: &Path) -> Result<(), CrmError> {
        let has = |field: &str| self.columns.contains_key(field);
        // A file of records that are gone needs nobody's name.
        let tells_gone = has("deleted") || has("merged_into") || self.of_deletions;
        if self.table == Table::Notes && (has("deleted") || self.of_deletions) && has("note_id") && !has("text") {
            return Ok(());
        }
        for alternatives in self.table.needed() {
            let is_name = alternatives.contains(&"family_name") || *alternatives == ["name"];
            if alternatives.iter().any(|f| has(f)) || (is_name && tells_gone) {
                continue;
            }
            let known = alternatives.iter().filter_map(|f| self.table.known().get(*f));
            let few = if alternatives.len() > 3 { 2 } else { 6 };
            let known: Vec<&str> =
                known.flat_map(|a| a.de.iter().take(few).chain(a.en.iter().take(few))).map(String::as_str).collect();
            return Err(CrmError::MissingField {
                table: self.table,
                path: path.to_owned(),
                field: alternatives[0],
                known: known.join(", ") + ", ...",
                found: list(self.table, set, header),
            });
        }
        Ok(())
    }
}

/// The columns whose headers stand for a field, in German and in English.
fn found(field: &str, known: &Aliases, (header, keys): (&[String], &[String]), taken: &[usize]) -> [Vec<usize>; 2] {
    [&known.de_keys, &known.en_keys].map(|aliases| {
        let mut found = columns_of(aliases, keys, taken);
        found.retain(|at| !is_barred(field, &header[*at]));
        found
    })
}
