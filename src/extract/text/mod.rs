//! Notes, bios and posts: from text about people to first honest signals.
//!
//! Invariant: nothing is inferred from text that the Art. 9 guard has not scrubbed; the extractors
//! take only [`guard::Scrubbed`], which the guard alone makes. Abstaining beats guessing.

mod address;
mod alternatives;
mod bare;
mod called;
mod company;
mod crossed;
mod department;
mod doubt;
mod firm;
mod genitive;
mod glossary;
pub mod guard;
mod heads;
mod lines;
mod mail;
mod memory;
mod names;
mod needles;
mod others;
mod pair;
mod part;
mod pattern;
mod people;
mod phrase;
mod quote;
mod rarest;
mod relative;
mod reported;
mod role_lines;
mod rules;
mod seat;
mod seen;
mod sentence;
mod signals;
mod stance;
mod statement;
mod subject;
mod thread;
mod topics;
mod view;
mod vocabulary;
mod whose;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use firm::{folded, name_word};
pub use lines::{LinesReport, text_lines};
pub(crate) use memory::hash as word_hash;
pub use people::Contacts;
pub use quote::scrub_quote;

use crate::model::Claim;
use crate::taxonomy::{CompanyField, Language, Point, PointKind, PurchasePhase};
use firm::Employer;
use guard::SpecialCategory;
use guard::token::Words;

/// Name and version of this extractor, for the `evidence` table.
pub const EXTRACTOR: &str = "text/4";

/// What kind of text a record holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TextKind {
    /// A person's own description; the first person is `about`.
    Bio,
    /// A person's own post; the first person is `about`.
    Post,
    /// A note of a sales person about contacts.
    Note,
    /// What a company publishes about itself: news, adverts. `wir` and `we` are the company; nothing is read of people.
    Company,
}

/// A contact whom a text may speak of.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TextContact {
    /// The contact's id, handed back as `subject`.
    pub id: String,
    /// Given and family name; academic titles may stand before it.
    pub name: String,
    /// The job title, where known.
    #[serde(default)]
    pub title: Option<String>,
}

/// One text with the contacts it may speak of; a line of `prosopon extract text`.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TextRecord {
    /// The caller's id, handed back.
    pub id: String,
    /// Bio, post or note.
    pub kind: TextKind,
    /// The language, where the caller knows it; unknown codes count as not known.
    #[serde(default)]
    pub lang: Option<String>,
    /// The text itself.
    pub text: String,
    /// The contacts that a signal may be about; nobody else ever is.
    #[serde(default)]
    pub contacts: Contacts,
    /// The contact whom a bio or post is about, or whom a note is on; may be missing for notes.
    #[serde(default)]
    pub about: Option<String>,
    /// The name of the contacts' company, where known: a family name that is part of it names nobody when it stands alone.
    #[serde(default)]
    pub company: Option<String>,
}

impl TextRecord {
    /// The language that the caller names, if it is one we read (`de`, `de-AT`, `en_GB`).
    #[must_use]
    pub fn language(&self) -> Option<Language> {
        let code = self.lang.as_deref()?.split(['-', '_']).next()?.to_ascii_lowercase();
        code.parse().ok()
    }
}

/// Which pole of a bipolar value is stated; for a buying role, has (`+`) or has not (`-`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Polarity {
    /// The left pole of a trait; "has not" for a role.
    #[serde(rename = "-")]
    Minus,
    /// The right pole of a trait; "has" for a role and every other family.
    #[serde(rename = "+")]
    Plus,
}

impl Polarity {
    /// -1 or +1, as [`crate::model::Claim`] has it.
    #[must_use]
    pub const fn sign(self) -> i8 {
        match self {
            Self::Minus => -1,
            Self::Plus => 1,
        }
    }
}

/// One statement about one contact, with the words it rests on.
#[derive(Clone, PartialEq, Serialize)]
pub struct TextSignal {
    /// Id of the contact, as given.
    pub subject: String,
    /// A facet family: `buying_role`, `trait`, `motive`, `channel`, `job_function`, or a [`PointKind`] (`goal`,
    /// `requirement`, `pain`, `gain`, `buying_behaviour`, `information_behaviour`).
    pub family: String,
    /// A term of that family's vocabulary in `taxonomy.rs`.
    pub value: String,
    /// The phase of a purchase that a channel is taken in; `None` = in none in particular.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase: Option<PurchasePhase>,
    /// Which pole.
    pub polarity: Polarity,
    /// Exactly the slice `span` of the original text.
    pub quote: String,
    /// Code points in the original text, half-open.
    pub span: [usize; 2],
    /// Probability in (0, 1) that the statement holds, this text taken alone.
    pub p: f64,
}

