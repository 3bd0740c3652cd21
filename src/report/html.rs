//! The report as one page: self-contained, printable, light and dark.
//!
//! Invariant: no script, no external resource; every value is escaped; nothing is told by colour alone.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::segments;
use super::tally::{FACETS, NO_ROLE};
use super::warnings::percent;
use super::{Change, Report};
use crate::page::{self, escape};

const STYLE: &str = include_str!("page.css");

/// Statuses in the order of a bar, with what they are called.
pub(super) const STATUSES: [(&str, &str); 10] = [
    ("known", "known"),
    (NO_ROLE, "none held"),
    ("segment", "from the segment"),
    ("study_prior", "from studies"),
    ("conflicting", "conflicting"),
    ("stale", "too old"),
    ("identity_uncertain", "not surely the person"),
    ("insufficient_evidence", "too little evidence"),
    // Which of them it was is told by the refusals: the tables keep one status for both.
    ("no_consent", "not permitted (basis or opt-out)"),
    ("not_applicable", "does not apply"),
];

/// The page.
#[must_use]
pub fn html(report: &Report) -> String {
    let mut page = Page { report, out: String::with_capacity(32 * 1024) };
    page.write();
    page.out
}

/// 12345 -> 12,345
pub(super) fn number(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

pub(super) fn bytes(n: u64) -> String {
    match n {
        0..1_000 => format!("{n} B"),
        1_000..1_000_000 => format!("{:.1} kB", n as f64 / 1e3),
        _ => format!("{:.1} MB", n as f64 / 1e6),
    }
}

/// `job_function` -> `job function`
pub(super) fn plain(word: &str) -> String {
    word.replace('_', " ")
}

struct Page<'r> {
    report: &'r Report,
    out: String,
}

