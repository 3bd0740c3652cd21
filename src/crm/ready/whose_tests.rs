//! Noes of nobody knows whom, in tables of consents and in lists among contacts: what stops the reading, and what does not.

use std::fs;

use crate::crm::{CrmPull, CsvSource, FileSet, pull};

const CONTACTS: &str = "id;family name;email;title;merged ids\nK-0000048;Muster;m@werk.example;x;K-0000060\n\
                        K-0000049;Beck;b@werk.example;x;\n";
const HEADER: &str =
    "contact_id;kind;purposes;event_id;recorded_at\nK-0000048;grant;persona_enrichment;E-1;2025-01-01\n";

/// What becomes of contacts, more files of them by name, and consents.
fn read(contacts: &[(&str, &[u8])], consents: &[u8]) -> Result<CrmPull, String> {
    read_as(contacts, consents, false)
}

/// The same; or of their clear noes alone.
fn read_as(contacts: &[(&str, &[u8])], consents: &[u8], noes_alone: bool) -> Result<CrmPull, String> {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("c")).expect("a folder");
    for (name, bytes) in contacts {
        fs::write(folder.path().join("c").join(name), bytes).expect("written");
    }
    fs::write(folder.path().join("consents"), consents).expect("written");
    let set = |path: &str| FileSet { path: path.into(), noes_alone, ..FileSet::default() };
    let source = CsvSource { contacts: set("c"), consents: Some(set("consents")), ..CsvSource::default() };
    // The name of the folder is random.
    pull(&source, folder.path()).map_err(|e| e.to_string().replace(&folder.path().display().to_string(), ""))
}

fn consents(rows: &str) -> Result<CrmPull, String> {
    read(&[("1", CONTACTS.as_bytes())], format!("{HEADER}{rows}").as_bytes())
}

const NOBODYS: &str = "whose consents it has cannot be told";
const NEARLY: &str = "has the same id but for case";
const ELSEWHERE: &str = "put its cells in order";

#[test]
fn a_no_whose_contact_cannot_be_told_stops_the_reading() {
    for (rows, told) in [
        // Rows that lost cells, or have other delimiters.
        ("withdraw;;E-2;2026-01-01\n", NOBODYS),
        ("k-48;withdraw\n", NEARLY),
        ("K-0000048,withdraw,,E-2,2026-01-01\n", NOBODYS),
        ("K-0000048 object 2026-01-01\n", NOBODYS),
        ("K-0000048 Beck\n", NOBODYS),
        // Behind a blank line, too.
        ("\nK-0000048 widerrufen\n", NOBODYS),
        ("\r\nK-0000048 widerrufen\r\n", NOBODYS),
        ("\nK-0000048 withdraw;;;;\n", NEARLY),
        // Cells that changed their places, all below a second header, too.
        ("withdraw;K-0000048;;E-2;2026-01-01\n", ELSEWHERE),
        ("E2;withdraw;;K-0000048;2026-01-01\n", ELSEWHERE),
        (
            "kind;contact_id;purposes;event_id;recorded_at\nwithdraw;K-0000048;;E-2;2026-01-01\n",
            "into a file of their own",
        ),
        ("withdraw;x;;;\n", NOBODYS),
        // Nobody is named.
        (";withdraw;;E-2;\n", NOBODYS),
        (";object;;E-2;2026-01-01\n", NOBODYS),
        (";widerrufen;;E-2;2026-01-01\n", NOBODYS),
        (";grant;;abgemeldet;2026-01-01\n", NOBODYS),
        // What lives on in another record.
        ("K60;withdraw;;;\n", NEARLY),
        ("K-0000０48;withdraw;;;\n", NEARLY),
        // A quote that a later row closes.
        ("K-0000048;\"grant;;E-2;2025-01-01\nK-0000049;withdraw;\"x\";;E-3\n", NOBODYS),
    ] {
        let said = consents(rows).err().unwrap_or_default();
        assert!(said.contains(told), "{said}: {rows}");
        assert!(!said.contains("48") && !said.contains("Beck"), "{said}");
    }
}

