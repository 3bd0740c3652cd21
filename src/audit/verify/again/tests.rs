//! Tests of decisions that are made again under the rules of their entry.

use std::path::Path;

use jiff::Timestamp;

use crate::audit::leaf::{Decision, Kind, Leaf, Payload, PayloadDecision, code};
use crate::audit::source::{Book, MemoryLog};
use crate::audit::verify::{Content, content};
use crate::consent::event::{EventKind, LawfulBasis, LegalEvent, Origin, Proof, Scope};
use crate::consent::ledger::{Import, Ledger};
use crate::consent::policy::{Policy, PolicyFile};
use crate::ids::Ids;
use crate::keys::Vault;
use crate::model::SubjectId;
use crate::taxonomy::{Operation, SourceClass};

const PURPOSE: &str = "persona_enrichment";
/// What a permit rests on.
const CONSENT: &str = "6(1)(a)";

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn event(subject: &str, kind: EventKind, when: &str, method: &str) -> LegalEvent {
    let some = |text: &str| Some(text.to_owned());
    let gives = kind == EventKind::Grant;
    LegalEvent {
        external_id: None,
        subject: SubjectId::from_body(subject),
        kind,
        basis: gives.then_some(LawfulBasis::Consent),
        scope: Scope {
            purposes: [PURPOSE.to_owned()].into(),
            source_classes: if gives { [SourceClass::Crm].into() } else { [].into() },
            ..Scope::default()
        }
        .into(),
        valid_from: None,
        valid_to: None,
        recorded_at: at(when),
        proof: Proof {
            method: some(method),
            notice_id: some("N-1"),
            wording_hash: some("sha256:00"),
            ..Proof::default()
        }
        .into(),
        origin: Origin::imported("crm", "consents", None).into(),
        supersedes: None,
    }
}

/// A home of four people: one withdrew on the day of the consent, one never did, of one the consent came by a sync, and one has
/// objected.
struct World {
    vault: Vault,
    ledger: Ledger,
    policy: Policy,
    log: MemoryLog,
}

impl World {
    fn new() -> Self {
        let file: PolicyFile = serde_saphyr::from_str(include_str!("../../../../config/policy/demo.yaml"))
            .expect("the demo policy is valid");
        let (mut vault, mut ledger) = (Vault::in_memory().expect("a vault"), Ledger::in_memory().expect("a ledger"));
        let (morning, midnight) = ("2026-02-20T10:00:00Z", "2026-02-20T00:00:00Z");
        let events = [
            event("withdrawn", EventKind::Grant, morning, "web_form"),
            event("withdrawn", EventKind::Withdraw, midnight, "letter"),
            event("consenting", EventKind::Grant, morning, "web_form"),
            event("synced", EventKind::Grant, morning, "crm_sync"),
            event("objecting", EventKind::Grant, morning, "web_form"),
            event("objecting", EventKind::Object, "2026-02-21T10:00:00Z", "letter"),
        ];
        let people = ["withdrawn", "consenting", "synced", "objecting"].map(SubjectId::from_body);
        let seen: Vec<_> = people.into_iter().map(|id| (id, at("2026-02-19T00:00:00Z"))).collect();
        let import = Import { events: &events, seen: &seen, is_sync: true };
        ledger.import(&mut vault, import, at("2026-03-01T00:00:00Z")).expect("imported");
        Self { vault, ledger, policy: Policy::new(file), log: MemoryLog::default() }
    }

    /// Adds an entry of a program that calls itself so; tells its number.
    fn entry(&mut self, code: Option<&str>, subject: &str, reasons: &[&str]) -> u64 {
        let (id, now) = (SubjectId::from_body(subject), at("2026-03-01T12:00:00Z"));
        let number = self.log.leaves.len() as u64;
        let fact = |leaf: Leaf, name| leaf.fact(name, now.to_string());
        let mut leaf = fact(fact(Leaf::new(Kind::Decide), "synced"), "newest");
        (leaf.at, leaf.code, leaf.ledger) = (now, code.map(str::to_owned), Some(self.ledger.view().head()));
        leaf.policy = Some(self.policy.hash().to_owned());
        let Some(key) = self.vault.key(&id) else {
            // Of somebody who was erased.
            leaf.subject = Some(subject.to_owned());
            self.log.leaves.push(leaf);
            return number;
        };
        let permit = (reasons == [CONSENT]).then(|| format!("pmt_{number}"));
        leaf.subject = Some(key.tag(now));
        leaf.payload = Some(format!("payload-{number}"));
        leaf.decisions = vec![Decision {
            op: Operation::Infer,
            purpose: PURPOSE.to_owned(),
            source: "crm".to_owned(),
            categories: Vec::new(),
            permit: permit.as_ref().map(|id| key.blind("permit", id)),
            reasons: reasons.iter().map(|&reason| reason.to_owned()).collect(),
            events: Vec::new(),
            assessments: Vec::new(),
            recipients: Vec::new(),
            at: now,
            until: None,
            retain_until: None,
        }];
        let row = PayloadDecision {
            decision: format!("dec_{number}"),
            permit,
            collected_at: Some(now),
            ambiguous: false,
            url: None,
            opt_out: None,
            account_host: None,
            evidence_at: None,
            categories: Vec::new(),
        };
        let payload = Payload { subject: id.to_string(), account: None, decisions: vec![row] };
        self.log.payloads.insert(leaf.payload.clone().expect("it has one"), payload);
        self.log.leaves.push(leaf);
        number
    }

