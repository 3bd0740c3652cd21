//! Pages of single contacts: the developer profile, and the account of a social network with its posts, each under a
//! permit of its own.
//!
//! Invariant: without leave for a source nothing of it is asked, not even its host; for posts that is consent to
//! profiling. What they say becomes a signal with that very permit.

use url::Url;

use crate::consent::gate::FetchProposal;
use crate::model::Personal;
use crate::persona::input::FacetKind;
use crate::run::engine::RunError;
use crate::run::group::{Leave, PROFILING_PURPOSE, Wanted, Work, facts, subject_target};
use crate::run::obtain::{Obtained, obtain, opt_out};
use crate::source::{self, Body, PageKind, Permitted, Reading, developer_profile, id, social_profile};
use crate::taxonomy::{Operation, SourceClass, Tier};

impl<'a> Work<'a> {
    /// Whether a contact said no after the run had asked: then not even the host of a profile is asked, since it would
    /// be for that contact alone.
    fn said_no(&self, leave: &Leave<'_>) -> Result<bool, RunError> {
        self.context.look()?;
        Ok(self.context.gate.late_negative(&leave.member.subject.id))
    }

    pub(super) async fn developer_profile(&mut self, leave: &mut Leave<'a>) -> Result<(), RunError> {
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
        if self.said_no(leave)? {
            return Ok(());
        }
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
        let members = self.members();
        let read_context = source::Context {
            account: &self.group.account,
            contacts: &contacts,
            members: &members,
            languages: &context.plan.extract().languages,
            as_of: context.as_of.0,
        };
        let read = |body: &Body<'_>| developer_profile::read(body, &read_context);
        let reader = Some(self.reader(PageKind::Profile, &read_context));
        let obtained = obtain(context, proposal, reader, read).await?;
        if obtained.document.is_none() {
            leave.refused.extend(FacetKind::fed_by(SourceClass::PublicProfessional));
        }
        self.keep(&obtained, None, std::slice::from_mut(leave), |l, profiles| {
            if profiles { l.profiling.as_ref() } else { l.profile.as_ref() }
        });
        Ok(())
    }

    /// Asks whether the posts of a contact may be read; they tell nothing but a profile, so only that is asked.
    pub(super) fn ask_social(&self, leave: &mut Leave<'a>) {
        let has_handle = leave.member.subject.handles.iter().any(|(source, _)| source == id::SOCIAL_PROFILE);
        if self.tier != Tier::Individual || !has_handle || self.context.plan.sources().social_profile.is_none() {
            return;
        }
        let evidence_at = Some(self.context.gate.now());
        let wanted = Wanted { source: id::SOCIAL_PROFILE, class: SourceClass::PublicSocial, evidence_at };
        leave.social = self.infer(leave, wanted, Operation::Profile);
    }

    pub(super) async fn social_profile(&mut self, leave: &mut Leave<'a>) -> Result<(), RunError> {
        let context = self.context;
        let (Some(source), true, true) =
            (&context.plan.sources().social_profile, leave.social.is_some(), leave.emit.is_some())
        else {
            return Ok(());
        };
        let handles = &leave.member.subject.handles;
        let handle = handles.iter().find(|(source, _)| source == id::SOCIAL_PROFILE).map(|(_, h)| h.reveal());
        let Some(lookup) = handle.and_then(|h| social_profile::lookup_url(&source.base_url, h)) else {
            return Ok(());
        };
        if self.said_no(leave)? {
            return Ok(());
        }
        self.ask_host(&lookup, id::SOCIAL_PROFILE).await?;
        let base = &source.base_url;
        let account = self
            .social_page((PageKind::Profile, lookup), leave, |body, c| social_profile::read_account(body, base, c))
            .await?;
        let posts = account.reading.follow_ups.iter().find(|f| f.kind == PageKind::Posts);
        if let Some(posts) = posts.and_then(|f| Url::parse(&f.url).ok()) {
            self.social_page((PageKind::Posts, posts), leave, |body, c| social_profile::read_posts(body, base, c))
                .await?;
        }
        Ok(())
    }

    async fn social_page(
        &mut self,
        (kind, url): (PageKind, Url),
        leave: &mut Leave<'a>,
        read: impl Fn(&Body<'_>, &source::Context<'_>) -> Reading + Send + Sync,
    ) -> Result<Obtained, RunError> {
        let context = self.context;
        let proposal = FetchProposal {
            target: subject_target(leave.member),
            source_id: id::SOCIAL_PROFILE.to_owned(),
            purpose: PROFILING_PURPOSE.to_owned(),
            opt_out: opt_out(context, &url),
            url: Personal::new(url),
            account_host: None,
            facts: Some(facts(leave.member)),
        };
        let contacts = [Permitted { subject: &leave.member.subject, profiling: leave.social.is_some() }];
        let members = self.members();
        let read_context = source::Context {
            account: &self.group.account,
            contacts: &contacts,
            members: &members,
            languages: &context.plan.extract().languages,
            as_of: context.as_of.0,
        };
        let reader = Some(self.reader(kind, &read_context));
        let obtained = obtain(context, proposal, reader, |body| read(body, &read_context)).await?;
        if obtained.document.is_none() {
            leave.refused.extend(FacetKind::fed_by(SourceClass::PublicSocial));
        }
        self.keep(&obtained, None, std::slice::from_mut(leave), |l, profiles| l.social.as_ref().filter(|_| profiles));
        Ok(obtained)
    }
}
