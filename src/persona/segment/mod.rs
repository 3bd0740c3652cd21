//! What holds for people of one segment, by those who were researched individually, and where it may stand in for what
//! is not known of a person.
//!
//! Invariant: a value of a segment never mixes with evidence. It stands only where no evidence about the person speaks
//! of the facet at all, its status is `segment`, `segment_values` says of whom it holds, and at least [`LEAST_PEOPLE`] people of
//! whom no company has more than half stand behind it, so that it points at nobody, and a share of the segment that
//! `config/fusion.yaml` asks for. It depends on the segment, which
//! function, level and company tell, and on nothing else of the person who is given it.

mod fill;
mod names;
mod tally;

#[cfg(test)]
mod tests;

pub(super) use fill::carried;
pub use fill::fill;
pub use names::{Segments, nace_section};
pub use tally::{LEAST_PEOPLE, Statistics, Tally};
