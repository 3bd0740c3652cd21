//! Permits: proof, by type, that the gate allowed one thing to be done once.
//!
//! Invariant: only the gate mints a permit. Its fields are private, and it is neither `Clone` nor
//! `Deserialize`; whoever acts takes it by value, so it cannot be used twice, and it owns what is to be
//! done, so "right permit, wrong request" cannot be written.
//!
//! What a holder can do is look at it and hand it on, once:
//!
//! ```
//! use prosopon::consent::permit::{Fetch, Permit};
//!
//! fn hand_on(permit: Permit<Fetch>, now: jiff::Timestamp) -> Option<Permit<Fetch>> {
//!     (!permit.is_expired(now)).then_some(permit)
//! }
//! ```
//!
//! It cannot be made outside the gate:
//!
//! ```compile_fail,E0451
//! use prosopon::consent::permit::{Emit, Permit};
//!
//! fn forge(old: Permit<Emit>, op: Emit) -> Permit<Emit> {
//!     Permit { op, ..old }
//! }
//! ```
//!
//! ```compile_fail,E0624
//! use prosopon::consent::permit::{Emit, Permit};
//!
//! fn forge(id: prosopon::model::PermitId, op: Emit, until: jiff::Timestamp) -> Permit<Emit> {
//!     Permit::mint(id, op, vec![], until, vec![])
//! }
//! ```
//!
//! ```compile_fail,E0423
//! use prosopon::consent::permit::{Emit, Permit};
//! use prosopon::model::PermitId;
//!
//! fn forge(id: PermitId, op: Emit, until: jiff::Timestamp) -> Permit<Emit> {
//!     Permit::<Emit>(id, op, vec![], until, vec![])
//! }
//! ```
//!
//! It has no default, and nothing is turned into one:
//!
//! ```compile_fail,E0277
//! fn blank<T: Default>() -> T {
//!     T::default()
//! }
//!
//! let permit = blank::<prosopon::consent::permit::Permit<prosopon::consent::permit::Emit>>();
//! ```
//!
//! ```compile_fail,E0277
//! use prosopon::consent::permit::{Emit, Permit};
//!
//! fn promote(op: Emit) -> Permit<Emit> {
//!     op.into()
//! }
//! ```
//!
//! Its end cannot be put off, and its fields cannot be read apart from it:
//!
//! ```compile_fail,E0616
//! use prosopon::consent::permit::{Fetch, Permit};
//!
//! fn prolong(mut permit: Permit<Fetch>) -> Permit<Fetch> {
//!     permit.valid_until = jiff::Timestamp::MAX;
//!     permit
//! }
//! ```
//!
//! ```compile_fail,E0616
//! use prosopon::consent::permit::{Emit, Permit};
//!
//! fn gut(permit: Permit<Emit>) -> Emit {
//!     permit.op
//! }
//! ```
//!
//! It cannot be cloned or copied:
//!
//! ```compile_fail,E0277
//! fn copy<T: Copy>(value: &T) -> T {
//!     *value
//! }
//!
//! fn double(permit: &prosopon::consent::permit::Permit<prosopon::consent::permit::Emit>) {
//!     copy(permit);
//! }
//! ```
//!
//!
//! ```compile_fail,E0599
//! use prosopon::consent::permit::{Fetch, Permit};
//!
//! fn double(permit: Permit<Fetch>) -> (Permit<Fetch>, Permit<Fetch>) {
//!     (permit.clone(), permit)
//! }
//! ```
//!
//! It cannot be written to a file, or read from one:
//!
//! ```compile_fail,E0277
//! use prosopon::consent::permit::{Fetch, Permit};
//!
//! fn keep(permit: &Permit<Fetch>) -> String {
//!     serde_json::to_string(permit).expect("text")
//! }
//! ```
//!
//! ```compile_fail,E0277
//! use prosopon::consent::permit::{Fetch, Permit};
//!
//! fn revive(text: &str) -> Permit<Fetch> {
//!     serde_json::from_str::<Permit<Fetch>>(text).expect("a permit")
//! }
//! ```
//!
//! It cannot be used twice:
//!
//! ```compile_fail,E0382
//! use prosopon::consent::permit::{Fetch, Permit};
//!
//! fn act(_: Permit<Fetch>) {}
//!
//! fn twice(permit: Permit<Fetch>) {
//!     act(permit);
//!     act(permit);
//! }
//! ```
//!
//! One for inference is none for fetching, one for fetching is none for writing, and what it allows cannot be
//! exchanged:
//!
//! ```compile_fail,E0308
//! use prosopon::consent::permit::{Emit, Fetch, Permit};
//!
//! fn write(_: Permit<Emit>) {}
//!
//! fn misuse(permit: Permit<Fetch>) {
//!     write(permit);
//! }
//! ```
//!
//! ```compile_fail,E0308
//! use prosopon::consent::permit::{Fetch, Infer, Permit};
//!
//! fn act(_: Permit<Fetch>) {}
//!
//! fn misuse(permit: Permit<Infer>) {
//!     act(permit);
//! }
//! ```
//!
//! ```compile_fail,E0594
//! use prosopon::consent::permit::{Fetch, Permit};
//!
//! fn redirect(permit: Permit<Fetch>) {
//!     permit.op().source_id = "another".to_owned();
//! }
//! ```

