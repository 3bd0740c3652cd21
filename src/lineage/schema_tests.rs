//! Events against the published schemas, and that these refuse what is none.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::published::Published;
use super::tests::{at, begun};
use super::{Begun, End, Event};
use crate::model::RunId;
use crate::sink::{FileFacts, Snapshot, SnapshotWriter};

/// Every kind of event that there is, with all that may be missing missing in one and there in another.
fn events() -> Vec<Value> {
    let home = tempfile::tempdir().expect("a folder");
    let snapshot = published(home.path());
    let bare = Begun { as_of: None, inputs: Vec::new(), home: "home".into(), ..begun() };
    let killed = Begun { resumed: true, ends: 2, ..begun() };
    let mut events = Vec::new();
    for begun in [begun(), bare, killed] {
        let ends = [
            End::Published(snapshot.clone()),
            End::Stopped,
            End::Failed(String::new()),
            End::Failed("no column for \"id\" in /srv/crm/contacts.csv\n\u{1F4A5}".repeat(90)),
        ];
        let ends = ends.iter().map(|end| Event::end(&begun, end, at(9)));
        events.extend([Event::begin(&begun)].into_iter().chain(ends).map(|event| event.as_json().clone()));
    }
    events
}

/// A snapshot in which nobody is.
fn published(home: &std::path::Path) -> Snapshot {
    let facts = FileFacts { policy_hash: String::new() };
    let writer =
        SnapshotWriter::create(home, "nightly", &RunId::from_body("000001_abcdefgh"), &facts).expect("a writer");
    writer.commit(&json!({})).expect("published")
}

#[test]
fn every_kind_of_event_is_one_by_the_published_schemas() {
    let published = Published::load();
    let (mut kinds, mut facets) = (BTreeSet::new(), BTreeSet::new());
    for event in events() {
        assert_eq!(published.mistakes(&event), Vec::<String>::new(), "{event:#}");
        kinds.insert(event["eventType"].as_str().expect("a kind").to_owned());
        named(&event, &mut facets);
    }
    let all = ["ABORT", "COMPLETE", "FAIL", "RUNNING", "START"].map(str::to_owned);
    assert_eq!(kinds, BTreeSet::from(all));
    // No schema lies about of which no event was held against it.
    let there = published.0.keys().filter(|id| id.contains("/facets/")).cloned().collect();
    assert_eq!(facets, there);
    assert_eq!(facets.len() + 1, published.0.len(), "the core schema");
}

/// The schemas that facets name.
fn named(value: &Value, schemas: &mut BTreeSet<String>) {
    match value {
        Value::Object(inner) => {
            let own = inner.get("_schemaURL").and_then(Value::as_str).and_then(|url| url.split('#').next());
            schemas.extend(own.map(str::to_owned));
            inner.values().for_each(|inner| named(inner, schemas));
        }
        Value::Array(inner) => inner.iter().for_each(|inner| named(inner, schemas)),
        _ => {}
    }
}

#[test]
fn what_is_no_event_is_refused() {
    let published = Published::load();
    let events = events();
    let of = |kind: &str| events.iter().find(|e| e["eventType"] == kind).expect("there is one").clone();
    let refused = |kind: &str, pointer: &str, value: Option<Value>, words: &str| {
        let mut event = of(kind);
        let (holder, key) = pointer.rsplit_once('/').expect("a pointer");
        let holder = event.pointer_mut(holder).and_then(Value::as_object_mut).expect("an object");
        let before = holder.remove(key);
        assert_eq!(before.is_some(), value.is_none() || !words.contains("nobody knows"), "{pointer}");
        holder.extend(value.map(|value| (key.to_owned(), value)));
        let mistakes = published.mistakes(&event).join("\n");
        assert!(mistakes.contains(words), "{pointer} {words:?}: {mistakes:?}");
    };
    refused("START", "/run/runId", None, "\"runId\" is a required property");
    refused("START", "/run/runId", Some(json!("run_000001_abcdefgh")), "is not a \"uuid\"");
    refused("START", "/run/runId", Some(json!(7)), "is not of type \"string\"");
    refused("START", "/run", None, "\"run\" is a required property");
    refused("START", "/eventType", Some(json!("DONE")), "\"DONE\" is not one of");
    refused("START", "/eventType", None, "eventType: none");
    refused("START", "/eventTime", Some(json!("2026-03-02 at 3")), "is not a \"date-time\"");
    refused("START", "/producer", Some(json!("prosopon 0.1")), "is not a \"uri\"");
    refused("START", "/schemaURL", Some(json!("https://openlineage.io/spec/1-0-5/OpenLineage.json")), "schemaURL");
    refused("START", "/job/name", None, "\"name\" is a required property");
    refused("START", "/job/namespace", Some(json!(["file"])), "is not of type \"string\"");
    refused("START", "/inputs", Some(json!({})), "is not of type \"array\"");
    refused("START", "/inputs/0/name", None, "\"name\" is a required property");
    refused("START", "/inputs/0/inputfacets", Some(json!({})), "nobody knows inputfacets");
    refused("START", "/input", Some(json!([])), "nobody knows input");
    let statistics = "/inputs/0/inputFacets/inputStatistics";
    refused("START", &format!("{statistics}/_producer"), None, "\"_producer\" is a required property");
    refused("START", &format!("{statistics}/_schemaURL"), None, "points at no facet");
    refused("START", &format!("{statistics}/rowCount"), Some(json!("70")), "is not of type \"integer\"");
    refused("START", &format!("{statistics}/rowcount"), Some(json!(70)), "nobody knows rowcount");
    let schema = "/outputs/0/facets/schema";
    refused("START", &format!("{schema}/fields/0/name"), None, "\"name\" is a required property");
    refused("START", &format!("{schema}/fields"), Some(json!("all")), "is not of type \"array\"");
    let newer = "https://openlineage.io/spec/facets/9-0-0/SchemaDatasetFacet.json#/$defs/SchemaDatasetFacet";
    refused("START", &format!("{schema}/_schemaURL"), Some(json!(newer)), "is not in the folder");
    let facet = of("START").pointer(schema).cloned();
    refused("START", "/run/facets/processing_engine", facet.clone(), "is not a RunFacet");
    refused("START", "/outputs/0/facets/schema", of("FAIL").pointer("/job/facets/jobType").cloned(), "of that name");
    let error = "/run/facets/errorMessage";
    refused("FAIL", &format!("{error}/programmingLanguage"), None, "is a required property");
    let nominal = "/run/facets/nominalTime/nominalStartTime";
    refused("START", nominal, Some(json!("2026-03-01")), "is not a \"date-time\"");
    refused(
        "COMPLETE",
        "/outputs/0/outputFacets/outputStatistics/size",
        Some(json!(0.5)),
        "is not of type \"integer\"",
    );
    refused("COMPLETE", "/outputs/0/facets/version/datasetVersion", None, "is a required property");
}
