//! Steps of a purchase that belong to a department: `muss noch zum Einkauf`, `needs sign-off from procurement`.
//!
//! Invariant: nobody but the one contact of that department has the role, and nobody but the contact whom the note is
//! on has it not; where there are two, or a title is not read, nobody.

use super::TextContact;
use crate::extract::title::TitleReader;
use crate::taxonomy::JobFunction;

/// The only contact whose title is of the department.
pub(super) fn only_member(contacts: &[TextContact], department: JobFunction) -> Option<usize> {
    let all: Option<Vec<bool>> = contacts.iter().map(|contact| is_member(contact, department)).collect();
    // Whoever's title is not read may be of the department, too.
    let all = all?;
    let mut members = (0..all.len()).filter(|c| all[*c]);
    let first = members.next();
    first.filter(|_| members.next().is_none())
}

/// Whether a contact's title is of the department; `None` where the title does not say.
pub(super) fn is_member(contact: &TextContact, department: JobFunction) -> Option<bool> {
    let reading = TitleReader::shipped().read(contact.title.as_deref()?);
    let first = reading.job_function.value?;
    Some(first == department || reading.secondary_functions.contains(&department))
}
