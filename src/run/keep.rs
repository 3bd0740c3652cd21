//! From readings to signals with their evidence, and from signals to the rows of a company.
//!
//! Invariant: a signal about a contact carries a permit of that very contact for that very source; what a reading
//! says of anybody else is dropped here at the latest.

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};

use crate::consent::permit::{Emit, Infer, Permit};
use crate::model::{
    About, Account, AsOf, Claim, DeadLetter, DocumentId, DocumentRow, Evidence, PermitId, Signal, Subject, SubjectId,
};
use crate::persona::Room;
use crate::persona::account::account_row;
use crate::persona::center::buying_center;
use crate::persona::fuse::fuse;
use crate::persona::input::{FacetKind, FusionInput};
use crate::persona::rectified::{self, Rectification};
use crate::persona::rows::Legal;
use crate::persona::unknown_crm_age;
use crate::run::context::Context;
use crate::run::emitted::Emission;
use crate::run::group::{COMPANY_PURPOSE, Leave, PROFILING_PURPOSE, Work, facts};
use crate::run::known::is_no_to_profiling;
use crate::run::obtain::Obtained;
use crate::source::{Found, Reading, crm, id};
use crate::taxonomy::{SourceClass, Tier};

impl Context {
    /// Whether what a page says is young enough for the purpose for which it is read.
    pub(super) fn may_stand(&self, found: &Found) -> bool {
        found.said_at.is_none_or(|at| !self.is_too_old(self.read_for(found), at))
    }

    /// When what a page says is too old for the purpose for which it is read.
    pub(super) fn stands_until(&self, found: &Found) -> Option<Timestamp> {
        let days = self.gate.policy().file().purposes.get(self.read_for(found))?.evidence_max_age_days?;
        found.said_at?.checked_add(SignedDuration::from_hours(24 * i64::from(days))).ok()
    }

    fn read_for(&self, found: &Found) -> &str {
        match &found.about {
            About::Account(_) => COMPANY_PURPOSE,
            About::Subject(..) if found.claim.is_profile() => PROFILING_PURPOSE,
            About::Subject(..) => self.plan.purpose(),
        }
    }
}

impl<'a> Work<'a> {
    /// Reads what the CRM itself says about a contact.
    pub(super) fn read_crm(&mut self, leave: &mut Leave<'a>) {
        let (Some(permit), Some(_)) = (&leave.crm, &leave.emit) else { return };
        let subject = &leave.member.subject;
        let reading = crm::read(subject, &self.context.plan.extract().languages);
        self.note_withheld(&reading, &subject.id);
        let title = subject.job_title.as_ref().map_or("", |t| t.reveal());
        let hash = self.context.ids.commitment("crm-title", title.as_bytes());
        let observed_at = stated_at(subject, self.context.as_of);
        leave.signals.reserve(reading.found.len());
        for mut found in reading.found {
            let evidence = Evidence {
                source_id: id::CRM.to_owned(),
                source_class: SourceClass::Crm,
                host: None,
                document: None,
                content_hash: hash.clone(),
                observed_at,
                quote: std::mem::take(&mut found.quote),
                locator: std::mem::take(&mut found.locator),
                extractor: std::mem::take(&mut found.extractor),
                permit: permit.id().clone(),
            };
            leave.signals.push(signal(self.context, found, evidence));
        }
    }

