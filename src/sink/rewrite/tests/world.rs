//! Random worlds of contacts and companies, and their tables.

use super::*;

/// A contact of a random world.
#[derive(Debug, Clone)]
pub(super) struct Contact {
    pub n: usize,
    pub account: Option<usize>,
    pub emitted: bool,
    pub roles: Vec<Option<u8>>,
    pub signals: usize,
    pub documents: usize,
    pub letter: bool,
}

/// A company of a random world; what the CRM does not know a page may say.
#[derive(Debug, Clone)]
pub(super) struct Company {
    pub employees: Option<u32>,
    pub stated: Option<u32>,
    pub formula: bool,
}

pub(super) fn contacts() -> impl Strategy<Value = Vec<Contact>> {
    let roles = prop::collection::vec(prop::option::of(0..=10_u8), BuyingRole::ALL.len());
    let contact = (prop::option::of(0..3_usize), any::<bool>(), roles, 0..4_usize, 0..2_usize, any::<bool>());
    prop::collection::vec(contact, 1..8).prop_map(|all| {
        let contacts = all.into_iter().enumerate();
        let of = |(n, (account, emitted, roles, signals, documents, letter))| Contact {
            n,
            account,
            emitted,
            roles,
            signals,
            documents,
            letter,
        };
        contacts.map(of).collect()
    })
}

pub(super) fn companies() -> impl Strategy<Value = Vec<Company>> {
    let company = (prop::option::of(1..400_u32), prop::option::of(1..400_u32), any::<bool>());
    prop::collection::vec(company, 3).prop_map(|all| {
        all.into_iter().map(|(employees, stated, formula)| Company { employees, stated, formula }).collect()
    })
}

pub(super) fn offering() -> Offering {
    Offering {
        name: "Fördertechnik".into(),
        category: "machine".into(),
        used_by: vec![JobFunction::Production],
        run_by: vec![JobFunction::It],
        price_band: PriceBand::High,
        complexity: Level::High,
        adaptation: Level::Medium,
    }
}

pub(super) fn contact_persona(contact: &Contact) -> Persona {
    let role = |(role, p): (&BuyingRole, &Option<u8>)| RoleScore {
        role: *role,
        probability: p.map(|p| f64::from(p) / 10.0),
        status: if p.is_some() { FacetStatus::Known } else { FacetStatus::NoConsent },
    };
    Persona {
        account_id: contact.account.map(account_id),
        buying_roles: BuyingRole::ALL.iter().zip(&contact.roles).map(role).collect(),
        ..persona(contact.n)
    }
}

/// The rows that a run over these contacts writes.
pub(super) fn world(contacts: &[Contact], companies: &[Company]) -> Rows {
    let mut rows = Rows {
        personas: contacts.iter().filter(|c| c.emitted).map(contact_persona).collect(),
        evidence: vec![],
        accounts: vec![],
        buying_centers: vec![],
        decisions: vec![],
        documents: vec![],
        dead_letters: vec![dead_letter()],
        runs: vec![],
    };
    rows.personas.sort_by(|a, b| (&a.account_id, &a.subject_id).cmp(&(&b.account_id, &b.subject_id)));
    for contact in contacts {
        contact_rows(contact, &mut rows);
    }
    for (n, company) in companies.iter().enumerate() {
        let account = Account {
            id: Some(account_id(n)),
            crm_record: format!("00{n}"),
            name: if company.formula { "=Muster & Söhne" } else { "Muster <AG>" }.into(),
            employees: company.employees,
            ..Account::default()
        };
        let said = |e: u32| Signal {
            claim: Claim::Firmographic("employees".into(), e.to_string()),
            weight: 0.95,
            ..signal(100 + n, About::Account(account_id(n)))
        };
        let signals: Vec<Signal> = company.stated.map(said).into_iter().collect();
        rows.accounts.extend(account_row(&account, &signals, &rows.personas, at("2026-03-02T03:00:00Z")));
        rows.buying_centers.extend(buying_center(&account, &rows.personas, &offering()));
        rows.evidence.extend(signals);
    }
    rows.evidence.sort_by_cached_key(|s| {
        let (account, subject) = crate::sink::encode::signal_key(&s.about);
        (account.cloned(), subject.cloned(), s.id.clone())
    });
    rows.runs.push(run_row(&rows, contacts.len()));
    rows
}

