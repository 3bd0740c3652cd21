//! A private HTTP cache by RFC 9111: what may be stored, for how long it is fresh, what is asked again and how.
//!
//! Invariant: pure; what cannot be read counts as stale. Nothing is fresh by guess: without `max-age` or `Expires` an
//! answer is only good to be validated. Times are milliseconds since 1970.

mod control;
mod judge;

use bytes::Bytes;
use hyper::header::{
    AGE, CACHE_CONTROL, CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, DATE, ETAG, EXPIRES, HeaderMap,
    HeaderName, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED, PRAGMA, RANGE, VARY,
};

use control::Control;
pub use judge::{CacheJudgement, judge_cached};

/// Statuses that may be stored without saying so (RFC 9110, 15.1), but for 206, which is never stored.
const BY_DEFAULT: &[u16] = &[200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501];
/// Headers that belong to one connection only (RFC 9110, 7.6.1).
const HOP_BY_HOP: &[&str] = &[
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authentication-info",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "transfer-encoding",
    "upgrade",
];

/// A stored answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stored {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// The request headers that `Vary` names, as they were; `None` = `Vary: *`, which nothing matches.
    pub(super) vary: Option<Vec<(String, String)>>,
    pub(super) requested_at: i64,
    pub(super) received_at: i64,
}

/// What to do with a stored answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Plan {
    /// It is fresh.
    Use,
    /// It is stale but may be used while it is asked again (RFC 5861).
    UseAndAsk(HeaderMap),
    /// It must be asked again, with these headers; without any, nothing can be validated.
    Ask(HeaderMap),
}

/// An exchange that is over.
#[derive(Debug, Clone, Copy)]
pub(super) struct Exchange<'a> {
    pub(super) request: &'a HeaderMap,
    pub(super) status: u16,
    pub(super) headers: &'a HeaderMap,
    pub(super) requested_at: i64,
    pub(super) received_at: i64,
}

impl Stored {
    /// Stores the answer to a GET, if that may be.
    pub(super) fn of(exchange: Exchange<'_>, body: &Bytes) -> Option<Self> {
        let Exchange { request, status, headers, requested_at, received_at } = exchange;
        let control = Control::of(headers.get_all(CACHE_CONTROL));
        let forbidden = control.no_store || Control::of(request.get_all(CACHE_CONTROL)).no_store;
        let explicit = control.max_age.is_some() || headers.contains_key(EXPIRES);
        let storable = (200..600).contains(&status) && status != 206 && status != 304;
        if forbidden || !storable || !(explicit || BY_DEFAULT.contains(&status)) {
            return None;
        }
        let headers = end_to_end(headers);
        let vary = vary(&headers, request);
        Some(Self { status, headers, body: body.clone(), vary, requested_at, received_at })
    }

    /// Whether the answer was to such a request.
    pub(super) fn matches(&self, request: &HeaderMap) -> bool {
        let same = |(name, value): &(String, String)| joined(request, name) == *value;
        self.vary.as_ref().is_some_and(|vary| vary.iter().all(same))
    }

    /// Whether it is fresh for a request, and if not, how to ask again.
    pub(super) fn plan(&self, request: &HeaderMap, now: i64) -> Plan {
        let (theirs, ours) =
            (Control::of(self.headers.get_all(CACHE_CONTROL)), Control::of(request.get_all(CACHE_CONTROL)));
        let pragma = !request.contains_key(CACHE_CONTROL) && joined(request, PRAGMA.as_str()).contains("no-cache");
        let (age, lifetime) = (self.age(now), self.lifetime(&theirs));
        let wanted = ours.max_age.map_or(i64::MAX, |s| s.saturating_mul(1000));
        let left = ours.min_fresh.unwrap_or(0).saturating_mul(1000);
        let fresh = lifetime > age.saturating_add(left) && age < wanted;
        if fresh && !theirs.no_cache && !ours.no_cache && !pragma {
            return Plan::Use;
        }
        let ask = self.validators();
        let window = theirs.while_revalidate.unwrap_or(0).saturating_mul(1000);
        let willing = !theirs.no_cache && !theirs.must_revalidate && !ours.no_cache && !pragma && age < wanted;
        if willing && window > 0 && lifetime.saturating_add(window) > age {
            Plan::UseAndAsk(ask)
        } else {
            Plan::Ask(ask)
        }
    }

    fn validators(&self) -> HeaderMap {
        let pairs = [(ETAG, IF_NONE_MATCH), (LAST_MODIFIED, IF_MODIFIED_SINCE)];
        let found = pairs.into_iter().filter_map(|(from, to)| Some((to, self.headers.get(from)?.clone())));
        found.collect()
    }

    /// RFC 9111, 4.2.3.
    fn age(&self, now: i64) -> i64 {
        let date = self.date();
        let apparent = (self.received_at - date).max(0);
        let corrected =
            age_value(&self.headers).saturating_mul(1000).saturating_add(self.received_at - self.requested_at);
        apparent.max(corrected).saturating_add((now - self.received_at).max(0))
    }

    fn date(&self) -> i64 {
        self.headers.get(DATE).and_then(http_date).unwrap_or(self.received_at)
    }

    /// RFC 9111, 4.2.1; `s-maxage` is for shared caches.
    fn lifetime(&self, control: &Control) -> i64 {
        if let Some(seconds) = control.max_age {
            return seconds.saturating_mul(1000);
        }
        let mut expires = self.headers.get_all(EXPIRES).iter();
        match (expires.next(), expires.next()) {
            (Some(one), None) => http_date(one).map_or(0, |at| at - self.date()),
            _ => 0,
        }
    }

