//! What the words of a segment say about functions, by their place around the governing noun.
//!
//! Invariant: words of companies, partners and the past say nothing.

use super::judge::{Part, assists};
use super::level::{boss, gives_way, staff_partner};
use super::lexicon::flag;
use super::parse::{Item, fact};
use super::scan::Sep;
use super::segment::Segment;
use super::sense::{Sense, weight};
use super::set::Set;
use crate::taxonomy::{JobFunction, Seniority};

/// The words that are heard, and who hears them.
struct Speech<'a> {
    items: &'a [Item],
    says: Set,
    /// Who advises on strategy or for the management is an adviser.
    advises: bool,
    s: &'a mut Segment,
}

/// Adds up what the words say about functions; `g` is the governing noun.
pub(super) fn functions(p: &Part, g: Option<usize>, s: &mut Segment) {
    let Part { items, from, to, suppressed, .. } = *p;
    let adviser = |s: &Sense| s.open && s.functions.first().is_some_and(|f| f.0 == JobFunction::Consulting);
    let advises = g.and_then(|g| items[g].sense.as_ref()).is_some_and(adviser);
    let mut speech = Speech { items, says: speakers(p, g), advises, s };
    let Some(g) = g else {
        speech.runs(from, to, 1.0, false);
        return;
    };
    let sense = p.sense(g);
    let way = gives_way(items, (from, to), g);
    if !boss(items, (from, to), g) {
        speech.add(g, if way || staff_partner(items, from, g) { 0.2 } else { 1.0 });
    }
    let assists = assists(&items[g]);
    let serving = assists && !suppressed.below(g).is_empty();
    let own = sense.functions.iter().map(|f| f.1).fold(0.0, f32::max);
    let exec = leads_company(sense);
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
    let pre = speech.before((from, g), factor, exec);
    let served = assists && (serving || (g + 1..to).any(|i| items[i].level() >= Some(Seniority::Lead)));
    let strong = pre >= weight::DOMAIN || own >= weight::DOMAIN;
    let post = match () {
        () if served => 0.2,
        () if way => 1.0,
        () if exec => weight::LED,
        () if strong => 0.25,
        () => 1.0,
    };
    speech.runs(g + 1, to, post, sense.noun_first());
    if served || serves_board(&items[from..to], sense, s) {
        serves(s, g);
    }
}

/// The words besides the governing noun that name functions and are heard.
fn speakers(p: &Part, g: Option<usize>) -> Set {
    /// A word that only tells time or relation says nothing about a function.
    const SILENT: u64 = flag::PARTNER | flag::FORMER | flag::LEAVE | flag::SENTENCE;
    let mut says = Set::default();
    if p.any & fact::SAYS == 0 {
        return says;
    }
    for (i, item) in p.items[p.from..p.to].iter().enumerate() {
        let state = || g.is_some() && item.sense.as_ref().is_some_and(Sense::state);
        if item.has(fact::SAYS) && !item.company && !item.has(SILENT) && Some(p.from + i) != g && !state() {
            says.add(p.from + i);
        }
    }
    says.without(p.suppressed)
}

/// "Geschäftsführer", "Vorstand": leads the company, and no department by itself.
fn leads_company(sense: &Sense) -> bool {
    sense.level >= Some(Seniority::CLevel)
        && sense.level != Some(Seniority::Owner)
        && sense.own
        && sense.functions.first().is_some_and(|f| f.0 == JobFunction::ExecutiveManagement)
}

/// Strategy and operations are topics; the management board itself is who is served, but for its advisers.
fn serves_board(items: &[Item], sense: &Sense, s: &Segment) -> bool {
    s.scores.of(JobFunction::ExecutiveManagement) >= 0.2 * weight::DOMAIN
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
    s.scores.set(JobFunction::ExecutiveManagement, 0.0);
    s.function_notes.retain(|n| n.1 != JobFunction::ExecutiveManagement);
    s.speak(g, JobFunction::AdministrationAssistance, 1.8);
}

impl Speech<'_> {
    fn add(&mut self, i: usize, factor: f32) {
        let Some(sense) = self.items[i].sense.as_ref() else { return };
        for &(f, w) in sense.functions.iter() {
            let less = self.advises && f == JobFunction::ExecutiveManagement;
            let factor = if less { factor * 0.25 } else { factor };
            self.s.speak(i, f, w * factor);
        }
    }

    /// Words before the governing noun, nearest first; returns the greatest weight among them.
    fn before(&mut self, (from, g): (usize, usize), mut factor: f32, exec: bool) -> f32 {
        let items = self.items;
        let mut pre = 0.0_f32;
        let mut left = self.says.below(g);
        while let Some(i) = left.last() {
            left = left.below(i);
            let weight = items[i].sense.as_ref().map_or(0.0, |x| x.functions.iter().map(|f| f.1).fold(0.0, f32::max));
            if weight == 0.0 {
                continue;
            }
            let own_factor = match () {
                () if items[i].person() && assists(&items[i]) => 0.2,
                () if exec && items[i].has(flag::ADJECTIVE) => 0.4,
                () => factor,
            };
            self.add(i, own_factor);
            pre = pre.max(weight * factor);
            let coordinated =
                i > from && items[i - 1].has(flag::CONJUNCTION) || matches!(items[i].before, Sep::Amp | Sep::Slash);
            factor *= if coordinated { 1.02 } else { 0.55 };
        }
        pre
    }

    /// Domain words without a person noun among them: runs joined by "and", "," and so on.
    /// In English, and in hyphenated words, the last of a run counts most; in German the first.
    fn runs(&mut self, from: usize, to: usize, base: f32, german: bool) {
        let (items, says) = (self.items, self.says);
        let mut factor = base;
        let mut left = says.from(from);
        // "für", "for", "in" after the first domain leads to less important words.
        while let Some(i) = left.first() {
            let mut end = i + 1;
            while end < to && says.has(end) && matches!(items[end].before, Sep::Space | Sep::Hyphen) {
                end += 1;
            }
            let hyphens = (i + 1..end).all(|k| items[k].before == Sep::Hyphen);
            let last_counts = (end - i > 1 && hyphens) || !german;
            for (k, item) in items.iter().enumerate().take(end).skip(i) {
                let most = if last_counts { k + 1 == end } else { k == i };
                let person = if item.person() { 0.6 } else { 1.0 };
                self.add(k, factor * person * if most { 1.0 } else { 0.55 });
            }
            let coordinated =
                end < to && (items[end].has(flag::CONJUNCTION) || matches!(items[end].before, Sep::Amp | Sep::Slash));
            factor *= if coordinated { 0.88 } else { 0.45 };
            left = left.from(end);
        }
    }
}
