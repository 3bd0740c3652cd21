//! Events have what the specification requires, and no more than names and counts.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::{Begun, End, Event, Lineage, To};

pub(super) fn begun() -> Begun {
    Begun {
        controller: "Invented Machines GmbH".into(),
        pipeline: "nightly".into(),
        run_id: "run_000001_abcdefgh".into(),
        ends: 0,
        resumed: false,
        at: "2026-03-02T03:00:00Z".parse().expect("an instant"),
        as_of: "2026-03-01T00:00:00Z".parse().ok(),
        home: "/srv/home".into(),
        inputs: vec![("/srv/crm/contacts.csv".into(), Some(70)), ("/srv/crm/hubspot.json".into(), None)],
    }
}

pub(super) fn at(seconds: i64) -> jiff::Timestamp {
    begun().at + jiff::SignedDuration::from_secs(seconds)
}

#[test]
fn events_say_what_was_read_and_written() {
    let event = Event::begin(&begun());
    let event = event.as_json();
    assert_eq!(event["eventType"], "START");
    assert_eq!(event["job"]["namespace"], "Invented Machines GmbH");
    assert_eq!(event["job"]["name"], "nightly");
    assert_eq!(event["inputs"][0]["name"], "/srv/crm/contacts.csv");
    assert_eq!(event["inputs"][0]["inputFacets"]["inputStatistics"]["rowCount"], 70);
    assert!(event["inputs"][1].get("inputFacets").is_none(), "nobody counted its rows");
    assert_eq!(event["outputs"].as_array().map(Vec::len), Some(8));
    assert_eq!(event["outputs"][0]["name"], "/srv/home/nightly/personas");
    let fields = &event["outputs"][0]["facets"]["schema"]["fields"];
    let roles = fields.as_array().expect("fields").iter().find(|f| f["name"] == "buying_roles").expect("a column");
    assert!(roles["fields"].as_array().is_some_and(|f| f.iter().any(|f| f["name"] == "probability")), "{roles}");
}

#[test]
fn one_run_has_one_uuid_until_it_ends() {
    let uuid = |event: &Event| event.as_json()["run"]["runId"].as_str().expect("an id").to_owned();
    let id = uuid(&Event::begin(&begun()));
    let form =
        regex::Regex::new("^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$").expect("a pattern");
    assert!(form.is_match(&id), "{id}");
    let again = Event::begin(&Begun { resumed: true, ..begun() });
    assert_eq!((again.as_json()["eventType"].clone(), uuid(&again)), (json!("RUNNING"), id.clone()));
    for (end, kind) in [(End::Stopped, "ABORT"), (End::Failed("the disk is full".into()), "FAIL")] {
        let event = Event::end(&begun(), &end, at(9));
        assert_eq!((event.as_json()["eventType"].clone(), uuid(&event)), (json!(kind), id.clone()));
    }
    let failed = Event::end(&begun(), &End::Failed("the disk is full".into()), at(9));
    assert_eq!(failed.as_json()["run"]["facets"]["errorMessage"]["message"], "the disk is full");
    let long = Event::end(&begun(), &End::Failed("ü".repeat(9000)), at(9));
    let message = &long.as_json()["run"]["facets"]["errorMessage"]["message"];
    assert_eq!(message.as_str().map(|m| m.chars().count()), Some(500));
    assert_ne!(uuid(&Event::begin(&Begun { run_id: "run_000002_abcdefgh".into(), ..begun() })), id);
    assert_ne!(uuid(&Event::begin(&Begun { ends: 1, ..begun() })), id, "nothing follows an end");
    assert_eq!(uuid(&Event::begin(&Begun { home: "/srv/pipelines/../home".into(), ..begun() })), id, "the same home");
}

#[test]
fn a_file_has_one_name_by_whatever_way_it_is_come_to() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path().canonicalize().expect("it is there");
    std::fs::create_dir_all(folder.join("crm/2026-03-01")).expect("made");
    std::os::unix::fs::symlink("crm/2026-03-01", folder.join("tonight")).expect("linked");
    let named = |path: &str| {
        let event = Event::begin(&Begun { inputs: vec![(folder.join(path), None)], ..begun() });
        let name = event.as_json()["inputs"][0]["name"].as_str().expect("a name").to_owned();
        name.strip_prefix(&format!("{}/", folder.display())).map(str::to_owned).unwrap_or(name)
    };
    for (path, name) in [
        ("crm/contacts.csv", "crm/contacts.csv"),
        ("./crm//contacts.csv", "crm/contacts.csv"),
        ("pipelines/../crm/contacts.csv", "crm/contacts.csv"),
        ("pipelines/de/../../crm/contacts.csv", "crm/contacts.csv"),
        // What is set anew every night is one dataset; above it is what it leads to.
        ("tonight/contacts.csv", "tonight/contacts.csv"),
        ("tonight/../contacts.csv", "crm/contacts.csv"),
    ] {
        assert_eq!(named(path), name, "{path}");
    }
}

#[test]
fn lines_are_added_and_a_file_that_cannot_be_written_stops_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("lineage.jsonl");
    std::fs::write(&file, "{}\n").expect("written");
    let tell = |file: Option<PathBuf>| {
        let lineage = Lineage::to(file.map(|file| To { file, catalogue: None }));
        lineage.begin(&begun());
        lineage.end(&begun(), &End::Stopped, at(9));
        lineage.close();
    };
    tell(Some(file.clone()));
    let lines: Vec<Value> = std::fs::read_to_string(&file)
        .expect("there")
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let kinds: Vec<&Value> = lines.iter().map(|l| &l["eventType"]).collect();
    assert_eq!(kinds, [&Value::Null, &json!("START"), &json!("ABORT")]);
    tell(Some("/proc/no/such/file".into()));
    tell(None);
}
