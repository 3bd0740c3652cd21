//! One function per table: its rows, column by column.
//!
//! Invariant: every column of the table's list is filled here, in its order.

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;

use super::Columns;
use crate::model::{
    About, AccountId, DeadLetter, DecisionRow, DocumentId, DocumentRow, PermitId, Signal, SubjectId, Target,
};
use crate::persona::rows::{AccountRow, BuyingCenterRow, Named, Persona};
use crate::sink::runs::RunRow;
use crate::sink::{SCHEMA_VERSION, SinkError, Table};
use crate::taxonomy::{self, Channel, Facet};

type Batch = Result<RecordBatch, SinkError>;

pub(in crate::sink) fn personas(schema: &SchemaRef, rows: &[Persona]) -> Batch {
    let mut c = Columns::new(Table::Personas);
    c.text("account_id", rows.iter().map(|r| r.account_id.as_ref().map(AccountId::as_str)));
    c.text("subject_id", rows.iter().map(|r| Some(r.subject_id.as_str())));
    c.text("crm_record", rows.iter().map(|r| Some(&r.crm_record)));
    c.time("as_of", rows.iter().map(|r| Some(r.as_of)));
    c.facet("job_function", rows, |r| &r.job_function, |v| v.as_str())?;
    c.codes("secondary_functions", rows.iter().map(|r| r.secondary_functions.iter().map(|f| f.as_str())))?;
    c.facet("seniority", rows, |r| &r.seniority, |v| v.as_str())?;
    c.facet("signing_power", rows, |r| &r.signing_power, |v| v.as_str())?;
    c.structs(
        "buying_roles",
        rows,
        |r| &r.buying_roles,
        |c, items| {
            c.text("role", items.iter().map(|i| Some(i.role.as_str())));
            c.float("probability", items.iter().map(|i| i.probability))?;
            c.text("status", items.iter().map(|i| Some(i.status.as_str())));
            Ok(())
        },
    )?;
    c.structs(
        "traits",
        rows,
        |r| &r.traits,
        |c, items| {
            c.text("trait", items.iter().map(|i| Some(i.r#trait.as_str())));
            c.float("score", items.iter().map(|i| i.score))?;
            c.float("confidence", items.iter().map(|i| i.confidence))?;
            c.text("status", items.iter().map(|i| Some(i.status.as_str())));
            c.int("n_evidence", items.iter().map(|i| Some(i.n_evidence)));
            Ok(())
        },
    )?;
    profile(&mut c, rows)?;
    c.text("tier", rows.iter().map(|r| Some(r.tier.as_str())));
    c.codes("basis", rows.iter().map(|r| &r.legal.basis))?;
    c.text("permit_id", rows.iter().map(|r| Some(r.legal.permit_id.as_str())));
    c.text("notice_status", rows.iter().map(|r| Some(&r.legal.notice_status)));
    c.time("retain_until", rows.iter().map(|r| Some(r.legal.retain_until)));
    c.finish(schema, rows.len())
}

fn profile(c: &mut Columns, rows: &[Persona]) -> Result<(), SinkError> {
    c.named("goals", rows, |r| &r.goals)?;
    c.structs(
        "motives",
        rows,
        |r| &r.motives,
        |c, items| {
            c.text("motive", items.iter().map(|i| Some(i.motive.as_str())));
            c.float("confidence", items.iter().map(|i| i.confidence))?;
            c.text("status", items.iter().map(|i| Some(i.status.as_str())));
            Ok(())
        },
    )?;
    c.structs(
        "channels",
        rows,
        |r| &r.channels,
        |c, items| {
            c.text("phase", items.iter().map(|i| Some(i.phase.as_str())));
            c.text("channel", items.iter().map(|i| i.channel.map(Channel::as_str)));
            c.text("status", items.iter().map(|i| Some(i.status.as_str())));
            Ok(())
        },
    )?;
    c.named("context", rows, |r| &r.context)?;
    c.named("buying_behaviour", rows, |r| &r.buying_behaviour)?;
    c.named("information_behaviour", rows, |r| &r.information_behaviour)?;
    c.named("avoided_channels", rows, |r| &r.avoided_channels)?;
    c.named("requirements", rows, |r| &r.requirements)?;
    c.named("empathy_map", rows, |r| &r.empathy_map)?;
    c.structs(
        "study_priors",
        rows,
        |r| &r.study_priors,
        |c, items| {
            c.text("facet", items.iter().map(|i| Some(&i.facet)));
            c.text("value", items.iter().map(|i| Some(&i.value)));
            c.text("study", items.iter().map(|i| Some(&i.study)));
            Ok(())
        },
    )?;
    segment_values(c, rows)
}

fn segment_values(c: &mut Columns, rows: &[Persona]) -> Result<(), SinkError> {
    c.structs(
        "segment_values",
        rows,
        |r| &r.segment_values,
        |c, items| {
            c.text("facet", items.iter().map(|i| Some(&i.facet)));
            c.text("value", items.iter().map(|i| Some(&i.value)));
            c.text("segment", items.iter().map(|i| Some(&i.segment)));
            c.int("persons", items.iter().map(|i| Some(i.persons)));
            c.int("of_persons", items.iter().map(|i| Some(i.of_persons)));
            c.float("share", items.iter().map(|i| Some(i.share)))
        },
    )
}

impl Columns {
    /// Value, `_probability` and `_status` of a facet.
    fn facet<'a, R, T: 'a, S: AsRef<str>>(
        &mut self,
        name: &str,
        rows: &'a [R],
        get: impl Fn(&'a R) -> &'a Facet<T>,
        text: impl Fn(&'a T) -> S,
    ) -> Result<(), SinkError> {
        self.text(name, rows.iter().map(|r| get(r).value.as_ref().map(&text)));
        self.float(&format!("{name}_probability"), rows.iter().map(|r| get(r).p))?;
        self.text(&format!("{name}_status"), rows.iter().map(|r| Some(get(r).status.as_str())));
        Ok(())
    }

    fn named<'a, R>(&mut self, name: &str, rows: &'a [R], get: impl Fn(&'a R) -> &'a [Named]) -> Result<(), SinkError> {
        self.structs(name, rows, get, |c, items| {
            c.text("name", items.iter().map(|i| Some(&i.name)));
            c.text("value", items.iter().map(|i| i.value.as_ref()));
            c.text("status", items.iter().map(|i| Some(i.status.as_str())));
            Ok(())
        })
    }
}

/// Account and subject of a signal, the sort key of `evidence`.
pub(in crate::sink) fn signal_key(about: &About) -> (Option<&AccountId>, Option<&SubjectId>) {
    match about {
        About::Subject(subject, account) => (account.as_ref(), Some(subject)),
        About::Account(account) => (Some(account), None),
    }
}

pub(in crate::sink) fn evidence(schema: &SchemaRef, rows: &[Signal]) -> Batch {
    let mut c = Columns::new(Table::Evidence);
    c.text("account_id", rows.iter().map(|r| signal_key(&r.about).0.map(AccountId::as_str)));
    c.text("subject_id", rows.iter().map(|r| signal_key(&r.about).1.map(SubjectId::as_str)));
    c.text("signal_id", rows.iter().map(|r| Some(r.id.as_str())));
    c.text("document_id", rows.iter().map(|r| r.evidence.document.as_ref().map(DocumentId::as_str)));
    c.text("facet", rows.iter().map(|r| Some(r.claim.facet())));
    c.text("value", rows.iter().map(|r| Some(r.claim.value())));
    c.float("weight", rows.iter().map(|r| Some(r.weight)))?;
    c.text("source", rows.iter().map(|r| Some(&r.evidence.source_id)));
    c.text("source_class", rows.iter().map(|r| Some(r.evidence.source_class.as_str())));
    c.text("host", rows.iter().map(|r| r.evidence.host.as_ref()));
    c.text("document_hash", rows.iter().map(|r| Some(&r.evidence.content_hash)));
    c.time("observed_at", rows.iter().map(|r| Some(r.evidence.observed_at)));
    c.text("quote", rows.iter().map(|r| Some(&r.evidence.quote)));
    c.text("locator", rows.iter().map(|r| Some(&r.evidence.locator)));
    c.text("extractor", rows.iter().map(|r| Some(extractor(&r.evidence.extractor).0)));
    c.text("extractor_version", rows.iter().map(|r| extractor(&r.evidence.extractor).1));
    c.text("permit_id", rows.iter().map(|r| Some(r.evidence.permit.as_str())));
    c.finish(schema, rows.len())
}

/// `title/1` is the extractor `title` in version `1`.
fn extractor(name: &str) -> (&str, Option<&str>) {
    name.rsplit_once('/').map_or((name, None), |(name, version)| (name, Some(version)))
}

pub(in crate::sink) fn accounts(schema: &SchemaRef, rows: &[AccountRow]) -> Batch {
    let mut c = Columns::new(Table::Accounts);
    c.text("account_id", rows.iter().map(|r| Some(r.account_id.as_str())));
    c.text("crm_record", rows.iter().map(|r| Some(&r.crm_record)));
    c.text("name", rows.iter().map(|r| Some(&r.name)));
    c.text("domain", rows.iter().map(|r| r.domain.as_ref()));
    c.text("country", rows.iter().map(|r| r.country.as_ref()));
    c.text("city", rows.iter().map(|r| r.city.as_ref()));
    c.text("industry", rows.iter().map(|r| r.industry.as_ref()));
    c.text("nace", rows.iter().map(|r| r.nace.as_ref()));
    c.int("employees", rows.iter().map(|r| r.employees));
    c.text("size_class", rows.iter().map(|r| r.size_class.as_ref()));
    c.float("revenue_eur", rows.iter().map(|r| r.revenue_eur))?;
    c.text("legal_form", rows.iter().map(|r| r.legal_form.as_ref()));
    c.text("register", rows.iter().map(|r| r.register.as_ref()));
    c.text("vat_id", rows.iter().map(|r| r.vat_id.as_ref()));
    c.int("age_years", rows.iter().map(|r| r.age_years));
    c.facet("innovation", rows, |r| &r.innovation, String::as_str)?;
    c.facet("digital_maturity", rows, |r| &r.digital_maturity, String::as_str)?;
    c.facet("competitive_pressure", rows, |r| &r.competitive_pressure, String::as_str)?;
    c.facet("development", rows, |r| &r.development, String::as_str)?;
    c.facet("decision_style", rows, |r| &r.decision_style, String::as_str)?;
    c.float("segment_information_value", rows.iter().map(|r| r.segment_information_value))?;
    c.int("n_personas", rows.iter().map(|r| Some(r.n_personas)));
    c.finish(schema, rows.len())
}

pub(in crate::sink) fn buying_centers(schema: &SchemaRef, rows: &[BuyingCenterRow]) -> Batch {
    let mut c = Columns::new(Table::BuyingCenters);
    c.text("account_id", rows.iter().map(|r| Some(r.account_id.as_str())));
    c.text("role", rows.iter().map(|r| Some(r.role.as_str())));
    c.structs(
        "members",
        rows,
        |r| &r.members,
        |c, items| {
            c.text("subject_id", items.iter().map(|i| Some(i.subject_id.as_str())));
            c.float("probability", items.iter().map(|i| Some(i.probability)))
        },
    )?;
    c.text("coverage", rows.iter().map(|r| Some(r.coverage.as_str())));
    c.float("expected_size", rows.iter().map(|r| Some(r.expected_size)))?;
    c.float("concentration", rows.iter().map(|r| r.concentration))?;
    c.text("next_best_question", rows.iter().map(|r| r.next_best_question.as_ref()));
    c.finish(schema, rows.len())
}

pub(in crate::sink) fn decisions(schema: &SchemaRef, rows: &[DecisionRow]) -> Batch {
    let target = |r: &DecisionRow| match &r.target {
        Target::Subject(subject, account) => (account.clone(), Some(subject.clone()), None),
        Target::Account(account) => (Some(account.clone()), None, None),
        Target::Host(host) => (None, None, Some(host.clone())),
    };
    let targets: Vec<(Option<AccountId>, Option<SubjectId>, Option<String>)> = rows.iter().map(target).collect();
    let mut c = Columns::new(Table::Decisions);
    c.text("account_id", targets.iter().map(|t| t.0.as_ref().map(AccountId::as_str)));
    c.text("subject_id", targets.iter().map(|t| t.1.as_ref().map(SubjectId::as_str)));
    c.text("host", targets.iter().map(|t| t.2.as_ref()));
    c.text("target_kind", rows.iter().map(|r| Some(r.target.kind())));
    c.text("decision_id", rows.iter().map(|r| Some(r.decision_id.as_str())));
    c.text("permit_id", rows.iter().map(|r| r.permit_id.as_ref().map(PermitId::as_str)));
    c.text("outcome", rows.iter().map(|r| Some(if r.permit_id.is_some() { "permit" } else { "refusal" })));
    c.text("purpose", rows.iter().map(|r| Some(&r.purpose)));
    c.text("operation", rows.iter().map(|r| Some(r.operation.as_str())));
    c.text("source_id", rows.iter().map(|r| Some(&r.source_id)));
    c.text("primary_reason", rows.iter().map(|r| r.primary_reason.as_ref()));
    c.codes("reasons", rows.iter().map(|r| &r.reasons))?;
    c.time("decided_at", rows.iter().map(|r| Some(r.decided_at)));
    c.time("valid_until", rows.iter().map(|r| r.valid_until));
    c.time("holds_until", rows.iter().map(|r| r.holds_until));
    c.finish(schema, rows.len())
}

pub(in crate::sink) fn documents(schema: &SchemaRef, rows: &[DocumentRow]) -> Batch {
    let mut c = Columns::new(Table::Documents);
    c.text("document_id", rows.iter().map(|r| Some(r.document_id.as_str())));
    c.text("permit_id", rows.iter().map(|r| Some(r.permit_id.as_str())));
    c.text("outcome", rows.iter().map(|r| Some(&r.outcome)));
    c.text("reason", rows.iter().map(|r| r.reason.as_ref()));
    c.text("source_id", rows.iter().map(|r| Some(&r.source_id)));
    c.text("host", rows.iter().map(|r| Some(&r.host)));
    c.int("status", rows.iter().map(|r| r.status));
    c.int("bytes", rows.iter().map(|r| Some(r.bytes)));
    c.text("hash", rows.iter().map(|r| r.hash.as_ref()));
    c.text("cache", rows.iter().map(|r| Some(&r.cache)));
    c.text("robots", rows.iter().map(|r| Some(&r.robots)));
    c.text("tdm", rows.iter().map(|r| Some(&r.tdm)));
    c.int("attempts", rows.iter().map(|r| Some(r.attempts)));
    c.time("started_at", rows.iter().map(|r| Some(r.started_at)));
    c.time("finished_at", rows.iter().map(|r| Some(r.finished_at)));
    c.finish(schema, rows.len())
}

pub(in crate::sink) fn dead_letters(schema: &SchemaRef, rows: &[DeadLetter]) -> Batch {
    let mut c = Columns::new(Table::DeadLetters);
    c.text("stage", rows.iter().map(|r| Some(&r.stage)));
    c.text("reason", rows.iter().map(|r| Some(&r.reason)));
    c.text("detail", rows.iter().map(|r| Some(&r.detail)));
    c.text("row_commitment", rows.iter().map(|r| Some(&r.row_commitment)));
    c.text("subject_id", rows.iter().map(|r| r.subject_id.as_ref().map(SubjectId::as_str)));
    c.finish(schema, rows.len())
}

pub(in crate::sink) fn runs(schema: &SchemaRef, rows: &[RunRow]) -> Batch {
    let mut c = Columns::new(Table::Runs);
    c.text("run_id", rows.iter().map(|r| Some(r.run_id.as_str())));
    c.text("pipeline", rows.iter().map(|r| Some(&r.pipeline)));
    c.text("outcome", rows.iter().map(|r| Some(&r.outcome)));
    c.time("as_of", rows.iter().map(|r| Some(r.as_of)));
    c.time("started_at", rows.iter().map(|r| Some(r.started_at)));
    c.time("finished_at", rows.iter().map(|r| Some(r.finished_at)));
    c.int("resumed", rows.iter().map(|r| Some(r.resumed)));
    c.text("network", rows.iter().map(|r| Some(&r.network)));
    c.int("n_subjects", rows.iter().map(|r| Some(r.n_subjects)));
    c.int("n_accounts", rows.iter().map(|r| Some(r.n_accounts)));
    c.int("n_personas", rows.iter().map(|r| Some(r.n_personas)));
    c.int("n_evidence", rows.iter().map(|r| Some(r.n_evidence)));
    c.int("n_permits", rows.iter().map(|r| Some(r.n_permits)));
    c.int("n_refusals", rows.iter().map(|r| Some(r.n_refusals)));
    c.int("n_documents", rows.iter().map(|r| Some(r.n_documents)));
    c.int("n_dead_letters", rows.iter().map(|r| Some(r.n_dead_letters)));
    c.text("plan_hash", rows.iter().map(|r| Some(&r.plan_hash)));
    c.text("policy_hash", rows.iter().map(|r| Some(&r.policy_hash)));
    c.text("inputs_hash", rows.iter().map(|r| Some(&r.inputs_hash)));
    c.text("ledger_checkpoint", rows.iter().map(|r| r.ledger_checkpoint.as_ref()));
    c.text("software_version", rows.iter().map(|r| Some(&r.software_version)));
    c.text("taxonomy_version", rows.iter().map(|_| Some(taxonomy::VERSION)));
    c.int("schema_version", rows.iter().map(|_| Some(SCHEMA_VERSION)));
    c.int("requests_used", rows.iter().map(|r| Some(r.requests_used)));
    c.int("requests_limit", rows.iter().map(|r| r.requests_limit));
    c.int("bytes_received", rows.iter().map(|r| Some(r.bytes_received)));
    c.float("seconds_limit", rows.iter().map(|r| r.seconds_limit))?;
    c.structs(
        "stages",
        rows,
        |r| &r.stages,
        |c, items| {
            c.text("stage", items.iter().map(|i| Some(&i.stage)));
            c.float("seconds", items.iter().map(|i| Some(i.seconds)))
        },
    )?;
    c.finish(schema, rows.len())
}
