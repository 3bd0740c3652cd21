//! The Merkle tree of RFC 6962 over SHA-256: hashes, the right edge of a growing tree, roots, and proofs.
//!
//! Invariant: nothing here does I/O. What needs inner nodes asks a [`Nodes`] for hashes of complete subtrees only.

use std::fmt;

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};
use thiserror::Error;

/// A SHA-256 hash: of a leaf, an inner node, or a whole tree.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// The root of the tree without leaves: SHA-256 of nothing.
    pub fn empty_tree() -> Self {
        Self(Sha256::digest(b"").into())
    }

    /// The hash of a leaf: SHA-256(0x00 || leaf).
    pub fn of_leaf(leaf: &[u8]) -> Self {
        Self(Sha256::new().chain_update([0]).chain_update(leaf).finalize().into())
    }

    /// The hash of an inner node: SHA-256(0x01 || left || right).
    pub fn of_node(left: &Self, right: &Self) -> Self {
        let mut bytes = [1; 65];
        bytes[1..33].copy_from_slice(&left.0);
        bytes[33..].copy_from_slice(&right.0);
        Self(Sha256::digest(bytes).into())
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The right edge of a growing tree: enough to go on and to tell the root, in memory of the order of log(size).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    /// Roots of the complete subtrees from left to right, one for each bit set in `size`, highest bit first.
    peaks: Vec<Hash>,
}

impl Frontier {
    /// The edge of a tree of `size` leaves; reads one node for each bit set in `size`.
    pub fn load<N: Nodes + ?Sized>(size: u64, nodes: &mut N) -> Result<Self, N::Error> {
        let peaks = subtrees(0, size).map(|(level, index)| nodes.node(level, index)).collect::<Result<_, _>>()?;
        Ok(Self { size, peaks })
    }

    /// Number of leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Adds one leaf, given by its hash.
    pub fn push(&mut self, leaf: Hash) {
        self.push_subtree(0, leaf);
    }

    /// Adds a complete subtree of `2^level` leaves. The size must be a multiple of that.
    pub(crate) fn push_subtree(&mut self, level: u8, root: Hash) {
        self.push_with(level, root, |_, _| {});
    }

    /// The same, and tells each subtree that is completed, with its level, from the one added upwards.
    pub(crate) fn push_with(&mut self, level: u8, root: Hash, mut completed: impl FnMut(u8, &Hash)) {
        debug_assert!(self.size.is_multiple_of(1 << level), "a subtree joins at a multiple of its width");
        completed(level, &root);
        let mut hash = root;
        for above in 0..(self.size >> level).trailing_ones() as u8 {
            let left = self.peaks.pop().expect("a peak for each bit set in the size");
            hash = Hash::of_node(&left, &hash);
            completed(level + above + 1, &hash);
        }
        self.peaks.push(hash);
        self.size += 1 << level;
    }

    /// The root of the tree.
    pub fn root(&self) -> Hash {
        fold(&self.peaks)
    }
}

/// The root over complete subtrees that stand side by side, left to right.
fn fold(peaks: &[Hash]) -> Hash {
    let Some((last, rest)) = peaks.split_last() else { return Hash::empty_tree() };
    rest.iter().rev().fold(*last, |right, left| Hash::of_node(left, &right))
}

/// Where hashes of complete subtrees come from.
pub trait Nodes {
    /// Why a node cannot be had.
    type Error;

    /// The hash over the leaves `[index << level, (index + 1) << level)`, all of which exist.
    fn node(&mut self, level: u8, index: u64) -> Result<Hash, Self::Error>;
}

/// The root of the first `size` leaves.
pub fn root<N: Nodes + ?Sized>(nodes: &mut N, size: u64) -> Result<Hash, N::Error> {
    range_root(nodes, 0, size)
}

/// The proof that leaf `index` is in the tree of `size` leaves: sibling hashes, from the leaf up.
///
/// # Panics
/// If `index` is not below `size`.
pub fn prove_inclusion<N: Nodes + ?Sized>(nodes: &mut N, index: u64, size: u64) -> Result<Vec<Hash>, N::Error> {
    assert!(index < size, "leaf {index} is not in a tree of {size}");
    let (mut low, mut high) = (0, size);
    let mut proof = Vec::new();
    while high - low > 1 {
        let middle = low + split(high - low);
        if index < middle {
            proof.push(range_root(nodes, middle, high)?);
            high = middle;
        } else {
            proof.push(range_root(nodes, low, middle)?);
            low = middle;
        }
    }
    proof.reverse();
    Ok(proof)
}

