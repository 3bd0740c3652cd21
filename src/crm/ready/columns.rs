//! What the columns of contacts hold, before a cell of them is believed.
//!
//! Invariant: a cell that may say no and that nobody can read makes its column unknown, whatever its other cells say.

use std::collections::HashSet;

use super::{FEWEST_NUMBERED, FEWEST_ODD, MOST_VALUES, normal};
use crate::consent::dialect::{CellPlace as Place, Told, asks_for_consent, flags_of_cell, place_of, told_in};
use crate::crm::columns::{BY_CELL, Layout, NOES};
use crate::crm::noes::is_block_of_something;
use crate::crm::remarks::REMARK;
use crate::crm::rows::Row;
use crate::crm::shared::ROW_NUMBERS;
use crate::crm::{FLAGS, FileSet, value};

/// A column that no field stands for.
#[expect(clippy::struct_excessive_bools, reason = "each answers a question of its own")]
pub(super) struct Other {
    pub(super) at: usize,
    /// Its header may say no.
    pub(super) perhaps: bool,
    /// Its header tells that something is blocked, and nobody knows whether it is the person.
    blocks: bool,
    /// It is one of business, in which a word alone says no to nothing.
    of_business: bool,
    /// It holds a plain no.
    pub(super) refuses: bool,
    /// Nobody knows what is blocked.
    stops: bool,
    /// Its header asks for a consent, and a cell says no to it.
    asks: bool,
    pub(super) tells: bool,
    /// Its first values.
    seen: HashSet<String>,
    /// It holds what nobody can read as a yes or no.
    pub(super) unknown: bool,
}

impl Other {
    /// Whether its header asks for a no, or a yes.
    const fn is_asked(&self) -> bool {
        self.perhaps || self.asks
    }

    /// Whether somebody has to say what the column holds before a row is read.
    pub(super) const fn is_in_doubt(&self) -> bool {
        self.unknown && (self.perhaps || self.stops)
    }

    /// Whether it is read cell by cell.
    pub(super) const fn is_read(&self) -> bool {
        !self.unknown && (self.perhaps || self.refuses || self.tells)
    }
}

/// What the columns of a file hold.
pub(super) struct Columns {
    /// Flags that were found by their names, with how many cells are odd, and are not blank.
    flags: Vec<(String, usize, u32, u32)>,
    pub(super) others: Vec<Other>,
    /// The column of ids that may be the numbers of rows; how many rows it numbered so far.
    number: Option<(usize, Option<u64>)>,
    header: Vec<String>,
}

impl Columns {
    pub(super) fn of(layout: &Layout, contacts: &FileSet) -> Self {
        let is_flag =
            |field: &str| FLAGS.contains(&field) || matches!(field, "email_allowed" | "contact_allowed" | "active");
        let found = layout.each().filter(|(field, _)| is_flag(field) && !contacts.columns.contains_key(*field));
        let flags = found.flat_map(|(field, at)| at.iter().map(move |at| (field.to_owned(), *at, 0, 0))).collect();
        // A remark may hold a no as well as any column that is not read.
        let (by_cell, remarks, noes) = (layout.all(BY_CELL), layout.all(REMARK), layout.all(NOES));
        let is_read = |at: &usize| [by_cell, remarks, noes].iter().any(|columns| columns.contains(at));
        let (used, is_mapped) = (layout.used(), contacts.columns.contains_key("record_id"));
        let is_ignored =
            |at: usize| contacts.ignored.iter().any(|ignored| normal(ignored) == normal(layout.header_of(at)));
        Self {
            flags,
            others: (0..layout.width)
                .filter(|at| (!used.contains(at) || is_read(at)) && !is_ignored(*at))
                .map(|at| Other {
                    at,
                    perhaps: by_cell.contains(&at),
                    of_business: matches!(place_of(layout.header_of(at)), Place::Business | Place::Title),
                    refuses: false,
                    stops: false,
                    asks: asks_for_consent(layout.header_of(at)),
                    blocks: is_block_of_something(layout.header_of(at)),
                    tells: false,
                    seen: HashSet::new(),
                    unknown: false,
                })
                .collect(),
            header: (0..layout.width).map(|at| layout.header_of(at).to_owned()).collect(),
            number: layout
                .column("record_id")
                .filter(|at| {
                    let header = normal(layout.header_of(*at));
                    !is_mapped && ROW_NUMBERS.contains(&&*header)
                })
                .map(|at| (at, Some(0))),
        }
    }

    pub(super) fn look(&mut self, row: &Row) {
        for (_, at, odd, all) in &mut self.flags {
            match value::says(row.cell(*at)) {
                Some(value::Says::Nothing) => {}
                read => (*odd, *all) = (*odd + u32::from(read.is_none()), *all + 1),
            }
        }
        for other in &mut self.others {
            let cell = row.cell(other.at);
            other.refuses |= !other.of_business && value::is_plain_no(cell);
            if other.blocks && !matches!(value::says(cell), Some(value::Says::Nothing | value::Says::No)) {
                // Somebody has to say what it is that is blocked.
                (other.refuses, other.stops, other.unknown) = (true, true, true);
            }
            // Most columns are texts, or have many values: those hold no answers.
            let is_many = other.seen.len() >= MOST_VALUES;
            if is_many && !(other.perhaps || other.asks) {
                other.unknown = true;
            }
            if !other.unknown && !other.seen.contains(cell) {
                if !is_many {
                    other.seen.insert(cell.to_owned());
                }
                match flags_of_cell(self.header[other.at].trim(), cell) {
                    // Texts speak of other things, too: in those a no is read by itself.
                    Ok(flags) if !flags.is_empty() && !other.is_asked() && told_in(cell) != Some(Told::Plainly) => {
                        other.unknown = true;
                    }
                    Ok(flags) => other.tells |= other.asks && !flags.is_empty(),
                    Err(_) => other.unknown = true,
                }
            }
        }
        if let Some((at, numbered)) = &mut self.number {
            let next = numbered.map(|n| n + 1);
            *numbered = next.filter(|next| value::text(row.cell(*at)) == Some(&next.to_string()));
        }
    }

    pub(super) fn odd(&self) -> Option<(String, usize)> {
        let odd = self.flags.iter().find(|(_, _, odd, all)| *odd >= FEWEST_ODD && odd * 2 > *all);
        odd.map(|(field, at, ..)| (field.clone(), *at))
    }

    pub(super) fn numbered(&self) -> Option<usize> {
        self.number.and_then(|(at, rows)| rows.filter(|rows| *rows >= FEWEST_NUMBERED).map(|_| at))
    }
}
