//! Sorting the rows of a large pull into parts.
//!
//! Invariant: a row is put where its record belongs; where one row does not tell, all rows of the record are held until they
//! do.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};

use super::{ALONE, NOBODY, ONE_ROW, Parting, Parts, Place, Places, Print, ROWS, Seen, Shape, Stored, StoredCompany};
use crate::blocks::Blocks;
use crate::crm::columns::{Layout, Table};
use crate::crm::files::{self, Survey, survey};
use crate::crm::merge::{Alike, Companies, Merges};
use crate::crm::objections::columns_with;
use crate::crm::pull::{Newest, count_unread, gather};
use crate::crm::reader::{Cells, check_settings, stated_encoding};
use crate::crm::ready::ready;
use crate::crm::rows::{Export, Item as RowItem, Row, Rows};
use crate::crm::{CrmDeadLetter, CrmError, CrmPull, CsvSource, FileFacts, FileSet, contact, other};

/// A file of a table, looked at once.
pub(super) struct File {
    path: PathBuf,
    name: String,
    survey: Survey,
}

impl File {
    /// How dead letters call it.
    pub(super) fn name(&self) -> &str {
        &self.name
    }
}

pub(super) fn open(table: Table, set: &FileSet, base: &Path) -> Result<Vec<File>, CrmError> {
    check_settings(table, set)?;
    let stated = stated_encoding(table, set)?;
    let paths = files::of_set(table, set, base)?;
    let names = files::names(set, base, &paths);
    let file = |(path, name): (PathBuf, String)| Ok(File { survey: survey(&path, stated)?, path, name });
    paths.into_iter().zip(names).map(file).collect()
}

/// Calls `take` with each item of each file, and the number of its file; gives what is known of the files.
pub(super) fn each(
    (table, set): (Table, &FileSet),
    all: &[File],
    mut take: impl FnMut(usize, &Layout, RowItem) -> Result<(), CrmError>,
) -> Result<Vec<FileFacts>, CrmError> {
    let mut facts = Vec::new();
    for (at, File { path, name, survey }) in all.iter().enumerate() {
        let mut reader = Rows::of(&Export { table, set, path, name, survey })?;
        while let Some(item) = reader.next_row()? {
            take(at, reader.layout(), item)?;
        }
        facts.push(reader.into_facts());
    }
    Ok(facts)
}

impl Parts {
    /// Sorts all files of a source into parts; relative paths start at `base`.
    ///
    /// # Errors
    /// A file that cannot be read, or a disk that refuses.
    pub fn sort_in(source: &CsvSource, base: &Path, parting: Parting<'_>) -> Result<Self, CrmError> {
        let source = &ready(source, base)?;
        let blocks = Blocks::create(parting.folder.clone(), parting.parts)?;
        let concerned = parting.concerned;
        // What somebody has who is not read counts as seen once.
        let seen = concerned.into_iter().flat_map(|c| &c.outside).map(|print| (*print, false)).collect();
        let mut sorter = Sorter {
            parts: Self {
                files: Vec::new(),
                dead_letters: Vec::new(),
                merged_accounts: BTreeMap::new(),
                blocks,
                shapes: Vec::new(),
                places: concerned.map_or_else(Places::default, |c| Places::like(&c.prints)),
                unread: BTreeMap::new(),
                merges: Merges::default(),
                shared: HashSet::new(),
            },
            parting,
            seen,
            tied: HashSet::new(),
            held: Vec::new(),
        };
        if let Some(set) = &source.accounts {
            sorter.accounts(set, base)?;
        }
        sorter.contacts(&source.contacts, base)?;
        sorter.settle()?;
        if let Some(set) = &source.consents {
            sorter.consents(set, base)?;
        }
        let Sorter { mut parts, seen, .. } = sorter;
        parts.shared = seen.into_iter().filter(|(_, shared)| *shared).map(|(print, _)| print).collect();
        parts.blocks.finish()?;
        Ok(parts)
    }
}

