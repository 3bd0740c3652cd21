//! `testdata/consent/<dialect>/<case>`: exports, `case.json` (who is known, which mapping), `expected.json`; and the
//! properties that hold of any records.
//!
//! Invariant: all people are invented, on `*.example`. `PROSOPON_UPDATE=1` rewrites the expectations, to be reviewed.

mod blind;
mod lists;
mod properties;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::*;
use crate::consent::event::{EventKind, LegalEvent, Scope};
use crate::ids::DEMO_KEY;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// Record ids that the home knows.
    people: BTreeSet<String>,
    /// Record ids by address that the home knows besides those of the export.
    #[serde(default)]
    emails: BTreeMap<String, Vec<String>>,
    mapping: Option<String>,
    /// Record ids of people who were erased.
    #[serde(default)]
    erased: BTreeSet<String>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Expected {
    events: Vec<String>,
    problems: Vec<String>,
    unmapped: BTreeMap<String, u64>,
    absent: BTreeSet<String>,
    has_more: bool,
    /// Record ids of people whom a run leaves out.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    unclear: BTreeSet<String>,
}

fn ids() -> Ids {
    Ids::new(DEMO_KEY)
}

fn folders(of: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> =
        fs::read_dir(of).expect("a folder").map(|e| e.expect("an entry").path()).filter(|p| p.is_dir()).collect();
    found.sort();
    found
}

fn cases() -> Vec<(Dialect, PathBuf)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/consent");
    Dialect::ALL.iter().flat_map(|d| folders(&root.join(d.as_str())).into_iter().map(|p| (*d, p))).collect()
}

struct Loaded {
    dialect: Dialect,
    case: Case,
    records: Vec<Record>,
    problems: Vec<Problem>,
    mapping: Mapping,
    has_more: bool,
}

fn load(dialect: Dialect, folder: &Path) -> Loaded {
    let read = |name: &str| fs::read(folder.join(name)).expect("a file of the case");
    let case: Case = serde_json::from_slice(&read("case.json")).expect("case.json");
    let mapping = case.mapping.as_ref().map_or_else(Mapping::default, |name| {
        Mapping::parse(&String::from_utf8(read(name)).expect("UTF-8"), name).expect("a valid mapping")
    });
    let mut loaded = Loaded { dialect, case, records: Vec::new(), problems: Vec::new(), mapping, has_more: false };
    let mut names: Vec<String> = fs::read_dir(folder)
        .expect("a folder")
        .map(|e| e.expect("an entry").file_name().into_string().expect("UTF-8"))
        .filter(|n| !["case.json", "expected.json", "mapping.yaml"].contains(&n.as_str()))
        .collect();
    names.sort();
    for name in names {
        let export = parse(&name, &read(&name)).expect("a readable export");
        loaded.records.extend(export.records);
        // Words below the rows are told where they may be about somebody.
        loaded.problems.extend(export.problems.into_iter().filter(|problem| problem.reason != whose::BELOW));
        loaded.has_more |= export.has_more;
    }
    loaded
}

impl Loaded {
    fn run(&self, records: &[Record], mapping: &Mapping) -> Outcome {
        self.run_all(&records.to_vec().into(), mapping)
    }

    fn run_all(&self, records: &Records, mapping: &Mapping) -> Outcome {
        let ids = ids();
        let resolve = |key: &Key| -> Vec<SubjectId> {
            let records = match key {
                Key::Record(id) => vec![id.reveal().clone()],
                Key::Email(address) => self.case.emails.get(address.reveal()).cloned().unwrap_or_default(),
            };
            let known = records.iter().filter(|r| self.case.people.contains(*r));
            known.map(|r| ids.subject("crm", r)).collect()
        };
        let erased = |key: &Key| matches!(key, Key::Record(id) if self.case.erased.contains(id.reveal()));
        let now = "2026-03-02T03:00:00Z".parse().expect("a time");
        let dialect = self.dialect;
        read(&Reading { dialect, system: "crm", ids: &ids, mapping, resolve: &resolve, erased: &erased, now }, records)
    }

    fn named(&self, subjects: &BTreeSet<SubjectId>) -> BTreeSet<String> {
        self.case.people.iter().filter(|p| subjects.contains(&ids().subject("crm", p))).cloned().collect()
    }

    fn outcome(&self) -> Outcome {
        self.run(&self.records, &self.mapping)
    }

