//! Consent records and right exercise records in DPV 2.3, in one consent receipt a person.
//!
//! Shape: "Consent Records and Receipts as per ISO/IEC TS 27560:2023 using DPV" (w3id.org/dpv/guides/consent-27560)
//! and its schema IRIs (w3id.org/dpv/schema/dpv-27560).
//!
//! Invariant: the context is inline, so that nobody needs the network to read a record, and every property stands in
//! it, so that a processor drops none. No name, no address: a subject is its tag.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use data_encoding::HEXLOWER;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Known;
use crate::consent::dialect::STANDING;
use crate::consent::event::{EventKind, LawfulBasis, LegalEvent, Scope};
use crate::model::SubjectId;

/// The schema that a receipt conforms to, with its version.
pub const RECEIPT_SCHEMA: &str = "https://w3id.org/dpv/schema/dpv-27560#receipt-eu-gdpr";
const RECORD_SCHEMA: &str = "https://w3id.org/dpv/schema/dpv-27560#record-eu-gdpr";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Words {
    #[expect(dead_code, reason = "a format version, read so that an unknown key is refused")]
    version: u32,
    purposes: BTreeMap<String, String>,
    operations: BTreeMap<String, String>,
    source_classes: BTreeMap<String, String>,
    data_categories: BTreeMap<String, String>,
}

static WORDS: LazyLock<Words> = LazyLock::new(|| {
    let text = include_str!("../../../config/consent/dpv.yaml");
    serde_saphyr::from_str(text).expect("the embedded table is checked by a test")
});

/// Who exports, and when.
#[derive(Debug, Clone)]
pub struct Exporter<'a> {
    /// The controller.
    pub controller: &'a str,
    /// When the receipts are made.
    pub at: Timestamp,
}

/// A document with one receipt a person.
#[must_use]
pub fn export(exporter: &Exporter<'_>, people: &[(SubjectId, Vec<Known>)]) -> Value {
    let receipts: Vec<Value> = people.iter().map(|(subject, events)| receipt(exporter, subject, events)).collect();
    json!({ "@context": context(), "@graph": receipts })
}

fn context() -> Value {
    let date = |iri: &str| json!({ "@id": iri, "@type": "xsd:dateTime" });
    let iri = |iri: &str| json!({ "@id": iri, "@type": "@id" });
    json!({
        "@version": 1.1,
        "dpv": "https://w3id.org/dpv#",
        "eu-gdpr": "https://w3id.org/dpv/legal/eu/gdpr#",
        "pd": "https://w3id.org/dpv/pd#",
        "dct": "http://purl.org/dc/terms/",
        "spdx": "http://spdx.org/rdf/terms#",
        "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
        "xsd": "http://www.w3.org/2001/XMLSchema#",
        "dct:conformsTo": iri("dct:conformsTo"),
        "dct:created": date("dct:created"),
        "dct:date": date("dct:date"),
        "dpv:isIndicatedAtTime": date("dpv:isIndicatedAtTime"),
        "dpv:hasLegalBasis": iri("dpv:hasLegalBasis"),
        "dpv:hasProcessing": iri("dpv:hasProcessing"),
        "dpv:hasRight": iri("dpv:hasRight"),
        "dpv:hasStatus": iri("dpv:hasStatus"),
        "dpv:hasNoticeStatus": iri("dpv:hasNoticeStatus"),
        "dpv:isIndicatedBy": iri("dpv:isIndicatedBy"),
        "spdx:algorithm": iri("spdx:algorithm"),
    })
}

fn receipt(exporter: &Exporter<'_>, subject: &SubjectId, events: &[Known]) -> Value {
    let id = urn("receipt", &format!("{subject}:{}", exporter.at));
    json!({
        "@id": id,
        "@type": "dpv:ConsentReceipt",
        "dct:conformsTo": RECEIPT_SCHEMA,
        "dpv:hasIdentifier": id,
        "dct:created": exporter.at.to_string(),
        "dpv:hasDataController": controller(exporter),
        "dpv:hasDataSubject": data_subject(subject),
        "dpv:hasRecordOfActivity": events.iter().map(|known| record(exporter, known)).collect::<Vec<_>>(),
    })
}

fn urn(kind: &str, body: &str) -> String {
    format!("urn:prosopon:{kind}:{body}")
}

