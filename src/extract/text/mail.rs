//! Whose words stand in mails that were pasted into a note: headers, greetings and signatures tell who wrote which lines.
//!
//! Invariant: a line is a contact's own only where a header or a signature names that one contact; where the two do not agree,
//! and everywhere else, it is the note's.

use super::people::{Mention, Who};
use super::sentence::Read;

/// Head the line of who sent it.
const FROM: [&str; 4] = ["von", "from", "absender", "sender"];
/// Words that tell of a mail, where a line introduces it.
const MAILS: [&str; 16] = [
    "mail",
    "e-mail",
    "email",
    "mails",
    "e-mails",
    "nachricht",
    "message",
    "antwort",
    "reply",
    "rueckmeldung",
    "schreibt",
    "schrieb",
    "writes",
    "wrote",
    "schreiben",
    "zitat",
];
/// Before a name they make somebody of it who gets the mail, or of whom it speaks.
const NO_AUTHOR: [&str; 14] =
    ["an", "to", "for", "fuer", "ueber", "about", "wegen", "re", "cc", "zu", "mit", "with", "unsere", "our"];
/// First words of greetings.
const GREETINGS: [&str; 16] = [
    "hallo", "hi", "hello", "hey", "dear", "liebe", "lieber", "sehr", "guten", "moin", "servus", "gruezi", "werte",
    "werter", "good", "gruess",
];
/// The most words of a greeting.
const LONGEST_GREETING: usize = 8;
/// What signatures begin with; longer ones before those that they begin with.
const CLOSINGS: [&[&str]; 34] = [
    &["mit", "freundlichen", "gruessen"],
    &["mit", "freundlichem", "gruss"],
    &["mit", "besten", "gruessen"],
    &["mit", "herzlichen", "gruessen"],
    &["viele", "gruesse"],
    &["beste", "gruesse"],
    &["besten", "gruss"],
    &["liebe", "gruesse"],
    &["schoene", "gruesse"],
    &["herzliche", "gruesse"],
    &["freundliche", "gruesse"],
    &["freundlicher", "gruss"],
    &["gruesse"],
    &["gruss"],
    &["mfg"],
    &["vg"],
    &["lg"],
    &["bg"],
    &["kind", "regards"],
    &["best", "regards"],
    &["warm", "regards"],
    &["regards"],
    &["best", "wishes"],
    &["all", "the", "best"],
    &["many", "thanks"],
    &["yours", "sincerely"],
    &["yours", "faithfully"],
    &["sincerely"],
    &["br"],
    &["kr"],
    &["best"],
    &["cheers"],
    &["thanks"],
    &["thx"],
];

/// Words in small letters that stand behind a name in signatures: of a title, of a company, of where somebody is reached. Any other
/// one makes a greeting of it that is sent on, or a sentence: `Gruß Lea Kriebitz ausgerichtet`.
const BEHIND_NAME: [&str; 36] = [
    "und",
    "and",
    "of",
    "for",
    "fuer",
    "bei",
    "at",
    "the",
    "der",
    "des",
    "die",
    "im",
    "in",
    "i",
    "a",
    "v",
    "p",
    "tel",
    "telefon",
    "phone",
    "fon",
    "mobil",
    "mobile",
    "cell",
    "handy",
    "fax",
    "mail",
    "email",
    "e",
    "web",
    "www",
    "http",
    "https",
    "ext",
    "direct",
    "durchwahl",
];
/// Words that stand before a name in the line of its own that a signature ends with: `i. A. Lea Kriebitz`, `Ihre Lea Kriebitz`.
const BEFORE_NAME: [&str; 14] =
    ["i", "a", "v", "p", "ppa", "im", "auftrag", "gez", "ihr", "ihre", "your", "yours", "dein", "deine"];

/// Whose words a sentence is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Voice {
    /// Of whoever wrote the note.
    Note,
    /// A contact's own.
    Contact(usize),
    /// Quoted, and nobody knows from whom.
    Another,
}