    fn told(&self, event: &LegalEvent) -> String {
        let ids = ids();
        let who = self.case.people.iter().find(|p| ids.subject("crm", p) == event.subject).expect("known");
        let join = |set: Vec<String>| if set.is_empty() { "*".to_owned() } else { set.join("|") };
        let time = |at: jiff::Timestamp| if at == STANDING { "ever".to_owned() } else { at.to_string() };
        let scope = &event.scope;
        let mut text = format!(
            "{who}: {} {} {} at {} by {}",
            serde_json::to_value(event.kind).expect("plain").as_str().expect("text"),
            join(scope.purposes.iter().cloned().collect()),
            join(scope.source_classes.iter().map(ToString::to_string).collect()),
            time(event.recorded_at),
            event.origin.field
        );
        let mut add = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                text.extend([", ", name, " ", &value]);
            }
        };
        add("basis", event.basis.map(|b| b.article().to_owned()));
        add("from", event.valid_from.map(time));
        add("to", event.valid_to.map(time));
        add("method", event.proof.method.clone());
        add("notice", event.proof.notice_id.clone());
        add("actor", event.proof.actor.clone());
        add("supersedes", event.supersedes.clone());
        let operations: Vec<String> = scope.operations.iter().map(ToString::to_string).collect();
        add("operations", (!operations.is_empty()).then(|| operations.join("|")));
        for (name, set) in
            [("categories", &scope.data_categories), ("recipients", &scope.recipients), ("regions", &scope.regions)]
        {
            add(name, (!set.is_empty()).then(|| set.iter().cloned().collect::<Vec<_>>().join("|")));
        }
        text
    }
}

#[test]
fn every_export_becomes_what_is_written() {
    let all = cases();
    assert!(all.len() >= 13, "only {} cases", all.len());
    for (dialect, folder) in all {
        let loaded = load(dialect, &folder);
        let outcome = loaded.outcome();
        let mut events: Vec<String> = outcome.events.iter().map(|e| loaded.told(e)).collect();
        events.sort();
        let problems = loaded.problems.iter().chain(&outcome.problems);
        let found = Expected {
            events,
            problems: problems.map(|p| format!("{} {}", p.reason, p.detail())).collect(),
            unmapped: outcome.unmapped.clone(),
            absent: outcome.absent.clone(),
            has_more: loaded.has_more,
            unclear: loaded.named(&outcome.unclear),
        };
        let path = folder.join("expected.json");
        if std::env::var_os("PROSOPON_UPDATE").is_some() {
            let text = serde_json::to_string_pretty(&found).expect("plain") + "\n";
            fs::write(&path, text).expect("writable");
        }
        let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let expected: Expected = serde_json::from_str(&text).expect("expected.json");
        assert_eq!(found, expected, "{}", folder.display());
    }
}

#[test]
fn nothing_personal_is_in_events_and_problems() {
    for (dialect, folder) in cases() {
        let loaded = load(dialect, &folder);
        let outcome = loaded.outcome();
        let letters: Vec<_> = outcome.problems.iter().map(|p| p.dead_letter(&ids())).collect();
        let text = format!("{:?} {} {letters:?} {:?}", outcome, json!(outcome.events), loaded.records);
        for word in ["Erika", "Beispiel", "@alpha", "@beta", "52100011"] {
            assert!(!text.to_lowercase().contains(&word.to_lowercase()), "{word} in {}", folder.display());
        }
        for event in &outcome.events {
            let commitment = event.origin.value_commitment.as_deref().unwrap_or_default();
            assert!(commitment.starts_with("hmac-sha256:"), "{event:?}");
            assert!(event.external_id.is_some() && event.origin.system == "crm");
        }
    }
}

#[test]
fn without_a_mapping_no_crm_grants_anything() {
    for (dialect, folder) in cases().into_iter().filter(|(d, _)| *d != Dialect::Table) {
        let loaded = load(dialect, &folder);
        let plain = loaded.run(&loaded.records, &Mapping::default());
        assert!(plain.events.iter().all(|e| e.kind.is_negative()), "{}", folder.display());
    }
}

