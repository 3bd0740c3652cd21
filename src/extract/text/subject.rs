//! Whose deed a clause tells where its subject is no name: a relative clause, a pronoun beside names of other clauses, what is
//! somebody's (`his signature`), a sentence that goes on without a subject.
//!
//! Invariant: one contact, or nobody; two who could be meant are nobody.

use std::ops::Range;

use super::TextKind;
use super::address::{Form, pronoun};
use super::called::PREPOSITIONS;
use super::heads::topic_head;
use super::others::begins_with_deed;
use super::part::Part;
use super::people::{Mention, Who};
use super::stance::Here;
use super::whose::one;

/// What somebody thinks or says.
pub(super) const VIEW: [&str; 10] =
    ["advice", "judgement", "opinion", "word", "vote", "voice", "input", "view", "recommendation", "verdict"];

/// What is, beside their [`VIEW`], somebody's own in the buying center, and makes the sentence one on its owner.
const SEAL: [&str; 26] = [
    "unterschrift",
    "freigabe",
    "zustimmung",
    "okay",
    "ok",
    "ja",
    "segen",
    "urteil",
    "meinung",
    "rat",
    "wort",
    "einschaetzung",
    "empfehlung",
    "votum",
    "stimme",
    "genehmigung",
    "nicken",
    "go",
    "signature",
    "approval",
    "sign-off",
    "signoff",
    "blessing",
    "nod",
    "yes",
    "say-so",
];

/// Behind them somebody is no subject.
const TOWARDS: [&str; 13] =
    ["for", "to", "of", "about", "an", "fuer", "zu", "past", "around", "against", "gegen", "before", "gegenueber"];

/// On whom somebody relies is no subject.
const HEEDS: [&str; 25] = [
    "gibt",
    "legt",
    "takes",
    "turns",
    "values",
    "hoert",
    "hoeren",
    "vertraut",
    "vertrauen",
    "fragt",
    "fragen",
    "verlaesst",
    "verlassen",
    "folgt",
    "folgen",
    "glaubt",
    "richtet",
    "listens",
    "listen",
    "trusts",
    "relies",
    "rely",
    "follows",
    "asks",
    "heeds",
];

/// Behind them whoever is called by a function has something, or does it: `sits with the plant manager`.
const HAVING: [&str; 6] = ["by", "with", "to", "from", "through", "past"];

/// They begin a clause that another one rests on.
const SUBORDINATE: [&str; 13] =
    ["wenn", "falls", "sobald", "weil", "da", "obwohl", "bevor", "nachdem", "if", "when", "once", "because", "before"];