/// Who wrote something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Author {
    Contact(usize),
    /// Somebody who is no contact, or nobody knows who.
    Other,
}

/// Names the people of a sentence from one of its words on, counted from there.
type Naming<'n> = &'n dyn Fn(&Read<'_>, usize) -> Vec<Mention>;

/// Whose words each sentence of a note is.
pub(super) fn voices(sentences: &[Read<'_>], about: Option<usize>, naming: Naming<'_>) -> Vec<Voice> {
    let lines = Lines::of(sentences);
    let mut voices = lines.quoted.iter().map(|is| if *is { Voice::Another } else { Voice::Note }).collect();
    if !lines.may_hold_mail() {
        return voices;
    }
    let plain: Vec<usize> = (0..sentences.len()).filter(|at| !lines.quoted[*at]).collect();
    Mail { lines: &lines, naming, about, quoted: false }.read(&plain, None, &mut voices);
    let mut at = 0;
    while at < sentences.len() {
        let block: Vec<usize> = (at..sentences.len()).take_while(|at| lines.quoted[*at]).collect();
        if block.is_empty() {
            at += 1;
            continue;
        }
        let introduced = at.checked_sub(1).and_then(|before| lines.introduces(before, naming));
        Mail { lines: &lines, naming, about: None, quoted: true }.read(&block, introduced, &mut voices);
        at += block.len();
    }
    voices
}

/// The sentences of a note by the lines that they stand in.
struct Lines<'l> {
    sentences: &'l [Read<'l>],
    /// A sentence begins its line.
    begins: Vec<bool>,
    /// It stands in a line that begins with `>`.
    quoted: Vec<bool>,
}

