//! Pipeline files: read with the place of everything, checked as a whole, turned into a [`Plan`].
//!
//! Invariant: `raw` (what serde parses) becomes `plan` (what the program uses) only without a mistake; all mistakes
//! are told at once, each at its line and column; nothing here touches the network.

mod check;
mod de;
mod describe;
pub mod diagnostic;
pub mod document;
mod fileset;
mod format;
mod paths;
mod plan;
pub mod raw;
mod recover;
pub mod reference;
mod rules;
mod secret;
pub mod tree;

use std::path::Path;
use std::sync::LazyLock;

pub use de::{Refused, deserialize};
pub use diagnostic::{Diagnostic, Position, Severity};
pub use document::{check_document, load_document, schema_of};
pub use fileset::FileSet;
pub use paths::{DEFAULT_FOLDER, validate_paths};
pub use plan::{
    Budgets, CatchUp, CompanySite, Crm, DEFAULT_RATE, DateOrder, Decimal, Delimiter, DeveloperProfile, Encoding,
    Encryption, Extract, Legal, Level, Network, Offering, Output, Overlap, Page, Persona, Plan, Rate, Schedule,
    SocialProfile, Sources, Tiers,
};
pub use tree::Tree;

/// Reads a pipeline file for a run: its inputs (CRM and policy files) must be there.
///
/// # Errors
/// Every mistake, sorted by place; missing inputs are errors.
pub fn load(path: &Path) -> Result<Plan, Vec<Diagnostic>> {
    let (plan, tree) = load_tree(path)?;
    let missing = paths::missing_inputs(&plan, &tree, &path.display().to_string(), Severity::Error);
    if missing.is_empty() { Ok(plan) } else { Err(missing) }
}

/// The same, where no file of notes may be there: whether there were any in earlier nights is known to the home alone. What is
/// wrong then is told beside the plan.
///
/// # Errors
/// As [`load`], but for notes.
pub fn load_without_notes(path: &Path) -> Result<(Plan, Option<Diagnostic>), Vec<Diagnostic>> {
    let (plan, tree) = load_tree(path)?;
    let missing = paths::missing_inputs(&plan, &tree, &path.display().to_string(), Severity::Error);
    let at = tree.get(&["crm", "files", "notes", "path"]).map(|node| node.at);
    let has_none = plan.crm().notes.as_ref().is_some_and(|set| set.files().is_ok_and(|files| files.is_empty()));
    let is_of_notes = |mistake: &Diagnostic| has_none && Some(mistake.position()) == at;
    if missing.iter().all(is_of_notes) { Ok((plan, missing.into_iter().next())) } else { Err(missing) }
}

/// Reads a pipeline file for commands that work on the home only: inputs may be absent.
///
/// # Errors
/// Every mistake, sorted by place.
pub fn load_settings(path: &Path) -> Result<Plan, Vec<Diagnostic>> {
    load_tree(path).map(|(plan, _)| plan)
}

/// Every mistake in the source of a pipeline file, sorted by place. Never the network, never a file.
pub fn validate(source: &str, name: &str) -> Vec<Diagnostic> {
    build(source, Path::new(name), name).err().unwrap_or_default()
}

/// The JSON Schema (2020-12) of pipeline files, with descriptions, for editors.
pub fn json_schema() -> serde_json::Value {
    SCHEMA.clone()
}

static SCHEMA: LazyLock<serde_json::Value> = LazyLock::new(schema_of::<raw::Pipeline>);

/// Reads a file and builds its plan.
fn load_tree(path: &Path) -> Result<(Plan, Tree), Vec<Diagnostic>> {
    let name = path.display().to_string();
    let source = paths::read(path, &name).map_err(|d| vec![d])?;
    build(&source, path, &name)
}

/// Checks a source and builds its plan.
fn build(source: &str, path: &Path, name: &str) -> Result<(Plan, Tree), Vec<Diagnostic>> {
    let (tree, mut diagnostics) = check_document(source, name, &SCHEMA);
    diagnostics.extend(rules::check(&tree, name, &diagnostics));
    diagnostic::sort(&mut diagnostics);
    if diagnostics.iter().any(Diagnostic::is_error) {
        return Err(diagnostics);
    }
    let raw = document::build::<raw::Pipeline>(&tree, name).map_err(|d| vec![d])?;
    let refused = |key: Vec<&'static str>| {
        let at = tree.span(&key).unwrap_or(Position::START);
        vec![Diagnostic::error(name, at, format!("the value of {} cannot be used", key.join(".")))]
    };
    Plan::build(path, raw).map_err(refused).map(|plan| (plan, tree))
}

#[cfg(test)]
mod tests;
