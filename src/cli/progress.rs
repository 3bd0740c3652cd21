//! Progress of a run: bars on a terminal, plain lines elsewhere; and the summary at its end.
//!
//! Invariant: counts only.

use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicUsize, Ordering};

use indicatif::{ProgressBar, ProgressStyle};

use super::LogFormat;
use super::card::Style;
use crate::run::Observer;
use crate::run::summary::{Counts, Summary};

/// Shows what a run does.
pub(super) struct Progress {
    mode: Mode,
    planned: AtomicUsize,
    groups: AtomicUsize,
    fetches: AtomicUsize,
    resumed: AtomicUsize,
    personas: AtomicUsize,
}

enum Mode {
    Quiet,
    Bar(ProgressBar),
    Lines,
    Json,
}

impl Progress {
    pub fn start(quiet: bool, format: LogFormat) -> Self {
        let mode = match (quiet, format) {
            (true, _) => Mode::Quiet,
            (false, LogFormat::Json) => Mode::Json,
            (false, LogFormat::Text) if io::stderr().is_terminal() => {
                let bar = ProgressBar::new(0);
                let style = ProgressStyle::with_template("{bar:32} {pos}/{len} companies  {msg}  {elapsed}");
                bar.set_style(style.expect("a template of ours"));
                bar.enable_steady_tick(std::time::Duration::from_millis(200));
                Mode::Bar(bar)
            }
            (false, LogFormat::Text) => Mode::Lines,
        };
        Self::in_mode(mode)
    }

    /// As [`Self::start`], but never with a bar: what stands above it is still to be read.
    pub fn plain(quiet: bool, format: LogFormat) -> Self {
        Self::in_mode(match (quiet, format) {
            (true, _) => Mode::Quiet,
            (false, LogFormat::Json) => Mode::Json,
            (false, LogFormat::Text) => Mode::Lines,
        })
    }

    fn in_mode(mode: Mode) -> Self {
        let zero = || AtomicUsize::new(0);
        Self { mode, planned: zero(), groups: zero(), fetches: zero(), resumed: zero(), personas: zero() }
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        if let Mode::Bar(bar) = &self.mode {
            bar.finish_and_clear();
        }
    }

    fn message(&self) -> String {
        let count = |n: &AtomicUsize| n.load(Ordering::Relaxed);
        let resumed = match count(&self.resumed) {
            0 => String::new(),
            n => format!(" ({n} from before)"),
        };
        format!("{} fetches{resumed}, {} personas", count(&self.fetches), count(&self.personas))
    }

    fn line(&self) {
        let (done, planned) = (self.groups.load(Ordering::Relaxed), self.planned.load(Ordering::Relaxed));
        match &self.mode {
            Mode::Bar(bar) => {
                bar.set_position(done as u64);
                bar.set_message(self.message());
            }
            // A line for each tenth: enough to see that it moves, few enough for a log.
            Mode::Lines if done == planned || done % planned.div_ceil(10).max(1) == 0 => {
                eprintln!("{done}/{planned} companies, {}", self.message());
            }
            Mode::Json if done == planned || done % planned.div_ceil(10).max(1) == 0 => {
                let count = |n: &AtomicUsize| n.load(Ordering::Relaxed);
                let event = serde_json::json!({
                    "event": "progress", "companies": done, "planned": planned, "fetches": count(&self.fetches),
                    "resumed_fetches": count(&self.resumed), "personas": count(&self.personas),
                });
                eprintln!("{event}");
            }
            Mode::Quiet | Mode::Lines | Mode::Json => {}
        }
    }
}

impl Observer for Progress {
    fn planned(&self, groups: usize) {
        self.planned.store(groups, Ordering::Relaxed);
        match &self.mode {
            Mode::Bar(bar) => bar.set_length(groups as u64),
            Mode::Lines => eprintln!("{} to work on", plural(groups, "company", "companies")),
            Mode::Quiet | Mode::Json => {}
        }
    }

    fn fetched(&self, _outcome: &str, resumed: bool) {
        self.fetches.fetch_add(1, Ordering::Relaxed);
        self.resumed.fetch_add(usize::from(resumed), Ordering::Relaxed);
        if let Mode::Bar(bar) = &self.mode {
            bar.set_message(self.message());
        }
    }

    fn group_done(&self, is_company: bool, personas: usize) {
        self.groups.fetch_add(usize::from(is_company), Ordering::Relaxed);
        self.personas.fetch_add(personas, Ordering::Relaxed);
        if is_company {
            self.line();
        }
    }
}