fn controller(exporter: &Exporter<'_>) -> Value {
    json!({ "@type": ["dpv:DataController", "dpv:Organisation"], "dct:title": exporter.controller })
}

fn data_subject(subject: &SubjectId) -> Value {
    json!({ "@id": urn("subject", subject.as_str()), "@type": "dpv:DataSubject", "dct:identifier": subject.as_str() })
}

/// One event as a record.
fn record(exporter: &Exporter<'_>, known: &Known) -> Value {
    let event = &known.event;
    let id = urn("event", &HEXLOWER.encode(&event.digest()));
    let mut record = Map::new();
    let mut set = |name: &str, value: Value| {
        record.insert(name.to_owned(), value);
    };
    set("@id", json!(id));
    set("dct:identifier", json!(event.external_id.as_deref().unwrap_or(&id)));
    set("dct:conformsTo", json!(RECORD_SCHEMA));
    set("dpv:hasDataSubject", data_subject(&event.subject));
    set("dpv:hasDataController", controller(exporter));
    set("dct:source", source(event));
    if let Some(at) = known.known_at {
        set("dct:created", json!(at.to_string()));
    }
    if event.recorded_at != STANDING {
        set("dct:date", json!(event.recorded_at.to_string()));
    }
    // Where a table's own id is no IRI, it is told as text.
    if let Some(replaced) = &event.supersedes {
        set("dct:provenance", json!(format!("supersedes {replaced}")));
    }
    let process = process(event);
    if !process.is_empty() {
        set("dpv:hasProcess", Value::Object(process));
    }
    if let Some(basis) = event.basis {
        set("dpv:hasLegalBasis", json!(article(basis)));
    }
    if let Some(notice) = notice(event) {
        set("dpv:hasNotice", notice);
    }
    what_happened(event, &mut set);
    Value::Object(record)
}

const fn article(basis: LawfulBasis) -> &'static str {
    match basis {
        LawfulBasis::Consent => "eu-gdpr:A6-1-a",
        LawfulBasis::LegitimateInterest => "eu-gdpr:A6-1-f",
    }
}

/// The type of the record, and its status or right.
fn what_happened(event: &LegalEvent, set: &mut impl FnMut(&str, Value)) {
    let by_consent = event.basis != Some(LawfulBasis::LegitimateInterest);
    let status = match event.kind {
        EventKind::Grant if by_consent => Some("dpv:ConsentGiven"),
        EventKind::Withdraw => Some("dpv:ConsentWithdrawn"),
        EventKind::Refuse => Some("dpv:ConsentRefused"),
        _ => None,
    };
    if let Some(status) = status {
        set("@type", json!("dpv:ConsentRecord"));
        set("dpv:hasConsentStatus", indication(status, event));
        if event.kind == EventKind::Withdraw {
            set("dpv:hasRight", json!("eu-gdpr:A7-3"));
        }
        return;
    }
    let right = match event.kind {
        EventKind::Object => "eu-gdpr:A21",
        // A lift with purposes decides an objection, one without ends a restriction.
        EventKind::Lift if !event.scope.purposes.is_empty() => "eu-gdpr:A21",
        EventKind::Restrict | EventKind::Lift => "eu-gdpr:A18",
        EventKind::Erase => "eu-gdpr:A17",
        EventKind::Rectify => "eu-gdpr:A16",
        EventKind::Notice => {
            set("@type", json!("dpv:DataProcessingRecord"));
            return set("dpv:hasRight", json!("eu-gdpr:A14"));
        }
        EventKind::Assessment => {
            set("@type", json!("dpv:DataProcessingRecord"));
            return set("dpv:hasAssessment", json!({ "@type": "dpv:Assessment" }));
        }
        EventKind::Grant | EventKind::Withdraw | EventKind::Refuse => {
            return set("@type", json!("dpv:DataProcessingRecord"));
        }
    };
    set("@type", json!("dpv:RightExerciseRecord"));
    set("dpv:hasRight", json!(right));
    if event.kind == EventKind::Lift {
        set("dpv:hasStatus", json!("dpv:RequestFulfilled"));
    }
    set("dpv:hasContext", indication("dpv:RightExerciseActivity", event));
}

