//! The fetcher against real loopback servers that misbehave in every way we know.

mod again;
mod behaviour;
mod hostile_urls;
mod nights;
mod order;
mod public;
pub(super) mod server;
mod tls;
