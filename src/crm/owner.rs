//! Whom a row is about: the contact that a note is on, and the company of a contact or a note.
//!
//! Invariant: where nobody can tell for certain who is meant, nobody is.

use super::columns::{Layout, Table};
use super::rows::Row;
use super::value;

/// Of whom a note says that it is on nobody whom its row tells for certain.
pub(super) struct UnknownName;

/// A row with several people or companies is read as one with the first.
pub(super) fn first_id(cell: &str) -> &str {
    cell.split([';', '|']).find_map(value::text).unwrap_or(cell)
}

/// All of them.
pub(super) fn all_ids(cell: &str) -> impl Iterator<Item = &str> {
    cell.split([';', '|']).filter_map(value::text)
}

impl Layout {
    /// The contact that a note's row names: the first record id, or the id of the only one of that name in its company, or
    /// anywhere. A note on somebody of whom nobody knows who it is is on nobody.
    pub(super) fn contact_of(&self, row: &Row) -> Result<Option<String>, UnknownName> {
        let cell = |field: &str| value::text(row.cell(self.column(field)?));
        match (cell("contact_id").or_else(|| self.related(row, true)), cell("contact_name")) {
            (Some(id), _) => Ok(Some(first_id(id).to_owned())),
            (None, _) if self.related(row, false).is_some() => Ok(None),
            (None, None) => self.contact_by_address(row),
            (None, Some(name)) => {
                let company = self.company_of(row);
                // Who works at a company that nobody knows is no namesake's.
                if company.is_none() && self.by_name.is_some() && cell("account_name").is_some() {
                    return Err(UnknownName);
                }
                let found = self.people.as_ref().and_then(|people| people.id_of(name, company.as_deref()));
                found.map(Some).ok_or(UnknownName)
            }
        }
    }

    /// The only contact with an address that stands in the row; beside the contact's there may be that of who wrote it.
    fn contact_by_address(&self, row: &Row) -> Result<Option<String>, UnknownName> {
        let Some(people) = &self.people else { return Ok(None) };
        let cells = self.all("contact_email").iter().map(|at| row.cell(*at));
        let addresses: Vec<String> = cells.flat_map(|cell| value::emails(cell).0).collect();
        let mut found = addresses.iter().filter_map(|address| people.id_of_address(address));
        match (found.next(), found.next()) {
            (Some(id), other) if other.as_ref().is_none_or(|other| *other == id) => Ok(Some(id)),
            _ if addresses.is_empty() || self.company_of(row).is_some() => Ok(None),
            _ => Err(UnknownName),
        }
    }

    /// The company that a row names: its record id, or the id of the only company of that name.
    pub(super) fn company_of(&self, row: &Row) -> Option<String> {
        let cell = |field: &str| value::text(row.cell(self.column(field)?));
        let id = cell("account_record").or_else(|| self.related(row, false));
        id.map(|id| first_id(id).to_owned()).or_else(|| self.by_name.as_ref()?.id_of(cell("account_name")?))
    }

    /// The id of the record that a note is on, of a contact or of anything else, as the kind beside it says; where that may be
    /// either, of both: whose it is tells who has it.
    fn related<'r>(&self, row: &'r Row, to_contact: bool) -> Option<&'r str> {
        let cell = |field: &str| value::text(row.cell(self.column(field)?));
        let of_contact = cell("regarding_kind").and_then(value::is_contact_kind);
        cell("regarding").filter(|_| of_contact.is_none_or(|is| is == to_contact))
    }

    /// A file of contacts as one of companies: each is known by what its contacts say of it.
    pub(super) fn for_companies(mut self) -> Self {
        let column = |field: &str| self.columns.get(field).cloned();
        let name = column("account_name");
        let fields = [
            ("record_id", column("account_record").or_else(|| name.clone())),
            ("name", name),
            ("updated_at", column("updated_at")),
        ];
        self.columns = fields.into_iter().filter_map(|(field, at)| Some((field.to_owned(), at?))).collect();
        (self.table, self.of_contacts, self.of_deletions) = (Table::Accounts, true, false);
        self.searched = [].into();
        self
    }
}
