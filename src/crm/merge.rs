//! Records that are gone: deleted in the CRM, or merged into others.
//!
//! Invariant: what a record said against processing outlives it, in the one that it was merged into; rows about it are
//! rows about that one.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::columns::Table;
use super::rows::dead;
use super::{CrmAccount, CrmContact, CrmDeadLetter, CrmPull, Origin};

/// Parts the living from the gone, and hands on what stays of those that were merged. `unread`: records of which a row could
/// not be read; `whole`: what the whole pull says of merges, where this is a part of it.
pub(super) fn settle(
    pull: &mut CrmPull,
    unread: &BTreeMap<String, u32>,
    whole: Option<&Merges>,
    notes: &mut Vec<CrmDeadLetter>,
) {
    let Merges { mut into, mut circles } = Merges::of(&pull.contacts);
    if let Some(whole) = whole {
        // A row of another part may say otherwise of a record.
        into.retain(|loser, winner| whole.into.get(loser) == Some(winner));
        circles.retain(|record| whole.circles.contains(record));
    }
    tell_circles(Table::Contacts, &pull.contacts, &circles, notes);
    let mut all = std::mem::take(&mut pull.contacts);
    let places: HashMap<String, usize> = all.iter().enumerate().map(|(at, c)| (c.record_id.clone(), at)).collect();
    for (loser, winner) in &into {
        let lost = places.get(loser).map(|at| (all[*at].flags.clone(), all[*at].created_at));
        let Some(winner) = places.get(winner).and_then(|at| all.get_mut(*at)) else { continue };
        // A row of the loser that could not be read may have said no.
        winner.flags.incomplete |= unread.contains_key(loser);
        if let Some((flags, created_at)) = lost {
            winner.flags.add(&flags);
            winner.created_at = [winner.created_at, created_at].into_iter().flatten().min();
        }
    }
    for row in &mut pull.consents {
        if let Some(into) = into.get(&row.contact_id) {
            row.contact_id.clone_from(into);
        }
    }
    let is_merged = |c: &CrmContact| c.merged_into.is_some() || into.contains_key(&c.record_id);
    (pull.gone, pull.contacts) =
        all.into_iter().partition(|c| c.deleted || is_merged(c) || circles.contains(&c.record_id));
    (pull.merged, pull.circles) = (into, circles);
}

/// Companies that hold, and in which of them others live on.
#[derive(Debug, Default)]
pub(super) struct Companies {
    /// One row an id, without those that are gone.
    pub(super) rows: Vec<CrmAccount>,
    /// Of companies that were merged, the one that each lives on in.
    pub(super) merged: BTreeMap<String, String>,
}

impl Companies {
    /// Parts the living from the gone.
    pub(super) fn of(mut rows: Vec<CrmAccount>, notes: &mut Vec<CrmDeadLetter>) -> Self {
        let Merges { into, circles } = Merges::of(&rows);
        tell_circles(Table::Accounts, &rows, &circles, notes);
        // One whose survivor is not exported is worked on still: a column may be taken for what it is not.
        let is_gone = |a: &CrmAccount| a.deleted || a.name.is_empty() || into.contains_key(&a.record_id);
        rows.retain(|a| !is_gone(a) && !circles.contains(&a.record_id));
        Self { rows, merged: into }
    }

    /// Which of them are one.
    pub(super) fn alike(&self) -> Alike<'_> {
        let mut by_winner: HashMap<&str, Vec<&str>> = HashMap::new();
        for (loser, winner) in &self.merged {
            by_winner.entry(winner).or_insert_with(|| vec![winner]).push(loser);
        }
        Alike { merged: &self.merged, by_winner }
    }

    /// Gives them to a pull.
    pub(super) fn settle(self, pull: &mut CrmPull) {
        let alike = self.alike();
        pull.contacts.iter_mut().chain(&mut pull.gone).for_each(|contact| alike.tell(contact));
        (pull.accounts, pull.merged_accounts) = (self.rows, self.merged);
    }
}