impl TextSignal {
    /// The claim that it makes; `None` for a word of another version and for what has no negative.
    #[must_use]
    pub fn claim(&self) -> Option<Claim> {
        let (value, sign) = (self.value.as_str(), self.polarity.sign());
        Some(match self.family.as_str() {
            "buying_role" => Claim::BuyingRole(value.parse().ok()?, sign),
            "trait" => Claim::Trait(value.parse().ok()?, sign),
            "channel" if sign < 0 => Claim::Point(Point::AvoidedChannel(value.parse().ok()?)),
            _ if sign < 0 => return None,
            "motive" => Claim::Motive(value.parse().ok()?),
            "channel" => Claim::Channel(self.phase, value.parse().ok()?),
            "job_function" => Claim::JobFunction(value.parse().ok()?),
            kind => Claim::Point(Point::parse(kind.parse::<PointKind>().ok()?, value).ok()?),
        })
    }
}

/// One statement of a note about the contacts' company. It names no person, and neither do its words.
#[derive(Clone, PartialEq, Serialize)]
pub struct CompanySignal {
    /// What it speaks about.
    pub field: CompanyField,
    /// One of the field's values.
    pub value: String,
    /// Exactly the slice `span` of the original text.
    pub quote: String,
    /// Code points in the original text, half-open.
    pub span: [usize; 2],
    /// Probability in (0, 1) that the statement holds, this text taken alone.
    pub p: f64,
}

impl CompanySignal {
    /// The claim that it makes.
    #[must_use]
    pub fn claim(&self) -> Claim {
        Claim::Firmographic(self.field.to_string(), self.value.clone())
    }
}

/// What one record yields.
#[derive(Clone, PartialEq, Serialize)]
pub struct TextReading {
    /// The record's id.
    pub id: String,
    /// In the order of the text.
    pub signals: Vec<TextSignal>,
    /// About the company, in the order of the text; of notes and of a company's own texts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub company: Vec<CompanySignal>,
    /// How many sentences the Art. 9 guard withheld, by category.
    pub withheld: BTreeMap<SpecialCategory, u32>,
}

/// Whether a word belongs to the rules by which texts are read. `fits` judges, of a word that a rule leaves open, the
/// letters before those of the rule, the rule's, and those behind them: `kauf*` alone would know Kaufmann.
#[must_use]
pub fn is_word_of_rules(word: &str, fits: &dyn Fn(&str, &str, &str) -> bool) -> bool {
    Words::of(word).spellings().all(|word| rules::RULES.knows(word, fits) || topics::TOPICS.knows(word, fits))
}

/// A text about contacts, as it is read.
#[derive(Clone, Copy)]
pub struct Text<'t> {
    /// Bio, post, note, or a company's own.
    pub kind: TextKind,
    /// The language, where it is known.
    pub language: Option<Language>,
    /// The text itself.
    pub text: &'t str,
    /// The contact whom it is about or on.
    pub about: Option<&'t str>,
}

/// What the texts about the same contacts have in common.
struct Setting {
    contacts: Contacts,
    employer: Arc<Employer>,
    /// [`Contacts::firms`] of them.
    firms: BTreeSet<usize>,
}

/// Reads the texts about the same contacts; what the texts have in common is prepared once.
#[derive(Clone)]
pub struct TextReader(Arc<Setting>);

impl TextReader {
    /// Of contacts whom the texts may speak of, and the name of their company, where known.
    #[must_use]
    pub fn new(contacts: Contacts, company: Option<&str>) -> Self {
        Self::of(contacts, Arc::new(Employer::of(company.unwrap_or_default())))
    }

    /// Of other contacts of the same company.
    #[must_use]
    pub fn with(&self, contacts: Contacts) -> Self {
        Self::of(contacts, Arc::clone(&self.0.employer))
    }

    fn of(contacts: Contacts, employer: Arc<Employer>) -> Self {
        let firms = contacts.firms(&employer.all);
        Self(Arc::new(Setting { contacts, employer, firms }))
    }

    /// Reads one text: guard first, then signals from what it let through.
    #[must_use]
    pub fn read(&self, text: &Text<'_>) -> TextReading {
        let (scrubbed, withheld) = guard::scrub(text.text, text.language);
        let about = text.about.and_then(|id| self.0.contacts.iter().position(|c| c.id == id));
        let (signals, company) = signals::signals(&self.0, text.kind, about, &scrubbed);
        TextReading { id: String::new(), signals, company, withheld: withheld.into_counts() }
    }
}

/// Reads one record.
#[must_use]
pub fn read_text(record: &TextRecord) -> TextReading {
    let reader = TextReader::new(record.contacts.clone(), record.company.as_deref());
    let about = record.about.as_deref();
    let text = Text { kind: record.kind, language: record.language(), text: &record.text, about };
    TextReading { id: record.id.clone(), ..reader.read(&text) }
}

#[cfg(test)]
mod tests;
