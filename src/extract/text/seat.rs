//! Whose seat in the buying center a statement is: what stands beside it may give it to somebody else, or to something that nobody buys.
//!
//! Invariant: it only takes statements away.

use std::ops::Range;

use super::Polarity;
use super::people::{Mention, Who};
use super::rules::Family;
use super::sentence::Read;

/// What a seat is called by, where the words speak of it and not of what somebody does.
const SEATS: [&str; 52] = [
    "entscheidung",
    "entscheidungen",
    "entscheid",
    "kaufentscheidung",
    "endentscheidung",
    "entscheider",
    "entscheiderin",
    "freigabe",
    "freigaben",
    "budgetfreigabe",
    "budget",
    "budgets",
    "etat",
    "unterschrift",
    "unterschriften",
    "genehmigung",
    "wort",
    "verhandlung",
    "verhandlungen",
    "preisverhandlung",
    "preisverhandlungen",
    "einkauf",
    "beschaffung",
    "bestellung",
    "bestellungen",
    "lastenheft",
    "pflichtenheft",
    "spezifikation",
    "ausschreibung",
    "ausschreibungen",
    "vergabe",
    "auftragsvergabe",
    "decision",
    "decisions",
    "say",
    "word",
    "sign-off",
    "signoff",
    "signature",
    "approval",
    "approvals",
    "purchasing",
    "buying",
    "orders",
    "ordering",
    "tender",
    "tenders",
    "spec",
    "negotiation",
    "negotiations",
    "maker",
    "authority",
];
/// Behind a seat: what follows is where it is, or whose.
const LIES: [&str; 32] = [
    "faellt",
    "fallen",
    "liegt",
    "liegen",
    "kommt",
    "kommen",
    "erfolgt",
    "erfolgen",
    "laeuft",
    "laufen",
    "sitzt",
    "bleibt",
    "ist",
    "hat",
    "fuehrt",
    "schreibt",
    "macht",
    "machen",
    "trifft",
    "genehmigt",
    "erteilt",
    "sits",
    "lies",
    "rests",
    "comes",
    "is",
    "are",
    "goes",
    "stays",
    "remains",
    "belongs",
    "sit",
];
/// May stand between the two, and behind them.
const BETWEEN: [&str; 24] = [
    "nur",
    "immer",
    "meist",
    "meistens",
    "letztlich",
    "am",
    "ende",
    "final",
    "dann",
    "komplett",
    "zentral",
    "always",
    "usually",
    "ultimately",
    "still",
    "made",
    "taken",
    "run",
    "done",
    "handled",
    "held",
    "down",
    "only",
    "allein",
];
/// Before whom a seat is with, or where it is.
const AT: [&str; 20] = [
    "bei", "beim", "im", "in", "vom", "von", "durch", "ueber", "uebers", "aus", "an", "with", "by", "at", "from", "to",
    "on", "up", "off", "through",
];
/// Before somebody, or a house.
const DETERMINERS: [&str; 12] =
    ["der", "die", "das", "ein", "eine", "the", "a", "an", "someone", "somebody", "jemand", "dem"];
/// Who was spoken of before.
const THEIRS: [&str; 12] =
    ["ihm", "ihr", "ihnen", "him", "her", "herself", "himself", "er", "sie", "he", "she", "them"];
