//! Every case under `testdata/crm`: exports in, everything that was pulled out, or the error.
//!
//! `BLESS=1 cargo test --lib crm::` writes `expected.json` anew; read the difference before it is committed.

mod cut_off;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    ConsentRow, CrmAccount, CrmContact, CrmDeadLetter, CrmError, CrmNote, CsvSource, DateOrder, Decimal, FileFacts,
    FileSet, MAX_CELL, NoteFiles, check, pull,
};

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct RawSource {
    contacts: RawSet,
    accounts: Option<RawSet>,
    consents: Option<RawSet>,
    notes: Option<RawSet>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct RawSet {
    path: Option<String>,
    encoding: Option<String>,
    delimiter: Option<char>,
    month_first: bool,
    decimal_point: Option<bool>,
    columns: BTreeMap<String, String>,
    ignored: Vec<String>,
}

impl RawSet {
    fn set(self, default: &str) -> FileSet {
        FileSet {
            ignored: self.ignored,
            path: self.path.unwrap_or_else(|| default.to_owned()),
            encoding: self.encoding,
            delimiter: self.delimiter,
            date_order: self.month_first.then_some(DateOrder::MonthFirst),
            decimal: self.decimal_point.map(|p| if p { Decimal::Point } else { Decimal::Comma }),
            columns: self.columns,
            ..FileSet::default()
        }
    }
}

fn source(case: &Path) -> CsvSource {
    let raw = fs::read_to_string(case.join("source.yaml")).unwrap_or_default();
    let raw: RawSource = if raw.is_empty() {
        RawSource::default()
    } else {
        serde_saphyr::from_str(&raw).unwrap_or_else(|e| panic!("{}: {e}", case.display()))
    };
    let optional = |set: Option<RawSet>, name: &str| {
        set.or_else(|| case.join(name).exists().then(RawSet::default)).map(|s| s.set(name))
    };
    CsvSource {
        name: "test".into(),
        contacts: raw.contacts.set("contacts*.csv"),
        accounts: optional(raw.accounts, "accounts.csv"),
        consents: optional(raw.consents, "consents.csv"),
        notes: optional(raw.notes, "notes.csv"),
    }
}

/// A JSON object without the entries that say nothing, so that the cases stay short.
fn object(entries: Vec<(&str, Value)>) -> Value {
    let says = |v: &Value| !(v.is_null() || *v == json!(false) || v.as_array().is_some_and(Vec::is_empty));
    Value::Object(entries.into_iter().filter(|(_, v)| says(v)).map(|(k, v)| (k.to_owned(), v)).collect::<Map<_, _>>())
}

fn contact(c: &CrmContact) -> Value {
    let f = &c.flags;
    let flags = [
        ("email_opt_out", f.email_opt_out),
        ("do_not_process", f.do_not_process),
        ("do_not_profile", f.do_not_profile),
        ("should_forget", f.should_forget),
        ("do_not_contact", f.do_not_contact),
        ("incomplete", f.incomplete),
    ];
    let set: Vec<&str> = flags.iter().filter(|(_, on)| *on).map(|(name, _)| *name).collect();
    object(vec![
        ("id", json!(c.record_id)),
        ("account", json!(c.account_record)),
        ("given", json!(c.given_name.reveal())),
        ("family", json!(c.family_name.reveal())),
        ("emails", json!(c.emails.iter().map(|e| e.reveal().as_str()).collect::<Vec<_>>())),
        ("title", json!(c.job_title.as_ref().map(|t| t.reveal().as_str()))),
        ("handles", json!(c.handles.iter().map(|(s, h)| format!("{s}={}", h.reveal())).collect::<Vec<_>>())),
        ("language", json!(c.language)),
        ("country", json!(c.country)),
        ("updated", json!(c.updated_at.map(|t| t.to_string()))),
        ("created", json!(c.created_at.map(|t| t.to_string()))),
        ("flags", json!(set)),
        ("basis", json!(f.legal_basis)),
        ("line", json!(format!("{}:{}", c.origin.file, c.origin.line))),
    ])
}

fn account(a: &CrmAccount) -> Value {
    object(vec![
        ("id", json!(a.record_id)),
        ("name", json!(a.name)),
        ("domain", json!(a.domain)),
        ("country", json!(a.country)),
        ("city", json!(a.city)),
        ("industry", json!(a.industry)),
        ("nace", json!(a.nace)),
        ("employees", json!(a.employees)),
        ("revenue_eur", json!(a.revenue_eur)),
        ("revenue_foreign", json!(a.revenue_foreign)),
        ("legal_form", json!(a.legal_form)),
        ("founded", json!(a.founded)),
        ("updated", json!(a.updated_at.map(|t| t.to_string()))),
        ("line", json!(format!("{}:{}", a.origin.file, a.origin.line))),
    ])
}

fn consent(c: &ConsentRow) -> Value {
    object(vec![
        ("event", json!(c.event_id)),
        ("contact", json!(c.contact_id)),
        ("kind", json!(c.kind)),
        ("basis", json!(c.basis)),
        ("purposes", json!(c.purposes)),
        ("source_classes", json!(c.source_classes)),
        ("from", json!(c.valid_from.map(|t| t.to_string()))),
        ("to", json!(c.valid_to.map(|t| t.to_string()))),
        ("recorded", json!(c.recorded_at.map(|t| t.to_string()))),
        ("method", json!(c.method)),
        ("notice", json!(c.notice_id)),
        ("wording", json!(c.wording_hash)),
        ("language", json!(c.language)),
        ("line", json!(format!("{}:{}", c.origin.file, c.origin.line))),
    ])
}

fn note(n: &CrmNote) -> Value {
    object(vec![
        ("id", json!(n.note_id)),
        ("contact", json!(n.contact_id)),
        ("account", json!(n.account_record)),
        ("kind", json!(n.kind)),
        ("written", json!(n.written_at.map(|t| t.to_string()))),
        ("language", json!(n.language)),
        ("text", json!(n.text.reveal())),
        ("line", json!(format!("{}:{}", n.origin.file, n.origin.line))),
    ])
}

/// Notes, their dead letters and files.
type Noted = (Vec<CrmNote>, Vec<CrmDeadLetter>, Vec<FileFacts>);

/// Notes and their dead letters, as they are handed on.
fn notes(source: &CsvSource, case: &Path) -> Result<Noted, CrmError> {
    let files = NoteFiles::open(source, case)?;
    let (mut notes, mut letters) = (Vec::new(), Vec::new());
    let rows = files.read(|item| -> Result<(), CrmError> {
        match item {
            Ok(note) => notes.push(note),
            Err(letter) => letters.push(*letter),
        }
        Ok(())
    })?;
    // Nothing is lost between file and taker.
    assert_eq!((rows.all - rows.empty) as usize, notes.len() + letters.iter().filter(|l| l.row_dropped).count());
    Ok((notes, letters, files.facts))
}

fn letter(d: &CrmDeadLetter) -> Value {
    object(vec![
        ("reason", json!(d.reason)),
        ("table", json!(d.table)),
        ("record", json!(d.record_id)),
        ("row_dropped", json!(d.row_dropped)),
        ("detail", json!(d.detail())),
    ])
}

fn file(f: &FileFacts) -> Value {
    let name = f.path.file_name().expect("a file has a name").to_string_lossy();
    let unused = if f.unused.is_empty() { String::new() } else { format!(", unused: {}", f.unused.join(" ")) };
    let fields = f.fields.join(" ");
    let form = f.delimiter.map_or_else(|| f.format.to_owned(), |d| format!("{d:?}"));
    json!(format!("{name}: {} rows, {}, {form}, {fields}{unused}", f.rows, f.encoding))
}

fn outcome(case: &Path) -> Value {
    let source = source(case);
    let read = pull(&source, case).and_then(|p| Ok((p, notes(&source, case)?)));
    match read {
        Err(error) => {
            let settings = check(&source).err().map(|e| e.to_string());
            let message = error.to_string();
            // What needs no file is told without one.
            assert!(settings.is_none_or(|s| s == message), "{}", case.display());
            json!({ "error": message.replace(&*case.to_string_lossy(), "CASE") })
        }
        Ok((p, (noted, letters, facts))) => object(vec![
            ("contacts", p.contacts.iter().map(contact).collect()),
            ("accounts", p.accounts.iter().map(account).collect()),
            ("consents", p.consents.iter().map(consent).collect()),
            ("notes", noted.iter().map(note).collect()),
            ("dead_letters", p.dead_letters.iter().chain(&letters).map(letter).collect()),
            ("files", p.files.iter().chain(&facts).map(file).collect()),
        ]),
    }
}

fn check_case(case: &Path) -> Result<(), String> {
    let found = outcome(case);
    let file = case.join("expected.json");
    if std::env::var_os("BLESS").is_some() {
        let text = serde_json::to_string_pretty(&found).expect("a value is JSON");
        fs::write(&file, text + "\n").expect("testdata can be written");
    }
    let text = fs::read_to_string(&file).map_err(|e| format!("{}: {e}", file.display()))?;
    let expected: Value = serde_json::from_str(&text).map_err(|e| format!("{}: {e}", file.display()))?;
    if found == expected {
        return Ok(());
    }
    let found = serde_json::to_string_pretty(&found).expect("a value is JSON");
    Err(format!("{}: found\n{found}", case.display()))
}

#[test]
fn every_case_gives_what_it_expects() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata/crm");
    let mut cases: Vec<PathBuf> = fs::read_dir(root).expect("testdata").map(|e| e.expect("entry").path()).collect();
    cases.sort();
    assert!(cases.len() >= 15, "only {} cases", cases.len());
    let wrong: Vec<String> = cases.iter().filter_map(|c| check_case(c).err()).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

fn one_file(content: &[u8]) -> super::CrmPull {
    let folder = tempfile::tempdir().expect("temporary folder");
    fs::write(folder.path().join("contacts.csv"), content).expect("write");
    let set = FileSet { path: "contacts.csv".into(), ..FileSet::default() };
    pull(&CsvSource { contacts: set, ..CsvSource::default() }, folder.path()).expect("the file has a header")
}

#[test]
fn a_huge_cell_is_one_dead_letter_and_the_rest_is_read() {
    for size in [MAX_CELL + 1, 5 * MAX_CELL] {
        let mut file = b"id;last name;job title\n1;Anders;CEO\n2;Bunt;\"".to_vec();
        file.extend(std::iter::repeat_n(b'x', size));
        file.extend(b"\"\n3;Clausen;\"a\nb\"\n4;Dorn;\0\n5;Egge;COO\n");
        let pull = one_file(&file);
        let ids: Vec<&str> = pull.contacts.iter().map(|c| c.record_id.as_str()).collect();
        assert_eq!(ids, ["1", "3", "5"], "{size}");
        let dead: Vec<(&str, u64)> = pull.dead_letters.iter().map(|d| (d.reason, d.origin.line)).collect();
        assert_eq!(dead, [("cell_too_large", 3), ("nul_byte", 6)], "{size}");
        assert_eq!(pull.files[0].rows, 5);
    }
}

#[test]
fn a_cell_of_the_greatest_size_is_read() {
    let mut file = b"id;last name;job title\n1;Anders;".to_vec();
    file.extend(std::iter::repeat_n(b'x', MAX_CELL));
    let pull = one_file(&file);
    assert_eq!(pull.contacts[0].job_title.as_ref().expect("title").reveal().len(), MAX_CELL);
}

#[test]
fn a_quote_that_is_never_closed_swallows_the_rest_but_not_silently() {
    let mut file = b"id;last name;job title\n1;Anders;CEO\n2;Bunt;\"Head\n".to_vec();
    (0..60_000).for_each(|i| file.extend(format!("{i};Clausen;Chief of everything\n").bytes()));
    let pull = one_file(&file);
    assert_eq!(pull.contacts.len(), 1);
    assert_eq!(pull.dead_letters.len(), 1);
    let letter = &pull.dead_letters[0];
    assert_eq!((letter.reason, letter.origin.line), ("ragged_row", 3));
    assert!(letter.advice.contains("open to the end of the file"), "{}", letter.advice);
}

#[test]
fn a_character_on_the_border_of_two_pieces_is_whole() {
    for shift in 0..4 {
        let mut file = "id;last name;job title\n".to_owned();
        file.push_str(&"x".repeat(shift));
        let row = "ü1234567;Müllerö;Geschäftsführer\n";
        while file.len() < 200_000 {
            file.push_str(row);
        }
        let pull = one_file(file.as_bytes());
        let titles =
            pull.contacts.iter().all(|c| c.job_title.as_ref().is_some_and(|t| t.reveal() == "Geschäftsführer"));
        assert!(titles && pull.files[0].encoding == "UTF-8", "{shift}");
    }
}

#[test]
fn a_line_that_names_the_delimiter_may_stand_below_empty_ones() {
    for (file, line) in [("sep=|\nid|last name\n1|A;B\n", 3), ("\nsep=|\nid|last name\n1|A;B\n", 4)] {
        let pull = one_file(file.as_bytes());
        assert_eq!((pull.contacts.len(), pull.contacts[0].origin.line), (1, line), "{file}");
    }
}

#[test]
fn nothing_personal_shows_in_debug_output_or_dead_letters() {
    let pull = one_file(b"id;last name;email;last modified\n1;Canaryson;canary@x.example;\n2;Canaryson;c;tomorrow\n");
    let shown = format!("{pull:?}");
    assert!(!shown.to_lowercase().contains("canary") && !shown.contains("tomorrow"), "{shown}");
    assert_eq!(pull.dead_letters[0].reason, "unreadable_date");
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(content in proptest::collection::vec(proptest::num::u8::ANY, 0..400)) {
        let folder = tempfile::tempdir().expect("temporary folder");
        let mut file = b"id;last name;email;last modified;email opt out\n".to_vec();
        file.extend(content);
        fs::write(folder.path().join("contacts.csv"), file).expect("write");
        let set = FileSet { path: "contacts.csv".into(), ..FileSet::default() };
        let pull = match pull(&CsvSource { contacts: set, ..CsvSource::default() }, folder.path()) {
            // What may be a no, and is of nobody knows whom, is not passed over.
            Err(CrmError::NobodysNo { .. }) => return Ok(()),
            pulled => pulled.expect("there is a header"),
        };
        // Every row is a contact or a dead letter of its own; nothing is lost.
        let dropped = pull.dead_letters.iter().filter(|d| d.row_dropped).count();
        proptest::prop_assert_eq!(pull.files[0].rows as usize, pull.contacts.len() + dropped);
    }

    // With a letter at the end, so that none is `Mr`, which is no title of a job.
    #[test]
    fn what_is_quoted_comes_back(titles in proptest::collection::vec("[ -~äöüß\n\"';,|]{1,40}q", 1..20)) {
        let folder = tempfile::tempdir().expect("temporary folder");
        let mut file = "id;last name;job title\r\n".to_owned();
        let mut line = 2;
        let mut lines = Vec::new();
        for (i, title) in titles.iter().enumerate() {
            lines.push(line);
            line += 1 + title.matches('\n').count() as u64;
            write!(file, "{i:04};A;\"{}\"\r\n", title.replace('"', "\"\"")).expect("a String takes all");
        }
        fs::write(folder.path().join("contacts.csv"), file).expect("write");
        let set = FileSet { path: "contacts.csv".into(), ..FileSet::default() };
        let pull = pull(&CsvSource { contacts: set, ..CsvSource::default() }, folder.path()).expect("there is a header");
        proptest::prop_assert_eq!(pull.contacts.len(), titles.len());
        for ((contact, title), line) in pull.contacts.iter().zip(&titles).zip(lines) {
            let wanted = title.split_whitespace().collect::<Vec<_>>().join(" ");
            let found = contact.job_title.as_ref().map(|t| t.reveal().clone()).unwrap_or_default();
            proptest::prop_assert_eq!(found, wanted);
            proptest::prop_assert_eq!(contact.origin.line, line);
        }
    }
}

#[test]
fn a_handle_is_no_way_through_an_address() {
    for (cell, name) in [("@login", Some("login")), ("a.b", Some("a.b")), (".", None), ("..", None), ("@..", None)] {
        assert_eq!(super::value::handle(cell).as_deref(), name, "{cell}");
        assert_eq!(super::value::social_handle(cell).as_deref(), name, "{cell}");
    }
    assert_eq!(super::value::social_handle("@..@social.example"), None);
}

#[test]
fn a_namesake_at_another_company_is_not_meant() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("written");
    write("contacts.csv", "Kontakt-ID;Vorname;Nachname;Firma;Firma-ID\nK1;Anna;Huber;Alpha GmbH;F1\n");
    let of = |company: &str| format!("N-{company};{company};Anna Huber;Entscheidet allein.\n");
    let notes = ["Beta AG", "Alpha GmbH", ""].map(of).concat();
    write("notes.csv", &format!("Notiz-ID;Firma;Ansprechpartner;Text\n{notes}"));
    let set = |path: &str| FileSet { path: path.to_owned(), ..FileSet::default() };
    let source = CsvSource { contacts: set("contacts.csv"), notes: Some(set("notes.csv")), ..CsvSource::default() };
    let mut told = Vec::new();
    let files = NoteFiles::open(&source, folder.path()).expect("there are headers");
    let read = files.read(|item| {
        told.push(item.map(|note| note.contact_id).map_err(|letter| letter.reason));
        Ok::<(), CrmError>(())
    });
    let rows = read.expect("read to the end");
    assert_eq!((rows.all, rows.empty), (3, 0));
    let anna = || Ok(Some("K1".to_owned()));
    assert_eq!(told, [Err("unknown_contact"), anna(), anna()]);
}
