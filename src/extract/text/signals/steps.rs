//! What the step of a department says of its only contact.
//!
//! Invariant: it is implied, and yields to what is said of the person.

use super::super::department::{is_member, only_member};
use super::super::people::{Mention, Who};
use super::super::phrase::Found;
use super::super::rules::{RULES, Tag};
use super::super::sentence::Read;
use super::super::statement::Statement;
use super::super::{Polarity, TextKind, TextSignal};
use super::Reader;

impl Reader<'_> {
    /// What the step of a department says: of its only contact, and of the contact whom the note is on.
    pub(super) fn of_department(
        &self,
        sentence: &Read<'_>,
        mentions: &[Mention],
        found: &Found<'_, Tag>,
        index: usize,
    ) -> Vec<Statement> {
        let Some(department) = RULES.all[index].department else { return Vec::new() };
        let doubted = sentence.context.iter().any(|c| match c.tag {
            Tag::VetoBefore => c.tokens.start < found.tokens.start,
            Tag::Negation => !found.tokens.contains(&c.tokens.start),
            Tag::Unless(of) => *of == index,
            _ => false,
        });
        if self.kind != TextKind::Note || doubted {
            return Vec::new();
        }
        let contacts = &self.setting.contacts;
        let has = only_member(contacts, department.function).map(|c| self.signal(sentence, found, index, c, true));
        let others =
            |about: usize| mentions.iter().any(|m| !matches!(m.who, Who::Speaker) && m.who != Who::Contact(about));
        let third = sentence.mask(Tag::ThirdParty);
        let third_party = (0..third.len()).any(|at| third[at] && !found.tokens.contains(&at));
        let own = self.about.filter(|_| !third_party);
        let own = own.filter(|a| is_member(&contacts[*a], department.function) == Some(false) && !others(*a));
        let has_not = own.map(|contact| TextSignal {
            polarity: Polarity::Minus,
            p: department.p_not,
            ..self.signal(sentence, found, index, contact, true)
        });
        let implied = |signal| Statement { signal, implied: true, contradicted: false };
        has.into_iter().chain(has_not).map(implied).collect()
    }
}
