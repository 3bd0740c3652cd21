//! Headers by hand: what they say, and what a sceptic thought of.

use super::noes::{No, read};
use super::{CsvSource, FileSet, pull};

fn check(cases: &[(&str, Option<No>)]) {
    for (header, want) in cases {
        assert_eq!(read(header), *want, "{header}");
    }
}

const HEADERS: &[(&str, Option<No>)] = &[
    ("Opted out of email: Marketing Information", Some(No::Of("email_opt_out"))),
    ("donotemail@OData.Community.Display.V1.FormattedValue", Some(No::Of("email_opt_out"))),
    ("Gesperrt (DSGVO-Löschung beantragt)", Some(No::Of("should_forget"))),
    ("Lo\u{308}schung beantragt am", Some(No::Of("should_forget"))),
    ("Datenschutz: Verarbeitung widersprochen", Some(No::Of("do_not_process"))),
    ("Widerspruch nach Art. 21 Datenschutz-Grundverordnung", Some(No::Of("do_not_process"))),
    ("Werbewiderspruch (E-Mail, Telefon, Post)", Some(No::Of("email_opt_out"))),
    ("Do Not Call or Email", Some(No::Of("email_opt_out"))),
    ("Automatically Unsubscribed", Some(No::Of("email_opt_out"))),
    ("Keine E-Mails senden", Some(No::Of("email_opt_out"))),
    ("Keine Newsletter gewünscht", Some(No::Of("email_opt_out"))),
    ("Nicht per E-Mail kontaktieren", Some(No::Of("email_opt_out"))),
    ("Kontakt nicht erwünscht", Some(No::Of("do_not_contact"))),
    ("Von Marketing ausschließen", Some(No::Of("email_opt_out"))),
    ("nicht kontaktieren bis", Some(No::Of("do_not_contact"))),
    ("globalOptOutState.value", Some(No::Of("email_opt_out"))),
    ("DSGVO-Status", Some(No::Perhaps)),
    ("Widerspruch", Some(No::Perhaps)),
    ("Objections", Some(No::Perhaps)),
    ("globalOptOutState.source", None),
    ("Do Not Delete", None),
    ("Nicht löschen (Aufbewahrungspflicht)", None),
    ("Geplante Löschung", None),
    ("Do Not Merge", None),
    ("Widerrufsbelehrung erhalten", None),
    ("Hinweis auf Widerspruchsrecht am", None),
    ("Fakturasperre", None),
    ("Portalzugang gesperrt", None),
    ("Booking Restriction", None),
    ("Opt-out reason", Some(No::Why("email_opt_out"))),
    ("Unsubscribed: product updates", Some(No::Perhaps)),
    ("GDPR consent date", None),
    ("DSGVO-Schulung am", None),
    ("Nicht anschreiben (Insolvenz)", Some(No::Of("do_not_contact"))),
    ("Do not contact customer portal users", Some(No::Of("do_not_contact"))),
    ("Widerspruch Profilbildung Bonität", Some(No::Of("do_not_profile"))),
    ("Ansprechpartner will keine Werbung", Some(No::Of("email_opt_out"))),
    ("Bitte nicht kontaktieren! Ansprechpartner wünscht das nicht", Some(No::Of("do_not_contact"))),
    ("Do not process order data", Some(No::Of("do_not_process"))),
    ("Keine Mails bis bestätigt", Some(No::Of("email_opt_out"))),
    ("Unsubscribed link clicked", Some(No::Of("email_opt_out"))),
    ("Darf nicht angeschrieben werden", Some(No::Of("do_not_contact"))),
    ("Einwilligung entzogen am", Some(No::Of("do_not_process"))),
    ("Abmeldegrund", Some(No::Why("email_opt_out"))),
    ("Nicht gesperrt", Some(No::Unless("contact_allowed"))),
    ("Dürfen wir mailen?", Some(No::Unless("email_allowed"))),
    ("Werbung erlaubt / gesperrt", Some(No::Either)),
    ("Unsubscribe link", None),
    ("Keine E-Mail-Adresse", None),
    ("Contact No", None),
    ("Kein Hauptansprechpartner", None),
    ("E-Mail nicht verifiziert", None),
    ("Auftrag widerrufen", None),
    ("Do not call", None),
    ("Telefonanrufe nicht zulassen", None),
    ("Liefersperre", None),
    ("Sperre", Some(No::Perhaps)),
    ("Sperre seit", Some(No::Perhaps)),
    ("Sperrgrund", Some(No::Perhaps)),
    ("Gesperrt (j/n)", Some(No::Perhaps)),
    ("Blocked since", Some(No::Perhaps)),
    ("Sperre gesetzt durch", Some(No::Why("do_not_contact"))),
    ("Blocked by", Some(No::Why("do_not_contact"))),
    ("Sperre Mahnwesen", None),
    ("Gesperrt für Lieferung", None),
    ("Sperre Werkstor", None),
    ("Sperre aufgehoben am", None),
    ("Job title", None),
    ("Nickname", None),
    ("No. of employees", None),
];

#[test]
fn unknown_headers_are_taken_for_what_they_say_and_for_no_more() {
    check(HEADERS);
}

