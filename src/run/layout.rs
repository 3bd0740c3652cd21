//! Which columns the CRM's files have, tonight and in the run before.
//!
//! Invariant: a column with which people say no does not vanish silently: without it a no would be missed, so the run
//! does not begin unless it is told that the column is gone for good.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::config::{self, Diagnostic, Plan};
use crate::crm::{self, CsvSource, FLAGS, FileFacts, NoteFiles};
use crate::run::engine::RunError;
use crate::run::home::Home;
use crate::run::legal::{self, Exports};
use crate::run::settings;
use crate::sink;

/// Fields that, beside the flags, tell a no from a yes, or by which records go.
const TELLING: [&str; 9] = [
    "email_allowed",
    "contact_allowed",
    "active",
    "merged_into",
    "merged_ids",
    "kind",
    "purposes",
    "source_classes",
    "valid_to",
];

/// Fields by table and file, as the manifest of a snapshot has them.
pub(super) fn of(files: &[FileFacts]) -> Value {
    let mut tables: BTreeMap<&str, Vec<&FileFacts>> = BTreeMap::new();
    for file in files {
        tables.entry(file.table).or_default().push(file);
    }
    let named = tables.into_iter().map(|(table, files)| {
        let names = names_among(files.iter().map(|file| &*file.path));
        let fields: BTreeMap<String, &[String]> =
            names.into_iter().zip(files.iter().map(|file| &*file.fields)).collect();
        (table, fields)
    });
    json!(named.collect::<BTreeMap<_, _>>())
}

/// The paths of a table's files below the folder that they have in common, so that no two are called alike.
fn names_among<'f>(paths: impl Iterator<Item = &'f Path> + Clone) -> Vec<String> {
    let common = folder_among(paths.clone());
    paths.map(|path| path.strip_prefix(common).unwrap_or(path).to_string_lossy().into_owned()).collect()
}

/// The folder that files have in common.
pub(super) fn folder_among<'f>(all: impl Iterator<Item = &'f Path>) -> &'f Path {
    let folders = all.map(|path: &'f Path| path.parent().unwrap_or(Path::new("")));
    let common = folders
        .reduce(|common, next| common.ancestors().find(|ancestor| next.starts_with(ancestor)).unwrap_or(Path::new("")));
    common.unwrap_or(Path::new(""))
}

/// In the place of a file's name: fields that no file of the table has any more, and nobody has accepted that.
pub(crate) const LOST: &str = "";

/// Fields that no file of a table has any more, by table.
pub(super) type Lost = BTreeMap<String, BTreeSet<String>>;

/// Compares tonight's columns with those of the pipeline's current snapshot; tells which are lost until somebody accepts it.
///
/// # Errors
/// A column with which people say no is missing, and `accepted` does not say that this is meant.
pub(super) fn compare(home: &Path, pipeline: &str, files: &[FileFacts], accepted: bool) -> Result<Lost, RunError> {
    // A snapshot that cannot be read is told where it is needed.
    let manifest = sink::current(home, pipeline).ok().flatten().and_then(|snapshot| snapshot.manifest().ok());
    let Some(before) = manifest.as_ref().map(|m| &m["columns"]) else { return Ok(Lost::new()) };
    let now = of(files);
    let (mut noes, mut lost) = (Vec::new(), Lost::new());
    for (table, field, places) in vanished(before, &now) {
        let file = if places.is_empty() { String::new() } else { format!(" of {}", places.join(", ")) };
        let what = format!("{table}: the column for {}{file} is not there any more", crm::pipeline_field(&field));
        let is_telling = FLAGS.contains(&field.as_str()) || TELLING.contains(&field.as_str());
        if is_telling && matches!(table.as_str(), "contacts" | "consents") {
            noes.push(what);
        } else {
            tracing::warn!("{what}; what it said is missing tonight");
            if places.is_empty() {
                lost.entry(table).or_default().insert(field);
            }
        }
    }
    if accepted {
        for what in noes {
            tracing::warn!("{what}; accepted");
        }
        return Ok(Lost::new());
    }
    if noes.is_empty() { Ok(lost) } else { Err(RunError::ColumnsVanished(noes)) }
}

/// Columns with those that are lost, so that the next night, and the report, know of them.
pub(super) fn with_lost(mut columns: Value, lost: Lost) -> Value {
    for (table, fields) in lost {
        columns[table][LOST] = json!(fields);
    }
    columns
}

/// The rows of all tables but notes, which are read later. Companies may come from the files of contacts.
pub(super) fn rows(files: &[FileFacts]) -> u64 {
    let tables: BTreeMap<&Path, u64> =
        files.iter().filter(|file| file.table != "notes").map(|file| (&*file.path, file.rows)).collect();
    tables.values().sum()
}

