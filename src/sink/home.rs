//! Folders, files and the lock of a home.
//!
//! Invariant: folders are 0700 and files 0600 from the moment they exist; a small file is replaced whole or
//! not at all.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
#[cfg(unix)]
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use fs4::{FileExt, TryLockError};

use super::SinkError;

/// The lock of whoever keeps the schedules.
const SCHEDULE: &str = ".schedule.lock";
/// How often, and how long, it is waited for somebody who only looks whether it is held.
const LOOKS: u32 = 3;
const LOOK: std::time::Duration = std::time::Duration::from_millis(20);

/// The one lock of a home; held until dropped, freed by the system if the process dies.
#[derive(Debug)]
pub struct HomeLock {
    home: PathBuf,
    _file: File,
}

/// Why a home could not be locked.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process works on the home.
    #[error("another prosopon{} works on {}; wait until it has ended, or stop it", holder(*pid), home.display())]
    Held {
        /// The home.
        home: PathBuf,
        /// Its process id, where it wrote one.
        pid: Option<u32>,
    },
    /// Another process keeps the home's schedules.
    #[error("another `prosopon schedule`{} keeps the schedules of {}; one is enough, stop it first", holder(*pid), home.display())]
    Kept {
        /// The home.
        home: PathBuf,
        /// Its process id, where it wrote one.
        pid: Option<u32>,
    },
    /// The lock file could not be used.
    #[error(transparent)]
    Io(#[from] SinkError),
}

fn holder(pid: Option<u32>) -> String {
    pid.map_or_else(String::new, |pid| format!(" (process {pid})"))
}

impl HomeLock {
    /// Locks the home without waiting; creates its folder if need be.
    pub fn acquire(home: &Path) -> Result<Self, LockError> {
        Self::lock(home, ".lock", |home, pid| LockError::Held { home, pid })
    }

    /// Locks the home's schedules without waiting; runs and rights are not kept out.
    pub fn acquire_for_schedule(home: &Path) -> Result<Self, LockError> {
        let lock = || Self::lock(home, SCHEDULE, |home, pid| LockError::Kept { home, pid });
        // Whoever only looks holds it for a moment.
        for _ in 0..LOOKS {
            match lock() {
                Err(LockError::Kept { .. }) => std::thread::sleep(LOOK),
                other => return other,
            }
        }
        lock()
    }

    /// Whether a process keeps the home's schedules; nothing is made.
    #[must_use]
    pub fn is_kept(home: &Path) -> bool {
        let Ok(file) = File::open(home.join(SCHEDULE)) else { return false };
        matches!(FileExt::try_lock_shared(&file), Err(TryLockError::WouldBlock))
    }

    fn lock(home: &Path, name: &str, held: fn(PathBuf, Option<u32>) -> LockError) -> Result<Self, LockError> {
        create_dir(home)?;
        let path = home.join(name);
        let mut file = options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(SinkError::io("open", &path))?;
        match FileExt::try_lock(&file) {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut pid = String::new();
                // The number only helps the operator; without it the message is still right.
                let _ = file.read_to_string(&mut pid);
                return Err(held(home.to_owned(), pid.trim().parse().ok()));
            }
            Err(TryLockError::Error(e)) => return Err(SinkError::io("lock", &path)(e).into()),
        }
        file.set_len(0)
            .and_then(|()| writeln!(file, "{}", std::process::id()))
            .map_err(SinkError::io("write", &path))?;
        Ok(Self { home: home.to_owned(), _file: file })
    }

    /// The locked home.
    #[must_use]
    pub fn home(&self) -> &Path {
        &self.home
    }
}

/// Creates a folder and its parents, 0700, if they do not exist.
pub(super) fn create_dir(path: &Path) -> Result<(), SinkError> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    builder.mode(0o700);
    builder.create(path).map_err(SinkError::io("create folder", path))
}

