//! Prosopon, the consent-first persona pipeline: the modules in reading order.
//!
//! Data flows one way; each thing exists only if the one before it did:
//! CRM row -> Subject -> Proposal -> (gate) Permit -> (fetcher) Page -> Signal -> Persona -> Parquet.

pub mod taxonomy;
pub mod model;

pub mod config;
pub mod crm;
pub mod consent;
pub mod source;
pub mod fetch;
pub mod extract;
pub mod identity;
pub mod persona;
pub mod sink;
pub mod run;

pub mod demo;
pub mod cli;
