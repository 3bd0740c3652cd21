//! The demo web: invented companies' sites and a developer API, served by virtual host on loopback.
//!
//! Invariant: it listens on 127.0.0.1 only, serves only what is compiled in, and its hosts are all `*.example`.

pub mod data;
#[cfg(test)]
mod data_tests;
mod host;
mod index;
mod server;
#[cfg(test)]
mod tests;

#[cfg(test)]
pub(crate) use server::CHANGED;
pub use server::{DemoError, DemoWeb};

/// An embedded file of the demo web.
pub(crate) struct Asset {
    /// The virtual host.
    pub host: &'static str,
    /// Below the host, with a leading slash, for instance `/team/index.html`.
    pub path: &'static str,
    /// As it lies in the repository.
    pub body: &'static [u8],
}

include!(concat!(env!("OUT_DIR"), "/demo_web.rs"));
