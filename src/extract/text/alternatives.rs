//! Patterns in which an alternative may have several words: `(late|behind schedule) again`, `fed up with|tired of`.
//!
//! Invariant: a pattern says what all its parts say together; each of them is one that [`super::pattern`] reads.

use super::glossary::{Glossary, Row};
use super::pattern::once;

/// Adds the patterns that a written one stands for. A hyphen parts words, as it does in texts.
pub(super) fn expanded(pattern: &str, glossary: &mut Glossary, all: &mut Vec<Row>) {
    if has(pattern, b"-") {
        expand(pattern.replace("-*", "").replace('-', " ").trim_ascii(), glossary, all);
    } else {
        expand(pattern.trim_ascii(), glossary, all);
    }
}

/// Adds the patterns that one stands for which has no hyphens.
fn expand(pattern: &str, glossary: &mut Glossary, all: &mut Vec<Row>) {
    let Some(words) = words(pattern) else {
        let (words, rest): (Vec<&str>, Vec<&str>) = parted(pattern).into_iter().partition(|part| !has(part, b" ()"));
        let words = once(words).join("|");
        all.extend((!words.is_empty()).then(|| vec![glossary.number(&words)]));
        for part in rest {
            expand(part, glossary, all);
        }
        return;
    };
    let options: Vec<Options> = words.into_iter().map(|word| options(word, glossary)).collect();
    // Which option is next of each word; the last word's turns first.
    let mut turns = vec![0; options.len()];
    loop {
        let mut row = Row::with_capacity(options.len() + 2);
        for (options, at) in options.iter().zip(&turns) {
            match options {
                Options::One(word) => row.push(*word),
                Options::Some(rows) => row.extend_from_slice(&rows[*at]),
            }
        }
        if let [only] = &mut row[..]
            && let Some(bare) = alone(glossary.word(*only)).map(str::to_owned)
        {
            // Alternatives alone need no parentheses.
            *only = glossary.number(&bare);
        }
        all.push(row);
        let Some(turn) = (0..turns.len()).rev().find(|at| turns[*at] + 1 < options[*at].count()) else { return };
        turns[turn] += 1;
        turns[turn + 1..].fill(0);
    }
}

/// Whether any of some signs stands in a text.
fn has(text: &str, signs: &[u8]) -> bool {
    signs.iter().any(|sign| text.as_bytes().contains(sign))
}

fn alone(pattern: &str) -> Option<&str> {
    let inner = pattern.strip_prefix('(')?.strip_suffix(')')?;
    (!has(inner, b"() ")).then_some(inner)
}

/// What may stand where a word of a pattern stands.
enum Options {
    /// Nothing but one word, as for most.
    One(u32),
    Some(Vec<Row>),
}

impl Options {
    const fn count(&self) -> usize {
        match self {
            Self::One(_) => 1,
            Self::Some(rows) => rows.len(),
        }
    }

    fn into_rows(self) -> Vec<Row> {
        match self {
            Self::One(word) => vec![vec![word]],
            Self::Some(rows) => rows,
        }
    }
}

/// What a word of a pattern may be: those of its alternatives that are words are one, each of several words is one. With
/// `?` behind it, it may be missing.
fn options(word: &str, glossary: &mut Glossary) -> Options {
    if let Some(word) = word.strip_suffix('?') {
        let mut all = options(word, glossary).into_rows();
        all.push(Row::new());
        return Options::Some(all);
    }
    let Some(inner) = word.strip_prefix('(').and_then(|w| w.strip_suffix(')')) else {
        return Options::One(glossary.number(word));
    };
    let mut words = parted(inner);
    words.retain(|part| !part.is_empty());
    let mut words = once(words);
    let rest: Vec<&str> = words.extract_if(.., |part| has(part, b" ")).collect();
    let one = match words[..] {
        [] => None,
        [only] => Some(glossary.number(only)),
        // As it is written, unless anything was left out.
        _ if words.iter().map(|word| word.len() + 1).sum::<usize>() == inner.len() + 1 => Some(glossary.number(word)),
        _ => Some(glossary.number(&format!("({})", words.join("|")))),
    };
    match one {
        Some(one) if rest.is_empty() => Options::One(one),
        one => {
            let mut all: Vec<Row> = one.into_iter().map(|word| vec![word]).collect();
            for part in rest {
                expand(part, glossary, &mut all);
            }
            Options::Some(all)
        }
    }
}

/// A pattern cut at the bars outside parentheses.
fn parted(pattern: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0_i32, 0);
    for (at, byte) in pattern.bytes().enumerate() {
        depth += depth_of(byte);
        if byte == b'|' && depth == 0 {
            parts.push(pattern[start..at].trim_ascii());
            start = at + 1;
        }
    }
    parts.push(pattern[start..].trim_ascii());
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
    use super::{Glossary, expanded};

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
            let (mut glossary, mut rows) = (Glossary::default(), Vec::new());
            expanded(pattern, &mut glossary, &mut rows);
            assert_eq!(rows.iter().map(|row| glossary.text(row)).collect::<Vec<_>>(), all, "{pattern}");
        }
    }
}
