//! The cache's judgement of headers that strangers write, in one call: what the fuzz target drives.
//!
//! Invariant: the same code as a run's, total over any bytes.

use bytes::Bytes;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};

use super::{Exchange, Plan, Stored};

/// What the cache makes of an answer that was received at instant 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheJudgement {
    /// Whether it may be used without asking, by instants in the order they were given.
    pub fresh: Vec<bool>,
    /// The headers with which it is asked again once it is stale.
    pub ask: Vec<String>,
    /// Status and length as it is served to the request, at instant 0.
    pub served: (u16, usize),
}

/// Judges an answer to a GET. Headers are lines of `name: value`; what is no header is left out. `None` = not kept.
#[must_use]
pub fn judge_cached(
    request: &[u8],
    status: u16,
    answer: &[u8],
    body: &'static [u8],
    at: &[i64],
) -> Option<CacheJudgement> {
    let (request, headers) = (lines(request), lines(answer));
    let exchange = Exchange { request: &request, status, headers: &headers, requested_at: 0, received_at: 0 };
    let mut stored = Stored::of(exchange, &Bytes::from_static(body))?;
    let fresh = at.iter().map(|now| stored.plan(&request, *now) == Plan::Use).collect();
    let ask = match stored.plan(&request, i64::MAX / 4) {
        Plan::Use => Vec::new(),
        Plan::UseAndAsk(ask) | Plan::Ask(ask) => ask.keys().map(|name| name.as_str().to_owned()).collect(),
    };
    let (status, _, part) = stored.served(&request, 0);
    // A 304 with the same headers must be taken over as well.
    stored.refreshed(Exchange { request: &request, status: 304, headers: &headers, requested_at: 0, received_at: 0 });
    Some(CacheJudgement { fresh, ask, served: (status, part.len()) })
}

fn lines(text: &[u8]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in text.split(|b| *b == b'\n') {
        let Some(at) = line.iter().position(|b| *b == b':') else { continue };
        let name = HeaderName::from_bytes(line[..at].trim_ascii());
        let value = HeaderValue::from_bytes(line[at + 1..].trim_ascii());
        // As many as the client takes.
        if let (Ok(name), Ok(value), true) = (name, value, headers.len() < 100) {
            headers.append(name, value);
        }
    }
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_judgement_is_that_of_the_cache() {
        let judged =
            |request: &str, answer: &str| judge_cached(request.as_bytes(), 200, answer.as_bytes(), b"abc", &[1, 9000]);
        let kept = judged("", "Cache-Control: max-age=5\nETag: \"1\"").expect("kept");
        assert_eq!((kept.fresh, kept.ask, kept.served), (vec![true, false], vec!["if-none-match".into()], (200, 3)));
        assert_eq!(judged("Range: bytes=0-1", "Cache-Control: max-age=5").expect("kept").served, (206, 2));
        assert_eq!(judged("", "Cache-Control: NO-STORE"), None);
        assert_eq!(judged("cache-control: no-store", ""), None);
        assert_eq!(judged("", "no header\n: none\nExpires: 0").expect("kept").fresh, [false, false]);
    }
}
