//! The write-ahead segment, the file `pending`: acknowledged batches that are not in tiles yet.
//!
//! A header holds the signed checkpoint the segment starts from; each record holds one batch, the signed checkpoint
//! after it, and a digest over all of that. Invariant: a record is written only once all before it are durable, so a
//! crash can tear the last record and no other. What a crash cannot explain is damage, and is not cut off.
//!
//! ```text
//! header: "ptlogseg" u32 note length | note
//! record: "ptlogrec" u64 first leaf, u32 leaves, u64 body length, u32 note length, u64 check | body | note | SHA-256
//! ```
//! Numbers are big-endian; a body is an entry bundle; the check is the start of the SHA-256 of what precedes it; the
//! last SHA-256 is over all that precedes the body, the leaf hashes and the note.

use sha2::{Digest, Sha256};

use crate::checkpoint::Checkpoint;
use crate::merkle::Hash;
use crate::tile::{Entries, push_entry};

const HEADER: &[u8; 8] = b"ptlogseg";
const RECORD: &[u8; 8] = b"ptlogrec";
/// Bytes before a record's body.
const FIXED: usize = 40;
const DIGEST: usize = 32;
/// Devices write whole sectors; one that a crash lost reads as zeros.
const SECTOR: u64 = 512;

/// The header of a segment that starts from this checkpoint.
pub(crate) fn header(base: &Checkpoint) -> Vec<u8> {
    let note = base.to_string();
    [HEADER.as_slice(), &(note.len() as u32).to_be_bytes(), note.as_bytes()].concat()
}

/// The base checkpoint and the header's length; `None` if that is no header.
pub(crate) fn parse_header(bytes: &[u8]) -> Option<(Checkpoint, usize)> {
    let rest = bytes.strip_prefix(HEADER)?;
    let (len, rest) = rest.split_first_chunk()?;
    let note = rest.get(..u32::from_be_bytes(*len) as usize)?;
    let base = std::str::from_utf8(note).ok()?.parse().ok()?;
    Some((base, 12 + note.len()))
}

/// One record, ready to be written. `after` is the checkpoint that covers the batch.
pub(crate) fn record(leaves: &[impl AsRef<[u8]>], hashes: &[Hash], after: &Checkpoint) -> Vec<u8> {
    let note = after.to_string();
    let body: usize = leaves.iter().map(|leaf| 2 + leaf.as_ref().len()).sum();
    let mut bytes = Vec::with_capacity(FIXED + body + note.len() + DIGEST);
    bytes.extend(RECORD);
    bytes.extend((after.size() - leaves.len() as u64).to_be_bytes());
    bytes.extend((leaves.len() as u32).to_be_bytes());
    bytes.extend((body as u64).to_be_bytes());
    bytes.extend((note.len() as u32).to_be_bytes());
    let check = check(&bytes);
    bytes.extend(check);
    let digest = digest(&bytes, hashes, note.as_bytes());
    for leaf in leaves {
        push_entry(&mut bytes, leaf.as_ref());
    }
    bytes.extend(note.as_bytes());
    bytes.extend(digest);
    bytes
}

fn check(numbers: &[u8]) -> [u8; 8] {
    *Sha256::digest(numbers).first_chunk().expect("a digest has 32 bytes")
}

fn digest(fixed: &[u8], hashes: &[Hash], note: &[u8]) -> [u8; DIGEST] {
    let mut digest = Sha256::new_with_prefix(fixed);
    for hash in hashes {
        digest.update(hash.0);
    }
    digest.chain_update(note).finalize().into()
}

/// One batch as read back; its digest held.
pub(crate) struct Record<'a> {
    pub entries: Entries<'a>,
    pub hashes: Vec<Hash>,
    /// The checkpoint after the batch; its signature is for the caller to check.
    pub after: Checkpoint,
    /// Length of the record in the file.
    pub len: usize,
}

impl Record<'_> {
    /// Number of the batch's first leaf.
    pub fn first(&self) -> u64 {
        self.after.size() - self.hashes.len() as u64
    }
}

