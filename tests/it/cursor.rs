//! Incremental pulls: a script asks for what has changed since the cursor, and loses nothing.

use std::path::Path;

use serde_json::{Value, json};

use crate::carry::{add, changed, n, nights, rows, world};
use crate::harness::{arg, say, temp};

/// What the cursor of a table is, with more arguments.
fn cursor(home: &Path, line: &[&str]) -> String {
    let line = [&["cursor", "--out", arg(home)][..], line].concat();
    say(line).expect(0).out.trim().to_owned()
}

#[test]
fn pulls_since_the_cursor_give_what_full_exports_give() {
    let temp = temp();
    let (folder, homes) = (temp.path().join("world"), ["some", "all"].map(|name| temp.path().join(name)));
    world(&folder, "120");
    let before = rows(&folder, "contacts");
    // A slip in the CRM must not keep what changes until then from being asked for.
    add(&folder, "contacts", "slip.csv", &[changed(&before[3], &[(9, "2099-01-01")])]);
    nights(&folder, &homes);

    let [home, _] = &homes;
    let since = cursor(home, &["contacts"]);
    let newest = before.iter().filter_map(|row| row.get(9)).filter(|at| at.starts_with("20")).max().expect("rows");
    assert_eq!(since, format!("{newest}T00:00:00Z"));
    assert_eq!(cursor(home, &["contacts", "--overlap", "1h 30m"]), {
        let at: jiff::Timestamp = since.parse().expect("an instant");
        (at - jiff::SignedDuration::from_mins(90)).to_string()
    });
    assert_eq!(cursor(home, &["accounts", "--else", "2001-02-03"]), "2001-02-03T00:00:00Z", "they have no such date");
    say(["cursor", "accounts", "--out", arg(home)]).expect(2);
    let told = say(["cursor", "--out", arg(home), "--json"]).expect(0).json();
    assert_eq!((&told["cursors"]["contacts"], &told["cursors"]["accounts"]), (&json!(since), &Value::Null), "{told}");
    assert!(told["cursors"]["notes"].as_str() > Some("2025"), "{told}");
    let all = cursor(home, &[]);
    let told: Vec<&str> = all.lines().collect();
    assert_eq!(told[..2], [&*format!("contacts  {since}"), "accounts  -"], "{all}");

    // What a script gets that asks the CRM for all that is as new as the cursor, or newer.
    let mut crm: Vec<String> = before.iter().map(|row| row.join(",")).collect();
    for at in (0..before.len()).step_by(17).filter(|at| before[*at].len() == 10) {
        crm[at] = changed(&before[at], &[(5, "Einkaufsleiter"), (9, "2026-02-27")]);
    }
    let pulled = crm.into_iter().filter(|row| row.split(',').nth(9).is_some_and(|at| at >= &since[..10]));
    let pulled: Vec<String> = pulled.collect();
    assert!(pulled.len() > 5 && pulled.iter().any(|row| row.ends_with(newest.as_str())), "{pulled:?}");
    add(&folder, "contacts", "1.csv", &pulled);
    // A run that is not published moves nothing: the next pull would be the same.
    say(["run", arg(&folder.join("pipeline.yaml")), "--out", arg(home), "--dry-run"]).expect(0);
    assert_eq!(cursor(home, &["contacts"]), since);
    let [some, _] = nights(&folder, &homes);
    assert!(n(&some, "carried_over") > 0, "only what changed is worked on: {some}");
    assert_eq!(cursor(home, &["contacts"]), "2026-02-27T00:00:00Z");
}

#[test]
fn before_the_first_run_all_is_asked_for() {
    let temp = temp();
    let home = temp.path().join("home");
    say(["init", "--controller", "Muster GmbH", "--first", "--out", arg(&home)]).expect(0);
    assert_eq!(cursor(&home, &["contacts", "--else", "1970-01-01"]), "1970-01-01T00:00:00Z");
    let told = say(["cursor", "contacts", "--out", arg(&home)]).expect(2);
    assert!(told.err.contains("no pipeline has been run here yet"), "{}", told.err);
    let told = say(["cursor", "people", "--out", arg(&home)]).expect(2);
    assert!(told.err.contains("contacts, accounts, consents, notes"), "{}", told.err);
}
