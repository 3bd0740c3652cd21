//! Rights of data subjects: the proof that an erasure is complete, and databases that forget.
//!
//! Invariant: what is searched for is never printed, logged or stored; a report names labels only.

pub mod scan;
mod scan_escape;
mod scan_needle;
mod scan_parquet;
mod scan_read;
mod scan_sqlite;
pub mod wipe;

pub use scan::{Hit, Report, Scan, Unreadable, Verdict, scan};
pub use scan_needle::{Needle, NeedleError};
pub use wipe::{WipeError, wipe_sqlite};
