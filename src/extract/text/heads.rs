//! What lines of notes are headed with: whose statement follows (`Hr. Brandt: ...`), and who has which role (`Entscheider:
//! Ebert (GF)`, `Karen = buyer`).
//!
//! Invariant: a head names one contact, or nobody; a line tells a role only where nothing but names and words of roles stand in it.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::LazyLock;

use serde::Deserialize;

use super::guard::fold::Cell;
use super::memory::Set;
use super::part::{Part, is_heading};
use super::people::{Mention, Who, words_of};
use super::rules::Tag;
use super::sentence::Read;
use crate::taxonomy::BuyingRole;

const FILE: &str = include_str!("../../../config/signals/role_lines.yaml");

/// Departments and pronouns that head a line of somebody else's words.
const FUNCTIONS: [&str; 32] = [
    "einkauf",
    "gf",
    "produktion",
    "it",
    "vertrieb",
    "werkstatt",
    "buchhaltung",
    "lager",
    "instandhaltung",
    "qs",
    "konstruktion",
    "einkaufsleiter",
    "chef",
    "wir",
    "ich",
    "uns",
    "we",
    "us",
    "me",
    "i",
    "purchasing",
    "procurement",
    "finance",
    "ops",
    "engineering",
    "maintenance",
    "production",
    "sales",
    "warehouse",
    "reception",
    "boss",
    "kollege",
];

/// Whose somebody is.
const OF: [&str; 6] = ["von", "vom", "of", "bei", "for", "fuer"];

/// Lists of people are headed with it.
const LISTING: [&str; 13] = [
    "cc",
    "bcc",
    "an",
    "to",
    "teilnehmer",
    "tn",
    "attendees",
    "anwesend",
    "present",
    "there",
    "who",
    "verteiler",
    "gaeste",
];

/// So many words may stand between a name and the colon behind it: `Brandt / Service:`.
const MAX_BEHIND: usize = 3;

/// A contact with whose name a line is headed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) contact: usize,
    /// Nothing stands behind it, so that it heads the bullets below.
    pub(super) alone: bool,
}

/// Whose line it is.
pub(super) fn headed(sentence: &Read<'_>, named: &[Mention]) -> Option<Head> {
    let first = named.first()?;
    let Who::Contact(contact) = first.who else { return None };
    let tokens = &sentence.tokens;
    let before = &tokens[..first.tokens.start];
    // `Chef von Brandt:` is somebody else, `cc: Brandt` nobody who says anything.
    let of_another =
        before.last().is_some_and(|t| OF.contains(&t.text)) && before.iter().any(|t| !t.word.is(Part::HEADING));
    if !before.iter().all(is_heading) || of_another || before.iter().any(|t| LISTING.contains(&t.text)) {
        return None;
    }
    // `Mtg Brandt 3.4.` in a line of its own.
    if named.len() == 1 && tokens[first.tokens.end..].iter().all(is_heading) {
        return Some(Head { contact, alone: true });
    }
    let behind = tokens[first.tokens.end - 1].cells.end;
    let mark = marks(sentence.cells).find(|mark| mark.cells.start >= behind)?;
    let between = tokens.iter().filter(|t| t.cells.start >= behind && t.cells.end <= mark.cells.start);
    let mut written = sentence.cells[behind..mark.cells.start].iter().map(|c| c.raw).filter(|c| !c.is_whitespace());
    let bracketed = written.next() == Some('(') && written.next_back() == Some(')');
    let most = if mark.colon || bracketed { MAX_BEHIND } else { 0 };
    let others = named.iter().skip(1).any(|m| tokens[m.tokens.start].cells.start < mark.cells.start);
    let alone = tokens.last().is_none_or(|t| t.cells.end <= mark.cells.start);
    (between.count() <= most && !others).then_some(Head { contact, alone })
}

/// Whether a sentence lists who was there.
pub(super) fn lists_people(sentence: &Read<'_>) -> bool {
    let Some(mark) = marks(sentence.cells).next().filter(|mark| mark.colon) else { return false };
    let head = sentence.tokens.iter().take_while(|t| t.cells.end <= mark.cells.start).last();
    head.is_some_and(|t| LISTING.contains(&t.text))
}

