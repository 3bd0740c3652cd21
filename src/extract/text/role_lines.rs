//! Lines of notes that name who has which role: `Entscheider: Ebert (GF)`, `Karen = buyer`, `Brandt (Anwender)`.
//!
//! Invariant: a line tells a role only where nothing but names and words of roles stand in it.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::LazyLock;

use serde::Deserialize;

use super::names::words_of;
use super::part::Part;
use super::people::{Mention, Who};
use super::sentence::Read;
use crate::taxonomy::BuyingRole;

const FILE: &str = include_str!("../../../config/signals/role_lines.yaml");

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
        if sentence.tokens.first().is_some_and(|t| matches!(t.text, "is" | "ist" | "wer" | "who")) {
            return Vec::new();
        }
        let parts = parts(sentence);
        // One alone may be a point of an agenda: `Freigabe Brandt`.
        let mut told: Vec<Told> = parts.iter().flat_map(|part| self.beside(sentence, part, named)).collect();
        if told.len() < 2 {
            told.clear();
        }
        let pairs = parts.windows(2).filter(|pair| pair[1].opened_by != Opened::Comma);
        told.extend(pairs.flat_map(|pair| self.of_pair(sentence, &parts, (&pair[0], &pair[1]), named)));
        told
    }

    /// What a part and the one behind a mark or within brackets tell.
    fn of_pair(
        &self,
        sentence: &Read<'_>,
        parts: &[Piece],
        (left, right): (&Piece, &Piece),
        named: &[Mention],
    ) -> Vec<Told> {
        let listed = self.roles(sentence, left).filter(|_| right.opened_by == Opened::Mark);
        if let Some(roles) = listed {
            // `Entscheider: Brandt, Ebert`: as long as nothing but names follows.
            let at = right.index;
            let list = parts[at..].iter().take_while(|p| p.index == at || p.opened_by == Opened::Comma);
            let people = list.map_while(|part| Some((part, people(sentence, part, named)?)));
            let left_in = people.filter(|(part, _)| self.is_left(sentence, parts, part));
            return left_in.flat_map(|(part, who)| each(&who, &roles, left.tokens.start..part.tokens.end)).collect();
        }
        match (people(sentence, left, named), self.roles(sentence, right)) {
            (Some(who), Some(roles)) if self.is_left(sentence, parts, right) => {
                each(&who, &roles, left.tokens.start..right.tokens.end)
            }
            _ => Vec::new(),
        }
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
            sentence.marks.iter().any(|mark| from < mark.cells.start && mark.cells.start < to)
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
    let is_mark = |at: usize| sentence.marks.iter().any(|mark| mark.cells.start == at);
    let opens = |at: usize| match sentence.cells[at].raw {
        _ if is_mark(at) => Some(Opened::Mark),
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
