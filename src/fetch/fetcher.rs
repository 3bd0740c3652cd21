//! The fetcher: takes a permit, keeps the order, gives a page or a typed reason.
//!
//! Invariant: every request is covered by a permit that is valid when it is sent, and by rules of its origin that
//! were fetched before and allow it; each is counted against the budgets before a byte is sent.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};
use url::Url;

use super::cancel::Cancel;
use super::client::HttpClient;
use super::config::{Clock, FetchError, FetcherConfig, Network};
use super::guard::check_url;
use super::headers;
use super::hosts::{Hosts, Telling};
use super::memory::Memory;
use super::outcome::{Body, FetchFacts, Fetched, HostFile, Outcome, Page, Unchanged};
use super::pace::{Pace, Place};
use super::policy::{self, Reply};
use super::reason::{AbandonReason, FailReason};
use super::robots::Robots;
use super::rules::{OptOutVerdict, Role, Rules};
use super::tape::Recorder;
use super::tdm::TdmRules;
use super::validators::Validators;
use crate::consent::permit::{Fetch, Permit};
use crate::model::Target;

/// Asks the network, one permit at a time for each host. Shared by reference; state is inside.
pub struct Fetcher {
    pub(super) config: FetcherConfig,
    agent: String,
    pub(super) client: HttpClient,
    gate_clock: Clock,
    pub(super) wall_clock: Clock,
    pace: Pace,
    rules: Rules,
    pub(super) hosts: Hosts,
    deadline: Instant,
    /// What outlives the run.
    pub(super) memory: Option<Arc<Memory>>,
    /// Whether answers and refusals of earlier nights are used; the demo always asks.
    pub(super) caches: bool,
    /// Keeps every exchange.
    pub(super) recorder: Option<Arc<Recorder>>,
}

/// Why an order ended early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    Fail(FailReason),
    Abandon(AbandonReason),
}

impl From<FailReason> for Stop {
    fn from(reason: FailReason) -> Self {
        Self::Fail(reason)
    }
}

impl From<AbandonReason> for Stop {
    fn from(reason: AbandonReason) -> Self {
        Self::Abandon(reason)
    }
}

/// A permit's URL, checked.
pub(super) struct Plan {
    pub(super) url: Url,
    pub(super) host: String,
    source: String,
    /// What is paced as one: the registrable domain, so that a site's many hosts are not asked at once.
    paced: String,
    pub(super) role: Role,
    delay: Duration,
    /// The least time between two requests to the host's address.
    pub(super) apart: Duration,
}

