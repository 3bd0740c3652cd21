//! Cassettes: the exchanges of a run as they came over the wire, to be run again without a network.
//!
//! Invariant: every frame is sealed under a key of the vault and bound to its cassette and place, so frames cannot be
//! exchanged, left out or moved; what has no end was not whole and is not replayed. No cookies, no credentials. A request
//! that is not on the tape fails. A cassette can name people: it lies under the home, and any erasure destroys it.

use std::collections::{HashMap, VecDeque};
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::reason::FailReason;
use super::shelf::{self, FOLDER, tapes};
use crate::keys;

/// No frame is larger: a body and its headers.
const MAX_FRAME: usize = 16 * 1024 * 1024;

/// A cassette cannot be used. Exit code 3.
#[derive(Debug, thiserror::Error)]
pub enum TapeError {
    /// Not readable or writable.
    #[error("the cassette {path} cannot be read or written")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Nothing was recorded under this name.
    #[error("there is no cassette {0}; `prosopon run --record` makes one")]
    Missing(PathBuf),
    /// Changed, of another home, or cut off.
    #[error("the cassette {0} is damaged, of another home, or was never finished")]
    Damaged(PathBuf),
}

/// What a cassette is of; it stands in clear and names nobody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TapeHead {
    /// Version of the format, 1.
    pub format: u32,
    /// The run.
    pub run: String,
    /// The pipeline.
    pub pipeline: String,
    /// The instant at which the run stood.
    pub as_of: jiff::Timestamp,
    /// Whether the web was the demo's.
    pub demo: bool,
    /// Until when it may be kept: as long as the policy keeps what was read for the run's purpose.
    #[serde(default)]
    pub until: Option<jiff::Timestamp>,
}

/// One exchange.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Hop {
    pub(super) url: String,
    /// Milliseconds since 1970.
    pub(super) started_at: i64,
    pub(super) ended_at: i64,
    /// The vetted address; `None` on loopback.
    pub(super) address: Option<IpAddr>,
    /// Status and headers; `None` where none came.
    pub(super) head: Option<(u16, Vec<(String, String)>)>,
    /// The body as received, in base64.
    pub(super) body: String,
    /// Why there is no more; the word of a [`FailReason`].
    pub(super) fault: Option<String>,
}

/// When a fetch began and ended, whether or not anybody was asked: what memory or a rule answered takes time, too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Span {
    /// The permit that was used up; a replay makes the same.
    pub(super) permit: String,
    /// Milliseconds since 1970.
    pub(super) started_at: i64,
    pub(super) finished_at: i64,
}

#[derive(Serialize, Deserialize)]
enum Frame {
    Hop(Box<Hop>),
    Span(Span),
    End(u64),
}

/// Records.
pub struct Recorder {
    file: Mutex<(File, u64)>,
    path: PathBuf,
    head: Vec<u8>,
    key: Zeroizing<[u8; 32]>,
    /// An exchange could not be kept.
    is_broken: AtomicBool,
}

/// Plays.
pub struct Cassette {
    head: TapeHead,
    hops: Mutex<HashMap<String, VecDeque<Hop>>>,
    /// Start and end by permit, in milliseconds; recordings of earlier versions have none.
    spans: HashMap<String, (i64, i64)>,
    unknown: std::sync::atomic::AtomicU64,
}

impl std::fmt::Debug for Recorder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Recorder")
    }
}

impl std::fmt::Debug for Cassette {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cassette").field("head", &self.head).finish_non_exhaustive()
    }
}

fn path_of(home: &Path, run: &str) -> PathBuf {
    home.join(FOLDER).join(format!("{run}.tape"))
}

/// Binds a frame to its cassette and place.
fn label(head: &[u8], at: u64) -> Vec<u8> {
    [b"prosopon cassette\0", head, &at.to_be_bytes()].concat()
}

