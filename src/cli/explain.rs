//! `prosopon explain`: the arithmetic of one facet, from the tables alone.
//!
//! Invariant: the explanation is recomputed from evidence, decisions and the settings in the manifest, and it must
//! come to the very value that stands in `personas`; where it does not, it says so.

use std::collections::BTreeSet;
use std::io::Write;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use serde::{Deserialize, Serialize};

use super::HomeArg;
use super::exit::Usage;
use super::reader::Reader;
use crate::consent::gate::Clock;
use crate::model::{Account, DecisionRow, Signal, Target};
use crate::persona::explain::explain;
use crate::persona::input::{FacetKind, FusionInput, Offering};
use crate::persona::rectified::{self, Rectification};
use crate::persona::rows::{AccountRow, Persona};
use crate::sink::{self, Select};
use crate::source::id;
use crate::taxonomy::{BuyingRole, FacetStatus, Motive, Operation, PurchasePhase, SourceClass, Trait};

#[derive(Debug, Args)]
#[command(
    after_help = "Facets: job_function, seniority, signing_power, buying_role.ROLE, trait.TRAIT, motive.MOTIVE, \
channel.PHASE; for instance `prosopon explain K-1001 buying_role.decider`"
)]
pub(super) struct ExplainArgs {
    /// The contact: subject id (sub_...) or the CRM's record id
    subject: String,
    /// The facet
    facet: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    home: HomeArg,
}

/// The settings of the fusion, as the manifest keeps them.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct FusionSettings {
    pub offering: Offering,
    pub min_probability: f64,
    pub half_life_days: f64,
}

pub(super) fn execute(args: &ExplainArgs, wall: &Clock) -> anyhow::Result<ExitCode> {
    let mut reader = Reader::open(&args.home, wall)?;
    let persona = reader.persona(&args.subject)?;
    let allowed = reader.may_read(&persona);
    reader.log("explain")?;
    allowed.map_err(|reasons| Usage(format!("the gate refuses to show {}: {reasons}", persona.subject_id)))?;
    let settings: FusionSettings = serde_json::from_value(reader.manifest["fusion"].clone())
        .context("the manifest of the snapshot has no fusion settings")?;
    let known = Known::read(&reader, &persona)?;
    let input = known.input(&persona, &settings);
    let explanation = explain(&input, &args.facet).ok_or_else(|| Usage(no_facet(&args.facet)))?;
    let mut out = std::io::stdout().lock();
    if args.json {
        serde_json::to_writer(&mut out, &explanation)?;
        writeln!(out)?;
    } else {
        writeln!(out, "{} {}", persona.crm_record, persona.subject_id)?;
        write!(out, "{explanation}")?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The facets whose name has to do with what was asked for, else all of them.
fn no_facet(asked: &str) -> String {
    let roles = BuyingRole::ALL.iter().map(|r| format!("buying_role.{r}"));
    let traits = Trait::ALL.iter().map(|t| format!("trait.{t}"));
    let motives = Motive::ALL.iter().map(|m| format!("motive.{m}"));
    let phases = PurchasePhase::ALL.iter().map(|p| format!("channel.{p}"));
    let plain = ["job_function", "seniority", "signing_power"].map(str::to_owned);
    let all: Vec<String> = plain.into_iter().chain(roles).chain(traits).chain(motives).chain(phases).collect();
    let asked = asked.to_lowercase();
    let close: Vec<&str> = all.iter().filter(|f| !asked.is_empty() && f.contains(&asked)).map(String::as_str).collect();
    match close.as_slice() {
        [] => format!("there is no facet {asked:?} to explain; there are {}", all.join(", ")),
        close => format!("there is no facet {asked:?} to explain, did you mean {}", close.join(" or ")),
    }
}

/// What the tables know of a contact.
struct Known {
    signals: Vec<Signal>,
    account: Option<Account>,
    decisions: Vec<DecisionRow>,
    refused: Vec<FacetKind>,
    rectified: Vec<Rectification>,
}

impl Known {
    fn read(reader: &Reader, persona: &Persona) -> anyhow::Result<Self> {
        let select = Select::Subject(persona.subject_id.clone());
        let signals = sink::read_evidence(&reader.snapshot, &select)?;
        let account = match &persona.account_id {
            Some(id) => sink::read_accounts(&reader.snapshot, &Select::Account(id.clone()))?.pop().map(account),
            None => None,
        };
        let mut decisions = sink::read_decisions(&reader.snapshot, &select)?;
        if let Some(id) = &persona.account_id {
            decisions.extend(sink::read_decisions(&reader.snapshot, &Select::Account(id.clone()))?);
        }
        let rectified = rectified::of_signals(&signals, &persona.subject_id);
        let mut known = Self { signals, account, decisions, refused: Vec::new(), rectified };
        known.refused = known.refused_facets(persona);
        Ok(known)
    }

    /// The facets that a refused source would have fed; the same rule as in the run.
    fn refused_facets(&self, persona: &Persona) -> Vec<FacetKind> {
        let mut facets = BTreeSet::new();
        for d in self.decisions.iter().filter(|d| d.primary_reason.is_some()) {
            let own = matches!(&d.target, Target::Subject(s, _) if *s == persona.subject_id);
            let about_company = matches!(d.target, Target::Account(_)) && d.operation == Operation::Collect;
            let profile = d.operation == Operation::Profile;
            let class = match d.source_id.as_str() {
                id::CRM if d.operation != Operation::Emit => SourceClass::Crm,
                id::COMPANY_SITE => SourceClass::CompanySite,
                id::DEVELOPER_PROFILE => SourceClass::PublicProfessional,
                _ => continue,
            };
            if (own && !profile) || (about_company && self.may_use_site()) {
                facets.extend(FacetKind::fed_by(class));
            }
        }
        facets.into_iter().collect()
    }

    fn may_use_site(&self) -> bool {
        self.permitted(|d| d.source_id == id::COMPANY_SITE && d.operation == Operation::Infer)
    }

    fn permitted(&self, is: impl Fn(&DecisionRow) -> bool) -> bool {
        self.decisions.iter().any(|d| d.primary_reason.is_none() && matches!(d.target, Target::Subject(..)) && is(d))
    }

    fn input<'a>(&'a self, persona: &'a Persona, settings: &'a FusionSettings) -> FusionInput<'a> {
        let statuses = [persona.job_function.status, persona.seniority.status, persona.signing_power.status];
        FusionInput {
            subject: &persona.subject_id,
            crm_record: &persona.crm_record,
            crm_updated_at: self
                .signals
                .iter()
                .find(|s| s.evidence.source_id == id::CRM)
                .map(|s| s.evidence.observed_at),
            account: self.account.as_ref(),
            signals: &self.signals,
            as_of: persona.as_of,
            offering: &settings.offering,
            profiling_allowed: self.permitted(|d| d.operation == Operation::Profile),
            refused: &self.refused,
            identity_uncertain: statuses.contains(&FacetStatus::IdentityUncertain),
            rectified: &self.rectified,
            tier: persona.tier,
            legal: persona.legal.clone(),
            min_probability: settings.min_probability,
            half_life_days: settings.half_life_days,
        }
    }
}

fn account(row: AccountRow) -> Account {
    Account {
        id: Some(row.account_id),
        crm_record: row.crm_record,
        name: row.name,
        domain: row.domain,
        country: row.country,
        city: row.city,
        industry: row.industry,
        nace: row.nace,
        employees: row.employees,
        revenue_eur: row.revenue_eur,
        legal_form: row.legal_form,
        founded: None,
    }
}
