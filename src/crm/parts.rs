//! A pull that is too large to be held at once: rows sorted into parts on disk, each a pull of its own.
//!
//! Invariant: all rows of a record, and of those that were merged into it, are in the part of its company, so a part says of
//! its contacts what the whole pull would say. Of a row only the cells of known columns are stored.

mod book;
mod concerned;
mod graph;
mod prints;
mod read;
mod sorter;
#[cfg(test)]
mod tests;
mod trail;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::columns::{Layout, Table};
use super::merge::{Companies, Merges};
use super::pull::{TakeRow, gather};
use super::reader::Cells;
use super::rows::Row;
use super::{CrmAccount, CrmContact, CrmDeadLetter, CrmError, CrmPull, FileFacts, Origin, Unit, other};
use crate::blocks::{Blocks, Item};
pub use book::{is_of_this_layout as is_readable_rows, tags as tags_of_rows};
pub use concerned::{Before, Concerned, Found, Known as KnownBefore, Tag, TonightsRows};
pub(super) use prints::{Print, Prints};
pub(super) use read::owners;

/// How a pull is parted.
pub struct Parting<'a> {
    /// Where the parts are put; nobody else uses it.
    pub folder: PathBuf,
    /// How many there are.
    pub parts: usize,
    /// The part of a company, by its record id.
    pub of_company: &'a dyn Fn(&str) -> usize,
    /// The part of a contact without a company, by its record id.
    pub of_contact: &'a dyn Fn(&str) -> usize,
    /// Shown every contact that is not gone, and every company, in the order of their numbers.
    pub look: &'a mut dyn FnMut(Seen<'_>),
    /// Leaves out who was erased: nothing is concluded from their rows.
    pub without_erased: &'a dyn Fn(CrmPull) -> CrmPull,
    /// Those alone whose rows have changed, and who hang on them; `None` = everybody.
    pub concerned: Option<&'a Concerned>,
}

/// What stands in a row.
#[derive(Clone, Copy)]
pub enum Seen<'a> {
    /// A contact.
    Contact(&'a CrmContact),
    /// A company.
    Company(&'a CrmAccount),
}

/// Where a contact works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Employer {
    /// At no company that is known.
    Nobody,
    /// At the company of this number.
    Company(usize),
}

/// A pull in parts.
#[derive(Debug)]
pub struct Parts {
    /// The files that were read, in the order of reading.
    pub files: Vec<FileFacts>,
    /// What could not be used and belongs to no part.
    pub dead_letters: Vec<CrmDeadLetter>,
    /// Of companies that were merged, the one that each lives on in.
    pub merged_accounts: BTreeMap<String, String>,
    blocks: Blocks,
    shapes: Vec<Shape>,
    places: Places,
    unread: BTreeMap<String, u32>,
    /// What all rows together say of merges of contacts.
    merges: Merges,
    /// E-mail addresses that several records have, and names of several at a company that is not exported.
    shared: HashSet<Print>,
}

/// What rows of one file have in common.
#[derive(Debug)]
struct Shape {
    layout: Layout,
    name: Arc<str>,
}

/// Where a record belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    part: u16,
    company: u32,
}

/// Not yet known; the record has one row so far.
const ONE_ROW: Place = Place { part: u16::MAX, company: u32::MAX };
/// Not yet known; the record has several rows.
const ROWS: Place = Place { part: u16::MAX, company: u32::MAX - 1 };
/// No company.
const ALONE: u32 = u32::MAX;
/// No row of the record can be read, so there is no contact.
const NOBODY: u32 = u32::MAX - 1;

#[derive(Debug, Default)]
struct Places {
    prints: Prints,
    by_record: HashMap<Print, Place>,
    companies: HashMap<String, u32>,
}

impl Places {
    fn print(&self, text: &str) -> Print {
        self.prints.print(text)
    }

    /// None yet, with prints as others have made them.
    fn like(prints: &Prints) -> Self {
        Self { prints: prints.clone(), ..Self::default() }
    }

    fn of(&self, record: &str) -> Option<Place> {
        self.by_record.get(&self.print(record)).copied().filter(|place| place.part != u16::MAX)
    }

    fn put(&mut self, record: &str, place: Place) {
        let print = self.print(record);
        self.by_record.insert(print, place);
    }
}

/// An item of a part.
#[derive(Serialize, Deserialize)]
enum Stored<'a> {
    Row {
        shape: u32,
        text: &'a str,
        ends: Vec<u32>,
        line: u64,
        unit: Unit,
        digest: [u8; 32],
    },
    #[serde(borrow)]
    Company(StoredCompany<'a>),
}

