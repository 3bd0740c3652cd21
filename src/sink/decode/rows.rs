//! One function per table: a batch to its rows.
//!
//! Invariant: the counterpart of `encode/rows.rs`, column for column.

use std::str::FromStr;

use arrow_array::{Array, RecordBatch, StructArray};

use super::{Fit, View};
use crate::model::{
    About, AccountId, Claim, DecisionId, DecisionRow, DocumentId, DocumentRow, Evidence, PermitId, RunId, Signal,
    SignalId, SubjectId, Target,
};
use crate::persona::rows::{
    AccountRow, BuyingCenterRow, ChannelPreference, Legal, Member, MotiveScore, Named, Persona, RoleScore,
    SegmentValue, StudyPrior, TraitScore,
};
use crate::sink::runs::{RunRow, StageTime};
use crate::taxonomy::{Facet, Point};

fn texts(codes: Vec<&str>) -> Vec<String> {
    codes.into_iter().map(str::to_owned).collect()
}

/// Reads every row of a batch.
fn each<T>(batch: &RecordBatch, row: impl Fn(&View<'_>, usize) -> Fit<T>) -> Fit<Vec<T>> {
    let rows = StructArray::from(batch.clone());
    let view = View { rows: &rows, of: None };
    (0..rows.len()).map(|i| row(&view, i)).collect()
}

/// The id accessors, which differ by prefix and constructor only.
macro_rules! ids {
    ($($method:ident, $optional:ident, $id:ident;)+) => {
        impl View<'_> {
            $(
                fn $optional(&self, name: &str, row: usize) -> Fit<Option<$id>> {
                    self.id_opt(name, row, $id::PREFIX, $id::from_body)
                }

                fn $method(&self, name: &str, row: usize) -> Fit<$id> {
                    self.$optional(name, row)?.ok_or_else(|| self.misfit(name))
                }
            )+
        }
    };
}

ids! {
    subject, subject_opt, SubjectId;
    account, account_opt, AccountId;
    permit, permit_opt, PermitId;
    document, document_opt, DocumentId;
    decision, decision_opt, DecisionId;
    signal, signal_opt, SignalId;
    run, run_opt, RunId;
}

/// The columns of a facet.
macro_rules! facet {
    ($name:literal) => {
        [$name, concat!($name, "_probability"), concat!($name, "_status")]
    };
}

impl View<'_> {
    /// A facet's value, probability and status, from these columns.
    fn facet<T: FromStr>(&self, [value, p, status]: [&str; 3], row: usize) -> Fit<Facet<T>> {
        Ok(Facet { value: self.term_opt(value, row)?, p: self.float_opt(p, row)?, status: self.term(status, row)? })
    }

    fn named(&self, name: &str, row: usize) -> Fit<Vec<Named>> {
        self.structs(name, row, |v, i| {
            Ok(Named {
                name: v.text("name", i)?.into(),
                value: v.text_opt("value", i)?.map(Into::into),
                status: v.term("status", i)?,
            })
        })
    }
}

pub(in crate::sink) fn personas(batch: &RecordBatch) -> Fit<Vec<Persona>> {
    each(batch, |v, i| {
        let functions = v.codes("secondary_functions", i)?;
        let parse = |f: &&str| f.parse().map_err(|_| v.misfit("secondary_functions"));
        Ok(Persona {
            subject_id: v.subject("subject_id", i)?,
            crm_record: v.text("crm_record", i)?,
            account_id: v.account_opt("account_id", i)?,
            as_of: v.time("as_of", i)?,
            job_function: v.facet(facet!("job_function"), i)?,
            secondary_functions: functions.iter().map(parse).collect::<Fit<_>>()?,
            seniority: v.facet(facet!("seniority"), i)?,
            signing_power: v.facet(facet!("signing_power"), i)?,
            buying_roles: v.structs("buying_roles", i, role)?,
            traits: v.structs("traits", i, trait_score)?,
            goals: v.named("goals", i)?,
            motives: v.structs("motives", i, motive)?,
            channels: v.structs("channels", i, channel)?,
            context: v.named("context", i)?,
            buying_behaviour: v.named("buying_behaviour", i)?,
            information_behaviour: v.named("information_behaviour", i)?,
            // Younger than the first tables of this version.
            avoided_channels: if v.has("avoided_channels") { v.named("avoided_channels", i)? } else { Vec::new() },
            requirements: v.named("requirements", i)?,
            empathy_map: v.named("empathy_map", i)?,
            study_priors: v.structs("study_priors", i, study_prior)?,
            // Younger than the first tables of this version, which have no such values.
            segment_values: if v.has("segment_values") {
                v.structs("segment_values", i, segment_value)?
            } else {
                Vec::new()
            },
            tier: v.term("tier", i)?,
            legal: Legal {
                basis: texts(v.codes("basis", i)?),
                permit_id: v.permit("permit_id", i)?,
                notice_status: v.text("notice_status", i)?,
                retain_until: v.time("retain_until", i)?,
            },
        })
    })
}

