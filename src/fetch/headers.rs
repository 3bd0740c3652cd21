//! What response headers say: opt-outs, waiting, type, charset.
//!
//! Invariant: pure reading. An opt-out that can be read either way counts.

use std::time::Duration;

use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, RETRY_AFTER, TRANSFER_ENCODING};
use jiff::Timestamp;

use super::reason::FailReason;

/// Directives of robots tags that carry a value after a colon, so that the word before it is no agent.
const VALUED: &[&str] = &["unavailable_after", "max-snippet", "max-image-preview", "max-video-preview"];
/// Categories of `Content-Usage` whose denial stops us: what a reader of pages for a model of a person does.
const USAGE: &[&str] = &["all", "bots", "automated", "tdm", "ai", "train-ai", "genai", "train-genai", "ai-output"];

/// What robots tags of a page say to one agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct RobotsTags {
    discard: bool,
    pub(super) nofollow: bool,
    pub(super) noarchive: bool,
    /// From this day on it is to be discarded.
    unavailable_from: Option<Timestamp>,
}

impl RobotsTags {
    fn take(&mut self, word: &str) {
        match word.to_ascii_lowercase().as_str() {
            // What is read of a page is kept with its words, which is an excerpt.
            "noindex" | "noai" | "nosnippet" => self.discard = true,
            "none" => (self.discard, self.nofollow) = (true, true),
            "nofollow" => self.nofollow = true,
            "noarchive" | "nocache" | "nostore" => self.noarchive = true,
            _ => {}
        }
    }

    /// Takes a directive with its value; `next` is what stands behind the comma, which may be part of a date.
    fn take_valued(&mut self, name: &str, value: &str, next: &str) {
        if name.eq_ignore_ascii_case("max-snippet") {
            self.discard |= value.trim() == "0";
        } else if name.eq_ignore_ascii_case("unavailable_after") {
            match day_of(value).or_else(|| day_of(&format!("{value} {next}"))) {
                Some(day) => self.unavailable_from = self.unavailable_from.into_iter().chain([day]).min(),
                // Whoever writes a date that nobody can read wants the page to go at some time.
                None => self.discard = true,
            }
        }
    }

    /// Whether the page must not be read at `now`.
    pub(super) fn is_discarded(&self, now: Timestamp) -> bool {
        self.discard || self.unavailable_from.is_some_and(|day| day <= now)
    }
}

/// The beginning of the day that a date names, in whatever of the usual forms: `25 Jun 2010 15:00:00 PST`,
/// `25-Aug-2007`, `2010-06-25T15:00:00Z`, `25.06.2010`. A day too early at most.
fn day_of(text: &str) -> Option<Timestamp> {
    const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let text = text.to_ascii_lowercase();
    let parts: Vec<&str> = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|part| !part.is_empty()).collect();
    let number = |part: &str| part.split(|c: char| !c.is_ascii_digit()).next()?.parse::<i16>().ok();
    let month = |part: &str| {
        let at = MONTHS.iter().position(|month| part.get(..3) == Some(*month))?;
        i16::try_from(at + 1).ok()
    };
    let year = |part: &str| number(part).map(|year| if year < 100 { 2_000 + year } else { year });
    let date = |year: i16, month: i16, day: i16| {
        let (month, day) = (i8::try_from(month).ok()?, i8::try_from(day).ok()?);
        jiff::civil::DateTime::new(year, month, day, 0, 0, 0, 0).ok()
    };
    let found = parts.windows(3).find_map(|part| {
        let [a, b, c] = [part[0], part[1], part[2]];
        let (first, second, third) = (number(a), number(b), year(c));
        if let Some(month) = month(b) {
            return date(third?, month, first?);
        }
        if let Some(month) = month(a) {
            return date(third?, month, second?);
        }
        if first? > 999 {
            return date(first?, second?, number(c)?);
        }
        // A time of day has three numbers, too.
        let year = number(c).filter(|year| *year > 999)?;
        let (day_first, month_first) = (date(year, second?, first?), date(year, first?, second?));
        // With slashes a day may stand before its month or behind it: whichever comes first counts.
        if text.contains('/') { day_first.into_iter().chain(month_first).min() } else { day_first.or(month_first) }
    });
    jiff::tz::Offset::UTC.to_timestamp(found?).ok()
}

