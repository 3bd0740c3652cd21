//! Reading all tables once, for what the rows about everybody are tonight.
//!
//! Invariant: a row is held only while it is read; of somebody who was erased nothing is put by.

use std::path::Path;

use super::book::Work;
use super::concerned::Known;
use super::graph::Graph;
use super::prints::Prints;
use super::sorter::{each, open};
use super::trail::{NOWHERE, Number, Sheet, what};
use crate::crm::columns::{Layout, Table};
use crate::crm::objections::contacts_of;
use crate::crm::reader::Cells;
use crate::crm::ready::ready;
use crate::crm::rows::{Item, Row};
use crate::crm::{CrmContact, CrmError, CrmPull, CsvSource, FileFacts, FileSet, contact, other, value, versions};

/// What was read.
pub(super) struct Read {
    pub(super) graph: Graph,
    pub(super) files: Vec<FileFacts>,
    pub(super) work: Work,
    /// Notes go by names: whom they are on may change while their rows do not.
    pub(super) by_names: bool,
}

/// Reads all tables of a source.
pub(super) fn all(source: &CsvSource, base: &Path, known: &Known<'_>, folder: &Path) -> Result<Read, CrmError> {
    let source = &ready(source, base)?;
    let graph = Graph::new(Prints::new(known.key));
    let mut reading = Reading { graph, known, files: Vec::new(), work: Work::create(folder)? };
    if let Some(set) = &source.accounts {
        reading.table((Table::Accounts, set), base, Reading::account)?;
    }
    reading.table((Table::Contacts, &source.contacts), base, Reading::contact)?;
    for (table, set) in [(Table::Consents, &source.consents), (Table::Notes, &source.notes)] {
        if let Some(set) = set {
            reading.table((table, set), base, Reading::spoken_of)?;
        }
    }
    let Reading { graph, files, work, .. } = reading;
    let by_names = source.notes.as_ref().is_some_and(|notes| notes.people.is_some() || notes.by_name.is_some());
    Ok(Read { graph, files, work, by_names })
}

struct Reading<'a> {
    graph: Graph,
    known: &'a Known<'a>,
    files: Vec<FileFacts>,
    work: Work,
}

/// A file that is read.
struct Now<'n> {
    sheet: &'n Sheet,
    layout: &'n Layout,
}

type Take<'a> = fn(&mut Reading<'a>, &Now<'_>, Item) -> Result<(), CrmError>;

impl<'a> Reading<'a> {
    fn table(&mut self, table: (Table, &FileSet), base: &Path, take: Take<'a>) -> Result<(), CrmError> {
        let all = open(table.0, table.1, base)?;
        let is_unordered = !all.is_sorted_by(|one, next| one.name() < next.name());
        let first = self.files.len();
        let mut open: Option<(usize, Sheet)> = None;
        let facts = each(table, &all, |at, layout, item| {
            if table.0 == Table::Notes && matches!(&item, Ok(row) if !versions::holds(table.1, layout, row, at)) {
                return Ok(());
            }
            if open.as_ref().is_none_or(|(file, _)| *file != at) {
                let sheet = Sheet::of(&self.graph.prints, layout, (first + at) as u32, is_unordered);
                open = Some((at, sheet));
            }
            let (_, sheet) = open.as_ref().expect("it was opened");
            take(self, &Now { sheet, layout }, item)
        })?;
        self.files.extend(facts);
        Ok(())
    }

    fn record(&mut self, id: &str) -> Result<Number, CrmError> {
        let print = self.graph.prints.print(id);
        let (record, is_new) = self.graph.records.number(print);
        if is_new {
            self.work.record(print, (self.known.subject)(id))?;
            if (self.known.is_erased)(id) {
                self.erased(record);
            }
            // Whatever becomes of the company that their rows name: it may be deleted, or have no name.
            self.graph.records.is[record as usize] |= (self.known.contact)(id);
        }
        Ok(record)
    }

    fn company(&mut self, id: &str) -> Result<Number, CrmError> {
        let print = self.graph.prints.print(id);
        let (company, is_new) = self.graph.companies.number(print);
        if is_new {
            self.work.company(print)?;
        }
        Ok(company)
    }

    /// Whoever was erased is looked at every night: they may have rows that were made before it was known that they are theirs.
    fn erased(&mut self, record: Number) {
        self.graph.records.is[record as usize] = true;
        self.graph.records.add(record, what::ERASED);
    }

    fn account(&mut self, now: &Now<'_>, item: Item) -> Result<(), CrmError> {
        let id = match &item {
            Ok(row) => other::key(now.layout, row),
            Err(letter) => letter.record_id.clone(),
        };
        let Some(id) = id else { return Ok(()) };
        let company = self.company(&id)?;
        now.sheet.add(&mut self.graph.companies.trails[company as usize], &item);
        self.graph.companies.is[company as usize] |= (self.known.company)(&id);
        let Ok(row) = &item else { return Ok(()) };
        for tied in merged(now.layout, row, &id) {
            let tied = self.company(&tied)?;
            self.graph.merged[1].push((company, tied));
            self.graph.companies.add(company, what::TIED);
            self.graph.companies.add(tied, what::TIED);
        }
        let mut letters = Vec::new();
        if let Ok(account) = other::account(&mut now.cells(row, &mut letters, id)) {
            let is_gone = account.deleted || account.name.is_empty();
            self.graph.companies.add(company, if is_gone { what::TIED } else { what::PLAIN });
        }
        Ok(())
    }

