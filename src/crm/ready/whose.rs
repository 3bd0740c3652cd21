//! Whose the noes of a table of consents are, before one of them is believed.
//!
//! Invariant: a no under an id that nobody can tell stops the reading, with the file and what to do; ids and cells are told to
//! nobody.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use super::alike::Alike;
use super::{of_set, stated_encoding};
use crate::consent::dialect::told_in;
use crate::consent::event::EventKind;
use crate::crm::columns::{Layout, Table};
use crate::crm::damaged::{Shape, is_sound, parted, refuses};
use crate::crm::files::{glance, reading};
use crate::crm::rows::{Export, Row, Rows, each_readable};
use crate::crm::{CrmError, FileSet, other, value};

/// Fields of a contact's name.
const NAMES: [&str; 3] = ["given_name", "family_name", "full_name"];
/// So many kinds of ids are held against those of noes.
const MOST_SHAPES: usize = 64;
/// Of so many rows of a file that can be read it is looked at what their ids are like.
const MOST_LOOKED_AT: usize = 1_000;
/// Of so many noes under what is no id the other cells are looked at.
const MOST_ODD: usize = 10_000;

/// Finds a no under an id that no contact has, where a contact has it in another spelling. Who is meant only somebody who knows the
/// CRM can tell, and no export takes a no back that was written down for the wrong person: so nobody guesses. The same holds of a no
/// whose id is damaged, of a row that cannot be read and of which nothing is a contact's id or looks like one, and of a no that has a
/// contact's id in another cell.
///
/// # Errors
/// There is one.
pub(super) fn check(contacts: &FileSet, consents: &FileSet, base: &Path) -> Result<(), CrmError> {
    let files = of_set(Table::Consents, consents, base)?;
    let mut found = Found::default();
    for (file, path) in files.iter().enumerate() {
        found.read(file, path, consents)?;
    }
    if found.is_empty() {
        return Ok(());
    }
    let alike = Alike::of(found.noes.keys());
    let mut shapes: Vec<Shape> = Vec::new();
    each_id(contacts, base, |_, id| {
        add_shape(&mut shapes, id);
        found.meet(id, &alike);
    })?;
    found.judge(&files, &shapes)?;
    let odd = found.odd(&shapes);
    if !odd.is_empty() {
        look_beside(&odd, contacts, (consents, &files), base)?;
    }
    match found.nobodys() {
        Some(at) => Err(nobodys(&files, at)),
        None => Ok(()),
    }
}

/// The same of rows of contacts that say no, or that somebody is gone, and name nobody but by an id: in lists without names, and beside
/// rows that have some.
///
/// # Errors
/// There is one.
pub(super) fn check_lists(contacts: &FileSet, base: &Path) -> Result<(), CrmError> {
    let (mut found, mut files) = (Found::default(), Vec::new());
    for path in &of_set(Table::Contacts, contacts, base)? {
        let survey = glance(path, stated_encoding(Table::Contacts, contacts)?)?;
        if survey.empty {
            continue;
        }
        let export = Export { table: Table::Contacts, set: contacts, path, name: "", survey: &survey };
        let mut rows = Rows::of(&export)?;
        while let Some(item) = rows.next_row()? {
            let (Ok(row), layout) = (item, rows.layout()) else { continue };
            if is_somebody(layout, &row) {
                continue;
            }
            if let Some(id) = id_of(layout, &row).filter(|_| layout.of_deletions || refuses(layout, &row)) {
                found.add(id.to_owned(), No::of((files.len(), row.line)));
            }
        }
        files.push(path.clone());
    }
    if found.is_empty() {
        return Ok(());
    }
    let alike = Alike::of(found.noes.keys());
    each_id(contacts, base, |who, id| {
        if who.is_none_or(|(layout, row)| is_somebody(layout, row)) {
            found.meet(id, &alike);
        }
    })?;
    found.judge(&files, &[])
}

/// Whether a row of contacts names its person.
fn is_somebody(layout: &Layout, row: &Row) -> bool {
    NAMES.iter().flat_map(|name| layout.all(name)).any(|at| value::text(row.cell(*at)).is_some())
}

/// Calls `take` with the id of each contact and its row, of those whose row cannot be read, and of those who live on in another one.
fn each_id(
    contacts: &FileSet,
    base: &Path,
    mut take: impl FnMut(Option<(&Layout, &Row)>, &str),
) -> Result<(), CrmError> {
    let stated = stated_encoding(Table::Contacts, contacts)?;
    for path in of_set(Table::Contacts, contacts, base)? {
        let survey = reading(&path, stated)?;
        let export = Export { table: Table::Contacts, set: contacts, path: &path, name: "", survey: &survey };
        let mut rows = Rows::of(&export)?;
        while let Some(item) = rows.next_row()? {
            let layout = rows.layout();
            match item {
                Ok(row) => {
                    let ids = id_of(layout, &row).into_iter().chain(merged(layout, &row));
                    ids.for_each(|id| take(Some((layout, &row)), id));
                }
                Err(letter) => letter.record_id.iter().for_each(|id| take(None, id)),
            }
        }
    }
    Ok(())
}

