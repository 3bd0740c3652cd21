//! Running a pipeline: home, journal, engine, progress.

pub mod agree;
mod context;
pub mod engine;
pub mod files;
mod group;
pub mod home;
pub mod journal;
pub mod load;
mod obtain;
mod settings;
pub mod summary;
pub use context::{Observer, Silent};
