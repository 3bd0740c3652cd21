//! `crm.files.legal`: what a CRM says in its own words counts in the night in which its export is there.
//!
//! Invariant: all people are the demo's; nothing of a record's content is ever printed.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::harness::{Said, arg, pipeline, root, say, temp};
use crate::tables::{Tables, snapshot};

const MAPPING: &str = "\
version: 1
grants:
  - dialect: hubspot
    field: hs_legal_basis
    value: Freely given consent from contact
    basis: consent
    purposes: [persona_enrichment]
    source_classes: [crm, company_site]
    method: web_form
    notice_id: DE-2025-2
    wording_hash: sha256:1cfb9990c647dd9435889c05d593f89aba526fa5ae771f70da95d689b699e8dc
    language: de
    date_field: createdate
";

fn yes(id: &str) -> Value {
    json!({ "id": id, "properties": {
        "email": "canary@alpha.example", "hs_email_optout": "false", "createdate": "2025-06-01T08:00:00Z",
        "hs_legal_basis": "Freely given consent from contact",
    } })
}

fn with(mut record: Value, changes: Value) -> Value {
    let Value::Object(changes) = changes else { panic!("changes are an object") };
    record["properties"].as_object_mut().expect("properties").extend(changes);
    record
}

fn write(path: &Path, records: &[Value]) {
    fs::write(path, json!({ "results": records }).to_string()).expect("writable");
}

fn has(tables: &Tables, records: &[&str]) -> Vec<bool> {
    records.iter().map(|record| tables.persona(record).is_some()).collect()
}

fn run(file: &Path, home: &Path, more: &[&str]) -> Said {
    say([&["run", arg(file), "--out", arg(home), "--json"], more].concat())
}

