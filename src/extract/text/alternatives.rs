//! Patterns in which an alternative may have several words: `(late|behind schedule) again`, `fed up with|tired of`.
//!
//! Invariant: a pattern says what all its parts say together; each of them is one that [`super::pattern`] reads.

use std::borrow::Cow;

use super::pattern::once;

/// The patterns that a written one stands for. A hyphen parts words, as it does in texts.
pub(super) fn expanded(pattern: &str) -> Vec<String> {
    let mut all = Vec::new();
    if pattern.contains('-') {
        expand(pattern.replace("-*", "").replace('-', " ").trim(), &mut all);
    } else {
        expand(pattern.trim(), &mut all);
    }
    all
}

/// Adds the patterns that one stands for which has no hyphens.
fn expand(pattern: &str, all: &mut Vec<String>) {
    let words = match words(pattern) {
        Some(words) => words,
        None => {
            let (words, rest): (Vec<&str>, Vec<&str>) = parted(pattern).into_iter().partition(|part| !has(part, b" ()"));
            let words = once(words).join("|");
            all.extend((!words.is_empty()).then_some(words));
            rest.into_iter().for_each(|part| expand(part, all));
            return;
        }
    };
    let options: Vec<Vec<Cow<'_, str>>> = words.into_iter().map(options).collect();
    // Which option is next of each word; the last word's turns first.
    let mut turns = vec![0; options.len()];
    loop {
        let chosen = || options.iter().zip(&turns).map(|(options, at)| &*options[*at]).filter(|option| !option.is_empty());
        let mut whole = String::with_capacity(chosen().map(|option| option.len() + 1).sum());
        for option in chosen() {
            if !whole.is_empty() {
                whole.push(' ');
            }
            whole.push_str(option);
        }
        // Alternatives alone need no parentheses.
        all.push(alone(&whole).map(str::to_owned).unwrap_or(whole));
        let Some(turn) = (0..turns.len()).rev().find(|at| turns[*at] + 1 < options[*at].len()) else { return };
        turns[turn] += 1;
        turns[turn + 1..].fill(0);
    }
}

/// Whether any of some signs stands in a text.
fn has(text: &str, signs: &[u8]) -> bool {
    text.bytes().any(|byte| signs.contains(&byte))
}

fn alone(pattern: &str) -> Option<&str> {
    let inner = pattern.strip_prefix('(')?.strip_suffix(')')?;
    (!has(inner, b"() ")).then_some(inner)
}

/// What a word of a pattern may be: those of its alternatives that are words are one, each of several words is one. With
/// `?` behind it, it may be missing.
fn options(word: &str) -> Vec<Cow<'_, str>> {
    if let Some(word) = word.strip_suffix('?') {
        let mut all = options(word);
        all.push(Cow::Borrowed(""));
        return all;
    }
    let Some(inner) = word.strip_prefix('(').and_then(|w| w.strip_suffix(')')) else { return vec![word.into()] };
    let alternatives = parted(inner).into_iter().filter(|part| !part.is_empty()).collect();
    let (words, rest): (Vec<&str>, Vec<&str>) = once(alternatives).into_iter().partition(|part| !has(part, b" "));
    let words: Option<Cow<'_, str>> = match words[..] {
        [] => None,
        [only] => Some(only.into()),
        // As it is written, unless anything was left out.
        _ if words.iter().map(|word| word.len() + 1).sum::<usize>() == inner.len() + 1 => Some(word.into()),
        _ => Some(format!("({})", words.join("|")).into()),
    };
    let mut of_several = Vec::new();
    rest.into_iter().for_each(|part| expand(part, &mut of_several));
    words.into_iter().chain(of_several.into_iter().map(Cow::Owned)).collect()
}

/// A pattern cut at the bars outside parentheses.
fn parted(pattern: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0_i32, 0);
    for (at, byte) in pattern.bytes().enumerate() {
        depth += depth_of(byte);
        if byte == b'|' && depth == 0 {
            parts.push(pattern[start..at].trim());
            start = at + 1;
        }
    }
    parts.push(pattern[start..].trim());
    parts
}

/// The words of a pattern, what stands in parentheses being one; `None` where a bar outside parentheses parts it.
fn words(pattern: &str) -> Option<Vec<&str>> {
    let (mut words, mut depth, mut start) = (Vec::new(), 0_i32, 0);
    for (at, byte) in pattern.bytes().enumerate() {
        depth += depth_of(byte);
        if depth == 0 && byte == b'|' {
            return None;
        } else if depth == 0 && byte.is_ascii_whitespace() {
            words.extend((start < at).then(|| &pattern[start..at]));
            start = at + 1;
        }
    }
    words.extend((start < pattern.len()).then(|| &pattern[start..]));
    Some(words)
}

/// How much deeper it is behind a sign.
fn depth_of(byte: u8) -> i32 {
    i32::from(byte == b'(') - i32::from(byte == b')')
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
