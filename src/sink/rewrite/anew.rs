//! Writing the staged personas anew, row by row, just before publishing.
//!
//! Invariant: a row stays where it is, and stays the same person's; one batch is held at a time.

use std::path::Path;

use super::copy::writer;
use crate::persona::rows::{AccountRow, Persona};
use crate::sink::read::Batches;
use crate::sink::step::Step;
use crate::sink::{Select, SinkError, Snapshot, SnapshotWriter, Table, decode, encode, home};

impl SnapshotWriter {
    /// Closes every table but `runs`, to be read as nobody else sees them; call it after the last row of the others.
    pub(crate) fn close_all(&mut self) -> Result<Snapshot, SinkError> {
        for table in Table::ALL.into_iter().filter(|t| *t != Table::Runs) {
            self.close(table)?;
        }
        Ok(self.staged())
    }

    /// Replaces each persona by what `change` makes of it and of its company's row. Closes every table but `runs`.
    ///
    /// # Errors
    /// The disk says no; the writer is then of no use any more.
    pub(crate) fn personas_anew(
        &mut self,
        change: impl FnMut(Persona, Option<&AccountRow>) -> Persona,
    ) -> Result<(), SinkError> {
        let staged = self.close_all()?;
        let beside = staged.folder().join(".rewrite");
        home::remove_dir(&beside)?;
        home::create_dir(&beside)?;
        let to = Snapshot::at(beside.clone(), staged.run_id()).with_keys(staged.keys().cloned());
        copy(&staged, &to, change)?;
        let file = |folder: &Path| folder.join(Table::Personas.as_str()).join("part-0.parquet");
        home::rename(&file(&beside), &file(staged.folder()))?;
        home::remove_dir(&beside)
    }
}

fn copy(
    from: &Snapshot,
    to: &Snapshot,
    mut change: impl FnMut(Persona, Option<&AccountRow>) -> Persona,
) -> Result<(), SinkError> {
    let mut writer = writer(from, to, Table::Personas)?;
    let mut companies = Step::open(from)?;
    let corrupt = |e: decode::Misfit| SinkError::Corrupt { path: from.path(Table::Personas), column: e.0 };
    for batch in Batches::open(from, Table::Personas, &Select::All, None)? {
        let anew = |row: Persona| {
            let company = companies.to(row.account_id.as_ref())?;
            Ok::<_, SinkError>(change(row, company))
        };
        let rows = decode::personas(&batch?).map_err(corrupt)?.into_iter().map(anew).collect::<Result<Vec<_>, _>>()?;
        let batch = encode::personas(writer.schema(), &rows)?;
        writer.write(batch)?;
    }
    writer.finish()
}
