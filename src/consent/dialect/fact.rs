//! From records to facts: what a record says, about whom, since when.
//!
//! Invariant: nothing is decided and nobody is resolved; a flag that cannot be read counts as set, an unknown word as
//! its table says, and both are noted.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::record::{Item, Key, Problem};
use super::spec::{Flag, Object, Spec, Status, Unknown, Word};
use super::when::when;
use crate::consent::dates::slip;
use crate::consent::event::{EventKind, LawfulBasis};

/// One statement of one record.
pub(super) struct Fact<'a> {
    pub item: &'a Item,
    pub object: &'a Object,
    /// Identifies the record together with the object's name.
    pub id: String,
    pub who: Vec<Key>,
    pub field: String,
    pub value: String,
    /// What it was about: subscription type, data use purpose, topic; by name and id.
    pub labels: Vec<String>,
    pub says: Says<'a>,
}

impl Fact<'_> {
    /// Where it stands: the object and its field, or the column of a list.
    pub fn name(&self) -> String {
        let column = self.item.column.as_ref().map(|column| format!("list.{column}"));
        column.unwrap_or_else(|| format!("{}.{}", self.object.name, self.field))
    }
}

pub(super) enum Says<'a> {
    No {
        flag: Flag,
        at: Dated,
    },
    /// Neither yes nor no; another record with this id may say more.
    Nothing,
    /// The basis that the record names.
    Yes {
        basis: Option<LawfulBasis>,
        dates: Dates,
        status: &'a Status,
    },
}

/// A date that is there, is not there, or cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dated {
    At(Timestamp),
    Undated,
    Unreadable,
}

/// The dates of a positive answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dates {
    pub at: Dated,
    pub from: Dated,
    pub to: Dated,
}

impl Dates {
    /// An end that is not after the begin tells neither.
    fn in_order(self, item: &Item, status: &Status, problems: &mut Vec<Problem>) -> Self {
        let (Dated::At(from), Dated::At(to)) = (self.from, self.to) else { return self };
        let Some(slip) = slip((Some(from), Some(to)), None, Timestamp::MAX) else { return self };
        let field = item.first(&status.to).map(|(field, _)| field);
        problems.push(item.problem(field, slip.reason(), slip.advice(false)));
        Self { to: Dated::Unreadable, ..self }
    }
}

/// Of whom an item speaks, and what it must be read with.
pub(super) struct Context {
    pub who: Vec<Key>,
    /// Labels besides those of the record.
    pub labels: Vec<String>,
    /// Why a positive answer of it grants nothing, with advice.
    pub blocked: Option<(&'static str, &'static str)>,
}

/// What the records of one import know of each other: addresses and telephone numbers by contact.
#[derive(Default)]
pub(super) struct Index {
    by_address: BTreeMap<String, BTreeSet<String>>,
    by_phone: BTreeMap<String, BTreeSet<String>>,
}

impl Index {
    pub fn of(spec: &Spec, items: &[Item]) -> Self {
        let mut index = Self::default();
        for item in items {
            let Some(object) = spec.object(item) else { continue };
            let Some((_, record)) = item.first(&object.record) else { continue };
            let cells = |names: &[String]| names.iter().filter_map(|n| item.get(n)).collect::<Vec<_>>().join(";");
            for address in cells(&object.addresses).split(';').filter(|a| a.contains('@')) {
                index.by_address.entry(address.trim().to_lowercase()).or_default().insert(record.to_owned());
            }
            for number in cells(&object.phones).split(';').map(digits).filter(|n| n.len() > 4) {
                index.by_phone.entry(number).or_default().insert(record.to_owned());
            }
        }
        index
    }

    /// Everybody with the address: the contacts of these records, and whom the home knows by it.
    pub fn address(&self, address: &str) -> Vec<Key> {
        let records = self.by_address.get(&address.trim().to_lowercase()).into_iter().flatten();
        std::iter::once(Key::email(address)).chain(records.map(|r| Key::record(r))).collect()
    }

    /// Every address with each record that has it.
    pub fn into_addresses(self) -> Vec<(String, String)> {
        let pairs = self.by_address.into_iter();
        pairs.flat_map(|(address, records)| records.into_iter().map(move |r| (address.clone(), r))).collect()
    }

    /// The contacts of these records with the number.
    pub fn phone(&self, number: &str) -> Vec<Key> {
        self.by_phone.get(&digits(number)).into_iter().flatten().map(|r| Key::record(r)).collect()
    }
}