/// Creates a file, 0600; there must be none yet.
pub(super) fn create_file(path: &Path) -> Result<File, SinkError> {
    options().write(true).create_new(true).open(path).map_err(SinkError::io("create", path))
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    options.mode(0o600);
    options
}

/// Writes a new file and waits until the disk has it.
pub(super) fn write_file(path: &Path, content: &[u8]) -> Result<(), SinkError> {
    let mut file = create_file(path)?;
    file.write_all(content).and_then(|()| file.sync_all()).map_err(SinkError::io("write", path))
}

/// Waits until the disk has the entries of a folder.
pub(super) fn sync_dir(path: &Path) -> Result<(), SinkError> {
    // Windows cannot open folders for syncing, and renames are durable there.
    if cfg!(unix) {
        File::open(path).and_then(|d| d.sync_all()).map_err(SinkError::io("sync", path))?;
    }
    Ok(())
}

/// Renames on one disk; atomic.
pub(super) fn rename(from: &Path, to: &Path) -> Result<(), SinkError> {
    fs::rename(from, to).map_err(SinkError::io("publish", to))
}

/// Makes a link to a folder beside it; nothing on systems without such links.
pub(super) fn link(to: &Path, at: &Path) -> Result<(), SinkError> {
    #[cfg(unix)]
    std::os::unix::fs::symlink(to, at).map_err(SinkError::io("link", at))?;
    Ok(())
}

/// Removes a folder and all in it; it may be gone already.
pub(super) fn remove_dir(path: &Path) -> Result<(), SinkError> {
    match fs::remove_dir_all(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(SinkError::io("remove", path)(e)),
        _ => Ok(()),
    }
}

/// Names of the folders in a folder, sorted; none where it does not exist.
pub(super) fn sub_dirs(path: &Path) -> Result<Vec<String>, SinkError> {
    let entries = match fs::read_dir(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.map_err(SinkError::io("read", path))?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(SinkError::io("read", path))?;
        if entry.file_type().map_err(SinkError::io("read", path))?.is_dir() {
            names.extend(entry.file_name().into_string());
        }
    }
    names.sort();
    Ok(names)
}

/// Whether a name may become a folder: `[a-z][a-z0-9_-]{0,63}`.
pub(super) fn check_name(what: &'static str, name: &str) -> Result<(), SinkError> {
    let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-';
    let starts = name.bytes().next().is_some_and(|b| b.is_ascii_lowercase());
    if starts && name.len() <= 64 && name.bytes().all(fits) {
        Ok(())
    } else {
        Err(SinkError::Name { what, name: name.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_home_is_locked_once_and_says_by_whom() {
        let dir = tempfile::tempdir().expect("temp folder");
        let home = dir.path().join("home");
        let lock = HomeLock::acquire(&home).expect("free");
        assert_eq!(lock.home(), home);
        let e = HomeLock::acquire(&home).expect_err("held");
        assert!(e.to_string().contains(&format!("process {}", std::process::id())), "{e}");
        drop(lock);
        HomeLock::acquire(&home).expect("free again");
        assert!(!HomeLock::is_kept(&home), "nobody was ever here");
        let _scheduler = HomeLock::acquire_for_schedule(&home).expect("a lock of its own");
        assert!(HomeLock::is_kept(&home));
        let e = HomeLock::acquire_for_schedule(&home).expect_err("kept");
        assert!(e.to_string().contains("prosopon schedule"), "{e}");
        HomeLock::acquire(&home).expect("runs are not kept out");
    }

    #[test]
    fn names_that_leave_the_home_are_refused() {
        for bad in ["", "../x", "a/b", "Demo", "1a", ".work", "a.b", "ä", &"a".repeat(65)] {
            assert!(check_name("pipeline name", bad).is_err(), "{bad}");
        }
        for good in ["demo", "run_01ab-c", &"a".repeat(64)] {
            check_name("pipeline name", good).expect("fits");
        }
    }
}
