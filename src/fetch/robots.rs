//! robots.txt by RFC 9309: which group holds for an agent, and what it says about a URL.
//!
//! Invariant: parsing and asking are total, and their cost is bounded: at most 500 KiB are read, and a file whose
//! patterns cost too many steps for one URL forbids it. Where the RFC and what crawlers do differ, the reading
//! that forbids more wins, except for spellings of the directives, which are read as leniently as is common.
//! A permission counts only if its whole line was read. Comments mean nothing, unless they reserve the site in plain
//! words.

use std::io::{BufRead, Write};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::headers;
use super::robots_match::{PathQuery, Pattern, Work};
use super::robots_meant::{comments, is_listed, rooted};
use super::sniff;
use crate::extract::reservation;

/// How much of a file is read (RFC 9309, 2.5 asks for at least this).
pub(super) const MAX_BYTES: usize = 500 * 1024;
/// More lines of `Content-Usage` and `Content-Signal` say nothing new.
const MAX_USAGE: usize = 100;
/// Longer lines are cut; eight times the longest URL that browsers take.
const MAX_LINE: usize = 8 * 2083 - 1;

/// The rules of one robots.txt for one agent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Robots {
    /// Longest pattern first, permissions before prohibitions: the first that matches decides.
    rules: Vec<Rule>,
    crawl_delay: Option<Duration>,
    /// Places whose `Content-Usage` (AIPREF) or `Content-Signal` denies what we do, with the line.
    denied: Vec<(Pattern, Box<str>)>,
    /// The groups that name the agent in a list, which only ever forbid.
    listed: Option<Box<Self>>,
    /// Comments reserve the whole site in plain words.
    is_reserved: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    allow: bool,
    pattern: Pattern,
}

/// What a robots.txt says about one URL.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RobotsAnswer {
    /// Whether the URL may be asked.
    pub allowed: bool,
    /// The deciding line, for instance `Disallow: /private/`; `None` where no rule matches.
    pub rule: Option<String>,
    /// `matched_rule`, `no_matching_rule`, `no_rules`, `content_usage`, `reserved_in_comment`, `too_complex`,
    /// `unreachable` (no robots.txt but something else in its place), or `unreadable_input`.
    pub reason: &'static str,
}

/// What a line says.
enum Directive {
    UserAgent,
    Rule {
        allow: bool,
    },
    CrawlDelay,
    ContentUsage,
    ContentSignal,
    /// Belongs to no group and ends none.
    Other,
}

/// Rules as they are gathered for the agent itself and for everybody.
#[derive(Default)]
struct Gathered {
    seen: bool,
    rules: Robots,
}

impl Robots {
    /// Reads what a server sent as its robots.txt; `None` = that is something else (markup, an image, UTF-16), and the
    /// file counts as unreachable, which forbids everything.
    #[must_use]
    pub fn read(body: &[u8], agent: &str) -> Option<Self> {
        // RFC 9309 knows UTF-8 only; in UTF-16 no line could be made out, and all would be allowed.
        let is_utf16 = body.starts_with(b"\xFF\xFE") || body.starts_with(b"\xFE\xFF");
        let is_fit = !is_utf16 && !sniff::looks_like_markup(body) && sniff::looks_like_text(body);
        is_fit.then(|| Self { is_reserved: reservation::reserves_site(&comments(body)), ..Self::parse(body, agent) })
    }

