//! People in repeated cards and in lines such as `Name, job title`.
//!
//! Invariant: a name and its job line stand next to each other; where the job line could belong to either of two
//! names, neither gets it. Who may be another company's, or is gone, is left out.

use rustc_hash::FxHashSet;

use super::super::blocks::{Line, Note};
use super::super::dom::{self, El, Page};
use super::super::imprint;
use super::super::limits::MAX_ITEMS;
use super::super::schema_org::Found;
use super::line::{self, in_line};
use super::own::Own;
use super::sections::Section;
use super::slots::Slots;
use super::{mention, names, notes, others, paragraphs, sentences};

/// Lines after a name in which its job may stand.
const REACH: usize = 3;
/// Lines after a name whose links are the person's.
const CARD: usize = 8;

/// What the reader of cards knows of a page.
pub(super) struct Cards<'r, 'a> {
    pub page: &'r Page,
    pub lines: &'r [Line<'a>],
    pub notes: &'r [Note<'a>],
    pub sections: &'r [Section],
    pub own: &'r Own,
    /// Tables and lists that have been read already, by their numbers.
    pub consumed: FxHashSet<u32>,
}

/// Reads the lines of a page.
pub(super) fn read(cards: &Cards<'_, '_>, found: &mut Found) {
    let lines = cards.lines;
    let slots = Slots::learn(lines);
    let leads = job_leads(lines);
    let mut taken = vec![false; lines.len()];
    let mut quotes = QuoteFirst::default();
    let titled = found.people.iter().filter(|p| p.job_title.is_some());
    let known: FxHashSet<String> = titled.map(|p| names::key(&p.name)).collect();
    let mut paragraph = 0;
    for (i, line) in lines.iter().enumerate() {
        if found.people.len() >= MAX_ITEMS {
            return;
        }
        let section = &cards.sections[i];
        quotes.pass(line, section);
        if line.navigation || section.outside || cards.is_consumed(line) {
            continue;
        }
        if i >= paragraph {
            let (end, text) = paragraphs::paragraph_of(lines, i);
            paragraph = end;
            let ours = |(name, _): &(String, String)| !known.contains(&names::key(name));
            for (name, title) in sentences::read(&text, cards.own).into_iter().filter(ours) {
                found.people.push(mention(&name, Some(&title), None, Vec::new(), line.block));
            }
        }
        if line.is_name() {
            let job = cards.job_of(i, &taken, leads[i], &slots);
            if let Some(job) = job {
                taken[job] = true;
            }
            cards.card(i, job, &slots, quotes.first, found);
        } else if let Some((name, job, own)) = cards.in_line(i) {
            let more = line.text.strip_prefix(name.as_str()).filter(|_| !cards.own.is(&line.text));
            let others = more.is_some_and(|m| others::is_others(m.trim_start_matches([',', ' ', '–', '-']), cards.own));
            if !others && job.as_deref().is_none_or(|j| !cards.stands_apart(i, i, j, quotes.first)) {
                let links = cards.links(i);
                let department = own.or_else(|| cards.department(i));
                found.people.push(mention(&name, job.as_deref(), department, links, line.block));
            }
        } else if let Some((name, job)) = line::name_with_text(&line.text).filter(|_| slots.mark(line)) {
            if !cards.stands_apart(i, i, job, quotes.first) {
                found.people.push(mention(name, Some(job), cards.department(i), cards.links(i), line.block));
            }
        } else {
            cards.named_only(i, found);
        }
    }
}

/// Whether quotes stand before those who say them, as far as the section shows.
#[derive(Default)]
struct QuoteFirst {
    heading: Option<usize>,
    first: bool,
    named: bool,
}

impl QuoteFirst {
    fn pass(&mut self, line: &Line<'_>, section: &Section) {
        if self.heading != section.heading {
            *self = Self { heading: section.heading, ..Self::default() };
        }
        if line.is_name() {
            self.named = true;
        } else if !self.named && others::is_quote(line) {
            self.first = true;
        }
    }
}

