//! One request and its answer: from the network or from a cassette, judged alike.
//!
//! Invariant: headers are judged before the body is read, the body before it is handed on; what comes from a cassette
//! passes the same checks as what came over the wire, its address included.

use bytes::Bytes;
use data_encoding::BASE64;
use hyper::header::{HeaderMap, HeaderName, HeaderValue, SET_COOKIE};
use jiff::Timestamp;

use super::address::is_public;
use super::body::{self, BodyLimits};
use super::config::Network;
use super::decode::{Coding, Decoder};
use super::fetcher::{Fetcher, Plan};
use super::headers;
use super::outcome::FetchFacts;
use super::pace::Turn;
use super::policy::{self, Reply};
use super::reason::FailReason;
use super::recall::Recalled;
use super::rules::Role;
use super::sniff;
use super::tape::{Cassette, Hop, Span};

/// What is told to a recorder.
#[derive(Default)]
struct Heard {
    address: Option<std::net::IpAddr>,
    head: Option<(u16, HeaderMap)>,
    body: Vec<u8>,
}

impl Fetcher {
    /// One request and its answer: headers, header policy, body, body policy.
    pub(super) async fn exchange(
        &self,
        plan: &Plan,
        recalled: &Recalled,
        turn: &Turn,
        facts: &mut FetchFacts,
    ) -> Result<Reply, FailReason> {
        (facts.status, facts.bytes) = (None, 0);
        if let Network::Replay(cassette) = &self.config.network {
            return self.play(cassette, plan, facts);
        }
        let mut heard = Heard::default();
        let result = self.ask(plan, recalled, turn, facts, &mut heard).await;
        if let Some(recorder) = &self.recorder {
            // Cassettes know milliseconds.
            let ended = Timestamp::from_millisecond(self.now_ms()).unwrap_or(facts.started_at);
            let may_be_kept = |reply: &Reply| plan.role != Role::Page || !policy::forbids_keeping(reply, self.agent());
            let fault = match &result {
                Err(reason) => Some(*reason),
                Ok(reply) if may_be_kept(reply) => None,
                Ok(_) => {
                    heard.body.clear();
                    Some(FailReason::NoArchive)
                }
            };
            let fault = fault.map(|reason| reason.as_str().to_owned());
            recorder.hop(heard.into_hop(plan.url.as_str(), facts.started_at, ended, fault));
        }
        result
    }

    /// Sets the end of a fetch. A recording keeps when each one began and ended, and its replay tells the same.
    pub(super) fn end(&self, facts: &mut FetchFacts) {
        let from_ms = |ms| Timestamp::from_millisecond(ms).ok();
        if let Network::Replay(cassette) = &self.config.network {
            let taped = cassette.span(facts.permit_id.as_str());
            let taped = taped.and_then(|(start, end)| Some((from_ms(start)?, from_ms(end)?)));
            // Recordings of earlier versions know exchanges only.
            let (start, end) =
                taped.unwrap_or_else(|| (facts.started_at, facts.taped_end.unwrap_or_else(|| (self.wall_clock)())));
            (facts.started_at, facts.finished_at) = (start, end);
            return;
        }
        let Some(recorder) = &self.recorder else {
            facts.finished_at = (self.wall_clock)();
            return;
        };
        // Cassettes know milliseconds.
        let now = (self.wall_clock)();
        facts.finished_at = from_ms(now.as_millisecond()).unwrap_or(now);
        recorder.span(Span {
            permit: facts.permit_id.as_str().to_owned(),
            started_at: facts.started_at.as_millisecond(),
            finished_at: facts.finished_at.as_millisecond(),
        });
    }

    async fn ask(
        &self,
        plan: &Plan,
        recalled: &Recalled,
        turn: &Turn,
        facts: &mut FetchFacts,
        heard: &mut Heard,
    ) -> Result<Reply, FailReason> {
        let limits = &self.config.limits;
        let requested_at = self.now_ms();
        let answer = self.client.get(&plan.url, &recalled.ask, turn, plan.apart).await?;
        self.hosts.took(&plan.host, answer.started.elapsed());
        let (status, head) = (answer.response.status().as_u16(), answer.response.headers().clone());
        if self.recorder.is_some() {
            (heard.address, heard.head) = (answer.address(), Some((status, head.clone())));
        }
        if let (304, Some(stored)) = (status, &recalled.stored) {
            facts.status = Some(status);
            self.client.discard(answer).await;
            return Ok(self.revalidated(plan, stored, &head, facts));
        }
        if let (304, Some(known)) = (status, &recalled.known) {
            facts.status = Some(status);
            self.client.discard(answer).await;
            return self.unchanged(known, head, facts);
        }
        let (mut reply, coding) = match self.judge_head(plan, status, head, facts)? {
            (reply, Some(coding)) => (reply, coding),
            (reply, None) => {
                self.client.discard(answer).await;
                return Ok(reply);
            }
        };
        let deadline = answer.started + limits.total;
        let caps = policy::caps(plan.role, limits);
        let how = BodyLimits { wire: limits.body_bytes, coding, caps, idle: limits.read_idle, deadline };
        let (body, connection) = answer.into_parts();
        let read = body::read(body, how, self.recorder.is_some().then_some(&mut heard.body)).await;
        facts.bytes = read.received;
        if read.at_end {
            self.client.give_back(connection);
        }
        judge_body(plan, &mut reply, read.body?)?;
        if read.at_end {
            self.remember_file(plan, &reply, requested_at);
        }
        Ok(reply)
    }

