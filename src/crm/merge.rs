//! Records that are gone: deleted in the CRM, or merged into others.
//!
//! Invariant: what a record said against processing outlives it, in the one that it was merged into; rows about it are
//! rows about that one.

use std::collections::{BTreeMap, BTreeSet};

use super::columns::Table;
use super::rows::dead;
use super::{CrmContact, CrmDeadLetter, CrmPull};

/// Parts the living from the gone, and hands on what stays of those that were merged.
pub(super) fn settle(pull: &mut CrmPull, notes: &mut Vec<CrmDeadLetter>) {
    pull.merged = survivors(&pull.contacts, notes);
    let (gone, mut living): (Vec<_>, Vec<_>) = std::mem::take(&mut pull.contacts)
        .into_iter()
        .partition(|c| c.deleted || c.merged_into.is_some() || pull.merged.contains_key(&c.record_id));
    let places: BTreeMap<String, usize> = living.iter().enumerate().map(|(at, c)| (c.record_id.clone(), at)).collect();
    for loser in &gone {
        let Some(into) = pull.merged.get(&loser.record_id) else { continue };
        let Some(winner) = places.get(into).and_then(|at| living.get_mut(*at)) else { continue };
        winner.flags.add(&loser.flags);
        winner.created_at = [winner.created_at, loser.created_at].into_iter().flatten().min();
    }
    for row in &mut pull.consents {
        if let Some(into) = pull.merged.get(&row.contact_id) {
            row.contact_id.clone_from(into);
        }
    }
    (pull.contacts, pull.gone) = (living, gone);
}

/// Of every record that was merged, the one that it lives on in, through chains of merges. Who is merged in a circle
/// lives on nowhere: nobody knows which record holds.
fn survivors(contacts: &[CrmContact], notes: &mut Vec<CrmDeadLetter>) -> BTreeMap<String, String> {
    let mut next: BTreeMap<&str, &str> = BTreeMap::new();
    for contact in contacts {
        for loser in &contact.merged_ids {
            next.insert(loser, &contact.record_id);
        }
    }
    // What a record says of itself holds before what another one says of it.
    next.extend(contacts.iter().filter_map(|c| Some((c.record_id.as_str(), c.merged_into.as_deref()?))));
    let mut found = BTreeMap::new();
    let mut in_circles = BTreeSet::new();
    for &loser in next.keys() {
        let (mut at, mut seen) = (loser, BTreeSet::from([loser]));
        let end = loop {
            match next.get(at) {
                None => break Some(at),
                Some(into) if !seen.insert(into) => break None,
                Some(into) => at = into,
            }
        };
        match end {
            Some(end) => {
                found.insert(loser.to_owned(), end.to_owned());
            }
            None => {
                in_circles.insert(loser);
            }
        }
    }
    for contact in contacts.iter().filter(|c| in_circles.contains(c.record_id.as_str())) {
        let advice = "the records are merged in a circle; name the one that holds";
        let id = Some(contact.record_id.clone());
        notes.push(*dead(Table::Contacts, "merged_in_circle", Some("merged_into"), advice, id, contact.origin.clone()));
    }
    // A value of its own, so that such a record counts as gone.
    found.extend(in_circles.into_iter().map(|loser| (loser.to_owned(), String::new())));
    found
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::crm::{CsvSource, FileSet, pull};

    fn read(csv: &str) -> CrmPull {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("c.csv"), csv).expect("written");
        let contacts = FileSet { path: "c.csv".into(), ..FileSet::default() };
        pull(&CsvSource { contacts, ..CsvSource::default() }, folder.path()).expect("a header")
    }

    fn ids(contacts: &[CrmContact]) -> Vec<&str> {
        contacts.iter().map(|c| c.record_id.as_str()).collect()
    }

    #[test]
    fn deleted_and_merged_records_are_gone_and_their_noes_are_not() {
        let pull = read(
            "id,last name,deleted,merged into,merged ids,do not profile\n\
             1,Living,,,,\n\
             2,,yes,,,\n\
             3,,,4,,yes\n\
             4,Chain,,5,,\n\
             5,Winner,no,,6;7:1690000000,\n\
             6,Loser,,,,\n\
             8,Self,,8,8,\n\
             9,Unclear,perhaps,,,\n",
        );
        assert_eq!(ids(&pull.contacts), ["1", "5", "8"]);
        assert_eq!(ids(&pull.gone), ["2", "3", "4", "6", "9"]);
        let merged: Vec<(&str, &str)> = pull.merged.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        assert_eq!(merged, [("3", "5"), ("4", "5"), ("6", "5"), ("7", "5")]);
        assert!(pull.contacts[1].flags.do_not_profile, "the no of 3 lives on in 5");
        let reasons: Vec<_> = pull.dead_letters.iter().map(|l| l.reason).collect();
        assert_eq!(reasons, ["unreadable_flag"]);
    }

    #[test]
    fn a_circle_of_merges_is_told_and_nobody_in_it_is_worked_on() {
        let pull = read("id,last name,merged into\n1,A,2\n2,B,1\n3,C,1\n4,D,\n");
        assert_eq!(ids(&pull.contacts), ["4"]);
        assert_eq!(ids(&pull.gone), ["1", "2", "3"]);
        let told: Vec<_> = pull.dead_letters.iter().map(CrmDeadLetter::detail).collect();
        assert_eq!(told.len(), 3);
        assert_eq!(
            told[0],
            "c.csv line 2, field merged_into: the records are merged in a circle; name the one that holds"
        );
    }
}