impl<'l> Lines<'l> {
    fn of(sentences: &'l [Read<'l>]) -> Self {
        let (mut begins, mut quoted) = (Vec::new(), Vec::new());
        for (at, sentence) in sentences.iter().enumerate() {
            let begun =
                at == 0 || !sentence.sentence.follows_kept || sentences[at - 1].sentence.text.ends_with(['\n', '\r']);
            let is_quoted = sentence.sentence.text.trim_start().starts_with('>');
            quoted.push(is_quoted || !begun && quoted[at - 1]);
            begins.push(begun);
        }
        Self { sentences, begins, quoted }
    }

    /// Whether anything in it may be a mail; most notes hold none.
    fn may_hold_mail(&self) -> bool {
        let head = |at: usize| self.begins[at] && (self.is_header(at, &FROM) || self.closing(at).is_some());
        (0..self.sentences.len()).any(|at| self.quoted[at] || head(at))
    }

    fn word(&self, at: usize, token: usize) -> &str {
        self.sentences[at].tokens.get(token).map_or("", |t| t.text)
    }

    /// `From: ...`
    fn is_header(&self, at: usize, words: &[&str]) -> bool {
        let sentence = &self.sentences[at];
        let Some(first) = sentence.tokens.first().filter(|t| words.contains(&t.text)) else { return false };
        let next = sentence.tokens.get(1).map_or(usize::MAX, |t| t.cells.start);
        let mark = sentence.marks.first().filter(|mark| mark.colon);
        mark.is_some_and(|mark| mark.cells.start == first.cells.end && mark.cells.end <= next)
    }

    fn is_greeting(&self, at: usize) -> bool {
        let tokens = &self.sentences[at].tokens;
        self.begins[at] && tokens.len() <= LONGEST_GREETING && GREETINGS.contains(&self.word(at, 0))
    }

    /// How many words of a closing formula a line begins with.
    fn closing(&self, at: usize) -> Option<usize> {
        let begins = |words: &&[&str]| words.iter().enumerate().all(|(i, word)| self.word(at, i) == *word);
        CLOSINGS.iter().find(|words| begins(words)).map(|words| words.len())
    }

    /// A line of dashes, or one that says that what follows was written before.
    fn parts(&self, at: usize) -> bool {
        let text = self.sentences[at].sentence.text.trim();
        let rule = text.len() >= 3 && text.chars().all(|c| matches!(c, '-' | '_' | '=' | '*' | '—'));
        rule || text.starts_with("-----")
    }

    /// Whether what stands before a name in its line may stand there in a signature.
    fn begins_signature(&self, at: usize, name: usize) -> bool {
        let before = &self.sentences[at].tokens[..name];
        before.iter().all(|t| BEFORE_NAME.contains(&t.text) || t.capital && !sends_on(t.text))
    }

    /// Whether what stands behind a name, to the end of its line, may stand there in a signature.
    fn ends_signature(&self, at: usize, name: usize) -> bool {
        let goes_on = (at + 1..self.sentences.len()).take_while(|at| !self.begins[*at]);
        let behind = std::iter::once((at, name)).chain(goes_on.map(|at| (at, 0)));
        behind.flat_map(|(at, from)| (from..self.sentences[at].tokens.len()).map(move |token| (at, token))).all(
            |(at, token)| {
                let word = &self.sentences[at].tokens[token];
                let is_number = word.text.starts_with(|c: char| !c.is_alphabetic());
                word.capital || is_number || BEHIND_NAME.contains(&word.text) || self.is_of_address(at, token)
            },
        )
    }

    /// A part of an e-mail address, or of that of a page.
    fn is_of_address(&self, at: usize, token: usize) -> bool {
        let (cells, word) = (self.sentences[at].cells, &self.sentences[at].tokens[token].cells);
        let begin =
            cells[..word.start].iter().rev().position(|cell| cell.raw.is_whitespace()).map_or(0, |n| word.start - n);
        let written: String = cells[begin..].iter().map(|cell| cell.raw).take_while(|c| !c.is_whitespace()).collect();
        written.contains('@') || written.contains("://") || written.contains("www.")
    }

    /// The one whom a line introduces as the author of what is quoted below it: `Mail von Fr. Haller, 17.05.`
    fn introduces(&self, at: usize, naming: Naming<'_>) -> Option<Author> {
        let tokens = &self.sentences[at].tokens;
        if !tokens.iter().any(|t| MAILS.contains(&t.text)) {
            return None;
        }
        Some(match naming(&self.sentences[at], 0)[..] {
            [Mention { who: Who::Contact(contact), ref tokens, .. }]
                if !tokens.start.checked_sub(1).is_some_and(|before| NO_AUTHOR.contains(&self.word(at, before))) =>
            {
                Author::Contact(contact)
            }
            _ => Author::Other,
        })
    }
}

/// A mail, or several of them below each other.
struct Mail<'m> {
    lines: &'m Lines<'m>,
    naming: Naming<'m>,
    /// The contact whom the note is on.
    about: Option<usize>,
    /// All of it stands behind `>`.
    quoted: bool,
}

