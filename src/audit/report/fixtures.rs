//! An invented home for the tests of the reports: the real gate, ledger, vault and sink, and leaves as a run writes
//! them.
//!
//! Invariant: what comes out is clean; a test seeds the one thing that must be found.

mod rows;

use std::sync::Arc;

use jiff::{Timestamp, ToSpan};
use tempfile::TempDir;

use crate::audit::leaf::{Decision, Kind, Leaf, Payload, PayloadDecision, Stage};
use crate::audit::source::{Book, MemoryLog};
use crate::consent::decide::OptOut;
use crate::consent::event::{LawfulBasis, LegalEvent};
use crate::consent::gate::{EmitProposal, FetchProposal, Gate, InferProposal, SubjectFacts};
use crate::consent::ledger::{Import, Ledger};
use crate::consent::policy::{AssessmentKind, Policy, PolicyFile};
use crate::ids::Ids;
use crate::keys::Vault;
use crate::model::{About, AccountId, Claim, DecisionRow, DocumentRow, Personal, RunId, Signal, SubjectId, Target};
use crate::persona::rows::{BuyingCenterRow, Legal, Member, Persona};
use crate::sink::{FileFacts, SnapshotWriter};
use crate::taxonomy::{BuyingRole, FacetStatus, JobFunction, Operation, SourceClass, Trait};
use rows::{document, persona, signal};
pub(super) use rows::{event, grant};

pub(super) const PURPOSE: &str = "persona_enrichment";

pub(super) fn at(text: &str) -> Timestamp {
    text.parse().expect("a test gives a valid instant")
}

pub(super) fn subject(n: usize) -> SubjectId {
    SubjectId::from_body(&format!("{n:06}"))
}

fn account(n: usize) -> AccountId {
    AccountId::from_body(&format!("{:06}", n / 3))
}

pub(super) fn demo_policy() -> PolicyFile {
    serde_saphyr::from_str(include_str!("../../../config/policy/demo.yaml")).expect("the demo's policy parses")
}

/// The rows of one run.
#[derive(Default)]
pub(super) struct Tables {
    pub personas: Vec<Persona>,
    pub evidence: Vec<Signal>,
    pub centers: Vec<BuyingCenterRow>,
    pub decisions: Vec<DecisionRow>,
    pub documents: Vec<DocumentRow>,
    pub manifest: serde_json::Value,
}

/// A home with its log.
pub(super) struct World {
    pub home: TempDir,
    pub vault: Vault,
    pub ledger: Ledger,
    pub ids: Ids,
    pub policies: Vec<Policy>,
    pub log: MemoryLog,
    pub n: usize,
    pub now: Timestamp,
}

impl World {
    /// `n` contacts who were first seen on 1 March 2026 and have consented to everything.
    pub fn new(n: usize) -> Self {
        let begin = at("2026-03-01T00:00:00Z");
        let mut world = Self {
            home: tempfile::tempdir().expect("a folder"),
            vault: Vault::in_memory().expect("a vault"),
            ledger: Ledger::in_memory().expect("a ledger"),
            ids: Ids::new([7; 32]),
            policies: vec![Policy::new(demo_policy())],
            log: MemoryLog::default(),
            n,
            now: begin,
        };
        let grants: Vec<LegalEvent> = (0..n).map(|i| grant(i, begin)).collect();
        world.import(&grants, begin);
        world
    }

    pub fn policy(&self) -> &Policy {
        self.policies.last().expect("there is one")
    }

    /// Syncs with the CRM.
    pub fn import(&mut self, events: &[LegalEvent], when: Timestamp) {
        let seen: Vec<_> = (0..self.n).map(|i| (subject(i), at("2026-03-01T00:00:00Z"))).collect();
        let import = Import { events, seen: &seen, is_sync: true };
        self.ledger.import(&mut self.vault, import, when).expect("imported");
        self.now = self.now.max(when);
    }

    pub fn gate(&self, when: Timestamp) -> Gate {
        let clock = Arc::new(move || when);
        Gate::new(self.policy().clone(), self.ledger.view().clone(), &self.ids, clock)
    }

    /// Runs the pipeline and publishes.
    pub fn run(&mut self, name: &str, when: Timestamp) {
        self.run_with(name, when, |_| ());
    }

    /// Runs the pipeline; its tables are changed behind the log's back before they are published.
    pub fn run_with(&mut self, name: &str, when: Timestamp, change: impl FnOnce(&mut Tables)) {
        let run = RunId::from_body(name);
        let mut tables = self.work(&run, when);
        self.ask_again(&run, when + 60.seconds(), &mut tables);
        self.now = when + 180.seconds();
        change(&mut tables);
        self.publish(&run, &tables);
    }

