//! What casts doubt on a statement whose parts stand apart: what is supposed, asked, denied, past, or the author's own.
//!
//! Invariant: it only takes statements away. A sentence is looked through once, and not for each statement again.

use std::collections::BTreeSet;
use std::ops::Range;

use super::TextKind;
use super::phrase::Found;
use super::rules::Tag;
use super::sentence::Read;
use super::stance::{Around, Here, tells_of_what};
use super::topics::{Sign, TOPICS};

/// What casts doubt in a sentence, each list in the order of the text.
pub(super) struct Doubts {
    /// Topics beside which something stands that makes something else of them.
    unless: BTreeSet<usize>,
    supposed: Vec<Range<usize>>,
    /// What supposes something, but not where somebody tells a habit.
    conditions: Vec<Range<usize>>,
    past: Vec<Range<usize>>,
    /// Where the one who wrote a note does something.
    own: Vec<usize>,
    asked: Vec<usize>,
    denied: Vec<Range<usize>>,
}

impl Doubts {
    pub(super) fn of(sentence: &Read<'_>, around: &Around<'_>, found: &[Found<'static, Sign>]) -> Self {
        let mut doubts = Self {
            unless: BTreeSet::new(),
            supposed: Vec::new(),
            conditions: Vec::new(),
            past: Vec::new(),
            own: Vec::new(),
            asked: Vec::new(),
            denied: Vec::new(),
        };
        for Found { tag, tokens, .. } in found {
            let at = tokens.start;
            match tag {
                Sign::Unless(of) => _ = doubts.unless.insert(*of),
                Sign::Doubt => doubts.supposed.push(tokens.clone()),
                Sign::DoubtOfHabits if !is_no_condition(sentence, around, at) => doubts.conditions.push(tokens.clone()),
                Sign::Past if !is_something(sentence, at) => doubts.past.push(tokens.clone()),
                Sign::Own if around.kind == TextKind::Note => doubts.own.push(at),
                _ => {}
            }
        }
        for Found { tag, tokens, .. } in &sentence.context {
            match tag {
                // `What she values is ...` asks nothing.
                Tag::VetoBefore if !asks_of_what(word(sentence, tokens.start)) => doubts.asked.push(tokens.start),
                Tag::Negation => doubts.denied.push(tokens.clone()),
                _ => {}
            }
        }
        doubts
    }
}

impl Here<'_> {
    /// Whether it is supposed, asked, denied or past, or stands beside what makes something else of it.
    pub(super) fn is_doubted(&self, index: usize, topic: &Range<usize>, anchor: &Range<usize>) -> bool {
        let Doubts { unless, supposed, conditions, past, asked, .. } = &self.doubts;
        let outside = |words: &Range<usize>| !words.clone().all(|at| topic.contains(&at) || anchor.contains(&at));
        let near = self.near(topic, anchor);
        let is_habit = TOPICS.all[index].is_habit();
        // `She complains that nobody picks up when she calls` supposes nothing.
        let tells_when = |at: usize| self.word(at) == "when" && at >= anchor.end && at >= topic.end;
        let is_condition = |words: &Range<usize>| !tells_when(words.start) && outside(words);
        // `Wer zum Chef will, muss an ihr vorbei`.
        let whoever = |at: usize| at == 0 && self.word(0) == "wer" && self.clause(topic.end - 1) != self.clause(0);
        let before = near.start..anchor.start.min(topic.start);
        let is_asked =
            || asked[from(asked, near.start)..].iter().take_while(|at| **at < before.end).any(|at| !whoever(*at));
        unless.contains(&index)
            || supposed.iter().any(outside)
            || !is_habit && conditions.iter().any(is_condition)
            || within(past, &near).any(outside)
            || !is_habit && is_asked()
            || self.is_denied(topic, anchor, &near)
    }

    /// A negation that is none of the parts; behind both of them it may belong to what is contrasted.
    fn is_denied(&self, topic: &Range<usize>, anchor: &Range<usize>, near: &Range<usize>) -> bool {
        within(&self.doubts.denied, near).any(|words| {
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
            let counts = matches!(self.word(at), "no" | "none") && is_number(self.sentence, Some(at + 1));
            !inside && !contrasted && !counts && !compared
        })
    }

    /// Whether it is what the author of a note says of the vendor: `Wir wollen Kosten senken`.
    pub(super) fn is_own(&self, anchor: &Range<usize>) -> bool {
        let own = &self.doubts.own;
        let start = from(own, self.sentence.clause_start(anchor.start));
        let end = anchor.end.min(self.sentence.clause_end(anchor.start));
        own[start..].iter().take_while(|at| **at < end).any(|at| !self.is_quoted(*at))
    }
}

/// Where in a list those begin that stand at a word or behind it.
fn from(all: &[usize], word: usize) -> usize {
    all.partition_point(|at| *at < word)
}

/// Those of a list that begin at one of some words.
fn within<'d>(all: &'d [Range<usize>], words: &Range<usize>) -> impl Iterator<Item = &'d Range<usize>> {
    let (start, end) = (words.start, words.end);
    all[all.partition_point(|at| at.start < start)..].iter().take_while(move |at| at.start < end)
}

fn word<'s>(sentence: &'s Read<'_>, at: usize) -> &'s str {
    sentence.tokens[at].text
}

fn is_number(sentence: &Read<'_>, at: Option<usize>) -> bool {
    let token = at.and_then(|at| sentence.tokens.get(at));
    token.is_some_and(|t| t.text.starts_with(|c: char| c.is_ascii_digit()))
}

/// `Was sie schätzt, ist ...` tells of what.
fn asks_of_what(word: &str) -> bool {
    matches!(word, "was" | "wie" | "what" | "how" | "when" | "which")
}

/// Whether what may suppose something supposes nothing where it stands.
fn is_no_condition(sentence: &Read<'_>, around: &Around<'_>, at: usize) -> bool {
    let before = at.checked_sub(1);
    // `Has a lot of influence, even if she does not decide`.
    let even = before.is_some_and(|before| {
        matches!((word(sentence, before), word(sentence, at)), ("auch", "wenn") | ("even", "if"))
    });
    // `1 or 2`: a number is left open, not what is said.
    let counts =
        matches!(word(sentence, at), "or" | "oder") && is_number(sentence, before) && is_number(sentence, Some(at + 1));
    even || counts || tells_of_what(sentence, around.named, at)
}

/// `Bevor er was sagt`: the German `was` is no past.
fn is_something(sentence: &Read<'_>, at: usize) -> bool {
    const GERMAN: [&str; 29] = [
        "hat", "bei", "mit", "allem", "alles", "fuer", "ueber", "er", "sie", "ich", "man", "wir", "es", "der", "die",
        "das", "und", "wo", "wie", "bevor", "nie", "nicht", "so", "mal", "noch", "weiss", "sagt", "immer", "auch",
    ];
    word(sentence, at) == "was" && sentence.tokens.iter().any(|t| GERMAN.contains(&t.text))
}
