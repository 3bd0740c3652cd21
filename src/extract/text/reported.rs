//! Who only passes on what another thinks, and who is somebody to a contact: neither is that contact's own view.
//!
//! Invariant: in doubt it is not the contact's.

use super::part::Part;
use super::people::Mention;
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
