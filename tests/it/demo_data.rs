//! Synthetic worlds, run as their users would run them, and held against the truth that comes with them.

use std::collections::BTreeMap;
use std::path::Path;

use prosopon::ids::{DEMO_KEY, Ids};
use prosopon::model::{About, SubjectId};
use prosopon::persona::rows::Persona;
use prosopon::sink::{self, Select};
use prosopon::taxonomy::FacetStatus;

use crate::harness::{arg, say, temp};

#[test]
fn a_synthetic_world_runs_and_comes_out_as_its_truth_says() {
    let temp = temp();
    let world = temp.path().join("world");
    let made = say(["demo-data", "--contacts", "600", "--seed", "11", "--to", arg(&world)]).expect(0);
    assert!(made.err.contains("wrote 600 contacts"), "{}", made.err);
    let summary = say(["run", arg(&world.join("pipeline.yaml")), "--json"]).expect(0).json();
    let snapshot = sink::current(&world.join("home"), "synthetic").expect("current").expect("a snapshot");
    let personas = sink::read_personas(&snapshot, &Select::All).expect("personas");
    let by_record: BTreeMap<&str, &Persona> = personas.iter().map(|p| (p.crm_record.as_str(), p)).collect();
    let mut reader = csv::Reader::from_path(world.join("truth.csv")).expect("truth.csv");
    let truth: Vec<BTreeMap<String, String>> = reader.deserialize().collect::<Result<_, _>>().expect("rows");
    assert_eq!(truth.len(), 600);
    let (mut read, mut right) = (0, 0);
    for row in &truth {
        let record = row["contact_id"].as_str();
        let persona = by_record.get(record);
        assert_eq!(persona.is_some(), row["persona"] == "yes", "{record}: a persona needs leave, and leave gives one");
        let Some(persona) = persona else { continue };
        if row["profile"] == "no" {
            assert!(persona.traits.iter().all(|t| t.status == FacetStatus::NoConsent), "{record}");
        }
        if let (Some(function), Some(level)) = (persona.job_function.value, persona.seniority.value) {
            read += 1;
            right += u32::from(function.as_str() == row["job_function"] && level.as_str() == row["seniority"]);
        }
    }
    assert_eq!(summary["counts"]["personas"], personas.len());
    in_parts(&world, &snapshot, &summary);
    // What is read from notes is what was said of whom it is filed under, and of nobody else.
    let stated: BTreeMap<SubjectId, &str> = truth
        .iter()
        .map(|row| (Ids::new(DEMO_KEY).subject("synthetic-crm", &row["contact_id"]), row["stated"].as_str()))
        .collect();
    let evidence = sink::read_evidence(&snapshot, &Select::All).expect("evidence");
    let of_notes: Vec<bool> = evidence
        .iter()
        .filter(|signal| signal.evidence.locator.starts_with("note"))
        .filter_map(|signal| match &signal.about {
            About::Subject(subject, _) => Some((signal, stated[subject])),
            About::Account(_) => None,
        })
        .map(|(signal, stated)| {
            let said = format!("{}={}", signal.claim.facet(), signal.claim.value());
            stated.split('|').any(|truth| truth == said)
        })
        .collect();
    let true_ones = of_notes.iter().filter(|is_true| **is_true).count();
    assert!(of_notes.len() > 100 && true_ones * 100 >= 97 * of_notes.len(), "{true_ones} of {}", of_notes.len());
    // Three in a hundred have no title, and what the CRM said two years ago is not believed any more.
    assert!(read * 10 >= 4 * personas.len() as u32, "{read} of {}", personas.len());
    assert!(right * 100 >= 97 * read, "{right} of {read}");
    say(["demo-data", "--contacts", "5", "--to", arg(&world)]).expect(2);
}

/// The same world in parts: the same counts and, byte for byte, the same tables.
fn in_parts(world: &Path, whole: &sink::Snapshot, summary: &serde_json::Value) {
    let (home, pipeline) = (world.join("parts"), world.join("pipeline.yaml"));
    let run = ["run", arg(&pipeline), "--out", arg(&home), "--at-once", "40", "--json"];
    assert_eq!(say(run).expect(0).json()["counts"], summary["counts"]);
    let parts = sink::current(&home, "synthetic").expect("current").expect("a snapshot");
    for table in ["personas", "evidence", "accounts", "buying_centers"] {
        let bytes = |snapshot: &sink::Snapshot| std::fs::read(snapshot.folder().join(table).join("part-0.parquet"));
        assert!(bytes(whole).expect("a table") == bytes(&parts).expect("a table"), "{table}");
    }
}
