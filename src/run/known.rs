//! What the tables know of a contact, ready to be fused again: for explanations, and to put a persona right.
//!
//! Invariant: fusing it gives the very persona that stands in the table, as long as nothing was put right since.

use std::collections::{BTreeSet, HashMap, HashSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::consent::reason::any_is_a_no;
use crate::model::{About, Account, AccountId, DecisionRow, Signal, SignalId, SubjectId, Target};
use crate::persona::fuse::fuse;
use crate::persona::input::{FacetKind, FusionInput, Offering};
use crate::persona::rectified::{self, Rectification};
use crate::persona::rows::{AccountRow, Persona};
use crate::sink::{self, Select, SinkError, Snapshot};
use crate::source::id;
use crate::taxonomy::{FacetStatus, Operation, SourceClass};

/// The settings of the fusion, as the manifest keeps them.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FusionSettings {
    /// What is to be sold.
    pub offering: Offering,
    /// Below it a facet abstains.
    pub min_probability: f64,
    /// Evidence loses half its weight in so many days.
    pub half_life_days: f64,
}

/// How old the columns of the CRM's record are, by the evidence that was read from them; notes have ages of their own.
fn record_age(signals: &[Signal]) -> Option<Timestamp> {
    let of_column = |s: &&Signal| {
        matches!(s.about, About::Subject(..))
            && s.evidence.source_id == id::CRM
            && s.evidence.locator.starts_with("column ")
    };
    signals.iter().find(of_column).map(|s| s.evidence.observed_at)
}

/// What the tables know of a contact.
#[derive(Debug)]
pub struct Known {
    signals: Vec<Signal>,
    account: Option<Account>,
    decisions: Vec<DecisionRow>,
    refused: Vec<FacetKind>,
    rectified: Vec<Rectification>,
    /// `Some` = the profile was taken out; whether because the person said no.
    without_profile: Option<bool>,
}

/// Of so many people a snapshot is read at once: the tables are looked through once for all of them.
const TOGETHER: usize = 256;

impl Known {
    /// Reads what a snapshot has on a contact.
    ///
    /// # Errors
    /// The tables cannot be read.
    pub fn read(snapshot: &Snapshot, persona: &Persona) -> Result<Self, SinkError> {
        Ok(Tables::read(snapshot, &[persona])?.of(persona))
    }

    /// Reads what a snapshot has on each of several contacts, and shows one after the other, in their order: many are read at
    /// the price of one.
    ///
    /// # Errors
    /// The tables cannot be read.
    pub fn each<'p>(
        snapshot: &Snapshot,
        personas: &[&'p Persona],
        mut visit: impl FnMut(&'p Persona, Self),
    ) -> Result<(), SinkError> {
        for some in personas.chunks(TOGETHER) {
            let tables = Tables::read(snapshot, some)?;
            for &persona in some {
                visit(persona, tables.of(persona));
            }
        }
        Ok(())
    }

    /// Puts everything right that was rectified, and takes the evidence out that it replaces.
    pub fn put_right(&mut self, persona: &Persona, all: Vec<Rectification>, ids: &crate::ids::Ids) {
        self.signals.retain(|s| s.evidence.source_id != rectified::SOURCE);
        rectified::settle(&mut self.signals, &persona.subject_id, &all);
        let permit = &persona.legal.permit_id;
        self.signals.extend(rectified::signals(&all, &persona.subject_id, persona.account_id.as_ref(), permit, ids));
        self.signals.sort_by(|a, b| a.id.cmp(&b.id));
        self.rectified = all;
    }

    /// Whether fusing anew gives the stored persona.
    #[must_use]
    pub fn is_exact(&self, persona: &Persona, settings: &FusionSettings) -> bool {
        fuse(&self.input(persona, settings)) == *persona
    }

    /// Takes what is sealed of rectifications into account, if the stored persona was fused with it: what was removed
    /// stands in no table, and a snapshot from before a rectification was fused without it.
    pub fn with_sealed(&mut self, persona: &Persona, settings: &FusionSettings, sealed: &[Rectification]) {
        if sealed.is_empty() || self.is_exact(persona, settings) {
            return;
        }
        let of_tables = std::mem::replace(&mut self.rectified, sealed.to_vec());
        if !self.is_exact(persona, settings) {
            self.rectified = of_tables;
        }
    }

    /// Takes the profile out: leave for it has ended, maybe because the person said no.
    pub fn without_profile(&mut self, said_no: bool) {
        self.signals.retain(|s| !s.claim.is_profile());
        self.without_profile = Some(said_no);
    }

    /// Takes signals out; `company` = the row of the company without them, where that changed.
    pub fn without_signals(&mut self, lost: &HashSet<SignalId>, company: Option<&AccountRow>) {
        self.signals.retain(|s| !lost.contains(&s.id));
        if let Some(row) = company {
            self.account = Some(account(row.clone()));
        }
    }

    /// The signals about the person, sorted by id.
    #[must_use]
    pub fn own_signals(&self, subject: &crate::model::SubjectId) -> Vec<Signal> {
        let own = |s: &&Signal| matches!(&s.about, crate::model::About::Subject(id, _) if id == subject);
        self.signals.iter().filter(own).cloned().collect()
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
                id::SOCIAL_PROFILE => SourceClass::PublicSocial,
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

    /// Whether the person said no to profiling, by a decision; the same rule as in the run.
    fn said_no(&self, subject: &SubjectId) -> bool {
        self.decisions.iter().any(|d| d.target.subject() == Some(subject) && is_no_to_profiling(d))
    }

    /// What was fused.
    #[must_use]
    pub fn input<'a>(&'a self, persona: &'a Persona, settings: &'a FusionSettings) -> FusionInput<'a> {
        let said_no = self.without_profile.unwrap_or_else(|| self.said_no(&persona.subject_id));
        let taken_out = self.without_profile.is_some() || said_no;
        FusionInput {
            subject: &persona.subject_id,
            crm_record: &persona.crm_record,
            crm_updated_at: record_age(&self.signals),
            account: self.account.as_ref(),
            signals: &self.signals,
            as_of: persona.as_of,
            offering: &settings.offering,
            profiling_allowed: !taken_out && self.permitted(|d| d.operation == Operation::Profile),
            profiling_refused: said_no,
            refused: &self.refused,
            identity_uncertain: is_uncertain(persona),
            rectified: &self.rectified,
            segment_values: &persona.segment_values,
            tier: persona.tier,
            legal: persona.legal.clone(),
            min_probability: settings.min_probability,
            half_life_days: settings.half_life_days,
        }
    }
}

