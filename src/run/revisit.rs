//! Asking for a page another night: whether what was read of it may be read again without its body.
//!
//! Invariant: what is kept is used only if a fresh body could not be read otherwise: the same reader, pipeline and policy,
//! the same company, the same people with leave, and a clock by which the same is past and to come. A page that must not
//! be kept, or that says no, leaves nothing, in no pipeline; nor does one on which something of a special category stood,
//! nor anything that is too old for the policy.

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};

use crate::consent::gate::FetchProposal;
use crate::consent::policy::PROFILING;
use crate::fetch::{FailReason, Validators};
use crate::model::{DocumentRow, Subject, SubjectId, Target};
use crate::run::closed::{self, CLOSING};
use crate::run::context::Context;
use crate::run::engine::RunError;
use crate::run::kept::{Kept, Pages, Slot, Tag};
use crate::run::obtain::Obtained;
use crate::source::{self, PageKind};

/// A body is read anew after so long at the latest, whatever its server says.
const LONGEST: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Who reads a page, and with what.
pub(super) struct Reader<'a> {
    pub kind: PageKind,
    pub context: &'a source::Context<'a>,
    /// Hash over `context.members`.
    pub members: &'a str,
}

/// A page that is asked for.
pub(super) struct Visit<'a> {
    pages: &'a Pages,
    slot: Slot,
    inputs: String,
    /// With leave to be read about.
    contacts: Vec<SubjectId>,
    /// What is kept ends then; `None` = no policy says.
    retained: Option<Timestamp>,
}

impl<'a> Visit<'a> {
    /// `None` = nothing is kept of pages in this run.
    pub fn of(context: &'a Context, proposal: &FetchProposal, reader: &Reader<'_>) -> Option<Self> {
        let (pages, recorder) = (context.pages.as_ref()?, context.recorder.as_ref()?);
        if context.fetcher.is_replay() {
            return None;
        }
        let target = format!("{:?}", proposal.target);
        let url = proposal.url.reveal().as_str();
        let name = context.plan.name();
        let place = context.ids.request(&["kept", name, &target, &proposal.source_id, &proposal.purpose, url]);
        let read_for: Vec<&SubjectId> = match &proposal.target {
            Target::Subject(subject, _) => vec![subject],
            Target::Account(_) => reader.context.members.iter().map(|member| &member.id).collect(),
            Target::Host(_) => return None,
        };
        // Whoever has no key could not take the row along.
        let tags = read_for.iter().map(|subject| Some(recorder.keys().get(subject).ok()??.page_tag()));
        let page = context.ids.request(&["kept page", url]);
        let slot = Slot { place, page, tags: tags.collect::<Option<Vec<Tag>>>()? };
        let people = reader.context.contacts;
        Some(Self {
            pages,
            slot,
            inputs: inputs(context, reader),
            contacts: people.iter().map(|contact| contact.subject.id.clone()).collect(),
            retained: people.iter().flat_map(|contact| ends(context, contact)).min(),
        })
    }

    /// What is kept of the page, if it is what would be read of the same bytes now.
    pub fn recall(&self, context: &Context) -> Option<Kept> {
        let kept = self.pages.recall(&self.slot.place)?;
        let as_of = context.as_of.0;
        let same = kept.inputs == self.inputs
            && kept.as_of <= as_of
            && kept.reading.same_until.is_none_or(|until| as_of < until)
            && context.gate.now() < self.until(kept.read_at);
        same.then_some(kept)
    }

    fn until(&self, read_at: Timestamp) -> Timestamp {
        let longest = read_at.checked_add(LONGEST).unwrap_or(Timestamp::MAX);
        self.retained.map_or(longest, |retained| retained.min(longest))
    }

    /// The page is one that this run wants: what is kept of it stays.
    fn touch(&self) {
        self.pages.touch(&self.slot.place);
    }

    /// An earlier start has settled what is kept of the page, of which a kill may have lost what was not written yet.
    pub fn resume(&self, context: &Context, earlier: &Obtained) {
        match &earlier.document {
            Some(_) if earlier.may_stay && is_whole(earlier) => match self.recall(context) {
                Some(_) => self.touch(),
                None => self.discard(),
            },
            Some(document) if tells_of_page(document) => self.pages.close(&self.slot.page),
            _ => {}
        }
    }

    /// Nothing is kept of this reading of the page.
    fn discard(&self) {
        self.pages.discard(&self.slot.place);
    }

    /// The gate refuses. Where the page's host says no, nothing of the page is kept for anybody.
    pub fn refused(&self, context: &Context, proposal: &FetchProposal) {
        if closed::is_reserved(context, proposal) { self.pages.close(&self.slot.page) } else { self.discard() }
    }

