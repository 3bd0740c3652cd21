//! The reference of the pipeline file in Markdown, made from its JSON Schema.
//!
//! Invariant: pure; the same types give the same text, which is committed as `docs/pipeline.md`.

/// The text of `docs/pipeline.md`.
pub fn markdown() -> String {
    String::new()
}
