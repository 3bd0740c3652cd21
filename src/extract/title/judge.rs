//! What one segment says: its governing person noun, the level, the functions, relations and time.
//!
//! Invariant: an executive who is only the object of a relation ("Assistentin der Geschäftsführung") gives no level.

use super::level::{boss, manages_a_thing, moved, staff_partner};
use super::lexicon::flag;
use super::means;
use super::parse::{Item, fact};
use super::scan::Sep;
use super::segment::Segment;
use super::sense::Sense;
use super::set::Set;
use super::speech::functions;
use super::time::kind;
use crate::taxonomy::{JobFunction, Seniority, SigningPower};

/// How sure a level is.
mod sure {
    pub const STATED: f64 = 0.93;
    pub const MANAGER: f64 = 0.7;
    pub const PLAIN: f64 = 0.8;
    pub const DOMAIN_ONLY: f64 = 0.55;
}

/// A segment as it is judged.
pub(super) struct Part<'a> {
    pub items: &'a [Item],
    pub from: usize,
    pub to: usize,
    /// The flags that any of its items has.
    pub any: u64,
    persons: Set,
    /// Executives that are named only as those whose office or team this is.
    pub suppressed: Set,
    /// Where the object of a relation starts, else the end.
    cut: usize,
}

/// Reads one segment.
pub(super) fn judge(items: &[Item], (from, to): (usize, usize)) -> Segment {
    let (mut any, mut persons) = (0, Set::default());
    for (i, item) in items[from..to].iter().enumerate() {
        any |= item.flags;
        if item.person() {
            persons.add(from + i);
        }
    }
    let mut p = Part { items, from, to, any, persons, suppressed: Set::default(), cut: to };
    p.cut = object_start(&p).unwrap_or(to);
    p.suppressed = suppressed(&p);
    let mut s = Segment::new((from, to), any);
    s.kind = kind(&items[from..to], any, from, &mut s.notes);
    let governing = govern(&p).map(|g| through_member(items, to, g));
    s.person = governing.is_some();
    s.state = governing.is_some_and(|g| items[g].sense.as_ref().is_some_and(Sense::state));
    if let Some(g) = governing {
        level(&p, g, &mut s);
    }
    power(&p, &mut s);
    functions(&p, governing, &mut s);
    office(&p, &mut s);
    if s.level.is_none() && s.scores.over(0.0) {
        s.level = Some((Seniority::Professional, sure::DOMAIN_ONLY));
    }
    s
}

impl Part<'_> {
    fn any(&self, flags: u64) -> bool {
        self.any & flags != 0
    }

    /// The first item up to `end` that has a flag.
    fn find(&self, flags: u64, end: usize) -> Option<usize> {
        if self.any(flags) { (self.from..end).find(|&i| self.items[i].has(flags)) } else { None }
    }

    pub fn sense(&self, person: usize) -> &Sense {
        self.items[person].sense.as_ref().expect("persons have a sense")
    }
}

/// A power to sign; that of managing directors only with those who are.
fn power(p: &Part, s: &mut Segment) {
    const POWERS: [(u64, SigningPower); 3] = [
        (flag::PROKURA, SigningPower::Prokura),
        (flag::GESCHAEFTSFUEHRUNG, SigningPower::Geschaeftsfuehrung),
        (flag::HANDLUNGSVOLLMACHT, SigningPower::Handlungsvollmacht),
    ];
    const ANY: u64 = flag::PROKURA | flag::GESCHAEFTSFUEHRUNG | flag::HANDLUNGSVOLLMACHT;
    if !p.any(ANY) {
        return;
    }
    let executive = s.level.is_some_and(|(l, _)| l >= Seniority::CLevel);
    for (bit, power) in POWERS {
        let stands = executive || power != SigningPower::Geschaeftsfuehrung;
        let denied = |i: usize| i > p.from && p.items[i - 1].has(flag::NEGATION);
        if let Some(i) = (p.from..p.to).find(|&i| p.items[i].has(bit) && !denied(i)).filter(|_| stands) {
            s.note(i, means::power(power));
            s.power = Some(power);
            return;
        }
    }
}

/// Where the object of a relation starts: after the first person noun, at "der", "of", "to", "für".
fn object_start(p: &Part) -> Option<usize> {
    const LEADS_ON: u64 = flag::OBJECT_LINKER | fact::OF;
    let first = p.persons.first().filter(|_| p.any(LEADS_ON))?;
    if p.items[first].has(fact::OF) {
        return Some(first + 1);
    }
    (first + 1..p.to).find(|&i| p.items[i].has(LEADS_ON))
}

fn suppressed(p: &Part) -> Set {
    let Part { items, from, to, persons, .. } = *p;
    let mut out = Set::default();
    if !p.any(flag::OFFICE_OF | fact::POSSESSIVE) {
        return out;
    }
    let office = |i: &Item| i.has(flag::OFFICE_OF) && !i.person();
    for i in persons.each().filter(|&i| items[i].level() >= Some(Seniority::Head)) {
        let before = (from..i).rev().find(|&k| !items[k].has(flag::LINKER) || office(&items[k]));
        // "Büro- und Personalleiterin" leads both.
        let apart = |k: usize| items[k + 1..i].iter().any(|x| x.has(flag::CONJUNCTION));
        let led = before.is_some_and(|k| office(&items[k]) && !apart(k));
        let owned = items[i].level() >= Some(Seniority::Vp)
            && i + 1 < to
            && office(&items[i + 1])
            && items[i + 1].before <= Sep::Hyphen;
        // "VP Sales' assistant".
        let last = (i..to).take_while(|&k| k == i || !persons.has(k)).find(|&k| items[k].has(fact::POSSESSIVE));
        if led || owned || last.is_some_and(|k| k + 1 < to) {
            out.add(i);
        }
    }
    out
}

