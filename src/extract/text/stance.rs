//! Statements whose parts stand apart: what a sentence speaks of, how it speaks of it, and whose view that is.
//!
//! Invariant: a statement needs one contact whose view it can only be; in doubt it is nobody's. What is supposed, denied, past,
//! or the note's author's own yields nothing.

use std::collections::BTreeMap;
use std::ops::Range;

use super::address::pronoun;
use super::doubt::Doubts;
use super::guard::token::Token;
use super::part::Part;
use super::people::Mention;
use super::phrase::{Found, View};
use super::role_lines::ROLE_LINES;
use super::rules::Family;
use super::seat::is_taken;
use super::seen::Seen;
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
    /// Those named last were several.
    pub(super) several: bool,
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
    let mut all = Vec::new();
    if found.is_empty() {
        return all;
    }
    let here = Here::new(sentence, around, found);
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
    pub(super) seen: Seen,
    found: &'a [Found<'static, Sign>],
    pub(super) doubts: Doubts,
    /// Stances, in order.
    stances: Vec<(usize, Range<usize>)>,
    /// How many words the longest of them has.
    longest: usize,
}

impl<'a> Here<'a> {
    fn new(sentence: &'a Read<'a>, around: &'a Around<'a>, found: &'a [Found<'static, Sign>]) -> Self {
        let stance = |f: &Found<'static, Sign>| match *f.tag {
            Sign::Stance(stance) => Some((stance, f.tokens.clone())),
            _ => None,
        };
        let stances: Vec<(usize, Range<usize>)> = found.iter().filter_map(stance).collect();
        let longest = stances.iter().map(|(_, words)| words.len()).max().unwrap_or(0);
        let doubts = Doubts::of(sentence, around, found);
        Self { sentence, around, found, doubts, stances, longest, seen: Seen::default() }
    }

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
        let from = self.stances.partition_point(|(_, s)| s.start + self.longest + MAX_WORDS < at.start);
        let to = self.stances.partition_point(|(_, s)| s.start <= at.end + MAX_WORDS);
        let fitting = self.stances[from..to].iter().filter(|(stance, s)| topic.takes(*stance) && beside(s));
        let mut all: Vec<Range<usize>> = fitting.map(|(_, s)| s.clone()).collect();
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
            let mut stances = self.stances.iter().filter(|(stance, _)| topic.takes(*stance));
            let said = stances.find_map(|(_, stance)| self.believed(left.topic, stance, Some(stance)));
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
        if is_taken(self.sentence, (*family, *polarity), &words, self.around.named) {
            return None;
        }
        // In a post who writes is `I`: `she` is somebody else, of whom it tells.
        let near = self.near(topic, anchor);
        let tells_of_others = self.around.kind == TextKind::Post
            && near.clone().any(|at| matches!(self.word(at), "he" | "she" | "er"))
            && !near.clone().any(|at| self.is_author(at));
        if tells_of_others {
            return None;
        }
        let role = |value: &str| *family == Family::BuyingRole && TOPICS.all[index].value == value;
        let keeps = role("gatekeeper");
        let is_role = *family == Family::BuyingRole;
        let whose = self.viewer(anchor, topic, role("influencer"), &near);
        let is_no_view = |contact: usize| keeps && self.is_guarded(contact) || is_role && self.is_source(contact);
        whose.filter(|(contact, _)| !is_no_view(*contact))
    }

    /// The words from the first to the last clause of a topic and its stance.
    pub(super) fn near(&self, topic: &Range<usize>, anchor: &Range<usize>) -> Range<usize> {
        let last = (topic.end - 1).max(anchor.end - 1);
        self.sentence.clause_start(topic.start.min(anchor.start))..self.sentence.clause_end(last)
    }

    pub(super) fn clause(&self, at: usize) -> u32 {
        self.sentence.clauses[at]
    }

    pub(super) fn word(&self, at: usize) -> &str {
        self.sentence.tokens[at].text
    }
}