/// The rows of the tables of consents; `None` = there is no such table.
pub(super) fn consent_rows(files: &[FileFacts]) -> Option<u64> {
    files.iter().filter(|file| file.table == "consents").map(|file| file.rows).reduce(|sum, rows| sum + rows)
}

/// The CRM's files as they are tonight, `now`; and where no file of notes is there though earlier nights had some, the columns of those.
///
/// # Errors
/// Notes without a file: `no_notes` says what is wrong.
pub(super) fn source(
    (home, plan): (&Path, &Plan),
    no_notes: Option<Diagnostic>,
    (now, noes_alone): (Timestamp, bool),
) -> Result<(CsvSource, Option<Value>), RunError> {
    let mut source = settings::crm_source(plan);
    if noes_alone {
        // What notes say holds for as long as they stand, and is no event.
        source.notes = None;
        for set in std::iter::once(&mut source.contacts).chain(&mut source.accounts).chain(&mut source.consents) {
            set.noes_alone = true;
        }
    }
    source.contacts.as_written = Home::knows_ids_as_written(home);
    let others = [source.accounts.as_mut(), source.consents.as_mut(), source.notes.as_mut()];
    for set in std::iter::once(&mut source.contacts).chain(others.into_iter().flatten()) {
        set.now = Some(now);
    }
    let no_notes = no_notes.filter(|_| !noes_alone);
    let before = no_notes.map(|mistake| without_notes(&mut source, (home, plan), mistake)).transpose()?;
    let source = tracing::info_span!("crm").in_scope(|| crm::ready(&source, Path::new("")))?;
    Ok((source, before))
}

/// Columns with those that notes had, so that the next night knows of them.
pub(super) fn with_notes_of(mut columns: Value, before: Option<Value>) -> Value {
    if let Some(before) = before {
        columns["notes"] = before;
    }
    columns
}

/// Every file that was read, and its rows where they are counted by now: notes are read later.
pub(super) fn input_files(files: &[FileFacts], plan: &Plan) -> Vec<(PathBuf, Option<u64>)> {
    let rows = |file: &FileFacts| (file.table != "notes").then_some(file.rows);
    let counted = files.iter().map(|file| (file.path.clone(), rows(file)));
    counted.chain(plan.crm().legal.iter().flat_map(legal_files)).collect()
}

fn legal_files(exports: &config::Legal) -> Vec<(PathBuf, Option<u64>)> {
    exports.files().unwrap_or_default().into_iter().map(|path| (path, None)).collect()
}

/// The hash over all input files.
pub(super) fn inputs_hash(files: &[FileFacts], exports: &[Exports]) -> String {
    let mut hasher = Sha256::new();
    for file in files {
        hasher.update(file.sha256.as_bytes());
    }
    legal::hash(exports, &mut hasher);
    data_encoding::HEXLOWER.encode(&hasher.finalize())
}

/// The files of notes, and how many are passed over; tells which.
pub(super) fn notes(source: &CsvSource) -> Result<(NoteFiles, u64), RunError> {
    let notes = NoteFiles::open(source, Path::new(""))?;
    for file in &notes.passed {
        let file = file.display();
        tracing::warn!("{file} is empty, and passed over");
    }
    let passed = notes.passed.len() as u64;
    Ok((notes, passed))
}

/// Goes on without notes in a night that has none: the pipeline names a folder that is empty, or a pattern, or earlier nights had
/// files there. Gives the columns that they had, so that the next night knows of them.
///
/// # Errors
/// One file is asked for, or a folder that is not there and never was: `mistake`.
fn without_notes(source: &mut CsvSource, (home, plan): (&Path, &Plan), mistake: Diagnostic) -> Result<Value, RunError> {
    let manifest = sink::current(home, plan.name()).ok().flatten().and_then(|snapshot| snapshot.manifest().ok());
    let before = manifest.map_or(Value::Null, |manifest| manifest["columns"]["notes"].clone());
    let Some(set) = plan.crm().notes.as_ref() else { return Ok(before) };
    let name = set.pattern().file_name().unwrap_or_default().to_string_lossy();
    let is_one_file = before.as_object().is_none_or(|files| files.is_empty() || files.contains_key(&*name));
    if is_one_file && !set.is_of_any_number() {
        return Err(RunError::Config(vec![mistake]));
    }
    tracing::warn!("no file of notes is there tonight: {}", set.pattern().display());
    source.notes = None;
    Ok(before)
}