use jiff::Timestamp;
use url::Url;

use crate::consent::request::Duty;
use crate::model::{PermitId, Personal, SubjectId, Target};
use crate::taxonomy::SourceClass;

/// Leave to do `Op` once, until `valid_until`.
#[derive(Debug)]
pub struct Permit<Op> {
    id: PermitId,
    op: Op,
    bases: Vec<String>,
    valid_until: Timestamp,
    duties: Vec<Duty>,
}

impl<Op> Permit<Op> {
    /// Mints a permit. Visible to the gate only.
    pub(in crate::consent) const fn mint(
        id: PermitId,
        op: Op,
        bases: Vec<String>,
        valid_until: Timestamp,
        duties: Vec<Duty>,
    ) -> Self {
        Self { id, op, bases, valid_until, duties }
    }

    /// The id that joins tables to decisions.
    pub const fn id(&self) -> &PermitId {
        &self.id
    }

    /// What may be done.
    pub const fn op(&self) -> &Op {
        &self.op
    }

    /// Lawful bases, for instance `6(1)(a)`; for companies and hosts `not_personal`.
    pub fn bases(&self) -> &[String] {
        &self.bases
    }

    /// The end of the permit.
    pub const fn valid_until(&self) -> Timestamp {
        self.valid_until
    }

    /// What the holder must see to; empty for companies and hosts.
    pub fn duties(&self) -> &[Duty] {
        &self.duties
    }

    /// Whether the permit has run out at `now`.
    pub fn is_expired(&self, now: Timestamp) -> bool {
        now >= self.valid_until
    }
}

/// Fetch one URL.
#[derive(Debug)]
pub struct Fetch {
    /// Whom the page is about.
    pub target: Target,
    /// The registered source.
    pub source_id: String,
    /// Its class.
    pub source_class: SourceClass,
    /// The registered purpose.
    pub purpose: String,
    /// What to get. Personal: a path may name a person.
    pub url: Personal<Url>,
}

/// Derive facets about one subject from what one source says.
#[derive(Debug)]
pub struct Infer {
    /// Whom it is about.
    pub target: Target,
    /// `crm`, or the registered source.
    pub source_id: String,
    /// Its class.
    pub source_class: SourceClass,
    /// The registered purpose.
    pub purpose: String,
}

/// Write one subject's persona.
#[derive(Debug)]
pub struct Emit {
    /// Whose persona.
    pub subject: SubjectId,
    /// The registered purpose.
    pub purpose: String,
    /// End of retention for what is written.
    pub retain_until: Timestamp,
    /// Art. 14 state at the time of the decision.
    pub notice_status: String,
}

#[cfg(test)]
impl Permit<Fetch> {
    /// A permit for tests of the fetcher, without a gate.
    pub(crate) fn for_test(target: Target, source_class: SourceClass, url: &str, valid_until: Timestamp) -> Self {
        let url = Url::parse(url).expect("a test gives a valid URL");
        let op =
            Fetch { target, source_id: "test".into(), source_class, purpose: "test".into(), url: Personal::new(url) };
        Self::mint(PermitId::from_body("test"), op, vec!["6(1)(a)".into()], valid_until, Vec::new())
    }
}