/// Whether a decision tells that the person said no to profiling.
pub(super) fn is_no_to_profiling(decision: &DecisionRow) -> bool {
    decision.operation == Operation::Profile && decision.primary_reason.is_some() && any_is_a_no(&decision.reasons)
}

/// Whether any facet says so; where none does, it made no difference.
fn is_uncertain(p: &Persona) -> bool {
    let named =
        [&p.goals, &p.requirements, &p.empathy_map, &p.buying_behaviour, &p.information_behaviour, &p.avoided_channels];
    let named = named.into_iter().flatten().map(|n| n.status);
    [p.job_function.status, p.seniority.status, p.signing_power.status]
        .into_iter()
        .chain(p.buying_roles.iter().map(|r| r.status))
        .chain(p.traits.iter().map(|t| t.status))
        .chain(p.motives.iter().map(|m| m.status))
        .chain(p.channels.iter().map(|c| c.status))
        .chain(named)
        .any(|s| s == FacetStatus::IdentityUncertain)
}

/// What the tables have of some people and of their companies.
#[derive(Debug, Default)]
struct Tables {
    signals: HashMap<SubjectId, Vec<Signal>>,
    decisions: HashMap<SubjectId, Vec<DecisionRow>>,
    companies: HashMap<AccountId, Company>,
}

/// What they have of a company itself: several people may work there.
#[derive(Debug, Default)]
struct Company {
    row: Option<AccountRow>,
    signals: Vec<Signal>,
    decisions: Vec<DecisionRow>,
}

impl Tables {
    fn read(snapshot: &Snapshot, personas: &[&Persona]) -> Result<Self, SinkError> {
        let people = Select::Subjects(personas.iter().map(|persona| persona.subject_id.clone()).collect());
        let companies: HashSet<AccountId> = personas.iter().filter_map(|persona| persona.account_id.clone()).collect();
        let mut all = Self::default();
        sink::each_signal(snapshot, &people, |signal| {
            if let About::Subject(id, _) = &signal.about {
                all.signals.entry(id.clone()).or_default().push(signal);
            }
        })?;
        sink::each_decision(snapshot, &people, |decision| {
            if let Some(id) = decision.target.subject() {
                all.decisions.entry(id.clone()).or_default().push(decision);
            }
        })?;
        if companies.is_empty() {
            return Ok(all);
        }
        let companies = Select::Accounts(companies);
        // The context of the position rests on what is known of the company.
        sink::each_signal(snapshot, &companies, |signal| {
            if let About::Account(id) = &signal.about {
                all.company(id).signals.push(signal);
            }
        })?;
        // Of the company itself: what a colleague permitted or refused says nothing about this contact.
        sink::each_decision(snapshot, &companies, |decision| {
            if let Target::Account(id) = &decision.target {
                all.company(id).decisions.push(decision);
            }
        })?;
        for row in sink::read_accounts(snapshot, &companies)? {
            let company = all.company(&row.account_id);
            company.row = Some(row);
        }
        Ok(all)
    }

    fn company(&mut self, id: &AccountId) -> &mut Company {
        self.companies.entry(id.clone()).or_default()
    }

    /// What is known of one of them.
    fn of(&self, persona: &Persona) -> Known {
        let mut signals = self.signals.get(&persona.subject_id).cloned().unwrap_or_default();
        let mut decisions = self.decisions.get(&persona.subject_id).cloned().unwrap_or_default();
        let company = persona.account_id.as_ref().and_then(|id| self.companies.get(id));
        signals.extend(company.iter().flat_map(|company| company.signals.iter().cloned()));
        decisions.extend(company.iter().flat_map(|company| company.decisions.iter().cloned()));
        let account = company.and_then(|company| company.row.clone()).map(account);
        let rectified = rectified::of_signals(&signals, &persona.subject_id);
        let mut known = Known { signals, account, decisions, refused: Vec::new(), rectified, without_profile: None };
        known.refused = known.refused_facets(persona);
        known
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
