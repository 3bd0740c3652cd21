//! Prosopon, the consent-first persona pipeline: the modules in reading order.
//!
//! Data flows one way; each thing exists only if the one before it did:
//! CRM row -> Subject -> Proposal -> (gate) Permit -> (fetcher) Page -> Signal -> Persona -> Parquet.

pub mod ids;
pub mod lineage;
pub mod model;
pub mod taxonomy;

pub mod audit;
mod blocks;
pub mod config;
pub mod consent;
mod cpu;
pub mod crm;
mod db;
pub mod extract;
pub mod fetch;
pub mod identity;
pub mod keys;
mod page;
pub mod persona;
mod post;
pub mod report;
pub mod rights;
pub mod run;
mod safe_text;
pub mod schedule;
pub mod sink;
pub mod source;
mod structured;

pub mod quality;

pub mod cli;
pub mod demo;