    fn contact(&mut self, now: &Now<'_>, item: Item) -> Result<(), CrmError> {
        let id = match &item {
            Ok(row) => other::key(now.layout, row),
            Err(letter) => letter.record_id.clone(),
        };
        let Some(id) = id else { return Ok(()) };
        let record = self.record(&id)?;
        now.sheet.add(&mut self.graph.records.trails[record as usize], &item);
        let Ok(row) = &item else { return Ok(()) };
        for tied in merged(now.layout, row, &id) {
            let tied = self.record(&tied)?;
            self.graph.merged[0].push((record, tied));
            self.graph.records.add(record, what::TIED);
            self.graph.records.add(tied, what::TIED);
        }
        let mut letters = Vec::new();
        let company = match contact::read(&mut now.cells(row, &mut letters, id)) {
            Ok(contact) => {
                self.graph.records.add(record, what::PLAIN);
                if now.layout.column("account_record").is_none() {
                    // The row names its company: whose id that is may change while the row does not.
                    let trail = &mut self.graph.records.trails[record as usize];
                    now.sheet.add_employer(trail, contact.account_record.as_deref());
                }
                let company = contact.account_record.as_deref().map(|company| self.company(company)).transpose()?;
                self.mark(record, contact);
                company
            }
            Err(_) => None,
        };
        if let Some(company) = company {
            self.graph.records.trails[record as usize].employer = company;
        }
        self.graph.rows.push((record, company));
        Ok(())
    }

    /// Notes by what a contact may be taken for somebody else.
    fn mark(&mut self, record: Number, contact: CrmContact) {
        let is_gone = contact.deleted;
        let pull = (self.known.without_erased)(CrmPull { contacts: vec![contact], ..CrmPull::default() });
        if pull.contacts.is_empty() {
            self.erased(record);
        }
        for contact in pull.contacts.into_iter().filter(|_| !is_gone) {
            let names = contact.account_record.as_deref().map(|company| contact.name_at(company));
            let emails = contact.emails.iter().map(|email| email.reveal().as_str());
            for mark in emails.chain(names.as_deref()) {
                let mark = self.graph.prints.print(mark);
                self.graph.marks.push((mark, record));
            }
        }
    }

    /// A consent, or a note.
    fn spoken_of(&mut self, now: &Now<'_>, item: Item) -> Result<(), CrmError> {
        let (contact, company) = match &item {
            Ok(row) => owners(now.layout, row),
            Err(letter) => (letter.record_id.clone(), None),
        };
        if let Some(id) = &contact {
            let record = self.record(id)?;
            self.graph.records.add(record, what::SPOKEN_OF);
            let trail = &mut self.graph.records.trails[record as usize];
            now.sheet.add(trail, &item);
            if now.layout.table == Table::Notes && trail.employer != NOWHERE {
                let trail = *trail;
                self.graph.companies.add(trail.employer, what::NOTED);
                now.sheet.add_note_of(&mut self.graph.companies.trails[trail.employer as usize], &trail);
            }
        }
        // What a note says of others whom it names, their own rows do not tell.
        let others =
            item.as_ref().ok().filter(|_| now.layout.table == Table::Notes).map(|row| contacts_of(now.layout, row));
        for id in others.into_iter().flatten().filter(|id| contact.as_ref() != Some(id)) {
            let record = self.record(&id)?;
            self.graph.records.add(record, what::SPOKEN_OF);
            now.sheet.add(&mut self.graph.records.trails[record as usize], &item);
        }
        // An id may be a contact's or a company's.
        if let Some(id) = company.filter(|company| contact.as_ref().is_none_or(|contact| contact == company)) {
            let company = self.company(&id)?;
            self.graph.companies.add(company, what::SPOKEN_OF);
            now.sheet.add(&mut self.graph.companies.trails[company as usize], &item);
            if let Ok(row) = &item {
                self.work.letter(company, (self.known.row)(row.digest()))?;
            }
        }
        Ok(())
    }
}

impl<'n> Now<'n> {
    fn cells<'c>(&'c self, row: &'c Row, notes: &'c mut Vec<crate::crm::CrmDeadLetter>, id: String) -> Cells<'c>
    where
        'n: 'c,
    {
        Cells { layout: self.layout, row, notes, id: Some(id) }
    }
}

/// Records that a row says were merged with its own.
fn merged(layout: &Layout, row: &Row, id: &str) -> Vec<String> {
    let mut notes = Vec::new();
    let cells = Cells { layout, row, notes: &mut notes, id: None };
    let mut all = contact::merged_ids(&cells, id);
    all.extend(contact::merged_into(&cells, id));
    all
}

/// The contact and the company that a row is about.
pub(in crate::crm) fn owners(layout: &Layout, row: &Row) -> (Option<String>, Option<String>) {
    if layout.table == Table::Notes {
        return (layout.contact_of(row).ok().flatten(), layout.company_of(row));
    }
    let cell = |field: &str| value::text(row.cell(layout.column(field)?)).map(str::to_owned);
    (cell("contact_id"), cell("account_record"))
}
