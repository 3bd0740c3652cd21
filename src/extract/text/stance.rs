//! Statements whose parts stand apart: what a sentence speaks of, how it speaks of it, and whose view that is.
//!
//! Invariant: a statement needs one contact whose view it can only be; in doubt it is nobody's. What is supposed, denied, past,
//! or the note's author's own yields nothing.

use std::collections::BTreeMap;
use std::ops::{Range, RangeInclusive};

use super::address::pronoun;
use super::guard::token::Token;
use super::part::Part;
use super::people::Mention;
use super::phrase::{Found, View};
use super::role_lines::ROLE_LINES;
use super::rules::{Family, Tag};
use super::seat::is_taken;
use super::sentence::Read;
use super::topics::{Sign, TOPICS, Topic};
use super::{Polarity, TextKind, TextSignal};

/// A pronoun, or a sentence without a subject, is a little less sure than a name.
const INDIRECT: f64 = 0.9;

/// So many clauses, and words, may lie between a topic and its stance.
const MAX_CLAUSES: u32 = 2;
const MAX_WORDS: usize = 24;

/// What is known of a sentence from those before it.
pub(super) struct Around<'a> {
    pub(super) kind: TextKind,
    /// Whom the text is on, or who wrote it.
    pub(super) about: Option<usize>,
    /// Whom a sentence without a name goes on about.
    pub(super) meant: Option<usize>,
    /// Whom `er` and `sie` can mean in it.
    pub(super) meant_by: [Option<usize>; 2],
    /// With whose name the line is headed.
    pub(super) floor: Option<usize>,
    /// Somebody who is no contact is spoken of.
    pub(super) third_party: bool,
    /// The sentence begins within quotation marks.
    pub(super) opened_quoted: bool,
    pub(super) named: &'a [Mention],
}

/// A statement about a contact.
pub(super) struct Stated {
    pub(super) topic: &'static Topic,
    pub(super) contact: usize,
    /// No name stands in the sentence.
    pub(super) indirect: bool,
    pub(super) quote: String,
    pub(super) span: [usize; 2],
}

impl Stated {
    /// As a signal about a contact, by their id.
    pub(super) fn signal(self, subject: &str) -> TextSignal {
        TextSignal {
            subject: subject.to_owned(),
            family: self.topic.family.as_str().to_owned(),
            value: self.topic.value.clone(),
            phase: self.topic.phase,
            polarity: self.topic.polarity,
            quote: self.quote,
            span: self.span,
            p: weight(self.topic.p, self.indirect),
        }
    }
}

/// How sure a statement is, by what its rule says.
pub(super) fn weight(p: f64, indirect: bool) -> f64 {
    if indirect { (p * INDIRECT * 100.0).round() / 100.0 } else { p }
}

/// A topic that the sentence before named without a stance.
pub(super) struct Left {
    topic: usize,
    quote: String,
    span: [usize; 2],
}

/// Topics, stances and what casts doubt on them in a sentence; nothing where it has no topic and the one before left none.
///
/// `tokens` are those of the sentence, with the company marked.
pub(super) fn signs(
    kind: TextKind,
    sentence: &Read<'_>,
    tokens: &[Token<'_>],
    left: &[Left],
) -> Vec<Found<'static, Sign>> {
    let mut blocked = sentence.blocked();
    for (at, token) in tokens.iter().enumerate() {
        blocked[at] |= token.word.is(Part::PAST);
    }
    let view = View { blocked: &blocked, ..View::plain(tokens, sentence.clauses) };
    let mut found = TOPICS.topics.find(&view);
    if kind != TextKind::Note {
        found.extend(TOPICS.of_own_texts.find(&view));
    }
    if !found.is_empty() || !left.is_empty() {
        found.extend(TOPICS.stances.find(&view));
    }
    found
}

