//! Leaves and payloads of a night as bytes, without the structs that they are read back into: a contact has half a dozen
//! decisions, and each would be a score of texts that are copied, written once and dropped by another thread.
//!
//! Invariant: the bytes are those that [`Leaf::bytes`] and the serialization of [`super::Payload`] give.

use jiff::Timestamp;
use serde::Serialize;

use crate::audit::leaf::{Kind, Leaf, Stage};
use crate::audit::recorder::opt_out_word;
use crate::consent::gate::Grounds;
use crate::model::{AccountId, DecisionRow, PermitId, SubjectId};
use crate::taxonomy::Operation;

/// What a decision takes, about.
const DECISION_BYTES: usize = 512;
/// What a leaf takes beside its decisions, about.
const LEAF_BYTES: usize = 640;

const fn none(list: &&[String]) -> bool {
    list.is_empty()
}

/// [`super::Decision`], borrowed.
#[derive(Serialize)]
pub(super) struct Decision<'a> {
    pub op: Operation,
    pub purpose: &'a str,
    pub source: &'a str,
    #[serde(skip_serializing_if = "none")]
    pub categories: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permit: Option<String>,
    pub reasons: &'a [String],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<String>,
    #[serde(skip_serializing_if = "none")]
    pub assessments: &'a [String],
    #[serde(skip_serializing_if = "none")]
    pub recipients: &'a [String],
    pub at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retain_until: Option<Timestamp>,
}

/// The list of decisions of a leaf.
pub(super) fn decisions<'a>(all: impl ExactSizeIterator<Item = Decision<'a>>) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(all.len() * DECISION_BYTES);
    list(&mut bytes, all);
    bytes
}

fn list<T: Serialize>(bytes: &mut Vec<u8>, all: impl Iterator<Item = T>) {
    bytes.push(b'[');
    for (i, one) in all.enumerate() {
        if i > 0 {
            bytes.push(b',');
        }
        json(bytes, &one);
    }
    bytes.push(b']');
}

fn json(bytes: &mut Vec<u8>, value: &impl Serialize) {
    serde_json::to_writer(bytes, value).expect("plain data, and memory takes all");
}

/// The fields of a leaf before its decisions.
#[derive(Serialize)]
struct Head<'a> {
    v: u32,
    at: Timestamp,
    kind: Kind,
    #[serde(skip_serializing_if = "Option::is_none")]
    stage: Option<Stage>,
    #[serde(skip_serializing_if = "Option::is_none")]
    run: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ledger: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<&'a str>,
}

/// The bytes of a leaf with these decisions, as [`decisions`] makes them, in place of its own.
pub(super) fn leaf(leaf: &Leaf, decisions: &[u8]) -> Vec<u8> {
    // Each by name, so that none is forgotten.
    let Leaf { v, at, kind, stage, run, policy, code, model, ledger, subject, target, decisions: _, payload, facts } =
        leaf;
    let head = Head {
        v: *v,
        at: *at,
        kind: *kind,
        stage: *stage,
        run: run.as_deref(),
        policy: policy.as_deref(),
        code: code.as_deref(),
        model: model.as_deref(),
        ledger: *ledger,
        subject: subject.as_deref(),
        target: target.as_deref(),
    };
    let mut bytes = Vec::with_capacity(LEAF_BYTES + decisions.len());
    json(&mut bytes, &head);
    bytes.pop();
    if decisions.len() > "[]".len() {
        bytes.extend(br#","decisions":"#);
        bytes.extend(decisions);
    }
    if let Some(payload) = payload {
        bytes.extend(br#","payload":"#);
        json(&mut bytes, payload);
    }
    if !facts.is_empty() {
        bytes.extend(br#","facts":"#);
        json(&mut bytes, facts);
    }
    bytes.push(b'}');
    bytes
}

/// [`super::PayloadDecision`], borrowed.
#[derive(Serialize)]
struct PayloadDecision<'a> {
    decision: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    permit: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    collected_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    ambiguous: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    opt_out: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account_host: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    evidence_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "none")]
    categories: &'a [String],
}

