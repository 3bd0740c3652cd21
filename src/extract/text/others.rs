//! Whether a sentence speaks of somebody who is no contact.
//!
//! Invariant: in doubt it does; groups, houses and things are nobody of whom the next sentence could speak.

use std::ops::Range;

use super::bare::{ARTICLES, COLLEAGUES, OURS, is};
use super::called::is_given_name;
use super::guard::token::Token;
use super::heads::headed_by_stranger;
use super::memory::Set;
use super::part::{Part, is_known};
use super::people::{Mention, Who};
use super::rules::Tag;
use super::sentence::Read;

/// Whether the sentence speaks of somebody who is none of the contacts: `Meyer war dabei`, `mit Meyer telefoniert`.
fn names_unknown(tokens: &[Token<'_>], clauses: &[u32], named: &[Mention]) -> bool {
    let unknown = |at: usize| {
        let token = &tokens[at];
        token.capital && !token.word.is(Part::NO_NAME) && !named.iter().any(|m| m.tokens.contains(&at))
    };
    let met = tokens.iter().any(|t| t.word.is(Part::MEETING));
    (0..tokens.len()).any(|at| {
        let heads = at == 0 || clauses[at] != clauses[at - 1];
        let does = heads
            && clauses.get(at + 1) == Some(&clauses[at])
            && tokens.get(at + 1).is_some_and(|t| t.word.is(Part::DEED));
        let company = at > 0 && met && tokens[at - 1].word.is(Part::WITH);
        // `Backup is Jim T`.
        let initialled = tokens.get(at + 1).is_some_and(|t| t.capital && t.word.chars() == 1 && t.text != "i")
            && clauses.get(at + 1) == Some(&clauses[at])
            && at > 0
            && !named.iter().any(|m| m.tokens.contains(&(at + 1)));
        (does || company || initialled) && unknown(at)
    })
}

/// What notes without a subject begin with: `Findet keine Leute`, `Needs training for the team`.
const DEMANDS: &[&str] = &[
    "will",
    "moechte",
    "braucht",
    "benoetigt",
    "findet",
    "sucht",
    "wuenscht",
    "verlangt",
    "fordert",
    "erwartet",
    "hat",
    "kriegt",
    "bekommt",
    "verliert",
    "kauft",
    "bestellt",
    "testet",
    "prueft",
    "fragt",
    "hoert",
    "klagt",
    "schimpft",
    "aergert",
    "plant",
    "muss",
    "wants",
    "needs",
    "likes",
    "prefers",
    "asks",
    "expects",
    "requires",
    "hates",
    "gets",
    "loses",
    "looks",
    "struggles",
    "can't",
    "cant",
    "cannot",
    "doesn't",
    "doesnt",
    "tests",
    "buys",
    "listens",
    "plans",
    "talks",
    "short",
    "filtert",
    "siebt",
    "sortiert",
    "entscheidet",
    "unterschreibt",
    "genehmigt",
    "zeichnet",
    "verhandelt",
    "empfiehlt",
    "holt",
    "nutzt",
    "arbeitet",
    "bedient",
    "besteht",
    "achtet",
    "schaut",
    "informiert",
    "liest",
    "filters",
    "screens",
    "signs",
    "approves",
    "decides",
    "negotiates",
    "recommends",
    "uses",
    "runs",
    "reads",
    "insists",
    "has",
    "advises",
    "chairs",
    "leads",
    "holds",
    "makes",
    "handles",
    "places",
    "controls",
    "beraet",
    "macht",
];

/// Whether a note begins with what somebody does, and with no subject: `Advises the boss`, `Testet neue Anlagen`.
pub(super) fn begins_with_deed(tokens: &[Token<'_>]) -> bool {
    is(tokens.first(), DEMANDS) || tokens.first().is_some_and(|t| t.word.is(Part::DEED))
}

/// Groups of people of whom somebody speaks without being one of them.
const GROUPS: &[&str] = &[
    "leute",
    "leuten",
    "kunden",
    "team",
    "teams",
    "mitarbeiter",
    "mitarbeitern",
    "kollegen",
    "lieferanten",
    "mannschaft",
    "people",
    "customers",
    "customer",
    "staff",
    "supplier",
    "suppliers",
    "vendors",
    "colleagues",
    "peers",
    "techs",
    "guys",
    "lads",
    "crew",
    "operators",
    "bediener",
    "fachkraefte",
    "azubis",
    "vertreter",
    "alle",
    "andere",
    "anderer",
    "others",
    "everyone",
    "beide",
    "both",
    "belegschaft",
    "jemand",
    "somebody",
    "someone",
];

/// Houses and bodies: they are no person of whom the next sentence could speak, unless it is they who act.
const HOUSES: &[&str] = &[
    "firma",
    "unternehmen",
    "company",
    "konzern",
    "holding",
    "zentrale",
    "mutterkonzern",
    "gremium",
    "committee",
    "board",
    "konkurrenz",
    "wettbewerb",
    "competitor",
    "betrieb",
    "bank",
    "abteilung",
    "department",
    "gesellschafterversammlung",
    "vorstand",
    "geschaeftsfuehrung",
];

/// Whether a sentence speaks of somebody who is no contact; groups that a sentence without a subject has as its object do not
/// count.
pub(super) fn speaks_of_others(sentence: &Read<'_>, named: &[Mention]) -> bool {
    let demands = is(sentence.tokens.first(), DEMANDS);
    let third = third_parties(sentence, named).next().is_some();
    third && !(demands && only_of_groups(sentence, named)) || names_person(sentence, named)
}

/// Whether somebody is named, or heads the line, who is no contact.
pub(super) fn names_person(sentence: &Read<'_>, named: &[Mention]) -> bool {
    headed_by_stranger(sentence, named)
        || names_unknown(&sentence.tokens, sentence.clauses, named)
        || names_ours(&sentence.tokens, named)
}

/// `With our engineer Luke`, `mit unserem Kollegen Jonas`, `our Steve`: one of ours, by a name that is no contact's.
fn names_ours(tokens: &[Token<'_>], named: &[Mention]) -> bool {
    let unknown = |at: usize| {
        tokens.get(at).is_some_and(|t| t.capital && t.word.chars() > 2 && !t.word.is(Part::NO_NAME) && !is_known(t))
            && !named.iter().any(|m| m.tokens.contains(&at))
    };
    let role = |at: usize| is(tokens.get(at), COLLEAGUES) || tokens.get(at).is_some_and(|t| !t.capital);
    // `Our Steve`; in German `unser Werk` has a capital, too.
    let called = |at: usize| unknown(at) && (is_given_name(tokens[at].text) || is(tokens.get(at - 1), &["our", "my"]));
    (0..tokens.len()).any(|at| {
        is(tokens.get(at), OURS)
            && (role(at + 1) && unknown(at + 2) || called(at + 1) && !tokens[at + 1].word.is_upper())
    })
}

/// Where the first word ends for somebody who is no contact, and no group.
pub(super) fn stranger_ends(sentence: &Read<'_>, named: &[Mention]) -> Option<usize> {
    let person = |at: usize| !is(sentence.tokens.get(at), GROUPS) && !is_house(&sentence.tokens[at]);
    third_parties(sentence, named).filter(|at| at.clone().any(person)).map(|at| at.end).min()
}

fn is_house(token: &Token<'_>) -> bool {
    HOUSES.iter().any(|house| token.text.starts_with(house))
}

/// Whether of others a sentence names groups alone (`no visibility which crew was there`): they are nobody of whom the next one
/// could speak.
pub(super) fn only_of_groups(sentence: &Read<'_>, named: &[Mention]) -> bool {
    let tokens = &sentence.tokens;
    let acts = |at: usize| at == 0 || at == 1 && is(tokens.first(), ARTICLES);
    let house = |at: usize| is_house(&tokens[at]) && !acts(at);
    // `Termin Brandt, dabei Kollege Hartung`: one of ours came along.
    let along = |at: usize| at > 1 && is(tokens.get(at - 1), &["dabei", "mit", "with", "sowie", "plus"]);
    let ours = |at: usize| is(tokens.get(at), COLLEAGUES) && along(at) && tokens.get(at + 1).is_some_and(|t| t.capital);
    third_parties(sentence, named).all(|mut at| at.all(|at| is(tokens.get(at), GROUPS) || house(at) || ours(at)))
}

/// Words for somebody who is no contact, but for those by which a contact is called.
pub(super) fn third_parties<'s>(
    sentence: &'s Read<'_>,
    named: &'s [Mention],
) -> impl Iterator<Item = Range<usize>> + 's {
    let third = sentence.context.iter().filter(|c| *c.tag == Tag::ThirdParty).map(|c| c.tokens.clone());
    let is_contact = |m: &Mention| matches!(m.who, Who::Contact(_));
    third.filter(move |at| !named.iter().any(|m| is_contact(m) && m.tokens.start <= at.end && at.end <= m.tokens.end))
}

/// Words behind which people are named.
const NAMED_BEHIND: [&str; 10] = ["by", "from", "with", "to", "of", "von", "durch", "bei", "mit", "an"];

/// Whether somebody may be named whom nobody knows: two words with capitals that no rule knows, at the head of a clause or
/// where people stand; one, and an initial.
pub(super) fn names_stranger(tokens: &[Token<'_>], clauses: &[u32], named: &[Mention]) -> bool {
    let unknown = |t: &Token<'_>| {
        let sets = [Set::Guard, Set::Context, Set::Claims, Set::Topics, Set::Stances];
        t.capital && t.word.chars() > 2 && !t.word.is(Part::NO_NAME) && sets.iter().all(|s| t.word.ids(*s).is_empty())
    };
    (1..tokens.len()).any(|at| {
        let heads = at == 1 || clauses[at - 2] != clauses[at - 1];
        let by = at > 1 && NAMED_BEHIND.contains(&tokens[at - 2].text);
        // `Backup is Jim T`.
        let initial = at > 1 && tokens[at].capital && tokens[at].word.chars() == 1 && tokens[at].text != "i";
        let goes_on =
            (heads || by) && unknown(&tokens[at]) || initial && !named.iter().any(|m| m.tokens.contains(&(at - 1)));
        goes_on && clauses[at - 1] == clauses[at] && unknown(&tokens[at - 1])
    })
}

/// Whether a clause begins with somebody whom nobody knows, who is something, or does something: `..., Kleinholz ist risikoscheu`.
pub(super) fn begins_with_stranger(sentence: &Read<'_>, start: usize) -> bool {
    const IS: [&str; 20] = [
        "ist", "hat", "will", "muss", "darf", "kann", "soll", "moechte", "macht", "braucht", "is", "has", "wants",
        "needs", "can", "must", "likes", "hates", "would", "war",
    ];
    let tokens = &sentence.tokens;
    let same = |at: usize| sentence.clauses.get(at) == sentence.clauses.get(start);
    let may_name = |t: &&Token<'_>| t.capital && t.word.chars() > 3 && !t.word.is(Part::NO_NAME) && !is_known(t);
    let Some(first) = tokens.get(start).filter(|_| start > 0).filter(may_name) else {
        return false;
    };
    // `Kleinholz (IT) darf ...`
    let bracket =
        sentence.cells[first.cells.end..].iter().find(|c| !c.raw.is_whitespace()).is_some_and(|c| c.raw == '(');
    let closed = || (start + 1..tokens.len()).find(|at| !sentence.in_brackets(&(*at..*at + 1)));
    let verb = if bracket { closed() } else { Some(start + 1).filter(|at| same(*at)) };
    verb.and_then(|at| tokens.get(at)).is_some_and(|t| IS.contains(&t.text))
}