#[test]
fn an_export_grants_and_a_later_opt_out_takes_out_of_the_next_nights_tables() {
    let dir = temp();
    let (home, export) = (dir.path().join("home"), dir.path().join("hubspot-1.json"));
    let consents = format!("consents: {{ path: {}/testdata/demo/crm/consents.csv }}", root().display());
    let legal = "legal:\n      - { path: \"hubspot-*.json\", dialect: hubspot, mapping: mapping.yaml }";
    let file = pipeline(dir.path(), &[(&consents, legal)]);
    let four = ["K-2001", "K-2003", "K-2004", "K-2005"];

    // What is not there is told with file, line and field.
    let missing = run(&file, &home, &[]).expect(2);
    assert!(missing.err.contains("pipeline.yaml:16:17: error: no file"), "{}", missing.err);
    assert!(missing.err.contains("mapping.yaml\" is there"), "{}", missing.err);
    write(&export, &four.map(yes));
    fs::write(dir.path().join("mapping.yaml"), MAPPING.replace("purposes: [persona_enrichment]", "purposes: []"))
        .expect("writable");
    for said in [run(&file, &home, &[]).expect(2), say(["validate", arg(&file)]).expect(2)] {
        assert!(said.err.contains("mapping.yaml:3:5: error: entry 1 of the mapping: purposes: name"), "{}", said.err);
    }
    assert!(!home.join("ledger.sqlite").exists());
    fs::write(dir.path().join("mapping.yaml"), MAPPING).expect("writable");
    say(["validate", arg(&file)]).expect(0);

    // The first night: the export grants, for people whom the home sees for the first time.
    run(&file, &home, &[]).expect(0);
    let first = Tables::of(&home);
    assert_eq!(has(&first, &four), [true; 4]);
    assert_eq!(first.persona("K-2001").expect("there").legal.basis, ["6(1)(a)"]);
    let first = snapshot(&home);

    // The second: one opts out, one has a word that nobody knows, one stands there twice and differs.
    let second = [
        with(
            yes("K-2001"),
            json!({ "hs_contact_enrichment_opt_out": "true",
                    "hs_contact_enrichment_opt_out_timestamp": "2026-03-01T08:00:00Z" }),
        ),
        with(yes("K-2003"), json!({ "hs_legal_basis": "Freely given consent" })),
        with(yes("K-2004"), json!({ "createdate": "2025-01-01T08:00:00Z" })),
        yes("K-2004"),
        yes("K-2005"),
        with(yes("K-9999"), json!({ "hs_email_optout": "canary" })),
    ];
    write(&export, &second);
    let said = run(&file, &home, &[]).expect(0);
    let tables = Tables::of(&home);
    assert_eq!(has(&tables, &four), [false, false, false, true]);
    let before = prosopon::sink::read_personas(&first, &prosopon::sink::Select::All).expect("personas");
    assert!(!before.iter().any(|p| p.crm_record == "K-2001"), "a no takes out of older tables, too");
    let letters = |tables: &Tables| -> Vec<String> {
        let of_export = |l: &&Value| l["detail"].as_str().is_some_and(|d| d.starts_with("hubspot-1.json"));
        let text = |l: &Value| format!("{} {}", l["reason"], l["detail"]).replace('"', "");
        tables.dead_letters.iter().filter(of_export).map(text).collect()
    };
    let told = letters(&tables);
    for expected in [
        "unknown_legal_basis hubspot-1.json record 2, field hs_legal_basis: ",
        "contradicting_rows hubspot-1.json record 3, field hs_legal_basis: ",
        "contradicting_rows hubspot-1.json record 4, field hs_legal_basis: ",
        "consent_for_unknown_contact hubspot-1.json record 6: ",
    ] {
        assert!(told.iter().any(|t| t.starts_with(expected)), "{expected}: {told:#?}");
    }
    assert!(!format!("{told:?} {} {}", said.out, said.err).contains("canary"));
    let reasons = &said.json()["counts"]["refusals"];
    assert!(reasons["Suppressed"].as_u64() >= Some(1) && reasons["SubjectAmbiguous"].as_u64() >= Some(2), "{reasons}");

    // Another order, and everything twice, is the same.
    let state = |home: &Path| snapshot(home).manifest().expect("a manifest")["ledger"]["state"].clone();
    let before = state(&home);
    write(&export, &second.iter().rev().chain(&second).cloned().collect::<Vec<_>>());
    run(&file, &home, &[]).expect(0);
    assert_eq!(state(&home), before);
    assert_eq!(has(&Tables::of(&home), &four), [false, false, false, true]);

    // Corrected, both come back; the opt-out stays, although its flag is gone.
    write(&export, &four.map(yes));
    run(&file, &home, &[]).expect(0);
    assert_eq!(has(&Tables::of(&home), &four), [false, true, true, true]);

    // Of erased people nothing is kept, not even that a record about them could not be read.
    say(["subject", "erase", "K-2003", "--yes", "--out", arg(&home)]).expect(0);
    write(&export, &[with(yes("K-2003"), json!({ "hs_legal_basis": "?" })), yes("K-2004"), yes("K-2005")]);
    run(&file, &home, &[]).expect(0);
    let tables = Tables::of(&home);
    assert_eq!((has(&tables, &four), letters(&tables)), (vec![false, false, true, true], vec![]));

    // A file that cannot be read stops the run before it does anything.
    let current = snapshot(&home).run_id().to_owned();
    fs::write(&export, "{\"results\":[{\"id\":1,\"id\":2}]}").expect("writable");
    let broken = run(&file, &home, &[]).expect(2);
    assert!(broken.err.contains("hubspot-1.json:1:27: not valid JSON"), "{}", broken.err);
    assert_eq!(snapshot(&home).run_id(), current);
    say(["audit", "verify", "--out", arg(&home)]).expect(0);
}

#[test]
fn whoever_a_row_may_be_about_that_cannot_be_read_is_left_out() {
    let dir = temp();
    let (home, noes) = (dir.path().join("home"), dir.path().join("noes.csv"));
    let consents = format!("consents: {{ path: {}/testdata/demo/crm/consents.csv }}", root().display());
    let legal = format!(
        "legal:\n      - {{ path: {}/testdata/demo/crm/consents.csv, dialect: table }}\n      - {{ path: noes.csv, dialect: table }}",
        root().display()
    );
    let file = pipeline(dir.path(), &[(&consents, &legal)]);
    let four = ["K-2001", "K-2003", "K-2004", "K-2005"];
    let header = "contact_id;kind;recorded_at\n";
    fs::write(&noes, format!("{header}K-9999;withdraw;2026-01-01\n")).expect("writable");
    run(&file, &home, &[]).expect(0);
    let before = has(&Tables::of(&home), &four);
    assert!(before.iter().filter(|is| **is).count() > 2, "{before:?}");
    fs::write(
        &noes,
        format!("{header}K-2001;withdraw\nk2003;withdraw;2026-01-01\nK-9999;withdraw;2026-01-01\nK-2005 widerrufen\n"),
    )
    .expect("writable");
    run(&file, &home, &[]).expect(0);
    assert_eq!(has(&Tables::of(&home), &four), [false, false, before[2], false]);
    fs::write(&noes, format!("{header}withdraw;2026-01-01\n")).expect("writable");
    let said = run(&file, &home, &[]).expect(2);
    let place = format!("{} line 2 cannot be read, or has neither id nor address, and whose it is", noes.display());
    assert!(said.err.contains(&place), "{}", said.err);
}
