//! Where a page's cards have their titles: learned from those that are known, or told by classes.
//!
//! Invariant: a place is learned only where most of what stands there are known titles.

use rustc_hash::FxHashMap;

use super::super::blocks::Line;
use super::super::dom::{self, El};
use super::super::lexicon::in_lower;
use super::line::name_with_text;
use super::names;

/// Lines after a name that may be a place.
const REACH: usize = 3;

/// Tag and class of a line, and how far below the name it stands.
type Place<'a> = (usize, &'a str, &'a str);

/// What the places of a page hold.
#[derive(Default)]
pub(super) struct Slots<'a> {
    /// Known titles, and all lines.
    seen: FxHashMap<Place<'a>, (u32, u32)>,
    /// The same of the lines right before names.
    before: FxHashMap<Place<'a>, (u32, u32)>,
    /// Lines of names with a title behind a mark, and with something else there.
    marked: FxHashMap<Place<'a>, (u32, u32)>,
    /// Names for sure, and other names.
    names: FxHashMap<Place<'a>, u32>,
}

fn place<'a>(line: &Line<'a>, after: usize) -> Place<'a> {
    let class = |e: El<'a>| e.attr("class").unwrap_or_default();
    (after, dom::name(line.origin), class(line.origin))
}

impl<'a> Slots<'a> {
    /// Looks at the lines right after each name.
    pub fn learn(lines: &[Line<'a>]) -> Self {
        let mut slots = Self::default();
        for (i, name) in lines.iter().enumerate() {
            if name.navigation {
                continue;
            }
            if !name.is_name() {
                if let Some((_, text)) = name_with_text(&name.text) {
                    let (known, all) = slots.marked.entry(place(name, 0)).or_default();
                    *known += u32::from(names::is_job(text));
                    *all += 1;
                }
                continue;
            }
            *slots.names.entry(place(name, 0)).or_default() += u32::from(names::is_sure(&name.text));
            if let Some(line) = i.checked_sub(1).map(|k| &lines[k]).filter(|l| !l.is_name() && !l.navigation) {
                let (known, all) = slots.before.entry(place(line, 0)).or_default();
                *known += u32::from(line.is_job());
                *all += 1;
            }
            for after in 1..=REACH {
                let Some(line) = lines.get(i + after).filter(|l| !l.is_name() && !l.navigation) else { break };
                let (known, all) = slots.seen.entry(place(line, after)).or_default();
                *known += u32::from(line.is_job());
                *all += 1;
            }
        }
        slots
    }

    /// Whether the line right before a name holds its title.
    pub fn lead(&self, line: &Line<'a>) -> bool {
        let (known, all) = self.before.get(&place(line, 0)).copied().unwrap_or_default();
        known >= 2 && known * 2 >= all && !place(line, 0).2.is_empty()
    }

    /// Whether what stands behind the mark of a line with a name is a title.
    pub fn mark(&self, line: &Line<'a>) -> bool {
        let (known, all) = self.marked.get(&place(line, 0)).copied().unwrap_or_default();
        known >= 2 && known * 2 >= all
    }

    /// Whether names for sure stand in the same place.
    pub fn names_stand_with(&self, line: &Line<'a>) -> bool {
        self.names.get(&place(line, 0)).is_some_and(|n| *n >= 2)
    }

    /// Whether the line that many lines below a name holds a title.
    pub fn hold(&self, line: &Line<'a>, after: usize) -> bool {
        let (known, all) = self.seen.get(&place(line, after)).copied().unwrap_or_default();
        (known >= 2 && known * 2 >= all) || says_job(line.origin) || (line.block != line.origin && says_job(line.block))
    }
}

/// Whether the class of an element says that it holds a title.
fn says_job(e: El<'_>) -> bool {
    let whole = |class: &str| {
        let words: Vec<&str> = class.split(['-', '_']).filter(|w| !w.is_empty()).collect();
        let any = |list: &[&str]| words.iter().any(|w| in_lower(w, |w| list.contains(&w)));
        let placed = any(&["relative", "absolute", "static", "fixed", "sticky"]);
        let job = any(&[
            "position",
            "job",
            "jobtitle",
            "role",
            "rolle",
            "funktion",
            "function",
            "beruf",
            "designation",
            "occupation",
            "aufgabe",
            "aufgaben",
            "zustaendigkeit",
            "tätigkeit",
            "taetigkeit",
            "memberposition",
            "profession",
        ]);
        let titled = any(&["title", "titel", "subtitle"]) && any(&["member", "person", "staff", "employee", "job"]);
        (job && !placed) || titled
    };
    dom::classes(e).take(12).filter(|c| c.len() <= 60).any(whole)
        || dom::attr(e, "itemprop").is_some_and(|p| p == "jobTitle" || p == "roleName")
}
