//! Whose a record is that cannot be read, and whom a no may mean that names nobody known.
//!
//! Invariant: whoever it may be about is left out until it is clear; nobody is guessed to have said something.

use std::collections::{BTreeMap, BTreeSet};

use super::record::{Key, Problem};
use super::when::when;
use super::{Dialect, Outcome, Reading, told_in};
use crate::consent::event::EventKind;
use crate::model::SubjectId;

/// The reason of problems of noes under nearly somebody's id.
pub(super) const NEARLY: &str = "nearly_known_contact";
/// The reason of words below the rows of a list, which are told where they may be about somebody alone.
pub(super) const BELOW: &str = "words_below_rows";
/// Of words below the rows that may be a row.
const RAGGED: &str = "ragged_row";
/// An id, or an address, is no longer than this, in bytes.
const MOST: usize = 256;
/// No record is about more.
const MOST_KEYS: usize = 256;

/// By what the parts of a record that cannot be read may name somebody.
pub(super) fn keys_of<'c>(parts: impl Iterator<Item = &'c str>) -> Vec<Key> {
    let mut keys = BTreeSet::new();
    for part in parts {
        let (part, at) = (part.trim(), |word: &&str| word.contains('@') && word.len() < MOST);
        if !part.is_empty() && part.len() < MOST {
            keys.insert(Key::record(part));
        }
        let words = part.split(|c: char| c.is_whitespace() || "<>,;:|()\"'".contains(c));
        keys.extend(words.filter(at).map(Key::email));
        if keys.len() >= MOST_KEYS {
            break;
        }
    }
    keys.into_iter().collect()
}

/// Whether words say no to something.
pub(super) fn says_no(words: &str) -> bool {
    let is_no = |word: &str| EventKind::read(word).is_some_and(EventKind::is_negative);
    told_in(words).is_some() || words.split(|c: char| !c.is_alphanumeric()).any(is_no)
}

/// Who has an id that is nearly one of these, by these; and whether a text looks like an id.
pub type Ids<'i> = (&'i dyn Fn(&BTreeSet<String>) -> BTreeMap<String, BTreeSet<SubjectId>>, &'i dyn Fn(&str) -> bool);

/// Ties problems to everybody whom their records may be about.
pub(super) fn find(reading: &Reading<'_>, (nearly, is_id): Ids<'_>, outcome: &mut Outcome) {
    let about = |key: &Key| -> BTreeSet<SubjectId> { (reading.resolve)(key).into_iter().collect() };
    let asked = outcome.problems.iter().filter(|p| p.may_be.iter().all(|key| about(key).is_empty()));
    let ids: BTreeSet<String> = asked.flat_map(|p| &p.may_be).filter_map(Key::id).map(str::to_owned).collect();
    let near = if ids.is_empty() { BTreeMap::new() } else { nearly(&ids) };
    let Outcome { problems, unclear, nobodys, .. } = outcome;
    let is_other = |text: &str| EventKind::read(text).is_some() || day_in(text);
    let is_somebodys = |key: &Key| key.id().is_none_or(|id| is_id(id) && !is_other(id));
    // Of other lists, lines that say nothing stand between rows.
    let may_refuse = |keys: &[Key]| reading.dialect == Dialect::Table || keys.iter().filter_map(Key::id).any(says_no);
    problems.retain_mut(|problem| {
        if problem.may_be.is_empty() {
            return true;
        }
        let keys = std::mem::take(&mut problem.may_be);
        let mut found: BTreeSet<SubjectId> = keys.iter().flat_map(about).collect();
        // Of erased people nothing is kept, not even a problem.
        if found.is_empty() && keys.iter().any(|key| (reading.erased)(key)) {
            return false;
        }
        let is_near = found.is_empty();
        if is_near {
            found = keys.iter().filter_map(Key::id).filter_map(|id| near.get(id)).flatten().cloned().collect();
        }
        if found.is_empty() {
            let is_unread = problem.reason == RAGGED || problem.reason == "unreadable_line";
            if is_unread && !keys.iter().any(is_somebodys) && may_refuse(&keys) {
                nobodys.get_or_insert_with(|| problem.at.clone());
            }
            return problem.reason != BELOW;
        }
        tell(problem, is_near);
        if problem.subject.is_none() && found.len() == 1 {
            problem.subject = found.first().cloned();
        }
        unclear.extend(found);
        true
    });
}

