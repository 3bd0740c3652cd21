//! One company from contacts to rows: plan, gate, fetch, read, fuse.
//!
//! Invariant: a contact without leave to be written is not researched; what is known of a contact was read with a
//! permit of that contact for that source.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use jiff::Timestamp;
use url::Url;

use crate::audit::Stage;
use crate::config::{CompanySite, Page};
use crate::consent::decide::Asked;
use crate::consent::gate::{Decided, EmitProposal, FetchProposal, Grounds, InferProposal, SubjectFacts};
use crate::consent::permit::{Emit, Infer, Permit};
use crate::cpu::busy;
use crate::model::{DeadLetter, DecisionRow, DocumentRow, Personal, Signal, Subject, SubjectId, Target};
use crate::persona::Room;
use crate::persona::input::FacetKind;
use crate::persona::rows::{AccountRow, BuyingCenterRow, Persona};
use crate::run::context::{Context, StageTimes};
use crate::run::emitted::Emission;
use crate::run::engine::RunError;
use crate::run::load::{Group, Member};
use crate::run::obtain::{Obtained, obtain, opt_out};
use crate::run::revisit::{self, Reader};
use crate::run::summary::NoteCounts;
use crate::run::tiers::{Worked, tier};
use crate::source::{self, PageKind, Permitted, company_site, id};
use crate::taxonomy::{Operation, SourceClass, Tier};

/// The purpose under which companies are read about; it never touches a person.
pub(super) const COMPANY_PURPOSE: &str = "company_research";
/// The purpose under which traits, motives and preferences are read.
pub(super) const PROFILING_PURPOSE: &str = crate::consent::policy::PROFILING;
/// A redirect is a proposal of its own; after so many the chain is given up.
pub(super) const MAX_HOPS: usize = 5;

/// The rows of one company.
#[derive(Debug, Default)]
pub(super) struct GroupRows {
    pub personas: Vec<Persona>,
    pub account: Option<AccountRow>,
    pub centers: Vec<BuyingCenterRow>,
    pub evidence: Vec<Signal>,
    pub decisions: Vec<DecisionRow>,
    pub documents: Vec<DocumentRow>,
    pub dead_letters: Vec<DeadLetter>,
    /// Personas, to be asked for again before they are published.
    pub emitted: Vec<Emission>,
    /// What room there is for values of the segment, at tier `segment`.
    pub rooms: Vec<(SubjectId, Room)>,
    pub notes: NoteCounts,
}

/// What the gate said about one contact, and what came of it.
pub(super) struct Leave<'a> {
    pub member: &'a Member,
    pub crm: Option<Permit<Infer>>,
    pub site: Option<Permit<Infer>>,
    pub profile: Option<Permit<Infer>>,
    pub profiling: Option<Permit<Infer>>,
    /// To profile by the contact's own posts.
    pub social: Option<Permit<Infer>>,
    /// To profile by what the CRM's notes say.
    pub crm_profiling: Option<Permit<Infer>>,
    pub emit: Option<Permit<Emit>>,
    pub refused: BTreeSet<FacetKind>,
    pub uncertain: bool,
    pub signals: Vec<Signal>,
    /// What was decided before anything was done, for the audit log.
    asked: Vec<(DecisionRow, Grounds)>,
}

impl Leave<'_> {
    /// Keeps a decision for the log, and hands its permit on.
    fn note<Op>(&mut self, decided: Decided<Op>) -> Option<Permit<Op>> {
        self.asked.push((decided.row, decided.grounds));
        decided.outcome.ok()
    }
}

/// A source that is to be read about a contact.
#[derive(Clone, Copy)]
pub(super) struct Wanted {
    pub source: &'static str,
    pub class: SourceClass,
    /// When what it says was last known to be so; `None` = nobody knows.
    pub evidence_at: Option<Timestamp>,
}

/// The work on one company.
pub(super) struct Work<'a> {
    pub context: &'a Context,
    pub group: &'a Group,
    /// How deeply its contacts are researched: below `individual` the CRM alone is read.
    pub tier: Tier,
    pub rows: GroupRows,
    pub company: Vec<Signal>,
    /// To read what notes say of the company.
    pub company_notes: Option<Permit<Infer>>,
    /// To read what the company's own news and adverts say of it.
    pub company_words: Option<Permit<Infer>>,
    /// Hash over everybody of the company, once it was needed.
    known_members: OnceLock<String>,
}

