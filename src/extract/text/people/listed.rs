//! Whom a list names, where no sentence around a name tells that it is a person's: `EK Sandkühler (bestellt), GF Lohbauer`.
//!
//! Invariant: as everywhere, a name that fits two contacts, or a company, names nobody.

use std::ops::Range;

use super::super::bare::{WORDS, is_called};
use super::super::called::titled;
use super::super::guard::fold::Cell;
use super::super::guard::token::Token;
use super::super::names::{reaches, unique};
use super::super::part::Part;
use super::{Directory, Mention, Who};

impl Directory<'_> {
    /// Who is named from a word on, and where the name ends.
    pub(in super::super) fn listed(&self, cells: &[Cell], tokens: &[Token<'_>], at: usize) -> Option<(Who, usize)> {
        if !tokens[at].capital && !tokens[at].word.is(Part::ADDRESS) {
            return None;
        }
        let mut mention = self
            .addressed(cells, tokens, at)
            .or_else(|| self.in_full(cells, tokens, at))
            .or_else(|| self.by_initial(cells, tokens, at))
            .or_else(|| self.before_initial(cells, tokens, at))
            .or_else(|| self.alone(cells, tokens, at))?;
        self.shape(&mut mention);
        Some((mention.who, mention.tokens.end))
    }

    /// The one contact who has such a title, and where it ends: `Finance Director`, `der Fuhrparkleiter`.
    pub(in super::super) fn titled(&self, tokens: &[Token<'_>], at: usize) -> Option<(usize, usize)> {
        titled(&self.people.callings, tokens, at)
    }

    /// `Rauhut/Thalhammer`: two contacts, and no firm of that name.
    pub(super) fn is_slashed(&self, cells: &[Cell], tokens: &[Token<'_>], name: &Range<usize>) -> bool {
        let (first, last) = (&tokens[name.start], &tokens[name.end - 1]);
        let slash = |at: Option<usize>| at.and_then(|at| cells.get(at)).is_some_and(|c| c.raw == '/');
        (slash(first.cells.start.checked_sub(1)) || slash(Some(last.cells.end)))
            && self.beside_contact(cells, tokens, name)
    }

    /// `Karen & Brent`, `Karen + Brent`: what is joined are people.
    pub(super) fn beside_contact(&self, cells: &[Cell], tokens: &[Token<'_>], name: &Range<usize>) -> bool {
        let joined = |second: usize| {
            let between = &cells[tokens[second - 1].cells.end..tokens[second].cells.start];
            let mut signs = between.iter().map(|c| c.raw).filter(|c| !c.is_whitespace());
            matches!((signs.next(), signs.next()), (Some('&' | '+' | '/'), None))
        };
        let names = |at: usize| tokens[at].capital && self.may_name(&tokens[at]);
        name.start > 0 && joined(name.start) && names(name.start - 1)
            || name.end < tokens.len() && joined(name.end) && names(name.end)
    }

    fn alone(&self, cells: &[Cell], tokens: &[Token<'_>], at: usize) -> Option<Mention> {
        if !self.may_name(&tokens[at]) || WORDS.contains(&tokens[at].text) {
            return None;
        }
        let family = self.fitting(|name| reaches(cells, tokens, at, &[&name.family]));
        let fitting = if family.is_empty() {
            self.fitting(|name| reaches(cells, tokens, at, &[&name.given]))
        } else {
            family.clone()
        };
        let (_, end) = *fitting.first()?;
        let called = is_called(cells, tokens, &(at..end));
        let is_firm = |contact: usize| !family.is_empty() && self.firms.contains(&contact) && !called;
        let only = unique(&fitting).filter(|(contact, _)| !is_firm(*contact));
        Some(Mention::plain(at..end, only.map_or(Who::Stranger, |(contact, _)| Who::Contact(contact))))
    }
}