/// Sorts rows into parts.
struct Sorter<'a> {
    parts: Parts,
    parting: Parting<'a>,
    /// Addresses of contacts that hold, and names at companies that are not exported; and whether several have them.
    seen: HashMap<Print, bool>,
    /// Records that were merged with others.
    tied: HashSet<String>,
    /// Rows of which not every one tells where it belongs: of records with several rows, or that were merged.
    held: Vec<(String, usize, Row)>,
}

impl Sorter<'_> {
    /// Makes a shape of each file; the number of the first.
    fn shapes(&mut self, (table, set): (Table, &FileSet), all: &[File]) -> Result<usize, CrmError> {
        let first = self.parts.shapes.len();
        for File { path, name, survey } in all {
            let reader = Rows::of(&Export { table, set, path, name, survey })?;
            let layout = reader.layout().clone();
            self.parts.shapes.push(Shape { layout, name: name.as_str().into() });
        }
        Ok(first)
    }

    /// Companies are few enough to be held until it is known which of them hold.
    fn accounts(&mut self, set: &FileSet, base: &Path) -> Result<(), CrmError> {
        let table = (Table::Accounts, set);
        let all = open(table.0, set, base)?;
        let first = self.shapes(table, &all)?;
        let (mut accounts, mut letters) = (Newest::default(), Vec::new());
        let shapes = &self.parts.shapes;
        let facts = each(table, &all, |file, _, item| {
            let shape = &shapes[first + file];
            match item {
                Ok(row) => shape.read(table.0, &row, &mut letters, &mut |cells| {
                    accounts.add(other::account(cells)?, cells);
                    Ok(())
                }),
                Err(letter) => letters.push(*letter),
            }
            Ok(())
        })?;
        let Companies { rows, merged } = Companies::of(accounts.into_rows(), &mut letters);
        let concerned = self.parting.concerned;
        let rows = rows.iter().filter(|company| concerned.is_none_or(|c| c.company(&company.record_id)));
        for (number, company) in rows.enumerate() {
            (self.parting.look)(Seen::Company(company));
            let part = (self.parting.of_company)(&company.record_id);
            self.parts.blocks.put(part, &Stored::Company(StoredCompany::of(company)))?;
            self.parts.places.companies.insert(company.record_id.clone(), number as u32);
        }
        self.parts.merged_accounts = merged;
        self.parts.dead_letters.extend(letters);
        self.parts.files.extend(facts);
        Ok(())
    }

    /// Hands every row of a table to `take`, with the number of its file; keeps what could not be read.
    fn rows(
        &mut self,
        table: (Table, &FileSet),
        all: &[File],
        mut take: impl FnMut(&mut Self, usize, Row) -> Result<(), CrmError>,
    ) -> Result<(), CrmError> {
        let facts = each(table, all, |file, _, item| match item {
            Ok(row) => take(self, file, row),
            Err(letter) => {
                self.lost(*letter);
                Ok(())
            }
        })?;
        self.parts.files.extend(facts);
        Ok(())
    }

    /// Reads contacts twice: which records have several rows, or were merged, is known only in the end.
    fn contacts(&mut self, set: &FileSet, base: &Path) -> Result<(), CrmError> {
        let table = (Table::Contacts, set);
        let all = open(table.0, set, base)?;
        let first = self.shapes(table, &all)?;
        each(table, &all, |_, layout, item| {
            if let Ok(row) = item {
                self.count(layout, &row);
            }
            Ok(())
        })?;
        let companies = Companies { rows: Vec::new(), merged: self.parts.merged_accounts.clone() };
        let alike = companies.alike();
        self.rows(table, &all, |sorter, file, row| {
            let changed = || CrmError::Changed { path: all[file].path.clone() };
            sorter.contact(first + file, row, &alike)?.ok_or_else(changed)
        })
    }

    fn is_concerned(&self, contact: &str) -> bool {
        self.parting.concerned.is_none_or(|c| c.contact(contact))
    }

    fn count(&mut self, layout: &Layout, row: &Row) {
        let Some(id) = other::key(layout, row).filter(|id| self.is_concerned(id)) else { return };
        let print = self.parts.places.print(&id);
        self.parts.places.by_record.entry(print).and_modify(|place| *place = ROWS).or_insert(ONE_ROW);
        let mut notes = Vec::new();
        let cells = Cells { layout, row, notes: &mut notes, id: None };
        let others = contact::merged_ids(&cells, &id).into_iter();
        let others: Vec<String> = others.chain(contact::merged_into(&cells, &id)).collect();
        if !others.is_empty() {
            self.tied.extend(others);
            self.tied.insert(id);
        }
    }

    /// Puts a row into its part, or holds it back; `None` = it was not there when rows were counted.
    fn contact(&mut self, shape: usize, row: Row, alike: &Alike<'_>) -> Result<Option<()>, CrmError> {
        let of = &self.parts.shapes[shape];
        let Some(id) = other::key(&of.layout, &row) else {
            // It will tell that it has none.
            return self.put(0, shape, &row).map(Some);
        };
        if !self.is_concerned(&id) {
            return Ok(Some(()));
        }
        let print = self.parts.places.print(&id);
        let counted = self.parts.places.by_record.get(&print).copied();
        if counted == Some(ROWS) || self.tied.contains(&id) {
            let row = known_columns(&of.layout, &row);
            self.held.push((id, shape, row));
            return Ok(Some(()));
        }
        if counted != Some(ONE_ROW) {
            return Ok(None);
        }
        let mut notes = Vec::new();
        let id_of = Some(id.clone());
        let read = contact::read(&mut Cells { layout: &of.layout, row: &row, notes: &mut notes, id: id_of });
        let place = match read {
            Ok(mut contact) => {
                let place = self.place_of(&id, contact.account_record.as_deref());
                if !contact.deleted {
                    (self.parting.look)(Seen::Contact(&contact));
                    alike.tell(&mut contact);
                    self.addresses(CrmPull { contacts: vec![contact], ..CrmPull::default() });
                }
                place
            }
            Err(_) => self.nowhere(&id),
        };
        self.parts.places.by_record.insert(print, place);
        self.put(usize::from(place.part), shape, &row).map(Some)
    }

    /// Notes by what contacts may be taken for each other.
    fn addresses(&mut self, pull: CrmPull) {
        for contact in (self.parting.without_erased)(pull).contacts {
            for email in &contact.emails {
                self.seen(email.reveal());
            }
            // Who works at a company that is not exported lies in any part, and so does a namesake there.
            let company = contact.account_record.as_deref();
            let company = company.map(|c| self.parts.merged_accounts.get(c).map_or(c, String::as_str));
            if let Some(company) = company.filter(|c| !self.parts.places.companies.contains_key(*c)) {
                let name = contact.name_at(company);
                self.seen(&name);
            }
        }
    }

    fn seen(&mut self, what: &str) {
        let print = self.parts.places.print(what);
        self.seen.entry(print).and_modify(|shared| *shared = true).or_insert(false);
    }

    /// Where a record belongs whose row names that company.
    fn place_of(&self, record: &str, company: Option<&str>) -> Place {
        let company = company.map(|c| self.parts.merged_accounts.get(c).map_or(c, String::as_str));
        match company.and_then(|c| Some((c, *self.parts.places.companies.get(c)?))) {
            Some((company, number)) => Place { part: (self.parting.of_company)(company) as u16, company: number },
            None => Place { part: (self.parting.of_contact)(record) as u16, company: ALONE },
        }
    }

    fn nowhere(&self, record: &str) -> Place {
        Place { company: NOBODY, ..self.place_of(record, None) }
    }

    /// Finds out where the rows belong that were held back: where the row that holds belongs.
    fn settle(&mut self) -> Result<(), CrmError> {
        let held = std::mem::take(&mut self.held);
        let companies = Companies { rows: Vec::new(), merged: self.parts.merged_accounts.clone() };
        let shapes = &self.parts.shapes;
        let pull = gather(companies, BTreeMap::new(), (Vec::new(), None), |table, letters, take| {
            for (_, shape, row) in &held {
                shapes[*shape].read(table, row, letters, take);
            }
            Ok(())
        })?;
        for contact in &pull.contacts {
            (self.parting.look)(Seen::Contact(contact));
            let place = self.place_of(&contact.record_id, contact.account_record.as_deref());
            self.parts.places.put(&contact.record_id, place);
        }
        for contact in &pull.gone {
            let id = &contact.record_id;
            // Those that were merged in a circle, or into one that is not exported, stay together.
            let place = if self.tied.contains(id) {
                Place { part: 0, company: ALONE }
            } else {
                self.place_of(id, contact.account_record.as_deref())
            };
            self.parts.places.put(id, place);
        }
        for (loser, into) in &pull.merged {
            let place = self.parts.places.of(into).unwrap_or_else(|| self.place_of(into, None));
            self.parts.places.put(loser, place);
        }
        self.parts.merges = Merges { into: pull.merged.clone(), circles: pull.circles.clone() };
        self.addresses(pull);
        for (id, shape, row) in &held {
            let place = self.parts.places.of(id).unwrap_or_else(|| self.nowhere(id));
            self.parts.places.put(id, place);
            self.put(usize::from(place.part), *shape, row)?;
        }
        Ok(())
    }

    fn consents(&mut self, set: &FileSet, base: &Path) -> Result<(), CrmError> {
        let table = (Table::Consents, set);
        let all = open(table.0, set, base)?;
        let first = self.shapes(table, &all)?;
        self.rows(table, &all, |sorter, file, row| {
            let id = other::key(&sorter.parts.shapes[first + file].layout, &row);
            if sorter.parting.concerned.is_some_and(|c| !c.row(id.as_deref(), None)) {
                return Ok(());
            }
            let part = match id {
                Some(id) => sorter.parts.places.of(&id).unwrap_or_else(|| sorter.nowhere(&id)).part,
                // It will tell that it names nobody.
                None => 0,
            };
            sorter.put(usize::from(part), first + file, &row)
        })
    }

    /// A row that could not be read at all.
    fn lost(&mut self, letter: CrmDeadLetter) {
        count_unread(std::slice::from_ref(&letter), &mut self.parts.unread);
        self.parts.dead_letters.push(letter);
    }

    fn put(&mut self, part: usize, shape: usize, row: &Row) -> Result<(), CrmError> {
        let row = known_columns(&self.parts.shapes[shape].layout, row);
        let ends = row.ends.iter().map(|end| *end as u32).collect();
        let (shape, digest) = (shape as u32, *row.digest());
        let stored = Stored::Row { shape, text: &row.text, ends, line: row.line, unit: row.unit, digest };
        Ok(self.parts.blocks.put(part, &stored)?)
    }
}

/// A row without the cells of columns that stand for nothing and say no to nothing.
fn known_columns(layout: &Layout, row: &Row) -> Row {
    let mut used = layout.used();
    // What says no there is read.
    used.extend(columns_with(layout, row));
    used.sort_unstable();
    used.dedup();
    let mut used = used.iter().peekable();
    let (mut text, mut ends) = (String::with_capacity(row.text.len()), Vec::with_capacity(row.ends.len()));
    for (at, cell) in row.cells().enumerate() {
        if used.next_if_eq(&&at).is_some() {
            text.push_str(cell);
        }
        ends.push(text.len());
    }
    Row::instead_of(row.origin(), text, ends)
}