/// Works on one company.
pub(super) async fn process(context: &Context, group: &Group) -> Result<GroupRows, RunError> {
    context.go_on()?;
    let rule = context.plan.tiers();
    let tier = tier(rule, &group.account);
    let (rows, micros) = busy(Box::pin(work_on(context, group, tier))).await;
    let rows = rows?;
    context.tiers.add(tier, &Worked { rule, account: &group.account }, group.members.len(), &rows, micros);
    let personas = if context.dry_run { 0 } else { rows.personas.len() };
    context.observer.group_done(group.account.id.is_some(), personas);
    Ok(rows)
}

async fn work_on(context: &Context, group: &Group, tier: Tier) -> Result<GroupRows, RunError> {
    let mut work = Work {
        context,
        group,
        tier,
        rows: GroupRows::default(),
        company: Vec::new(),
        company_notes: None,
        company_words: None,
        known_members: OnceLock::new(),
    };
    let mut leaves: Vec<Leave<'_>> = tracing::info_span!("gate").in_scope(|| {
        let timed = || group.members.iter().map(|m| work.ask(m)).collect();
        StageTimes::timed(&context.times.gate, timed)
    });
    // Written before the first effect.
    let of_company = work.ask_of_company();
    let asked = leaves.iter().map(|l| l.asked.as_slice());
    context.record(Stage::Plan, asked.chain((!of_company.is_empty()).then_some(of_company.as_slice()))).await?;
    work.rows.decisions.extend(of_company.into_iter().map(|(row, _)| row));
    for leave in &mut leaves {
        work.rows.decisions.extend(leave.asked.drain(..).map(|(row, _)| row));
        work.read_crm(leave);
    }
    tracing::info_span!("notes").in_scope(|| work.read_notes(&mut leaves));
    if !context.dry_run && work.tier == Tier::Individual {
        work.company_site(&mut leaves).await?;
        for leave in &mut leaves {
            work.developer_profile(leave).await?;
            work.social_profile(leave).await?;
        }
    }
    tracing::info_span!("fuse").in_scope(|| {
        StageTimes::timed(&context.times.fuse, || work.fuse(leaves));
    });
    Ok(work.rows)
}

impl<'a> Work<'a> {
    /// Asks whether what notes say of the company, and what it says of itself, may be read; nothing in it is about a
    /// person.
    fn ask_of_company(&mut self) -> Vec<(DecisionRow, Grounds)> {
        let noted_at = self.group.noted_at.filter(|_| self.tier != Tier::StudyPrior);
        let site = self.context.plan.sources().company_site.as_ref().filter(|_| self.tier == Tier::Individual);
        let speaks = |site: &CompanySite| [PageKind::News, PageKind::Jobs].iter().any(|kind| wants(site, *kind));
        // What will be fetched is as new as the decision.
        let said_at =
            site.filter(|s| speaks(s) && self.group.account.domain.is_some()).map(|_| self.context.gate.now());
        let mut decided = Vec::new();
        self.company_notes = noted_at.and_then(|at| self.ask_of(id::CRM, at, &mut decided));
        self.company_words = said_at.and_then(|at| self.ask_of(id::COMPANY_SITE, at, &mut decided));
        decided
    }

    /// Asks whether facts about the company may be inferred from a source.
    fn ask_of(&self, source: &str, at: Timestamp, rows: &mut Vec<(DecisionRow, Grounds)>) -> Option<Permit<Infer>> {
        let proposal = InferProposal {
            target: Target::Account(self.group.account.id.clone()?),
            source_id: source.to_owned(),
            purpose: COMPANY_PURPOSE.to_owned(),
            operation: Operation::Infer,
            facts: None,
        };
        let decided = self.context.gate.infer_asking(proposal, Asked { evidence_at: Some(at), ..Asked::default() });
        rows.push((decided.row, decided.grounds));
        decided.outcome.ok()
    }

