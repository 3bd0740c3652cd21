//! Consent lists that no API made: kept by hand, registers of letters, exports of newsletter tools and of consent management.
//!
//! Invariant: each statement of a row becomes an item of its own. A column or cell that may say no and is not understood says
//! it; a yes is one only where nothing of the row leaves it open, and grants something only through a mapping.

mod seen;
mod words;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use data_encoding::HEXLOWER;
use serde_json::{Map, Value};

pub(crate) use self::words::{
    CellSays, Objection, Place, Told, asks_for_consent, cell_says, flags_of_cell, may_object, noes_of_cell,
    objection_in, place_of, told_in,
};

use self::seen::{Answer, Seen};
use self::words::{Compared, Kind, Role, Says, WORDS};
use super::record::{Item, Record};
use crate::crm::{No, no_of_header, shown_header};

/// A field of a record, with its path.
#[derive(Debug, Clone)]
struct Field {
    header: String,
    cell: String,
    /// Of what the row stands in: it says who, when and what about, and has its answers in a row of its own.
    inherited: bool,
}

type Row = Vec<Field>;

/// What a header means.
#[derive(Debug, Clone, Copy)]
struct Column {
    role: Role,
    /// Its addresses and numbers are those of whoever works there.
    of_staff: bool,
    /// It holds the person's own address.
    own_address: bool,
}

/// Reads lists; what headers mean is remembered.
#[derive(Default)]
pub(super) struct Lists {
    columns: HashMap<String, Column>,
    /// Whether a column of a CRM's records plainly says no, and nobody knows it.
    plain: HashMap<String, bool>,
    /// The numbers of people are those of the CRM.
    own_ids: bool,
}

impl Lists {
    /// For records of a CRM's dialect that are not as its API has them.
    pub fn of_crm() -> Self {
        Self { own_ids: true, ..Self::default() }
    }

