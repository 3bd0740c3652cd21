//! What the fetcher remembers of earlier nights: cached files of hosts, and refusals that still hold.
//!
//! Invariant: only answers that were read whole are remembered; what is served from the cache was allowed by the rules
//! that hold now, and no file of rules is older than a day.

use std::time::Duration;

use hyper::header::HeaderMap;

use super::cache::{Exchange, Plan as Judgement, Stored};
use super::config::Network;
use super::fetcher::{Fetcher, Plan, Stop};
use super::hosts::Shift;
use super::memory::{End, Spent};
use super::outcome::FetchFacts;
use super::policy::Reply;
use super::reason::{AbandonReason, FailReason};
use super::rules::Role;
use super::validators::Validators;

/// A page that is not there, or not for us, is not asked for again so soon.
const DAY: i64 = 24 * 3600 * 1000;
/// A page that is gone is not asked for again.
const FOR_EVER: i64 = 100 * 365 * DAY;

/// What is known of a plan's URL: of files of hosts the stored answer, of pages their state.
#[derive(Default)]
pub(super) struct Recalled {
    pub(super) stored: Option<Stored>,
    /// The state in which the page was read before.
    pub(super) known: Option<Validators>,
    /// Headers that make the request conditional.
    pub(super) ask: HeaderMap,
}

impl Fetcher {
    /// A refusal of an earlier night that still holds.
    pub(super) fn refused_before(&self, plan: &Plan) -> Result<(), FailReason> {
        let Some(memory) = self.memory.as_ref().filter(|_| self.caches && plan.role == Role::Page) else {
            return Ok(());
        };
        memory.refusal(plan.url.as_str(), self.now_ms()).map_or(Ok(()), Err)
    }

    /// What is cached of a host's file; `Ok` = it is fresh and need not be asked for.
    pub(super) fn recall(
        &self,
        plan: &Plan,
        known: Option<&Validators>,
        facts: &mut FetchFacts,
    ) -> Result<Reply, Box<Recalled>> {
        if let Some(known) = known.filter(|_| plan.role == Role::Page && self.may_ask_conditionally()) {
            return Err(Box::new(Recalled { ask: known.ask(), known: Some(known.clone()), stored: None }));
        }
        let Some(memory) = self.memory.as_ref().filter(|_| self.caches && plan.role != Role::Page) else {
            return Err(Box::default());
        };
        let Some(stored) = memory.cached(plan.url.as_str()) else {
            facts.cache = "miss";
            return Err(Box::default());
        };
        let now = self.now_ms();
        let request = HeaderMap::new();
        let judgement = stored.plan(&request, now);
        if judgement == Judgement::Use && stored.matches(&request) && (0..DAY).contains(&(now - stored.received_at)) {
            facts.cache = "hit";
            facts.age = Duration::from_millis(u64::try_from(now - stored.received_at).unwrap_or(0));
            return Ok(reply(&stored, now));
        }
        facts.cache = "miss";
        let ask = match judgement {
            Judgement::Use => HeaderMap::new(),
            Judgement::UseAndAsk(ask) | Judgement::Ask(ask) => ask,
        };
        Err(Box::new(Recalled { stored: Some(stored), known: None, ask }))
    }

    /// A 304 to a conditional request: the stored answer, refreshed.
    pub(super) fn revalidated(&self, plan: &Plan, stored: &Stored, head: &HeaderMap, facts: &mut FetchFacts) -> Reply {
        let (mut stored, now) = (stored.clone(), self.now_ms());
        let request = HeaderMap::new();
        let exchange = Exchange { request: &request, status: 304, headers: head, requested_at: now, received_at: now };
        stored.refreshed(exchange);
        facts.cache = "revalidated";
        if let Some(memory) = &self.memory {
            memory.keep(plan.url.as_str(), Some(&stored));
        }
        reply(&stored, now)
    }

    /// Keeps a host's file that was read whole.
    pub(super) fn remember_file(&self, plan: &Plan, got: &Reply, requested_at: i64) {
        let Some(memory) = self.memory.as_ref().filter(|_| self.caches && plan.role != Role::Page) else { return };
        let request = HeaderMap::new();
        let (headers, received_at) = (&got.headers, self.now_ms());
        let exchange = Exchange { request: &request, status: got.status, headers, requested_at, received_at };
        memory.keep(plan.url.as_str(), Stored::of(exchange, &got.body).as_ref());
    }

    /// Keeps refusals, and counts what was spent.
    pub(super) fn remember(&self, plan: Option<&Plan>, result: Result<(), Stop>, facts: &FetchFacts) {
        let Some(memory) = &self.memory else { return };
        if let (Some(plan), Err(Stop::Fail(reason))) = (plan, result)
            && self.caches
            && plan.role == Role::Page
            && facts.attempts > 0
        {
            let lasts = match reason {
                FailReason::NotFound | FailReason::AccessDenied => Some(DAY),
                FailReason::Gone => Some(FOR_EVER),
                _ => None,
            };
            if let Some(lasts) = lasts {
                memory.refuse(plan.url.as_str(), reason, self.now_ms().saturating_add(lasts));
            }
        }
        if result == Err(Stop::Abandon(AbandonReason::Cancelled)) && facts.attempts == 0 {
            return;
        }
        let reason = match result {
            Ok(()) => None,
            Err(Stop::Fail(reason)) => Some(reason.as_str()),
            Err(Stop::Abandon(reason)) => Some(reason.as_str()),
        };
        let end = match result {
            Ok(()) | Err(Stop::Fail(FailReason::NotFound | FailReason::Gone)) => End::Answered,
            Err(Stop::Fail(reason)) if facts.attempts == 0 || reason.is_refusal() => End::Refused,
            Err(_) => End::Failed,
        };
        let spent = Spent {
            end,
            cached: facts.cache == "hit",
            not_modified: facts.cache == "revalidated",
            bytes: facts.bytes,
            waited_ms: u64::try_from(facts.waited.as_millis()).unwrap_or(u64::MAX),
        };
        memory.ended(&facts.source_id, &facts.host, spent, reason);
    }

    /// Leaves a site alone for so long, whoever runs next. The demo web is a new one every time.
    pub(super) fn keep_floor(&self, site: &str, wait: Duration) {
        if let (Some(memory), Network::Public(_)) = (&self.memory, &self.config.network) {
            let wait = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
            memory.hold_off(site, self.now_ms().saturating_add(wait));
        }
    }

    /// Keeps what became of a host's breaker.
    pub(super) fn note_shift(&self, plan: &Plan, shift: Option<Shift>) {
        let (Some(memory), Some(shift), Network::Public(_)) = (&self.memory, shift, &self.config.network) else {
            return;
        };
        let open = match shift {
            Shift::Opened(lasts) => {
                let ms = i64::try_from(lasts.as_millis()).unwrap_or(i64::MAX);
                Some((self.now_ms().saturating_add(ms), lasts))
            }
            Shift::Closed => None,
        };
        memory.breaker(&plan.host, open);
    }

    pub(super) fn now_ms(&self) -> i64 {
        (self.wall_clock)().as_millisecond()
    }
}

fn reply(stored: &Stored, now: i64) -> Reply {
    let (status, headers, body) = stored.served(&HeaderMap::new(), now);
    let (content_type, charset) = super::headers::content_type(&headers);
    Reply { status, headers, content_type: content_type.unwrap_or_default(), charset, body }
}