impl Here<'_> {
    /// `Sie entscheidet, welche Unterlagen der Chef sieht`: the pronoun that acts where a topic begins, when all who are named stand in
    /// other clauses or are only spoken to.
    pub(super) fn acts_first(&self, topic: &Range<usize>, close: &[&Mention]) -> Option<(usize, Form)> {
        let clause = self.clause(topic.start);
        let start = self.sentence.clause_start(topic.start);
        // Before the verb, or right behind it.
        let (at, form) = (start..topic.end.min(topic.start + 3))
            .filter(|at| self.clause(*at) == clause)
            .find_map(|at| Some((at, self.nominative(at)?)))?;
        // `He advises Ruth`: behind a pronoun that can only act, whoever is named does not; `sie` may be her to whom it is done.
        let only_acts = self.word(at) != "sie" && !matches!(self.follows(at), Some("und" | "and" | "oder" | "or"));
        let elsewhere =
            |m: &&Mention| self.clause(m.tokens.start) != clause || (m.oblique || only_acts) && m.tokens.start > at;
        (!close.is_empty() && close.iter().all(elsewhere)).then_some((at, form))
    }

    fn nominative(&self, at: usize) -> Option<Form> {
        let token = &self.sentence.tokens[at];
        // `Rauhut: ... , berät sie aber`: what follows its verb is an object.
        let headed = || topic_head(self.sentence) > 0 && at > self.sentence.clause_start(at);
        let object = token.text == "sie" && (token.capital && at > 0 || headed());
        pronoun(token.text).filter(|_| !object)
    }

    /// `Anything above 20k needs his signature`, `auf sein Urteil hört die Geschäftsführung`: where no person acts before it in the clause, it
    /// is said of whose it is; so it is in its whole clause, where the topic is whose word counts.
    pub(super) fn possessed(&self, topic: &Range<usize>, of_influence: bool) -> Option<(usize, Form)> {
        let clause = self.clause(topic.start);
        let start = self.sentence.clause_start(topic.start);
        let heeds = self.heeds(topic);
        let owned = |at: usize| {
            at + 1 < self.sentence.tokens.len()
                && [&SEAL[..], &VIEW].iter().any(|words| words.contains(&self.word(at + 1)))
        };
        let until = (topic.end + usize::from(heeds)).min(self.sentence.tokens.len());
        // `Auf ihre Meinung gibt der Chef viel`: of whom the opinion counts.
        let from = if of_influence { start } else { topic.start };
        let (at, form) = (from..until).find_map(|at| {
            let form = match self.word(at) {
                "his" | "sein" | "seine" | "seinen" | "seinem" | "seiner" if owned(at) => Form::Masculine,
                "her" | "ihr" | "ihre" | "ihren" | "ihrem" | "ihrer" if owned(at) => Form::Feminine,
                "ihn" | "ihm" | "him" if heeds && !self.is_told(at) => Form::Masculine,
                "ihr" | "her" if heeds && !self.is_told(at) => Form::Feminine,
                "sie" if heeds && self.is_heeded(at) => Form::Feminine,
                _ => return None,
            };
            Some((at, form))
        })?;
        let acts =
            |at: usize| self.nominative(at).is_some() || self.around.named.iter().any(|m| m.tokens.contains(&at));
        (heeds || self.clause(at) == clause && !(start..at).any(acts)).then_some((at, form))
    }

    /// `Every order needed his signature`: what was, and need not be so any more; `his signature is needed` is so.
    pub(super) fn is_bygone(&self, at: usize) -> bool {
        const WAS: [&str; 17] = [
            "lief",
            "ging",
            "brauchte",
            "benoetigte",
            "galt",
            "zaehlte",
            "musste",
            "mussten",
            "durfte",
            "kam",
            "bekam",
            "got",
            "went",
            "took",
            "mattered",
            "counted",
            "wanted",
        ];
        let clause = || self.sentence.clause_start(at)..self.sentence.clause_end(at);
        let is = || clause().any(|at| matches!(self.word(at), "is" | "are" | "be" | "being" | "gets" | "it's"));
        clause().any(|at| {
            let word = self.word(at);
            WAS.contains(&word) || matches!(word, "needed" | "required") && !is()
        })
    }

    /// `Asks him to cut costs`: whoever is told what to do is not heeded.
    fn is_told(&self, at: usize) -> bool {
        matches!(self.follows(at), Some("to" | "what" | "with" | "nach" | "for"))
    }

    /// `Der Chef hört auf sie`, `der Chef fragt sie`: somebody else acts before it.
    fn is_heeded(&self, at: usize) -> bool {
        let start = self.sentence.clause_start(at);
        let acts = |at: usize| self.is_third(at) || self.around.named.iter().any(|m| m.tokens.contains(&at));
        at > start && (self.word(at - 1) == "auf" || (start..at).any(acts))
    }

    /// Of those named, the one on whom somebody relies: `hört auf Frau Beck`, `asks Mark`; who relies on others tells nothing of himself.
    pub(super) fn heeded<'m>(&self, of: &[&'m Mention], topic: &Range<usize>) -> Option<Vec<&'m Mention>> {
        if !self.heeds(topic) {
            return None;
        }
        let is_object = |m: &Mention| {
            let before = m.tokens.start.checked_sub(1).map_or("", |at| self.word(at));
            let german = matches!(self.word(m.tokens.start), "herrn" | "den" | "dem");
            matches!(before, "auf" | "to" | "on" | "asks" | "trusts" | "follows" | "heeds" | "values")
                || german
                || m.oblique && !m.function
        };
        Some(of.iter().copied().filter(|m| is_object(m)).collect())
    }

    /// Whether a topic tells on whom somebody relies: `hört auf ihn`, `trusts her judgement`.
    fn heeds(&self, topic: &Range<usize>) -> bool {
        let begin = topic.start.saturating_sub(1);
        let spoken = |at: usize| {
            !matches!(self.word(at), "gibt" | "legt" | "takes" | "turns")
                || self.follows(at).is_some_and(|next| {
                    matches!(next, "viel" | "der" | "die" | "wert" | "her" | "his" | "to" | "advice")
                })
        };
        (begin..topic.end).any(|at| HEEDS.contains(&self.word(at)) && spoken(at))
    }

    /// Those of several mentions who can be the subject: not those to whom something is done behind it.
    pub(super) fn subjects<'m>(&self, of: &[&'m Mention], topic: &Range<usize>) -> Option<Vec<&'m Mention>> {
        let towards = |m: &Mention| m.tokens.start.checked_sub(1).is_some_and(|at| TOWARDS.contains(&self.word(at)));
        let (objects, subjects): (Vec<&Mention>, Vec<&Mention>) = of.iter().partition(|m| m.oblique || towards(m));
        let first = subjects.first()?;
        let acts =
            first.tokens.start < topic.start.max(1) && objects.iter().all(|m| m.tokens.start > first.tokens.start);
        let here = of.iter().all(|m| self.clause(m.tokens.start) == self.clause(topic.start));
        (!objects.is_empty() && acts && here && !self.heeds(topic)).then_some(subjects)
    }

    /// Whether somebody is called by a function with whom, or for whom, another does something: `Termine beim GF vergibt sie`.
    pub(super) fn is_bystander(&self, mention: &Mention) -> bool {
        let before = mention.tokens.start.checked_sub(1).map_or("", |at| self.word(at));
        let article = matches!(self.word(mention.tokens.start), "dem" | "der") && !PREPOSITIONS.contains(&before);
        // `Die Entscheidung liegt beim Chef` is his.
        let preposition = matches!(before, "beim" | "bei" | "with");
        let before = if preposition && mention.tokens.start > 1 { self.word(mention.tokens.start - 2) } else { before };
        let lies = matches!(before, "liegt" | "liegen" | "faellt" | "fallen" | "sitzt" | "bleibt" | "kommt");
        mention.function && mention.oblique && !article && !lies && !HAVING.contains(&before)
    }

    /// `No slot with the CEO unless she likes the reason`: who is guarded guards nothing.
    pub(super) fn is_guarded(&self, contact: usize) -> bool {
        let mut mentions = self.around.named.iter().filter(|m| m.who == Who::Contact(contact)).peekable();
        mentions.peek().is_some() && mentions.all(|m| m.function && m.oblique)
    }

    /// `Wenn der Chef drückt, gibt er nach`: the one before may be meant, or somebody who was named before the sentence.
    pub(super) fn may_be_another(&self, at: usize, form: Form, contact: usize) -> bool {
        let earlier = self.around.meant_by[form as usize].is_some_and(|other| other != contact);
        let rests = |m: &Mention| {
            let start = self.sentence.clause_start(m.tokens.start);
            self.clause(start) != self.clause(at) && SUBORDINATE.contains(&self.word(start))
        };
        earlier && self.around.named.iter().any(|m| m.who == Who::Contact(contact) && rests(m))
    }

    /// Whom a pronoun means: the one named before it in the sentence, else the one whom the sentences before were about.
    pub(super) fn meant_by(&self, at: usize, form: Form) -> Option<(usize, bool)> {
        let before: Vec<&Mention> = self.around.named.iter().filter(|m| m.tokens.start < at).collect();
        self.meant_among(&before, at, form)
    }

    /// The same, of those named before it who can be meant.
    pub(super) fn meant_among(&self, before: &[&Mention], at: usize, form: Form) -> Option<(usize, bool)> {
        let earlier = || self.around.meant_by[form as usize].map(|contact| (contact, true));
        let acting: Vec<&Mention> = before.iter().copied().filter(|m| !self.is_bystander(m)).collect();
        let fits = |m: &Mention| m.form.is_none_or(|f| f == form);
        if self.names_stranger() {
            return None;
        }
        match one(&acting) {
            Some(Who::Contact(contact)) if self.may_be_another(at, form, contact) => None,
            // `Becky is her right hand. You get nothing past Helen's desk without her`: whose something is acts nowhere.
            Some(Who::Contact(contact))
                if acting.iter().all(|m| self.word(m.tokens.end - 1).ends_with("'s"))
                    && (self.around.several || earlier().is_some_and(|(other, _)| other != contact)) =>
            {
                None
            }
            Some(Who::Contact(contact)) if fits(acting[0]) => Some((contact, false)),
            // `Frau Beck fragt den Chef, er entscheidet`.
            Some(Who::Contact(_)) => {
                match before.iter().find(|m| self.is_bystander(m) && m.form == Some(form)).map(|m| m.who) {
                    Some(Who::Contact(contact)) => Some((contact, false)),
                    _ => earlier(),
                }
            }
            // `Mit dem Werkleiter gesprochen, er will ...`, where nobody else can be meant.
            None if acting.is_empty() => match (one(before), earlier()) {
                (Some(Who::Contact(contact)), None) if fits(before[0]) => Some((contact, false)),
                (Some(Who::Contact(_)), Some(_)) if fits(before[0]) && self.around.floor.is_none() => None,
                (_, earlier) => earlier,
            },
            _ => None,
        }
    }

    /// `Hat mit dem Kauf nichts zu tun, arbeitet aber täglich damit`: a note that begins with what somebody does goes on so.
    pub(super) fn goes_on(&self, topic: &Range<usize>) -> bool {
        let tokens = &self.sentence.tokens;
        let does = |at: usize| tokens.get(at).is_some_and(|t| t.word.is(Part::DEED) && !t.capital);
        let start = self.sentence.clause_start(topic.start);
        let joined = usize::from(matches!(self.word(start), "und" | "aber" | "and" | "but"));
        let nobody = || (0..tokens.len()).all(|at| self.nominative(at).is_none());
        self.around.kind == TextKind::Note
            && self.around.named.is_empty()
            && begins_with_deed(tokens)
            && start > 0
            && does(start + joined)
            && start + joined + 2 >= topic.start
            && nobody()
    }
}

#[cfg(test)]
#[path = "subject_tests.rs"]
mod tests;
