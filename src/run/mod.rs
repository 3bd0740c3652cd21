//! Running a pipeline: home, journal, engine, progress.

pub mod agree;
mod context;
mod dry;
pub mod engine;
pub mod files;
mod group;
pub mod home;
pub mod journal;
mod keep;
pub mod known;
pub mod legal;
pub mod load;
mod obtain;
mod prepare;
mod publish;
mod settings;
pub mod summary;
pub mod tiers;
mod watch;
pub use context::{Observer, Silent};
