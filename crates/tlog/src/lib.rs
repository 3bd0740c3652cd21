//! An append-only transparency log on the local disk.
//!
//! Static files that any tlog tool reads: C2SP tlog-tiles, tlog-checkpoint, signed-note and tlog-cosignature, over
//! the Merkle tree of RFC 6962 with SHA-256. No network, clock or random source: keys and times come from the caller.
//!
//! ```text
//! checkpoint                   signed: origin, number of leaves, root
//! tile/LEVEL/x001/234[.p/W]    hashes, 256 a tile; .p/W while it has only W
//! tile/entries/x001/234[.p/W]  leaves, 256 a bundle
//! pending                      write-ahead segment (ours): batches that are not in tiles yet
//! lock                         held while somebody writes
//! ```
//!
//! A batch is durable and signed once its record in `pending` is synced, one `fdatasync` a batch. Publishing writes
//! the tiles, syncs them, renames a new `checkpoint` into place, and starts `pending` over. So `checkpoint` never
//! states what is not on the disk, whatever the moment of a crash, and [`Log::open`] finds every acknowledged leaf.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let home = tempfile::tempdir()?;
//! # let dir = home.path();
//! use prosopon_tlog::{Log, Reader, Signer, verify};
//!
//! let signer = Signer::from_seed("example.com/audit", &[7; 32])?; // draw the seed at random
//! let vkey = signer.vkey().clone();
//! let mut log = Log::open(dir, "example.com/audit", signer)?;
//! assert_eq!(log.append_batch(&["first", "second"])?, 0..2);
//! log.publish()?;
//!
//! let reader = Reader::open(dir)?;
//! let leaves = reader.leaves(0..2)?.collect::<Result<Vec<_>, _>>()?;
//! assert_eq!(leaves, [b"first".to_vec(), b"second".to_vec()]);
//! assert!(verify(dir, &vkey, None, &[]).is_clean());
//! # Ok(())
//! # }
//! ```

mod checkpoint;
mod cosign;
mod disk;
mod edge;
mod error;
mod keys;
mod log;
mod merkle;
mod reader;
mod report;
mod scan;
mod segment;
mod tile;
mod verify;

#[cfg(test)]
mod crash;

pub use checkpoint::{Checkpoint, NoteError, SignatureError};
pub use cosign::{add_cosignature, cosign};
pub use error::Error;
pub use keys::{KeyError, KeyKind, Signer, Vkey, Witness};
pub use log::Log;
pub use merkle::{
    Frontier, Hash, Nodes, ProofError, prove_consistency, prove_inclusion, root, verify_consistency, verify_inclusion,
};
pub use reader::{Leaves, Pending, Reader};
pub use report::{Cosigned, Finding, FindingKind, Report};
pub use verify::verify;
