//! Patterns in which an alternative may have several words: `(late|behind schedule) again`, `fed up with|tired of`.
//!
//! Invariant: a pattern says what all its parts say together; each of them is one that [`super::pattern`] reads.

/// The patterns that a written one stands for. A hyphen parts words, as it does in texts.
pub(super) fn expanded(pattern: &str) -> Vec<String> {
    let pattern = &pattern.replace("-*", "").replace('-', " ");
    let alternatives = parted(pattern.trim());
    if alternatives.len() > 1 {
        let (words, rest): (Vec<&str>, Vec<&str>) =
            alternatives.into_iter().partition(|part| !part.contains([' ', '(', ')']));
        let words = once(words).join("|");
        let words = (!words.is_empty()).then_some(words);
        return words.into_iter().chain(rest.into_iter().flat_map(expanded)).collect();
    }
    let mut all = vec![String::new()];
    for word in words(pattern.trim()) {
        let options = options(word);
        all = all.iter().flat_map(|head| options.iter().map(move |option| joined(head, option))).collect();
    }
    // Alternatives alone need no parentheses.
    all.into_iter().map(|whole| alone(&whole).map(str::to_owned).unwrap_or(whole)).collect()
}

fn joined(head: &str, tail: &str) -> String {
    if head.is_empty() || tail.is_empty() { format!("{head}{tail}") } else { format!("{head} {tail}") }
}

fn alone(pattern: &str) -> Option<&str> {
    let inner = pattern.strip_prefix('(')?.strip_suffix(')')?;
    (!inner.contains(['(', ')', ' '])).then_some(inner)
}

/// What a word of a pattern may be: those of its alternatives that are words are one, each of several words is one. With
/// `?` behind it, it may be missing.
fn options(word: &str) -> Vec<String> {
    if let Some(word) = word.strip_suffix('?') {
        let mut all = options(word);
        all.push(String::new());
        return all;
    }
    let Some(inner) = word.strip_prefix('(').and_then(|w| w.strip_suffix(')')) else { return vec![word.to_owned()] };
    let alternatives = parted(inner).into_iter().filter(|part| !part.is_empty()).collect();
    let (words, rest): (Vec<&str>, Vec<&str>) = once(alternatives).into_iter().partition(|part| !part.contains(' '));
    let words = match words[..] {
        [] => None,
        [only] => Some(only.to_owned()),
        _ => Some(format!("({})", words.join("|"))),
    };
    words.into_iter().chain(rest.into_iter().flat_map(expanded)).collect()
}

/// Each of them once, in order.
fn once(parts: Vec<&str>) -> Vec<&str> {
    let mut seen = std::collections::HashSet::new();
    parts.into_iter().filter(|part| seen.insert(*part)).collect()
}

/// A pattern cut at the bars outside parentheses.
fn parted(pattern: &str) -> Vec<&str> {
    let mut depth = 0_i32;
    let cuts = |c: char| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        c == '|' && depth == 0
    };
    pattern.split(cuts).map(str::trim).collect()
}

/// The words of a pattern; what stands in parentheses is one.
fn words(pattern: &str) -> Vec<&str> {
    let mut depth = 0_i32;
    let cuts = |c: char| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        c.is_whitespace() && depth == 0
    };
    pattern.split(cuts).filter(|word| !word.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::expanded;

    #[test]
    fn alternatives_of_several_words_become_patterns_of_their_own() {
        for (pattern, all) in [
            ("late .. again", vec!["late .. again"]),
            ("late|delayed", vec!["late|delayed"]),
            ("(late|delayed|late)", vec!["late|delayed"]),
            ("fed up with|tired|weary", vec!["tired|weary", "fed up with"]),
            (
                "(late|behind schedule) (again|once more)",
                vec!["late again", "late once more", "behind schedule again", "behind schedule once more"],
            ),
            ("(sign-off|approval) .. wait*", vec!["approval .. wait*", "sign off .. wait*"]),
            ("(a|b (c|d)) e", vec!["a e", "b (c|d) e"]),
            ("a (b|c)? d", vec!["a (b|c) d", "a d"]),
            ("(a|b|c d) .. e|f g", vec!["(a|b) .. e", "c d .. e", "f g"]),
        ] {
            assert_eq!(expanded(pattern), all, "{pattern}");
        }
    }
}
