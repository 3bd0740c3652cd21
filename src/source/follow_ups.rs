//! Which pages of a company's site are worth a request, judged by what its home page links to.
//!
//! Invariant: at most a handful of pages of the company's own; nothing is followed that asks not to be.

use url::Url;

use crate::extract::html::{LinkTopic, PageReading};
use crate::source::{FollowUp, PageKind};

/// At most so many team pages are asked for.
const MAX_TEAM_PAGES: usize = 2;
/// The media types of feeds that are read.
const TYPES: [&str; 4] =
    ["application/rss+xml", "application/atom+xml", "application/rdf+xml", "application/feed+json"];
/// What feeds of comments are called: visitors speak there, not the company.
const COMMENTS: [&str; 3] = ["comment", "kommentar", "diskussion"];

/// The team pages (or, without one, who-we-are and contact pages), the imprint, the feed and the open positions that the home page
/// links to.
pub(super) fn of_home(page: &PageReading, url: &Url) -> Vec<FollowUp> {
    let of = |topic: LinkTopic| {
        page.links
            .iter()
            .filter(move |l| l.topic == Some(topic) && l.same_site && !l.nofollow)
            .map(|l| l.url.to_string())
    };
    let mut team: Vec<String> = of(LinkTopic::Team).collect();
    if team.is_empty() {
        team = of(LinkTopic::About).chain(of(LinkTopic::Contact)).collect();
    }
    let team = team.into_iter().take(MAX_TEAM_PAGES).map(|url| FollowUp { kind: PageKind::Team, url });
    let imprint = of(LinkTopic::Imprint).take(1).map(|url| FollowUp { kind: PageKind::Imprint, url });
    let feed = feed_of(page, url).map(|url| FollowUp { kind: PageKind::News, url });
    let jobs = of(LinkTopic::Jobs).take(1).map(|url| FollowUp { kind: PageKind::Jobs, url });
    team.chain(imprint).chain(feed).chain(jobs).collect()
}

/// The first feed of news that a page announces on its own registrable domain.
pub(super) fn feed_of(page: &PageReading, url: &Url) -> Option<String> {
    let of_site = |feed: &str| {
        let feed = Url::parse(feed).ok()?;
        let known = |url: &Url| psl::domain_str(url.host_str()?).map(str::to_owned);
        (matches!(feed.scheme(), "http" | "https") && known(&feed)? == known(url)?).then_some(())
    };
    let comments = |text: &str| COMMENTS.iter().any(|word| text.to_lowercase().contains(word));
    let mut feeds = page.feeds.iter().filter(|f| TYPES.contains(&f.media_type.as_str()));
    let feed =
        feeds.find(|f| of_site(&f.url).is_some() && !comments(&f.url) && !f.title.as_deref().is_some_and(comments))?;
    Some(feed.url.clone())
}

#[cfg(test)]
#[path = "follow_ups_blind_tests.rs"]
mod blind_tests;