/// Prints the summary of a run, for people.
pub(super) fn tell(summary: &Summary) -> io::Result<()> {
    let style = Style::detect();
    let mut out = io::stdout().lock();
    let counts = &summary.counts;
    let what = summary.run_id.as_deref().unwrap_or("dry run: nothing was fetched or written");
    writeln!(out, "{}{}{}  {what}", style.bold(), summary.pipeline, style.reset())?;
    if summary.starts > 1 && summary.run_id.is_some() {
        writeln!(out, "  continued   {} fetches were there from before", summary.resumed_fetches)?;
    }
    let companies = plural(counts.accounts as usize, "company", "companies");
    writeln!(out, "  contacts    {} in {companies}", counts.subjects)?;
    if let Some(worked_on) = counts.worked_on() {
        writeln!(out, "              {worked_on}")?;
    }
    left_out(&mut out, counts)?;
    let refused: u64 = counts.refusals.values().sum();
    writeln!(out, "  gate        {} permits, {refused} refusals", counts.permits)?;
    listed(&mut out, &counts.refusals)?;
    if summary.run_id.is_none() {
        return asked(&mut out, summary);
    }
    let pages: u64 = counts.documents.values().sum();
    let (files, requests, bytes) = (counts.host_files, counts.requests, counts.bytes / 1000);
    writeln!(
        out,
        "  fetches     {pages} pages, {files} robots.txt, tdmrep.json and ai.txt files; {requests} requests, {bytes} kB"
    )?;
    listed(&mut out, &counts.documents)?;
    if counts.not_modified > 0 {
        writeln!(out, "              {:>4} of the pages fetched had not changed (304)", counts.not_modified)?;
    }
    writeln!(out, "  personas    {} of {} contacts, {} signals", counts.personas, counts.subjects, counts.evidence)?;
    for (facet, known) in &counts.known {
        writeln!(out, "              {known:>4} know their {}", facet.replace('_', " "))?;
    }
    writeln!(out, "  dead letters {}", counts.dead_letters)?;
    if let (0, Some(reason)) = (counts.personas, most_frequent(&counts.refusals)) {
        writeln!(
            out,
            "  {}nobody may be written about; the most frequent reason is {reason}{}",
            style.bold(),
            style.reset()
        )?;
    }
    let home = summary.home.display();
    writeln!(out, "\ntables: {home}/{}/{}", summary.pipeline, snapshot_name(summary))?;
    let at = if summary.home.as_os_str() == super::DEFAULT_HOME { String::new() } else { format!(" --out {home}") };
    writeln!(out, "look:   prosopon report{at}")?;
    writeln!(out, "        prosopon inspect personas{at}")?;
    writeln!(out, "        prosopon inspect dead_letters{at}")?;
    writeln!(out, "        prosopon status{at}")
}

/// Contacts of the exports who are not worked on.
fn left_out(out: &mut impl Write, counts: &Counts) -> io::Result<()> {
    if counts.suppressed > 0 {
        writeln!(out, "              {} more were erased before and are left out", counts.suppressed)?;
        let (address, name) = (counts.suppressed_by_address, counts.suppressed_by_name);
        if address + name > 0 {
            let all = address + name;
            writeln!(
                out,
                "              {all} of these under a new record ({address} by an address, {name} by the name"
            )?;
            writeln!(out, "              at that company): the erased person, or a successor or namesake")?;
        }
    }
    if counts.gone > 0 {
        writeln!(out, "              {} more were deleted or merged in the CRM", counts.gone)?;
    }
    Ok(())
}

fn most_frequent(counts: &std::collections::BTreeMap<String, u64>) -> Option<&str> {
    counts.iter().max_by_key(|(_, count)| **count).map(|(what, _)| what.as_str())
}

/// "1 company", "2 companies".
fn plural(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

fn snapshot_name(summary: &Summary) -> String {
    format!("snapshot={}", summary.run_id.as_deref().unwrap_or(""))
}

fn listed(out: &mut impl Write, counts: &std::collections::BTreeMap<String, u64>) -> io::Result<()> {
    let mut rows: Vec<_> = counts.iter().collect();
    rows.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    for (what, count) in rows {
        writeln!(out, "              {count:>4} {what}")?;
    }
    Ok(())
}

fn asked(out: &mut impl Write, summary: &Summary) -> io::Result<()> {
    writeln!(out, "  asked")?;
    for (what, count) in &summary.asked {
        writeln!(out, "              {count:>4} {what}")?;
    }
    writeln!(out, "  pages are proposed only after robots.txt was read, so a dry run does not list them")
}