    fn check(&self) -> Content {
        let policies = |hash: &str| (hash == self.policy.hash()).then(|| self.policy.clone());
        let book = Book {
            leaves: &self.log,
            vault: &self.vault,
            ledger: self.ledger.view(),
            ids: &Ids::new([7; 32]),
            crms: &[],
            controller: "Example Machines GmbH",
            home: Path::new("nowhere"),
            policies: &policies,
            demo: false,
            pipeline: None,
            now: at("2026-03-02T00:00:00Z"),
        };
        content(&book).expect("it can be read")
    }
}

/// Entries whose decisions come out differently, with what is told of them.
fn wrong(content: &Content) -> Vec<(u64, &str)> {
    let found = content.findings.iter().filter(|f| f.kind == "decision");
    found.map(|f| (f.entry.expect("of an entry"), f.what.as_str())).collect()
}

#[test]
fn what_earlier_rules_decided_is_told_apart() {
    let mut world = World::new();
    let earlier = [
        world.entry(None, "withdrawn", &[CONSENT]),
        world.entry(Some("0.1.0"), "synced", &[CONSENT]),
        world.entry(Some("0.1.0+rules.1"), "withdrawn", &[CONSENT]),
    ];
    for mark in [None, Some(code())] {
        for (subject, reason) in [("withdrawn", "Withdrawn"), ("synced", "ConsentUnproven"), ("consenting", CONSENT)] {
            world.entry(mark.as_deref(), subject, &[reason]);
        }
    }
    let content = world.check();
    assert_eq!(wrong(&content), []);
    assert_eq!((content.earlier_rules, &content.earlier_entries[..], content.replayed), (3, &earlier[..], 6));
}

#[test]
fn what_no_rules_decide_is_wrong_whatever_its_entry_names() {
    for mark in [None, Some("0.1.0"), Some("0.1.0+rules.1"), Some("0.1.0+rules.x"), Some("0.1.0+rules.0")] {
        let mut world = World::new();
        let all = [
            world.entry(mark, "objecting", &[CONSENT]),
            world.entry(mark, "consenting", &["Withdrawn"]),
            world.entry(mark, "withdrawn", &["6(1)(f)"]),
            world.entry(mark, "withdrawn", &["ObjectionPending"]),
            world.entry(mark, "synced", &["NoBasis"]),
        ];
        let content = world.check();
        assert_eq!(wrong(&content).iter().map(|(entry, _)| *entry).collect::<Vec<_>>(), all, "{mark:?}");
        assert_eq!((content.earlier_rules, content.earlier_entries.len()), (0, 0));
    }
}

#[test]
fn after_an_entry_of_newer_rules_nothing_is_excused() {
    let marked = |kind| Leaf { code: Some(code()), at: at("2026-03-01T12:00:00Z"), ..Leaf::new(kind) };
    let before: [fn(&mut World, Leaf); 3] = [
        |world, leaf| world.log.leaves.push(leaf),
        |world, _| _ = world.entry(Some(&code()), "erased", &[]),
        // Its policy is nowhere to be had.
        |world, leaf| {
            world.entry(None, "consenting", &[CONSENT]);
            let last = world.log.leaves.last_mut().expect("an entry");
            (last.code, last.policy) = (leaf.code, Some("sha256:00".to_owned()));
        },
    ];
    for (n, before) in before.into_iter().enumerate() {
        let mut world = World::new();
        let excused = world.entry(None, "withdrawn", &[CONSENT]);
        before(&mut world, marked(Kind::Genesis));
        let late = world.entry(None, "withdrawn", &[CONSENT]);
        let content = world.check();
        let told = wrong(&content);
        assert!(
            matches!(&told[..], [(entry, what)] if *entry == late && what.contains("of the rules 1")),
            "{n}: {told:?}"
        );
        assert_eq!(content.earlier_entries, [excused], "{n}");
    }
}

#[test]
fn rules_that_are_not_known_excuse_nothing() {
    let mut world = World::new();
    let entry = world.entry(Some("9.0.0+rules.999"), "consenting", &["Withdrawn"]);
    let content = world.check();
    let told = wrong(&content);
    assert!(matches!(&told[..], [(n, what)] if *n == entry && what.contains("a newer version")), "{told:?}");
}
