//! What changes between two policies, in sentences, and whether more may be done with data then.
//!
//! Invariant: every difference of two policies is told, once; two policies without one have the same content.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

use jiff::civil::Date;
use serde::Serialize;

use crate::consent::policy::{Assessment, Policy, Purpose, Recipient, RegisteredSource, Terms, Visibility};

/// What a change does to what may be done with data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Less may be done: fewer data, sources, recipients, operations or days, or stricter conditions. (A request that
    /// was too wide for somebody's consent before may fit it then.)
    Narrower,
    /// More may be done.
    Wider,
    /// Nothing changes; or more here and less there, which only a replay can tell.
    Neutral,
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Change {
    /// Where, as keys joined by dots: `purposes.profiling.retention_days`.
    pub place: String,
    /// In words.
    pub sentence: String,
    /// What it does.
    pub effect: Effect,
}

/// Every difference from the first policy to the second, by section.
#[must_use]
pub fn changes(from: &Policy, to: &Policy) -> Vec<Change> {
    let (a, b) = (from.file(), to.file());
    let mut list = List(Vec::new());
    list.value("version", "the format version", &a.version, &b.version, Effect::Neutral);
    list.value("name", "the name", &a.name, &b.name, Effect::Neutral);
    list.value("controller", "the controller", &a.controller, &b.controller, Effect::Neutral);
    let approval = |p: &Policy| p.file().approval.as_ref().map(|x| format!("approved by {} on {}", x.by, x.at));
    match (approval(from), approval(to)) {
        (None, Some(new)) => list.add("approval", format!("the policy is {new}"), Effect::Wider),
        (Some(_), None) => {
            list.add("approval", "nobody approves the policy any more: everything is refused".into(), Effect::Narrower);
        }
        (Some(old), Some(new)) if old != new => {
            list.add("approval", format!("the policy was {old}, now it is {new}"), Effect::Neutral);
        }
        _ => {}
    }
    list.number("permit_ttl_seconds", "permits wait", a.permit_ttl_seconds, b.permit_ttl_seconds, "seconds");
    let (old, new) = (a.consent_sync_max_age_hours, b.consent_sync_max_age_hours);
    list.number("consent_sync_max_age_hours", "an import of consents is good for", old, new, "hours");
    list.number("notice.days", "the Art. 14 notice is due after", a.notice.days, b.notice.days, "days");
    let section = Section { key: "purposes", what: "the purpose", added: Effect::Wider };
    list.section(&section, &a.purposes, &b.purposes, List::purpose);
    let section = Section { key: "recipients", what: "the recipient", added: Effect::Wider };
    list.section(&section, &a.recipients, &b.recipients, List::recipient);
    let section = Section { key: "assessments", what: "the assessment", added: Effect::Wider };
    list.section(&section, &a.assessments, &b.assessments, List::assessment);
    let section = Section { key: "sources", what: "the source", added: Effect::Wider };
    list.section(&section, &a.sources, &b.sources, List::source);
    list.0
}

struct Section {
    key: &'static str,
    what: &'static str,
    added: Effect,
}

struct List(Vec<Change>);

impl List {
    fn add(&mut self, place: &str, sentence: String, effect: Effect) {
        self.0.push(Change { place: place.to_owned(), sentence, effect });
    }

    fn value<T: PartialEq + Display>(&mut self, place: &str, what: &str, old: &T, new: &T, effect: Effect) {
        if old != new {
            self.add(place, format!("{what} was {old}, now it is {new}"), effect);
        }
    }

    /// A limit: more of it is wider.
    fn number(&mut self, place: &str, what: &str, old: u32, new: u32, unit: &str) {
        if old != new {
            let effect = if new > old { Effect::Wider } else { Effect::Narrower };
            self.add(place, format!("{what} {new} {unit} instead of {old}"), effect);
        }
    }

    /// A list of what may be: each name more is wider.
    fn names<T: Ord + Display>(&mut self, place: &str, what: &str, old: &[T], new: &[T]) {
        let (old, new): (BTreeSet<&T>, BTreeSet<&T>) = (old.iter().collect(), new.iter().collect());
        for name in new.difference(&old) {
            self.add(place, format!("{what} {name} is added"), Effect::Wider);
        }
        for name in old.difference(&new) {
            self.add(place, format!("{what} {name} is dropped"), Effect::Narrower);
        }
    }

    /// A limitation to some names: where there was none, all were meant.
    fn limited<T: Ord + Display>(&mut self, place: &str, what: &str, old: Option<&[T]>, new: Option<&[T]>) {
        match (old, new) {
            (None, Some(new)) => {
                let names: Vec<String> = new.iter().map(ToString::to_string).collect();
                self.add(place, format!("{what} limited to: {}", names.join(", ")), Effect::Narrower);
            }
            (Some(_), None) => self.add(place, format!("{what} not limited any more"), Effect::Wider),
            (Some(old), Some(new)) => self.names(place, &format!("{what} limited:"), old, new),
            (None, None) => {}
        }
    }

