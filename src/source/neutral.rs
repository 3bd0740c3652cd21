//! Quotes of notes without names and gender.
//!
//! Invariant: no word of a contact's name and no name behind a form of address is left, and no word that no rule knows:
//! it may be the name of somebody whom nobody knows, or does not know any more. What stands for them is the same whoever
//! they were.

use rustc_hash::FxHashSet;
use smallvec::SmallVec;

use super::words::{Facts, WORDS, bare, folded};
use crate::extract::text::word_hash;
use crate::model::Subject;

/// What stands where somebody was named.
const PERSON: &str = "[person]";
/// What stands for words that may be names.
const LEFT_OUT: char = '…';
/// Signs behind which a sentence begins, or what somebody says.
const BEGINS: [char; 12] = ['.', '!', '?', ':', ';', '\n', '"', '„', '“', '«', '»', '('];

/// The words of names that may stand in a quote, by their hashes.
pub(super) struct Names(FxHashSet<u64>);

impl Names {
    /// Of all contacts of a company, whether or not they may be read about.
    pub(super) fn of<'a>(contacts: impl IntoIterator<Item = &'a Subject>) -> Self {
        let parts = |s: &'a Subject| [s.given_name.reveal().as_str(), s.family_name.reveal().as_str()];
        Self::of_words(contacts.into_iter().flat_map(parts))
    }

    fn of_words<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        Self(names.into_iter().flat_map(name_words).map(|word| word_hash(&word)).collect())
    }

    /// Whether a word is a name, or a double name with one, also with the ending of a genitive. One in small letters is
    /// none where it is a word of the rules, too.
    fn has(&self, word: &Facts) -> bool {
        let is_name = word.names.iter().any(|name| self.0.contains(name));
        is_name && (word.capital || !word.may_stay(false))
    }
}

/// The words of a name, as they are compared; "von" and "de" are not, unless the name has nothing else.
fn name_words(name: &str) -> SmallVec<[String; 4]> {
    let pieces = name.split(|c: char| !c.is_alphanumeric()).filter(|p| p.chars().nth(1).is_some());
    let pieces: SmallVec<[(&str, String); 4]> = pieces.map(|piece| (piece, folded(piece))).collect();
    let is_particle = |(_, folded): &(&str, String)| WORDS.particles.contains(folded);
    let all_particles = pieces.iter().all(is_particle);
    let mut words = SmallVec::new();
    for (piece, folded) in pieces.into_iter().filter(|piece| all_particles || !is_particle(piece)) {
        // Of ASCII both are the same.
        words.extend((!piece.is_ascii()).then(|| bare(piece)));
        words.push(folded);
    }
    words
}

/// What a word of a quote is.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// Names somebody or stands for them.
    Person,
    /// Goes on with a name behind a form of address.
    Open,
    /// May be a name, for all that the rules know.
    Unknown,
    Other,
}

/// A quote without names and without gender.
pub(super) fn neutral(quote: &str, names: &Names) -> String {
    let mut out = String::with_capacity(quote.len());
    let (mut before, mut rest) = (Kind::Other, quote);
    while !rest.is_empty() {
        let start = rest.find(char::is_alphanumeric).unwrap_or(rest.len());
        let (gap, word_on) = rest.split_at(start);
        let end = word_on.find(|c: char| !c.is_alphanumeric() && c != '-').unwrap_or(word_on.len());
        let (word, after) = word_on.split_at(end);
        rest = after;
        let begins = out.is_empty() || gap.contains(BEGINS);
        let facts = Facts::of(word);
        let kind = kind(Word { word, after, begins }, &facts, before, names);
        // Nothing but blanks and full stops parts the words of one name.
        let same =
            matches!(before, Kind::Person | Kind::Open) && gap.chars().all(|c| matches!(c, ' ' | '.' | '\u{a0}'));
        match kind {
            Kind::Other => {
                out.push_str(if same { gap.trim_start_matches('.') } else { gap });
                push_word(&mut out, (word, &facts), after);
            }
            Kind::Unknown if before == Kind::Unknown => {}
            Kind::Unknown => {
                out.push_str(gap);
                out.push(LEFT_OUT);
            }
            Kind::Person | Kind::Open if same => {}
            Kind::Person | Kind::Open => {
                out.push_str(gap);
                out.push_str(PERSON);
            }
        }
        before = kind;
    }
    out
}

/// A word where it stands.
#[derive(Clone, Copy)]
struct Word<'q> {
    word: &'q str,
    after: &'q str,
    /// Whether a sentence begins here, or what somebody says.
    begins: bool,
}

