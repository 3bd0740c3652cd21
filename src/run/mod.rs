//! Running a pipeline: home, journal, engine, progress.

pub mod agree;
mod context;
mod dry;
pub mod engine;
pub mod files;
mod flight;
mod group;
pub mod home;
pub mod journal;
mod keep;
pub mod known;
mod layout;
pub mod legal;
pub mod load;
pub mod notes;
mod obtain;
mod prepare;
mod publish;
mod read_notes;
mod settings;
mod spool;
pub mod summary;
pub mod tiers;
mod watch;
pub use context::{Observer, Silent};
