//! Whom a relative clause is about, and which clauses that begin with `der` or `die` are none.
//!
//! Invariant: it is of whoever stands right before it; whose somebody is (`der Sohn von Herrn Beck, der ...`) is not meant.

use std::ops::Range;

use super::address::Form;
use super::part::{Part, is_known};
use super::people::{Mention, Who};
use super::stance::Here;

/// Whoever `X is ...` is, by a word that says no more of them.
const SOMEBODY: [&str; 17] = [
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
    "one",
    "somebody",
    "someone",
    "boss",
];

/// Of whom a clause tells that a relative pronoun may begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Relative {
    /// No such pronoun begins it.
    Not,
    Of(usize),
    /// Of somebody, or something, that is no contact, or of nobody knows whom.
    OfAnother,
}

impl Here<'_> {
    /// `Herr Brandt, der das letzte Wort hat`, `Brandt ist ein Mann, der Streit meidet` tell of Brandt; `X hat einen Schwager, der ...`,
    /// `has a cousin who ...` of whoever stands right before it.
    pub(super) fn relative(&self, anchor: &Range<usize>) -> Relative {
        if self.tells_of_the_one(anchor) {
            return Relative::OfAnother;
        }
        let start = self.relative_start(anchor);
        let Some(before) = start.checked_sub(1) else { return Relative::Not };
        let tokens = &self.sentence.tokens;
        let comma =
            || self.sentence.cells[tokens[before].cells.end..tokens[start].cells.start].iter().any(|c| c.raw == ',');
        let is_german = matches!(self.word(start), "der" | "die" | "welcher" | "welche");
        if is_german && (!tokens[before].capital || self.article_noun(start).is_some()) {
            return Relative::Not;
        }
        let (form, is_relative) = match self.word(start) {
            "der" => (Some(Form::Masculine), comma()),
            "die" => (Some(Form::Feminine), comma()),
            "welcher" => (Some(Form::Masculine), false),
            "welche" => (Some(Form::Feminine), false),
            "who" => (None, !self.is_the_one(start)),
            // `Hat eine Schwester, deren Mann entscheidet`.
            "whom" => return if self.is_the_one(start) { Relative::Not } else { Relative::OfAnother },
            "deren" | "dessen" | "whose" => return Relative::OfAnother,
            "which" if comma() => return Relative::OfAnother,
            _ => return Relative::Not,
        };
        let others = self.around.named.iter().any(|m| self.clause(m.tokens.start) == self.clause(start) && !m.oblique);
        let meant = self.at(start).filter(|m| !self.is_attribute(m)).or_else(|| self.somebody(before));
        let fits = |m: &&Mention| form.is_none_or(|form| m.form.is_none_or(|of| of == form));
        match meant.filter(fits).map(|m| m.who) {
            Some(Who::Contact(contact)) if !others => Relative::Of(contact),
            _ if is_relative => Relative::OfAnother,
            _ => Relative::Not,
        }
    }

    /// Where the clause begins that a relative pronoun may begin: English parts it by no comma.
    pub(super) fn relative_start(&self, anchor: &Range<usize>) -> usize {
        let start = self.sentence.clause_start(anchor.start);
        (start + 1..=anchor.start).rev().find(|at| self.word(*at) == "who").unwrap_or(start)
    }

    /// `Nadia gave me the name of the person who signs`: somebody does something to whoever is told of, and is not the one.
    fn tells_of_the_one(&self, anchor: &Range<usize>) -> bool {
        let start = self.sentence.clause_start(anchor.start);
        let acts = |m: &Mention| m.tokens.start == start && m.tokens.end + 1 < anchor.start;
        let is = |at: usize| {
            matches!(self.word(at), "is" | "isn't" | "was" | "wasn't" | "be" | "he's" | "she's" | "he" | "she")
        };
        let who = anchor.clone().find(|at| matches!(self.word(*at), "who" | "that"));
        who.is_some_and(|at| at > start && SOMEBODY.contains(&self.word(at - 1)))
            && self.around.named.iter().any(acts)
            && !(start..anchor.start).any(is)
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
        if start == 0 || !matches!(self.word(start), "der" | "die") {
            return false;
        }
        let kin = |noun: usize| ["senior", "junior", "betriebsrat", "neffe", "aussendienst"].contains(&self.word(noun));
        let acts = |noun: usize| !self.is_named(noun) && (kin(noun) || self.is_stranger(noun));
        self.article_noun(start).is_some_and(acts)
    }

    /// Whether a contact, or somebody who may be one, is named by a word.
    fn is_named(&self, at: usize) -> bool {
        self.around.named.iter().any(|m| m.tokens.contains(&at))
    }

    /// Whether a noun is somebody who is no contact, or a word that no rule knows.
    fn is_stranger(&self, noun: usize) -> bool {
        self.is_third(noun) || !is_known(&self.sentence.tokens[noun])
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

    /// The noun of `der` or `die` at the beginning of a clause, where that is an article: what somebody does follows right behind it, as
    /// in `der neue Chef will`, `der Senior hat das letzte Wort`; `der Angebote vergleicht` is of whom was spoken.
    fn article_noun(&self, start: usize) -> Option<usize> {
        const DOES: [&str; 11] =
            ["will", "muss", "kann", "soll", "darf", "moechte", "war", "hatte", "waere", "sind", "haben"];
        let tokens = &self.sentence.tokens;
        let end = self.sentence.clause_end(start);
        let adjective =
            |at: usize| !tokens[at].capital && ["e", "er", "en"].iter().any(|end| self.word(at).ends_with(end));
        let noun = (start + 1..end).find(|at| !adjective(*at)).filter(|at| tokens[*at].capital)?;
        let does = |at: usize| {
            let lower = at < end && !tokens[at].capital;
            lower && (tokens[at].word.is(Part::DEED) || DOES.contains(&self.word(at)) || self.word(at).ends_with('t'))
        };
        let is_new = noun > start + 1 && self.word(noun - 1).ends_with("neue");
        let somebody = || self.is_stranger(noun) || self.is_named(noun) || is_new;
        let group =
            matches!(tokens.get(noun + 1).map(|t| t.text), Some("von" | "aus" | "bei" | "in" | "im" | "fuer" | "mit"));
        let behind =
            if group { (noun + 2..noun + 6).find(|at| does(*at)) } else { Some(noun + 1).filter(|at| does(*at)) };
        behind.filter(|at| at + 1 < end || somebody()).map(|_| noun)
    }
}
