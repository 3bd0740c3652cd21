//! Columns that no field stands for, and that tell, or may tell, of a no.
//!
//! Invariant: what is listed under `ignored` is not taken in.

use super::super::FileSet;
use super::super::fields::no_of;
use super::super::headers::{normal, shown};
use super::super::noes::{No, may_have_noes};
use super::super::remarks::REMARK;
use super::{BY_CELL, Layout, NOES, WHY};
use crate::consent::dialect::is_harmless;

impl Layout {
    /// Takes in columns of unknown names that tell, or may tell, what people do not want.
    pub(super) fn take_in_noes(&mut self, set: &FileSet, header: &[String]) {
        let is_ignored = |header: &String| set.ignored.iter().any(|ignored| normal(ignored) == normal(header));
        // A state may be a no as well as a remark.
        let states = self.all(REMARK).iter().filter(|at| set.by_cell.contains(&shown(&header[**at]))).copied();
        let states: Vec<usize> = states.collect();
        let used = self.used();
        if !states.is_empty() {
            self.columns.entry(BY_CELL.to_owned()).or_default().extend(states);
        }
        let unknown = header.iter().enumerate().filter(|(at, header)| !used.contains(at) && !is_ignored(header));
        for (at, header) in unknown {
            match no_of(header) {
                Some(No::Of(field) | No::Unless(field)) => self.columns.entry(field.to_owned()).or_default().push(at),
                Some(No::Why(field)) => self.columns.entry(format!("{WHY}{field}")).or_default().push(at),
                // What it holds is looked at before any of it is believed.
                Some(No::Perhaps | No::Either) => self.columns.entry(BY_CELL.to_owned()).or_default().push(at),
                None if set.by_cell.contains(&shown(header)) => {
                    self.columns.entry(BY_CELL.to_owned()).or_default().push(at);
                }
                None if may_have_noes(header) => {
                    self.columns.entry(NOES.to_owned()).or_default().push(at);
                }
                None => {}
            }
        }
    }

    /// Takes in columns of consents that plainly say nothing about one, but for a no that somebody wrote there.
    pub(super) fn take_in_harmless(&mut self, set: &FileSet, header: &[String]) {
        let is_ignored = |header: &String| set.ignored.iter().any(|ignored| normal(ignored) == normal(header));
        let used = self.used();
        let is_read =
            |(at, header): &(usize, &String)| !used.contains(at) && !is_ignored(header) && is_harmless(header);
        self.columns.insert(NOES.to_owned(), header.iter().enumerate().filter(is_read).map(|(at, _)| at).collect());
        self.columns.retain(|_, at| !at.is_empty());
    }
}