/// Says that somebody only thinks so.
const SUPPOSED: [&str; 15] = [
    "thinks",
    "think",
    "believes",
    "reckons",
    "claims",
    "supposedly",
    "allegedly",
    "apparently",
    "fancies",
    "glaubt",
    "glaube",
    "denkt",
    "behauptet",
    "angeblich",
    "vermutlich",
];
/// Beginnings of what nobody sells to a company's buying center, or its people see to beside their work.
const ASIDE: [&str; 28] = [
    "urlaub",
    "ferien",
    "kantine",
    "bueromaterial",
    "bueroartikel",
    "buerobedarf",
    "weihnachtsfeier",
    "sommerfest",
    "betriebsausflug",
    "blumen",
    "parkpl",
    "mittagess",
    "dienstplan",
    "schichtplan",
    "speiseplan",
    "kleiderordnung",
    "holiday",
    "vacation",
    "timesheet",
    "canteen",
    "stationery",
    "christmas",
    "xmas",
    "parking",
    "rota",
    "lunch",
    "birthday",
    "flowers",
];
/// Where nothing is bought for a company.
const PRIVATE: [&str; 25] = [
    "freizeit",
    "ehrenamt",
    "hobby",
    "kindern",
    "kinder",
    "enkeln",
    "tennis",
    "nachbarschaft",
    "allotment",
    "choir",
    "cricket",
    "kids",
    "pub",
    "wochenende",
    "zuhause",
    "daheim",
    "privat",
    "grillen",
    "feuerwehr",
    "golf",
    "familie",
    "family",
    "gesundheit",
    "hunde",
    "church",
];
/// Before a time, of which nothing is decided: `unterschreibt nach dem Urlaub`.
const WHEN: [&str; 18] = [
    "nach", "vor", "bis", "ab", "im", "in", "am", "seit", "waehrend", "after", "before", "until", "since", "on",
    "over", "during", "at", "from",
];
/// Something that is somebody's own, where a seat may lie.
const AT_HAND: [&str; 18] = [
    "desk",
    "hands",
    "hand",
    "tisch",
    "schreibtisch",
    "haenden",
    "haende",
    "verantwortung",
    "bereich",
    "discretion",
    "remit",
    "plate",
    "alone",
    "allein",
    "and",
    "und",
    "alleine",
    "only",
];

/// Whether a statement of a family, in these words, is of somebody else, of nothing that is bought, only supposed, or only put off.
pub(super) fn is_taken(
    sentence: &Read<'_>,
    (family, polarity): (Family, Polarity),
    words: &Range<usize>,
    named: &[Mention],
) -> bool {
    let seat = Seat { sentence, words, named };
    match (family, polarity) {
        (Family::BuyingRole, Polarity::Plus) => {
            seat.is_supposed() || seat.is_elsewhere() || seat.is_of_others_job() || seat.is_aside()
        }
        (Family::BuyingRole, Polarity::Minus) => seat.is_put_off(),
        (Family::BuyingBehaviour, _) => (0..sentence.tokens.len()).any(|at| seat.is_near(at) && seat.is_at_home(at)),
        _ => false,
    }
}

struct Seat<'s> {
    sentence: &'s Read<'s>,
    words: &'s Range<usize>,
    named: &'s [Mention],
}

