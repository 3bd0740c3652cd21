//! What a server says of the state of a page (`ETag`, `Last-Modified`), to ask for it another night only if it changed.
//!
//! Invariant: only what may be stored has validators here; a date counts only if the page was old enough by then that it
//! tells two states apart (RFC 9110, 8.8.2.2). A 304 that speaks of another state than ours is no answer to our question.

use std::fmt;

use hyper::header::{DATE, ETAG, HeaderMap, HeaderName, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED};
use serde::{Deserialize, Serialize};

use super::cache::{forbids_storing, http_date};
use super::fetcher::Fetcher;
use super::outcome::FetchFacts;
use super::policy::{self, Reply};
use super::reason::FailReason;
use super::{config::Network, headers};

/// Longer ones are not kept.
const LONGEST: usize = 256;
/// A page that changed less than this before it was sent may change again in the same second, in milliseconds.
const SETTLED: i64 = 60_000;

/// The state of a page, as its server names it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Validators {
    etag: Option<String>,
    modified: Option<String>,
}

impl fmt::Debug for Validators {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Validators")
    }
}

impl Validators {
    /// Those of an answer that came at `now` (milliseconds); `None` = it has none, or nothing of it may be stored.
    pub(super) fn of(head: &HeaderMap, now: i64) -> Option<Self> {
        if forbids_storing(head) {
            return None;
        }
        let etag = one(head, &ETAG).filter(|tag| is_entity_tag(tag));
        let sent = head.get(DATE).and_then(http_date).unwrap_or(now).min(now);
        let settled = |at: i64| sent.saturating_sub(at) >= SETTLED;
        let modified = one(head, &LAST_MODIFIED).filter(|text| date(text).is_some_and(settled));
        (etag.is_some() || modified.is_some()).then_some(Self { etag, modified })
    }

    /// The headers that make a request conditional.
    pub(super) fn ask(&self) -> HeaderMap {
        let pairs = [(IF_NONE_MATCH, &self.etag), (IF_MODIFIED_SINCE, &self.modified)];
        let line = |(name, value): (HeaderName, &Option<String>)| Some((name, value.as_deref()?.try_into().ok()?));
        pairs.into_iter().filter_map(line).collect()
    }

    /// Whether a 304 can be about this state: it may repeat its tag, or say nothing.
    fn agree(&self, head: &HeaderMap) -> bool {
        let tag = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).trim().to_owned();
        match (&self.etag, &self.modified) {
            (Some(etag), _) => head.get_all(ETAG).iter().all(|other| opaque(&tag(other)) == opaque(etag)),
            (None, Some(modified)) => {
                let ours = date(modified);
                head.get_all(LAST_MODIFIED).iter().filter_map(http_date).all(|theirs| Some(theirs) <= ours)
            }
            (None, None) => false,
        }
    }
}

impl Fetcher {
    /// Whether pages may be asked for conditionally: a recording must hold every body, and its replay asks nobody.
    pub(super) const fn may_ask_conditionally(&self) -> bool {
        self.recorder.is_none() && !matches!(self.config.network, Network::Replay(_))
    }

    /// A 304 to our conditional request: its headers are judged as those of the page, for it may have come to say no.
    pub(super) fn unchanged(
        &self,
        known: &Validators,
        head: HeaderMap,
        facts: &mut FetchFacts,
    ) -> Result<Reply, FailReason> {
        if let Some(fault) = headers::frame_fault(&head, self.config.limits.header_bytes) {
            return Err(fault);
        }
        let (content_type, charset) = headers::content_type(&head);
        policy::header_policy(&head, content_type.as_deref(), self.agent(), facts)?;
        if !known.agree(&head) {
            return Err(FailReason::NotModifiedOther);
        }
        facts.cache = "revalidated";
        let (content_type, body) = (content_type.unwrap_or_default(), bytes::Bytes::new());
        Ok(Reply { status: 304, headers: head, content_type, charset, body })
    }

    /// The validators of a whole page.
    pub(super) fn validators_of(&self, reply: &Reply) -> Option<Validators> {
        if reply.status == 200 { Validators::of(&reply.headers, self.now_ms()) } else { None }
    }

    /// Whether something may be kept of a page that did not change.
    pub(super) fn may_stay(&self, reply: &Reply) -> bool {
        !forbids_storing(&reply.headers) && !headers::robots_tags(&reply.headers, self.agent()).noarchive
    }
}