/// The person noun that the segment calls somebody.
fn govern(p: &Part) -> Option<usize> {
    let all = p.persons.below(p.cut).without(p.suppressed);
    let (first, last) = (all.first()?, all.last()?);
    if first == last || !p.suppressed.below(first).is_empty() {
        return Some(first);
    }
    let mut curated = Set::default();
    all.each().filter(|&i| !p.sense(i).derived && !p.sense(i).state()).for_each(|i| curated.add(i));
    let second = all.each().nth(1).unwrap_or(last);
    let (first, last) = (curated.first().unwrap_or(first), curated.last().unwrap_or(last));
    let german = p.sense(first).noun_first();
    // "Assistant to the CEO", "Assistenz Vertriebsleitung"; but an "Assistant Manager" is a manager.
    let level = p.items[second].level();
    let served = level >= Some(Seniority::CLevel) || (p.sense(second).noun_first() && level >= Some(Seniority::Head));
    let assists = served && assists(&p.items[first]);
    Some(if german || assists { first } else { last })
}

/// "Member of the Supervisory Board": the body tells the level, not the member.
fn through_member(items: &[Item], to: usize, g: usize) -> usize {
    if !items[g].has(flag::TRANSPARENT) {
        return g;
    }
    let own = items[g].level().max(Some(Seniority::Vp));
    (g + 1..to).find(|&i| items[i].level() > own).unwrap_or(g)
}

/// Assistants and secretaries: their function gives way, their level is never that of whom they assist.
pub(super) fn assists(item: &Item) -> bool {
    item.sense.as_ref().is_some_and(|s| {
        s.functions.first().is_some_and(|f| f.0 == JobFunction::AdministrationAssistance)
            && s.level < Some(Seniority::Lead)
    })
}

/// The level of a person noun by itself and by what stands beside it, and whether whoever has it leads people.
fn own_level(p: &Part, g: usize) -> (Seniority, bool) {
    let Part { items, from, to, .. } = *p;
    let sense = p.sense(g);
    let mut level = sense.level.unwrap_or(Seniority::Professional);
    if items[g].has(fact::OFFICER) && p.find(flag::CHIEF, g).is_some() {
        level = Seniority::CLevel;
    } else if staff_partner(items, from, g) {
        level = Seniority::Professional;
    } else if boss(items, (from, to), g) {
        level = Seniority::Head;
    }
    if level != Seniority::Lead {
        return (level, false);
    }
    let mut others = (from..to).filter(|&i| i != g && !items[i].company && !items[i].has(flag::LINKER));
    if sense.manages && manages_a_thing(items, others.clone()) {
        return (Seniority::Professional, false);
    }
    // Some other word than those of seniority.
    let mut managed = || sense.manages && others.any(|i| !items[i].has(fact::MOVES));
    let about = || items[from..=g].iter().any(|i| i.has(fact::SAYS));
    let manager = (sense.english || (sense.own && !sense.german)) && (about() || managed());
    (level, manager)
}

fn level(p: &Part, g: usize, s: &mut Segment) {
    let Part { items, from, cut, .. } = *p;
    let sense = p.sense(g);
    let (mut level, manager) = own_level(p, g);
    let moves = manager || (sense.manages && level == Seniority::Lead);
    let mut sure = match level {
        Seniority::Professional if sense.derived => sure::PLAIN - 0.1,
        Seniority::Professional => sure::PLAIN,
        _ if manager => sure::MANAGER,
        _ => sure::STATED,
    };
    let mut by = g;
    let modifiers = if p.any(fact::MOVES) { from..cut } else { 0..0 };
    for i in modifiers.filter(|&i| i != g && items[i].has(fact::MOVES) && !items[i].company) {
        if let Some(m) = items[i].sense.as_ref().and_then(|x| x.modifier)
            && let Some(moved) = moved(level, m, moves, i < g)
        {
            level = moved;
            sure = sure::STATED;
            by = i;
        }
    }
    if let Some(m) = sense.modifier.and_then(|m| moved(level, m, moves, true)) {
        level = m;
        sure = sure::STATED;
    }
    let early = if p.any(flag::DEPUTY) {
        (from..cut).find(|&i| i != g && items[i].has(flag::DEPUTY)).or(Some(g).filter(|_| items[g].has(flag::DEPUTY)))
    } else {
        None
    };
    if let Some(d) = early {
        s.note(d, means::DEPUTY);
        sure -= 0.15;
    } else if level >= Seniority::Lead && g > from && assists(&items[g - 1]) {
        s.note(g - 1, means::DEPUTY);
        sure -= 0.1;
    }
    if let Some(a) = p.find(flag::ACTING, cut) {
        s.note(a, means::ACTING);
    }
    s.note(by, means::seniority(level));
    s.level = Some((level, sure));
}

/// "Büro des Vorstands", "VP's office": administration, at no level of its own.
fn office(p: &Part, s: &mut Segment) {
    if p.suppressed.is_empty() || s.person {
        return;
    }
    if let Some(i) = p.find(flag::OFFICE_OF, p.to) {
        s.speak(i, JobFunction::AdministrationAssistance, 1.6);
        s.level = Some((Seniority::Professional, sure::DOMAIN_ONLY));
    }
}