fn role(v: &View<'_>, i: usize) -> Fit<RoleScore> {
    Ok(RoleScore {
        role: v.term("role", i)?,
        probability: v.float_opt("probability", i)?,
        status: v.term("status", i)?,
    })
}

fn trait_score(v: &View<'_>, i: usize) -> Fit<TraitScore> {
    Ok(TraitScore {
        r#trait: v.term("trait", i)?,
        score: v.float_opt("score", i)?,
        confidence: v.float_opt("confidence", i)?,
        status: v.term("status", i)?,
        n_evidence: v.int("n_evidence", i)?,
    })
}

fn motive(v: &View<'_>, i: usize) -> Fit<MotiveScore> {
    Ok(MotiveScore {
        motive: v.term("motive", i)?,
        confidence: v.float_opt("confidence", i)?,
        status: v.term("status", i)?,
    })
}

fn study_prior(v: &View<'_>, i: usize) -> Fit<StudyPrior> {
    Ok(StudyPrior {
        facet: v.text("facet", i)?.into(),
        value: v.text("value", i)?.into(),
        study: v.text("study", i)?.into(),
    })
}

fn segment_value(v: &View<'_>, i: usize) -> Fit<SegmentValue> {
    Ok(SegmentValue {
        facet: v.text("facet", i)?,
        value: v.text("value", i)?,
        segment: v.text("segment", i)?,
        persons: v.int("persons", i)?,
        of_persons: v.int("of_persons", i)?,
        share: v.float("share", i)?,
    })
}

fn channel(v: &View<'_>, i: usize) -> Fit<ChannelPreference> {
    Ok(ChannelPreference {
        phase: v.term("phase", i)?,
        channel: v.term_opt("channel", i)?,
        status: v.term("status", i)?,
    })
}

pub(in crate::sink) fn evidence(batch: &RecordBatch) -> Fit<Vec<Signal>> {
    each(batch, |v, i| {
        let about = match (v.subject_opt("subject_id", i)?, v.account_opt("account_id", i)?) {
            (Some(subject), account) => About::Subject(subject, account),
            (None, Some(account)) => About::Account(account),
            (None, None) => return Err(v.misfit("account_id")),
        };
        let extractor = v.text("extractor", i)?;
        let version = v.str_opt("extractor_version", i)?;
        Ok(Signal {
            id: v.signal("signal_id", i)?,
            about,
            claim: claim(v.str("facet", i)?, v.str("value", i)?).ok_or_else(|| v.misfit("facet"))?,
            weight: v.float("weight", i)?,
            evidence: Evidence {
                source_id: v.text("source", i)?,
                source_class: v.term("source_class", i)?,
                host: v.text_opt("host", i)?,
                document: v.document_opt("document_id", i)?,
                content_hash: v.text("document_hash", i)?,
                observed_at: v.time("observed_at", i)?,
                quote: v.text("quote", i)?,
                locator: v.text("locator", i)?,
                extractor: match version {
                    Some(version) => format!("{extractor}/{version}"),
                    None => extractor,
                },
                permit: v.permit("permit_id", i)?,
            },
        })
    })
}

/// The claim that [`Claim::facet`] and [`Claim::value`] describe.
fn claim(facet: &str, value: &str) -> Option<Claim> {
    let sign = || match value {
        "+" => Some(1),
        "-" => Some(-1),
        _ => None,
    };
    Some(match facet.split_once('.') {
        None => match facet {
            "job_function" => Claim::JobFunction(value.parse().ok()?),
            "seniority" => Claim::Seniority(value.parse().ok()?),
            "signing_power" => Claim::SigningPower(value.parse().ok()?),
            "motive" => Claim::Motive(value.parse().ok()?),
            "channel" => Claim::Channel(None, value.parse().ok()?),
            kind => Claim::Point(Point::parse(kind.parse().ok()?, value).ok()?),
        },
        Some(("buying_role", role)) => Claim::BuyingRole(role.parse().ok()?, sign()?),
        Some(("trait", name)) => Claim::Trait(name.parse().ok()?, sign()?),
        Some(("channel", phase)) => Claim::Channel(Some(phase.parse().ok()?), value.parse().ok()?),
        Some(("account", field)) => Claim::Firmographic(field.to_owned(), value.to_owned()),
        Some(_) => return None,
    })
}

pub(in crate::sink) fn accounts(batch: &RecordBatch) -> Fit<Vec<AccountRow>> {
    each(batch, |v, i| {
        Ok(AccountRow {
            account_id: v.account("account_id", i)?,
            crm_record: v.text("crm_record", i)?,
            name: v.text("name", i)?,
            domain: v.text_opt("domain", i)?,
            country: v.text_opt("country", i)?,
            city: v.text_opt("city", i)?,
            industry: v.text_opt("industry", i)?,
            nace: v.text_opt("nace", i)?,
            employees: v.int_opt("employees", i)?,
            size_class: v.text_opt("size_class", i)?,
            revenue_eur: v.float_opt("revenue_eur", i)?,
            legal_form: v.text_opt("legal_form", i)?,
            register: v.text_opt("register", i)?,
            vat_id: v.text_opt("vat_id", i)?,
            age_years: v.int_opt("age_years", i)?,
            innovation: v.facet(facet!("innovation"), i)?,
            digital_maturity: v.facet(facet!("digital_maturity"), i)?,
            competitive_pressure: v.facet(facet!("competitive_pressure"), i)?,
            development: v.facet(facet!("development"), i)?,
            decision_style: v.facet(facet!("decision_style"), i)?,
            segment_information_value: v.float_opt("segment_information_value", i)?,
            n_personas: v.int("n_personas", i)?,
        })
    })
}

