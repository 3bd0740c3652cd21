//! Running a pipeline: home, journal, engine, progress.

pub mod files;
pub mod home;
pub mod journal;
pub mod load;