    /// Who reads a page of this company, or of a contact of it.
    pub(super) fn reader<'r>(&'r self, kind: PageKind, context: &'r source::Context<'r>) -> Reader<'r> {
        let members = self.known_members.get_or_init(|| revisit::of_members(self.context, context.members));
        Reader { kind, context, members }
    }

    /// Everybody of the company, with leave or without: none of them may be named in a quote.
    pub(super) fn members(&self) -> Vec<&'a Subject> {
        self.group.members.iter().map(|m| &m.subject).collect()
    }

    /// Asks the gate for all that will be needed for a contact, before anything is done.
    fn ask(&self, member: &'a Member) -> Leave<'a> {
        let mut leave = Leave {
            member,
            crm: None,
            site: None,
            profile: None,
            profiling: None,
            social: None,
            crm_profiling: None,
            emit: None,
            refused: BTreeSet::new(),
            uncertain: false,
            signals: Vec::new(),
            asked: Vec::new(),
        };
        let decided = self.context.gate.emit(emit_proposal(self.context, member));
        leave.emit = leave.note(decided);
        // As old as the record says, if it does; what is fetched after this is as new as the decision.
        let stated = member.subject.updated_at.map(|at| at.min(self.context.as_of.0));
        let fetched = Some(self.context.gate.now());
        let crm = Wanted { source: id::CRM, class: SourceClass::Crm, evidence_at: stated };
        leave.crm = self.infer(&mut leave, crm, Operation::Infer);
        if leave.crm.is_some() && leave.emit.is_some() {
            // Also where there are no notes: who says no to profiling is spared what studies say, too. How old each
            // note is is judged when it is read.
            let is_of_use = |at: &Timestamp| !self.context.is_too_old(PROFILING_PURPOSE, *at);
            let noted = self.group.noted_at.filter(is_of_use).or(fetched);
            leave.crm_profiling = self.infer(&mut leave, Wanted { evidence_at: noted, ..crm }, Operation::Profile);
        }
        let researched = self.tier == Tier::Individual;
        let has_site =
            researched && self.context.plan.sources().company_site.is_some() && self.group.account.domain.is_some();
        if has_site {
            let class = SourceClass::CompanySite;
            let site = Wanted { source: id::COMPANY_SITE, class, evidence_at: fetched };
            leave.site = self.infer(&mut leave, site, Operation::Infer);
        }
        let has_handle = member.subject.handles.iter().any(|(source, _)| source == id::DEVELOPER_PROFILE);
        if researched && has_handle && self.context.plan.sources().developer_profile.is_some() {
            let class = SourceClass::PublicProfessional;
            let profile = Wanted { source: id::DEVELOPER_PROFILE, class, evidence_at: fetched };
            leave.profile = self.infer(&mut leave, profile, Operation::Infer);
            leave.profiling = self.infer(&mut leave, profile, Operation::Profile);
        }
        self.ask_social(&mut leave);
        leave
    }

    /// Asks for one source; a refusal to infer leaves the facets that it would have fed without consent.
    pub(super) fn infer(&self, leave: &mut Leave<'a>, wanted: Wanted, operation: Operation) -> Option<Permit<Infer>> {
        let profiles = operation == Operation::Profile;
        let purpose = if profiles { PROFILING_PURPOSE } else { self.context.plan.purpose() };
        let proposal = InferProposal {
            target: subject_target(leave.member),
            source_id: wanted.source.to_owned(),
            purpose: purpose.to_owned(),
            operation,
            facts: Some(facts(leave.member)),
        };
        let decided = self.context.gate.infer_asking(proposal, Asked::of_person(operation, wanted.evidence_at));
        if !profiles && decided.outcome.is_err() {
            leave.refused.extend(FacetKind::fed_by(wanted.class));
        }
        leave.note(decided)
    }

    async fn company_site(&mut self, leaves: &mut [Leave<'a>]) -> Result<(), RunError> {
        let context = self.context;
        let Some(site) = &context.plan.sources().company_site else { return Ok(()) };
        let Some(home) = self.group.account.domain.as_deref().and_then(|d| company_site::home_url(context.scheme(), d))
        else {
            return Ok(());
        };
        let anybody = leaves.iter().any(|l| l.site.is_some() && l.emit.is_some());
        let mut queue = vec![(PageKind::Home, home)];
        let mut seen = BTreeSet::new();
        while let Some((kind, url)) = queue.pop() {
            // A team page is about people: without a contact who may be read about, nobody asks for it. From news and
            // adverts facts are inferred: without leave for that, neither.
            let idle = (kind == PageKind::Team && !anybody) || (is_words(kind) && self.company_words.is_none());
            if idle || !wants(site, kind) || !seen.insert(url.clone()) {
                continue;
            }
            // A redirect may lead to another host of the company: it is asked for its opt-outs first, too.
            self.ask_host(&url, id::COMPANY_SITE).await?;
            let obtained = self.site_page(kind, url, leaves).await?;
            let Some(obtained) = obtained else {
                let sited = leaves.iter_mut().filter(|l| l.site.is_some());
                sited.for_each(|l| l.refused.extend(FacetKind::fed_by(SourceClass::CompanySite)));
                continue;
            };
            if obtained.reading.whole_site {
                self.drop_site(leaves);
                break;
            }
            let mut next: Vec<(PageKind, Url)> = obtained
                .reading
                .follow_ups
                .iter()
                .filter_map(|f| Some((f.kind, Url::parse(&f.url).ok()?)))
                .chain(obtained.redirect.iter().filter_map(|to| Some((kind, Url::parse(to).ok()?))))
                .collect();
            next.reverse();
            queue.extend(next);
            if seen.len() > MAX_HOPS + site.pages.len() {
                break;
            }
        }
        Ok(())
    }

    /// Forgets what pages of the site said before one of them reserved it.
    fn drop_site(&mut self, leaves: &mut [Leave<'a>]) {
        let stays = |signal: &Signal| signal.evidence.source_id != id::COMPANY_SITE;
        self.company.retain(stays);
        for leave in leaves {
            leave.signals.retain(stays);
        }
    }

    /// Asks for one page of the site; `None` = the gate refused.
    async fn site_page(
        &mut self,
        kind: PageKind,
        url: Url,
        leaves: &mut [Leave<'a>],
    ) -> Result<Option<Obtained>, RunError> {
        let context = self.context;
        let Some(account) = &self.group.account.id else { return Ok(None) };
        let proposal = FetchProposal {
            target: Target::Account(account.clone()),
            source_id: id::COMPANY_SITE.to_owned(),
            purpose: COMPANY_PURPOSE.to_owned(),
            opt_out: opt_out(context, &url),
            url: Personal::new(url),
            account_host: self.group.account.domain.clone(),
            facts: None,
        };
        let contacts: Vec<Permitted<'_>> = leaves
            .iter()
            .filter(|l| l.site.is_some() && l.emit.is_some())
            .map(|l| Permitted { subject: &l.member.subject, profiling: false })
            .collect();
        let members = self.members();
        let read_context = source::Context {
            account: &self.group.account,
            contacts: &contacts,
            members: &members,
            languages: &context.plan.extract().languages,
            as_of: context.as_of.0,
        };
        let reader = Some(self.reader(kind, &read_context));
        let obtained = obtain(context, proposal, reader, |body| company_site::read(kind, body, &read_context)).await?;
        drop(contacts);
        let inferred = self.company_words.as_ref().map(|permit| permit.id().clone());
        let of_company = if is_words(kind) { inferred } else { obtained.decision.permit_id.clone() };
        self.keep(&obtained, of_company.as_ref(), leaves, |l, profiles| l.site.as_ref().filter(|_| !profiles));
        Ok(obtained.document.is_some().then_some(obtained))
    }
}

/// Whether a page is text from which facts about the company are inferred; other pages state them.
const fn is_words(kind: PageKind) -> bool {
    matches!(kind, PageKind::News | PageKind::Jobs)
}

/// Whether the pipeline enables this kind of page.
fn wants(site: &CompanySite, kind: PageKind) -> bool {
    match kind {
        PageKind::Home => true,
        PageKind::Team => site.pages.contains(&Page::Team),
        PageKind::Imprint => site.pages.contains(&Page::Imprint),
        PageKind::News => site.pages.contains(&Page::News),
        PageKind::Jobs => site.pages.contains(&Page::Jobs),
        PageKind::Profile | PageKind::Posts => false,
    }
}

pub(super) fn subject_target(member: &Member) -> Target {
    Target::Subject(member.subject.id.clone(), member.subject.account.clone())
}

pub(super) fn emit_proposal(context: &Context, member: &Member) -> EmitProposal {
    let (subject, purpose) = (member.subject.id.clone(), context.plan.purpose().to_owned());
    EmitProposal { subject, purpose, facts: facts(member) }
}

pub(super) const fn facts(member: &Member) -> SubjectFacts {
    SubjectFacts { collected_at: member.subject.collected_at, ambiguous: member.ambiguous }
}
