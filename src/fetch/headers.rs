//! What response headers say: opt-outs, waiting, type, charset.
//!
//! Invariant: pure reading. An opt-out that can be read either way counts.

use std::time::Duration;

use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, RETRY_AFTER, TRANSFER_ENCODING};
use jiff::Timestamp;

use super::reason::FailReason;

/// Directives of `X-Robots-Tag` that carry a value after a colon, so that the word before it is no agent.
const VALUED: &[&str] = &["unavailable_after", "max-snippet", "max-image-preview", "max-video-preview"];
/// Categories of `Content-Usage` whose denial stops us: what a reader of pages for a model of a person does.
const USAGE: &[&str] = &["all", "bots", "automated", "tdm", "ai", "train-ai", "genai", "train-genai", "ai-output"];

/// What robots tags of a page say to one agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct RobotsTags {
    pub(super) discard: bool,
    pub(super) nofollow: bool,
    pub(super) noarchive: bool,
}

impl RobotsTags {
    fn take(&mut self, word: &str) {
        match word.to_ascii_lowercase().as_str() {
            "noindex" | "noai" => self.discard = true,
            "none" => (self.discard, self.nofollow) = (true, true),
            "nofollow" => self.nofollow = true,
            "noarchive" | "nocache" | "nostore" => self.noarchive = true,
            _ => {}
        }
    }
}

/// Reads one `X-Robots-Tag` or robots meta tag: `noindex, nofollow` or `agent: noindex, other: none`.
/// A name before a colon binds what follows it up to the next name.
fn read_tag(value: &str, agent: &str, tags: &mut RobotsTags) {
    let mut for_us = true;
    for item in value.split([',', ';']) {
        let mut word = item.trim();
        if let Some((name, rest)) = word.split_once(':') {
            let name = name.trim();
            if VALUED.iter().any(|v| v.eq_ignore_ascii_case(name)) {
                continue;
            }
            // A time of day inside `unavailable_after` has colons too, but no letters before them.
            if name.chars().any(|c| c.is_ascii_alphabetic()) && !name.contains(' ') {
                let token = name.split(|c: char| !(c.is_ascii_alphabetic() || c == '-' || c == '_')).next();
                let ours = token.is_some_and(|t| t.eq_ignore_ascii_case(agent) || t.eq_ignore_ascii_case("robots"));
                for_us = ours || name == "*";
            }
            word = rest.trim();
        }
        if for_us {
            word.split_ascii_whitespace().for_each(|w| tags.take(w));
        }
    }
}

/// Every `X-Robots-Tag` of a response.
pub(super) fn robots_tags(headers: &HeaderMap, agent: &str) -> RobotsTags {
    let mut tags = RobotsTags::default();
    for value in headers.get_all("x-robots-tag") {
        read_tag(&String::from_utf8_lossy(value.as_bytes()), agent, &mut tags);
    }
    tags
}

/// Whether the `tdm-reservation` header reserves; anything but a clear 0 does.
pub(super) fn tdm_reserved(headers: &HeaderMap) -> bool {
    headers.get_all("tdm-reservation").iter().any(|value| value.as_bytes().trim_ascii() != b"0")
}

/// Whether `Content-Usage` (AIPREF, draft) denies what we do: `train-ai=n`.
pub(super) fn usage_denied(headers: &HeaderMap) -> bool {
    headers.get_all("content-usage").iter().any(|v| denies_usage(&String::from_utf8_lossy(v.as_bytes())))
}

/// The same of one value, wherever it stands.
pub(super) fn denies_usage(preferences: &str) -> bool {
    preferences.split(',').any(|item| {
        item.split_once('=').is_some_and(|(key, value)| {
            let (key, value) = (key.trim().to_ascii_lowercase(), value.split(';').next().unwrap_or_default().trim());
            USAGE.contains(&key.as_str()) && value.eq_ignore_ascii_case("n")
        })
    })
}

/// Whether meta tags of a page opt out, for whoever reads the page: `meta_robots` are the contents of
/// `<meta name="robots">` and `<meta name="AGENT">`, `tdm_reservation` is `<meta name="tdm-reservation">`.
#[must_use]
pub fn page_opt_outs(meta_robots: &[String], tdm_reservation: Option<bool>, agent: &str) -> Option<FailReason> {
    let mut tags = RobotsTags::default();
    for value in meta_robots {
        read_tag(value, agent, &mut tags);
    }
    if tdm_reservation == Some(true) {
        Some(FailReason::TdmReserved)
    } else {
        tags.discard.then_some(FailReason::NoIndex)
    }
}

/// `Retry-After` as a wait from `now`: seconds, or a date. The longest of several; nonsense is none.
pub(super) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    headers.get_all(RETRY_AFTER).iter().filter_map(|v| retry_value(v.to_str().ok()?.trim(), now)).max()
}

fn retry_value(value: &str, now: Timestamp) -> Option<Duration> {
    const YEAR: u64 = 365 * 86_400;
    if !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()) {
        return Some(Duration::from_secs(value.parse().unwrap_or(YEAR).min(YEAR)));
    }
    let date = httpdate::parse_http_date(value).ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
    let now = Duration::from_millis(now.as_millisecond().try_into().unwrap_or(0));
    Some(date.saturating_sub(now).min(Duration::from_secs(YEAR)))
}

/// Media type without parameters, lower case, and the charset label.
pub(super) fn content_type(headers: &HeaderMap) -> (Option<String>, Option<String>) {
    let Some(value) = headers.get(CONTENT_TYPE) else { return (None, None) };
    let value = String::from_utf8_lossy(value.as_bytes());
    let mut parts = value.split(';');
    let media = parts.next().map(|m| m.trim().to_ascii_lowercase()).filter(|m| m.contains('/'));
    let charset = parts.find_map(|part| {
        let (key, value) = part.split_once('=')?;
        let label = value.trim().trim_matches(['"', '\'']).to_ascii_lowercase();
        (key.trim().eq_ignore_ascii_case("charset") && !label.is_empty()).then_some(label)
    });
    (media, charset)
}

/// What is wrong with the frame of a response before its body is read; sizes in bytes.
pub(super) fn frame_fault(headers: &HeaderMap, header_bytes: usize) -> Option<FailReason> {
    let size: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    if size > header_bytes {
        return Some(FailReason::HeadersTooLarge);
    }
    if headers.contains_key(TRANSFER_ENCODING) && headers.contains_key(CONTENT_LENGTH) {
        return Some(FailReason::Protocol);
    }
    None
}

#[cfg(test)]
mod tests;
