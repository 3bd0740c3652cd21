//! One fetch from proposal to reading: journal, gate, fetcher, source, journal.
//!
//! Invariant: what an earlier start committed is not fetched again; what is fetched is committed together with all
//! that was read from it; a permit that was used has exactly one document.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tracing::{Instrument, field};
use url::Url;

use crate::audit::{Kind, Stage};
use crate::consent::decide::OptOut;
use crate::consent::gate::FetchProposal;
use crate::consent::permit::{Fetch, Permit};
use crate::extract::reservation;
use crate::fetch::{
    AbandonReason, FailReason, FetchFacts, Fetched, HostFile, OptOutVerdict, Outcome, Page, Place, Unchanged,
    Validators,
};
use crate::model::{About, DecisionRow, DocumentId, DocumentRow, PermitId, Target};
use crate::run::closed;
use crate::run::context::{Context, StageTimes, add};
use crate::run::engine::RunError;
use crate::run::kept::Kept;
use crate::run::revisit::{Reader, Visit};
use crate::source::{Body, Reading};

/// What a request brought.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Obtained {
    /// The gate's decision.
    pub decision: DecisionRow,
    /// The fetch, where it was permitted.
    pub document: Option<DocumentRow>,
    /// What was read.
    pub reading: Reading,
    /// Where the page points instead.
    pub redirect: Option<String>,
    /// For robots.txt and tdmrep.json: their text, for the fetcher to be told again after a kill; empty = there is
    /// none, `None` = it could not be had.
    pub host_rules: Option<String>,
    /// When that text was received, which may be in an earlier night.
    pub rules_at: Option<Timestamp>,
    /// For pages: whether anything may be kept of it.
    #[serde(default)]
    pub may_stay: bool,
}

