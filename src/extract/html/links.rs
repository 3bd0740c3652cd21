//! Outgoing links with their anchor text, and what they seem to lead to.
//!
//! Invariant: a link that asks not to be followed says so; nothing here decides whether it is fetched.

use url::Url;

use super::dom::{self, Page};
use super::lexicon;
use super::limits::MAX_ITEMS;

/// An outgoing link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Absolute, without fragment; `http` and `https` only.
    pub url: Url,
    /// Anchor text, else its `title`, `aria-label` or the `alt` of the image inside, folded.
    pub text: String,
    /// `rel=nofollow` on the link, or `nofollow` for the whole page.
    pub nofollow: bool,
    /// Whether it stays on the page's host (`www.` aside).
    pub same_site: bool,
    /// What the anchor text, else the path, promises.
    pub topic: Option<LinkTopic>,
}

/// A page of interest that a link promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkTopic {
    /// Team, Ansprechpartner, people, management.
    Team,
    /// Impressum, imprint, legal notice.
    Imprint,
    /// Über uns, about, company.
    About,
    /// Kontakt, contact.
    Contact,
    /// Karriere, Stellenangebote, jobs, careers.
    Jobs,
}

/// Every distinct outgoing link, in page order; the first anchor text that is not empty counts.
pub(super) fn read(page: &Page) -> Vec<Link> {
    let page_nofollow = page.marked().any(|e| {
        dom::name(e) == "meta"
            && dom::attr(e, "name").is_some_and(|n| ["robots", "prosopon"].iter().any(|a| n.eq_ignore_ascii_case(a)))
            && e.attr("content").is_some_and(|c| {
                c.split(',').any(|d| ["nofollow", "none"].iter().any(|n| d.trim().eq_ignore_ascii_case(n)))
            })
    });
    let mut links: Vec<Link> = Vec::new();
    let mut index = std::collections::HashMap::new();
    for e in page.marked().filter(|e| matches!(dom::name(*e), "a" | "area")) {
        let Some(mut url) = dom::attr(e, "href").and_then(|h| page.base.join(h).ok()) else { continue };
        if !matches!(url.scheme(), "http" | "https") {
            continue;
        }
        url.set_fragment(None);
        let text = anchor_text(e);
        let nofollow = page_nofollow
            || e.attr("rel").is_some_and(|r| r.split_ascii_whitespace().any(|r| r.eq_ignore_ascii_case("nofollow")));
        if let Some(&i) = index.get(&url) {
            let known: &mut Link = &mut links[i];
            known.nofollow |= nofollow;
            if known.text.is_empty() {
                known.text = text;
            }
            continue;
        }
        if links.len() >= MAX_ITEMS {
            break;
        }
        index.insert(url.clone(), links.len());
        let same_site = site(&url) == site(&page.url);
        links.push(Link { url, text, nofollow, same_site, topic: None });
    }
    for link in &mut links {
        link.topic = lexicon::link_topic(&link.text).or_else(|| path_topic(&link.url));
    }
    links
}

fn anchor_text(e: dom::El<'_>) -> String {
    let text = dom::text_of(e);
    if !text.is_empty() {
        return text;
    }
    let own = ["aria-label", "title", "alt"].iter().find_map(|a| dom::attr(e, a));
    let inner = || e.descendent_elements().find_map(|i| dom::attr(i, "alt"));
    own.or_else(inner).map(dom::fold).unwrap_or_default()
}

fn path_topic(url: &Url) -> Option<LinkTopic> {
    let last = url.path_segments()?.rfind(|s| !s.is_empty())?;
    let stem = last.split('.').next().unwrap_or(last);
    lexicon::link_topic(&stem.replace(['-', '_', '+'], " ").replace("%20", " "))
}

fn site(url: &Url) -> Option<&str> {
    url.host_str().map(|h| h.strip_prefix("www.").unwrap_or(h))
}
