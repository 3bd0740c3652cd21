//! Whose deed a clause tells where its subject is no name: a relative clause, a pronoun beside names of other clauses, what is
//! somebody's (`his signature`), a sentence that goes on without a subject.
//!
//! Invariant: one contact, or nobody; two who could be meant are nobody.

use std::ops::Range;

use super::TextKind;
use super::address::{Form, pronoun};
use super::heads::topic_head;
use super::others::begins_with_deed;
use super::part::Part;
use super::people::{Mention, Who};
use super::stance::Here;
use super::whose::one;

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

/// What is somebody's own in the buying center, and makes the sentence one on its owner.
const SEAL: [&str; 37] = [
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
    "okay",
    "sign-off",
    "signoff",
    "blessing",
    "nod",
    "yes",
    "advice",
    "judgement",
    "opinion",
    "say-so",
    "word",
    "vote",
    "voice",
    "input",
    "view",
    "recommendation",
    "verdict",
];

/// Behind them somebody is no subject.
const TOWARDS: [&str; 13] =
    ["for", "to", "of", "about", "an", "fuer", "zu", "past", "around", "against", "gegen", "before", "gegenueber"];

/// On whom somebody relies is no subject.
const HEEDS: [&str; 20] = [
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

/// Behind them a function is not the one who acts, or has something.
const TO_HIM: [&str; 18] = [
    "bei", "mit", "von", "zu", "an", "fuer", "durch", "auf", "vor", "nach", "ueber", "gegen", "ohne", "aus", "neben",
    "hinter", "unter", "um",
];

/// Behind them whoever is called by a function has something, or does it: `sits with the plant manager`.
const HAVING: [&str; 6] = ["by", "with", "to", "from", "through", "past"];

/// They begin a clause that another one rests on.
const SUBORDINATE: [&str; 13] =
    ["wenn", "falls", "sobald", "weil", "da", "obwohl", "bevor", "nachdem", "if", "when", "once", "because", "before"];

impl Here<'_> {
    /// `Herr Brandt, der das letzte Wort hat`, `Brandt ist ein Mann, der Streit meidet`: whom a relative clause is about.
    pub(super) fn related(&self, anchor: &Range<usize>) -> Option<usize> {
        let start = self.sentence.clause_start(anchor.start);
        let before = start.checked_sub(1)?;
        let form = match self.word(start) {
            "der" | "welcher" => Some(Form::Masculine),
            "die" | "welche" => Some(Form::Feminine),
            "who" => None,
            _ => return None,
        };
        let tokens = &self.sentence.tokens;
        if self.word(start) != "who" && (self.is_article(start) || !tokens[before].capital) {
            return None;
        }
        let others = self.around.named.iter().any(|m| self.clause(m.tokens.start) == self.clause(start) && !m.oblique);
        let contact = self.at(before + 1).or_else(|| {
            let clause = self.sentence.clause_start(before);
            let is = tokens[clause..before].iter().any(|t| matches!(t.text, "ist" | "is"));
            let mention = self.around.named.iter().find(|m| m.tokens.start == clause && !m.oblique);
            mention.filter(|_| is && SOMEBODY.contains(&self.word(before)))
        })?;
        let fits = form.is_none_or(|form| contact.form.is_none_or(|of| of == form));
        match contact.who {
            Who::Contact(contact) if fits && !others => Some(contact),
            _ => None,
        }
    }

    /// Who is named right before a word.
    fn at(&self, end: usize) -> Option<&Mention> {
        self.around.named.iter().find(|m| m.tokens.end == end)
    }

    /// Whether `der` or `die` at the beginning of a clause stands before its noun: the clause does not end with what somebody does.
    fn is_article(&self, start: usize) -> bool {
        let tokens = &self.sentence.tokens;
        let last =
            (start..tokens.len()).take_while(|at| self.clause(*at) == self.clause(start)).last().unwrap_or(start);
        tokens.get(start + 1).is_some_and(|t| t.capital) && !tokens[last].word.is(Part::DEED)
    }

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
    /// is said of whose it is; so it is in its whole clause, where the topic is whose word `counts`.
    pub(super) fn possessed(&self, topic: &Range<usize>, counts: bool) -> Option<(usize, Form)> {
        let clause = self.clause(topic.start);
        let start = self.sentence.clause_start(topic.start);
        let heeds = self.heeds(topic);
        let owned = |at: usize| at + 1 < self.sentence.tokens.len() && SEAL.contains(&self.word(at + 1));
        let until = (topic.end + usize::from(heeds)).min(self.sentence.tokens.len());
        // `Auf ihre Meinung gibt der Chef viel`: of whom the opinion counts.
        let from = if counts { start } else { topic.start };
        let (at, form) = (from..until).find_map(|at| {
            // Whoever acts in the clause hears on somebody else.
            let form = match self.word(at) {
                "his" | "sein" | "seine" | "seinen" | "seinem" | "seiner" if owned(at) => Form::Masculine,
                "her" | "ihr" | "ihre" | "ihren" | "ihrem" | "ihrer" if owned(at) => Form::Feminine,
                "ihn" | "ihm" | "him" if heeds => Form::Masculine,
                "ihr" | "her" if heeds => Form::Feminine,
                _ => return None,
            };
            Some((at, form))
        })?;
        let acts =
            |at: usize| self.nominative(at).is_some() || self.around.named.iter().any(|m| m.tokens.contains(&at));
        (heeds || self.clause(at) == clause && !(start..at).any(acts)).then_some((at, form))
    }

    /// Whether a topic tells on whom somebody relies: `hört auf ihn`, `trusts her judgement`.
    fn heeds(&self, topic: &Range<usize>) -> bool {
        let begin = topic.start.saturating_sub(1);
        (begin..topic.end).any(|at| HEEDS.contains(&self.word(at)))
    }

    /// Those of several mentions who can be the subject: not those to whom something is done behind it.
    pub(super) fn subjects<'m>(&self, of: &[&'m Mention], topic: &Range<usize>) -> Option<Vec<&'m Mention>> {
        let towards = |m: &Mention| m.tokens.start.checked_sub(1).is_some_and(|at| TOWARDS.contains(&self.word(at)));
        let (objects, subjects): (Vec<&Mention>, Vec<&Mention>) = of.iter().partition(|m| m.oblique || towards(m));
        let first = subjects.first()?;
        let acts =
            first.tokens.start < topic.start.max(1) && objects.iter().all(|m| m.tokens.start > first.tokens.start);
        (!objects.is_empty() && acts && !self.heeds(topic)).then_some(subjects)
    }

    /// Whether somebody is called by a function with whom, or for whom, another does something: `Termine beim GF vergibt sie`.
    pub(super) fn is_beside(&self, mention: &Mention) -> bool {
        let before = mention.tokens.start.checked_sub(1).map_or("", |at| self.word(at));
        let article = matches!(self.word(mention.tokens.start), "dem" | "der") && !TO_HIM.contains(&before);
        mention.function && mention.oblique && !article && !HAVING.contains(&before)
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
        let acting: Vec<&Mention> = before.iter().copied().filter(|m| !self.is_beside(m)).collect();
        let fits = |m: &Mention| m.form.is_none_or(|f| f == form);
        if self.names_stranger() {
            return None;
        }
        match one(&acting) {
            Some(Who::Contact(contact)) if self.may_be_another(at, form, contact) => None,
            Some(Who::Contact(contact)) if fits(acting[0]) => Some((contact, false)),
            Some(Who::Contact(_)) => earlier(),
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
        let does = |at: usize| tokens.get(at).is_some_and(|t| t.word.is(Part::DEED) && (at == 0 || !t.capital));
        let start = self.sentence.clause_start(topic.start);
        let joined = usize::from(matches!(self.word(start), "und" | "aber" | "and" | "but"));
        let nobody = self.around.named.is_empty() && (0..tokens.len()).all(|at| self.nominative(at).is_none());
        self.around.kind == TextKind::Note
            && nobody
            && begins_with_deed(tokens)
            && start > 0
            && does(start + joined)
            && start + joined + 2 >= topic.start
    }
}

