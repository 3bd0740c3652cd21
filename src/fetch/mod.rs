//! The fetch layer: the only module that touches the public network.
//!
//! Invariant: a [`Page`] exists only if a permit was given up for it and every check of the order held: permit,
//! URL, network, budgets, breaker, robots.txt, TDM reservation, pace, address, headers, body. A refusal is data
//! with a typed reason. Redirects are not followed. Errors and traces name hosts, never paths.

mod address;
mod body;
mod breaker;
mod cache;
mod cancel;
mod client;
mod config;
mod decode;
mod dial;
mod exchange;
mod fetcher;
mod guard;
mod headers;
mod holds;
mod hosts;
mod memory;
mod outcome;
mod pace;
mod pages;
mod policy;
mod pool;
mod reason;
mod recall;
mod robots;
mod robots_match;
mod robots_meant;
mod rules;
mod shelf;
mod sniff;
mod spent;
mod tape;
mod tdm;
mod tls;
mod validators;

pub use address::{is_public, vet_answers};
pub use cache::{CacheJudgement, judge_cached};
pub use cancel::{Cancel, CancelHandle};
pub use config::{Budgets, Clock, FetchError, FetcherConfig, Limits, Network};
pub use dial::PublicNet;
pub use fetcher::Fetcher;
pub use guard::{UrlRefusal, check_text, check_url, is_reserved};
pub use headers::page_opt_outs;
pub use memory::{HostReport, Memory, MemoryError, Tag, fetch_report, forget_refusals};
pub use outcome::{FetchFacts, Fetched, HostFile, Outcome, Page, Unchanged};
pub use pace::Place;
pub use reason::{AbandonReason, FailReason};
pub use robots::{Robots, RobotsAnswer, robots_lines};
pub use rules::{OptOutVerdict, ai_url, robots_url, tdm_url};
pub use shelf::{Shelved, cassettes, destroy_cassettes, expire_cassettes};
pub use tape::{Cassette, Recorder, TapeError, TapeHead};
pub use tdm::TdmRules;
pub(crate) use tls::Tls;
pub use validators::Validators;

#[cfg(test)]
mod opt_outs_blind_tests;
#[cfg(test)]
mod tests;