impl Mail<'_> {
    /// Finds out whose the sentences at these places are; `author` is who was said to have written them.
    fn read(&self, places: &[usize], author: Option<Author>, voices: &mut [Voice]) {
        // Where the mail that is read begins, and who its header says has written it.
        let (mut start, mut from) = (0, author);
        let (mut greeted, mut is_first) = (None, true);
        let mut place = 0;
        while place < places.len() {
            let at = places[place];
            if self.lines.begins[at] && self.lines.is_header(at, &FROM) {
                self.unsigned(&places[start..place], from, voices);
                (start, from, greeted, is_first) =
                    (place + 1, Some(only((self.naming)(&self.lines.sentences[at], 0))), None, false);
            } else if self.lines.parts(at) {
                self.unsigned(&places[start..place], from, voices);
                (start, from, greeted, is_first) = (place + 1, None, None, false);
            } else if self.lines.is_greeting(at) {
                greeted = Some(place);
            } else if self.lines.begins[at]
                && let Some((signer, end)) = self.signature(places, place)
            {
                // Without a greeting a signature is believed of the contact whom the note is on, or whom a header names, and
                // of whoever is quoted.
                let is_his = is_first && (self.quoted || self.is_about(signer));
                let begins = greeted.or((from.is_some() || is_his).then_some(start));
                if let Some(begin) = begins {
                    put(&places[begin..end], from, signer, voices);
                }
                (start, from, greeted, is_first) = (end, None, None, false);
                place = end;
                continue;
            }
            place += 1;
        }
        self.unsigned(&places[start..], from, voices);
    }

    /// What nobody has signed: only of what is quoted it is plain where it ends.
    fn unsigned(&self, places: &[usize], from: Option<Author>, voices: &mut [Voice]) {
        if self.quoted {
            put(places, from, None, voices);
        }
    }

    /// Whether the contact whom the note is on has signed.
    fn is_about(&self, signer: Option<Author>) -> bool {
        matches!(signer, Some(Author::Contact(contact)) if Some(contact) == self.about)
    }

    /// Who has signed at a place, and where the signature ends: the formula and the name behind it, or in the next line.
    fn signature(&self, places: &[usize], place: usize) -> Option<(Option<Author>, usize)> {
        let at = places[place];
        let closing = self.lines.closing(at)?;
        let sentence = &self.lines.sentences[at];
        if sentence.tokens.len() > closing {
            // `Best practice: ...`, `Grüße an Fr. Haller` sign nothing.
            let is_own = matches!(self.lines.word(at, closing), "ihr" | "ihre" | "your" | "yours" | "dein" | "deine");
            let begin = closing + usize::from(is_own);
            let named = (self.naming)(sentence, begin);
            let is_short = sentence.tokens.len() <= closing + 4;
            return match named.first() {
                Some(first) if first.tokens.start == 0 => {
                    let signs = self.lines.ends_signature(at, begin + first.tokens.end);
                    signs.then(|| (Some(only(named)), place + 1))
                }
                Some(_) => None,
                None => (is_short && sentence.tokens[closing].capital).then_some((Some(Author::Other), place + 1)),
            };
        }
        let next = places.get(place + 1).copied().filter(|next| !self.lines.sentences[*next].tokens.is_empty());
        let Some(next) = next else { return Some((None, place + 1)) };
        let is_short = self.lines.sentences[next].tokens.len() <= 4;
        let words = self.lines.sentences[next].tokens.iter();
        let begin = words.take_while(|t| BEFORE_NAME.contains(&t.text)).count();
        let named = (self.naming)(&self.lines.sentences[next], begin);
        if let Some(Mention { tokens, .. }) = named.first().filter(|first| is_short || first.tokens.start == 0) {
            let (start, end) = (begin + tokens.start, begin + tokens.end);
            let signs = self.lines.begins_signature(next, start) && self.lines.ends_signature(next, end);
            if !signs {
                return None;
            }
        }
        Some(if is_short { (Some(only(named)), place + 2) } else { (None, place + 1) })
    }
}

/// Gives sentences to the one contact whom header and signature name.
fn put(places: &[usize], from: Option<Author>, signer: Option<Author>, voices: &mut [Voice]) {
    let of = match (from, signer) {
        (Some(Author::Contact(one)), Some(Author::Contact(other))) if one != other => return,
        // A shared mailbox may be signed by a contact; a contact's own by nobody else.
        (_, Some(Author::Contact(contact))) | (Some(Author::Contact(contact)), None) => contact,
        _ => return,
    };
    for at in places {
        voices[*at] = Voice::Contact(of);
    }
}

/// Whether a word before a name makes somebody of it whom a greeting goes to, or whose greeting is sent on.
fn sends_on(word: &str) -> bool {
    matches!(word, "von" | "from") || NO_AUTHOR.contains(&word)
}

/// The only one named, if it is a contact.
fn only(named: Vec<Mention>) -> Author {
    match named[..] {
        [Mention { who: Who::Contact(contact), .. }] => Author::Contact(contact),
        _ => Author::Other,
    }
}
