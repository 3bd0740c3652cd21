//! One company from contacts to rows: plan, gate, fetch, read, fuse.
//!
//! Invariant: a contact without leave to be written is not researched; what is known of a contact was read with a
//! permit of that contact for that source.

use std::collections::BTreeSet;

use url::Url;

use crate::config::{CompanySite, Page};
use crate::consent::decide::OptOut;
use crate::consent::gate::{EmitProposal, FetchProposal, InferProposal, SubjectFacts};
use crate::consent::permit::{Emit, Infer, Permit};
use crate::model::{
    About, Claim, DeadLetter, DecisionRow, DocumentId, DocumentRow, Evidence, Personal, Signal, SubjectId, Target,
};
use crate::persona::account::account_row;
use crate::persona::center::buying_center;
use crate::persona::fuse::fuse;
use crate::persona::input::{FacetKind, FusionInput};
use crate::persona::rows::{AccountRow, BuyingCenterRow, Legal, Persona};
use crate::run::context::{Context, StageTimes};
use crate::run::engine::RunError;
use crate::run::load::{Group, Member};
use crate::run::obtain::{Obtained, obtain, opt_out};
use crate::source::{self, Body, Found, PageKind, Permitted, Reading, company_site, crm, developer_profile, id};
use crate::taxonomy::{Operation, SourceClass, Tier};

/// The purpose under which companies are read about; it never touches a person.
const COMPANY_PURPOSE: &str = "company_research";
/// The purpose under which hosts are asked for their opt-outs.
const HOST_PURPOSE: &str = "opt_out_check";
/// The purpose under which traits, motives and preferences are read.
const PROFILING_PURPOSE: &str = "profiling";
/// A redirect is a proposal of its own; after so many the chain is given up.
const MAX_HOPS: usize = 5;

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
}

/// What the gate said about one contact, and what came of it.
struct Leave<'a> {
    member: &'a Member,
    crm: Option<Permit<Infer>>,
    site: Option<Permit<Infer>>,
    profile: Option<Permit<Infer>>,
    profiling: Option<Permit<Infer>>,
    emit: Option<Permit<Emit>>,
    refused: BTreeSet<FacetKind>,
    uncertain: bool,
    signals: Vec<Signal>,
}

/// The work on one company.
struct Work<'a> {
    context: &'a Context,
    group: &'a Group,
    rows: GroupRows,
    company: Vec<Signal>,
}

/// Works on one company.
pub(super) async fn process(context: &Context, group: &Group) -> Result<GroupRows, RunError> {
    let mut work = Work { context, group, rows: GroupRows::default(), company: Vec::new() };
    let mut leaves: Vec<Leave<'_>> = tracing::info_span!("gate").in_scope(|| {
        let timed = || group.members.iter().map(|m| work.ask(m)).collect();
        StageTimes::timed(&context.wall, &context.times.gate, timed)
    });
    for leave in &mut leaves {
        work.read_crm(leave);
    }
    if !context.dry_run {
        work.company_site(&mut leaves).await?;
        for leave in &mut leaves {
            work.developer_profile(leave).await?;
        }
    }
    tracing::info_span!("fuse").in_scope(|| {
        StageTimes::timed(&context.wall, &context.times.fuse, || work.fuse(leaves));
    });
    context.observer.group_done(work.rows.personas.len());
    Ok(work.rows)
}