fn kind(Word { word, after, begins }: Word<'_>, facts: &Facts, before: Kind, names: &Names) -> Kind {
    if facts.honorific && (facts.capital || before == Kind::Open) {
        return Kind::Open;
    }
    if before == Kind::Open && facts.particle {
        return Kind::Open;
    }
    // `A. Brandt`: the initial is part of the name.
    let initial = facts.letter && facts.capital && after.starts_with('.') && {
        let next = after.trim_start_matches(['.', ' ']);
        let next = next.split(|c: char| !c.is_alphanumeric() && c != '-').next().unwrap_or_default();
        names.has(&Facts::of(next))
    };
    let named = before == Kind::Open && facts.capital;
    if named || initial || names.has(facts) || facts.pronoun {
        Kind::Person
    } else if word.is_empty() || facts.may_stay(begins) {
        Kind::Other
    } else {
        Kind::Unknown
    }
}

/// A word, its gender taken off.
fn push_word(out: &mut String, (word, facts): (&str, &Facts), after: &str) {
    let next = || after.trim_start().split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
    if facts.article && Facts::of(next()).noun.is_some() {
        out.truncate(out.trim_end().len());
        return;
    }
    out.push_str(facts.noun.unwrap_or(word));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(list: &[&str]) -> Names {
        Names::of_words(list.iter().copied())
    }

    #[test]
    fn quotes_name_nobody_and_show_no_gender() {
        let names = names(&["Anna", "Brandt", "Müllerschön", "Heide", "Weber", "Le"]);
        for (quote, neutral_one) in [
            ("Frau Brandt entscheidet", "[person] entscheidet"),
            ("Herr Brandt entscheidet", "[person] entscheidet"),
            ("Hr. Dr. Brandt entscheidet", "[person] entscheidet"),
            ("ohne Brandts Freigabe läuft nichts", "ohne [person] Freigabe läuft nichts"),
            ("A. Brandt entscheidet", "[person] entscheidet"),
            ("Anna Brandt signs off", "[person] signs off"),
            ("Frau von der Heide zeichnet ab", "[person] zeichnet ab"),
            ("Frau Brandt-Weber ist die Entscheiderin", "[person] ist Entscheider:in"),
            ("Brandt ist der Entscheider", "[person] ist Entscheider:in"),
            ("Muellerschoen unterschreibt", "[person] unterschreibt"),
            ("Mullerschon unterschreibt", "[person] unterschreibt"),
            ("müllerschön unterschreibt", "[person] unterschreibt"),
            ("Le entscheidet", "[person] entscheidet"),
            ("Brandt hat mit Zwickelhuber, Xaver das Budget", "[person] hat mit … das Budget"),
            ("sie entscheidet allein", "[person] entscheidet allein"),
            ("er entscheidet allein", "[person] entscheidet allein"),
            ("Mr. Stranger decides", "[person] decides"),
            ("talk to Mrs Weber, please", "talk to [person], please"),
            ("Neumann entscheidet", "… entscheidet"),
            ("das Budget hat Will Kaufmann", "das Budget hat …"),
            ("ohne Lange läuft nichts", "ohne … läuft nichts"),
            ("entscheidet gern mit Zahlen", "entscheidet gern mit Zahlen"),
            ("", ""),
        ] {
            assert_eq!(neutral(quote, &names), neutral_one, "{quote}");
        }
    }

    /// A word of the rules may be a name, too: `Steve` must give way also where no contact is called so.
    #[test]
    fn given_names_of_strangers_give_way() {
        let list = include_str!("../../config/signals/given_names.yaml");
        let given: Vec<&str> = list
            .lines()
            .filter(|line| !line.starts_with(['#', 'v']))
            .flat_map(|line| line.trim_start_matches("feminine:").trim_start_matches("masculine:").split(','))
            .map(|word| word.trim_matches([' ', '[', ']']))
            .filter(|word| !word.is_empty())
            .collect();
        let shown = |name: &&str| {
            let (first, rest) = name.split_at(name.chars().next().map_or(0, char::len_utf8));
            let name = format!("{}{rest}", first.to_uppercase());
            neutral(&format!("ohne {name} entscheidet"), &names(&[])).contains(&name)
        };
        let left: Vec<&str> = given.iter().copied().filter(|name| shown(name)).collect();
        assert!(given.len() > 900 && left.is_empty(), "add to names in config/crm/quotes.yaml: {left:?}");
    }

    proptest::proptest! {
        #[test]
        fn no_name_is_left(before in "[a-z .,]{0,20}", after in "[ .,][a-z ]{0,20}") {
            let names = names(&["Zwickelhuber"]);
            for name in ["Zwickelhuber", "Frau Zwickelhuber", "Zwickelhubers", "Zwickelhuber-Meier"] {
                let quote = format!("{before} {name}{after}");
                proptest::prop_assert!(!neutral(&quote, &names).to_lowercase().contains("zwickel"), "{}", quote);
            }
        }
    }
}
