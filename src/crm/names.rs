//! Who is meant where an export names somebody and not their id.
//!
//! Invariant: a name, or an address, that two have stands for neither.

use std::collections::HashMap;

use super::value;

/// Record ids of companies by their names.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct ByName(HashMap<String, Option<String>>);

impl ByName {
    /// The id of the only company of that name.
    pub(super) fn id_of(&self, name: &str) -> Option<String> {
        self.0.get(&key(name)).cloned().flatten()
    }

    pub(super) fn add(&mut self, name: &str, id: &str, of_contacts: bool) {
        let is_other = |there: &Option<String>| there.as_deref() != Some(id);
        match self.0.get_mut(&key(name)) {
            // Of a list without ids, two rows are two companies.
            Some(there) if is_other(there) || (name == id && !of_contacts) => *there = None,
            Some(_) => {}
            None => drop(self.0.insert(key(name), Some(id.to_owned()))),
        }
    }
}

/// Record ids of contacts by their names, alone and with their company.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct People(HashMap<String, Option<String>>);

impl People {
    /// The id of the only contact of that name in a company, else of the only one anywhere.
    pub(super) fn id_of(&self, name: &str, company: Option<&str>) -> Option<String> {
        let (id, name) = (name.trim(), person(name));
        let find = |company: &str| self.0.get(&format!("{company}\n{name}")).cloned().flatten();
        // Where a name is asked for, some write the id.
        company.map_or_else(|| find(""), find).or_else(|| self.0.get(&format!("#\n{id}")).cloned().flatten())
    }

    /// The id of the only contact with an address.
    pub(super) fn id_of_address(&self, address: &str) -> Option<String> {
        // No company is called so.
        self.0.get(&format!("@\n{address}")).cloned().flatten()
    }

    pub(super) fn add_address(&mut self, address: &str, id: &str) {
        self.put(format!("@\n{address}"), id);
    }

    fn put(&mut self, key: String, id: &str) {
        self.0
            .entry(key)
            .and_modify(|there| *there = there.take().filter(|there| there == id))
            .or_insert_with(|| Some(id.to_owned()));
    }

    pub(super) fn add(&mut self, name: &str, company: Option<&str>, id: &str) {
        self.put(format!("#\n{id}"), id);
        let name = person(name);
        for company in std::iter::once("").chain(company) {
            self.put(format!("{company}\n{name}"), id);
        }
    }
}

/// A name as it is compared: without titles, the given name first.
fn person(name: &str) -> String {
    let parts: Vec<String> = name.splitn(2, ',').map(value::strip_titles).collect();
    let turned: Vec<&str> = parts.iter().rev().map(String::as_str).filter(|part| !part.is_empty()).collect();
    turned.join(" ").to_lowercase()
}

fn key(name: &str) -> String {
    // vtiger writes "Accounts::::Name".
    let name = name.rsplit_once("::::").map_or(name, |(_, name)| name);
    value::collapse(name).to_lowercase()
}
