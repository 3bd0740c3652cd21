//! The export names only terms that DPV 2.3 has, holds nothing personal, and tells every kind of event; the proof
//! tells what is missing.

use std::collections::BTreeSet;

use serde_json::Value;

use super::*;
use crate::consent::dialect::STANDING;
use crate::consent::event::{EventKind, LawfulBasis, Origin, Proof as Evidence, Scope};
use crate::taxonomy::{Operation, SourceClass};

/// Terms of `dpv.ttl`, `eu-gdpr.ttl` and `pd.ttl` of release 2.3, and of the other vocabularies, that were looked up
/// one by one: <https://github.com/w3c/dpv/tree/master/2.3>.
const TERMS: &str = "\
    dpv:Assessment dpv:Collect dpv:ConsentGiven dpv:ConsentNotice dpv:ConsentReceipt dpv:ConsentRecord \
    dpv:ConsentRefused dpv:ConsentWithdrawn dpv:CustomerRelationshipManagement dpv:DataController \
    dpv:DataProcessingRecord dpv:DataSource dpv:DataSubject dpv:Derive dpv:DirectMarketing dpv:Disclose \
    dpv:IndeterminateDuration dpv:Infer dpv:Location dpv:NonPublicDataSource dpv:NoticeCommunicated \
    dpv:Organisation dpv:PersonalData dpv:Personalisation dpv:PrivacyNotice dpv:Process dpv:Profiling \
    dpv:PublicDataSource dpv:Purpose dpv:Recipient dpv:RequestFulfilled dpv:RightExerciseActivity \
    dpv:RightExerciseRecord dpv:Store dpv:UntilTimeDuration dpv:hasAssessment dpv:hasConsentStatus dpv:hasContext \
    dpv:hasDataController dpv:hasDataSource dpv:hasDataSubject dpv:hasDuration dpv:hasIdentifier \
    dpv:hasIndicationMethod dpv:hasLegalBasis dpv:hasLocation dpv:hasNotice dpv:hasNoticeStatus \
    dpv:hasPersonalData dpv:hasProcess dpv:hasProcessing dpv:hasPurpose dpv:hasRecipient dpv:hasRecordOfActivity \
    dpv:hasRight dpv:hasStatus dpv:isIndicatedAtTime dpv:isIndicatedBy \
    eu-gdpr:A6-1-a eu-gdpr:A6-1-f eu-gdpr:A7-3 eu-gdpr:A14 eu-gdpr:A16 eu-gdpr:A17 eu-gdpr:A18 eu-gdpr:A21 \
    eu-gdpr:IndirectDataCollectionNotice \
    pd:Contact pd:Interest pd:Job pd:Personality pd:Preference \
    dct:conformsTo dct:created dct:creator dct:date dct:identifier dct:language dct:provenance dct:source dct:title \
    spdx:Checksum spdx:algorithm spdx:checksum spdx:checksumAlgorithm_sha256 spdx:checksumValue rdf:value \
    xsd:dateTime";

fn at(text: &str) -> Timestamp {
    text.parse().expect("a test writes timestamps")
}

fn event(kind: EventKind, day: &str) -> LegalEvent {
    LegalEvent {
        external_id: Some(format!("E-{kind:?}-{day}")),
        subject: SubjectId::from_body("test"),
        kind,
        basis: None,
        scope: Scope::default().into(),
        valid_from: None,
        valid_to: None,
        recorded_at: at(&format!("{day}T00:00:00Z")),
        proof: Evidence::default().into(),
        origin: Origin { system: "crm".into(), field: "table".into(), value_commitment: None }.into(),
        supersedes: None,
    }
}

fn grant(day: &str, basis: LawfulBasis) -> LegalEvent {
    LegalEvent {
        basis: Some(basis),
        scope: Scope {
            purposes: ["persona_enrichment", "profiling", "something_else"].map(str::to_owned).into(),
            operations: Operation::ALL.iter().copied().collect(),
            source_classes: [SourceClass::Crm, SourceClass::CompanySite].into(),
            data_categories: ["job", "traits", "motives", "preferences", "professional_contact"]
                .map(str::to_owned)
                .into(),
            recipients: ["sales".to_owned()].into(),
            regions: ["EEA".to_owned()].into(),
        }
        .into(),
        valid_to: Some(at("2027-06-01T00:00:00Z")),
        proof: Evidence {
            method: Some("web_form".into()),
            notice_id: Some("N-1".into()),
            wording_hash: Some("sha256:00".into()),
            language: Some("de".into()),
            actor: Some("Messe-Team".into()),
        }
        .into(),
        ..event(EventKind::Grant, day)
    }
}

fn known(events: Vec<LegalEvent>) -> Vec<Known> {
    let known_at = Some(at("2025-09-01T00:00:00Z"));
    let mut known: Vec<Known> = events.into_iter().map(|event| Known { event, known_at }).collect();
    sort(&mut known);
    known
}

fn everything() -> Vec<Known> {
    use EventKind::{Assessment, Erase, Lift, Notice, Object, Rectify, Refuse, Restrict, Withdraw};
    let kinds = [Refuse, Withdraw, Object, Restrict, Lift, Erase, Notice, Assessment, Rectify];
    let mut events: Vec<LegalEvent> = kinds.into_iter().map(|kind| event(kind, "2025-07-01")).collect();
    events.push(grant("2025-06-01", LawfulBasis::Consent));
    events.push(grant("2025-06-01", LawfulBasis::LegitimateInterest));
    events.push(LegalEvent { recorded_at: STANDING, supersedes: Some("E-1".into()), ..event(Refuse, "2025-07-01") });
    known(events)
}

