//! How a segment stands to the present: current, former, on leave, private, or no position at all.
//!
//! Invariant: needs no clock; an end that is told ("bis 2021") ends the position.

use super::lexicon::flag;
use super::means;
use super::parse::{Item, fact};
use super::scan::Sep;
use super::segment::Notes;
use crate::taxonomy::Seniority;

/// How a segment stands to the present position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Current,
    Former,
    Leave,
    /// Hobby or voluntary work.
    Private,
    /// Negated, a sentence, a company: no position.
    Nothing,
}

/// Former, on leave, private or no position at all; `any` are the flags of the segment, which begins at item `from`.
pub(super) fn kind(seg: &[Item], any: u64, from: usize, notes: &mut Notes) -> Kind {
    // Nearly all titles have no word that could say so.
    const SAYS: u64 = flag::SENTENCE
        | flag::NEGATION
        | flag::KIN
        | flag::HOBBY
        | flag::HOBBY_TOPIC
        | flag::UNPAID
        | flag::BOARD
        | flag::COVER
        | flag::LEAVE
        | flag::FORMER
        | flag::UNTIL;
    if any & (SAYS | fact::YEAR) == 0 {
        return Kind::Current;
    }
    let mut note = |i: usize, means| notes.push(((from + i) as u16, means));
    let find = |f: u64| seg.iter().position(|i| i.has(f) && !i.company);
    let sentence = seg.iter().filter(|i| i.has(flag::SENTENCE)).count();
    if sentence >= 2 || (sentence == 1 && (seg.len() > 5 || (seg[0].has(flag::SENTENCE) && seg.len() > 1))) {
        return Kind::Nothing;
    }
    // "No-Code Developer" is one.
    if seg[0].has(flag::NEGATION) && seg.get(1).is_some_and(|next| next.before != Sep::Hyphen) {
        return Kind::Nothing;
    }
    if related(seg) {
        return Kind::Nothing;
    }
    let own = seg.iter().any(|i| i.person() && i.sense.as_ref().is_some_and(|s| s.own));
    let leads = seg.iter().any(|i| paid(i) && i.level() >= Some(Seniority::Lead));
    let topic = || find(flag::HOBBY_TOPIC).filter(|&i| !(own || leads && seg[i].has(flag::CLUB)));
    if let Some(i) = find(flag::HOBBY).or_else(|| volunteers(seg)).or_else(topic) {
        note(i, means::PRIVATE);
        return Kind::Private;
    }
    if let Some(i) = club_office(seg) {
        note(i, means::PRIVATE);
        return Kind::Private;
    }
    if let Some(i) = find(flag::COVER) {
        note(i, means::COVER);
        return Kind::Current;
    }
    if let Some(i) = find(flag::LEAVE) {
        note(i, means::ON_LEAVE);
        return Kind::Leave;
    }
    if let Some(i) = former(seg).or_else(|| ended(seg)) {
        note(i, means::FORMER);
        return Kind::Former;
    }
    Kind::Current
}

/// "Tochter des Inhabers", "Nachfolger des Geschäftsführers", "son of the CEO": the position is another's.
fn related(seg: &[Item]) -> bool {
    let Some(kin) = seg.iter().position(|i| i.has(flag::KIN)) else { return false };
    let linked = seg.get(kin + 1).is_some_and(|next| next.has(flag::OBJECT_LINKER));
    linked && !seg[..kin].iter().any(Item::person) && seg[kin + 1..].iter().any(Item::person)
}

/// An office on the board of a club, whoever else has one there: "Vorstand Kleingartenverein". Who runs its business
/// is paid.
fn club_office(seg: &[Item]) -> Option<usize> {
    let office = seg.iter().position(|i| i.has(flag::BOARD))?;
    let club = seg.iter().any(|i| i.has(flag::CLUB));
    (club && !seg.iter().any(paid)).then_some(office)
}

