//! Salesforce: Individual, Contact, `ContactPointTypeConsent`, `ContactPointConsent`, `DataUsePurpose`. Sources:
//! `config/consent/salesforce.yaml`.
//!
//! Invariant: whatever belongs to an Individual concerns every contact of it; a contact without an Individual is not
//! permitted, so nothing is granted for it.

use std::collections::{BTreeMap, BTreeSet};

use super::fact::{Context, Index};
use super::record::{Item, Key, Problem, Record};
use super::spec::{Object, Spec};
use crate::model::SubjectId;

/// The record, and the Individual that a query nests in it.
pub(super) fn items(record: &Record) -> Vec<Item> {
    let mut item = Item::of(record);
    let nested: Vec<(String, Option<String>)> = item
        .names
        .iter()
        .filter_map(|name| Some((name.strip_prefix("Individual.")?.to_owned(), item.cells.get(name).cloned())))
        .collect();
    if nested.is_empty() {
        return vec![item];
    }
    let mut individual = Item { hint: Some("Individual".to_owned()), names: BTreeSet::new(), ..item.clone() };
    individual.cells.clear();
    for (name, cell) in nested {
        individual.set(&name, cell.as_deref().unwrap_or_default());
    }
    // A CSV row of a contact without an Individual has the columns, all empty.
    if individual.cells.is_empty() {
        return vec![item];
    }
    let id = item.get("IndividualId").or(individual.get("Id")).map(str::to_owned);
    if let Some(id) = id {
        individual.set("Id", &id);
        item.set("IndividualId", &id);
    }
    vec![individual, item]
}

/// What refers to what.
#[derive(Default)]
pub(super) struct Links {
    /// Contacts by Individual.
    contacts: BTreeMap<String, BTreeSet<String>>,
    /// Individuals that were exported.
    individuals: BTreeSet<String>,
    /// Individual and address by contact point.
    points: BTreeMap<String, (Option<String>, Option<String>)>,
    /// Names of data use purposes by id.
    purposes: BTreeMap<String, String>,
}

impl Links {
    pub fn of(spec: &Spec, items: &[Item]) -> Self {
        let mut links = Self::default();
        for item in items {
            let (Some(object), Some(id)) = (spec.object(item), item.get("Id")) else { continue };
            let text = |field: &str| item.get(field).map(str::to_owned);
            match object.name.as_str() {
                "Contact" => {
                    if let Some(individual) = text("IndividualId") {
                        links.contacts.entry(individual).or_default().insert(id.to_owned());
                    }
                }
                "Individual" => {
                    links.individuals.insert(id.to_owned());
                }
                "ContactPointEmail" | "ContactPointPhone" | "ContactPointAddress" => {
                    links.points.insert(id.to_owned(), (text("ParentId"), text("EmailAddress")));
                }
                "DataUsePurpose" => {
                    links.purposes.extend(text("Name").map(|name| (id.to_owned(), name)));
                }
                _ => {}
            }
        }
        links
    }

    fn contacts_of(&self, individual: &str) -> Vec<Key> {
        self.contacts.get(individual).into_iter().flatten().map(|id| Key::record(id)).collect()
    }

    /// Whom a record speaks of, through its Individual.
    pub fn context(&self, object: &Object, item: &Item, index: &Index) -> Context {
        let mut context = super::fact::context(object, item, index);
        let (individual, address) = match object.name.as_str() {
            "Individual" => (item.get("Id"), None),
            "ContactPointTypeConsent" => (item.get("PartyId"), None),
            "ContactPointConsent" => {
                let point = item.get("ContactPointId").and_then(|id| self.points.get(id));
                point.map_or((None, None), |(individual, address)| (individual.as_deref(), address.as_deref()))
            }
            _ => return context,
        };
        context.who.extend(individual.into_iter().flat_map(|id| self.contacts_of(id)));
        context.who.extend(address.into_iter().flat_map(|a| index.address(a)));
        context.who.sort();
        context.who.dedup();
        let purpose = item.get("DataUsePurposeId").and_then(|id| self.purposes.get(id)).cloned();
        context.labels = purpose.into_iter().filter(|name| item.get("DataUsePurpose.Name") != Some(name)).collect();
        if !individual.is_some_and(|id| self.individuals.contains(id)) {
            let advice =
                "no Individual of this import stands behind the consent, so it grants nothing; export both together";
            context.blocked = Some(("missing_individual", advice));
        }
        context
    }

    /// Tells of a contact that the home knows and that has no Individual.
    pub fn missing_individual(
        &self,
        item: &Item,
        context: &Context,
        resolve: &dyn Fn(&Key) -> Vec<SubjectId>,
    ) -> Option<Problem> {
        if item.get("IndividualId").is_some_and(|id| self.individuals.contains(id)) {
            return None;
        }
        let subject = context.who.iter().flat_map(resolve).next()?;
        let advice = "the contact has no Individual in this import, which permits nothing; link one, or export it too";
        Some(Problem { subject: Some(subject), ..item.problem(Some("IndividualId"), "missing_individual", advice) })
    }
}
