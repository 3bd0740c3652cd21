//! Headers by hand: what they say, and what a sceptic thought of.

use super::noes::{No, read};

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
