//! Exchanging a published snapshot for its rewritten self.
//!
//! Invariant: the live folder is whole at every moment. `rewrite=` in `.work` is never put live by a recovery: after
//! the exchange it is the old snapshot, with the people who were taken out. Only `ready=` is, beside a `replaced=`.

use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;

use crate::sink::{SinkError, Snapshot, home};

/// A snapshot that is being built, or the old one after the exchange.
const REWRITE: &str = "rewrite=";
/// A rewritten snapshot that is about to be put live by two renames.
const READY: &str = "ready=";
/// The old snapshot, moved away by the first of the two.
const REPLACED: &str = "replaced=";

/// Where a snapshot lies, and where its rewriting happens.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// `HOME/<pipeline>/snapshot=<run id>`.
    pub(super) live: PathBuf,
    /// The new folder.
    pub(super) new: PathBuf,
    ready: PathBuf,
    replaced: PathBuf,
}

impl Place {
    pub(super) fn of(home: &Path, snapshot: &Snapshot) -> Self {
        let pipeline = snapshot.folder().parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy();
        Self::named(home, &pipeline, snapshot.run_id())
    }

    fn named(home: &Path, pipeline: &str, run: &str) -> Self {
        let work = |prefix: &str| home.join(".work").join(format!("{prefix}{pipeline}={run}"));
        Self {
            live: home.join(pipeline).join(format!("snapshot={run}")),
            new: work(REWRITE),
            ready: work(READY),
            replaced: work(REPLACED),
        }
    }

    fn sync(&self) -> Result<(), SinkError> {
        [&self.live, &self.new].into_iter().filter_map(|p| p.parent()).try_for_each(home::sync_dir)
    }
}

/// Puts the new folder live and deletes the old one.
pub(super) fn swap(place: &Place) -> Result<(), SinkError> {
    if exchange(place)? {
        home::remove_dir(&place.new)?;
    } else {
        two_renames(place)?;
        home::remove_dir(&place.replaced)?;
    }
    place.sync()
}

/// Exchanges the folders in one step; false where the file system cannot.
pub(super) fn exchange(place: &Place) -> Result<bool, SinkError> {
    match renameat_with(CWD, &place.new, CWD, &place.live, RenameFlags::EXCHANGE) {
        Ok(()) => place.sync().map(|()| true),
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => Ok(false),
        Err(e) => Err(SinkError::io("publish", &place.live)(io::Error::from(e))),
    }
}

/// The same in two steps; between them the live folder is missing, and [`recover`] puts the new one there.
pub(super) fn two_renames(place: &Place) -> Result<(), SinkError> {
    home::rename(&place.new, &place.ready)?;
    place.sync()?;
    home::rename(&place.live, &place.replaced)?;
    home::rename(&place.ready, &place.live)?;
    place.sync()
}

/// Finishes what a killed rewriting left in `.work`.
pub(in crate::sink) fn recover(home: &Path) -> Result<(), SinkError> {
    let work = home.join(".work");
    for name in home::sub_dirs(&work)? {
        let left = work.join(&name);
        if let Some(place) = parse(home, &name, READY)
            && !place.live.exists()
            && place.replaced.is_dir()
        {
            home::rename(&left, &place.live)?;
            place.sync()?;
        } else if [REWRITE, READY].iter().any(|prefix| parse(home, &name, prefix).is_some()) {
            home::remove_dir(&left)?;
        }
    }
    for name in home::sub_dirs(&work)? {
        if parse(home, &name, REPLACED).is_some() {
            home::remove_dir(&work.join(name))?;
        }
    }
    Ok(())
}

fn parse(home: &Path, name: &str, prefix: &str) -> Option<Place> {
    let (pipeline, run) = name.strip_prefix(prefix)?.split_once('=')?;
    Some(Place::named(home, pipeline, run))
}
