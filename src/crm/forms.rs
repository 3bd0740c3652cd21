//! Ids of Salesforce in two forms: where exports of one source have both, all of them are read in the long one.
//!
//! Invariant: one record has one id, whichever export names it; an id of which only one form comes stays as it is written.

use std::collections::BTreeSet;
use std::path::Path;

use super::columns::{Layout, Table};
use super::rows::{Row, each_readable};
use super::{CrmError, CsvSource, FileSet, value};
use crate::ids::{is_long_form, long_form};

/// So many rows of a file tell whether its ids are Salesforce's at all; where they are, all rows are looked at.
const FIRST: usize = 200;
/// Fields that hold ids.
const IDS: [&str; 6] = ["record_id", "account_record", "contact_id", "regarding", "merged_into", "merged_ids"];

/// The kinds of records (as ids begin) that were seen in either form.
#[derive(Default)]
struct Seen {
    short: BTreeSet<String>,
    long: BTreeSet<String>,
}

impl Seen {
    fn look(&mut self, layout: &Layout, row: &Row) {
        let cells = IDS.iter().flat_map(|field| layout.all(field)).filter_map(|at| value::text(row.cell(*at)));
        for id in cells {
            if long_form(id).is_some() {
                self.short.insert(id[..3].to_owned());
            } else if is_long_form(id) {
                self.long.insert(id[..3].to_owned());
            }
        }
    }

    fn is_empty(&self) -> bool {
        self.short.is_empty() && self.long.is_empty()
    }

    fn table(&mut self, table: Table, set: &FileSet, base: &Path, rows_of_each: usize) -> Result<(), CrmError> {
        each_readable(table, set, base, rows_of_each, |_, layout, row| self.look(layout, row))
    }
}

/// Tells each set of a source whether ids are to be read in the long form.
pub(super) fn tell(source: &mut CsvSource, base: &Path) -> Result<(), CrmError> {
    let mut seen = Seen::default();
    seen.table(Table::Contacts, &source.contacts, base, FIRST)?;
    if seen.is_empty() {
        // Contacts of Salesforce are known by their ids.
        return Ok(());
    }
    seen.table(Table::Contacts, &source.contacts, base, usize::MAX)?;
    let others =
        [(Table::Accounts, &source.accounts), (Table::Consents, &source.consents), (Table::Notes, &source.notes)];
    for (table, set) in others {
        if let Some(set) = set {
            seen.table(table, set, base, usize::MAX)?;
        }
    }
    let both: Vec<String> = seen.short.intersection(&seen.long).cloned().collect();
    let others = [&mut source.accounts, &mut source.consents, &mut source.notes].into_iter().flatten();
    others.chain([&mut source.contacts]).for_each(|set| set.long_ids.clone_from(&both));
    Ok(())
}

/// An id in the long form, where those of its kind come in both.
pub(super) fn in_one_form(layout: &Layout, id: &str) -> Option<String> {
    let is_of_both = id.get(..3).is_some_and(|kind| layout.long_ids.iter().any(|both| both == kind));
    if is_of_both { long_form(id) } else { None }
}

/// A row with its ids in the long form; `None` = as it is.
pub(super) fn lengthened(layout: &Layout, row: &Row) -> Option<Row> {
    if layout.long_ids.is_empty() {
        return None;
    }
    let columns: Vec<usize> = IDS.iter().flat_map(|field| layout.all(field)).copied().collect();
    let long = |at: usize, cell: &str| {
        let ids = cell.split_inclusive([';', ',', '|']).map(|part| {
            let id = part.trim_matches([' ', ';', ',', '|']);
            in_one_form(layout, id).map_or_else(|| part.to_owned(), |long| part.replace(id, &long))
        });
        if columns.contains(&at) { ids.collect() } else { cell.to_owned() }
    };
    let is_short = |at: &usize| row.cell(*at).split([';', ',', '|']).any(|id| in_one_form(layout, id.trim()).is_some());
    columns.iter().any(is_short).then(|| {
        let cells: Vec<String> = row.cells().enumerate().map(|(at, cell)| long(at, cell)).collect();
        let new = Row::of_cells(&cells, &row.file, row.line, row.unit);
        // A row is known by what stands in the file.
        Row::instead_of(row.origin(), new.text, new.ends)
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use crate::crm::{CsvSource, FileSet, NoteFiles, pull};

    #[test]
    fn both_forms_of_an_id_are_one_record_and_one_form_stays_as_it_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).expect("written");
        write(
            "c1.csv",
            "Contact ID,Last Name,Account ID,Last Modified Date\n0035g00000QW011,One,0015g00000Ab1,2025-01-01\n",
        );
        write("c2.csv", "Id,LastName,AccountId,LastModifiedDate\n0035g00000QW011AAD,Uno,0015g00000Ab1,2025-02-01\n");
        write("n.csv", "Note ID,Contact ID,Body\n7,0035g00000QW011,Wants a visit\n");
        let files = |path: &str| FileSet { path: path.into(), grows: true, ..FileSet::default() };
        let source = CsvSource { contacts: files("c*.csv"), notes: Some(files("n.csv")), ..CsvSource::default() };
        let pull = pull(&source, folder.path()).expect("headers");
        let told: Vec<_> =
            pull.contacts.iter().map(|c| (c.record_id.as_str(), c.family_name.reveal().as_str())).collect();
        assert_eq!(told, [("0035g00000QW011AAD", "Uno")]);
        let mut owners = Vec::new();
        let notes = NoteFiles::open(&source, folder.path()).expect("a header");
        let take = |note: Result<crate::crm::CrmNote, _>| -> Result<(), crate::crm::CrmError> {
            owners.extend(note.ok().and_then(|note| note.contact_id));
            Ok(())
        };
        notes.read(take).expect("read");
        assert_eq!(owners, ["0035g00000QW011AAD"]);
        fs::remove_file(folder.path().join("c2.csv")).expect("removed");
        let pull = super::super::pull(&source, folder.path()).expect("headers");
        assert_eq!(pull.contacts[0].record_id, "0035g00000QW011");
    }
}