/// Asks the gate and, with its permit, fetches and reads; or recalls what an earlier start committed. Pages that turn out
/// to be closed are noted. Where it is known who `reader` is, what was read another night may be read again.
pub(super) async fn obtain(
    context: &Context,
    proposal: FetchProposal,
    reader: Option<Reader<'_>>,
    read: impl FnOnce(&Body<'_>) -> Reading + Send,
) -> Result<Obtained, RunError> {
    let visit = reader.and_then(|reader| Visit::of(context, &proposal, &reader));
    let obtained = ask(context, proposal.clone(), visit.as_ref(), read).await?;
    closed::note(context, &proposal, &obtained);
    Ok(obtained)
}

async fn ask(
    context: &Context,
    proposal: FetchProposal,
    visit: Option<&Visit<'_>>,
    read: impl FnOnce(&Body<'_>) -> Reading + Send,
) -> Result<Obtained, RunError> {
    let request = request_key(context, &proposal);
    let url = proposal.url.clone();
    let earlier = context.journal.recall::<Obtained>(&context.run, &request)?;
    // In line before the gate is asked: a permit is for now, and many companies may wait for one host.
    let place = if earlier.is_none() { context.fetcher.place(url.reveal(), &context.cancel).await } else { None };
    let begin = (context.wall)();
    context.look()?;
    let decided = context.gate.fetch(proposal.clone());
    add(&context.times.gate, begin, (context.wall)());
    let Ok(permit) = decided.outcome else {
        if let Some(visit) = visit {
            visit.refused(context, &proposal);
        }
        context.record(Stage::Fetch, [[(decided.row.clone(), decided.grounds)].as_slice()]).await?;
        return Ok(Obtained::refused(decided.row));
    };
    if let Some(earlier) = earlier.filter(|earlier| restore(context, url.reveal(), earlier)) {
        if let Some(visit) = visit {
            visit.resume(context, &earlier);
        }
        let outcome = earlier.document.as_ref().map_or("refused", |d| d.outcome.as_str());
        context.observer.fetched(outcome, true);
        return Ok(earlier);
    }
    // Intent before effect: without its entry in the log nothing is asked of anybody.
    context.record(Stage::Fetch, [[(decided.row.clone(), decided.grounds)].as_slice()]).await?;
    let span = span(permit.op());
    let known = visit.and_then(|visit| visit.recall(context));
    // In a box: thousands of companies wait, and few of them for an answer.
    let fetched = Box::pin(fetch(context, decided.row, permit, (known.as_ref(), read), place)).instrument(span).await;
    let (mut obtained, state) = fetched?;
    recheck(context, proposal, &mut obtained).await?;
    outcome(context, &obtained).await?;
    context.journal.commit(&context.run, &request, &obtained)?;
    if let Some(visit) = visit {
        visit.settle(context, &obtained, state.as_ref(), known.as_ref());
    }
    context.observer.fetched(obtained.document.as_ref().map_or("refused", |d| d.outcome.as_str()), false);
    if obtained.document.as_ref().is_some_and(DocumentRow::is_not_modified) {
        context.observer.not_modified();
    }
    Ok(obtained)
}

/// The span of a fetch; what leaves the machine in a trace is in `cli/otlp/spans.rs`, and no host is.
fn span(op: &Fetch) -> tracing::Span {
    let url = op.url.reveal();
    let kind = match (&op.target, url.path()) {
        (Target::Host(_), "/robots.txt") => "robots",
        (Target::Host(_), "/ai.txt") => "ai",
        (Target::Host(_), _) => "tdm",
        (Target::Account(_) | Target::Subject(..), _) => "page",
    };
    tracing::info_span!(
        "fetch",
        source = %op.source_id,
        host = url.host_str().unwrap_or_default(),
        class = op.source_class.as_str(),
        kind,
        outcome = field::Empty,
        attempts = field::Empty,
        waited_ms = field::Empty,
    )
}

/// Tells the fetcher again what an earlier start learned of a host; `false` = it holds no more and is asked again.
fn restore(context: &Context, url: &Url, earlier: &Obtained) -> bool {
    let (Target::Host(_), Some(received_at)) = (&earlier.decision.target, earlier.rules_at) else { return true };
    let moved = earlier.redirect.as_deref().and_then(|to| Url::parse(to).ok());
    let file = match (&earlier.host_rules, moved) {
        (Some(text), _) => HostFile::Text(text.as_bytes()),
        (None, Some(to)) => HostFile::Moved(to),
        (None, None) => HostFile::Unreachable,
    };
    context.fetcher.restore(url, &file, received_at)
}

/// Looks at the ledger again before anything is kept: who objected or withdrew while the page was on its way is not
/// read about.
async fn recheck(context: &Context, proposal: FetchProposal, obtained: &mut Obtained) -> Result<(), RunError> {
    context.look()?;
    let gate = &context.gate;
    obtained.reading.found.retain(|f| match &f.about {
        About::Subject(subject, _) => !gate.late_negative(subject),
        About::Account(_) => true,
    });
    obtained.reading.uncertain.retain(|subject| !gate.late_negative(subject));
    let asked_about = proposal.target.subject().filter(|subject| gate.late_negative(subject));
    if asked_about.is_none() {
        return Ok(());
    }
    let decided = gate.fetch(proposal);
    if decided.outcome.is_err() {
        context.record(Stage::Commit, [[(decided.row, decided.grounds)].as_slice()]).await?;
        obtained.reading = Reading::default();
        if let Some(document) = &mut obtained.document {
            document.hash = None;
            fail(document, "abandoned", "refused_before_commit");
        }
    }
    Ok(())
}

/// Records what came of a permit.
async fn outcome(context: &Context, obtained: &Obtained) -> Result<(), RunError> {
    let (Some(recorder), Some(document)) = (&context.recorder, &obtained.document) else { return Ok(()) };
    let leaf = recorder.leaf(Kind::Outcome).fact("outcome", document.outcome.as_str()).fact("bytes", document.bytes);
    let leaf = document.status.map_or_else(|| leaf.clone(), |status| leaf.clone().fact("status", status));
    let entry = match &obtained.decision.target {
        Target::Subject(subject, _) => {
            let permit = recorder.keys().get(subject)?.map(|key| key.blind("permit", document.permit_id.as_str()));
            recorder.about(leaf.fact("permit", permit), subject)?
        }
        Target::Account(_) | Target::Host(_) => leaf.fact("permit", document.permit_id.as_str()).into(),
    };
    recorder.log().append(vec![entry]).await?;
    Ok(())
}

fn request_key(context: &Context, proposal: &FetchProposal) -> String {
    let target = format!("{:?}", proposal.target);
    context.ids.request(&[&target, &proposal.source_id, &proposal.purpose, proposal.url.reveal().as_str()])
}

async fn fetch(
    context: &Context,
    decision: DecisionRow,
    permit: Permit<Fetch>,
    (known, read): (Option<&Kept>, impl FnOnce(&Body<'_>) -> Reading + Send),
    place: Option<Place>,
) -> Result<(Obtained, Option<Validators>), RunError> {
    let permit_id = permit.id().clone();
    let source_id = permit.op().source_id.clone();
    let host = permit.op().url.reveal().host_str().unwrap_or("").to_owned();
    let is_host = matches!(permit.op().target, Target::Host(_));
    let begin = (context.wall)();
    let validators = known.map(|known| &known.validators);
    let Fetched { outcome, facts } = context.fetcher.fetch_if_changed(permit, validators, &context.cancel).await;
    drop(place);
    add(&context.times.fetch, begin, (context.wall)());
    if matches!(outcome, Outcome::Abandoned { reason: AbandonReason::Cancelled }) {
        // Not asked, so not committed: the next start asks. What was answered in time is kept.
        return Err(RunError::Cancelled);
    }
    let mut document = document(context.ids.document(&permit_id), permit_id, (source_id, host), &facts);
    let host_rules = is_host.then(|| host_rules(&outcome)).flatten();
    let rules_at = is_host.then(|| match &host_rules {
        // Not UTF-8: its rules would be others after a kill, so it is then asked for again, as if it were too old.
        Some(text) if text.contains(char::REPLACEMENT_CHARACTER) => Timestamp::UNIX_EPOCH,
        _ => facts.finished_at.checked_sub(facts.age).unwrap_or(facts.finished_at),
    });
    let (mut redirect, mut state) = (None, None);
    let reading = match outcome {
        Outcome::Page(page) => {
            state = page.validators().cloned();
            read_page(context, &page, &mut document, read)
        }
        Outcome::Unchanged(unchanged) => {
            state = validators.filter(|_| unchanged.may_stay()).cloned();
            read_again(&unchanged, known, &mut document)
        }
        Outcome::Redirect { to, .. } => {
            fail(&mut document, "failed", "redirected");
            redirect = Some(to.to_string());
            Reading::default()
        }
        Outcome::Failed { reason } => {
            fail(&mut document, "failed", &reason.to_string());
            Reading::default()
        }
        Outcome::Abandoned { reason } => {
            fail(&mut document, "abandoned", &reason.to_string());
            Reading::default()
        }
    };
    let span = tracing::Span::current();
    span.record("outcome", document.outcome.as_str()).record("attempts", document.attempts);
    span.record("waited_ms", u64::try_from(facts.waited.as_millis()).unwrap_or(u64::MAX));
    let may_stay = state.is_some();
    Ok((Obtained { decision, document: Some(document), reading, redirect, host_rules, rules_at, may_stay }, state))
}

/// The row of a fetch that has not failed yet.
fn document(
    document_id: DocumentId,
    permit_id: PermitId,
    (source_id, host): (String, String),
    facts: &FetchFacts,
) -> DocumentRow {
    DocumentRow {
        document_id,
        permit_id,
        outcome: "fetched".to_owned(),
        reason: None,
        source_id,
        host,
        status: facts.status,
        bytes: facts.bytes,
        hash: None,
        cache: facts.cache.to_owned(),
        robots: facts.robots.clone(),
        tdm: facts.tdm.clone(),
        attempts: facts.attempts,
        started_at: facts.started_at,
        finished_at: facts.finished_at,
    }
}

/// Reads a page that did not change: what was read of it is read again.
fn read_again(unchanged: &Unchanged, known: Option<&Kept>, document: &mut DocumentRow) -> Reading {
    let Some(known) = known else {
        // The fetcher asked nothing of the kind, so this cannot come.
        fail(document, "failed", FailReason::NotModifiedUnasked.as_str());
        return Reading::default();
    };
    document.hash = Some(known.hash.clone());
    let mut reading = known.reading.clone();
    if unchanged.nofollow() {
        reading.follow_ups.clear();
    }
    reading
}

fn host_rules(outcome: &Outcome) -> Option<String> {
    match outcome {
        Outcome::Page(page) => Some(String::from_utf8_lossy(page.body()).into_owned()),
        Outcome::Failed { reason: FailReason::NotFound | FailReason::Gone } => Some(String::new()),
        Outcome::Failed { .. } | Outcome::Redirect { .. } | Outcome::Abandoned { .. } | Outcome::Unchanged(_) => None,
    }
}

fn read_page(
    context: &Context,
    page: &Page,
    document: &mut DocumentRow,
    read: impl FnOnce(&Body<'_>) -> Reading,
) -> Reading {
    document.hash = Some(context.ids.commitment("body", page.body()));
    let declared = page.charset().map(|charset| format!("{}; charset={charset}", page.content_type()));
    let content_type = declared.as_deref().or(Some(page.content_type())).filter(|t| !t.is_empty());
    let body = Body { url: page.url(), content_type, bytes: page.body() };
    let mut reading = tracing::info_span!("read").in_scope(|| StageTimes::timed(&context.times.read, || read(&body)));
    if page.nofollow() {
        reading.follow_ups.clear();
    }
    if let Some(reason) = &reading.opted_out {
        if reason == FailReason::TdmReserved.as_str() {
            "reserved: meta".clone_into(&mut document.tdm);
        } else if reason == reservation::REASON {
            "reserved: text".clone_into(&mut document.tdm);
        }
        fail(document, "failed", reason);
    } else if let Some(reason) = &reading.unreadable {
        fail(document, "failed", reason);
    }
    reading
}

fn fail(document: &mut DocumentRow, outcome: &str, reason: &str) {
    outcome.clone_into(&mut document.outcome);
    document.reason = Some(reason.to_owned());
}

impl Obtained {
    fn refused(decision: DecisionRow) -> Self {
        let reading = Reading::default();
        Self { decision, document: None, reading, redirect: None, host_rules: None, rules_at: None, may_stay: false }
    }
}

/// What the gate is told about a page's host.
pub(super) fn opt_out(context: &Context, url: &Url) -> OptOut {
    match context.fetcher.opt_outs(url) {
        OptOutVerdict::Allow => OptOut::Free,
        OptOutVerdict::TdmReserved { .. } | OptOutVerdict::TdmUnreachable => OptOut::TdmReserved,
        OptOutVerdict::NotAsked | OptOutVerdict::RobotsDisallow { .. } | OptOutVerdict::RobotsUnreachable => {
            OptOut::RobotsDisallow
        }
    }
}