    /// Keeps what may be kept of a page that was asked for. `state` is that of what was read, where anything may be kept
    /// of it, and `known` what was to be used in place of a body.
    pub fn settle(&self, context: &Context, obtained: &Obtained, state: Option<&Validators>, known: Option<&Kept>) {
        let Some(document) = &obtained.document else { return self.discard() };
        let late = self.contacts.iter().any(|subject| context.gate.late_negative(subject));
        match (state.filter(|_| is_whole(obtained) && !late), &document.hash) {
            (Some(validators), Some(hash)) => {
                let now = (context.as_of.0, context.gate.now());
                let again = known.filter(|_| document.is_not_modified());
                let (as_of, read_at) = again.map_or(now, |known| (known.as_of, known.read_at));
                let mut reading = obtained.reading.clone();
                reading.found.retain(|found| context.may_stand(found));
                let kept = Kept {
                    validators: validators.clone(),
                    hash: hash.clone(),
                    inputs: self.inputs.clone(),
                    as_of,
                    read_at,
                    reading,
                };
                // No longer than the first of what stands in it.
                let aged = kept.reading.found.iter().filter_map(|found| context.stands_until(found)).min();
                let until = self.until(read_at);
                self.pages.keep(&self.slot, aged.map_or(until, |aged| aged.min(until)), &kept);
            }
            _ if tells_of_page(document) => self.pages.close(&self.slot.page),
            // What is there rests on other inputs than these, if anything is.
            _ if known.is_none() => self.discard(),
            _ => self.touch(),
        }
    }
}

/// Whether a page was read, and nothing on it withheld.
fn is_whole(obtained: &Obtained) -> bool {
    obtained.document.as_ref().is_some_and(|document| document.outcome == "fetched") && obtained.reading.withheld == 0
}

/// Whether what came of a permit is an answer about the page, and not of a host in trouble or of a budget.
fn tells_of_page(document: &DocumentRow) -> bool {
    let answered = document.status.is_some_and(|status| status < 500 && status != 429);
    let refused = document.reason.as_deref().is_some_and(|word| CLOSING.iter().any(|c| c.as_str() == word));
    let kept_out = |reason: FailReason| document.reason.as_deref() == Some(reason.as_str());
    answered || refused || kept_out(FailReason::NotFound) || kept_out(FailReason::AccessDenied)
}

/// The ends of retention of a contact, for the purposes for which a page is read.
fn ends<'c>(context: &'c Context, contact: &source::Permitted<'c>) -> impl Iterator<Item = Timestamp> + 'c {
    let (collected, profiling) = (contact.subject.collected_at, contact.profiling);
    let purposes = [Some(context.plan.purpose()), profiling.then_some(PROFILING)];
    purposes.into_iter().flatten().filter_map(move |purpose| context.gate.policy().retain_until(purpose, collected))
}

/// A keyed hash over everything that a reading rests on beside the bytes and the clock.
fn inputs(context: &Context, reader: &Reader<'_>) -> String {
    let source::Context { account, contacts, members: _, languages, as_of: _ } = reader.context;
    let mut text = Text::default();
    text.add(env!("CARGO_PKG_VERSION")).add(env!("PROSOPON_READER"));
    text.add(context.plan.hash()).add(context.gate.policy().hash());
    text.add(&format!("{:?} {languages:?} {account:?}", reader.kind)).add(reader.members);
    for contact in *contacts {
        text.person(contact.subject).add(if contact.profiling { "profiling" } else { "" });
    }
    context.ids.commitment("reading", &text.0)
}

/// A keyed hash over what readers know of everybody of a company.
pub(super) fn of_members(context: &Context, members: &[&Subject]) -> String {
    let mut text = Text::default();
    for member in members {
        text.person(member);
    }
    context.ids.commitment("members", &text.0)
}

/// Parts that cannot run into each other.
#[derive(Default)]
struct Text(Vec<u8>);

impl Text {
    fn add(&mut self, part: &str) -> &mut Self {
        self.0.extend((part.len() as u64).to_be_bytes());
        self.0.extend(part.as_bytes());
        self
    }

    /// All that a reader can see of a person; the dates of the record are of no use to it.
    fn person(&mut self, subject: &Subject) -> &mut Self {
        let Subject {
            id,
            crm_record,
            account,
            given_name,
            family_name,
            emails,
            job_title,
            handles,
            language,
            country,
            updated_at: _,
            collected_at: _,
        } = subject;
        self.add(id.as_str()).add(crm_record).add(&format!("{account:?} {language:?} {country:?}"));
        self.add(given_name.reveal()).add(family_name.reveal());
        self.add(&format!("{} {} {}", emails.len(), handles.len(), job_title.is_some()));
        for text in emails.iter().chain(job_title) {
            self.add(text.reveal());
        }
        for (source, handle) in handles {
            self.add(source).add(handle.reveal());
        }
        self
    }
}

/// Deletes what is kept of pages that were read for people who said no, or are gone.
pub(super) fn forget<'s>(context: &Context, people: impl IntoIterator<Item = &'s SubjectId>) -> Result<(), RunError> {
    let (Some(pages), Some(recorder)) = (&context.pages, &context.recorder) else { return Ok(()) };
    let mut tags: HashSet<Tag> = HashSet::new();
    for subject in people {
        tags.extend(recorder.keys().get(subject)?.map(|key| key.page_tag()));
    }
    pages.forget(&tags)?;
    Ok(())
}

#[cfg(test)]
mod tests;