/// One frame; `None` at the end of the file, also where it breaks off.
fn frame(input: &mut impl Read, head: &[u8], key: &[u8; 32], at: u64) -> io::Result<Option<Frame>> {
    let mut length = [0; 4];
    if input.read_exact(&mut length).is_err() {
        return Ok(None);
    }
    let length = u32::from_le_bytes(length) as usize;
    if length > MAX_FRAME {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut sealed = vec![0; length];
    if input.read_exact(&mut sealed).is_err() {
        return Ok(None);
    }
    let plain = keys::open(key, &label(head, at), &sealed).ok_or(io::ErrorKind::InvalidData)?;
    let json = zstd::decode_all(&plain[..])?;
    Ok(Some(serde_json::from_slice(&json)?))
}

impl Recorder {
    /// Begins the cassette of a run, or continues it after a kill.
    ///
    /// # Errors
    /// See [`TapeError`].
    pub fn open(home: &Path, head: &TapeHead, key: &[u8; 32]) -> Result<Self, TapeError> {
        let path = path_of(home, &head.run);
        let fail = |source| TapeError::Io { path: path.clone(), source };
        std::fs::create_dir_all(home.join(FOLDER)).map_err(fail)?;
        let line = serde_json::to_vec(head).expect("text");
        let mut file = OpenOptions::new().create(true).read(true).append(true).open(&path).map_err(fail)?;
        crate::run::files::make_private(&path).map_err(fail)?;
        let mut at = 0;
        if file.metadata().map_err(fail)?.len() == 0 {
            file.write_all(&[&line[..], b"\n"].concat()).map_err(fail)?;
        } else {
            let mut input = BufReader::new(&file);
            let mut good = input.read_until(b'\n', &mut Vec::new()).map_err(fail)? as u64;
            while let Ok(Some(Frame::Hop(_) | Frame::Span(_))) = frame(&mut input, &line, key, at) {
                good = io::Seek::stream_position(&mut input).map_err(fail)?;
                at += 1;
            }
            // What a kill cut off, and the end of a run that goes on.
            file.set_len(good).map_err(fail)?;
        }
        Ok(Self {
            file: Mutex::new((file, at)),
            path,
            head: line,
            key: Zeroizing::new(*key),
            is_broken: AtomicBool::new(false),
        })
    }

    fn write(&self, frame: impl FnOnce(u64) -> Frame) -> Result<(), TapeError> {
        let fail = |source| TapeError::Io { path: self.path.clone(), source };
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let json = serde_json::to_vec(&frame(file.1)).expect("text");
        let plain = Zeroizing::new(zstd::encode_all(&json[..], 3).map_err(fail)?);
        let sealed = keys::seal(&self.key, &label(&self.head, file.1), &plain).map_err(fail)?.0;
        if sealed.len() > MAX_FRAME {
            return Err(fail(io::ErrorKind::FileTooLarge.into()));
        }
        let length = u32::try_from(sealed.len()).expect("a frame is far below 4 GiB");
        file.0.write_all(&[&length.to_le_bytes()[..], &sealed].concat()).map_err(fail)?;
        file.1 += 1;
        Ok(())
    }

    /// Keeps an exchange. One that cannot be kept is told; then the cassette gets no end and is not replayed.
    pub(super) fn hop(&self, hop: Hop) {
        self.keep(Frame::Hop(Box::new(hop)));
    }

    /// Keeps when a fetch began and ended, likewise.
    pub(super) fn span(&self, span: Span) {
        self.keep(Frame::Span(span));
    }

    fn keep(&self, frame: Frame) {
        if let Err(error) = self.write(|_| frame) {
            tracing::warn!(%error, "the recording is not whole");
            self.is_broken.store(true, Ordering::Relaxed);
        }
    }

    /// Ends the cassette: from now on it can be replayed. Older ones beyond `keep` are destroyed.
    ///
    /// # Errors
    /// Not writable.
    pub fn finish(&self, keep: usize) -> Result<(), TapeError> {
        if self.is_broken.load(Ordering::Relaxed) {
            return Ok(());
        }
        self.write(Frame::End)?;
        let fail = |source| TapeError::Io { path: self.path.clone(), source };
        self.file.lock().unwrap_or_else(PoisonError::into_inner).0.sync_all().map_err(fail)?;
        let mut tapes = tapes(self.path.parent().unwrap_or_else(|| Path::new("."))).map_err(fail)?;
        tapes.sort();
        let surplus = tapes.len().saturating_sub(keep.max(1));
        tapes
            .into_iter()
            .take(surplus)
            .filter(|tape| *tape != self.path)
            .try_for_each(std::fs::remove_file)
            .map_err(fail)
    }
}

impl Cassette {
    /// What the cassette of a run is of; `latest` names the newest.
    ///
    /// # Errors
    /// See [`TapeError`].
    pub fn head_of(home: &Path, run: &str) -> Result<TapeHead, TapeError> {
        let path = Self::find(home, run)?;
        match shelf::head_at(&path) {
            Ok(head) => head.ok_or(TapeError::Damaged(path)),
            Err(source) => Err(TapeError::Io { path, source }),
        }
    }

    fn find(home: &Path, run: &str) -> Result<PathBuf, TapeError> {
        let path = match run {
            "latest" => {
                let folder = home.join(FOLDER);
                let all = tapes(&folder).map_err(|source| TapeError::Io { path: folder.clone(), source })?;
                all.into_iter().max().unwrap_or(folder)
            }
            run => path_of(home, run),
        };
        if path.is_file() { Ok(path) } else { Err(TapeError::Missing(path)) }
    }

    /// Reads a whole cassette.
    ///
    /// # Errors
    /// See [`TapeError`].
    pub fn open(home: &Path, run: &str, key: &[u8; 32]) -> Result<Self, TapeError> {
        let path = Self::find(home, run)?;
        let fail = |source| TapeError::Io { path: path.clone(), source };
        let damaged = || TapeError::Damaged(path.clone());
        let mut input = BufReader::new(File::open(&path).map_err(fail)?);
        let mut line = Vec::new();
        input.read_until(b'\n', &mut line).map_err(fail)?;
        line.pop();
        let head: TapeHead = serde_json::from_slice(&line).map_err(|_| damaged())?;
        if path.file_stem().is_none_or(|name| name != head.run.as_str()) {
            return Err(damaged());
        }
        let (mut hops, mut spans, mut at) = (HashMap::<String, VecDeque<Hop>>::new(), HashMap::new(), 0);
        loop {
            match frame(&mut input, &line, key, at).map_err(|_| damaged())? {
                Some(Frame::Hop(hop)) => hops.entry(hop.url.clone()).or_default().push_back(*hop),
                // What a kill kept from being committed was done again: the last time counts.
                Some(Frame::Span(span)) => drop(spans.insert(span.permit, (span.started_at, span.finished_at))),
                Some(Frame::End(count)) if count == at => break,
                _ => return Err(damaged()),
            }
            at += 1;
        }
        Ok(Self { head, hops: Mutex::new(hops), spans, unknown: 0.into() })
    }

    /// Whether the web was the demo's.
    pub(super) fn is_demo(&self) -> bool {
        self.head.demo
    }

    /// The next recorded exchange with a URL; the last one is not repeated.
    pub(super) fn next(&self, url: &str) -> Option<Hop> {
        let hop = self.hops.lock().unwrap_or_else(PoisonError::into_inner).get_mut(url).and_then(VecDeque::pop_front);
        if hop.is_none() {
            self.unknown.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        }
        hop
    }

    /// When the fetch of a permit began and ended, in milliseconds since 1970.
    pub(super) fn span(&self, permit: &str) -> Option<(i64, i64)> {
        self.spans.get(permit).copied()
    }

    /// Requests that were not on the tape.
    pub fn unknown(&self) -> u64 {
        self.unknown.load(std::sync::atomic::Ordering::Relaxed)
    }
}

impl Hop {
    /// The fault that ended it.
    pub(super) fn fault(&self) -> Option<FailReason> {
        let word = self.fault.as_deref()?;
        // A word of another version is a fault all the same.
        Some(FailReason::ALL.iter().copied().find(|r| r.as_str() == word).unwrap_or(FailReason::Protocol))
    }
}

#[cfg(test)]
mod tests;