/// Of a company, what is needed beyond its row.
#[derive(Serialize, Deserialize)]
struct StoredCompany<'a> {
    record_id: &'a str,
    name: &'a str,
    domain: Option<&'a str>,
    country: Option<&'a str>,
    city: Option<&'a str>,
    industry: Option<&'a str>,
    nace: Option<&'a str>,
    employees: Option<u32>,
    revenue_eur: Option<f64>,
    legal_form: Option<&'a str>,
    founded: Option<u16>,
}

struct Whatever;

impl<'de> Item<'de> for Whatever {
    type Stored = Stored<'de>;
}

impl Parts {
    /// The pull of one part; it has neither files nor the dead letters that belong to none.
    ///
    /// # Errors
    /// The part cannot be read any more.
    pub fn load(&self, part: usize) -> Result<CrmPull, CrmError> {
        let (mut companies, mut rows) = (Vec::new(), Vec::new());
        self.blocks.read::<Whatever>(part, |stored| {
            match stored {
                Stored::Company(company) => companies.push(company.restore()),
                Stored::Row { shape, text, ends, line, unit, digest } => {
                    let file = Arc::clone(&self.shapes.get(shape as usize)?.name);
                    let ends = ends.into_iter().map(|end| end as usize).collect();
                    let origin = Origin { file, line, unit, digest };
                    rows.push((shape as usize, Row::instead_of(origin, text.to_owned(), ends)));
                }
            }
            Some(())
        })?;
        companies.sort_by(|a: &CrmAccount, b| a.record_id.cmp(&b.record_id));
        let companies = Companies { rows: companies, merged: self.merged_accounts.clone() };
        gather(companies, self.unread.clone(), (Vec::new(), Some(&self.merges)), |table, letters, take| {
            for (shape, row) in &rows {
                self.shapes[*shape].read(table, row, letters, take);
            }
            Ok(())
        })
    }

    /// Lets go of where records belong: from then on nobody is known to [`Self::employer_of`] and [`Self::company`].
    pub fn forget_places(&mut self) {
        (self.places.by_record, self.places.companies) = (HashMap::new(), HashMap::new());
    }

    /// How many parts there are.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.blocks.parts()
    }

    /// Removes a part that nobody needs any more.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn remove(&mut self, part: usize) -> Result<(), CrmError> {
        Ok(self.blocks.remove(part)?)
    }

    /// Whether several records have an e-mail address, or a name at a company that is not exported
    /// ([`CrmContact::name_at`]).
    #[must_use]
    pub fn is_shared(&self, what: &str) -> bool {
        !self.shared.is_empty() && self.shared.contains(&self.places.print(what))
    }

    /// Where a contact works, by their record id; `None` = nobody knows such a contact.
    #[must_use]
    pub fn employer_of(&self, contact: &str) -> Option<Employer> {
        let place = self.places.of(contact).filter(|place| place.company != NOBODY)?;
        Some(if place.company == ALONE { Employer::Nobody } else { Employer::Company(place.company as usize) })
    }

    /// The number of a company, by its record id.
    #[must_use]
    pub fn company(&self, record: &str) -> Option<usize> {
        self.places.companies.get(record).map(|number| *number as usize)
    }
}

impl Shape {
    /// Hands a row on, if it is one of the table.
    fn read(&self, table: Table, row: &Row, letters: &mut Vec<CrmDeadLetter>, take: &mut TakeRow<'_>) {
        if self.layout.table != table {
            return;
        }
        let id = other::key(&self.layout, row);
        let taken = take(&mut Cells { layout: &self.layout, row, notes: letters, id });
        letters.extend(taken.err().map(|letter| *letter));
    }
}

impl<'a> StoredCompany<'a> {
    fn of(company: &'a CrmAccount) -> Self {
        Self {
            record_id: &company.record_id,
            name: &company.name,
            domain: company.domain.as_deref(),
            country: company.country.as_deref(),
            city: company.city.as_deref(),
            industry: company.industry.as_deref(),
            nace: company.nace.as_deref(),
            employees: company.employees,
            revenue_eur: company.revenue_eur,
            legal_form: company.legal_form.as_deref(),
            founded: company.founded,
        }
    }

    fn restore(self) -> CrmAccount {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        CrmAccount {
            record_id: self.record_id.to_owned(),
            name: self.name.to_owned(),
            domain: owned(self.domain),
            country: owned(self.country),
            city: owned(self.city),
            industry: owned(self.industry),
            nace: owned(self.nace),
            employees: self.employees,
            revenue_eur: self.revenue_eur,
            revenue_foreign: None,
            legal_form: owned(self.legal_form),
            founded: self.founded,
            deleted: false,
            merged_into: None,
            merged_ids: Vec::new(),
            updated_at: None,
            origin: Origin { file: "".into(), line: 0, unit: Unit::Row, digest: [0; 32] },
        }
    }
}
