//! Legal events from what CRMs and files say, each in its own dialect.
//!
//! Invariant: negative signals always become events, positive ones only through a mapping that states the proof.
//! The same records, in any order and as often as one likes, give the same set of events; whatever cannot be read
//! becomes a problem that grants nothing. Pure: files are read by the caller, people are found by a closure.

mod csv;
mod dynamics;
mod emit;
mod espocrm;
mod fact;
mod held;
mod hubspot;
mod input;
mod list;
mod mapping;
mod odoo;
mod parquet;
mod pipedrive;
mod record;
mod refusal;
mod salesforce;
mod spec;
mod table;
#[cfg(test)]
mod tests;
mod when;
mod whose;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use held::Records;
pub use input::{Export, InputError, parse};
pub(crate) use list::{
    CellSays, Objection, Place as CellPlace, Told, asks_for_consent, cell_says, flags_of_cell, may_object,
    noes_of_cell, objection_in, place_of, told_in,
};
pub use mapping::Mapping;
pub use record::{Key, Place, Problem, Record, Unit};
pub(crate) use refusal::{REFUSES, Refusal, UNSURE, refusal_of};
pub(crate) use table::{is_harmless, texts};

pub use whose::Ids as IdsOfContacts;

use self::emit::Emission;
use self::fact::{Context, Fact, Index};
use self::list::Lists;
use self::record::Item;
use self::spec::{Object, Spec};
use crate::consent::event::LegalEvent;
use crate::ids::Ids;
use crate::model::SubjectId;

/// The date of what has none: once said, it stands, and no grant is later. As in [`crate::consent::import`].
pub const STANDING: Timestamp = Timestamp::MAX;

/// Whose words are read.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema, clap::ValueEnum,
)]
#[serde(rename_all = "snake_case")]
pub enum Dialect {
    /// Contacts and subscription statuses.
    Hubspot,
    /// Individual, Contact and the consent objects.
    Salesforce,
    /// Contacts and consents by address of Dataverse.
    Dynamics,
    /// Persons.
    Pipedrive,
    /// Contacts with their addresses.
    Espocrm,
    /// `res.partner`, `mail.blacklist`, `privacy.log`.
    Odoo,
    /// Anything else: lists by hand, registers of letters, newsletter tools, consent management.
    List,
    /// One's own table with the columns of a legal event.
    Table,
}

impl Dialect {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Hubspot,
        Self::Salesforce,
        Self::Dynamics,
        Self::Pipedrive,
        Self::Espocrm,
        Self::Odoo,
        Self::List,
        Self::Table,
    ];

    /// Its spelling on the command line and in files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hubspot => "hubspot",
            Self::Salesforce => "salesforce",
            Self::Dynamics => "dynamics",
            Self::Pipedrive => "pipedrive",
            Self::Espocrm => "espocrm",
            Self::Odoo => "odoo",
            Self::List => "list",
            Self::Table => "table",
        }
    }
}

impl std::fmt::Display for Dialect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// How an import is read.
pub struct Reading<'a> {
    /// Whose words they are.
    pub dialect: Dialect,
    /// The CRM's name in the pipeline.
    pub system: &'a str,
    /// The ids of the home.
    pub ids: &'a Ids,
    /// What positive answers grant.
    pub mapping: &'a Mapping,
    /// Whom the home knows by a record id or an address.
    pub resolve: &'a dyn Fn(&Key) -> Vec<SubjectId>,
    /// Whether it is somebody who was erased: of records about them nothing is kept, not even a problem.
    pub erased: &'a dyn Fn(&Key) -> bool,
    /// The time of the import: what was written down later than this was not.
    pub now: Timestamp,
}

impl Reading<'_> {
    /// Whether a record is about somebody who was erased, and about nobody else.
    fn is_about_erased(&self, who: &[Key]) -> bool {
        who.iter().any(|key| (self.erased)(key)) && who.iter().all(|key| (self.resolve)(key).is_empty())
    }
}

/// The reason of problems of records that are about nobody whom the home knows.
const NOBODY_KNOWN: &str = "consent_for_unknown_contact";

/// Problems after which nobody can tell what holds for the person: a run leaves them out until the record can be read.
const UNCLEAR: &[&str] =
    &[UNSURE, "unknown_legal_basis", "unreadable_date", "contradicting_rows", "end_before_begin", "future_date"];

/// What an import gives.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// For the ledger; sorted, without duplicates.
    pub events: Vec<LegalEvent>,
    /// What could not be used, or was read as strictly as it could be meant; sorted by place.
    pub problems: Vec<Problem>,
    /// Positive answers that no mapping makes anything of, by object, field and value.
    pub unmapped: BTreeMap<String, u64>,
    /// Fields that can say no and that no record of its kind had: a no in them would be missed.
    pub absent: BTreeSet<String>,
    /// People of whom a record says something that cannot be read as it was meant.
    pub unclear: BTreeSet<SubjectId>,
    /// The first record that says no, or may and cannot be read, and has nothing that looks like an id or an address.
    pub nobodys: Option<Place>,
}