impl<'a> Cards<'_, 'a> {
    /// Name and title of a line, the page's own company aside.
    fn in_line(&self, i: usize) -> Option<line::Person> {
        let text = &self.lines[i].text;
        in_line(text).or_else(|| in_line(self.own.without(text)?))
    }

    fn is_consumed(&self, line: &Line<'_>) -> bool {
        line.table.is_some()
            && [Some(line.block), dom::parent(line.block), line.table]
                .into_iter()
                .flatten()
                .any(|e| self.consumed.contains(&e.id()))
    }

    /// The department that a heading, or the label of a panel, gives a line.
    fn department(&self, i: usize) -> Option<String> {
        let section = &self.sections[i];
        let function = section.function.filter(|f| names::is_department(self.heading(*f)));
        let of_heading = section.department.or(function).map(|d| self.heading(d).to_owned());
        of_heading.or_else(|| self.lines[i].panel.as_deref().filter(|l| names::is_department(l)).map(str::to_owned))
    }

    fn heading(&self, i: usize) -> &str {
        self.lines[i].text.trim_end_matches([':', ' '])
    }

    /// A name on a line of its own.
    fn card(&self, i: usize, job: Option<usize>, slots: &Slots<'a>, quote_first: bool, found: &mut Found) {
        let line = &self.lines[i];
        let sure = || names::is_sure(&line.text) || self.has_own_address(i) || slots.names_stand_with(line);
        let (title, at) = match job {
            Some(at) => {
                let title = self.lines[at].job();
                (self.own.without(title).unwrap_or(title).to_owned(), at)
            }
            None => match notes::job_beside(self.notes, self.lines, i).or_else(|| self.of_bio(i)) {
                Some(title) => (title, i),
                None => return self.headed(i, found),
            },
        };
        // The name of a department alone says little: what stands above it must be a person.
        if names::is_mere_department(&title) && !sure() {
            return;
        }
        if !self.stands_apart(i, at, &title, quote_first) {
            found.people.push(mention(&line.text, Some(&title), self.department(i), self.links(i), line.block));
        }
    }

    /// What the text right below a name says that the person is.
    fn of_bio(&self, i: usize) -> Option<String> {
        let bio = self.lines.get(i + 1).filter(|l| l.heading == 0 && !l.navigation)?;
        sentences::of_bio(&bio.text, &self.lines[i].text, self.own).map(str::to_owned)
    }

    /// A name below a heading that says what all below it are.
    fn headed(&self, i: usize, found: &mut Found) {
        let line = &self.lines[i];
        let function = self.sections[i].function.and_then(|f| imprint::function_of_heading(self.heading(f)));
        let department = self.department(i);
        let known = function.is_some() || department.is_some();
        if !known || !(names::is_sure(&line.text) || self.has_own_address(i)) || self.runs_in_text(i) {
            return;
        }
        if !self.stands_apart(i, i, function.as_deref().unwrap_or_default(), true) {
            found.people.push(mention(&line.text, function.as_deref(), department, self.links(i), line.block));
        }
    }

    /// Names with ways to reach them, and lists of names, below the heading of a department or function.
    fn named_only(&self, i: usize, found: &mut Found) {
        let section = &self.sections[i];
        let line = &self.lines[i];
        let function = section.function.and_then(|f| imprint::function_of_heading(self.heading(f)));
        let department = self.department(i);
        if (function.is_none() && department.is_none()) || line.text.len() > 200 || line.heading > 0 {
            return;
        }
        let one = line::name_with_contact(&line.text);
        let text = &line.text;
        let listed =
            ["Team: ", "Mitarbeiter: ", "Ansprechpartner: ", "Kontakt: "].iter().find_map(|l| text.strip_prefix(l));
        let list = || imprint::name_list(listed.unwrap_or(text)).into_iter().filter(|n| names::is_sure(n));
        for name in one.into_iter().chain(list().take(20)) {
            let known = function.as_deref().unwrap_or_default();
            if !self.stands_apart(i, i, known, true) {
                found.people.push(mention(&name, function.as_deref(), department.clone(), Vec::new(), line.block));
            }
        }
    }

    /// Whether a name is a part of a sentence.
    fn runs_in_text(&self, i: usize) -> bool {
        let same = |k: Option<usize>| {
            k.and_then(|k| self.lines.get(k))
                .is_some_and(|l| l.block == self.lines[i].block && l.text.split(' ').count() > 6)
        };
        same(i.checked_sub(1)) || same(Some(i + 1))
    }

    /// Whether a mail address beside a name is that person's.
    fn has_own_address(&self, i: usize) -> bool {
        let Some(family) = names::family(&self.lines[i].text) else { return false };
        let card = self.lines[i..].iter().take(CARD).enumerate().take_while(|(k, l)| *k == 0 || !l.is_name());
        card.map(|(_, l)| l).any(|l| {
            let linked = || l.links(self.page).any(|h| h.starts_with("mailto:") && h.to_lowercase().contains(&family));
            (l.text.contains('@') && l.text.to_lowercase().contains(&family)) || linked()
        })
    }

    /// Whether a person and their title are another company's, or of the past, as far as title and card show.
    fn stands_apart(&self, i: usize, job: usize, title: &str, quote_first: bool) -> bool {
        if others::is_former(title) || others::is_others(title, self.own) {
            return true;
        }
        let lines = self.lines;
        let depth =
            if i == job { shared_depth(&lines[i], &lines[i]) - 1 } else { shared_depth(&lines[i], &lines[job]) };
        let person = |l: &Line<'_>| l.is_name() || in_line(&l.text).is_some_and(|(_, job, _)| job.is_some());
        let after = lines[i + 1..].iter().take(CARD - 2).take_while(|l| !person(l) && l.heading == 0 && !l.navigation);
        let mut after = after.enumerate().filter(|(k, l)| i + 1 + k != job && shared_depth(l, &lines[i]) >= depth);
        if after.any(|(_, l)| others::line_is_others(l, self.own) || others::tells_of_leaving(&l.text)) {
            return true;
        }
        let from = i.saturating_sub(4);
        let previous = (from..i).rev().find(|k| *k != job && person(&lines[*k]));
        let alone = previous.map_or(0, |k| shared_depth(&lines[k], &lines[i]));
        let before = previous.map_or(from, |k| k + 1)..i;
        before.filter(|k| *k != job && !lines[*k].navigation).any(|k| {
            let shared = shared_depth(&lines[k], &lines[i]);
            let own_card = shared >= depth && (previous.is_none() || shared > alone);
            let quoted = others::is_quote(&lines[k]) && (own_card || (quote_first && shared + 1 >= depth));
            quoted || (own_card && lines[k].heading == 0 && others::line_is_others(&lines[k], self.own))
        })
    }

    /// The line with the job of the name in line `i`.
    fn job_of(&self, i: usize, taken: &[bool], job_leads: bool, slots: &Slots<'a>) -> Option<usize> {
        let lines = self.lines;
        let free = |k: usize| !taken[k] && !lines[k].navigation && !self.is_consumed(&lines[k]);
        let own = |k: usize| self.own.without(lines[k].job()).is_some_and(names::is_job);
        let is_job = |k: usize| free(k) && (lines[k].is_job() || own(k)) && !is_term(&lines[k], &lines[i]);
        let reach = || {
            let next = i + 1..lines.len().min(i + 1 + REACH);
            next.take_while(|k| !lines[*k].is_name() && !is_section(&lines[*k], &lines[i]))
        };
        // What stands nearest to the name shows how far its card reaches.
        let near = lines.get(i + 1).map_or(0, |l| shared_depth(l, &lines[i]));
        let short = |k: &usize| {
            (i + 1..*k).all(|m| lines[m].text.len() <= 60)
                && (*k == i + 1 || shared_depth(&lines[*k], &lines[i]) >= near)
        };
        let slot = |k: &usize| free(*k) && names::is_loose_job(lines[*k].job()) && slots.hold(&lines[*k], *k - i);
        let part = |k: &usize| *k == i + 1 && free(*k) && names::is_department(&lines[*k].text);
        let after = reach().filter(short).find(|k| is_job(*k));
        let after = after.or_else(|| reach().find(slot)).or_else(|| reach().find(part));
        // A heading right above the name may be its job, if it is no mere department.
        let titled = |k: usize| lines[k].heading > 0 && !names::is_department(&lines[k].text);
        let names_all = |k: usize| self.sections[i].department == Some(k) || self.sections[i].function == Some(k);
        let before = i.checked_sub(1).filter(|k| {
            let leads = free(*k) && slots.lead(&lines[*k]) && names::is_loose_job(lines[*k].job());
            (is_job(*k) || leads) && !names_all(*k) && (titled(*k) || !is_section(&lines[*k], &lines[i]))
        });
        // What shares a narrower card with the next name is that one's.
        let theirs = |k: usize| {
            lines
                .get(k + 1)
                .is_some_and(|n| n.is_name() && shared_depth(n, &lines[k]) > shared_depth(&lines[k], &lines[i]))
        };
        let after = after.filter(|k| !runs_on(lines, i, *k) && !theirs(*k));
        match (before, after) {
            (Some(b), Some(a)) if slots.lead(&lines[b]) && slots.lead(&lines[a]) && !slots.hold(&lines[a], a - i) => {
                Some(b)
            }
            (Some(b), Some(a)) => {
                // Both sides offer a job: the one that shares the narrower card has it.
                let (near_b, near_a) = (shared_depth(&lines[b], &lines[i]), shared_depth(&lines[a], &lines[i]));
                match near_a.cmp(&near_b) {
                    std::cmp::Ordering::Greater => Some(a),
                    std::cmp::Ordering::Less => Some(b),
                    std::cmp::Ordering::Equal => job_leads.then_some(b),
                }
            }
            // A job above a name may be the end of something else; it must share a card of its own with the name.
            (Some(b), None) => (titled(b) || shared_lines(lines, b, i) <= CARD).then_some(b),
            (None, after) => after,
        }
    }

    /// The links from the name up to the next name or section.
    fn links(&self, i: usize) -> Vec<String> {
        let lines = self.lines;
        let rest = lines[i + 1..].iter().take(CARD - 1);
        let card = rest.take_while(|l| {
            (l.heading == 0 || (lines[i].heading > 0 && l.heading > lines[i].heading))
                && !l.navigation
                && l.table == lines[i].table
                && !l.is_name()
                && in_line(&l.text).is_none()
        });
        lines[i].links(self.page).chain(card.flat_map(|l| l.links(self.page))).collect()
    }
}

