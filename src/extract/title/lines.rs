//! Titles as lines: one title a line in, one JSON object a line out.
//!
//! Invariant: as many lines out as in, in order; no input stops the stream but an I/O error.

use std::io::{self, BufRead, Write};

use serde::{Serialize, Serializer};

use super::{TitleEvidence, TitleReader, TitleReading};
use crate::taxonomy::{Facet, JobFunction, Language, Seniority, SigningPower};

/// Lines are written out from this many bytes.
const ROOM: usize = 1 << 16;

/// The JSON shape of one reading; the order of the fields is the contract.
#[derive(Serialize)]
struct Line<'a> {
    title: &'a str,
    job_function: &'a Facet<JobFunction>,
    secondary_functions: &'a [JobFunction],
    seniority: &'a Facet<Seniority>,
    signing_power: Option<SigningPower>,
    language: Option<Language>,
    evidence: Evidence<'a>,
}

/// Written one by one, without a list between.
struct Evidence<'a>(&'a [TitleEvidence]);

impl Serialize for Evidence<'_> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_seq(self.0.iter().map(|e| Span { span: [e.span.0, e.span.1], means: e.means }))
    }
}

#[derive(Serialize)]
struct Span<'a> {
    span: [usize; 2],
    means: &'a str,
}

impl<'a> Line<'a> {
    fn new(title: &'a str, r: &'a TitleReading) -> Self {
        Self {
            title,
            job_function: &r.job_function,
            secondary_functions: &r.secondary_functions,
            seniority: &r.seniority,
            signing_power: r.signing_power,
            language: r.language,
            evidence: Evidence(&r.evidence),
        }
    }
}

/// Explains one title a line, as text for people or as one JSON object a line.
pub fn explain_lines(input: impl BufRead, mut output: impl Write, json: bool) -> io::Result<()> {
    let reader = TitleReader::shipped();
    each_title(input, |title| {
        let explanation = reader.explain(title);
        if json {
            serde_json::to_writer(&mut output, &explanation)?;
            output.write_all(b"\n")
        } else {
            writeln!(output, "{explanation}")
        }
    })?;
    output.flush()
}

/// Reads one title a line and writes one JSON object a line; returns the number of lines.
pub fn title_lines(input: impl BufRead, mut output: impl Write) -> io::Result<u64> {
    let reader = TitleReader::shipped();
    let mut lines = Vec::with_capacity(ROOM + (1 << 12));
    let count = each_title(input, |title| {
        reader.lend(title, |reading| serde_json::to_writer(&mut lines, &Line::new(title, reading)))?;
        lines.push(b'\n');
        if lines.len() >= ROOM {
            output.write_all(&lines)?;
            lines.clear();
        }
        Ok(())
    })?;
    output.write_all(&lines)?;
    output.flush()?;
    Ok(count)
}

/// Hands on one title a line; returns the number of lines.
///
/// Blank lines give an empty title, invalid UTF-8 becomes U+FFFD, a carriage return before the line feed and a
/// byte order mark at the start are not part of a title.
fn each_title(mut input: impl BufRead, mut take: impl FnMut(&str) -> io::Result<()>) -> io::Result<u64> {
    let mut raw = Vec::new();
    let mut count = 0;
    loop {
        raw.clear();
        if input.read_until(b'\n', &mut raw)? == 0 {
            return Ok(count);
        }
        let line = raw.strip_suffix(b"\n").unwrap_or(&raw);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let line = if count == 0 { line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line) } else { line };
        take(&String::from_utf8_lossy(line))?;
        count += 1;
    }
}
