//! Running a pipeline: home, journal, engine, progress.

pub mod files;
