//! Cases of the gate in `testdata/gate/*.yaml`: one table of requests, events and answers.
//!
//! Invariant: every reason has a case in which it is the only one, and every check one that fails without it, see
//! `mutants`.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Deserialize;

use super::{policy_file, proven, subject};
use crate::consent::decide::{Asked, Granted, Modality, OptOut, Reason, Refusal, Request, View, decide};
use crate::consent::event::{EventKind, LawfulBasis, LegalEvent, Origin, Proof, Scope};
use crate::consent::policy::{Policy, source_hash, trait_list_hash};
use crate::consent::reference;
use crate::model::{AccountId, Target};
use crate::taxonomy::{Operation, SourceClass, Trait};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    cases: Vec<Case>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Case {
    pub name: String,
    /// JSON pointer -> value of the demo policy; null removes.
    #[serde(default)]
    policy: BTreeMap<String, serde_json::Value>,
    #[serde(default)]
    request: CaseRequest,
    #[serde(default)]
    view: CaseView,
    #[serde(default)]
    events: Vec<CaseEvent>,
    /// `permit ARTICLE`, or the reasons.
    expect: Vec<String>,
    valid_until: Option<Timestamp>,
    /// `notice_status` of a permit.
    notice: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct CaseRequest {
    target: String,
    operation: Operation,
    purpose: String,
    source: String,
    host: Option<String>,
    account_host: Option<String>,
    opt_out: String,
    collected_at: Timestamp,
    categories: Vec<String>,
    modality: String,
    evidence_at: Option<Timestamp>,
    traits: Vec<Trait>,
    model: Option<String>,
}

impl Default for CaseRequest {
    fn default() -> Self {
        Self {
            target: "subject".into(),
            operation: Operation::Infer,
            purpose: "persona_enrichment".into(),
            source: "crm".into(),
            host: None,
            account_host: None,
            opt_out: "not_applicable".into(),
            collected_at: super::at("2026-02-20T00:00:00Z"),
            categories: Vec::new(),
            modality: "text".into(),
            evidence_at: None,
            traits: Vec::new(),
            model: None,
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct CaseView {
    now: Timestamp,
    known: bool,
    ambiguous: bool,
    intact: bool,
    last_sync: Option<Timestamp>,
    newest: Option<Timestamp>,
}

impl Default for CaseView {
    fn default() -> Self {
        let sync = Some(super::at("2026-03-02T02:00:00Z"));
        Self { now: super::now(), known: true, ambiguous: false, intact: true, last_sync: sync, newest: sync }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseEvent {
    kind: EventKind,
    id: Option<String>,
    basis: Option<LawfulBasis>,
    #[serde(default)]
    purposes: BTreeSet<String>,
    #[serde(default)]
    operations: BTreeSet<Operation>,
    #[serde(default)]
    classes: BTreeSet<SourceClass>,
    #[serde(default)]
    categories: BTreeSet<String>,
    #[serde(default)]
    recipients: BTreeSet<String>,
    #[serde(default)]
    regions: BTreeSet<String>,
    supersedes: Option<String>,
    /// Another CRM.
    system: Option<String>,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    /// Absent = a flag, without end.
    recorded: Option<Timestamp>,
    #[serde(default)]
    proven: bool,
    /// Instead of those of a proof.
    method: Option<String>,
    notice_id: Option<String>,
    hash: Option<String>,
}

impl CaseEvent {
    fn event(&self) -> LegalEvent {
        let mut proof = if self.proven { proven() } else { Proof::default() };
        let own = [
            (&self.method, &mut proof.method),
            (&self.notice_id, &mut proof.notice_id),
            (&self.hash, &mut proof.wording_hash),
        ];
        own.into_iter().filter(|(own, _)| own.is_some()).for_each(|(own, field)| field.clone_from(own));
        LegalEvent {
            external_id: self.id.clone(),
            subject: subject(),
            kind: self.kind,
            basis: self.basis,
            scope: Scope {
                purposes: self.purposes.clone(),
                operations: self.operations.clone(),
                source_classes: self.classes.clone(),
                data_categories: self.categories.clone(),
                recipients: self.recipients.clone(),
                regions: self.regions.clone(),
            }
            .into(),
            valid_from: self.from,
            valid_to: self.to,
            recorded_at: self.recorded.unwrap_or(Timestamp::MAX),
            proof: proof.into(),
            origin: Origin {
                system: self.system.clone().unwrap_or_else(|| "crm".into()),
                field: "consents".into(),
                value_commitment: None,
            }
            .into(),
            supersedes: self.supersedes.clone(),
        }
    }
}

fn patched(patches: &BTreeMap<String, serde_json::Value>) -> Policy {
    let mut json = serde_json::to_value(policy_file()).expect("a policy has only string keys");
    // A case writes `HASH crm` for the hash of a registration, and `HASH` for that of the traits.
    let hashed = |value: &serde_json::Value| -> serde_json::Value {
        let registered = policy_file().sources;
        let text = value.to_string().replace("\"HASH\"", &format!("{:?}", trait_list_hash()));
        let text = registered.iter().fold(text, |text, (id, source)| {
            text.replace(&format!("\"HASH {id}\""), &format!("{:?}", source_hash(id, source)))
        });
        serde_json::from_str(&text).expect("still JSON")
    };
    for (pointer, value) in patches {
        let value = &hashed(value);
        let (parent, key) = pointer.rsplit_once('/').expect("a JSON pointer begins with a slash");
        let parent = json.pointer_mut(parent).and_then(|p| p.as_object_mut()).expect("the parent is an object");
        if value.is_null() {
            parent.remove(key).expect("only what is there can be removed");
        } else {
            parent.insert(key.to_owned(), value.clone());
        }
    }
    Policy::new(serde_json::from_value(json).expect("the patched policy is a policy"))
}

fn target(text: &str) -> Target {
    match text.split_once(':') {
        Some(("host", host)) => Target::Host(host.to_owned()),
        _ if text == "account" => Target::Account(AccountId::from_body("test")),
        _ => Target::Subject(subject(), None),
    }
}

/// A case, ready to be asked again and again.
pub(super) struct Prepared {
    pub case: Case,
    policy: Policy,
    target: Target,
    events: Vec<LegalEvent>,
}

impl Prepared {
    fn new(case: Case) -> Self {
        let (policy, target) = (patched(&case.policy), target(&case.request.target));
        let events = case.events.iter().map(CaseEvent::event).collect();
        Self { case, policy, target, events }
    }

    /// Hands the question to a test.
    fn ask<T>(&self, events: &[LegalEvent], test: impl FnOnce(&Request<'_>, &View<'_>) -> T) -> T {
        let (asked, v) = (&self.case.request, &self.case.view);
        let categories: Vec<&str> = asked.categories.iter().map(String::as_str).collect();
        let request = Request {
            target: &self.target,
            operation: asked.operation,
            purpose: &asked.purpose,
            source_id: &asked.source,
            host: asked.host.as_deref(),
            account_host: asked.account_host.as_deref(),
            opt_out: match asked.opt_out.as_str() {
                "not_applicable" => OptOut::NotApplicable,
                "free" => OptOut::Free,
                "robots_disallow" => OptOut::RobotsDisallow,
                "tdm_reserved" => OptOut::TdmReserved,
                other => panic!("{}: no opt-out {other:?}", self.case.name),
            },
            collected_at: Some(asked.collected_at),
            asked: Asked {
                data_categories: &categories,
                modality: match asked.modality.as_str() {
                    "text" => Modality::Text,
                    "image" => Modality::Image,
                    "audio" => Modality::Audio,
                    "video" => Modality::Video,
                    "biometric" => Modality::Biometric,
                    other => panic!("{}: no modality {other:?}", self.case.name),
                },
                evidence_at: asked.evidence_at,
                traits: &asked.traits,
                model: asked.model.as_deref(),
            },
        };
        let view = View {
            events: v.known.then_some(events),
            ambiguous: v.ambiguous,
            intact: v.intact,
            last_sync: v.last_sync,
            newest: v.newest,
        };
        test(&request, &view)
    }

    /// What the gate says against what is expected; `None` = the same.
    pub fn failure(&self) -> Option<String> {
        let now = self.case.view.now;
        let decided = self.ask(&self.events, |request, view| decide(request, view, &self.policy, now));
        let found = plain(&decided);
        let as_expected = found == self.case.expect
            && decided.as_ref().ok().is_none_or(|granted| {
                self.case.valid_until.is_none_or(|end| end == granted.valid_until)
                    && self.case.notice.as_ref().is_none_or(|status| status == granted.notice_status)
            });
        (!as_expected).then(|| format!("{}: expected {:?}, found {decided:?}", self.case.name, self.case.expect))
    }

    /// The model says the same, and so does the gate with the events in another order.
    fn check_model_and_order(&self) {
        let now = self.case.view.now;
        let mut events = self.events.clone();
        let first = self.ask(&events, |request, view| decide(request, view, &self.policy, now));
        events.reverse();
        let second = self.ask(&events, |request, view| decide(request, view, &self.policy, now));
        assert_eq!(first, second, "{}: the order of events matters", self.case.name);
        let model = self.ask(&events, |request, view| reference::answer(request, view, &self.policy, now));
        let gate = first.map(|g| (g.bases.join(","), g.valid_until)).map_err(|r| r.reasons);
        assert_eq!(gate, model, "{}: the model differs", self.case.name);
    }
}

fn plain(decided: &Result<Granted, Refusal>) -> Vec<String> {
    match decided {
        Ok(granted) => vec![format!("permit {}", granted.bases.join(","))],
        Err(refusal) => refusal.reasons.iter().map(ToString::to_string).collect(),
    }
}

pub(super) fn prepared() -> Vec<Prepared> {
    cases().into_iter().map(Prepared::new).collect()
}

fn cases() -> Vec<Case> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/gate");
    let mut files: Vec<_> = std::fs::read_dir(folder).expect("the folder is there").flatten().collect();
    files.sort_by_key(std::fs::DirEntry::path);
    let mut cases = Vec::new();
    for file in files.iter().filter(|f| f.path().extension().is_some_and(|e| e == "yaml")) {
        let text = std::fs::read_to_string(file.path()).expect("a case file is readable");
        let parsed: File = serde_saphyr::from_str(&text).unwrap_or_else(|e| panic!("{:?}: {e}", file.path()));
        cases.extend(parsed.cases);
    }
    cases
}

#[test]
fn every_case_is_answered_as_written() {
    let prepared = prepared();
    assert!(prepared.len() >= 150, "only {} cases", prepared.len());
    let names: BTreeSet<&str> = prepared.iter().map(|p| p.case.name.as_str()).collect();
    assert_eq!(names.len(), prepared.len(), "every case has its own name");
    prepared.iter().for_each(Prepared::check_model_and_order);
    let wrong: Vec<String> = prepared.iter().filter_map(Prepared::failure).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_reason_has_a_case_in_which_it_alone_refuses() {
    let alone: BTreeSet<String> =
        cases().into_iter().filter(|c| c.expect.len() == 1).map(|c| c.expect[0].clone()).collect();
    let missing: Vec<Reason> = Reason::ALL.into_iter().filter(|r| !alone.contains(&r.to_string())).collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert!(Reason::ALL.is_sorted(), "the list has the order of the variants");
}
