//! Lists of who has which role, however they are laid out: `Entscheider: Ebert (GF)`, `Karen = buyer / Brent = user`, `EK Brandt
//! (bestellt)`, tables, minutes, `Who decides? -> Ebert`.
//!
//! Invariant: an entry tells a role only where nothing but names, words of roles and what may stand beside them stand in it. What could
//! be an event or a point of an agenda as well (`Freigabe Brandt`) counts only beside other entries.

mod items;
mod scan;
mod terms;
#[cfg(test)]
mod tests;

use std::ops::Range;

use super::guard::Run;
use super::guard::fold::Cell;
use super::guard::token::Token;
use super::part::Part;
use super::people::Directory;
use crate::taxonomy::BuyingRole;
use items::{Item, Sign, items};
use scan::{Scan, scan};
pub(super) use terms::ROLE_LINES;

/// Lists with such a head, or columns of such a name, tell of points that are spoken of.
const AGENDA: [&str; 14] = [
    "agenda",
    "tagesordnung",
    "top",
    "tops",
    "thema",
    "themen",
    "topic",
    "topics",
    "redner",
    "speaker",
    "verantwortlich",
    "responsible",
    "vertretung",
    "vertretungen",
];

/// A role that a list tells.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) contact: usize,
    pub(super) role: BuyingRole,
    /// The cells that tell it, counted from the beginning of the run.
    pub(super) cells: Range<usize>,
}

/// The same, by its words.
struct Found {
    contact: usize,
    role: BuyingRole,
    tokens: Range<usize>,
    /// Only beside others is it what a list tells.
    weak: bool,
}

/// How the words of a run are meant.
#[derive(Debug, Default)]
pub(super) struct Meant {
    /// With which words its sentences begin.
    pub(super) begins: Vec<usize>,
    /// Of each word: it is somebody else's, of another house, or in a sentence that is too long.
    pub(super) left_out: Vec<bool>,
    /// Of each word: it is asked.
    pub(super) asked: Vec<bool>,
    /// Of each word: it denies, or casts doubt.
    pub(super) doubtful: Vec<bool>,
}

/// An item, read.
struct Entry {
    item: Item,
    scan: Scan,
    brackets: Vec<Scan>,
    /// Another sign has used it.
    used: bool,
}

/// What an item is in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    People,
    Roles,
    Both,
    /// Words that may stand beside them, alone: `Finanzen`, `ab 5 T€`.
    Beside,
    Other,
}

impl Entry {
    /// Those whom the item names; of titles alone, those in brackets behind them.
    fn people(&self) -> Vec<usize> {
        let named = |scan: &Scan| if scan.other { Vec::new() } else { scan.names.clone() };
        let within = || self.brackets.iter().find(|b| b.roles.is_empty() && !b.other && !b.names.is_empty());
        match named(&self.scan) {
            names if !names.is_empty() => names,
            _ if self.scan.other => Vec::new(),
            // `Chefin (Brandt)`; in `50k (Brandt)` nobody is called so.
            _ if self.scan.titled.is_empty() && !self.scan.has_title => Vec::new(),
            _ => within().map_or_else(|| self.scan.titled.clone(), named),
        }
    }

    fn kind(&self) -> Kind {
        let (roles, people) = (!self.scan.roles.is_empty(), !self.people().is_empty());
        // `Einkäufer` is a role, and whoever has that title.
        let named = !self.scan.names.is_empty() || people && self.scan.titled.is_empty();
        match (roles, named, people) {
            _ if self.scan.other => Kind::Other,
            (true, true, _) => Kind::Both,
            (true, false, _) => Kind::Roles,
            (false, _, true) => Kind::People,
            (false, _, false) => Kind::Beside,
        }
    }
}

/// The roles that a run tells in lists.
pub(super) fn read(run: &Run<'_>, meant: &Meant, directory: &Directory<'_>) -> Vec<Told> {
    let tokens = run.tokens();
    if !tokens.iter().any(|token| ROLE_LINES.may_begin(token.text)) {
        return Vec::new();
    }
    let raised = directory.raised(&tokens);
    let list = List { cells: run.cells(), tokens: raised.as_deref().unwrap_or(&tokens), meant, directory };
    let list_cells = |told: &Found| tokens[told.tokens.start].cells.start..tokens[told.tokens.end - 1].cells.end;
    let all = list.read();
    all.into_iter().map(|told| Told { contact: told.contact, role: told.role, cells: list_cells(&told) }).collect()
}

