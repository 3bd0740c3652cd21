//! What the fields and words of each CRM mean: `config/consent/<dialect>.yaml`, compiled in.
//!
//! Invariant: a word that is not in the table means nothing good: it counts as an opt-out, or takes the grant with it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde::Deserialize;

use super::Dialect;
use super::record::Item;
use crate::consent::event::{EventKind, LawfulBasis};

/// A dialect's table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Spec {
    version: u32,
    /// Where the names and words were looked up.
    pub sources: Vec<String>,
    /// Words of a flag that is set, lower case.
    flag_set: Vec<String>,
    /// Words of a flag that is not.
    flag_clear: Vec<String>,
    /// The kinds of records, the most particular first.
    pub objects: Vec<Object>,
    /// The names of all fields by their small letters, where one name has them.
    #[serde(skip)]
    lower: BTreeMap<String, String>,
}

/// A kind of record.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Object {
    pub name: String,
    /// What `attributes.type`, or the file, calls it.
    #[serde(default, rename = "type")]
    kind: Option<String>,
    /// It is of this kind if it has all fields of one of these groups...
    detect: Vec<Vec<String>>,
    /// ... and none of these.
    #[serde(default)]
    without: Vec<String>,
    /// Its own id: the first of these that is there...
    #[serde(default)]
    id: Vec<String>,
    /// ... or all of these together.
    #[serde(default)]
    id_parts: Vec<String>,
    /// The CRM's id of the contact.
    #[serde(default)]
    pub record: Vec<String>,
    /// An address instead of an id.
    #[serde(default)]
    pub email: Vec<String>,
    /// Addresses of the contact that the record is.
    #[serde(default)]
    pub addresses: Vec<String>,
    /// Telephone numbers of the contact that the record is.
    #[serde(default)]
    pub phones: Vec<String>,
    #[serde(default)]
    pub flags: BTreeMap<String, Flag>,
    /// Flags whose names end in digits.
    #[serde(default)]
    flag_prefixes: BTreeMap<String, Flag>,
    #[serde(default)]
    pub statuses: BTreeMap<String, Status>,
}

/// What a flag means when it is set.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Flag {
    pub event: EventKind,
    /// Empty = all.
    pub purposes: BTreeSet<String>,
    /// Fields with its date.
    #[serde(default)]
    pub at: Vec<String>,
}

/// A field with words.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Status {
    /// Several words may stand in it.
    #[serde(default)]
    pub separator: Option<String>,
    pub values: BTreeMap<String, Word>,
    #[serde(default)]
    pub opt_out: Option<Flag>,
    #[serde(default)]
    pub unknown: Unknown,
    /// Fields that name what the answer was about.
    #[serde(default)]
    pub labels: Vec<String>,
    /// Fields with the date of the answer.
    #[serde(default)]
    pub at: Vec<String>,
    /// The same for an opt-out, where it differs.
    #[serde(default)]
    pub opt_out_at: Vec<String>,
    #[serde(default)]
    pub from: Vec<String>,
    #[serde(default)]
    pub to: Vec<String>,
    /// The field with the basis of an `opt_in`.
    #[serde(default)]
    pub basis: Option<BasisField>,
    /// Purposes that a mapping can never make of it.
    #[serde(default)]
    pub never_for: Vec<String>,
}

/// What a word means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Word {
    /// Yes; the basis stands in another field.
    OptIn,
    /// Yes, as a consent.
    Consent,
    /// The controller claims a legitimate interest.
    LegitimateInterest,
    /// No.
    OptOut,
    /// Neither.
    Nothing,
}

/// What a word means that is not in the table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Unknown {
    /// It counts as the opt-out.
    #[default]
    OptOut,
    /// It grants nothing, and neither do the other words of the field.
    NoGrant,
    /// It restricts until somebody has looked.
    Restrict,
}

/// A field with a lawful basis.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BasisField {
    pub field: String,
    pub values: BTreeMap<String, Word>,
}

impl Word {
    /// The basis that the word claims.
    pub const fn basis(self) -> Option<LawfulBasis> {
        match self {
            Self::Consent => Some(LawfulBasis::Consent),
            Self::LegitimateInterest => Some(LawfulBasis::LegitimateInterest),
            Self::OptIn | Self::OptOut | Self::Nothing => None,
        }
    }
}

fn lower(objects: &[Object]) -> BTreeMap<String, String> {
    let mut names: BTreeMap<String, BTreeSet<&String>> = BTreeMap::new();
    for name in objects.iter().flat_map(Object::names) {
        names.entry(name.to_lowercase()).or_default().insert(name);
    }
    let one = |(lower, names): (String, BTreeSet<&String>)| {
        (names.len() == 1).then(|| Some((lower, (*names.first()?).clone()))).flatten()
    };
    names.into_iter().filter_map(one).collect()
}

