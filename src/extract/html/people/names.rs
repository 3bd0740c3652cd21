pub(in super::super) fn is_name(_t: &str) -> bool { false }