#[test]
fn a_contact_and_its_consents_may_both_have_lost_a_cell() {
    let contacts = "id;family name;email;title\nK-0000048;Muster;m@werk.example\nK-0000049;Beck;b@werk.example;x\n";
    let consents =
        "event_id;contact_id;kind;recorded_at\nE-0000001;K-0000049;grant;2025-01-01\nK-0000050;K-0000048;withdraw\n";
    let pulled = read(&[("1", contacts.as_bytes())], consents.as_bytes()).expect("whose they are is told");
    assert_eq!(pulled.contacts.len(), 1);
}

#[test]
fn words_and_noes_of_others_do_not() {
    for rows in [
        "K-0000077;withdraw;;;\n",
        "Contact ID;KIND;Purposes;event-id;Recorded at\nK-0000077;withdraw;;;\n",
        "K-0000077;withdraw\n",
        "346 rows exported\n",
        ";Summe;;346;\n",
        ";;;;\n",
        ";grant;;E-2;2026-01-01\n",
        "\nExport of marketing, 2026-01-12T10:15\n",
        "\n2 Zeilen ausgegeben;;;;\n",
        "Stand: 12.01.2026, erstellt von Marketing\n",
        "someone@werk.example;withdraw;;;\n",
        "K-0000048;grant;\"persona_enrichment\";E-2;\"2025-01-01\"\n",
    ] {
        consents(rows).unwrap_or_else(|e| panic!("{e}: {rows}"));
    }
}

#[test]
fn a_consent_that_is_no_more_is_a_no() {
    let header = "contact_id;kind;purposes;event_id;recorded_at;Name\n";
    for (name, is_no) in [
        ("keine Zustimmung mehr", true),
        ("Muster, nicht mehr einverstanden", true),
        ("stimmt der Nutzung nicht mehr zu", true),
        ("no longer consents", true),
        ("keine Zustimmung erforderlich", false),
        ("Muster", false),
    ] {
        let row = format!("{header}K-0000048;grant;persona_enrichment;E-1;2025-01-01;{name}\n");
        let pulled = read(&[("1", CONTACTS.as_bytes())], row.as_bytes()).expect("no stop");
        let left = pulled.consents.iter().any(|row| row.kind == "grant") && !pulled.contacts[0].flags.incomplete;
        assert_eq!(!left, is_no, "{name}");
    }
}

#[test]
fn a_second_header_of_contacts_stops_the_reading() {
    let newer = "id;family name;email;title\nK-0000051;Neu;;x\nfamily name;id;email;title\nMuster;K-0000048;;x\n";
    let said =
        read(&[("1", CONTACTS.as_bytes()), ("2", newer.as_bytes())], HEADER.as_bytes()).err().unwrap_or_default();
    assert!(said.contains("line 3") && said.contains("into a file of their own"), "{said}");
}

#[test]
fn a_number_that_a_delimiter_has_parted_is_nobody_elses() {
    let contacts = "id,family name,do not contact,title\n10009,Muster,no,x\n10,Beck,no,x\n11,Lang,no,x\n";
    let header = "contact_id,kind,recorded_at\n11,grant,2025-01-01\n";
    for row in ["10,009,withdraw\n", "10,009,withdraw,2026-01-01\n"] {
        let said = read(&[("1", contacts.as_bytes())], format!("{header}{row}").as_bytes());
        let held = said.map(|pull| pull.contacts.iter().map(|c| c.flags.incomplete).collect::<Vec<_>>());
        assert!(
            held.as_ref().map_or_else(|e| e.contains(NEARLY), |held| *held == [true, true, false]),
            "{held:?}: {row}"
        );
    }
    let newer = "id,family name,do not contact,title\n10,009,Muster,yes,x\n";
    let pulled = read(&[("1", contacts.as_bytes()), ("2", newer.as_bytes())], header.as_bytes()).expect("no stop");
    assert_eq!(pulled.contacts.iter().map(|c| c.flags.incomplete).collect::<Vec<_>>(), [true, true, false]);
}

