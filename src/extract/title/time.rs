//! How a segment stands to the present: current, former, on leave, private, or no position at all.
//!
//! Invariant: needs no clock; an end that is told ("bis 2021") ends the position.

use smallvec::SmallVec;

use super::lexicon::flag;
use super::parse::Item;

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

/// Former, on leave, private or no position at all.
pub(super) fn kind(
    items: &[Item],
    (from, to): (usize, usize),
    notes: &mut SmallVec<[(usize, &'static str); 4]>,
) -> Kind {
    let seg = &items[from..to];
    let find = |f: u32| seg.iter().position(|i| i.has(f) && !i.company);
    let sentence = seg.iter().filter(|i| i.has(flag::SENTENCE)).count();
    if sentence >= 2 || (sentence == 1 && (seg.len() > 5 || (seg[0].has(flag::SENTENCE) && seg.len() > 1))) {
        return Kind::Nothing;
    }
    if seg[0].has(flag::NEGATION) && seg.len() > 1 {
        return Kind::Nothing;
    }
    let own = seg.iter().any(|i| i.person() && i.sense.as_ref().is_some_and(|s| s.own));
    if let Some(i) = find(flag::HOBBY).or_else(|| find(flag::HOBBY_TOPIC).filter(|_| !own)) {
        notes.push((from + i, "private"));
        return Kind::Private;
    }
    if let Some(i) = find(flag::COVER) {
        notes.push((from + i, "cover"));
        return Kind::Current;
    }
    if let Some(i) = find(flag::LEAVE) {
        notes.push((from + i, "on_leave"));
        return Kind::Leave;
    }
    if let Some(i) = find(flag::FORMER).or_else(|| ended(seg)) {
        notes.push((from + i, "former"));
        return Kind::Former;
    }
    Kind::Current
}

/// "bis 2021", "until 12/2021", "2015-2019": where the end is told.
fn ended(seg: &[Item]) -> Option<usize> {
    if seg.iter().any(|i| i.has(flag::PRESENT)) {
        return None;
    }
    (0..seg.len()).find(|&i| {
        let after = &seg[i + 1..seg.len().min(i + 5)];
        let until = seg[i].has(flag::UNTIL) && after.iter().any(|x| x.year);
        let range = seg[i].year && after.first().is_some_and(|x| x.year);
        until || range
    })
}
