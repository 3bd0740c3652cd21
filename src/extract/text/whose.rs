//! Whose view a statement is whose parts stand apart.
//!
//! Invariant: it is one contact's, or nobody's; who wrote a note is never meant, nor is somebody whom nobody knows.

use std::ops::Range;

use super::TextKind;
use super::address::{Form, pronoun};
use super::heads::topic_head;
use super::others::{begins_with_deed, begins_with_stranger};
use super::part::{Part, is_known, is_lead};
use super::people::{Mention, Who};
use super::relative::Relative;
use super::sentence::is_first_person;
use super::stance::{Around, Here};
use super::subject::VIEW;

/// What of somebody, beside their [`VIEW`], is spoken of as theirs alone.
const OWN: [&str; 60] = [
    "topic",
    "theme",
    "kpi",
    "plan",
    "brief",
    "remit",
    "worry",
    "goal",
    "goals",
    "aim",
    "aims",
    "target",
    "targets",
    "priority",
    "priorities",
    "focus",
    "main",
    "biggest",
    "first",
    "top",
    "most",
    "no",
    "concern",
    "job",
    "mission",
    "objective",
    "requirement",
    "request",
    "wish",
    // What only the one whom it is said of can have: `his eye on`, `at her wits' end`.
    "eye",
    "eyes",
    "sights",
    "heart",
    "mind",
    "hair",
    "tether",
    "rope",
    "wits",
    "own",
    "way",
    "gripe",
    "problem",
    "problems",
    "headache",
    "issue",
    "issues",
    "challenge",
    "challenges",
    "frustration",
    "frustrations",
    "trouble",
    "motivation",
    "driver",
    "drivers",
    "ambition",
    "preference",
    "preferences",
    "bugbear",
    "number",
    "say",
];

