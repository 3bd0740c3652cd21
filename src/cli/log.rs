//! Logging to stderr through `tracing`.
//!
//! Invariant: stdout is left to results, and only our own events are told: parsers and clients log what they read,
//! down to the names on a page.

use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use super::LogFormat;
use super::otlp::{self, Collector, Exporter};
use crate::consent::gate::Clock;

/// Sets up the subscriber of this process; a second call changes nothing. What it returns sends traces to a collector,
/// where one is named, until it is dropped.
///
/// # Errors
/// No thread can be started for the collector.
pub(super) fn start(
    format: LogFormat,
    quiet: bool,
    verbose: u8,
    collector: Option<&Collector>,
    wall: &Clock,
) -> std::io::Result<Option<Exporter>> {
    let level = match (quiet, verbose) {
        (true, _) => LevelFilter::ERROR,
        (false, 0) => LevelFilter::WARN,
        (false, 1) => LevelFilter::INFO,
        (false, _) => LevelFilter::DEBUG,
    };
    let spans = if verbose > 0 { FmtSpan::CLOSE } else { FmtSpan::NONE };
    let ours = Targets::new().with_target(env!("CARGO_CRATE_NAME"), level);
    let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_span_events(spans);
    let (export, exporter) = match collector {
        Some(collector) => {
            otlp::layer(collector.clone(), wall).map(|(layer, exporter)| (Some(layer), Some(exporter)))?
        }
        None => (None, None),
    };
    let registry = tracing_subscriber::registry().with(export);
    let _ = match format {
        LogFormat::Text => {
            let ansi = super::card::stderr_wants_colour();
            registry.with(layer.with_target(false).with_ansi(ansi).with_filter(ours)).try_init()
        }
        LogFormat::Json => registry.with(layer.json().with_filter(ours)).try_init(),
    };
    Ok(exporter)
}
