//! A company's feed of news: the facts about the company that its latest entries state.
//!
//! Invariant: nothing is read about a person; each fact is as old as its entry.

use url::Url;

use crate::extract::feed::{FeedError, read_feed};
use crate::extract::html::PageReading;
use crate::fetch::page_opt_outs;
use crate::source::company_site::AGENT;
use crate::source::own_words::{OwnText, facts};
use crate::source::{Body, Context, Reading, due};

/// So many entries are read, the newest first.
const LATEST: usize = 20;
/// The media types of feeds that are read.
const TYPES: [&str; 4] =
    ["application/rss+xml", "application/atom+xml", "application/rdf+xml", "application/feed+json"];
/// What feeds of comments are called: visitors speak there, not the company.
const COMMENTS: [&str; 3] = ["comment", "kommentar", "diskussion"];

/// The first feed of news that a page announces on its own registrable domain.
#[must_use]
pub fn feed_of(page: &PageReading, url: &Url) -> Option<String> {
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

/// Reads a feed.
#[must_use]
pub fn read(body: &Body<'_>, context: &Context<'_>) -> Reading {
    let feed = match read_feed(body.bytes, body.content_type, LATEST, context.latest()) {
        Ok(feed) => feed,
        Err(restricted @ FeedError::Restricted) => {
            return Reading { opted_out: Some(restricted.to_string()), ..Reading::default() };
        }
        Err(error) => return Reading { unreadable: Some(error.to_string()), ..Reading::default() },
    };
    let until = match page_opt_outs(&feed.robots, None, AGENT, context.as_of) {
        Ok(until) => until,
        Err(reason) => return Reading { opted_out: Some(reason.to_string()), ..Reading::default() },
    };
    let mut reading = Reading { same_until: due(feed.next).into_iter().chain(until).min(), ..Reading::default() };
    for entry in &feed.entries {
        let own = OwnText {
            text: &entry.text,
            language: feed.language.as_deref(),
            locator: &format!("entry[{}]", entry.index),
            said_at: Some(entry.published),
        };
        let (found, withheld) = facts(&own, context);
        reading.found.extend(found);
        reading.withheld += withheld;
    }
    reading
}

#[cfg(test)]
#[path = "news_tests.rs"]
mod tests;
