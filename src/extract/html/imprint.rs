//! stub
pub(super) fn read(_page: &super::dom::Page, _lines: &[String], _links: &[super::Link], _found: &mut super::schema_org::Found) {}
pub(super) fn legal_form(_n: &str) -> Option<String> { None }
pub(super) fn compact_vat(v: &str) -> String { v.to_owned() }
pub(super) fn country_code(_c: &str) -> Option<String> { None }