impl Outcome {
    /// Ties problems, from one on, to the people whom their records are about.
    fn tie(&mut self, from: usize, about: &dyn Fn(&Place) -> BTreeSet<SubjectId>) {
        // One column is a problem of the whole file, told at its first record.
        for problem in self.problems.iter_mut().skip(from).filter(|p| p.reason != "unknown_column") {
            let subjects = about(&problem.at);
            if UNCLEAR.contains(&problem.reason) {
                self.unclear.extend(subjects.iter().cloned());
            }
            if problem.subject.is_none() && subjects.len() == 1 {
                problem.subject = subjects.into_iter().next();
            }
        }
    }
}

/// Reads the records of one import: all files of it at once, because records refer to each other.
#[must_use]
pub fn read(reading: &Reading<'_>, records: &Records) -> Outcome {
    let mut outcome = Outcome::default();
    if reading.dialect == Dialect::Table {
        records.each(&mut |records| table::read(reading, records, &mut outcome));
    } else {
        read_crm(reading, records, &mut outcome);
    }
    outcome.events.sort_by_cached_key(|e| (e.subject.clone(), e.digest()));
    outcome.events.dedup();
    outcome.problems.sort();
    outcome.problems.dedup();
    outcome
}

/// Ties what of records could not be read, and noes about nobody known, to whomever they may be about: these are left out. `nearly`
/// tells who has an id that may be meant by one that nobody has, `may_be` whether a cell looks like an id.
pub fn find_whose(reading: &Reading<'_>, (nearly, may_be): IdsOfContacts<'_>, outcome: &mut Outcome) {
    whose::find(reading, (nearly, may_be), outcome);
    outcome.problems.sort();
    outcome.problems.dedup();
}

fn read_crm(reading: &Reading<'_>, records: &Records, outcome: &mut Outcome) {
    let erased = |who: &[Key]| reading.is_about_erased(who);
    let (mut lists, mut emission, mut absent_fields) = (lists_of(reading.dialect), Emission::default(), None);
    let (mut silent, mut says_something) = (None, false);
    records.each(&mut |records| {
        let read = Read::of(reading.dialect, &mut lists, records);
        says_something |= !read.items.is_empty();
        silent = silent.take().or_else(|| read.silent.clone());
        let before = outcome.problems.len();
        let facts = read.facts(&erased, reading.now, &mut outcome.problems);
        for (item, _, context) in read.known().filter(|(_, object, _)| object.name == "Contact") {
            if !erased(&context.who) {
                outcome.problems.extend(read.links.missing_individual(item, &context, reading.resolve));
            }
        }
        let places = read.places();
        let about = |at: &Place| {
            let items = places.get(at).into_iter().flatten().map(|item| &read.items[*item]);
            read.known_of(items).flat_map(|(.., context)| context.who).flat_map(|key| (reading.resolve)(&key)).collect()
        };
        emission.take(reading, &facts, &about, outcome);
        outcome.tie(before, &about);
        absent_fields = Some(absent(read.spec, &read.items));
    });
    // One part of a list may say nothing where another does.
    outcome.problems.extend(silent.filter(|_| !says_something));
    if reading.dialect != Dialect::List {
        outcome.absent = absent_fields.unwrap_or_default();
    }
    emission.finish(outcome);
}

/// What reads records that are not as their API has them.
fn lists_of(dialect: Dialect) -> Lists {
    if dialect == Dialect::List { Lists::default() } else { Lists::of_crm() }
}

/// The records of one import, taken apart.
struct Read {
    dialect: Dialect,
    spec: &'static Spec,
    items: Vec<Item>,
    index: Index,
    links: salesforce::Links,
    /// Records of a list of which none says anything.
    silent: Option<Problem>,
}

impl Read {
    /// Takes records apart. What is not as the CRM's API has it is read as a list: its noes must not be lost.
    fn of(dialect: Dialect, lists: &mut Lists, records: &[Record]) -> Self {
        let spec = Spec::of(dialect).expect("a consent table is read elsewhere");
        let lift = lift(dialect);
        let mut items = Vec::new();
        for record in records {
            let mut own = lift.map_or_else(Vec::new, |lift| lift(record));
            for item in &mut own {
                spec.rename(item);
            }
            if own.iter().all(|item| spec.object(item).is_none()) {
                let listed = lists.items(record);
                if !listed.is_empty() {
                    own = listed;
                }
            } else {
                let who = own.iter().find_map(|item| spec.object(item).map(|object| object.who(item)));
                let noes = lists.noes(record, &|name| spec.knows(name), (&own, who.unwrap_or_default()));
                own.extend(noes);
            }
            items.extend(own);
        }
        let index = Index::of(spec, &items);
        let links = salesforce::Links::of(spec, &items);
        let first = records.first().filter(|_| items.is_empty());
        let advice = "nothing in this list is understood as a yes or no: name its columns by what people answered, or write \
                      a table of your own";
        let silent = first.map(|record| Item::of(record).problem(None, "unknown_record", advice));
        Self { dialect, spec, items, index, links, silent }
    }