    /// Reads the rules that hold for `agent` (a product token, any case; empty = only the groups for all).
    /// Reads at most 500 KiB; never fails.
    #[must_use]
    pub fn parse(text: &[u8], agent: &str) -> Self {
        let (mut own, mut all, mut listed) = (Gathered::default(), Gathered::default(), Self::default());
        let (mut for_own, mut for_all, mut in_list, mut in_agents) = (false, false, false, false);
        for line in lines(text) {
            let Some((directive, value)) = directive(line.text) else { continue };
            if matches!(directive, Directive::UserAgent) {
                if !in_agents {
                    (for_own, for_all, in_list, in_agents) = (false, false, false, true);
                }
                for_all |= is_everybody(value);
                for_own |= is_agent(value, agent, line.is_cut);
                in_list |= is_listed(value, agent);
                own.seen |= for_own;
                continue;
            }
            let Some(value) = directive.of_line(value, line.is_cut) else { continue };
            in_agents &= !matches!(directive, Directive::Rule { .. });
            let groups = [(&mut own.rules, for_own), (&mut all.rules, for_all), (&mut listed, in_list)];
            groups.into_iter().filter(|(_, on)| *on).for_each(|(rules, _)| rules.take(&directive, value));
        }
        // Of a group that begins just before the cut nothing was read, least of all that everything is allowed.
        let is_only_begun = is_cut(text) && in_agents && for_own && own.rules == Self::default();
        let mut rules = if own.seen && !is_only_begun { own.rules } else { all.rules };
        rules.sort();
        listed.sort();
        rules.crawl_delay = rules.crawl_delay.max(listed.crawl_delay);
        rules.listed = Some(listed).filter(|listed| *listed != Self::default()).map(Box::new);
        rules
    }

    fn sort(&mut self) {
        self.rules.sort_by_key(|rule| (std::cmp::Reverse(rule.pattern.len()), !rule.allow));
        self.rules.dedup();
    }

    fn take(&mut self, directive: &Directive, value: &[u8]) {
        match directive {
            Directive::Rule { allow } if !value.is_empty() && !self.repeats(*allow, value) => {
                let pattern = Pattern::new(&rooted(value, *allow));
                let directory = pattern.index_directory().filter(|_| *allow);
                self.rules.extend(directory.map(|pattern| Rule { allow: true, pattern }));
                self.rules.push(Rule { allow: *allow, pattern });
            }
            Directive::CrawlDelay => self.crawl_delay = self.crawl_delay.max(seconds(value)),
            Directive::ContentUsage => self.take_usage("Content-Usage", value, headers::denies_usage),
            Directive::ContentSignal => self.take_usage("Content-Signal", value, headers::denies_signal),
            _ => {}
        }
    }

    /// Takes a line of preferences, for a place or for all.
    fn take_usage(&mut self, name: &str, value: &[u8], denies: fn(&str) -> bool) {
        if self.denied.len() >= MAX_USAGE {
            return;
        }
        let value = String::from_utf8_lossy(value);
        let (path, preferences) = match value.split_once(char::is_whitespace) {
            Some((path, rest)) if path.starts_with(['/', '*']) => (path, rest),
            _ => ("/", &*value),
        };
        if denies(preferences) {
            self.denied.push((Pattern::new(path.as_bytes()), format!("{name}: {value}").into_boxed_str()));
        }
    }

    /// Whether a rule only says the last one again, as files of a million lines do.
    fn repeats(&self, allow: bool, value: &[u8]) -> bool {
        self.rules.last().is_some_and(|last| last.allow == allow && last.pattern.as_str().as_bytes() == value)
    }

    /// Whether the rules let `url` be asked. `/robots.txt` itself may always be.
    #[must_use]
    pub fn ask(&self, url: &str) -> RobotsAnswer {
        let path = PathQuery::of(url);
        if path.as_str() == "/robots.txt" {
            return RobotsAnswer { allowed: true, rule: None, reason: "no_rules" };
        }
        let answer = self.ask_rules(&path);
        if self.is_reserved && answer.allowed {
            return RobotsAnswer { allowed: false, rule: None, reason: "reserved_in_comment" };
        }
        match self.usage_denied(&path).filter(|_| answer.allowed) {
            None if answer.allowed => {
                let listed = self.listed.as_ref().map(|listed| listed.ask(url));
                listed.filter(|listed| !listed.allowed).unwrap_or(answer)
            }
            None => answer,
            rule => RobotsAnswer { allowed: false, rule, reason: "content_usage" },
        }
    }

