//! What the rows about somebody were, as a chain of keyed hashes over all of them in the order of reading.
//!
//! Invariant: two nights have one chain only where the rows say the same, in the same order. Where a row stands is a chain of
//! its own: it matters to those alone of whom a dead letter names file and line.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::Hasher as _;

use super::prints::{Print, Prints, frame};
use crate::consent::dialect::Objection;
use crate::crm::columns::{Layout, Table};
use crate::crm::objections;
use crate::crm::rows::{Item, Row};
use crate::crm::{CrmDeadLetter, DateOrder, Decimal, Origin, value};

/// A record or a company, by its number.
pub(super) type Number = u32;
/// No company.
pub(super) const NOWHERE: Number = u32::MAX;

/// What is known of a record or a company beside its rows.
pub(super) mod what {
    /// It has a row of its table that can be read; a company: and none that says that it is gone.
    pub(in crate::crm::parts) const PLAIN: u8 = 1;
    /// A row says that it was merged, or with it another one; a company: or that it is gone.
    pub(in crate::crm::parts) const TIED: u8 = 2;
    /// It has consents or notes.
    pub(in crate::crm::parts) const SPOKEN_OF: u8 = 4;
    /// It is of somebody who was erased: nothing of it is kept.
    pub(in crate::crm::parts) const ERASED: u8 = 8;
    /// It was there the last time.
    pub(in crate::crm::parts) const KNOWN: u8 = 16;
    /// A row of it stands elsewhere than the last time, or has other cells that stand for no field.
    pub(in crate::crm::parts) const MOVED: u8 = 32;
    /// A dead letter of the last time names a row of it.
    pub(in crate::crm::parts) const TOLD: u8 = 64;
    /// Of a company: somebody who works there has notes.
    pub(in crate::crm::parts) const NOTED: u8 = 128;
}

/// The rows of a record or a company.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Trail {
    /// What they say.
    pub(super) rows: Print,
    /// Where they stand, with all their cells.
    pub(super) places: u64,
    /// The file of the last one.
    file: u32,
    /// Of a contact, the company that the last row names.
    pub(super) employer: Number,
}

impl Default for Trail {
    fn default() -> Self {
        Self { rows: [0; 2], places: 0, file: u32::MAX, employer: NOWHERE }
    }
}

/// Records, or companies.
#[derive(Debug, Default)]
pub(super) struct Side {
    pub(super) numbers: HashMap<Print, Number>,
    /// What is concerned.
    pub(super) is: Vec<bool>,
    /// See [`what`].
    pub(super) what: Vec<u8>,
    pub(super) trails: Vec<Trail>,
}

impl Side {
    /// The number of one; `true` = nobody had heard of it.
    pub(super) fn number(&mut self, print: Print) -> (Number, bool) {
        match self.numbers.entry(print) {
            Entry::Occupied(known) => (*known.get(), false),
            Entry::Vacant(new) => {
                self.is.push(false);
                self.what.push(0);
                self.trails.push(Trail::default());
                (*new.insert(self.is.len() as Number - 1), true)
            }
        }
    }

    pub(super) const fn len(&self) -> usize {
        self.is.len()
    }

    pub(super) fn add(&mut self, number: Number, flags: u8) {
        self.what[number as usize] |= flags;
    }

    pub(super) fn has(&self, number: Number, flags: u8) -> bool {
        self.what[number as usize] & flags == flags
    }

    /// Whether each that is known, or concerned, is concerned. Rows about all others are read every night.
    pub(super) fn known(self) -> HashMap<Print, bool> {
        let Self { mut numbers, is, what, .. } = self;
        numbers.retain(|_, number| is[*number as usize] || what[*number as usize] & what::PLAIN != 0);
        numbers.into_iter().map(|(print, number)| (print, is[number as usize])).collect()
    }
}

/// A file whose rows are read.
pub(super) struct Sheet {
    prints: Prints,
    table: Table,
    /// Its place among all files.
    number: u32,
    /// Fields, hashed, with their columns.
    fields: Vec<(u64, usize)>,
    /// Where its columns stand, for noes in those that stand for no field.
    layout: Layout,
    /// What its numbers and its dates with slashes mean.
    decimal: u8,
    /// Rows of several files may be held against each other by name and line, in another order than that of reading.
    is_unordered: bool,
}

