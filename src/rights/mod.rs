//! The rights of data subjects, Art. 15 to 21 GDPR.
//!
//! Invariant: serving a right needs no basis and no consent; it is logged before anything is handed out or changed, and
//! nothing here tells whose data it is: results name files, tables and counts.

pub mod access;
mod enter;
pub mod erase;
pub mod office;
pub mod portability;
pub mod rectify;
pub mod refresh;
pub mod restrict;
pub mod scan;
mod scan_about;
mod scan_escape;
mod scan_needle;
mod scan_parquet;
mod scan_read;
mod scan_sqlite;
mod seal;
pub mod store;
pub mod verify_erasure;
pub mod wipe;

pub use scan::{Hit, Report, Scan, Unreadable, Verdict, scan};
pub use scan_needle::{Needle, NeedleError};
pub use wipe::{WipeError, wipe_sqlite};
