//! Headers that no list has, by the words that they are made of: "Kontakt: GUID", "ID des Kontakts".
//!
//! Invariant: a header is taken for an id or a name only where nothing else stands in it, so that of two people's ids none is
//! taken for the other's; what a list knows is read before any of this.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::FileSet;
use super::columns::{Layout, Table};
use super::headers::{normal, unwrapped};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Words {
    contact: Vec<String>,
    company: Vec<String>,
    note: Vec<String>,
    id: Vec<String>,
    name: Vec<String>,
    email: Vec<String>,
    between: Vec<String>,
    not_last: Vec<String>,
    loser_parts: Vec<String>,
    winner_parts: Vec<String>,
    gone_parts: Vec<String>,
    custom_before: Vec<String>,
    custom_behind: Vec<String>,
    written: Vec<String>,
    not_written: Vec<String>,
    loser: Vec<String>,
    winner: Vec<String>,
}

static WORDS: LazyLock<Words> = LazyLock::new(|| {
    let mut words: Words = serde_saphyr::from_str(include_str!("../../config/crm/words.yaml"))
        .expect("embedded words.yaml is checked by a test");
    for all in [&mut words.contact, &mut words.company, &mut words.note] {
        all.sort_by_key(|word| std::cmp::Reverse(word.len()));
    }
    words
});

/// What a header is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Entity {
    Contact,
    Company,
    Note,
}

/// A field that a header may stand for, and how good a sign it is: less is better.
type Guess = (String, usize);

impl Layout {
    /// Finds the columns of fields that no list of headers has found, by the words of the headers.
    pub(super) fn guess(&mut self, set: &FileSet, header: &[String]) {
        let table = self.table;
        self.tell_people_from_companies(set);
        let used = self.used();
        let is_ignored = |header: &String| set.ignored.iter().any(|ignored| normal(ignored) == normal(header));
        let free = header.iter().enumerate().filter(|(at, header)| !used.contains(at) && !is_ignored(header));
        let mut found: BTreeMap<String, (usize, usize)> = BTreeMap::new();
        for (at, header) in free.clone() {
            let guessed = field_of(table, header).filter(|(field, _)| !self.columns.contains_key(field));
            if let Some((field, sign)) = guessed
                && found.get(&field).is_none_or(|(better, _)| sign < *better)
            {
                found.insert(field, (sign, at));
            }
        }
        self.columns.extend(found.into_iter().map(|(field, (_, at))| (field, vec![at])));
        if table == Table::Notes && !self.columns.contains_key("text") {
            let used = self.used();
            let text = free.clone().find(|(at, header)| !used.contains(at) && is_written(header));
            let text = text.map(|(at, _)| vec![at]).or_else(|| self.columns.get("subject").cloned());
            self.columns.extend(text.map(|at| ("text".to_owned(), at)));
        }
        if table == Table::Notes || self.columns.contains_key("record_id") {
            return;
        }
        if let Some((loser, winner)) = merges(header) {
            self.columns.insert("record_id".to_owned(), vec![loser]);
            self.columns.insert("merged_into".to_owned(), vec![winner]);
        } else if let Some((at, _)) =
            free.clone().find(|(_, header)| is_id(header) && has_part(&WORDS.gone_parts, &normal(header)))
        {
            // "GGUID (gelöscht)": a list of what is gone.
            self.columns.insert("record_id".to_owned(), vec![at]);
            self.of_deletions = !self.columns.contains_key("email");
        } else if self.columns.contains_key("deleted") {
            let id = free.clone().find(|(_, header)| is_id(header));
            self.columns.extend(id.map(|(at, _)| ("record_id".to_owned(), vec![at])));
        }
    }

    /// `SuperOffice` calls companies contacts: beside the id of a person, that of a contact is the company's.
    fn tell_people_from_companies(&mut self, set: &FileSet) {
        let key = if self.table == Table::Notes { "contact_id" } else { "record_id" };
        let at = |wanted: &str| self.header().iter().position(|h| normal(unwrapped(h)) == wanted);
        let both =
            at("contactid").or_else(|| at("contactcontactid")).zip(at("personid").or_else(|| at("personpersonid")));
        let is_mapped = set.columns.contains_key(key) || set.columns.contains_key("account_record");
        if let Some((company, person)) = both.filter(|_| !is_mapped && self.table != Table::Accounts) {
            self.columns.insert(key.to_owned(), vec![person]);
            self.columns.insert("account_record".to_owned(), vec![company]);
        }
    }