fn payload_decision((row, grounds): &(DecisionRow, Grounds)) -> PayloadDecision<'_> {
    PayloadDecision {
        decision: row.decision_id.as_str(),
        permit: row.permit_id.as_ref().map(PermitId::as_str),
        collected_at: grounds.collected_at,
        ambiguous: grounds.ambiguous,
        url: grounds.url.as_ref().map(|url| url.reveal().as_str()),
        opt_out: grounds.opt_out.map(opt_out_word),
        account_host: grounds.account_host.as_deref(),
        evidence_at: grounds.evidence_at,
        categories: &grounds.categories,
    }
}

/// The payload of decisions about a person.
pub(super) fn payload(subject: &SubjectId, account: Option<&AccountId>, decided: &[(DecisionRow, Grounds)]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(128 + decided.len() * DECISION_BYTES / 2);
    bytes.extend(br#"{"subject":"#);
    json(&mut bytes, &subject.as_str());
    if let Some(account) = account {
        bytes.extend(br#","account":"#);
        json(&mut bytes, &account.as_str());
    }
    bytes.extend(br#","decisions":"#);
    list(&mut bytes, decided.iter().map(payload_decision));
    bytes.push(b'}');
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::leaf;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    fn texts(n: usize) -> Vec<String> {
        (0..n).map(|i| format!("text \"{i}\" \u{fc}")).collect()
    }

    #[test]
    fn a_leaf_has_the_bytes_of_the_struct() {
        for n in [0, 1, 3] {
            let some = |text: &str| (n > 0).then(|| text.to_owned());
            let decision = leaf::Decision {
                op: Operation::Infer,
                purpose: "p\u{1}".to_owned(),
                source: "crm".to_owned(),
                categories: texts(n),
                permit: some("pmt"),
                reasons: texts(n),
                events: texts(n),
                assessments: texts(n),
                recipients: texts(n),
                at: at(1),
                until: (n > 0).then(|| at(2)),
                retain_until: (n > 0).then(|| at(3)),
            };
            let mut whole = Leaf {
                stage: (n > 0).then_some(Stage::Plan),
                run: some("run"),
                policy: some("sha256:ab"),
                code: some("1"),
                model: some("ff"),
                ledger: (n > 0).then_some(7),
                subject: some("tag"),
                target: some("acc"),
                payload: some("aa"),
                decisions: vec![decision; n],
                ..Leaf::new(Kind::Decide)
            };
            for fact in texts(n) {
                whole = whole.fact(&fact, n as u64);
            }
            let borrowed = whole.decisions.iter().map(|d| Decision {
                op: d.op,
                purpose: &d.purpose,
                source: &d.source,
                categories: &d.categories,
                permit: d.permit.clone(),
                reasons: &d.reasons,
                events: d.events.clone(),
                assessments: &d.assessments,
                recipients: &d.recipients,
                at: d.at,
                until: d.until,
                retain_until: d.retain_until,
            });
            let decisions = decisions(borrowed);
            let rest = Leaf { decisions: Vec::new(), ..whole.clone() };
            assert_eq!(String::from_utf8(super::leaf(&rest, &decisions)), String::from_utf8(whole.bytes()), "{n}");
        }
    }

    #[test]
    fn a_payload_has_the_bytes_of_the_struct() {
        let row = |permit: Option<&str>| DecisionRow {
            decision_id: crate::model::DecisionId::from_body("d\""),
            permit_id: permit.map(crate::model::PermitId::from_body),
            ..crate::sink::fixtures::rows(1).decisions.swap_remove(0)
        };
        let full = Grounds {
            collected_at: Some(at(1)),
            ambiguous: true,
            url: Some(crate::model::Personal::new("https://a.example/\"".to_owned())),
            opt_out: Some(crate::consent::decide::OptOut::Free),
            account_host: Some("a.example".to_owned()),
            evidence_at: Some(at(2)),
            categories: texts(2),
            ..Grounds::default()
        };
        let decided = [(row(Some("p")), full), (row(None), Grounds::default())];
        let subject = SubjectId::from_body("s");
        for account in [None, Some(AccountId::from_body("a"))] {
            let whole = leaf::Payload {
                subject: subject.as_str().to_owned(),
                account: account.as_ref().map(|a| a.as_str().to_owned()),
                decisions: decided.iter().map(|(row, g)| crate::audit::recorder::payload_decision(row, g)).collect(),
            };
            let whole = serde_json::to_string(&whole).expect("plain data");
            assert_eq!(String::from_utf8(payload(&subject, account.as_ref(), &decided)), Ok(whole));
        }
    }
}
