//! Outgoing links with their anchor text, and what they seem to lead to.
//!
//! Invariant: a link that asks not to be followed says so; nothing here decides whether it is fetched.

use url::Url;

use super::dom::{self, Page};
use super::limits::MAX_ITEMS;
use super::topics::{self, Promise, Sureness};

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
    /// How surely it does.
    pub sureness: Sureness,
    /// Whether it seems to lead to a feed of news.
    pub feed: bool,
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
                c.split(|c: char| !c.is_ascii_alphanumeric())
                    .any(|d| ["nofollow", "none"].iter().any(|n| d.eq_ignore_ascii_case(n)))
            })
    });
    let mut here = page.url.clone();
    here.set_fragment(None);
    let mut links: Vec<Link> = Vec::new();
    let mut index = std::collections::HashMap::new();
    let mut promises: Vec<Promise> = Vec::new();
    for e in page.marked().filter(|e| matches!(dom::name(*e), "a" | "area")) {
        let Some(mut url) = dom::attr(e, "href").and_then(|h| page.base.join(h).ok()) else { continue };
        if !matches!(url.scheme(), "http" | "https") {
            continue;
        }
        url.set_fragment(None);
        let text = anchor_text(e);
        let promise = topics::of_link(&text, &url);
        let nofollow = page_nofollow
            || e.attr("rel").is_some_and(|r| r.split_ascii_whitespace().any(|r| r.eq_ignore_ascii_case("nofollow")));
        if let Some(&i) = index.get(&url) {
            let known: &mut Link = &mut links[i];
            known.nofollow |= nofollow;
            promises[i] = better(promises[i], promise);
            known.feed |= is_feed(&text, &known.url);
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
        let feed = is_feed(&text, &url);
        promises.push(promise);
        links.push(Link { url, text, nofollow, same_site, topic: None, sureness: Sureness::Within, feed });
    }
    for (link, promise) in links.iter_mut().zip(promises) {
        // A link to the page itself, perhaps to a part of it, leads nowhere.
        if let Promise::Topic(topic, sureness) = promise
            && link.url != here
        {
            (link.topic, link.sureness) = (Some(topic), sureness);
        }
    }
    links
}

/// What two anchors of one address say of it: people before all else, then what is said more surely.
fn better(a: Promise, b: Promise) -> Promise {
    let rank = |promise: Promise| match promise {
        Promise::NotOwn => (0, None),
        Promise::Topic(LinkTopic::Team, sureness) => (1, Some(sureness)),
        Promise::Topic(_, sureness) => (2, Some(sureness)),
        Promise::Nothing => (3, None),
    };
    if rank(b) < rank(a) { b } else { a }
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

fn is_feed(text: &str, url: &Url) -> bool {
    topics::is_feed_anchor(text) && !topics::is_not_news(Some(text), url.as_str())
}

fn site(url: &Url) -> Option<&str> {
    url.host_str().map(|h| h.strip_prefix("www.").unwrap_or(h))
}