/// What is read.
struct List<'l> {
    cells: &'l [Cell],
    tokens: &'l [Token<'l>],
    meant: &'l Meant,
    directory: &'l Directory<'l>,
}

impl List<'_> {
    fn read(&self) -> Vec<Found> {
        let mut entries: Vec<Entry> = items(self.cells, self.tokens, &self.meant.begins)
            .into_iter()
            .map(|item| {
                let scan = item.pieces.iter().map(|piece| self.scan(piece)).reduce(Scan::and).unwrap_or_default();
                let brackets = item.brackets.iter().map(|piece| self.scan(piece)).collect();
                Entry { item, scan, brackets, used: false }
            })
            .collect();
        self.leave_out(&mut entries);
        let mut told = self.answers(&entries);
        told.extend(self.brackets(&entries));
        told.extend(self.linked(&mut entries));
        told.extend(self.rows(&entries));
        told.extend(self.both(&entries));
        let several = told.iter().any(|t| t.contact != told[0].contact || t.role != told[0].role);
        told.retain(|t| !t.weak || several);
        told
    }

    fn scan(&self, piece: &Range<usize>) -> Scan {
        scan(self.cells, self.tokens, piece.clone(), self.directory)
    }

    /// Leaves out what is somebody else's, and what is headed with doubt, to the end of its line.
    fn leave_out(&self, entries: &mut [Entry]) {
        let (mut doubted, mut agenda) = (false, false);
        for at in 0..entries.len() {
            let tokens = entries[at].item.tokens();
            doubted &= !entries[at].item.before.row;
            let heads = entries.get(at + 1).is_some_and(|next| next.item.before.sign == Sign::Link);
            let is_doubtful = has(&self.meant.doubtful, &tokens) || self.is_doubtful(&tokens);
            let is_head =
                heads && matches!(entries[at].kind(), Kind::Other | Kind::Beside) && !self.is_asked(&entries[at]);
            doubted |= is_head && is_doubtful;
            let ends =
                entries.get(at + 1).is_none_or(|next| next.item.before.row || next.item.before.sign == Sign::Strong);
            let is_begin = entries[at].item.before.row || entries[at].item.before.sign == Sign::Strong;
            // Below `Agenda`, or in a column of that name, stands what is spoken of, and who speaks.
            agenda |= is_begin && ends && entries[at].kind() != Kind::People && self.is_agenda(&tokens);
            entries[at].scan.other |= doubted || agenda || has(&self.meant.left_out, &tokens);
        }
    }

    /// `Wer entscheidet? -> Lohbauer`.
    fn answers(&self, entries: &[Entry]) -> Vec<Found> {
        // `Wer entscheidet? Wolf: der Vorstand.`: he is the one who answers.
        let speaks = |at: usize| entries.get(at + 2).is_some_and(|next| next.item.before.sign == Sign::Link);
        let of_pair = |(at, pair): (usize, &[Entry])| {
            let (question, answer) = (&pair[0], &pair[1]);
            let tokens = question.item.tokens();
            let who = self.tokens[tokens.clone()].iter().position(|t| matches!(t.text, "wer" | "who"));
            let asked = who
                .filter(|_| self.meant.asked[tokens.start])
                .map(|at| self.scan(&(tokens.start + at + 1..tokens.end)));
            let roles = asked.filter(|scan| !scan.other).map(|scan| scan.roles).unwrap_or_default();
            let is_answer =
                !speaks(at) && answer.kind() == Kind::People && !self.is_asked(answer) && !self.is_spoiled(answer);
            let people = if is_answer { answer.people() } else { Vec::new() };
            each(&people, &roles, tokens.start..answer.item.tokens().end, false)
        };
        entries.windows(2).enumerate().flat_map(of_pair).collect()
    }

    fn is_doubtful(&self, tokens: &Range<usize>) -> bool {
        self.tokens[tokens.clone()].iter().any(|t| ROLE_LINES.is_doubtful(t.text))
    }

    fn is_agenda(&self, tokens: &Range<usize>) -> bool {
        let words = || self.tokens[tokens.clone()].iter().filter(|t| !t.text.bytes().any(|byte| byte.is_ascii_digit()));
        words().next().is_some() && words().all(|t| AGENDA.contains(&t.text))
    }

    fn is_asked(&self, entry: &Entry) -> bool {
        has(&self.meant.asked, &entry.item.tokens())
    }

    /// Whether what stands in brackets behind it takes something back: `(früher)`, `(TBC)`, `(nur Technik, entscheidet nicht)`.
    fn is_spoiled(&self, entry: &Entry) -> bool {
        let brackets = &entry.item.brackets;
        let denies = |bracket: &Range<usize>| has(&self.meant.doubtful, bracket);
        // `(Vorzimmer, lässt kaum jemanden durch)`: what denies stands beside what tells.
        let mut told = brackets.iter().zip(&entry.brackets).filter(|(at, scan)| !denies(at) && !scan.other);
        self.is_asked(entry)
            || brackets.iter().any(|bracket| self.is_doubtful(bracket))
            || brackets.iter().any(denies) && !told.any(|(_, scan)| !scan.roles.is_empty())
    }

    /// `Hagelstein (unterschreibt)`, `Einkauf (Strunz)`.
    fn brackets(&self, entries: &[Entry]) -> Vec<Found> {
        let mut told = Vec::new();
        for entry in entries.iter().filter(|entry| !self.is_spoiled(entry)) {
            let people = entry.people();
            for bracket in entry.brackets.iter().filter(|bracket| !bracket.other) {
                let tokens = entry.item.tokens();
                // `4. Entscheidung (Wolf)` is a point of an agenda.
                let numbered = self.tokens[tokens.start].text.bytes().all(|byte| byte.is_ascii_digit());
                if entry.kind() == Kind::Roles && bracket.roles.is_empty() && !numbered {
                    told.extend(each(&bracket.names, &entry.scan.roles, tokens, entry.scan.is_called));
                } else if entry.kind() != Kind::Other && bracket.names.is_empty() {
                    let of = if bracket.of_all { &people[..] } else { &people[people.len().saturating_sub(1)..] };
                    // `Brandt (EK)` is what he is called.
                    told.extend(each(of, &bracket.roles, tokens, bracket.is_called));
                }
            }
        }
        told
    }

    /// `Entscheider: Brandt, Ebert`, `Rauhut/Thalhammer = Berater`, `Eibl: Finanzen, Freigabe`.
    fn linked(&self, entries: &mut [Entry]) -> Vec<Found> {
        let kinds: Vec<Kind> = entries.iter().map(Entry::kind).collect();
        let (mut told, mut free) = (Vec::new(), 0);
        for at in 1..entries.len() {
            let Some(listed) = listed(entries, &kinds, at, free) else { continue };
            let (left, right) = (listed.start..at, at..listed.end);
            let (people, roles) = if kinds[at - 1] == Kind::People { (left, right) } else { (right, left) };
            let of_roles = &entries[roles];
            let of_people = entries[people].iter().filter(|entry| !self.is_spoiled(entry));
            let people: Vec<usize> = of_people.flat_map(Entry::people).collect();
            if !of_roles.iter().any(|entry| self.is_spoiled(entry) || self.is_of_another(entry, &people)) {
                let roles: Vec<BuyingRole> = of_roles.iter().flat_map(|e| e.scan.roles.clone()).collect();
                let tokens = entries[listed.start].item.tokens().start..entries[listed.end - 1].item.tokens().end;
                told.extend(each(&people, &roles, tokens, false));
                free = listed.end;
                entries[listed].iter_mut().for_each(|entry| entry.used = true);
            }
        }
        told
    }

    /// Whether the words of a role begin with the title of somebody who is none of those named beside them: in `Marx: der Chef
    /// unterschreibt` it is not Marx who signs.
    fn is_of_another(&self, entry: &Entry, people: &[usize]) -> bool {
        let start = entry.item.tokens().start;
        let titled = self.directory.titled(self.tokens, start).map(|(contact, _)| people.contains(&contact));
        let called = self.tokens[start].word.is(Part::CALLED) && ROLE_LINES.begins(&self.tokens[start..]).is_none();
        !entry.scan.is_called && entry.item.tokens().len() > 1 && !titled.unwrap_or(!called)
    }

    /// `Hennecke; Entscheider`, line by line: the first two columns, unless another one takes it back.
    fn rows(&self, entries: &[Entry]) -> Vec<Found> {
        let mut told = Vec::new();
        for row in entries.chunk_by(|_, next| !next.item.before.row) {
            let [first, second, rest @ ..] = row else { continue };
            let (of_people, of_roles) = match (first.kind(), second.kind()) {
                (Kind::People, Kind::Roles) => (first, second),
                (Kind::Roles, Kind::People) => (second, first),
                _ => continue,
            };
            let people = of_people.people();
            let doubts = |entry: &Entry| {
                let tokens = entry.item.tokens();
                self.is_spoiled(entry) || self.is_doubtful(&tokens) || has(&self.meant.doubtful, &tokens)
            };
            let sign = second.item.before.sign;
            let parted = sign == Sign::Strong || sign == Sign::Comma && rest.is_empty();
            let another = self.is_of_another(of_roles, &people);
            if parted && !another && !first.used && !second.used && !row.iter().any(doubts) {
                let tokens = first.item.tokens().start..second.item.tokens().end;
                told.extend(each(&people, &of_roles.scan.roles, tokens, true));
            }
        }
        told
    }

    /// `Freigabe durch Dreesen`, `Entscheiderin ist Frau Maibaum`, `DM Dale H. / EB Marisol`.
    fn both(&self, entries: &[Entry]) -> Vec<Found> {
        let all = entries.iter().filter(|e| e.kind() == Kind::Both && !e.used && !self.is_spoiled(e));
        all.flat_map(|e| each(&e.people(), &e.scan.roles, e.item.tokens(), !e.scan.is_said)).collect()
    }
}

