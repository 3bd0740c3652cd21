//! From CRM rows to events: `testdata/gate/import.json` has a contact or a row a case.
//!
//! Invariant: what cannot be read unlocks nothing, and takes away where it may have been meant to.

use std::sync::Arc;

use serde::Deserialize;

use super::at;
use crate::consent::import::{Imported, import};
use crate::crm::{ConsentRow, CrmContact, Flags, Origin};
use crate::ids::{DEMO_KEY, Ids};
use crate::model::Personal;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    #[serde(default)]
    flags: Vec<String>,
    legal_basis: Option<String>,
    /// `contact kind basis purposes classes from recorded id`, `-` = nothing.
    #[serde(default)]
    rows: Vec<String>,
    /// `kind purposes classes recorded`, in order.
    events: Vec<String>,
    letters: Vec<String>,
}

fn origin(line: u64) -> Origin {
    Origin { file: Arc::from("consents.csv"), line, unit: crate::crm::Unit::Line, digest: [1; 32] }
}

fn contact(case: &Case) -> CrmContact {
    let has = |name: &str| case.flags.iter().any(|f| f == name);
    let flags = Flags {
        email_opt_out: has("email_opt_out"),
        do_not_process: has("do_not_process"),
        do_not_profile: has("do_not_profile"),
        should_forget: has("should_forget"),
        do_not_contact: has("do_not_contact"),
        incomplete: has("incomplete"),
        legal_basis: case.legal_basis.clone(),
    };
    CrmContact {
        deleted: false,
        merged_into: None,
        merged_ids: Vec::new(),
        record_id: "K-1".into(),
        account_record: None,
        account_aliases: Vec::new(),
        given_name: Personal::new("Erika".into()),
        family_name: Personal::new("Beispiel".into()),
        emails: Vec::new(),
        job_title: None,
        handles: Vec::new(),
        language: None,
        country: None,
        updated_at: None,
        created_at: None,
        flags,
        origin: origin(2),
    }
}

fn row(text: &str, line: u64) -> ConsentRow {
    let cells: Vec<Option<&str>> = text.split(' ').map(|cell| (cell != "-").then_some(cell)).collect();
    let [contact, kind, basis, purposes, classes, from, recorded, id] = cells[..] else {
        panic!("a row has eight cells: {text:?}")
    };
    let list = |cell: Option<&str>| cell.map_or(vec![], |c| c.split('|').map(str::to_owned).collect());
    let time = |cell: Option<&str>| cell.map(|day| at(&format!("{day}T00:00:00Z")));
    ConsentRow {
        event_id: id.map(str::to_owned),
        contact_id: contact.unwrap_or("").into(),
        kind: kind.unwrap_or("").into(),
        basis: basis.map(|b| b.replace('_', " ")).map(|b| b.replace("legitimate interest", "legitimate_interest")),
        purposes: list(purposes),
        source_classes: list(classes),
        valid_from: time(from),
        valid_to: None,
        recorded_at: time(recorded),
        method: Some("web_form".into()),
        notice_id: Some("N-1".into()),
        wording_hash: Some("sha256:00".into()),
        language: None,
        origin: origin(line),
    }
}

fn run(case: &Case) -> Imported {
    let rows: Vec<ConsentRow> = case.rows.iter().zip(2..).map(|(text, line)| row(text, line)).collect();
    import("crm", &[&contact(case)], &rows, &Ids::new(DEMO_KEY))
}

fn told(imported: &Imported) -> (Vec<String>, Vec<String>) {
    let join = |set: Vec<String>| if set.is_empty() { "-".to_owned() } else { set.join("|") };
    let events = imported.events.iter().map(|e| {
        let kind = format!("{:?}", e.kind).to_lowercase();
        let purposes = join(e.scope.purposes.iter().cloned().collect());
        let classes = join(e.scope.source_classes.iter().map(ToString::to_string).collect());
        let standing = e.recorded_at == jiff::Timestamp::MAX;
        let recorded = if standing { "ever".to_owned() } else { e.recorded_at.to_string()[..10].to_owned() };
        format!("{kind} {purposes} {classes} {recorded}")
    });
    (events.collect(), imported.dead_letters.iter().map(|l| l.reason.clone()).collect())
}

#[test]
fn every_row_becomes_what_is_written() {
    let cases: Vec<Case> =
        serde_json::from_str(include_str!("../../../testdata/gate/import.json")).expect("the cases are valid");
    assert!(cases.len() >= 25, "only {} cases", cases.len());
    for case in &cases {
        let imported = run(case);
        assert_eq!(told(&imported), (case.events.clone(), case.letters.clone()), "{}", case.name);
        for letter in &imported.dead_letters {
            let text = format!("{letter:?}");
            assert!(!text.contains("Erika") && !text.contains("Beispiel") && !text.contains("K-1"), "{text}");
            assert!(letter.detail.contains("line "), "{text}");
        }
        let again = run(case);
        assert_eq!(again.events, imported.events, "{}: the same rows give the same events", case.name);
    }
}

#[test]
fn no_crm_speaks_as_the_controller() {
    let rows = [row("K-1 lift - - - - 2026-01-01 -", 2)];
    let case = Case {
        name: String::new(),
        flags: vec!["do_not_profile".into()],
        legal_basis: None,
        rows: Vec::new(),
        events: Vec::new(),
        letters: Vec::new(),
    };
    let events = import("prosopon", &[&contact(&case)], &rows, &Ids::new(DEMO_KEY)).events;
    assert!(events.len() >= 2 && events.iter().all(|e| !e.origin.is_controller()), "{events:?}");
}