    fn section<T>(
        &mut self,
        section: &Section,
        old: &BTreeMap<String, T>,
        new: &BTreeMap<String, T>,
        compare: impl Fn(&mut Self, &str, &str, &T, &T),
    ) {
        let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        for name in names {
            let place = format!("{}.{name}", section.key);
            match (old.get(name), new.get(name)) {
                (Some(old), Some(new)) => compare(self, &place, name, old, new),
                (None, _) => self.add(&place, format!("{} {name} is added", section.what), section.added),
                (_, None) => self.add(&place, format!("{} {name} is removed", section.what), Effect::Narrower),
            }
        }
    }

    fn purpose(&mut self, place: &str, name: &str, old: &Purpose, new: &Purpose) {
        let at = |key: &str| format!("{place}.{key}");
        if old.description != new.description {
            self.add(&at("description"), format!("{name} is described in other words"), Effect::Neutral);
        }
        let articles = |p: &Purpose| p.bases.iter().map(|b| b.article()).collect::<Vec<_>>();
        self.names(&at("operations"), &format!("{name}: the operation"), &old.operations, &new.operations);
        if old.bases.is_empty() == new.bases.is_empty() {
            self.names(&at("bases"), &format!("{name}: the basis"), &articles(old), &articles(new));
        } else {
            let text = if new.bases.is_empty() {
                format!("{name} is about companies only, no longer about people")
            } else {
                format!("{name} is about people, no longer about companies only")
            };
            self.add(&at("bases"), text, Effect::Neutral);
        }
        let (classes, what) = (at("source_classes"), format!("{name}: the source class"));
        self.names(&classes, &what, &old.source_classes, &new.source_classes);
        let (categories, what) = (at("data_categories"), format!("{name}: the data category"));
        self.names(&categories, &what, &old.data_categories, &new.data_categories);
        let (days, what) = (at("retention_days"), format!("{name} keeps data"));
        self.number(&days, &what, old.retention_days, new.retention_days, "days");
        self.names(&at("recipients"), &format!("{name}: the recipient"), &old.recipients, &new.recipients);
        self.dpia(&at("dpia"), name, old.dpia.as_deref(), new.dpia.as_deref());
        match (old.automated_decision, new.automated_decision) {
            (false, true) => {
                let text = format!("{name} decides by itself: everything under it is refused");
                self.add(&at("automated_decision"), text, Effect::Narrower);
            }
            (true, false) => {
                self.add(&at("automated_decision"), format!("{name} no longer decides by itself"), Effect::Wider);
            }
            _ => {}
        }
        self.age(&at("evidence_max_age_days"), name, old.evidence_max_age_days, new.evidence_max_age_days);
    }

    fn dpia(&mut self, place: &str, name: &str, old: Option<&str>, new: Option<&str>) {
        match (old, new) {
            (None, Some(id)) => self.add(place, format!("{name} needs the DPIA {id}"), Effect::Narrower),
            (Some(id), None) => self.add(place, format!("{name} no longer names the DPIA {id}"), Effect::Neutral),
            (Some(a), Some(b)) if a != b => {
                self.add(place, format!("{name} needs the DPIA {b} instead of {a}"), Effect::Neutral);
            }
            _ => {}
        }
    }

    fn age(&mut self, place: &str, name: &str, old: Option<u32>, new: Option<u32>) {
        match (old, new) {
            (None, Some(days)) => {
                self.add(place, format!("{name} takes evidence of at most {days} days"), Effect::Narrower);
            }
            (Some(_), None) => self.add(place, format!("{name} takes evidence of any age"), Effect::Wider),
            (Some(old), Some(new)) => self.number(place, &format!("{name} takes evidence of"), old, new, "days"),
            (None, None) => {}
        }
    }

    fn recipient(&mut self, place: &str, name: &str, old: &Recipient, new: &Recipient) {
        let (region, what) = (format!("{place}.region"), format!("{name}: the region"));
        self.value(&region, &what, &old.region, &new.region, Effect::Neutral);
        let tool = format!("{place}.transfer_tool");
        match (&old.transfer_tool, &new.transfer_tool) {
            (None, Some(new)) => self.add(&tool, format!("{name} has the transfer tool {new}"), Effect::Wider),
            (Some(old), None) => {
                self.add(&tool, format!("{name} has no transfer tool, it was {old}"), Effect::Narrower);
            }
            (Some(old), Some(new)) => {
                self.value(&tool, &format!("{name}: the transfer tool"), old, new, Effect::Neutral);
            }
            (None, None) => {}
        }
    }

    fn day(&mut self, place: &str, name: &str, what: &str, (old, new): (Date, Date), later_is: Effect) {
        let earlier_is = if later_is == Effect::Wider { Effect::Narrower } else { Effect::Wider };
        let effect = if new > old { later_is } else { earlier_is };
        if old != new {
            self.add(place, format!("{name} {what} {new} instead of {old}"), effect);
        }
    }