fn document() -> Value {
    let exporter = Exporter { controller: "Example Machines GmbH", at: at("2026-03-02T03:00:00Z") };
    export(&exporter, &[(SubjectId::from_body("test"), everything())])
}

fn terms(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map.iter().filter(|(key, _)| *key != "@context") {
                found.extend(key.contains(':').then(|| key.clone()));
                terms(value, found);
            }
        }
        Value::Array(values) => values.iter().for_each(|v| terms(v, found)),
        Value::String(text) => {
            let prefixes = ["dpv:", "eu-gdpr:", "pd:", "dct:", "spdx:", "xsd:", "rdf:"];
            found.extend(prefixes.iter().any(|p| text.starts_with(p)).then(|| text.clone()));
        }
        _ => {}
    }
}

#[test]
fn every_term_is_one_of_the_vocabularies_and_every_term_is_used() {
    let mut found = BTreeSet::new();
    terms(&document(), &mut found);
    let mut marketing = event(EventKind::Object, "2025-07-01");
    marketing.scope.purposes = ["marketing".to_owned()].into();
    let exporter = Exporter { controller: "C", at: at("2026-03-02T03:00:00Z") };
    terms(&export(&exporter, &[(SubjectId::from_body("t"), known(vec![marketing]))]), &mut found);
    let listed: BTreeSet<String> = TERMS.split_whitespace().map(str::to_owned).collect();
    assert_eq!(found, listed);
}

#[test]
fn a_record_says_what_happened() {
    let document = document();
    let receipt = &document["@graph"][0];
    assert_eq!(receipt["dct:conformsTo"], RECEIPT_SCHEMA);
    let records = receipt["dpv:hasRecordOfActivity"].as_array().expect("records");
    assert_eq!(records.len(), everything().len());
    let of = |kind: &str, path: &str| {
        let has = |r: &&Value| r["@type"] == kind;
        records.iter().filter(has).filter_map(|r| r.pointer(path)).cloned().collect::<Vec<_>>()
    };
    let statuses = of("dpv:ConsentRecord", "/dpv:hasConsentStatus/@type");
    for status in ["dpv:ConsentGiven", "dpv:ConsentWithdrawn", "dpv:ConsentRefused"] {
        assert!(statuses.contains(&Value::from(status)), "{status}");
    }
    assert_eq!(of("dpv:ConsentRecord", "/dpv:hasLegalBasis"), ["eu-gdpr:A6-1-a"]);
    assert!(of("dpv:DataProcessingRecord", "/dpv:hasLegalBasis").contains(&Value::from("eu-gdpr:A6-1-f")));
    assert_eq!(of("dpv:RightExerciseRecord", "/dpv:hasRight").len(), 5);
    let undated = records.iter().filter(|r| r.get("dct:date").is_none()).count();
    assert_eq!(undated, 1, "what stands from ever has no date, and no date at the end of time");
    assert!(!document.to_string().contains("9999"));
}

#[test]
fn a_proof_tells_how_each_grant_stands_and_what_is_missing() {
    use Missing::{ActOfThePerson, Actor, Language, Method, NoticeId, ValueCommitment, WordingHash};
    let now = at("2026-03-02T03:00:00Z");
    let one = |events: Vec<LegalEvent>| -> Vec<(EventKind, State, Vec<Missing>)> {
        let mut proof = proof("sub_test", &known(events), now);
        let entries = proof.purposes.remove("profiling").unwrap_or_default();
        entries.into_iter().map(|e| (e.kind, e.state, e.missing)).collect()
    };
    let consent = grant("2025-06-01", LawfulBasis::Consent);
    let stands = |state| vec![(EventKind::Grant, state, vec![Missing::ValueCommitment])];
    assert_eq!(one(vec![consent.clone()]), stands(State::Stands));
    assert_eq!(one(vec![LegalEvent { valid_to: Some(now), ..consent.clone() }]), stands(State::Ended));
    assert_eq!(one(vec![grant("2026-06-01", LawfulBasis::Consent)]), stands(State::NotYet));
    assert_eq!(one(vec![consent.clone(), event(EventKind::Withdraw, "2025-06-01")]), stands(State::TakenBack));
    assert_eq!(one(vec![consent.clone(), event(EventKind::Withdraw, "2025-05-31")]), stands(State::Stands));
    assert_eq!(one(vec![consent.clone(), event(EventKind::Object, "2025-05-31")]), stands(State::TakenBack));
    let replacing = LegalEvent { supersedes: consent.external_id.clone(), ..event(EventKind::Rectify, "2025-08-01") };
    assert_eq!(one(vec![consent.clone(), replacing]), stands(State::Superseded));
    let bare = LegalEvent { proof: Evidence::default().into(), ..consent.clone() };
    let missing = one(vec![bare]).remove(0).2;
    assert_eq!(missing, [Method, NoticeId, WordingHash, Language, Actor, ValueCommitment]);
    let synced = Evidence { method: Some("crm_sync".into()), ..Evidence::clone(&consent.proof) };
    assert_eq!(one(vec![LegalEvent { proof: synced.into(), ..consent }])[0].2, [ActOfThePerson, ValueCommitment]);
    assert!(one(vec![grant("2025-06-01", LawfulBasis::LegitimateInterest)])[0].2.is_empty());
}
