//! stub
use super::dom::Page;
use super::reading::{Organization, PersonMention, Syntax};
use serde_json::Value;
#[derive(Default)]
pub(super) struct Found {
    pub people: Vec<PersonMention>,
    pub organization: Organization,
    pub authors: Vec<String>,
}
pub(super) fn from_json_ld(_b: &[Value], _p: &Page, _f: &mut Found) {}
pub(super) fn from_items(_b: &[Value], _s: Syntax, _p: &Page, _f: &mut Found) {}
