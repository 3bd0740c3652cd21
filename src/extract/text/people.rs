//! Who a sentence speaks of: contacts by honorific and family name, or by full name; pronouns by
//! the one person whom the sentence before named.
//!
//! Invariant: a name that fits two contacts names nobody, and nobody outside the list is named.

use std::collections::BTreeSet;
use std::ops::Range;

use super::TextContact;
use super::guard::fold::{Cell, fold};
use super::guard::token::{Token, tokens};

/// The gender form that an honorific or a pronoun shows; used to resolve pronouns, then forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Masculine,
    Feminine,
}

/// Who is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    /// Index into the record's contacts.
    Contact(usize),
    /// A name that is not, or not uniquely, a contact's.
    Stranger,
    /// `I` in a note: whoever is quoted.
    Speaker,
}

/// A person named at `tokens`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mention {
    pub(super) tokens: Range<usize>,
    pub(super) who: Who,
    pub(super) form: Option<Form>,
    /// `Herrn`: cannot be the subject of a German sentence.
    pub(super) oblique: bool,
}

struct Name {
    given: Vec<String>,
    family: Vec<String>,
}

/// The contacts' names, ready to be found.
pub(super) struct Directory {
    names: Vec<Name>,
    /// Contacts that the text has named in full, or with an honorific.
    introduced: BTreeSet<usize>,
}

const TITLES: &[&str] = &[
    "dr",
    "prof",
    "dipl",
    "ing",
    "mag",
    "mba",
    "msc",
    "bsc",
    "phd",
    "lic",
    "rer",
    "nat",
    "med",
    "jur",
    "professor",
    "doktor",
];

impl Directory {
    pub(super) fn new(contacts: &[TextContact]) -> Self {
        Self { names: contacts.iter().map(|c| Name::read(&c.name)).collect(), introduced: BTreeSet::new() }
    }

    /// The people named in a sentence, in order, without overlap.
    pub(super) fn mentions(&mut self, cells: &[Cell], tokens: &[Token]) -> Vec<Mention> {
        let mut found = Vec::new();
        let mut at = 0;
        while at < tokens.len() {
            let mention = honorific(&tokens[at].text)
                .and_then(|(form, oblique)| self.with_honorific(cells, tokens, at, form, oblique))
                .or_else(|| self.full_or_known(cells, tokens, at));
            match mention {
                Some(mention) => {
                    if let Who::Contact(contact) = mention.who {
                        self.introduced.insert(contact);
                    }
                    at = mention.tokens.end;
                    found.push(mention);
                }
                None => at += 1,
            }
        }
        found
    }

    fn with_honorific(
        &self,
        cells: &[Cell],
        tokens: &[Token],
        at: usize,
        form: Form,
        oblique: bool,
    ) -> Option<Mention> {
        let mut name = at + 1;
        while tokens.get(name).is_some_and(|t| TITLES.contains(&t.text.as_str())) {
            name += 1;
        }
        if !tokens.get(name)?.capital || ends_sense(cells, &tokens[at], &tokens[name]) {
            return None;
        }
        let by_family = self.fitting(|n| reaches(cells, tokens, name, &[&n.family]));
        let in_full = self.fitting(|n| reaches(cells, tokens, name, &[&n.given, &n.family]));
        let (who, end) = match (unique(&in_full), unique(&by_family)) {
            (Some((contact, end)), _) => (Who::Contact(contact), end),
            (None, Some((contact, end))) if in_full.is_empty() => (Who::Contact(contact), end),
            _ => (Who::Stranger, name + 1),
        };
        Some(Mention { tokens: at..end, who, form: Some(form), oblique })
    }

    fn full_or_known(&self, cells: &[Cell], tokens: &[Token], at: usize) -> Option<Mention> {
        if !tokens[at].capital {
            return None;
        }
        let in_full = self.fitting(|n| reaches(cells, tokens, at, &[&n.given, &n.family]));
        let found = if in_full.is_empty() {
            let family = self.fitting(|n| reaches(cells, tokens, at, &[&n.family]));
            unique(&family)
                .filter(|(contact, _)| self.introduced.contains(contact))
                .map(|(c, end)| (Who::Contact(c), end))
        } else {
            Some(unique(&in_full).map_or((Who::Stranger, in_full[0].1), |(c, end)| (Who::Contact(c), end)))
        };
        let (who, end) = found?;
        Some(Mention { tokens: at..end, who, form: None, oblique: false })
    }

    fn fitting(&self, fits: impl Fn(&Name) -> Option<usize>) -> Vec<(usize, usize)> {
        self.names.iter().enumerate().filter_map(|(i, name)| fits(name).map(|end| (i, end))).collect()
    }
}

impl Name {
    fn read(name: &str) -> Self {
        let ordered = match name.split_once(',') {
            Some((family, given)) => format!("{given} {family}"),
            None => name.to_owned(),
        };
        let words: Vec<Vec<String>> = ordered
            .split_whitespace()
            .map(words_of)
            .filter(|w| !(w.is_empty() || w.len() == 1 && TITLES.contains(&w[0].as_str())))
            .collect();
        match &words[..] {
            [] => Self { given: Vec::new(), family: Vec::new() },
            [family] => Self { given: Vec::new(), family: family.clone() },
            [given, .., family] => Self { given: given.clone(), family: family.clone() },
        }
    }
}

fn words_of(word: &str) -> Vec<String> {
    let cells = fold(word);
    tokens(&cells, 0..cells.len()).into_iter().map(|t| t.text).collect()
}

fn unique(found: &[(usize, usize)]) -> Option<(usize, usize)> {
    if let [only] = found { Some(*only) } else { None }
}

/// Where the words of all `parts` end, if they stand from `at` on and no longer name goes on behind them.
fn reaches(cells: &[Cell], tokens: &[Token], mut at: usize, parts: &[&[String]]) -> Option<usize> {
    for part in parts {
        if part.is_empty() {
            return None;
        }
        for word in *part {
            let token = tokens.get(at)?;
            if token.text != *word {
                return None;
            }
            at += 1;
        }
    }
    let last = &tokens[at - 1];
    let hyphen = cells.get(last.cells.end).is_some_and(|c| c.out == '-')
        && tokens.get(at).is_some_and(|next| next.cells.start == last.cells.end + 1);
    (!hyphen).then_some(at)
}

/// `Sehr geehrte Frau. Weber`: a stop other than of an abbreviation parts the words.
fn ends_sense(cells: &[Cell], first: &Token, second: &Token) -> bool {
    cells[first.cells.end..second.cells.start]
        .iter()
        .any(|c| matches!(c.raw, ',' | ':' | ';' | '!' | '?' | '(' | ')' | '"'))
}

fn honorific(word: &str) -> Option<(Form, bool)> {
    match word {
        "herr" | "hr" | "mr" | "mister" | "sir" => Some((Form::Masculine, false)),
        "herrn" | "hrn" => Some((Form::Masculine, true)),
        "frau" | "fr" | "mrs" | "ms" | "miss" | "madam" => Some((Form::Feminine, false)),
        _ => None,
    }
}

/// The form of a pronoun that can stand for one person.
pub(super) fn pronoun(word: &str) -> Option<Form> {
    match word {
        "er" | "he" => Some(Form::Masculine),
        "sie" | "she" => Some(Form::Feminine),
        _ => None,
    }
}
