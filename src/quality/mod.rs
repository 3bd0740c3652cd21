//! Measures how good the extractors are on labelled data: what `prosopon quality` prints.
//!
//! Invariant: pure functions of the labelled rows and the shipped vocabularies; the caller reads the files.

mod roles;
mod scheme;
mod score;
mod texts;
mod titles;

pub use roles::{RoleFigures, RoleReport, RoleSet, RoleSetError, roles};
pub use scheme::{Department, Rank, department, rank};
pub use score::{Bin, Point, Score};
pub use texts::{FacetFigures, FacetMeasured, FacetReport, FacetSet, FacetSetError, texts};
pub use titles::{LabelError, Leadership, Measured, Report, TitleSet, forms, same_for_all_forms, titles};