/// Records of companies that are one.
pub(super) struct Alike<'c> {
    merged: &'c BTreeMap<String, String>,
    by_winner: HashMap<&'c str, Vec<&'c str>>,
}

impl Alike<'_> {
    /// Tells a contact the other records of the company. What the row says stays as it is: somebody who was erased is known
    /// by it, under each record of the company.
    pub(super) fn tell(&self, contact: &mut CrmContact) {
        let Some(record) = contact.account_record.as_deref() else { return };
        let winner = self.merged.get(record).map_or(record, String::as_str);
        let others = self.by_winner.get(winner).into_iter().flatten().filter(|other| **other != record);
        contact.account_aliases = others.map(|other| (*other).to_owned()).collect();
    }
}

/// A record of which another one may tell that it is gone.
trait Mergeable {
    fn id(&self) -> &str;
    fn merged_into(&self) -> Option<&str>;
    fn merged_ids(&self) -> &[String];
    fn origin(&self) -> &Origin;
}

macro_rules! mergeable {
    ($record:ty) => {
        impl Mergeable for $record {
            fn id(&self) -> &str {
                &self.record_id
            }
            fn merged_into(&self) -> Option<&str> {
                self.merged_into.as_deref()
            }
            fn merged_ids(&self) -> &[String] {
                &self.merged_ids
            }
            fn origin(&self) -> &Origin {
                &self.origin
            }
        }
    };
}

mergeable!(CrmContact);
mergeable!(CrmAccount);

/// Which records live on in which.
#[derive(Debug, Default)]
pub(super) struct Merges {
    /// Of every record that was merged, the one of the exports that it lives on in, through chains of merges. One whose
    /// survivor is not exported keeps what is said of it.
    pub(super) into: BTreeMap<String, String>,
    /// Records that are merged in a circle live on nowhere: nobody knows which of them holds.
    pub(super) circles: BTreeSet<String>,
}

impl Merges {
    fn of(records: &[impl Mergeable]) -> Self {
        let mut next: BTreeMap<&str, &str> = BTreeMap::new();
        for record in records {
            next.extend(record.merged_ids().iter().map(|loser| (loser.as_str(), record.id())));
        }
        // What a record says of itself holds before what another one says of it.
        next.extend(records.iter().filter_map(|r| Some((r.id(), r.merged_into()?))));
        let rows: HashSet<&str> = records.iter().map(Mergeable::id).collect();
        // The end of each chain; `None` = a circle.
        let mut ends: BTreeMap<&str, Option<&str>> = BTreeMap::new();
        for &loser in next.keys() {
            let (mut at, mut seen) = (loser, BTreeSet::from([loser]));
            let end = loop {
                match (ends.get(at), next.get(at)) {
                    (Some(end), _) => break *end,
                    (None, None) => break Some(at),
                    (None, Some(into)) if !seen.insert(into) => break None,
                    (None, Some(into)) => at = into,
                }
            };
            ends.extend(seen.into_iter().filter(|record| next.contains_key(record)).map(|record| (record, end)));
        }
        let mut merges = Self { into: BTreeMap::new(), circles: BTreeSet::new() };
        for (loser, end) in ends {
            match end {
                Some(end) if rows.contains(end) => drop(merges.into.insert(loser.to_owned(), end.to_owned())),
                Some(_) => {}
                None => drop(merges.circles.insert(loser.to_owned())),
            }
        }
        merges
    }
}