    fn assessment(&mut self, place: &str, name: &str, old: &Assessment, new: &Assessment) {
        let at = |key: &str| format!("{place}.{key}");
        if old.kind != new.kind {
            self.add(&at("kind"), format!("{name} is of another kind"), Effect::Neutral);
        }
        self.names(&at("purposes"), &format!("{name} covers: the purpose"), &old.purposes, &new.purposes);
        let (classes, what) = (at("source_classes"), format!("{name} covers: the source class"));
        self.names(&classes, &what, &old.source_classes, &new.source_classes);
        let texts = [
            ("interest", &old.interest, &new.interest),
            ("necessity", &old.necessity, &new.necessity),
            ("balancing", &old.balancing, &new.balancing),
        ];
        for (key, old, new) in texts.into_iter().filter(|(_, old, new)| old != new) {
            let filled = |text: &Option<String>| text.as_deref().is_some_and(|t| !t.trim().is_empty());
            let (effect, does) = match (filled(old), filled(new)) {
                (false, true) => (Effect::Wider, "is written down"),
                (true, false) => (Effect::Narrower, "is missing, so it covers nothing"),
                _ => (Effect::Neutral, "is in other words"),
            };
            self.add(&at(key), format!("{name}: the {key} {does}"), effect);
        }
        self.value(
            &at("approved_by"),
            &format!("{name}: the approver"),
            &old.approved_by,
            &new.approved_by,
            Effect::Neutral,
        );
        self.day(&at("approved_at"), name, "begins on", (old.approved_at, new.approved_at), Effect::Narrower);
        let renewed = if new.expires_at > old.expires_at { "is renewed: it ends on" } else { "ends on" };
        self.day(&at("expires_at"), name, renewed, (old.expires_at, new.expires_at), Effect::Wider);
        let of = |a: &'static str| format!("{name}: {a}");
        let (a, b) = (old.data_categories.as_deref(), new.data_categories.as_deref());
        self.limited(&at("data_categories"), &of("data categories"), a, b);
        self.names(&at("traits"), &of("the trait"), &old.traits, &new.traits);
        self.limited(&at("models"), &of("models"), old.models.as_deref(), new.models.as_deref());
        let (a, b) =
            (old.trait_list.as_ref().map(std::slice::from_ref), new.trait_list.as_ref().map(std::slice::from_ref));
        self.limited(&at("trait_list"), &of("list of traits"), a, b);
        self.limited(&at("sources"), &of("sources"), old.sources.as_deref(), new.sources.as_deref());
    }

    fn source(&mut self, place: &str, name: &str, old: &RegisteredSource, new: &RegisteredSource) {
        let at = |key: &str| format!("{place}.{key}");
        self.value(&at("class"), &format!("{name}: the class"), &old.class, &new.class, Effect::Neutral);
        if old.visibility != new.visibility {
            let opens = new.visibility == Visibility::Public;
            let closes = old.visibility == Visibility::Public;
            let text = if opens { "is public" } else { "is not known to be public" };
            self.add(&at("visibility"), format!("{name} {text}"), effect(opens, closes));
        }
        self.names(&at("purposes"), &format!("{name} serves: the purpose"), &old.purposes, &new.purposes);
        if old.terms != new.terms {
            let allows = new.terms == Terms::Allow;
            let text = if allows { "allow" } else { "forbid" };
            self.add(&at("terms"), format!("the terms of {name} {text} the use"), effect(allows, !allows));
        }
        if old.terms_url != new.terms_url {
            self.add(&at("terms_url"), format!("the terms of {name} stand elsewhere"), Effect::Neutral);
        }
        if old.hosts.is_empty() == new.hosts.is_empty() {
            self.names(&at("hosts"), &format!("{name} asks: the host"), &old.hosts, &new.hosts);
        } else {
            let text = if new.hosts.is_empty() { "the accounts' own hosts".into() } else { new.hosts.join(", ") };
            self.add(&at("hosts"), format!("{name} asks other hosts: {text}"), Effect::Neutral);
        }
        match (old.contract_until, new.contract_until) {
            (None, Some(end)) => {
                self.add(&at("contract_until"), format!("the contract of {name} ends on {end}"), Effect::Narrower);
            }
            (Some(_), None) => {
                self.add(&at("contract_until"), format!("the contract of {name} has no end"), Effect::Wider);
            }
            (Some(a), Some(b)) => {
                self.day(&at("contract_until"), &format!("the contract of {name}"), "ends on", (a, b), Effect::Wider);
            }
            (None, None) => {}
        }
        if old.revoked != new.revoked {
            let text = if new.revoked { "is revoked" } else { "is no longer revoked" };
            self.add(&at("revoked"), format!("{name} {text}"), effect(!new.revoked, new.revoked));
        }
    }
}

const fn effect(opens: bool, closes: bool) -> Effect {
    match (opens, closes) {
        (true, false) => Effect::Wider,
        (false, true) => Effect::Narrower,
        _ => Effect::Neutral,
    }
}
