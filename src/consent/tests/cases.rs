//! Cases of the gate in `testdata/gate/*.yaml`: one table of requests, events and answers.
//!
//! Invariant: every reason has a case in which it is the only one. A gate that forgot its check would permit that case,
//! so the suite would fail: every such mutant dies.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Deserialize;

use super::{policy_file, proven, subject};
use crate::consent::decide::{Asked, OptOut, Reason, Request, View, decide};
use crate::consent::event::{EventKind, LawfulBasis, LegalEvent, Origin, Proof, Scope};
use crate::consent::policy::Policy;
use crate::consent::reference;
use crate::model::{AccountId, Target};
use crate::taxonomy::{Operation, SourceClass};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    cases: Vec<Case>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
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
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    /// Absent = a flag, without end.
    recorded: Option<Timestamp>,
    #[serde(default)]
    proven: bool,
    method: Option<String>,
}

impl CaseEvent {
    fn event(&self) -> LegalEvent {
        let mut proof = if self.proven { proven() } else { Proof::default() };
        if self.method.is_some() {
            proof.method.clone_from(&self.method);
        }
        LegalEvent {
            external_id: self.id.clone(),
            subject: subject(),
            kind: self.kind,
            basis: self.basis,
            scope: Scope {
                purposes: self.purposes.clone(),
                operations: self.operations.clone(),
                source_classes: self.classes.clone(),
                ..Scope::default()
            },
            valid_from: self.from,
            valid_to: self.to,
            recorded_at: self.recorded.unwrap_or(Timestamp::MAX),
            proof,
            origin: Origin { system: "crm".into(), field: "consents".into(), value_commitment: None },
            supersedes: None,
        }
    }
}

fn patched(patches: &BTreeMap<String, serde_json::Value>) -> Policy {
    let mut json = serde_json::to_value(policy_file()).expect("a policy has only string keys");
    for (pointer, value) in patches {
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

fn check(case: &Case) -> Vec<String> {
    let policy = patched(&case.policy);
    let target = target(&case.request.target);
    let mut events: Vec<LegalEvent> = case.events.iter().map(CaseEvent::event).collect();
    let request = Request {
        target: &target,
        operation: case.request.operation,
        purpose: &case.request.purpose,
        source_id: &case.request.source,
        host: case.request.host.as_deref(),
        account_host: case.request.account_host.as_deref(),
        opt_out: match case.request.opt_out.as_str() {
            "not_applicable" => OptOut::NotApplicable,
            "free" => OptOut::Free,
            "robots_disallow" => OptOut::RobotsDisallow,
            "tdm_reserved" => OptOut::TdmReserved,
            other => panic!("{}: no opt-out {other:?}", case.name),
        },
        collected_at: Some(case.request.collected_at),
        asked: Asked::default(),
    };
    let answer = |events: &[LegalEvent]| {
        let v = &case.view;
        let view = View {
            events: v.known.then_some(events),
            ambiguous: v.ambiguous,
            intact: v.intact,
            last_sync: v.last_sync,
            newest: v.newest,
        };
        let decided = decide(&request, &view, &policy, v.now);
        let plain = decided.as_ref().map(|g| (g.bases.join(","), g.valid_until)).map_err(|r| r.reasons.clone());
        assert_eq!(plain, reference::answer(&request, &view, &policy, v.now), "{}: the model differs", case.name);
        decided
    };
    let decided = answer(&events);
    events.reverse();
    assert_eq!(decided, answer(&events), "{}: the order of events matters", case.name);
    match decided {
        Ok(granted) => {
            if let Some(end) = case.valid_until {
                assert_eq!(granted.valid_until, end, "{}", case.name);
            }
            vec![format!("permit {}", granted.bases.join(","))]
        }
        Err(refusal) => refusal.reasons.iter().map(ToString::to_string).collect(),
    }
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
    let cases = cases();
    assert!(cases.len() >= 60, "only {} cases", cases.len());
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|case| {
            let found = check(case);
            (found != case.expect).then(|| format!("{}: expected {:?}, found {found:?}", case.name, case.expect))
        })
        .collect();
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
