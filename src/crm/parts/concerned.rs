//! Whom new files concern, where all others were read before.
//!
//! Invariant: whoever is not concerned would be read, by all files together, exactly as by those of before: no row of theirs
//! is new, nor one of a colleague, of a record merged with theirs, or of somebody with whom they share an address.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::path::Path;

use super::sorter::{File, each, open};
use super::{Places, Print};
use crate::crm::columns::{Layout, Table};
use crate::crm::reader::Cells;
use crate::crm::rows::Row;
use crate::crm::{CrmContact, CrmError, CrmPull, CsvSource, DateOrder, FileSet, contact, other, value};

/// What is known beforehand of who is concerned.
pub struct Known<'a> {
    /// The files that were read before, as [`identity`] tells them.
    pub files: &'a HashSet<String>,
    /// Whether a company is concerned for other reasons, by its record id.
    pub company: &'a dyn Fn(&str) -> bool,
    /// Whether a contact without a company is, by their record id.
    pub contact: &'a dyn Fn(&str) -> bool,
    /// Leaves out who was erased: nobody is taken for them.
    pub without_erased: &'a dyn Fn(CrmPull) -> CrmPull,
}

/// Whom new files concern.
#[derive(Debug)]
pub struct Concerned {
    pub(super) places: Places,
    /// Whether each record that has rows is concerned.
    records: HashMap<Print, bool>,
    /// Whether each company that is named in a row is.
    companies: HashMap<Print, bool>,
    /// What identifies somebody who is concerned, and somebody else who is not.
    pub(super) outside: HashSet<Print>,
    contacts: u64,
}

impl Concerned {
    /// Reads all contacts and companies, and of consents and notes the new files; relative paths start at `base`.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn find(source: &CsvSource, base: &Path, known: &Known<'_>) -> Result<Self, CrmError> {
        let mut graph = Graph::default();
        if let Some(set) = &source.accounts {
            graph.accounts((Table::Accounts, set), base, known)?;
        }
        graph.contacts((Table::Contacts, &source.contacts), base, known)?;
        for (table, set) in [(Table::Consents, &source.consents), (Table::Notes, &source.notes)] {
            if let Some(set) = set {
                graph.others((table, set), base, known)?;
            }
        }
        graph.spread();
        Ok(graph.finish())
    }

    /// How many records of contacts are concerned.
    #[must_use]
    pub const fn contacts(&self) -> u64 {
        self.contacts
    }

    /// Whether a contact is concerned, by their record id.
    #[must_use]
    pub fn contact(&self, record: &str) -> bool {
        self.records.get(&self.places.print(record)).copied().unwrap_or(false)
    }

    /// Whether a company is, by its record id.
    #[must_use]
    pub fn company(&self, record: &str) -> bool {
        self.companies.get(&self.places.print(record)).copied().unwrap_or(false)
    }

    /// Whether a row must be read that names a contact, or else a company: where they are concerned, or nobody knows them.
    #[must_use]
    pub fn row(&self, contact: Option<&str>, company: Option<&str>) -> bool {
        let is = match (contact, company) {
            (Some(record), _) => self.records.get(&self.places.print(record)),
            (None, Some(record)) => self.companies.get(&self.places.print(record)),
            (None, None) => None,
        };
        is.copied().unwrap_or(true)
    }
}

/// A record or a company, by its number.
type Number = u32;

/// Records, companies, and what ties them together.
#[derive(Default)]
struct Graph {
    places: Places,
    records: HashMap<Print, Number>,
    companies: HashMap<Print, Number>,
    /// Rows: a record, and the company that it names.
    rows: Vec<(Number, Option<Number>)>,
    /// Records, and companies, that were merged.
    merged: [Vec<(Number, Number)>; 2],
    /// Addresses of contacts, and names at companies.
    marks: Vec<(Print, Number)>,
    /// What is concerned.
    is_record: Vec<bool>,
    is_company: Vec<bool>,
}

fn number(all: &mut HashMap<Print, Number>, is: &mut Vec<bool>, print: Print) -> Number {
    match all.entry(print) {
        Entry::Occupied(known) => *known.get(),
        Entry::Vacant(new) => {
            is.push(false);
            *new.insert(is.len() as Number - 1)
        }
    }
}

impl Graph {
    fn record(&mut self, id: &str) -> Number {
        number(&mut self.records, &mut self.is_record, self.places.print(id))
    }

    fn company(&mut self, id: &str) -> Number {
        number(&mut self.companies, &mut self.is_company, self.places.print(id))
    }

