//! What a controller claims that positive answers of a CRM grant: `config/consent/mapping.example.yaml`.
//!
//! Invariant: without an entry an answer grants nothing; an entry names purposes, sources and the proof, with no
//! wildcard; an opt-out needs no entry.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Deserialize;

use super::Dialect;
use super::spec::Spec;
use crate::config::{Diagnostic, Position, load_document};
use crate::consent::event::LawfulBasis;
use crate::taxonomy::SourceClass;

/// What positive answers grant; by default nothing.
#[derive(Debug, Clone, Default)]
pub struct Mapping {
    grants: Vec<Grant>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct File {
    #[schemars(range(min = 1, max = 1))]
    #[expect(dead_code, reason = "a format version, which the schema checks")]
    version: u32,
    grants: Vec<Grant>,
}

/// What an answer grants.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Grant {
    dialect: Dialect,
    field: String,
    value: String,
    /// The subscription type, data use purpose or topic, by name or id.
    #[serde(default)]
    purpose: Option<String>,
    pub basis: LawfulBasis,
    pub purposes: BTreeSet<String>,
    pub source_classes: BTreeSet<SourceClass>,
    #[serde(default)]
    pub method: Option<String>,
    #[serde(default)]
    pub notice_id: Option<String>,
    #[serde(default)]
    pub wording_hash: Option<String>,
    #[serde(default)]
    pub language: Option<String>,
    #[serde(default)]
    pub actor: Option<String>,
    /// The field of the record with the date of the answer, where the dialect knows none.
    #[serde(default)]
    pub date_field: Option<String>,
    #[serde(default)]
    pub opt_out: OptOut,
}

/// What an opt-out from something mapped means.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum OptOut {
    /// An objection to marketing, as without a mapping, and a withdrawal.
    #[default]
    Objection,
    /// A withdrawal of the mapped purposes only.
    Withdrawal,
}

impl Mapping {
    /// Reads a mapping file of this name.
    ///
    /// # Errors
    /// Every mistake, with its line and column.
    pub fn parse(text: &str, name: &str) -> Result<Self, Vec<Diagnostic>> {
        let (file, tree) = load_document::<File>(text, name)?;
        let mut mistakes = Vec::new();
        for (i, grant) in file.grants.iter().enumerate() {
            let earlier = &file.grants[..i];
            let problem = grant.problem().or_else(|| {
                earlier.iter().any(|e| e.answers() == grant.answers()).then(|| {
                    "an entry above has the same dialect, field, value and purpose; join their purposes".to_owned()
                })
            });
            if let Some(problem) = problem {
                let at = tree.span(&["grants", &i.to_string()]).unwrap_or(Position::START);
                mistakes.push(Diagnostic::error(name, at, format!("entry {} of the mapping: {problem}", i + 1)));
            }
        }
        if mistakes.is_empty() { Ok(Self { grants: file.grants }) } else { Err(mistakes) }
    }

    /// Whether it says anything about a dialect.
    #[must_use]
    pub fn is_about(&self, dialect: Dialect) -> bool {
        self.grants.iter().any(|g| g.dialect == dialect)
    }

    /// What an answer grants.
    pub(super) fn grant(&self, dialect: Dialect, field: &str, value: &str, labels: &[String]) -> Option<&Grant> {
        self.grants.iter().find(|g| g.is_about(dialect, field, labels) && g.value == value)
    }

    /// Entries about the thing that an answer was about, whatever the answer.
    pub(super) fn about<'a>(
        &'a self,
        dialect: Dialect,
        field: &'a str,
        labels: &'a [String],
    ) -> impl Iterator<Item = &'a Grant> {
        self.grants.iter().filter(move |g| g.is_about(dialect, field, labels))
    }
}

impl Grant {
    fn is_about(&self, dialect: Dialect, field: &str, labels: &[String]) -> bool {
        let named = self.purpose.as_ref().map_or(labels.is_empty(), |p| labels.contains(p));
        self.dialect == dialect && self.field == field && named
    }

    fn answers(&self) -> (Dialect, &str, &str, Option<&str>) {
        (self.dialect, &self.field, &self.value, self.purpose.as_deref())
    }

    fn problem(&self) -> Option<String> {
        let Some(spec) = Spec::of(self.dialect) else {
            return Some("a consent table states purposes and proof itself and takes no mapping".to_owned());
        };
        let statuses: Vec<_> = spec.objects.iter().flat_map(|o| &o.statuses).collect();
        let of_field: Vec<_> = statuses.iter().filter(|(name, _)| **name == self.field).map(|(_, s)| s).collect();
        if of_field.is_empty() {
            let known: BTreeSet<&str> = statuses.iter().map(|(name, _)| name.as_str()).collect();
            let known = known.into_iter().collect::<Vec<_>>().join(", ");
            return Some(format!("{:?} is no field of {} that can say yes: {known}", self.field, self.dialect));
        }
        let says_yes = |s: &super::spec::Status| {
            let word = s.values.get(&self.value);
            word.is_some_and(|w| w.basis().is_some() || *w == super::spec::Word::OptIn)
        };
        let Some(status) = of_field.iter().find(|s| says_yes(s)) else {
            return Some(format!("{:?} is no value of {} that says yes", self.value, self.field));
        };
        let word_basis = status.values[&self.value].basis();
        let proof = [("method", &self.method), ("notice_id", &self.notice_id), ("wording_hash", &self.wording_hash)];
        let empty = |text: &Option<String>| text.as_ref().is_none_or(|t| t.trim().is_empty());
        let missing = proof.iter().find(|(_, text)| empty(text)).map(|(name, _)| *name);
        let forbidden = status.never_for.iter().find(|p| self.purposes.contains(*p));
        let checks: [(bool, String); 7] = [
            (self.purposes.is_empty(), "purposes: name at least one; there is no wildcard".to_owned()),
            (self.source_classes.is_empty(), "source_classes: name at least one".to_owned()),
            (
                self.source_classes.contains(&SourceClass::LoginOrRestricted),
                "login_or_restricted can never be granted".to_owned(),
            ),
            (
                !status.labels.is_empty() && self.purpose.is_none(),
                format!("purpose: {} answers about many things; name the one that is meant", self.field),
            ),
            (
                word_basis.is_some_and(|b| b != self.basis),
                format!("{:?} claims {}; write that basis or no entry", self.value, article(word_basis)),
            ),
            (
                self.basis == LawfulBasis::Consent && missing.is_some(),
                format!("{}: a consent without it proves nothing", missing.unwrap_or_default()),
            ),
            (forbidden.is_some(), format!("{:?} never grants {:?}", self.field, forbidden.map_or("", |p| p.as_str()))),
        ];
        let hash_is_one = |h: &str| h.strip_prefix("sha256:").is_some_and(|x| x.len() == 64 && x.bytes().all(is_hex));
        let bad_hash = self.wording_hash.as_deref().is_some_and(|h| !hash_is_one(h));
        checks.into_iter().find(|(wrong, _)| *wrong).map(|(_, problem)| problem).or_else(|| {
            bad_hash
                .then(|| "wording_hash: write sha256: and 64 small hex digits of the wording that was shown".to_owned())
        })
    }
}

fn is_hex(byte: u8) -> bool {
    byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)
}

fn article(basis: Option<LawfulBasis>) -> &'static str {
    match basis {
        Some(LawfulBasis::Consent) => "consent",
        Some(LawfulBasis::LegitimateInterest) => "legitimate_interest",
        None => "nothing",
    }
}
