//! Notes about people with leave, without leave, and with half of it.

use super::*;
use crate::ids::{DEMO_KEY, Ids};
use crate::model::Personal;

fn subject(record: &str, given: &str, family: &str, title: &str) -> Subject {
    Subject {
        id: Ids::new(DEMO_KEY).subject("crm", record),
        crm_record: record.to_owned(),
        account: None,
        given_name: Personal::new(given.to_owned()),
        family_name: Personal::new(family.to_owned()),
        emails: Vec::new(),
        job_title: Some(Personal::new(title.to_owned())),
        handles: Vec::new(),
        language: None,
        country: None,
        updated_at: None,
        collected_at: jiff::Timestamp::UNIX_EPOCH,
    }
}

fn company(id: bool) -> Account {
    let id = id.then(|| Ids::new(DEMO_KEY).account("crm", "A-1"));
    Account { id, name: "Muster Maschinen GmbH".to_owned(), ..Account::default() }
}

/// Facet, quote of everything that is found; how many statements were dropped.
fn read(text: &str, account: &Account, permitted: &[Permitted<'_>], others: &[&Subject]) -> (Vec<String>, u32) {
    let colleagues = Colleagues::new(account, permitted, others);
    let on = permitted.first().map(|p| p.subject);
    let reading = colleagues.read(&Written { text, language: None, on });
    let said = reading.found.iter().map(|f| format!("{}: {}", f.claim.facet(), f.quote));
    (said.collect(), reading.dropped)
}

#[test]
fn leave_decides_what_comes_out() {
    let (anna, bert) = (subject("1", "Anna", "Brandt", "Werkleiterin"), subject("2", "Bert", "Quast", "Einkäufer"));
    let (firm, roles, all) = (
        company(true),
        [Permitted { subject: &anna, profiling: false }],
        [Permitted { subject: &anna, profiling: true }],
    );
    let role = "buying_role.decider: [person] entscheidet allein";
    let text = "Frau Brandt entscheidet allein. Frau Brandt ist risikoscheu. Herr Quast verhandelt die Preise.";
    // A trait without leave to profile, and what is said of somebody without leave, are dropped and counted.
    assert_eq!(read(text, &firm, &roles, &[&bert]), (vec![role.to_owned()], 2));
    let found = read(text, &firm, &all, &[&bert]);
    assert_eq!(found.0, [role.to_owned(), "trait.risk_tolerance: [person] ist risikoscheu".to_owned()]);
    assert_eq!(found.1, 1);
}

#[test]
fn what_is_said_of_a_namesake_without_leave_is_said_of_nobody() {
    let (anna, other) = (subject("1", "Anna", "Brandt", "Werkleiterin"), subject("2", "Ute", "Brandt", "Einkäuferin"));
    let permitted = [Permitted { subject: &anna, profiling: true }];
    let text = "Frau Brandt entscheidet allein.";
    assert_eq!(read(text, &company(true), &permitted, &[]).0.len(), 1);
    assert_eq!(read(text, &company(true), &permitted, &[&other]), (Vec::new(), 0));
}

#[test]
fn many_colleagues_are_told_apart_as_few_are() {
    let anna = subject("1", "Anna", "Brandt", "Werkleiterin");
    let others: Vec<Subject> =
        (0..2 * MAX_COLLEAGUES).map(|i| subject(&format!("x{i}"), "Ute", &format!("Zwickel{i}"), "Einkauf")).collect();
    let mut others: Vec<&Subject> = others.iter().collect();
    let permitted = [Permitted { subject: &anna, profiling: true }];
    let text = "Frau Brandt entscheidet allein. Muss noch zum Einkauf. Herr Zwickel7 verhandelt die Preise.";
    let found = read(text, &company(true), &permitted, &others);
    // The step to purchasing says that the one whom the note is on does not buy; who does cannot be told where some
    // were left out.
    let own = ["buying_role.decider: [person] entscheidet allein", "buying_role.buyer: Muss noch zum Einkauf"];
    assert_eq!(found.0, own);
    let namesake = subject("2", "Ute", "Brandt", "Einkäuferin");
    others.push(&namesake);
    assert_eq!(read(text, &company(true), &permitted, &others).0, own[1..]);
    // People without a company are nobody's colleagues.
    assert_eq!(read(text, &company(false), &permitted, &[&namesake]).0, own);
}

#[test]
fn sensitive_sentences_are_counted_and_not_told() {
    let anna = subject("1", "Anna", "Brandt", "Werkleiterin");
    let (firm, permitted) = (company(true), [Permitted { subject: &anna, profiling: true }]);
    let colleagues = Colleagues::new(&firm, &permitted, &[]);
    let text = "Frau Brandt ist seit Mai krankgeschrieben. Frau Brandt entscheidet allein.";
    let reading = colleagues.read(&Written { text, language: Some(Language::German), on: Some(&anna) });
    assert_eq!(reading.withheld, 1);
    assert!(reading.found.iter().all(|f| !f.quote.contains("krank")));
}

#[test]
fn html_is_read_as_text() {
    for (html, text) in [
        ("<p>a &amp; b</p><p>c</p>", "\na & b\n\nc\n"),
        ("x<br/>y <b>bold</b>&nbsp;z", "x\ny bold z"),
        ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
        ("<p>open <", "\nopen <"),
        ("<div class=\"a>b\">t</div>", "\nb\">t\n"),
    ] {
        assert_eq!(plain(html), text, "{html}");
    }
}