/// What follows the last whole record.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Tail {
    /// Nothing.
    Clean,
    /// What a crash left of a batch that was never acknowledged.
    Torn,
    /// Something that no crash leaves behind, at this offset in the file.
    Damaged(u64),
}

/// Whole records from the start of some bytes, and what follows them.
pub(crate) struct Records<'a> {
    pub records: Vec<Record<'a>>,
    /// Offset in the file after the last whole record.
    pub end: u64,
    pub tail: Tail,
}

/// Reads records from `bytes`, which lie at offset `at` of the file; the first must start at leaf `next`.
pub(crate) fn parse_records(bytes: &[u8], at: u64, next: u64) -> Records<'_> {
    let mut found = Records { records: Vec::new(), end: at, tail: Tail::Clean };
    let mut rest = bytes;
    let mut next = next;
    while !rest.is_empty() {
        match parse_record(rest) {
            Ok(record) if record.first() == next => {
                next = record.after.size();
                found.end += record.len as u64;
                rest = &rest[record.len..];
                found.records.push(record);
            }
            Ok(_) => {
                found.tail = Tail::Damaged(found.end);
                break;
            }
            Err(len) => {
                let torn = could_be_torn(rest, len, found.end);
                found.tail = if torn { Tail::Torn } else { Tail::Damaged(found.end) };
                break;
            }
        }
    }
    found
}

/// A record, or the length that its fixed part claims, if it has one.
fn parse_record(bytes: &[u8]) -> Result<Record<'_>, Option<usize>> {
    let number = |range: std::ops::Range<usize>| {
        bytes.get(range).map(|bytes| bytes.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte)))
    };
    let (Some(first), Some(leaves), Some(body), Some(note)) =
        (number(8..16), number(16..20), number(20..28), number(28..32))
    else {
        return Err(None);
    };
    if !bytes.starts_with(RECORD) || bytes.get(32..FIXED) != Some(check(&bytes[..32]).as_slice()) {
        return Err(None);
    }
    let len =
        usize::try_from(body).ok().and_then(|body| body.checked_add(FIXED + DIGEST + note as usize)).ok_or(None)?;
    let whole = bytes.get(..len).ok_or(Some(len))?;
    let (fixed, rest) = whole.split_at(FIXED);
    let (body, rest) = rest.split_at(body as usize);
    let (note, stated) = rest.split_at(note as usize);
    let mut entries = Entries(body);
    let hashes: Vec<_> = entries.by_ref().map(Hash::of_leaf).collect();
    let whole = entries.0.is_empty() && hashes.len() as u64 == leaves && digest(fixed, &hashes, note) == stated;
    let after: Option<Checkpoint> = std::str::from_utf8(note).ok().and_then(|note| note.parse().ok());
    match after {
        Some(after) if whole && first.checked_add(leaves) == Some(after.size()) && leaves > 0 => {
            Ok(Record { entries: Entries(body), hashes, after, len })
        }
        _ => Err(Some(len)),
    }
}

/// Whether a crash while the last record was written can leave `rest`, at offset `at`: it is too short, or a sector
/// of it never reached the disk. Nothing can follow it, least of all a whole record.
fn could_be_torn(rest: &[u8], claimed: Option<usize>, at: u64) -> bool {
    match claimed {
        Some(len) if len < rest.len() => false,
        Some(len) if len > rest.len() => true,
        Some(_) => lost_sector(rest, at),
        None if rest.len() < FIXED => true,
        None => lost_sector(&rest[..FIXED], at) && !holds_record(rest),
    }
}

fn holds_record(bytes: &[u8]) -> bool {
    (1..bytes.len().saturating_sub(FIXED + DIGEST))
        .filter(|from| bytes[*from..].starts_with(RECORD))
        .any(|from| parse_record(&bytes[from..]).is_ok())
}

/// Whether a sector, as far as it lies in `bytes`, is all zeros.
fn lost_sector(bytes: &[u8], at: u64) -> bool {
    let first = ((SECTOR - at % SECTOR) as usize).min(bytes.len());
    let (head, rest) = bytes.split_at(first);
    std::iter::once(head).chain(rest.chunks(SECTOR as usize)).any(|sector| sector.iter().all(|byte| *byte == 0))
}
