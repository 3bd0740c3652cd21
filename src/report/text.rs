//! The report for a terminal.

use std::io::{self, Write};

use super::Report;
use super::html::{STATUSES, bytes, number, plain};
use super::segments::behind;
use super::tally::FACETS;
use super::warnings::percent;

/// Tells the report in lines.
///
/// # Errors
/// Not writable.
pub fn tell(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let (s, c) = (&report.summary, &report.summary.counts);
    let run = s.run_id.as_deref().unwrap_or("");
    writeln!(out, "{} {run}: {}, as of {}", s.pipeline, plain(&s.outcome), s.as_of.as_deref().unwrap_or("now"))?;
    let refused: u64 = c.refusals.values().sum();
    let [contacts, personas, signals] = [c.subjects, c.personas, c.evidence].map(number);
    writeln!(out, "  {contacts} contacts, {personas} personas, {signals} signals; {} refusals", number(refused))?;
    if let Some(worked_on) = c.worked_on() {
        writeln!(out, "  {worked_on}")?;
    }
    for w in &report.warnings {
        writeln!(out, "  WARNING  {}. {}.", w.what, w.advice)?;
    }
    writeln!(out, "known")?;
    for facet in FACETS {
        let Some(by) = report.facets.get(facet) else { continue };
        let others: Vec<String> = STATUSES
            .iter()
            .skip(1)
            .filter_map(|(status, called)| Some(format!("{} {called}", number(*by.get(*status)?))))
            .collect();
        let line = format!("  {:<22} {:>7}  {}", plain(facet), percent(report.known(facet)), others.join(", "));
        writeln!(out, "{}", line.trim_end())?;
    }
    of_segments(report, out)?;
    listed(out, "refused", &mut c.refusals.iter().map(|(what, n)| (what.clone(), *n)).collect())?;
    if !report.fetches.is_empty() {
        writeln!(out, "fetched        {} requests, {}", number(c.requests), bytes(c.bytes))?;
        for line in &report.fetches {
            let what = format!("{} {}: {}", plain(&line.class), plain(&line.what), plain(&line.outcome));
            writeln!(out, "  {:>8}  {what}", number(line.count))?;
        }
    }
    listed(out, "dead letters", &mut report.dead_letters.iter().map(|(what, n)| (plain(what), *n)).collect())?;
    since(report, out)?;
    if !s.tiers.is_empty() {
        writeln!(out, "depth of research")?;
    }
    for (tier, cost) in &s.tiers {
        let [companies, contacts, fetches] = [cost.companies, cost.contacts, cost.fetches].map(number);
        let (seconds, tier) = (cost.seconds, plain(tier));
        writeln!(
            out,
            "  {tier:<12} {companies} companies, {contacts} contacts, {fetches} fetches, {seconds:.3} s of CPU"
        )?;
    }
    let took = report.seconds().map_or_else(String::new, |seconds| format!(", {seconds:.1} s from start to end"));
    writeln!(out, "time by stage (CPU, but for fetch){took}")?;
    for (stage, seconds) in &s.stages {
        writeln!(out, "  {seconds:>8.3}  s {stage}")?;
    }
    Ok(())
}

fn since(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let Some(change) = &report.change else { return Ok(()) };
    writeln!(out, "since {}", change.since)?;
    if let Some(taken_out) = change.taken_out() {
        writeln!(out, "  {taken_out}")?;
    }
    for (what, n) in
        [("say the same", change.same), ("changed", change.changed), ("new", change.added), ("gone", change.removed)]
    {
        writeln!(out, "  {:>8}  {what}", number(n))?;
    }
    Ok(())
}

fn of_segments(report: &Report, out: &mut impl Write) -> io::Result<()> {
    if !report.segment_values.is_empty() {
        writeln!(out, "from segments")?;
    }
    for (what, line) in &report.segment_values {
        writeln!(out, "  {:>8}  {}: {}", number(line.personas), plain(what), behind(line))?;
    }
    Ok(())
}

fn listed(out: &mut impl Write, title: &str, rows: &mut Vec<(String, u64)>) -> io::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    rows.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    writeln!(out, "{title}")?;
    for (what, n) in rows {
        writeln!(out, "  {:>8}  {what}", number(*n))?;
    }
    Ok(())
}