impl Sheet {
    pub(super) fn of(prints: &Prints, layout: &Layout, number: u32, is_unordered: bool) -> Self {
        let field = |name: &str| prints.print(name)[0];
        let columns = layout.each().flat_map(|(name, at)| at.iter().map(move |at| (field(name), *at)));
        Self {
            prints: prints.clone(),
            table: layout.table,
            number,
            fields: columns.collect(),
            layout: layout.clone(),
            decimal: u8::from(layout.decimal == Decimal::Comma) | u8::from(layout.order == DateOrder::MonthFirst) << 1,
            is_unordered,
        }
    }

    /// Adds a row, or what was wrong with it.
    pub(super) fn add(&self, trail: &mut Trail, item: &Item) {
        let cells = |row: &Row| self.prints.of(|hash| row.cells().for_each(|cell| frame(hash, cell.as_bytes())));
        let (content, (file, line, unit), whole) = match item {
            Ok(row) => {
                let whole = cells(row);
                (self.row(row, whole), (&row.file, row.line, row.unit), whole)
            }
            Err(letter) => {
                let Origin { file, line, unit, digest } = &letter.origin;
                (self.letter(letter), (file, *line, *unit), self.prints.of(|hash| hash.write(digest)))
            }
        };
        let places = self.prints.of(|hash| {
            hash.write_u64(trail.places);
            frame(hash, file.as_bytes());
            hash.write_u64(line);
            hash.write_u8(unit as u8);
            hash.write_u64(whole[0]);
            hash.write_u64(whole[1]);
        })[0];
        // A newer row in another file is no duplicate.
        let is_apart = matches!(self.table, Table::Contacts | Table::Accounts) && trail.file != self.number;
        let rows = self.prints.of(|hash| {
            [trail.rows, content].as_flattened().iter().for_each(|half| hash.write_u64(*half));
            hash.write_u8(u8::from(is_apart));
            if self.is_unordered {
                hash.write_u64(places);
            }
        });
        *trail = Trail { rows, places, file: self.number, ..*trail };
    }

    /// Adds that somebody who works at a company has a note: what several notes say of one person hangs on their order.
    pub(super) fn add_note_of(&self, trail: &mut Trail, of: &Trail) {
        trail.rows = self.prints.of(|hash| {
            [trail.rows, of.rows].as_flattened().iter().for_each(|half| hash.write_u64(*half));
        });
        trail.places =
            self.prints.of(|hash| [trail.places, of.places].iter().for_each(|half| hash.write_u64(*half)))[0];
    }

    /// Adds which company a row means.
    pub(super) fn add_employer(&self, trail: &mut Trail, company: Option<&str>) {
        trail.rows = self.prints.of(|hash| {
            trail.rows.iter().for_each(|half| hash.write_u64(*half));
            frame(hash, company.unwrap_or_default().as_bytes());
        });
    }

    /// What a row says: of consents and notes all cells, as two rows are one only where all are equal.
    fn row(&self, row: &Row, whole: Print) -> Print {
        self.prints.of(|hash| {
            hash.write_u8(self.table as u8);
            hash.write_u8(self.decimal);
            let is_whole = matches!(self.table, Table::Consents | Table::Notes);
            for (field, at) in &self.fields {
                if is_whole {
                    hash.write_u64(*field);
                    hash.write_u64(*at as u64);
                } else if value::text(row.cell(*at)).is_some() {
                    // A column that is empty says what one says that is not there.
                    hash.write_u64(*field);
                    frame(hash, row.cell(*at).as_bytes());
                }
            }
            for (at, no) in self.noes(row) {
                frame(hash, self.layout.header_of(at).as_bytes());
                frame(hash, no.flag.as_bytes());
                hash.write_u8(no.told as u8);
            }
            if is_whole {
                hash.write_u64(whole[0]);
                hash.write_u64(whole[1]);
            }
        })
    }

    /// What a row says that is a no where none is asked for.
    fn noes<'r>(&'r self, row: &'r Row) -> impl Iterator<Item = (usize, Objection)> + 'r {
        let found = (self.table == Table::Contacts).then(|| objections::found(&self.layout, row));
        found.into_iter().flatten()
    }

    fn letter(&self, letter: &CrmDeadLetter) -> Print {
        self.prints.of(|hash| {
            hash.write_u8(0xff);
            hash.write_u8(self.table as u8);
            for text in [letter.reason, letter.field.as_deref().unwrap_or_default(), &letter.advice] {
                frame(hash, text.as_bytes());
            }
        })
    }
}