impl Spec {
    /// The table of a dialect; the consent table has none.
    pub fn of(dialect: Dialect) -> Option<&'static Self> {
        static SPECS: LazyLock<BTreeMap<Dialect, Spec>> = LazyLock::new(|| {
            let texts = [
                (Dialect::Hubspot, include_str!("../../../config/consent/hubspot.yaml")),
                (Dialect::Salesforce, include_str!("../../../config/consent/salesforce.yaml")),
                (Dialect::Dynamics, include_str!("../../../config/consent/dynamics.yaml")),
                (Dialect::Pipedrive, include_str!("../../../config/consent/pipedrive.yaml")),
                (Dialect::Espocrm, include_str!("../../../config/consent/espocrm.yaml")),
                (Dialect::Odoo, include_str!("../../../config/consent/odoo.yaml")),
                (Dialect::List, include_str!("../../../config/consent/list.yaml")),
            ];
            let read = |text| {
                let mut spec: Spec = serde_saphyr::from_str(text).expect("an embedded table is checked by a test");
                spec.lower = lower(&spec.objects);
                spec
            };
            texts.into_iter().map(|(dialect, text)| (dialect, read(text))).collect()
        });
        SPECS.get(&dialect).inspect(|spec| debug_assert_eq!(spec.version, 1))
    }

    /// Reads a flag; an unknown word is `None`.
    pub fn flag(&self, cell: &str) -> Option<bool> {
        let word = cell.to_lowercase();
        let is = |words: &[String]| words.contains(&word);
        if is(&self.flag_set) { Some(true) } else { is(&self.flag_clear).then_some(false) }
    }

    /// Names fields as the table has them where they differ in capitals, as data loaders and data bases write them.
    pub fn rename(&self, item: &mut Item) {
        let known = |name: &String| self.lower.get(&name.to_lowercase()).filter(|known| *known != name);
        let strange: Vec<(String, &String)> =
            item.names.iter().filter_map(|name| Some((name.clone(), known(name)?))).collect();
        for (name, known) in strange {
            if !item.names.contains(known) {
                let cell = item.cells.remove(&name).unwrap_or_default();
                item.names.remove(&name);
                item.set(known, &cell);
            }
        }
    }

    /// Whether a field is one that it reads.
    pub fn knows(&self, name: &str) -> bool {
        let prefixes = || self.objects.iter().flat_map(|object| object.flag_prefixes.keys());
        self.lower.contains_key(&name.to_lowercase()) || prefixes().any(|prefix| name.starts_with(prefix.as_str()))
    }

    /// The kind of a record: as it is called, else by its fields.
    pub fn object(&self, item: &Item) -> Option<&Object> {
        let called = item.get("attributes.type").or(item.hint.as_deref());
        let by_name = |name: &str| self.objects.iter().find(|o| o.kind.as_deref() == Some(name));
        called.and_then(by_name).or_else(|| self.objects.iter().find(|o| o.fits(item)))
    }
}

impl Object {
    /// All fields that it knows by name.
    fn names(&self) -> impl Iterator<Item = &String> {
        let lists = [&self.without, &self.id, &self.id_parts, &self.record, &self.email, &self.addresses, &self.phones];
        let own = lists.into_iter().flatten().chain(self.detect.iter().flatten());
        let flags = self.flags.iter().flat_map(|(name, flag)| std::iter::once(name).chain(&flag.at));
        let statuses = self.statuses.iter().flat_map(|(name, status)| {
            let fields = [&status.labels, &status.at, &status.opt_out_at, &status.from, &status.to];
            let basis = status.basis.as_ref().map(|basis| &basis.field);
            std::iter::once(name).chain(fields.into_iter().flatten()).chain(basis)
        });
        own.chain(flags).chain(statuses)
    }

    fn fits(&self, item: &Item) -> bool {
        let has = |name: &String| item.names.contains(name);
        self.detect.iter().any(|group| group.iter().all(has)) && !self.without.iter().any(has)
    }

    /// Of whom a record is, as a list has it: by the CRM's id, else by the address.
    pub fn who(&self, item: &Item) -> Vec<(&'static str, String)> {
        let record = item.first(&self.record).map(|(_, id)| ("list.record", id.to_owned()));
        let email = || item.first(&self.email).map(|(_, address)| ("list.email", address.to_owned()));
        record.or_else(email).into_iter().collect()
    }

    /// The record's own id, as exported.
    pub fn id_of(&self, item: &Item) -> Option<String> {
        if self.id_parts.is_empty() {
            return item.first(&self.id).map(|(_, id)| id.to_owned());
        }
        let parts: Vec<&str> = self.id_parts.iter().map(|name| item.get(name).unwrap_or_default()).collect();
        (!parts.concat().is_empty()).then(|| parts.join("\u{1f}").to_lowercase())
    }

    /// The flags of a record: those by name, and those by prefix and digits.
    pub fn flags_of<'a>(&'a self, item: &'a Item) -> impl Iterator<Item = (&'a str, &'a str, &'a Flag)> {
        item.cells.iter().filter_map(|(name, cell)| {
            let numbered = || {
                self.flag_prefixes.iter().find_map(|(prefix, flag)| {
                    let rest = name.strip_prefix(prefix.as_str())?;
                    (!rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit())).then_some(flag)
                })
            };
            Some((name.as_str(), cell.as_str(), self.flags.get(name).or_else(numbered)?))
        })
    }
}
