//! The words that patterns are written with: each is kept once, and a pattern is a row of their numbers.
//!
//! Invariant: a number stands for one word, and a word has one number; rows that are [`ordered`] compare as the patterns do
//! that they are, written with single spaces.

use rustc_hash::FxHashMap;

/// A pattern, by the numbers of its words.
pub(super) type Row = Vec<u32>;

/// Words by their numbers, and numbers by their words.
#[derive(Default)]
pub(super) struct Glossary {
    numbers: FxHashMap<Box<str>, u32>,
    words: Vec<Box<str>>,
}

impl Glossary {
    /// The number of a word.
    pub(super) fn number(&mut self, word: &str) -> u32 {
        if let Some(number) = self.numbers.get(word) {
            return *number;
        }
        let number = self.words.len() as u32;
        self.numbers.insert(word.into(), number);
        self.words.push(word.into());
        number
    }

    /// A pattern without alternatives of several words.
    pub(super) fn row(&mut self, pattern: &str) -> Row {
        pattern.split_ascii_whitespace().map(|word| self.number(word)).collect()
    }

    pub(super) fn word(&self, number: u32) -> &str {
        &self.words[number as usize]
    }

    /// How many words there are.
    pub(super) fn len(&self) -> usize {
        self.words.len()
    }

    /// A pattern as it is written.
    pub(super) fn text(&self, row: &[u32]) -> String {
        let words: Vec<&str> = row.iter().map(|number| self.word(*number)).collect();
        words.join(" ")
    }

    /// Numbers the words anew, in their order; tells the new number of each, by which rows are to be [`ordered`].
    pub(super) fn order(&mut self) -> Vec<u32> {
        let mut order: Vec<u32> = (0..self.words.len() as u32).collect();
        order.sort_unstable_by(|one, other| self.word(*one).cmp(self.word(*other)));
        let mut numbers = vec![0; order.len()];
        for (new, old) in order.iter().enumerate() {
            numbers[*old as usize] = new as u32;
        }
        self.words = order.into_iter().map(|old| std::mem::take(&mut self.words[old as usize])).collect();
        self.numbers.values_mut().for_each(|number| *number = numbers[*number as usize]);
        numbers
    }
}

/// The patterns of a list, each once, in the order of how they are written. Every sign of a word comes behind the space at
/// which another one ends, so that rows of numbers in the order of the words compare as their texts do.
pub(super) fn ordered(mut rows: Vec<Row>, numbers: &[u32]) -> Vec<Row> {
    for row in &mut rows {
        for number in row {
            *number = numbers[*number as usize];
        }
    }
    rows.sort_unstable();
    rows.dedup();
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stand_in_the_order_of_their_texts() {
        let mut texts = ["b a", "(a|b) c", "a b", "a", "über a", "a", "a* b", ".. b", "a b c", "@ a", "a $"];
        let mut glossary = Glossary::default();
        let rows: Vec<Row> = texts.iter().map(|text| glossary.row(text)).collect();
        let numbers = glossary.order();
        let rows = ordered(rows, &numbers);
        texts.sort_unstable();
        let once: Vec<&str> =
            texts.iter().enumerate().filter(|(i, t)| *i == 0 || texts[i - 1] != **t).map(|(_, t)| *t).collect();
        assert_eq!(rows.iter().map(|row| glossary.text(row)).collect::<Vec<_>>(), once);
        assert_eq!(glossary.number("über"), *glossary.row("über").first().expect("one word"));
    }
}
