pub(super) fn read(_p: &super::dom::Page) -> Vec<serde_json::Value> {
    Vec::new()
}