#[test]
fn words_within_words_and_words_apart_turn_nothing_round() {
    check(&[
        ("Kein Opt-in", Some(No::Of("email_opt_out"))),
        ("Werbung unzulässig", Some(No::Of("email_opt_out"))),
        ("Newsletter: never (unsubscribed)", Some(No::Of("email_opt_out"))),
        ("Werbung erlaubt: nein", Some(No::Either)),
        ("Do not email - consent not on file", Some(No::Of("do_not_process"))),
        ("Account opted out of email", Some(No::Of("email_opt_out"))),
        ("Newsletter Arbeitsrecht abbestellt", Some(No::Of("email_opt_out"))),
        ("Kein Marketing Österreich", Some(No::Of("email_opt_out"))),
        ("Not open to marketing", Some(No::Of("email_opt_out"))),
        ("Ansprechpartner nicht für Werbung verwenden", Some(No::Of("email_opt_out"))),
        ("Kein Scoring Bonität", Some(No::Of("do_not_profile"))),
        ("Contact refused by purchasing", Some(No::Why("do_not_contact"))),
        ("Werbesperre nicht aufgehoben", Some(No::Of("email_opt_out"))),
        ("Werbesperre aufgehoben am", None),
        ("Widerspruchsrecht gegen Werbung ausgeübt", Some(No::Of("email_opt_out"))),
        ("Kontakt nicht genehmigt", Some(No::Of("do_not_contact"))),
        ("Widerspruch Artikel 21", Some(No::Of("do_not_process"))),
        ("Transaktionen gesperrt", None),
        ("Gewerbe abgelehnt", None),
        ("Keine Blechverarbeitung", None),
        ("Kein Profilbild", None),
        ("Contact No. (Office)", None),
        ("Contact: no more mails", Some(No::Of("email_opt_out"))),
        ("Consent given / withdrawn", Some(No::Either)),
        ("Kontakt Doktor", None),
        ("Subscribed to newsletter", None),
    ]);
}

/// What an export says of its only contact by one column: the flags, `stops`, or nothing.
fn told(header: &str, cell: &str) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let text = format!("id;family_name;email;{header}\nK-1;Muster;m@werk.example;{cell}\n");
    std::fs::write(folder.path().join("contacts.csv"), text).expect("written");
    let contacts = FileSet { path: "contacts.csv".into(), ..FileSet::default() };
    let pull = match pull(&CsvSource { contacts, ..CsvSource::default() }, folder.path()) {
        Ok(pull) => pull,
        Err(error) => {
            assert!(error.to_string().contains(&format!("{header:?}")), "{error}");
            return "stops".to_owned();
        }
    };
    let Some(contact) = pull.contacts.first() else { return "gone".to_owned() };
    let flags = &contact.flags;
    let all = [
        ("mail", flags.email_opt_out),
        ("contact", flags.do_not_contact),
        ("process", flags.do_not_process),
        ("profile", flags.do_not_profile),
        ("forget", flags.should_forget),
    ];
    all.iter().filter(|(_, set)| *set).map(|(name, _)| *name).collect::<Vec<_>>().join(" ")
}

#[test]
fn what_blocks_a_person_is_read_and_what_blocks_something_is_asked_about() {
    for (header, cell, want) in [
        ("Sperre gesetzt durch", "Meier", "contact"),
        ("Sperre gesetzt durch", "", ""),
        ("Sperre", "ja", "mail"),
        ("Sperre", "gesperrt", "mail"),
        ("Sperre", "aktiv", "mail"),
        ("Sperre", "liegt vor", "mail"),
        ("Sperre", "siehe Akte", "stops"),
        ("Sperre", "freigegeben", "stops"),
        ("Sperre", "offen", "stops"),
        ("Sperre", "nein", ""),
        ("Sperre", "", ""),
        ("Sperre seit", "01.02.2026", "mail"),
        ("Sperrdatum", "01.02.2026", "mail"),
        ("Sperrgrund", "Widerspruch", "mail"),
        ("Sperrgrund", "Zahlungsverzug", "stops"),
        ("Gesperrt", "x", "process"),
        ("Blocked by", "jdoe", "contact"),
        ("Lösch-Kz", "X", "forget"),
        ("Löschkennzeichen", "ja", "forget"),
        ("Lösch-Kz", "", ""),
        ("Bemerkung", "Widerspruch", "mail"),
        ("Bemerkung", "Widerspruch eingelegt", "mail"),
        ("Bemerkung", "widersprochen", "mail"),
        ("Bemerkung", "Einwilligung zurückgezogen", "process"),
        ("Bemerkung", "ruft gern an", ""),
        ("Sperre Mahnwesen", "ja", "stops"),
        ("Liefersperre", "X", "stops"),
        ("Kreditsperre", "aktiv", "stops"),
        ("Gesperrt für Lieferung", "ja", "stops"),
        ("Buchungssperre", "01", "stops"),
        ("Liefersperre", "nein", ""),
        ("Kreditsperre", "", ""),
        ("Sperre aufgehoben am", "01.02.2026", ""),
        ("Telefonsperre", "x", ""),
    ] {
        assert_eq!(told(header, cell), want, "{header} = {cell}");
    }
}