/// Ids of records that live on in another one, and that may have no row any more.
fn merged<'r>(layout: &'r Layout, row: &'r Row) -> impl Iterator<Item = &'r str> {
    let columns = ["merged_ids", "merged_into"].into_iter().flat_map(|field| layout.all(field));
    let ids = columns.flat_map(|at| row.cell(*at).split([';', ',', '|']));
    ids.filter_map(|id| value::text(id.split(':').next().unwrap_or_default()))
}

/// Where a row stands: the number of its file, and its line.
type At = (usize, u64);

/// A no under an id, or a row that cannot be read.
#[expect(clippy::struct_excessive_bools, reason = "each is a finding of its own")]
struct No {
    at: At,
    /// Of a row that can be read its other cells may be looked at.
    is_damaged: bool,
    /// The id reads as what consents are called.
    is_kind: bool,
    is_known: bool,
    is_alike: bool,
}

impl No {
    const fn of(at: At) -> Self {
        Self { at, is_damaged: false, is_kind: false, is_known: false, is_alike: false }
    }
}

/// Rows with several ids of which one is theirs.
struct Moved {
    at: At,
    is_known: bool,
}

/// What consents say no under.
#[derive(Default)]
struct Found {
    noes: HashMap<String, No>,
    moved: Vec<Moved>,
    /// By id: places in `moved`.
    moved_by: HashMap<String, Vec<usize>>,
    /// Numbers of which a delimiter has made two cells.
    parted: HashMap<String, At>,
    is_parted: Option<At>,
    /// What ids of consents look like that can be read.
    shapes: Vec<Shape>,
}

impl Found {
    fn is_empty(&self) -> bool {
        self.noes.is_empty() && self.moved.is_empty() && self.parted.is_empty()
    }

    /// Reads a file of consents.
    fn read(&mut self, file: usize, path: &Path, set: &FileSet) -> Result<(), CrmError> {
        let survey = reading(path, stated_encoding(Table::Consents, set)?)?;
        if survey.empty {
            return Ok(());
        }
        let mut rows = Rows::of(&Export { table: Table::Consents, set, path, name: "", survey: &survey })?;
        let mut unread: (u64, HashSet<String>) = (0, HashSet::new());
        let mut read = 0;
        while let Some(item) = rows.next_row()? {
            match item {
                Ok(row) => {
                    read += 1;
                    if let Some(id) = id_of(rows.layout(), &row).filter(|_| read <= MOST_LOOKED_AT) {
                        add_shape(&mut self.shapes, id);
                    }
                    self.add_no(file, path, (rows.layout(), &row))?;
                }
                Err(letter) => {
                    if letter.origin.line != unread.0 {
                        self.add_unread((file, unread.0), std::mem::take(&mut unread.1));
                        unread.0 = letter.origin.line;
                    }
                    unread.1.extend(letter.record_id);
                }
            }
        }
        self.add_unread((file, unread.0), unread.1);
        Ok(())
    }

    fn add_no(&mut self, file: usize, path: &Path, (layout, row): (&Layout, &Row)) -> Result<(), CrmError> {
        let Some(id) = id_of(layout, row) else {
            return if is_plainly_a_no(layout, row) { Err(of_nobody(path, row)) } else { Ok(()) };
        };
        if !is_no(layout, row) {
            return Ok(());
        }
        if !is_sound(id) {
            return Err(of_nobody(path, row));
        }
        let (at, kind) = ((file, row.line), layout.column("kind"));
        let id_at = layout.column(layout.table.key());
        if let Some(id_at) = id_at.filter(|id_at| kind == Some(id_at + 1))
            && let Some(number) = parted(row, id_at)
        {
            self.parted.entry(number).or_insert(at);
        }
        let is_kind = EventKind::read(id).is_some();
        self.add(id.to_owned(), No { is_kind, ..No::of(at) });
        Ok(())
    }

    fn add_unread(&mut self, at: At, ids: HashSet<String>) {
        match ids.len() {
            // Whose consents they are that have no id nobody asks: they are words about the table.
            0 => {}
            1 => {
                for id in ids {
                    self.add(id, No { is_damaged: true, ..No::of(at) });
                }
            }
            _ => {
                for id in ids {
                    self.moved_by.entry(id).or_default().push(self.moved.len());
                }
                self.moved.push(Moved { at, is_known: false });
            }
        }
    }

    fn add(&mut self, id: String, no: No) {
        let is_damaged = no.is_damaged;
        self.noes.entry(id).or_insert(no).is_damaged |= is_damaged;
    }