    /// Statements of columns that plainly say no and that nobody knows, of a record whose `known` columns are read elsewhere; about
    /// whom that record is.
    pub fn noes(
        &mut self,
        record: &Record,
        known: &dyn Fn(&str) -> bool,
        (own, who): (&[Item], Vec<(&'static str, String)>),
    ) -> Vec<Item> {
        let is_known = |column: &str| known(column) || known(words::last(column));
        let says_no = |column: &str| {
            !is_known(column) && matches!(no_of_header(words::last(column)), Some(No::Of(_) | No::Why(_)))
        };
        // Most records have no such column, and a million of them have the same ones.
        let names = || own.iter().flat_map(|item| &item.names);
        let fresh: Vec<String> = names().filter(|name| !self.plain.contains_key(*name)).cloned().collect();
        self.plain.extend(fresh.into_iter().map(|name| {
            let is = says_no(&name);
            (name, is)
        }));
        let lists = |(key, value): (&String, &Value)| !is_known(key) && value.as_array().is_some_and(|v| !v.is_empty());
        if !names().any(|name| self.plain[name]) && !record.fields.iter().any(lists) {
            return Vec::new();
        }
        // Of nobody who is named it is told all the same.
        let who = if who.is_empty() { vec![("list.nobody", "true".to_owned())] } else { who };
        let mut items = BTreeMap::new();
        for item in self.items(record) {
            if item.get("list.column").is_some_and(says_no) {
                for (name, key) in &who {
                    let mut item = item.clone();
                    for of in ["list.record", "list.email", "list.nobody"] {
                        item.cells.remove(of);
                    }
                    item.set(name, key);
                    item.cells.remove("list.statement");
                    let id = HEXLOWER.encode(&item.digest());
                    item.set("list.statement", &id);
                    items.insert(id, item);
                }
            }
        }
        items.into_values().collect()
    }

    /// The statements of a record; none where it says nothing.
    pub fn items(&mut self, record: &Record) -> Vec<Item> {
        let list = !self.own_ids && words::is_list_of_noes(&record.at.file);
        let mut items = BTreeMap::new();
        spread(&record.fields, "", &Row::new(), &mut |row, is_leaf| {
            for item in self.statements(record, row, list, is_leaf) {
                items.entry(item.cells["list.statement"].clone()).or_insert(item);
            }
        });
        items.into_values().collect()
    }

    fn statements(&mut self, record: &Record, row: &Row, list: bool, is_leaf: bool) -> Vec<Item> {
        let mut seen = self.seen(row, is_leaf);
        // Of a list of noes each row is one, whatever yes came before it.
        if list && row.iter().all(|field| !field.inherited) {
            seen.answers.retain(|(_, answer)| matches!(answer, Answer::No { .. }));
            if seen.answers.is_empty()
                && !seen.denied
                && !(seen.addresses.is_empty() && seen.numbers.is_empty() && seen.customers.is_empty())
            {
                seen.answer("list", Answer::No { kind: Kind::Object, at: None, cell: None });
            }
        }
        let who = self.who(&seen);
        let mut told = BTreeSet::new();
        let mut items = Vec::new();
        for (column, answer) in &seen.answers {
            let at = seen.date_of(column, answer).unwrap_or_default();
            let (names, cell): (&[&str], &str) = match answer {
                Answer::Yes { .. } => (&["answer"], "yes"),
                Answer::LegitimateInterest => (&["basis"], "legitimate_interest"),
                Answer::No { kind, cell, .. } => (seen.fields_of_no(column, *kind), cell.as_deref().unwrap_or("true")),
            };
            for name in names {
                // A status and its date say one no; ticks are a yes each.
                let of_column = if *name == "answer" { column.as_str() } else { "" };
                if told.insert((*name, at.clone(), of_column)) {
                    items.extend(who.iter().map(|who| item(record, &seen, (column, name, cell, &at), *who)));
                }
            }
        }
        items
    }

    /// By what the people of a row are found.
    fn who<'s>(&self, seen: &'s Seen) -> Vec<(&'static str, &'s str)> {
        let records = |numbers: &'s [String]| numbers.iter().map(|number| ("list.record", number.as_str()));
        let mut who: Vec<_> = seen.addresses.iter().map(|address| ("list.email", address.as_str())).collect();
        if self.own_ids || who.is_empty() {
            who.extend(records(&seen.numbers));
        }
        if !self.own_ids && who.is_empty() {
            who.extend(records(&seen.customers));
        }
        // Of somebody who is not named the statement is told all the same.
        if who.is_empty() { vec![("list.nobody", "true")] } else { who }
    }

    fn column_of(&mut self, field: &Field) -> Column {
        let column = self.column(&field.header);
        let is_id = || {
            let name = Compared::of(words::last(&field.header));
            ["id", "kontakt", "contact", "person"].iter().any(|id| name.is(id))
                && field.cell.bytes().any(|b| b.is_ascii_digit())
        };
        if self.own_ids && is_id() { Column { role: Role::Person, ..column } } else { column }
    }

    fn column(&mut self, header: &str) -> Column {
        if let Some(column) = self.columns.get(header) {
            return *column;
        }
        let of_staff = Compared::of(header).has(&WORDS.headers.not_person);
        let column = Column { role: words::role(header), of_staff, own_address: words::is_own_address(header) };
        self.columns.insert(header.to_owned(), column);
        column
    }

    fn seen(&mut self, row: &Row, is_leaf: bool) -> Seen {
        let mut seen = Seen::default();
        let columns: Vec<Column> = row.iter().map(|field| self.column_of(field)).collect();
        let beside = columns.iter().any(|column| matches!(column.role, Role::Answer { .. } | Role::Granted));
        let mut inherited_addresses = BTreeSet::new();
        for (Field { header, cell, inherited }, column) in row.iter().zip(&columns) {
            let Column { role, of_staff, own_address: is_own } = *column;
            let found = if is_own { addresses_in(cell) } else { addresses(cell) };
            if !found.is_empty() {
                match (role, of_staff) {
                    // `unsubscribed: [a@x.example, b@x.example]`
                    (Role::No(kind), _) => {
                        seen.addresses.extend(found);
                        seen.answer(header, Answer::No { kind, at: None, cell: None });
                    }
                    (_, true) => {}
                    (_, false) if is_own && *inherited => inherited_addresses.extend(found),
                    (_, false) if is_own => seen.addresses.extend(found),
                    (_, false) => seen.others.extend(found),
                }
                continue;
            }
            if of_staff && matches!(role, Role::Person | Role::Customer) {
                continue;
            }
            let role = if beside { role.beside_an_answer() } else { role };
            let frames = matches!(role, Role::Person | Role::Customer | Role::Label | Role::Date | Role::Until);
            if !*inherited || frames {
                seen.take(header, cell, role);
            } else if matches!(role, Role::Kind { .. }) {
                seen.pending |= words::says(cell) == Says::Open;
            } else if matches!(role, Role::Confirmed | Role::Doubtful) {
                // It leaves a yes open here, too; what it says itself is told where it stands. What is inherited comes first.
                seen.take(header, cell, role);
                seen.answers.clear();
            }
        }
        if seen.addresses.is_empty() {
            seen.addresses = inherited_addresses;
        }
        // Of several others nobody knows whose they are.
        if seen.addresses.is_empty() && seen.others.len() == 1 {
            seen.addresses = std::mem::take(&mut seen.others);
        }
        seen.settle(is_leaf);
        seen
    }
}

/// A column as messages and events name it. Keys of JSON may be people's, and so may numbers in headers.
fn shown(column: &str) -> String {
    let last = words::last(column);
    let numbers = last.bytes().filter(u8::is_ascii_digit).count();
    shown_header(if numbers > 5 { "@" } else { last })
}

/// An item of one statement: its column, the field's name, its cell, its date; and who it is about.
fn item(record: &Record, seen: &Seen, said: (&str, &str, &str, &str), who: (&str, &str)) -> Item {
    let (column, name, cell, at) = said;
    let mut item = Item::bare(&record.at);
    // A tick in a column of its own is about what the column is called, whatever the row is about.
    let is_own = name == "answer" && !words::is_of_answers(column);
    for (at, label) in seen.labels.iter().enumerate().filter(|_| !is_own) {
        item.set(&format!("list.label.{at}"), label);
    }
    for (name, cell) in [
        ("list.column", column),
        who,
        (name, cell),
        ("list.at", at),
        ("list.until", seen.until.as_deref().unwrap_or_default()),
    ] {
        item.set(name, cell);
    }
    let id = HEXLOWER.encode(&item.digest());
    item.set("list.statement", &id);
    item.column = Some(shown(column));
    item
}

impl Field {
    const fn new(header: String, cell: String) -> Self {
        Self { header, cell, inherited: false }
    }
}

/// Rows of an object: one for each element of its lists of objects, with all that stands above it.
fn spread(map: &Map<String, Value>, prefix: &str, above: &Row, show: &mut dyn FnMut(&Row, bool)) {
    let mut own = above.clone();
    let mut lists = Vec::new();
    flatten(map, prefix, &mut own, &mut lists);
    show(&own, lists.is_empty());
    for field in &mut own {
        field.inherited = true;
    }
    for (name, list) in lists {
        for element in objects(list) {
            spread(element, &format!("{name}."), &own, show);
        }
    }
}

/// The objects of a list, and of lists within it.
fn objects(list: &[Value]) -> Vec<&Map<String, Value>> {
    let mut found = Vec::new();
    for value in list {
        match value {
            Value::Object(map) => found.push(map),
            Value::Array(inner) => found.extend(objects(inner)),
            _ => {}
        }
    }
    found
}

fn flatten<'v>(map: &'v Map<String, Value>, prefix: &str, own: &mut Row, lists: &mut Vec<(String, &'v Vec<Value>)>) {
    for (key, value) in map {
        let name = format!("{prefix}{key}");
        match value {
            Value::Object(inner) => flatten(inner, &format!("{name}."), own, lists),
            Value::Array(values) if values.iter().any(|v| v.is_object() || v.is_array()) => lists.push((name, values)),
            Value::Array(values) => own.push(Field::new(name, values.iter().map(text).collect::<Vec<_>>().join(";"))),
            other => own.push(Field::new(name, text(other))),
        }
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// All addresses in a cell of the person's own column.
fn addresses_in(cell: &str) -> Vec<String> {
    let parts = cell.split(|c: char| c.is_whitespace() || "<>()[]\",;|/".contains(c));
    parts.flat_map(addresses).collect()
}

/// The addresses of a cell that has nothing else.
fn addresses(cell: &str) -> Vec<String> {
    let parts = cell.split([';', ',', '|']).map(str::trim).filter(|part| !part.is_empty());
    let address = |part: &str| {
        let part = part.rsplit_once('<').map_or(part, |(_, address)| address.trim_end_matches('>'));
        let part = part
            .get(..7)
            .filter(|start| start.eq_ignore_ascii_case("mailto:"))
            .map_or(part, |start| &part[start.len()..]);
        let (local, host) = part.split_once('@')?;
        let is = !local.is_empty() && host.contains('.') && !part.contains(char::is_whitespace) && !host.contains('@');
        is.then(|| part.to_lowercase())
    };
    if cell.contains('@') { parts.map(address).collect::<Option<_>>().unwrap_or_default() } else { Vec::new() }
}
