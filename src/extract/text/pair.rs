//! Two contacts who are the subject of a clause together: `Meyer und Beck entscheiden`, `darüber entscheiden Meyer und Beck`.
//!
//! Invariant: they are two different contacts, joined by nothing but `und` or a sign for it.

use std::ops::Range;

use super::people::{Mention, Who};
use super::stance::Here;

impl Here<'_> {
    /// `Meyer und Beck entscheiden ...`: two contacts who are the subject of a clause together.
    pub(super) fn pair(&self, of: &[&Mention]) -> Option<(usize, usize)> {
        let [first, second] = of else { return None };
        let (Who::Contact(one), Who::Contact(other)) = (first.who, second.who) else { return None };
        let cells = |at: usize| self.sentence.tokens[at].cells.clone();
        let (from, to) = (first.tokens.end, second.tokens.start);
        let joined = match to.checked_sub(from)? {
            0 => {
                let between = &self.sentence.cells[cells(from - 1).end..cells(to).start];
                between.iter().any(|c| matches!(c.raw, '+' | '&'))
            }
            1 => matches!(self.word(from), "und" | "and" | "u" | "sowie"),
            _ => false,
        };
        let begins =
            self.sentence.clause_start(first.tokens.start) == first.tokens.start || self.is_plural_before(first);
        // `Meyer and Beck lean on him` is his.
        let clause = self.clause(first.tokens.start);
        let start = self.sentence.clause_start(first.tokens.start);
        let of_another = || {
            (start..self.sentence.clause_end(start))
                .any(|at| matches!(self.word(at), "him" | "her" | "ihn" | "ihm" | "ihr"))
        };
        let is_pair = one != other && joined && begins && !first.oblique && !second.oblique && !of_another();
        (is_pair && clause == self.clause(second.tokens.start)).then_some((one, other))
    }

    /// What a pair does stands behind it, or right before it: `darüber entscheiden Meyer und Beck`.
    pub(super) fn act_together(&self, of: &[&Mention], anchor: &Range<usize>) -> bool {
        anchor.start >= of[1].tokens.end || self.is_plural_before(of[0])
    }

    /// Whether what several do stands right before somebody.
    fn is_plural_before(&self, first: &Mention) -> bool {
        const DO: [&str; 16] = [
            "entscheiden",
            "treffen",
            "machen",
            "bestimmen",
            "unterschreiben",
            "beschliessen",
            "haben",
            "zeichnen",
            "waehlen",
            "verhandeln",
            "freigeben",
            "geben",
            "nutzen",
            "bedienen",
            "bestellen",
            "genehmigen",
        ];
        first.tokens.start.checked_sub(1).is_some_and(|at| DO.contains(&self.word(at)))
    }

    /// The contact who is the subject of these words together with another one; nobody where that one is named again.
    pub(super) fn partner(&self, contact: usize, words: &Range<usize>) -> Option<usize> {
        let named: Vec<&Mention> = self.around.named.iter().collect();
        let again = named.iter().filter(|m| m.who == Who::Contact(contact)).count() > 1;
        let in_clause = |two: &[&Mention]| self.clause(two[0].tokens.start) == self.clause(words.start);
        let mut pairs = named.windows(2).filter(|two| in_clause(two) && self.act_together(two, words));
        let second = pairs.find_map(|two| self.pair(two).filter(|(first, _)| *first == contact));
        second.filter(|_| !again).map(|(_, second)| second)
    }
}