/// Whether a text is a date, and no long number, which may be an id.
fn day_in(text: &str) -> bool {
    text.contains(|c: char| !c.is_ascii_digit()) && when(text).is_some()
}

/// Says of a problem whom it holds back.
fn tell(problem: &mut Problem, is_near: bool) {
    if problem.reason == BELOW {
        problem.reason = RAGGED;
    }
    if problem.reason == super::NOBODY_KNOWN {
        problem.reason = NEARLY;
        problem.advice = if is_near {
            "it says no under an id that is a contact's but for case, signs, zeros, letters of another script or what stands beside it: write the id as the contacts \
             have it; until then nobody knows whose no it is, and a run leaves whoever may be meant out"
        } else {
            "it says no under an id that nobody has, and another cell of it is a contact's: put its cells in order; until then nobody \
             knows whose no it is, and a run leaves whoever may be meant out"
        }
        .into();
        return;
    }
    problem.advice = format!("{}; a run leaves whoever it may be about out until then", problem.advice).into();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::consent::dialect::{self, Mapping, parse};
    use crate::ids::{DEMO_KEY, Ids as IdsOfHome};

    /// Who is left out, what is told, and whether a record is nobody's.
    fn read(dialect: Dialect, name: &str, text: &str) -> (Vec<bool>, Vec<&'static str>, bool) {
        let ids = IdsOfHome::new(DEMO_KEY);
        let subject = |id: &str| ids.subject("crm", id);
        let resolve = |key: &Key| match key {
            Key::Record(id) if ["K-0048", "K-0049", "10009"].contains(&id.reveal().as_str()) => {
                vec![subject(id.reveal())]
            }
            Key::Email(address) if address.reveal() == "b@werk.example" => vec![subject("K-0049")],
            _ => Vec::new(),
        };
        let erased = |key: &Key| key.id() == Some("K-0066");
        let mapping = Mapping::default();
        let now = "2026-03-02T03:00:00Z".parse().expect("a time");
        let reading =
            Reading { dialect, system: "crm", ids: &ids, mapping: &mapping, resolve: &resolve, erased: &erased, now };
        let export = parse(name, text.as_bytes()).expect("an export");
        let mut outcome = dialect::read(&reading, &export.records.into());
        outcome.problems.extend(export.problems);
        let near = |asked: &BTreeSet<String>| {
            let pairs = [("k48", "K-0048"), ("10.009", "10009")];
            let known = pairs.iter().filter(|(near, _)| asked.contains(*near));
            known.map(|(near, id)| ((*near).to_owned(), BTreeSet::from([subject(id)]))).collect()
        };
        let is_id = |text: &str| text.contains('-');
        find(&reading, (&near, &is_id), &mut outcome);
        assert!(outcome.problems.iter().all(|p| p.may_be.is_empty() && !p.detail().contains("48")));
        let left_out = ["K-0048", "K-0049", "10009"].map(|id| outcome.unclear.contains(&subject(id)));
        (left_out.to_vec(), outcome.problems.iter().map(|p| p.reason).collect(), outcome.nobodys.is_some())
    }

    #[test]
    fn whoever_a_record_may_be_about_is_left_out() {
        let header = "contact_id;email;kind;recorded_at\n";
        for (rows, left_out, told, nobodys) in [
            ("K-0048;;withdraw\n", [1, 0, 0], vec!["ragged_row"], false),
            ("K-0077;b@werk.example;withdraw\n", [0, 1, 0], vec!["ragged_row"], false),
            ("K-0077;c@werk.example;withdraw\n", [0, 0, 0], vec!["ragged_row"], false),
            ("K-0066;;withdraw\n", [0, 0, 0], vec![], false),
            ("k48;;withdraw\n", [1, 0, 0], vec!["ragged_row"], false),
            ("k48;;withdraw;2026-01-01\n", [1, 0, 0], vec![NEARLY], false),
            ("10.009;;object;2026-01-01\n", [0, 0, 1], vec![NEARLY], false),
            ("10.009;;grant;2026-01-01\n", [0, 0, 0], vec!["unknown_legal_basis"], false),
            ("K-0077;b@werk.example;withdraw;2026-01-01\n", [0, 1, 0], vec![NEARLY], false),
            ("K-0077;;withdraw;2026-01-01\n", [0, 0, 0], vec!["consent_for_unknown_contact"], false),
            ("withdraw;;K-0048;2026-01-01\n", [1, 0, 0], vec![NEARLY, "unknown_event_kind"], false),
            ("withdraw;2026-01-01\n", [0, 0, 0], vec!["ragged_row"], true),
            // Nobody is named.
            (";;withdraw;2026-01-01\n", [0, 0, 0], vec!["consent_for_unknown_contact"], true),
            (";;abgemeldet;2026-01-01\n", [0, 0, 0], vec!["consent_for_unknown_contact", "unknown_event_kind"], true),
            (";;grant;2026-01-01\n", [0, 0, 0], vec!["unknown_legal_basis"], false),
            (
                ";;Summe;346\n",
                [0, 0, 0],
                vec!["consent_for_unknown_contact", "unknown_event_kind", "unreadable_date"],
                false,
            ),
            // Below the rows.
            ("K-0048 widerrufen\n", [0, 0, 0], vec!["ragged_row"], false),
            ("K-0048", [1, 0, 0], vec!["ragged_row"], false),
            ("346 rows\n", [0, 0, 0], vec![], false),
        ] {
            let found = read(Dialect::Table, "consents.csv", &format!("{header}{rows}"));
            assert_eq!(found, (left_out.map(|is| is == 1).to_vec(), told, nobodys), "{rows}");
        }
        let good = r#"{"contact_id":"K-0077","kind":"withdraw","recorded_at":"2026-01-01"}"#;
        for (bad, left_out) in
            [(r#"{"contact_id":"K-0048","kind":"withdraw"#, 0), (r#"{"contact_id":"x","email":"b@werk.example""#, 1)]
        {
            let (found, told, _) = read(Dialect::Table, "consents.jsonl", &format!("{good}\n{bad}\n"));
            assert!(found[left_out] && told.contains(&"unreadable_line"), "{bad}: {told:?}");
        }
        let list = "Kontakt-ID;Name;Status\n10.009;Muster;abgemeldet\n";
        assert_eq!(read(Dialect::List, "liste.csv", list), (vec![false, false, true], vec![NEARLY], false));
        let list = "Kontakt-ID;Name;Status\nK-0048;Muster;abgemeldet\nSeite 1;von 3\nK-0049;Muster;abgemeldet\n";
        assert!(!read(Dialect::List, "liste.csv", list).2, "it says nothing");
        let list = "Kontakt-ID;Name;Status\nK-0049;Muster;abgemeldet\n;Beck;abgemeldet\n";
        assert!(read(Dialect::List, "liste.csv", list).2, "nobody is named");
        // Without a header.
        let table = "K-0048;grant;2025-01-01\nK-0049;withdraw;2026-01-01\n";
        assert!(read(Dialect::Table, "consents.csv", table).2, "its first row is no header");
        assert!(parse("consents.csv", b"K-0048;withdraw;2025-01-01\nK-0049;grant;2026-01-01\n").is_err());
    }
}