    /// Before publishing: refusals are logged one by one, and how many were asked.
    fn ask_again(&mut self, run: &RunId, when: Timestamp, tables: &mut Tables) {
        let gate = self.gate(when);
        let mut again = Leaf::new(Kind::Decide).fact("asked_again", tables.personas.len());
        (again.at, again.stage, again.run) = (when, Some(Stage::Publish), Some(run.as_str().to_owned()));
        again.policy = Some(self.policy().hash().to_owned());
        self.log.leaves.push(again);
        for persona in std::mem::take(&mut tables.personas) {
            let (row, permit) = emit(&gate, &persona.subject_id);
            if permit.is_some() {
                tables.personas.push(persona);
            } else {
                let target = Target::Subject(persona.subject_id.clone(), None);
                self.leaf(Stage::Publish, run, when, &target, std::slice::from_ref(&row));
                tables.decisions.push(row);
            }
        }
    }

    fn work(&mut self, run: &RunId, when: Timestamp) -> Tables {
        let gate = self.gate(when);
        let published_at = when + 120.seconds();
        let manifest = serde_json::json!({
            "purpose": PURPOSE, "policy_hash": self.policy().hash(), "published_at": published_at.to_string(),
            "gate_time": null,
        });
        let mut tables = Tables { manifest, ..Tables::default() };
        for n in 0..self.n {
            if n.is_multiple_of(3) {
                self.company(run, &gate, n, when, &mut tables);
            }
            self.contact(run, &gate, n, when, &mut tables);
        }
        tables
    }

    fn company(&mut self, run: &RunId, gate: &Gate, n: usize, when: Timestamp, tables: &mut Tables) {
        let target = Target::Account(account(n));
        let url = url::Url::parse("https://muster-maschinen.example/team").expect("a URL");
        let decided = gate.fetch(FetchProposal {
            target: target.clone(),
            source_id: "company_site".into(),
            purpose: "company_research".into(),
            url: Personal::new(url),
            account_host: Some("muster-maschinen.example".into()),
            opt_out: OptOut::Free,
            facts: None,
        });
        self.leaf(Stage::Fetch, run, when, &target, std::slice::from_ref(&decided.row));
        if let Some(permit) = &decided.row.permit_id {
            let document = document(&self.ids, permit, when);
            let claim = Claim::Firmographic("employees".into(), "250".into());
            let mut own = signal(&format!("a{n}-{run}"), About::Account(account(n)), claim, permit.clone());
            own.evidence.source_id = "company_site".into();
            own.evidence.source_class = SourceClass::CompanySite;
            own.evidence.document = Some(document.document_id.clone());
            tables.evidence.push(own);
            tables.documents.push(document);
        }
        tables.decisions.push(decided.row);
        tables.centers.push(BuyingCenterRow {
            account_id: account(n),
            role: BuyingRole::Decider,
            members: Vec::new(),
            coverage: FacetStatus::Known,
            expected_size: 1.0,
            concentration: None,
            next_best_question: None,
        });
    }

    fn contact(&mut self, run: &RunId, gate: &Gate, n: usize, when: Timestamp, tables: &mut Tables) {
        let id = subject(n);
        let target = Target::Subject(id.clone(), Some(account(n)));
        let (emit_row, emitted) = emit(gate, &id);
        let crm = infer(gate, &target, "crm", PURPOSE, Operation::Infer);
        let profile = infer(gate, &target, "developer_profile", "profiling", Operation::Profile);
        let rows = [emit_row, crm, profile];
        self.leaf(Stage::Plan, run, when, &target, &rows);
        if let (Some((bases, retain_until)), Some(permit_id)) = (emitted, rows[0].permit_id.clone()) {
            let about = About::Subject(id.clone(), Some(account(n)));
            if let Some(permit) = &rows[1].permit_id {
                let claim = Claim::JobFunction(JobFunction::Procurement);
                tables.evidence.push(signal(&format!("c{n}-{run}"), about.clone(), claim, permit.clone()));
            }
            if let Some(permit) = &rows[2].permit_id {
                let mut read = signal(&format!("t{n}-{run}"), about, Claim::Trait(Trait::Formality, 1), permit.clone());
                read.evidence.source_id = "developer_profile".into();
                read.evidence.source_class = SourceClass::PublicProfessional;
                tables.evidence.push(read);
            }
            let notice_status = "given".into();
            let legal = Legal { basis: bases, permit_id, notice_status, retain_until };
            tables.personas.push(persona(n, when, legal));
            let center = tables.centers.last_mut().expect("the company came first");
            center.members.push(Member { subject_id: id, probability: 0.5 });
        }
        tables.decisions.extend(rows);
    }

    /// A leaf as the line writes it.
    pub fn leaf(&mut self, stage: Stage, run: &RunId, when: Timestamp, target: &Target, rows: &[DecisionRow]) {
        let mut leaf = Leaf::new(if stage == Stage::Read { Kind::Read } else { Kind::Decide });
        leaf.at = self.log.leaves.last().map_or(when, |last| last.at.max(when));
        (leaf.stage, leaf.run) = (Some(stage), Some(run.as_str().to_owned()));
        leaf.policy = Some(self.policy().hash().to_owned());
        leaf.ledger = Some(self.ledger.view().head());
        leaf.decisions = rows.iter().map(|row| self.decision(row)).collect();
        match target {
            Target::Account(id) => leaf.target = Some(id.to_string()),
            Target::Host(host) => leaf.target = Some(host.clone()),
            Target::Subject(id, account) => {
                leaf.subject = self.vault.key(id).map(|key| key.tag(leaf.at));
                let commitment = format!("payload-{}", self.log.leaves.len());
                let payload = Payload {
                    subject: id.to_string(),
                    account: account.as_ref().map(ToString::to_string),
                    decisions: rows.iter().map(payload).collect(),
                };
                leaf.payload = Some(commitment.clone());
                self.log.payloads.insert(commitment, payload);
            }
        }
        self.log.leaves.push(leaf);
    }

