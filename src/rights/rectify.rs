//! Rectification (Art. 16 GDPR): reading a request, and the format in which rectifications are sealed.
//!
//! Invariant: a value outside the closed vocabularies cannot be read, from a command line or from a store; nothing
//! that fails to be read appears in an error but for the word that was typed.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::config::diagnostic::nearest;
pub use crate::persona::rectified::{By, Change, Correction, Rectification, of_signals, settle, signals, standing};
use crate::taxonomy::{
    BuyingRole, Channel, JobFunction, Motive, Point, PointKind, PurchasePhase, Seniority, SigningPower, Trait,
};

/// Reason and proof may have this many characters each.
pub const MAX_TEXT: usize = 500;

/// Why a rectification cannot be read.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum RectifyError {
    /// No such facet.
    #[error("there is no facet {given:?} to rectify{hint}; there are {known}")]
    Facet {
        /// What was given.
        given: String,
        /// `, did you mean X?`, or nothing.
        hint: String,
        /// Every facet.
        known: String,
    },
    /// No such value.
    #[error("{facet} cannot be {given:?}{hint}; it can be {known}")]
    Value {
        /// The facet.
        facet: String,
        /// What was given.
        given: String,
        /// `, did you mean X?`, or nothing.
        hint: String,
        /// Every value.
        known: String,
    },
    /// Not `FACET=VALUE`.
    #[error("a rectification is written FACET=VALUE, for instance job_function=procurement")]
    Form,
    /// Reason or proof is too long or holds control characters.
    #[error("reason and evidence have at most {MAX_TEXT} characters each, on one line")]
    Text,
    /// A store that this version did not write.
    #[error("the stored rectifications cannot be read")]
    Stored(#[from] StoreError),
}

/// What serde said of a store; its text may hold what is stored and so is not shown.
pub struct StoreError(#[expect(dead_code, reason = "kept for a debugger, never shown")] Box<serde_json::Error>);

impl fmt::Debug for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoreError([personal])")
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not the format that this version writes")
    }
}

impl std::error::Error for StoreError {}

impl PartialEq for StoreError {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for StoreError {}

/// Everything that can be rectified, as it is written on the command line.
#[must_use]
pub fn facets() -> Vec<String> {
    let plain = ["job_function", "seniority", "signing_power"].map(str::to_owned);
    let roles = BuyingRole::ALL.iter().map(|r| format!("buying_role.{r}"));
    let traits = Trait::ALL.iter().map(|t| format!("trait.{t}"));
    let motives = Motive::ALL.iter().map(|m| format!("motive.{m}"));
    let phases = PurchasePhase::ALL.iter().map(|p| format!("channel.{p}"));
    let points = PointKind::ALL.iter().flat_map(|kind| Point::all(*kind)).map(|p| p.to_string());
    let goals = ["goal".to_owned()];
    plain.into_iter().chain(roles).chain(traits).chain(motives).chain(phases).chain(goals).chain(points).collect()
}

/// The names of a trait's poles, left and right.
#[must_use]
pub const fn poles(t: Trait) -> [&'static str; 2] {
    match t {
        Trait::RiskTolerance => ["averse", "seeking"],
        Trait::ConflictTolerance => ["avoiding", "seeking"],
        Trait::TechAffinity => ["averse", "keen"],
        Trait::InnovationOpenness => ["proven", "new"],
        Trait::Assertiveness => ["yielding", "assertive"],
        Trait::DetailOrientation => ["big_picture", "detail"],
        Trait::RelationshipOrientation => ["task", "relationship"],
        Trait::PriceOrientation => ["price", "value"],
        Trait::SustainabilityOrientation => ["indifferent", "keen"],
        Trait::Formality => ["informal", "formal"],
    }
}

/// Reads a facet and its value, for instance `seniority` and `head`, `buying_role.decider` and `no`,
/// `trait.formality` and `formal` (or `right`, `+`), `channel.advice` and `phone`; `remove` and `release` fit all.
///
/// # Errors
/// Neither facet nor value may be anything but a term; the error names those that are meant.
pub fn parse(facet: &str, value: &str) -> Result<Correction, RectifyError> {
    let (facet, value) = (facet.trim(), value.trim());
    let unknown = || {
        let all = facets();
        let hint = hint(facet, all.iter().map(String::as_str));
        RectifyError::Facet { given: shown(facet), hint, known: all.join(", ") }
    };
    let (kind, name) = facet.split_once('.').unwrap_or((facet, ""));
    let fit = Fit { facet, value };
    Ok(match (kind, name) {
        ("job_function", "") => Correction::JobFunction(fit.term(JobFunction::ALL, JobFunction::as_str)?),
        ("seniority", "") => Correction::Seniority(fit.term(Seniority::ALL, Seniority::as_str)?),
        ("signing_power", "") => Correction::SigningPower(fit.term(SigningPower::ALL, SigningPower::as_str)?),
        ("goal", "") => Correction::Goals(fit.change(&[], |_| None)?),
        ("buying_role", r) => Correction::BuyingRole(r.parse().map_err(|_| unknown())?, fit.yes_no()?),
        ("motive", m) => Correction::Motive(m.parse().map_err(|_| unknown())?, fit.yes_no()?),
        ("trait", t) => {
            let t: Trait = t.parse().map_err(|_| unknown())?;
            Correction::Trait(t, fit.pole(t)?)
        }
        ("channel", p) => {
            Correction::Channel(p.parse().map_err(|_| unknown())?, fit.term(Channel::ALL, Channel::as_str)?)
        }
        (kind, term) if !term.is_empty() => {
            let kind: PointKind = kind.parse().map_err(|_| unknown())?;
            Correction::Point(Point::parse(kind, term).map_err(|_| unknown())?, fit.yes_no()?)
        }
        _ => return Err(unknown()),
    })
}

impl FromStr for Correction {
    type Err = RectifyError;

