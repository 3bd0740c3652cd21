//! The sections of the page that are tables: purposes, sources, recipients, storage, rights, history, decisions, rows.
//!
//! Invariant: as in [`super::html`]: every value goes through the escaping of its tables and paragraphs.

use std::fmt::Write;

use super::Purpose;
use super::html::Page;
use super::texts::{Open, Texts};
use super::words::{day, name, value_words};
use crate::page::escape;

/// So many decisions are shown; the others are in the JSON.
const DECISIONS_SHOWN: usize = 60;

impl Page<'_> {
    pub(super) fn profiling(&mut self) {
        let p = &self.bundle.profiling;
        let l = self.t.language();
        let is_sealed = p.exists && self.bundle.personas.iter().all(|persona| persona.sealed);
        self.paragraph("", self.t.word(if p.exists { "profiling_yes" } else { "profiling_no" }));
        if is_sealed {
            self.paragraph("", self.t.word("profiling_sealed"));
        }
        for text in [&p.logic, &p.consequences] {
            self.paragraph("", text.get(&l).map_or("", String::as_str));
        }
        self.paragraph("", self.t.right("no_automated_decision"));
    }

    pub(super) fn purposes(&mut self) {
        let b = self.bundle;
        for p in &b.purposes {
            self.purpose(p);
        }
        if b.purposes.is_empty() {
            self.nothing();
        }
    }

    pub(super) fn purpose(&mut self, p: &Purpose) {
        let t = self.t;
        let bases: Vec<&str> = p.bases.iter().map(|b| t.open(Open::Basis, b)).collect();
        let categories: Vec<&str> = p.categories.iter().map(|c| t.open(Open::Category, c)).collect();
        let _ = writeln!(self.out, "<h3>{}</h3>", escape(&p.name.replace('_', " ")));
        let mut rows = vec![
            ("description", p.description.clone()),
            ("basis", bases.join("; ")),
            ("purpose_categories", categories.join(", ")),
            ("retention", t.fill("days", &[("n", &p.retention_days.to_string())])),
            ("recipient", p.recipients.join(", ")),
        ];
        for i in &p.interests {
            rows.push(("interest", i.interest.clone().unwrap_or_default()));
            rows.push(("necessity", i.necessity.clone().unwrap_or_default()));
            rows.push(("balancing", i.balancing.clone().unwrap_or_default()));
        }
        rows.retain(|(_, value)| !value.is_empty());
        self.pairs(&rows);
    }

    pub(super) fn sources(&mut self) {
        let t = self.t;
        let row = |s: &super::Source| {
            vec![
                t.term(s.class).to_owned(),
                s.host.clone().unwrap_or_default(),
                day(s.first, t),
                day(s.last, t),
                s.findings.to_string(),
            ]
        };
        let rows: Vec<_> = self.bundle.sources.iter().map(row).collect();
        self.table(&["source", "host", "first", "last", "count"], &rows);
    }

    pub(super) fn recipients(&mut self) {
        let t = self.t;
        let row = |r: &super::Recipient| {
            let none = || t.word("none_needed").to_owned();
            let needed = !matches!(r.region.as_str(), "EEA" | "adequate");
            let tool = r.transfer_tool.clone().unwrap_or_else(|| if needed { String::new() } else { none() });
            vec![
                r.name.clone(),
                t.open(Open::Region, &r.region).to_owned(),
                tool,
                r.purposes.join(", ").replace('_', " "),
                dates(&r.disclosed, t),
            ]
        };
        let rows: Vec<_> = self.bundle.recipients.iter().map(row).collect();
        self.table(&["recipient", "region", "transfer", "purpose", "disclosed"], &rows);
    }

    pub(super) fn keeping(&mut self) {
        let (b, t) = (self.bundle, self.t);
        let until = |(p, at): (&String, &jiff::Timestamp)| format!("{}: {}", p.replace('_', " "), day(*at, t));
        let with_consent = b.notice.given.is_empty() && b.notice.status.as_deref() == Some("given");
        let given = if with_consent { t.word("with_consent").to_owned() } else { dates(&b.notice.given, t) };
        let status = b.notice.status.as_deref().map_or("", |s| t.open(Open::Notice, s));
        self.pairs(&[
            ("first_collected", b.retention.first_collected.map_or_else(String::new, |at| day(at, t))),
            ("retain_until", b.retention.until.iter().map(until).collect::<Vec<_>>().join("; ")),
            ("notice", status.to_owned()),
            ("notice_due", b.notice.due.map_or_else(String::new, |at| day(at, t))),
            ("notice_given", given),
        ]);
        // Sealed and by nobody's name: that they may name the person is all that can be told.
        if !b.recordings.is_empty() {
            let row = |r: &super::Recording| vec![day(r.as_of, t), r.until.map_or_else(String::new, |at| day(at, t))];
            self.paragraph("", t.word("recordings"));
            let rows: Vec<_> = b.recordings.iter().map(row).collect();
            self.table(&["recorded", "retain_until"], &rows);
        }
        if let Some(last) = b.pages.iter().max() {
            let until = format!("{} {}", t.word("pages"), day(*last, t));
            self.paragraph("", &until);
        }
        if !b.row_hashes.is_empty() {
            self.paragraph("", t.word("row_hashes"));
        }
    }

    pub(super) fn rights(&mut self) {
        let (b, l) = (self.bundle, self.t.language());
        self.out.push_str("<ul>\n");
        let all = b.rights.iter().chain([&b.complaint]).filter_map(|r| r.get(&l));
        for text in all {
            // The name of the right ends with its article in brackets.
            let (head, tail) = text.split_once("). ").map_or((text.as_str(), ""), |(h, t)| (h, t));
            let _ = writeln!(self.out, "<li><strong>{})</strong><br>{}</li>", escape(head), escape(tail));
        }
        self.out.push_str("</ul>\n");
        if let Some(authority) = &b.controller.authority {
            self.pairs(&[("authority", authority.clone())]);
        }
    }

    pub(super) fn history(&mut self) {
        let t = self.t;
        let row = |e: &super::LedgerEntry| {
            let proof = |name: &str| e.event["proof"][name].as_str().map(str::to_owned);
            let proof = [proof("method"), proof("notice_id")].into_iter().flatten().collect::<Vec<_>>().join(", ");
            let covers = e.purposes.join(", ").replace('_', " ");
            vec![
                t.open(Open::Kind, &e.kind).to_owned(),
                e.basis.as_deref().map_or_else(String::new, |b| t.open(Open::Basis, b).to_owned()),
                if covers.is_empty() { t.word("everything").to_owned() } else { covers },
                day(e.effective_at, t),
                e.event["valid_to"].as_str().and_then(|v| v.parse().ok()).map_or_else(String::new, |at| day(at, t)),
                proof,
                day(e.known_at, t),
            ]
        };
        let rows: Vec<_> = self.bundle.ledger.iter().map(row).collect();
        self.table(&["event", "basis", "covers", "effective", "until", "proof", "known_at"], &rows);
    }

    pub(super) fn rectifications(&mut self) {
        let t = self.t;
        let row = |r: &super::RectificationEntry| {
            let value = match r.value.as_str() {
                "remove" => t.word("removed").to_owned(),
                "release" => t.word("released").to_owned(),
                v => value_words(&r.facet, v, t),
            };
            let why = [r.reason.clone(), r.evidence.clone()].into_iter().flatten().collect::<Vec<_>>().join("; ");
            vec![name(&r.facet, t), value, day(r.at, t), t.open(Open::By, &r.by).to_owned(), why]
        };
        let rows: Vec<_> = self.bundle.rectifications.iter().map(row).collect();
        self.table(&["facet", "new_value", "at", "step", "reason"], &rows);
    }

    pub(super) fn crm(&mut self) {
        let fields = self.bundle.crm.iter().flatten();
        let rows: Vec<_> = fields.map(|f| vec![f.field.replace('_', " "), f.value.clone()]).collect();
        self.table(&["field", "value"], &rows);
    }

    pub(super) fn decisions(&mut self) {
        let t = self.t;
        self.paragraph("", t.word("decisions_intro"));
        let all = &self.bundle.decisions;
        let row = |d: &super::AccessDecision| {
            let permit = d.outcome == "permit";
            let because: Vec<&str> = if permit {
                d.bases.iter().map(|b| t.open(Open::Basis, b)).collect()
            } else {
                d.reasons.iter().map(|r| t.reason(r)).collect()
            };
            let url = d.url.clone().unwrap_or_default();
            vec![
                day(d.at, t),
                t.term(d.operation).to_owned(),
                d.purpose.replace('_', " "),
                [d.source.replace('_', " "), url].join(" ").trim().to_owned(),
                t.word(if permit { "permit" } else { "refusal" }).to_owned(),
                because.join(" "),
                format!("#{}", d.leaf),
            ]
        };
        // The newest say most.
        let rows: Vec<_> = all.iter().rev().take(DECISIONS_SHOWN).map(row).collect();
        self.table(&["at", "step", "purpose", "source", "outcome", "reason", "entry"], &rows);
        if all.len() > DECISIONS_SHOWN {
            let n = (all.len() - DECISIONS_SHOWN).to_string();
            self.paragraph("small", &t.fill("more", &[("n", &n)]));
        }
    }

    pub(super) fn records(&mut self) {
        self.paragraph("", self.t.word("records_intro"));
        let mut counts: Vec<(Vec<String>, usize)> = Vec::new();
        for r in &self.bundle.records {
            let key = vec![r.pipeline.clone(), r.run.clone(), r.table.clone()];
            match counts.iter_mut().find(|(k, _)| *k == key) {
                Some((_, n)) => *n += 1,
                None => counts.push((key, 1)),
            }
        }
        let rows: Vec<_> =
            counts.into_iter().map(|(k, n)| vec![k[2].clone(), k[0].clone(), k[1].clone(), n.to_string()]).collect();
        self.table(&["table", "persona_short", "snapshot", "rows"], &rows);
    }
}

fn dates(all: &[jiff::Timestamp], t: &Texts) -> String {
    match all {
        [] => t.word("never").to_owned(),
        [.., last] if all.len() > 3 => format!("{}× ({})", all.len(), day(*last, t)),
        few => few.iter().map(|at| day(*at, t)).collect::<Vec<_>>().join(", "),
    }
}