/// The proof that the tree of `new` leaves extends the one of `old` leaves; empty if `old` is 0 or `new`.
///
/// # Panics
/// If `old` is above `new`.
pub fn prove_consistency<N: Nodes + ?Sized>(nodes: &mut N, old: u64, new: u64) -> Result<Vec<Hash>, N::Error> {
    assert!(old <= new, "a tree of {new} does not extend one of {old}");
    let (mut low, mut high) = (0, new);
    let mut proof = Vec::new();
    if old == 0 {
        return Ok(proof);
    }
    while old != high {
        let middle = low + split(high - low);
        if old <= middle {
            proof.push(range_root(nodes, middle, high)?);
            high = middle;
        } else {
            proof.push(range_root(nodes, low, middle)?);
            low = middle;
        }
    }
    if low != 0 {
        proof.push(range_root(nodes, low, high)?);
    }
    proof.reverse();
    Ok(proof)
}

/// Why a proof does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ProofError {
    /// The index or the sizes do not go together.
    #[error("no such leaf or tree")]
    OutOfRange,
    /// The proof has too many or too few hashes.
    #[error("the proof has a wrong number of hashes")]
    Length,
    /// The hashes lead to another root.
    #[error("the proof leads to another root")]
    Root,
}

/// Checks that the leaf with hash `leaf` is number `index` in the tree of `size` leaves with this root.
pub fn verify_inclusion(leaf: &Hash, index: u64, size: u64, proof: &[Hash], root: &Hash) -> Result<(), ProofError> {
    if index >= size {
        return Err(ProofError::OutOfRange);
    }
    // The path has an inner part, where siblings lie on both sides, and a right border with siblings on the left only.
    let inner = (u64::BITS - (index ^ (size - 1)).leading_zeros()) as usize;
    let border = (index.checked_shr(inner as u32).unwrap_or(0)).count_ones() as usize;
    if proof.len() != inner + border {
        return Err(ProofError::Length);
    }
    let mut hash = *leaf;
    for (level, sibling) in proof.iter().enumerate() {
        let sibling_is_left = level >= inner || (index >> level) & 1 == 1;
        hash = if sibling_is_left { Hash::of_node(sibling, &hash) } else { Hash::of_node(&hash, sibling) };
    }
    if hash == *root { Ok(()) } else { Err(ProofError::Root) }
}

/// Checks that the tree `(new, new_root)` extends the tree `(old, old_root)`.
pub fn verify_consistency(
    (old, old_root): (u64, &Hash),
    (new, new_root): (u64, &Hash),
    proof: &[Hash],
) -> Result<(), ProofError> {
    if old > new {
        return Err(ProofError::OutOfRange);
    }
    if old == new || old == 0 {
        let same = if old == 0 { *old_root == Hash::empty_tree() } else { old_root == new_root };
        return match (proof.is_empty(), same) {
            (false, _) => Err(ProofError::Length),
            (true, false) => Err(ProofError::Root),
            (true, true) => Ok(()),
        };
    }
    // The proof starts at the last complete subtree of the old tree; if that is the old tree, its root is left out.
    let start = old.trailing_zeros();
    let (mut of_old, mut of_new, proof) = match proof.split_first() {
        _ if old.is_power_of_two() => (*old_root, *old_root, proof),
        Some((first, rest)) => (*first, *first, rest),
        None => return Err(ProofError::Length),
    };
    let index = (old - 1) >> start;
    let last = (new - 1) >> start;
    let inner = (u64::BITS - (index ^ last).leading_zeros()) as usize;
    let border = index.checked_shr(inner as u32).unwrap_or(0).count_ones() as usize;
    if proof.len() != inner + border {
        return Err(ProofError::Length);
    }
    for (level, sibling) in proof.iter().enumerate() {
        if level >= inner || (index >> level) & 1 == 1 {
            of_old = Hash::of_node(sibling, &of_old);
            of_new = Hash::of_node(sibling, &of_new);
        } else {
            of_new = Hash::of_node(&of_new, sibling);
        }
    }
    if of_old == *old_root && of_new == *new_root { Ok(()) } else { Err(ProofError::Root) }
}

/// The hash over the leaves `[low, high)`, where `low` is a multiple of a power of two that is not below the width.
fn range_root<N: Nodes + ?Sized>(nodes: &mut N, low: u64, high: u64) -> Result<Hash, N::Error> {
    let peaks = subtrees(low, high).map(|(level, index)| nodes.node(level, index)).collect::<Result<Vec<_>, _>>()?;
    Ok(fold(&peaks))
}

/// The complete subtrees that make up `[low, high)`, left to right, as level and index.
fn subtrees(low: u64, high: u64) -> impl Iterator<Item = (u8, u64)> {
    let mut at = low;
    std::iter::from_fn(move || {
        let level = (high - at).checked_ilog2()? as u8;
        let index = at >> level;
        at += 1 << level;
        Some((level, index))
    })
}

/// The largest power of two below `width`, which is at least 2.
fn split(width: u64) -> u64 {
    1 << (width - 1).ilog2()
}

/// The hash over a tile's hashes.
pub(crate) fn top(hashes: &[Hash]) -> Hash {
    let mut frontier = Frontier::default();
    for hash in hashes {
        frontier.push(*hash);
    }
    frontier.root()
}
