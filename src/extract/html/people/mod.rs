//! stub
pub(super) mod names;
use super::reading::PersonMention;
use super::schema_org::Found;
pub(super) fn from_mf2(_m: &super::Mf2, _f: &mut Found) {}
pub(super) fn from_html(_p: &super::dom::Page, _f: &mut Found) {}
pub(super) fn merge(p: Vec<PersonMention>) -> Vec<PersonMention> { p }
