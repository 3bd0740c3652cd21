//! What the rows of the exports are tonight: for this night, if it is one of changes, and for the next.
//!
//! Invariant: what is put by lies below `.work` until the snapshot is published that it belongs to; a run that ends otherwise
//! leaves nothing of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Carry;
use crate::consent::suppression::Identifiers;
use crate::crm::{Concerned, CsvSource, FileFacts, KnownBefore, TonightsRows};
use crate::keys::Vault;
use crate::run::engine::RunError;
use crate::run::enter::Desk;
use crate::run::found::Evening;
use crate::sink::{WORK_CRM, Worked};

/// The vault's name of the key of rows.
const ROWS_KEY: &str = "rows";

/// What the next night needs to know of tonight's rows.
#[derive(Debug, Default)]
pub(in crate::run) struct KeptRows {
    /// The file, in a folder of its own.
    pub path: PathBuf,
    /// Of the file, lower-case hex.
    pub sha256: String,
    /// The exports that were read for it.
    pub files: Vec<FileFacts>,
}

impl Drop for KeptRows {
    fn drop(&mut self) {
        // Best effort: the next run clears what cannot be removed now.
        let _ = self.path.parent().map(fs::remove_dir_all);
    }
}

impl Desk<'_> {
    /// Puts by what the next night must know of tonight's rows; tells who is concerned, where rows can be carried over.
    pub(in crate::run) fn look_at_rows(
        &mut self,
        source: &CsvSource,
        identifiers: &Identifiers,
        carry: Option<&mut Carry>,
    ) -> Result<Option<Arc<Concerned>>, RunError> {
        if self.rows.is_none() {
            return Ok(None);
        }
        let anew = carry.as_ref().map(|carry| carry.anew((self.vault, self.ledger), self.now)).transpose()?;
        let place = (&*self.vault, self.path);
        let (rows, kept) = read(source, &self.evening(identifiers), place, &anew.unwrap_or_default())?;
        self.rows = Some(kept);
        carry.map(|carry| carry.find(rows)).transpose()
    }
}

/// Reads all rows. `anew`: who must be worked on whatever the rows say.
fn read(
    source: &CsvSource,
    evening: &Evening<'_>,
    (vault, home): (&Vault, &Path),
    anew: &Worked,
) -> Result<(TonightsRows, KeptRows), RunError> {
    let Evening { crm, ids, identifiers, view, .. } = *evening;
    let key = vault.named(ROWS_KEY)?;
    let is_in =
        |all: &std::collections::HashSet<String>, id: &dyn Fn() -> String| !all.is_empty() && all.contains(&id());
    let known = KnownBefore {
        key: &key,
        company: &|record| is_in(&anew.accounts, &|| ids.account(crm, record).as_str().to_owned()),
        contact: &|record| is_in(&anew.subjects, &|| ids.subject(crm, record).as_str().to_owned()),
        without_erased: &|pull| evening.without_erased(pull),
        is_erased: &|record| {
            view.n_suppressed() > 0 && view.is_suppressed(&Identifiers::record(identifiers, crm, record))
        },
        subject: &|record| ids.subject_bytes(crm, record),
        row: &|digest| ["row", "withheld"].map(|label| ids.commitment_bytes(label, digest)),
    };
    let folder = home.join(".work").join(format!("{WORK_CRM}{}-rows", std::process::id()));
    let span = tracing::info_span!("rows");
    let read = span.in_scope(|| TonightsRows::read(source, Path::new(""), &known, &folder));
    let mut rows = read.inspect_err(|_| {
        // Best effort: the next run, and an erasure, clear what cannot be removed now.
        let _ = std::fs::remove_dir_all(&folder);
    })?;
    let files = std::mem::take(&mut rows.files);
    let kept = KeptRows { path: rows.path.clone(), sha256: rows.sha256.clone(), files };
    Ok((rows, kept))
}
