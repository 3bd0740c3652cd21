//! Words to what they mean: look-up, inflection, and German compounds split from the right.
//!
//! Invariant: at most a fixed number of look-ups a letter; words longer than `MAX` are not split.

use super::level::field_of;
use super::lexicon::{Lexicon, Word, flag};
use super::sense::{Functions, Sense, weight};
use super::short;
use super::word::uninflected;
use crate::taxonomy::{JobFunction, Seniority};

/// No German job title of one word is longer.
const MAX: usize = 64;
/// Shortest part of a compound, but for the few in `SHORT`.
const MIN_PART: usize = 4;
const SHORT: &[&str] = &["it", "hr", "pr", "bau", "edv", "amt", "koch", "rat"];
/// What may stand between the parts of a compound.
const LINKS: [&str; 6] = ["", "s", "n", "en", "es", "er"];

/// Looks a single word up, in all its forms.
pub(super) fn sense(lex: &Lexicon, w: &str) -> Option<Sense> {
    if let Some(a) = lex.ambiguous(w) {
        return Some(Sense::of_ambiguous(a));
    }
    if let Some(word) = find(lex, w) {
        return Some(Sense::of_word(word));
    }
    let parts = form(lex, w).or_else(|| compound(lex, w));
    if parts.is_some() {
        return parts;
    }
    if let Some(full) = short::spelled_out(w) {
        return sense(lex, &full);
    }
    lex.derived(w).or_else(|| uninflected(w).find_map(|(s, _)| lex.derived(s))).map(Sense::of_derived)
}

/// Which rule tells what a word means; the same order as [`sense`].
pub(super) enum Pattern {
    /// A listed word, by its entry.
    Listed(String),
    Abbreviation(String),
    /// Its end, and what stands before it, nearest first.
    Compound(String, Vec<String>),
    Derived(String),
    /// Anything else that its letters tell: clubs, units, who does a known work.
    Form(String),
}

/// The rule that a word is known by.
pub(super) fn pattern(lex: &Lexicon, w: &str) -> Pattern {
    let owned = str::to_owned;
    if lex.ambiguous(w).is_some() {
        return Pattern::Abbreviation(owned(w));
    }
    if lex.word(w).is_some() {
        return Pattern::Listed(owned(w));
    }
    if find(lex, w).is_some() {
        let entry = uninflected(w).map(|u| u.0).find(|stem| lex.word(stem).is_some());
        return Pattern::Listed(owned(entry.unwrap_or(w)));
    }
    if form(lex, w).is_some() {
        return Pattern::Form(owned(w));
    }
    if let Some((from, _)) = compound_head(lex, w) {
        return Pattern::Compound(owned(&w[from..]), parts(lex, &w[..from]));
    }
    if let Some(full) = short::spelled_out(w) {
        return pattern(lex, &full);
    }
    let stem = || uninflected(w).map(|u| u.0).find(|s| lex.derived(s).is_some());
    match Some(w).filter(|w| lex.derived(w).is_some()).or_else(stem) {
        Some(entry) => Pattern::Derived(owned(entry)),
        None => Pattern::Form(owned(w)),
    }
}

/// The known parts before the head of a compound, nearest first.
fn parts(lex: &Lexicon, mut rest: &str) -> Vec<String> {
    let mut out = Vec::new();
    while let Some((from, _)) = last_part(lex, rest).filter(|p| !(1..3).contains(&p.0) && out.len() < 4) {
        out.push(rest[from..].to_owned());
        rest = &rest[..from];
    }
    out
}

/// What a word means by its end and what stands before it, without being split.
fn form(lex: &Lexicon, w: &str) -> Option<Sense> {
    club(w).or_else(|| short::unit(lex, w)).or_else(|| short::service(lex, w)).or_else(|| agent(lex, w))
}

