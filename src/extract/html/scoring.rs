//! How far what was read about a company is what a careful reader reads: shared by the blind sets of pages.
//!
//! Invariant: only the writing is forgiven (case, spaces, marks, short and long legal forms), never the substance.

use std::collections::BTreeMap;
use std::fmt;

use unicode_normalization::UnicodeNormalization;

/// Spellings that mean the same, the longest first, without marks and spaces.
const SAME: [(&str, &str); 13] = [
    ("spolkazograniczonaodpowiedzialnoscia", "spzoo"),
    ("gesellschaftmitbeschrankterhaftung", "gmbh"),
    ("kommanditgesellschaft", "kg"),
    ("partnerschaftmbb", "partgmbb"),
    ("partgesellschaft", "partg"),
    ("aktiengesellschaft", "ag"),
    ("partnerschaft", "partg"),
    ("haftungsbeschrankt", ""),
    ("partgmbb", "partmbb"),
    ("company", "co"),
    ("strasse", "str"),
    ("limited", "ltd"),
    ("gesmbh", "gmbh"),
];
/// What offices that keep registers are called, and words around their places.
const OFFICES: [&str; 23] = [
    "amtsgericht",
    "registergericht",
    "ag",
    "local",
    "court",
    "landesgericht",
    "landes",
    "als",
    "handelsgericht",
    "lg",
    "hg",
    "fur",
    "zivilrechtssachen",
    "handelsregisteramt",
    "handelsregister",
    "kanton",
    "kantons",
    "des",
    "registre",
    "du",
    "commerce",
    "canton",
    "de",
];

/// Words in lower case, without accents.
pub(crate) fn words(text: &str) -> Vec<String> {
    let text = text.replace(['\u{AD}', '\u{200B}'], "").to_lowercase().replace('ß', "ss").replace('ł', "l");
    let text = text.replace('ø', "o").replace('æ', "ae");
    let plain: String = text.nfkd().filter(|c| !unicode_normalization::char::is_combining_mark(*c)).collect();
    plain.split(|c: char| !c.is_ascii_alphanumeric()).filter(|w| !w.is_empty()).map(str::to_owned).collect()
}

/// Whether two texts name the same person, one perhaps with more titles or names.
pub(crate) fn same_person(a: &str, b: &str) -> bool {
    let (a, b) = (words(a), words(b));
    let (short, long) = if a.len() <= b.len() { (&a, &b) } else { (&b, &a) };
    short.len() >= 2 && short.iter().all(|w| long.contains(w))
}

fn plain(text: &str) -> String {
    let mut plain = words(text).concat();
    for (long, short) in SAME {
        plain = plain.replace(long, short);
    }
    plain
}

/// A company's name without its legal form.
fn core(name: &str) -> String {
    let end = super::imprint::form_start(name).unwrap_or(name.len());
    plain(&name[..end])
}

/// Whether a value that was read is the one expected; `None` = it is half of it, neither right nor wrong.
pub(crate) fn same(field: &str, expected: &str, got: &str) -> Option<bool> {
    let digits = |text: &str| -> String {
        let digits: String = text.replace("(0)", "").chars().filter(char::is_ascii_digit).collect();
        digits.trim_start_matches('0').to_owned()
    };
    let is_same = match field {
        "phone" => {
            let (a, b) = (digits(expected), digits(got));
            a.len().min(b.len()) >= 5 && (a.ends_with(&b) || b.ends_with(&a))
        }
        "vat_id" | "number" => {
            let bare = |text: &str| {
                let text = plain(text);
                let text = ["mwst", "tva", "iva"].iter().find_map(|s| text.strip_suffix(s)).unwrap_or(&text).to_owned();
                text.trim_start_matches("rcs").to_owned()
            };
            let (a, b) = (bare(expected), bare(got));
            a == b || (a.len() >= 8 && a == b.trim_start_matches(|c: char| c.is_ascii_alphabetic()))
        }
        "court" => {
            let place =
                |text: &str| words(text).into_iter().filter(|w| !OFFICES.contains(&w.as_str())).collect::<String>();
            let (a, b) = (place(expected), place(got));
            !b.is_empty() && (a.starts_with(&b) || b.starts_with(&a))
        }
        "employees" | "founded" => digits(expected) == digits(got.split('-').next().unwrap_or(got)),
        "name" | "legal_name" if plain(expected) != plain(got) && core(expected) == core(got) => return None,
        _ => plain(expected) == plain(got),
    };
    Some(is_same)
}

/// What was found of one field.
#[derive(Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tally {
    pub due: u32,
    pub right: u32,
    pub wrong: u32,
    /// Of those that are wrong, how many are another's, against whom the page was written.
    pub trapped: u32,
}

/// Tallies by field, and what was missed.
#[derive(Default)]
pub(crate) struct Score {
    pub fields: BTreeMap<String, Tally>,
    pub misses: Vec<String>,
}

impl Score {
    /// Counts one value.
    pub fn count(&mut self, page: &str, field: &str, expected: Option<&str>, got: Option<&str>, traps: &[String]) {
        let tally = self.fields.entry(field.to_owned()).or_default();
        tally.due += u32::from(expected.is_some());
        let verdict = match (expected, got) {
            (None, None) => return,
            (Some(_), None) => None,
            (None, Some(_)) => Some(false),
            (Some(expected), Some(got)) => same(field, expected, got),
        };
        let trap = got.is_some_and(|got| traps.iter().any(|t| same(field, t, got) == Some(true)));
        tally.right += u32::from(verdict == Some(true));
        tally.wrong += u32::from(verdict == Some(false));
        tally.trapped += u32::from(verdict == Some(false) && trap);
        if verdict != Some(true) {
            let note = if trap { " TRAP" } else { "" };
            self.misses.push(format!("{page} {field}: expected {expected:?}, read {got:?}{note}"));
        }
    }

    /// All fields together.
    pub fn total(&self) -> Tally {
        self.fields.values().fold(Tally::default(), |all, one| Tally {
            due: all.due + one.due,
            right: all.right + one.right,
            wrong: all.wrong + one.wrong,
            trapped: all.trapped + one.trapped,
        })
    }

    /// Prints the figures; the misses only of a half that may be looked at, with `SHOW`.
    pub fn print(&self, what: &str) {
        println!("{what}: {}", self.total());
        self.fields.iter().for_each(|(field, tally)| println!("    {field}: {tally}"));
        if what.ends_with("dev") && std::env::var_os("SHOW").is_some() {
            self.misses.iter().for_each(|m| println!("{m}"));
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { due, right, wrong, trapped } = self;
        write!(f, "{right} of {due} right, {wrong} wrong ({trapped} of others)")
    }
}
