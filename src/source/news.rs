//! A company's feed of news: the facts about the company that its latest entries state.
//!
//! Invariant: nothing is read about a person; each fact is as old as its entry.

use crate::extract::feed::{FeedError, read_feed};
use crate::fetch::page_opt_outs;
use crate::source::company_site::AGENT;
use crate::source::own_words::{OwnText, facts};
use crate::source::{Body, Context, Reading, due};

/// So many entries are read, the newest first.
const LATEST: usize = 20;
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
