//! JSON Lines in, JSON Lines out, for `prosopon extract text`.
//!
//! Invariant: one line out for every line in, in order; a bad line says where and what kind of
//! mistake, never what stood there.

use std::io::{self, BufRead, Write};

use serde::Serialize;

use super::{TextRecord, read_text};

/// How many lines were read well and how many were not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LinesReport {
    /// Lines answered with a reading.
    pub read: u64,
    /// Lines answered with an error.
    pub failed: u64,
}

#[derive(Serialize)]
struct BadLine<'a> {
    id: Option<&'a str>,
    error: LineError,
}

#[derive(Serialize)]
struct LineError {
    line: u64,
    message: String,
}

/// Reads records from `input` and writes one reading a line to `output`.
///
/// # Errors
/// Only when `input` cannot be read or `output` cannot be written.
pub fn text_lines(mut input: impl BufRead, mut output: impl Write) -> io::Result<LinesReport> {
    let mut report = LinesReport::default();
    let mut bytes = Vec::new();
    loop {
        bytes.clear();
        if input.read_until(b'\n', &mut bytes)? == 0 {
            break;
        }
        let line = report.read + report.failed + 1;
        match serde_json::from_slice::<TextRecord>(&bytes) {
            Ok(record) => {
                report.read += 1;
                serde_json::to_writer(&mut output, &read_text(&record))?;
            }
            Err(error) => {
                report.failed += 1;
                let bad = BadLine { id: None, error: LineError { line, message: describe(&error) } };
                serde_json::to_writer(&mut output, &bad)?;
            }
        }
        output.write_all(b"\n")?;
    }
    output.flush()?;
    Ok(report)
}

/// serde's own message may quote the offending value, which may be personal: say only the kind and column.
fn describe(error: &serde_json::Error) -> String {
    use serde_json::error::Category;
    let what = match error.classify() {
        Category::Data => "not a text record: a field is missing, unknown or of the wrong type",
        Category::Syntax => "not valid json",
        Category::Eof => "json ends too early",
        Category::Io => "unreadable",
    };
    format!("{what} (column {})", error.column())
}