    /// Meets the id of a contact.
    fn meet(&mut self, id: &str, alike: &Alike) {
        if let Some(no) = self.noes.get_mut(id) {
            no.is_known = true;
        }
        for at in self.moved_by.get(id).into_iter().flatten() {
            self.moved[*at].is_known = true;
        }
        self.is_parted = [self.is_parted, self.parted.get(id).copied()].into_iter().flatten().min();
        for other in alike.to(id) {
            if let Some(no) = self.noes.get_mut(other) {
                no.is_alike = true;
            }
        }
    }

    /// # Errors
    /// Nobody can tell whose a no is.
    fn judge(&self, files: &[PathBuf], shapes: &[Shape]) -> Result<(), CrmError> {
        if let Some(Moved { at, .. }) = self.moved.iter().find(|moved| !moved.is_known) {
            return Err(nobodys(files, *at));
        }
        let unknown = || self.noes.iter().filter(|(_, no)| !no.is_known);
        let nearly = unknown().filter(|(_, no)| no.is_alike).map(|(_, no)| no.at);
        if let Some((file, line)) = nearly.chain(self.is_parted).min() {
            return Err(CrmError::NearlyKnown { path: files[file].clone(), line });
        }
        // A damaged row of a former contact is theirs: it is called as the other rows are.
        let is_nobodys = |(id, no): &(&String, &No)| {
            no.is_damaged && !is_like(shapes, id) && !self.shapes.iter().any(|shape| shape.may_be(id))
        };
        match unknown().filter(is_nobodys).map(|(_, no)| no.at).min() {
            Some(at) => Err(nobodys(files, at)),
            None => Ok(()),
        }
    }

    /// Where somebody says no under what is the word of a no itself.
    fn nobodys(&self) -> Option<At> {
        self.noes.values().filter(|no| no.is_kind && !no.is_known).map(|no| no.at).min()
    }

    /// Where somebody says no under what looks like no contact's id.
    fn odd(&self, shapes: &[Shape]) -> HashSet<At> {
        let odd = self.noes.iter().filter(|(id, no)| !no.is_known && !no.is_damaged && !is_like(shapes, id));
        odd.map(|(_, no)| no.at).take(MOST_ODD).collect()
    }
}

/// Finds the id of a contact in another cell of rows that say no under none.
fn look_beside(
    odd: &HashSet<At>,
    contacts: &FileSet,
    (consents, files): (&FileSet, &[PathBuf]),
    base: &Path,
) -> Result<(), CrmError> {
    let mut cells: HashMap<String, At> = HashMap::new();
    let places: HashMap<&Path, usize> =
        files.iter().enumerate().rev().map(|(file, path)| (path.as_path(), file)).collect();
    each_readable(Table::Consents, consents, base, usize::MAX, |path, _, row| {
        let at = places.get(path).map(|file| (*file, row.line));
        if let Some(at) = at.filter(|at| odd.contains(at)) {
            let ids = row.cells().filter_map(value::text).filter(|cell| is_sound(cell));
            ids.for_each(|id| _ = cells.entry(id.to_owned()).or_insert(at));
        }
    })?;
    let mut first: Option<At> = None;
    each_id(contacts, base, |_, id| first = [first, cells.get(id).copied()].into_iter().flatten().min())?;
    match first {
        Some((file, line)) => Err(CrmError::IdElsewhere { path: files[file].clone(), line }),
        None => Ok(()),
    }
}

fn add_shape(shapes: &mut Vec<Shape>, id: &str) {
    if shapes.len() < MOST_SHAPES {
        let shape = Shape::of(id);
        if !shapes.contains(&shape) {
            shapes.push(shape);
        }
    }
}

fn nobodys(files: &[PathBuf], (file, line): At) -> CrmError {
    CrmError::Nobodys { path: files[file].clone(), line }
}

fn is_like(shapes: &[Shape], id: &str) -> bool {
    shapes.is_empty() || shapes.iter().any(|shape| shape.may_be(id))
}

fn of_nobody(path: &Path, row: &Row) -> CrmError {
    CrmError::Nobodys { path: path.to_owned(), line: row.line }
}

/// Whether a row says no in words that are known: others may be those of a sum below the rows.
fn is_plainly_a_no(layout: &Layout, row: &Row) -> bool {
    let kind = layout.column("kind").map_or("", |at| row.cell(at));
    EventKind::read(kind).map_or_else(|| told_in(kind).is_some(), EventKind::is_negative)
        || other::refusal(layout, row, false).is_some()
}

fn is_no(layout: &Layout, row: &Row) -> bool {
    other::is_no(layout, row) || other::refusal(layout, row, false).is_some()
}

fn id_of<'r>(layout: &Layout, row: &'r Row) -> Option<&'r str> {
    value::text(row.cell(layout.column(layout.table.key())?))
}

#[cfg(test)]
#[path = "whose_tests.rs"]
mod tests;
