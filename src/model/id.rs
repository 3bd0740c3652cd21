//! Ids: opaque, each kind with a prefix of its own; cheap to copy, as they go with every row.
//!
//! Invariant: an id says nothing of what it stands for.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An id with a fixed prefix; made by [`crate::ids::Ids`], or read back from a table.
macro_rules! id {
    ($(#[$meta:meta])* $name:ident, $prefix:literal) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// What every id of this kind starts with.
            pub const PREFIX: &'static str = $prefix;

            /// Joins the prefix and an opaque body.
            #[must_use]
            pub fn from_body(body: &str) -> Self {
                Self([$prefix, body].concat().into())
            }

            /// The whole id.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                String::deserialize(from).map(|id| Self(id.into()))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    };
}

id!(
    /// A data subject, in every table and log; never made from a name or an e-mail address.
    SubjectId, "sub_"
);
id!(
    /// A company.
    AccountId, "acc_"
);
id!(
    /// A permit of the gate.
    PermitId, "pmt_"
);
id!(
    /// A decision of the gate, permit or refusal.
    DecisionId, "dec_"
);
id!(
    /// One fetch.
    DocumentId, "doc_"
);
id!(
    /// One signal.
    SignalId, "sig_"
);
id!(
    /// One run.
    RunId, "run_"
);
