//! Exit codes and how errors are told. The codes are documented API (docs/operator.md).
//!
//! Invariant: an error is told once, on stderr, with its causes; it holds no personal data because no error type
//! does.

use std::io::{self, Write};
use std::process::ExitCode;

use crate::audit::AuditError;
use crate::demo::data::DataError;
use crate::fetch::MemoryError;
use crate::report::ReportError;
use crate::rights::office::OfficeError;
use crate::run::engine::RunError;
use crate::run::home::HomeError;
use crate::run::journal::JournalError;
use crate::schedule::store::StoreError;
use crate::sink::{LockError, SinkError};

/// Finished, but with more dead letters than the pipeline allows.
pub const DEAD_LETTERS: u8 = 1;
/// Configuration, input or usage.
pub const USAGE: u8 = 2;
/// Ledger, home or sink.
pub const HOME: u8 = 3;
/// Ctrl-C.
pub const INTERRUPTED: u8 = 130;

/// A mistake in how a command was called.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Usage(pub String);

/// Mistakes that have been printed already, one a line.
#[derive(Debug, thiserror::Error)]
#[error("{0} mistake(s)")]
pub struct Told(pub usize);

/// The exit code of an error.
#[must_use]
pub fn code_of(error: &anyhow::Error) -> ExitCode {
    ExitCode::from(number(error))
}

fn number(error: &anyhow::Error) -> u8 {
    for cause in error.chain() {
        if let Some(error) = cause.downcast_ref::<RunError>() {
            return number_of_run(error);
        }
        if let Some(error) = cause.downcast_ref::<SinkError>() {
            let usage = matches!(
                error,
                SinkError::UnknownTable { .. } | SinkError::UnknownColumn { .. } | SinkError::Filter { .. }
            );
            return if usage { USAGE } else { HOME };
        }
        if let Some(error) = cause.downcast_ref::<OfficeError>() {
            return if matches!(error, OfficeError::Unknown(_)) { USAGE } else { HOME };
        }
        if cause.is::<DataError>() {
            return if matches!(cause.downcast_ref(), Some(DataError::Write { .. })) { HOME } else { USAGE };
        }
        if let Some(ReportError::Io { .. } | ReportError::Damaged { .. }) = cause.downcast_ref::<ReportError>() {
            return HOME;
        }
        if cause.is::<AuditError>()
            || cause.is::<MemoryError>()
            || cause.is::<HomeError>()
            || cause.is::<JournalError>()
            || cause.is::<StoreError>()
            || cause.is::<crate::rights::store::StoreError>()
            || cause.is::<LockError>()
            || cause.is::<io::Error>()
        {
            return HOME;
        }
    }
    USAGE
}

/// The exit code of a run's error.
pub(super) fn number_of_run(error: &RunError) -> u8 {
    match error {
        RunError::Unclear { why, .. } => number_of_run(why),
        RunError::Cancelled => INTERRUPTED,
        RunError::AfterPublishing(_)
        | RunError::Home(_)
        | RunError::Rights(_)
        | RunError::Journal(_)
        | RunError::Sink(_)
        | RunError::Lock(_)
        | RunError::Demo(_)
        | RunError::Fetch(_)
        | RunError::Memory(_)
        | RunError::Kept(_)
        | RunError::Blocks(_)
        | RunError::Tape(_)
        | RunError::NotRecorded(_)
        | RunError::Worker => HOME,
        RunError::Config(_)
        | RunError::Crm(_)
        | RunError::ColumnsVanished(_)
        | RunError::Missing { .. }
        | RunError::Legal(_)
        | RunError::NetworkNotServed { .. }
        | RunError::RealDataInDemo { .. } => USAGE,
    }
}

/// Whether the error only says that nobody reads the output any more.
#[must_use]
pub fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|c| c.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe))
}

/// Tells an error on stderr, in lines for people or as one JSON object.
pub fn report(error: &anyhow::Error, json: bool) {
    let mut stderr = io::stderr().lock();
    if json {
        let causes: Vec<String> = error.chain().skip(1).map(ToString::to_string).collect();
        let event = serde_json::json!({
            "event": "error", "message": error.to_string(), "causes": causes, "exit_code": number(error),
        });
        let _ = writeln!(stderr, "{event}");
        return;
    }
    // Diagnostics carry their own `FILE:LINE:COL: error:`.
    if let Some(RunError::Config(diagnostics)) = error.downcast_ref::<RunError>() {
        for diagnostic in diagnostics {
            let _ = writeln!(stderr, "{diagnostic}");
        }
        return;
    }
    if error.is::<Told>() {
        return;
    }
    let _ = writeln!(stderr, "error: {error}");
    for cause in error.chain().skip(1) {
        let text = cause.to_string();
        // A transparent error repeats its cause, and some tell it themselves.
        if !error.to_string().contains(&text) {
            let _ = writeln!(stderr, "  caused by: {text}");
        }
    }
}