#[test]
fn the_end_of_a_file_tells_its_encoding_where_its_beginning_does_not() {
    let long: Vec<String> = (0..4000).map(|at| format!("P-{at:07};Name;n{at}@werk.example;x;\n")).collect();
    let long = long.concat();
    let contacts =
        [CONTACTS.lines().next().expect("a header").as_bytes(), b"\n", long.as_bytes(), b"K-48;M\xfcller;;x;\n"];
    let said = read(&[("1", &contacts.concat())], b"contact_id;kind\nk48;withdraw\n").err().unwrap_or_default();
    assert!(said.contains(NEARLY), "the contact is known, though its row has another letter: {said}");
    let long: Vec<String> =
        (0..4000).map(|at| format!("P-{at:07};grant;persona_enrichment;E-{at};2025-01-01\n")).collect();
    let text = [HEADER.as_bytes(), long.concat().as_bytes(), b"M\xfcller-7;withdraw;;;2026-01-01\n"].concat();
    read(&[("1", CONTACTS.as_bytes())], &text).expect("a row with an umlaut in its id can be read");
}

#[test]
fn a_list_of_who_is_gone_has_the_ids_of_the_contacts() {
    for (list, told) in [("id\nk-48\n", NEARLY), ("id\nK-0000048\n", ""), ("id\nK-0000077\n", "")] {
        let said = read(&[("1", CONTACTS.as_bytes()), ("deleted.csv", list.as_bytes())], HEADER.as_bytes());
        assert_eq!(said.err().is_some_and(|e| e.contains(NEARLY)), !told.is_empty(), "{list}");
    }
}

#[test]
fn a_contact_that_lost_its_first_cell_is_nobodys() {
    let newer = "id;family name;do not contact;title;merged ids\nMuster;yes;x;\n";
    let said =
        read(&[("1", CONTACTS.as_bytes()), ("2", newer.as_bytes())], HEADER.as_bytes()).err().unwrap_or_default();
    assert!(said.contains("whose it is cannot be told, and it may say no"), "{said}");
    // A remark of several lines is no row of others.
    let newer = "id;family name;title\nK-0000048;Muster;\"Termin\n2026-01-12; Ort: Ulm\nK-1\"\n";
    read(&[("1", CONTACTS.as_bytes()), ("2", newer.as_bytes())], HEADER.as_bytes()).expect("no stop");
    let newer = "id;family name;title;city;do not contact\nK-0000048;Muster;\"x;Ulm;no\nK-0000049;Beck;\"x\";Ulm;yes\n";
    let said =
        read(&[("1", CONTACTS.as_bytes()), ("2", newer.as_bytes())], HEADER.as_bytes()).err().unwrap_or_default();
    assert!(said.contains("further rows in it"), "{said}");
}

#[test]
fn many_rounded_numbers_are_found_in_time() {
    let contacts: Vec<String> =
        (0..20_000).map(|at| format!("{};Muster;m{at}@werk.example;x;\n", 1_000_000_000_000_u64 + at)).collect();
    let contacts = format!("{}\n{}", CONTACTS.lines().next().expect("a header"), contacts.concat());
    let noes: Vec<String> =
        (0..20_000).map(|at| format!("{}.{:05}E+12;withdraw;;;\n", 2 + at / 10_000, at % 10_000)).collect();
    let begun = std::time::Instant::now();
    read(
        &[("1", contacts.as_bytes())],
        format!("contact_id;kind;purposes;event_id;recorded_at\n{}", noes.concat()).as_bytes(),
    )
    .expect("nobody's");
    assert!(begun.elapsed().as_secs() < 60, "each number was held against each other one");
}

