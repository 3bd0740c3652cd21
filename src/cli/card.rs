//! What cards look like: style, columns, wrapping.
//!
//! Invariant: colour only on a terminal that wants it; text from tables is made safe by the sink and again here.

use std::io::{self, IsTerminal, Write};

use crate::model::Signal;
use crate::safe_text::terminal_text;
use crate::taxonomy::FacetStatus;

/// Width of the first column of a card, without the blank behind it.
const LABEL: usize = 17;

/// Escape sequences, or nothing.
#[derive(Debug, Clone, Copy)]
pub(super) struct Style {
    on: bool,
}

impl Style {
    /// Colours on a terminal, unless `NO_COLOR` is set.
    pub fn detect() -> Self {
        Self { on: io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none() }
    }

    pub const fn bold(self) -> &'static str {
        if self.on { "\u{1b}[1m" } else { "" }
    }

    pub const fn dim(self) -> &'static str {
        if self.on { "\u{1b}[2m" } else { "" }
    }

    pub const fn reset(self) -> &'static str {
        if self.on { "\u{1b}[0m" } else { "" }
    }
}

/// Whether stderr may be coloured: on a terminal, unless `NO_COLOR` is set.
pub(super) fn stderr_wants_colour() -> bool {
    io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none()
}

/// Columns of the terminal, 100 where it does not tell.
pub(super) fn terminal_width() -> usize {
    terminal_size::terminal_size().map_or(100, |(width, _)| usize::from(width.0))
}

/// A card on its way to a writer.
pub(super) struct Card<'a, W: Write> {
    pub out: &'a mut W,
    pub style: Style,
}

impl<W: Write> Card<'_, W> {
    pub fn title(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out, "{}{}{}", self.style.bold(), terminal_text(text), self.style.reset())
    }

    pub fn note(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out, "{}{}{}", self.style.dim(), terminal_text(text), self.style.reset())
    }

    pub fn section(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out, "\n{}{text}{}", self.style.bold(), self.style.reset())
    }

    /// A line of its own within a section.
    pub fn line(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out, "  {}", terminal_text(text))
    }

    /// A label and its value.
    pub fn row(&mut self, label: &str, value: &str) -> io::Result<()> {
        writeln!(self.out, "  {label:<LABEL$} {}", terminal_text(value))
    }

    /// A label, a value and how sure it is; or why there is none.
    pub fn facet(&mut self, label: &str, value: Option<&str>, p: Option<f64>, status: FacetStatus) -> io::Result<()> {
        let label = readable(label);
        match (value, p) {
            (Some(value), Some(p)) if status == FacetStatus::StudyPrior => {
                let (dim, reset) = (self.style.dim(), self.style.reset());
                writeln!(
                    self.out,
                    "  {label:<LABEL$} {dim}perhaps {value} ({p:.2}): a prior, nothing known of this one{reset}"
                )
            }
            (Some(value), Some(p)) => {
                writeln!(self.out, "  {label:<LABEL$} {:<34}{}", terminal_text(&readable(value)), meter(p))
            }
            (Some(value), None) => self.row(&label, &readable(value)),
            (None, _) => {
                let (dim, reset) = (self.style.dim(), self.style.reset());
                writeln!(self.out, "  {label:<LABEL$} {dim}unknown: {}{reset}", why(status))
            }
        }
    }

    /// A quote with its source.
    pub fn quote(&mut self, signal: &Signal) -> io::Result<()> {
        let evidence = &signal.evidence;
        let place = evidence.host.as_deref().unwrap_or("CRM");
        let day = jiff::tz::Offset::UTC.to_datetime(evidence.observed_at).date();
        let (dim, reset) = (self.style.dim(), self.style.reset());
        // A path through a page's elements tells a person nothing.
        let locator = if evidence.locator.contains('›') { "text of the page" } else { &evidence.locator };
        writeln!(
            self.out,
            "  {:<LABEL$} \"{}\" {dim}{place}, {}, {day}, says {} ({:.2}){reset}",
            "",
            terminal_text(&evidence.quote),
            terminal_text(locator),
            terminal_text(&readable(&signal.claim.value())),
            signal.weight,
        )
    }
}

/// A term of a vocabulary as people read it.
pub(super) fn readable(term: &str) -> String {
    match term {
        "c_level" => "C-level".to_owned(),
        "vp" => "vice president".to_owned(),
        "it" => "IT".to_owned(),
        "engineering_rnd" => "engineering, R&D".to_owned(),
        "sustainability_ehs" => "sustainability, EHS".to_owned(),
        other => other.replace('_', " "),
    }
}

/// A probability as number and bar.
pub(super) fn meter(p: f64) -> String {
    let filled = (p * 10.0).round().clamp(0.0, 10.0) as usize;
    format!("{p:.2} {}{}", "█".repeat(filled), "░".repeat(10 - filled))
}

/// Why a facet has no value, for people.
pub(super) const fn why(status: FacetStatus) -> &'static str {
    match status {
        FacetStatus::Known => "known",
        FacetStatus::Segment => "only what holds for most of those in the same position of whom it is known",
        FacetStatus::StudyPrior => "only what studies say of such people",
        FacetStatus::InsufficientEvidence => "too little evidence",
        FacetStatus::Conflicting => "the evidence contradicts itself",
        FacetStatus::Stale => "the evidence is too old",
        FacetStatus::IdentityUncertain => "what was found may be about somebody else",
        FacetStatus::NoConsent => "not permitted: no consent or other basis, or the site's opt-out",
        FacetStatus::NotApplicable => "does not apply",
    }
}
