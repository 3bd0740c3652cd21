//! What is wrong with a policy in itself: names that lead nowhere, assessments that cover nothing, what can never be
//! permitted.
//!
//! Invariant: an error is a mistake in the file; a warning is something that the gate will refuse. Both stand at their
//! line and column and say what to do. The gate refuses either way.

use jiff::civil::Date;

use crate::config::diagnostic::did_you_mean;
use crate::config::{Diagnostic, Position, Tree};
use crate::consent::category;
use crate::consent::policy::{
    Assessment, AssessmentKind, PROFILING, PolicyFile, Purpose, source_hash, trait_list_hash,
};
use crate::consent::policy_rules::is_prohibited_purpose;
use crate::taxonomy::Operation;

/// Checks a policy against itself and, where the day is given, against the calendar.
#[must_use]
pub fn check(file: &PolicyFile, tree: &Tree, name: &str, today: Option<Date>) -> Vec<Diagnostic> {
    let mut found = Checker { file, tree, name, today, found: Vec::new() };
    found.purposes();
    found.recipients();
    found.assessments();
    found.sources();
    found.found.sort_by_key(|d| (d.line, d.column));
    found.found
}

struct Checker<'a> {
    file: &'a PolicyFile,
    tree: &'a Tree,
    name: &'a str,
    today: Option<Date>,
    found: Vec<Diagnostic>,
}