    /// Whether a file names nobody, and says something of records all the same: a list of noes, or of changes. Of one with a
    /// column that nobody knows it cannot be told what it says: that its records are gone, perhaps.
    pub(super) fn adds_to_others(&self) -> bool {
        let has = |field: &str| self.columns.contains_key(field);
        let says =
            self.columns.keys().any(|field| !["record_id", "updated_at", "created_at"].contains(&field.as_str()));
        let is_known = self.unused(self.header()).is_empty();
        has("record_id") && !has("family_name") && !has("full_name") && says && is_known
    }
}

/// What a header of a table may stand for.
fn field_of(table: Table, header: &str) -> Option<Guess> {
    let whole = joined(header);
    of_list(table, &whole).or_else(|| of_custom(table, header)).or_else(|| of_entity(table, &whole))
}

/// The words of a header in one, without those that tell nothing.
fn joined(header: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    let mut was_small = false;
    for c in header.chars() {
        // "contactId" has two words.
        if !c.is_alphanumeric() || (c.is_uppercase() && was_small) {
            words.push(std::mem::take(&mut word));
        }
        was_small = c.is_lowercase();
        if c.is_alphanumeric() {
            word.push(c);
        }
    }
    words.push(word);
    let words: Vec<String> = words.iter().map(|word| normal(word)).filter(|word| !word.is_empty()).collect();
    let is_kept = |(at, word): &(usize, &String)| {
        !WORDS.between.contains(word) || (*at + 1 == words.len() && WORDS.not_last.contains(word))
    };
    words.iter().enumerate().filter(is_kept).map(|(_, word)| word.as_str()).collect()
}

/// The field of a known header, as [`normal`] writes it.
fn of_list(table: Table, key: &str) -> Option<Guess> {
    let known = table.known().iter();
    let mut known = known.filter(|(_, aliases)| aliases.de_keys.iter().chain(&aliases.en_keys).any(|a| a == key));
    known.next().map(|(field, _)| (field.clone(), 0))
}

/// The field of a column that the owner of the CRM has made: `email__c`, `cf_jobtitle`.
fn of_custom(table: Table, header: &str) -> Option<Guess> {
    let header = header.trim();
    let behind = WORDS.custom_behind.iter().find_map(|end| header.strip_suffix(end.as_str()));
    let rest = behind.unwrap_or(header);
    let lower = rest.to_lowercase();
    let before = WORDS.custom_before.iter().find(|start| lower.starts_with(start.as_str()));
    let rest = before.and_then(|start| rest.get(start.len()..)).unwrap_or(rest);
    (rest.len() < header.len()).then(|| of_list(table, &joined(rest)))?
}

fn of_entity(table: Table, whole: &str) -> Option<Guess> {
    let own = match table {
        Table::Contacts | Table::Consents => Entity::Contact,
        Table::Accounts => Entity::Company,
        Table::Notes => Entity::Note,
    };
    let entities = [(Entity::Contact, &WORDS.contact), (Entity::Company, &WORDS.company), (Entity::Note, &WORDS.note)];
    for (entity, words) in entities {
        let rests =
            words.iter().flat_map(|word| [whole.strip_prefix(word.as_str()), whole.strip_suffix(word.as_str())]);
        for rest in rests.flatten().filter(|rest| !rest.is_empty()) {
            let found = match table {
                Table::Consents if entity != own => None,
                _ if entity == own => of_own(table, rest),
                _ => of_other(table, entity, rest),
            };
            if found.is_some() {
                return found;
            }
        }
    }
    None
}

fn place(words: &[String], rest: &str) -> Option<usize> {
    words.iter().position(|word| word == rest)
}

/// What is told of the record itself.
fn of_own(table: Table, rest: &str) -> Option<Guess> {
    let name = if table == Table::Accounts { "name" } else { "full_name" };
    if let Some(at) = place(&WORDS.id, rest) {
        return Some((table.own_key().to_owned(), at + 1));
    }
    if place(&WORDS.name, rest).is_some() && matches!(table, Table::Contacts | Table::Accounts) {
        return Some((name.to_owned(), 1));
    }
    of_list(table, rest).map(|(field, _)| (field, 1))
}

