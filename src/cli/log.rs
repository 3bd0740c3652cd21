//! Logging to stderr through `tracing`.
//!
//! Invariant: stdout is left to results.

use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::format::FmtSpan;

use super::LogFormat;

/// Sets up the subscriber of this process; a second call changes nothing.
pub(super) fn start(format: LogFormat, quiet: bool, verbose: u8) {
    let level = match (quiet, verbose) {
        (true, _) => LevelFilter::ERROR,
        (false, 0) => LevelFilter::WARN,
        (false, 1) => LevelFilter::INFO,
        (false, _) => LevelFilter::DEBUG,
    };
    let spans = if verbose > 0 { FmtSpan::CLOSE } else { FmtSpan::NONE };
    let builder = tracing_subscriber::fmt().with_max_level(level).with_writer(std::io::stderr).with_span_events(spans);
    let _ = match format {
        LogFormat::Text => builder.with_target(false).with_ansi(super::card::stderr_wants_colour()).try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
}