    /// Takes over what a 304 says (RFC 9111, 3.2); what describes the stored body stays.
    pub(super) fn refreshed(&mut self, exchange: Exchange<'_>) {
        let news = end_to_end(exchange.headers);
        let kept = [CONTENT_LENGTH, CONTENT_ENCODING, CONTENT_RANGE];
        for name in news.keys().filter(|name| !kept.contains(name)) {
            self.headers.remove(name);
            for value in news.get_all(name) {
                self.headers.append(name, value.clone());
            }
        }
        // An age is the age of one answer.
        if !news.contains_key(AGE) {
            self.headers.remove(AGE);
        }
        (self.requested_at, self.received_at) = (exchange.requested_at, exchange.received_at);
    }

    /// The answer as it is served from the cache, where need be a part of it.
    pub(super) fn served(&self, request: &HeaderMap, now: i64) -> (u16, HeaderMap, Bytes) {
        let mut headers = self.headers.clone();
        headers.insert(AGE, HeaderValue::from(self.age(now).max(0) / 1000));
        let range =
            request.get(RANGE).filter(|_| self.status == 200).and_then(|r| range(r.to_str().ok()?, self.body.len()));
        let Some((first, last)) = range else { return (self.status, headers, self.body.clone()) };
        let what = format!("bytes {first}-{last}/{}", self.body.len());
        headers.insert(CONTENT_RANGE, HeaderValue::try_from(what).expect("digits"));
        headers.insert(CONTENT_LENGTH, HeaderValue::from(last - first + 1));
        (206, headers, self.body.slice(first..=last))
    }
}

/// Whether an answer to this method makes what is stored of the URL invalid (RFC 9111, 4.4).
#[cfg(test)]
pub(super) fn invalidates(method: &str, status: u16) -> bool {
    !matches!(method, "GET" | "HEAD" | "OPTIONS" | "TRACE") && (200..400).contains(&status)
}

/// Whether nothing of an answer may be stored, or nothing that is stored of it could ever be used.
pub(super) fn forbids_storing(headers: &HeaderMap) -> bool {
    Control::of(headers.get_all(CACHE_CONTROL)).no_store || members(headers, &VARY).any(|name| name == "*")
}

/// All but what belongs to the connection.
fn end_to_end(headers: &HeaderMap) -> HeaderMap {
    let named: Vec<String> = members(headers, &CONNECTION).map(|name| name.to_ascii_lowercase()).collect();
    let goes = |name: &HeaderName| HOP_BY_HOP.contains(&name.as_str()) || named.iter().any(|n| n == name.as_str());
    headers
        .iter()
        .filter(|(name, _)| !goes(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect::<Appended>()
        .0
}

/// Collects headers and keeps the lines of one name apart.
struct Appended(HeaderMap);

impl FromIterator<(HeaderName, HeaderValue)> for Appended {
    fn from_iter<T: IntoIterator<Item = (HeaderName, HeaderValue)>>(pairs: T) -> Self {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(name, value);
        }
        Self(headers)
    }
}

fn members<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = String> + 'a {
    let lines = headers.get_all(name).iter().map(|v| String::from_utf8_lossy(v.as_bytes()).into_owned());
    let items = lines.flat_map(|line| line.split(',').map(|item| item.trim().to_owned()).collect::<Vec<_>>());
    items.filter(|item| !item.is_empty())
}

fn vary(headers: &HeaderMap, request: &HeaderMap) -> Option<Vec<(String, String)>> {
    let names: Vec<String> = members(headers, &VARY).map(|name| name.to_ascii_lowercase()).collect();
    let known = |name: String| (joined(request, &name), name);
    let flip = |(value, name)| (name, value);
    (!names.iter().any(|n| n == "*")).then(|| names.into_iter().map(known).map(flip).collect())
}

/// All lines of a header as one.
fn joined(headers: &HeaderMap, name: &str) -> String {
    let lines = headers.get_all(name).iter().map(|v| String::from_utf8_lossy(v.as_bytes()).trim().to_owned());
    lines.collect::<Vec<_>>().join(", ")
}

/// The first `Age`, if it is a number.
fn age_value(headers: &HeaderMap) -> i64 {
    let first = headers.get(AGE).and_then(|v| v.to_str().ok()).and_then(|v| v.split(',').next()).map(str::trim);
    first.and_then(control::seconds).unwrap_or(0)
}

/// A date in one of the three forms of RFC 9110, 5.6.7, to the letter.
pub(super) fn http_date(value: &HeaderValue) -> Option<i64> {
    let text = value.to_str().ok()?;
    let time = httpdate::parse_http_date(text).ok()?;
    let fixed = text.len() == 29 && text.is_char_boundary(4) && text.as_bytes()[3] == b',';
    let obsolete = text.contains("day,") || text.as_bytes().get(3) == Some(&b' ') && !text.ends_with("GMT");
    let since = time.duration_since(std::time::UNIX_EPOCH).ok()?;
    (fixed || obsolete).then(|| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// One range of bytes; several, and what does not fit, are answered with everything.
fn range(value: &str, length: usize) -> Option<(usize, usize)> {
    let (first, last) = value.strip_prefix("bytes=")?.split_once('-')?;
    let (first, last) = match (first.trim(), last.trim()) {
        ("", tail) => (length.checked_sub(tail.parse().ok()?)?, length.checked_sub(1)?),
        (first, "") => (first.parse().ok()?, length.checked_sub(1)?),
        (first, last) => (first.parse().ok()?, last.parse::<usize>().ok()?.min(length.checked_sub(1)?)),
    };
    (first <= last).then_some((first, last))
}

#[cfg(test)]
mod tests;
