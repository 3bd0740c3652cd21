//! Checkpoints: signed notes that state a log's size and root (C2SP signed-note, tlog-checkpoint, tlog-cosignature).
//!
//! Invariant: parsing says nothing about truth; only [`Checkpoint::signed_by`] and [`Checkpoint::cosigned_by`] do.

use std::fmt;
use std::str::FromStr;

use data_encoding::BASE64;
use thiserror::Error;

use crate::keys::{KeyKind, Signer, Vkey, Witness, check_name};
use crate::merkle::Hash;

/// Longest note that is read, in bytes.
const NOTE_BYTES: usize = 1 << 20;
/// Most signatures that a note may carry.
const NOTE_SIGNATURES: usize = 100;

/// Why a text is not a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NoteError {
    /// Control characters, no blank line before the signatures, no signatures, or too long.
    #[error("not a signed note")]
    Note,
    /// A signature line is not `— name base64`.
    #[error("signature line {0} of the note is malformed")]
    SignatureLine(usize),
    /// The text is not origin, size, root.
    #[error("the text of the note is not a checkpoint: {0}")]
    Checkpoint(&'static str),
    /// A cosignature's time is above 2^63 - 1.
    #[error("the time of a cosignature must not exceed 2^63 - 1")]
    Time,
}

/// Why a signature does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SignatureError {
    /// No line has the key's name and id.
    #[error("not signed by this key")]
    UnknownKey,
    /// A line has the key's name and id, and its signature is wrong.
    #[error("the signature is invalid")]
    Invalid,
}

/// One signature line of a note.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Line {
    name: String,
    id: [u8; 4],
    signature: Vec<u8>,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = [&self.id, self.signature.as_slice()].concat();
        writeln!(f, "— {} {}", self.name, BASE64.encode(&bytes))
    }
}

/// A signed statement: the log named `origin` had `size` leaves under `root`.
///
/// Parses from the text of a signed note and prints as one, signature for signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    origin: String,
    size: u64,
    root: Hash,
    /// The signed text, with its last newline.
    text: String,
    lines: Vec<Line>,
}

impl Checkpoint {
    /// States and signs.
    ///
    /// # Errors
    /// [`NoteError::Checkpoint`] if the origin is empty or has control characters.
    pub fn sign(origin: &str, size: u64, root: &Hash, signer: &Signer) -> Result<Self, NoteError> {
        if origin.is_empty() || origin.contains(char::is_control) {
            return Err(NoteError::Checkpoint("the origin is empty or has control characters"));
        }
        let text = format!("{origin}\n{size}\n{}\n", BASE64.encode(&root.0));
        let signature = signer.sign(text.as_bytes()).to_vec();
        let line = Line { name: signer.vkey().name().to_owned(), id: signer.vkey().id(), signature };
        Ok(Self { origin: origin.to_owned(), size, root: *root, text, lines: vec![line] })
    }

    /// The log's name.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Number of leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The root over them.
    pub fn root(&self) -> &Hash {
        &self.root
    }

    /// Checks the log's signature.
    pub fn signed_by(&self, log: &Vkey) -> Result<(), SignatureError> {
        if log.kind() != KeyKind::Log {
            return Err(SignatureError::UnknownKey);
        }
        self.check(log, |signature| log.verifies(self.text.as_bytes(), signature).then_some(0)).map(|_| ())
    }

    /// Checks a witness's cosignatures and gives the time of the latest, in seconds since 1970.
    pub fn cosigned_by(&self, witness: &Vkey) -> Result<u64, SignatureError> {
        if witness.kind() != KeyKind::Witness {
            return Err(SignatureError::UnknownKey);
        }
        self.check(witness, |bytes| {
            let (time, signature) = bytes.split_first_chunk()?;
            let time = u64::from_be_bytes(*time);
            (i64::try_from(time).is_ok() && witness.verifies(&cosigned_message(time, &self.text), signature))
                .then_some(time)
        })
    }

    /// Adds the witness's cosignature. `time` is in seconds since 1970.
    ///
    /// A witness first checks the log's signature and that the checkpoint extends the one it cosigned before; see
    /// [`verify`](crate::verify()).
    ///
    /// # Errors
    /// [`NoteError::Time`] above 2^63 - 1, [`NoteError::Note`] if the note is full.
    pub fn cosign(&mut self, witness: &Witness, time: u64) -> Result<(), NoteError> {
        if i64::try_from(time).is_err() {
            return Err(NoteError::Time);
        }
        let mut signature = time.to_be_bytes().to_vec();
        signature.extend(witness.sign(&cosigned_message(time, &self.text)));
        let line = Line { name: witness.vkey().name().to_owned(), id: witness.vkey().id(), signature };
        self.add(line)
    }

