//! The parts of a title among themselves: which share their time, which say something about the position beside them.
//!
//! Invariant: positions keep their order; a part without a person noun lends what it says and is gone.

use smallvec::SmallVec;

use super::judge::judge;
use super::lexicon::flag;
use super::means::Means;
use super::parse::{self, Item};
use super::scan;
use super::segment::Segment;
use super::sense::weight;
use super::split::department;
use super::time::{Kind, former_employer, makes_private};
use crate::taxonomy::{JobFunction, Seniority};

/// Judges every part of a title.
pub(super) fn judged(items: &[Item], out: &mut Vec<Segment>) {
    parse::segments(items, |range| out.push(judge(items, range)));
    // "Former CEO and CFO": what is joined by "and" shares its time, but not "Bürgermeister a. D. und Berater", nor
    // "Ex-Banker und Berater".
    for i in 1..out.len() {
        let at = out[i].items.0;
        let joined = items[at].before < scan::Sep::Comma;
        if joined && begins_past(items, &out[i - 1]) && out[i].kind == Kind::Current {
            out[i].kind = out[i - 1].kind;
        }
    }
}

/// Whether a part says that it is past before it says what.
fn begins_past(items: &[Item], s: &Segment) -> bool {
    let part = &items[s.items.0..s.items.1];
    let told = part.iter().position(|i| i.has(flag::FORMER | flag::LEAVE));
    let noun = part.iter().position(Item::person);
    let bound = told.is_some_and(|t| part.get(t + 1).is_some_and(|next| next.before == scan::Sep::Hyphen));
    matches!(s.kind, Kind::Former | Kind::Leave) && told.is_some() && !bound && (noun.is_none() || told < noun)
}

/// Segments without a person noun lend what they say to the position beside them.
pub(super) fn attach(items: &[Item], out: &mut Vec<Segment>, moving: &mut Vec<Segment>) {
    if out.len() < 2 {
        return;
    }
    moving.clear();
    std::mem::swap(out, moving);
    let mut loose: SmallVec<[Segment; 1]> = SmallVec::new();
    let mut moved = moving.drain(..).peekable();
    while let Some(mut s) = moved.next() {
        let announces = moved.peek().is_some_and(|next| items[next.items.0].before == scan::Sep::Colon);
        let part = &items[s.items.0..s.items.1];
        if let Some(host) = out.last_mut().filter(|h| h.person && h.items.1 == s.items.0 && !s.person)
            && makes_private(items, s.items, &items[host.items.0..host.items.1])
        {
            (host.kind, s.kind) = (Kind::Private, Kind::Private);
            out.push(s);
            continue;
        }
        if s.person && !matches!(s.kind, Kind::Nothing | Kind::Private) {
            let past = s.kind != Kind::Current;
            let strong = items[s.items.0].before == scan::Sep::Strong;
            out.push(s);
            let at = out.len() - 1;
            // "Prokurist, ehemals Leiter Einkauf", "Vertrieb | Former CFO": what holds now is not lent to the past.
            let holds = |l: &Segment| past && l.kind == Kind::Current && (strong || l.power.is_some());
            let (kept, lent): (SmallVec<[Segment; 1]>, SmallVec<[Segment; 1]>) =
                loose.drain(..).partition(|l| holds(l));
            loose = kept;
            for l in lent {
                let announced = items[out[at].items.0].before == scan::Sep::Colon;
                lend(items, &mut out[at], &l, announced);
            }
        } else if s.person || matches!(s.kind, Kind::Nothing | Kind::Private) || former_employer(part) {
            out.push(s);
        } else if s.kind == Kind::Former && announces {
            loose.push(s);
        } else if let Some(host) = out.iter_mut().rev().find(|h| h.person && h.kind != Kind::Nothing) {
            lend(items, host, &s, true);
        } else {
            loose.push(s);
        }
    }
    let mut rest = loose.into_iter();
    if let Some(mut first) = rest.next() {
        rest.for_each(|l| {
            // "Anna Kaiser - Einkauf": a name says no level.
            first.level = first.level.or(l.level);
            lend(items, &mut first, &l, true);
        });
        out.push(first);
    }
}

/// How much the departments behind the first of a list say.
const NEXT: f32 = 0.75;

/// `time` = whether what it says about time holds for the host ("Head of Sales (former)", not "ex-Acme, CEO").
fn lend(items: &[Item], host: &mut Segment, s: &Segment, time: bool) {
    if time && matches!(s.kind, Kind::Former | Kind::Leave) && host.kind == Kind::Current {
        host.kind = s.kind;
    }
    let settled = host.scores.each().any(|(_, x)| x >= 2.0);
    let (factor, most) = match () {
        () if !settled => (0.9, f32::MAX),
        () if led(items, host, s) => (weight::LED, f32::MAX),
        // Two that are one function do not outweigh the first: "Personal, Recht und Compliance".
        () if enumerated(items, s) => (NEXT, NEXT * weight::DOMAIN),
        () => (0.25, f32::MAX),
    };
    s.scores.each().for_each(|(f, x)| host.scores.add(f, (x * factor).min(most)));
    host.function_notes.extend(s.function_notes.iter().map(|&(i, f, w)| (i, f, w * factor)));
    host.power = host.power.or(s.power);
    host.notes.extend(s.notes.iter().filter(|n| !Means::is_seniority(n.1)).copied());
    let modifier = items[s.items.0..s.items.1].iter().find_map(|i| i.sense.as_ref().and_then(|x| x.modifier));
    if let (Some(m @ (Seniority::Senior | Seniority::Junior)), Some((Seniority::Professional, p))) =
        (modifier, host.level)
    {
        host.level = Some((m, p));
    }
}

/// "Geschäftsführerin, Technik": the department of somebody who leads the company, as without the comma.
fn led(items: &[Item], host: &Segment, s: &Segment) -> bool {
    let executive = |i: &Item| {
        let leads = |x: &super::sense::Sense| {
            x.own && x.noun_first() && x.functions.iter().all(|f| f.0 == JobFunction::ExecutiveManagement)
        };
        i.level() == Some(Seniority::CLevel) && i.sense.as_ref().is_some_and(leads)
    };
    let others = host.scores.each().any(|(f, x)| f != JobFunction::ExecutiveManagement && x > 0.9);
    let beside = host.items.1 == s.items.0 && items[s.items.0].before < scan::Sep::Close;
    let advice = s.scores.of(JobFunction::Consulting) > 0.0;
    beside && !others && !advice && departments(items, s) && items[host.items.0..host.items.1].iter().any(executive)
}

/// "Leiter Einkauf, Logistik und Produktion": one list of departments, though it has a comma.
fn enumerated(items: &[Item], s: &Segment) -> bool {
    let (from, to) = s.items;
    let end = (to..items.len()).find(|&i| items[i].before > scan::Sep::Comma).unwrap_or(items.len());
    let and = |i: &Item| i.has(flag::CONJUNCTION) || i.before == scan::Sep::Amp;
    items[from].before == scan::Sep::Comma && departments(items, s) && items[from + 1..end].iter().any(and)
}

/// Names of departments and nothing else.
fn departments(items: &[Item], s: &Segment) -> bool {
    let names = |i: &Item| {
        let says = |x: &super::sense::Sense| {
            !x.derived && x.functions.iter().any(|f| f.1 >= weight::DOMAIN && department(f.0))
        };
        i.has(flag::LINKER) || (!i.company && i.sense.as_ref().is_some_and(says))
    };
    items[s.items.0..s.items.1].iter().all(names)
}