    fn ask_rules(&self, path: &PathQuery) -> RobotsAnswer {
        if self.rules.is_empty() {
            return RobotsAnswer { allowed: true, rule: None, reason: "no_rules" };
        }
        let mut work = Work::default();
        let found = self.rules.iter().find(|rule| work.is_too_much() || rule.holds_for(path, &mut work));
        match found {
            _ if work.is_too_much() => RobotsAnswer { allowed: false, rule: None, reason: "too_complex" },
            None => RobotsAnswer { allowed: true, rule: None, reason: "no_matching_rule" },
            Some(rule) => {
                let word = if rule.allow { "Allow" } else { "Disallow" };
                let line = format!("{word}: {}", rule.pattern.as_str());
                RobotsAnswer { allowed: rule.allow, rule: Some(line), reason: "matched_rule" }
            }
        }
    }

    /// The line whose `Content-Usage` denies what we do with a page. Read as prohibition only: a longer path that
    /// releases again is not looked for, because the draft is not settled.
    fn usage_denied(&self, path: &PathQuery) -> Option<String> {
        let mut work = Work::default();
        let denies = |(place, _): &&(Pattern, Box<str>)| place.matches_any_encoding(path, &mut work);
        self.denied.iter().find(denies).map(|(_, line)| line.to_string())
    }

    /// The longest `Crawl-delay` of the agent's groups.
    #[must_use]
    pub const fn crawl_delay(&self) -> Option<Duration> {
        self.crawl_delay
    }
}

impl Rule {
    fn holds_for(&self, path: &PathQuery, work: &mut Work) -> bool {
        if self.allow {
            self.pattern.matches_exactly(path, work)
        } else {
            self.pattern.matches_any_encoding(path, work)
        }
    }
}

impl Directive {
    /// What a line says, of which the end may be missing; `None` = nothing that counts.
    ///
    /// Half a permission may be a wider one (`Allow: /` of `Allow: /x/only/this`), so it is none. Half a prohibition
    /// stays: it is one more than without it, and as a prefix it reaches what the whole line reaches. So do the other
    /// lines, which only ever forbid or slow down.
    fn of_line<'a>(&self, value: &'a [u8], is_cut: bool) -> Option<&'a [u8]> {
        match self {
            Self::Other | Self::UserAgent => None,
            Self::Rule { allow: true } if is_cut => None,
            // Half an escape (`%2` of `%2F`) would match nothing.
            Self::Rule { .. } if is_cut => {
                let end = memchr::memrchr(b'%', value).filter(|at| value.len() - at < 3).unwrap_or(value.len());
                // Without a path it would be the word that everything is allowed.
                Some(&value[..end]).filter(|value| !value.is_empty())
            }
            Self::Rule { .. } | Self::CrawlDelay | Self::ContentUsage | Self::ContentSignal => Some(value),
        }
    }
}

/// A line without its end (CR, LF, CRLF), comment and overlong tail.
struct Line<'a> {
    text: &'a [u8],
    /// Whether there was more of it.
    is_cut: bool,
}

impl<'a> Line<'a> {
    fn of(line: &'a [u8], is_cut: bool) -> Self {
        let (kept, lost) = line.split_at(line.len().min(MAX_LINE));
        if let Some(at) = memchr::memchr(b'#', kept) {
            return Self { text: kept[..at].trim_ascii(), is_cut: false };
        }
        let comment = memchr::memchr(b'#', lost).unwrap_or(lost.len());
        Self { text: kept.trim_ascii(), is_cut: is_cut || !lost[..comment].trim_ascii().is_empty() }
    }
}

/// Whether there was more of a file, or may have been: the fetcher hands on just so much.
const fn is_cut(text: &[u8]) -> bool {
    text.len() >= MAX_BYTES
}

fn lines(text: &[u8]) -> impl Iterator<Item = Line<'_>> {
    let is_cut = is_cut(text);
    let text = &text[..text.len().min(MAX_BYTES)];
    // Servers also send parts of a byte order mark.
    let bom = [0xEF, 0xBB, 0xBF].iter().zip(text).take_while(|(a, b)| a == b).count();
    let text = &text[bom..];
    let last = memchr::memrchr2(b'\n', b'\r', text).map_or(0, |at| at + 1);
    let (whole, last) = text.split_at(last);
    let whole = whole.split(|b| matches!(b, b'\n' | b'\r')).map(|line| Line::of(line, false));
    whole.chain([Line::of(last, is_cut)]).filter(|line| !line.text.is_empty())
}

