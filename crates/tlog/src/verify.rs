//! Verifying a log, or an auditor's copy of one, against keys and an older checkpoint.
//!
//! Invariant: needs read access only, and goes on after each finding to make the list complete.

use std::cmp::Ordering;
use std::path::{Path, PathBuf};

use crate::checkpoint::{Checkpoint, SignatureError};
use crate::error::Error;
use crate::keys::Vkey;
use crate::log::{CHECKPOINT, PENDING, read_checkpoint};
use crate::report::{Cosigned, Finding, FindingKind, Report};
use crate::scan::{Scan, scan};
use crate::segment::{self, Tail};

/// Checks everything about the log in `dir`.
///
/// - the checkpoint's signature by `log`, and those of `witnesses` that are on it or on `since`
/// - every entry against its leaf hash, every tile at every level, all of it against the signed root
/// - that the log extends `since`, a checkpoint kept elsewhere
/// - the batches in the write-ahead segment, in the same way
///
/// A witness that has not cosigned is no finding: see [`Report::cosigned`]. Time: that of hashing the leaves.
/// Memory: one bundle, and 1/256 of the leaf hashes.
pub fn verify(dir: impl AsRef<Path>, log: &Vkey, since: Option<&Checkpoint>, witnesses: &[Vkey]) -> Report {
    let dir = dir.as_ref();
    let mut report = Report::default();
    // The segment first: a checkpoint that is published meanwhile then covers it, and not the other way round.
    let segment = std::fs::read(dir.join(PENDING));
    let checkpoint = match read_checkpoint(dir) {
        Ok(Some(checkpoint)) => checkpoint,
        Ok(None) => {
            find(&mut report, FindingKind::CheckpointDamaged, CHECKPOINT, 0..0, "it is missing");
            return report;
        }
        Err(error) => {
            let kind = match error {
                Error::Damaged { .. } => FindingKind::CheckpointDamaged,
                _ => FindingKind::Unreadable,
            };
            find(&mut report, kind, CHECKPOINT, 0..0, error.to_string());
            return report;
        }
    };
    check_signatures(&mut report, &checkpoint, CHECKPOINT, log, witnesses);
    if let Some(since) = since {
        check_signatures(&mut report, since, SINCE, log, witnesses);
    }
    let mut scan = scan(dir, checkpoint.size(), since.map_or(u64::MAX, Checkpoint::size));
    scan.judge(checkpoint.root(), Path::new(CHECKPOINT));
    report.leaves = checkpoint.size();
    match segment {
        Ok(bytes) => check_segment(&mut report, &mut scan, &bytes, &checkpoint, log),
        Err(error) if crate::tile::missing(&error) => {}
        Err(error) => find(&mut report, FindingKind::Unreadable, PENDING, 0..0, error.to_string()),
    }
    if let Some(since) = since {
        check_since(&mut report, &scan, since, &checkpoint);
    }
    report.findings.append(&mut scan.findings);
    report.findings.sort_by_key(|finding| (finding.kind, finding.leaves.start));
    report.checkpoint = Some(checkpoint);
    report
}

/// The name of the older checkpoint in findings.
const SINCE: &str = "since";

fn find(report: &mut Report, kind: FindingKind, file: &str, leaves: std::ops::Range<u64>, detail: impl Into<String>) {
    report.findings.push(Finding { kind, file: PathBuf::from(file), leaves, detail: detail.into() });
}

fn check_signatures(report: &mut Report, checkpoint: &Checkpoint, file: &str, log: &Vkey, witnesses: &[Vkey]) {
    let leaves = 0..checkpoint.size();
    if let Err(error) = checkpoint.signed_by(log) {
        let kind = match error {
            SignatureError::UnknownKey => FindingKind::UnknownKey,
            SignatureError::Invalid => FindingKind::SignatureInvalid,
        };
        find(report, kind, file, leaves.clone(), format!("{error}: {log}"));
    }
    for witness in witnesses {
        match checkpoint.cosigned_by(witness) {
            Ok(time) => {
                let witness = witness.name().to_owned();
                report.cosigned.push(Cosigned { witness, size: checkpoint.size(), time });
            }
            Err(SignatureError::UnknownKey) => {}
            Err(error @ SignatureError::Invalid) => {
                let detail = format!("{error}: {witness}");
                find(report, FindingKind::CosignatureInvalid, file, leaves.clone(), detail);
            }
        }
    }
}

/// Goes on from the scanned tree with the batches beyond the checkpoint.
fn check_segment(report: &mut Report, scan: &mut Scan<'_>, bytes: &[u8], checkpoint: &Checkpoint, log: &Vkey) {
    let size = checkpoint.size();
    let damaged = |report: &mut Report, from, detail: &str| {
        find(report, FindingKind::SegmentDamaged, PENDING, from..from, detail);
    };
    if bytes.is_empty() {
        return;
    }
    let Some((base, header)) = segment::parse_header(bytes) else {
        return damaged(report, size, "its header is not readable");
    };
    if base.origin() != checkpoint.origin() || base.signed_by(log).is_err() || base.size() > size {
        return damaged(report, size, "it starts from a checkpoint that is not this log's last");
    }
    let found = segment::parse_records(&bytes[header..], header as u64, base.size());
    report.torn = found.tail == Tail::Torn;
    if let Tail::Damaged(at) = found.tail {
        let from = found.records.last().map_or(base.size(), |record| record.after.size());
        damaged(report, from, &format!("the batch at byte {at} was changed"));
    }
    for record in found.records.into_iter().filter(|record| record.first() >= size) {
        let (first, end) = (record.first(), record.after.size());
        for hash in &record.hashes {
            scan.push(*hash);
        }
        let leads = scan.frontier.as_ref().is_none_or(|frontier| frontier.root() == *record.after.root());
        if record.after.signed_by(log).is_err() || record.after.origin() != checkpoint.origin() || !leads {
            find(
                report,
                FindingKind::SegmentDamaged,
                PENDING,
                first..end,
                "the batch does not lead to its signed root",
            );
        }
        report.pending = end - size;
    }
}

fn check_since(report: &mut Report, scan: &Scan<'_>, since: &Checkpoint, checkpoint: &Checkpoint) {
    let covered = checkpoint.size() + report.pending;
    if since.origin() != checkpoint.origin() {
        let detail = format!("it is of another log, {}", since.origin());
        return find(report, FindingKind::SplitView, SINCE, 0..since.size(), detail);
    }
    if since.size() > covered {
        let detail = format!("{} leaves were there, now there are {covered}", since.size());
        report.extends = Some(false);
        return find(report, FindingKind::RolledBack, CHECKPOINT, covered..since.size(), detail);
    }
    let segment_damaged = || report.findings.iter().any(|finding| finding.kind == FindingKind::SegmentDamaged);
    report.extends = match since.size().cmp(&checkpoint.size()) {
        Ordering::Equal => Some(since.root() == checkpoint.root()),
        Ordering::Greater if segment_damaged() => None,
        _ => scan.had_root(since.root()),
    };
    if report.extends == Some(false) {
        let detail = format!("the first {} leaves had the root {}", since.size(), since.root());
        find(report, FindingKind::SplitView, CHECKPOINT, 0..since.size(), detail);
    }
}