/// A name and what stands behind its colon. A time of day has colons too, but no letters before them.
fn prefix(item: &str) -> Option<(&str, &str)> {
    let (name, rest) = item.split_once(':')?;
    let name = name.trim();
    let is_name = name == "*" || name.chars().any(|c| c.is_ascii_alphabetic());
    (is_name && !name.contains(' ')).then_some((name, rest.trim()))
}

/// Reads one `X-Robots-Tag` or robots meta tag: `noindex, nofollow` or `agent: noindex, other: none`.
/// A name before a colon binds what follows it up to the next name.
fn read_tag(value: &str, agent: &str, tags: &mut RobotsTags) {
    let is_valued = |name: &str| VALUED.iter().any(|v| v.eq_ignore_ascii_case(name));
    let mut for_us = true;
    let mut items = value.split([',', ';']).peekable();
    while let Some(item) = items.next() {
        let mut word = item.trim();
        if let Some((name, rest)) = prefix(word).filter(|(name, _)| !is_valued(name)) {
            let token = name.split(|c: char| !(c.is_ascii_alphabetic() || c == '-' || c == '_')).next();
            let ours = token.is_some_and(|t| t.eq_ignore_ascii_case(agent) || t.eq_ignore_ascii_case("robots"));
            for_us = ours || name == "*";
            word = rest;
        }
        if !for_us {
            continue;
        }
        match prefix(word).filter(|(name, _)| is_valued(name)) {
            Some((name, value)) => tags.take_valued(name, value, items.peek().unwrap_or(&"")),
            None => word.split_ascii_whitespace().for_each(|w| tags.take(w)),
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

/// Whether `Content-Usage` (AIPREF, draft) or `Content-Signal` denies what we do: `train-ai=n`, `ai-input=no`.
pub(super) fn usage_denied(headers: &HeaderMap) -> bool {
    let some = |name: &str, denies: fn(&str) -> bool| {
        headers.get_all(name).iter().any(|value| denies(&String::from_utf8_lossy(value.as_bytes())))
    };
    some("content-usage", denies_usage) || some("content-signal", denies_signal)
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

/// Whether `Content-Signal` denies what we do. `ai-train=no` alone does not: hosters set it for sites that never chose,
/// and by their own words it says nothing of other uses.
pub(super) fn denies_signal(signals: &str) -> bool {
    signals.split([',', ';']).any(|item| {
        item.split_once('=').is_some_and(|(key, value)| {
            let is = |word: &str| key.trim().eq_ignore_ascii_case(word);
            (is("ai-input") || is("search")) && value.trim().eq_ignore_ascii_case("no")
        })
    })
}

/// Whether meta tags of a page opt out at an instant, for whoever reads the page: `meta_robots` are the contents of
/// `<meta name="robots">` and `<meta name="AGENT">`, `tdm_reservation` is `<meta name="tdm-reservation">`. Where they do
/// not, tells from when on they will.
///
/// # Errors
/// The reason, where they do.
pub fn page_opt_outs(
    meta_robots: &[String],
    tdm_reservation: Option<bool>,
    agent: &str,
    now: Timestamp,
) -> Result<Option<Timestamp>, FailReason> {
    let mut tags = RobotsTags::default();
    for value in meta_robots {
        read_tag(value, agent, &mut tags);
    }
    if tdm_reservation == Some(true) {
        Err(FailReason::TdmReserved)
    } else if tags.is_discarded(now) {
        Err(FailReason::NoIndex)
    } else {
        Ok(tags.unavailable_from)
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
