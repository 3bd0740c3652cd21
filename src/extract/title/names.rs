//! Which words of a title are names of companies and people, and which are denied: none of them is read.
//!
//! Invariant: marks items, never drops one; a title of one part is a position, not a name.

use super::lexicon::{Lexicon, flag};
use super::parse::{Item, fact};
use super::scan::{Sep, Token};
use super::sense::weight;
use crate::taxonomy::{JobFunction, Seniority};

/// Marks everything that is not read; `any` are the flags that any of the items has.
pub(super) fn mark(lex: &Lexicon, items: &mut [Item], any: u64, tokens: &[Token]) {
    let surname = |i: &Item| i.tokens.1 - i.tokens.0 == 1 && lex.surname(&tokens[i.tokens.0].text);
    let any = |flags: u64| any & flags != 0;
    if any(flag::COMPANY | flag::LEGAL_FORM | fact::AT) {
        mark_companies(items, tokens, &surname);
    }
    if any(fact::STRANGE) {
        mark_people(items, &surname);
    }
    if any(flag::DEGREE) {
        mark_degrees(items, tokens);
    }
    if any(flag::NEGATION) {
        mark_denied(items);
    }
}

/// Marks what names a company: after "bei", "at" and "@", and before a legal form.
fn mark_companies(items: &mut [Item], tokens: &[Token], surname: &impl Fn(&Item) -> bool) {
    let hard = |s: Sep| s >= Sep::Comma;
    let mut inside = false;
    for item in items.iter_mut() {
        inside &= !hard(item.before);
        inside |= item.has(flag::COMPANY) || item.before == Sep::At;
        item.company |= inside;
    }
    for i in 0..items.len() {
        if !items[i].has(flag::LEGAL_FORM) {
            continue;
        }
        let last = items.get(i + 1).is_none_or(|next| next.before >= Sep::Comma);
        if is_legal_form(&tokens[items[i].tokens.0], last) {
            mark_back(items, i, surname);
        }
    }
}

/// "AG" in capitals, "Inc" at the end of a part, or a form that is nothing else.
fn is_legal_form(t: &Token, last: bool) -> bool {
    t.caps
        || (last && t.before == Sep::Space && matches!(&*t.text, "inc" | "limited"))
        || !matches!(
            &*t.text,
            "ag" | "kg" | "ug" | "sa" | "bv" | "nv" | "spa" | "ev" | "eg" | "inc" | "limited" | "gruppe"
        )
}

/// From a legal form back to the word of the position or to a separator.
fn mark_back(items: &mut [Item], at: usize, surname: &impl Fn(&Item) -> bool) {
    let start = (0..=at).rev().find(|&i| items[i].before >= Sep::Comma).unwrap_or(0);
    let linker = |it: &Item| it.has(flag::OBJECT_LINKER);
    let position = |i: usize| items[i].person() && !(surname(&items[i]) && items[start..i].iter().any(Item::person));
    let from = (start..at)
        .rev()
        .find(|&i| linker(&items[i]) || position(i))
        .map_or(start, |i| if items[i].person() { i + 1 + usize::from(keeps_next(items, i, at)) } else { i + 1 });
    let from = if behind_position(items, start) && called(&items[start..at], surname) { start } else { from };
    for it in &mut items[from.min(at)..=at] {
        it.company = true;
    }
}

/// Whether somebody's position stands before a part of the title.
fn behind_position(items: &[Item], start: usize) -> bool {
    items[..start].iter().any(occupied)
}

/// A person noun of our own vocabulary that tells what one does.
fn occupied(i: &Item) -> bool {
    i.person() && i.sense.as_ref().is_some_and(|s| !s.derived && !s.state())
}

/// "Partner Bank", "Director Technologies", "Fischer Werke" before a legal form: a company is called so, as nobody
/// leads "Technologies". Words that nobody knows are a name, and the noun before them a position: "Partner Smith LLP".
fn called(name: &[Item], surname: &impl Fn(&Item) -> bool) -> bool {
    let [first, rest @ ..] = name else { return false };
    if !first.person() || rest.is_empty() || rest.iter().any(Item::person) {
        return false;
    }
    let sense = first.sense.as_ref();
    let leads = |s: &super::sense::Sense| {
        s.open && s.functions.is_empty() && s.level >= Some(Seniority::Lead) && s.level <= Some(Seniority::Director)
    };
    let known = || rest.iter().all(|i| i.sense.is_some());
    let leads = || sense.is_some_and(leads) && !rest.iter().any(department);
    surname(first) || ((first.has(flag::PARTNER) || leads()) && known())
}

/// A word of our own vocabulary for what a department does.
fn department(i: &Item) -> bool {
    !i.company && i.sense.as_ref().is_some_and(|s| !s.derived && s.functions.iter().any(|f| f.1 >= weight::DOMAIN))
}

/// Between "Leiter" and a company's name stands what is led.
fn keeps_next(items: &[Item], person: usize, legal: usize) -> bool {
    let open = items[person].sense.as_ref().is_some_and(|s| s.open);
    open && person + 2 < legal && items[person + 1].sense.as_ref().is_some_and(|s| !s.functions.is_empty())
}

/// "Max Koch, Leiter Vertrieb", "CEO Julia Richter": an occupation behind a word that nobody knows is a surname, where
/// the title tells a position besides.
fn mark_people(items: &mut [Item], surname: &impl Fn(&Item) -> bool) {
    for at in 1..items.len() {
        let ends = items.get(at + 1).is_none_or(|next| next.before >= Sep::Comma);
        let named = ends && items[at].before == Sep::Space && given_name(&items[at - 1]) && !items[at].company;
        if !named || !surname(&items[at]) {
            continue;
        }
        let given = (0..at).rev().take_while(|&i| items[i + 1].before == Sep::Space && given_name(&items[i]));
        let Some(from) = given.last() else { continue };
        let alone = from == 0 || items[from].before >= Sep::Comma || items[from - 1].has(flag::NOISE);
        let leads = |i: &Item| occupied(i) && i.level() >= Some(Seniority::Lead);
        let tells = |i: &Item| occupied(i) || department(i);
        let named =
            if alone { items[..from].iter().chain(&items[at + 1..]).any(tells) } else { leads(&items[from - 1]) };
        if named {
            items[from..=at].iter_mut().for_each(|i| i.company = true);
        }
    }
}

fn given_name(i: &Item) -> bool {
    i.sense.is_none() && !i.digits() && !i.company && !i.marked
}

/// "MD (Medical Doctor)", "Cardiologist, MD", "MD, PhD": no managing director.
fn mark_degrees(items: &mut [Item], tokens: &[Token]) {
    let Some(at) = items.iter().position(|i| i.has(flag::DEGREE)) else { return };
    let heals = |i: &Item| {
        let health = |s: &super::sense::Sense| s.functions.first().is_some_and(|f| f.0 == JobFunction::Healthcare);
        i.person() && i.sense.as_ref().is_some_and(health)
    };
    if items.iter().any(|i| heals(i) || &*tokens[i.tokens.0].text == "phd") {
        items[at].company = true;
    }
}

/// "Teamleiter ohne Personalverantwortung": what follows the denial, to the next separator.
fn mark_denied(items: &mut [Item]) {
    let mut denied = false;
    for at in 0..items.len() {
        let starts = at == 0 || items[at].before >= Sep::Comma || items[at].has(flag::CONJUNCTION);
        denied &= !starts;
        items[at].company |= denied;
        let bound = items.get(at + 1).is_some_and(|next| next.before == Sep::Hyphen);
        denied |= !starts && !bound && items[at].has(flag::NEGATION);
    }
}