    fn accounts(&mut self, table: (Table, &FileSet), base: &Path, known: &Known<'_>) -> Result<(), CrmError> {
        let all = open(table.0, table.1, base)?;
        each(table, &all, |file, layout, item| {
            let id = match &item {
                Ok(row) => other::key(layout, row),
                Err(letter) => letter.record_id.clone(),
            };
            let Some(id) = id else { return Ok(()) };
            let company = self.company(&id);
            self.is_company[company as usize] |= is_new(table.0, &all[file], known) || (known.company)(&id);
            if let Ok(row) = &item {
                for tied in merged(layout, row, &id) {
                    let tied = self.company(&tied);
                    self.merged[1].push((company, tied));
                }
            }
            Ok(())
        })?;
        Ok(())
    }

    fn contacts(&mut self, table: (Table, &FileSet), base: &Path, known: &Known<'_>) -> Result<(), CrmError> {
        let all = open(table.0, table.1, base)?;
        // Of companies that have rows.
        let exported = self.is_company.len() as Number;
        each(table, &all, |file, layout, item| {
            let is_new = is_new(table.0, &all[file], known);
            let row = match item {
                Ok(row) => row,
                Err(letter) => {
                    if let Some(id) = letter.record_id.filter(|_| is_new) {
                        let record = self.record(&id);
                        self.is_record[record as usize] = true;
                    }
                    return Ok(());
                }
            };
            let Some(id) = other::key(layout, &row) else { return Ok(()) };
            let record = self.record(&id);
            self.is_record[record as usize] |= is_new;
            for tied in merged(layout, &row, &id) {
                let tied = self.record(&tied);
                self.merged[0].push((record, tied));
            }
            let mut letters = Vec::new();
            let mut cells = Cells { layout, row: &row, order: table.1.date_order, notes: &mut letters, id: Some(id) };
            let company = match contact::read(&mut cells) {
                Ok(contact) => {
                    let company = contact.account_record.as_deref().map(|company| self.company(company));
                    if company.is_none_or(|company| company >= exported) {
                        self.is_record[record as usize] |= (known.contact)(&contact.record_id);
                    }
                    self.mark(record, contact, known);
                    company
                }
                Err(_) => None,
            };
            self.rows.push((record, company));
            Ok(())
        })?;
        Ok(())
    }

    /// Notes by what a contact may be taken for somebody else.
    fn mark(&mut self, record: Number, contact: CrmContact, known: &Known<'_>) {
        if contact.deleted {
            return;
        }
        let pull = (known.without_erased)(CrmPull { contacts: vec![contact], ..CrmPull::default() });
        // Whoever was erased may have rows that were made before it was known that they are theirs.
        self.is_record[record as usize] |= pull.contacts.is_empty();
        for contact in pull.contacts {
            let names = contact.account_record.as_deref().map(|company| contact.name_at(company));
            let emails = contact.emails.iter().map(|email| email.reveal().as_str());
            for mark in emails.chain(names.as_deref()) {
                self.marks.push((self.places.print(mark), record));
            }
        }
    }

    /// New rows of consents and notes: those whom they are about are concerned.
    fn others(&mut self, table: (Table, &FileSet), base: &Path, known: &Known<'_>) -> Result<(), CrmError> {
        let all: Vec<File> =
            open(table.0, table.1, base)?.into_iter().filter(|file| is_new(table.0, file, known)).collect();
        each(table, &all, |_, layout, item| {
            let (contact, company) = match item {
                Ok(row) => {
                    let (contact, company) = owners(layout, &row);
                    (contact.map(str::to_owned), company.map(str::to_owned))
                }
                Err(letter) => (letter.record_id, None),
            };
            if let Some(id) = contact {
                let record = self.record(&id);
                self.is_record[record as usize] = true;
            } else if let Some(id) = company {
                let company = self.company(&id);
                self.is_company[company as usize] = true;
            }
            Ok(())
        })?;
        Ok(())
    }

    /// Whoever is tied to somebody who is concerned is concerned, too.
    fn spread(&mut self) {
        // Who shares an address with one whose rows have changed may be taken for them now, or no longer.
        let mut merged = Sets::of(self.is_record.len() + self.is_company.len());
        self.tie_merged(&mut merged);
        self.spread_in(&mut merged);
        self.spread_marks(|_| true);
        let mut all = merged;
        for (record, company) in &self.rows {
            if let Some(company) = company {
                all.tie(*record as usize, self.is_record.len() + *company as usize);
            }
        }
        let several = self.several();
        loop {
            self.spread_in(&mut all);
            // What somebody with several rows is called now is known only when all of them are read together.
            if !self.spread_marks(|record| several[record as usize]) {
                break;
            }
        }
    }

