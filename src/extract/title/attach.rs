//! The parts of a title among themselves: which share their time, which say something about the position beside them.
//!
//! Invariant: positions keep their order; a part without a person noun lends what it says and is gone.

use smallvec::SmallVec;

use super::judge::{Segment, judge};
use super::parse::{self, Item};
use super::scan;
use super::time::Kind;
use crate::taxonomy::Seniority;

/// Judges every part of a title.
pub(super) fn judged(items: &[Item], out: &mut Vec<Segment>) {
    out.extend(parse::segments(items).into_iter().map(|r| judge(items, r)));
    // "Former CEO and CFO": what is joined by "and" shares its time.
    for i in 1..out.len() {
        let at = out[i].items.0;
        let joined = items[at].before < scan::Sep::Comma;
        if joined && matches!(out[i - 1].kind, Kind::Former | Kind::Leave) && out[i].kind == Kind::Current {
            out[i].kind = out[i - 1].kind;
        }
    }
}

/// Segments without a person noun lend what they say to the position beside them.
pub(super) fn attach(items: &[Item], out: &mut Vec<Segment>, moving: &mut Vec<Segment>) {
    if out.len() < 2 {
        return;
    }
    moving.clear();
    std::mem::swap(out, moving);
    let mut loose: SmallVec<[Segment; 1]> = SmallVec::new();
    for s in moving.drain(..) {
        if s.person || s.kind == Kind::Nothing || (s.kind == Kind::Private) {
            out.push(s);
            let at = out.len() - 1;
            for l in loose.drain(..) {
                let announced = items[out[at].items.0].before == scan::Sep::Colon;
                lend(items, &mut out[at], &l, announced);
            }
        } else if let Some(host) = out.iter_mut().rev().find(|h| h.person && h.kind != Kind::Nothing) {
            lend(items, host, &s, true);
        } else {
            loose.push(s);
        }
    }
    let mut rest = loose.into_iter();
    if let Some(mut first) = rest.next() {
        rest.for_each(|l| lend(items, &mut first, &l, true));
        out.push(first);
    }
}

/// `time` = whether what it says about time holds for the host ("Head of Sales (former)", not "ex-Acme, CEO").
fn lend(items: &[Item], host: &mut Segment, s: &Segment, time: bool) {
    if time && matches!(s.kind, Kind::Former | Kind::Leave) && host.kind == Kind::Current {
        host.kind = s.kind;
    }
    let settled = host.scores.iter().any(|&x| x >= 2.0);
    let factor = if settled { 0.25 } else { 0.9 };
    for (h, x) in host.scores.iter_mut().zip(&s.scores) {
        *h += x * factor;
    }
    host.function_notes.extend(s.function_notes.iter().map(|&(i, f, w)| (i, f, w * factor)));
    host.power = host.power.or(s.power);
    host.notes.extend(s.notes.iter().filter(|(_, m)| !m.starts_with("seniority")).copied());
    let modifier = items[s.items.0..s.items.1].iter().find_map(|i| i.sense.as_ref().and_then(|x| x.modifier));
    if let (Some(m @ (Seniority::Senior | Seniority::Junior)), Some((Seniority::Professional, p))) =
        (modifier, host.level)
    {
        host.level = Some((m, p));
    }
}