/// Clubs by their name: `Kleingartenverein`, `Schachklub`; not those that are a business.
fn club(w: &str) -> Option<Sense> {
    const BUSINESS: [&str; 8] =
        ["versicherung", "lohnsteuer", "kredit", "bank", "vorschuss", "automobil", "spar", "konsum"];
    let w = w.trim_end_matches('s');
    let name = ["verein", "klub", "club"].iter().find_map(|end| w.strip_suffix(end))?;
    let leisure = name.len() >= 3 && !BUSINESS.iter().any(|b| name.starts_with(b));
    leisure.then(|| Sense { flags: flag::CLUB, german: true, ..Sense::default() })
}

/// Who does a known work: `Lieferantenmanager` by `Lieferantenmanagement`, `Projektierer` by `Projektierung`.
fn agent(lex: &Lexicon, w: &str) -> Option<Sense> {
    const ENDS: [(&str, &str); 3] = [("manager", "management"), ("er", "ung"), ("ler", "lung")];
    if w.len() < 8 || w.len() > MAX {
        return None;
    }
    ENDS.iter().find_map(|(end, work)| {
        let name = format!("{}{work}", w.strip_suffix(end)?);
        let function = find(lex, &name).and_then(|x| x.domain).filter(|d| !d.1)?.0;
        Some(Sense {
            functions: Functions::one(function, weight::DOMAIN),
            level: Some(Seniority::Professional),
            own: true,
            german: true,
            person: true,
            ..Sense::default()
        })
    })
}

pub(super) fn find<'a>(lex: &'a Lexicon, w: &str) -> Option<&'a Word> {
    use super::lexicon::flag::ADJECTIVE;
    lex.word(w).or_else(|| {
        uninflected(w).find_map(|(stem, adjective)| lex.word(stem).filter(|x| x.has(ADJECTIVE) == adjective))
    })
}

fn usable(p: &str) -> bool {
    p.len() >= MIN_PART || SHORT.contains(&p)
}

fn compound(lex: &Lexicon, w: &str) -> Option<Sense> {
    if w.len() < 7 || w.len() > MAX || !w.is_ascii() {
        return None;
    }
    match compound_head(lex, w) {
        Some((_, (word, mods))) => Some(join(word, &mods)),
        None => derived_head(lex, w),
    }
}

/// Where the head of a compound begins, the head, and what stands before it: the longest known end is the head.
fn compound_head<'a>(lex: &'a Lexicon, w: &str) -> Option<(usize, (&'a Word, Vec<&'a Word>))> {
    if w.len() < 7 || w.len() > MAX || !w.is_ascii() {
        return None;
    }
    (2..=w.len() - MIN_PART).find_map(|from| {
        let head = w.get(from..).filter(|p| usable(p))?;
        let word = find(lex, head).filter(|x| !x.french && (x.person() || x.domain.is_some()))?;
        Some((from, (word, modifiers(lex, &w[..from], word)?)))
    })
}

/// The parts before the head, nearest first; `None` where the split is not to be trusted.
fn modifiers<'a>(lex: &'a Lexicon, mut rest: &str, head: &Word) -> Option<Vec<&'a Word>> {
    let mut found = Vec::new();
    while !rest.is_empty() {
        let Some((len, word)) = last_part(lex, rest) else { break };
        // A crumb of a letter or two is no word: the split is wrong there.
        if (1..3).contains(&len) {
            break;
        }
        found.push(word);
        rest = &rest[..len];
        if found.len() == 4 {
            break;
        }
    }
    let strong = head.person() && (head.german || !head.english);
    (rest.is_empty() || (strong && (rest.len() >= 3 || !found.is_empty())) || (!found.is_empty() && rest.len() >= 4))
        .then_some(found)
}

/// The longest known word at the end of `rest`, link elements aside: where it starts, and the word.
pub(super) fn last_part<'a>(lex: &'a Lexicon, rest: &str) -> Option<(usize, &'a Word)> {
    for from in 0..rest.len().saturating_sub(1) {
        for link in LINKS {
            let Some(p) = rest.get(from..).and_then(|r| r.strip_suffix(link)).filter(|p| usable(p)) else { continue };
            let says = |x: &&Word| x.person() || x.domain.is_some() || x.modifier.is_some() || x.flags != 0;
            if let Some(w) = lex.word(p).filter(|x| !x.french && says(x)) {
                return Some((from, w));
            }
        }
    }
    None
}