#[cfg(test)]
mod tests {
    use super::super::{TextContact, TextKind, TextRecord, read_text};

    /// Whose seats a note tells: `about | text | contact value polarity, ...`.
    const CASES: &str = "
c3 | Herr Wendt, der das letzte Wort hat, kam später dazu. | c3 decider+
c3 | Herr Wendt hat einen Schwager, der das letzte Wort hat. |
c3 | Termin bei Beck. Herr Wendt gibt bei Beck die Investitionen frei. | c3 approver+
c1 | Bei Beck gibt ein Ausschuss die Investitionen frei. |
c2 | Mit Frau Marx muss man sich gut stellen. Sie entscheidet, welche Unterlagen der Geschäftsführer zu sehen bekommt. | c2 gatekeeper+
c2 | Wer zum Chef will, muss an ihr vorbei. | c2 gatekeeper+
c3 | Mit Herrn Wendt gesprochen. Auf ihn hört der Chef. | c3 influencer+
c3 | Mit Herrn Wendt gesprochen. Auf sein Urteil hört der Chef. | c3 influencer+
c3 | Der Geschäftsführer hört auf Frau Marx, wenn es um Maschinen geht. | c2 influencer+
c5 | The boss relies on his judgement. | c5 influencer+
c5 | His word carries weight with Ruth. | c5 influencer+
c5 | He advises Ruth on technical matters. | c5 influencer+
c2 | She keeps salespeople away from Ruth. | c2 gatekeeper+
c4 | Mark signs off the budget. Anything above 20k needs his signature before Karen can place the order. | c5 approver+
c3 | Die Entscheidung treffen Chef und Einkaufsleiter gemeinsam. | c1 decider+, c3 decider+
c3 | Über den Kauf entscheiden Herr Beck und Frau Marx zu zweit. | c1 decider+, c2 decider+
c3 | Termine beim Chef vergibt die Assistentin. |
c3 | Advises the boss on machines. | c3 influencer+
c4 | The plant manager has the last word on every machine. | c4 decider+
c3 | As the plant manager of another firm decides, we wait. |
c3 | Der kaufmännische GF gibt die Budgets frei, Name noch raussuchen. |
c3 | WL testet die Anlage täglich und arbeitet damit. | c6 user+
c3 | Über neue Linien entscheidet ein Gremium (EK, QS, GF). |
c3 | Hat mit der Kaufentscheidung nichts zu tun, arbeitet aber täglich mit der Anlage. | c3 decider-, c3 user+
";

