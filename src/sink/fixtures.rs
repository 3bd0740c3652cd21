//! Invented rows for the tests of the sink, consistent across tables: every permit, document and contact joins.
//!
//! Invariant: no real person or company; hosts on `*.example`.

use std::path::Path;
use std::sync::Arc;

use arrow_schema::{DataType, Field, FieldRef, Schema};
use jiff::Timestamp;

use super::runs::{RunRow, StageTime};
use super::{FileFacts, SnapshotWriter};
use crate::model::{
    About, AccountId, Claim, DeadLetter, DecisionId, DecisionRow, DocumentId, DocumentRow, Evidence, PermitId, RunId,
    Signal, SignalId, SubjectId, Target,
};
use crate::persona::rows::{
    AccountRow, BuyingCenterRow, ChannelPreference, Legal, Member, MotiveScore, Named, Persona, RoleScore,
    SegmentValue, StudyPrior, TraitScore,
};
use crate::taxonomy::{
    BuyingRole, Channel, Facet, FacetStatus, Goal, JobFunction, Motive, Operation, Point, PurchasePhase, Seniority,
    SigningPower, SourceClass, Tier, Trait,
};

/// Rows of every table.
pub(crate) struct Rows {
    pub personas: Vec<Persona>,
    pub evidence: Vec<Signal>,
    pub accounts: Vec<AccountRow>,
    pub buying_centers: Vec<BuyingCenterRow>,
    pub decisions: Vec<DecisionRow>,
    pub documents: Vec<DocumentRow>,
    pub dead_letters: Vec<DeadLetter>,
    pub runs: Vec<RunRow>,
}

/// What a program of before wrote of columns: of those within lists, nothing but their names.
pub(super) fn fields_of_before(schema: &Schema) -> Vec<Field> {
    fn of_before(data_type: &DataType) -> DataType {
        let without =
            |field: &FieldRef| Arc::new(Field::new(field.name(), of_before(field.data_type()), field.is_nullable()));
        match data_type {
            DataType::List(element) => DataType::List(without(element)),
            DataType::Struct(fields) => DataType::Struct(fields.iter().map(without).collect()),
            other => other.clone(),
        }
    }
    schema.fields().iter().map(|f| f.as_ref().clone().with_data_type(of_before(f.data_type()))).collect()
}

pub(crate) fn facts() -> FileFacts {
    FileFacts { policy_hash: "sha256:0badc0de".into() }
}

pub(crate) fn run_id(body: &str) -> RunId {
    RunId::from_body(body)
}

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().expect("a test gives a valid instant")
}

/// `n` contacts, three a company, the first without one.
pub(crate) fn rows(n: usize) -> Rows {
    let mut all = Rows {
        personas: (0..n).map(persona).collect(),
        evidence: Vec::new(),
        accounts: (0..n.div_ceil(3)).map(account).collect(),
        buying_centers: Vec::new(),
        decisions: Vec::new(),
        documents: Vec::new(),
        dead_letters: vec![dead_letter()],
        runs: vec![run()],
    };
    for i in 0..n {
        let (subject, account) = (subject_id(i), account_of(i));
        let target = Target::Subject(subject.clone(), account.clone());
        for (k, (operation, source)) in
            [(Operation::Emit, "output"), (Operation::Collect, "crm"), (Operation::Collect, "company_site")]
                .into_iter()
                .enumerate()
        {
            all.decisions.push(decision(&format!("{i}x{k}"), target.clone(), operation, source));
        }
        all.documents.push(document(i));
        all.evidence.push(signal(i, About::Subject(subject, account)));
    }
    for row in &all.accounts {
        all.buying_centers.extend(BuyingRole::ALL.iter().map(|role| buying_center(&row.account_id, *role)));
    }
    all.decisions.push(refusal());
    all
}

/// Writes rows in chunks and publishes them.
pub(crate) fn publish(home: &Path, pipeline: &str, run: &str, rows: &Rows, chunk: usize) -> super::Snapshot {
    let mut writer = SnapshotWriter::create(home, pipeline, &run_id(run), &facts()).expect("a fresh home");
    write(&mut writer, rows, chunk);
    writer.commit(&serde_json::json!({ "checkpoint": "none" })).expect("commit")
}

pub(crate) fn write(writer: &mut SnapshotWriter, rows: &Rows, chunk: usize) {
    rows.personas.chunks(chunk).try_for_each(|c| writer.personas(c)).expect("personas");
    rows.evidence.chunks(chunk).try_for_each(|c| writer.evidence(c)).expect("evidence");
    rows.accounts.chunks(chunk).try_for_each(|c| writer.accounts(c)).expect("accounts");
    rows.buying_centers.chunks(chunk).try_for_each(|c| writer.buying_centers(c)).expect("buying centers");
    rows.decisions.chunks(chunk).try_for_each(|c| writer.decisions(c)).expect("decisions");
    rows.documents.chunks(chunk).try_for_each(|c| writer.documents(c)).expect("documents");
    rows.dead_letters.chunks(chunk).try_for_each(|c| writer.dead_letters(c)).expect("dead letters");
    rows.runs.chunks(chunk).try_for_each(|c| writer.runs(c)).expect("runs");
}

