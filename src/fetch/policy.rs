//! What an answer must be to become a page, and what its status and headers mean.
//!
//! Invariant: pure judgement of an answer that was received; an opt-out that can be read either way counts.

use bytes::Bytes;
use hyper::header::{HeaderMap, LOCATION};
use url::Url;

use super::config::Limits;
use super::decode::Caps;
use super::fetcher::Stop;
use super::guard::check_url;
use super::headers;
use super::hosts::Telling;
use super::outcome::{FetchFacts, Outcome};
use super::reason::FailReason;
use super::rules::{OptOutVerdict, Role};
use super::sniff;

/// An answer that the header and body policies let through.
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) content_type: String,
    pub(super) charset: Option<String>,
    pub(super) body: Bytes,
}

/// How much of a body may come out: files of rules are cut, pages are refused.
pub(super) const fn caps(role: Role, limits: &Limits) -> Caps {
    let cut = matches!(role, Role::Robots | Role::Ai);
    Caps {
        bytes: if matches!(role, Role::Page) { limits.decoded_bytes } else { limits.robots_bytes },
        cut,
        ratio: limits.decode_ratio,
        ratio_after: limits.ratio_after,
    }
}

/// What the headers of a page forbid, before its body is read.
pub(super) fn header_policy(
    head: &HeaderMap,
    media: Option<&str>,
    agent: &str,
    facts: &mut FetchFacts,
) -> Result<(), FailReason> {
    if headers::tdm_reserved(head) {
        facts.tdm = OptOutVerdict::TdmReserved { place: "header".into() }.tdm_word();
        return Err(FailReason::TdmReserved);
    }
    if headers::robots_tags(head, agent).is_discarded(facts.started_at) {
        return Err(FailReason::NoIndex);
    }
    if headers::usage_denied(head) {
        return Err(FailReason::UsageDenied);
    }
    if media.is_some_and(|m| !sniff::is_textual(m)) { Err(FailReason::ContentType) } else { Ok(()) }
}

/// Bytes against their label; a byte order mark decides about the charset.
pub(super) fn body_policy(reply: &mut Reply) -> Result<(), FailReason> {
    let fits = sniff::looks_like_text(&reply.body) && sniff::fits(&reply.content_type, &reply.body);
    if !fits {
        return Err(FailReason::TypeMismatch);
    }
    if let Some((encoding, _)) = encoding_rs::Encoding::for_bom(&reply.body) {
        reply.charset = Some(encoding.name().to_ascii_lowercase());
    }
    Ok(())
}

/// Whether a page says that no copy of it may be kept: in its headers, or in any meta tag of its text, whomever that
/// tag is for.
pub(super) fn forbids_keeping(reply: &Reply, agent: &str) -> bool {
    headers::robots_tags(&reply.headers, agent).noarchive || tags_forbid_keeping(&reply.body)
}

/// The same of the meta tags alone. It looks through the whole body.
pub(super) fn tags_forbid_keeping(body: &[u8]) -> bool {
    let without_zeros: Vec<u8>;
    let mut text = body;
    if memchr::memchr(0, body).is_some() {
        // UTF-16 has one beside each letter.
        without_zeros = body.iter().copied().filter(|b| *b != 0).collect();
        text = &without_zeros;
    }
    // Two letters are sought fast, and few tags begin with these.
    [b"<m", b"<M"].iter().any(|begin| some_tag_forbids_keeping(text, *begin))
}

/// The same of those that begin so. Linear: what a tag that does not end holds is looked at once.
fn some_tag_forbids_keeping(text: &[u8], begin: &[u8]) -> bool {
    let finder = memchr::memmem::Finder::new(begin);
    let mut rest = text;
    while let Some(at) = finder.find(rest) {
        rest = &rest[at + 1..];
        if !rest.get(..4).is_some_and(|name| name.eq_ignore_ascii_case(b"meta")) {
            continue;
        }
        let (tag, behind) = rest.split_at(memchr::memchr(b'>', rest).unwrap_or(rest.len()));
        let tag = tag.to_ascii_lowercase();
        if ["noarchive", "nocache", "nostore"].iter().any(|word| memchr::memmem::find(&tag, word.as_bytes()).is_some())
        {
            return true;
        }
        rest = behind;
    }
    false
}

/// An answer's status as a reason, where it is one; 2xx with a body and 3xx go on.
pub(super) fn judged(result: Result<Reply, FailReason>, telling: Telling) -> Result<Reply, Stop> {
    let reply = result?;
    match reply.status {
        // Only where it was asked for does a 304 come so far.
        200 | 203 | 304 | 301 | 302 | 303 | 307 | 308 => Ok(reply),
        404 => Err(FailReason::NotFound.into()),
        410 => Err(FailReason::Gone.into()),
        401 | 403 => Err(FailReason::AccessDenied.into()),
        _ if telling == Telling::Overloaded => Err(FailReason::Overloaded.into()),
        _ => Err(FailReason::HttpStatus.into()),
    }
}

/// Where a redirect points, if it may point there.
pub(super) fn redirect(head: &HeaderMap, from: &Url) -> Outcome {
    let Some(location) = head.get(LOCATION).and_then(|l| std::str::from_utf8(l.as_bytes()).ok()) else {
        return Outcome::Failed { reason: FailReason::RedirectWithoutLocation };
    };
    let Ok(mut to) = from.join(location) else {
        return Outcome::Failed { reason: FailReason::RedirectRefused };
    };
    to.set_fragment(None);
    let mut bare = from.clone();
    bare.set_fragment(None);
    let reason = if from.scheme() == "https" && to.scheme() == "http" {
        FailReason::RedirectDowngrade
    } else if check_url(&to).is_err() {
        FailReason::RedirectRefused
    } else if to == bare {
        FailReason::RedirectLoop
    } else {
        return Outcome::Redirect { from: bare, to };
    };
    Outcome::Failed { reason }
}

#[cfg(test)]
mod tests {
    use super::tags_forbid_keeping;

    #[test]
    fn a_meta_tag_that_forbids_keeping_is_found_however_it_is_written() {
        let wide = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
        for tag in ["<META name=Robots content='NoArchive'>", "<p><meta name=x><meta content=nocache>", "<meta nostore"]
        {
            assert!(tags_forbid_keeping(tag.as_bytes()) && tags_forbid_keeping(&wide(tag)), "{tag}");
        }
        for text in ["<meta name=robots content=nofollow> noarchive", "noarchive <met", "<b noarchive>", ""] {
            assert!(!tags_forbid_keeping(text.as_bytes()) && !tags_forbid_keeping(&wide(text)), "{text}");
        }
        // Each of these begins a tag, none ends: quadratic work would not come to an end here.
        assert!(!tags_forbid_keeping(&b"<meta ".repeat(1 << 20)));
    }
}