/// Table, field and files of every column that was there and is not; without files where the whole table lacks it.
///
/// Names of files may have a date in them: files that came must have what all files had that went.
fn vanished(before: &Value, now: &Value) -> BTreeSet<(String, String, Vec<String>)> {
    let mut gone: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    let mut found = BTreeSet::new();
    for (table, files) in before.as_object().into_iter().flatten() {
        // A table that the pipeline does not name any more was not lost.
        let Some(files_now) = now[table].as_object() else { continue };
        let all = fields_of(files_now.values());
        let files_before = || files.as_object().into_iter().flatten();
        let went = files_before().filter(|(name, _)| *name != LOST && !files_now.contains_key(*name));
        let had = went.map(|(_, fields)| fields_of([fields])).reduce(|a, b| &a & &b).unwrap_or_default();
        let came = files_now.iter().filter(|(name, _)| files.get(name.as_str()).is_none());
        for (name, fields) in came {
            let here = fields_of([fields]);
            for field in had.difference(&here).filter(|field| all.contains(*field)) {
                gone.entry((table.clone(), field.clone())).or_default().push(name.clone());
            }
        }
        for (name, fields) in files_before() {
            let here = files_now.get(name).map(|fields| fields_of([fields]));
            for field in fields_of([fields]) {
                if !all.contains(&field) {
                    found.insert((table.clone(), field, Vec::new()));
                } else if here.as_ref().is_some_and(|here| !here.contains(&field)) {
                    gone.entry((table.clone(), field)).or_default().push(name.clone());
                }
            }
        }
    }
    found.extend(gone.into_iter().map(|((table, field), files)| (table, field, files)));
    found
}

fn fields_of<'a>(lists: impl IntoIterator<Item = &'a Value>) -> BTreeSet<String> {
    lists
        .into_iter()
        .flat_map(|l| l.as_array().into_iter().flatten())
        .filter_map(|f| Some(f.as_str()?.to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_one_name_in_several_folders_have_columns_of_their_own() {
        let names = |paths: &[&str]| names_among(paths.iter().map(Path::new));
        assert_eq!(names(&["/d/c/a.csv"]), ["a.csv"]);
        assert_eq!(names(&["d/c/a.csv", "d/c/b.csv"]), ["a.csv", "b.csv"]);
        assert_eq!(names(&["d/c/1/a.csv", "d/c/2/a.csv", "d/c/0.csv"]), ["1/a.csv", "2/a.csv", "0.csv"]);
        assert_eq!(names(&["../a/x.csv", "../b/x.csv"]), ["a/x.csv", "b/x.csv"]);
    }

    #[test]
    fn columns_vanish_from_tables_and_from_files() {
        let before = json!({
            "contacts": { "a.csv": ["record_id", "do_not_process"], "b.csv": ["record_id", "country"] },
            "notes": { "n.csv": ["text", "language"] },
            "accounts": { "x.csv": ["record_id", "city"] },
        });
        let found = |now: Value| -> Vec<String> {
            vanished(&before, &now).into_iter().map(|(t, f, files)| format!("{t} {f} {}", files.join(","))).collect()
        };
        assert_eq!(found(before.clone()), [""; 0]);
        // The name of a file may have a date in it.
        let dated = json!({ "contacts": { "c.csv": ["record_id", "country", "do_not_process"] } });
        assert_eq!(found(dated), [""; 0]);
        let gone = json!({ "contacts": { "c.csv": ["record_id", "country"] }, "notes": { "n.csv": ["text"] } });
        assert_eq!(found(gone), ["contacts do_not_process ", "notes language "]);
        let of_a_file =
            json!({ "contacts": { "a.csv": ["record_id"], "b.csv": ["record_id", "country", "do_not_process"] } });
        assert_eq!(found(of_a_file), ["contacts do_not_process a.csv"]);
        // A new name for a file does not make it another one.
        let renamed =
            json!({ "contacts": { "a2.csv": ["record_id"], "b.csv": ["record_id", "country", "do_not_process"] } });
        assert_eq!(found(renamed), ["contacts do_not_process a2.csv"]);
        // What was lost before, and nobody has accepted, is told again until it is back.
        let lost = with_lost(
            json!({ "contacts": { "a.csv": ["record_id"] } }),
            [("contacts".into(), ["email".into()].into())].into(),
        );
        let told = |now: Value| vanished(&lost, &now).into_iter().map(|(_, field, _)| field).collect::<Vec<_>>();
        assert_eq!(told(json!({ "contacts": { "b.csv": ["record_id"] } })), ["email"]);
        assert_eq!(told(json!({ "contacts": { "a.csv": ["record_id", "email"] } })), [""; 0]);
        // Beside what was there, a new file has what it has.
        let more = json!({ "contacts": {
            "a.csv": ["record_id", "do_not_process"], "b.csv": ["record_id", "country"], "c.csv": ["record_id"]
        } });
        assert_eq!(found(more), [""; 0]);
    }
}