/// Reads a sentence with its [`signs`]. `left` are topics that the one before left open; those of this one take their place.
pub(super) fn stated(
    sentence: &Read<'_>,
    found: &[Found<'static, Sign>],
    around: &Around<'_>,
    left: &mut Vec<Left>,
) -> Vec<Stated> {
    let before = std::mem::take(left);
    let here = Here { sentence, around, found };
    let mut all = Vec::new();
    for (index, places) in here.topics() {
        let topic = &TOPICS.all[index];
        if let Some((contact, indirect, whole)) = places.iter().find_map(|at| here.said(index, at)) {
            let (quote, span) = sentence.quote(&whole);
            for contact in std::iter::once(contact).chain(here.partner(contact, &whole)) {
                all.push(Stated { topic, contact, indirect, quote: quote.clone(), span });
            }
        } else if !topic.is_whole() && !here.is_doubted(index, &places[0], &places[0]) {
            let (quote, span) = sentence.quote(&places[0]);
            left.push(Left { topic: index, quote, span });
        }
    }
    if all.is_empty() {
        all.extend(here.of_before(before));
    }
    all
}

/// `Wenn es um Maschinen geht`, `when it comes to machines`, `wenn bestellt wird`: of what somebody decides, and no condition.
pub(super) fn tells_of_what(sentence: &Read<'_>, named: &[Mention], at: usize) -> bool {
    const BOUGHT: [&str; 16] = [
        "gekauft",
        "bestellt",
        "angeschafft",
        "beschafft",
        "investiert",
        "ausgewaehlt",
        "entschieden",
        "vergeben",
        "bought",
        "ordered",
        "purchased",
        "chosen",
        "geht",
        "ansteht",
        "anstehen",
        "comes",
    ];
    let word = |at: usize| sentence.tokens.get(at).map_or("", |t| t.text);
    if !matches!(word(at), "wenn" | "when" | "whenever") {
        return false;
    }
    let about = matches!((word(at + 1), word(at + 2)), ("es", "um") | ("it", "comes") | ("it's", "about"));
    let mut clause = (at..sentence.tokens.len()).take_while(|to| sentence.clauses[*to] == sentence.clauses[at]);
    let is_named = |at: usize| pronoun(word(at)).is_some() || named.iter().any(|m| m.tokens.contains(&at));
    about || clause.clone().any(|at| BOUGHT.contains(&word(at))) && !clause.any(is_named)
}

/// A sentence with what was found in it.
pub(super) struct Here<'a> {
    pub(super) sentence: &'a Read<'a>,
    pub(super) around: &'a Around<'a>,
    found: &'a [Found<'static, Sign>],
}