    fn tie_merged(&self, sets: &mut Sets) {
        for (a, b) in &self.merged[0] {
            sets.tie(*a as usize, *b as usize);
        }
        for (a, b) in &self.merged[1] {
            sets.tie(self.is_record.len() + *a as usize, self.is_record.len() + *b as usize);
        }
    }

    /// Whole sets are concerned, or not at all.
    fn spread_in(&mut self, sets: &mut Sets) {
        let mut of_set = vec![false; self.is_record.len() + self.is_company.len()];
        let each = || self.is_record.iter().chain(&self.is_company).enumerate();
        for (at, _) in each().filter(|(_, is)| **is) {
            of_set[sets.find(at)] = true;
        }
        for (at, is) in self.is_record.iter_mut().chain(&mut self.is_company).enumerate() {
            *is = of_set[sets.find(at)];
        }
    }

    /// Takes in who has a mark of somebody who is concerned; tells whether anybody was.
    fn spread_marks(&mut self, may: impl Fn(Number) -> bool) -> bool {
        let marks = self.concerned_marks();
        let mut any = false;
        for (mark, record) in &self.marks {
            let is = &mut self.is_record[*record as usize];
            if !*is && marks.contains(mark) && may(*record) {
                (*is, any) = (true, true);
            }
        }
        any
    }

    fn concerned_marks(&self) -> HashSet<Print> {
        let marks = self.marks.iter().filter(|(_, record)| self.is_record[*record as usize]);
        marks.map(|(mark, _)| *mark).collect()
    }

    /// Records with several rows, or that were merged.
    fn several(&self) -> Vec<bool> {
        let (mut seen, mut several) = (vec![false; self.is_record.len()], vec![false; self.is_record.len()]);
        for (record, _) in &self.rows {
            let record = *record as usize;
            several[record] |= std::mem::replace(&mut seen[record], true);
        }
        for record in self.merged[0].iter().flat_map(|(a, b)| [a, b]) {
            several[*record as usize] = true;
        }
        several
    }

    fn finish(self) -> Concerned {
        let inside = self.concerned_marks();
        let others = self.marks.iter().filter(|(_, record)| !self.is_record[*record as usize]);
        let outside = others.map(|(mark, _)| *mark).filter(|mark| inside.contains(mark)).collect();
        let is = |all: HashMap<Print, Number>, is: &[bool]| -> HashMap<Print, bool> {
            all.into_iter().map(|(print, number)| (print, is[number as usize])).collect()
        };
        Concerned {
            contacts: self.is_record.iter().filter(|is| **is).count() as u64,
            records: is(self.records, &self.is_record),
            companies: is(self.companies, &self.is_company),
            places: self.places,
            outside,
        }
    }
}

/// A file by its table, its name and its content.
pub(in crate::crm) fn identity(table: &str, path: &Path, sha256: &str) -> String {
    format!("{table}/{} {sha256}", path.file_name().unwrap_or_default().to_string_lossy())
}

fn is_new(table: Table, file: &File, known: &Known<'_>) -> bool {
    !known.files.contains(&file.identity(table))
}

/// Sets of what is tied together.
struct Sets(Vec<Number>);

impl Sets {
    /// Each on its own.
    fn of(count: usize) -> Self {
        Self((0..count as Number).collect())
    }

    /// What stands for the set.
    fn find(&mut self, mut at: usize) -> usize {
        while self.0[at] as usize != at {
            self.0[at] = self.0[self.0[at] as usize];
            at = self.0[at] as usize;
        }
        at
    }

    fn tie(&mut self, a: usize, b: usize) {
        let (a, b) = (self.find(a), self.find(b));
        // Towards the lower number: ways to it stay short enough when they are halved at each step.
        self.0[a.max(b)] = a.min(b) as Number;
    }
}

/// Records that a row says were merged with its own.
fn merged(layout: &Layout, row: &Row, id: &str) -> Vec<String> {
    let mut notes = Vec::new();
    let cells = Cells { layout, row, order: DateOrder::default(), notes: &mut notes, id: None };
    let mut all = contact::merged_ids(&cells, id);
    all.extend(cells.text("merged_into").map(str::to_owned));
    all
}

/// The contact and the company that a row is about.
pub(in crate::crm) fn owners<'r>(layout: &Layout, row: &'r Row) -> (Option<&'r str>, Option<&'r str>) {
    let cell = |field: &str| value::text(row.cell(layout.column(field)?));
    (cell("contact_id"), cell("account_record"))
}