/// Whether a line is headed with somebody who is no contact, or with what may be the name of one: `Lammers: ...`,
/// `Kai (Vertrieb): ...`, `Einkauf: ...`, `Assistentin von Brandt: ...`, or a line of its own above bullets.
pub(super) fn headed_by_stranger(sentence: &Read<'_>, named: &[Mention]) -> bool {
    let mark = marks(sentence.cells).next();
    let end = mark.as_ref().map_or(sentence.cells.len(), |mark| mark.cells.start);
    let bracket = sentence.cells[..end].iter().position(|c| c.raw == '(').unwrap_or(end);
    let head = sentence.tokens.iter().take_while(|t| t.cells.end <= bracket).count();
    let is_function = |at: usize| FUNCTIONS.contains(&sentence.tokens[at].text);
    if mark.is_some_and(|mark| mark.colon) && (1..=2).contains(&head) && is_function(head - 1) && named.is_empty() {
        return true;
    }
    let may_name = |at: usize| {
        let token = &sentence.tokens[at];
        token.capital
            && token.word.chars() > 2
            && !token.word.is(Part::NO_NAME)
            && !token.word.is(Part::TOPIC)
            // `SDR call 2: ...`
            && !(token.word.is_upper() && token.word.chars() <= 4)
            && !is_heading(token)
            && !ROLE_LINES.has(token.text)
            && [Set::Context, Set::Claims, Set::Topics, Set::Stances].iter().all(|s| token.word.ids(*s).is_empty())
    };
    let initial = |at: usize| sentence.tokens[at].capital && sentence.tokens[at].word.chars() == 1;
    (1..=MAX_BEHIND).contains(&head)
        && named.iter().all(|m| m.tokens.start >= head)
        && (0..head).any(may_name)
        && (0..head).all(|at| may_name(at) || initial(at) || is_heading(&sentence.tokens[at]))
}

/// The people named, but for those who are the measure of somebody else in the head of a line, or whom a list names.
pub(super) fn as_meant(sentence: &Read<'_>, mut named: Vec<Mention>) -> Vec<Mention> {
    if named.is_empty() {
        return named;
    }
    let Some(mark) = marks(sentence.cells).next() else { return named };
    let head = sentence.tokens.iter().take_while(|t| t.cells.end <= mark.cells.start).count();
    let heads = named.iter().filter(|m| m.tokens.end <= head).collect::<Vec<_>>();
    if is_of_contact(sentence, &heads, head) {
        named.iter_mut().filter(|m| m.tokens.end <= head).for_each(|m| m.who = Who::Stranger);
    } else if mark.colon && head > 0 && LISTING.contains(&sentence.tokens[head - 1].text) {
        let line = sentence.cells[mark.cells.end..].iter().skip_while(|c| c.raw.is_whitespace());
        let line = mark.cells.end + 1 + line.take_while(|c| !matches!(c.raw, '\n' | '\r')).count();
        let listed = sentence.tokens[head..].iter().take_while(|t| t.cells.start < line);
        // `Who's who: Karen decides` lists nobody.
        let is_list =
            listed.clone().all(|t| t.capital || is_heading(t) || matches!(t.text, "und" | "and" | "u" | "me"));
        if is_list && listed.count() > 0 {
            named.iter_mut().for_each(|m| m.who = Who::Stranger);
        }
    }
    named
}

/// Whether a head names a contact as the measure of somebody else: `Assistentin von Brandt`, `Brandt und Kollege`.
fn is_of_contact(sentence: &Read<'_>, named: &[&Mention], head: usize) -> bool {
    let [only] = named else { return false };
    if head > MAX_BEHIND + 2 {
        return false;
    }
    let others = sentence.context.iter().filter(|c| *c.tag == Tag::ThirdParty && c.tokens.end <= head);
    let is_other = |at: usize| at >= only.tokens.end || at + 1 < only.tokens.start;
    let ours = sentence.tokens[..only.tokens.start]
        .iter()
        .any(|t| matches!(t.text, "unser" | "unsere" | "our" | "mein" | "my"));
    let of = only.tokens.start.checked_sub(1).is_some_and(|at| OF.contains(&sentence.tokens[at].text));
    let wife = of && only.tokens.start > 1 && sentence.tokens[only.tokens.start - 2].word.is(Part::ADDRESS);
    ours || wife || others.map(|c| c.tokens.start).any(is_other)
}

