//! Who only passes on what another thinks, and who is somebody to a contact: neither is that contact's own view.
//!
//! Invariant: in doubt it is not the contact's.

use std::ops::Range;

use super::part::{Part, is_known};
use super::people::{Mention, Who};
use super::stance::Here;

impl Here<'_> {
    /// `Die Frau von X`: somebody else, of whom X is the measure.
    pub(super) fn is_measure(&self, mention: &Mention) -> bool {
        let before = |back: usize| mention.tokens.start.checked_sub(back).map(|at| &self.sentence.tokens[at]);
        before(1).is_some_and(|t| matches!(t.text, "von" | "of"))
            && before(2).is_some_and(|t| t.word.is(Part::ADDRESS) || RELATIONS.contains(&t.text))
    }

    /// `Laut Meyer entscheidet X`: hearsay.
    pub(super) fn reports_stranger(&self) -> bool {
        let tokens = &self.sentence.tokens;
        let named = |at: usize| self.around.named.iter().any(|m| m.tokens.start == at);
        (1..tokens.len()).any(|at| {
            matches!(tokens[at - 1].text, "laut" | "lt")
                && tokens[at].capital
                && !tokens[at].word.is(Part::NO_NAME)
                && !named(at)
        })
    }

    /// `Laut X entscheidet ...`, `according to X ...`: who decides is another, unless X is named again.
    pub(super) fn is_source(&self, contact: usize) -> bool {
        let is_source = |m: &Mention| {
            let before = |back: usize| m.tokens.start.checked_sub(back).map_or("", |at| self.word(at));
            matches!(before(1), "laut" | "lt") || before(2) == "according" && before(1) == "to"
        };
        let mut mentions = self.around.named.iter().filter(|m| m.who == Who::Contact(contact)).peekable();
        mentions.peek().is_some() && mentions.all(is_source)
    }

    /// `Mark said Joe signs off`, `told me that Joe decides`: behind the word for saying somebody acts whom nobody knows.
    pub(super) fn tells_of_stranger(&self, anchor: &Range<usize>) -> bool {
        const SAYS: [&str; 16] = [
            "said",
            "says",
            "told",
            "tells",
            "mentioned",
            "mentions",
            "reckons",
            "explained",
            "explains",
            "confirmed",
            "confirms",
            "thinks",
            "sagt",
            "sagte",
            "meint",
            "erzaehlt",
        ];
        const BETWEEN: [&str; 8] = ["that", "me", "us", "mir", "uns", "dass", "and", "the"];
        let tokens = &self.sentence.tokens;
        let may_act = |at: usize| {
            let token = &tokens[at];
            let named = self.around.named.iter().any(|m| m.tokens.contains(&at));
            let acts = tokens.get(at + 1).is_some_and(|t| !t.capital && t.text.ends_with(['s', 'd', 't']));
            token.capital && !token.word.is(Part::NO_NAME) && !named && !is_known(token) && acts
        };
        let start = self.sentence.clause_start(anchor.start);
        (start..anchor.start)
            .filter(|at| SAYS.contains(&self.word(*at)))
            .any(|at| (at + 1..anchor.end).find(|at| !BETWEEN.contains(&self.word(*at))).is_some_and(may_act))
    }

    /// `X's neighbour`, `Xs Schwager`: somebody else, of whom X is the measure.
    pub(super) fn is_relation(&self, mention: &Mention) -> bool {
        let last = self.word(mention.tokens.end - 1);
        let possessive = last.ends_with("'s") || last.ends_with('s');
        mention.tokens.len() == 1
            && possessive
            && self.sentence.tokens.get(mention.tokens.end).is_some_and(|t| RELATIONS.contains(&t.text))
    }

    /// Whether somebody passes on what another thinks.
    pub(super) fn is_reported(&self) -> bool {
        *self.seen.is_reported.get_or_init(|| self.passes_on())
    }

    fn passes_on(&self) -> bool {
        const SAYS: [&str; 25] = [
            "sagte",
            "wrote",
            "schrieb",
            "quote",
            "zitat",
            "rt",
            "repost",
            "reposting",
            "retweet",
            "sagt",
            "meint",
            "says",
            "said",
            "laut",
            "told",
            "erzaehlt",
            "according",
            "thinks",
            "tells",
            "erklaert",
            "berichtet",
            "explained",
            "explains",
            "mentioned",
            "mentions",
        ];
        let tokens = &self.sentence.tokens;
        let says = |at: usize| match tokens[at].text {
            // `Per Mail` and `per Sie` tell of nobody, and `LT` is a lead time.
            "per" => self.around.named.iter().any(|m| m.tokens.start == at + 1),
            "lt" => !tokens[at].word.is_upper(),
            word => SAYS.contains(&word),
        };
        (0..tokens.len()).any(says)
    }
}

/// Who somebody is to another.
const RELATIONS: [&str; 34] = [
    "neighbour",
    "neighbor",
    "brother",
    "sister",
    "wife",
    "husband",
    "son",
    "daughter",
    "father",
    "mother",
    "friend",
    "mate",
    "cousin",
    "uncle",
    "predecessor",
    "successor",
    "boss",
    "colleague",
    "assistant",
    "deputy",
    "team",
    "brother-in-law",
    "schwager",
    "bruder",
    "schwester",
    "frau",
    "mann",
    "sohn",
    "tochter",
    "vater",
    "nachbar",
    "freund",
    "vorgaenger",
    "chef",
];
