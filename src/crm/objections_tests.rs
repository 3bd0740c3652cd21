//! Cells of contacts by hand: what is a no wherever it stands, and what only sounds like one.

use std::fs;
use std::path::Path;

use crate::crm::{CrmError, CrmPull, CsvSource, FileSet, pull};

/// A folder with one contact and a file of notes, if there is one; a column stands in the place of the contact's own.
fn contacts(folder: &Path, header: &str, cell: &str) {
    let mut row =
        vec![("Contact ID", "K-1"), ("Last Name", "Muster"), ("First Name", "Erika"), ("E-Mail", "m@werk.example")];
    let same = |one: &str| one.eq_ignore_ascii_case(header) || one == "E-Mail" && header == "E-Mail-Adresse";
    row.retain(|(own, _)| !same(own));
    row.push((header, cell));
    let mut writer = csv::WriterBuilder::new().delimiter(b';').from_writer(Vec::new());
    writer.write_record(row.iter().map(|(header, _)| *header)).expect("headers");
    writer.write_record(row.iter().map(|(_, cell)| *cell)).expect("a row");
    fs::write(folder.join("contacts.csv"), writer.into_inner().expect("bytes")).expect("written");
}

fn source(ignored: &[&str]) -> CsvSource {
    let ignored = ignored.iter().map(|header| (*header).to_owned()).collect();
    let contacts = FileSet { path: "contacts.csv".into(), ignored, ..FileSet::default() };
    CsvSource { name: "crm".into(), contacts, ..CsvSource::default() }
}

/// `no`, `held`, `-`, or `stops`.
fn told(pull: Result<&CrmPull, &CrmError>) -> &'static str {
    let Ok(pull) = pull else { return "stops" };
    let Some(contact) = pull.contacts.first() else { return "gone" };
    let flags = &contact.flags;
    let all =
        [flags.email_opt_out, flags.do_not_process, flags.do_not_profile, flags.should_forget, flags.do_not_contact];
    match (all.contains(&true), flags.incomplete) {
        (true, _) => "no",
        (false, true) => "held",
        (false, false) => "-",
    }
}

#[test]
fn a_no_is_one_wherever_it_stands_and_business_is_none() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut wrong, mut n) = (Vec::new(), [0; 2]);
    let lines = include_str!("../../testdata/contact_noes/cells.tsv").lines();
    for line in lines.filter(|line| !line.starts_with('#')) {
        let mut columns = line.splitn(3, '\t');
        let (want, header, cell) =
            (columns.next().expect("one"), columns.next().expect("two"), columns.next().expect("three"));
        contacts(folder.path(), header, cell);
        let read = pull(&source(&[]), folder.path());
        let is = told(read.as_ref());
        if is != want {
            wrong.push(format!("{header}: {cell}: {is}, not {want}"));
        }
        // What leaves somebody out is told with how to go on, and without what the cell says.
        if let Ok(pull) = &read
            && let Some(letter) = pull.dead_letters.iter().find(|l| l.reason.contains("refusal"))
        {
            assert!(
                letter.advice.contains("`ignored`") && (cell.len() < 20 || !letter.detail().contains(cell)),
                "{}",
                letter.detail()
            );
        }
        n[usize::from(want == "-")] += 1;
    }
    assert!(n[0] >= 80 && n[1] >= 80 && wrong.is_empty(), "{} of {n:?}:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn an_ignored_column_is_not_looked_at_though_a_field_stands_for_it() {
    let folder = tempfile::tempdir().expect("a folder");
    contacts(folder.path(), "Position", "Sachbearbeiterin (Widerspruch)");
    let held = pull(&source(&[]), folder.path()).expect("no stop");
    assert_eq!(told(Ok(&held)), "held");
    let letter = held.dead_letters.first().expect("a letter");
    assert_eq!(
        (letter.reason, letter.field.as_deref(), letter.row_dropped),
        ("perhaps_a_refusal", Some("Position"), false)
    );
    let mut source = source(&["Position"]);
    source.contacts.columns.insert("job_title".into(), "Position".into());
    let read = pull(&source, folder.path()).expect("no stop");
    assert_eq!((told(Ok(&read)), read.dead_letters.len()), ("-", 0));
    assert!(read.contacts[0].job_title.is_some());
}

