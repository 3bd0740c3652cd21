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
#[expect(clippy::struct_excessive_bools, reason = "what was seen so far, each by itself")]
pub(super) struct Thread {
    about: Option<usize>,
    antecedent: Option<Antecedent>,
    /// Which pronoun can mean each contact, as far as name and title show it.
    forms: Vec<Option<Form>>,
    /// The only one of a form who was named so far; who shows none may be of either.
    by_form: [Option<usize>; 2],
    /// Somebody other than `about` has been spoken of.
    others: bool,
    /// Another house is spoken of, whose functions are not the contacts'.
    pub(super) elsewhere: bool,
    floor: Option<Floor>,
    /// Those named last were several, or one and a group.
    pub(super) several: bool,
    /// The sentence before ended its line.
    line_ended: bool,
    /// The lines before list who was there.
    listing: bool,
}

impl Thread {
    pub(super) fn new(about: Option<usize>, forms: Vec<Option<Form>>) -> Self {
        let by_form = [None; 2];
        let elsewhere = false;
        Self {
            about,
            elsewhere,
            antecedent: None,
            forms,
            by_form,
            others: false,
            floor: None,
            several: false,
            line_ended: false,
            listing: false,
        }
    }

    /// Somebody may have been spoken of whom nobody knows.
    pub(super) fn broken(&mut self) {
        self.antecedent = None;
        self.by_form = [None; 2];
        self.others = true;
        self.floor = None;
        self.several = false;
    }

    /// Somebody was brought along, or met, who is no contact, and whom pronouns of these forms can mean.
    pub(super) fn met(&mut self, forms: &[Form]) {
        let may_be = |of: Option<Form>| of.is_none_or(|of| forms.contains(&of));
        if !forms.is_empty() && self.antecedent.is_some_and(|a| may_be(a.form.or_else(|| self.form_of(a.contact)))) {
            self.antecedent = None;
            self.others = true;
        }
        for form in forms {
            self.by_form[*form as usize] = None;
        }
    }

    /// Drops whoever is called by a function while another house is spoken of: until a contact is named.
    pub(super) fn keep_present(&mut self, named: &mut Vec<Mention>) {
        self.elsewhere &= !named.iter().any(|m| !m.function && m.who != Who::Stranger);
        named.retain(|m| !(self.elsewhere && m.function));
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
        let meant = || self.meant().filter(|contact| self.antecedent.is_none() && self.can_be(*contact, form));
        self.named_so(form).or_else(meant)
    }

    /// The contact whom a pronoun means in a sentence that names nobody.
    pub(super) fn resolved(&self, form: Form) -> Option<usize> {
        let about = || self.about.filter(|a| self.antecedent.is_none() && !self.others && self.can_be(*a, form));
        self.named_so(form).or_else(about)
    }

    /// The one named last, if the pronoun is of his or her form; else the only one of that form.
    fn named_so(&self, form: Form) -> Option<usize> {
        match self.antecedent {
            Some(a) if a.form == Some(form) || self.is_about(a) => Some(a.contact),
            Some(a) if a.form.is_none() => None,
            _ => self.by_form[form as usize],
        }
    }

    fn can_be(&self, contact: usize, form: Form) -> bool {
        self.forms[contact].is_none_or(|of| of == form)
    }

    /// A family name alone shows no form; the contact whom the note is on needs none, nor does the one who has the floor.
    fn is_about(&self, antecedent: Antecedent) -> bool {
        let own = !self.others && self.about == Some(antecedent.contact);
        antecedent.form.is_none() && (own || self.floor() == Some(antecedent.contact))
    }

    /// A sentence ends in which these were named.
    /// `groups` are spoken of beside them.
    pub(super) fn remember(&mut self, named: &[Mention], third_party: bool, groups: bool) {
        if let Some(first) = named.first() {
            self.several = groups || named.iter().any(|m| m.who != first.who);
        }
        self.others |= third_party || named.iter().any(|m| m.who != self.about.map_or(Who::Stranger, Who::Contact));
        // Whoever else a headed sentence names may be meant by the next one.
        self.floor = self.floor.filter(|f| named.iter().all(|m| m.who == Who::Contact(f.contact)));
        if third_party || self.listing {
            self.antecedent = None;
            self.by_form = [None; 2];
            self.others |= self.listing;
            return;
        }
        self.sort_by_form(named);
        if let Some(first) = named.first() {
            let same = named.iter().all(|m| m.who == first.who);
            self.antecedent = match first.who {
                Who::Contact(contact) if same => {
                    let form = named.iter().find_map(|m| m.form).or_else(|| self.form_of(contact));
                    Some(Antecedent { contact, form })
                }
                _ => None,
            };
        }
    }

    /// The form of a contact, as far as what was said so far, name or title show it.
    fn form_of(&self, contact: usize) -> Option<Form> {
        let said =
            [Form::Masculine, Form::Feminine].into_iter().find(|form| self.by_form[*form as usize] == Some(contact));
        said.or(self.forms[contact])
    }

    /// Who was named, by form; where one shows none, or two the same, a pronoun could mean either.
    fn sort_by_form(&mut self, named: &[Mention]) {
        let mut now: [Option<usize>; 2] = [None; 2];
        for mention in named {
            let form = mention.form.or_else(|| match mention.who {
                Who::Contact(contact) => self.form_of(contact),
                _ => None,
            });
            let place = form.map(|form| &mut now[form as usize]);
            match (mention.who, place) {
                (Who::Contact(contact), Some(place)) if place.is_none_or(|other| other == contact) => {
                    *place = Some(contact);
                }
                _ => {
                    self.by_form = [None; 2];
                    return;
                }
            }
        }
        for (place, now) in self.by_form.iter_mut().zip(now) {
            *place = now.or(*place);
        }
    }
}