impl Seat<'_> {
    fn word(&self, at: usize) -> &str {
        self.sentence.tokens.get(at).map_or("", |t| t.text)
    }

    /// Whether two words stand in one clause.
    fn beside(&self, one: usize, other: usize) -> bool {
        self.sentence.clauses.get(one) == self.sentence.clauses.get(other)
    }

    /// `Rhys thinks he has the final say`, and not `he thinks big, but she decides`.
    fn is_supposed(&self) -> bool {
        let contrasts = |at: usize| matches!(self.word(at), "but" | "aber" | "jedoch" | "doch");
        let mut before = (0..self.words.start).rev().take_while(|at| !contrasts(*at));
        before.any(|at| SUPPOSED.contains(&self.word(at)))
    }

    /// `Decides nothing before he has slept on it`: what is denied is only put off.
    fn is_put_off(&self) -> bool {
        let until = |at: usize| {
            matches!(
                self.word(at),
                "before" | "until" | "till" | "unless" | "without" | "bevor" | "bis" | "ohne" | "solange"
            )
        };
        self.words.clone().any(|at| matches!(self.word(at), "nothing" | "nichts" | "nix") && until(at + 1))
    }

    /// Whether somebody known, or a pronoun, is named from a word on; `with her boss` names another, `in seiner Hand` does not.
    fn names_contact(&self, from: usize) -> bool {
        let until = from + 7;
        let is_near = |m: &Mention| (from..until).contains(&m.tokens.start) && self.beside(from, m.tokens.start);
        let is_named = |m: &Mention| matches!(m.who, Who::Contact(_)) && is_near(m);
        let pronoun = |at: usize| match self.word(at) {
            "her" | "ihr" if at + 1 < self.sentence.tokens.len() && self.beside(at, at + 1) => self.is_own(at + 1),
            "his" | "seiner" | "seinem" | "seinen" | "ihrer" | "ihrem" | "ihren" => self.is_own(at + 1),
            word => THEIRS.contains(&word),
        };
        self.named.iter().any(is_named) || (from..until).any(|at| self.beside(from, at) && pronoun(at))
    }

    fn is_own(&self, at: usize) -> bool {
        AT_HAND.contains(&self.word(at))
    }

    /// `Entscheidung fällt im Konzern`, `letzte Wort hat die Holding`, `decision sits with HQ`.
    fn is_elsewhere(&self) -> bool {
        let last = self.words.end.min(self.sentence.tokens.len());
        (self.words.start..last).any(|at| {
            let is_seat =
                SEATS.contains(&self.word(at)) || self.word(at) == "off" && at > 0 && self.word(at - 1) == "sign";
            // `Brandt's signature goes on every order`.
            let is_theirs =
                self.named.iter().any(|m| matches!(m.who, Who::Contact(_)) && m.oblique && m.tokens.end == at)
                    || at > 0
                        && matches!(
                            self.word(at - 1),
                            "his"
                                | "her"
                                | "sein"
                                | "seine"
                                | "seinen"
                                | "seiner"
                                | "ihr"
                                | "ihre"
                                | "ihren"
                                | "ihrer"
                                | "dessen"
                                | "deren"
                        );
            if !is_seat || is_theirs {
                return false;
            }
            let next = |from: usize| {
                (from..self.sentence.tokens.len())
                    .find(|at| !BETWEEN.contains(&self.word(*at)))
                    .filter(|to| self.beside(at, *to))
            };
            let Some(verb) = next(at + 1).filter(|verb| LIES.contains(&self.word(*verb))) else { return false };
            let Some(behind) = next(verb + 1) else { return false };
            if self.names_contact(behind) {
                return false;
            }
            let token = &self.sentence.tokens[behind];
            // `Budget ist knapp` says nothing of anybody; a noun right behind the verb does: `Einkauf macht Zentrale`.
            AT.contains(&token.text) || DETERMINERS.contains(&token.text) || token.capital && token.text != "i"
        })
    }

    /// `Signs off is the CFO's job`.
    fn is_of_others_job(&self) -> bool {
        const JOBS: [&str; 8] = ["job", "call", "business", "thing", "task", "decision", "sache", "aufgabe"];
        (self.words.end..self.sentence.tokens.len()).any(|at| {
            let owner = at.checked_sub(1).filter(|owner| *owner > 0 && self.word(*owner).ends_with("'s"));
            let stranger = |owner: usize| {
                let is_somebody = matches!(self.word(owner - 1), "the" | "his" | "her" | "their" | "our");
                is_somebody && !self.named.iter().any(|m| m.tokens.contains(&owner))
            };
            JOBS.contains(&self.word(at)) && owner.is_some_and(stranger)
        })
    }

    /// `Signs off holiday requests`, `macht Einkauf nur für Büromaterial`, `aber nicht für Investitionsgüter`.
    fn is_aside(&self) -> bool {
        let tokens = self.sentence.tokens.len();
        let behind = |at: usize| (1..=3).any(|back| at >= back && WHEN.contains(&self.word(at - back)));
        // `Über Urlaub entscheidet er`.
        let object =
            |at: usize| at >= self.words.start || (1..=2).any(|back| at >= back && self.word(at - back) == "ueber");
        let trifle =
            |at: usize| ASIDE.iter().any(|begin| self.word(at).starts_with(begin)) && object(at) && !behind(at);
        let but_not = |at: usize| {
            at > 0
                && matches!(self.word(at), "nicht" | "not")
                && matches!(self.word(at - 1), "aber" | "but" | "jedoch" | "though")
                && matches!(self.word(at + 1), "fuer" | "bei" | "for" | "on" | "beim" | "in")
        };
        let is_trifling = |at: usize| self.is_near(at) && (trifle(at) || self.is_at_home(at));
        (0..tokens).any(is_trifling) || (self.words.end..tokens).any(but_not)
    }

    /// Whether a word stands in the first or the last clause of the statement.
    fn is_near(&self, at: usize) -> bool {
        self.beside(at, self.words.end - 1) || self.beside(at, self.words.start)
    }

    fn is_at_home(&self, at: usize) -> bool {
        let word = self.word(at);
        PRIVATE.contains(&word)
            || ["verein", "garten", "chor"].iter().any(|end| word.ends_with(end))
            || word == "home" && at > 0 && self.word(at - 1) == "at"
    }
}