    #[test]
    fn seats_are_those_of_whom_the_clause_tells() {
        let contacts = [
            ("c1", "Peter Beck", "Geschäftsführer"),
            ("c2", "Karen Marx", "Leiterin Qualität"),
            ("c3", "Ralf Wendt", "Einkaufsleiter"),
            ("c4", "Ruth Miller", "Plant Manager"),
            ("c5", "Mark Olsen", "Maintenance Engineer"),
            ("c6", "Jens Tamm", "Werkleiter"),
        ];
        let contacts: Vec<TextContact> = contacts
            .map(|(id, name, title)| TextContact { id: id.into(), name: name.into(), title: Some(title.into()) })
            .into();
        for case in CASES.lines().filter(|line| !line.is_empty()) {
            let [about, text, due] = case.split(" |").map(str::trim).collect::<Vec<_>>()[..] else {
                panic!("three cells: {case}");
            };
            let record = TextRecord {
                id: String::new(),
                kind: TextKind::Note,
                lang: None,
                text: text.to_owned(),
                contacts: contacts.clone().into(),
                about: Some(about.to_owned()),
                company: Some("Beck GmbH".to_owned()),
            };
            let seats = read_text(&record).signals.into_iter().filter(|s| s.family == "buying_role");
            let mut said: Vec<String> = seats
                .map(|s| {
                    format!(
                        "{} {}{}",
                        s.subject,
                        s.value,
                        if s.polarity == super::super::Polarity::Plus { '+' } else { '-' }
                    )
                })
                .collect();
            said.sort();
            assert_eq!(said.join(", "), due, "{text}");
        }
    }
}