impl Page<'_> {
    fn write(&mut self) {
        let (report, summary) = (self.report, &self.report.summary);
        let name = escape(&summary.pipeline);
        self.out.push_str(&page::begin("en", &format!("{}: run report", summary.pipeline), STYLE));
        self.out.push_str("<main>\n");
        let outcome = plain(&summary.outcome);
        let run = summary.run_id.as_deref().unwrap_or("");
        let _ = writeln!(
            self.out,
            "<header>\n<p class=\"eyebrow\">Prosopon run report</p>\n<h1>{name}</h1>\n\
             <p class=\"meta\"><span class=\"badge {}\">{}</span> as of {}, finished {}{}</p>\n\
             <p class=\"meta small\">{}</p>\n</header>",
            escape(&summary.outcome),
            escape(&outcome),
            escape(summary.as_of.as_deref().unwrap_or("now")),
            escape(&report.finished_at),
            report.seconds().map_or_else(String::new, |seconds| format!(" after {seconds:.1} s")),
            escape(run),
        );
        self.warnings();
        self.tiles();
        self.coverage();
        self.out.push_str(&segments::section(report));
        self.refusals();
        self.fetches();
        self.tiers();
        self.time();
        self.change();
        self.rest();
        self.out.push_str("</main>\n</body>\n</html>\n");
    }

    fn heading(&mut self, id: &str, title: &str, lead: &str) {
        let _ = writeln!(
            self.out,
            "<section id=\"{id}\">\n<h2>{}</h2>\n<p class=\"lead\">{}</p>",
            escape(title),
            escape(lead)
        );
    }

    fn close(&mut self) {
        self.out.push_str("</section>\n");
    }

    fn none(&mut self, text: &str) {
        let _ = writeln!(self.out, "<p class=\"none\">{}</p>", escape(text));
    }

    fn warnings(&mut self) {
        let warnings = &self.report.warnings;
        if warnings.is_empty() {
            self.out.push_str("<p class=\"fine\">Nothing unusual: no warning about the quality of the data.</p>\n");
            return;
        }
        let _ = writeln!(self.out, "<ul class=\"warnings\" aria-label=\"Warnings\">");
        for w in warnings {
            let _ =
                writeln!(self.out, "<li><strong>Warning: {}.</strong> {}.</li>", escape(&w.what), escape(&w.advice));
        }
        self.out.push_str("</ul>\n");
    }

    fn tiles(&mut self) {
        let c = &self.report.summary.counts;
        let before = self.report.change.as_ref();
        let beside = |words: &str| format!("<span class=\"delta\">{words}</span>");
        let delta = |now: u64, before: Option<u64>| match before {
            Some(before) if before != now => {
                let sign = if now > before { '+' } else { '−' };
                beside(&format!("{sign}{} since the run before", number(now.abs_diff(before))))
            }
            Some(_) => beside("as in the run before"),
            None => String::new(),
        };
        let refusals = c.refusals.values().sum::<u64>();
        let tiles = [
            ("contacts", c.subjects, c.worked_on().map_or(String::new(), |told| beside(&told))),
            ("personas", c.personas, delta(c.personas, before.map(Change::personas_then))),
            ("companies", c.accounts, String::new()),
            ("signals", c.evidence, String::new()),
            ("permits", c.permits, String::new()),
            ("refusals", refusals, delta(refusals, before.map(|b| b.refusals_before.values().sum()))),
            ("requests sent", c.requests, String::new()),
            ("dead letters", c.dead_letters, delta(c.dead_letters, before.map(|b| b.dead_letters_before))),
        ];
        self.out.push_str("<dl class=\"tiles\">\n");
        for (name, n, delta) in tiles {
            let _ = writeln!(self.out, "<div><dt>{name}</dt><dd>{}</dd>{delta}</div>", number(n));
        }
        self.out.push_str("</dl>\n");
    }

    fn coverage(&mut self) {
        let personas = self.report.summary.counts.personas;
        self.heading(
            "coverage",
            "What is known",
            "By facet, the share of personas of whom it is known (of buying roles: of at least one that the person has it; none held is of all that are known that they have it not), \
             and why it is not known of the others. Unknown is an answer: where evidence is thin, nothing is guessed. Not permitted is \
             what no consent or other basis allows, and what robots.txt or a reservation of the site keeps away: what the gate \
             refused tells how often which.",
        );
        if personas == 0 {
            self.none("No persona was written.");
            return self.close();
        }
        self.out.push_str("<table class=\"bars\">\n<thead><tr><th>facet</th><th class=\"n\">known</th><th>personas by status</th></tr></thead>\n<tbody>\n");
        for facet in FACETS {
            let Some(by) = self.report.facets.get(facet) else { continue };
            let mut bar = String::new();
            for (status, called) in STATUSES {
                let n = by.get(status).copied().unwrap_or(0);
                if n > 0 {
                    let share = n as f64 / personas as f64 * 100.0;
                    let _ = write!(
                        bar,
                        "<span class=\"s-{status}\" style=\"width:{share:.2}%\" title=\"{called}: {}\"></span>",
                        number(n)
                    );
                }
            }
            let told: Vec<String> = STATUSES
                .iter()
                .filter_map(|(status, called)| Some(format!("{} {called}", number(*by.get(*status)?))))
                .collect();
            let _ = writeln!(
                self.out,
                "<tr><th>{}</th><td class=\"n\">{}</td><td><div class=\"stack\" aria-hidden=\"true\">{bar}</div>\
                 <span class=\"small\">{}</span></td></tr>",
                plain(facet),
                percent(self.report.known(facet)),
                told.join(", ")
            );
        }
        self.out.push_str("</tbody>\n</table>\n");
        let (tiers, notices) = (&self.report.tiers, &self.report.notices);
        let line = |what: &str, by: &BTreeMap<String, u64>| {
            let parts: Vec<String> = by.iter().map(|(k, n)| format!("{} {}", number(*n), plain(k))).collect();
            format!("<p class=\"small\">{what}: {}.</p>\n", escape(&parts.join(", ")))
        };
        let lines = [line("Depth of research", tiers), line("Notices under Art. 14", notices)].concat();
        self.out.push_str(&lines);
        self.close();
    }

    /// A table of counts with bars, the largest first.
    fn counts(&mut self, what: &str, rows: &[(String, u64, Option<u64>)]) {
        let most = rows.iter().map(|r| r.1).max().unwrap_or(1).max(1);
        let with_before = rows.iter().any(|r| r.2.is_some());
        let before = if with_before { "<th class=\"n\">before</th>" } else { "" };
        let _ = writeln!(
            self.out,
            "<table class=\"bars\">\n<thead><tr><th>{what}</th><th class=\"n\">number</th>{before}<th></th></tr></thead>\n<tbody>"
        );
        for (name, n, before) in rows {
            let before = match (with_before, before) {
                (true, Some(b)) => format!("<td class=\"n soft\">{}</td>", number(*b)),
                (true, None) => "<td class=\"n soft\">0</td>".to_owned(),
                (false, _) => String::new(),
            };
            let _ = writeln!(
                self.out,
                "<tr><th>{}</th><td class=\"n\">{}</td>{before}<td><div class=\"bar\" aria-hidden=\"true\">\
                 <span style=\"width:{:.2}%\"></span></div></td></tr>",
                escape(name),
                number(*n),
                *n as f64 / most as f64 * 100.0
            );
        }
        self.out.push_str("</tbody>\n</table>\n");
    }

    fn refusals(&mut self) {
        self.heading(
            "refusals",
            "What the gate refused",
            "By the first reason that held. The decisions table has all reasons of each.",
        );
        let refusals = &self.report.summary.counts.refusals;
        let before = self.report.change.as_ref().map(|c| &c.refusals_before);
        let mut rows: Vec<_> = refusals
            .iter()
            .map(|(reason, n)| (reason.clone(), *n, before.and_then(|b| b.get(reason).copied())))
            .collect();
        rows.sort_by_key(|(_, n, _)| std::cmp::Reverse(*n));
        if rows.is_empty() {
            self.none("Nothing was refused.");
        } else {
            self.counts("reason", &rows);
        }
        self.close();
    }

    fn fetches(&mut self) {
        let c = &self.report.summary.counts;
        let limit = self.report.requests_limit.map_or(String::new(), |n| format!(" of {} allowed", number(n)));
        let lead = format!("{}{limit} requests, {} received.", number(c.requests), bytes(c.bytes));
        self.heading("fetches", "What was fetched", &lead);
        if self.report.fetches.is_empty() {
            self.none("Nothing was fetched.");
            return self.close();
        }
        self.out.push_str(
            "<table>\n<thead><tr><th>class of host</th><th>what</th><th>outcome</th><th class=\"n\">number</th><th class=\"n\">requests</th>\
             <th class=\"n\">received</th></tr></thead>\n<tbody>\n",
        );
        for line in &self.report.fetches {
            let _ = writeln!(
                self.out,
                "<tr><td>{}</td><td>{}</td><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td></tr>",
                escape(&plain(&line.class)),
                escape(&plain(&line.what)),
                escape(&plain(&line.outcome)),
                number(line.count),
                number(line.requests),
                bytes(line.bytes)
            );
        }
        self.out.push_str("</tbody>\n</table>\n");
        self.close();
    }

    /// What each depth of research cost.
    fn tiers(&mut self) {
        self.heading(
            "tiers",
            "What each depth of research cost",
            "Companies are assigned by their value (tiers of the pipeline). Seconds are CPU time of the work on them, \
             without the log and waiting for hosts.",
        );
        self.out.push_str(
            "<table>\n<thead><tr><th>depth</th><th class=\"n\">companies</th><th class=\"n\">contacts</th>\
             <th class=\"n\">fetches</th><th class=\"n\">received</th><th class=\"n\">seconds</th></tr></thead>\n<tbody>\n",
        );
        for (tier, cost) in &self.report.summary.tiers {
            let _ = writeln!(
                self.out,
                "<tr><th>{}</th><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td>\
                 <td class=\"n\">{:.3}</td></tr>",
                escape(&plain(tier)),
                number(cost.companies),
                number(cost.contacts),
                number(cost.fetches),
                bytes(cost.bytes),
                cost.seconds
            );
        }
        self.out.push_str("</tbody>\n</table>\n");
        self.close();
    }

    fn time(&mut self) {
        self.heading(
            "time",
            "Where the time went",
            "CPU seconds by stage, summed over threads; fetching is the time until an answer, summed over tasks that run side by side, waiting for rate limits included.",
        );
        let stages = &self.report.summary.stages;
        let sum: f64 = stages.values().sum::<f64>().max(1e-9);
        self.out.push_str(
            "<table class=\"bars\">\n<thead><tr><th>stage</th><th class=\"n\">seconds</th><th></th></tr></thead>\n<tbody>\n",
        );
        let mut rows: Vec<_> = stages.iter().collect();
        rows.sort_by(|a, b| b.1.total_cmp(a.1));
        for (stage, seconds) in rows {
            let _ = writeln!(
                self.out,
                "<tr><th>{}</th><td class=\"n\">{seconds:.3}</td><td><div class=\"bar\" aria-hidden=\"true\">\
                 <span style=\"width:{:.2}%\"></span></div></td></tr>",
                escape(stage),
                seconds / sum * 100.0
            );
        }
        self.out.push_str("</tbody>\n</table>\n");
        self.close();
    }

    fn change(&mut self) {
        let Some(change) = &self.report.change else {
            self.heading("change", "What changed", "This is the first run of which a snapshot is kept.");
            return self.close();
        };
        let taken_out = change.taken_out().map_or(String::new(), |words| format!(" {words}."));
        let as_of = change.as_of.as_deref().unwrap_or("its time");
        let lead = format!("Since {} (as of {as_of}).{taken_out}", change.since);
        self.heading("change", "What changed", &lead);
        let Change { added, removed, changed, same, .. } = change;
        let rows: Vec<(String, u64, Option<u64>)> =
            [("say the same", *same), ("changed", *changed), ("new", *added), ("gone", *removed)]
                .map(|(name, n)| (name.to_owned(), n, None))
                .into();
        self.counts("personas", &rows);
        let mut by: Vec<_> = change.by_facet.iter().map(|(facet, n)| (plain(facet), *n, None)).collect();
        by.sort_by_key(|(_, n, _)| std::cmp::Reverse(*n));
        if !by.is_empty() {
            self.counts("changed facet", &by);
        }
        self.close();
    }

    fn rest(&mut self) {
        self.heading(
            "rows",
            "Rows that could not be processed",
            "Each keeps file, line and field: prosopon inspect dead_letters.",
        );
        let mut rows: Vec<_> = self.report.dead_letters.iter().map(|(what, n)| (plain(what), *n, None)).collect();
        rows.sort_by_key(|(_, n, _)| std::cmp::Reverse(*n));
        if rows.is_empty() {
            self.none("Every row was processed.");
        } else {
            self.counts("stage and reason", &rows);
        }
        self.close();
        let r = self.report;
        let _ = writeln!(
            self.out,
            "<footer class=\"small\">\n<p>Counts only: this page names no person, no company and no host. Personas are advice \
             for people, not for automated decisions.</p>\n<p>prosopon {}, network {}, policy {}, started {}, {} start(s).</p>\n\
             </footer>",
            escape(&r.software_version),
            escape(&r.network),
            escape(&r.policy_hash.chars().take(16).collect::<String>()),
            escape(&r.started_at),
            r.summary.starts
        );
    }
}
