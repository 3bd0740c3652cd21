//! Which pages of a company's site are worth a request, judged by what its home page links to.
//!
//! Invariant: at most a handful of pages of the company's own; nothing is followed that asks not to be.

use url::Url;

use crate::extract::html::{Link, LinkTopic, PageReading, is_not_news};
use crate::source::{FollowUp, PageKind};

/// At most so many team pages are asked for.
const MAX_TEAM_PAGES: usize = 2;
/// The media types of feeds that are read.
const TYPES: [&str; 4] =
    ["application/rss+xml", "application/atom+xml", "application/rdf+xml", "application/feed+json"];

/// The team pages (or, without one, who-we-are and contact pages), the imprint, the feed and the open positions that the
/// home page links to, those first of which it is surest.
pub(super) fn of_home(page: &PageReading, url: &Url) -> Vec<FollowUp> {
    let of = |topic: LinkTopic| {
        let mut links: Vec<&Link> = page.links.iter().filter(|l| l.topic == Some(topic) && !l.nofollow).collect();
        // Adverts often have a host of their own below the company's domain.
        links.retain(|l| l.same_site || (topic == LinkTopic::Jobs && is_below(&l.url, url)));
        links.sort_by_key(|l| l.sureness);
        links.into_iter().map(|l| l.url.to_string())
    };
    let mut team: Vec<String> = of(LinkTopic::Team).collect();
    if team.is_empty() {
        team = of(LinkTopic::About).chain(of(LinkTopic::Contact)).collect();
    }
    let team = team.into_iter().take(MAX_TEAM_PAGES).map(|url| FollowUp { kind: PageKind::Team, url });
    let imprint = of(LinkTopic::Imprint).take(1).map(|url| FollowUp { kind: PageKind::Imprint, url });
    let feed = feed_of(page, url).map(|url| FollowUp { kind: PageKind::News, url });
    let jobs = of(LinkTopic::Jobs).take(1).map(|url| FollowUp { kind: PageKind::Jobs, url });
    // The imprint may reserve the whole site, so it is read before the others.
    imprint.chain(team).chain(feed).chain(jobs).collect()
}

/// The first feed of news that a page announces, or else links to, on its own registrable domain.
pub(super) fn feed_of(page: &PageReading, url: &Url) -> Option<String> {
    let of_site = |feed: &str| Url::parse(feed).is_ok_and(|feed| is_below(&feed, url));
    // A page that forbids to follow its links forbids it of its feeds, too.
    let forbids = !page.links.is_empty() && page.links.iter().all(|l| l.nofollow);
    let announced = page.feeds.iter().filter(|_| !forbids).filter(|f| TYPES.contains(&f.media_type.as_str()));
    let mut announced = announced.filter(|f| !is_not_news(f.title.as_deref(), &f.url)).map(|f| f.url.as_str());
    let linked = || page.links.iter().filter(|l| l.feed && !l.nofollow).map(|l| l.url.as_str()).find(|l| of_site(l));
    announced.find(|f| of_site(f)).or_else(linked).map(str::to_owned)
}

/// Whether an address is on the registrable domain of another.
fn is_below(url: &Url, own: &Url) -> bool {
    let domain = |url: &Url| psl::domain_str(url.host_str()?).map(str::to_owned);
    matches!(url.scheme(), "http" | "https") && domain(url).is_some() && domain(url) == domain(own)
}

#[cfg(test)]
#[path = "follow_ups_blind_tests.rs"]
mod blind_tests;