impl<'a> Work<'a> {
    /// Asks the gate for all that will be needed for a contact, before anything is done.
    fn ask(&mut self, member: &'a Member) -> Leave<'a> {
        let mut leave = Leave {
            member,
            crm: None,
            site: None,
            profile: None,
            profiling: None,
            emit: None,
            refused: BTreeSet::new(),
            uncertain: false,
            signals: Vec::new(),
        };
        let decided = self.context.gate.emit(EmitProposal {
            subject: member.subject.id.clone(),
            purpose: self.context.plan.purpose().to_owned(),
            facts: facts(member),
        });
        self.rows.decisions.push(decided.row);
        leave.emit = decided.outcome.ok();
        let purpose = self.context.plan.purpose().to_owned();
        leave.crm = self.infer(&mut leave.refused, member, id::CRM, &purpose, Operation::Infer, SourceClass::Crm);
        let has_site = self.context.plan.sources().company_site.is_some() && self.group.account.domain.is_some();
        if has_site {
            let class = SourceClass::CompanySite;
            leave.site = self.infer(&mut leave.refused, member, id::COMPANY_SITE, &purpose, Operation::Infer, class);
        }
        let has_handle = member.subject.handles.iter().any(|(source, _)| source == id::DEVELOPER_PROFILE);
        if has_handle && self.context.plan.sources().developer_profile.is_some() {
            let class = SourceClass::PublicProfessional;
            let source = id::DEVELOPER_PROFILE;
            leave.profile = self.infer(&mut leave.refused, member, source, &purpose, Operation::Infer, class);
            let mut ignored = BTreeSet::new();
            leave.profiling = self.infer(&mut ignored, member, source, PROFILING_PURPOSE, Operation::Profile, class);
        }
        leave
    }

    fn infer(
        &mut self,
        refused: &mut BTreeSet<FacetKind>,
        member: &Member,
        source: &str,
        purpose: &str,
        operation: Operation,
        class: SourceClass,
    ) -> Option<Permit<Infer>> {
        let decided = self.context.gate.infer(InferProposal {
            target: subject_target(member),
            source_id: source.to_owned(),
            purpose: purpose.to_owned(),
            operation,
            facts: Some(facts(member)),
        });
        self.rows.decisions.push(decided.row);
        if decided.outcome.is_err() {
            refused.extend(FacetKind::fed_by(class));
        }
        decided.outcome.ok()
    }

    fn read_crm(&mut self, leave: &mut Leave<'a>) {
        let (Some(permit), Some(_)) = (&leave.crm, &leave.emit) else { return };
        let subject = &leave.member.subject;
        let reading = crm::read(subject);
        self.note_withheld(&reading, &subject.id);
        let title = subject.job_title.as_ref().map_or("", |t| t.reveal());
        let hash = self.context.ids.commitment("crm-title", title.as_bytes());
        let observed_at = subject.updated_at.unwrap_or(self.context.as_of.0).min(self.context.as_of.0);
        for found in reading.found {
            let evidence = Evidence {
                source_id: id::CRM.to_owned(),
                source_class: SourceClass::Crm,
                host: None,
                document: None,
                content_hash: hash.clone(),
                observed_at,
                quote: found.quote.clone(),
                locator: found.locator.clone(),
                extractor: found.extractor.clone(),
                permit: permit.id().clone(),
            };
            leave.signals.push(signal(self.context, found, evidence));
        }
    }

    async fn company_site(&mut self, leaves: &mut [Leave<'a>]) -> Result<(), RunError> {
        let context = self.context;
        let Some(site) = &context.plan.sources().company_site else { return Ok(()) };
        let Some(home) = self.group.account.domain.as_deref().and_then(|d| company_site::home_url(context.scheme(), d))
        else {
            return Ok(());
        };
        let anybody = leaves.iter().any(|l| l.site.is_some() && l.emit.is_some());
        self.ask_host(&home, id::COMPANY_SITE).await?;
        let mut queue = vec![(PageKind::Home, home)];
        let mut seen = BTreeSet::new();
        while let Some((kind, url)) = queue.pop() {
            // A team page is about people: without a contact who may be read about, nobody asks for it.
            if (kind == PageKind::Team && !anybody) || !wants(site, kind) || !seen.insert(url.clone()) {
                continue;
            }
            let obtained = self.site_page(kind, url, leaves).await?;
            let Some(obtained) = obtained else {
                let sited = leaves.iter_mut().filter(|l| l.site.is_some());
                sited.for_each(|l| l.refused.extend(FacetKind::fed_by(SourceClass::CompanySite)));
                continue;
            };
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
        let read_context = source::Context { account: &self.group.account, contacts: &contacts };
        let obtained = obtain(context, proposal, |body| company_site::read(kind, body, &read_context)).await?;
        drop(contacts);
        self.keep(&obtained, leaves, |l| l.site.as_ref());
        Ok(obtained.document.is_some().then_some(obtained))
    }

    async fn developer_profile(&mut self, leave: &mut Leave<'a>) -> Result<(), RunError> {
        let context = self.context;
        let (Some(source), true, true) =
            (&context.plan.sources().developer_profile, leave.profile.is_some(), leave.emit.is_some())
        else {
            return Ok(());
        };
        let subject = &leave.member.subject;
        let handle =
            subject.handles.iter().find(|(source, _)| source == id::DEVELOPER_PROFILE).map(|(_, h)| h.reveal());
        let Some(url) = handle.and_then(|h| developer_profile::profile_url(&source.base_url, h)) else {
            return Ok(());
        };
        self.ask_host(&url, id::DEVELOPER_PROFILE).await?;
        let proposal = FetchProposal {
            target: subject_target(leave.member),
            source_id: id::DEVELOPER_PROFILE.to_owned(),
            purpose: context.plan.purpose().to_owned(),
            opt_out: opt_out(context, &url),
            url: Personal::new(url),
            account_host: None,
            facts: Some(facts(leave.member)),
        };
        let contacts = [Permitted { subject, profiling: leave.profiling.is_some() }];
        let read_context = source::Context { account: &self.group.account, contacts: &contacts };
        let read = |body: &Body<'_>| developer_profile::read(body, &read_context);
        let obtained = obtain(context, proposal, read).await?;
        if obtained.document.is_none() {
            leave.refused.extend(FacetKind::fed_by(SourceClass::PublicProfessional));
        }
        self.keep(&obtained, std::slice::from_mut(leave), |l| l.profile.as_ref());
        Ok(())
    }

    /// Asks a host for robots.txt and its reservation of rights, once in a run.
    async fn ask_host(&mut self, url: &Url, source: &str) -> Result<(), RunError> {
        let context = self.context;
        let host = url.host_str().unwrap_or("").to_owned();
        let cell = context.hosts.lock().expect("no holder panics").entry(host.clone()).or_default().clone();
        let rows = &mut self.rows;
        let account_host = self.group.account.domain.clone();
        cell.get_or_try_init(|| async {
            for path in ["/robots.txt", "/.well-known/tdmrep.json"] {
                let Ok(url) = url.join(path) else { continue };
                let proposal = FetchProposal {
                    target: Target::Host(host.clone()),
                    source_id: source.to_owned(),
                    purpose: HOST_PURPOSE.to_owned(),
                    url: Personal::new(url),
                    account_host: account_host.clone(),
                    opt_out: OptOut::NotApplicable,
                    facts: None,
                };
                let obtained = obtain(context, proposal, |_| Reading::default()).await?;
                rows.decisions.push(obtained.decision);
                rows.documents.extend(obtained.document);
            }
            Ok::<(), RunError>(())
        })
        .await?;
        Ok(())
    }

    /// Turns a reading into signals of those who have leave, and keeps decision and document.
    fn keep<'l>(
        &mut self,
        obtained: &Obtained,
        leaves: &'l mut [Leave<'a>],
        permit: impl for<'p> Fn(&'p Leave<'a>) -> Option<&'p Permit<Infer>>,
    ) {
        self.rows.decisions.push(obtained.decision.clone());
        let Some(document) = &obtained.document else { return };
        self.rows.documents.push(document.clone());
        if document.outcome != "fetched" {
            return;
        }
        for found in &obtained.reading.found {
            match &found.about {
                About::Account(_) => {
                    if let Some(permit) = &obtained.decision.permit_id {
                        let evidence = self.page_evidence(document, found, obtained, permit.clone());
                        self.company.push(signal(self.context, found.clone(), evidence));
                    }
                }
                About::Subject(subject, _) => {
                    let Some(leave) = leaves.iter_mut().find(|l| l.member.subject.id == *subject) else { continue };
                    let traits = matches!(
                        found.claim,
                        Claim::Trait(..) | Claim::Motive(_) | Claim::Goal(_) | Claim::Channel(..)
                    );
                    let leave_for_it = if traits { leave.profiling.as_ref() } else { permit(leave) };
                    let Some(permit) = leave_for_it else { continue };
                    let evidence = self.page_evidence(document, found, obtained, permit.id().clone());
                    leave.signals.push(signal(self.context, found.clone(), evidence));
                }
            }
        }
        for subject in &obtained.reading.uncertain {
            leaves.iter_mut().filter(|l| l.member.subject.id == *subject).for_each(|l| l.uncertain = true);
        }
        if obtained.reading.withheld > 0 {
            self.withheld_letter(obtained, document);
        }
    }

    fn page_evidence(
        &self,
        document: &DocumentRow,
        found: &Found,
        obtained: &Obtained,
        permit: crate::model::PermitId,
    ) -> Evidence {
        let class =
            self.context.gate.policy().source(&obtained.decision.source_id).map_or(SourceClass::News, |s| s.class);
        Evidence {
            source_id: document.source_id.clone(),
            source_class: class,
            host: Some(document.host.clone()),
            document: Some(DocumentId::clone(&document.document_id)),
            content_hash: document.hash.clone().unwrap_or_default(),
            observed_at: self.context.observed_at(document.finished_at),
            quote: found.quote.clone(),
            locator: found.locator.clone(),
            extractor: found.extractor.clone(),
            permit,
        }
    }

    fn note_withheld(&mut self, reading: &Reading, subject: &SubjectId) {
        if reading.withheld > 0 {
            self.rows.dead_letters.push(DeadLetter {
                stage: "read".to_owned(),
                reason: "special_category_withheld".to_owned(),
                detail: "column title: reveals a special category, so it was not read; nothing to do".to_owned(),
                row_commitment: self.context.ids.commitment("withheld", subject.as_str().as_bytes()),
                subject_id: Some(subject.clone()),
            });
        }
    }

    fn withheld_letter(&mut self, obtained: &Obtained, document: &DocumentRow) {
        let subject_id = match &obtained.decision.target {
            Target::Subject(subject, _) => Some(subject.clone()),
            Target::Account(_) | Target::Host(_) => None,
        };
        self.rows.dead_letters.push(DeadLetter {
            stage: "read".to_owned(),
            reason: "special_category_withheld".to_owned(),
            detail: format!("source {}: statements that touch a special category were not read", document.source_id),
            row_commitment: self.context.ids.commitment("withheld", document.document_id.as_str().as_bytes()),
            subject_id,
        });
    }

    fn fuse(&mut self, leaves: Vec<Leave<'a>>) {
        let context = self.context;
        self.company.sort_by(|a, b| a.id.cmp(&b.id));
        self.company.dedup_by(|a, b| a.id == b.id);
        for leave in leaves {
            let Some(emit) = leave.emit else { continue };
            let refused: Vec<FacetKind> = leave.refused.iter().copied().collect();
            let mut signals = leave.signals;
            signals.sort_by(|a, b| a.id.cmp(&b.id));
            signals.dedup_by(|a, b| a.id == b.id);
            let subject = &leave.member.subject;
            self.rows.personas.push(fuse(&FusionInput {
                subject: &subject.id,
                crm_record: &subject.crm_record,
                crm_updated_at: subject.updated_at,
                account: self.group.account.id.as_ref().map(|_| &self.group.account),
                signals: &signals,
                as_of: context.as_of.0,
                offering: &context.offering,
                profiling_allowed: leave.profiling.is_some(),
                refused: &refused,
                identity_uncertain: leave.uncertain,
                tier: Tier::Individual,
                legal: legal(&emit),
                min_probability: context.plan.persona().min_probability,
                half_life_days: f64::from(context.plan.persona().half_life_days),
            }));
            self.rows.evidence.append(&mut signals);
        }
        let account = &self.group.account;
        self.rows.account = account_row(account, &self.company, &self.rows.personas, context.as_of.0);
        if account.id.is_some() {
            self.rows.centers = buying_center(account, &self.rows.personas, &context.offering);
        }
        // The company's own signals stand before those of its contacts.
        let contacts = std::mem::replace(&mut self.rows.evidence, std::mem::take(&mut self.company));
        self.rows.evidence.extend(contacts);
    }
}

/// Whether the pipeline enables this kind of page.
fn wants(site: &CompanySite, kind: PageKind) -> bool {
    match kind {
        PageKind::Home => true,
        PageKind::Team => site.pages.contains(&Page::Team),
        PageKind::Imprint => site.pages.contains(&Page::Imprint),
        PageKind::Profile => false,
    }
}

fn legal(emit: &Permit<Emit>) -> Legal {
    Legal {
        basis: emit.bases().to_vec(),
        permit_id: emit.id().clone(),
        notice_status: emit.op().notice_status.clone(),
        retain_until: emit.op().retain_until,
    }
}

fn subject_target(member: &Member) -> Target {
    Target::Subject(member.subject.id.clone(), member.subject.account.clone())
}

const fn facts(member: &Member) -> SubjectFacts {
    SubjectFacts { collected_at: member.subject.collected_at, ambiguous: member.ambiguous }
}

fn signal(context: &Context, found: Found, evidence: Evidence) -> Signal {
    let (facet, value) = (found.claim.facet(), found.claim.value());
    let about = match &found.about {
        About::Subject(id, _) => id.as_str(),
        About::Account(id) => id.as_str(),
    };
    let id = context.ids.signal(&[
        about,
        &facet,
        &value,
        &evidence.source_id,
        &evidence.content_hash,
        &evidence.locator,
        &evidence.quote,
    ]);
    Signal { id, about: found.about, claim: found.claim, weight: found.weight, evidence }
}
