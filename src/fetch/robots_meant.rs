//! What authors of robots.txt plainly mean, though RFC 9309 gives it no meaning: lists of agents, paths without their
//! slash, reservations in comments.
//!
//! Invariant: it only ever forbids more.

use std::borrow::Cow;

use super::robots::{MAX_BYTES, is_agent};
use super::robots_match::PathQuery;

/// Whether an agent stands in a list (`User-agent: one, two`), which is no product token by the RFC. Who writes one
/// means to shut somebody out, so the group only ever forbids.
pub(super) fn is_listed(value: &[u8], agent: &str) -> bool {
    let mut items = value.split(|b| *b == b',');
    items.next();
    items.any(|item| is_agent(item.trim_ascii(), agent, false))
}

/// A prohibition may lack its slash, or be a whole address; a permission must be written right.
pub(super) fn rooted(value: &[u8], allow: bool) -> Cow<'_, [u8]> {
    if allow || !value.first().is_some_and(u8::is_ascii_alphanumeric) {
        return value.into();
    }
    match std::str::from_utf8(value) {
        Ok(address) if address.contains("://") => PathQuery::of(address).as_str().as_bytes().to_vec().into(),
        _ => [b"/", value].concat().into(),
    }
}

/// The words of comments; lines one after the other are one text, which an empty comment or a line of rules ends.
pub(super) fn comments(body: &[u8]) -> String {
    let body = &body[..body.len().min(MAX_BYTES)];
    let mut out = String::new();
    for line in body.split(|b| matches!(b, b'\n' | b'\r')) {
        let comment = memchr::memchr(b'#', line).map(|at| line[at..].trim_ascii_start());
        let words =
            comment.map(|comment| String::from_utf8_lossy(comment).trim_matches(['#', ' ', '\t', '*']).to_owned());
        match words.filter(|words| !words.is_empty()) {
            Some(words) => [words.as_str(), " "].into_iter().for_each(|part| out.push_str(part)),
            None if !line.is_empty() && !out.ends_with('\n') => out.push('\n'),
            None => {}
        }
    }
    out
}