    /// The same from a cassette.
    fn play(&self, cassette: &Cassette, plan: &Plan, facts: &mut FetchFacts) -> Result<Reply, FailReason> {
        let Some(hop) = cassette.next(plan.url.as_str()) else { return Err(FailReason::NotRecorded) };
        if facts.attempts == 1 {
            facts.started_at = Timestamp::from_millisecond(hop.started_at).unwrap_or(facts.started_at);
        }
        facts.taped_end = Timestamp::from_millisecond(hop.ended_at).ok();
        if hop.address.map_or(!cassette.is_demo(), |ip| !is_public(ip)) && hop.head.is_some() {
            return Err(FailReason::AddressDenied);
        }
        let Some((status, lines)) = &hop.head else { return Err(hop.fault().unwrap_or(FailReason::Protocol)) };
        let head = headers_of(lines).ok_or(FailReason::Protocol)?;
        let (mut reply, coding) = match self.judge_head(plan, *status, head, facts)? {
            (reply, Some(coding)) => (reply, coding),
            (reply, None) => return Ok(reply),
        };
        let wire = BASE64.decode(hop.body.as_bytes()).map_err(|_| FailReason::Protocol)?;
        facts.bytes = wire.len() as u64;
        if let Some(fault) = hop.fault() {
            return Err(fault);
        }
        let mut decoder = Decoder::new(coding, policy::caps(plan.role, &self.config.limits));
        decoder.push(&wire)?;
        judge_body(plan, &mut reply, decoder.finish()?)?;
        Ok(reply)
    }

    /// What status and headers mean; with a coding, the body is wanted.
    fn judge_head(
        &self,
        plan: &Plan,
        status: u16,
        head: HeaderMap,
        facts: &mut FetchFacts,
    ) -> Result<(Reply, Option<Coding>), FailReason> {
        facts.status = Some(status);
        if let Some(fault) = headers::frame_fault(&head, self.config.limits.header_bytes) {
            return Err(fault);
        }
        if status == 304 {
            return Err(FailReason::NotModifiedUnasked);
        }
        let (content_type, charset) = headers::content_type(&head);
        let wanted = matches!(status, 200 | 203);
        let coding = if wanted { Some(Coding::of(&head)?) } else { None };
        if wanted && plan.role == Role::Page {
            policy::header_policy(&head, content_type.as_deref(), self.agent(), facts)?;
        }
        let content_type = content_type.unwrap_or_default();
        Ok((Reply { status, headers: head, content_type, charset, body: Bytes::new() }, coding))
    }
}

fn judge_body(plan: &Plan, reply: &mut Reply, body: Bytes) -> Result<(), FailReason> {
    reply.body = body;
    if reply.content_type.is_empty() {
        sniff::guess(&reply.body).clone_into(&mut reply.content_type);
    }
    if plan.role == Role::Page { policy::body_policy(reply) } else { Ok(()) }
}

fn headers_of(lines: &[(String, String)]) -> Option<HeaderMap> {
    let mut head = HeaderMap::new();
    for (name, value) in lines {
        let value: Vec<u8> = value.chars().map(|c| u8::try_from(c).unwrap_or(b'?')).collect();
        head.append(HeaderName::try_from(name).ok()?, HeaderValue::from_bytes(&value).ok()?);
    }
    Some(head)
}

impl Heard {
    fn into_hop(self, url: &str, started: Timestamp, ended: Timestamp, fault: Option<String>) -> Hop {
        // Byte by byte, so that what is not UTF-8 comes back as it was.
        let text = |value: &HeaderValue| value.as_bytes().iter().map(|b| char::from(*b)).collect();
        let head = self.head.map(|(status, headers)| {
            let lines = headers.iter().filter(|(name, _)| **name != SET_COOKIE);
            (status, lines.map(|(name, value)| (name.to_string(), text(value))).collect())
        });
        Hop {
            url: url.to_owned(),
            started_at: started.as_millisecond(),
            ended_at: ended.as_millisecond(),
            address: self.address,
            head,
            body: BASE64.encode(&self.body),
            fault,
        }
    }
}
