//! What lines of notes are headed with, and whose statement follows: `Hr. Brandt: ...`.
//!
//! Invariant: a head names one contact, or nobody; what is headed with somebody unknown is nobody's.

use std::ops::Range;

use super::guard::fold::Cell;
use super::part::{Part, is_heading, is_known};
use super::people::{Mention, Who};
use super::role_lines::ROLE_LINES;
use super::rules::Tag;
use super::sentence::Read;

/// Departments and pronouns that head a line of somebody else's words.
const FUNCTIONS: [&str; 32] = [
    "einkauf",
    "gf",
    "produktion",
    "it",
    "vertrieb",
    "werkstatt",
    "buchhaltung",
    "lager",
    "instandhaltung",
    "qs",
    "konstruktion",
    "einkaufsleiter",
    "chef",
    "wir",
    "ich",
    "uns",
    "we",
    "us",
    "me",
    "i",
    "purchasing",
    "procurement",
    "finance",
    "ops",
    "engineering",
    "maintenance",
    "production",
    "sales",
    "warehouse",
    "reception",
    "boss",
    "kollege",
];

/// Whose somebody is.
const OF: [&str; 6] = ["von", "vom", "of", "bei", "for", "fuer"];

/// Lists of people are headed with it.
const LISTING: [&str; 13] = [
    "cc",
    "bcc",
    "an",
    "to",
    "teilnehmer",
    "tn",
    "attendees",
    "anwesend",
    "present",
    "there",
    "who",
    "verteiler",
    "gaeste",
];

/// So many words may stand between a name and the colon behind it: `Brandt / Service:`.
const MAX_BEHIND: usize = 3;

/// A contact with whose name a line is headed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) contact: usize,
    /// Nothing stands behind it, so that it heads the bullets below.
    pub(super) alone: bool,
}

/// Whose line it is.
pub(super) fn headed(sentence: &Read<'_>, named: &[Mention]) -> Option<Head> {
    let first = named.first()?;
    let Who::Contact(contact) = first.who else { return None };
    let tokens = &sentence.tokens;
    let before = &tokens[..first.tokens.start];
    // `Chef von Brandt:` is somebody else, `cc: Brandt` nobody who says anything.
    let of_another =
        before.last().is_some_and(|t| OF.contains(&t.text)) && before.iter().any(|t| !t.word.is(Part::HEADING));
    if !before.iter().all(is_heading) || of_another || before.iter().any(|t| LISTING.contains(&t.text)) {
        return None;
    }
    // `Mtg Brandt 3.4.` in a line of its own.
    if named.len() == 1 && tokens[first.tokens.end..].iter().all(is_heading) {
        return Some(Head { contact, alone: true });
    }
    let behind = tokens[first.tokens.end - 1].cells.end;
    let mark = sentence.marks.iter().find(|mark| mark.cells.start >= behind)?;
    let between = tokens.iter().filter(|t| t.cells.start >= behind && t.cells.end <= mark.cells.start);
    let mut written = sentence.cells[behind..mark.cells.start].iter().map(|c| c.raw).filter(|c| !c.is_whitespace());
    let bracketed = written.next() == Some('(') && written.next_back() == Some(')');
    let most = if mark.colon || bracketed { MAX_BEHIND } else { 0 };
    let others = named.iter().skip(1).any(|m| tokens[m.tokens.start].cells.start < mark.cells.start);
    let alone = tokens.last().is_none_or(|t| t.cells.end <= mark.cells.start);
    (between.count() <= most && !others).then_some(Head { contact, alone })
}

/// Whether a sentence lists who was there.
pub(super) fn lists_people(sentence: &Read<'_>) -> bool {
    let Some(mark) = sentence.marks.first().filter(|mark| mark.colon) else { return false };
    let head = sentence.tokens.iter().take_while(|t| t.cells.end <= mark.cells.start).last();
    head.is_some_and(|t| LISTING.contains(&t.text))
}

/// Whether a line is headed with somebody who is no contact, or with what may be the name of one: `Lammers: ...`,
/// `Kai (Vertrieb): ...`, `Einkauf: ...`, `Assistentin von Brandt: ...`, or a line of its own above bullets.
pub(super) fn headed_by_stranger(sentence: &Read<'_>, named: &[Mention]) -> bool {
    let mark = sentence.marks.first();
    let end = mark.map_or(sentence.cells.len(), |mark| mark.cells.start);
    let bracket = sentence.cells[..end].iter().position(|c| c.raw == '(').unwrap_or(end);
    let head = sentence.tokens.iter().take_while(|t| t.cells.end <= bracket).count();
    let is_function = |at: usize| FUNCTIONS.contains(&sentence.tokens[at].text);
    if mark.is_some_and(|mark| mark.colon) && (1..=2).contains(&head) && is_function(head - 1) && named.is_empty() {
        return true;
    }
    let may_name = |at: usize| {
        let token = &sentence.tokens[at];
        let is_short = token.word.chars() <= 2 || token.word.is_upper() && token.word.chars() <= 4;
        let is_word = token.word.is(Part::NO_NAME) || token.word.is(Part::TOPIC) || ROLE_LINES.has(token.text);
        token.capital && !is_short && !is_word && !is_heading(token) && !is_known(token)
    };
    let initial = |at: usize| sentence.tokens[at].capital && sentence.tokens[at].word.chars() == 1;
    (1..=MAX_BEHIND).contains(&head)
        && named.iter().all(|m| m.tokens.start >= head)
        && (0..head).any(may_name)
        && (0..head).all(|at| may_name(at) || initial(at) || is_heading(&sentence.tokens[at]))
}

