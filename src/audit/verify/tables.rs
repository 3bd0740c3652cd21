//! Tables of snapshots against the hashes that the log announced.

use std::collections::BTreeMap;

use super::Checker;
use crate::audit::manifest;
use crate::ids::Ids;
use crate::sink;

impl Checker<'_, '_> {
    /// The snapshot that was announced last must be there, and be the one that readers see.
    fn newest_snapshots(&mut self) {
        let mut newest: BTreeMap<&String, (u64, &String)> = BTreeMap::new();
        for ((pipeline, run), number) in &self.published {
            let last = newest.entry(pipeline).or_insert((*number, run));
            *last = (*last).max((*number, run));
        }
        let gone: Vec<(u64, String)> = newest
            .into_iter()
            .filter(|(pipeline, (_, run))| {
                let current = sink::current(self.book.home, pipeline).ok().flatten();
                current.is_none_or(|s| s.run_id() != run.as_str())
            })
            .map(|(pipeline, (number, run))| (number, format!("{pipeline}/snapshot={run}")))
            .collect();
        for (number, name) in gone {
            self.done.find("table", Some(number), format!("{name}: it was published last and is not the current one"));
        }
    }

    /// Every snapshot must be the one whose tables were announced last.
    pub(super) fn tables(&mut self) {
        self.newest_snapshots();
        let ids: &Ids = self.book.ids;
        for pipeline in sink::pipelines(self.book.home) {
            if self.book.pipeline.is_some_and(|only| only != pipeline) {
                continue;
            }
            for snapshot in sink::snapshots(self.book.home, &pipeline).unwrap_or_default() {
                let name = format!("{pipeline}/snapshot={}", snapshot.run_id());
                let place = (pipeline.clone(), snapshot.run_id().to_owned());
                let Some(announced) = self.announced.get(&place).cloned() else {
                    self.done.find("table", None, format!("{name}: no entry of the log announced it"));
                    continue;
                };
                for what in strangers(&snapshot) {
                    self.done.find("table", None, format!("{name}/{what}: nothing of a snapshot is called that"));
                }
                let number = announced.number;
                let manifest = snapshot.manifest().map(|m| manifest::commitment(ids, &m)).ok();
                if announced.manifest.is_some() && announced.manifest != manifest {
                    let what = format!("{name}/manifest.json: it is not what the entry announced");
                    self.done.find("table", Some(number), what);
                }
                for (table, expected) in announced.tables {
                    let found = table.parse().ok().and_then(|t| sink::table_hash(&snapshot, t).ok());
                    self.done.tables += 1;
                    if found.map(|hash| ids.commitment("table", hash.as_bytes())) != Some(expected) {
                        let what = format!("{name}/{table}: it is not what the entry announced");
                        self.done.find("table", Some(number), what);
                    }
                }
            }
        }
    }
}

/// Files in a snapshot that no run writes: readers of `*.parquet` would take them for rows.
fn strangers(snapshot: &sink::Snapshot) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(snapshot.folder()).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name == "manifest.json" {
            continue;
        }
        if name.parse::<sink::Table>().is_err() {
            found.push(name);
            continue;
        }
        let files = std::fs::read_dir(entry.path()).into_iter().flatten().flatten();
        let others = files.map(|f| f.file_name().to_string_lossy().into_owned()).filter(|f| f != "part-0.parquet");
        found.extend(others.map(|f| format!("{name}/{f}")));
    }
    found
}