/// Where the words begin behind what a line is headed with if that is a topic: `Price: negotiates hard`; 0 without a head.
pub(super) fn topic_head(sentence: &Read<'_>) -> usize {
    let Some(mark) = marks(sentence.cells).find(|mark| mark.colon) else { return 0 };
    let head = sentence.tokens.iter().take_while(|t| t.cells.end <= mark.cells.start).count();
    if head <= MAX_BEHIND && head < sentence.tokens.len() { head } else { 0 }
}

/// A sign that parts a head from what it heads.
struct Mark {
    cells: Range<usize>,
    colon: bool,
}

/// `:`, `=`, an arrow, a dash with blanks around it, in order.
fn marks(cells: &[Cell]) -> impl Iterator<Item = Mark> + '_ {
    let blank = |at: usize| cells.get(at).is_none_or(|c| c.raw.is_whitespace());
    (0..cells.len()).filter_map(move |at| {
        let next = cells.get(at + 1).map(|c| c.raw);
        let end = match cells[at].raw {
            '-' | '–' | '=' if next == Some('>') => at + 2,
            '=' if at > 0 && matches!(cells[at - 1].raw, '!' | '≠') => return None,
            ':' if blank(at + 1) => at + 1,
            '=' | '→' => at + 1,
            '-' | '–' | '—' if at > 0 && blank(at - 1) && blank(at + 1) => at + 1,
            _ => return None,
        };
        Some(Mark { cells: at..end, colon: cells[at].raw == ':' })
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRoles {
    version: u32,
    p: f64,
    roles: BTreeMap<BuyingRole, Vec<String>>,
    beside: Vec<String>,
}

/// The words of roles.
pub(super) struct RoleLines {
    pub(super) p: f64,
    /// Folded words of a term -> its role, the longest first.
    terms: Vec<(Vec<String>, BuyingRole)>,
    beside: Vec<String>,
}

pub(super) static ROLE_LINES: LazyLock<RoleLines> =
    LazyLock::new(|| RoleLines::parse(FILE).unwrap_or_else(|error| panic!("signals/role_lines.yaml: {error}")));

/// A role that a line tells.
pub(super) struct Told {
    pub(super) contact: usize,
    pub(super) role: BuyingRole,
    /// The words that tell it.
    pub(super) tokens: Range<usize>,
}

impl RoleLines {
    fn parse(yaml: &str) -> Result<Self, String> {
        let raw: RawRoles = serde_saphyr::from_str(yaml).map_err(|e| e.to_string())?;
        if raw.version != 1 || !(0.5..=1.0).contains(&raw.p) {
            return Err("version must be 1, and p from 0.5 to 1".to_owned());
        }
        let terms = raw.roles.iter().flat_map(|(role, all)| all.iter().map(|term| (words_of(term), *role)));
        let mut terms: Vec<(Vec<String>, BuyingRole)> = terms.collect();
        terms.sort_by_key(|(words, _)| std::cmp::Reverse(words.len()));
        Ok(Self { p: raw.p, terms, beside: raw.beside.iter().flat_map(|word| words_of(word)).collect() })
    }

    /// Whether a word alone names a role.
    pub(super) fn has(&self, word: &str) -> bool {
        self.terms.iter().any(|(term, _)| matches!(&term[..], [only] if only == word))
    }

    /// The roles that the lines of a sentence tell.
    pub(super) fn read(&self, sentence: &Read<'_>, named: &[Mention]) -> Vec<Told> {
        if !named.iter().any(|m| matches!(m.who, Who::Contact(_))) {
            return Vec::new();
        }
        let mut told = Vec::new();
        if sentence.tokens.first().is_some_and(|t| matches!(t.text, "is" | "ist" | "wer" | "who")) {
            return Vec::new();
        }
        let parts = parts(sentence);
        // One alone may be a point of an agenda: `Freigabe Brandt`.
        let beside: Vec<Told> = parts.iter().flat_map(|part| self.beside(sentence, part, named)).collect();
        if beside.len() > 1 {
            told.extend(beside);
        }
        for pair in parts.windows(2) {
            let [left, right] = pair else { continue };
            match right.opened_by {
                Opened::Mark => {
                    if let Some(roles) = self.roles(sentence, left) {
                        // `Entscheider: Brandt, Ebert`: as long as nothing but names follows.
                        let at = right.index;
                        let lists = parts[at..].iter().take_while(|p| p.index == at || p.opened_by == Opened::Comma);
                        for part in lists {
                            let Some(contacts) = people(sentence, part, named) else { break };
                            if self.is_left(sentence, &parts, part) {
                                told.extend(each(&contacts, &roles, left.tokens.start..part.tokens.end));
                            }
                        }
                    } else if let (Some(contacts), Some(roles)) =
                        (people(sentence, left, named), self.roles(sentence, right))
                    {
                        if self.is_left(sentence, &parts, right) {
                            told.extend(each(&contacts, &roles, left.tokens.start..right.tokens.end));
                        }
                    }
                }
                Opened::Bracket => {
                    if let (Some(contacts), Some(roles)) = (people(sentence, left, named), self.roles(sentence, right))
                    {
                        told.extend(each(&contacts, &roles, left.tokens.start..right.tokens.end));
                    }
                }
                Opened::Comma => {}
            }
        }
        told
    }

    /// Whether a bracket behind a part takes nothing back: `(früher)`, `(TBC)`.
    fn is_left(&self, sentence: &Read<'_>, parts: &[Piece], part: &Piece) -> bool {
        let bracket = parts.get(part.index + 1).filter(|next| next.opened_by == Opened::Bracket);
        bracket.is_none_or(|next| {
            let words = &sentence.tokens[next.tokens.clone()];
            words.iter().all(|t| t.word.is(Part::CALLED)) || self.roles(sentence, next).is_some()
        })
    }

    /// Whether the words at a place name a role beside which a mark parts them from somebody named: such a line is read by
    /// [`RoleLines::read`] alone, which sees all of it.
    pub(super) fn is_line(&self, sentence: &Read<'_>, at: &Range<usize>, named: &[Mention]) -> bool {
        let of_role = |word: &str| self.terms.iter().any(|(term, _)| term.iter().any(|of| of == word));
        let place = |at: usize| sentence.tokens[at].cells.start;
        let parted = |m: &Mention| {
            let (from, to) = (place(m.tokens.start).min(place(at.start)), place(m.tokens.start).max(place(at.start)));
            marks(sentence.cells).any(|mark| from < mark.cells.start && mark.cells.start < to)
        };
        sentence.tokens[at.clone()].iter().all(|t| of_role(t.text)) && named.iter().any(parted)
    }

    /// `Entscheidung Brandt, Anwender Ebert + Team`: a part that is a word of a role and names.
    fn beside(&self, sentence: &Read<'_>, part: &Piece, named: &[Mention]) -> Vec<Told> {
        let Some(first) = named.iter().find(|m| m.tokens.start > part.tokens.start && m.tokens.end <= part.tokens.end)
        else {
            return Vec::new();
        };
        // `Einkauf Brandt` is what he is called, and may stand before anything.
        let is_called = sentence.tokens[part.tokens.start..first.tokens.start].iter().any(|t| t.word.is(Part::CALLED));
        let left =
            Piece { index: part.index, tokens: part.tokens.start..first.tokens.start, opened_by: part.opened_by };
        let right = Piece { index: part.index, tokens: first.tokens.start..part.tokens.end, opened_by: part.opened_by };
        match (self.roles(sentence, &left), people(sentence, &right, named)) {
            (Some(roles), Some(contacts)) if !is_called => each(&contacts, &roles, part.tokens.clone()),
            _ => Vec::new(),
        }
    }

    /// The roles that a part names; `None` where another word stands in it.
    fn roles(&self, sentence: &Read<'_>, part: &Piece) -> Option<Vec<BuyingRole>> {
        let words: Vec<&str> = sentence.tokens[part.tokens.clone()].iter().map(|t| t.text).collect();
        let mut roles = Vec::new();
        let mut at = 0;
        while at < words.len() {
            let fits =
                |term: &[String]| words[at..].len() >= term.len() && term.iter().zip(&words[at..]).all(|(a, b)| a == b);
            if let Some((term, role)) = self.terms.iter().find(|(term, _)| fits(term)) {
                roles.push(*role);
                at += term.len();
            } else if self.beside.iter().any(|word| word == words[at]) {
                at += 1;
            } else {
                return None;
            }
        }
        (!roles.is_empty()).then_some(roles)
    }
}

fn each(contacts: &[usize], roles: &[BuyingRole], tokens: Range<usize>) -> Vec<Told> {
    let one = |contact: usize, role: BuyingRole| Told { contact, role, tokens: tokens.clone() };
    contacts.iter().flat_map(|contact| roles.iter().map(move |role| one(*contact, *role))).collect()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Opened {
    /// By `:`, `=`, an arrow or a dash.
    Mark,
    Bracket,
    Comma,
}

/// What stands between two signs.
struct Piece {
    index: usize,
    tokens: Range<usize>,
    opened_by: Opened,
}

/// A sentence in parts: by marks, brackets, and what else parts clauses.
fn parts(sentence: &Read<'_>) -> Vec<Piece> {
    let marked: Vec<usize> = marks(sentence.cells).map(|mark| mark.cells.start).collect();
    let opens = |at: usize| match sentence.cells[at].raw {
        _ if marked.contains(&at) => Some(Opened::Mark),
        '(' => Some(Opened::Bracket),
        ',' | ')' | ';' | '.' | '!' | '|' | '\n' | '\r' => Some(Opened::Comma),
        _ => None,
    };
    let (mut all, mut start, mut opened_by, mut from) = (Vec::new(), 0, Opened::Comma, 0);
    for (index, token) in sentence.tokens.iter().enumerate() {
        // A stop right behind a word is one of an abbreviation: `Hr. Brandt`, `G. Hollwedel`.
        let dotted = |at: usize| sentence.cells[at].raw == '.' && at == from;
        let opened = (from..token.cells.start).filter(|at| !dotted(*at)).filter_map(opens).next_back();
        if let Some(opened) = opened.filter(|_| index > start) {
            all.push(Piece { index: all.len(), tokens: start..index, opened_by });
            (start, opened_by) = (index, opened);
        }
        from = token.cells.end;
    }
    if start < sentence.tokens.len() {
        all.push(Piece { index: all.len(), tokens: start..sentence.tokens.len(), opened_by });
    }
    all
}

/// The contacts whom a part names; `None` where anybody or anything else stands in it.
fn people(sentence: &Read<'_>, part: &Piece, named: &[Mention]) -> Option<Vec<usize>> {
    let mut contacts = Vec::new();
    let mut at = part.tokens.start;
    while at < part.tokens.end {
        if let Some(mention) = named.iter().find(|m| m.tokens.start == at) {
            let Who::Contact(contact) = mention.who else { return None };
            // `Brandt's boss` is somebody else.
            if sentence.tokens[at].text.ends_with("'s") {
                return None;
            }
            contacts.push(contact);
            at = mention.tokens.end;
        } else if sentence.tokens[at].word.is(Part::CALLED)
            || sentence.tokens[at].word.is(Part::ADDRESS)
            || matches!(sentence.tokens[at].text, "und" | "and" | "u")
            || sentence.tokens[at].text == "team" && !contacts.is_empty()
        {
            at += 1;
        } else {
            return None;
        }
    }
    (!contacts.is_empty()).then_some(contacts)
}