pub(crate) fn subject_id(i: usize) -> SubjectId {
    SubjectId::from_body(&format!("{i:06}"))
}

pub(crate) fn account_id(i: usize) -> AccountId {
    AccountId::from_body(&format!("{i:06}"))
}

/// The first contact has no company.
fn account_of(i: usize) -> Option<AccountId> {
    (i > 0).then(|| account_id(i / 3))
}

pub(crate) fn permit(tail: &str) -> PermitId {
    PermitId::from_body(tail)
}

pub(crate) fn persona(i: usize) -> Persona {
    let known = i % 4 != 3;
    let status = if known { FacetStatus::Known } else { FacetStatus::NoConsent };
    let some = |v: f64| known.then_some(v);
    Persona {
        subject_id: subject_id(i),
        crm_record: format!("00Q{i}"),
        account_id: account_of(i),
        as_of: at("2026-03-02T03:00:00Z"),
        job_function: if known {
            Facet::known(JobFunction::ALL[i % JobFunction::ALL.len()], 0.82)
        } else {
            Facet::abstain(FacetStatus::NoConsent)
        },
        secondary_functions: if i.is_multiple_of(2) { vec![JobFunction::Sales, JobFunction::It] } else { vec![] },
        seniority: Facet::known(Seniority::ALL[i % Seniority::ALL.len()], 0.7),
        signing_power: if i.is_multiple_of(5) {
            Facet::known(SigningPower::Prokura, 0.9)
        } else {
            Facet::abstain(FacetStatus::InsufficientEvidence)
        },
        buying_roles: BuyingRole::ALL
            .iter()
            .enumerate()
            .map(|(k, role)| RoleScore { role: *role, probability: some(((i + k) % 10) as f64 / 10.0), status })
            .collect(),
        traits: Trait::ALL
            .iter()
            .map(|t| TraitScore { r#trait: *t, score: some(-0.4), confidence: some(0.5), status, n_evidence: 2 })
            .collect(),
        goals: if known { vec![named("cost_reduction", Some("Kosten senken"))] } else { vec![] },
        motives: vec![MotiveScore { motive: Motive::Security, confidence: some(0.6), status }],
        channels: vec![ChannelPreference { phase: PurchasePhase::Advice, channel: Some(Channel::InPerson), status }],
        context: vec![named("innovation", None)],
        buying_behaviour: vec![named("buying_behaviour", Some("compares_offers"))],
        information_behaviour: vec![named("information_behaviour", None)],
        avoided_channels: vec![named("avoided_channel", None)],
        requirements: vec![named("user", Some("Schulung"))],
        empathy_map: vec![named("says", Some("<b>Wir prüfen</b>"))],
        study_priors: vec![StudyPrior {
            facet: "channel.advice".into(),
            value: "in_person".into(),
            study: "ifh_koeln_2018".into(),
        }],
        segment_values: vec![segment_value()],
        tier: Tier::Individual,
        legal: Legal {
            basis: vec!["6(1)(a)".into(), "6(1)(f)".into()],
            permit_id: permit(&format!("{i}x0")),
            notice_status: "given".into(),
            retain_until: at("2028-03-02T00:00:00Z"),
        },
    }
}

fn segment_value() -> SegmentValue {
    SegmentValue {
        facet: "goal".into(),
        value: "cut_costs".into(),
        segment: "procurement/middle/medium".into(),
        persons: 9,
        of_persons: 12,
        share: 0.75,
    }
}

fn named(name: &str, value: Option<&str>) -> Named {
    let status = if value.is_some() { FacetStatus::Known } else { FacetStatus::InsufficientEvidence };
    Named { name: name.to_owned().into(), value: value.map(|v| v.to_owned().into()), status }
}

pub(crate) fn signal(i: usize, about: About) -> Signal {
    let claims = [
        Claim::JobFunction(JobFunction::Procurement),
        Claim::Seniority(Seniority::Head),
        Claim::SigningPower(SigningPower::Prokura),
        Claim::BuyingRole(BuyingRole::Decider, 1),
        Claim::Trait(Trait::Formality, -1),
        Claim::Motive(Motive::Growth),
        Claim::Point(Point::Goal(Goal::CutCosts)),
        Claim::Channel(Some(PurchasePhase::Advice), Channel::Phone),
        Claim::Channel(None, Channel::EMail),
        Claim::Firmographic("employees".into(), "250".into()),
    ];
    let crm = i.is_multiple_of(2);
    Signal {
        id: SignalId::from_body(&format!("{i}")),
        about,
        claim: claims[i % claims.len()].clone(),
        weight: 0.75,
        evidence: Evidence {
            source_id: if crm { "crm".into() } else { "company_site".into() },
            source_class: if crm { SourceClass::Crm } else { SourceClass::CompanySite },
            host: (!crm).then(|| "muster-maschinen.example".into()),
            document: (!crm).then(|| DocumentId::from_body(&format!("{i}"))),
            content_hash: "hmac-sha256:00".into(),
            observed_at: at("2026-03-01T12:00:00.123456Z"),
            quote: "Leitung Einkauf, Müller & Söhne".into(),
            locator: "json-ld[0].employee[2].jobTitle".into(),
            extractor: if i.is_multiple_of(3) { "crm".into() } else { "title/1".into() },
            permit: permit(&if crm { format!("{i}x1") } else { format!("{i}x2") }),
        },
    }
}

pub(crate) fn account(i: usize) -> AccountRow {
    let abstain = || Facet::abstain(FacetStatus::InsufficientEvidence);
    AccountRow {
        account_id: account_id(i),
        crm_record: format!("001{i}"),
        name: "Muster & Söhne Maschinenbau GmbH".into(),
        domain: Some("muster-maschinen.example".into()),
        country: Some("DE".into()),
        city: None,
        industry: Some("Maschinenbau".into()),
        nace: Some("28.99".into()),
        employees: Some(250),
        size_class: Some("large".into()),
        revenue_eur: Some(12_500_000.0),
        legal_form: Some("GmbH".into()),
        register: None,
        vat_id: None,
        age_years: Some(40),
        innovation: abstain(),
        digital_maturity: abstain(),
        competitive_pressure: abstain(),
        development: Facet::known("growth".into(), 0.6),
        decision_style: abstain(),
        segment_information_value: Some(1.25),
        n_personas: 3,
    }
}

fn buying_center(account: &AccountId, role: BuyingRole) -> BuyingCenterRow {
    BuyingCenterRow {
        account_id: account.clone(),
        role,
        members: if role == BuyingRole::Decider {
            vec![
                Member { subject_id: subject_id(1), probability: 0.8 },
                Member { subject_id: subject_id(2), probability: 0.1 },
            ]
        } else {
            vec![]
        },
        coverage: FacetStatus::InsufficientEvidence,
        expected_size: 1.5,
        concentration: None,
        next_best_question: Some("=Wer gibt das Budget frei?".into()),
    }
}

pub(crate) fn decision(tail: &str, target: Target, operation: Operation, source: &str) -> DecisionRow {
    DecisionRow {
        decision_id: DecisionId::from_body(tail),
        permit_id: Some(permit(tail)),
        target,
        purpose: "persona_enrichment".into(),
        operation,
        source_id: source.into(),
        primary_reason: None,
        reasons: vec!["6(1)(a)".into()],
        decided_at: at("2026-03-02T03:00:00Z"),
        valid_until: Some(at("2026-03-02T03:10:00Z")),
        holds_until: Some(at("2027-03-02T03:00:00Z")),
    }
}

fn refusal() -> DecisionRow {
    DecisionRow {
        permit_id: None,
        primary_reason: Some("robots_disallow".into()),
        reasons: vec!["robots_disallow".into(), "tdm_reserved".into()],
        valid_until: None,
        holds_until: None,
        ..decision("no", Target::Host("muster-maschinen.example".into()), Operation::Collect, "company_site")
    }
}

pub(crate) fn document(i: usize) -> DocumentRow {
    DocumentRow {
        document_id: DocumentId::from_body(&format!("{i}")),
        permit_id: permit(&format!("{i}x2")),
        outcome: "fetched".into(),
        reason: None,
        source_id: "company_site".into(),
        host: "muster-maschinen.example".into(),
        status: Some(200),
        bytes: 16_384,
        hash: Some("hmac-sha256:00".into()),
        cache: "miss".into(),
        robots: "allow".into(),
        tdm: "none".into(),
        attempts: 1,
        started_at: at("2026-03-02T03:00:01Z"),
        finished_at: at("2026-03-02T03:00:02Z"),
    }
}

pub(crate) fn dead_letter() -> DeadLetter {
    DeadLetter {
        stage: "crm".into(),
        reason: "unknown_legal_basis".into(),
        detail: "consents.csv line 7, field basis".into(),
        row_commitment: "hmac-sha256:11".into(),
        subject_id: None,
    }
}

pub(crate) fn run() -> RunRow {
    RunRow {
        run_id: run_id("a"),
        pipeline: "demo".into(),
        outcome: "completed".into(),
        as_of: at("2026-03-02T03:00:00Z"),
        started_at: at("2026-03-02T03:00:00Z"),
        finished_at: at("2026-03-02T03:00:09Z"),
        resumed: 0,
        network: "demo".into(),
        n_subjects: 10,
        n_accounts: 4,
        n_personas: 10,
        n_evidence: 10,
        n_permits: 30,
        n_refusals: 1,
        n_documents: 10,
        n_dead_letters: 1,
        plan_hash: "sha256:01".into(),
        policy_hash: "sha256:0badc0de".into(),
        inputs_hash: "sha256:02".into(),
        ledger_checkpoint: None,
        software_version: "0.1.0".into(),
        requests_used: 10,
        requests_limit: Some(2000),
        bytes_received: 163_840,
        seconds_limit: Some(120.0),
        stages: vec![
            StageTime { stage: "crm".into(), seconds: 0.25 },
            StageTime { stage: "fetch".into(), seconds: 8.0 },
        ],
    }
}