impl Checker<'_> {
    fn at(&self, path: &[&str]) -> Position {
        // A key that is absent stands where the thing stands that lacks it.
        (0..=path.len()).rev().find_map(|len| self.tree.span(&path[..len])).unwrap_or(Position::START)
    }

    fn error(&mut self, path: &[&str], message: String, help: Option<String>) {
        self.found.push(Diagnostic::error(self.name, self.at(path), message).with_help(help));
    }

    fn warn(&mut self, path: &[&str], message: String, help: &str) {
        self.found.push(Diagnostic::warning(self.name, self.at(path), message).with_help(Some(help)));
    }

    /// Every name of a list must be one of those that are known.
    fn names<'k>(
        &mut self,
        path: &[&str],
        given: &[String],
        what: &str,
        known: impl Iterator<Item = &'k String> + Clone,
    ) {
        for (index, name) in given.iter().enumerate().filter(|(_, name)| !known.clone().any(|k| k == *name)) {
            let index = index.to_string();
            let at: Vec<&str> = path.iter().copied().chain([index.as_str()]).collect();
            let others = || known.clone().map(String::as_str).collect::<Vec<_>>().join(", ");
            let help = did_you_mean(name, known.clone().map(String::as_str))
                .unwrap_or_else(|| format!("write one of: {}", others()));
            self.error(&at, format!("there is no {what} {name:?} in this policy"), Some(help));
        }
    }

    fn purposes(&mut self) {
        for (name, purpose) in &self.file.purposes {
            let path = ["purposes", name.as_str()];
            if is_prohibited_purpose(name) {
                let text =
                    format!("the purpose {name:?} cannot be asked for: recruitment, employment, credit, insurance");
                self.error(&path, text, Some("remove it".into()));
            }
            let known = self.file.recipients.keys();
            self.names(&["purposes", name, "recipients"], &purpose.recipients, "recipient", known);
            self.categories(name, purpose);
            self.profiling(name, purpose);
            if purpose.automated_decision {
                let text = format!("{name} would decide about people by itself, so everything under it is refused");
                self.warn(&["purposes", name, "automated_decision"], text, "results are advice, or the purpose goes");
            }
        }
    }

    fn categories(&mut self, name: &str, purpose: &Purpose) {
        for (index, listed) in purpose.data_categories.iter().enumerate().filter(|(_, c)| category::is_prohibited(c)) {
            let index = index.to_string();
            let text = format!("{listed:?} is a special category or a proxy of one (Art. 9 and 10 GDPR)");
            self.error(&["purposes", name, "data_categories", &index], text, Some("remove it".into()));
        }
        if purpose.data_categories.is_empty() && !purpose.bases.is_empty() {
            let text = format!("{name} is about people and lists no data category, so no limited consent covers it");
            self.warn(&["purposes", name, "data_categories"], text, "list what it needs");
        }
    }

    fn profiling(&mut self, name: &str, purpose: &Purpose) {
        let profiles = purpose.operations.contains(&Operation::Profile);
        if profiles && name != PROFILING {
            let text = format!("profiling under {name:?} is refused: only the purpose {PROFILING:?} may");
            self.warn(&["purposes", name, "operations"], text, "take `profile` out");
        }
        let path = ["purposes", name, "dpia"];
        match purpose.dpia.as_deref() {
            None if profiles || name == PROFILING => {
                let text = format!("{name} profiles and names no DPIA, so everything under it is refused");
                self.warn(&path, text, "write `dpia:` with the id of an assessment");
            }
            Some(id) if self.file.assessments.get(id).is_some_and(|a| a.kind != AssessmentKind::Dpia) => {
                self.error(
                    &path,
                    format!("the assessment {id:?} is no DPIA"),
                    Some("name one of the kind `dpia`".into()),
                );
            }
            _ => {}
        }
    }

    fn recipients(&mut self) {
        for (name, recipient) in &self.file.recipients {
            let covered = matches!(recipient.region.as_str(), "EEA" | "adequate")
                || recipient.transfer_tool.as_deref().is_some_and(|t| !t.trim().is_empty());
            if !covered {
                let text =
                    format!("{name} is in {:?} and has no transfer tool, so nothing may be shown", recipient.region);
                self.warn(&["recipients", name, "region"], text, "write `transfer_tool:` (Art. 44 ff. GDPR)");
            }
        }
    }

    fn assessments(&mut self) {
        let mut categories: Vec<&String> = self.file.purposes.values().flat_map(|p| &p.data_categories).collect();
        categories.sort();
        categories.dedup();
        for (id, assessment) in &self.file.assessments {
            let known = self.file.purposes.keys();
            self.names(&["assessments", id, "purposes"], &assessment.purposes, "purpose", known);
            let listed = assessment.data_categories.as_deref().unwrap_or_default();
            self.names(&["assessments", id, "data_categories"], listed, "data category", categories.iter().copied());
            self.life(id, assessment);
            match assessment.kind {
                AssessmentKind::Lia => self.lia(id, assessment),
                AssessmentKind::Dpia => self.dpia(id, assessment),
            }
        }
    }

    fn life(&mut self, id: &str, assessment: &Assessment) {
        let Assessment { approved_at, expires_at, .. } = assessment;
        if assessment.approved_by.trim().is_empty() {
            let text = format!("nobody approved {id:?}, so it covers nothing");
            self.warn(&["assessments", id, "approved_by"], text, "write who did");
        }
        if expires_at <= approved_at {
            let text = format!("{id:?} ends ({expires_at}) before it begins ({approved_at})");
            self.error(&["assessments", id, "expires_at"], text, Some("write a later day".into()));
            return;
        }
        let Some(today) = self.today else { return };
        if *expires_at <= today {
            let text = format!("{id:?} covers nothing since {expires_at}, so what rests on it is refused");
            self.warn(
                &["assessments", id, "expires_at"],
                text,
                "review it, then write the new `approved_at` and `expires_at`",
            );
        } else if today < *approved_at {
            let text = format!("{id:?} covers nothing before {approved_at}, so what rests on it is refused");
            self.warn(&["assessments", id, "approved_at"], text, "wait, or correct the day");
        }
    }

    fn lia(&mut self, id: &str, lia: &Assessment) {
        for (key, text) in [("interest", &lia.interest), ("necessity", &lia.necessity), ("balancing", &lia.balancing)] {
            if text.as_deref().is_none_or(|t| t.trim().is_empty()) {
                let text = format!("the LIA {id:?} has no {key}, so it covers nothing");
                self.warn(&["assessments", id, key], text, "write it down (Art. 6(1)(f) GDPR)");
            }
        }
        let of_a_dpia = [
            ("models", lia.models.is_some()),
            ("trait_list", lia.trait_list.is_some()),
            ("sources", lia.sources.is_some()),
        ];
        for (key, _) in of_a_dpia.into_iter().filter(|(_, is_there)| *is_there) {
            let text = format!("the LIA {id:?} has {key}, which only a DPIA may");
            self.error(&["assessments", id, key], text, Some("move it to the DPIA".into()));
        }
    }

    fn dpia(&mut self, id: &str, dpia: &Assessment) {
        let current = trait_list_hash();
        if dpia.trait_list.as_ref().is_some_and(|list| *list != current) {
            let text = format!("the DPIA {id:?} was approved for another list of traits, so it covers nothing");
            let help = format!("review the list, then write `trait_list: {current}`");
            self.warn(&["assessments", id, "trait_list"], text, &help);
        }
        let registered: Vec<String> = self.file.sources.iter().map(|(id, s)| source_hash(id, s)).collect();
        for (index, _) in dpia.sources.iter().flatten().enumerate().filter(|(_, hash)| !registered.contains(hash)) {
            let index = index.to_string();
            let all: Vec<String> =
                self.file.sources.keys().zip(&registered).map(|(id, hash)| format!("{id} is {hash}")).collect();
            let text = format!("the DPIA {id:?} was approved for a source that has changed since or is gone");
            let help = format!("review it; now {}", all.join(", "));
            self.warn(&["assessments", id, "sources", &index], text, &help);
        }
    }

    fn sources(&mut self) {
        for (id, source) in &self.file.sources {
            let known = self.file.purposes.keys();
            self.names(&["sources", id, "purposes"], &source.purposes, "purpose", known);
            let unlisted =
                |p: &&String| self.file.purposes.get(*p).is_some_and(|p| !p.source_classes.contains(&source.class));
            let unlisted: Vec<&str> = source.purposes.iter().filter(unlisted).map(String::as_str).collect();
            if !unlisted.is_empty() {
                let (class, purposes) = (source.class, unlisted.join(", "));
                let text = format!("{id} is a {class}, which {purposes} may not use, so that is refused");
                self.warn(&["sources", id, "class"], text, "list the class there, or take the purpose out here");
            }
            let ended = source.contract_until.filter(|end| self.today.is_some_and(|today| *end < today));
            if let Some(end) = ended {
                let text = format!("the processor contract of {id} ended on {end}, so the source is refused");
                self.warn(&["sources", id, "contract_until"], text, "renew it (Art. 28 GDPR), then write the new day");
            }
        }
    }
}
