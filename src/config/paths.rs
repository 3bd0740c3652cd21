//! Pipeline files on disk: finding, reading and validating them.
//!
//! Invariant: whatever is wrong with a path is a diagnostic too; the order of the answers does not depend on the order
//! of a directory.

use std::collections::BTreeSet;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::diagnostic::{Diagnostic, Position, Severity, sort};
use super::plan::Plan;
use super::tree::{MAX_BYTES, Tree};
use super::{FileSet, load_tree};

/// What is validated where no path is named.
pub const DEFAULT_FOLDER: &str = "pipelines";

/// Validates pipeline files, and folders with all `*.yaml` and `*.yml` below them (`*.test.yaml` and hidden ones
/// excepted); without paths the folder `pipelines`. Returns the files that were checked and every diagnostic, sorted by
/// file, line and column. A missing input file is a warning.
pub fn validate_paths(paths: &[PathBuf]) -> (Vec<PathBuf>, Vec<Diagnostic>) {
    let default = [PathBuf::from(DEFAULT_FOLDER)];
    let mut files = BTreeSet::new();
    let mut diagnostics = Vec::new();
    for path in if paths.is_empty() { &default } else { paths } {
        let found = if path.is_dir() { pipelines_under(path, &mut files) } else { Ok(()) };
        match found {
            Err(e) => diagnostics.push(unreadable(&path.display().to_string(), &e)),
            Ok(()) if path.is_dir() => {}
            Ok(()) => {
                files.insert(path.clone());
            }
        }
    }
    for file in &files {
        let name = file.display().to_string();
        match load_tree(file) {
            Ok((plan, tree)) => diagnostics.extend(missing_inputs(&plan, &tree, &name, Severity::Warning)),
            Err(mistakes) => diagnostics.extend(mistakes),
        }
    }
    sort(&mut diagnostics);
    (files.into_iter().collect(), diagnostics)
}

fn pipelines_under(folder: &Path, files: &mut BTreeSet<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') {
            continue;
        }
        // Links are not followed, so that a loop of them ends.
        if entry.file_type()?.is_dir() {
            pipelines_under(&path, files)?;
        } else if [".yaml", ".yml"].iter().any(|end| name.ends_with(end) && !name.ends_with(&format!(".test{end}"))) {
            files.insert(path);
        }
    }
    Ok(())
}

/// Reads a file as UTF-8, at most a little more than is allowed, so that the size is told and not read.
pub(super) fn read(path: &Path, name: &str) -> Result<String, Diagnostic> {
    let mut bytes = Vec::new();
    let open = std::fs::File::open(path).and_then(|f| f.take(MAX_BYTES as u64 + 4).read_to_end(&mut bytes));
    open.map_err(|e| unreadable(name, &e))?;
    if bytes.len() > MAX_BYTES {
        let message = format!("the file is larger than {MAX_BYTES} bytes, more are not read");
        return Err(Diagnostic::error(name, Position::START, message));
    }
    String::from_utf8(bytes).map_err(|e| {
        let valid = e.utf8_error().valid_up_to();
        let before = String::from_utf8_lossy(&e.as_bytes()[..valid]).into_owned();
        let at = Position::of_offset(&before, before.len());
        Diagnostic::error(name, at, "not UTF-8").with_help(Some("save the file as UTF-8"))
    })
}

fn unreadable(name: &str, error: &std::io::Error) -> Diagnostic {
    let reason = match error.kind() {
        std::io::ErrorKind::NotFound => "no such file".to_owned(),
        std::io::ErrorKind::IsADirectory => "this is a folder, expected a file".to_owned(),
        _ => error.to_string(),
    };
    Diagnostic::error(name, Position::START, format!("cannot be read: {reason}"))
}

/// The inputs that a plan names and that are not there.
pub(super) fn missing_inputs(plan: &Plan, tree: &Tree, name: &str, severity: Severity) -> Vec<Diagnostic> {
    let crm = plan.crm();
    let sets = [
        ("contacts", Some(&crm.contacts)),
        ("accounts", crm.accounts.as_ref()),
        ("consents", crm.consents.as_ref()),
        ("notes", crm.notes.as_ref()),
    ];
    let mut missing = Vec::new();
    let mut tell = |path: &[&str], message: String| {
        let at = tree.get(path).map_or(Position::START, |n| n.at);
        missing.push(Diagnostic { severity, ..Diagnostic::error(name, at, message) });
    };
    for (kind, set) in sets {
        let Some(set) = set else { continue };
        match set.files() {
            Ok(files) if !files.is_empty() => {}
            Ok(_) => tell(&["crm", "files", kind, "path"], nothing(set.pattern(), &shown(set))),
            Err(e) => tell(&["crm", "files", kind, "path"], format!("{} cannot be read: {e}", shown(set))),
        }
    }
    for (i, entry) in crm.legal.iter().enumerate() {
        let i = i.to_string();
        let shown = |path: &Path| format!("{:?}", path.display().to_string());
        let at = |key| ["crm", "files", "legal", i.as_str(), key];
        match entry.files() {
            Ok(files) if !files.is_empty() => {}
            Ok(_) => tell(&at("path"), nothing(entry.pattern(), &shown(entry.pattern()))),
            Err(e) => tell(&at("path"), format!("{} cannot be read: {e}", shown(entry.pattern()))),
        }
        if let Some(mapping) = entry.mapping.as_deref().filter(|path| !path.is_file()) {
            tell(&at("mapping"), format!("no file {} is there", shown(mapping)));
        }
    }
    if !plan.policy_file().is_file() {
        tell(&["policy", "file"], format!("no file {:?} is there", plan.policy_file().display().to_string()));
    }
    missing
}

fn shown(set: &FileSet) -> String {
    format!("{:?}", set.pattern().display().to_string())
}

/// What is wrong where no file is.
fn nothing(pattern: &Path, shown: &str) -> String {
    match crate::crm::no_file(pattern) {
        Some(what) if pattern.is_dir() => format!("{shown} {what}, and no file is in it"),
        Some(what) if pattern.is_symlink() || pattern.exists() => format!("{shown} {what}"),
        _ => format!("no file {shown} is there"),
    }
}