pub(in crate::sink) fn buying_centers(batch: &RecordBatch) -> Fit<Vec<BuyingCenterRow>> {
    each(batch, |v, i| {
        Ok(BuyingCenterRow {
            account_id: v.account("account_id", i)?,
            role: v.term("role", i)?,
            members: v.structs("members", i, |v, i| {
                Ok(Member { subject_id: v.subject("subject_id", i)?, probability: v.float("probability", i)? })
            })?,
            coverage: v.term("coverage", i)?,
            expected_size: v.float("expected_size", i)?,
            concentration: v.float_opt("concentration", i)?,
            next_best_question: v.text_opt("next_best_question", i)?,
        })
    })
}

pub(in crate::sink) fn decisions(batch: &RecordBatch) -> Fit<Vec<DecisionRow>> {
    each(batch, |v, i| {
        let account = v.account_opt("account_id", i)?;
        let target = match v.str("target_kind", i)? {
            "subject" => Target::Subject(v.subject("subject_id", i)?, account),
            "account" => Target::Account(account.ok_or_else(|| v.misfit("account_id"))?),
            "host" => Target::Host(v.text("host", i)?),
            _ => return Err(v.misfit("target_kind")),
        };
        Ok(DecisionRow {
            decision_id: v.decision("decision_id", i)?,
            permit_id: v.permit_opt("permit_id", i)?,
            target,
            purpose: v.text("purpose", i)?,
            operation: v.term("operation", i)?,
            source_id: v.text("source_id", i)?,
            primary_reason: v.text_opt("primary_reason", i)?,
            reasons: texts(v.codes("reasons", i)?),
            decided_at: v.time("decided_at", i)?,
            valid_until: v.time_opt("valid_until", i)?,
            // Tables of earlier versions have none.
            holds_until: if v.has("holds_until") { v.time_opt("holds_until", i)? } else { None },
        })
    })
}

pub(in crate::sink) fn documents(batch: &RecordBatch) -> Fit<Vec<DocumentRow>> {
    each(batch, |v, i| {
        Ok(DocumentRow {
            document_id: v.document("document_id", i)?,
            permit_id: v.permit("permit_id", i)?,
            outcome: v.text("outcome", i)?,
            reason: v.text_opt("reason", i)?,
            source_id: v.text("source_id", i)?,
            host: v.text("host", i)?,
            status: v.int_opt("status", i)?,
            bytes: v.int("bytes", i)?,
            hash: v.text_opt("hash", i)?,
            cache: v.text("cache", i)?,
            robots: v.text("robots", i)?,
            tdm: v.text("tdm", i)?,
            attempts: v.int("attempts", i)?,
            started_at: v.time("started_at", i)?,
            finished_at: v.time("finished_at", i)?,
        })
    })
}

pub(in crate::sink) fn runs(batch: &RecordBatch) -> Fit<Vec<RunRow>> {
    each(batch, |v, i| {
        Ok(RunRow {
            run_id: v.run("run_id", i)?,
            pipeline: v.text("pipeline", i)?,
            outcome: v.text("outcome", i)?,
            as_of: v.time("as_of", i)?,
            started_at: v.time("started_at", i)?,
            finished_at: v.time("finished_at", i)?,
            resumed: v.int("resumed", i)?,
            network: v.text("network", i)?,
            n_subjects: v.int("n_subjects", i)?,
            n_accounts: v.int("n_accounts", i)?,
            n_personas: v.int("n_personas", i)?,
            n_evidence: v.int("n_evidence", i)?,
            n_permits: v.int("n_permits", i)?,
            n_refusals: v.int("n_refusals", i)?,
            n_documents: v.int("n_documents", i)?,
            n_dead_letters: v.int("n_dead_letters", i)?,
            plan_hash: v.text("plan_hash", i)?,
            policy_hash: v.text("policy_hash", i)?,
            inputs_hash: v.text("inputs_hash", i)?,
            ledger_checkpoint: v.text_opt("ledger_checkpoint", i)?,
            software_version: v.text("software_version", i)?,
            requests_used: v.int("requests_used", i)?,
            requests_limit: v.int_opt("requests_limit", i)?,
            bytes_received: v.int("bytes_received", i)?,
            seconds_limit: v.float_opt("seconds_limit", i)?,
            stages: v.structs("stages", i, |v, i| {
                Ok(StageTime { stage: v.text("stage", i)?, seconds: v.float("seconds", i)? })
            })?,
        })
    })
}