    /// Adds the signature lines of `other`, which states the same, that are not here yet.
    ///
    /// # Errors
    /// [`NoteError::Checkpoint`] if `other` states something else, [`NoteError::Note`] if the note is full.
    pub fn merge(&mut self, other: &Self) -> Result<(), NoteError> {
        if self.text != other.text {
            return Err(NoteError::Checkpoint("the cosigned text is another one"));
        }
        other.lines.iter().try_for_each(|line| self.add(line.clone()))
    }

    fn add(&mut self, line: Line) -> Result<(), NoteError> {
        if self.lines.contains(&line) {
            return Ok(());
        }
        if self.lines.len() >= NOTE_SIGNATURES {
            return Err(NoteError::Note);
        }
        self.lines.push(line);
        Ok(())
    }

    /// All lines with the key's name and id must verify; the largest of their times.
    fn check(&self, key: &Vkey, time: impl Fn(&[u8]) -> Option<u64>) -> Result<u64, SignatureError> {
        let mut latest = Err(SignatureError::UnknownKey);
        for line in self.lines.iter().filter(|line| line.name == key.name() && line.id == key.id()) {
            let time = time(&line.signature).ok_or(SignatureError::Invalid)?;
            latest = Ok(latest.unwrap_or(0).max(time));
        }
        latest
    }
}

/// What a witness signs.
fn cosigned_message(time: u64, text: &str) -> Vec<u8> {
    format!("cosignature/v1\ntime {time}\n{text}").into_bytes()
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.lines.iter().try_for_each(|line| line.fmt(f))
    }
}

impl FromStr for Checkpoint {
    type Err = NoteError;

    fn from_str(note: &str) -> Result<Self, NoteError> {
        if note.len() > NOTE_BYTES || note.contains(|c: char| c < ' ' && c != '\n') {
            return Err(NoteError::Note);
        }
        let at = note.rfind("\n\n").ok_or(NoteError::Note)? + 1;
        let (text, signatures) = (&note[..at], &note[at + 1..]);
        let signatures = signatures.strip_suffix('\n').ok_or(NoteError::Note)?;
        let lines = signatures
            .split('\n')
            .enumerate()
            .map(|(number, line)| parse_line(line).ok_or(NoteError::SignatureLine(number + 1)))
            .collect::<Result<Vec<_>, _>>()?;
        if lines.len() > NOTE_SIGNATURES {
            return Err(NoteError::Note);
        }
        let (origin, size, root) = parse_text(text)?;
        Ok(Self { origin: origin.to_owned(), size, root, text: text.to_owned(), lines })
    }
}

fn parse_line(line: &str) -> Option<Line> {
    let (name, signature) = line.strip_prefix("— ")?.split_once(' ')?;
    check_name(name).ok()?;
    let bytes = BASE64.decode(signature.as_bytes()).ok()?;
    let (id, signature) = bytes.split_first_chunk()?;
    (!signature.is_empty()).then(|| Line { name: name.to_owned(), id: *id, signature: signature.to_vec() })
}

fn parse_text(text: &str) -> Result<(&str, u64, Hash), NoteError> {
    let mut lines = text.strip_suffix('\n').ok_or(NoteError::Note)?.split('\n');
    let mut next = |what| lines.next().filter(|line| !line.is_empty()).ok_or(NoteError::Checkpoint(what));
    let origin = next("no origin")?;
    let size = next("no size")?;
    let canonical = size == "0" || (!size.starts_with(['0', '+']) && size.len() <= 20);
    let size = size.parse().ok().filter(|_| canonical).ok_or(NoteError::Checkpoint("the size is not a number"))?;
    let root = BASE64.decode(next("no root")?.as_bytes()).ok().and_then(|root| root.try_into().ok());
    let root = Hash(root.ok_or(NoteError::Checkpoint("the root is not a hash in base64"))?);
    if lines.any(str::is_empty) {
        return Err(NoteError::Checkpoint("an extension line is empty"));
    }
    if size == 0 && root != Hash::empty_tree() {
        return Err(NoteError::Checkpoint("the root of an empty log is not the empty root"));
    }
    Ok((origin, size, root))
}