/// Of another record, its id and its name.
fn of_other(table: Table, entity: Entity, rest: &str) -> Option<Guess> {
    let (id, name) = match (table, entity) {
        (Table::Contacts | Table::Notes, Entity::Company) => ("account_record", "account_name"),
        (Table::Notes, Entity::Contact) => ("contact_id", "contact_name"),
        _ => return None,
    };
    if table == Table::Notes && entity == Entity::Contact && place(&WORDS.email, rest).is_some() {
        return Some(("contact_email".to_owned(), 1));
    }
    let is_name = || place(&WORDS.name, rest).map(|_| (name.to_owned(), 1));
    place(&WORDS.id, rest).map(|at| (id.to_owned(), at + 1)).or_else(is_name)
}

/// Whether a header tells what was written, by a part of it.
fn is_written(header: &str) -> bool {
    let words = header.split(|c: char| !c.is_alphanumeric()).map(normal);
    let key = normal(header);
    WORDS.written.iter().any(|part| key.contains(part.as_str()))
        && !words.into_iter().any(|word| WORDS.not_written.contains(&word))
}

/// Of a list of merges, where the records that are gone stand, and those that hold.
fn merges(header: &[String]) -> Option<(usize, usize)> {
    let keys: Vec<String> = header.iter().map(|h| normal(h)).collect();
    let find = |words: &[String], parts: &[String]| {
        let is_told = |(header, key): &(&String, &String)| is_id(header) && has_part(parts, key);
        let whole = words.iter().find_map(|word| keys.iter().position(|key| key == word));
        whole.or_else(|| header.iter().zip(&keys).position(|pair| is_told(&pair)))
    };
    let (loser, winner) = (find(&WORDS.loser, &WORDS.loser_parts)?, find(&WORDS.winner, &WORDS.winner_parts)?);
    (loser != winner).then_some((loser, winner))
}

fn has_part(parts: &[String], key: &str) -> bool {
    parts.iter().any(|part| key.contains(part.as_str()))
}

/// Whether a header is that of some id.
fn is_id(header: &str) -> bool {
    let key = joined(header);
    WORDS.id.iter().any(|word| {
        key == *word || (word.len() > 1 && (key.ends_with(word.as_str()) || key.starts_with(word.as_str())))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_no_list_are_taken_for_what_their_words_say() {
        for (table, header, want) in [
            (Table::Contacts, "Kontakt: GUID", "record_id"),
            (Table::Contacts, "person_uuid", "record_id"),
            (Table::Contacts, "ID des Ansprechpartners", "record_id"),
            (Table::Contacts, "Contact: Last Name", "family_name"),
            (Table::Contacts, "Last Name (required)", "family_name"),
            (Table::Contacts, "Title__c", "job_title"),
            (Table::Contacts, "cf_jobtitle", "job_title"),
            (Table::Contacts, "Account: Account Code", ""),
            (Table::Contacts, "relationships.account.data.id", "account_record"),
            (Table::Contacts, "Company: Name", "account_name"),
            (Table::Contacts, "Parent Contact ID", ""),
            (Table::Contacts, "Contact Owner ID", ""),
            (Table::Contacts, "Reports To ID", ""),
            (Table::Contacts, "Spouse Name", ""),
            (Table::Accounts, "Organisation GUID", "record_id"),
            (Table::Accounts, "Primary Contact ID", ""),
            (Table::Accounts, "Account: Website", "domain"),
            (Table::Notes, "Kontakt GUID", "contact_id"),
            (Table::Notes, "E-Mail des Kontakts", "contact_email"),
            (Table::Notes, "relationships.contact.data.id", "contact_id"),
            (Table::Notes, "Note: Created Date", "written_at"),
            (Table::Notes, "Besuchsbericht-Nr.", "note_id"),
            (Table::Notes, "Owner ID", "author"),
            (Table::Notes, "Account Owner", ""),
        ] {
            assert_eq!(field_of(table, header).map(|(field, _)| field).unwrap_or_default(), want, "{header}");
        }
        assert!(is_written("Inhalt der Notiz") && is_written("Gesprächsverlauf") && !is_written("Notiz erstellt am"));
        let header = |all: &[&str]| all.iter().map(|h| (*h).to_owned()).collect::<Vec<_>>();
        assert_eq!(merges(&header(&["Dublette GGUID", "Hauptdatensatz GGUID", "am"])), Some((0, 1)));
        assert_eq!(merges(&header(&["Winner ID", "Loser ID"])), Some((1, 0)));
        assert_eq!(merges(&header(&["Parent ID", "Child ID"])), None);
        assert_eq!(field_of(Table::Contacts, "email.primary"), None);
        assert!(is_id("Kontakt-Nr.") && is_id("Contact GUID") && !is_id("Telefon"));
    }
}