    /// The table by which an item is read, and its kind.
    fn object(&self, item: &Item) -> Option<(&'static Spec, &'static Object)> {
        let list = Spec::of(Dialect::List).expect("an embedded table");
        [self.spec, list].into_iter().find_map(|spec| Some((spec, spec.object(item)?)))
    }

    /// Where the items of a record are.
    fn places(&self) -> HashMap<&Place, Vec<usize>> {
        let mut places: HashMap<&Place, Vec<usize>> = HashMap::new();
        for (at, item) in self.items.iter().enumerate() {
            places.entry(&item.at).or_default().push(at);
        }
        places
    }

    /// Items of known kinds, and whom they are about.
    fn known(&self) -> impl Iterator<Item = (&Item, &'static Object, Context)> {
        self.known_of(self.items.iter())
    }

    fn known_of<'i>(
        &'i self,
        items: impl Iterator<Item = &'i Item>,
    ) -> impl Iterator<Item = (&'i Item, &'static Object, Context)> {
        items.filter_map(|item| {
            let (_, object) = self.object(item)?;
            Some((item, object, context(self.dialect, object, item, &self.index, &self.links)))
        })
    }

    /// What the items say of whoever was not erased.
    fn facts(&self, erased: &dyn Fn(&[Key]) -> bool, now: Timestamp, problems: &mut Vec<Problem>) -> Vec<Fact<'_>> {
        let mut facts = Vec::new();
        for item in &self.items {
            let Some((spec, object)) = self.object(item) else {
                let known: Vec<&str> = self.spec.objects.iter().map(|o| o.name.as_str()).collect();
                let advice =
                    format!("no record of {} that is known here; known are: {}", self.dialect, known.join(", "));
                problems.push(item.problem(None, "unknown_record", advice));
                continue;
            };
            let context = context(self.dialect, object, item, &self.index, &self.links);
            if !erased(&context.who) {
                facts.extend(fact::facts(spec, object, item, &context, now, problems));
            }
        }
        facts
    }
}

/// What takes a record of the dialect apart; `None` = lists, which are read by their columns.
fn lift(dialect: Dialect) -> Option<fn(&Record) -> Vec<Item>> {
    match dialect {
        Dialect::Hubspot => Some(hubspot::items),
        Dialect::Salesforce => Some(salesforce::items),
        Dialect::Dynamics => Some(dynamics::items),
        Dialect::Pipedrive => Some(pipedrive::items),
        Dialect::Espocrm => Some(espocrm::items),
        Dialect::Odoo => Some(odoo::items),
        Dialect::List | Dialect::Table => None,
    }
}

fn context(dialect: Dialect, object: &Object, item: &Item, index: &Index, links: &salesforce::Links) -> Context {
    match dialect {
        _ if item.column.is_some() => fact::context(object, item, index),
        Dialect::Salesforce => links.context(object, item, index),
        Dialect::Dynamics => dynamics::context(object, item, index),
        _ => fact::context(object, item, index),
    }
}

/// Fields that could have said no, of kinds of records that are there.
fn absent(spec: &Spec, items: &[Item]) -> BTreeSet<String> {
    let mut names: BTreeMap<&str, (&Object, BTreeSet<&str>)> = BTreeMap::new();
    for item in items {
        if let Some(object) = spec.object(item) {
            let entry = names.entry(&object.name).or_insert_with(|| (object, BTreeSet::new()));
            entry.1.extend(item.names.iter().map(String::as_str));
        }
    }
    let missing = names.into_values().flat_map(|(object, seen)| {
        let can = object.flags.keys().chain(object.statuses.keys());
        let lacking = can.filter(|f| !seen.contains(f.as_str())).map(|f| format!("{}.{f}", object.name));
        lacking.collect::<Vec<_>>()
    });
    missing.collect()
}

/// Addresses in an export of contacts, with the record ids that have them, so that consents by address find people.
#[must_use]
pub fn addresses(dialect: Dialect, records: &Records) -> Vec<(String, String)> {
    let Some(spec) = Spec::of(dialect) else { return Vec::new() };
    let Some(lift) = lift(dialect) else { return Vec::new() };
    let mut items: Vec<Item> = Vec::new();
    records.each(&mut |records| items.extend(records.iter().flat_map(lift)));
    Index::of(spec, &items).into_addresses()
}

/// Where the field names and words of a dialect were looked up.
#[must_use]
pub fn sources(dialect: Dialect) -> &'static [String] {
    Spec::of(dialect).map_or(&[], |spec| spec.sources.as_slice())
}