#[test]
fn the_tables_are_sound() {
    for dialect in Dialect::ALL {
        let Some(spec) = spec::Spec::of(dialect) else { continue };
        assert!(sources(dialect).iter().all(|s| s.starts_with("https://")) && !sources(dialect).is_empty());
        for object in &spec.objects {
            let flags = object.flags.values().chain(object.statuses.values().filter_map(|s| s.opt_out.as_ref()));
            for flag in flags {
                assert!(flag.event.is_negative(), "{dialect} {}: a flag only takes away", object.name);
            }
            for (field, status) in &object.statuses {
                let says = |w: spec::Word| status.values.values().any(|v| *v == w);
                assert!(status.opt_out.is_some() || status.unknown == spec::Unknown::NoGrant, "{dialect} {field}");
                assert!(status.basis.is_some() || !says(spec::Word::OptIn), "{dialect} {field}");
            }
        }
    }
    // Two with an en dash, one with a hyphen: not to be tidied up.
    let text = include_str!("../../../../config/consent/hubspot.yaml");
    for exact in [
        "\"Legitimate interest \u{2013} prospect/lead\"",
        "\"Legitimate interest \u{2013} existing customer\"",
        "\"Legitimate interest - other\"",
    ] {
        assert!(text.contains(exact), "{exact}");
    }
}

#[test]
fn the_example_mapping_is_valid_and_mistakes_are_told() {
    let example = include_str!("../../../../config/consent/mapping.example.yaml");
    Mapping::parse(example, "m.yaml").expect("the example is valid");
    let base = json!({
        "dialect": "salesforce", "field": "PrivacyConsentStatus", "value": "OptIn", "purpose": "P", "basis": "consent",
        "purposes": ["profiling"], "source_classes": ["crm"], "method": "web_form", "notice_id": "N",
        "wording_hash": format!("sha256:{}", "0".repeat(64)),
    });
    let told = |changes: &[(&str, Value)]| {
        let mut entry = base.clone();
        for (field, value) in changes {
            entry[*field] = value.clone();
        }
        let file = json!({ "version": 1, "grants": [entry] });
        Mapping::parse(&file.to_string(), "m.yaml").err().map_or("valid".to_owned(), |e| e[0].to_string())
    };
    assert_eq!(told(&[]), "valid");
    let mistakes: [(&[(&str, Value)], &str); 12] = [
        (&[("purposes", json!([]))], "purposes: name at least one"),
        (&[("source_classes", json!([]))], "source_classes: name at least one"),
        (&[("source_classes", json!(["login_or_restricted"]))], "can never be granted"),
        (&[("purpose", Value::Null)], "name the one that is meant"),
        (&[("value", json!("OptOut"))], "is no value of PrivacyConsentStatus that says yes"),
        (&[("value", json!("*"))], "is no value of"),
        (&[("field", json!("DoNotCall"))], "is no field of salesforce that can say yes: PrivacyConsentStatus"),
        (&[("basis", json!("legitimate_interest"))], "claims consent"),
        (&[("method", json!(" "))], "method: a consent without it proves nothing"),
        (&[("wording_hash", json!("sha256:00"))], "64 small hex digits"),
        (&[("dialect", json!("table"))], "takes no mapping"),
        (
            &[
                ("dialect", json!("pipedrive")),
                ("field", json!("marketing_status")),
                ("value", json!("subscribed")),
                ("purpose", Value::Null),
            ],
            "\"marketing_status\" never grants \"profiling\"",
        ),
    ];
    for (changes, expected) in mistakes {
        let text = told(changes);
        assert!(text.starts_with("m.yaml:1:24: error: entry 1 of the mapping"), "{changes:?}: {text}");
        assert!(text.contains(expected), "{changes:?}: {text}");
    }
    let twice = json!({ "version": 1, "grants": [base, base] });
    let told = |text: &str| {
        let told = Mapping::parse(text, "m.yaml").expect_err("a mistake");
        told.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    };
    assert!(told(&twice.to_string()).contains(": error: entry 2 of the mapping"));
    assert_eq!(
        told("version: 2\ngrants: []\nextra: 1\n"),
        "m.yaml:1:10: error: 2 is out of range, expected a number such as 1\n\
         m.yaml:3:1: error: unknown key \"extra\", known are version, grants"
    );
}

