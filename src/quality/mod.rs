//! Measures how good the extractors are on labelled data: what `prosopon quality` prints.
//!
//! Invariant: pure functions of the labelled rows and the shipped vocabularies; the caller reads the files.

mod scheme;
mod score;
mod titles;

pub use scheme::{Department, Rank, department, rank};
pub use score::{Bin, Point, Score};
pub use titles::{LabelError, Measured, Report, TitleSet, same_for_all_forms, titles};
