//! Where rows stand, and in which order, counts only where something hangs on it.

use std::collections::HashSet;
use std::fs;

use super::{Night, Note, export, tag, tonight};
use crate::crm::parts::Before;
use crate::crm::parts::tests::Contact;
use crate::crm::{CsvSource, FileSet};

fn plain(id: u8, account: u8, into: u8) -> Contact {
    Contact {
        id,
        name: true,
        surname: 0,
        email: id,
        account,
        month: 1,
        deleted: false,
        into,
        took: 14,
        opted_out: false,
    }
}

/// Whether a night concerns contacts, of whom one was told something in the night before.
fn concerns([first, second]: [&Night; 2], told: &str, contacts: [&str; 2]) -> [bool; 2] {
    let folder = tempfile::tempdir().expect("a folder");
    let kept = tonight(&export(folder.path(), first), folder.path(), "first");
    let told = HashSet::from([tag(told)]);
    let last = Before { path: &kept.path, told: &told, letters: &HashSet::new() };
    let found = tonight(&export(folder.path(), second), folder.path(), "second").against(&last).expect("read");
    contacts.map(|id| found.concerned.contact(id))
}

#[test]
fn the_order_of_notes_on_colleagues_counts() {
    let night = |notes: [Note; 2]| Night {
        contacts: vec![(0, plain(1, 1, 14)), (0, plain(2, 1, 14)), (0, plain(3, 2, 14))],
        notes: notes.map(|note| (0, note)).to_vec(),
        ..Night::default()
    };
    let [first, second] = [night([(1, 1, 1), (2, 2, 1)]), night([(2, 2, 1), (1, 1, 1)])];
    assert_eq!(concerns([&first, &second], "", ["K1", "K3"]), [true, false]);
    assert_eq!(concerns([&first, &first], "", ["K1", "K3"]), [false, false]);
}

#[test]
fn the_order_of_notes_on_records_that_are_one_counts() {
    let night = |notes: [Note; 2]| Night {
        contacts: vec![(0, plain(1, 0, 14)), (0, plain(2, 0, 1)), (0, plain(3, 2, 14))],
        notes: notes.map(|note| (0, note)).to_vec(),
        ..Night::default()
    };
    let [first, second] = [night([(1, 1, 1), (2, 2, 1)]), night([(2, 2, 1), (1, 1, 1)])];
    assert_eq!(concerns([&first, &second], "", ["K1", "K3"]), [true, false]);
}

#[test]
fn a_row_that_moves_counts_where_a_letter_was_told_of_one_it_is_merged_with() {
    // K2 lives on in K1; only the note on K2 stands elsewhere, behind one on K3.
    let night = |notes: Vec<(u8, Note)>| Night {
        contacts: vec![(0, plain(1, 1, 14)), (0, plain(2, 0, 1)), (0, plain(3, 2, 14)), (0, plain(4, 3, 14))],
        notes,
        ..Night::default()
    };
    let [first, second] = [night(vec![(0, (1, 2, 1))]), night(vec![(0, (2, 3, 1)), (0, (1, 2, 1))])];
    assert_eq!(concerns([&first, &second], "K1", ["K1", "K4"]), [true, false]);
    assert_eq!(concerns([&first, &second], "K3", ["K1", "K4"]), [false, false], "nothing was told of them");
}

#[test]
fn where_names_of_files_are_not_in_the_order_of_reading_places_count() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let night = Night { contacts: vec![(0, plain(1, 1, 14)), (0, plain(2, 2, 14))], ..Night::default() };
    let mut source = export(folder, &night);
    // Read in this order, and by name in the other.
    let write = |rows: &str| {
        for name in ["n", "n.b"] {
            fs::create_dir_all(folder.join(name)).expect("a folder");
            let rows = if name == "n" { rows } else { "N9,K1,,Gut.\n" };
            fs::write(folder.join(name).join("1.csv"), format!("note_id,contact_id,account_id,text\n{rows}"))
                .expect("written");
        }
    };
    source.notes = Some(FileSet { path: "n*/1.csv".into(), ..FileSet::default() });
    write("N1,K1,,Gut.\n");
    let kept = tonight(&source, folder, "first");
    write("N2,K2,,Gut.\nN1,K1,,Gut.\n");
    let nobody = HashSet::new();
    let last = Before { path: &kept.path, told: &nobody, letters: &nobody };
    let found = tonight(&source, folder, "second").against(&last).expect("read");
    assert!(found.concerned.contact("K1"));
}

#[test]
fn a_file_of_another_layout_is_known_as_such() {
    let temp = tempfile::tempdir().expect("a folder");
    let path = temp.path().join("rows");
    for (magic, is) in [("prosopon-rows/2\n", true), ("prosopon-rows/1\n", false)] {
        fs::write(&path, magic).expect("written");
        assert_eq!(crate::crm::is_readable_rows(&path).expect("readable"), is, "{magic}");
    }
}

#[test]
fn whose_company_a_name_means_counts_though_the_row_stays() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let write = |name: &str, text: &str| fs::write(folder.join(name), text).expect("written");
    let set = |path: &str| FileSet { path: path.into(), ..FileSet::default() };
    let source =
        CsvSource { contacts: set("contacts.csv"), accounts: Some(set("accounts.csv")), ..CsvSource::default() };
    write("contacts.csv", "id;last name;company\n1;Able;One Ltd\n2;Baker;Two Ltd\n");
    write("accounts.csv", "id;company\nF1;One Ltd\nF2;Two Ltd\n");
    let kept = tonight(&source, folder, "first");
    let last = Before { path: &kept.path, told: &HashSet::new(), letters: &HashSet::new() };
    write("accounts.csv", "id;company\nF1;Once Ltd\nF2;Two Ltd\n");
    let found = tonight(&source, folder, "second").against(&last).expect("read");
    assert_eq!(
        ["1", "2"].map(|id| found.concerned.contact(id)),
        [true, false],
        "Able works at no company that is known"
    );
}