pub(super) fn contact_rows(contact: &Contact, rows: &mut Rows) {
    let (n, subject, account) = (contact.n, subject_id(contact.n), contact.account.map(account_id));
    let target = Target::Subject(subject.clone(), account.clone());
    let mut emit = decision(&format!("{n}x0"), target.clone(), Operation::Emit, "output");
    if !contact.emitted {
        emit.permit_id = None;
        emit.primary_reason = Some(if n.is_multiple_of(2) { "no_basis" } else { "withdrawn" }.into());
    }
    rows.decisions.push(emit);
    rows.decisions.push(decision(&format!("{n}x1"), target.clone(), Operation::Infer, "crm"));
    rows.decisions.push(decision(&format!("{n}x2"), target, Operation::Collect, "developer_profile"));
    rows.documents.extend((0..contact.documents).map(|_| document(n)));
    if contact.emitted {
        let about = About::Subject(subject.clone(), account);
        rows.evidence.extend((0..contact.signals).map(|k| Signal {
            id: crate::model::SignalId::from_body(&format!("{n}y{k}")),
            ..signal(n, about.clone())
        }));
    }
    if contact.letter {
        rows.dead_letters.push(DeadLetter { subject_id: Some(subject), ..dead_letter() });
    }
}

pub(super) fn run_row(rows: &Rows, contacts: usize) -> crate::sink::RunRow {
    crate::sink::RunRow {
        n_subjects: contacts as u64,
        n_accounts: rows.accounts.len() as u64,
        n_personas: rows.personas.len() as u64,
        n_evidence: rows.evidence.len() as u64,
        n_permits: rows.decisions.iter().filter(|d| d.permit_id.is_some()).count() as u64,
        n_refusals: rows.decisions.iter().filter(|d| d.permit_id.is_none()).count() as u64,
        n_documents: rows.documents.len() as u64,
        n_dead_letters: rows.dead_letters.len() as u64,
        requests_used: rows.documents.iter().map(|d| u64::from(d.attempts)).sum(),
        bytes_received: rows.documents.iter().map(|d| d.bytes).sum(),
        ..run()
    }
}

pub(super) fn manifest(rows: &Rows, contacts: usize) -> Value {
    let run = &rows.runs[0];
    let mut refusals: std::collections::BTreeMap<&str, u64> = std::collections::BTreeMap::new();
    for reason in rows.decisions.iter().filter_map(|d| d.primary_reason.as_deref()) {
        *refusals.entry(reason).or_default() += 1;
    }
    let documents = if rows.documents.is_empty() { json!({}) } else { json!({ "fetched": rows.documents.len() }) };
    let count = |known: &dyn Fn(&Persona) -> bool| rows.personas.iter().filter(|p| known(p)).count();
    let known = if rows.personas.is_empty() {
        json!({})
    } else {
        json!({
            "buying_role": count(&|p| p.buying_roles.iter().any(|r| r.status == FacetStatus::Known && r.probability >= Some(0.5))),
            "job_function": count(&|p| p.job_function.status == FacetStatus::Known),
            "seniority": count(&|p| p.seniority.status == FacetStatus::Known),
        })
    };
    json!({
        "pipeline": "demo",
        "fusion": { "offering": offering(), "min_probability": 0.6, "half_life_days": 730.0 },
        "summary": { "counts": {
            "subjects": contacts, "crm_rows": contacts + rows.dead_letters.len(), "personas": run.n_personas,
            "accounts": run.n_accounts, "evidence": run.n_evidence, "permits": run.n_permits, "refusals": refusals,
            "documents": documents, "host_files": 0, "requests": run.requests_used, "bytes": run.bytes_received,
            "dead_letters": run.n_dead_letters, "known": known,
        } },
    })
}