fn digits(number: &str) -> String {
    let number = number.trim().trim_start_matches("00");
    number.chars().filter(char::is_ascii_digit).collect()
}

/// Whom an item speaks of by its own fields.
pub(super) fn context(object: &Object, item: &Item, index: &Index) -> Context {
    let mut who: Vec<Key> = item.first(&object.record).map(|(_, id)| Key::record(id)).into_iter().collect();
    if let Some((_, address)) = item.first(&object.email) {
        who.extend(index.address(address));
    }
    Context { who, labels: Vec::new(), blocked: None }
}

/// Reads what an item says.
pub(super) fn facts<'a>(
    spec: &Spec,
    object: &'a Object,
    item: &'a Item,
    context: &Context,
    now: Timestamp,
    problems: &mut Vec<Problem>,
) -> Vec<Fact<'a>> {
    let stated = stated_id(object, item, problems);
    let has_id = stated.is_some();
    let id = stated.unwrap_or_else(|| data_encoding::HEXLOWER.encode(&item.digest()));
    let mut facts = Vec::new();
    let fact = |field: &str, value: &str, labels: Vec<String>, says| Fact {
        item,
        object,
        id: id.clone(),
        who: context.who.clone(),
        field: field.to_owned(),
        value: value.to_owned(),
        labels,
        says,
    };
    for (field, cell, flag) in object.flags_of(item) {
        let set = spec.flag(cell).unwrap_or_else(|| {
            let advice = "neither yes nor no, so it counts as set; correct it and note that the event stands";
            problems.push(item.problem(Some(field), "unreadable_flag", advice));
            true
        });
        if set {
            let at = recorded(item, &flag.at, true, now, problems);
            facts.push(fact(field, cell, labels_of_no(object, item), Says::No { flag: flag.clone(), at }));
        }
    }
    for (field, status) in &object.statuses {
        let Some(cell) = item.get(field) else { continue };
        let mut labels: Vec<String> = status.labels.iter().filter_map(|l| item.get(l)).map(str::to_owned).collect();
        labels.extend(context.labels.iter().cloned());
        for (word, value) in words(status, field, cell, item, problems) {
            match word {
                Read::No(flag) => {
                    let fields = if status.opt_out_at.is_empty() { &status.at } else { &status.opt_out_at };
                    let at = recorded(item, fields, true, now, problems);
                    facts.push(fact(field, value, labels.clone(), Says::No { flag, at }));
                }
                Read::Yes(_) | Read::Nothing if !has_id => {}
                Read::Nothing => facts.push(fact(field, value, labels.clone(), Says::Nothing)),
                Read::Yes(basis) => {
                    if let Some((reason, advice)) = context.blocked {
                        problems.push(item.problem(Some(field), reason, advice));
                        continue;
                    }
                    let dates = dates_of_yes(item, status, now, problems);
                    facts.push(fact(field, value, labels.clone(), Says::Yes { basis, dates, status }));
                }
            }
        }
    }
    facts
}

/// The id of an item that says something; where it has none, that is told.
fn stated_id(object: &Object, item: &Item, problems: &mut Vec<Problem>) -> Option<String> {
    let stated = object.id_of(item);
    let says_something = object.flags_of(item).next().is_some() || !object.statuses.is_empty();
    if stated.is_none() && says_something {
        let advice =
            format!("a {} without its id: a no counts all the same, a yes does not; export the id", object.name);
        problems.push(item.problem(None, "missing_id", advice));
    }
    stated
}

/// From when to when a yes holds, and when it was said.
fn dates_of_yes(item: &Item, status: &Status, now: Timestamp, problems: &mut Vec<Problem>) -> Dates {
    let dates = Dates {
        at: recorded(item, &status.at, false, now, problems),
        from: dated(item, &status.from, false, problems),
        to: end(item, &status.to, problems),
    };
    dates.in_order(item, status, problems)
}

/// What a no of a list is about; flags of CRMs are about nothing in particular.
fn labels_of_no(object: &Object, item: &Item) -> Vec<String> {
    let about = item.column.is_some().then(|| object.statuses.get("answer")).flatten();
    let labels = about.iter().flat_map(|status| &status.labels);
    labels.filter_map(|label| item.get(label)).map(str::to_owned).collect()
}

enum Read {
    Nothing,
    No(Flag),
    Yes(Option<LawfulBasis>),
}

