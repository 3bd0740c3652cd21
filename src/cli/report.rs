//! Answers to a data protection officer's questions, as lines for people.
//!
//! Invariant: short, aligned, plain words; ids, tags, counts and times only.

mod why;

use std::io::{self, Write};

use jiff::Timestamp;

use super::card::Style;
use crate::audit::report::assessments::Assessments;
use crate::audit::report::coverage::Coverage;
use crate::audit::report::denials::Denials;
use crate::audit::report::latency::{Distribution, Latency};
use crate::audit::report::notices::NoticesDue;
use crate::audit::report::retention::Overdue;
use crate::audit::report::ropa::Ropa;
use crate::audit::report::sources::{SourceUse, Sources};
use crate::audit::report::special_category::SpecialCategory;
use crate::audit::report::violations::Violations;
use crate::audit::report::{Finding, Findings};
use crate::safe_text::terminal_text;

/// How many findings of all kinds people are shown; `--json` lists more.
const SHOWN: usize = 20;

/// Where lines go.
pub(super) struct Page<'a> {
    out: &'a mut dyn Write,
    style: Style,
}

impl<'a> Page<'a> {
    pub fn new(out: &'a mut dyn Write) -> Self {
        Self { out, style: Style::detect() }
    }

    fn title(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out, "{}{}{}", self.style.bold(), terminal_text(text), self.style.reset())
    }

    fn line(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out, "{}", terminal_text(text))
    }

    fn row(&mut self, label: &str, value: &str) -> io::Result<()> {
        writeln!(self.out, "  {label:<14}{}", terminal_text(value))
    }

    fn findings(&mut self, findings: &Findings) -> io::Result<()> {
        if findings.total() == 0 {
            return self.line("nothing found");
        }
        self.title(&format!("{} found", findings.total()))?;
        for (kind, count) in &findings.counts {
            writeln!(self.out, "  {count:>6}  {kind}")?;
        }
        writeln!(self.out)?;
        findings.listed.iter().take(SHOWN).try_for_each(|finding| self.finding(finding))?;
        let more = findings.total().saturating_sub(SHOWN.min(findings.listed.len()) as u64);
        if more > 0 {
            self.line(&format!("  and {more} more: --json lists up to 100 of each kind"))?;
        }
        Ok(())
    }

    fn finding(&mut self, finding: &Finding) -> io::Result<()> {
        let place = [
            finding.leaf.map(|n| format!("log entry {n}")),
            finding.event.as_ref().map(|e| format!("ledger entry {}", e.entry)),
            finding.table.map(|t| format!("{t} {}", finding.row.as_deref().unwrap_or_default())),
            finding.column.as_ref().map(|c| format!("column {c}")),
            finding.about.clone().filter(|about| finding.row.as_ref() != Some(about)),
            finding.snapshot.as_ref().map(|s| format!("snapshot {s}")),
        ];
        let place: Vec<String> = place.into_iter().flatten().collect();
        self.line(&format!("  {}: {}", finding.kind, finding.says))?;
        if place.is_empty() { Ok(()) } else { self.line(&format!("    {}", place.join(", "))) }
    }
}

/// An answer that people can read.
pub(super) trait Tell {
    /// Whether it found something that must not be: exit code 1.
    fn found(&self) -> bool;
    /// Whether something could not be checked: exit code 2, if nothing was found.
    fn unchecked(&self) -> bool {
        false
    }
    /// Prints it.
    fn tell(&self, page: &mut Page<'_>) -> io::Result<()>;
}

impl Tell for Coverage {
    fn found(&self) -> bool {
        self.findings.total() > 0
    }

    fn tell(&self, page: &mut Page<'_>) -> io::Result<()> {
        let r = &self.rows;
        page.title(&format!("{} snapshots against {} log entries", self.snapshots, self.leaves))?;
        page.row(
            "rows",
            &format!(
                "{} personas, {} evidence, {} documents, {} members",
                r.personas, r.evidence, r.documents, r.members
            ),
        )?;
        page.row("decisions", &format!("{}, of which {} are in the log", r.decisions, self.in_log))?;
        page.row(
            "permits",
            &format!("{} unused, {} whose row was removed on purpose", self.unused_permits, self.explained),
        )?;
        page.findings(&self.findings)
    }
}

impl Tell for Denials {
    fn found(&self) -> bool {
        false
    }