/// The people named, but for those who are the measure of somebody else in the head of a line, or whom a list names.
pub(super) fn as_meant(sentence: &Read<'_>, mut named: Vec<Mention>) -> Vec<Mention> {
    if named.is_empty() {
        return named;
    }
    let Some(mark) = sentence.marks.first() else { return named };
    let head = sentence.tokens.iter().take_while(|t| t.cells.end <= mark.cells.start).count();
    let heads = named.iter().filter(|m| m.tokens.end <= head).collect::<Vec<_>>();
    if is_of_contact(sentence, &heads, head) {
        named.iter_mut().filter(|m| m.tokens.end <= head).for_each(|m| m.who = Who::Stranger);
    } else if mark.colon && head > 0 && LISTING.contains(&sentence.tokens[head - 1].text) {
        let line = sentence.cells[mark.cells.end..].iter().skip_while(|c| c.raw.is_whitespace());
        let line = mark.cells.end + 1 + line.take_while(|c| !matches!(c.raw, '\n' | '\r')).count();
        let listed = sentence.tokens[head..].iter().take_while(|t| t.cells.start < line);
        // `Who's who: Karen decides` lists nobody.
        let is_list =
            listed.clone().all(|t| t.capital || is_heading(t) || matches!(t.text, "und" | "and" | "u" | "me"));
        if is_list && listed.count() > 0 {
            for mention in &mut named {
                mention.who = Who::Stranger;
            }
        }
    }
    named
}

/// Whether a head names a contact as the measure of somebody else: `Assistentin von Brandt`, `Brandt und Kollege`.
fn is_of_contact(sentence: &Read<'_>, named: &[&Mention], head: usize) -> bool {
    let [only] = named else { return false };
    if head > MAX_BEHIND + 2 {
        return false;
    }
    let others = sentence.context.iter().filter(|c| *c.tag == Tag::ThirdParty && c.tokens.end <= head);
    let is_other = |at: usize| at >= only.tokens.end || at + 1 < only.tokens.start;
    let ours = sentence.tokens[..only.tokens.start]
        .iter()
        .any(|t| matches!(t.text, "unser" | "unsere" | "our" | "mein" | "my"));
    let of = only.tokens.start.checked_sub(1).is_some_and(|at| OF.contains(&sentence.tokens[at].text));
    let wife = of && only.tokens.start > 1 && sentence.tokens[only.tokens.start - 2].word.is(Part::ADDRESS);
    ours || wife || others.map(|c| c.tokens.start).any(is_other)
}

/// Where the words begin behind what a line is headed with if that is a topic: `Price: negotiates hard`; 0 without a head.
pub(super) fn topic_head(sentence: &Read<'_>) -> usize {
    let Some(mark) = sentence.marks.iter().find(|mark| mark.colon) else { return 0 };
    let head = sentence.tokens.iter().take_while(|t| t.cells.end <= mark.cells.start).count();
    if head <= MAX_BEHIND && head < sentence.tokens.len() { head } else { 0 }
}

/// A sign that parts a head from what it heads.
pub(super) struct Mark {
    pub(super) cells: Range<usize>,
    pub(super) colon: bool,
}

/// `:`, `=`, an arrow, a dash with blanks around it, in order.
pub(super) fn marks(cells: &[Cell]) -> impl Iterator<Item = Mark> + '_ {
    let blank = |at: usize| cells.get(at).is_none_or(|c| c.raw.is_whitespace());
    let may_be = |at: &usize| matches!(cells[*at].raw, ':' | '=' | '-' | '–' | '—' | '→');
    (0..cells.len()).filter(may_be).filter_map(move |at| {
        let next = cells.get(at + 1).map(|c| c.raw);
        let end = match cells[at].raw {
            '-' | '–' | '=' if next == Some('>') => at + 2,
            '=' if at > 0 && matches!(cells[at - 1].raw, '!' | '≠') => return None,
            ':' if blank(at + 1) => at + 1,
            '=' | '→' => at + 1,
            '-' | '–' | '—' if at > 0 && blank(at - 1) && blank(at + 1) => at + 1,
            _ => return None,
        };
        Some(Mark { cells: at..end, colon: cells[at].raw == ':' })
    })
}