impl std::fmt::Debug for Fetcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fetcher").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Fetcher {
    /// Makes a fetcher; the run's time budget starts now. `gate_clock` is what permits are valid by (pinned in
    /// demo and replay), `wall_clock` the time of day for the tables and for `Retry-After` dates.
    ///
    /// # Errors
    /// Where the configuration is no configuration, see [`FetchError`].
    pub fn new(config: FetcherConfig, gate_clock: Clock, wall_clock: Clock) -> Result<Self, FetchError> {
        config.check()?;
        Ok(Self {
            agent: config.product_token()?,
            client: HttpClient::new(&config)?,
            pace: Pace::default(),
            rules: Rules::new(config.limits.rules_ttl),
            hosts: Hosts::new(config.limits.clone(), config.budgets),
            deadline: Instant::now() + config.run_time(),
            memory: None,
            recorder: None,
            caches: matches!(config.network, Network::Public(_)),
            config,
            gate_clock,
            wall_clock,
        })
    }

    /// Gives it a memory; what the run and its night have spent before counts, and who is to be left alone is.
    #[must_use]
    pub fn with_memory(mut self, memory: Arc<Memory>) -> Self {
        self.hosts.recall(&memory.before());
        if matches!(self.config.network, Network::Public(_)) {
            let (holds, now) = (memory.holds(self.now_ms()), Instant::now());
            self.hosts.recall_breakers(&holds.breakers);
            holds.floors.iter().for_each(|(site, left)| self.pace.hold_off(site, now + *left));
        }
        self.memory = Some(memory);
        self
    }

    /// Records every exchange. A cassette must stand for itself, so nothing of earlier nights is used.
    #[must_use]
    pub fn with_recorder(mut self, recorder: Arc<Recorder>) -> Self {
        (self.recorder, self.caches) = (Some(recorder), false);
        self
    }

    /// What the rules that were fetched so far say about `url`; a URL that is not asked at all counts as not asked.
    #[must_use]
    pub fn opt_outs(&self, url: &Url) -> OptOutVerdict {
        self.rules.verdict(url)
    }

    /// The product token that robots.txt and robots tags are read for, lower case.
    #[must_use]
    pub fn agent(&self) -> &str {
        &self.agent
    }

    /// Waits in line at the host of `url`. A permit runs out while others ask first, so whoever shares a host with many
    /// takes a place, then asks the gate, then fetches. `None` = cancelled, or the run's time is over; [`Self::fetch`]
    /// then tells which.
    pub async fn place(&self, url: &Url, cancel: &Cancel) -> Option<Place> {
        let host = url.host_str().unwrap_or_default();
        self.pace.place(psl::domain_str(host).unwrap_or(host), self.deadline, cancel).await
    }

    /// Uses up a permit.
    pub async fn fetch(&self, permit: Permit<Fetch>, cancel: &Cancel) -> Fetched {
        self.fetch_if_changed(permit, None, cancel).await
    }

    /// The same for a page that was read before in a `known` state: it may turn out to be [`Outcome::Unchanged`].
    /// Recordings and replays ask for the whole page all the same.
    pub async fn fetch_if_changed(
        &self,
        permit: Permit<Fetch>,
        known: Option<&Validators>,
        cancel: &Cancel,
    ) -> Fetched {
        let mut facts = FetchFacts::of(&permit, (self.wall_clock)());
        let (plan, result) = match self.plan(&permit) {
            Err(stop) => (None, Err(stop)),
            Ok(plan) => {
                let result = self.attempts(&plan, (&permit, known), cancel, &mut facts).await;
                self.learn(&plan, &result, &mut facts);
                (Some(plan), result)
            }
        };
        self.end(&mut facts);
        self.remember(plan.as_ref(), result.as_ref().map(|_| ()).map_err(|stop| *stop), &facts);
        let outcome = match (result, plan) {
            (Ok(reply), Some(plan)) => self.outcome(reply, &plan, permit, facts.finished_at),
            (Err(Stop::Abandon(reason)), _) => Outcome::Abandoned { reason },
            (Err(Stop::Fail(reason)), _) => Outcome::Failed { reason },
            (Ok(_), None) => unreachable!("without a plan nothing is asked"),
        };
        tracing::debug!(host = facts.host, status = facts.status, attempts = facts.attempts, "fetched");
        Fetched { outcome, facts }
    }

    /// The checks that need no waiting: permit, URL, network.
    fn plan(&self, permit: &Permit<Fetch>) -> Result<Plan, Stop> {
        let op = permit.op();
        let url = op.url.reveal();
        self.check_expiry(permit)?;
        let host = check_url(url).map_err(FailReason::from)?;
        let role = match &op.target {
            Target::Host(target) if target != host => return Err(FailReason::HostMismatch.into()),
            Target::Host(_) => Role::of(url),
            Target::Subject(..) | Target::Account(_) => Role::Page,
        };
        self.client.admits(url, host)?;
        let paced = psl::domain_str(host).unwrap_or(host).to_owned();
        let (source, delay) = (op.source_id.clone(), self.config.delay_for(&op.source_id));
        let apart = self.config.apart_for(&source);
        Ok(Plan { url: url.clone(), host: host.to_owned(), source, paced, role, delay, apart })
    }

    fn check_expiry(&self, permit: &Permit<Fetch>) -> Result<(), FailReason> {
        if permit.is_expired((self.gate_clock)()) { Err(FailReason::PermitExpired) } else { Ok(()) }
    }

    /// robots.txt before tdmrep.json before any page.
    fn check_rules(&self, plan: &Plan, facts: &mut FetchFacts) -> Result<(), FailReason> {
        if plan.role == Role::Robots {
            return Ok(());
        }
        let robots = self.rules.robots(&plan.url);
        facts.robots = robots.robots_word();
        if let Some(reason) = robots.refusal(FailReason::RobotsNotAsked) {
            return Err(reason);
        }
        if matches!(plan.role, Role::Tdm | Role::Ai) {
            return Ok(());
        }
        let tdm = self.rules.tdm(&plan.url);
        facts.tdm = tdm.tdm_word();
        tdm.refusal(FailReason::TdmNotAsked).map_or(Ok(()), Err)?;
        if self.rules.ai_allows(&plan.url) { Ok(()) } else { Err(FailReason::AiDisallow) }
    }

    /// Ours or theirs, whichever is longer, slowed where the host said it had too much.
    fn delay(&self, plan: &Plan) -> Result<Duration, AbandonReason> {
        // A recording asks nobody, so nobody need be waited for.
        if matches!(self.config.network, Network::Replay(_)) {
            return Ok(Duration::ZERO);
        }
        let theirs = self.rules.crawl_delay(&plan.url).unwrap_or_default();
        if theirs > self.config.limits.max_crawl_delay {
            return Err(AbandonReason::CrawlDelay);
        }
        Ok(self
            .hosts
            .slowed(&plan.host, plan.delay.max(theirs))
            .min(self.config.limits.max_crawl_delay)
            .max(plan.delay))
    }

    async fn attempts(
        &self,
        plan: &Plan,
        (permit, known): (&Permit<Fetch>, Option<&Validators>),
        cancel: &Cancel,
        facts: &mut FetchFacts,
    ) -> Result<Reply, Stop> {
        self.hosts.check(&plan.host, &plan.source)?;
        self.check_rules(plan, facts)?;
        self.refused_before(plan)?;
        let recalled = match self.recall(plan, known, facts) {
            Ok(reply) => return Ok(reply),
            Err(recalled) => recalled,
        };
        for attempt in 0.. {
            if attempt > 0 {
                self.hosts.check(&plan.host, &plan.source)?;
                self.check_rules(plan, facts)?;
            }
            let asked_at = Instant::now();
            let turn = self.pace.turn(&plan.paced, self.delay(plan)?, self.deadline, cancel).await?;
            facts.waited += asked_at.elapsed();
            // Waiting takes time: what held before it may not hold now.
            self.check_expiry(permit)?;
            self.check_rules(plan, facts)?;
            let leave = self.hosts.admit(&plan.host, &plan.source)?;
            if let Some(memory) = &self.memory {
                memory.asking(&plan.source, &plan.host, self.config.budgets.requests_per_host);
            }
            facts.attempts += 1;
            let result = tokio::select! {
                biased;
                () = cancel.cancelled() => return Err(AbandonReason::Cancelled.into()),
                result = timeout_at(self.deadline, self.exchange(plan, &recalled, &turn, facts)) => {
                    result.map_err(|_| AbandonReason::BudgetTime)?
                }
            };
            let telling = Telling::of(result.as_ref().map(|reply| reply.status).map_err(|fault| *fault));
            self.note_shift(plan, leave.report(telling));
            self.wait_as_told(plan, &result, telling, attempt);
            drop(turn);
            if !telling.is_transient() || attempt >= self.config.limits.retries {
                return policy::judged(result, telling);
            }
        }
        unreachable!("the loop ends by its retries")
    }

    /// Sets the floor of the host after an answer that asks for patience.
    fn wait_as_told(&self, plan: &Plan, result: &Result<Reply, FailReason>, telling: Telling, attempt: u32) {
        if matches!(self.config.network, Network::Replay(_)) {
            return;
        }
        let (limits, now) = (&self.config.limits, Instant::now());
        let slowed = if telling == Telling::Overloaded { self.hosts.slow_down(&plan.host) } else { 0 };
        let asked = result.as_ref().ok().and_then(|r| headers::retry_after(&r.headers, (self.wall_clock)()));
        let own = |n, base| super::pace::backoff(self.config.seed, &plan.host, n, base, limits.max_wait);
        let wait = match telling {
            Telling::Overloaded if asked.is_none() => Some(own(slowed, limits.backoff)),
            Telling::Overloaded | Telling::Redirect => asked,
            Telling::Broken => asked.max(Some(own(attempt, limits.retry_wait))),
            Telling::Fine | Telling::Denied | Telling::Unfit => None,
        };
        if let Some(wait) = wait {
            self.pace.hold_off(&plan.paced, now + wait);
            self.keep_floor(&plan.paced, wait);
        }
    }

    /// Keeps what robots.txt and tdmrep.json say; what was asked and could not be had forbids everything.
    fn learn(&self, plan: &Plan, result: &Result<Reply, Stop>, facts: &mut FetchFacts) {
        const NOT_ASKED: FailReason = FailReason::RobotsNotAsked;
        let file = match result {
            _ if plan.role == Role::Page => return,
            Err(Stop::Abandon(AbandonReason::Cancelled) | Stop::Fail(FailReason::PermitExpired | NOT_ASKED)) => return,
            Ok(reply) if (300..400).contains(&reply.status) => match policy::redirect(&reply.headers, &plan.url) {
                Outcome::Redirect { to, .. } => HostFile::Moved(to),
                _ => HostFile::Unreachable,
            },
            Ok(reply) => HostFile::Text(&reply.body),
            Err(Stop::Fail(FailReason::NotFound | FailReason::Gone)) => HostFile::Text(b""),
            Err(_) => HostFile::Unreachable,
        };
        self.note(&plan.url, &file, facts.age);
        match plan.role {
            Role::Robots => facts.robots = self.rules.robots(&plan.url).robots_word(),
            Role::Tdm => facts.tdm = self.rules.tdm(&plan.url).tdm_word(),
            Role::Ai | Role::Page => {}
        }
    }

    /// Tells the fetcher again what an earlier start of the run learned of a host's file, and when it was received.
    /// `false` = that is too long ago to hold: it must be asked again.
    #[must_use]
    pub fn restore(&self, url: &Url, file: &HostFile<'_>, received_at: jiff::Timestamp) -> bool {
        // A clock that was set back tells no age.
        let age = Duration::try_from((self.wall_clock)().duration_since(received_at));
        let Some(age) = age.ok().filter(|age| *age < self.config.limits.rules_ttl) else { return false };
        self.note(url, file, age);
        true
    }

    /// Whether a file of rules was read in this run, but too long ago to hold still.
    #[must_use]
    pub fn has_lapsed(&self, file: &Url) -> bool {
        self.rules.has_lapsed(file)
    }

    fn note(&self, url: &Url, file: &HostFile<'_>, age: Duration) {
        let body = match file {
            HostFile::Moved(to) => return self.rules.set_moved(url, to, age),
            HostFile::Text(body) => Some(*body),
            HostFile::Unreachable => None,
        };
        let robots = || body.and_then(|body| Robots::read(body, &self.agent));
        match Role::of(url) {
            Role::Robots => self.rules.set_robots(url, robots(), age),
            Role::Tdm => self.rules.set_tdm(url, body.and_then(TdmRules::parse), age),
            // It only ever forbids, so what cannot be read says nothing.
            Role::Ai => self.rules.set_ai(url, robots().unwrap_or_default(), age),
            Role::Page => {}
        }
    }

    fn outcome(&self, reply: Reply, plan: &Plan, permit: Permit<Fetch>, fetched_at: jiff::Timestamp) -> Outcome {
        let tags = headers::robots_tags(&reply.headers, &self.agent);
        if reply.status == 304 {
            let may_stay = self.may_stay(&reply);
            return Outcome::Unchanged(Box::new(Unchanged { permit, nofollow: tags.nofollow, may_stay }));
        }
        if (300..400).contains(&reply.status) {
            return policy::redirect(&reply.headers, &plan.url);
        }
        let validators = self.validators_of(&reply);
        Outcome::Page(Box::new(Page {
            permit,
            status: reply.status,
            content_type: reply.content_type,
            charset: reply.charset,
            body: Body(reply.body),
            fetched_at,
            nofollow: tags.nofollow,
            noarchive: tags.noarchive,
            validators,
        }))
    }
}