    fn tell(&self, page: &mut Page<'_>) -> io::Result<()> {
        page.title(&format!("{} refusals in {} decisions, {} people", self.refusals, self.decisions, self.subjects))?;
        if self.refusals > 0 {
            writeln!(page.out, "  {:<34}{:>9}{:>9}{:>8}{:>8}", "", "refusals", "primary", "share", "people")?;
        }
        for g in &self.groups {
            let share = format!("{:.1} %", g.share * 100.0);
            let name = terminal_text(&g.name);
            writeln!(page.out, "  {name:<34}{:>9}{:>9}{share:>8}{:>8}", g.refusals, g.primary, g.subjects)?;
        }
        Ok(())
    }
}

impl Tell for Latency {
    fn found(&self) -> bool {
        self.n_after_known > 0
    }

    fn tell(&self, page: &mut Page<'_>) -> io::Result<()> {
        page.title("from a withdrawal, objection or erasure to the last processing")?;
        writeln!(page.out, "  {:<14}{:>8}{:>12}{:>12}{:>12}", "", "events", "p50", "p95", "max")?;
        for (label, d) in
            [("recorded", self.from_recorded), ("known here", self.from_known), ("erase request", self.erasures)]
        {
            let Distribution { count, p50, p95, max } = d;
            writeln!(page.out, "  {label:<14}{count:>8}{:>12}{:>12}{:>12}", span(p50), span(p95), span(max))?;
        }
        if self.n_after_known > 0 {
            page.line(&format!("{} events were followed by processing that they forbid", self.n_after_known))?;
        }
        for d in self.over_threshold.iter().take(SHOWN) {
            let kind = format!("{:?}", d.event.kind).to_lowercase();
            let recorded = d.seconds_from_recorded.map_or("no date".to_owned(), span);
            let text = format!(
                "  {} {kind} (ledger entry {}): last processing {recorded} after it was recorded, {} after it was known, \
                 log entry {}",
                d.subject,
                d.event.entry,
                span(d.seconds_from_known),
                d.leaf
            );
            page.line(&text)?;
        }
        if self.n_over_threshold == 0 {
            page.line(&format!("none took longer than {}", span(self.threshold_seconds)))?;
        }
        Ok(())
    }
}

impl Tell for Violations {
    fn found(&self) -> bool {
        self.findings.total() > 0
    }

    fn tell(&self, page: &mut Page<'_>) -> io::Result<()> {
        let Self { leaves, permits, rows, .. } = self;
        page.title(&format!("{permits} permits in {leaves} log entries, {rows} current personas"))?;
        for policy in &self.unchecked {
            page.row("UNCHECKED", &format!("{policy} is missing: what was permitted under it cannot be judged"))?;
        }
        page.findings(&self.findings)
    }

    fn unchecked(&self) -> bool {
        !self.unchecked.is_empty()
    }
}

impl Tell for SpecialCategory {
    fn found(&self) -> bool {
        self.findings.total() > 0
    }

    fn tell(&self, page: &mut Page<'_>) -> io::Result<()> {
        page.title(&format!("{} texts in {} snapshots", self.texts, self.snapshots))?;
        page.findings(&self.findings)
    }
}

impl Tell for Ropa {
    fn found(&self) -> bool {
        !self.unknown_policies.is_empty()
    }

    fn tell(&self, page: &mut Page<'_>) -> io::Result<()> {
        page.out.write_all(self.markdown().as_bytes())?;
        self.unknown_policies.iter().try_for_each(|hash| page.line(&format!("\nunknown policy: {hash}")))
    }
}

impl Tell for Sources {
    fn found(&self) -> bool {
        self.findings.total() > 0
    }