    /// Turns a reading into signals of those who have leave, and keeps decision and document. `of_company` is what
    /// permits facts about the company.
    pub(super) fn keep<'l>(
        &mut self,
        obtained: &Obtained,
        of_company: Option<&PermitId>,
        leaves: &'l mut [Leave<'a>],
        permit: impl for<'p> Fn(&'p Leave<'a>, bool) -> Option<&'p Permit<Infer>>,
    ) {
        self.rows.decisions.push(obtained.decision.clone());
        let Some(document) = &obtained.document else { return };
        self.rows.documents.push(document.clone());
        if document.outcome != "fetched" {
            return;
        }
        for found in obtained.reading.found.iter().filter(|found| self.context.may_stand(found)) {
            match &found.about {
                About::Account(_) => {
                    if let Some(permit) = of_company {
                        let evidence = self.page_evidence(document, found, obtained, permit.clone());
                        self.company.push(signal(self.context, found.clone(), evidence));
                    }
                }
                About::Subject(subject, _) => {
                    let Some(leave) = leaves.iter_mut().find(|l| l.member.subject.id == *subject) else { continue };
                    let Some(permit) = permit(leave, found.claim.is_profile()) else { continue };
                    let evidence = self.page_evidence(document, found, obtained, permit.id().clone());
                    leave.signals.push(signal(self.context, found.clone(), evidence));
                }
            }
        }
        for subject in &obtained.reading.uncertain {
            leaves.iter_mut().filter(|l| l.member.subject.id == *subject).for_each(|l| l.uncertain = true);
        }
        if obtained.reading.withheld > 0 {
            self.withheld_letter(document, obtained.decision.target.subject());
        }
    }

    fn page_evidence(&self, document: &DocumentRow, found: &Found, obtained: &Obtained, permit: PermitId) -> Evidence {
        let class =
            self.context.gate.policy().source(&obtained.decision.source_id).map_or(SourceClass::News, |s| s.class);
        let fetched_at = self.context.observed_at(document.finished_at);
        Evidence {
            source_id: document.source_id.clone(),
            source_class: class,
            host: Some(document.host.clone()),
            document: Some(DocumentId::clone(&document.document_id)),
            content_hash: document.hash.clone().unwrap_or_default(),
            observed_at: found.said_at.map_or(fetched_at, |at| at.min(fetched_at)),
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
                reason: "not_read".to_owned(),
                detail: "column title: not read, because of the guard for sensitive data; nothing to do".to_owned(),
                row_commitment: self.context.ids.commitment("withheld", subject.as_str().as_bytes()),
                // Not whose: that something was withheld would tell what it was.
                subject_id: None,
            });
        }
    }

    /// Tied to the person whom a page is of, so that it goes with them; else to the page.
    fn withheld_letter(&mut self, document: &DocumentRow, of: Option<&SubjectId>) {
        let tie = of.map_or(document.document_id.as_str(), |subject| subject.as_str());
        self.rows.dead_letters.push(DeadLetter {
            stage: "read".to_owned(),
            reason: "not_read".to_owned(),
            detail: format!(
                "source {}: not read in part, because of the guard for sensitive data; nothing to do",
                document.source_id
            ),
            row_commitment: self.context.ids.commitment("withheld", tie.as_bytes()),
            subject_id: None,
        });
    }

    /// The company with the country that its row will have, on which studies depend: the imprint's where the CRM has none.
    fn located(&self) -> Account {
        let account = &self.group.account;
        let row = || account_row(account, &self.company, &[], self.context.as_of.0);
        let country = account.country.clone().or_else(|| row()?.country);
        Account { country, ..account.clone() }
    }

    /// Those who said no to profiling, by the decisions.
    fn refused_to_profile(&self) -> HashSet<SubjectId> {
        let refused = self.rows.decisions.iter().filter(|d| is_no_to_profiling(d));
        refused.filter_map(|d| d.target.subject().cloned()).collect()
    }

    /// Puts right what was rectified, and takes the evidence out that it replaces; tells what was rectified.
    fn put_right(&self, subject: &SubjectId, emit: &Permit<Emit>, signals: &mut Vec<Signal>) -> &'a [Rectification] {
        let context = self.context;
        let rectified = context.rectified.get(subject).map_or(&[][..], Vec::as_slice);
        if !rectified.is_empty() {
            rectified::settle(signals, subject, rectified);
            let account = self.group.account.id.as_ref();
            signals.extend(rectified::signals(rectified, subject, account, emit.id(), &context.ids));
            signals.sort_by(|a, b| a.id.cmp(&b.id));
        }
        rectified
    }

    /// Fuses signals into personas, the company's row and its buying center.
    pub(super) fn fuse(&mut self, leaves: Vec<Leave<'a>>) {
        let context = self.context;
        self.company.sort_by(|a, b| a.id.cmp(&b.id));
        self.company.dedup_by(|a, b| a.id == b.id);
        let refused_to_profile = self.refused_to_profile();
        let account = self.located();
        for leave in leaves {
            let Some(emit) = leave.emit else { continue };
            let refused: Vec<FacetKind> = leave.refused.iter().copied().collect();
            let mut signals = leave.signals;
            if self.tier == Tier::StudyPrior {
                // At this tier the CRM's title is all that is kept of the person.
                signals.retain(|s| is_of_position(&s.claim));
            }
            signals.sort_by(|a, b| a.id.cmp(&b.id));
            signals.dedup_by(|a, b| a.id == b.id);
            let subject = &leave.member.subject;
            let rectified = self.put_right(&subject.id, &emit, &mut signals);
            // The context of the position rests on what is known of the company.
            let own = signals.len();
            signals.append(&mut self.company);
            let input = FusionInput {
                subject: &subject.id,
                crm_record: &subject.crm_record,
                crm_updated_at: Some(stated_at(subject, context.as_of)),
                account: account.id.as_ref().map(|_| &account),
                signals: &signals,
                as_of: context.as_of.0,
                offering: &context.offering,
                profiling_allowed: leave.profiling.is_some() || leave.crm_profiling.is_some() || leave.social.is_some(),
                profiling_refused: refused_to_profile.contains(&subject.id),
                refused: &refused,
                identity_uncertain: leave.uncertain,
                rectified,
                // Found out when all companies are done.
                segment_values: &[],
                tier: self.tier,
                legal: legal(&emit),
                min_probability: context.plan.persona().min_probability,
                half_life_days: f64::from(context.plan.persona().half_life_days),
            };
            let room = Room::of(&input).filter(|_| self.tier == Tier::Segment);
            self.rows.rooms.extend(room.map(|room| (subject.id.clone(), room)));
            self.rows.personas.push(fuse(&input));
            self.company.extend(signals.drain(own..));
            let (subject, facts) = (leave.member.subject.id.clone(), facts(leave.member));
            self.rows.emitted.push(Emission { subject, facts, until: emit.valid_until() });
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

/// Whether a claim is about the position, as a title tells it.
const fn is_of_position(claim: &Claim) -> bool {
    matches!(claim, Claim::JobFunction(_) | Claim::Seniority(_) | Claim::SigningPower(_))
}

fn legal(emit: &Permit<Emit>) -> Legal {
    Legal {
        basis: emit.bases().to_vec(),
        permit_id: emit.id().clone(),
        notice_status: emit.op().notice_status.clone(),
        retain_until: emit.op().retain_until,
    }
}

/// When the CRM last said what it says; a record without a date is taken to be as old as the fusion takes it to be.
fn stated_at(subject: &Subject, as_of: AsOf) -> Timestamp {
    let unknown = as_of.0.checked_sub(unknown_crm_age()).unwrap_or(as_of.0);
    subject.updated_at.unwrap_or(unknown).min(as_of.0)
}

pub(super) fn signal(context: &Context, found: Found, evidence: Evidence) -> Signal {
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