#[test]
fn one_word_does_not_make_a_column_of_texts_one_of_answers() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = "id;family_name;Tags\nK-1;Muster;opt-out\nK-2;Beispiel;Widerspruch Rechnung 4711\nK-3;Beck;VIP\n";
    fs::write(folder.path().join("contacts.csv"), text).expect("written");
    let pull = pull(&source(&[]), folder.path()).expect("a text stops nothing");
    let flags: Vec<bool> = pull.contacts.iter().map(|contact| contact.flags.email_opt_out).collect();
    assert_eq!(flags, [true, false, false]);
    assert!(pull.contacts.iter().all(|contact| !contact.flags.do_not_process && !contact.flags.incomplete));
}

#[test]
fn a_no_in_a_note_leaves_its_contact_out() {
    let folder = tempfile::tempdir().expect("a folder");
    contacts(folder.path(), "Ort", "Neustadt");
    for (note, want) in [
        ("Kunde hat der Nutzung seiner Daten widersprochen", "held"),
        ("please do not contact her again, GDPR objection", "held"),
        ("Kunde hat dem Angebot widersprochen", "-"),
        ("Newsletter geschickt, keine Antwort", "-"),
        ("mag lieber Anrufe, keine Mails", "-"),
        ("Angebot anbei. Unsubscribe | Privacy | Opt-out", "-"),
    ] {
        fs::write(folder.path().join("notes.csv"), format!("note_id;contact_id;text\nN-1;K-1;\"{note}\"\n"))
            .expect("written");
        let notes = Some(FileSet { path: "notes.csv".into(), ..FileSet::default() });
        let with_notes = CsvSource { notes, ..source(&[]) };
        let read = pull(&with_notes, folder.path()).expect("no stop");
        assert_eq!(told(Ok(&read)), want, "{note}");
        let mut ignoring = with_notes.clone();
        let notes = ignoring.notes.as_mut().expect("notes");
        notes.ignored.push("text".into());
        notes.columns.insert("text".into(), "text".into());
        assert_eq!(told(pull(&ignoring, folder.path()).as_ref()), "-", "{note}");
    }
    // Of nobody who can be told it is told all the same.
    let text = "note_id;account id;text\nN-1;F-1;hat der Nutzung seiner Daten widersprochen\n";
    fs::write(folder.path().join("notes.csv"), text).expect("written");
    let notes = Some(FileSet { path: "notes.csv".into(), ..FileSet::default() });
    let files = crate::crm::NoteFiles::open(&CsvSource { notes, ..source(&[]) }, folder.path()).expect("notes");
    let mut letters = Vec::new();
    files
        .read(|note| {
            letters.extend(note.err().map(|letter| letter.reason));
            Ok::<(), CrmError>(())
        })
        .expect("read");
    assert_eq!(letters, ["no_for_unknown_contact"]);
}

/// What notes tell of, by reason and record.
fn letters_of(source: &CsvSource, folder: &Path) -> Vec<(&'static str, Option<String>)> {
    let files = crate::crm::NoteFiles::open(source, folder).expect("notes");
    let mut letters = Vec::new();
    files
        .read(|note| {
            letters.extend(note.err().map(|letter| (letter.reason, letter.record_id)));
            Ok::<(), CrmError>(())
        })
        .expect("read");
    letters
}