    fn from_str(s: &str) -> Result<Self, RectifyError> {
        let (facet, value) = s.split_once('=').ok_or(RectifyError::Form)?;
        parse(facet, value)
    }
}

/// A value that is to fit a facet.
struct Fit<'a> {
    facet: &'a str,
    value: &'a str,
}

impl Fit<'_> {
    fn change<T>(&self, known: &[&str], read: impl Fn(&str) -> Option<T>) -> Result<Change<T>, RectifyError> {
        match self.value {
            "remove" => return Ok(Change::Remove),
            "release" => return Ok(Change::Release),
            _ => {}
        }
        read(self.value).map(Change::Set).ok_or_else(|| {
            let all: Vec<&str> = known.iter().copied().chain(["remove", "release"]).collect();
            let hint = hint(self.value, all.iter().copied());
            RectifyError::Value { facet: self.facet.to_owned(), given: shown(self.value), hint, known: all.join(", ") }
        })
    }

    fn term<T: Copy + FromStr>(&self, all: &[T], text: fn(T) -> &'static str) -> Result<Change<T>, RectifyError> {
        let known: Vec<&str> = all.iter().map(|t| text(*t)).collect();
        self.change(&known, |v| v.parse().ok())
    }

    fn yes_no(&self) -> Result<Change<bool>, RectifyError> {
        self.change(&["yes", "no"], |v| match v {
            "yes" => Some(true),
            "no" => Some(false),
            _ => None,
        })
    }

    fn pole(&self, t: Trait) -> Result<Change<bool>, RectifyError> {
        let [left, right] = poles(t);
        self.change(&[left, right, "left", "right"], |v| match v {
            "-" | "left" => Some(false),
            "+" | "right" => Some(true),
            v if v == left => Some(false),
            v if v == right => Some(true),
            _ => None,
        })
    }
}

fn hint<'k>(given: &str, known: impl IntoIterator<Item = &'k str>) -> String {
    nearest(given, known).map_or_else(String::new, |name| format!(", did you mean {name}?"))
}

/// What was typed, short and on one line.
fn shown(given: &str) -> String {
    given.chars().filter(|c| !c.is_control()).take(60).collect()
}

/// Makes a rectification from checked parts.
///
/// # Errors
/// Reason or proof is too long or holds control characters.
pub fn rectification(
    correction: Correction,
    reason: Option<&str>,
    evidence: Option<&str>,
    by: By,
    at: Timestamp,
) -> Result<Rectification, RectifyError> {
    let text = |t: Option<&str>| match t.map(str::trim).filter(|t| !t.is_empty()) {
        Some(t) if t.chars().count() > MAX_TEXT || t.chars().any(char::is_control) => Err(RectifyError::Text),
        t => Ok(t.map(str::to_owned)),
    };
    Ok(Rectification { correction, reason: text(reason)?, at, by, evidence: text(evidence)? })
}

/// How one rectification is stored.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    facet: String,
    value: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    at: Timestamp,
    by: By,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    evidence: Option<String>,
}

/// All rectifications of one subject, as they are sealed under that subject's key.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Store {
    v: u32,
    rectifications: Vec<Stored>,
}

/// The bytes to seal.
#[must_use]
pub fn to_bytes(all: &[Rectification]) -> Vec<u8> {
    let store = |r: &Rectification| Stored {
        facet: r.correction.facet(),
        value: r.correction.value(),
        reason: r.reason.clone(),
        at: r.at,
        by: r.by,
        evidence: r.evidence.clone(),
    };
    let store = Store { v: 1, rectifications: all.iter().map(store).collect() };
    serde_json::to_vec(&store).expect("plain data")
}

/// Reads what [`to_bytes`] wrote.
///
/// # Errors
/// It is of another version, or damaged.
pub fn from_bytes(bytes: &[u8]) -> Result<Vec<Rectification>, RectifyError> {
    let fail = |e| RectifyError::Stored(StoreError(Box::new(e)));
    let store: Store = serde_json::from_slice(bytes).map_err(fail)?;
    if store.v != 1 {
        return Err(fail(serde::de::Error::custom("version")));
    }
    let read = |s: Stored| {
        let correction =
            parse(&s.facet, &s.value).map_err(|_| fail(serde::de::Error::custom("a term of another version")))?;
        rectification(correction, s.reason.as_deref(), s.evidence.as_deref(), s.by, s.at)
    };
    store.rectifications.into_iter().map(read).collect()
}

#[cfg(test)]
#[path = "rectify_tests.rs"]
mod tests;
