pub(super) fn read(_p: &super::dom::Page) -> super::Mf2 {
    super::Mf2::default()
}
