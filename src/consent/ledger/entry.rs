//! What a ledger entry looks like on disk.
//!
//! Invariant: an entry names its subject by a tag of their key, and what the source called the event, who recorded it
//! and a commitment to the raw value are sealed under that key: without the key an entry is about nobody.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::consent::event::{EventKind, LawfulBasis, LegalEvent, Origin, Proof, Scope};
use crate::keys::SubjectKey;
use crate::model::SubjectId;

const LABEL: &str = "legal event";
const SCHEMA_VERSION: u32 = 1;

/// One entry; what it says is covered by the chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Stored {
    /// A legal event.
    Legal(Box<StoredEvent>),
    /// Whose data the home collected for the first time, by tag, and when.
    Seen(Vec<(String, Timestamp)>),
    /// An import was made.
    Import {
        /// The head before it, which tells imports at the same time apart.
        after: u64,
        /// When.
        at: Timestamp,
        /// Whether it brought all consents of the CRM.
        is_sync: bool,
    },
}

/// A legal event without what could name its subject.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StoredEvent {
    schema_version: u32,
    pub tag: String,
    kind: EventKind,
    basis: Option<LawfulBasis>,
    scope: Scope,
    valid_from: Option<Timestamp>,
    valid_to: Option<Timestamp>,
    recorded_at: Timestamp,
    proof: Proof,
    origin: Origin,
    /// Keyed hash of what is sealed.
    private: Option<String>,
}

/// What is sealed.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Private {
    external_id: Option<String>,
    supersedes: Option<String>,
    actor: Option<String>,
    value_commitment: Option<String>,
}

/// An entry, with what is sealed beside it.
pub(super) type Sealing = (Stored, Option<Vec<u8>>);

/// Splits an event into its public and its sealed part.
pub(super) fn store(event: &LegalEvent, key: &SubjectKey) -> std::io::Result<Sealing> {
    let private = Private {
        external_id: event.external_id.clone(),
        supersedes: event.supersedes.clone(),
        actor: event.proof.actor.clone(),
        value_commitment: event.origin.value_commitment.clone(),
    };
    let sealed = if private == Private::default() {
        None
    } else {
        let text = serde_json::to_string(&private).expect("plain data");
        Some((key.blind(LABEL, &text), key.seal(LABEL, text.as_bytes())?.0))
    };
    let (commitment, sealed) = sealed.unzip();
    let stored = StoredEvent {
        schema_version: SCHEMA_VERSION,
        tag: key.ledger_tag(),
        kind: event.kind,
        basis: event.basis,
        scope: Scope::clone(&event.scope),
        valid_from: event.valid_from,
        valid_to: event.valid_to,
        recorded_at: event.recorded_at,
        proof: Proof { actor: None, ..Proof::clone(&event.proof) },
        origin: Origin { value_commitment: None, ..Origin::clone(&event.origin) },
        private: commitment,
    };
    Ok((Stored::Legal(Box::new(stored)), sealed))
}

/// Puts an event together again; `None` = it is not what was written.
pub(super) fn restore(
    stored: StoredEvent,
    subject: &SubjectId,
    key: &SubjectKey,
    sealed: Option<&[u8]>,
) -> Option<LegalEvent> {
    let private: Private = match (&stored.private, sealed) {
        (None, None) => Private::default(),
        (Some(commitment), Some(sealed)) => {
            let text = key.open(LABEL, sealed)?;
            let text = std::str::from_utf8(&text).ok()?;
            if key.blind(LABEL, text) != *commitment {
                return None;
            }
            serde_json::from_str(text).ok()?
        }
        _ => return None,
    };
    (stored.schema_version == SCHEMA_VERSION).then(|| LegalEvent {
        external_id: private.external_id,
        subject: subject.clone(),
        kind: stored.kind,
        basis: stored.basis,
        scope: stored.scope.into(),
        valid_from: stored.valid_from,
        valid_to: stored.valid_to,
        recorded_at: stored.recorded_at,
        proof: Proof { actor: private.actor, ..stored.proof }.into(),
        origin: Origin { value_commitment: private.value_commitment, ..stored.origin }.into(),
        supersedes: private.supersedes,
    })
}

impl Stored {
    /// The text as it is stored, and its SHA-256.
    pub(super) fn seal(&self) -> (String, [u8; 32]) {
        let text = serde_json::to_string(self).expect("an entry has only string keys");
        let digest = Sha256::digest(&text).into();
        (text, digest)
    }
}

/// The chain after one more entry that the home learned of at `known_at`.
pub(super) fn link(chain: &[u8; 32], digest: &[u8; 32], known_at: &str) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update(chain);
    hasher.update(digest);
    hasher.update(known_at);
    hasher.finalize().into()
}
