//! stub
pub(super) fn read(
    _page: &super::dom::Page,
    _lines: &[String],
    _links: &[super::Link],
    _found: &mut super::schema_org::Found,
) {
}