impl Here<'_> {
    /// Whose view a statement is, and whether that is said without a name.
    pub(super) fn viewer(
        &self,
        anchor: &Range<usize>,
        topic: &Range<usize>,
        of_influence: bool,
        near: &Range<usize>,
    ) -> Option<(usize, bool)> {
        let Around { kind, about, named, .. } = *self.around;
        let quoted = self.is_quoted(topic.start);
        let own = about.filter(|_| kind != TextKind::Note);
        if let Some(contact) = own {
            let writes = near.clone().any(|at| self.is_author(at));
            // `Petra says: I am tired of it` is Petra's.
            if quoted || self.is_reported() {
                return None;
            } else if writes && !self.third_before(anchor, 0) {
                return Some((contact, false));
            }
        }
        match self.by_words(anchor, topic, of_influence) {
            Settled::As(whose) => return whose,
            Settled::Not => {}
        }
        let acting = self.acting();
        let close: Vec<&Mention> = acting.iter().copied().filter(|m| near.contains(&m.tokens.start)).collect();
        if quoted && kind == TextKind::Note {
            if named.iter().any(|m| self.is_addressed(m)) {
                return None;
            }
            if let Some(contact) = self.speaks_in_quotes(near) {
                return Some((contact, false));
            }
        }
        if let Some((at, form)) = self.acts_first(topic, &close).filter(|_| !quoted) {
            return self.meant_by(at, form);
        }
        if let Some((at, form)) = self.acting_pronoun(&close, near) {
            let form = form.filter(|_| !self.somebody_before(at));
            return self.meant_by(at, form?);
        }
        // `Brandt: Beck hates calls`: whoever acts in the clause is nobody whom we know.
        let reported = !named.is_empty() && self.is_reported();
        let start = self.sentence.clause_start(anchor.start);
        let stranger =
            || self.stranger_acts(start) || self.article_acts(start) || begins_with_stranger(self.sentence, start);
        if close.is_empty() && (reported || stranger()) {
            return None;
        }
        let of = if close.is_empty() { acting } else { close };
        if let Some(of) = self.heeded(&of, topic).filter(|_| of_influence) {
            return self.one_named(&of, anchor, quoted).map(|contact| (contact, false));
        }
        if !of.is_empty() {
            let of = self.subjects(&of, topic).unwrap_or(of);
            return self.one_named(&of, anchor, quoted).map(|contact| (contact, false));
        }
        self.unnamed(anchor, topic)
    }

    /// Those who can act in the sentence: neither with whom something is done, nor, in `Marx: der Chef unterschreibt`, who heads it.
    fn acting(&self) -> Vec<&Mention> {
        let named: Vec<&Mention> = self.around.named.iter().filter(|m| !self.is_bystander(m)).collect();
        let head = topic_head(self.sentence);
        let behind = named.iter().any(|m| m.tokens.start >= head && !m.oblique && m.function);
        named.into_iter().filter(|m| !behind || m.tokens.start >= head).collect()
    }

    /// What the words beside a statement say of whose it is, whoever else is named; nobody's, too.
    fn by_words(&self, anchor: &Range<usize>, topic: &Range<usize>, of_influence: bool) -> Settled {
        let note = self.around.kind == TextKind::Note;
        let of_another = match self.relative(anchor) {
            Relative::Of(contact) if !self.is_quoted(topic.start) => return Settled::As(Some((contact, false))),
            Relative::Not => note && self.is_writers(anchor),
            Relative::Of(_) | Relative::OfAnother => note,
        };
        if of_another || self.possessed_before(anchor) {
            return Settled::As(None);
        }
        // `Her opinion counts with X` is hers.
        let hers = matches!(self.word(topic.start), "her" | "his").then(|| self.pronoun(topic.start)).flatten();
        if let Some(form) = hers {
            return Settled::As(self.meant_by(topic.start, form));
        }
        let Some((at, form)) = self.possessed(topic, of_influence) else { return Settled::Not };
        // `Beck und Marx waren da. Ohne ihre Zustimmung ...`: theirs, as well as hers.
        let may_be_theirs = self.around.several && self.word(at).starts_with("ihr");
        if may_be_theirs || self.is_bygone(at) || self.somebody_before(self.sentence.clause_start(at)) {
            return Settled::As(None);
        }
        // Whoever acts in the clause is another: `der GF hört auf ihn`.
        let before = |m: &&Mention| m.tokens.start < self.sentence.clause_start(at);
        let before: Vec<&Mention> = self.around.named.iter().filter(before).collect();
        Settled::As(self.meant_among(&before, at, form))
    }

    /// Whose a statement is where nobody is named who could act.
    fn unnamed(&self, anchor: &Range<usize>, topic: &Range<usize>) -> Option<(usize, bool)> {
        let Around { kind, about, named, .. } = *self.around;
        let from = topic_head(self.sentence);
        let opens = (from..anchor.start.min(topic.start)).all(|at| self.is_opener(at) || is_lead(self.word(at)));
        // `Advises the boss` is said of whom the note is on, `Freigabe beim GF` is not.
        if !named.is_empty() && !begins_with_deed(&self.sentence.tokens) {
            return None;
        }
        let alone = opens || self.goes_on(topic) || kind == TextKind::Bio || self.around.floor.is_some();
        let nobody_else = !self.around.third_party && !self.names_stranger();
        let own = about.filter(|_| kind != TextKind::Note);
        let meant = own.or(self.around.meant).filter(|_| kind != TextKind::Company && alone && nobody_else);
        meant.map(|contact| (contact, true))
    }

    /// `Brandt says: "I decide"`, `"I decide", so Brandt`: the one contact who is named outside the quotation, where nobody else is.
    fn speaks_in_quotes(&self, near: &Range<usize>) -> Option<usize> {
        let all = || 0..self.sentence.tokens.len();
        let speaks = near.clone().any(|at| self.is_speaker(at) && self.is_quoted(at));
        let writer = all().any(|at| self.is_speaker(at) && !self.is_quoted(at));
        let outside: Vec<&Mention> = self.around.named.iter().filter(|m| !self.is_quoted(m.tokens.start)).collect();
        let Some(Who::Contact(contact)) = one(&outside) else { return None };
        (speaks && !writer && !self.around.third_party && !self.names_stranger()).then_some(contact)
    }

    /// `"...", he wrote to Brandt`: what is quoted is another's.
    fn is_addressed(&self, mention: &Mention) -> bool {
        let at = mention.tokens.start;
        at > 0 && !self.is_quoted(at) && HEARERS.contains(&self.word(at - 1))
    }

    /// The pronoun that a statement is of: where nobody is named, or only somebody to whom it is done (`das überlässt er dem Beck`).
    fn acting_pronoun(&self, close: &[&Mention], near: &Range<usize>) -> Option<(usize, Option<Form>)> {
        let found = self.pronoun_near(near)?;
        let done_to = found.1.is_some() && close.iter().all(|m| m.oblique);
        (close.is_empty() || done_to).then_some(found)
    }

    /// The first pronoun near a statement, and its form; `None` within, if there are several of different forms.
    fn pronoun_near(&self, near: &Range<usize>) -> Option<(usize, Option<Form>)> {
        let mut pronouns = near.clone().filter_map(|at| Some((at, self.pronoun(at)?)));
        let (at, form) = pronouns.next()?;
        // `Er tippt sie ab`: behind the subject of its clause `sie` is an object, most often a thing.
        let is_object = |other: usize| self.word(other) == "sie" && self.is_subject_before(other);
        Some((at, pronouns.all(|(other, of)| of == form || is_object(other)).then_some(form)))
    }

    /// Whether `er` stands before a word in its clause.
    fn is_subject_before(&self, at: usize) -> bool {
        (self.sentence.clause_start(at)..at).any(|before| self.word(before) == "er")
    }

    /// In a note: `it gets on my nerves`, `das nervt mich` is its writer's own view; `he told me that it annoys him` is not.
    fn is_writers(&self, anchor: &Range<usize>) -> bool {
        const TELLS: [&str; 17] = [
            "reminded",
            "told",
            "tells",
            "showed",
            "gave",
            "asked",
            "wrote",
            "sagte",
            "sagt",
            "gesagt",
            "erzaehlt",
            "erzaehlte",
            "gezeigt",
            "zeigte",
            "geschrieben",
            "verraten",
            "berichtet",
        ];
        let clause = self.sentence.clause_start(anchor.start)..self.sentence.clause_end(anchor.start);
        let here = || clause.clone().filter(|at| !self.is_quoted(*at));
        here().any(|at| at <= anchor.end && matches!(self.word(at), "mir" | "mich" | "me" | "my"))
            && !here().any(|at| TELLS.contains(&self.word(at)))
    }

    /// The one contact whom all of these mentions name, if it is theirs what is said.
    fn one_named(&self, of: &[&Mention], anchor: &Range<usize>, quoted: bool) -> Option<usize> {
        let both = || self.pair(of).filter(|_| self.act_together(of, anchor)).map(|(first, _)| Who::Contact(first));
        let Who::Contact(contact) = one(of).or_else(both)? else { return None };
        let is_another = |m: &&Mention| self.is_hearer(m) || self.is_relation(m) || self.is_measure(m);
        if of.iter().all(is_another) || self.reports_stranger() || self.tells_of_stranger(anchor) {
            return None;
        }
        let others = self.around.named.iter().any(|m| m.who != Who::Contact(contact) && !self.is_bystander(m));
        // `The boss of Ms X`: somebody who is no contact stands before what is said.
        let taken = self.third_before(anchor, of.iter().map(|m| m.tokens.end).max().unwrap_or(0));
        // Somebody else speaks of a contact who is named in what is quoted.
        let passed_on = quoted && of.iter().any(|m| self.is_quoted(m.tokens.start));
        (!(taken || passed_on || others && self.is_reported())).then_some(contact)
    }

    /// `A buyer told X that ...`: what follows is not X's view.
    fn is_hearer(&self, mention: &Mention) -> bool {
        mention.tokens.start > 0
            && matches!(self.word(mention.tokens.start - 1), "told" | "tells" | "assured" | "promised")
    }

    /// Somebody who is no contact stands before the stance, in its clause: behind the name, or as `the boss of` before it.
    fn third_before(&self, anchor: &Range<usize>, from: usize) -> bool {
        const RIVALS: [&str; 8] =
            ["mitbewerber", "rival", "rivals", "zulieferer", "supplier", "suppliers", "lieferanten", "lieferant"];
        let before = self.sentence.clause_start(anchor.start)..anchor.start;
        let rivals = before.start.max(from)..before.end;
        self.third_parties(&before).map(|at| at.start).any(|at| at >= from || at + 2 < from) || { rivals }
            .any(|at| RIVALS.contains(&self.word(at)))
    }

    /// Who wrote it, as a subject.
    fn is_speaker(&self, at: usize) -> bool {
        let token = &self.sentence.tokens[at];
        is_first_person(token) || matches!(token.text, "i've" | "i'd" | "i'll")
    }

    /// Who wrote it, in any case.
    pub(super) fn is_author(&self, at: usize) -> bool {
        let text = self.word(at);
        self.is_speaker(at)
            || matches!(text, "mich" | "mir" | "me" | "my" | "myself")
            || text.starts_with("mein") && !text.starts_with("meint")
    }

    /// `Her goal`: what is said of it is said of her; of `her boss` it is not.
    fn is_their_own(&self, at: usize) -> bool {
        self.follows(at).is_some_and(|word| OWN.contains(&word) || VIEW.contains(&word))
    }

    /// `It bothers her`, `for her that is`: no noun follows.
    fn ends_object(&self, at: usize) -> bool {
        const NO_NOUN: [&str; 26] = [
            "is", "to", "that", "now", "and", "at", "in", "on", "this", "because", "when", "a", "an", "the", "most",
            "mad", "crazy", "nuts", "up", "off", "down", "was", "if", "so", "it", "hours",
        ];
        self.follows(at).is_none_or(|word| NO_NOUN.contains(&word))
    }

    /// `An ihr kommt keiner vorbei`: behind a preposition, and no noun follows.
    fn is_object(&self, at: usize) -> bool {
        const BEFORE: [&str; 4] = ["an", "von", "ohne", "vor"];
        let noun = self.sentence.tokens.get(at + 1).is_some_and(|t| t.capital);
        at > 0 && BEFORE.contains(&self.word(at - 1)) && !noun
    }

    /// The word behind another in its clause.
    pub(super) fn follows(&self, at: usize) -> Option<&str> {
        let next = at + 1;
        (next < self.sentence.tokens.len() && self.clause(next) == self.clause(at)).then(|| self.word(next))
    }

    /// Something, or somebody, that is a person's stands before what is said: `her CFO wants`.
    fn possessed_before(&self, anchor: &Range<usize>) -> bool {
        (self.sentence.clause_start(anchor.start)..anchor.start)
            .any(|at| matches!(self.word(at), "her" | "his" | "their") && self.pronoun(at).is_none())
    }

    fn pronoun(&self, at: usize) -> Option<Form> {
        let token = &self.sentence.tokens[at];
        match token.text {
            "sie" if token.capital && at > 0 => None,
            "ihr" if self.is_object(at) => Some(Form::Feminine),
            "ihm" | "ihn" | "him" | "he's" | "he'd" | "he'll" => Some(Form::Masculine),
            "she's" | "she'd" | "she'll" | "hers" => Some(Form::Feminine),
            "his" if self.is_their_own(at) => Some(Form::Masculine),
            "her" if self.is_their_own(at) || self.ends_object(at) => Some(Form::Feminine),
            "his" | "her" => None,
            word => pronoun(word),
        }
    }

    /// Whether an unknown word with a capital is the subject that stands at a place.
    fn stranger_acts(&self, at: usize) -> bool {
        let tokens = &self.sentence.tokens;
        let acts = tokens.get(at + 1).is_some_and(|t| t.word.is(Part::DEED)) && self.clause(at) == self.clause(at + 1);
        acts && tokens[at].capital && !tokens[at].word.is(Part::NO_NAME) && !is_known(&tokens[at])
    }

    pub(super) fn is_quoted(&self, at: usize) -> bool {
        self.around.opened_quoted ^ (self.sentence.quotes_before(at) % 2 == 1)
    }
}

/// Whether the words beside a statement say whose it is.
enum Settled {
    /// Whose, and whether that is said without a name; or nobody's.
    As(Option<(usize, bool)>),
    Not,
}

/// Before a name they make somebody of it who is told something.
const HEARERS: [&str; 8] = ["an", "zu", "mit", "fuer", "gegenueber", "to", "with", "for"];

/// The one whom all mentions name.
pub(super) fn one(mentions: &[&Mention]) -> Option<Who> {
    let first = mentions.first()?.who;
    mentions.iter().all(|m| m.who == first).then_some(first)
}