/// When, how and by whom something was indicated, and until when it holds.
fn indication(kind: &str, event: &LegalEvent) -> Value {
    let mut status = Map::new();
    status.insert("@type".to_owned(), json!(kind));
    if event.effective_at() != STANDING {
        status.insert("dpv:isIndicatedAtTime".to_owned(), json!(event.effective_at().to_string()));
    }
    if event.proof.is_of_the_subject() {
        status.insert("dpv:isIndicatedBy".to_owned(), json!(urn("subject", event.subject.as_str())));
    }
    if let Some(method) = &event.proof.method {
        status.insert("dpv:hasIndicationMethod".to_owned(), json!(method));
    }
    if let Some(actor) = &event.proof.actor {
        status.insert("dct:creator".to_owned(), json!(actor));
    }
    let duration = match event.valid_to {
        Some(end) => json!({
            "@type": "dpv:UntilTimeDuration",
            "rdf:value": { "@type": "xsd:dateTime", "@value": end.to_string() },
        }),
        None => json!({ "@type": "dpv:IndeterminateDuration" }),
    };
    status.insert("dpv:hasDuration".to_owned(), duration);
    Value::Object(status)
}

/// System, field and commitment of where the event was read.
fn source(event: &LegalEvent) -> Value {
    let mut source = Map::new();
    source.insert("dct:title".to_owned(), json!(format!("{} {}", event.origin.system, event.origin.field)));
    if let Some(commitment) = &event.origin.value_commitment {
        source.insert("dct:identifier".to_owned(), json!(commitment));
    }
    Value::Object(source)
}

fn notice(event: &LegalEvent) -> Option<Value> {
    let proof = &event.proof;
    if proof.notice_id.is_none() && proof.wording_hash.is_none() && event.kind != EventKind::Notice {
        return None;
    }
    let mut notice = Map::new();
    let kind = if event.kind == EventKind::Notice {
        json!(["dpv:PrivacyNotice", "eu-gdpr:IndirectDataCollectionNotice"])
    } else {
        json!("dpv:ConsentNotice")
    };
    notice.insert("@type".to_owned(), kind);
    notice.insert("dpv:hasNoticeStatus".to_owned(), json!("dpv:NoticeCommunicated"));
    if let Some(id) = &proof.notice_id {
        notice.insert("dct:identifier".to_owned(), json!(id));
    }
    if let Some(language) = &proof.language {
        notice.insert("dct:language".to_owned(), json!(language));
    }
    if let Some(hash) = &proof.wording_hash {
        let value = hash.strip_prefix("sha256:").unwrap_or(hash);
        let checksum = json!({
            "@type": "spdx:Checksum",
            "spdx:algorithm": "spdx:checksumAlgorithm_sha256",
            "spdx:checksumValue": value,
        });
        notice.insert("spdx:checksum".to_owned(), checksum);
    }
    Some(Value::Object(notice))
}

/// Purposes, operations, data, sources, recipients.
fn process(event: &LegalEvent) -> Map<String, Value> {
    let scope: &Scope = &event.scope;
    let mut process = Map::new();
    let mut set = |name: &str, values: Vec<Value>| {
        if !values.is_empty() {
            process.insert(name.to_owned(), Value::Array(values));
        }
    };
    let named = |general: &str, words: &BTreeMap<String, String>, name: &str| {
        let kinds: Vec<&str> = std::iter::once(general).chain(words.get(name).map(String::as_str)).collect();
        json!({ "@type": kinds, "dct:title": name })
    };
    set("dpv:hasPurpose", scope.purposes.iter().map(|p| named("dpv:Purpose", &WORDS.purposes, p)).collect());
    set("dpv:hasProcessing", scope.operations.iter().map(|o| json!(WORDS.operations[o.as_str()])).collect());
    let data = scope.data_categories.iter().map(|c| named("dpv:PersonalData", &WORDS.data_categories, c));
    set("dpv:hasPersonalData", data.collect());
    let sources = scope.source_classes.iter().map(|c| named("dpv:DataSource", &WORDS.source_classes, c.as_str()));
    set("dpv:hasDataSource", sources.collect());
    let recipients = scope.recipients.iter().map(|r| json!({ "@type": "dpv:Recipient", "dct:title": r }));
    set("dpv:hasRecipient", recipients.collect());
    let regions = scope.regions.iter().map(|r| json!({ "@type": "dpv:Location", "dct:title": r }));
    set("dpv:hasLocation", regions.collect());
    if !process.is_empty() {
        process.insert("@type".to_owned(), json!("dpv:Process"));
    }
    process
}