impl Here<'_> {
    /// Each topic with the places where it stands, the shortest first.
    fn topics(&self) -> BTreeMap<usize, Vec<Range<usize>>> {
        let mut all: BTreeMap<usize, Vec<Range<usize>>> = BTreeMap::new();
        for found in self.found {
            let Sign::Topic(index) = *found.tag else { continue };
            if TOPICS.all[index].field.is_none() {
                all.entry(index).or_default().push(found.tokens.clone());
            }
        }
        for places in all.values_mut() {
            places.sort_by_key(|at| (at.len(), at.start));
        }
        all
    }

    /// Who says a topic at a place, whether without a name, and in which words.
    fn said(&self, index: usize, at: &Range<usize>) -> Option<(usize, bool, Range<usize>)> {
        let topic = &TOPICS.all[index];
        if topic.is_whole() {
            return self.believed(index, at, None).map(|(contact, indirect)| (contact, indirect, at.clone()));
        }
        self.stances(topic, at).into_iter().find_map(|stance| {
            let (contact, indirect) = self.believed(index, at, Some(&stance))?;
            Some((contact, indirect, stance.start.min(at.start)..stance.end.max(at.end)))
        })
    }

    /// Stances that may stand beside a topic, the nearest first.
    fn stances(&self, topic: &Topic, at: &Range<usize>) -> Vec<Range<usize>> {
        let distance =
            |s: &Range<usize>| if s.start >= at.end { s.start - at.end } else { at.start.saturating_sub(s.end) };
        let beside = |s: &Range<usize>| {
            let clauses = self.clause(s.start).abs_diff(self.clause(at.start));
            clauses <= MAX_CLAUSES && distance(s) <= MAX_WORDS && !(at.start <= s.start && s.end <= at.end)
        };
        let mut all: Vec<Range<usize>> = self
            .found
            .iter()
            .filter(|f| matches!(*f.tag, Sign::Stance(stance) if topic.takes(stance)))
            .map(|f| f.tokens.clone())
            .filter(beside)
            .collect();
        all.sort_by_key(distance);
        all
    }

    /// A stance towards what the sentence before spoke of: `Three outages this month. I am tired of it.`
    fn of_before(&self, before: Vec<Left>) -> Vec<Stated> {
        let takes_up = |at: usize| {
            let word = self.sentence.tokens[at].text;
            matches!(
                word,
                "das" | "dies" | "darueber" | "davon" | "damit" | "langsam" | "this" | "that" | "it" | "allmaehlich"
            )
        };
        let author = self.around.kind != TextKind::Note;
        if !(0..self.sentence.tokens.len()).any(|at| takes_up(at) || author && self.is_author(at)) {
            return Vec::new();
        }
        let mut all = Vec::new();
        for left in before {
            let topic = &TOPICS.all[left.topic];
            let stances = self.found.iter().filter(|f| matches!(*f.tag, Sign::Stance(stance) if topic.takes(stance)));
            let said = stances.map(|f| &f.tokens).find_map(|stance| self.believed(left.topic, stance, Some(stance)));
            if let Some((contact, _)) = said {
                all.push(Stated { topic, contact, indirect: true, quote: left.quote, span: left.span });
            }
        }
        all
    }

    /// Whose view it is, if nothing speaks against it.
    fn believed(&self, index: usize, topic: &Range<usize>, stance: Option<&Range<usize>>) -> Option<(usize, bool)> {
        let anchor = stance.unwrap_or(topic);
        let Topic { family, polarity, .. } = &TOPICS.all[index];
        if *family == Family::BuyingRole && ROLE_LINES.is_line(self.sentence, topic, self.around.named) {
            return None;
        }
        // `Calls no, e-mail please` denies no mail.
        let across = self.clause(topic.start) != self.clause(topic.end - 1);
        if *family == Family::Channel && *polarity == Polarity::Minus && across {
            return None;
        }
        if self.is_doubted(index, topic, anchor) || self.is_own(anchor) {
            return None;
        }
        let words = topic.start.min(anchor.start)..topic.end.max(anchor.end);
        if *family == Family::BuyingRole
            && *polarity == Polarity::Plus
            && is_taken(self.sentence, &words, self.around.named)
        {
            return None;
        }
        let clauses = self.clauses(topic, anchor);
        // In a post who writes is `I`: `she` is somebody else, of whom it tells.
        let near = |at: &usize| clauses.contains(&self.clause(*at));
        let tells_of_others = self.around.kind == TextKind::Post
            && (0..self.sentence.tokens.len()).filter(near).any(|at| matches!(self.word(at), "he" | "she" | "er"))
            && !(0..self.sentence.tokens.len()).filter(near).any(|at| self.is_author(at));
        if tells_of_others {
            return None;
        }
        let role = |value: &str| *family == Family::BuyingRole && TOPICS.all[index].value == value;
        let keeps = role("gatekeeper");
        let whose = self.whose(anchor, topic, role("influencer"), &|at| clauses.contains(&self.clause(at)));
        whose.filter(|(contact, _)| !(keeps && self.is_guarded(*contact)))
    }

    /// From the first to the last clause of a topic and its stance.
    fn clauses(&self, topic: &Range<usize>, anchor: &Range<usize>) -> RangeInclusive<u32> {
        self.clause(topic.start).min(self.clause(anchor.start))
            ..=self.clause(topic.end - 1).max(self.clause(anchor.end - 1))
    }

    /// Whether it is supposed, asked, denied or past, or stands beside what makes something else of it.
    fn is_doubted(&self, index: usize, topic: &Range<usize>, anchor: &Range<usize>) -> bool {
        let outside = |words: &Range<usize>| !words.clone().all(|at| topic.contains(&at) || anchor.contains(&at));
        let clauses = self.clauses(topic, anchor);
        let near = |at: usize| clauses.contains(&self.clause(at));
        let is_habit = TOPICS.all[index].is_habit();
        let doubted = self.found.iter().any(|f| {
            let at = f.tokens.start;
            match *f.tag {
                Sign::Unless(of) => of == index,
                Sign::Doubt => outside(&f.tokens),
                Sign::DoubtOfHabits => {
                    // `She complains that nobody picks up when she calls` supposes nothing.
                    // `Has a lot of influence, even if she does not decide`.
                    let even =
                        at > 0 && matches!((self.word(at - 1), self.word(at)), ("auch", "wenn") | ("even", "if"));
                    let tells_when = self.word(at) == "when" && at >= anchor.end && at >= topic.end;
                    let told =
                        tells_when || even || self.counts(at) || tells_of_what(self.sentence, self.around.named, at);
                    !is_habit && !told && outside(&f.tokens)
                }
                Sign::Past => near(at) && outside(&f.tokens) && !self.is_something(at),
                _ => false,
            }
        });
        // `What she values is ...` asks nothing.
        let asks = |at: usize| {
            let before = at < anchor.start && at < topic.start;
            // `Wer zum Chef will, muss an ihr vorbei`.
            let whoever = at == 0 && self.word(0) == "wer" && self.clause(topic.end - 1) != self.clause(0);
            before
                && near(at)
                && !whoever
                && !matches!(self.word(at), "was" | "wie" | "what" | "how" | "when" | "which")
        };
        let context = &self.sentence.context;
        let asked = context.iter().any(|c| *c.tag == Tag::VetoBefore && asks(c.tokens.start));
        doubted || asked && !is_habit || self.is_denied(topic, anchor, &near)
    }

    /// `Bevor er was sagt`: the German `was` is no past.
    fn is_something(&self, at: usize) -> bool {
        const GERMAN: [&str; 29] = [
            "hat", "bei", "mit", "allem", "alles", "fuer", "ueber", "er", "sie", "ich", "man", "wir", "es", "der",
            "die", "das", "und", "wo", "wie", "bevor", "nie", "nicht", "so", "mal", "noch", "weiss", "sagt", "immer",
            "auch",
        ];
        self.word(at) == "was" && self.sentence.tokens.iter().any(|t| GERMAN.contains(&t.text))
    }

    /// `1 or 2`: a number is left open, not what is said.
    fn counts(&self, at: usize) -> bool {
        let digits = |at: Option<usize>| {
            let token = at.and_then(|at| self.sentence.tokens.get(at));
            token.is_some_and(|t| t.text.starts_with(|c: char| c.is_ascii_digit()))
        };
        matches!(self.word(at), "or" | "oder") && digits(at.checked_sub(1)) && digits(Some(at + 1))
    }

    /// A negation that is none of the parts; behind both of them it may belong to what is contrasted.
    fn is_denied(&self, topic: &Range<usize>, anchor: &Range<usize>, near: &impl Fn(usize) -> bool) -> bool {
        let negations = self.sentence.context.iter().filter(|c| *c.tag == Tag::Negation);
        negations.map(|c| c.tokens.clone()).any(|words| {
            let at = words.start;
            let inside = words.clone().all(|at| topic.contains(&at) || anchor.contains(&at));
            let behind = at >= topic.end && at >= anchor.end;
            let contrasted = behind
                && at > 0
                && (matches!(self.word(at - 1), "und" | "and" | "u" | "sonst")
                    || self.clause(at) != self.clause(at - 1)
                    || matches!(self.word(at), "statt" | "anstatt" | "instead" | "ohne" | "without"));
            // `More than anything else`.
            let compared = at > 0 && matches!(self.word(at - 1), "als" | "than");
            let counts = matches!(self.word(at), "no" | "none")
                && self.sentence.tokens.get(at + 1).is_some_and(|t| t.text.starts_with(|c: char| c.is_ascii_digit()));
            near(at) && !inside && !contrasted && !counts && !compared
        })
    }

    /// Whether it is what the author of a note says of the vendor: `Wir wollen Kosten senken`.
    fn is_own(&self, anchor: &Range<usize>) -> bool {
        let subject =
            |at: usize| at < anchor.end && self.clause(at) == self.clause(anchor.start) && !self.is_quoted(at);
        self.around.kind == TextKind::Note && self.found.iter().any(|f| *f.tag == Sign::Own && subject(f.tokens.start))
    }

    pub(super) fn clause(&self, at: usize) -> u32 {
        self.sentence.clauses[at]
    }

    pub(super) fn word(&self, at: usize) -> &str {
        self.sentence.tokens[at].text
    }
}
