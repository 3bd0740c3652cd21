//! Cosigning a checkpoint, and adding cosignatures to one that is stored.
//!
//! Invariant: a stored checkpoint only ever gains signature lines; what it states stays.

use std::fs::File;
use std::path::Path;

use crate::checkpoint::{Checkpoint, NoteError};
use crate::disk::Disk;
use crate::error::{Error, RESTORE};
use crate::keys::Witness;
use crate::log::{LOCK, read_if_there};

/// The note with the witness's cosignature added. `time` is in seconds since 1970.
///
/// The witness states that it has checked the log: run [`verify`](crate::verify()) with the checkpoint it cosigned
/// before, and cosign [`Report::checkpoint`](crate::Report) of a clean report.
///
/// # Errors
/// If the text is no checkpoint, the time is above 2^63 - 1, or the note is full.
pub fn cosign(note: &str, witness: &Witness, time: u64) -> Result<String, NoteError> {
    let mut checkpoint: Checkpoint = note.parse()?;
    checkpoint.cosign(witness, time)?;
    Ok(checkpoint.to_string())
}

/// Adds the signature lines of `cosigned` to the checkpoint in `file`, which must state the same. Takes the log's
/// lock if the file lies in a log. A log's own `checkpoint` loses them when it next publishes: keep a copy elsewhere.
///
/// # Errors
/// [`Error::Note`] if it states something else, [`Error::Damaged`] if the file is no checkpoint, and the disk's.
pub fn add_cosignature(file: &Path, cosigned: &Checkpoint) -> Result<Checkpoint, Error> {
    let lock = file.with_file_name(LOCK);
    let lock = match File::open(&lock) {
        Ok(held) => {
            held.lock().map_err(|error| Error::io("lock", &lock, error))?;
            Some(held)
        }
        Err(_) => None,
    };
    let stored = read_if_there(file)?.and_then(|bytes| String::from_utf8(bytes).ok());
    let stored: Option<Checkpoint> = stored.and_then(|text| text.parse().ok());
    let mut stored = stored.ok_or_else(|| Error::damaged(file, "it holds no checkpoint", RESTORE))?;
    stored.merge(cosigned)?;
    Disk::default().replace(file, stored.to_string().as_bytes())?;
    drop(lock);
    Ok(stored)
}
