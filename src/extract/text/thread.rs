//! Whom a text goes on about, from sentence to sentence.
//!
//! Invariant: one contact, or nobody; whoever else comes in ends it.

use super::address::Form;
use super::heads::{Head, lists_people};
use super::people::{Mention, Who};
use super::sentence::Read;

/// Whom a pronoun can mean: the one person named last.
#[derive(Clone, Copy)]
struct Antecedent {
    contact: usize,
    form: Option<Form>,
}

/// With whose name a line is headed: what follows in it is said of that contact, also without a subject of its own.
#[derive(Clone, Copy)]
struct Floor {
    contact: usize,
    /// It heads the bullets below, too.
    bullets: bool,
}

/// What the sentences so far were about.
pub(super) struct Thread {
    about: Option<usize>,
    antecedent: Option<Antecedent>,
    /// Somebody other than `about` has been spoken of.
    others: bool,
    floor: Option<Floor>,
    /// The sentence before ended its line.
    line_ended: bool,
    /// The lines before list who was there.
    listing: bool,
}

impl Thread {
    pub(super) fn new(about: Option<usize>) -> Self {
        Self { about, antecedent: None, others: false, floor: None, line_ended: false, listing: false }
    }

    /// Somebody may have been spoken of whom nobody knows.
    pub(super) fn broken(&mut self) {
        self.antecedent = None;
        self.others = true;
        self.floor = None;
    }

    /// A sentence begins: in a new line nobody has the floor, but for bullets below a head.
    pub(super) fn begins(&mut self, sentence: &Read<'_>, head: Option<Head>, named: &[Mention], third_party: bool) {
        let text = sentence.sentence.text;
        let bullet = text.starts_with(['-', '*', '•', '–', '·', '+', '>']) && !text.starts_with("->");
        let ended = std::mem::replace(&mut self.line_ended, text.ends_with(['\n', '\r']));
        if ended && !(bullet && self.floor.is_some_and(|floor| floor.bullets)) {
            self.floor = None;
        }
        // In a list of who was there, a name alone heads nothing.
        let is_list = lists_people(sentence) || self.listing && head.is_some_and(|head| head.alone);
        self.listing = is_list;
        if let Some(head) = head.filter(|_| !is_list) {
            self.floor = Some(Floor { contact: head.contact, bullets: head.alone });
        } else if third_party || named.iter().any(|m| Some(m.who) != self.floor.map(|f| Who::Contact(f.contact))) {
            self.floor = None;
        }
    }

    /// The contact with whose name the line is headed.
    pub(super) fn floor(&self) -> Option<usize> {
        self.floor.map(|floor| floor.contact)
    }

    /// Whom a sentence without a name goes on about.
    pub(super) fn meant(&self) -> Option<usize> {
        self.floor().or(self.antecedent.map(|a| a.contact)).or(if self.others { None } else { self.about })
    }

    /// Whom `er` and `sie` can mean in it.
    pub(super) fn meant_by(&self, form: Form) -> Option<usize> {
        match self.antecedent {
            Some(a) => (a.form == Some(form) || self.is_about(a)).then_some(a.contact),
            None => self.meant(),
        }
    }

    /// The contact whom a pronoun means in a sentence that names nobody.
    pub(super) fn resolved(&self, form: Form) -> Option<usize> {
        match self.antecedent {
            Some(a) => (a.form == Some(form) || self.is_about(a)).then_some(a.contact),
            None => self.about.filter(|_| !self.others),
        }
    }

    /// A family name alone shows no form; the contact whom the note is on needs none, nor does the one who has the floor.
    fn is_about(&self, antecedent: Antecedent) -> bool {
        let own = !self.others && self.about == Some(antecedent.contact);
        antecedent.form.is_none() && (own || self.floor() == Some(antecedent.contact))
    }

    /// A sentence ends in which these were named.
    pub(super) fn remember(&mut self, named: &[Mention], third_party: bool) {
        self.others |= third_party || named.iter().any(|m| m.who != self.about.map_or(Who::Stranger, Who::Contact));
        // Whoever else a headed sentence names may be meant by the next one.
        self.floor = self.floor.filter(|f| named.iter().all(|m| m.who == Who::Contact(f.contact)));
        if third_party || self.listing {
            self.antecedent = None;
            self.others |= self.listing;
            return;
        }
        if let Some(first) = named.first() {
            let same = named.iter().all(|m| m.who == first.who);
            self.antecedent = match first.who {
                Who::Contact(contact) if same => {
                    let kept = self.antecedent.filter(|a| a.contact == contact).and_then(|a| a.form);
                    Some(Antecedent { contact, form: first.form.or(kept) })
                }
                _ => None,
            };
        }
    }
}
