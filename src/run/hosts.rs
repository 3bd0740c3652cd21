//! What hosts say of being read: their files are asked for before anything else.
//!
//! Invariant: each file is asked for under a permit for its host, once for as long as it holds.

use url::Url;

use crate::consent::decide::OptOut;
use crate::consent::gate::{FetchProposal, HOST_QUESTIONS};
use crate::model::{Personal, Target};
use crate::run::engine::RunError;
use crate::run::group::{MAX_HOPS, Work};
use crate::run::obtain::obtain;
use crate::source::Reading;

/// The purpose under which hosts are asked for their opt-outs.
const PURPOSE: &str = "opt_out_check";

impl Work<'_> {
    /// Asks a host for its opt-outs (robots.txt, its reservation of rights, ai.txt); a file that moved is asked for where it is.
    pub(super) async fn ask_host(&mut self, url: &Url, source: &str) -> Result<(), RunError> {
        for path in HOST_QUESTIONS {
            let mut next = url.join(path).ok();
            // The file itself and five moves (RFC 9309, 2.3.1.2).
            for _ in 0..=MAX_HOPS {
                let Some(file) = next.take() else { break };
                next = self.ask_file(&file, source).await?;
            }
        }
        Ok(())
    }

    /// Asks for one file of a host, under a permit for that host, once for as long as it holds; says where it moved.
    async fn ask_file(&mut self, file: &Url, source: &str) -> Result<Option<Url>, RunError> {
        let context = self.context;
        let cell = context.host_files.lock().expect("no holder panics").entry(file.to_string()).or_default().clone();
        let mut asked = cell.lock().await;
        if let Some(moved) = asked.as_ref().filter(|_| !context.fetcher.has_lapsed(file)) {
            return Ok(moved.clone());
        }
        let proposal = FetchProposal {
            target: Target::Host(file.host_str().unwrap_or("").to_owned()),
            source_id: source.to_owned(),
            purpose: PURPOSE.to_owned(),
            url: Personal::new(file.clone()),
            account_host: self.group.account.domain.clone(),
            opt_out: OptOut::NotApplicable,
            facts: None,
        };
        let obtained = obtain(context, proposal, None, |_| Reading::default()).await?;
        self.rows.decisions.push(obtained.decision);
        self.rows.documents.extend(obtained.document);
        // The same file of another host; anything else counts as unreachable, and the gate would not permit it.
        let moved = obtained.redirect.and_then(|to| Url::parse(&to).ok());
        let moved = moved.filter(|to| to.path() == file.path() && to.query().is_none());
        *asked = Some(moved.clone());
        Ok(moved)
    }
}