    fn tell(&self, page: &mut Page<'_>) -> io::Result<()> {
        page.row("policy", self.policy.as_deref().unwrap_or("none was applied yet"))?;
        self.sources.iter().try_for_each(|source| tell_source(page, source))?;
        page.line("")?;
        page.findings(&self.findings)
    }
}

fn tell_source(page: &mut Page<'_>, source: &SourceUse) -> io::Result<()> {
    page.line("")?;
    page.title(&source.id)?;
    match &source.registered {
        None => page.row("registered", "no")?,
        Some(r) => {
            let lower = |text: String| text.to_lowercase();
            page.row("class", &format!("{}, {}", r.class, lower(format!("{:?}", r.visibility))))?;
            let terms = lower(format!("{:?}", r.terms));
            page.row("terms", &format!("{terms}, {}", r.terms_url.as_deref().unwrap_or("no address on file")))?;
            page.row("contract", &r.contract_until.map_or("none".to_owned(), |d| format!("until {d}")))?;
            let hosts = if r.hosts.is_empty() { "none of its own".to_owned() } else { r.hosts.join(", ") };
            page.row("hosts", &hosts)?;
            page.row("purposes", &r.purposes.join(", "))?;
            if r.revoked {
                page.row("revoked", "yes")?;
            }
        }
    }
    let counts = |m: &std::collections::BTreeMap<String, u64>| {
        m.iter().map(|(name, n)| format!("{n} {name}")).collect::<Vec<_>>().join(", ")
    };
    if source.outcomes.is_empty() {
        page.row("fetched", "nothing")?;
    } else {
        page.row("fetched", &format!("{} at {} hosts", counts(&source.outcomes), source.hosts_asked))?;
        let statuses = source.statuses.iter().map(|(status, n)| format!("{n} x {status}")).collect::<Vec<_>>();
        page.row("status", &statuses.join(", "))?;
    }
    let (robots, tdm, refused) = (source.robots_opt_outs, source.tdm_opt_outs, source.refused_for_opt_out);
    page.row("opt-outs", &format!("{robots} robots, {tdm} rights reserved, {refused} refusals for them"))
}

impl Tell for Overdue {
    fn found(&self) -> bool {
        self.findings.total() > 0
    }

    fn tell(&self, page: &mut Page<'_>) -> io::Result<()> {
        page.title(&format!("{} rows about people in {} snapshots", self.rows, self.snapshots))?;
        page.row("next to end", &maybe(self.next))?;
        page.findings(&self.findings)
    }
}

impl Tell for NoticesDue {
    fn found(&self) -> bool {
        self.overdue > 0
    }

    fn tell(&self, page: &mut Page<'_>) -> io::Result<()> {
        page.title(&format!("{} notices due, {} of them overdue", self.due.len(), self.overdue))?;
        for due in &self.due {
            let late = if due.overdue { "overdue" } else { "" };
            let first = due.disclosed_at.map_or(String::new(), |at| format!(", disclosed {}", time(at)));
            let (until, subject, purpose) = (time(due.due_at), &due.subject, &due.purpose);
            page.line(&format!("  {until}  {late:<8} {subject}  {purpose}{first}"))?;
        }
        Ok(())
    }
}

impl Tell for Assessments {
    fn found(&self) -> bool {
        self.findings.total() > 0
    }

    fn tell(&self, page: &mut Page<'_>) -> io::Result<()> {
        for a in &self.assessments {
            let kind = format!("{:?}", a.kind).to_uppercase();
            let left = if a.days_left < 0 { "expired".to_owned() } else { format!("{} days left", a.days_left) };
            page.title(&format!("{} ({kind}) for {}", a.id, a.purposes.join(", ")))?;
            page.row("approved", &format!("{} by {}", a.approved_at, a.approved_by))?;
            page.row("expires", &format!("{}, {left}", a.expires_at))?;
            page.row("permits", &format!("{} rest on it, {} to {}", a.permits, maybe(a.first), maybe(a.last)))?;
            page.row("policy", &format!("{}{}", a.policy, if a.current { ", applied now" } else { "" }))?;
        }
        page.findings(&self.findings)
    }
}

/// Without fractions.
fn time(at: Timestamp) -> String {
    Timestamp::from_second(at.as_second()).unwrap_or(at).to_string()
}

fn maybe(at: Option<Timestamp>) -> String {
    at.map_or_else(|| "none".to_owned(), time)
}

/// A delay in the largest fitting unit.
fn span(seconds: i64) -> String {
    match seconds {
        s if s >= 2 * 86_400 => format!("{} d", s / 86_400),
        s if s >= 2 * 3_600 => format!("{} h", s / 3_600),
        s if s >= 120 => format!("{} min", s / 60),
        s => format!("{s} s"),
    }
}