fn has(of: &[bool], tokens: &Range<usize>) -> bool {
    of[tokens.clone()].iter().any(|is| *is)
}

/// The items before and behind a sign that ties people to roles, as far as each is a list.
fn listed(entries: &[Entry], kinds: &[Kind], at: usize, free: usize) -> Option<Range<usize>> {
    let links = |at: usize| entries.get(at).is_some_and(|e| matches!(e.item.before.sign, Sign::Link | Sign::Dash));
    let joins = |at: usize| entries.get(at).is_some_and(|e| e.item.before.joins());
    let wanted = match kinds[at - 1] {
        Kind::People => Kind::Roles,
        Kind::Roles => Kind::People,
        _ => return None,
    };
    let sign = entries[at].item.before;
    if !links(at) || sign.row && sign.sign == Sign::Dash || at - 1 < free {
        return None;
    }
    let before = (free..at).rev().take_while(|i| kinds[*i] == kinds[at - 1] && (*i == at - 1 || joins(i + 1)));
    let start = before.last()?;
    // `Brandt: Entscheider, Ebert: Einkauf`: the one behind is linked to something of its own.
    let own = |i: usize| i > at && links(i + 1) && matches!(kinds[i + 1], Kind::People | Kind::Roles);
    let fits = |i: usize| kinds[i] == wanted || kinds[i] == Kind::Beside;
    let behind = (at..entries.len()).take_while(|i| fits(*i) && (*i == at || joins(*i)) && !own(*i));
    let end = behind.filter(|i| kinds[*i] == wanted).last()? + 1;
    Some(start..end)
}

fn each(contacts: &[usize], roles: &[BuyingRole], tokens: Range<usize>, weak: bool) -> Vec<Found> {
    let one = |contact: usize, role: BuyingRole| Found { contact, role, tokens: tokens.clone(), weak };
    contacts.iter().flat_map(|contact| roles.iter().map(move |role| one(*contact, *role))).collect()
}
