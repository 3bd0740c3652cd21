//! Patterns that are refused.

use super::*;

#[test]
fn a_stray_space_in_a_list_is_refused() {
    for wrong in ["a|b c|d", "(a|b c|d)", "(a|b) c|d", "a (b", "(a)", "((a|b)) c", "a b|c"] {
        assert!(matches!(pattern_words(wrong), Err(PatternError::Grouping(_))), "{wrong}");
    }
    assert!(matches!(pattern_words("(a|b|a) c"), Err(PatternError::Twice(_))));
    assert_eq!(pattern_words("a|b*"), Ok(vec!["a|b*"]));
    assert_eq!(pattern_words("(a|b) .. <c> d"), Ok(vec!["a|b", "..", "<c>", "d"]));
}