/// One scope in every place where it can be said: of a dialect, and in a column of the contacts.
#[test]
fn an_opt_out_of_all_processing_has_one_scope_everywhere() {
    let person = Case { people: ["K-1".to_owned()].into(), emails: BTreeMap::new(), mapping: None, erased: [].into() };
    for (dialect, field, id) in [
        (Dialect::Hubspot, "hs_contact_enrichment_opt_out", "id"),
        (Dialect::Dynamics, "msdyn_gdproptout", "contactid"),
        (Dialect::Salesforce, "HasOptedOutProcessing", ""),
    ] {
        let record = match dialect {
            Dialect::Salesforce => json!({ "Id": "K-1", "IndividualId": "I", "Individual": { (field): true } }),
            _ => json!({ (id): "K-1", "hs_object_id": "K-1", (field): true }),
        };
        let records = parse("f.json", record.to_string().as_bytes()).expect("readable").records;
        let (case, mapping) = (person.clone(), Mapping::default());
        let loaded = Loaded { dialect, case, records, problems: vec![], mapping, has_more: false };
        let of_dialect = loaded.outcome().events;
        let dir = tempfile::tempdir().expect("a folder for the test");
        let path = dir.path().join("contacts.csv");
        let header = if dialect == Dialect::Salesforce { "Has Opted Out Processing" } else { field };
        fs::write(&path, format!("id;name;{header}\nK-1;Erika Beispiel;true\n")).expect("a file for the test");
        let set = crate::crm::FileSet { path: path.display().to_string(), ..Default::default() };
        let source = crate::crm::CsvSource { name: "crm".into(), contacts: set, ..Default::default() };
        let pulled = crate::crm::pull(&source, Path::new("")).expect("a readable file");
        let of_column =
            crate::consent::import::import("crm", &pulled.contacts.iter().collect::<Vec<_>>(), &[], &ids()).events;
        for events in [of_dialect, of_column] {
            let scopes: Vec<_> = events.iter().map(|e| (e.kind, e.scope.clone(), e.recorded_at)).collect();
            assert_eq!(scopes, [(EventKind::Refuse, Scope::default().into(), STANDING)], "{field}");
        }
    }
}

#[test]
fn parquet_and_csv_give_the_same_events() {
    use arrow_array::builder::{ListBuilder, StringBuilder};
    use arrow_array::{ArrayRef, RecordBatch, StringArray, TimestampMicrosecondArray};
    use std::sync::Arc;
    let mut purposes = ListBuilder::new(StringBuilder::new());
    purposes.values().append_value("persona_enrichment");
    purposes.append(true);
    purposes.append(false);
    let text = |values: [Option<&str>; 2]| -> ArrayRef { Arc::new(StringArray::from(values.to_vec())) };
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("contact_id", text([Some("K-1"), Some("K-2")])),
        ("kind", text([Some("grant"), Some("withdraw")])),
        ("basis", text([Some("6(1)(a)"), None])),
        ("purposes", Arc::new(purposes.finish())),
        ("source_classes", text([Some("crm"), None])),
        ("recorded_at", Arc::new(TimestampMicrosecondArray::from(vec![Some(1_748_765_700_000_000), None]))),
    ];
    let batch = RecordBatch::try_from_iter(columns).expect("equal lengths");
    let mut bytes = Vec::new();
    let mut writer = ::parquet::arrow::ArrowWriter::try_new(&mut bytes, batch.schema(), None).expect("a schema");
    writer.write(&batch).expect("in memory");
    writer.close().expect("in memory");
    let csv = "contact_id,kind,basis,purposes,source_classes,recorded_at\n\
               K-1,grant,6(1)(a),persona_enrichment,crm,2025-06-01T08:15:00Z\nK-2,withdraw,,,,\n";
    let case = Case {
        people: ["K-1".to_owned(), "K-2".to_owned()].into(),
        emails: BTreeMap::new(),
        mapping: None,
        erased: BTreeSet::new(),
    };
    let events = |bytes: &[u8]| {
        let records = parse("f", bytes).expect("readable").records;
        let loaded = Loaded {
            dialect: Dialect::Table,
            case: case.clone(),
            records,
            problems: vec![],
            mapping: Mapping::default(),
            has_more: false,
        };
        let outcome = loaded.outcome();
        assert!(outcome.problems.is_empty(), "{:?}", outcome.problems);
        outcome.events
    };
    assert_eq!(events(&bytes), events(csv.as_bytes()));
    assert_eq!(events(&bytes).len(), 2);
}

fn folder_of(dialect: Dialect, case: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/consent").join(dialect.as_str()).join(case)
}