/// Head and modifiers as one sense: the head tells the level, and the function if it has one of its own.
fn join(head: &Word, mods: &[&Word]) -> Sense {
    let mut s = Sense::of_word(head);
    // A power or relation holds for the whole word only: "Geschäftsführerassistent" holds none.
    s.flags = head.flags & flag::STUDENT;
    s.german = true;
    // "Exportchef", "Ressortchef": no compound of German cooks, but for the few that are listed.
    if head.has(flag::BOSS) {
        s.functions.clear();
        s.level = Some(Seniority::Head);
    }
    // "Netzwerkarchitekt".
    let own = head.role.map(|r| r.function);
    let field = mods.first().and_then(|m| m.domain).filter(|d| !d.1).map(|d| d.0);
    if head.has(flag::CRAFT) && own.zip(field).is_some_and(|(own, field)| field_of(own, field)) {
        s.functions.clear();
        (s.own, s.open) = (false, true);
    }
    let headed = s.own || head.domain.is_some_and(|(_, topic)| !topic);
    let board =
        s.level == Some(Seniority::CLevel) && s.functions.iter().all(|f| f.0 == JobFunction::ExecutiveManagement);
    let product = head.domain.is_some_and(|(_, topic)| topic) && !s.person;
    let mut factor = if headed {
        0.3
    } else if product {
        0.35
    } else {
        1.0
    };
    for m in mods {
        s.modifier = s.modifier.or(m.modifier);
        s.flags |= m.flags & flag::DEPUTY;
        let function = m.domain.or_else(|| m.role.map(|r| (r.function, r.soft)));
        let Some((f, topic)) = function else { continue };
        if f == JobFunction::ExecutiveManagement && s.level.is_none_or(|l| l < Seniority::Lead) {
            continue;
        }
        let base = if topic { weight::TOPIC } else { weight::DOMAIN };
        // "Vertriebsvorstand" counts for the department, as "Vorstand Vertrieb" does.
        let leads = board && !topic && factor > 0.2 && department(f);
        s.functions.push((f, if leads { base * weight::LED } else { base * factor }));
        s.open &= topic || !s.person;
        factor *= 0.5;
    }
    if s.person && !s.open && !s.own {
        s.own = true;
    }
    s.functions.sort_by(|a, b| b.1.total_cmp(&a.1));
    // "Vertriebsmanager" leads a department, "Ertragsmanager" manages a thing.
    let department = s.functions.first().is_some_and(|f| f.1 >= weight::DOMAIN);
    if head.has(flag::MANAGES) && !department {
        s.level = s.level.map(|l| l.min(Seniority::Professional));
    }
    s
}

/// What a member of the board leads in a company; a "Klinikvorstand" leads the clinic itself.
pub(super) fn department(f: JobFunction) -> bool {
    use JobFunction::{ExecutiveManagement, Healthcare, Other, PublicService, ResearchEducation};
    !matches!(f, ExecutiveManagement | Healthcare | Other | PublicService | ResearchEducation)
}

/// A compound whose end is a person noun of the derived vocabulary.
fn derived_head(lex: &Lexicon, w: &str) -> Option<Sense> {
    if lex.derived(w).is_some() {
        return None;
    }
    (3..=w.len().checked_sub(5)?).find_map(|from| {
        let d = lex.derived(&w[from..]).filter(|d| d.person)?;
        let mut s = Sense::of_derived(d);
        s.german = true;
        if let Some((_, m)) = last_part(lex, &w[..from])
            && let Some((f, false)) = m.domain
        {
            s.functions.push((f, weight::DOMAIN * 0.6));
        }
        Some(s)
    })
}
