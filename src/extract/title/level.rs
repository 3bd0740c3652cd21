//! What moves a level: seniority words, and what it is that a manager manages.
//!
//! Invariant: pure functions of one segment; a level is moved by what stands in the same segment only.

use super::lexicon::flag;
use super::parse::Item;
use super::scan::Sep;
use super::sense::weight;
use super::split::department;
use crate::taxonomy::{JobFunction, Seniority};

/// "Innovation Manager", "Feelgood Manager": no department beside the manager, so nobody need be led.
pub(super) fn manages_a_thing(items: &[Item], others: impl Iterator<Item = usize>) -> bool {
    let mut any = false;
    for i in others {
        let Some(sense) = items[i].sense.as_ref() else {
            any |= !items[i].digits();
            continue;
        };
        if sense.person || sense.functions.iter().any(|f| f.1 >= weight::DOMAIN) {
            return false;
        }
        any |= sense.modifier.is_none() && sense.flags == 0;
    }
    any
}

/// The level after a modifier, where the modifier has a say.
pub(super) fn moved(level: Seniority, by: Seniority, manager: bool, before: bool) -> Option<Seniority> {
    let plain = level <= Seniority::Senior;
    match by {
        Seniority::Trainee if before => Some(Seniority::Trainee),
        Seniority::Junior if (plain || manager) && level > Seniority::Junior => Some(Seniority::Junior),
        Seniority::Senior if plain && level == Seniority::Professional || manager => Some(Seniority::Senior),
        Seniority::Lead if plain && before && level >= Seniority::Professional => Some(Seniority::Lead),
        _ => None,
    }
}

/// "HR Business Partner", "Cloud Platform Owner": no partner in the firm, no owner of one.
pub(super) fn staff_partner(items: &[Item], from: usize, g: usize) -> bool {
    use JobFunction::{
        Consulting, EngineeringRnd, ExecutiveManagement, FinanceControlling, It, LegalCompliance, ProductManagement,
        ProjectManagement, Quality,
    };
    let before = |fits: &dyn Fn(JobFunction) -> bool| {
        let first = |i: &Item| i.sense.as_ref().and_then(|s| s.functions.first().copied());
        items[from..g].iter().filter_map(first).any(|(f, w)| w > 0.5 && fits(f))
    };
    let firm = |f| matches!(f, Consulting | ExecutiveManagement | FinanceControlling | LegalCompliance);
    let thing = |f| matches!(f, It | ProductManagement | ProjectManagement | Quality | EngineeringRnd);
    (items[g].has(flag::PARTNER) && before(&|f| !firm(f)))
        || (items[g].has(flag::OWNS) && items[g].before <= Sep::Hyphen && before(&thing))
}

/// "IT-Chef", "Chef der Produktion": the boss of a department, where a "Private Chef" or "Hospital Chef" cooks.
pub(super) fn boss(items: &[Item], (from, to): (usize, usize), g: usize) -> bool {
    let leads = |i: usize| {
        let Some(s) = items[i].sense.as_ref().filter(|s| !items[i].company && !s.derived) else { return false };
        let Some(&(f, w)) = s.functions.first() else { return false };
        let joined = i > g || (i + 1 == g && items[g].before == Sep::Hyphen);
        let german = (!s.english || s.german) && department(f);
        f != JobFunction::Other && w >= weight::TOPIC && (joined || german)
    };
    items[g].has(flag::BOSS) && (from..to).filter(|&i| i != g).any(leads)
}

/// "Software Designer", "Architekt IT", "Auditor Qualität": the craft gives way to the field right beside it.
pub(super) fn gives_way(items: &[Item], (from, to): (usize, usize), g: usize) -> bool {
    if !items[g].has(flag::CRAFT) {
        return false;
    }
    let first = |i: usize| items[i].sense.as_ref().filter(|s| !s.derived).and_then(|s| s.functions.first().copied());
    let Some((own, _)) = first(g) else { return false };
    let takes = |i: usize| {
        !items[i].company
            && !items[i].person()
            && first(i).is_some_and(|(f, w)| w >= weight::DOMAIN && field_of(own, f))
    };
    (g > from && items[g].before <= Sep::Hyphen && takes(g - 1))
        || (g + 1 < to && items[g + 1].before <= Sep::Hyphen && takes(g + 1))
}

/// Whether a craft is of another field where that field is named beside it; accounts are audited, also those of IT.
pub(super) fn field_of(craft: JobFunction, field: JobFunction) -> bool {
    use JobFunction::{EngineeringRnd, FinanceControlling, It, Quality, SustainabilityEhs};
    match craft {
        FinanceControlling => matches!(field, Quality | SustainabilityEhs),
        _ => field != craft && matches!(field, It | EngineeringRnd | Quality),
    }
}