/// The one line of a header, if it is one and no longer than it should be.
fn one(head: &HeaderMap, name: &HeaderName) -> Option<String> {
    let mut lines = head.get_all(name).iter();
    let line = lines.next().filter(|_| lines.next().is_none())?.to_str().ok()?.trim();
    (line.len() <= LONGEST).then(|| line.to_owned())
}

/// RFC 9110, 8.8.3: a quoted text without quotes, weak or not.
fn is_entity_tag(tag: &str) -> bool {
    let text = opaque(tag).strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    text.is_some_and(|text| text.bytes().all(|b| b.is_ascii_graphic() && b != b'"'))
}

/// A tag without the mark that it is a weak one: what a 304 says of is compared weakly.
fn opaque(tag: &str) -> &str {
    tag.strip_prefix("W/").unwrap_or(tag)
}

fn date(text: &str) -> Option<i64> {
    http_date(&HeaderValue::from_str(text).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-03-02T03:00:00Z.
    const NOW: i64 = 1_772_420_400_000;

    fn head(lines: &[(&'static str, &str)]) -> HeaderMap {
        let mut head = HeaderMap::new();
        for (name, value) in lines {
            head.append(*name, HeaderValue::from_str(value).expect("a value"));
        }
        head
    }

    /// What is asked of a page with these headers, in the order of the names.
    fn asked(lines: &[(&'static str, &str)]) -> Vec<String> {
        let ask = Validators::of(&head(lines), NOW).map(|v| v.ask()).unwrap_or_default();
        let mut ask: Vec<String> = ask.iter().map(|(n, v)| format!("{n}: {}", v.to_str().expect("text"))).collect();
        ask.sort();
        ask
    }

    #[test]
    fn what_is_asked_is_what_the_server_said() {
        let old = "Sun, 01 Mar 2026 03:00:00 GMT";
        let both = asked(&[("etag", "W/\"a\""), ("last-modified", old)]);
        assert_eq!(both, [format!("if-modified-since: {old}"), "if-none-match: W/\"a\"".to_owned()]);
        assert_eq!(asked(&[("last-modified", old), ("date", "Sun, 01 Mar 2026 03:01:00 GMT")]).len(), 1);
        let long = format!("\"{}\"", "a".repeat(LONGEST));
        for lines in [
            &[][..],
            &[("etag", "a")],
            &[("etag", "\"a\"\"")],
            &[("etag", "\"a b\"")],
            &[("etag", &long)],
            &[("etag", "\"a\""), ("etag", "\"b\"")],
            &[("etag", "\"a\""), ("cache-control", "No-Store")],
            &[("etag", "\"a\""), ("vary", "accept, *")],
            &[("last-modified", "yesterday")],
            // Changed in the minute in which it was sent, or after it.
            &[("last-modified", old), ("date", "Sun, 01 Mar 2026 03:00:59 GMT")],
            &[("last-modified", "Mon, 02 Mar 2026 03:00:00 GMT")],
            &[("last-modified", "Mon, 02 Mar 2026 03:00:00 GMT"), ("date", "Tue, 03 Mar 2026 03:00:00 GMT")],
        ] {
            assert_eq!(asked(lines), Vec::<String>::new(), "{lines:?}");
        }
    }

    #[test]
    fn a_304_may_be_silent_but_not_about_another_state() {
        let old = "Sun, 01 Mar 2026 03:00:00 GMT";
        let tagged = Validators::of(&head(&[("etag", "\"a\""), ("last-modified", old)]), NOW).expect("validators");
        let dated = Validators::of(&head(&[("last-modified", old)]), NOW).expect("validators");
        for (known, lines, agrees) in [
            (&tagged, &[][..], true),
            (&tagged, &[("etag", "\"a\"")], true),
            (&tagged, &[("etag", "W/\"a\"")], true),
            (&tagged, &[("etag", "\"b\"")], false),
            (&tagged, &[("etag", "\"a\""), ("etag", "\"b\"")], false),
            (&dated, &[], true),
            (&dated, &[("etag", "\"b\""), ("last-modified", old)], true),
            (&dated, &[("last-modified", "Mon, 02 Mar 2026 02:00:00 GMT")], false),
        ] {
            assert_eq!(known.agree(&head(lines)), agrees, "{lines:?}");
        }
    }
}