#[test]
fn a_damaged_row_of_a_former_contact_is_theirs_however_contacts_are_called() {
    let contacts = "id;family name;email;title\n1;Muster;m@werk.example;x\n";
    let consents = "event_id;contact_id;kind;recorded_at\nE-0000001;K-0000049;grant;2025-01-01\n";
    let consents = format!("{consents}E-0000002;K-0000017;withdraw\n");
    let pulled = read(&[("1", contacts.as_bytes())], consents.as_bytes()).expect("it is of K-0000017");
    assert_eq!(pulled.contacts.len(), 1);
}

#[test]
fn an_opt_out_among_contacts_that_names_nobody_but_nearly_an_id_stops_the_reading() {
    let header = "id;family name;email;opt-out\n10009;Muster;m@werk.example;no\nK-0000048;Beck;b@werk.example;no\n";
    for (row, stops) in [
        ("10.009;;;yes", true),
        ("k48;;;yes", true),
        ("К-0000048;;;yes", true),
        ("K48;;b@werk.example;yes", true),
        ("10009;;;yes", false),
        ("20.009;;;yes", false),
        ("10.009;;;no", false),
        ("k48;Beck;;yes", false),
    ] {
        let contacts = format!("{header}{row}\n");
        let alone = read(&[("1", contacts.as_bytes())], HEADER.as_bytes()).err().unwrap_or_default();
        let newer = format!("id;family name;email;opt-out\n{row}\n");
        let apart = [("1", header.as_bytes()), ("2", newer.as_bytes())];
        let apart = read(&apart, HEADER.as_bytes()).err().unwrap_or_default();
        assert_eq!((alone.contains(NEARLY), apart.contains(NEARLY)), (stops, stops), "{row}: {alone} {apart}");
    }
}

#[test]
fn what_stops_a_reading_is_passed_over_where_noes_are_wanted_alone() {
    let clear = "K-0000049;withdraw;;E-9;2026-02-01\n";
    for (contacts, doubtful) in [
        (CONTACTS, "withdraw;;E-2;2026-01-01\n"),
        (CONTACTS, "k-48;withdraw;;;\n"),
        (CONTACTS, ";withdraw;;;\n"),
        (CONTACTS, "K-0000048 object 2026-01-01\n"),
        (CONTACTS, "withdraw;K-0000048;;E-2;2026-01-01\n"),
        (CONTACTS, "kind;contact_id;purposes;event_id;recorded_at\nwithdraw;K-0000048;;E-2;2026-01-01\n"),
        (CONTACTS, "K-0000048;\"grant;;E-2;2025-01-01\nK-0000048;withdraw;\"x\";;E-3\n"),
        (CONTACTS, "K-0000048;withdraw"),
        // Rows and columns of contacts.
        ("id;family name;opt-out\nK-0000048;Muster;no\nK-0000049;Beck;no\nMuster;;yes;x;y;z\n", ""),
        ("id;family name;opt-out\nK-0000048;Muster;no\nK-0000049;Beck;no\nk48;;yes\n", ""),
        ("id;family name;DSGVO-Status\nK-0000048;Muster;Typ 7\nK-0000049;Beck;Typ 9\n", ""),
    ] {
        let (text, consents) = (contacts, format!("{HEADER}{clear}{doubtful}"));
        let contacts = [("1", text.as_bytes())];
        let stopped = read(&contacts, consents.as_bytes());
        assert!(stopped.is_err(), "{doubtful}{text}");
        let pulled = read_as(&contacts, consents.as_bytes(), true).unwrap_or_else(|e| panic!("{e}: {doubtful}"));
        let withdrawn = pulled.consents.iter().filter(|row| row.kind == "withdraw").map(|row| &*row.contact_id);
        let of_contacts: Vec<&str> = withdrawn.filter(|id| *id == "K-0000048" || *id == "K-0000049").collect();
        assert_eq!(of_contacts, ["K-0000049"], "{doubtful}");
    }
}
