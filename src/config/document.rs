//! Any YAML document that has a type: read, checked against the JSON Schema of the type, built.
//!
//! Invariant: every mistake is told at once, one diagnostic for each; a value is built only where there is none.

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use super::de::deserialize;
use super::diagnostic::{Diagnostic, Position, sort};
use super::tree::{Node, Tree, Value};
use super::{check, recover};

/// Reads a document and checks it against a JSON Schema (the subset that schemars makes). The tree is as much of the
/// document as could be read; without an error among the diagnostics it fits the schema.
pub fn check_document(source: &str, name: &str, schema: &serde_json::Value) -> (Tree, Vec<Diagnostic>) {
    let (tree, mut diagnostics) = recover::parse(source, name);
    let Some(tree) = tree else {
        return (Tree { root: Node { at: Position::START, value: Value::Told } }, diagnostics);
    };
    diagnostics.extend(check::check(&tree, name, schema));
    sort(&mut diagnostics);
    diagnostics.truncate(check::MOST);
    (tree, diagnostics)
}

/// Reads, checks and builds a document of a type; the tree tells where each value stands, for the cross-checks that
/// only the type's owner knows.
///
/// # Errors
/// Every mistake in the document, sorted by place.
pub fn load_document<T: DeserializeOwned + JsonSchema>(source: &str, name: &str) -> Result<(T, Tree), Vec<Diagnostic>> {
    let (tree, diagnostics) = check_document(source, name, &schema_of::<T>());
    if diagnostics.iter().any(Diagnostic::is_error) {
        return Err(diagnostics);
    }
    build(&tree, name).map(|value| (value, tree)).map_err(|d| vec![d])
}

/// Builds the type from a tree that fits its schema; what can still fail is a conversion of the type's own.
pub(crate) fn build<T: DeserializeOwned>(tree: &Tree, name: &str) -> Result<T, Diagnostic> {
    deserialize(tree).map_err(|e| Diagnostic::error(name, e.at.unwrap_or(Position::START), e.message))
}

/// The JSON Schema 2020-12 of a type, as [`check_document`] reads it.
pub fn schema_of<T: JsonSchema>() -> serde_json::Value {
    schemars::SchemaGenerator::default().into_root_schema_for::<T>().to_value()
}
