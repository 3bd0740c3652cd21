//! What one segment says: its governing person noun, the level, the functions, relations and time.
//!
//! Invariant: an executive who is only the object of a relation ("Assistentin der Geschäftsführung") gives no level.

use smallvec::SmallVec;

use super::level::{boss, gives_way, manages_a_thing, moved, staff_partner};
use super::lexicon::flag;
use super::means;
use super::parse::{Item, fact};
use super::scan::Sep;
use super::sense::{Sense, weight};
use super::time::{Kind, kind};
use crate::taxonomy::{JobFunction, Seniority, SigningPower};

/// The number of functions.
pub(super) const N: usize = JobFunction::ALL.len();

/// How sure a level is.
mod sure {
    pub const STATED: f64 = 0.93;
    pub const MANAGER: f64 = 0.7;
    pub const PLAIN: f64 = 0.8;
    pub const DOMAIN_ONLY: f64 = 0.55;
}

/// Places of items.
type Indices = SmallVec<[usize; 8]>;

/// What one segment says.
#[derive(Debug, Clone)]
pub(super) struct Segment {
    pub kind: Kind,
    pub items: (usize, usize),
    pub scores: [f32; N],
    pub level: Option<(Seniority, f64)>,
    /// Someone is called this: there is a person noun.
    pub person: bool,
    /// That noun tells what one is, not what one does.
    pub state: bool,
    pub power: Option<SigningPower>,
    /// (item, what it means), besides functions.
    pub notes: SmallVec<[(usize, &'static str); 4]>,
    /// (item, function, log-odds).
    pub function_notes: SmallVec<[(usize, JobFunction, f32); 6]>,
}

/// Reads one segment.
pub(super) fn judge(items: &[Item], range: (usize, usize)) -> Segment {
    let mut s = Segment {
        kind: Kind::Current,
        items: range,
        scores: [0.0; N],
        level: None,
        person: false,
        state: false,
        power: None,
        notes: SmallVec::new(),
        function_notes: SmallVec::new(),
    };
    s.kind = kind(items, range, &mut s.notes);
    let suppressed = suppressed(items, range);
    let governing = govern(items, range, &suppressed).map(|g| through_member(items, range.1, g));
    s.person = governing.is_some();
    s.state = governing.is_some_and(|g| items[g].sense.as_ref().is_some_and(|x| x.state()));
    if let Some(g) = governing {
        level(items, range, g, &mut s);
    }
    power(items, range, &mut s);
    functions(items, range, governing, &suppressed, &mut s);
    office(items, range, &suppressed, &mut s);
    if s.level.is_none() && s.scores.iter().any(|&x| x > 0.0) {
        s.level = Some((Seniority::Professional, sure::DOMAIN_ONLY));
    }
    s
}

/// A power to sign; that of managing directors only with those who are.
fn power(items: &[Item], (from, to): (usize, usize), s: &mut Segment) {
    const POWERS: [(u64, SigningPower); 3] = [
        (flag::PROKURA, SigningPower::Prokura),
        (flag::GESCHAEFTSFUEHRUNG, SigningPower::Geschaeftsfuehrung),
        (flag::HANDLUNGSVOLLMACHT, SigningPower::Handlungsvollmacht),
    ];
    const ANY: u64 = flag::PROKURA | flag::GESCHAEFTSFUEHRUNG | flag::HANDLUNGSVOLLMACHT;
    if !items[from..to].iter().any(|i| i.has(ANY)) {
        return;
    }
    let executive = s.level.is_some_and(|(l, _)| l >= Seniority::CLevel);
    for (bit, power) in POWERS {
        let stands = executive || power != SigningPower::Geschaeftsfuehrung;
        let denied = |i: usize| i > from && items[i - 1].has(flag::NEGATION);
        if let Some(i) = (from..to).find(|&i| items[i].has(bit) && !denied(i)).filter(|_| stands) {
            s.notes.push((i, means::power(power)));
            s.power = Some(power);
            return;
        }
    }
}

/// Where the object of a relation starts: after the first person noun, at "der", "of", "to", "für".
fn object_start(items: &[Item], (from, to): (usize, usize)) -> Option<usize> {
    let first = (from..to).find(|&i| items[i].person())?;
    if items[first].has(fact::OF) {
        return Some(first + 1);
    }
    (first + 1..to).find(|&i| items[i].has(flag::OBJECT_LINKER) || items[i].has(fact::OF))
}

/// Executives that are named only as those whose office or team this is.
fn suppressed(items: &[Item], (from, to): (usize, usize)) -> Indices {
    let office = |i: &Item| i.has(flag::OFFICE_OF) && !i.person();
    (from..to)
        .filter(|&i| items[i].person() && items[i].level() >= Some(Seniority::Head))
        .filter(|&i| {
            let before = (from..i).rev().find(|&k| !items[k].has(flag::LINKER) || office(&items[k]));
            // "Büro- und Personalleiterin" leads both.
            let apart = |k: usize| items[k + 1..i].iter().any(|x| x.has(flag::CONJUNCTION));
            let led = before.is_some_and(|k| office(&items[k]) && !apart(k));
            let owned = items[i].level() >= Some(Seniority::Vp)
                && i + 1 < to
                && office(&items[i + 1])
                && items[i + 1].before <= Sep::Hyphen;
            // "VP Sales' assistant".
            let last = (i..to).take_while(|&k| k == i || !items[k].person()).find(|&k| items[k].has(fact::POSSESSIVE));
            led || owned || last.is_some_and(|k| k + 1 < to)
        })
        .collect()
}

/// The person noun that the segment calls somebody.
fn govern(items: &[Item], (from, to): (usize, usize), suppressed: &[usize]) -> Option<usize> {
    let cut = object_start(items, (from, to)).unwrap_or(to);
    let all: Indices = (from..cut).filter(|i| items[*i].person() && !suppressed.contains(i)).collect();
    let sense = |i: usize| items[i].sense.as_ref().expect("persons have a sense");
    let (&first, &last) = (all.first()?, all.last()?);
    if all.len() == 1 || suppressed.iter().any(|&s| s < first) {
        return Some(first);
    }
    let curated: Indices = all.iter().copied().filter(|&i| !sense(i).derived && !sense(i).state()).collect();
    let (first, last) = (*curated.first().unwrap_or(&first), *curated.last().unwrap_or(&last));
    let german = sense(first).noun_first();
    // "Assistant to the CEO", "Assistenz Vertriebsleitung"; but an "Assistant Manager" is a manager.
    let second = &items[all[1]];
    let served = second.level() >= Some(Seniority::CLevel)
        || (sense(all[1]).noun_first() && second.level() >= Some(Seniority::Head));
    let assists = assists(&items[first]) && served;
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
fn assists(item: &Item) -> bool {
    item.sense.as_ref().is_some_and(|s| {
        s.functions.first().is_some_and(|f| f.0 == JobFunction::AdministrationAssistance)
            && s.level < Some(Seniority::Lead)
    })
}

fn level(items: &[Item], (from, to): (usize, usize), g: usize, s: &mut Segment) {
    let sense = items[g].sense.as_ref().expect("persons have a sense");
    let mut level = sense.level.unwrap_or(Seniority::Professional);
    if items[g].has(fact::OFFICER) && items[from..g].iter().any(|i| i.has(flag::CHIEF)) {
        level = Seniority::CLevel;
    } else if staff_partner(items, from, g) {
        level = Seniority::Professional;
    } else if boss(items, (from, to), g) {
        level = Seniority::Head;
    }
    let about = !sense.functions.is_empty()
        || items[from..g].iter().any(|i| i.sense.as_ref().is_some_and(|s| !s.functions.is_empty()));
    let others = (from..to).filter(|&i| i != g && !items[i].company && !items[i].has(flag::LINKER));
    if sense.manages && level == Seniority::Lead && manages_a_thing(items, others.clone()) {
        level = Seniority::Professional;
    }
    let seniority_only =
        sense.manages && others.clone().all(|i| items[i].sense.as_ref().is_some_and(|x| x.modifier.is_some()));
    let about = about || (sense.manages && others.clone().count() > 0 && !seniority_only);
    let manager = level == Seniority::Lead && about && (sense.english || (sense.own && !sense.german));
    let moves = manager || (sense.manages && level == Seniority::Lead);
    let mut p = match level {
        Seniority::Professional if sense.derived => sure::PLAIN - 0.1,
        Seniority::Professional => sure::PLAIN,
        _ if manager => sure::MANAGER,
        _ => sure::STATED,
    };
    let cut = object_start(items, (from, to)).unwrap_or(to);
    let mut by = g;
    for i in (from..cut).filter(|&i| i != g) {
        if let Some(m) = items[i].sense.as_ref().filter(|_| !items[i].company).and_then(|x| x.modifier)
            && let Some(moved) = moved(level, m, moves, i < g)
        {
            level = moved;
            p = sure::STATED;
            by = i;
        }
    }
    if let Some(m) = sense.modifier.and_then(|m| moved(level, m, moves, true)) {
        level = m;
        p = sure::STATED;
    }
    let early = (from..cut).find(|&i| items[i].has(flag::DEPUTY) && i != g);
    if let Some(d) = early {
        s.notes.push((d, "deputy"));
        p -= 0.15;
    } else if sense.flags & flag::DEPUTY != 0 {
        s.notes.push((g, "deputy"));
        p -= 0.15;
    } else if g > from && assists(&items[g - 1]) && level >= Seniority::Lead {
        s.notes.push((g - 1, "deputy"));
        p -= 0.1;
    }
    if let Some(a) = (from..cut).find(|&i| items[i].has(flag::ACTING)) {
        s.notes.push((a, "acting"));
    }
    s.notes.push((by, means::seniority(level)));
    s.level = Some((level, p));
}

/// Adds up what the words say about functions, by their place around the governing noun.
fn functions(items: &[Item], (from, to): (usize, usize), g: Option<usize>, suppressed: &[usize], s: &mut Segment) {
    let state = |i: usize| g.is_some() && items[i].sense.as_ref().is_some_and(|s| s.state());
    let silent = |i: usize| items[i].company || items[i].has(flag::PARTNER) || is_former_only(&items[i]) || state(i);
    let reads = |i: usize| Some(i) != g && !suppressed.contains(&i) && !silent(i);
    // Who advises on strategy or for the management is an adviser.
    let advises = g
        .and_then(|g| items[g].sense.as_ref())
        .is_some_and(|s| s.open && s.functions.first().is_some_and(|f| f.0 == JobFunction::Consulting));
    let mut add = |i: usize, factor: f32| {
        let Some(sense) = items[i].sense.as_ref() else { return };
        for &(f, w) in sense.functions.iter() {
            let factor = if advises && f == JobFunction::ExecutiveManagement { factor * 0.25 } else { factor };
            s.scores[f as usize] += w * factor;
            s.function_notes.push((i, f, w * factor));
        }
    };
    let Some(g) = g else {
        runs(items, from, to, &reads, 1.0, false, &mut add);
        return;
    };
    let sense = items[g].sense.as_ref().expect("persons have a sense");
    let way = gives_way(items, (from, to), g);
    if !boss(items, (from, to), g) {
        add(g, if way || staff_partner(items, from, g) { 0.2 } else { 1.0 });
    }
    let leads = sense.level >= Some(Seniority::CLevel)
        && sense.level != Some(Seniority::Owner)
        && sense.own
        && !sense.functions.is_empty();
    let own = sense.functions.iter().map(|f| f.1).fold(0.0, f32::max);
    let exec = leads && sense.functions[0].0 == JobFunction::ExecutiveManagement;
    let serving = assists(&items[g]) && suppressed.iter().any(|&i| i < g);
    let pre_factor: f32 = if exec {
        weight::LED
    } else if serving {
        0.2
    } else if sense.own && !way {
        0.35
    } else {
        1.0
    };
    // "Vertriebs- und Marketingleiter": the first named is first.
    let led = sense.level >= Some(Seniority::Lead) && sense.noun_first();
    let twin = (own < weight::ROLE || led || items[g].tokens.1 - items[g].tokens.0 > 1)
        && g > from
        && (items[g - 1].has(flag::CONJUNCTION) || matches!(items[g].before, Sep::Amp | Sep::Slash));
    let factor = if twin { pre_factor.max(1.05 * own / weight::DOMAIN) } else { pre_factor };
    let pre = before(items, (from, g), factor, exec, &reads, &mut add);
    let assists = assists(&items[g]);
    let served = serving || (g + 1..to).any(|i| items[i].level() >= Some(Seniority::Lead));
    let strong = pre >= weight::DOMAIN || own >= weight::DOMAIN;
    let post = match () {
        () if assists && served => 0.2,
        () if way => 1.0,
        () if exec => weight::LED,
        () if strong => 0.25,
        () => 1.0,
    };
    runs(items, g + 1, to, &reads, post, sense.noun_first(), &mut add);
    if (assists && served) || serves_board(&items[from..to], sense, s) {
        serves(s, g);
    }
}

/// Strategy and operations are topics; the management board itself is who is served, but for its advisers.
fn serves_board(items: &[Item], sense: &Sense, s: &Segment) -> bool {
    s.scores[JobFunction::ExecutiveManagement as usize] >= 0.2 * weight::DOMAIN
        && items.iter().any(|i| i.level() >= Some(Seniority::CLevel) || says_board(i))
        && sense.functions.first().is_none_or(|f| f.0 != JobFunction::Consulting)
        && s.level.is_some_and(|(l, _)| l <= Seniority::Senior)
        && !sense.own
}

/// "Geschäftsführung", "Vorstand": a strong word for those who manage the company.
fn says_board(i: &Item) -> bool {
    i.sense
        .as_ref()
        .is_some_and(|s| s.functions.iter().any(|f| f.0 == JobFunction::ExecutiveManagement && f.1 >= weight::DOMAIN))
}

/// Whoever works for an executive does administration, not executive management.
fn serves(s: &mut Segment, g: usize) {
    s.scores[JobFunction::ExecutiveManagement as usize] = 0.0;
    s.scores[JobFunction::AdministrationAssistance as usize] += 1.8;
    s.function_notes.retain(|n| n.1 != JobFunction::ExecutiveManagement);
    s.function_notes.push((g, JobFunction::AdministrationAssistance, 1.8));
}

/// Words before the governing noun, nearest first; returns the greatest weight among them.
fn before(
    items: &[Item],
    (from, g): (usize, usize),
    mut factor: f32,
    exec: bool,
    reads: &impl Fn(usize) -> bool,
    add: &mut impl FnMut(usize, f32),
) -> f32 {
    let mut pre = 0.0_f32;
    for i in (from..g).rev().filter(|&i| reads(i)) {
        let weight = items[i].sense.as_ref().map_or(0.0, |x| x.functions.iter().map(|f| f.1).fold(0.0, f32::max));
        if weight == 0.0 {
            continue;
        }
        let person = items[i].person();
        let own_factor = match () {
            () if person && assists(&items[i]) => 0.2,
            () if exec && items[i].has(flag::ADJECTIVE) => 0.4,
            () => factor,
        };
        add(i, own_factor);
        pre = pre.max(weight * factor);
        let coordinated =
            i > from && items[i - 1].has(flag::CONJUNCTION) || matches!(items[i].before, Sep::Amp | Sep::Slash);
        factor *= if coordinated { 1.02 } else { 0.55 };
    }
    pre
}

/// A word that only tells time, relation or power says nothing about a function.
fn is_former_only(i: &Item) -> bool {
    i.has(flag::FORMER | flag::LEAVE | flag::SENTENCE)
}

/// Domain words without a person noun among them: runs joined by "and", "," and so on.
/// In English, and in hyphenated words, the last of a run counts most; in German the first.
fn runs(
    items: &[Item],
    from: usize,
    to: usize,
    reads: &impl Fn(usize) -> bool,
    base: f32,
    german: bool,
    add: &mut impl FnMut(usize, f32),
) {
    let says = |i: usize| reads(i) && items[i].sense.as_ref().is_some_and(|s| !s.functions.is_empty());
    let mut factor = base;
    let mut i = from;
    while i < to {
        if !says(i) {
            // "für", "for", "in" after the first domain leads to less important words.
            i += 1;
            continue;
        }
        let mut end = i + 1;
        while end < to && says(end) && matches!(items[end].before, Sep::Space | Sep::Hyphen) {
            end += 1;
        }
        let hyphens = (i + 1..end).all(|k| items[k].before == Sep::Hyphen);
        let last_counts = (end - i > 1 && hyphens) || !german;
        for (k, item) in items.iter().enumerate().take(end).skip(i) {
            let most = if last_counts { k + 1 == end } else { k == i };
            let person = if item.person() { 0.6 } else { 1.0 };
            add(k, factor * person * if most { 1.0 } else { 0.55 });
        }
        let coordinated =
            end < to && (items[end].has(flag::CONJUNCTION) || matches!(items[end].before, Sep::Amp | Sep::Slash));
        factor *= if coordinated { 0.88 } else { 0.45 };
        i = end;
    }
}

/// "Büro des Vorstands", "VP's office": administration, at no level of its own.
fn office(items: &[Item], (from, to): (usize, usize), suppressed: &[usize], s: &mut Segment) {
    if suppressed.is_empty() || s.person {
        return;
    }
    if let Some(i) = (from..to).find(|&i| items[i].has(flag::OFFICE_OF)) {
        s.scores[JobFunction::AdministrationAssistance as usize] += 1.6;
        s.function_notes.push((i, JobFunction::AdministrationAssistance, 1.6));
        s.level = Some((Seniority::Professional, sure::DOMAIN_ONLY));
    }
}