#[test]
fn a_note_that_cannot_be_read_and_says_no_leaves_whoever_it_may_be_on_out() {
    let folder = tempfile::tempdir().expect("a folder");
    contacts(folder.path(), "Ort", "Neustadt");
    let notes = Some(FileSet { path: "notes.csv".into(), ..FileSet::default() });
    let with_notes = CsvSource { notes, ..source(&[]) };
    let header = "note_id;contact_id;text;kind\nN-0;K-9;Angebot geschickt;note\n";
    for (row, want, reason) in [
        ("N-1;K-1;hat der Nutzung seiner Daten widersprochen", "held", "perhaps_a_refusal"),
        ("N-1;K-1;hat der Nutzung seiner Daten widersprochen;note;x;y", "held", "perhaps_a_refusal"),
        ("N-1;K-1;hat der Nutzung; seiner Daten widersprochen;note", "held", "perhaps_a_refusal"),
        ("N-1;x;K-1;hat der Nutzung seiner Daten widersprochen;note", "held", "perhaps_a_refusal"),
        ("K-1;hat der Nutzung seiner Daten widersprochen;note", "held", "perhaps_a_refusal"),
        ("N-1;hat der Nutzung seiner Daten widersprochen;note", "-", "no_for_unknown_contact"),
        ("N-1;K-1;hat dem Angebot widersprochen", "-", "ragged_row"),
    ] {
        fs::write(folder.path().join("notes.csv"), format!("{header}{row}\n")).expect("written");
        let read = pull(&with_notes, folder.path()).expect("no stop");
        assert_eq!(told(Ok(&read)), want, "{row}");
        assert!(letters_of(&with_notes, folder.path()).iter().any(|(is, _)| *is == reason), "{row}");
        if want == "held" {
            let letter = read.dead_letters.iter().find(|l| l.field.as_deref() == Some("notes")).expect("a letter");
            assert!(letter.advice.starts_with("notes.csv line 3 is a note"), "{}", letter.advice);
        }
    }
    let json = "{\"note_id\":\"N-0\",\"contact_id\":\"K-9\",\"text\":\"x\"}\n\
                {\"note_id\":\"N-1\",\"contact_id\":\"K-1\",\"text\":\"hat der Nutzung seiner Daten widersprochen\",}\n";
    fs::write(folder.path().join("notes.csv"), json).expect("written");
    assert_eq!(told(pull(&with_notes, folder.path()).as_ref()), "held");
}

#[test]
fn a_no_in_an_unread_column_of_parquet_and_json_is_one() {
    use arrow_array::{ArrayRef, RecordBatch, StringArray};
    let folder = tempfile::tempdir().expect("a folder");
    let column = |text: &str| -> ArrayRef { std::sync::Arc::new(StringArray::from(vec![text.to_owned()])) };
    for (cell, want) in [("hat der Datenverarbeitung widersprochen", "no"), ("hat der Rechnung widersprochen", "-")] {
        let fields = [("contact_id", "K-1"), ("family_name", "Muster"), ("Custom 7", cell)];
        let batch = RecordBatch::try_from_iter(fields.map(|(n, text)| (n, column(text)))).expect("equal lengths");
        let mut bytes = Vec::new();
        let mut writer = ::parquet::arrow::ArrowWriter::try_new(&mut bytes, batch.schema(), None).expect("a schema");
        writer.write(&batch).expect("in memory");
        writer.close().expect("in memory");
        let json = format!("{{\"id\":\"K-1\",\"family_name\":\"Muster\",\"tags\":[\"VIP\",\"{cell}\"]}}");
        for bytes in [bytes, json.into_bytes()] {
            fs::write(folder.path().join("contacts.csv"), bytes).expect("written");
            assert_eq!(told(pull(&source(&[]), folder.path()).as_ref()), want, "{cell}");
        }
    }
}

#[test]
fn a_column_of_answers_is_looked_through_where_its_own_words_tell_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    contacts(folder.path(), "Bemerkung", "keine Profilbildung");
    let pull = pull(&source(&[]), folder.path()).expect("no stop");
    assert!(pull.contacts[0].flags.do_not_profile, "{:?}", pull.dead_letters);
}