fn words<'c>(
    status: &Status,
    field: &str,
    cell: &'c str,
    item: &Item,
    problems: &mut Vec<Problem>,
) -> Vec<(Read, &'c str)> {
    let parts: Vec<&str> = match &status.separator {
        Some(separator) => cell.split(separator.as_str()).map(str::trim).filter(|p| !p.is_empty()).collect(),
        None => vec![cell],
    };
    let no = || status.opt_out.clone().expect("a table with opt_out says what it means");
    let mut read = Vec::new();
    let mut poisoned = false;
    for part in parts {
        match (status.values.get(part), status.unknown) {
            (Some(Word::Nothing), _) => read.push((Read::Nothing, part)),
            (Some(Word::OptOut), _) => read.push((Read::No(no()), part)),
            (Some(Word::OptIn), _) => {
                let basis = basis(status, item, problems);
                read.push((basis.map_or(Read::Nothing, |b| Read::Yes(Some(b))), part));
            }
            (Some(word), _) => read.push((Read::Yes(word.basis()), part)),
            (None, Unknown::NoGrant) => {
                let advice =
                    "unknown lawful basis, so the field grants nothing; write the CRM's own words, to the dash";
                problems.push(item.problem(Some(field), "unknown_legal_basis", advice));
                poisoned = true;
                read.push((Read::Nothing, part));
            }
            (None, Unknown::OptOut) => {
                let advice = "unknown status, so it counts as opted out; export the CRM's own words";
                problems.push(item.problem(Some(field), "unknown_status", advice));
                read.push((Read::No(no()), part));
            }
            (None, Unknown::Restrict) => {
                let advice = "unknown word, so the contact is restricted until somebody lifts it";
                problems.push(item.problem(Some(field), "unknown_status", advice));
                read.push((Read::No(Flag { event: EventKind::Restrict, ..no() }), part));
            }
        }
    }
    if poisoned {
        read.retain(|(r, _)| !matches!(r, Read::Yes(_)));
    }
    read
}

/// The basis that stands in another field; `None` where it is none that can carry anything here.
fn basis(status: &Status, item: &Item, problems: &mut Vec<Problem>) -> Option<LawfulBasis> {
    let field = status.basis.as_ref().expect("a table with opt_in names the field of the basis");
    let Some(cell) = item.get(&field.field) else {
        let advice = "opted in without a lawful basis, which grants nothing; turn on data privacy in the CRM";
        problems.push(item.problem(Some(&field.field), "missing_legal_basis", advice));
        return None;
    };
    let word = field.values.get(cell);
    if word.is_none() {
        let advice = "unknown lawful basis, so it grants nothing; export the CRM's own words";
        problems.push(item.problem(Some(&field.field), "unknown_legal_basis", advice));
    }
    word.and_then(|w| w.basis())
}

/// When something was written down: not later than it is read.
fn recorded(item: &Item, fields: &[String], negative: bool, now: Timestamp, problems: &mut Vec<Problem>) -> Dated {
    let at = dated(item, fields, negative, problems);
    let Dated::At(stated) = at else { return at };
    let field = item.first(fields).map(|(field, _)| field);
    if is_future(item, field, stated, negative, now, problems) { Dated::Unreadable } else { at }
}

/// Tells of a date that has not come yet.
pub(super) fn is_future(
    item: &Item,
    field: Option<&str>,
    at: Timestamp,
    negative: bool,
    now: Timestamp,
    problems: &mut Vec<Problem>,
) -> bool {
    let slip = slip((None, None), Some(at), now);
    problems.extend(slip.map(|slip| item.problem(field, slip.reason(), slip.advice(negative))));
    slip.is_some()
}

fn dated(item: &Item, fields: &[String], negative: bool, problems: &mut Vec<Problem>) -> Dated {
    let Some((field, cell)) = item.first(fields) else { return Dated::Undated };
    when(cell).map_or_else(|| unreadable(item, field, negative, problems), |w| Dated::At(w.start()))
}

fn end(item: &Item, fields: &[String], problems: &mut Vec<Problem>) -> Dated {
    let Some((field, cell)) = item.first(fields) else { return Dated::Undated };
    when(cell).map_or_else(|| unreadable(item, field, false, problems), |w| Dated::At(w.end()))
}

fn unreadable(item: &Item, field: &str, negative: bool, problems: &mut Vec<Problem>) -> Dated {
    let advice = if negative {
        "unreadable date, so it holds from ever and for ever; write it like 2025-12-31"
    } else {
        "unreadable date, so it grants nothing; write it like 2025-12-31"
    };
    problems.push(item.problem(Some(field), "unreadable_date", advice));
    Dated::Unreadable
}