    pub fn decision(&self, row: &DecisionRow) -> Decision {
        let purpose = self.policy().file().purposes.get(&row.purpose);
        let permitted = row.permit_id.is_some();
        let (mut permit, mut events, mut retain_until) =
            (row.permit_id.as_ref().map(ToString::to_string), vec![], None);
        if let Target::Subject(id, _) = &row.target {
            let key = self.vault.key(id).expect("everybody has one");
            permit = permit.map(|id| key.blind("permit", &id));
            let first = self.ledger.view().first_seen(id).expect("everybody was seen");
            retain_until = self.policy().retain_until(&row.purpose, first).filter(|_| permitted);
            let carries = |e: &LegalEvent| {
                e.basis.is_some_and(|b| row.reasons.iter().any(|r| r == b.article()))
                    && e.scope.purposes.contains(&row.purpose)
            };
            let all = self.ledger.view().entries(id);
            let carrying = all.iter().filter(|entry| carries(entry.event));
            events = carrying.map(|entry| key.blind("event", &entry.seq.to_string())).collect();
        }
        let emits = permitted && row.operation == Operation::Emit;
        Decision {
            op: row.operation,
            purpose: row.purpose.clone(),
            source: row.source_id.clone(),
            categories: purpose.map_or_else(Vec::new, |p| p.data_categories.clone()),
            permit,
            reasons: row.reasons.clone(),
            events,
            assessments: self.assessed(row),
            recipients: purpose.filter(|_| emits).map_or_else(Vec::new, |p| p.recipients.clone()),
            at: row.decided_at,
            until: row.valid_until,
            retain_until,
        }
    }

    fn assessed(&self, row: &DecisionRow) -> Vec<String> {
        let interest = row.reasons.iter().any(|r| r == LawfulBasis::LegitimateInterest.article());
        let profiles = row.permit_id.is_some() && row.purpose == "profiling";
        let rests = |kind| (interest && kind == AssessmentKind::Lia) || (profiles && kind == AssessmentKind::Dpia);
        let all = self.policy().file().assessments.iter().filter(|(_, a)| rests(a.kind));
        all.map(|(id, _)| id.clone()).collect()
    }

    fn publish(&self, run: &RunId, tables: &Tables) {
        let facts = FileFacts { policy_hash: self.policy().hash().to_owned() };
        let mut writer = SnapshotWriter::create(self.home.path(), "demo", run, &facts).expect("a writer");
        writer.personas(&tables.personas).expect("personas");
        writer.evidence(&tables.evidence).expect("evidence");
        writer.buying_centers(&tables.centers).expect("buying centers");
        writer.decisions(&tables.decisions).expect("decisions");
        writer.documents(&tables.documents).expect("documents");
        writer.commit(&tables.manifest).expect("committed");
    }

    /// Asks.
    pub fn ask<T>(&self, question: impl FnOnce(&Book<'_>) -> T) -> T {
        let policies = |hash: &str| self.policies.iter().find(|p| p.hash() == hash).cloned();
        question(&Book {
            leaves: &self.log,
            vault: &self.vault,
            ledger: self.ledger.view(),
            ids: &self.ids,
            crms: &["crm".to_owned()],
            controller: "Example Machines GmbH",
            home: self.home.path(),
            demo: false,
            policies: &policies,
            pipeline: None,
            now: self.now,
        })
    }
}

fn payload(row: &DecisionRow) -> PayloadDecision {
    PayloadDecision {
        decision: row.decision_id.to_string(),
        permit: row.permit_id.as_ref().map(ToString::to_string),
        collected_at: None,
        ambiguous: false,
        url: None,
        opt_out: None,
        account_host: None,
        evidence_at: None,
        categories: Vec::new(),
    }
}

/// Bases and end of retention of an Emit permit.
type Emitted = Option<(Vec<String>, Timestamp)>;

pub(super) fn emit(gate: &Gate, id: &SubjectId) -> (DecisionRow, Emitted) {
    let facts = SubjectFacts { collected_at: at("2026-03-01T00:00:00Z"), ambiguous: false };
    let decided = gate.emit(EmitProposal { subject: id.clone(), purpose: PURPOSE.into(), facts });
    let permit = decided.outcome.ok().map(|permit| (permit.bases().to_vec(), permit.op().retain_until));
    (decided.row, permit)
}

fn infer(gate: &Gate, target: &Target, source: &str, purpose: &str, operation: Operation) -> DecisionRow {
    let facts = Some(SubjectFacts { collected_at: at("2026-03-01T00:00:00Z"), ambiguous: false });
    let (target, source_id, purpose) = (target.clone(), source.into(), purpose.into());
    gate.infer(InferProposal { target, source_id, purpose, operation, facts }).row
}
