//! `--otlp URL`: where the time of a run goes, as OpenTelemetry traces for a collector (OTLP over HTTP, JSON encoding).
//!
//! Invariant: three names of spans (`run`, `stage`, `fetch`) and a fixed list of attributes whose values are numbers or
//! words of closed vocabularies: no host, no path, nobody. What the collector does changes nothing for the run: spans
//! that it does not take are dropped and counted.

mod encode;
mod send;
mod spans;

pub(super) use send::Collector;
pub(super) use spans::{Exporter, layer};

#[cfg(test)]
mod tests;