/// "Ehrenamt", "Vorstand Ehrenamt", but not "Referentin Ehrenamt", who is paid for the work of others.
fn volunteers(seg: &[Item]) -> Option<usize> {
    (0..seg.len()).find(|&i| seg[i].has(flag::UNPAID) && !seg[i].company && !seg[..i].iter().any(paid))
}

/// A person noun of our own vocabulary other than those of boards.
fn paid(i: &Item) -> bool {
    i.person() && !i.has(flag::BOARD | flag::DEPUTY) && i.sense.as_ref().is_some_and(|s| !s.derived)
}

/// Whether a part says that the position before it is unpaid: "(Ehrenamt)", "(Sportverein)", ", ehrenamtlich".
pub(super) fn makes_private(items: &[Item], (from, to): (usize, usize), host: &[Item]) -> bool {
    let part = &items[from..to];
    let sep = part[0].before;
    let bracket = sep == Sep::Open && items.get(to).is_none_or(|next| next.before == Sep::Close);
    let noun = |i: &Item| i.has(flag::UNPAID) && (bracket || i.has(flag::ADJECTIVE));
    let unpaid = sep < Sep::Strong && part.iter().all(noun);
    let club = sep < Sep::Strong && part.iter().any(|i| i.has(flag::CLUB)) && !part.iter().any(|i| i.has(flag::BOARD));
    unpaid || (club && host.iter().any(|i| i.has(flag::BOARD)) && !host.iter().any(paid))
}

/// Where the position is said to be past. "Leiter des ehemaligen Werks", "Assistant to the former CEO": there it is
/// another that is past.
fn former(seg: &[Item]) -> Option<usize> {
    (0..seg.len()).find(|&i| {
        let belongs = || i > 0 && leads_on(&seg[i - 1]) && seg[..i].iter().any(Item::person);
        seg[i].has(flag::FORMER) && !seg[i].company && !(seg[i].has(flag::EX) && belongs())
    })
}

fn leads_on(i: &Item) -> bool {
    i.has(flag::LINKER) && !i.has(flag::CONJUNCTION)
}

/// Whether words say where somebody was before: "ex-Acme", "formerly at Acme", not "former" or "bis 2021" alone.
pub(super) fn former_employer(seg: &[Item]) -> bool {
    let first = seg.iter().position(|i| !i.has(flag::LINKER));
    first.is_some_and(|at| seg[at].has(flag::EX) && names_something(&seg[at + 1..]))
}

/// Whether a position ends where item `at` begins, as it tells of an earlier one: "CTO ex-Google", "CEO, vormals CFO".
pub(super) fn earlier(seg: &[Item], at: usize) -> bool {
    let position = || seg[..at].iter().any(Item::person) && !leads_on(&seg[at - 1]);
    let end = || (at + 1..seg.len()).find(|&k| seg[k].before >= Sep::Comma).unwrap_or(seg.len());
    seg[at].has(flag::EX) && !seg[at].company && at > 0 && position() && names_something(&seg[at + 1..end()])
}

fn names_something(words: &[Item]) -> bool {
    const TELLS_NOTHING: u64 = flag::FORMER
        | flag::LINKER
        | flag::COMPANY
        | flag::UNTIL
        | flag::SINCE
        | flag::PRESENT
        | flag::NOISE
        | flag::ACTING
        | flag::LEGAL_FORM;
    words.iter().any(|i| !i.digits() && !i.has(TELLS_NOTHING))
}

/// "bis 2021", "until 12/2021", "2015-2019": where the end is told.
fn ended(seg: &[Item]) -> Option<usize> {
    if seg.iter().any(|i| i.has(flag::PRESENT)) {
        return None;
    }
    (0..seg.len()).find(|&i| {
        let after = &seg[i + 1..seg.len().min(i + 5)];
        let until = seg[i].has(flag::UNTIL) && after.iter().any(|x| x.has(fact::YEAR));
        let range = seg[i].has(fact::YEAR) && after.first().is_some_and(|x| x.has(fact::YEAR));
        until || range
    })
}