/// Whether a line is a term, and a name above it belongs to the one before.
fn is_term(line: &Line<'_>, name: &Line<'_>) -> bool {
    dom::name(line.block) == "dt" && dom::name(name.block) == "dd"
}

/// For each name whether it stands in a row of jobs and names that begins with a job and ends with a name.
fn job_leads(lines: &[Line<'_>]) -> Vec<bool> {
    let mut leads = vec![false; lines.len()];
    let mut i = 0;
    while i + 1 < lines.len() {
        if lines[i].is_name() || !lines[i].is_job() {
            i += 1;
            continue;
        }
        let from = i;
        while i + 1 < lines.len() && lines[i].is_job() && lines[i + 1].is_name() {
            i += 2;
        }
        let ends = lines.get(i).is_none_or(|l| !l.is_job());
        let begins = from == 0 || !lines[from - 1].is_name();
        if ends && begins {
            (from + 1..i).step_by(2).for_each(|k| leads[k] = true);
        }
        i = i.max(from + 1);
    }
    leads
}

/// Whether name and job stand inside a sentence: the text before the name is in the block of the text after it.
fn runs_on(lines: &[Line<'_>], name: usize, after: usize) -> bool {
    let before = name.checked_sub(1).map(|k| &lines[k]);
    before.is_some_and(|b| {
        b.block == lines[after].block && b.block != lines[name].block && !b.is_job() && b.text.split(' ').count() > 2
    })
}

/// Whether a heading outranks the line, and so is not part of its card.
fn is_section(line: &Line<'_>, of: &Line<'_>) -> bool {
    line.heading > 0 && (of.heading == 0 || line.heading < of.heading) && !same_card(line, of)
}

/// Whether the two lines are the children of one small element.
fn same_card(a: &Line<'_>, b: &Line<'_>) -> bool {
    let (Some(pa), Some(pb)) = (dom::parent(a.block), dom::parent(b.block)) else { return false };
    (pa == pb || pa == b.block || a.block == pb) && pa.child_elements().take(CARD + 1).count() <= CARD
}

fn ancestors(e: El<'_>) -> Vec<El<'_>> {
    let mut chain = vec![e];
    while let Some(parent) = dom::parent(chain[chain.len() - 1]) {
        chain.push(parent);
    }
    chain.reverse();
    chain
}

fn shared_depth(a: &Line<'_>, b: &Line<'_>) -> usize {
    ancestors(a.block).iter().zip(&ancestors(b.block)).take_while(|(x, y)| x == y).count()
}

/// How many lines around the two share their innermost common element (at most `CARD + 1`).
fn shared_lines(lines: &[Line<'_>], a: usize, b: usize) -> usize {
    let depth = shared_depth(&lines[a], &lines[b]);
    let from = a.saturating_sub(CARD);
    let around = &lines[from..lines.len().min(b + CARD)];
    around.iter().filter(|l| shared_depth(l, &lines[a]) >= depth).take(CARD + 1).count()
}
