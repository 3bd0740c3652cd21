//! Every change that the log makes to the disk goes through here.
//!
//! Invariant: nothing here reads; each method is one step of the write protocol, and tests can make any step fail.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use crate::error::Error;

/// Files up to which each is synced by itself; above, the whole file system is, in one call.
const SINGLE_SYNCS: usize = 8;

/// The steps, and in tests a plan of which one fails.
#[derive(Clone, Debug, Default)]
pub(crate) struct Disk {
    #[cfg(test)]
    pub plan: std::sync::Arc<crate::crash::Plan>,
}

impl Disk {
    /// Creates a directory and its parents.
    pub fn create_dirs(&self, path: &Path) -> Result<(), Error> {
        self.step(path)
            .and_then(|()| fs::DirBuilder::new().recursive(true).mode(0o700).create(path))
            .map_err(|error| Error::io("create", path, error))
    }

    /// Creates or overwrites a file; not durable until it is synced.
    pub fn write(&self, path: &Path, bytes: &[u8]) -> Result<(), Error> {
        let write = || {
            let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
            self.write_all(&mut file, path, bytes)
        };
        write().map_err(|error| Error::io("write", path, error))
    }

    /// Replaces a file so that a reader, or a crash, meets the old or the new one; durable on return.
    pub fn replace(&self, path: &Path, bytes: &[u8]) -> Result<(), Error> {
        let mut temporary = path.to_owned();
        temporary.as_mut_os_string().push(".tmp");
        self.write(&temporary, bytes)?;
        self.sync_file(&temporary)?;
        self.step(path)
            .and_then(|()| fs::rename(&temporary, path))
            .map_err(|error| Error::io("rename to", path, error))?;
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        self.sync_file(parent)
    }

    /// Writes at an offset, up to the file's new end, and syncs. On failure the file is cut back to the offset.
    pub fn append(&self, file: &mut File, path: &Path, at: u64, bytes: &[u8]) -> Result<(), Error> {
        let mut write = || {
            file.seek(SeekFrom::Start(at))?;
            self.write_all(file, path, bytes)?;
            self.step(path)?;
            file.sync_data()?;
            self.synced(path);
            Ok(())
        };
        write().map_err(|error| {
            // If this fails too, the next append or open finds the torn record and cuts it off.
            let _ = self.step(path).and_then(|()| file.set_len(at));
            Error::io("append to", path, error)
        })
    }

    /// Cuts a file off.
    pub fn truncate(&self, file: &File, path: &Path, len: u64) -> Result<(), Error> {
        self.step(path)
            .and_then(|()| file.set_len(len))
            .and_then(|()| file.sync_data())
            .map_err(|error| Error::io("truncate", path, error))
    }

    /// Makes files and the directories that lead to them durable. `files` lie under `dir`.
    pub fn sync_all(&self, dir: &Path, files: &[PathBuf]) -> Result<(), Error> {
        if files.len() > SINGLE_SYNCS && self.sync_file_system(dir)? {
            for file in files {
                self.synced(file);
            }
            return Ok(());
        }
        for file in files {
            self.sync_file(file)?;
        }
        let parents = |file: &PathBuf| {
            file.ancestors().skip(1).take_while(|path| path.starts_with(dir)).map(Path::to_owned).collect::<Vec<_>>()
        };
        let parents: BTreeSet<_> = files.iter().flat_map(parents).collect();
        parents.iter().try_for_each(|path| self.sync_file(path))
    }

    /// Makes one file, or the names in one directory, durable.
    fn sync_file(&self, path: &Path) -> Result<(), Error> {
        let sync = || {
            self.step(path)?;
            File::open(path)?.sync_all()?;
            self.synced(path);
            Ok(())
        };
        sync().map_err(|error| Error::io("sync", path, error))
    }

    /// One call for hundreds of files; false where there is no such call.
    fn sync_file_system(&self, dir: &Path) -> Result<bool, Error> {
        #[cfg(target_os = "linux")]
        {
            self.step(dir)
                .and_then(|()| Ok(rustix::fs::syncfs(File::open(dir)?)?))
                .map_err(|error| Error::io("sync", dir, error))?;
            Ok(true)
        }
        #[cfg(not(target_os = "linux"))]
        {
            let _ = dir;
            Ok(false)
        }
    }

    /// Removes a directory that is of no more use; failing is harmless.
    pub fn discard_dir(&self, path: &Path) {
        let _ = self.step(path).and_then(|()| fs::remove_dir_all(path));
    }

    /// Opens a file to write, and creates it if need be.
    pub fn open(&self, path: &Path) -> Result<File, Error> {
        self.step(path)
            .and_then(|()| {
                OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
            })
            .map_err(|error| Error::io("open", path, error))
    }

    /// Opens a file to write that must be there.
    pub fn open_existing(&self, path: &Path) -> Result<File, Error> {
        self.step(path)
            .and_then(|()| OpenOptions::new().read(true).write(true).open(path))
            .map_err(|error| Error::io("open", path, error))
    }

    #[cfg(not(test))]
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "the same shape as the test's, which can fail")]
    fn step(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }

    #[cfg(not(test))]
    #[expect(clippy::unused_self, reason = "the same shape as the test's")]
    fn synced(&self, _: &Path) {}

    #[cfg(not(test))]
    #[expect(clippy::unused_self, reason = "the same shape as the test's, which can fail")]
    fn write_all(&self, file: &mut File, _: &Path, bytes: &[u8]) -> io::Result<()> {
        file.write_all(bytes)
    }

    #[cfg(test)]
    fn step(&self, path: &Path) -> io::Result<()> {
        self.plan.step(path)
    }

    #[cfg(test)]
    fn synced(&self, path: &Path) {
        self.plan.synced(path);
    }

    #[cfg(test)]
    fn write_all(&self, file: &mut File, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.plan.unsynced(path);
        if let Err(error) = self.plan.step(path) {
            file.write_all(&bytes[..bytes.len() / 2])?;
            return Err(error);
        }
        file.write_all(bytes)
    }
}
