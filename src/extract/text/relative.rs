//! Whom a relative clause is about, and which clauses that begin with `der` or `die` are none.
//!
//! Invariant: it is of whoever stands right before it; whose somebody is (`der Sohn von Herrn Beck, der ...`) is not meant.

use std::ops::Range;

use super::address::Form;
use super::part::{Part, is_known};
use super::people::{Mention, Who};
use super::rules::Tag;
use super::stance::Here;

/// Whoever `X is ...` is, by a word that says no more of them.
const SOMEBODY: [&str; 18] = [
    "mann",
    "frau",
    "mensch",
    "typ",
    "kerl",
    "person",
    "chef",
    "chefin",
    "partner",
    "partnerin",
    "man",
    "woman",
    "guy",
    "person",
    "one",
    "somebody",
    "someone",
    "boss",
];

impl Here<'_> {
    /// `Herr Brandt, der das letzte Wort hat`, `Brandt ist ein Mann, der Streit meidet`: whom a relative clause is about.
    pub(super) fn related(&self, anchor: &Range<usize>) -> Option<usize> {
        let start = self.relative_start(anchor);
        let before = start.checked_sub(1)?;
        let form = match self.word(start) {
            "der" | "welcher" => Some(Form::Masculine),
            "die" | "welche" => Some(Form::Feminine),
            "who" => None,
            _ => return None,
        };
        if self.word(start) != "who" && (self.is_article(start) || !self.sentence.tokens[before].capital) {
            return None;
        }
        let others = self.around.named.iter().any(|m| self.clause(m.tokens.start) == self.clause(start) && !m.oblique);
        let meant = self.at(before + 1).filter(|m| !self.is_attribute(m)).or_else(|| self.somebody(before))?;
        let fits = form.is_none_or(|form| meant.form.is_none_or(|of| of == form));
        match meant.who {
            Who::Contact(contact) if fits && !others => Some(contact),
            _ => None,
        }
    }

    /// Where the clause begins that a relative pronoun may begin: English parts it by no comma.
    pub(super) fn relative_start(&self, anchor: &Range<usize>) -> usize {
        let start = self.sentence.clause_start(anchor.start);
        (start + 1..=anchor.start).rev().find(|at| self.word(*at) == "who").unwrap_or(start)
    }

    /// `He is the one who decides`: who is meant stands before it.
    pub(super) fn is_the_one(&self, who: usize) -> bool {
        let clause = self.sentence.clause_start(who);
        who > clause
            && SOMEBODY.contains(&self.word(who - 1))
            && (clause..who).any(|at| matches!(self.word(at), "is" | "he's" | "she's" | "be"))
    }

    /// `..., der Senior hat das letzte Wort`: somebody who is no contact acts in a clause.
    pub(super) fn article_acts(&self, start: usize) -> bool {
        let tokens = &self.sentence.tokens;
        if start == 0 || !matches!(self.word(start), "der" | "die") || !self.is_article(start) {
            return false;
        }
        let noun = (start + 1..tokens.len()).find(|at| tokens[*at].capital).unwrap_or(start);
        let named = self.around.named.iter().any(|m| m.tokens.contains(&noun));
        let kin = ["senior", "junior", "betriebsrat", "neffe", "aussendienst"].contains(&self.word(noun));
        !named && (kin || self.sentence.mask(Tag::ThirdParty)[noun] || !is_known(&tokens[noun]))
    }

    /// Who is named right before a word.
    fn at(&self, end: usize) -> Option<&Mention> {
        self.around.named.iter().find(|m| m.tokens.end == end)
    }

    /// `Der Sohn von Herrn Beck, der ...`: rather whose he is.
    fn is_attribute(&self, mention: &Mention) -> bool {
        let at = mention.tokens.start;
        let of = at > 1 && matches!(self.word(at - 1), "von" | "of" | "for");
        of && (self.sentence.tokens[at - 2].capital || self.word(at - 1) != "von")
    }

    /// `Brandt ist ein ruhiger Mann, ...`: whoever is called so at the end of a clause.
    fn somebody(&self, end: usize) -> Option<&Mention> {
        const NOT: [&str; 16] = [
            "nicht",
            "kein",
            "keine",
            "not",
            "no",
            "never",
            "wohl",
            "vielleicht",
            "nach",
            "mit",
            "fuer",
            "auf",
            "for",
            "with",
            "of",
            "like",
        ];
        let tokens = &self.sentence.tokens;
        let clause = self.sentence.clause_start(end);
        let is = (clause..end).find(|at| matches!(self.word(*at), "ist" | "is"))?;
        let plain = (is + 1..end).all(|at| !tokens[at].capital && !NOT.contains(&self.word(at)));
        let mention = self.around.named.iter().find(|m| m.tokens.start == clause && !m.oblique && m.tokens.end == is);
        mention.filter(|_| plain && SOMEBODY.contains(&self.word(end)))
    }

    /// Whether `der` or `die` at the beginning of a clause stands before its noun: what somebody does follows right behind that, as in
    /// `der neue Chef will`, `der Senior hat das letzte Wort`; `der Angebote vergleicht` is of whom was spoken.
    pub(super) fn is_article(&self, start: usize) -> bool {
        const DOES: [&str; 11] =
            ["will", "muss", "kann", "soll", "darf", "moechte", "war", "hatte", "waere", "sind", "haben"];
        let tokens = &self.sentence.tokens;
        let end = (start..tokens.len()).find(|at| self.clause(*at) != self.clause(start)).unwrap_or(tokens.len());
        let adjective =
            |at: usize| !tokens[at].capital && ["e", "er", "en"].iter().any(|end| self.word(at).ends_with(end));
        let Some(noun) = (start + 1..end).find(|at| !adjective(*at)).filter(|at| tokens[*at].capital) else {
            return false;
        };
        let does = |at: usize| {
            let lower = at < end && !tokens[at].capital;
            lower && (tokens[at].word.is(Part::DEED) || DOES.contains(&self.word(at)) || self.word(at).ends_with('t'))
        };
        let somebody = || {
            let third = self.sentence.mask(Tag::ThirdParty);
            let named = self.around.named.iter().any(|m| m.tokens.contains(&noun));
            third[noun]
                || named
                || !is_known(&tokens[noun])
                || noun > start + 1 && self.word(noun - 1).ends_with("neue")
        };
        let group =
            matches!(tokens.get(noun + 1).map(|t| t.text), Some("von" | "aus" | "bei" | "in" | "im" | "fuer" | "mit"));
        let behind =
            if group { (noun + 2..noun + 6).find(|at| does(*at)) } else { Some(noun + 1).filter(|at| does(*at)) };
        behind.is_some_and(|at| at + 1 < end || somebody())
    }
}