fn tell_circles(table: Table, records: &[impl Mergeable], circles: &BTreeSet<String>, notes: &mut Vec<CrmDeadLetter>) {
    for record in records.iter().filter(|r| circles.contains(r.id())) {
        let advice = "the records are merged in a circle; name the one that holds";
        let id = Some(record.id().to_owned());
        notes.push(*dead(table, "merged_in_circle", Some("merged_into"), advice, id, record.origin().clone()));
    }
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
    fn companies_that_are_gone_hand_their_contacts_on() {
        let folder = tempfile::tempdir().expect("a folder");
        let accounts = "id,name,deleted,merged into,merged ids\n\
            a,Lives GmbH,,,d\n\
            b,Merged GmbH,,c,\n\
            c,,,a,\n\
            d,Listed GmbH,,,\n\
            e,,yes,,\n\
            f,Circle GmbH,,g,\n\
            g,Circle AG,,f,\n\
            h,Stays GmbH,,99,\n\
            i,,,99,\n";
        fs::write(folder.path().join("a.csv"), accounts).expect("written");
        let contacts = "id,last name,account id\n1,One,a\n2,Two,b\n3,Three,d\n4,Four,e\n5,Five,f\n";
        fs::write(folder.path().join("c.csv"), contacts).expect("written");
        let files = |path: &str| FileSet { path: path.into(), ..FileSet::default() };
        let source = CsvSource { contacts: files("c.csv"), accounts: Some(files("a.csv")), ..CsvSource::default() };
        let pull = pull(&source, folder.path()).expect("headers");
        let companies: Vec<&str> = pull.accounts.iter().map(|a| a.record_id.as_str()).collect();
        assert_eq!(companies, ["a", "h"], "99 is not exported");
        let of: Vec<_> = pull.contacts.iter().map(|c| pull.company_of(c).unwrap_or_default()).collect();
        assert_eq!(of, ["a", "a", "a", "e", "f"]);
        let said: Vec<_> = pull.contacts.iter().filter_map(|c| c.account_record.as_deref()).collect();
        assert_eq!(said, ["a", "b", "d", "e", "f"], "as the rows have it");
        assert_eq!(pull.contacts[1].account_aliases, ["a", "c", "d"]);
        assert_eq!(pull.contacts[3].account_aliases, [""; 0]);
        let merged: Vec<(&str, &str)> = pull.merged_accounts.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        assert_eq!(merged, [("b", "a"), ("c", "a"), ("d", "a")]);
        let reasons: Vec<_> = pull.dead_letters.iter().map(|l| (l.table, l.reason)).collect();
        assert_eq!(reasons, [("accounts", "merged_in_circle"); 2]);
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
    fn what_cannot_be_read_of_a_loser_holds_the_winner_back_and_who_is_not_exported_takes_nothing() {
        let pull = read(
            "id,last name,last modified,merged into,merged ids,do not process\n\
             5,Winner,2025-01-01,,7,\n\
             7,Loser,not a date,,,yes\n\
             8,Stays,2025-01-01,99,,yes\n\
             10,Restored?,2025-01-01,,,\n\
             10,,,5,,\n",
        );
        assert!(pull.contacts[0].flags.incomplete, "the row of 7 may have said no");
        assert_eq!(ids(&pull.contacts), ["5"]);
        assert_eq!(ids(&pull.gone), ["10", "8"], "an undated row that a record is gone holds");
        let merged: Vec<(&str, &str)> = pull.merged.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        assert_eq!(merged, [("10", "5"), ("7", "5")], "99 is not exported: what 8 says stays with 8");
        assert!(pull.gone[1].flags.do_not_process);
    }

    #[test]
    fn a_newer_row_in_a_later_export_is_no_duplicate_where_exports_grow() {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str, rows: &str| {
            fs::write(folder.path().join(name), format!("id,last name,last modified\n{rows}")).expect("written");
        };
        write("0.csv", "1,One,2025-01-01\n2,Two,2025-01-01\n3,Three,2025-01-01\n3,Three,2025-01-02\n");
        write("1.csv", "1,Uno,2025-02-01\n2,Due,2025-01-01\n");
        let told = |grows| {
            let contacts = FileSet { path: "*.csv".into(), grows, ..FileSet::default() };
            let pull = pull(&CsvSource { contacts, ..CsvSource::default() }, folder.path()).expect("headers");
            assert_eq!(pull.contacts[0].family_name.reveal(), "Uno");
            let ids = pull.dead_letters.iter().map(|letter| letter.record_id.clone().unwrap_or_default());
            ids.collect::<Vec<_>>()
        };
        assert_eq!(told(true), ["3"], "it stands twice in one export");
        assert_eq!(told(false), ["1", "2", "3"]);
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
