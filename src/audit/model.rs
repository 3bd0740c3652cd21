//! The hash of everything that inference reads beside its input: vocabularies, lexicons, weights.
//!
//! Invariant: whoever changes a word in one of them changes the hash, so an entry of the log, or a DPIA, names exactly
//! the model that was applied.

use std::sync::LazyLock;

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

const PARTS: [(&str, &[u8]); 11] = [
    ("signals/buying_role", include_bytes!("../../config/signals/buying_role.yaml")),
    ("signals/trait", include_bytes!("../../config/signals/trait.yaml")),
    ("signals/motive", include_bytes!("../../config/signals/motive.yaml")),
    ("signals/channel", include_bytes!("../../config/signals/channel.yaml")),
    ("signals/context", include_bytes!("../../config/signals/context.yaml")),
    ("taxonomy/titles", include_bytes!("../../config/taxonomy/titles.yaml")),
    ("taxonomy/titles_derived", include_bytes!("../../config/taxonomy/titles_derived.yaml")),
    ("taxonomy/title_model", include_bytes!("../../config/taxonomy/title_model.bin")),
    ("roles", include_bytes!("../../config/roles.yaml")),
    ("fusion", include_bytes!("../../config/fusion.yaml")),
    ("identity", include_bytes!("../../config/identity.yaml")),
];

static HASH: LazyLock<String> = LazyLock::new(|| {
    let mut hasher = Sha256::new();
    for (name, content) in PARTS {
        hasher.update((name.len() as u64).to_be_bytes());
        hasher.update(name);
        hasher.update((content.len() as u64).to_be_bytes());
        hasher.update(content);
    }
    HEXLOWER.encode(&hasher.finalize())
});

/// SHA-256 over vocabularies, lexicons and weights, hex.
#[must_use]
pub fn model_hash() -> &'static str {
    &HASH
}
