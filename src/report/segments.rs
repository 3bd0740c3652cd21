//! What the run filled in from segments: how often each value, and on how many people it rests.
//!
//! Invariant: facets and terms of ours only; no name of a segment, because its industry is in the CRM's words.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::{Deserialize, Serialize};

use super::Report;
use super::html::{number, plain};
use super::warnings::percent;
use crate::page::escape;

/// One value of a facet, over all personas and segments.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SegmentLine {
    /// Personas in which it stands.
    pub personas: u64,
    /// The fewest people that stand behind it in a segment.
    pub fewest_persons: u32,
    /// The most.
    pub most_persons: u32,
    /// The least share that has it, of those of a segment of whom it is known.
    pub least_share: f64,
}

/// By `facet: value`; of a trait the value is the pole.
pub(super) type SegmentLines = BTreeMap<String, SegmentLine>;

/// Adds one value of one persona, with the people behind it and their share.
pub(super) fn add(lines: &mut SegmentLines, facet: &str, value: &str, n: u32, share: f64) {
    let value = if facet.starts_with("trait.") { &value[..1] } else { value };
    let none = SegmentLine { personas: 0, fewest_persons: n, most_persons: n, least_share: share };
    let line = lines.entry(format!("{facet}: {value}")).or_insert(none);
    line.personas += 1;
    line.fewest_persons = line.fewest_persons.min(n);
    line.most_persons = line.most_persons.max(n);
    line.least_share = line.least_share.min(share);
}

/// On how many people a value rests, in words.
pub(super) fn behind(line: &SegmentLine) -> String {
    let (least, most) = (line.fewest_persons, line.most_persons);
    let people = if least == most { least.to_string() } else { format!("{least} to {most}") };
    format!("{people} people behind it, at least {} of those of whom it is known", percent(line.least_share))
}

/// The section of the page; empty where nothing was filled in.
pub(super) fn section(report: &Report) -> String {
    let lines = &report.segment_values;
    if lines.is_empty() {
        return String::new();
    }
    let mut out = String::from(
        "<section id=\"segments\">\n<h2>What holds for segments</h2>\n<p class=\"lead\">Filled in where nothing is known of \
         a contact of depth segment: what most of those have in common who were researched individually in the same position, \
         and of whom it is known. Of the others in that position it is not known. No evidence about the contact.</p>\n<table>\n<thead><tr><th>facet: value</th><th class=\"n\">personas</th><th>rests \
         on</th></tr></thead>\n<tbody>\n",
    );
    for (what, line) in lines {
        let (what, n) = (escape(&plain(what)), number(line.personas));
        let _ = writeln!(out, "<tr><th>{what}</th><td class=\"n\">{n}</td><td>{}</td></tr>", escape(&behind(line)));
    }
    out.push_str("</tbody>\n</table>\n</section>\n");
    out
}