/// Splits a line into key and value at the colon, or, where there is none, at the only blank.
fn directive(line: &[u8]) -> Option<(Directive, &[u8])> {
    let (key, value) = if let Some(colon) = memchr::memchr(b':', line) {
        (line[..colon].trim_ascii(), line[colon + 1..].trim_ascii())
    } else {
        let blank = memchr::memchr2(b' ', b'\t', line)?;
        let value = line[blank..].trim_ascii();
        if value.iter().any(u8::is_ascii_whitespace) {
            return None;
        }
        (&line[..blank], value)
    };
    if key.is_empty() {
        return None;
    }
    let starts =
        |words: &[&str]| words.iter().any(|w| key.get(..w.len()).is_some_and(|k| k.eq_ignore_ascii_case(w.as_bytes())));
    Some((
        if starts(&["user-agent", "useragent", "user agent"]) {
            Directive::UserAgent
        } else if starts(&["allow"]) {
            Directive::Rule { allow: true }
        } else if starts(&["disallow", "dissallow", "dissalow", "disalow", "diasllow", "disallaw"]) {
            Directive::Rule { allow: false }
        } else if starts(&["content-usage"]) {
            Directive::ContentUsage
        } else if starts(&["content-signal"]) {
            Directive::ContentSignal
        } else if starts(&["crawl-delay", "crawldelay", "crawl delay"]) {
            Directive::CrawlDelay
        } else {
            Directive::Other
        },
        value,
    ))
}

fn is_everybody(value: &[u8]) -> bool {
    value.first() == Some(&b'*') && value.get(1).is_none_or(u8::is_ascii_whitespace)
}

/// Compares the product token that a value starts with; one that ends where the line was cut is none.
pub(super) fn is_agent(value: &[u8], agent: &str, is_cut: bool) -> bool {
    let end = value.iter().position(|b| !(b.is_ascii_alphabetic() || matches!(b, b'-' | b'_')));
    let token = &value[..end.unwrap_or(value.len())];
    !token.is_empty() && token.eq_ignore_ascii_case(agent.as_bytes()) && !(is_cut && end.is_none())
}

/// Reads seconds, with a fraction or without; nonsense is no delay, an endless one is a year.
fn seconds(value: &[u8]) -> Option<Duration> {
    const YEAR: f64 = 365.0 * 86_400.0;
    let number = value.split(u8::is_ascii_whitespace).next().and_then(|v| std::str::from_utf8(v).ok())?;
    let number = number.replace(',', ".").parse::<f64>().ok().filter(|n| *n >= 0.0)?;
    Some(Duration::from_secs_f64(number.min(YEAR)))
}

/// A line of [`robots_lines`].
#[derive(Deserialize)]
struct Question {
    #[serde(default)]
    robots: String,
    #[serde(default)]
    agent: String,
    #[serde(default)]
    url: String,
}

/// Answers JSON Lines `{"robots","agent","url"}` with `{"allowed","rule","reason"}`, one for one and in order, as the
/// fetcher would if it had got that robots.txt. A line that is not such an object is answered with `allowed: false` and `unreadable_input`.
///
/// # Errors
/// Only those of reading and writing.
pub fn robots_lines(mut input: impl BufRead, mut output: impl Write) -> std::io::Result<()> {
    let mut line = Vec::new();
    while input.read_until(b'\n', &mut line)? > 0 {
        let answer = match serde_json::from_slice::<Question>(&line) {
            Ok(q) => match Robots::read(q.robots.as_bytes(), &q.agent) {
                Some(robots) => robots.ask(&q.url),
                None => RobotsAnswer { allowed: false, rule: None, reason: "unreachable" },
            },
            Err(_) => RobotsAnswer { allowed: false, rule: None, reason: "unreadable_input" },
        };
        serde_json::to_writer(&mut output, &answer)?;
        output.write_all(b"\n")?;
        line.clear();
    }
    output.flush()
}

#[cfg(test)]
mod tests;
