//! Whether a column of ids holds nobody's: the numbers of rows, or what several people share, a company, an address, a household.
//!
//! Invariant: two rows of one person, changed or twice, are never taken for two people; one slip tells nothing.

use std::collections::{HashMap, HashSet};

use super::columns::Layout;
use super::headers::normal;
use super::rows::Row;
use super::value;

/// Headers of ids that may be those of rows.
pub(super) const ROW_NUMBERS: [&str; 12] = [
    "nr",
    "nummer",
    "number",
    "contact",
    "satznummer",
    "satznr",
    "satzid",
    "lfdnr",
    "laufendenummer",
    "datensatznr",
    "datensatznummer",
    "dsnr",
];
/// So many ids of several people are no slips.
const FEWEST: usize = 3;
/// One in so many ids, at least.
const ONE_IN: usize = 10;

/// Looks at who stands beside each id of a file.
pub(super) struct Shared {
    id: usize,
    names: Vec<usize>,
    addresses: Vec<usize>,
    seen: HashMap<String, (HashSet<String>, HashSet<String>)>,
    of_several: HashSet<String>,
}

impl Shared {
    pub(super) fn of(layout: &Layout) -> Option<Self> {
        let id = layout.column("record_id")?;
        // What is a contact's by its name is no company's or address's.
        let header = normal(layout.header_of(id));
        if header == "id" || ["contact", "kontakt", "person", "ansprech"].iter().any(|word| header.contains(word)) {
            return None;
        }
        let all = |fields: &[&str]| fields.iter().flat_map(|field| layout.all(field)).copied().collect();
        Some(Self {
            id,
            names: all(&["given_name", "family_name", "full_name"]),
            addresses: all(&["email", "email_2"]),
            seen: HashMap::new(),
            of_several: HashSet::new(),
        })
    }

    pub(super) fn look(&mut self, row: &Row) {
        let Some(id) = value::text(row.cell(self.id)) else { return };
        let words = |columns: &[usize]| -> HashSet<String> {
            let cells = columns.iter().filter_map(|at| value::text(row.cell(*at)));
            cells.flat_map(|cell| cell.split([' ', ',', ';'])).map(str::to_lowercase).filter(|w| w.len() > 1).collect()
        };
        let (names, addresses) = (words(&self.names), words(&self.addresses));
        if names.is_empty() {
            return;
        }
        match self.seen.get(id) {
            Some((other, written)) if names.is_disjoint(other) && addresses.is_disjoint(written) => {
                self.of_several.insert(id.to_owned());
            }
            Some(_) => {}
            None => drop(self.seen.insert(id.to_owned(), (names, addresses))),
        }
    }

    /// The column, where it is nobody's id.
    pub(super) fn column(&self) -> Option<usize> {
        let n = self.of_several.len();
        (n >= FEWEST && n * ONE_IN >= self.seen.len()).then_some(self.id)
    }
}
